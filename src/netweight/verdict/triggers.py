"""Where a sentence asserts something, and where it offers a benchmark for the wrong thing.

A trigger is a place and what the rule learned there. Does not cut quotes and does not judge.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

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
from netweight.verdict.relations import Compared, find_compared
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
    is_partial: bool = False  # said of some benchmark or of some model of a group
    is_of_all: bool = False  # said of every model of a group


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
    if scene.sentence.is_heading and not (scene.models or scene.columns or scene.order):
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
    found = with_misuses(scene, found, tables)
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
    for compared in find_compared(scene.text, scene.models):
        (start, end), relation, against = compared
        group = _group_before(scene, start)
        near = Span(start, max(end, against[-1].span.end))
        if group and not any(m.ids[0].startswith("group:") for m in against):
            found.append(_of_a_group(scene, group, compared, near))
            continue
        scene.comparator_spans.update(m.span for m in against)
        benchmarks = _benchmarks_for(scene, near)
        if scene.text.lower().startswith("hallucinat", start):
            benchmarks = ("personqa-hallucination", "simpleqa-hallucination")
        elif _is_of_errors(scene.text[start:end], benchmarks, tables):
            relation = _OPPOSITE[relation]
        on_none = topics.ON_NO_TEST.search(scene.text, 0, start) is not None
        denied = is_denied(scene.text, start) or (is_distanced(scene.text, start) and not on_none)
        found.append(
            Trigger(
                span=near,
                topic="comparison",
                type="comparison",
                relation=relation,
                negated=denied != on_none,
                comparators=_names_of(list(against)),
                benchmarks=benchmarks,
                is_partial=(on_none and not denied)
                or (not benchmarks and _says_partly(scene.text, near)),
                is_of_all=_quantifier(scene.text, against[0]) == "all",
            )
        )
    return found


def _group_before(scene: Scene, start: int) -> Mention | None:
    """The group of models that is the subject of a comparing word, or None."""
    before = [m for m in scene.models if m.span.end <= start]
    if not before or not before[-1].ids[0].startswith("group:"):
        return None
    return None if _PAUSE.search(scene.text, before[-1].span.end, start) else before[-1]


_PAUSE = re.compile(r"[,;:.](?=\s)|\b(?:but|while|whereas|although|though|and|it|they)\b")


def _of_a_group(scene: Scene, group: Mention, compared: Compared, near: Span) -> Trigger:
    """Read "no Chinese model ranks above X" as a statement on X and the models of the group."""
    scene.comparator_spans.add(group.span)
    quantifier = _quantifier(scene.text, group)
    return Trigger(
        span=near,
        topic="comparison",
        type="comparison",
        relation=_OPPOSITE[compared.relation],
        negated=quantifier == "none" or is_denied(scene.text, compared.span.start),
        comparators=group.ids,
        benchmarks=_benchmarks_for(scene, near),
        is_partial=quantifier != "all",
        is_of_all=quantifier == "all",
    )


_QUANTIFIERS: tuple[tuple[Literal["none", "all"], re.Pattern[str]], ...] = (
    ("none", re.compile(r"\b(?:no|none|nobody|nothing|neither|not one|not a single)\b", re.I)),
    ("all", re.compile(r"\b(?:every|all|each|any)\b", re.I)),
)


def _quantifier(text: str, group: Mention) -> Literal["none", "all", "some"]:
    """How many of a group are meant, by the words that lead to it."""
    if not group.ids[0].startswith("group:"):
        return "some"
    words = text[max(0, group.span.start - 25) : group.span.end]
    words = re.split(r"[,;.]\s", words)[-1]
    return next((name for name, word in _QUANTIFIERS if word.search(words)), "some")


def _says_partly(text: str, near: Span) -> bool:
    """Whether a comparison is said to hold here and there only."""
    stop = topics.ADVERSATIVE.search(text, near.end)
    return topics.PARTLY.search(text, near.end, stop.start() if stop else len(text)) is not None


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
    if within := [m for m in scene.benchmarks if near.start <= m.span.start < near.end]:
        return _names_of(within)
    comma = max((m.end() for m in _COMMA.finditer(text, 0, near.start)), default=0)
    beside = [m for m in scene.benchmarks if comma <= m.span.start < near.start]
    after = [m for m in scene.benchmarks if near.end <= m.span.start]
    if beside and comma:
        return _names_of(beside)
    stop = topics.ADVERSATIVE.search(text, near.end)
    limit = stop.start() if stop else len(text)
    if after and _ON.fullmatch(text, near.end, after[0].span.start):
        return _names_of(_listed_on(text, [m for m in after if m.span.start < limit]))
    if topics.says_universal(_clause_of(text, near)):
        return ()
    if named := _listed_before(scene, near.start) or _names_of(
        [m for m in scene.benchmarks if m.span.start < near.start]
    ):
        return named
    turn = _NEW_CLAUSE.search(text, near.end)
    alone = _names_of([m for m in after if turn is None or m.span.end <= turn.start()])
    return (alone if len(alone) == 1 else ()) or scene.pointed_benchmarks


_COMMA = re.compile(r"[,;:](?=\s)")
_NEW_CLAUSE = re.compile(r";|,?\s(?:but|while|whereas|although|though|yet)\b|,\s+(?:and|so)\b")


def _clause_of(text: str, near: Span) -> str:
    """The words of a place between the turns before it and after it."""
    start = max((m.end() for m in _NEW_CLAUSE.finditer(text, 0, near.start)), default=0)
    stop = _NEW_CLAUSE.search(text, near.end)
    return text[start : stop.start() if stop else len(text)]


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
        scene.order,
        is_order_sure=scene.is_order_sure,
    )
    by_benchmark: dict[str, list[tuple[Span, Score]]] = {}
    for span, score in scores:
        known = replace(score, is_clear=is_clear and score.is_clear)
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
        where = scene.context if topic.is_answer else scene.text
        if topic.context and not topic.context.search(where):
            continue
        if topic.is_said_once and any(t.topic == topic.id for t in found):
            continue
        matches = list(topic.pattern.finditer(scene.text))
        for match in matches[:1] if topic.is_said_once else matches:
            if _is_beside_the_point(scene, topic, match):
                continue
            trigger = Trigger(
                span=Span(*match.span()),
                topic=topic.id,
                type=topic.type,
                negated=topic.can_be_denied
                and _is_denied(scene.text, match)
                and (topic.id != "effort-levels" or _is_lacking(scene.text, match)),
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


def _is_beside_the_point(scene: Scene, topic: topics.Topic, match: re.Match[str]) -> bool:
    """Whether the words of a topic say something else here: a setting, a name, a wish."""
    if topic.id == "context-length" and wordings.CHOSEN.search(scene.text, 0, match.start()):
        return True
    if topic.id == "size" and _is_name(scene, match):
        return True
    if topic.id in _OF_A_MODEL and not _has_model(scene, match):
        return True
    return topic.id == "data-release" and _is_asked_for(scene.text, match)


# What is said in general, or of somebody's own, is not said of the story's models.
_OF_A_MODEL = ("synthetic-data", "maths-in-writing")


def _has_model(scene: Scene, match: re.Match[str]) -> bool:
    """Whether the stretch between semicolons that holds a match speaks of a model."""
    start = scene.text.rfind(";", 0, match.start()) + 1
    end = scene.text.find(";", match.end())
    piece = Span(start, end if end >= 0 else len(scene.text))
    words = scene.text[piece.start : piece.end]
    is_of_models = (
        topics.PRONOUN.search(words) or _MODELS.search(words) or wordings.ASKING.match(words)
    )
    return bool(is_of_models or any(overlap(m.span, piece) for m in scene.models))


def _is_name(scene: Scene, match: re.Match[str]) -> bool:
    """Whether a size is a model's name: "the 120b 3.6 billion"."""
    return any(
        m.span.start <= match.start()
        and match.end() <= m.span.end
        and scene.text[: m.span.start].lower().endswith("the ")
        for m in scene.models
    )


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
        inside = text[match.start() : match.start("denied")]
        is_turned = is_denied(text, match.start()) or topics.DENIAL.search(inside)
        return not is_turned  # "is not kept secret"
    return bool(
        is_denied(text, match.start())
        or topics.DENIAL.search(match[0])
        or is_distanced(text, match.start())
    )


