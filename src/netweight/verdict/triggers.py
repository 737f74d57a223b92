"""Where a sentence asserts something, and where it offers a benchmark for the wrong thing.

A trigger is a place and what the rule learned there. Does not cut quotes and does not judge.
"""

import re
from dataclasses import dataclass, replace

from netweight.verdict import topics, wordings
from netweight.verdict.denial import clause_before, is_denied, is_distanced, tells_nothing
from netweight.verdict.evidence import Published
from netweight.verdict.names import Mention
from netweight.verdict.opinions import (
    WORTH,
    is_about_the_matter,
    names_the_matter,
    opinions_in,
)
from netweight.verdict.relations import find_compared
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.scores import Score, find_scores
from netweight.verdict.story import Span
from netweight.verdict.topics import ClaimType, Relation


@dataclass(frozen=True)
class Misuse:
    """A benchmark offered as evidence for an ability that it does not measure."""

    benchmark: str
    ability: str
    is_description: bool = False  # "X, a test of Y", rather than a conclusion drawn from X


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What is asserted, as far as the rules can tell; what a rule did not learn is empty."""

    topic: str
    type: ClaimType
    relation: Relation | None = None
    negated: bool = False
    comparators: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    ability: str | None = None
    direction: Relation | None = None
    misuses: tuple[Misuse, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trigger(Assertion):
    """A place where a rule found an assertion."""

    span: Span


def find_triggers(scene: Scene, tables: Published) -> list[Trigger]:
    if scene.text.endswith("?") or not (
        scene.models
        or scene.benchmarks
        or scene.earlier_benchmarks
        or scene.columns
        or (scene.story_benchmark and re.search(r"\d\s?(?:%|percent\b|points\b)", scene.text))
        or (scene.default_subjects and topics.ABOUT_MODELS.search(scene.text))
        or (scene.default_subjects and _is_factual(scene))
    ):
        return []
    scores = _score_triggers(scene)
    rates = any(b.endswith("hallucination") for t in scores for b in t.benchmarks)
    if scene.sentence.is_heading and not (scene.models or scene.columns):
        return []
    found = [
        *(comparisons := _comparisons(scene, tables)),
        *scores,
        *(
            t
            for t in _topic_triggers(scene)
            if t.topic != "hallucination"
            or not (rates or any(overlap(c.span, t.span) for c in comparisons))
        ),
        *_abilities(scene),
    ]
    found = _with_misuses(scene, found, tables)
    return (
        found
        if scene.sentence.is_heading
        else [*found, *_opinions(scene, beside_scores=bool(scores))]
    )


def _is_factual(scene: Scene) -> bool:
    """Says something that a rule knows, by a pronoun or in the writer's own voice."""
    text = scene.text
    if any(topic.pattern.search(text) for topic in topics.TOPICS):
        return True
    if topics.PRONOUN.search(text) and any(
        pattern.search(text) for pattern in topics.ABILITIES.values()
    ):
        return True
    return bool(find_compared(text, scene.models) or _is_opinion(scene))


def _is_opinion(scene: Scene) -> bool:
    """Gives an opinion, in a voice or of a matter that belongs to the story."""
    text = scene.text
    found = opinions_in(text)
    if not found:
        return False
    speaks = topics.FIRST_PERSON.search(text) or (
        scene.passage_models and topics.PRONOUN.search(text)
    )
    is_theirs = scene.passage_models or topics.ABOUT_MODELS.search(text) or names_the_matter(text)
    if any(m.re is WORTH for m in found):
        return bool(speaks or is_theirs)
    return bool((speaks or is_theirs) and is_about_the_matter(text))


