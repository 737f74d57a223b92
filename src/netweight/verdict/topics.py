"""What a sentence can be about: patterns for topics, abilities, relations, hedges and opinions.

The catalogue of rules, as data. Each rule is written for the kind of statement, not for one story.
"""

import re
from dataclasses import dataclass
from typing import Literal

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


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_NEAR = r"(?:\W+[\w\-'\u2019]+){0,5}?\W+"  # up to five words between two parts of a pattern

LICENCE = _re(
    r"\b(?P<name>Apache(?:[\s\-]License)?(?:,?\s*(?:version\s*)?[\s\-]?2(?:\.0)?)?|MIT|BSD|"
    r"GPL\w*|AGPL\w*|CC[\s\-]BY[\w\-]*|"
    r"(?:Llama|Gemma|Qwen)\s+community|non-?commercial|proprietary|permissive|research-only)"
    r"[\s\-]+(?:open[\s\-]source\s+)?(?:licen[cs]\w*|terms)"
    r"|\blicen[cs]ed under (?:the |an? )?(?P<late>Apache(?:[\s\-]2(?:\.0)?)?|MIT|BSD|GPL\w*|"
    r"[A-Z][\w\-.]+)"
    r"|\blicen[cs]e(?:,? (?:which )?(?:is|was|remains)|:|,)\s+(?:the\s+)?"
    r"(?P<stated>Apache(?:[\s\-]2(?:\.0)?)?|MIT|BSD|(?:A?GPL)\w*|proprietary|permissive)\b"
)
SIZE = _re(
    r"\b\d+(?:\.\d+)?[\s\-]?(?:B|billion)(?:(?:\s+(?:and|or|of its|of their|total|"
    r"active|activated)|,)*\s+"
    r"\d+(?:\.\d+)?[\s\-]?(?:B|billion))*[\s\-]+(?:total\s+|active\s+|"
    r"activated\s+)?param\w*"
)
BARE_SIZE = _re(r"(?<![\w.$])\d+(?:\.\d+)?[\s\-]billion(?![\s\-]+(?:total |active )?param)\b")
MEMORY = _re(
    rf"\b(?:fits?|squeez\w+|runs?|running|loads?|needs?|requires?|usable|works?|within|"
    rf"single){_NEAR}?(?P<gb>\d+)\s?(?:GB|GiB|gigabytes?)\b"
)
_TOKENS = r"\d{1,3}(?:,\d{3})+|\d{4,7}|\d+(?=\s?(?:k\b|thousand\b))"
CONTEXT_LENGTH = _re(
    rf"\b(?P<length>{_TOKENS})(?:\s?k| thousand)?(?:[\s\-]tokens?)?[\s\-]context\b|"
    rf"\bcontext\s+(?:window|length)s?\s+(?:of|is|are)\s+(?:up to\s+)?(?P<length2>{_TOKENS})"
    r"(?:\s?k\b| thousand\b)?"
)
TRAINING_COMPUTE = _re(
    r"\b(?P<millions>\d+(?:\.\d+)?)\s+million\s+(?:Nvidia\s+)?(?:H100|GPU)[\s\-]+(?:GPU[\s\-]+)?hours\b"
)
TOPICS = (
    Topic("licence", "licence", LICENCE, can_be_denied=True),
    Topic(
        "open-source",
        "openness",
        _re(
            r"\b(?:(?:is|are|was|were)(?:\s+not|n['\u2019]t)?|as|now|went|fully|truly|completely|release[sd]?|launch(?:es|ed)?|"
            r"publish(?:es|ed)?)\s+"
            r"(?:an?\s+|its\s+|their\s+|two\s+|new\s+|fully\s+|truly\s+|completely\s+|"
            r"first\s+){0,3}open[\s\-]source(?!\s+(?:AI|rivals?|alternatives?|competitors?))\b"
        ),
    ),
    Topic(
        "closed-before",
        "history",
        _re(
            rf"\b(?:previous|earlier|past|long|years? of|former)\w*{_NEAR}(?:closed|proprietary)\b"
            r"|\bfirst\s+(?:\w+[\s\-]){0,4}open[\s\-](?:weights?|source)\b"
            r"(?:.{0,40}?\bsince GPT-2\b)?|\bsince GPT-2\b"
        ),
        can_be_denied=True,
    ),
    Topic("size", "resource", SIZE, can_be_denied=True),
    Topic("size", "resource", BARE_SIZE, context=_re(r"\bparam"), can_be_denied=True),
    Topic(
        "memory",
        "resource",
        MEMORY,
        can_be_denied=True,
    ),
    Topic(
        "maths-in-writing",
        "behaviour",
        _re(
            rf"\b(?:inject|insert|slip|drop|lapse|break|add|put|sneak|sprinkl|inappropriat|"
            rf"random|stray|unprompted)\w*{_NEAR}"
            r"(?:formula[se]?|equations?|LaTeX|math(?:s|ematics|ematical)?|integrals?)\b"
            r"|\b(?:formula|equation|LaTeX|math\w*)\s+(?:injection|insertion)s?\b"
            rf"|\b(?:formula[se]?|equations?|LaTeX|integrals?){_NEAR}(?:poems?|poetry|stor(?:y|"
            rf"ies)|fiction|prose|verse|writing)\b"
        ),
        context=_re(r"creativ|poem|poet|fiction|stor(?:y|ies)|prose|verse|novel|writ"),
    ),
    Topic(
        "synthetic-data",
        "training",
        _re(
            r"\bsynthetic(?:ally)?(?:[\s\-]generated)?\s+(?:training\s+)?(?:data\w*|text|"
            r"corpora|corpus|material|examples)"
            rf"|\btrain(?:ed|ing){_NEAR}(?:synthetic|machine-written|model-written|AI-generated)\b"
        ),
    ),
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
            r"(?:politic\w*|sensitive|contentious|controversial|contested|government\w*|taboo)\b"
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
        _re(r"\b(?:free (?:of|from) |no |un)?bias(?:ed|es)?\b(?:\s+behaviou?r)?"),
        can_be_denied=True,
    ),
    Topic(
        "text-only",
        "behaviour",
        _re(
            r"\btext[\s\-]only\b|\bmulti-?modal\b|\b(?:process|handl|understand|see|read|generat|"
            r"produc|accept|support)\w*\s+(?:\w+\s+){0,3}(?:images?|audio|video|pictures?)\b"
        ),
        can_be_denied=True,
    ),
    Topic("context-length", "resource", CONTEXT_LENGTH),
    Topic(
        "effort-levels",
        "behaviour",
        _re(
            r"\b(?:three|3)\s+(?:\w+\s+){0,2}(?:effort|reasoning|thinking)\s+(?:levels|settings|modes)\b|"
            r"\b(?:three|3)\s+levels\s+of\s+(?:\w+\s+)?(?:effort|reasoning|thinking)\b"
        ),
    ),
    Topic(
        "mixture-of-experts",
        "resource",
        _re(r"\bmixture[\s\-]of[\s\-]experts?\b|\bMoE\b"),
        is_said_once=True,
    ),
    Topic("training-compute", "training", TRAINING_COMPUTE),
    Topic(
        "no-high-capability",
        "safety",
        _re(
            r"\bhigh(?:[\s\-]+\w+){0,2}[\s\-]+capabilit\w+|\bPreparedness Framework\b|"
            r"\bhigh[\s\-]risk (?:level|threshold)"
        ),
    ),
    Topic(
        "best-american",
        "comparison",
        _re(
            r"\b(?:most intelligent|smartest|best|most capable|leading)\s+(?:American|U\.?S\.?)\s+"
            r"open\W?\s?-?\w*\s+(?:\w+\s+)?models?\b"
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
        r"\b(?:follow|obey|adher|handl|understand)\w*(?:\W+[\w\-]+){0,4}?\W+instructions?\b|"
        r"\binstruction[\s\-]following\b|\bobedien\w+"
    ),
    "compliance": _re(r"\bcomplian\w+|\bcompl(?:y|ies)\b"),
    "bias": _re(r"\bbias(?:ed|es)?\b|\beven-?handed\w*|\bstereotyp\w+|\bprejudic\w+"),
    "multilingual": _re(
        r"\bmultilingual\w*|\b(?:human|foreign|other|non-English|many) languages?\b|\btranslation\b"
    ),
    "creative_writing": _re(
        r"\bcreative (?:writing|tasks?)\b|\bpoe(?:try|ms?)\b|\bfiction\b|\bstorytelling\b|\bprose\b"
    ),
    "factuality": _re(r"\bhallucinat\w+|\bfactual(?:ity|ly)?\b|\btruthful\w*"),
    "safety": _re(r"\bsafe(?:ty|r)?\b|\bharmful\w*"),
    "coding": _re(r"\bcod(?:e|ing)\b|\bprogramming\b|\bsoftware engineering\b"),
    "maths": _re(r"\bmath(?:s|ematic\w*)?\b|\barithmetic\b"),
    "reasoning": _re(r"\breasoning\b"),
    "tool_use": _re(r"\btool[\s\-](?:use|calling)\b|\bfunction calling\b|\bagentic\b"),
    "knowledge": _re(r"\b(?:world |general )?knowledge\b|\btrivia\b"),
    "common_sense": _re(r"\bcommon[\s\-]sense\b"),
    "empathy": _re(r"\bempath\w+|\bemotional intelligence\b"),
}
ABILITY_WORDS = {
    "instruction_following": "following instructions",
    "compliance": "compliance",
    "bias": "bias",
    "multilingual": "command of human languages",
    "creative_writing": "creative writing",
    "factuality": "keeping to facts",
    "safety": "safety",
    "coding": "coding",
    "maths": "mathematics",
    "reasoning": "reasoning",
    "tool_use": "tool use",
    "knowledge": "knowledge",
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


RELATIONS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    (
        "equal",
        _re(
            r"\b(?:comparable\s+(?:\w+\s+){0,2}(?:to|with)|(?:near[\s\-]?)?parity\s+with|"
            r"on\s+(?:a\s+)?par\s+with|match(?:es|ed|ing)?\b|"
            r"(?<!its )(?<!their )(?<!other )(?<!the )(?<!open )(?<!closed )(?<!than )(?<!to )"
            r"(?<!behind )"
            r"rival(?:s|ed|led|ling|ing)\b|level\s+with|equal(?:s|led|ling)?\s+(?:to\b)?|"
            r"as\s+(?:good|capable|strong|smart)\s+as|"
            r"close\s+to|similar\s+(?:(?:performance|results?|capabilit\w+|accuracy|scores?|"
            r"quality|levels?|intelligence)\s+)?to|approach(?:es|ed|ing)\b|nears\b|"
            r"neck\s+and\s+neck\s+with|holds?\s+(?:its|their)\s+own\s+against|akin\s+to|keeps?\s+(?:up|pace)\s+with|in\s+line\s+with)"
        ),
    ),
    (
        "above",
        _re(
            r"\b(?:beat(?:s|ing|en)?\b|surpass\w*|outperform\w*|exceed\w*|ahead\s+of|"
            r"better\s+than|out(?:score|do|class|rank)\w*|"
            r"top(?:s|ped|ping)\b|superior\s+to|above|higher\s+than|stronger\s+than|"
            r"edg(?:es|ed|ing)\s+out|eclips\w+|bests?\b|hallucinat\w+\s+(?:\w+\s+){0,2}less\s+(?:\w+\s+)?than|"
            r"smarter\s+than|leads?(?=\s+(?:over\s+)?(?:the\s+)?[\w\-.]*\d)|led(?=\s+[\w\-.]*\d)|overt(?:akes?|ook|aking))"
        ),
    ),
    (
        "below",
        _re(
            r"\b(?:behind|(?:came|comes|is|was|finish\w*)\s+(?:a\s+\w+\s+)?second\s+to|trail(?:s|ed|ing)?\b|lag(?:s|ged|ging)?(?:\s+behind)?|worse\s+than|"
            r"hallucinat\w+\s+(?:\w+\s+){0,2}more\s+(?:\w+\s+)?than|"
            r"los(?:es|t|ing)\s+to|below|"
            r"underperform\w*|fall(?:s|ing)?\s+short\s+of|fell\s+short\s+of|inferior\s+to|"
            r"lower\s+than|weaker\s+than|"
            r"(?:shortcomings?|deficits?|weakness(?:es)?)\s+(?:compared|relative|next)\s+(?:to|"
            r"with))"
        ),
    ),
)
DENIAL = _re(
    r"\b(?:neither|not(?! only| just| merely)|never|cannot)\b|n['\u2019]t\b|"
    r"^(?:un(?=bias)|no\s|free\s)"
)
# "It would be wrong to say that ..." denies what follows.
DISTANCED = _re(
    r"\b(?:wrong|false|incorrect|untrue|misleading|mistaken|(?:a )?myth|"
    r"(?:a )?mistake)\b[^.;]{0,30}"
    r"\b(?:say|claim|think|believe|conclude|that)\b[^.;]{0,60}$|"
    r"\bno (?:\w+ )?(?:benchmark|test|evidence|study|source|figure)s?\b[^.;]{0,20}"
    r"\b(?:shows?|suggests?|proves?|says?|that)\b[^.;]{0,60}$"
)
# "above them are X and Y" puts the models after the verb.
INVERTED = _re(
    r"\s+(?:them|it|both|these|that|this)\b[^.;]{0,30}\b(?:is|are|sits?|stands?|comes?)\s+.{0,20}"
)
UNIVERSAL = _re(
    r"\b(?:every|all|each|any)\s+(?:\w+\s+)?(?:benchmarks?|tests?|tasks?|areas?|subjects?|measures?|"
    r"metrics?|counts?|categor\w+|categories|cases?|respects?)\b|\bacross the board\b|"
    r"\b(?:everywhere|always|without exception|in every way)\b"
)
NEGATION = _re(
    r"\b(?:neither|nor|not(?! only| just| merely)|n['\u2019]t|never|no longer|fail(?:s|ed)? to|"
    r"cannot|without)\b[^.;,]{0,30}$|"
    r"n['\u2019]t\b[^.;,]{0,30}$"
)


