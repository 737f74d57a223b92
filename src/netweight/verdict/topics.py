"""What a sentence can be about: patterns for topics, abilities, relations, hedges and opinions.

The catalogue of rules, as data. Each rule is written for the kind of statement, not for one story.
"""

import re
from dataclasses import dataclass
from typing import Literal

ClaimType = Literal[
    "licence", "openness", "history", "resource", "benchmark_score", "comparison", "behaviour",
    "training", "ability", "opinion", "other",
]  # fmt: skip
Relation = Literal["equal", "above", "below"]


@dataclass(frozen=True)
class Topic:
    """A rule: a match of `pattern`, with `context` somewhere in the sentence, is a claim."""

    id: str
    type: ClaimType
    pattern: re.Pattern[str]
    context: re.Pattern[str] | None = None


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
)
SIZE = _re(
    r"\b\d+(?:\.\d+)?[\s\-]?(?:B|billion)(?:(?:\s+(?:and|or|of its|of their|total|"
    r"active|activated)|,)*\s+"
    r"\d+(?:\.\d+)?[\s\-]?(?:B|billion))*[\s\-]+(?:total\s+|active\s+|"
    r"activated\s+)?param\w*"
)
TOPICS = (
    Topic("licence", "licence", LICENCE),
    Topic(
        "open-source",
        "openness",
        _re(
            r"\b(?:is|are|as|now|went|fully|truly|completely|release[sd]?|launch(?:es|ed)?|"
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
    ),
    Topic("size", "resource", SIZE),
    Topic(
        "memory",
        "resource",
        _re(
            rf"\b(?:fits?|runs?|running|loads?|needs?|requires?|usable|works?|within|"
            rf"single){_NEAR}?(?P<gb>\d+)\s?(?:GB|GiB|gigabytes?)\b"
        ),
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
    ),
    Topic("hallucination", "behaviour", _re(r"\bhallucinat\w+")),
    Topic(
        "efficiency",
        "resource",
        _re(
            r"\befficien(?:t|cy|tly)\b|\btokens? (?:per|a|/) ?s(?:econd)?\b|\b(?:fast|"
            r"quick)(?:er)?\b"
        ),
    ),
    Topic("harmony", "other", _re(r"['\"\u2018\u201c]?\bHarmony\b['\"\u2019\u201d]?")),
    Topic(
        "compliance-score",
        "benchmark_score",
        _re(r"\bcomplian(?:ce|t)(?:\s+(?:scores?|rates?|results?))?"),
    ),
    Topic("bias", "behaviour", _re(r"\bbias(?:ed|es)?\b(?:\s+behaviou?r)?")),
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
            r"\b(?:comparable\s+(?:to|with)|(?:near[\s\-]?)?parity\s+with|"
            r"on\s+(?:a\s+)?par\s+with|match(?:es|ed|ing)?\b|"
            r"rival(?:s|ed|ling|ing)\b|level\s+with|equal(?:s|led|ling)?\s+(?:to\b)?|"
            r"as\s+(?:good|capable|strong|smart)\s+as|"
            r"close\s+to|similar\s+to|akin\s+to|keeps?\s+(?:up|pace)\s+with|in\s+line\s+with)"
        ),
    ),
    (
        "above",
        _re(
            r"\b(?:beat(?:s|ing|en)?\b|surpass\w*|outperform\w*|exceed\w*|ahead\s+of|"
            r"better\s+than|out(?:score|do|class|rank)\w*|"
            r"top(?:s|ped|ping)\b|superior\s+to|above|higher\s+than|stronger\s+than|"
            r"smarter\s+than|overt(?:akes?|ook|aking))"
        ),
    ),
    (
        "below",
        _re(
            r"\b(?:behind|trail(?:s|ed|ing)?\b|lag(?:s|ged|ging)?(?:\s+behind)?|worse\s+than|"
            r"los(?:es|t|ing)\s+to|below|"
            r"underperform\w*|fall(?:s|ing)?\s+short\s+of|fell\s+short\s+of|inferior\s+to|"
            r"lower\s+than|weaker\s+than|"
            r"(?:shortcomings?|deficits?|weakness(?:es)?)\s+(?:compared|relative|next)\s+(?:to|"
            r"with))"
        ),
    ),
)
NEGATION = _re(
    r"\b(?:not|n['\u2019]t|never|no longer|fail(?:s|ed)? to|cannot|without)\b[^.;,]{0,30}$|"
    r"n['\u2019]t\b[^.;,]{0,30}$"
)

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
CATEGORICAL = _re(
    r"\b(?:best|most|all|every|never|always|surpass\w*|outperform\w*|dominan\w*|revolutionary|"
    r"unprecedented|completely|fully|"
    r"entirely|any|unmatched|nothing)\b"
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
