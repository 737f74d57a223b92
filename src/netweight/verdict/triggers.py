"""Where a sentence asserts something.

A trigger is a place and what the rule learned there. Does not cut quotes and does not judge.
"""

import re
from dataclasses import replace

from netweight.verdict import topics, wordings
from netweight.verdict.assertions import Assertion, Misuse, Trigger
from netweight.verdict.clauses import clauses_of
from netweight.verdict.comparisons import comparisons_in
from netweight.verdict.denial import is_denied, is_distanced, is_question
from netweight.verdict.evidence import Published
from netweight.verdict.misuses import described, direction_at, with_misuses
from netweight.verdict.names import Mention
from netweight.verdict.opinions import (
    WORTH,
    is_about_the_matter,
    names_the_matter,
    opinions_in,
)
from netweight.verdict.protagonist import is_rival
from netweight.verdict.readings import is_list_entry
from netweight.verdict.relations import find_compared
from netweight.verdict.scenes import Scene, listed_before, overlap
from netweight.verdict.scores import Score, find_scores
from netweight.verdict.story import Span
from netweight.verdict.topics import Relation

__all__ = ["Assertion", "Misuse", "Trigger", "find_triggers", "with_misuses"]


def find_triggers(scene: Scene, tables: Published) -> list[Trigger]:
    if is_question(scene.text) or not (
        scene.models
        or scene.benchmarks
        or scene.earlier_benchmarks
        or scene.columns
        or (scene.story_benchmark and re.search(r"\d\s?(?:%|percent\b|points\b)", scene.text))
        or (scene.default_subjects and topics.ABOUT_MODELS.search(scene.text))
        or (scene.default_subjects and _is_factual(scene))
    ):
        return []
    scores = _score_triggers(scene, tables)
    rates = any(b.endswith("hallucination") for t in scores for b in t.benchmarks)
    is_bare = not (scene.models or scene.columns or scene.order)
    if scene.sentence.is_heading and is_bare and not _is_entry(scene):
        return []
    found = [
        *(comparisons := comparisons_in(scene, tables)),
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
    return found or described(scene, tables)


def _is_entry(scene: Scene) -> bool:
    """Whether a line without an end is a row of a list in a story about a model."""
    is_row = is_list_entry(scene.text) or (
        len(scene.earlier_benchmarks) == 1 and _ENDS_IN_SCORE.search(scene.text)
    )
    return bool(scene.default_subjects and is_row)


_ENDS_IN_SCORE = re.compile(r"\d\s?(?:%|percent|points)\W*$")


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


# Of the benchmarks of the tables one alone is told as a rating in the thousands.
_RATED = re.compile(r"\b(?:rat(?:ed|ing|es)|Elo)\b.{0,40}?\b[12],?\d{3}\b", re.IGNORECASE)


def _score_triggers(scene: Scene, tables: Published) -> list[Trigger]:
    benchmarks, is_clear = scene.benchmarks, True
    if not benchmarks and _RATED.search(scene.text) and "codeforces" in tables.benchmarks:
        benchmarks = [Mention(("codeforces",), Span(0, 0))]
    if not benchmarks:
        benchmarks = [Mention((name,), Span(0, 0)) for name in scene.carried_benchmarks]
    if not benchmarks and scene.story_benchmark and _speaks_of_results(scene):
        benchmarks, is_clear = [Mention((scene.story_benchmark,), Span(0, 0))], False
    benchmarks = [m for m in benchmarks if len(m.ids) == 1]  # "AIME" alone names no one table
    benchmarks = _with_carried(scene, benchmarks)
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
    parts = [clause.start for clause in clauses_of(scene.text, Span(0, len(scene.text)))]
    by_benchmark: dict[tuple[str, int], list[tuple[Span, Score]]] = {}
    beside: dict[str, list[Score]] = {}
    for span, score in scores:
        is_named = score.is_named or _is_of(scene, score.model, span)
        known = replace(score, is_clear=is_clear and score.is_clear, is_named=is_named)
        part = sum(cut <= span.start for cut in parts)
        by_benchmark.setdefault((score.benchmark, part), []).append((span, known))
        beside.setdefault(score.benchmark, []).append(known)
    return [
        Trigger(
            span=Span(places[0][0].start, places[-1][0].end),
            topic="score",
            type="benchmark_score",
            benchmarks=(benchmark,),
            scores=tuple(score for _, score in places),
            beside=tuple(beside[benchmark]),
        )
        for (benchmark, _), places in by_benchmark.items()
    ]


def _with_carried(scene: Scene, benchmarks: list[Mention]) -> list[Mention]:
    """The benchmarks, and before them the one carried over where the first clauses name none."""
    if not scene.benchmarks or len(scene.earlier_benchmarks) != 1:
        return benchmarks
    first = clauses_of(scene.text, Span(0, len(scene.text)))[0]
    is_silent = all(m.span.start >= first.end for m in benchmarks)
    if is_silent and _POINTS_BACK.match(scene.text):
        return [Mention(scene.earlier_benchmarks, Span(0, 0)), *benchmarks]
    return benchmarks


_POINTS_BACK = re.compile(r"(?:That|This|It|There|Here|Which|The\s+same)\b")


def _is_of(scene: Scene, model: str | None, span: Span) -> bool:
    """Whether a pronoun must mean a model: the only one its sentence names, before it, no rival.

    Or, where its sentence names none and "it" is its subject, the only one that the last one names.
    """
    if not scene.models:
        is_own = model in scene.main_subjects
        return is_own and scene.last_models == (model,) and _IT.match(scene.text) is not None
    return bool(scene.models) and all(
        mention.ids == (model,)
        and mention.span.end <= span.start
        and not _DIGIT.search(scene.text, mention.span.end, span.start)
        and not scene.text.lower().startswith("the same", mention.span.start)
        and not is_rival(scene.text, mention)
        and _PRONOUN.search(scene.text, mention.span.end, span.start)
        for mention in scene.models
    )


_PRONOUN = re.compile(r"\b[Ii]ts?\b")
_DIGIT = re.compile(r"\d")
_IT = re.compile(
    r"(?:But\s+|And\s+|Yet\s+)?(?:(?:[Oo]n|[Ii]n|[Aa]t|[Ff]or|[Ww]ith)\s[^.;:]{2,40}?\s)?(?:It|it|Its|its)\s"
)


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
                    replace(trigger, benchmarks=(b,)) for b in listed_before(scene, match.start())
                ]
            elif topic.id == "instruction-following":
                found.append(
                    replace(
                        trigger,
                        ability="instruction_following",
                        direction=direction_at(scene, trigger.span),
                    )
                )
            else:
                found.append(trigger)
    if wordings.HIGH_CAPABILITY.search(scene.text):  # whether it was reached, not how it was tested
        found = [replace(t, negated=False) if t.topic == "no-high-capability" else t for t in found]
    sizes = [t.span for t in found if t.topic in ("checkpoint", "cache")]
    found = [t for t in found if t.topic != "memory" or not any(_ends_in(t.span, s) for s in sizes)]
    undisclosed = [t.span for t in found if t.topic == "training-data"]
    kept = [
        t
        for t in found
        if t.topic != "synthetic-data" or not any(overlap(t.span, u) for u in undisclosed)
    ]
    return _with_sizes_joined(scene, kept)