def _comparisons(scene: Scene, tables: Published) -> list[Trigger]:
    """Words that compare, with the models and benchmarks that they compare on."""
    found = []
    for (start, end), relation, against in find_compared(scene.text, scene.models):
        scene.comparator_spans.update(m.span for m in against)
        near = Span(start, max(end, against[-1].span.end))
        benchmarks = _benchmarks_for(scene, near)
        if scene.text.lower().startswith("hallucinat", start):
            benchmarks = ("personqa-hallucination", "simpleqa-hallucination")
        elif _is_of_errors(scene.text[start:end], benchmarks, tables):
            relation = _OPPOSITE[relation]
        found.append(
            Trigger(
                span=near,
                topic="comparison",
                type="comparison",
                relation=relation,
                negated=is_denied(scene.text, start) or is_distanced(scene.text, start),
                comparators=tuple(dict.fromkeys(name for m in against for name in m.ids)),
                benchmarks=benchmarks,
            )
        )
    return found


_OPPOSITE: dict[Relation, Relation] = {"above": "below", "below": "above", "equal": "equal"}


def _is_of_errors(words: str, benchmarks: tuple[str, ...], tables: Published) -> bool:
    """Whether "higher" speaks of a rate of errors, where higher is worse."""
    of_errors = any(tables.benchmarks[b].lower_is_better for b in benchmarks)
    return of_errors and re.match(r"higher|lower|above|below|exceed|top", words, re.I) is not None


def _benchmarks_for(scene: Scene, near: Span) -> tuple[str, ...]:
    """The benchmarks of a comparison.

    Named in its own stretch between commas, else joined to it by "on" or the like, else named
    before it, else the only one after it, else carried over from the sentence before.
    """
    text = scene.text
    comma = max((m.end() for m in _COMMA.finditer(text, 0, near.start)), default=0)
    beside = [m for m in scene.benchmarks if comma <= m.span.start < near.start]
    after = [m for m in scene.benchmarks if near.end <= m.span.start]
    if beside and comma:
        return _names_of(beside)
    stop = topics.ADVERSATIVE.search(text, near.end)
    limit = stop.start() if stop else len(text)
    if after and _ON.fullmatch(text, near.end, after[0].span.start):
        return _names_of(_listed_on(text, [m for m in after if m.span.start < limit]))
    if named := _listed_before(scene, near.start) or _names_of(
        [m for m in scene.benchmarks if m.span.start < near.start]
    ):
        return named
    alone = _names_of(after)
    return (alone if len(alone) == 1 else ()) or scene.pointed_benchmarks


_COMMA = re.compile(r"[,;:](?=\s)")
_ON = re.compile(
    r"(?:\s+(?:\w+\s+){0,3}|[^.;,]{0,30}?\b)(?:on|in|at|across|by)\s+(?:the\s+)?",
    re.IGNORECASE,
)


def _names_of(mentions: list[Mention]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mention in mentions for name in mention.ids))


def _listed_on(text: str, mentions: list[Mention]) -> list[Mention]:
    """The first benchmark and those listed with it; another "on" begins another statement."""
    kept = mentions[:1]
    for mention in mentions[1:]:
        if not re.fullmatch(
            r"[\s,)(]*(?:and|or|as well as|plus|&|,)?\s*(?:on\s+)?(?:the\s+)?[\s(]*",
            text[kept[-1].span.end : mention.span.start],
        ):
            break
        kept.append(mention)
    return kept


def _score_triggers(scene: Scene) -> list[Trigger]:
    benchmarks, is_clear = scene.benchmarks, True
    if not benchmarks:
        benchmarks = [Mention((name,), Span(0, 0)) for name in scene.carried_benchmarks]
    if not benchmarks and scene.story_benchmark and _speaks_of_results(scene):
        benchmarks, is_clear = [Mention((scene.story_benchmark,), Span(0, 0))], False
    benchmarks = [m for m in benchmarks if len(m.ids) == 1]  # "AIME" alone names no one table
    scores = find_scores(
        scene.text,
        scene.models,
        benchmarks,
        scene.default_subjects,
        scene.columns,
        () if scene.benchmarks else scene.benchmark_columns,
    )
    by_benchmark: dict[str, list[tuple[Span, Score]]] = {}
    for span, score in scores:
        known = replace(score, is_clear=is_clear)
        by_benchmark.setdefault(score.benchmark, []).append((span, known))
    return [
        Trigger(
            span=Span(places[0][0].start, places[-1][0].end),
            topic="score",
            type="benchmark_score",
            benchmarks=(benchmark,),
            scores=tuple(score for _, score in places),
        )
        for benchmark, places in by_benchmark.items()
    ]


