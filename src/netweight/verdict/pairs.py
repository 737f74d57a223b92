"""Two figures that may be compared, and what their difference tells. Knows no claim."""

from dataclasses import dataclass

from netweight.verdict.evidence import Computed, Figure


@dataclass(frozen=True)
class Pair:
    """Two comparable figures and what their difference tells; higher means the first is better."""

    first: Figure
    second: Figure
    computed: Computed | None
    reading: str  # higher, lower, equivalent, inconclusive or unread
    by_value: str  # higher or lower, or equivalent when the published values are equal
