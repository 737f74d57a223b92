"""The net under the rules: clauses that no rule for a topic claims, and that are claims still.

A fact that nothing in the tables speaks to, or an opinion, in a story about a model. Knows clauses
and whether they belong to the story's subject. Judges nothing.
"""

import re

from netweight.verdict.denial import is_question
from netweight.verdict.evidence import Published
from netweight.verdict.figures_told import figures_in
from netweight.verdict.lexicon import AUXILIARIES, verb_at, words_of
from netweight.verdict.linking import linked_to
from netweight.verdict.mentions import has_figure
from netweight.verdict.opinions import opinions_in
from netweight.verdict.readings import (
    Reading,
    is_list_entry,
    is_of_business,
    is_surely_opinion,
    reading_of,
)
from netweight.verdict.references import find_size_references
from netweight.verdict.scenes import Scene
from netweight.verdict.story import Span
from netweight.verdict.triggers import Trigger


def caught(
    scene: Scene, clause: Span, paragraph: str, tables: Published
) -> tuple[Span, Trigger] | None:
    """The claim in a clause of which no rule knows anything, with its place, or None."""
    is_title = scene.sentence.is_heading and not scene.sentence.paragraph
    is_row = is_list_entry(scene.text) or scene.text[0].islower()
    if is_title or (scene.sentence.is_heading and not is_row):
        return None
    if scene.sentence.is_heading and not (is_list_entry(scene.text) or _names_something(scene)):
        return None
    if not scene.main_subjects or is_question(scene.text):
        return None
    reading = reading_of(scene, clause)
    if reading and _is_label(scene.text[clause.start : clause.end], reading):
        reading = None
    if not _belongs(scene, paragraph):
        is_meant = _WRITER.search(scene.text) or is_surely_opinion(scene, clause)
        return (clause, _trigger(clause, reading)) if reading == "opinion" and is_meant else None
    if linked := linked_to(scene, clause, reading, tables):
        return linked.place, linked.trigger
    if figures := figures_in(scene, clause, tables):
        return clause, Trigger(
            span=clause, topic="figures", type="benchmark_score", figures=figures
        )
    return (clause, _trigger(clause, reading)) if reading else None


def _names_something(scene: Scene) -> bool:
    return bool(scene.models or scene.benchmarks or has_figure(scene.text))


_LEAST_WORDS = {"fact": 4, "opinion": 3}  # without a verb
_NAMING = re.compile(
    r"^\W*(?:(?:[Ww]hile|[Tt]hough|[Aa]lthough|[Aa]nd|[Bb]ut)\s+)?(?:(?:some|others|many|several|those|most|concerns?|questions?|doubts?|fears?|criticism|[A-Z]\w+),?\s+)"
    r"(?:including|such\s+as|like|among\s+them|surrounding|about|over|around|concerning|regarding)\b"
)


def _is_label(clause: str, reading: Reading) -> bool:
    """Whether the words only name something, as "Page 9" or "For now" do, or lack a subject.

    As in "concerns surrounding the data" and "are prominent", the two ends of one sentence.
    """
    words = [word for word in words_of(clause) if word[0].isalnum()]
    at = verb_at(words)
    is_naming = at is None and (len(words) < _LEAST_WORDS[reading] or _NAMING.match(clause))
    is_headless = at == 0 and len(words) < _LEAST_WORDS[reading] and words[0].lower() in AUXILIARIES
    return bool(is_naming or is_headless) and not opinions_in(clause)


def _trigger(place: Span, reading: Reading) -> Trigger:
    if reading == "opinion":
        return Trigger(span=place, topic="opinion", type="opinion")
    return Trigger(span=place, topic="other", type="other")


def _belongs(scene: Scene, paragraph: str) -> bool:
    """Whether a sentence of a story about a model is about that, or about its trade."""
    is_named = scene.models or scene.benchmarks or scene.paragraph_models
    return bool(is_named or is_of_business(paragraph) or find_size_references(paragraph))


# Somebody speaks of what he thinks, or of "it" alone.
_WRITER = re.compile(
    r"(?:^|[.!,]\s+)(?:As\s+[^,]{2,20},\s+)?(?:I|It|it|That|This|My|We|Try|If\s+you|"
    r"The\s+(?:card|timing|name|(?:small|big|larger?|smaller|bigger)\s+one))\b(?!\s+(?:story|paper))"
)
