"""The errors of a story, each with its sentence and its correction.

Asks every detector about every judged claim, and puts together what they say of one sentence.
"""

import re
from collections.abc import Callable, Iterable

from netweight.verdict.claims import Claim
from netweight.verdict.denial import is_distanced
from netweight.verdict.evidence import Row
from netweight.verdict.faults import Fault, Kind
from netweight.verdict.faults_in_comparisons import faults_in_order, faults_in_rivals
from netweight.verdict.faults_in_numbers import (
    faults_in_documented_numbers,
    faults_in_figures,
    faults_in_resources,
    faults_in_scores,
    faults_in_versions,
)
from netweight.verdict.faults_in_wording import (
    faults_in_certainty,
    faults_in_denials,
    is_told_by_the_maker,
    own_share,
)
from netweight.verdict.judge_quantities import faults_in_quantities
from netweight.verdict.judgement import Judgement, Statement
from netweight.verdict.ledger import Ledger
from netweight.verdict.topics import ABILITY_WORDS
from netweight.verdict.triggers import Misuse

Detector = Callable[[Claim, Judgement, Ledger], list[Fault]]

_BY_TOPIC: dict[str, tuple[Detector, ...]] = {
    "score": (faults_in_scores, faults_in_rivals, faults_in_versions),
    "comparison": (faults_in_order, faults_in_rivals),
    "figures": (faults_in_rivals, faults_in_figures),
    "size": (faults_in_resources,),
    "memory": (faults_in_resources,),
    "checkpoint": (faults_in_resources,),
    "cache": (faults_in_resources,),
    "quantity": (faults_in_quantities,),
    "efficiency": (faults_in_documented_numbers,),
    "context-length": (faults_in_documented_numbers,),
    "training-compute": (faults_in_documented_numbers,),
    "effort-levels": (faults_in_documented_numbers,),
}
_ALWAYS: tuple[Detector, ...] = (faults_in_denials, faults_in_certainty)


class Finding(Row):
    """An error in a sentence of the story, and what is right instead."""

    id: str
    kind: Kind
    benchmarks: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    claims: tuple[str, ...]
    sentence: str
    correction: tuple[Statement, ...]


def find_errors(judged: Iterable[tuple[Claim, Judgement]], ledger: Ledger) -> tuple[Finding, ...]:
    """The story's errors in reading order; one finding for each kind in a sentence."""
    pairs = list(judged)
    mended = _mended(pairs)
    grouped: dict[tuple[int, Kind], list[tuple[Claim, Fault]]] = {}
    for claim, judgement in pairs:
        if claim.is_taken_back or claim.id in mended or _is_hearsay(claim):
            continue
        for fault in faults_of(claim, judgement, ledger):
            grouped.setdefault((claim.sentence.span.start, fault.kind), []).append((claim, fault))
    ordered = sorted(grouped.items(), key=lambda item: item[0][0])
    return tuple(
        _finding(f"f{index}", kind, group, ledger)
        for index, ((_, kind), group) in enumerate(ordered, start=1)
    )


def _mended(pairs: list[tuple[Claim, Judgement]]) -> set[str]:
    """The claims with a score that the next sentence puts right: told as an error, not made."""
    right = [
        (score.model, score.benchmark, claim.sentence.paragraph, claim.sentence.span.start)
        for claim, judgement in pairs
        if judgement.verdict == "supported"
        for score in claim.scores
        if score.model
    ]
    return {
        claim.id
        for claim, judgement in pairs
        if judgement.verdict == "contradicted" and _is_of_others(claim)
        for score in claim.scores
        for model, benchmark, paragraph, start in right
        if (model, benchmark, paragraph) == (score.model, score.benchmark, claim.sentence.paragraph)
        and claim.sentence.span.end <= start <= claim.sentence.span.end + _NEXT
    }


_NEXT = 3  # characters between a sentence and the next
_OTHERS = re.compile(
    r"\b(?:some(?:body|one)?|another|others?|headline|chart|forum|post|thread|rumou?r\w*|wrote|printed|claim(?:s|ed)?|said|"
    r"circulat\w+|quoted|had\s+it|one\s+(?:site|paper|blog))\b",
    re.IGNORECASE,
)


_LEAST_WORDS_TOLD = 5  # of a sentence that says who says it
_TOLD = 0.9  # the share from which the reader is believed that a claim is only told of


def _is_hearsay(claim: Claim) -> bool:
    """Whether a story only tells of what somebody says, who may be wrong, and does not say it."""
    is_too_short = len(claim.sentence.text.split()) < _LEAST_WORDS_TOLD
    if is_too_short or is_told_by_the_maker(claim):
        return False  # what its maker says of a model, a story answers for
    if claim.negated and is_distanced(
        claim.sentence.text, claim.span.end - claim.sentence.span.start
    ):
        return False  # "It is not true that": the denial is the story's own
    return 1 - own_share(claim) >= _TOLD


def _is_of_others(claim: Claim) -> bool:
    return _OTHERS.search(claim.sentence.text) is not None


def faults_of(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """Everything that is wrong with one claim."""
    detectors = (*_BY_TOPIC.get(claim.topic, ()), *_ALWAYS)
    faults = [fault for detect in detectors for fault in detect(claim, judgement, ledger)]
    return [*_category_errors(claim, ledger), *faults]


def _category_errors(claim: Claim, ledger: Ledger) -> list[Fault]:
    return [
        Fault("category_error", correct_misuse(b, _claimed_of(b, claim.misuses), ledger))
        for b in dict.fromkeys(misuse.benchmark for misuse in claim.misuses)
    ]


def _claimed_of(benchmark: str, misuses: Iterable[Misuse]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m.ability for m in misuses if m.benchmark == benchmark))


def correct_misuse(benchmark: str, abilities: tuple[str, ...], ledger: Ledger) -> Statement:
    """What a benchmark measures, and what its scores say nothing about."""
    row = ledger.tables.benchmarks[benchmark]
    words = [ABILITY_WORDS[a] for a in abilities]
    said = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
    text = f"{row.name} measures {row.is_}. Its scores say nothing about {said}."
    return Statement(text=text, cites=(f"benchmark:{benchmark}",))


def _finding(name: str, kind: Kind, group: list[tuple[Claim, Fault]], ledger: Ledger) -> Finding:
    """One finding for several claims of a sentence; each misused benchmark is corrected once."""
    claims = list({claim.id: claim for claim, _ in group}.values())
    misuses = [m for claim in claims for m in claim.misuses] if kind == "category_error" else []
    benchmarks = dict.fromkeys(
        [m.benchmark for m in misuses] or [b for claim in claims for b in claim.benchmarks]
    )
    corrections = [
        correct_misuse(b, _claimed_of(b, misuses), ledger) for b in benchmarks if misuses
    ] or [fault.correction for _, fault in group]
    return Finding(
        id=name,
        kind=kind,
        benchmarks=tuple(benchmarks),
        abilities=tuple(dict.fromkeys(m.ability for m in misuses)),
        claims=tuple(claim.id for claim in claims),
        sentence=claims[0].sentence.text,
        correction=tuple(dict.fromkeys(corrections)),
    )
