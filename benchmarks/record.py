"""Rows of results: what was measured, where, by which commit, and when."""

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from netweight.evals.provenance import commit, machine

RESULTS = Path(__file__).parent / "results"


def append(question: str, measured: dict[str, object]) -> dict[str, object]:
    """Add a row to the question's results and return it; prints it as one line of JSON."""
    row = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "torch": version("torch"),
        **measured,
    }
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{question}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row))
    return row


def latest(question: str) -> dict[str, object]:
    """The newest row of a question."""
    lines = (RESULTS / f"{question}.jsonl").read_text(encoding="utf-8").splitlines()
    row: dict[str, object] = json.loads(lines[-1])
    return row


def median_seconds(work: Callable[[], object], *, num_repeats: int = 20) -> float:
    """The median time of `work` after a warm-up."""
    work()
    times = []
    for _ in range(num_repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
