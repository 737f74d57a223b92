"""What a sentence can be about: patterns for topics, abilities, relations, hedges and opinions.

The catalogue of rules, as data. Each rule is written for the kind of statement, not for one story.
"""

import re
from dataclasses import dataclass
from typing import Literal

from netweight.verdict import wordings

ClaimType = Literal[
    "licence", "openness", "history", "resource", "benchmark_score", "comparison", "behaviour",
    "training", "safety", "ability", "opinion", "other",
]  # fmt: skip
Relation = Literal["equal", "above", "below"]


@dataclass(frozen=True)
class Topic:
    """A rule: a match of `pattern`, with `context` somewhere in the sentence, is a claim."""

    id: str
    type: ClaimType
    pattern: re.Pattern[str]
    context: re.Pattern[str] | None = None
    can_be_denied: bool = False
    is_said_once: bool = False  # a second mention in a sentence adds nothing
    is_answer: bool = False  # the context may stand in the question before it


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_NEAR = r"(?:\W+[\w\-'\u2019]+){0,5}?\W+"  # up to five words between two parts of a pattern

TOPICS = (
    Topic("licence", "licence", wordings.LICENCE, can_be_denied=True),
    Topic("usage-policy", "licence", wordings.USAGE_POLICY, can_be_denied=True, is_said_once=True),
    Topic("commercial-use", "licence", wordings.COMMERCIAL_USE, can_be_denied=True),
    Topic(
        "weights-release",
        "openness",
        wordings.WEIGHTS_RELEASE,
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic("data-release", "openness", wordings.DATA_RELEASE, can_be_denied=True, is_said_once=True),
    Topic(
        "open-source",
        "openness",
        _re(
            r"\b(?:(?:is|are|was|were)(?:\s+(?:not|hardly|far\s+from)|n['\u2019]t)?|as|now|went|"
            r"fully|truly|completely|really|strictly|release[sd]?|launch(?:es|ed)?|"
            r"publish(?:es|ed)?)\s+"
            r"(?:an?\s+|its\s+|their\s+|two\s+|new\s+|fully\s+|truly\s+|completely\s+|really\s+|"
            r"first\s+){0,3}open[\s\-]source(?!\s+(?:AI|rivals?|alternatives?|competitors?))\b|"
            r"\bopen[\s\-]weights?\b[^.;]{0,25}\b(?:rather\s+than|not|instead\s+of)\s+open[\s\-]source\b|"
            r"\b(?:not|hardly|far\s+from)\s+(?:an?\s+|strictly\s+|really\s+|quite\s+|truly\s+|fully\s+)?"
            r"open[\s\-]source\b|\bopen[\s\-]sourced\s+(?:both|the|its|two)\b"
        ),
    ),
    Topic(
        "closed-before",
        "history",
        _re(
            rf"\b(?:previous|earlier|past|long|years? of|former)\w*{_NEAR}(?:closed|proprietary)\b"
            r"|\bfirst\s+(?:\w+[\s\-]){0,4}open(?:ly)?[\s\-](?:weights?|source|available|models?)\b"
            r"(?:.{0,40}?\bsince GPT-2\b)?"
        ),
        can_be_denied=True,
    ),
    Topic("closed-before", "history", _re(r"\bsince GPT-2\b"), is_said_once=True),
    Topic("size", "resource", wordings.SIZE, can_be_denied=True),
    Topic(
        "size",
        "resource",
        wordings.BARE_SIZE,
        context=_re(r"\bparam|\bactive\b|\bweights\b|\b(?:per|each|any|every|given)\s+token\b"),
        can_be_denied=True,
        is_answer=True,
    ),
    Topic(
        "memory",
        "resource",
        wordings.MEMORY,
        can_be_denied=True,
    ),
    Topic("checkpoint", "resource", wordings.CHECKPOINT),
    Topic("cache", "resource", wordings.CACHE),
    Topic(
        "maths-in-writing",
        "behaviour",
        wordings.MATHS_IN_WRITING,
        context=wordings.IN_WRITING,
    ),
    Topic("training-data", "training", wordings.TRAINING_DATA, is_said_once=True),
    Topic("synthetic-data", "training", wordings.SYNTHETIC, can_be_denied=True),
    Topic(
        "data-effect",
        "training",
        _re(
            rf"\b(?:limit|hinder|hamper|impair|reduc|undermin|hurt|harm|degrad)(?:s|ed|ing|"
            rf"ering|er|e|es|ering)?\b{_NEAR}"
            r"(?:accura\w+|nuanc\w+|utility|usefulness|quality|responses|answers)\b"
        ),
    ),
    Topic(
        "refusal",
        "behaviour",
        _re(
            rf"\b(?:refus|resist|declin|reluctan|unwilling|censor|sanitis|sanitiz|balk)\w*{_NEAR}"
            r"(?:politic\w*|sensitive|contentious|controversial|contested|government\w*|taboo)\b|"
            r"\b(?:turn(?:s|ed|ing)?\s+(?:down|away)|declin(?:es?|ed|ing)|reject(?:s|ed|ing)?|refus(?:es?|ed|ing)|balk(?:s|ed)?\s+at|says?\s+no\s+to)\s+"
            r"(?:\w+\s+){0,4}?(?:[\w\-]+\s+)?(?:requests?|prompts?|orders?)\b"
        ),
        can_be_denied=True,
    ),
    Topic("hallucination", "behaviour", _re(r"\bhallucinat\w+"), can_be_denied=True),
    Topic(
        "efficiency",
        "resource",
        _re(
            r"\befficien(?:t|cy|tly)\b|\btokens? (?:per|a|/) ?s(?:econd)?\b|"
            r"\b(?:is|are|was|were|runs?|responds?|feels?|generates?|works?|answers?)\W+"
            r"(?:\w+\W+){0,3}(?:fast|quick)(?:er|ly)?\b|\bfaster than\b"
        ),
    ),
    Topic("harmony", "other", _re(r"['\"\u2018\u201c]?\bHarmony\b['\"\u2019\u201d]?")),
    Topic(
        "compliance-score",
        "benchmark_score",
        _re(r"\bcomplian(?:ce|t)(?:\s+(?:scores?|rates?|results?))?"),
    ),
    Topic(
        "bias",
        "behaviour",
        _re(r"\b(?P<denied>free (?:of|from) |no |un)?bias(?:ed|es)?\b(?:\s+behaviou?r)?"),
        can_be_denied=True,
    ),
    Topic(
        "text-only",
        "behaviour",
        wordings.TEXT_ONLY,
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic("context-length", "resource", wordings.CONTEXT_LENGTH, can_be_denied=True),
    Topic(
        "context-length",
        "resource",
        wordings.CONTEXT_ANSWER,
        context=_re(r"\b(?:prompts?|context|window|how\s+long)\b"),
        is_answer=True,
    ),
    Topic(
        "effort-levels",
        "behaviour",
        wordings.EFFORT_LEVELS,
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic(
        "effort-effect",
        "behaviour",
        wordings.EFFORT_EFFECT,
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic(
        "mixture-of-experts",
        "resource",
        _re(r"\bmixtures?[\s\-]of[\s\-]experts?\b|\bMoE\b"),
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic(
        "place-on-board",
        "comparison",
        _re(
            r"\b(?:near|at|close\s+to|towards?)\s+the\s+(?:very\s+)?(?:bottom|top|foot|head|tail)\s+"
            r"of\s+(?:[\w'\u2019]+\s+){0,2}(?:\w*(?:board|list|ranking|table|chart|index|set|field)s?|"
            r"SpeechMap|Aider)\b"
        ),
    ),
    Topic("training-compute", "training", wordings.TRAINING_COMPUTE),
    Topic("other", "other", wordings.WHO_MEASURED, is_said_once=True),
    Topic("open-source", "openness", wordings.OPEN_SOURCE_ASKS),
    Topic(
        "no-high-capability",
        "safety",
        wordings.MISUSE_TESTS,
        can_be_denied=True,
        is_said_once=True,
    ),
    Topic(
        "no-high-capability",
        "safety",
        wordings.HIGH_CAPABILITY,
    ),
    Topic(
        "best-american",
        "comparison",
        _re(
            r"\b(?:most intelligent|smartest|best|most capable|leading|cleverest|strongest)\s+"
            r"(?:(?:American|U\.?S\.?)(?:[\s\-]made)?\s+open\W?\s?-?\w*\s+(?:\w+\s+)?models?\b|"
            r"open\W?\s?-?\w*\s+(?:\w+\s+)?models?\s+(?:made\s+)?(?:in|from|out\s+of|by)\s+(?:an?\s+|"
            r"the\s+)?(?:American|America|U\.?S\.?|United\s+States)\b)"
        ),
    ),
    Topic(
        "instruction-following",
        "ability",
        _re(
            r"\b(?:follow|obey|adher|handl|understand)\w*(?:\W+[\w\-]+){0,4}?\W+instructions?\b|"
            r"\binstruction[\s\-]following\b"
        ),
    ),
)

# Abilities that benchmarks may or may not measure; ids as in benchmarks.json.
ABILITIES = {
    "instruction_following": _re(
        r"\b(?:follow|obey|adher|handl|understand|ignor|disregard|execut|carr(?:y|ies)\s+out|grasp|"
        r"stick\w*\s+to|cop\w*\s+with|trouble|difficult|struggl|problems?|keep\w*\s+to)\w*"
        r"(?:\W+[\w\-]+){0,4}?\W+(?:instructions?|orders|directions)\b|"
        r"\b(?:complex|complicated|long|detailed|precise|difficult)\s+(?:instructions|orders)\b|"
        r"\binstruction[\s\-]following\b|\bobedien\w+"
    ),
    "willingness": _re(
        r"\bwithout\s+(?:ever\s+|once\s+)?(?:refus|balk|complain|object)\w+|\brefus(?:e|es|al|als|ing)\b|"
        r"\bpolitical\s+(?:\w+\s+){0,2}?(?:texts?|copy|speech(?:es)?|essays?|content|pieces?|leaflets?)\b|"
        r"\b(?:un)?censor\w*|\b(?:un)?willing(?:ness|ly)?\b|\bsensitive\s+topics\b"
    ),
    "general_knowledge": _re(
        r"\bknow(?:s|ing)?\s+(?:of|about)\s+the\s+(?:wide\s+|wider\s+|whole\s+)?world\b|"
        r"\b(?:world|general)\s+knowledge\b|\bknowledge\s+of\s+the\s+(?:\w+\s+)?world\b|\btrivia\b|"
        r"\bgeneral\s+education\b|\bwell[\s\-]read\b|\bfacts\s+about\s+the\s+world\b|\bmemori[sz]ed?\b"
    ),
    "compliance": _re(r"\bcomplian\w+|\bcompl(?:y|ies)\b"),
    "bias": _re(r"\b(?:un)?bias(?:ed|es)?\b|\beven-?handed\w*|\bstereotyp\w+|\bprejudic\w+"),
    "multilingual": _re(
        r"\bmultilingual\w*|(?<!programming\s)(?<!computer\s)(?<!coding\s)(?<!six\s)(?<!large\s)\b(?<!of\s)languages\b"
        r"(?!\s+(?:models?|of\s+the\s+trade))|\bforeign\s+(?:tongues?|languages?|speech)\b|\btranslat(?:ions?|or|ors|ing)\b|\bpolyglots?\b(?=\smodel)|\bother\stongues\b|"
        r"\b(?:at|in|into|speaks?|understands?|with|writes?)\s+(?:good\s+|fluent\s+)?(?:French|German|"
        r"Spanish|Italian|Portuguese|Japanese|Korean|Arabic|Hindi|Swahili|Yoruba|Dutch|Polish|Turkish)\b"
    ),
    "creative_writing": _re(
        r"\bcreative (?:writing|tasks?)\b|\bpoe(?:try|ms?)\b|\bfiction\b|\bstorytell\w+|\bprose\b|"
        r"\b(?:creative|imaginative|gifted)\s+(?:an?\s+)?writer\b|\bnovels?\b|\bfairy\s+tales?\b|"
        r"\bwrit(?:es?|ing)\s+(?:\w+\s+)?stories\b"
    ),
    "factuality": _re(r"\bhallucinat\w+|\bfactual(?:ity|ly)?\b|\btruthful\w*"),
    "safety": _re(
        r"\bsafe(?:ty|r)?\b(?!\s+(?:choice|bet|pick|option|to\s+(?:say|assume)))|\bharmful\w*"
    ),
    "coding": _re(r"\bcod(?:e|ing)\b|\bprogramming\b|\bsoftware engineering\b"),
    "software_work": _re(
        r"\blegacy\b|\bcode\s?bases?\b|\brefactor\w*|\blarge\s+programs?\b|"
        r"\b(?:maintain\w*|maintenance|upkeep|look\w*\s+after|production|enterprise|company|corporate|everyday|day-to-day|routine|"
        r"real-world|real|industrial|in-house|old|messy)\s+(?:[\w\-]+\s+){0,4}?(?:software|code|coding|programs?|programming|systems?|engineering)\b"
    ),
    "maths": _re(r"\bmath(?:s|ematic\w*)?\b|\barithmetic\b"),
    "reasoning": _re(
        r"\breasoning\b|\b(?<!the\s)(?<!a\s)(?<!no\s)reasons?\b(?!\s+(?:for|to|why|is|was))|\bthinks?\s+straight\b|\blogic\b"
    ),
    "tool_use": _re(r"\btool[\s\-](?:use|calling)\b|\bfunction calling\b|\bagentic\b"),
    "knowledge": _re(r"(?<!world )(?<!general )\bknowledge\b(?!\s+of\s+the\s+(?:\w+\s+)?world)"),
    "conversation": _re(
        r"\bgift\s+of\s+the\s+gab\b|\bchat(?:s|ting)?\s+up\b|\bsmall\s+talk\b|\bbanter\b|\bsweet-?talk\w*|\bconversationalist\b|\beloquen\w+"
    ),
    "common_sense": _re(r"\bcommon[\s\-]sense\b"),
    "empathy": _re(r"\bempath\w+|\bemotional intelligence\b"),
}
UNNAMED = "unnamed"  # what is concluded, in words that no rule knows
ABILITY_WORDS = {
    UNNAMED: "what is concluded here",
    "instruction_following": "following instructions",
    "compliance": "compliance",
    "bias": "bias",
    "multilingual": "command of human languages",
    "creative_writing": "creative writing",
    "factuality": "keeping to facts",
    "safety": "safety",
    "coding": "coding",
    "software_work": "everyday software work",
    "maths": "mathematics",
    "reasoning": "reasoning",
    "tool_use": "tool use",
    "knowledge": "knowledge",
    "general_knowledge": "general knowledge",
    "willingness": "willingness to write what is asked",
    "conversation": "conversation",
    "common_sense": "common sense",
    "empathy": "empathy",
}
WEAK = _re(
    r"\bstruggl\w+|\bweak\w*|\bpoor\w*|\bbad(?:ly)? at\b|\bfail\w*|\black(?:s|ed|ing|luster|"
    r"lustre)?\b|\blimited\b|\blow\b|"
    r"\blag\w*|\bdeficien\w+|\bshortcomings?\b|\bdisappoint\w*|\bterrible\b|\bissues?\b|"
    r"\bproblems? with\b"
)
STRONG = _re(
    r"\bstrong\w*|\bexcel\w*|\bgood at\b|\bimpressive\w*|\bgreat at\b|\bsuperior\b|\brobust\b|"
    r"\bshines?\b"
)

_GOOD = (
    r"(?:good|capable|strong|smart|clever|accurate|intelligent|powerful|well|high|"
    r"able|competent|bright|sharp|handy|skilled|gifted|quick-witted)"
)
_BEATEN = (
    r"beaten|outperformed|surpassed|bested|eclipsed|outscored|outdone|outclassed|outranked|"
    r"overtaken|topped|exceeded|trumped|crushed|trounced|thrashed|defeated|outshone|outpaced|"
    r"edged out|overshadowed|upstaged|outgunned|matched and exceeded"
)
# A model's name, as far as its beginning tells: after it, "under" and "over" compare.
_A_NAME = (
    r"(?=\s+(?:the\s+|that\s+of\s+|those\s+of\s+|what\s+|its\s+)?(?:o\d|(?:gpt|GPT)[\s\-]?\w|R1|K2|\d+b\b|DeepSeek|Qwen|Kimi|Grok|"
    r"Claude|Gemini|Llama|Mistral|(?:larger|smaller|bigger|big|small|little|large)\b))"
)
_EQUAL = _re(
    r"\b(?:(?:an?\s+|the\s+)?(?:peer|twin|equal|spitting\s+image|dead\s+ringer)\s+(?:of|to|for)|in\s+lockstep\s+with|"
    r"(?:almost\s+|practically\s+|all\s+but\s+)?(?:abreast\s+of|alongside)|hot\s+on\s+the\s+heels\s+of|"
    r"(?:has|have|had|is|are)\s+(?:now\s+|all\s+but\s+|almost\s+|nearly\s+)?(?:caught\b(?:\s+up\s+with)?|drawn\s+alongside|drawn\s+up\s+to)|"
    r"(?:right\s+)?up\s+there\s+with|(?:stands?|bears?|worthy\s+of)\s+comparison\s+with|all\s+square\s+with|"
    r"in\s+the\s+(?:neighbou?rhood|slipstream|vicinity|orbit)\s+of|(?:the\s+)?same\s+(?:class|league|tier|marks?|grades?|ballpark)\s+as|"
    r"(?:little|nothing|not\s+much|no\s+daylight|hardly\s+anything|barely\s+anything)\s+(?:to\s+choose\s+)?(?:separates|divides|between)\s+(?:it|them|the\s+\w+)\s+(?:and|from)|"
    r"within\s+(?:[\w.\-]+\s+){0,3}?(?:points?|the\s+noise|sight|a\s+stone['\u2019]s\s+throw)\s+of|near(?:ly)?\s+enough(?:\s+to)?|much\s+the\s+same\s+as|(?:about|roughly|just)\s+like|liken(?:s|ed)?\s+(?:[\w\-]+\s+){1,4}to|"
    r"(?:near|close)\s+(?:match|twin|copy|relative|cousin)\s+(?:for|of|to)|twin\s+(?:of|to)|next\s+door\s+to|stands?\s+in\s+for|"
    r"(?:performs?|behaves?|works?|does|do|answers?|scores?|is|are)\s+(?:much\s+|very\s+much\s+|a\s+lot\s+|rather\s+|about\s+)?like"
    rf"(?=[^.;]{{0,40}}?(?:o\d|gpt))|in(?=\s+[\w.\-]+['\u2019]s\s+(?:league|class|weight|neighbou?rhood|company|territory))|"
    rf"as\s+good\s+an?\s+\w+\s+as|the\s+same{_A_NAME}|comparable\s+(?:\w+\s+){{0,2}}(?:to|with)|(?:near[\s\-]?)?(?:parity|equality)(?:\s+(?:\w+\s+){{1,3}})?\s+with|"
    r"(?:on|at)\s+(?:a\s+)?(?:par|level|levels)\s+(?:with|as|similar to)|"
    r"match(?:es|ed|ing)?\b(?!\s+(?:up|for)\b)|"
    r"(?<!its )(?<!their )(?<!other )(?<!the )(?<!open )(?<!closed )(?<!than )(?<!to )"
    r"(?<!behind )(?<!closest )(?<!nearest )(?<!main )(?<!chinese )"
    r"rival(?:s|ed|led|ling|ing)\b|level\s+with|equal(?:s|led|ling)?\s+(?:to\b)?|"
    r"equivalent\s+to|the\s+equal\s+of|"
    rf"(?:nearly\s+|almost\s+|just\s+|about\s+|every\s+bit\s+)?as\s+{_GOOD}\s+as|"
    r"close\s+to|similar\s+(?:(?:performance|results?|capabilit\w+|accuracy|scores?|"
    r"quality|levels?|intelligence)\s+)?to|approach(?:es|ed|ing)\b|nears\b|"
    r"(?:comes?|came|coming|is|sits?|gets?|lands?|scores?|performs?)\s+(?:\w+ly\s+|very\s+)?"
    r"near\b(?:\s+to)?|close\s+(?:by|on|up\s+(?:to|with|on))|close\s+to\s+level\s+with|all\s+but\s+level\s+with|runs?\s+(?=[\w\-.]+\s+close\b)|running\s+(?=[\w\-.]+\s+close\b)|"
    r"neck[\s\-]+(?:and|to|\u2019?n\u2019?)[\s\-]+neck\s+with|holds?\s+(?:its|their)\s+own\s+"
    r"(?:against|with)|held\s+(?:its|their)\s+own\s+against|akin\s+to|"
    r"keeps?\s+(?:up|pace)\s+with|kept\s+(?:up|pace)\s+with|in\s+line\s+with|"
    r"(?:goes|going|went)\s+toe[\s\-]to[\s\-]toe\s+with|trad(?:es|ed|ing)\s+blows\s+with|"
    r"gives?\s+(?=[^.;,]{1,40}\ba\s+run\s+for\s+its\s+money)|shoulder\s+to\s+shoulder\s+with|on\s+(?:equal|even|level)\s+terms\s+with|"
    r"dead\s+level\s+with|a\s+match\s+for|hard\s+to\s+(?:tell|separate)\s+(?:apart\s+)?from|"
    r"in\s+the\s+same\s+(?:league|class|ballpark|bracket|range|tier)\s+as|"
    r"within\s+(?:a\s+whisker|a\s+hair|striking\s+distance|reach|spitting\s+distance|"
    r"touching\s+distance)\s+of|"
    r"indistinguishable\s+from|t(?:ies|ied|ying)\s+with|ties(?=\s+[\w\-]*\d)|"
    r"(?:a\s+)?(?:dead\s+heat|draw|tie)\s+with|draws?\s+level\s+with|"
    r"equal\s+footing\s+with|hard\s+to\s+tell\s+from|compet(?:es|ed|ing|itive)\s+with|"
    r"(?:does|do|did|performs?|performed|scores?|scored)\s+(?:about\s+)?as\s+well\s+as|"
    r"the\s+same\s+(?:level|score|result|quality)\s+as)"
)
_ABOVE = _re(
    r"\b(?:(?:blows?|blew|sails?|sailed|races?|raced|storms?|stormed|sweeps?|swept|rockets?|shoots?|shot|flies|flew|roars?)\s+past|"
    r"g(?:ives?|ave|iving)\b(?=[^.;,]{1,40}\ba\s+(?:\w+\s+)?(?:thrashing|hiding|drubbing|beating|lesson|trouncing|bloody\s+nose|shellacking|pasting))|"
    r"(?:runs?|ran)\s+(?:circles|rings)\s+a?round|tower(?:s|ed|ing)?\s+(?:over|above)|triumph(?:s|ed)?\s+over|prevail(?:s|ed)?\s+over|"
    r"(?:lapp?|hammer|rout|humbl|dethron|school|thump|whipp?|spank|drubb?|pulveris|flatten|oust|overhaul|mogg?|floor|slaughter|clobber)(?:s|es|ed|ing)\b"
    r"(?=\s+(?:the\s+|poor\s+|mighty\s+)?[\w\-.]*\d)|walks?\s+all\s+over|(?:has|had)\s+the\s+(?:measure|legs)\s+of|"
    r"improves?\s+(?:up)?on(?=\s+[\w\-.]*\d)|gets?\s+the\s+nod\s+over|in\s+a\s+different\s+league\s+(?:from|to)|(?:a|several)\s+cuts?\s+above|"
    r"too\s+(?:good|strong|much|clever)\s+for|(?:takes?|took)\b(?=[^.;,]{1,40}\bto\s+(?:the\s+cleaners|school|the\s+woodshed))|"
    r"puts?\b(?=[^.;,]{1,40}\b(?:to\s+the\s+sword|in\s+the\s+shade|in\s+its\s+place))|eats?\b(?=[^.;,]{1,40}\bfor\s+(?:breakfast|lunch))|"
    r"show(?:s|ed)?\b(?=[^.;,]{1,40}\b(?:a\s+clean\s+pair\s+of\s+heels|the\s+door|who\s+is\s+boss|how\s+it\s+is\s+done))|"
    r"makes?\b(?=[^.;,]{1,40}\blook\s+(?:like|old|slow|stupid|silly|dated|feeble|weak)\b))|"
    rf"\b(?:(?:(?:lifts?|lifted|moves?|puts?|takes?|carries)\s+(?:it|them)\s+(?:over|past)|up\s+on|before|more\s+than|clears?|cleared|passes|passed){_A_NAME}|"
    r"in\s+front\s+of|beat(?:s|en|ing)?\b|surpass\w*|outperform\w*|exceed\w*|ahead\s+of|clear\s+of|"
    r"out(?:score|did|do|doe|class|rank|shine|shone|pace|strip|think|gun|perform)\w*|"
    r"top(?:s|ped|ping)\b|superior\s+to|above|"
    r"(?:better|stronger|smarter|higher|sharper|cleverer|greater|more\s+(?:capable|accurate|"
    r"intelligent|powerful|competent|reliable|truthful))(?:\s+(?!than)\w+){0,2}\s+than|"
    r"edg(?:es|ed|ing)\s+(?:out|past|ahead\s+of)|eclips\w+|bests\b|best(?=\s+[\w\-.]*\d)|bested\b|leapfrog\w*|nos(?:es|ed)\s+(?:out|past|ahead\s+of)|creeps?\s+past|crept\s+past|pulls?\s+ahead\s+of|slips?\s+past|slipped\s+past|shades\b|shaded\b(?=\s+[\w\-.]*\d)|pips?\b|pipped\b|"
    r"wip(?:e|es|ed|ing)\s+the\s+floor\s+with|runs?\s+rings\s+a?round|trump(?:s|ed|ing)\b|crush(?:es|ed|ing)\b|trounc\w+|thrash\w+|smok(?:es|ed)\b|"
    r"demolish\w+|destroy(?:s|ed)\b|defeat(?:s|ed|ing)\b|dwarf(?:s|ed)\b|"
    r"se(?:es|eing|en)\s+off|saw\s+off|one-ups?|(?:has|had|holds?|with)\s+the\s+edge\s+(?:on|over)|streets\s+ahead\s+of|"
    r"c(?:omes?|ame)\s+out\s+on\s+top\s+(?:of|against)|outpoint\w*|(?:an?\s+)?(?:win|victory)\s+over|"
    r"wins?\s+(?:out\s+)?(?:against|over)|w(?:ins?|on)\s+(?:on|in|at)\s+[^.;,]{1,30}?\s+(?:against|over)|won\s+(?:out\s+)?(?:against|over)|"
    r"hallucinat\w+\s+(?:\w+\s+){0,2}less\s+(?:\w+\s+)?than|"
    r"leads?(?=\s+(?:over\s+)?(?:the\s+)?[\w\-.]*\d)|led(?=\s+[\w\-.]*\d)|"
    r"(?:lead|edge|advantage|upper\s+hand|margin)\s+(?:of\s+[^.;,]{0,25})?over|"
    r"(?:gets?|got|gains?|has|had)\s+the\s+better\s+of|make\w*\s+short\s+work\s+of|"
    r"overt(?:akes?|ook|aking)|put(?:s|ting)?\b(?=[^.;,]{1,60}\bto\s+shame\b)|"
    r"(?:leaves?|leaving|left)\b(?=[^.;]{1,60}\b(?:behind|in\s+(?:the|its)\s+dust|trailing|"
    r"standing|eating\s+(?:its\s+)?dust)\b)|"
    r"(?:blows?|blew|knocks?)\b(?=[^.;,]{1,60}\b(?:out\s+of\s+the\s+water|off\s+(?:its|the)\s+"
    r"(?:perch|throne))\b))"
)
_BELOW = _re(
    r"\b(?:(?:no|not\s+a)\s+patch\s+on|(?:cannot|can['\u2019]t|could\s+not|couldn['\u2019]t|does\s+not|doesn['\u2019]t)\s+(?:hold\s+a\s+candle\s+to|live\s+with|touch|"
    r"catch(?:\s+up\s+with)?)|a\s+far\s+cry\s+from|in\s+the\s+(?:shadow|wake)\s+of|(?:some|a\s+long)\s+(?:way|chalk)\s+(?:off|from)|"
    r"(?:plays?|playing)\s+catch-?up\s+(?:with|to)|ground\s+to\s+make\s+up\s+on|left\s+standing\s+by|eats?\s+the\s+dust\s+of|"
    r"looks?\s+up\s+to|concedes?\s+(?:\w+\s+){0,4}?to|gives?\s+away\s+(?:\w+\s+){1,4}to)(?=\s)|"
    rf"\b(?:(?:under|down\s+on|less\s+than|fewer\s+than|points?\s+(?:off|from)){_A_NAME}|(?:is|are|was|were|been|being|gets?|got|be)\s+(?:\w+ly\s+)?(?:{_BEATEN})\s+(?:(?:on|in|at)\s+[^.;,]{{1,40}}?\s)?by|"
    rf"(?:{_BEATEN})\s+(?:\w+\s+)?by|"
    r"behind|short\s+of|shy\s+of|adrift\s+of|off\s+the\s+pace\s+of|(?:gives?|gave)\s+way\s+to|cedes?\s+(?:\w+\s+)?to|(?:came|comes|is|was|finish\w*|ranks?|placed)\s+(?:a\s+\w+\s+)?second\s+(?:only\s+)?"
    r"to|"
    r"second\s+only\s+to|trail(?:s|ed|ing)?\b|lag(?:s|ged|ging)?(?:\s+behind)?|"
    r"(?:worse|weaker|lower|poorer|dumber|less\s+(?:capable|accurate|intelligent|powerful|"
    r"competent|reliable|truthful))(?:\s+(?!than)\w+){0,2}\s+than|"
    r"hallucinat\w+\s+(?:\w+\s+){0,2}more\s+(?:\w+\s+)?than|"
    r"los(?:es|t|ing)\s+(?:out\s+)?to|below|beneath|underperform\w*|"
    r"(?:fall(?:s|ing)?|fell|comes?|came)\s+(?:\w+\s+)?short\s+of|inferior\s+to|no\s+match\s+for|"
    r"not\s+in\s+the\s+same\s+(?:league|class)\s+as|bows?\s+to|yields?\s+to|"
    r"nowhere\s+near|a\s+(?:notch|step|rung|shade|tad|cut)\s+below|pales?\s+(?:beside|next\s+to|"
    r"against|before|in\s+comparison\s+(?:to|with))|"
    r"(?:shortcomings?|deficits?|weakness(?:es)?)\s+(?:compared|relative|next)\s+(?:to|with))"
)
# How one model stands to another, by the words for it.
RELATIONS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    ("equal", _EQUAL),
    ("above", _ABOVE),
    ("below", _BELOW),
)
NEGATION = _re(
    r"\b(?:neither|nor|not(?! only| just| merely)|n['\u2019]t|never|no longer|fail(?:s|ed)? to|"
    r"cannot|without)\b[^.;,]{0,30}$|"
    r"n['\u2019]t\b[^.;,]{0,30}$"
)
DENIAL = _re(
    r"\b(?:neither|not(?! only| just| merely)|never|cannot|hardly|far from|by no means|nor)\b|"
    r"n['\u2019]t\b"
)
UNIVERSAL = _re(
    r"\b(?:every|all|each|any)\s+(?:\w+\s+){0,3}(?:benchmarks?|tests?|tasks?|areas?|subjects?|measures?|"
    r"metrics?|counts?|categor\w+|categories|cases?|respects?|disciplines?|exams?|fields?|"
    r"domains?|fronts?|leaderboards?|boards?|evaluations?)\b|\bacross the board\b|"
    r"\b(?:whatever|whichever|no\s+matter\s+(?:what|which|the))\s+(?:the\s+)?(?:\w+\s+)?(?:tests?|"
    r"benchmarks?|exams?|tasks?|areas?|subjects?|disciplines?)\b|"
    r"\bno\s+(?:\w+\s+){0,2}?(?:tests?|benchmarks?|exams?)\s+(?:on\s+which|in\s+which|where)\b|"
    r"\b(?:any|all)thing you throw at it\b|"
    r"\b(?:everywhere|always|without exception|in every way|in everything|on all counts|"
    r"hands down)\b"
)


# "There is no test on which it trails": said of none of them.
ON_NO_TEST = _re(
    r"\b(?:no|not\s+a(?:\s+single)?|hardly\s+an?)\s+(?:\w+\s+){0,2}?(?:tests?|benchmarks?|exams?|tasks?|"
    r"areas?|subjects?|disciplines?|fields?)\s+(?:\w+\s+){0,3}?(?:(?:on|in|at|for)\s+which|where|that)\b"
    r"[^.;]{0,60}$|\bnothing\s+(?:that|which|in\s+which|at\s+which|where)\b[^.;]{0,40}$"
)
# "ahead once and behind once", "on some tests": not said in general.
PARTLY = _re(
    r"\b(?:once|twice|sometimes|occasionally|in\s+places|in\s+part|partly|at\s+times|now\s+and\s+then|"
    r"here\s+and\s+there|now\s+and\s+again|(?:on|in)\s+(?:exactly\s+|only\s+|just\s+|at\s+least\s+)?(?:some|a\s+few|a\s+couple|several|certain|"
    r"one|two|three|four|five|half|individual|single)\b(?!\s+(?:day|week|month|year|way)s?\b))"
)


def says_universal(text: str) -> bool:
    """Whether the words claim something of every benchmark or case."""
    return UNIVERSAL.search(text) is not None


POSSIBILITY = _re(
    r"\b(?:may|might|could|possib\w+|potential\w*|perhaps|rumou?r\w*|suspect\w*|suspicions?|"
    r"concerns?|fears?|risk\w*|whether)\b"
)
SOFTENED = _re(
    r"\b(?:suggest\w*|appears?|appeared|seem\w*|reportedly|allegedly|supposedly|likely|arguably|"
    r"perceived|apparently|(?:nearly?|almost)(?!\s+(?:entirely|exclusively|wholly|completely|all|"
    r"every|only|always|never|nothing)\b)|"
    r"comparable|close to|about|roughly|approximately|initially|early testing|believed|says?|"
    r"claims?|critics)\b"
)
RELAYED = _re(
    r"\b(?:critici\w+|complain\w*|report\w*|accus\w+|anecdot\w+|screenshots?|testers?|"
    r"whisper\w*|show(?:s|ed)\s+(?:me|us|stories|poems|examples|short)|(?:two|three|some|several|a\s+few)\s+(?:users|readers|testers|posters|people)|insists?|insisted|grip(?:e|es|ed)\b|moan\w*|grumbl\w*|grous\w*|whing\w*|somebody|someone|float(?:s|ed)\s+(?:the|this|that|an?)\s+(?:idea|theory|notion)|hearsay|"
    r"tell(?:s|ing)?\s+(?:me|us)|told\s+(?:me|us)|(?:am|are|is|was|were|been)\s+told|"
    r"(?:I|we)(?:['\u2019]ve|\s+have)?\s+(?:read|heard|hear|seen\s+(?:it\s+)?(?:said|claimed))|"
    r"(?:has|have|had)\s+been\s+(?:\w+ly\s+)?(?:said|claimed|reported|alleged|suggested|rumou?red)|"
    r"(?:is|are|was|were)\s+(?:widely\s+)?(?:said|claimed|thought|believed|supposed|alleged|"
    r"assumed|rumou?red)|theor(?:y|ies)|notion|(?:is|are|am)\s+(?:sure|certain|convinced)\s+(?:that|it)|infer(?:s|red|ence)?|speculat\w+|hunch|guess\w*|rumou?r\w*|gossip|"
    r"in\s+(?:his|her|their|my|our)\s+(?:view|opinion)|nobody\s+(?:\w+\s+){0,3}knows|"
    r"no\s+one\s+(?:\w+\s+){0,3}knows|argu\w+|some\s+users|one\s+(?:user|reader|blogger))\b"
)
CATEGORICAL = _re(
    r"\b(?:best|most|all|every|never|always|surpass\w*|outperform\w*|dominan\w*|revolutionary|"
    r"unprecedented|completely|fully|"
    r"entirely|any|unmatched|nothing(?! to do with))\b"
)

PRONOUN = _re(
    r"\b(?:it|its|they|their|the (?:same |new )?models?|(?:that|this) one|the (?:former|latter))\b"
)
FIRST_PERSON = _re(r"\b(?:I|me|my|we|us|our)\b")
CARRIED = _re(
    r"\bthere\b|^(?:\w+:\s+)?(?:That|This|Both|These|Those)\b|\bon (?:it|the same|that|this)\b|"
    r"\b(?:in|on|at) the (?:latter|former)\b|\bthe same (?:\w+ )?"
    r"(?:version|board|table|benchmark|test|index|contest|set|exam|questions?|conversations?|"
    r"problems?|tasks?|exercises?|run|list)\b"
)
GENERAL_BENCHMARKS = _re(
    r"\b(?:core|common|standard|key|most|major|popular|reasoning|many|several|various)\s+"
    r"(?:\w+\s+)?(?:benchmarks|tests|evaluations|tasks|exams)\b"
)
RESULT = _re(
    r"\b(?:scores?|results?|accuracy|ratings?|marks?|figures?|points|elo|answer(?:s|ed) (?:right|"
    r"wrong\w*|correct\w*)|leaderboard|board|settings?|rates?|judges?|diff|harness|run)\b"
)

ABOUT_MODELS = _re(
    r"\b(?:the|these|both|its|their|two|new)\s+(?:\w+\s+){0,2}(?:models?|release|weights|"
    r"systems?|company)\b|\bOpenAI\b|\bmodel['\u2019]s\b|\bmodels['\u2019]"
)

# Places where a sentence turns, and where it may be parted between two claims.
ADVERSATIVE = _re(
    r";|\b(?:(?<!all )(?<!nothing )(?<!anything )but|while|whereas|although|though|yet|despite)\b"
)
WEAK_CUT = _re(r",\s+(?:and\s+)?|\s+and\s+|:\s+|\s+with\s+|\s+where\s+")
LEADING = _re(
    r"^(?:(?:and|but|while|whereas|although|though|yet|which|further|furthermore|moreover|still|"
    r"also|however|meanwhile|"
    r"instead|then)\b,?\s*|[\s,;:\u2014\u2013\-]+)+"
)