def _speaks_of_results(scene: Scene) -> bool:
    return bool(
        scene.models
        or topics.PRONOUN.search(scene.text)
        or topics.RESULT.search(scene.text)
        or topics.ABOUT_MODELS.search(scene.text)
    )


def _topic_triggers(scene: Scene) -> list[Trigger]:
    found: list[Trigger] = []
    for topic in topics.TOPICS:
        if topic.context and not topic.context.search(scene.text):
            continue
        if topic.is_said_once and any(t.topic == topic.id for t in found):
            continue
        matches = list(topic.pattern.finditer(scene.text))
        for match in matches[:1] if topic.is_said_once else matches:
            if topic.id == "context-length" and wordings.CHOSEN.search(
                scene.text, 0, match.start()
            ):
                continue
            if topic.id in _OF_A_MODEL and not _has_model(scene, match):
                continue
            if topic.id == "data-release" and _is_asked_for(scene.text, match):
                continue
            trigger = Trigger(
                span=Span(*match.span()),
                topic=topic.id,
                type=topic.type,
                negated=topic.can_be_denied and _is_denied(scene.text, match),
            )
            if topic.id == "compliance-score":
                found += [
                    replace(trigger, benchmarks=(b,)) for b in _listed_before(scene, match.start())
                ]
            elif topic.id == "instruction-following":
                found.append(
                    replace(
                        trigger,
                        ability="instruction_following",
                        direction=_direction(scene, trigger.span),
                    )
                )
            else:
                found.append(trigger)
    undisclosed = [t.span for t in found if t.topic == "training-data"]
    kept = [
        t
        for t in found
        if t.topic != "synthetic-data" or not any(overlap(t.span, u) for u in undisclosed)
    ]
    return _with_sizes_joined(scene, kept)


# What is said in general, or of somebody's own, is not said of the story's models.
_OF_A_MODEL = ("synthetic-data", "maths-in-writing")


def _has_model(scene: Scene, match: re.Match[str]) -> bool:
    """Whether the stretch between semicolons that holds a match speaks of a model."""
    start = scene.text.rfind(";", 0, match.start()) + 1
    end = scene.text.find(";", match.end())
    piece = Span(start, end if end >= 0 else len(scene.text))
    words = scene.text[piece.start : piece.end]
    is_of_models = topics.PRONOUN.search(words) or _MODELS.search(words)
    return bool(is_of_models or any(overlap(m.span, piece) for m in scene.models))


_MODELS = re.compile(r"\b(?:these|both|two|new|OpenAI['\u2019]s)\s+(?:\w+\s+){0,2}models?\b", re.I)


def _is_asked_for(text: str, match: re.Match[str]) -> bool:
    """Whether a release is demanded, planned or doubted rather than told."""
    return wordings.MODAL.search(text) is not None and not _is_denied(text, match)


def _with_sizes_joined(scene: Scene, found: list[Trigger]) -> list[Trigger]:
    """Make "117 billion parameters, 5.1 billion of them active" one statement of a size."""
    sizes = sorted((t for t in found if t.topic == "size"), key=lambda t: t.span)
    joined: list[Trigger] = []
    for trigger in sizes:
        between = Span(joined[-1].span.end, trigger.span.start) if joined else None
        if between and _is_one_statement(scene, between):
            last = joined.pop()
            end = max(last.span.end, trigger.span.end)
            joined.append(replace(last, span=Span(last.span.start, end)))
        else:
            joined.append(trigger)
    return [*(t for t in found if t.topic != "size"), *joined]


def _is_one_statement(scene: Scene, between: Span) -> bool:
    words = scene.text[max(0, between.start) : max(0, between.end)]
    if len(words) > 45 or topics.ADVERSATIVE.search(words):
        return False
    return not any(overlap(m.span, between) for m in scene.models)


