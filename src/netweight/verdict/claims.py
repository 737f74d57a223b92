"""From sentences to claims: what is asserted, of which model, in whose words, how strongly.

Rules only; no model is asked. Every claim's quote is cut out of the story's clean text by its
offsets, so it is verbatim by construction, and checked again. Does not know what is true.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from netweight.verdict import net, topics
from netweight.verdict.clauses import clauses_of
from netweight.verdict.denial import is_distanced, is_supposed
from netweight.verdict.evidence import Published
from netweight.verdict.lexicon import REPORTING, is_boilerplate
from netweight.verdict.linking import trigger_of
from netweight.verdict.names import find_attribution
from netweight.verdict.scenes import Scene, overlap, read_scenes, subjects_of
from netweight.verdict.stating import Stated, stated_in
from netweight.verdict.story import Sentence, Span, Story
from netweight.verdict.triggers import Assertion, Trigger, find_triggers
from netweight.verdict.wordings import licence_named


@dataclass(frozen=True, kw_only=True)
class Claim(Assertion):
    """One assertion of the story. `span` holds the quote's place in the clean text.

    `context` is the sentence with the one before it in its paragraph; `nearby_models` are those
    that the paragraph names; `told_on` is the story's date. `is_suspected` says that the words
    leading to the claim call it a possibility or somebody's view.
    """

    id: str
    quote: str
    span: Span
    sentence: Sentence
    subjects: tuple[str, ...]
    strength: int
    hedged: bool
    attribution: str | None
    context: str
    nearby_models: tuple[str, ...]
    told_on: str | None
    is_suspected: bool
    repeats: str | None = None
    is_taken_back: bool = False  # the story itself calls it an error

    def told_of(self, models: tuple[str, ...]) -> "Claim":
        """The same claim with other models as its subjects."""
        return replace(self, subjects=models)


def extract_claims(story: Story, tables: Published) -> tuple[Claim, ...]:
    """The story's claims in reading order, numbered c1, c2, …; a repeated claim names the first."""
    claims: list[Claim] = []
    seen: dict[tuple[object, ...], str] = {}
    paragraphs = story.text.split("\n")
    for scene in read_scenes(story, tables):
        if is_boilerplate(scene.text):
            continue
        paragraph = paragraphs[scene.sentence.paragraph]
        for span, trigger in _segments(scene, find_triggers(scene, tables), paragraph, tables):
            claim = make_claim(f"c{len(claims) + 1}", scene, span, trigger, story)
            claim = _beside_others(claim.told_of(_meant(claim, scene, tables)))
            key = identity_of(claim)
            claims.append(replace(claim, repeats=seen.get(key)))
            seen.setdefault(key, claim.id)
    return tuple(claims)


# What only a model with open weights has: a pronoun beside them means no other.
_OF_OPEN_WEIGHTS = {
    "licence", "usage-policy", "commercial-use", "weights-release", "data-release", "open-source",
    "closed-before", "size", "memory", "checkpoint", "cache", "context-length", "effort-levels",
    "effort-effect", "mixture-of-experts", "training-compute", "training-data", "synthetic-data",
    "text-only", "maths-in-writing",
}  # fmt: skip


def _meant(claim: Claim, scene: Scene, tables: Published) -> tuple[str, ...]:
    """The models that a claim is about, where a pronoun leaves a choice.

    Of the sizes of a model it is the one whose peer the claim names; and what only open weights
    have is not said of a model that keeps them.
    """
    if claim.topic == "comparison":  # nothing stands beside itself
        others = {*claim.comparators} - {*claim.subjects}
        if not others:
            left = tuple(s for s in claim.subjects if s not in claim.comparators)
            return left or tuple(s for s in scene.main_subjects if s not in claim.comparators)
    if claim.topic in ("proposition", "quantity") and not {*claim.subjects} & {
        *scene.main_subjects
    }:
        return scene.main_subjects
    rows = [tables.models[s] for s in claim.subjects if s in tables.models]
    is_beside = not {*claim.subjects} & {*scene.main_subjects}
    is_closed = any(row.access == "proprietary" for row in rows)
    is_named = any(overlap(m.span, _within(claim)) for m in scene.models)
    is_of_safety = claim.topic in ("no-high-capability", "harmony") and is_beside
    is_of_data = claim.topic in ("synthetic-data", "maths-in-writing") and is_beside
    is_of_weights = claim.topic in _OF_OPEN_WEIGHTS and is_closed
    if (is_of_weights or is_of_safety or is_of_data) and not is_named:
        return scene.main_subjects
    if len(rows) < 2 or len(rows) < len(claim.subjects) or len({row.family for row in rows}) > 1:
        return claim.subjects
    peers = [row.id for row in rows if row.vendor_peer in claim.comparators]
    return tuple(peers) or claim.subjects


def _beside_others(claim: Claim) -> Claim:
    """A comparison without its own subject among those it is compared with."""
    others = tuple(name for name in claim.comparators if name not in claim.subjects)
    return replace(claim, comparators=others) if others and claim.relation else claim


