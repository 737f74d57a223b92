"""A sentence on its stage: the names in it, and whom its pronouns stand for.

Knows who is mentioned where. Does not know what is said of them.
"""

import itertools
import re
from dataclasses import dataclass, field

from netweight.verdict import topics
from netweight.verdict.denial import is_limited, is_taken_back
from netweight.verdict.evidence import Published
from netweight.verdict.lexicon import verb_at, words_of
from netweight.verdict.names import (
    Mention,
    find_benchmarks,
    find_models,
    find_parts,
    find_roles,
)
from netweight.verdict.protagonist import is_rival, main_subject
from netweight.verdict.references import (
    FAMILY,
    find_meant,
    find_rivals,
    find_siblings,
    find_size_references,
)
from netweight.verdict.story import Sentence, Span, Story


@dataclass
class Scene:
    """A sentence with the names in it; spans here count from the sentence's start.

    `earlier_benchmarks` are those that the passage named last, `story_benchmark` the only one that
    the whole story names, `columns` the models that the header of a table names, `order` those
    that the numbers of a line without names belong to, `last_models` those that the sentence before
    names in the same paragraph.
    """

    sentence: Sentence
    models: list[Mention]
    benchmarks: list[Mention]
    earlier_benchmarks: tuple[str, ...]
    running_subjects: tuple[str, ...]
    main_subjects: tuple[str, ...]
    context: str
    paragraph_models: tuple[str, ...]
    nearby_models: tuple[str, ...] = ()
    passage_models: tuple[str, ...] = ()
    story_benchmark: str | None = None
    columns: tuple[str, ...] = ()
    benchmark_columns: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    is_order_sure: bool = False
    is_taken_back: bool = False
    last_models: tuple[str, ...] = ()
    told_benchmarks: tuple[str, ...] = ()  # named last in the story, in whatever paragraph
    comparator_spans: set[Span] = field(default_factory=set)

    @property
    def text(self) -> str:
        return self.sentence.text

    @property
    def carried_benchmarks(self) -> tuple[str, ...]:
        """The benchmark that the passage is about, for a sentence that names none itself.

        Only where the sentence points back, or speaks of a model.
        """
        if self.benchmarks:
            return ()
        if _THAT_INDEX.search(self.text):
            return ("aa-index",)
        if len(self.earlier_benchmarks) != 1:
            return self.told_benchmarks if _points_at_test(self.text) else ()
        is_fitting = (
            self.models
            or self.columns
            or topics.PRONOUN.search(self.text)
            or topics.CARRIED.search(self.text)
            or topics.RESULT.search(self.text)
            or self.sentence.is_heading  # a row of a table
        )
        return self.earlier_benchmarks if is_fitting else ()

    @property
    def pointed_benchmarks(self) -> tuple[str, ...]:
        """The carried benchmark of a comparison: where words or a percentage point back to it."""
        points = (
            _points_at_test(self.text)
            or topics.CARRIED.search(self.text)
            or re.search(r"\d\s?(?:%|percent\b|points\b)", self.text)
        )
        is_general = topics.says_universal(self.text) or topics.GENERAL_BENCHMARKS.search(self.text)
        return self.carried_benchmarks if points and not is_general else ()

    @property
    def default_subjects(self) -> tuple[str, ...]:
        """Whom "the models" or "the model" means: the story's, or the one under discussion."""
        plural = re.search(
            r"\b(?:the|these|both|two|its|their)\s+(?:\w+\s+)?models\b|\bboth\b|\bthem\b|\bthey\b",
            self.text,
            re.IGNORECASE,
        )
        return self.main_subjects if plural else self.running_subjects


_THAT_TEST = re.compile(
    r"\b(?:that|this|the\s+same)\s+(?:very\s+|last\s+)?(?:contest|test|exam|examination|benchmark|quiz|index|board|chart|"
    r"leaderboard|list|table|set|sheet|measure|score|count|suite|paper)\b",
    re.IGNORECASE,
)