def _is_denied(text: str, match: re.Match[str]) -> bool:
    """A "not" or "never" before the words, in their clause, or inside them."""
    if "denied" in match.re.groupindex and match["denied"]:
        return not is_denied(text, match.start())  # "is not kept secret"
    return bool(
        is_denied(text, match.start())
        or topics.DENIAL.search(match[0])
        or is_distanced(text, match.start())
    )


def _listed_before(scene: Scene, position: int) -> tuple[str, ...]:
    """Benchmarks named before a place, since the last "but" or "while"."""
    cut = max((m.end() for m in topics.ADVERSATIVE.finditer(scene.text, 0, position)), default=0)
    named = [m for m in scene.benchmarks if cut <= m.span.start < position]
    return tuple(dict.fromkeys(name for m in named for name in m.ids))


def _direction(scene: Scene, span: Span) -> Relation | None:
    window = scene.text[max(0, span.start - 60) : span.end]
    if topics.WEAK.search(window):
        return "below"
    return "above" if topics.STRONG.search(window) else None


def _abilities(scene: Scene) -> list[Trigger]:
    """An ability called strong or weak, a few words after the word that says so."""
    found = []
    for ability, pattern in topics.ABILITIES.items():
        if ability in ("instruction_following", "bias", "compliance", "factuality"):
            continue  # these have topics of their own
        for match in pattern.finditer(scene.text):
            for direction, words in (("below", topics.WEAK), ("above", topics.STRONG)):
                window = scene.text[max(0, match.start() - 60) : match.start()]
                said = list(words.finditer(window))
                if said and not topics.ADVERSATIVE.search(window, said[-1].end()):
                    start = max(0, match.start() - 60) + said[-1].start()
                    found.append(
                        Trigger(
                            span=Span(start, match.end()),
                            topic="ability",
                            type="ability",
                            ability=ability,
                            direction="below" if direction == "below" else "above",
                        )
                    )
                    break
            else:
                if after := _said_after(scene, match):
                    found.append(
                        Trigger(
                            span=Span(match.start(), after[0]),
                            topic="ability",
                            type="ability",
                            ability=ability,
                            direction=after[1],
                        )
                    )
    return found


def _said_after(scene: Scene, match: re.Match[str]) -> tuple[int, Relation] | None:
    """An ability followed by its praise or blame: "its creative writing is weak"."""
    copula = re.compile(
        r"\s+(?:skills?\s+|abilit\w+\s+)?(?:is|are|was|were|remains?|feels?|seems?)\s+(?:\w+\s+){0,2}"
    )
    said = copula.match(scene.text, match.end())
    if said is None:
        return None
    readings: tuple[tuple[Relation, re.Pattern[str]], ...] = (
        ("below", topics.WEAK),
        ("above", topics.STRONG),
    )
    for direction, words in readings:
        if found := words.search(scene.text, match.end(), said.end() + 15):
            return found.end(), direction
    return None


def _opinions(scene: Scene, *, beside_scores: bool) -> list[Trigger]:
    """Beside a score only words of worth count: "I would look at X, where it got 67.8%"."""
    return [
        Trigger(span=Span(*m.span()), topic="opinion", type="opinion")
        for m in opinions_in(scene.text)
        if m.re is WORTH or not beside_scores
    ]


# ---- benchmarks offered for what they do not measure


_OF_ABILITIES = ("compliance-score", "bias", "instruction-following", "ability", "hallucination")


def _with_misuses(scene: Scene, triggers: list[Trigger], tables: Published) -> list[Trigger]:
    """Mark the triggers that rest on a benchmark of the wrong kind; add one where none stands.

    Where the words deny that the benchmark tells such a thing, that denial is the claim.
    """
    marked = list(triggers)
    for place, misuse in _misuses(scene, tables):
        hits = [
            i
            for i, t in enumerate(marked)
            if overlap(t.span, place)
            and t.topic in _OF_ABILITIES
            and (t.topic != "compliance-score" or misuse.benchmark in t.benchmarks)
        ]
        if is_distanced(scene.text, place.start) or _says_nothing(scene.text, place):
            marked = [t for i, t in enumerate(marked) if i not in hits]
            marked.append(_scope(place, misuse))
            continue
        for i in hits:
            marked[i] = replace(marked[i], misuses=(*marked[i].misuses, misuse))
        if not hits:
            marked.append(
                Trigger(
                    span=place,
                    topic="ability",
                    type="ability",
                    ability=misuse.ability,
                    direction=_direction(scene, place),
                    misuses=(misuse,),
                )
            )
    return [_with_its_own_misuse(trigger, tables) for trigger in marked]


