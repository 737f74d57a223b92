"""Where a sentence says what somebody thinks of it: praise, blame, taste, advice or a forecast.

A lexicon, as data, and whether its words are about the story's models. Nothing here can be checked
against a figure.
"""

import re


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# Words of worth, whoever says them of a model or a release.
WORTH = _re(
    r"\bnothing[\s\-]?burgers?\b|\bdisappoint\w*|\bimpress(?:ed|ive|ively)?\b|\bunderwhelm\w*|"
    r"\bdismiss\w*|\bsentiment\b|"
    r"\b(?:response|reception|reaction|feedback|verdict|mood)\b|\brevolution\w*|"
    r"\bgame[\s\-]chang\w*|\bvital\b|\bcrucial\b|"
    r"\bsignificant(?:ly)? (?:shift|step|work|criticism|moment)\b|\bmilestone\b|\bdominan\w+|"
    r"\bbreakthrough\b|\bexcit\w+|"
    r"\bmeh\b|\bamazing\b|\bwelcome[ds]?\b|\bvaluable\b|\bvalue of\b|\bpraise[ds]?\b|"
    r"\blegit bad\b|\btrue potential\b|"
    r"\bhistoric\b|\bcommon[\s\-]sense\b|\bpractical limitations?\b|\bthoughtful\b|"
    r"\bbest thing\b|\bworth\b|\bletdown\b|\bshrug\w*|"
    r"\bsolid\b|\byawn\w*|\bdull\b|\bboring\b|\bsnooze\w*|\bclever(?:est|ly)?\b|\bbrilliant\w*|"
    r"\bsuperb\w*|\bterrific\b|\bfantastic\w*|\bgorgeous\b|\bdelight\w*|\bcharming\b|\blovely\b|"
    r"\bpleasant\w*|\bdecent\b|\brespectable\b|\bmediocre\b|\blousy\b|\bawful\w*|\bdreadful\w*|"
    r"\bterrible\b|\buseless\b|\bpointless\b|\bworthless\b|\bgarbage\b|\bjunk\b|\bjoke\b|"
    r"\bflop\b|\bdud\b|\btriumph\w*|\bgem\b|\bworkhorse\b|\bpowerhouse\b|\bbargain\b|\bsteal\b|"
    r"\bover(?:rated|hyped)\b|\bunderrated\b|\bhyped?\b|\brefreshing\w*|\bbold\b|\bcynical\b|"
    r"\bbig deal\b|\b(?:is|was|feels) (?:huge|big|great|good|bad|nice|fine|fun|weak|okay|ok)\b|"
    r"\bstunn\w+|\bastonish\w+|\bremarkabl[ey]\b|\bfascinating\b|\bpromising\b|\blandmark\b|"
    r"\bembarrass\w+|\bthrill(?:ed|ing)\b|\bdelighted\b|\bhats off\b|\bkudos\b|\bbravo\b|"
    r"\bpunch(?:es|ing) above\b|\b(?:fairer|fairest|nicest|finest|cutest|coolest|silliest)\b|"
    r"\bhopeless\w*|\bpathetic\b|\b(?:content|happy|satisfied|pleased|unimpressed|smitten)\s+with\b|"
    r"\bfeels?\s+like\b|\breal\s+news\b|\b(?:real|true)\s+story\b|\babysmal\w*|\blaughabl\w+|\binsult\w*|"
    r"\b(?:worst|best)\s+(?:release|launch|news|decision|move)\b|\bneat\b|\bgoofy\b|\bgenius\b|\bmagical\b|"
    r"\bno[\s\-]brainer\b|\blong overdue\b|\bPR (?:stunt|move)\b|\bbait and switch\b|"
    r"\bmissed (?:chance|opportunity)\b|\bswings and roundabouts\b|\bcould not care less\b"
)
_ADVERBS = (
    r"(?:\w+ly|do|did|does|would|will|can|could|still|also|just|quite|rather|even|not|never|only|"
    r"much|do not|don['\u2019]t|did not|didn['\u2019]t|wouldn['\u2019]t|cannot|can['\u2019]t)"
)
# What a first person thinks, wants or expects.
STANCE = _re(
    rf"\b(?:I|we)(?:['\u2019](?:d|ll|m|re|ve))?\s+(?:{_ADVERBS}\s+){{0,3}}"
    r"(?:think|thought|believe|feel|felt|find|found|like|liked|love|loved|enjoy|enjoyed|expect|"
    r"doubt|hope|prefer|recommend|reckon|bet|wish|hate|agree|disagree|trust|admire|applaud|"
    r"welcome|consider|stay|remain|stick|lean|rate|fear|worry|care|mind|miss|am(?!\s+told)|are(?!\s+told))\b|"
    r"\b(?:I|we)(?:['\u2019]d|\s+would(?:\s+not|n['\u2019]t)?)\s+(?:\w+\s+)?\w+|"
    r"\bimh?o\b|\bin (?:my|our|his|her|their|[\w\s]{1,25}['\u2019]s?) (?:view|opinion|book|eyes|"
    r"experience)\b|\b(?:my|our) (?:own\s+)?(?:view|"
    r"take|verdict|advice|impression|favou?rite|hunch)\b|\bto my mind\b|\bfor my money\b|"
    r"\bif you ask me\b|\b(?:frankly|honestly|personally|admittedly)\b|\bfor what it is worth\b"
)
# What somebody should do, or what will come of it.
OUTLOOK = _re(
    r"\b(?:nobody|no one|everyone|everybody|anyone|you|we|buyers?|readers?|companies|firms|"
    r"developers|teams|they|OpenAI|members|schools|boards?|users|councils?|hospitals|libraries|"
    r"editors|parents|regulators|lawmakers|ministers)\s+(?:should|ought to|had better|must not|"
    r"would do well to)\b|"
    r"\bputs? (?:\w+ )?pressure on\b|\bpressure on prices\b|"
    r"\b(?:will|would|is going to|are going to|could well|may well)\s+(?:\w+ly\s+|not\s+|soon\s+)?"
    r"(?:change|shape|reshape|force|dent|hurt|help|win|lose|disrupt|matter|be remembered|become|"
    r"pay off|age|shake|eat into|squeeze|drive|accelerate|feel the difference)\b|"
    r"\b(?:did|does|do)\s+(?:it|so|this|that)\s+(?:only\s+|just\s+|merely\s+|purely\s+)?(?:because|to|for\s+show|out\s+of)\b|"
    r"\bmark my words\b|\btime will tell\b|\byou will feel\b"
)
# What such a sentence must speak of, to be about the release and not about the writer's cat.
_MATTER = _re(
    r"\b(?:it|its|they|them|their|this|that|these|those)\b|\bmodels?\b|\bweights\b|\brelease\w*|"
    r"\blaunch\b|\blicen[cs]e\w*|\bbenchmarks?\b|\bboards?\b|\bleaderboards?\b|\bnumbers?\b|"
    r"\bscores?\b|\bfigures?\b|\bcard\b|\bOpenAI\b|\bvendors?\b|\bprices?\b|\bmarket\b|\brevenue\b|"
    r"\bdifference\b|\bAI\b|\bsize\b"
)


def opinions_in(text: str) -> list[re.Match[str]]:
    """Every place where the words give an opinion, in reading order."""
    found = [m for pattern in (WORTH, STANCE, OUTLOOK) for m in pattern.finditer(text)]
    return sorted(found, key=lambda match: match.span())


def is_about_the_matter(text: str) -> bool:
    """Whether the words point at something that the story can be about."""
    return _MATTER.search(text) is not None


_NAMES_MATTER = _re(
    r"\bmodels?\b|\bweights\b|\b(?:the|this|whole) (?:\w+ )?(?:release|launch|announcement|drop)\b|"
    r"\blicen[cs]e\w*|\bbenchmarks?\b|\bleaderboards?\b|\bthe (?:numbers|scores|figures|card)\b|"
    r"\bOpenAI\b"
)


def names_the_matter(text: str) -> bool:
    """Whether the words name what a story about a model release is about."""
    return _NAMES_MATTER.search(text) is not None