def says_universal(text: str) -> bool:
    """Whether the words claim something of every benchmark or case."""
    return UNIVERSAL.search(text) is not None


INFERENCE = _re(
    r"\bsuggest\w*|\bindicat\w*|\bimpl(?:y|ies|ied|ying)\b|\bprov(?:e[sd]?|ing|es)\b|"
    r"\bdemonstrat\w*|\breveal\w*|\bshow\w*|"
    r"\bconfirm\w*|\bmean(?:s|ing)\b|\bevidence (?:of|that|for)\b|\bsigns? (?:of|that)\b|"
    r"\bexpos(?:e[sd]?|ing)\b|"
    r"\bpoint(?:s|ed|ing)? to\b|\bhence\b|\btherefore\b|\bconclud\w*|\blead(?:s|"
    r"ing)? (?:\w+ ){0,3}to conclude\b|\bmak(?:es|ing) (?:it|them) clear\b"
)
MEASURING = _re(
    r"\b(?:measur|test|gaug|assess|evaluat|prob)(?:e|es|ed|s|ing)?\b|\b(?:test|measure|"
    r"benchmark|gauge|exam) (?:of|for)\b"
)
BACK_REFERENCE = _re(
    r"^(?:These|Those|This|That|Such|The) (?:\w+ )?(?:findings?|results?|scores?|numbers?|"
    r"figures?|means?|suggests?|shows?|proves?|indicates?)\b"
)