def _scope(place: Span, misuse: Misuse) -> Trigger:
    return Trigger(
        span=place,
        topic="benchmark-scope",
        type="ability",
        ability=misuse.ability,
        benchmarks=(misuse.benchmark,),
    )


_NOTHING_OF = re.compile(
    r"\b(?:not|n['\u2019]t|never|neither|nothing|little|no(?:\s+(?:test|measure|gauge))?|rather\s+"
    r"than|instead\s+of|nor)\b[^.;]{0,60}$",
    re.IGNORECASE,
)


def _says_nothing(text: str, place: Span) -> bool:
    """Whether a denial stands before the ability: "says nothing about", "is no test of"."""
    before = clause_before(text, place.start)
    return tells_nothing(before) or bool(
        _NOTHING_OF.search(before) and topics.MEASURING.search(before)
    )


def _with_its_own_misuse(trigger: Trigger, tables: Published) -> Trigger:
    """A "compliance score" of a benchmark that gives none is a misuse in itself."""
    if trigger.topic != "compliance-score" or trigger.misuses:
        return trigger
    (benchmark,) = trigger.benchmarks
    if "compliance" in tables.benchmarks[benchmark].measures:
        return trigger
    return replace(trigger, misuses=(Misuse(benchmark, "compliance", is_description=True),))


def _misuses(scene: Scene, tables: Published) -> list[tuple[Span, Misuse]]:
    found: dict[tuple[Span, Misuse], None] = {}
    for benchmarks, reach, is_description in _inferences(scene):
        for ability, pattern in topics.ABILITIES.items():
            for match in pattern.finditer(scene.text, reach.start, reach.end):
                for benchmark in benchmarks:
                    row = tables.benchmarks[benchmark]
                    if ability not in (*row.measures, *row.touches):
                        misuse = Misuse(benchmark, ability, is_description)
                        found[Span(*match.span()), misuse] = None
    concluded = {(m.benchmark, m.ability) for _, m in found if not m.is_description}
    return [
        (place, misuse)
        for place, misuse in found
        if not (misuse.is_description and (misuse.benchmark, misuse.ability) in concluded)
    ]


def _inferences(scene: Scene) -> list[tuple[tuple[str, ...], Span, bool]]:
    """Benchmarks, the stretch concluded or said of them, and whether it describes them."""
    found = []
    for cue in topics.INFERENCE.finditer(scene.text):
        stop = topics.ADVERSATIVE.search(scene.text, cue.end())
        reach = Span(cue.end(), stop.start() if stop else len(scene.text))
        benchmarks = _listed_before(scene, cue.start())
        if not benchmarks and topics.BACK_REFERENCE.search(scene.text):
            benchmarks = scene.earlier_benchmarks
        if benchmarks:
            found.append((benchmarks, reach, False))
    for mention in scene.benchmarks:
        cue_after = topics.MEASURING.search(scene.text, mention.span.end, mention.span.end + 50)
        if cue_after and not topics.ADVERSATIVE.search(
            scene.text, mention.span.end, cue_after.start()
        ):
            stop = re.compile(r"[,;.]").search(scene.text, cue_after.end())
            reach = Span(cue_after.end(), stop.start() if stop else len(scene.text))
            found.append((mention.ids, reach, True))
        label = re.compile(
            r"(?:,\s*(?:an?|the)\b)?[^.;,]{0,40}?\b(?:scores?|ratings?|rates?|results?|"
            r"benchmark|tests?|exam|evaluation|assessment|suite|leaderboard)\b"
        )
        if labelled := label.match(scene.text, mention.span.end):
            found.append((mention.ids, Span(mention.span.end, labelled.end()), True))
    return found
