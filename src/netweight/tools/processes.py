"""The processes that came of one process, and whether they run: as Linux tells in /proc.

Knows nothing of sandboxes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_STOPPED = "T"
_WAITS = "D"  # in the kernel; a signal to stop takes effect before it leaves
_DEAD = ("Z", "X")


class Process(NamedTuple):
    """A process as it was a moment ago."""

    process_id: int
    parent_id: int
    state: str  # a letter, as in proc(5)

    @property
    def is_still(self) -> bool:
        """Whether it does nothing, once it has been told to stop."""
        return self.state in (_STOPPED, _WAITS, *_DEAD)


def descendants(process_id: int) -> list[Process]:
    """The processes that came of one, parents before their children, without itself."""
    by_parent: dict[int, list[Process]] = {}
    for process in _processes():
        by_parent.setdefault(process.parent_id, []).append(process)
    found = list(by_parent.get(process_id, ()))
    for process in found:  # grows meanwhile
        found += by_parent.get(process.process_id, ())
    return found


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            text = (folder / "stat").read_text(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        # The name, in brackets, may hold anything, brackets too.
        state, parent_id = text.rpartition(")")[2].split(maxsplit=2)[:2]
        yield Process(int(folder.name), int(parent_id), state)
