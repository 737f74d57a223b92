"""Words that set one model beside another, by their direction: like it, above it or below it.

Finds the words and the models that they compare with. Does not know which order is right.
"""

import itertools
import re
from typing import NamedTuple

from netweight.verdict.names import Mention
from netweight.verdict.story import Span
from netweight.verdict.topics import RELATIONS, Relation


class Compared(NamedTuple):
    """A place that compares, its direction, and whom it compares with."""

    span: Span
    relation: Relation
    against: tuple[Mention, ...]


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# Words that compare only with a model that was set against the subject before.
_BARE_ABOVE = _re(
    r"\b(?:better|stronger|smarter|higher|ahead|in front|superior|wins?|won|on top)\b"
    r"(?!\s+(?:than|of|to)\b)"
)
_BARE_BELOW = _re(
    r"\b(?:worse|weaker|lower|behind|inferior|loses?|lost|poorer|second best)\b"
    r"(?!\s+(?:than|of|to)\b)"
)
_STANDING = _re(
    r"\b(?:stays?|stayed|remains?|remained|is|are|comes?\s+out|came\s+out|keeps?|pulls?|"
    r"finish\w*|ends?\s+up|sits?)\s+(?:\w+\s+){0,2}?(?P<ahead>ahead|in\s+front|on\s+top|in\s+the\s+"
    r"lead)\b(?!\s+of)"
)
_LEAD = _re(
    r"\b(?:(?:measured|compared|tested|set|pitted|put|stacked|held)\s+(?:up\s+)?(?:against|with|"
    r"to|beside|next\s+to)|next\s+to|relative\s+to|unlike|against)\s+(?:the\s+)?"
)
_LEVEL = re.compile(
    r"[\s\-](?:level|class|grade|calib(?:er|re)|like|tier)\b|['\u2019]s\s+(?:equal|peer|match|twin)\b",
    re.IGNORECASE,
)
_ADVERSATIVE = _re(
    r";|\b(?:(?<!all )(?<!nothing )(?<!anything )but|while|whereas|although|though|yet|despite)\b"
)
# "above them are X and Y" puts the models after the verb.
_INVERTED = _re(
    r"\s+(?:them|it|both|these|that|this)\b[^.;]{0,30}?\b(?:is|are|was|were|sits?|sat|stands?|stood|comes?|came|ranks?|ranked)\s+.{0,40}"
)
_REACH = 120  # characters from the word to the model it compares with


class _Word(NamedTuple):
    span: Span
    relation: Relation


def find_compared(text: str, models: list[Mention]) -> list[Compared]:
    """Every place that compares models, in reading order."""
    words = _words(text, models)
    found = []
    for index, word in enumerate(words):
        limit = words[index + 1].span.start if index + 1 < len(words) else len(text)
        if against := _against(text, models, word.span, limit, is_last=index + 1 == len(words)):
            found.append(Compared(word.span, word.relation, against))
    found += [c for c in _set_against(text, models) if not _meets(c.span, found)]
    found += [c for c in _ahead(text, models) if not _meets(c.span, found)]
    found += _as_level(text, models)
    found += [c for c in _beside(text, models) if not _meets(c.span, found)]
    found += [c for c in _alike(text, models) if not _meets(c.span, found)]
    return sorted(found, key=lambda compared: compared.span)


def _meets(span: Span, found: list[Compared]) -> bool:
    return any(span.start < c.span.end and c.span.start < span.end for c in found)


def _words(text: str, models: list[Mention]) -> list[_Word]:
    """The comparing words that are no part of a name; of overlapping ones the longest."""
    found = [
        _Word(Span(*match.span()), relation)
        for relation, pattern in RELATIONS
        for match in pattern.finditer(text)
    ]
    kept: list[_Word] = []
    for word in sorted(found, key=lambda w: (w.span.start - w.span.end, w.span.start)):
        taken = [*(k.span for k in kept), *(m.span for m in models)]
        if not any(word.span.start < t.end and t.start < word.span.end for t in taken):
            kept.append(word)
    return sorted(kept)


def _against(
    text: str, models: list[Mention], word: Span, limit: int, *, is_last: bool
) -> tuple[Mention, ...]:
    """The models after a comparing word, up to the next such word or a "but"."""
    turn = _ADVERSATIVE.search(text, word.end, limit)
    limit = turn.start() if turn else limit
    against = [m for m in models if word.end <= m.span.start < min(limit, word.end + _REACH)]
    if not is_last and len(against) > 1 and _is_next_subject(text, against[-1], limit):
        against = against[:-1]
    if not against or re.search(r"[.;:](?!\d)", text[word.end : against[0].span.start]):
        return ()
    if _INVERTED.fullmatch(text, word.end, against[0].span.start):
        return ()
    return tuple(_joined(text, against))


def _is_next_subject(text: str, mention: Mention, next_start: int) -> bool:
    """Whether a model stands right before the next comparing word: it is that one's subject."""
    return (
        re.fullmatch(r"\s+(?:\w+ly\s+|also\s+)?", text[mention.span.end : next_start]) is not None
    )


_CLAUSE_JOINT = re.compile(r"\b(?:and|so|as|since|because)\b")
_VERB = re.compile(
    r"\s+(?:\w+ly\s+|also\s+)?(?:has|have|had|is|are|was|were|does|did|can|will|gets?|got|scores?|scored|"
    r"reach\w+|needs?|comes?|came|stands?|stood|manages?|runs?|fits?|trails?|beats?|wins?|loses?|leads?)\b"
)


