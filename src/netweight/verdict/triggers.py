"""Where a sentence asserts something, and where it offers a benchmark for the wrong thing.

A trigger is a place and what the rule learned there. Does not cut quotes and does not judge.
"""

import re
from dataclasses import dataclass, replace

from netweight.verdict import topics
from netweight.verdict.evidence import Published
from netweight.verdict.names import Mention
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
        or (scene.default_subjects and topics.ABOUT_MODELS.search(scene.text))
        or (scene.default_subjects and _is_factual(scene))
    ):
        return []
    scores = _score_triggers(scene)
    rates = any(b.endswith("hallucination") for t in scores for b in t.benchmarks)
    if scene.sentence.is_heading and not scene.models:
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
    return found if scene.sentence.is_heading else [*found, *_opinions(scene)]


def _is_factual(scene: Scene) -> bool:
    """Says something that a rule knows, by a pronoun or in the writer's own voice."""
    text = scene.text
    if any(topic.pattern.search(text) for topic in topics.TOPICS):
        return True
    if topics.PRONOUN.search(text):
        relations = (pattern for _, pattern in topics.RELATIONS)
        if any(pattern.search(text) for pattern in (*topics.ABILITIES.values(), *relations)):
            return True
    speaks = topics.FIRST_PERSON.search(text) or (
        scene.paragraph_models and topics.PRONOUN.search(text)
    )
    return bool(speaks and topics.OPINION.search(text))


def _comparisons(scene: Scene, tables: Published) -> list[Trigger]:
    """A relation word followed by the models it compares with."""
    found = []
    matches = sorted(
        (match.span(), relation)
        for relation, pattern in topics.RELATIONS
        for match in pattern.finditer(scene.text)
    )
    for index, ((start, end), relation) in enumerate(matches):
        limit = matches[index + 1][0][0] if index + 1 < len(matches) else len(scene.text)
        adversative = topics.ADVERSATIVE.search(scene.text, end, limit)
        limit = adversative.start() if adversative else limit
        if any(overlap(Span(start, end), m.span) for m in scene.models):
            continue  # "Chinese rivals" is a name, not a verb
        against = [m for m in scene.models if end <= m.span.start < min(limit, end + 120)]
        if index + 1 < len(matches) and len(against) > 1:
            against = _without_next_subject(scene.text, against, limit)
        if not against or re.search(r"[.;](?!\d)", scene.text[end : against[0].span.start]):
            against = _set_against(scene, start)
        if not against or topics.INVERTED.fullmatch(scene.text, end, against[0].span.start):
            continue
        scene.comparator_spans.update(m.span for m in against)
        near = Span(start, against[-1].span.end)
        benchmarks = _benchmarks_for(scene, near)
        if scene.text.lower().startswith("hallucinat", start):
            benchmarks = ("personqa-hallucination", "simpleqa-hallucination")
        elif _is_of_errors(scene.text[start:end], benchmarks, tables):
            relation = _OPPOSITE[relation]
        found.append(
            Trigger(
                span=Span(start, max(end, against[-1].span.end)),
                topic="comparison",
                type="comparison",
                relation=relation,
                negated=bool(
                    topics.NEGATION.search(scene.text[max(0, start - 40) : start])
                    or topics.DISTANCED.search(scene.text[:start])
                ),
                comparators=tuple(name for m in against for name in m.ids),
                benchmarks=benchmarks,
            )
        )
    return found


_OPPOSITE: dict[Relation, Relation] = {"above": "below", "below": "above", "equal": "equal"}


def _is_of_errors(words: str, benchmarks: tuple[str, ...], tables: Published) -> bool:
    """Whether "higher" speaks of a rate of errors, where higher is worse."""
    of_errors = any(tables.benchmarks[b].lower_is_better for b in benchmarks)
    return of_errors and re.match(r"higher|lower|above|below|exceed|top", words, re.I) is not None


def _without_next_subject(text: str, against: list[Mention], next_start: int) -> list[Mention]:
    """Leave out a model that stands right before the next relation: it is that one's subject."""
    between = text[against[-1].span.end : next_start]
    return against[:-1] if re.fullmatch(r"\s+(?:\w+ly\s+)?", between) else against


def _set_against(scene: Scene, before: int) -> list[Mention]:
    """The model of "measured against X, it came out behind"."""
    lead = re.compile(
        r"\b(?:measured|compared|tested|set|pitted|put)\s+(?:up\s+)?(?:against|with|to)\s+"
    )
    return [
        m
        for m in scene.models
        if m.span.end <= before
        and any(cue.end() == m.span.start for cue in lead.finditer(scene.text, 0, before))
    ]


def _benchmarks_for(scene: Scene, near: Span) -> tuple[str, ...]:
    """Benchmarks of a comparison: joined to it by "on" or the like, else named before it."""
    joint = re.compile(r"[^.;]{0,30}?\b(?:on|in|at|across|by)\s+(?:the\s+)?")
    after = [m for m in scene.benchmarks if near.end <= m.span.start]
    if after and joint.fullmatch(scene.text, near.end, after[0].span.start):
        stop = topics.ADVERSATIVE.search(scene.text, near.end)
        limit = stop.start() if stop else len(scene.text)
        return tuple(dict.fromkeys(n for m in after if m.span.start < limit for n in m.ids))
    before = [m for m in scene.benchmarks if m.span.start < near.start]
    since = _listed_before(scene, near.start)
    named = since or tuple(dict.fromkeys(n for m in before for n in m.ids))
    alone = tuple(dict.fromkeys(n for m in after for n in m.ids))
    return named or (alone if len(alone) == 1 else ()) or scene.carried_benchmarks


def _score_triggers(scene: Scene) -> list[Trigger]:
    benchmarks = scene.benchmarks or [
        Mention((name,), Span(0, 0)) for name in scene.carried_benchmarks
    ]
    benchmarks = [m for m in benchmarks if len(m.ids) == 1]  # "AIME" alone names no one table
    scores = find_scores(scene.text, scene.models, benchmarks, scene.default_subjects)
    by_benchmark: dict[str, list[tuple[Span, Score]]] = {}
    for span, score in scores:
        by_benchmark.setdefault(score.benchmark, []).append((span, score))
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


def _topic_triggers(scene: Scene) -> list[Trigger]:
    found = []
    for topic in topics.TOPICS:
        if topic.context and not topic.context.search(scene.text):
            continue
        matches = list(topic.pattern.finditer(scene.text))
        for match in matches[:1] if topic.is_said_once else matches:
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
    return _with_sizes_joined(scene, found)


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
    before = text[max(0, match.start() - 40) : match.start()]
    return bool(
        topics.NEGATION.search(before)
        or topics.DENIAL.search(match[0])
        or topics.DISTANCED.search(text[: match.start()])
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


def _opinions(scene: Scene) -> list[Trigger]:
    return [
        Trigger(span=Span(*m.span()), topic="opinion", type="opinion")
        for m in topics.OPINION.finditer(scene.text)
    ]


# ---- benchmarks offered for what they do not measure


def _with_misuses(scene: Scene, triggers: list[Trigger], tables: Published) -> list[Trigger]:
    """Mark the triggers that rest on a benchmark of the wrong kind; add one where none stands."""
    marked = list(triggers)
    for place, misuse in _misuses(scene, tables):
        hits = [
            i
            for i, t in enumerate(marked)
            if overlap(t.span, place)
            and t.topic
            in ("compliance-score", "bias", "instruction-following", "ability", "hallucination")
            and (t.topic != "compliance-score" or misuse.benchmark in t.benchmarks)
        ]
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
