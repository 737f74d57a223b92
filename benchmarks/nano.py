"""How fast does the embedded model read and write, on each kernel set?

One request at a time through the engine: a prompt of 128 tokens, an answer of 128, greedy, two
threads at most.
"""

import os
import sys
from functools import partial

import torch

from benchmarks.record import append, median_seconds
from netweight import nano
from netweight.engine import Engine, Request, Sampling
from netweight.model import load_transformer

NUM_PROMPT = 128
NUM_ANSWER = 128


def main() -> None:
    """Measure and append one row."""
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    row: dict[str, object] = {"threads": torch.get_num_threads()}
    for name in ("reference", "cpu"):
        os.environ["NETWEIGHT_KERNELS"] = name
        engine = Engine(load_transformer(nano.FOLDER))
        prompt = [7 * index % 500 for index in range(NUM_PROMPT)]
        read_s = median_seconds(partial(_run, engine, prompt, 1), num_repeats=7)
        write_s = (
            median_seconds(partial(_run, engine, prompt, 1 + NUM_ANSWER), num_repeats=7) - read_s
        )
        row[f"{name}_prefill_tokens_per_s"] = round(NUM_PROMPT / read_s)
        row[f"{name}_decode_tokens_per_s"] = round(NUM_ANSWER / write_s)
        print(f"{name}: {row}", file=sys.stderr)
    append("nano_speed", row)


def _run(engine: Engine, prompt: list[int], max_tokens: int) -> None:
    request = Request(prompt, Sampling(temperature=0), frozenset(), max_tokens)
    for _ in engine.generate(request):
        pass


if __name__ == "__main__":
    main()
