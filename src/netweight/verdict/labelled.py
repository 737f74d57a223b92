"""From labels to claims: what a model marked is read by the rules that read a story without one.

A label says what kind of statement the words make. Numbers, hedges and misused benchmarks are read
out of the words themselves, and a topic whose words the quote does not hold makes no claim.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from netweight.verdict import topics
from netweight.verdict.claims import Claim, identity_of, make_claim, strength_of
from netweight.verdict.linking import LEAST_SHARE, trigger_of
from netweight.verdict.marking import RELATIONS, Labels, Reading
from netweight.verdict.names import Mention
from netweight.verdict.proposals import Marked
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.scores import Score, find_scores
from netweight.verdict.stating import stated_in
from netweight.verdict.story import Span
from netweight.verdict.topics import ABILITIES, TOPICS, ClaimType, Relation
from netweight.verdict.topics import RELATIONS as COMPARING
from netweight.verdict.triggers import Trigger, with_misuses

TYPES: dict[str, ClaimType] = {topic.id: topic.type for topic in TOPICS} | {
    "score": "benchmark_score",
    "comparison": "comparison",
    "ability": "ability",
    "benchmark-scope": "ability",
    "opinion": "opinion",
    "other": "other",
}
# Topics whose judgement reads the quote by the topic's own pattern, and misreads it without one.
READ_BY_PATTERN = frozenset(
    {
        "licence",
        "size",
        "memory",
        "checkpoint",
        "cache",
        "context-length",
        "text-only",
        "training-compute",
        "no-high-capability",
    }
)
_DENIABLE = frozenset(topic.id for topic in TOPICS if topic.can_be_denied) | {"comparison"}


class Made(NamedTuple):
    """Claims in reading order, and how many proposals had too few words or numbers to make one."""

    claims: tuple[Claim, ...]
    num_unreadable: int


@dataclass(frozen=True)
class _Entry:
    """A claim about to be made: what it asserts, its quote's place, and its voted labels."""

    trigger: Trigger
    quote: Span
    labels: Labels


def make_claims(kept: Iterable[Marked], reading: Reading) -> Made:
    """The claims that agreed proposals make; one that says what another does names the first."""
    by_sentence: dict[int, list[Marked]] = {}
    for marked in kept:
        by_sentence.setdefault(marked.scene_index, []).append(marked)
    claims: list[Claim] = []
    num_unreadable = 0
    seen: dict[tuple[object, ...], str] = {}
    for index, group in sorted(by_sentence.items()):
        scene = reading.scenes[index]
        asserted = [(marked, _triggers(marked, scene)) for marked in group]
        num_unreadable += sum(not triggers for _, triggers in asserted)
        for entry in _entries(asserted, scene, reading):
            claim = _made(f"c{len(claims) + 1}", entry, scene, reading)
            key = identity_of(claim)
            claims.append(replace(claim, repeats=seen.get(key)))
            seen.setdefault(key, claim.id)
    return Made(tuple(claims), num_unreadable)


def _entries(
    asserted: Iterable[tuple[Marked, list[Trigger]]], scene: Scene, reading: Reading
) -> list[_Entry]:
    """A sentence's claims in reading order, with the benchmarks that its quotes misuse."""
    entries = [
        _Entry(trigger, marked.span, marked.labels)
        for marked, triggers in asserted
        for trigger in triggers
    ]
    told = with_misuses(scene, [entry.trigger for entry in entries], reading.tables)
    marked_entries = [
        replace(entry, trigger=trigger) for entry, trigger in zip(entries, told, strict=False)
    ]
    for added in told[len(entries) :]:  # a misuse that no claim has yet, if a quote holds it
        owner = next((e for e in entries if _holds(e.quote, added.span)), None)
        if owner is not None:
            marked_entries.append(replace(owner, trigger=added))
    return sorted(marked_entries, key=lambda e: (e.quote.start, e.trigger.span))


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _triggers(marked: Marked, scene: Scene) -> list[Trigger]:
    """What a proposal asserts; nothing where the quote lacks what its topic is judged by."""
    labels = marked.labels
    said_at = _said_at(marked, scene)
    if labels.topic == "score":
        return _score_triggers(marked, scene)
    if labels.topic in READ_BY_PATTERN and said_at is None:
        return []
    trigger = Trigger(
        span=said_at or marked.span,
        topic=labels.topic,
        type=TYPES[labels.topic],
        negated=labels.negated and labels.topic in _DENIABLE,
    )
    match labels.topic:
        case "comparison":
            return _comparison(trigger, marked, scene)
        case "compliance-score" | "benchmark-scope":
            return [replace(trigger, benchmarks=(name,)) for name in labels.benchmarks]
        case "ability" | "instruction-following":
            ability = _ability(labels)
            direction = _relation(labels.direction)
            return [replace(trigger, ability=ability, direction=direction)] if ability else []
        case "other":
            stated = stated_in(scene, marked.span)
            is_sure = stated and stated.share >= LEAST_SHARE
            return [trigger_of(stated, marked.span) if stated and is_sure else trigger]
        case _:
            return [trigger]


