"""The processes that came of one process, whether they run and what they hold, out of /proc.

Knows nothing of sandboxes.
"""

import os
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
    group_id: int
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


def memory_bytes(process_id: int) -> int:
    """The memory that a process holds, of what it shares its part; 0 when it has ended."""
    folder = Path(f"/proc/{process_id}")
    try:
        rows = (folder / "smaps_rollup").read_text().splitlines()
        return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))
    except PermissionError:  # it has hidden that; then what it shares counts whole
        num_pages = int((folder / "statm").read_text().split()[1])
        return num_pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            text = (folder / "stat").read_text(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        # The name, in brackets, may hold anything, brackets too.
        state, parent_id, group_id = text.rpartition(")")[2].split(maxsplit=3)[:3]
        yield Process(int(folder.name), int(parent_id), int(group_id), state)
