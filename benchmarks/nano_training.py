"""How long does nano's training take on this machine? Timed over some steps, projected to all.

The first steps are left out: they pay for memory and thread pools.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch

from benchmarks.record import append
from netweight.harmony import Vocabulary
from recipes.batch import Batch
from recipes.nano.__main__ import NUM_LATER_STEPS, NUM_STEPS
from recipes.nano.encode import batches, sample_texts
from recipes.nano.shape import CONFIG
from recipes.nano.tokenizer import train_tokenizer
from recipes.nano.train import Plan, train

NUM_WARM_UP = 10
NUM_TIMED = 100


def main() -> None:
    """Measure and append one row."""
    torch.set_flush_denormal(True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_tokenizer(sample_texts(1000, Random(0)), folder / "tokenizer.json")
        times: list[float] = []

        plan = Plan(num_steps=NUM_WARM_UP + NUM_TIMED)
        data = batches(Vocabulary.load(folder), plan.batch_tokens, Random(0))

        def timed() -> Iterator[Batch]:
            for batch in data:
                times.append(time.perf_counter())
                yield batch

        train(CONFIG, timed(), plan, folder)
    num_steps = NUM_STEPS + NUM_LATER_STEPS
    seconds = (times[-1] - times[NUM_WARM_UP]) / (NUM_TIMED - 1)
    append(
        "nano_training",
        {
            "threads": torch.get_num_threads(),
            "seconds_per_step": round(seconds, 4),
            "num_steps": num_steps,
            "projected_minutes": round(seconds * num_steps / 60, 1),
        },
    )


if __name__ == "__main__":
    main()
