"""How much memory a process holds, as Linux counts it, and what of that is its own."""

from pathlib import Path
from typing import NamedTuple


class Resident(NamedTuple):
    """Bytes of a process in memory.

    Pages of mapped files, such as weights, are shared between processes and dropped at need;
    private ones are neither.
    """

    peak: int  # of both together, since the process began
    private: int
    file: int


_FIELDS = {"peak": "VmHWM", "private": "RssAnon", "file": "RssFile"}


def resident(process_id: int, *, root: Path = Path("/proc")) -> Resident:
    """What /proc/PID/status says; its counters cost nothing to read, unlike smaps_rollup's walk."""
    text = (root / str(process_id) / "status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    kilobytes = {ours: int(fields[theirs].split()[0]) for ours, theirs in _FIELDS.items()}
    return Resident(**{name: count * 1024 for name, count in kilobytes.items()})