POSSIBILITY = _re(
    r"\b(?:may|might|could|possib\w+|potential\w*|perhaps|rumou?r\w*|suspect\w*|suspicions?|"
    r"concerns?|fears?|risk\w*|whether)\b"
)
SOFTENED = _re(
    r"\b(?:suggest\w*|appears?|appeared|seem\w*|reportedly|allegedly|supposedly|likely|arguably|"
    r"perceived|nearly?|almost|"
    r"comparable|close to|about|roughly|approximately|initially|early testing|believed|says?|"
    r"claims?|critics)\b"
)
RELAYED = _re(r"\b(?:critici\w+|complain\w*|report\w*|accus\w+|anecdot\w+|screenshots?|testers?)\b")
CATEGORICAL = _re(
    r"\b(?:best|most|all|every|never|always|surpass\w*|outperform\w*|dominan\w*|revolutionary|"
    r"unprecedented|completely|fully|"
    r"entirely|any|unmatched|nothing(?! to do with))\b"
)

PRONOUN = _re(r"\b(?:it|its|they|their|the (?:same |new )?models?)\b")
FIRST_PERSON = _re(r"\b(?:I|me|my|we|us|our)\b")
CARRIED = _re(
    r"\bthere\b|^(?:That|This|Both|These|Those)\b|\bon (?:it|the same|that|this)\b|"
    r"\bthe same (?:\w+ )?"
    r"(?:version|board|table|benchmark|test|index|contest|set)\b"
)

