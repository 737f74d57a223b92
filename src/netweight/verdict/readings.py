"""What a clause does: state a fact, give an opinion, or neither.

Signs of each are classes of words (advice, forecasts, duty, motive, words of worth) and the words
themselves; what each weighs was learned from stories of our own (benchmarks/verdict_reader.py).
Whether a clause is true is not its matter.
"""

import functools
import re
from collections.abc import Mapping
from typing import Literal

from netweight.verdict.clauses import tokens_of
from netweight.verdict.lexicon import OF_BUSINESS, OF_THE_TRADE, REPORTING, is_boilerplate, is_worth
from netweight.verdict.linear import learned
from netweight.verdict.opinions import OUTLOOK, STANCE, WORTH, opinions_in
from netweight.verdict.scenes import Scene
from netweight.verdict.story import Span

Reading = Literal["fact", "opinion"]


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# ---- signs

_NUMBER = _re(
    r"(?<![\w\-.])(?!(?:19|20)\d\d\b)[$\u20ac\u00a3]?\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|half|third|quarter|twice|"
    r"double[sd]?|dozens?|percent|figures)\b"
)
_ADVICE = _re(
    r"^(?:(?:so|then|please|instead|just|but|and)\s+)*(?:pick|choose|use|try|wait|avoid|buy|take|treat|read|"
    r"remember|consider|beware|forget|skip|keep|hold|test|check|ask|do\s+not|don['\u2019]t|never|"
    r"always|think|look|mind|bet|run|do|let\s+us(?!\s+(?:start|begin|look|turn|see|take|mind|now|first))|bin|ditch|drop|cancel|teach|download|subscribe|wake|trust|expect|call|give|start|stop|go|stay|stick|prefer)\b"
)
_FUTURE = _re(
    r"\b(?:will|won['\u2019]t|shall|(?:is|are)\s+(?:not\s+)?(?:going|bound|sure|destined|poised|likely|"
    r"unlikely)\s+to|sooner\s+or\s+later|(?:expect|predict|forecast|foresee|anticipat|wager)\w*|bets?)\b|"
    r"['\u2019]ll\b"
)
_PLANS = _re(
    r"\b(?:OpenAI|company|maker|lab|firm|startup|start-up|vendor|team|host|provider|spokes\w+|agency|"
    r"ministry|university|board)\b[^.;]{0,40}\b(?:will|would|plans?|intends?)\b"
)
_OF_A_FIRM = re.compile(
    r"^\W*(?:The\s+)?[A-Z][\w.\-]*(?:\s+[A-Z][\w.\-]*){0,3}\s+will\s+(?:also\s+|soon\s+)?(?:carry|offer|host|sell|ship|publish|release|add|"
    r"support|launch|buy|build|invest|hire|use|adopt|move|test|run|include|distribute|fund|open|list)\b"
)
_OUGHT = _re(
    r"\b(?:should(?!\s+(?:be\s+)?(?:fit|run))|ought\b|had\s+better|must|deserves?|needs?\s+to|"
    r"have\s+to|has\s+to|would\s+(?:be|do|have|prefer|rather|call|like|love|not)|"
    r"I['\u2019]d|we['\u2019]d|you['\u2019]d)\b"
)
_MOTIVE = _re(
    r"\b(?:in\s+order\s+to|hop(?:es?|ed|ing)\s+(?:to|that)|wants?\s+to|wanted\s+to|aim(?:s|ed|ing)?\s+"
    r"(?:to|at)|seek(?:s|ing)?\s+to|eager\s+to|desperate\s+to|afraid|(?<!over\s)(?<!about\s)(?<!amid\s)(?<!safety\s)(?<!on\s)(?:fears?\b|feared|worr(?:y|ies|ied))|"
    r"to\s+(?:please|appease|placate|impress|woo|spite|embarrass|distract|show\s+off|win\s+(?:back|over)|curry)|meant\s+to|intended\s+to|motive\w*|tired\s+of|had\s+enough|under\s+pressure)\b"
)
_UNTOLD = _re(
    r"\b(?:declin\w+\s+to\s+(?:say|comment|answer|be|name|give|disclose|discuss|reveal|elaborate|specify)|"
    r"refused\s+to\s+(?:say|comment)|(?:did|has|have|had|does|do|would|could)"
    r"(?:\s+not|n['\u2019]t)\s+(?:\w+ly\s+|yet\s+|immediately\s+|independently\s+)?(?:say|said|comment\w*|respond\w*|"
    r"repl(?:y|ied)|verif\w+|confirm\w*|answer\w*\s+(?:questions|requests)|time[sd]?)|"
    r"(?:nobody|no\s+one|neither|none)\b[^.;]{0,30}\b(?:counted|knows?|asked|said|could\s+say|measured|checked)|"
    r"(?:I|we)\s+(?:could|can|have|did|do)\s*(?:not|n['\u2019]t)\s+(?:\w+\s+)?(?:find|found|verify|verified|confirm\w*|reach\w*|"
    r"test\w*|tr(?:y|ied)|check\w*|timed?|run|know)\b|that\s+may\s+(?:well\s+)?be\b|"
    r"here\s+(?:is|are)\s+(?:what|the|our|how|why)|"
    r"(?:is|are|was|were)\s+(?:based|headquartered|located|founded)\s+in|(?:are|is)\s+under\s+way|what\s+follows)\b"
)
_RELEASES = _re(
    r"\b(?:released?|announced?|unveiled?|launched?|published|introduced|debuted|presented|arrived|"
    r"came\s+out|is\s+out|are\s+out|went\s+online|made\s+its\s+debut)\b"
)
_COPULA = _re(
    r"\b(?:is|are|isn['\u2019]t|aren['\u2019]t|seems?|feels?|looks?|sounds?|remains?)\b|"
    r"\b(?:it|that|there|what|here|this)['\u2019]s\b|['\u2019]re\b"
)
_CONCRETE = _re(
    r"\b(?:crash|fail|download|deploy|switch|cut|fix|ship|load|return|broke|break|froze|freez|stall|hang|hung|drop|"
    r"delete|install|migrat|replac|measur|count|test|ran|run|bought|sold|paid|pay|hire|sign|order|"
    r"cancel|adopt|ban|block|open|close|move|rose|fell|rise|climb|lost|los|gain|grew|shut|delay|leak|"
    r"copied|copy|publish|wrote|post|vote|remov|add|charg|cost|answer|translat|generat|process|refus|train)\w*\b"
)
_REPORTED = _re(
    r"\b(?:complain(?:s|ed)?|alleg(?:es?|ed)|accus(?:es?|ed)|rumou?r(?:s|ed)?|reportedly|allegedly|(?:is|are|was|were)\s+(?:also\s+|now\s+|\w+ly\s+)?said\s+to|(?:there\s+is|there['\u2019]s)\s+(?:talk|word|a\s+rumou?r)|rumou?r\s+has|word\s+is|"
    r"understood\s+(?:to|that)|sources?\s+sa(?:y|id))\b"
)
_TRIED = _re(
    r"^(?:just\s+)?(?:ask|give|hand|feed|put|skip|leave|show|tell|type|request|try|prompt|fill|use|take|set|call)\b[^.;]{3,80}?"
    r"(?:,\s*|\s+)(?:and|or)\s+(?:you|it|they|the|half|one|out|there|everything|most)\b"
)
_SEES_AS = _re(
    r"\b(?:sees?|views?|regards?|treats?|reads?|we\s+(?:read|see|view|regard|take))\s+(?:the\s+|it\s+|this\s+|that\s+|its\s+|open\s+)?[\w\s\-]{1,40}?\bas\s+(?:an?|the|nothing|more|less)\b|"
    r"\bwe\s+look\s+for\b|\blooks?\s+(?:dear|cheap|rich|expensive|fair|full)\b"
)
_PLANS_OF_OTHERS = _re(
    r"\b(?:wants?|expects?|plans?|hopes?|intends?|aims?|was\s+meant|were\s+meant|was\s+due|is\s+due|were\s+due)\s+to\b"
)
_OFTEN = _re(
    r"\b(?:one|two|three|\d+)\s+(?:times?|cases?|runs?|tries)\s+(?:in|out\s+of)\b|\bevery\s+\w+\s+(?:time|run|call)\b"
)
# "its card says": who speaks, and nothing of what is said
_ONLY_SAYS = _re(rf"^[^,;:]{{0,50}}\b(?:{REPORTING}|indicates?|shows?|knows?)$")
_SIGNS: Mapping[str, re.Pattern[str]] = {
    "number": _NUMBER,
    "advice": _ADVICE,
    "future": _FUTURE,
    "plans": _PLANS,
    "of a firm": _OF_A_FIRM,
    "ought": _OUGHT,
    "motive": _MOTIVE,
    "untold": _UNTOLD,
    "release": _RELEASES,
    "copula": _COPULA,
    "event": _CONCRETE,
    "reported": _REPORTED,
    "tried": _TRIED,
    "sees as": _SEES_AS,
    "plans of others": _PLANS_OF_OTHERS,
    "often": _OFTEN,
    "only says": _ONLY_SAYS,
    "worth": WORTH,
    "stance": STANCE,
    "outlook": OUTLOOK,
}
_LONG_WORD = 5  # letters above which the beginning of a word says something
_ENDINGS = (
    "ly", "est", "er", "ing", "ed", "able", "ive", "ous", "ful", "less", "ish", "ness", "tion", "y",
    "s",
)  # fmt: skip
_AROUND = 4  # words on either side of a clause that are looked at
_LONGEST = 24  # words
_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]{3,}[\"\u201d,]")
_ENTRY = re.compile(r"^(?:[A-Za-z\u2022][^:.]{2,40}:|\d{1,2}[/.)])\s+\S")