def _ends_in(span: Span, other: Span) -> bool:
    """Whether two stretches end on the same amount."""
    return overlap(span, other) and abs(span.end - other.end) <= _UNIT_LENGTH


_UNIT_LENGTH = 4  # characters: "GiB" or "GB"


def _is_beside_the_point(scene: Scene, topic: topics.Topic, match: re.Match[str]) -> bool:
    """Whether the words of a topic say something else here: a setting, a name, a wish."""
    if topic.id == "context-length" and wordings.CHOSEN.search(scene.text, 0, match.start()):
        return True
    if topic.id == "size" and _is_name(scene, match):
        return True
    if topic.id in _OF_A_MODEL and not _has_model(scene, match):
        return True
    if topic.id == "cache" and _TOGETHER.search(scene.text):
        return True
    if topic.id == "weights-release" and _SINCE.search(scene.text):
        return True
    return topic.id == "data-release" and _is_asked_for(scene.text, match)


_TOGETHER = re.compile(r"\btogether\b", re.IGNORECASE)
# "had not shared weights since GPT-2" is of the years before
_SINCE = re.compile(r"\b(?:since|until|before)\s+(?:GPT|20|now|then|this)", re.IGNORECASE)
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
    """Whether a size is a model's name, "the 120b 3.6 billion", or a part of one."""
    whole = Span(*match.span())
    if any(m.span.start < whole.start and whole.end <= m.span.end for m in scene.models):
        return True
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
    told = [n for n in ("denied", "denied2", "denied3") if n in match.re.groupindex and match[n]]
    if told:
        inside = text[match.start() : match.start(told[0])]
        is_turned = is_denied(text, match.start()) or topics.DENIAL.search(inside)
        return not is_turned  # "is not kept secret"
    return bool(
        is_denied(text, match.start())
        or topics.DENIAL.search(match[0])
        or is_distanced(text, match.start())
        or _DOES_NOT_APPLY.match(text, match.end())
        or wordings.NO_SENSE.search(match[0])
    )


# "the Apache licence does not apply to the weights"
_DOES_NOT_APPLY = re.compile(
    r"\s+(?:licen[cs]e\s+)?(?:does|do|did|will|would)(?:\s+not|n['\u2019]t)\s+(?:\w+ly\s+)?(?:apply|cover|extend|hold)\b",
    re.IGNORECASE,
)


def _is_lacking(text: str, match: re.Match[str]) -> bool:
    """Whether the words say that there is no such setting, rather than that it was not used."""
    return _LACKING.search(text) is not None


_LACKING = re.compile(
    r"\b(?:no|neither|nor|none|lack\w*|missing|without|cannot|can['\u2019]t|impossible|unable|fixed|"
    r"hard-?wired|set in stone|(?:not|n['\u2019]t|never)\s+(?:\w+\s+)?"
    r"(?:offer|have|let|allow|support|come|possible|adjustable|configurable|provide|include|know)\w*)\b|"
    r"n['\u2019]t\s+(?:offer|have|let|allow|support|come|provide|include|know)\b",
    re.IGNORECASE,
)


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