def _within(claim: Claim) -> Span:
    """The place of the claim's quote in its sentence."""
    start = claim.sentence.span.start
    return Span(claim.span.start - start, claim.span.end - start)


def identity_of(claim: Claim) -> tuple[object, ...]:
    """Two claims with the same identity say the same thing of the same models."""
    words = claim.quote.lower() if claim.topic in ("opinion", "other") else ""
    numbers = tuple(re.findall(r"\d+(?:\.\d+)?", claim.quote)) if claim.type == "resource" else ()
    licence = licence_named(claim.quote) if claim.topic == "licence" else ""
    return (
        claim.subjects,
        claim.topic,
        claim.relation,
        claim.relation and topics.says_universal(claim.quote),
        claim.negated,
        claim.comparators,
        claim.benchmarks,
        claim.scores,
        claim.ability,
        claim.direction,
        claim.misuses,
        claim.is_partial,
        claim.proposition,
        claim.figures,
        words,
        numbers,
        bool(claim.misuses) and claim.id,
        licence,
    )


def _segments(
    scene: Scene, triggers: list[Trigger], paragraph: str, tables: Published
) -> list[tuple[Span, Trigger]]:
    """The sentence's clauses that claim something, each with the trigger of what it claims.

    What no rule claims goes through the net of netweight.verdict.net.
    """
    out: list[tuple[Span, Trigger]] = []
    whole = Span(0, len(scene.text))
    for clause in clauses_of(scene.text, whole, [t.span for t in triggers]):
        here = dict.fromkeys(t for t in triggers if clause.start <= t.span.start < clause.end)
        if here and (known := _better_known(scene, clause, here)):
            out.append((clause, known))
        elif here:
            out += _parted(scene.text, clause, sorted(here, key=lambda t: t.span))
        elif claim := net.caught(scene, clause, paragraph, tables):
            out.append(claim)
    return [(_trim(scene.text, span), trigger) for span, trigger in out]


_STRONG_CUT = re.compile(r";\s")
_AMOUNTS = ("size", "memory", "checkpoint", "cache")


def _parted(text: str, clause: Span, triggers: list[Trigger]) -> list[tuple[Span, Trigger]]:
    """Each trigger with its clause; two amounts of one kind with its part, up to the comma."""
    first = {replace(t, span=clause): t for t in reversed(triggers)}
    triggers = [  # of what is said twice in a clause, once
        t for t in triggers if t in first.values() or t.topic in _AMOUNTS
    ]
    kinds = [t.topic for t in triggers]
    if len(set(kinds)) > 1 or len(kinds) == 1 or kinds[0] not in _AMOUNTS:
        return [(clause, t) for t in triggers]
    starts = [clause.start]
    for last, following in itertools.pairwise(triggers):
        between = last.span.end, following.span.start
        joints = [*_STRONG_CUT.finditer(text, *between), *topics.WEAK_CUT.finditer(text, *between)]
        if not joints:
            return [(clause, t) for t in triggers]
        starts.append(joints[0].start())
    ends = [*starts[1:], clause.end]
    return [(Span(a, b), t) for a, b, t in zip(starts, ends, triggers, strict=True)]


# Propositions that a rule for a broader topic, or for figures, takes for something else.
_NARROWER: dict[str, frozenset[str]] = {
    "small-over-large": frozenset({"comparison"}),
    "malformed-edits": frozenset({"score"}),
    "hosts-differ": frozenset({"score"}),
    "outside-review": frozenset({"no-high-capability"}),
    "share-untold": frozenset({"synthetic-data", "data-release"}),
    "osaid-asks": frozenset({"open-source", "data-release"}),
    "osaid-met": frozenset({"open-source"}),
    "west-over-east": frozenset({"refusal", "comparison", "score"}),
}
_SURE, _SURER = 0.5, 0.8


def _better_known(scene: Scene, clause: Span, triggers: Iterable[Trigger]) -> Trigger | None:
    """The narrower proposition that a clause makes, where every rule's topic is a broader one."""
    stated = stated_in(scene, clause)
    if stated is None or stated.share < _SURE:
        return None
    name = stated.proposition.id
    is_broader = {t.topic for t in triggers} - {"other"} <= _NARROWER.get(name, frozenset())
    is_turned = stated.share >= _SURER and all(_is_turned(t, stated, scene) for t in triggers)
    return trigger_of(stated, clause) if is_broader or is_turned else None


def _is_turned(trigger: Trigger, stated: Stated, scene: Scene) -> bool:
    """Whether a rule for a proposition missed the "not" in "was not used here", or took another's.

    For a licence, only of the one that is named; "it cannot see" is the rule's "not" for text only.
    """
    if trigger.topic == "text-only":
        is_denied = trigger.negated and not is_distanced(scene.text, trigger.span.start)
        return stated.proposition.id == "text-only" and is_denied and not stated.is_affirmed
    same = {n: n for n in ("licence", "harmony", "usage-policy")}.get(trigger.topic)
    is_named = same != "licence" or "apache" in scene.text.lower()
    return stated.proposition.id == same and is_named and trigger.negated == stated.is_affirmed