def features_of_clause(scene: Scene, place: Span, paragraph: str) -> set[str]:
    """What a clause is known by: signs, its words, the words on either side, and its place."""
    text = scene.text
    clause = text[place.start : place.end]
    row = [t for t in named_words(scene, place) if t[0].isalnum() or t[0] in "#<"]
    found = {"any", f"length {min(len(row), _LONGEST) // 3}"}
    found |= {f"sign {name}" for name, sign in _SIGNS.items() if sign.search(clause.strip(_EDGES))}
    found |= {"sign of worth"} if is_worth(clause) else set()
    for word in row:
        found.add(word)
        if len(word) > _LONG_WORD:
            found.add(f"{word[:_LONG_WORD]}-")
            if ending := next((e for e in _ENDINGS if word.endswith(e)), ""):
                found.add(f"-{ending}")
    found |= {f"{a} {b}" for a, b in zip(["^", *row], [*row, "$"], strict=True)}
    before, after = (
        tokens_of(text[: place.start])[-_AROUND:],
        tokens_of(text[place.end :])[:_AROUND],
    )
    found |= {f"before {t}" for t in before} | {f"after {t}" for t in after}
    found.add(f"edge {text[max(0, place.start - 2) : place.start].strip()}|")
    found.add(f"edge |{text[place.end : place.end + 2].strip()}")
    if any(q.start < place.end and place.start < q.end for q in quoted_parts(text)):
        found.add("quoted")
    if text.rstrip('"\u201d').endswith("?"):
        found.add("question")
    if scene.sentence.is_heading:
        found.add("heading")
    is_first, is_last = not place.start, not text[place.end :].strip(_EDGES)
    found.add(f"place {is_first} {is_last}")
    found |= {f"about {name}" for name in _matter(scene, paragraph)}
    return found