_THAT_INDEX = re.compile(r"\b(?:that|this|the\s+same)\s+index\b", re.IGNORECASE)


def _points_at_test(text: str) -> bool:
    """Whether "that contest" points back at the benchmark that was named last."""
    return _THAT_TEST.search(text) is not None


@dataclass
class _Passage:
    """What the sentences read so far leave behind for the next."""

    paragraph: int = -1
    subjects: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    benchmark_columns: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    is_order_sure: bool = False
    is_order_here: bool = False
    before: str = ""
    last: Sentence | None = None
    told: tuple[str, ...] = ()


def read_scenes(story: Story, tables: Published) -> list[Scene]:
    """Each sentence with its names, and the subject that its pronouns stand for."""
    found = [find_models(sentence.text, tables) for sentence in story.sentences]
    named = [find_benchmarks(sentence.text, tables) for sentence in story.sentences]
    main = main_subject(story, found, tables)
    about_gpt_oss = bool({*FAMILY} & {*main}) or any(
        name in FAMILY for m in found for x in m for name in x.ids
    )
    story_benchmark = _story_benchmark(named)
    named_in = _models_by_paragraph(story, found)
    passage = _Passage(subjects=main)
    scenes: list[Scene] = []
    for sentence, models, benchmarks in zip(story.sentences, found, named, strict=True):
        _enter(passage, sentence, main)
        models = _with_references(sentence.text, models, passage, main, about=about_gpt_oss)
        benchmarks = find_parts(sentence.text, benchmarks, passage.benchmarks)
        order, is_order_sure = _order_of(sentence, models, passage, main)
        context = f"{passage.before} {sentence.text}".strip()
        scenes.append(
            Scene(
                sentence,
                models,
                benchmarks,
                passage.benchmarks,
                passage.subjects,
                main,
                context,
                named_in[sentence.paragraph],
                tuple(dict.fromkeys((*named_in[sentence.paragraph], *passage.models, *main))),
                tuple(dict.fromkeys((*named_in[sentence.paragraph], *passage.models))),
                story_benchmark,
                passage.columns,
                passage.benchmark_columns,
                order,
                is_order_sure,
                told_benchmarks=passage.told if len(passage.told) == 1 else (),
            )
        )
        _leave(passage, sentence, models, benchmarks, context, main)
    return _with_conditions_after(scenes)


def _story_benchmark(named: list[list[Mention]]) -> str | None:
    """The only benchmark of the title, else the only one of the story, or None."""
    for mentions in (named[0] if named else [], [m for here in named for m in here]):
        only = {name for mention in mentions for name in mention.ids}
        if len(only) == 1:
            return next(iter(only))
    return None


def _enter(passage: _Passage, sentence: Sentence, main: tuple[str, ...]) -> None:
    """Begin a paragraph: it forgets the last one, unless it goes on with a list or a dialogue."""
    if sentence.paragraph == passage.paragraph:
        return
    passage.paragraph = sentence.paragraph
    passage.is_order_here = sentence.is_heading and passage.is_order_here
    if passage.last is not None and _goes_on(passage.last, sentence):
        passage.before = passage.before[-_MAX_CONTEXT:]
        return
    passage.subjects, passage.before = main, ""
    passage.benchmarks = passage.columns = passage.benchmark_columns = passage.models = ()


_MAX_CONTEXT = 600  # of a list or a dialogue, what a line is read with
_SPEAKER_LABEL = re.compile(r"^[A-Z][\w.'\u2019\-]*(?: [A-Z][\w.\-]*){0,2}: ")


_NUMBERED = re.compile(r"^\d{1,2}[/.)]\s")


