"""Which samples a page holds: the rarer outcomes first, and no more than it can carry.

Knows samples by their outcomes and the size of their texts. Does not know tasks or pages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from markupsafe import Markup

from netweight.evals.scorecard_text import shown

# A page holds so many samples of a task, and so many bytes of them in all; the logs have the rest.
MAX_SAMPLES = 200
MAX_BYTES = 2_000_000
_ENTRY_BYTES = 700  # the markup around one sample

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class OutcomeGroup(Generic[_Entry]):
    """Samples of one outcome, or pairs of one change: how many there are, and those on the page."""

    outcome: str
    total: int
    entries: Sequence[_Entry]


@dataclass(frozen=True)
class Samples(Generic[_Entry]):
    """One task's samples, or pairs of them, as a page has them."""

    groups: Sequence[OutcomeGroup[_Entry]]

    @property
    def num_shown(self) -> int:
        """How many are on the page."""
        return sum(len(group.entries) for group in self.groups)

    @property
    def num_left(self) -> int:
        """How many are not."""
        return sum(group.total for group in self.groups) - self.num_shown


class Allowance:
    """A page's bytes for samples, shared out evenly among its tasks.

    What a task leaves over goes to those that follow.
    """

    def __init__(self, num_tasks: int) -> None:
        self._left, self._num_tasks = MAX_BYTES, num_tasks

    def choose(
        self, groups: Mapping[str, Sequence[_Entry]], size: Callable[[_Entry], int]
    ) -> Samples[_Entry]:
        """Choose what fits the next task's share, the rarer outcomes first: those are looked for.

        Args:
            groups: entries by outcome, in the order of tables.
            size: how many bytes an entry takes.
        """
        share, room = self._left // max(self._num_tasks, 1), MAX_SAMPLES
        chosen: dict[str, list[_Entry]] = {}
        for name in sorted(groups, key=lambda name: len(groups[name])):
            chosen[name] = []
            for entry in islice(groups[name], room):
                num_bytes = size(entry)
                if num_bytes > share:
                    break
                share -= num_bytes
                self._left -= num_bytes
                chosen[name].append(entry)
            room -= len(chosen[name])
        self._num_tasks -= 1
        return Samples(
            [OutcomeGroup(name, len(entries), chosen[name]) for name, entries in groups.items()]
        )


def size_of(*texts: str) -> int:
    """How many bytes an entry of these texts takes on a page."""
    return _ENTRY_BYTES + sum(len(str(Markup.escape(shown(text))).encode()) for text in texts)


def grouped(
    entries: Iterable[_Entry], key: Callable[[_Entry], str], order: Iterable[str] = ()
) -> dict[str, list[_Entry]]:
    """Entries by outcome, in the order of tables."""
    groups: dict[str, list[_Entry]] = {name: [] for name in order}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return {name: group for name, group in groups.items() if group}