@functools.lru_cache(maxsize=64)
def _has_trade(text: str) -> bool:
    return OF_THE_TRADE.search(text) is not None


@functools.lru_cache(maxsize=64)
def _has_business(text: str) -> bool:
    return OF_BUSINESS.search(text) is not None


def _matter(scene: Scene, paragraph: str) -> list[str]:
    """What a sentence and its paragraph have to do with models and their trade."""
    told = {
        "a model": scene.models,
        "a benchmark": scene.benchmarks,
        "models before": scene.passage_models,
        "models of the paragraph": scene.paragraph_models,
        "the trade": _has_trade(scene.text),
        "business": _has_business(scene.text),
        "the trade in its paragraph": _has_trade(paragraph),
        "business in its paragraph": _has_business(paragraph),
    }
    return [name for name, found in told.items() if found]


_EDGES = ' .,;:"\u201c\u201d'


def named_words(scene: Scene, place: Span) -> list[str]:
    """The words of a clause, with one word for every model and one for every benchmark."""
    named = sorted(
        [(m.span, "<model>") for m in scene.models]
        + [(m.span, "<benchmark>") for m in scene.benchmarks]
    )
    row: list[str] = []
    start = place.start
    for span, kind in named:
        if start <= span.start and span.end <= place.end:
            row += [*tokens_of(scene.text[start : span.start]), kind]
            start = span.end
    return [*row, *tokens_of(scene.text[start : place.end])]


_SAYS_NOTHING = _re(r"^(?:we|you)(?:\s+(?:shall|will)|['\u2019]ll)\s+(?:just\s+|have\s+to\s+)?see$")
_CLAIM_FROM = 0.07  # the probability of being a claim from which it is one
_OPINION_SHARE = 1.5  # of the probability of a fact, from which it is an opinion
_SHARE_IN_VIEW = 0.1  # the same with a word of praise, blame, stance or advice
_SURE_FACT = 0.6
_SURE_OPINION = 0.6


def reading_of(scene: Scene, place: Span, paragraph: str) -> Reading | None:
    """What a clause does; None where it only sets a scene, announces, asks or greets."""
    clause = scene.text[place.start : place.end].strip(_EDGES)
    if is_boilerplate(clause) or _SAYS_NOTHING.search(clause):
        return None
    shares = learned("readings").shares(features_of_clause(scene, place, paragraph))
    has_view = bool(opinions_in(clause) or _ADVICE.match(clause))
    if shares["neither"] > 1 - _CLAIM_FROM:
        return "opinion" if has_view else None
    if shares["opinion"] > (_SHARE_IN_VIEW if has_view else _OPINION_SHARE) * shares["fact"]:
        return "opinion"
    is_only_told = _UNTOLD.search(clause) or _RELEASES.search(clause)
    return None if shares["fact"] < _SURE_FACT and is_only_told else "fact"


def is_surely_opinion(scene: Scene, place: Span, paragraph: str) -> bool:
    """Whether a clause is an opinion by its own words, whatever the sentence is about."""
    shares = learned("readings").shares(features_of_clause(scene, place, paragraph))
    return shares["opinion"] >= _SURE_OPINION


def is_of_business(paragraph: str) -> bool:
    """Whether a paragraph has a word of the world in which models are made, sold and written about.

    Or one that this world shares with other trades.
    """
    return _has_trade(paragraph) or _has_business(paragraph)


def quoted_parts(text: str) -> list[Span]:
    """The places of what stands in double quotation marks."""
    return [Span(m.start() + 1, m.end() - 1) for m in _QUOTED.finditer(text)]


def is_list_entry(line: str) -> bool:
    """Whether a line is an entry of a list, as in "Known issue: it drops the last token"."""
    return _ENTRY.match(line) is not None