def _goes_on(last: Sentence, sentence: Sentence) -> bool:
    """Whether a line belongs with the one before it: an entry of a list, or a turn in a talk."""
    if _SPEAKER_LABEL.match(sentence.text) and not sentence.is_heading:
        return True
    if _NUMBERED.match(last.text) and _NUMBERED.match(sentence.text):
        return True
    introduces = last.text.rstrip().endswith((":", "?"))
    return introduces or (sentence.is_heading and last.is_heading)


def _with_references(
    text: str,
    models: list[Mention],
    passage: _Passage,
    main: tuple[str, ...],
    *,
    about: bool,
) -> list[Mention]:
    """The models named, with those called by their size or by their part in the story."""
    more = find_size_references(text) if about else []
    if about:
        known = _merged(models, more)
        others = find_rivals(text, models, passage.models)
        others += find_siblings(text, known, passage.subjects)
        names = [m.span for m in (*known, *others) if m.ids != FAMILY]
        is_named = any(len(m.ids) == 1 and m.ids[0] in FAMILY for m in (*more, *models))
        meant = find_meant(text, names, is_named=is_named)
        more += [m for m in meant if len(main) != 1 or m.ids == main]
    for role in find_roles(text):
        ids = _played_by(text[role.span.start : role.span.end], passage.subjects, main)
        more += [Mention(ids, role.span)] if ids else []
    kept = [
        m
        for m in models
        if not any(_is_kin(text, r, m) or (m.ids == FAMILY and _holds(r, m)) for r in more)
    ]
    kept = _merged(kept, more)
    if about:
        kept = _merged(kept, find_siblings(text, kept, passage.subjects))
        kept = _merged(kept, find_rivals(text, kept, passage.models))
    return kept


def _holds(size: Mention, name: Mention) -> bool:
    """Whether the family's name is part of a size's: "the larger gpt-oss"."""
    return size.span.start < name.span.start and name.span.end <= size.span.end


def _merged(kept: list[Mention], more: list[Mention]) -> list[Mention]:
    """The mentions with further ones that meet none of them, in reading order."""
    further = [m for m in more if not any(overlap(m.span, k.span) for k in kept)]
    return sorted([*kept, *further], key=lambda mention: mention.span)


def _is_kin(text: str, role: Mention, other: Mention) -> bool:
    """Whether a name only says whose sibling is meant: "the larger sibling of gpt-oss-20b"."""
    between = text[role.span.end : other.span.start]
    return role.span.end <= other.span.start and bool(_OF.fullmatch(between))


_OF = re.compile(
    r"(?:\s+(?:model|version|variant|member|one|edition|size))?\s+(?:of|to|in|from)\s+(?:the\s+)?"
)


def _played_by(words: str, running: tuple[str, ...], main: tuple[str, ...]) -> tuple[str, ...]:
    """Whom "the newcomer" or "the open models" stands for."""
    is_plural = re.search(r"(?:s|family)$", words) and not words.endswith("weights")
    if words.lower().startswith("the same"):
        return running if len(running) == 1 else ()
    if is_plural or len(main) == 1:
        return main
    return running if len(running) == 1 and running[0] in main else main


def _leave(
    passage: _Passage,
    sentence: Sentence,
    models: list[Mention],
    benchmarks: list[Mention],
    context: str,
    main: tuple[str, ...],
) -> None:
    """Note what the next sentence may point back to."""
    here = dict.fromkeys(name for mention in benchmarks for name in mention.ids)
    passage.benchmarks = tuple(here) or passage.benchmarks
    passage.told = tuple(here) or passage.told
    if first := _new_subject(models, sentence.text, main):
        own = [m for m in models if not is_rival(sentence.text, m)]
        passage.subjects = listed_with(own, first, sentence.text)
    passage.models += tuple(name for mention in models for name in mention.ids)
    passage.before = context
    passage.last = sentence
    _note_order(passage, sentence, models)
    heads = _columns(sentence, models, benchmarks), _columns(sentence, benchmarks, models)
    if any(heads) or not sentence.is_heading:
        passage.columns, passage.benchmark_columns = heads