def _joined(text: str, against: list[Mention]) -> list[Mention]:
    """The first model and those listed with it; not one that begins a statement of its own."""
    kept = against[:1]
    for mention in against[1:]:
        between = text[kept[-1].span.end : mention.span.start]
        if re.search(r"[.:](?!\d)|,\s+(?:and\s+)?(?:it|they|the model)\b", between):
            break
        if _CLAUSE_JOINT.search(between) and _VERB.match(text, mention.span.end):
            break
        kept.append(mention)
    return kept


def _set_against(text: str, models: list[Mention]) -> list[Compared]:
    """Read "measured against X, it came out behind" and "next to X it looks weak"."""
    found = []
    for lead in _LEAD.finditer(text):
        rival = next((m for m in models if m.span.start == lead.end()), None)
        if rival is None:
            continue
        patterns: tuple[tuple[Relation, re.Pattern[str]], ...] = (
            ("above", _BARE_ABOVE),
            ("below", _BARE_BELOW),
        )
        for relation, pattern in patterns:
            word = pattern.search(text, rival.span.end, rival.span.end + _REACH)
            if word and not re.search(r"[.;](?!\d)", text[rival.span.end : word.start()]):
                found.append(Compared(Span(*word.span()), relation, (rival,)))
                break
    return found


def _ahead(text: str, models: list[Mention]) -> list[Compared]:
    """Read "X scored 41; Y stays ahead": ahead of those that the sentence named before."""
    found = []
    for match in _STANDING.finditer(text):
        before = [m for m in models if m.span.end <= match.start()]
        rivals = [m for m in before[:-1] if m.ids != before[-1].ids]
        if rivals and match.start() - before[-1].span.end <= 12:
            place = Span(match.start("ahead"), match.end("ahead"))
            found.append(Compared(place, "above", tuple(rivals)))
    return found


# "A and B are hard to tell apart": each stands beside the other.
_ALIKE = _re(
    r"\s+(?:is|are|were|come\s+out|finish|score|perform|do)\s+(?:\w+ly\s+|about\s+|much\s+|as\s+good\s+as\s+)?"
    r"(?P<alike>hard\s+to\s+tell\s+apart|level|equal|equals|even|tied|neck\s+and\s+neck|indistinguishable|on\s+a\s+par|on\s+par|"
    r"alike|the\s+same|close|much\s+of\s+a\s+muchness|too\s+close\s+to\s+call|evenly\s+matched|inseparable|comparable|tied|equally\s+\w+|twins)\b"
    r"(?!\s+(?:with|to|as)\b)"
)


def _alike(text: str, models: list[Mention]) -> list[Compared]:
    """Read "A and B are level": like each other."""
    found = []
    for first, second in itertools.pairwise(models):
        joint = text[first.span.end : second.span.start]
        if re.fullmatch(r"\s*(?:,\s*)?and\s+(?:the\s+)?", joint) is None:
            continue
        if said := _ALIKE.match(text, second.span.end):
            found.append(Compared(Span(said.start("alike"), said.end()), "equal", (second,)))
    return found


# "near o4-mini", "roughly an o4-mini in a box", '"near-parity" with o4-mini'
_BESIDE = _re(
    r"(?P<word>\bnear(?:\s+to)?|\b(?:roughly|basically|practically|virtually|more\s+or\s+less|effectively|about)(?=\s+an?\s)|"
    r"\b(?:parity|level|par)[\"\u201d'\u2019]+\s+with|\b(?:results?|performance|scores?|something|performs?|behaves?|much)\s+like|"
    r"\bequal(?:\s+of|\s+to)?|\bclose\s+(?:to|by|on)|\b(?:peg|put|plac|rank|rat)\w*\b[^.;]{0,40}\b(?:alongside|beside|with))"
    r"\s+(?:the\s+|an?\s+|that\s+of\s+|its\s+own\s+|paid\s+)*$"
)
# "it is o4-mini for free"
_IN_A_BOX = _re(
    r"\s+(?:for\s+(?:free|nothing|(?:your|the|my|a|one['\u2019]s)\s+\w+)|at\s+home|in\s+(?:a|your|my|one['\u2019]s)\s+\w+|in\s+all\s+but\s+name|in\s+disguise|without\s+the\s+bill)\b"
)
# "it is basically o4-mini", "my boss calls it an open o4-mini"
_IS_IT = _re(
    r"\b(?:(?:(?:it|this|that|model|120b|20b|one|they)(?:['\u2019]s|\s+(?:is|are))|(?:calls?|called|calling|dubs?|dubbed)\s+(?:it|this|them|the\s+\w+)))"
    r"\s+(?P<word>basically|practically|effectively|essentially|really|just|virtually|(?:an?|your|our|their)\s+(?:open|free|own|home|local|"
    r"private|new|second|poor\s+man['\u2019]s|budget|downloadable))\s+(?:an?\s+)?$"
)
_BESIDE_REACH = 45


def _beside(text: str, models: list[Mention]) -> list[Compared]:
    """Read words for likeness that stand right before a name."""
    found = []
    for mention in models:
        start = max(0, mention.span.start - _BESIDE_REACH)
        place = start, mention.span.start
        if said := _BESIDE.search(text, *place) or _IS_IT.search(text, *place):
            found.append(Compared(Span(*said.span("word")), "equal", (mention,)))
        elif said := _IN_A_BOX.match(text, mention.span.end):
            found.append(Compared(Span(*said.span()), "equal", (mention,)))
    return found


def _as_level(text: str, models: list[Mention]) -> list[Compared]:
    """Read "offers o4-mini-level reasoning": like the model that the word hangs on."""
    found = []
    for mention in models:
        if suffix := _LEVEL.match(text, mention.span.end):
            found.append(Compared(Span(mention.span.end, suffix.end()), "equal", (mention,)))
    return found
