"""What differences say when there are many of them: p-values adjusted, and a verdict for each.

Headlines and further figures are two families, as two questions are asked: which tasks differ, and
where within them. Knows differences; does not know tasks or runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from netweight.evals.differences import Difference
from netweight.evals.planning import ALPHA

Verdict = Literal["first better", "second better", "equivalent", "undecided"]
Adjust = Callable[[Sequence[float]], list[float]]


@dataclass(frozen=True)
class Judgement:
    """A difference among others: its p-values adjusted over all of them, and what they say."""

    p_value: float
    p_equivalent: float | None
    verdict: Verdict


def judge(
    differences: Sequence[Difference], lower_is_better: Sequence[bool], adjust: Adjust
) -> list[Judgement]:
    """Judge a family of differences; `adjust` is `comparing.holm` or `benjamini_hochberg`.

    The tests for a difference and those for equivalence are adjusted apart.
    """
    p_values = adjust([each.p_value for each in differences])
    equivalents = iter(
        adjust([each.p_equivalent for each in differences if each.p_equivalent is not None])
    )
    judgements = []
    for each, p_value, lower in zip(differences, p_values, lower_is_better, strict=True):
        p_equivalent = None if each.p_equivalent is None else next(equivalents)
        is_first_better = (each.value > 0) != lower
        verdict = _verdict(p_value, p_equivalent, is_first_better=is_first_better)
        judgements.append(Judgement(p_value, p_equivalent, verdict))
    return judgements


def _verdict(p_value: float, p_equivalent: float | None, *, is_first_better: bool) -> Verdict:
    """A difference inside the margin does not matter, even where it is no accident."""
    if p_equivalent is not None and p_equivalent <= ALPHA:
        return "equivalent"
    if p_value > ALPHA:
        return "undecided"
    return "first better" if is_first_better else "second better"