_SAME_ORDER = re.compile(
    r"\b(?:(?:in\s+)?(?:the\s+)?same\s+(?:order|sequence)|in\s+that\s+order)\b",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"\b(?:both|the\s+two|these\s+two|the\s+pair)\b(?:\s+(?:[\w\-]+\s+)?models)?",
    re.IGNORECASE,
)
FIRST_AND_SECOND = re.compile(
    r"\bfirst\b.*\b(?:second|then|last|after)\b|\bin\s+(?:this|that)\s+order\b", re.IGNORECASE
)


def _order_of(
    sentence: Sentence, models: list[Mention], passage: _Passage, main: tuple[str, ...]
) -> tuple[tuple[str, ...], bool]:
    """Whose the numbers of a line without names are, and whether the story says so."""
    if _PAIR.search(sentence.text):
        return (main, False) if len(main) == 2 else ((), False)
    if models or len(passage.order) < 2:
        return (), False
    if _SAME_ORDER.search(sentence.text):
        return passage.order, True
    is_entry = sentence.is_heading and passage.is_order_here
    is_next = sentence.paragraph == passage.paragraph and passage.is_order_here
    is_told = is_entry or is_next
    return (passage.order, passage.is_order_sure and is_entry) if is_told else ((), False)


def _note_order(passage: _Passage, sentence: Sentence, models: list[Mention]) -> None:
    """Remember the models that a line gives numbers of, or that it announces, in their order."""
    names = [m.ids[0] for m in models if len(m.ids) == 1]
    if len(names) < 2 or len(set(names)) < len(names) or len(names) < len(models):
        if models:
            passage.is_order_here = False
        return
    rest = sentence.text
    for mention in reversed(models):
        rest = rest[: mention.span.start] + rest[mention.span.end :]
    has_numbers = len(re.findall(r"\d+(?:\.\d+)?\s?%|\d\d\.\d|\b\d{4}\b", rest)) >= len(names)
    is_announced = bool(FIRST_AND_SECOND.search(sentence.text))
    passage.order, passage.is_order_here = tuple(names), True
    passage.is_order_sure = is_announced or (has_numbers and sentence.is_heading)


def _columns(sentence: Sentence, named: list[Mention], others: list[Mention]) -> tuple[str, ...]:
    """The names at the head of a table: a short line of several of one kind, and no number."""
    single = [m for m in named if len(m.ids) == 1]
    rest = sentence.text
    for mention in reversed(named):
        rest = rest[: mention.span.start] + rest[mention.span.end :]
    is_head = sentence.is_heading and len(single) == len(named) >= 2 and not others
    is_bare = not re.search(r"\d", rest) and len(re.findall(r"\w+", rest)) <= 2
    return tuple(m.ids[0] for m in single) if is_head and is_bare else ()


_ABOUT_THE_LAST = re.compile(
    r"^(?:All|Both|Each|These|Those|That|This|The (?:figures?|numbers?|scores?|results?|ratings?))"
    r"\b[^.;]{0,60}\b(?:with(?:out)?\s+(?:\w+\s+)?tools?|no\s+tools|using\s+tools|effort)\b",
    re.IGNORECASE,
)


def _with_conditions_after(scenes: list[Scene]) -> list[Scene]:
    """Give a sentence the one after it to read with, where that states how things were measured."""
    for scene, after in itertools.pairwise(scenes):
        if _ABOUT_THE_LAST.search(after.text):
            scene.context = f"{scene.context} {after.text}"
    for last, scene in itertools.pairwise(scenes):
        if last.sentence.paragraph == scene.sentence.paragraph:
            scene.last_models = tuple({name: None for m in last.models for name in m.ids})
    for scene, following in itertools.zip_longest(scenes, scenes[1:]):
        after_it = following.text if following else ""
        scene.is_taken_back = is_taken_back(scene.text, after_it) or is_limited(after_it)
    return scenes


