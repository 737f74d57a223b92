"""Which tasks a suite has, and with which settings.

Knows every task. Does not run them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from inspect_ai import Task

from netweight.evals import fiction, sums
from netweight.evals.measure import Measure
from netweight.evals.subject import Settings


@dataclass(frozen=True)
class Part:
    """One task of a suite. `make` may download data, so it is called when its turn comes.

    Raises (make):
        WeighError: what it needs is not to be had here.
    """

    measure: Measure
    make: Callable[[], Task]


def _quick(settings: Settings) -> Sequence[Part]:
    return [
        Part(sums.MEASURE, partial(sums.sums, seed=settings.seed)),
        Part(fiction.MEASURE, fiction.formulas_in_fiction),
    ]


SUITES: Mapping[str, Callable[[Settings], Sequence[Part]]] = {
    "quick": _quick,
    "release": _quick,
    "full": _quick,
}