def _is_lacking(text: str, match: re.Match[str]) -> bool:
    """Whether the words say that there is no such setting, rather than that it was not used."""
    return _LACKING.search(text, 0, match.end()) is not None


_LACKING = re.compile(
    r"\b(?:no|neither|nor|none|lack\w*|missing|without|cannot|can['\u2019]t|impossible|unable|fixed|"
    r"hard-?wired|set in stone|(?:not|n['\u2019]t|never)\s+(?:\w+\s+)?"
    r"(?:offer|have|let|allow|support|come|possible|adjustable|configurable|provide|include|know)\w*)\b|"
    r"n['\u2019]t\s+(?:offer|have|let|allow|support|come|provide|include|know)\b",
    re.IGNORECASE,
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


_WITH_TOPICS = ("instruction_following", "bias", "compliance", "factuality", "willingness")


def _abilities(scene: Scene) -> list[Trigger]:
    """An ability called strong or weak, a few words after the word that says so."""
    found = []
    for ability, pattern in topics.ABILITIES.items():
        if ability in _WITH_TOPICS:
            continue
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


def with_misuses(scene: Scene, triggers: list[Trigger], tables: Published) -> list[Trigger]:
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


# "shows how willing it is, not how well it follows instructions"
_BUT_NOT = re.compile(
    r"^\s*(?:and\s+|but\s+)?not\s+(?:how|whether|what|its|their|the|if|of|about|for|a|an)\b",
    re.IGNORECASE,
)


def _says_nothing(text: str, place: Span) -> bool:
    """Whether a denial stands before the ability: "says nothing about", "is no test of"."""
    before = clause_before(text, place.start)
    if _BUT_NOT.search(before):
        return True
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
    for benchmarks, reach, is_description, is_soft in _inferences(scene):
        for ability, pattern in topics.ABILITIES.items():
            if is_soft and _is_measured_by_any(ability, scene, benchmarks, tables):
                continue
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


def _is_measured_by_any(
    ability: str, scene: Scene, benchmarks: tuple[str, ...], tables: Published
) -> bool:
    """Whether some benchmark of the sentence, or of those offered, is about the ability."""
    named = {*benchmarks, *_names_of(scene.benchmarks), *scene.earlier_benchmarks}
    rows = [tables.benchmarks[name] for name in named]
    return any(ability in (*row.measures, *row.touches) for row in rows)


class _Inference(NamedTuple):
    """Benchmarks, what is concluded or said of them, and how firm the words for it are."""

    benchmarks: tuple[str, ...]
    reach: Span
    is_description: bool = False
    is_soft: bool = False


def _inferences(scene: Scene) -> list[_Inference]:
    return [
        *_conclusions(scene),
        *_from_grounds(scene),
        *(i for mention in scene.benchmarks for i in _descriptions(scene.text, mention)),
    ]


def _conclusions(scene: Scene) -> list[_Inference]:
    """What follows a "shows that" or the like, from the benchmarks before it."""
    found = []
    points_back = topics.BACK_REFERENCE.search(scene.text)
    for pattern in (topics.INFERENCE, topics.SOFT_INFERENCE):
        for cue in pattern.finditer(scene.text):
            stop = topics.ADVERSATIVE.search(scene.text, cue.end())
            reach = Span(cue.end(), stop.start() if stop else len(scene.text))
            benchmarks = _listed_before(scene, cue.start())
            if not benchmarks and points_back:
                benchmarks = scene.earlier_benchmarks
            if benchmarks:
                is_soft = pattern is topics.SOFT_INFERENCE
                found.append(_Inference(benchmarks, reach, is_soft=is_soft))
    if points_back and _SO.match(scene.text) and not scene.benchmarks:
        reach = Span(points_back.end(), len(scene.text))
        found.append(_Inference(scene.earlier_benchmarks, reach, is_soft=True))
    return found


_SO = re.compile(
    r"^(?:So|Hence|Therefore|Thus|No wonder|Small wonder|In other words)\b,?\s+(?:that\s+)?"
    r"(?:it|they|the\s+(?:\w+\s+)?models?|expect|do\s+not|don['\u2019]t|you\s+can|gpt[\w\-]*)\b"
)


def _from_grounds(scene: Scene) -> list[_Inference]:
    """Read "Judging by its score on X, it must be good at Y"."""
    grounds = topics.GROUNDS.search(scene.text)
    comma = re.search(r",\s", scene.text)
    if grounds is None or not scene.benchmarks:
        return []
    named = [m for m in scene.benchmarks if comma is None or m.span.end <= comma.start()]
    if not named or comma is None:
        return []
    stop = topics.ADVERSATIVE.search(scene.text, comma.end())
    reach = Span(comma.end(), stop.start() if stop else len(scene.text))
    return [_Inference(_names_of(named), reach, is_soft=True)]


def _descriptions(text: str, mention: Mention) -> list[_Inference]:
    """What a benchmark is said to test, and the label that hangs on its name."""
    found = []
    cue = topics.MEASURING.search(text, mention.span.end, mention.span.end + 50)
    if cue and not topics.ADVERSATIVE.search(text, mention.span.end, cue.start()):
        reach = Span(cue.end(), _end_of_phrase(text, cue.end()))
        found.append(_Inference(mention.ids, reach, is_description=True))
    firm = topics.FIRM_WORTH.search(text, mention.span.end, mention.span.end + 80)
    if firm and not topics.ADVERSATIVE.search(text, mention.span.end, firm.start()):
        reach = Span(firm.end(), _end_of_phrase(text, firm.end()))
        found.append(_Inference(mention.ids, reach, is_soft=True))
    if labelled := _LABEL.match(text, mention.span.end):
        reach = Span(mention.span.end, labelled.end())
        found.append(_Inference(mention.ids, reach, is_description=True))
    return found


_LABEL = re.compile(
    r"(?:,\s*(?:an?|the)\b)?[^.;,]{0,40}?\b(?:scores?|ratings?|rates?|results?|"
    r"benchmark|tests?|exam|evaluation|assessment|suite|leaderboard)\b"
)


def _end_of_phrase(text: str, start: int) -> int:
    stop = re.compile(r"[,;.]").search(text, start)
    return stop.start() if stop else len(text)
