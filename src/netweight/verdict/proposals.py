"""What one answer of a model is worth: each quote and label held against the story.

A quote that is not in the story, letter for letter and in the sentence that it is said to be of, is
rejected, as are labels that do not exist and ids that the story does not name. What is rejected is
counted by reason. Does not compare answers, and does not know what the labels mean.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

from netweight.verdict.marking import (
    RELATIONS,
    TOPIC_WORDS,
    Answer,
    Labels,
    Piece,
    Reading,
    with_plain_marks,
)
from netweight.verdict.story import Span
from netweight.verdict.topics import ABILITY_WORDS

Reason = Literal["not_verbatim", "other_sentence", "spans_sentences", "label_unknown", "question"]
REASON_WORDS: dict[Reason, str] = {
    "not_verbatim": "not in the story",
    "other_sentence": "in another sentence than the one named",
    "spans_sentences": "of more than one sentence",
    "label_unknown": "with a label that does not exist, or a name that the story does not have",
    "question": "in a question",
}


class Marked(NamedTuple):
    """A proposal whose quote and labels passed; `span` counts from its sentence's start."""

    scene_index: int
    span: Span
    labels: Labels


@dataclass(frozen=True)
class Checked:
    """What of one answer passed, each proposal once, and how much of it did not."""

    passed: tuple[Marked, ...]
    num_quotes: int
    rejected: Counter[Reason]
    num_speakers_dropped: int


def check_answer(answer: Answer, reading: Reading, piece: Piece) -> Checked:
    """Hold every proposal of an answer about a piece of a story against that piece."""
    passed: dict[Marked, None] = {}
    rejected: Counter[Reason] = Counter()
    num_speakers_dropped = 0
    for labels in answer.claims:
        found = _check(labels, reading, piece)
        if not isinstance(found, Marked):
            rejected[found] += 1
            continue
        marked = _with_own_speaker(found, reading)
        num_speakers_dropped += marked.labels.speaker is None and labels.speaker is not None
        passed[marked] = None
    return Checked(tuple(passed), len(answer.claims), rejected, num_speakers_dropped)


def _check(labels: Labels, reading: Reading, piece: Piece) -> Marked | Reason:
    place = _find(labels, reading, piece)
    if not isinstance(place, tuple):
        return place
    if not _are_known(labels, reading):
        return "label_unknown"
    index, span = place
    if reading.scenes[index].text.endswith("?"):
        return "question"
    return Marked(index, span, labels)


def _find(labels: Labels, reading: Reading, piece: Piece) -> tuple[int, Span] | Reason:
    """The sentence of a quote and its place there, or why it has none."""
    words = _plain_words(labels.quote)
    index = labels.sentence - 1
    if piece.start <= index < piece.end:
        span = _place(words, reading.plain_sentences[index])
        if span is not None:
            return index, span
    if _place(words, reading.plain_text) is None:
        return "not_verbatim"
    is_in_one = any(_place(words, text) for text in reading.plain_sentences)
    return "other_sentence" if is_in_one else "spans_sentences"


def _plain_words(words: str) -> str:
    """A model's words as the plain texts would have them."""
    return with_plain_marks(unicodedata.normalize("NFC", words).strip())


def _place(words: str, plain_text: str) -> Span | None:
    """Where the words stand in a text: letter by letter, and not cut out of longer words."""
    if not any(map(str.isalpha, words)):
        return None
    start = plain_text.find(words)
    while start >= 0:
        end = start + len(words)
        edges = plain_text[max(0, start - 1) : start + 1], plain_text[end - 1 : end + 1]
        if not any(len(edge) == 2 and edge.isalnum() for edge in edges):
            return Span(start, end)
        start = plain_text.find(words, start + 1)
    return None


def _are_known(labels: Labels, reading: Reading) -> bool:
    """Whether every label exists, and every id is one that the story names."""
    return (
        labels.topic in TOPIC_WORDS
        and {*labels.subjects, *labels.comparators} <= {*reading.models}
        and {*labels.benchmarks} <= {*reading.benchmarks}
        and {labels.relation, labels.direction} <= {*RELATIONS, None}
        and labels.ability in (*ABILITY_WORDS, None)
    )


def _with_own_speaker(marked: Marked, reading: Reading) -> Marked:
    """The speaker in the sentence's own words; one that it does not have is dropped."""
    said = marked.labels.speaker
    if said is None:
        return marked
    text = reading.scenes[marked.scene_index].text
    place = _place(_plain_words(said), reading.plain_sentences[marked.scene_index])
    speaker = text[place.start : place.end] if place else None
    return marked._replace(labels=marked.labels.model_copy(update={"speaker": speaker}))