OPINION = _re(
    r"\bnothing[\s\-]?burgers?\b|\bdisappoint\w*|\bimpress(?:ed|ive|ively)?\b|\bunderwhelm\w*|"
    r"\bdismiss\w*|\bsentiment\b|"
    r"\b(?:response|reception|reaction|feedback|verdict|mood)\b|\brevolution\w*|"
    r"\bgame[\s\-]chang\w*|\bvital\b|\bcrucial\b|"
    r"\bsignificant(?:ly)? (?:shift|step|work|criticism|moment)\b|\bmilestone\b|\bdominan\w+|"
    r"\bbreakthrough\b|\bexcit\w+|"
    r"\bmeh\b|\bamazing\b|\bwelcome[ds]?\b|\bvaluable\b|\bvalue of\b|\bpraise[ds]?\b|"
    r"\blegit bad\b|\btrue potential\b|"
    r"\bhistoric\b|\bcommon[\s\-]sense\b|\bpractical limitations?\b|\bthoughtful\b|"
    r"\bbest thing\b|\bworth\b|\bletdown\b|\bshrug\w*"
)
COMPARATIVE = _re(
    r"\b(?:\w+er|more \w+|less \w+)\s+than\b|\b(?:the (?:most|best|fastest|largest|smallest|"
    r"cheapest|strongest|first)\b)"
)
ABOUT_MODELS = _re(
    r"\b(?:the|these|both|its|their|two|new)\s+(?:\w+\s+){0,2}(?:models?|release|weights|"
    r"systems?|company)\b|\bOpenAI\b|\bmodel['\u2019]s\b|\bmodels['\u2019]"
)

# Places where a sentence may be cut. Strong cuts always count; weak ones only between two claims.
STRONG_CUT = _re(
    r";\s+|\s*\u2014\s*|\s+\u2013\s+|\s+--\s+|,?\s+(?:but|while|whereas|although|though|yet)\s+|"
    r",\s+(?=(?:suggesting|indicating|implying|showing|proving|meaning|revealing|fuel(?:l)?ed|"
    r"driven|hindering|leading|limiting|"
    r"which|citing|combined|with instances|despite|potentially|representing|and (?:they|it|the|"
    r"that|some|many|critics|users))\b)"
)
ADVERSATIVE = _re(r";|\b(?:but|while|whereas|although|though|yet|despite)\b")
WEAK_CUT = _re(r",\s+(?:and\s+)?|\s+and\s+|:\s+|\s+with\s+|\s+where\s+")
LEADING = _re(
    r"^(?:(?:and|but|while|whereas|although|though|yet|which|further|furthermore|moreover|still|"
    r"also|however|meanwhile|"
    r"instead|then)\b,?\s*|[\s,;:\u2014\u2013\-]+)+"
)
