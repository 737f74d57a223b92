"""What share of memory's speed does decoding reach, when both are measured moments apart?

    python -m benchmarks.bandwidth CHECKPOINT [--rounds N] [--no-record]

On a shared machine the bandwidth moves by half within minutes, so that a limit measured at one time
says little of a speed measured at another. Here reading and decoding take turns, second by second;
each stretch of decoding is a share of what was read just before and just after it.
"""

import argparse
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import append
from netweight.bench import ours
from netweight.bench.benchmark import Case
from netweight.bench.limits import num_cores, read_bandwidth
from netweight.model import Transformer
from netweight.model.budget import Dense

CONTEXT = 512
NUM_STEPS = 12  # a second or two


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    modes: tuple[Dense, ...] = ("int8", "bf16")
    row: dict[str, Any] = {"threads": num_cores(), "context": CONTEXT, "rounds": options.rounds}
    for dense in modes:
        model = ours.load(options.checkpoint, dense=dense, num_threads=num_cores())
        row["model_parameters"] = model.config.num_parameters
        row["kernels"] = model.kernels.name
        row[dense] = shares(model, dense, options.rounds)
        print(dense, row[dense], file=sys.stderr)
        del model
    if not options.no_record:
        append("bandwidth", row)


def shares(model: Transformer, dense: Dense, num_rounds: int) -> dict[str, float]:
    """Medians over the rounds; the first warms up."""
    draw = random.Random(0)
    step_bytes = Case("decode", CONTEXT).work(model.config, dense).read_bytes
    before, found = _read(), []
    for _ in range(num_rounds + 1):
        steps = [[draw.randrange(model.config.vocab_size)] for _ in range(NUM_STEPS)]
        seconds = statistics.median(ours.decode_seconds(model, CONTEXT, steps, 0)[2:])
        after = _read()
        found.append((step_bytes / seconds, (before + after) / 2))
        before = after
    rates, limits = zip(*found[1:], strict=True)
    each = sorted(rate / limit for rate, limit in found[1:])
    return {
        "decode_tokens_per_s": round(statistics.median(rates) / step_bytes, 3),
        "decode_gb_per_s": round(statistics.median(rates) / 1e9, 2),
        "read_gb_per_s": round(statistics.median(limits) / 1e9, 2),
        "share": round(statistics.median(each), 3),
        "lowest_share": round(each[0], 3),
        "highest_share": round(each[-1], 3),
    }


def _read() -> float:
    return read_bandwidth(num_cores(), num_repeats=3)


if __name__ == "__main__":
    main()
