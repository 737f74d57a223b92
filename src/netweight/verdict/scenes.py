"""A sentence on its stage: the names in it, and whom its pronouns stand for.

Knows who is mentioned where. Does not know what is said of them.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from netweight.verdict import topics
from netweight.verdict.evidence import Published
from netweight.verdict.names import (
    Mention,
    find_benchmarks,
    find_models,
    find_size_references,
)
from netweight.verdict.story import Sentence, Span, Story


@dataclass
class Scene:
    """A sentence with the names in it; spans here count from the sentence's start."""

    sentence: Sentence
    models: list[Mention]
    benchmarks: list[Mention]
    earlier_benchmarks: tuple[str, ...]
    running_subjects: tuple[str, ...]
    main_subjects: tuple[str, ...]
    context: str
    paragraph_models: tuple[str, ...]
    comparator_spans: set[Span] = field(default_factory=set)

    @property
    def text(self) -> str:
        return self.sentence.text

    @property
    def carried_benchmarks(self) -> tuple[str, ...]:
        """The benchmark that the paragraph is about, for a sentence that names none itself.

        Only where the sentence points back, or gives a score of a model.
        """
        if self.benchmarks or len(self.earlier_benchmarks) != 1:
            return ()
        gives_score = (self.models or topics.PRONOUN.search(self.text)) and re.search(
            r"\b(?:ge?o?t[s]?|gave|gives|scor\w+|reach\w+|ha[sd]|have|stands?|stood|achiev\w+|f[ae]lls?|"
            r"sits?|sat|manag\w+|receiv\w+|post\w*|earn\w*|is|was)\b(?:[^.;]|\.(?=\d)){0,60}?\d\s?(?:%|percent\b|points\b)",
            self.text,
        )
        points_back = topics.CARRIED.search(self.text)
        states = self.models and re.search(r"\b(?:got|received|scored|stands? at)\s+\d", self.text)
        return self.earlier_benchmarks if gives_score or points_back or states else ()

    @property
    def default_subjects(self) -> tuple[str, ...]:
        """Whom "the models" or "the model" means: the story's, or the one under discussion."""
        plural = re.search(r"\b(?:the|these|both|two)\s+(?:\w+\s+)?models\b", self.text, re.I)
        return self.main_subjects if plural else self.running_subjects


def read_scenes(story: Story, tables: Published) -> list[Scene]:
    """Each sentence with its names, and the subject that its pronouns stand for."""
    found = [find_models(sentence.text, tables) for sentence in story.sentences]
    main = _main_subject(found, tables)
    about_gpt_oss = any(name.startswith("gpt-oss-") for m in found for x in m for name in x.ids)
    scenes: list[Scene] = []
    paragraph, subjects = -1, main
    benchmarks: tuple[str, ...] = ()
    named_in = _models_by_paragraph(story, found)
    before = ""
    for sentence, models in zip(story.sentences, found, strict=True):
        if sentence.paragraph != paragraph:
            paragraph, subjects, benchmarks, before = sentence.paragraph, main, (), ""
        if about_gpt_oss:
            sizes = find_size_references(sentence.text)
            models = sorted(
                models + [s for s in sizes if not any(overlap(s.span, m.span) for m in models)],
                key=lambda mention: mention.span,
            )
        named = find_benchmarks(sentence.text, tables)
        context, before = f"{before} {sentence.text}".strip(), sentence.text
        scenes.append(
            Scene(sentence, models, named, benchmarks, subjects, main, context, named_in[paragraph])
        )
        here = dict.fromkeys(name for mention in named for name in mention.ids)
        benchmarks = tuple(here) or benchmarks
        first = _new_subject(models, sentence.text)
        subjects = listed_with(models, first, sentence.text) if first else subjects
    return scenes


def _models_by_paragraph(story: Story, found: list[list[Mention]]) -> dict[int, tuple[str, ...]]:
    named: dict[int, dict[str, None]] = {}
    for sentence, mentions in zip(story.sentences, found, strict=True):
        ids = (name for mention in mentions for name in mention.ids)
        named.setdefault(sentence.paragraph, {}).update(dict.fromkeys(ids))
    return {paragraph: tuple(ids) for paragraph, ids in named.items()}


def _new_subject(models: list[Mention], text: str) -> Mention | None:
    """The model that a sentence makes its subject: named before any "it" or "while", or none."""
    turn = re.search(
        r"\b(?:it|they|the (?:same )?models?|while|whereas|but|although)\b", text, re.I
    )
    limit = turn.start() if turn and turn.start() > 0 else len(text)
    single = (m for m in models if not m.ids[0].startswith("group:"))
    return next((m for m in single if m.span.start < limit), None)


def _main_subject(found: list[list[Mention]], tables: Published) -> tuple[str, ...]:
    """The model, or the family of models, that the story names most; ties go to the first named."""
    counts = Counter(
        mention.ids
        for mentions in found
        for mention in mentions
        if not mention.ids[0].startswith("group:")
    )
    if not counts:
        return ()
    top = counts.most_common(1)[0][0]
    family = tables.models[top[0]].family if top[0] in tables.models else None
    members = tuple(row.id for row in tables.models.values() if family and row.family == family)
    named = {name for ids in counts for name in ids}
    return tuple(m for m in members if m in named) or top


def overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def listed_with(mentions: list[Mention], at: Mention, text: str) -> tuple[str, ...]:
    """The mention and those listed with it: "A, B and C"."""
    index = mentions.index(at)
    start = end = index
    joint = re.compile(
        r"[\s,('\u2018\u2019\")]*(?:and|or|,)?(?:\s+the)?(?:\s+\w+){0,1}[\s,('\u2018\")]*"
    )
    while start > 0 and joint.fullmatch(
        text, mentions[start - 1].span.end, mentions[start].span.start
    ):
        start -= 1
    while end + 1 < len(mentions) and joint.fullmatch(
        text, mentions[end].span.end, mentions[end + 1].span.start
    ):
        end += 1
    names = [name for mention in mentions[start : end + 1] for name in mention.ids]
    return tuple(dict.fromkeys(name for name in names if not name.startswith("group:")))


def subjects_of(scene: Scene, said_at: Span, segment: Span, *, is_size: bool) -> tuple[str, ...]:
    """Whom the words are about: named in the segment, else before it, else the running subject."""
    usable = [
        m
        for m in scene.models
        if m.span not in scene.comparator_spans and not m.ids[0].startswith("group:")
    ]
    # "120 billion parameters" looks like a model's name but is what is said of it
    inside = [m for m in usable if overlap(m.span, said_at) and not is_size]
    before = [m for m in usable if m.span.end <= said_at.start]
    near = [m for m in before if m.span.start >= segment.start]
    after = [m for m in usable if said_at.end <= m.span.start < segment.end]
    for candidates, index in ((inside, 0), (near, -1), (after, 0), (before, -1)):
        if candidates:
            return listed_with(usable, candidates[index], scene.text)
    return scene.default_subjects
