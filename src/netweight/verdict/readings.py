"""What a clause does: state a fact, give an opinion, or neither.

The reader says how probable each is, from what it learned of stories of our own
(netweight.verdict.reader); what is plainly neither, rules say. Whether a clause is true is not its
matter.
"""

import re
from typing import Literal

from netweight.verdict.lexicon import OF_BUSINESS, OF_THE_TRADE, is_boilerplate
from netweight.verdict.opinions import opinions_in
from netweight.verdict.reader import sense_of
from netweight.verdict.scenes import Scene
from netweight.verdict.story import Span

Reading = Literal["fact", "opinion"]


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_ADVICE = _re(
    r"^(?:(?:so|then|please|instead|just|but|and)\s+)*(?:pick|choose|use|try|wait|avoid|buy|take|treat|read|"
    r"remember|consider|beware|forget|skip|keep|hold|test|check|ask|do\s+not|don['\u2019]t|never|"
    r"always|think|look|mind|bet|run|do|let\s+us(?!\s+(?:start|begin|look|turn|see|take|mind|now|first))|bin|ditch|drop|cancel|teach|download|subscribe|wake|trust|expect|call|give|start|stop|go|stay|stick|prefer)\b"
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
# "its card says": who speaks, and nothing of what is said
_ENTRY = re.compile(r"^(?:[A-Za-z\u2022][^:.]{2,40}:|\d{1,2}[/.)])\s+\S")
_EDGES = ' .,;:"\u201c\u201d'


_SAYS_NOTHING = _re(r"^(?:we|you)(?:\s+(?:shall|will)|['\u2019]ll)\s+(?:just\s+|have\s+to\s+)?see$")
_NO_WORDS = re.compile(r"\S*[/:;,=<>+]\S*")  # an address, or data
_CLAIM_FROM = 0.02  # the probability of being a claim from which it is one
_OPINION_SHARE = 1.5  # of the probability of a fact, from which it is an opinion
_SHARE_IN_VIEW = 0.01  # the same with a word of praise, blame, stance or advice
_SURE_FACT = 0.6
_LIKELY = 0.5
_SURE_OPINION = 0.6


def reading_of(scene: Scene, place: Span) -> Reading | None:
    """What a clause does; None where it only sets a scene, announces, asks or greets."""
    clause = scene.text[place.start : place.end].strip(_EDGES)
    if is_boilerplate(clause) or _SAYS_NOTHING.search(clause) or _NO_WORDS.fullmatch(clause):
        return None
    shares = sense_of(scene.text).readings(place)
    has_view = bool(opinions_in(clause) or _ADVICE.match(clause))
    if shares["neither"] > 1 - _CLAIM_FROM:
        return "opinion" if has_view else None
    if shares["opinion"] > (_SHARE_IN_VIEW if has_view else _OPINION_SHARE) * shares["fact"]:
        return "opinion"
    is_only_told = _UNTOLD.search(clause) or _RELEASES.search(clause)
    return None if shares["fact"] < _SURE_FACT and is_only_told else "fact"


def is_surely_opinion(scene: Scene, place: Span) -> bool:
    """Whether a clause is an opinion by its own words, whatever the sentence is about."""
    shares = sense_of(scene.text).readings(place)
    return shares["opinion"] >= _SURE_OPINION


def is_surely_fact(scene: Scene, place: Span) -> bool:
    """Whether a clause states something, more likely than not."""
    return sense_of(scene.text).readings(place)["fact"] >= _LIKELY


def is_of_business(paragraph: str) -> bool:
    """Whether a paragraph has a word of the world in which models are made, sold and written about.

    Or one that this world shares with other trades.
    """
    return OF_THE_TRADE.search(paragraph) is not None or OF_BUSINESS.search(paragraph) is not None


def is_list_entry(line: str) -> bool:
    """Whether a line is an entry of a list, as in "Known issue: it drops the last token"."""
    return _ENTRY.match(line) is not None