def _models_by_paragraph(story: Story, found: list[list[Mention]]) -> dict[int, tuple[str, ...]]:
    named: dict[int, dict[str, None]] = {}
    for sentence, mentions in zip(story.sentences, found, strict=True):
        ids = (name for mention in mentions for name in mention.ids)
        named.setdefault(sentence.paragraph, {}).update(dict.fromkeys(ids))
    return {paragraph: tuple(ids) for paragraph, ids in named.items()}


def _new_subject(models: list[Mention], text: str, main: tuple[str, ...]) -> Mention | None:
    """The model that a sentence makes its subject: named before any "it" or "while", or none.

    A model that stands after "than" or "against" is a rival, not the subject; and in a story about
    the open models another one is it only before its verb.
    """
    turn = re.search(
        r"\b(?:it|they|the (?:same )?models?|while|whereas|but|although)\b", text, re.IGNORECASE
    )
    limit = turn.start() if turn and turn.start() > 0 else len(text)
    single = (m for m in models if not m.ids[0].startswith("group:"))
    return next(
        (
            m
            for m in single
            if m.span.start < limit
            and not is_rival(text, m)
            and (m.ids[0] in main or not {*main} <= {*FAMILY} or _is_before_verb(text, m))
        ),
        None,
    )


def _is_before_verb(text: str, mention: Mention) -> bool:
    return verb_at(words_of(text[: mention.span.start])) is None


def overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def listed_with(mentions: list[Mention], at: Mention, text: str) -> tuple[str, ...]:
    """The mention and those listed with it: "A, B and C"."""
    index = mentions.index(at)
    start = end = index
    joint = re.compile(
        r"[\s,('\u2018\u2019\")]*(?:and|or|,|plus|as well as|both|&)?(?:\s+the)?"
        r"(?:\s+\w+){0,1}[\s,('\u2018\")]*"
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
    if is_size:
        before = [m for m in scene.models if m.span.end <= said_at.start]
        if before and _APPOSED.fullmatch(scene.text, before[-1].span.end, said_at.end):
            return before[-1].ids
    usable = [
        m
        for m in scene.models
        if m.span not in scene.comparator_spans
        and not m.ids[0].startswith("group:")
        # "120 billion parameters" looks like a model's name but is what is said of it
        and not (is_size and overlap(m.span, said_at))
    ]
    inside = [m for m in usable if overlap(m.span, said_at)]
    before = [m for m in usable if m.span.end <= said_at.start]
    near = [m for m in before if m.span.start >= segment.start]
    after = [m for m in usable if said_at.end <= m.span.start < segment.end]
    if _IT.search(scene.text, segment.start, segment.end) and {*scene.main_subjects} <= {*FAMILY}:
        after = [m for m in after if m.ids[0] in FAMILY or not is_rival(scene.text, m)]
        before = [
            m for m in before if m in near or m.ids[0] in FAMILY or _is_before_verb(scene.text, m)
        ]
    for candidates, index in ((inside, 0), (near, -1), (after, 0), (before, -1)):
        if candidates:
            return listed_with(usable, candidates[index], scene.text)
    return scene.default_subjects


_IT = re.compile(r"\b(?:it|its)\b", re.IGNORECASE)
# "R1, a model with 671 billion parameters"
_APPOSED = re.compile(
    r"\s*[,(]\s*(?:itself\s+)?(?:an?|whose|which|with)\s(?:[^,;.()]|\.\d){0,60}", re.IGNORECASE
)


def names_of(mentions: list[Mention]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mention in mentions for name in mention.ids))


def listed_before(scene: Scene, position: int) -> tuple[str, ...]:
    """Benchmarks named before a place, since the last "but" or "while"."""
    cut = max((m.end() for m in topics.ADVERSATIVE.finditer(scene.text, 0, position)), default=0)
    named = [m for m in scene.benchmarks if cut <= m.span.start < position]
    return tuple(dict.fromkeys(name for m in named for name in m.ids))