def _trim(text: str, span: Span) -> Span:
    """Drop joining words and punctuation at the edges; a quote never becomes empty."""
    piece = text[span.start : span.end]
    leading = topics.LEADING.match(piece)
    start = span.start + (leading.end() if leading else 0)
    end = span.start + len(piece.rstrip(" \t,;:.\u2014\u2013-"))
    return Span(start, end) if start < end else span


def make_claim(name: str, scene: Scene, span: Span, trigger: Trigger, story: Story) -> Claim:
    offset = scene.sentence.span.start
    place = Span(offset + span.start, offset + span.end)
    quote = story.text[place.start : place.end]
    assert quote and quote == scene.text[span.start : span.end], "a quote left the story's text"
    attribution = find_attribution(_spoken(scene.text, span, trigger))
    # in a licence "may" is a permission, not a doubt
    possible = trigger.type != "licence" and bool(topics.POSSIBILITY.search(quote))
    soft = bool(topics.SOFTENED.search(quote))
    is_said = _JUST_SAID.search(scene.text, 0, span.start) is not None
    return Claim(
        id=name,
        topic=trigger.topic,
        type=trigger.type,
        quote=quote,
        span=place,
        sentence=scene.sentence,
        subjects=subjects_of(scene, trigger.span, span, is_size=trigger.topic == "size"),
        strength=strength_of(quote, possible, soft, attribution),
        hedged=possible or soft or is_said,
        attribution=attribution,
        context=scene.context,
        nearby_models=scene.nearby_models,
        told_on=story.published,
        is_suspected=_is_suspected(scene, trigger),
        is_taken_back=_is_taken_back(scene, trigger),
        relation=trigger.relation,
        negated=trigger.negated,
        comparators=trigger.comparators,
        benchmarks=trigger.benchmarks,
        scores=trigger.scores,
        ability=trigger.ability,
        direction=trigger.direction,
        misuses=trigger.misuses,
        is_partial=trigger.is_partial,
        is_of_all=trigger.is_of_all,
        proposition=trigger.proposition,
        figures=trigger.figures,
        beside=trigger.beside,
    )


_JUST_SAID = re.compile(rf"\b(?:{REPORTING})\s+(?:that\s+)?$", re.IGNORECASE)


def _is_taken_back(scene: Scene, trigger: Trigger) -> bool:
    """Whether the story calls it an error, or only supposes it.

    Words that turn the claim itself round, as in "it is not true that", are read as its denial.
    """
    is_read_as_denial = trigger.negated and is_distanced(scene.text, trigger.span.start)
    is_error = scene.is_taken_back and not is_read_as_denial
    return is_error or is_supposed(scene.text, trigger.span.end)


def _is_suspected(scene: Scene, trigger: Trigger) -> bool:
    """Whether a hedge or a speaker stands before the words, since the last "but" or the like."""
    turns = [m.end() for m in topics.ADVERSATIVE.finditer(scene.text, 0, trigger.span.start)]
    before = scene.text[max(turns, default=0) : trigger.span.end]
    hedges = (topics.POSSIBILITY, topics.SOFTENED, topics.RELAYED)
    return (
        any(hedge.search(before) for hedge in hedges)
        or _ONLY_THAT.match(scene.text) is not None
        or find_attribution(before) is not None
        or _SAY_SOME.search(scene.text, trigger.span.end) is not None
        or is_distanced(scene.text, trigger.span.start)
    )


# "It was trained on text of other models, some suspect."
_SAY_SOME = re.compile(
    r",\s+(?:or\s+so\s+)?(?:[\w\-]+\s+){0,4}(?:suspects?|says?|said|thinks?|believes?|claims?|claimed|reckons?|guess(?:es)?|argues?|"
    r"alleges?|alleged|complain(?:s|ed)?|insists?|insisted)\b(?!\s+that\b)[^,;]{0,40}$",
    re.IGNORECASE,
)
# "One: that it slips formulas into poems": told as what is said, and not said.
_ONLY_THAT = re.compile(
    r"^(?:\W*\w+[:.)]\s*)?[Tt]hat\s+(?:it|they|the|gpt\S*|this|these)\b(?!\s+is\s+(?:why|how|what))"
)


def _spoken(text: str, span: Span, trigger: Trigger) -> str:
    """The words in which the speaker of a claim would be named."""
    if trigger.topic == "opinion":
        return text[span.start : span.end]
    turns = [
        m.end() for m in re.finditer(r";|,? \b(?:but|while|whereas|although)\b", text[: span.start])
    ]
    return text[max(turns, default=0) : span.end]


def strength_of(quote: str, possible: bool, soft: bool, attribution: str | None) -> int:
    """0 possible, 1 softened or attributed, 2 plain, 3 categorical."""
    if possible:
        return 0
    if soft or attribution:
        return 1
    return 3 if topics.CATEGORICAL.search(quote) else 2
