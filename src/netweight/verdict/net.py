"""The net under the rules: clauses that no rule for a topic claims, and that are claims still.

A fact that nothing in the tables speaks to, or an opinion, in a story about a model. Knows clauses
and whether they belong to the story's subject. Judges nothing.
"""

import re

from netweight.verdict.clauses import (
    Reading,
    clauses_of,
    is_list_entry,
    is_of_business,
    is_of_the_trade,
    is_told_by_others,
    quoted_parts,
    reads_as,
    stands_alone,
    verb_at,
    without_speaker,
    words_of,
)
from netweight.verdict.denial import is_question
from netweight.verdict.lexicon import REPORTING
from netweight.verdict.linking import linked_to
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.story import Span
from netweight.verdict.triggers import Trigger

Caught = list[tuple[Span, Trigger]]


def caught(scene: Scene, piece: Span, paragraph: str) -> Caught:
    """The claims in a stretch of which no rule knows anything, each with its place."""
    is_title = scene.sentence.is_heading and not scene.sentence.paragraph
    is_row = is_list_entry(scene.text) or scene.text[0].islower()
    if is_title or (scene.sentence.is_heading and not is_row):
        return []
    belongs = _belongs(scene, paragraph)
    if not belongs and not _is_of_the_writer(scene, paragraph):
        return []
    found: Caught = []
    for clause in clauses_of(scene.text, piece):
        reading, place = _reading(scene, clause)
        is_whole = clause.start == piece.start == 0
        if not is_whole and not stands_alone(scene.text[place.start : place.end]):
            continue
        if belongs and (linked := linked_to(scene, place, reading, paragraph)):
            found.append((linked.place, linked.trigger))
            continue
        is_coloured = reading == "opinion" and not _is_told_apart(scene.text, found, place)
        if is_coloured and found and found[-1][1].topic == "opinion":
            reading = "opinion"
            last = found.pop()
            place = Span(last[0].start, place.end)
        if reading and (belongs or reading == "opinion"):
            found.append((place, _trigger(place, reading)))
    return found


_BETWEEN_VOICES = re.compile(r"[\"\u201c\u201d;]")


def _is_told_apart(text: str, found: Caught, place: Span) -> bool:
    """Whether a quotation mark or a semicolon stands between a clause and the last one."""
    return bool(found and _BETWEEN_VOICES.search(text, found[-1][0].end, place.start))


def around(
    scene: Scene, piece: Span, claimed: list[Span], paragraph: str
) -> tuple[Caught, Span, Caught]:
    """A stretch with claims, without the clauses at its ends that claim something else."""
    if scene.sentence.is_heading or not _belongs(scene, paragraph):
        return [], piece, []
    clauses = clauses_of(scene.text, piece, claimed)
    before: Caught = []
    after: Caught = []
    while len(clauses) > 1 and (last := _apart(scene, clauses[-1], claimed, paragraph)):
        after.insert(0, last)
        clauses.pop()
    while len(clauses) > 1 and (first := _apart(scene, clauses[0], claimed, paragraph)):
        before.append(first)
        clauses.pop(0)
    return before, Span(clauses[0].start, clauses[-1].end), after


def _apart(
    scene: Scene, clause: Span, claimed: list[Span], paragraph: str
) -> tuple[Span, Trigger] | None:
    if any(overlap(clause, span) for span in claimed):
        return None
    reading, place = _reading(scene, clause)
    if not stands_alone(scene.text[place.start : place.end]):
        return None
    if linked := linked_to(scene, place, reading, paragraph):
        return linked.place, linked.trigger
    return (place, _trigger(place, reading)) if reading else None


def _reading(scene: Scene, clause: Span) -> tuple[Reading | None, Span]:
    place = without_speaker(scene.text, clause)
    if place is None:
        return None, clause
    if is_told_by_others(scene.text[clause.start : clause.end]):
        return "fact", clause
    if fragment := _exclaimed(scene.text, clause):
        return "opinion", fragment
    is_quoted = any(overlap(place, q) for q in quoted_parts(scene.text))
    return reads_as(scene.text[place.start : place.end].strip(), is_quoted=is_quoted), place


_EXCLAIMED = re.compile(
    rf"[\"\u201c](?P<words>[^\"\u201c\u201d]{{8,}}?)[,.!]?[\"\u201d],?\s+(?:[\w.\-]+\s+){{0,5}}(?:{REPORTING}|sniffed|sighed|shrugged|beamed|"
    r"beams|judges|judged)\b"
)


def _exclaimed(text: str, clause: Span) -> Span | None:
    """What somebody is quoted with that has no verb: "Finally a model with manners"."""
    said = _EXCLAIMED.match(text, clause.start)
    if said is None or said.end() > clause.end or verb_at(words_of(said["words"])) is not None:
        return None
    return Span(*said.span("words"))


def _trigger(place: Span, reading: Reading) -> Trigger:
    if reading == "opinion":
        return Trigger(span=place, topic="opinion", type="opinion")
    return Trigger(span=place, topic="other", type="other")


def _belongs(scene: Scene, paragraph: str) -> bool:
    """Whether a sentence of a story about a model is about that, or about its trade."""
    if not scene.main_subjects or is_question(scene.text):
        return False
    return bool(
        scene.models
        or (_VOICED.search(scene.text) and is_of_business(paragraph))
        or scene.benchmarks
        or scene.passage_models
        or is_of_the_trade(scene.text, paragraph)
    )


# Somebody is told to say or think something.
_VOICED = re.compile(
    rf"\b(?:{REPORTING}|thinks?|reckons?|judges?|sighs?|sighed|guess(?:es|ed)?|hopes?|suspects?|swears?|understood\s+to|being\s+weighed|"
    r"said\s+to|tells?\s+(?:me|us)|calls?|called|finds?)\b",
    re.IGNORECASE,
)
_WRITER = re.compile(
    r"(?:^|[.!,]\s+)(?:As\s+[^,]{2,20},\s+)?(?:I|It|it|That|This|My|If\s+you|"
    r"The\s+(?:card|timing|name|(?:small|big|larger?|smaller|bigger)\s+one))\b(?!\s+(?:story|paper))"
)


def _is_of_the_writer(scene: Scene, paragraph: str) -> bool:
    """Whether somebody speaks in a story about a model of what he thinks, or of "it" alone."""
    is_told = scene.main_subjects and not is_question(scene.text)
    has_view = _VIEW.search(scene.text) is not None and is_of_business(paragraph)
    return bool(is_told and (_WRITER.search(scene.text) or has_view))


# Words of a view, in whosever mouth: what comes of such a sentence is an opinion or nothing.
_VIEW = re.compile(
    r"\b(?:I|we|my|our|me|us|will|won['\u2019]t|would|should|ought|must|whoever|one\s+does|nobody|no\s+one|let\s+us)\b",
    re.IGNORECASE,
)
