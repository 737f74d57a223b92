"""How fast does the embedded model read and write, on each kernel set?

One request at a time through the engine: a prompt of 128 tokens, an answer of 128, greedy, on one
thread, as the command line runs it.
"""

import os
import sys
from functools import partial
from random import Random

from benchmarks.record import append, median_seconds
from netweight import nano
from netweight.engine import Engine, Request, Sampling
from netweight.model import load_transformer, set_num_threads
from netweight.model.kernels import select

NUM_PROMPT = 128
NUM_ANSWER = 128


def main() -> None:
    """Measure and append one row."""
    names = ("reference", select().name)
    row: dict[str, object] = {"threads": 1, "kernels": names}
    for name in names:
        os.environ["NETWEIGHT_KERNELS"] = name
        set_num_threads(1)
        engine = Engine(load_transformer(nano.FOLDER))
        random = Random(0)
        read_s = median_seconds(partial(_run, engine, random, 1), num_repeats=7)
        write_s = (
            median_seconds(partial(_run, engine, random, 1 + NUM_ANSWER), num_repeats=7) - read_s
        )
        row[f"{name}_prefill_tokens_per_s"] = round(NUM_PROMPT / read_s)
        row[f"{name}_decode_tokens_per_s"] = round(NUM_ANSWER / write_s)
        print(f"{name}: {row}", file=sys.stderr)
    append("nano_speed", row)


def _run(engine: Engine, random: Random, max_tokens: int) -> None:
    # A prompt of its own each time: what the engine has read before it does not read again.
    prompt = [random.randrange(500) for _ in range(NUM_PROMPT)]
    request = Request(prompt, Sampling(temperature=0), frozenset(), max_tokens)
    for _ in engine.generate(request):
        pass


if __name__ == "__main__":
    main()