def _ability(labels: Labels) -> str | None:
    return "instruction_following" if labels.topic == "instruction-following" else labels.ability


def _relation(label: str | None) -> Relation | None:
    return next((relation for relation in RELATIONS if relation == label), None)


def _said_at(marked: Marked, scene: Scene) -> Span | None:
    """The words of the quote that the rules know its topic by, if there are any."""
    start, end = marked.span
    patterns = [topic.pattern for topic in TOPICS if topic.id == marked.labels.topic]
    ability = _ability(marked.labels) if marked.labels.topic == "ability" else None
    if ability is not None:
        patterns.append(ABILITIES[ability])
    if marked.labels.topic == "comparison":
        patterns += [words for relation, words in COMPARING if relation == marked.labels.relation]
    for pattern in patterns:
        if match := pattern.search(scene.text[start:end]):
            return Span(start + match.start(), start + match.end())
    return None


def _comparison(trigger: Trigger, marked: Marked, scene: Scene) -> list[Trigger]:
    """A comparison has a relation; rivals that no table knows are taken from the quote's words."""
    relation = _relation(marked.labels.relation)
    if relation is None:
        return []
    rivals = marked.labels.comparators or _strangers(
        marked.span, scene, len(marked.labels.subjects)
    )
    return [
        replace(
            trigger,
            relation=relation,
            comparators=rivals,
            benchmarks=marked.labels.benchmarks,
        )
    ]


def _strangers(span: Span, scene: Scene, num_subjects: int) -> tuple[str, ...]:
    """Groups and models in the quote that the tables do not know; one of them may be the subject.

    The first such model is the subject where the labels name none.
    """
    names = [n for m in scene.models if overlap(m.span, span) for n in m.ids]
    unknown = [n for n in dict.fromkeys(names) if n.startswith(("other:", "group:"))]
    subject = next((n for n in unknown if n.startswith("other:")), None)
    return tuple(n for n in unknown if num_subjects or n != subject)


def _subjects(entry: _Entry, scene: Scene) -> tuple[str, ...]:
    """The labelled models; else the first one in the quote that the tables do not know."""
    names = (n for m in scene.models if overlap(m.span, entry.quote) for n in m.ids)
    unknown = [name for name in names if name.startswith("other:")]
    return entry.labels.subjects or tuple(unknown[:1])


def _score_triggers(marked: Marked, scene: Scene) -> list[Trigger]:
    """The scores whose numbers stand in the quote, by benchmark; the rules read every number."""
    labels = marked.labels
    mentions = [m for m in scene.benchmarks if len(m.ids) == 1]  # "AIME" alone names no one table
    if not scene.benchmarks:
        carried = scene.carried_benchmarks or labels.benchmarks
        mentions = [Mention((name,), Span(0, 0)) for name in carried[:1] if len(carried) == 1]
    subjects = scene.default_subjects if len(scene.default_subjects) == 1 else labels.subjects
    by_benchmark: dict[str, list[tuple[Span, Score]]] = {}
    for span, score in find_scores(scene.text, scene.models, mentions, subjects):
        if overlap(span, marked.span):
            by_benchmark.setdefault(score.benchmark, []).append((span, score))
    return [
        Trigger(
            span=Span(places[0][0].start, places[-1][0].end),
            topic="score",
            type=TYPES["score"],
            benchmarks=(benchmark,),
            scores=tuple(score for _, score in places),
        )
        for benchmark, places in by_benchmark.items()
    ]


def _made(name: str, entry: _Entry, scene: Scene, reading: Reading) -> Claim:
    """The claim as the rules make it of the same words, with the labels in place of their guesses.

    A hedge that the words hold counts, whatever the label says; the label can only add one.
    """
    ruled = make_claim(name, scene, entry.quote, entry.trigger, reading.story)
    labels = entry.labels
    hedged = ruled.hedged or labels.hedged
    soft = labels.hedged or topics.SOFTENED.search(ruled.quote) is not None
    return replace(
        ruled,
        subjects=_subjects(entry, scene),
        hedged=hedged,
        attribution=labels.speaker,
        strength=strength_of(ruled.quote, ruled.strength == 0, soft, labels.speaker),
        is_suspected=ruled.is_suspected or labels.hedged or labels.speaker is not None,
    )
