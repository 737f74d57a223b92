"""`python -m recipes.nano FOLDER` makes nano: data, tokenizer, training, checkpoint."""

import argparse
import json
import shutil
import time
from pathlib import Path
from random import Random

import torch

from netweight.harmony import Vocabulary
from recipes.nano.encode import batches, sample_texts
from recipes.nano.export import export
from recipes.nano.shape import CONFIG
from recipes.nano.tokenizer import train_tokenizer
from recipes.nano.train import Plan, train

NUM_STEPS = 3600
NUM_TOKENIZER_EXAMPLES = 6000


def make(folder: Path, plan: Plan) -> None:
    """Train nano into a new folder; the same plan gives the same model on one kind of machine."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    texts = sample_texts(NUM_TOKENIZER_EXAMPLES, Random(f"tokenizer {plan.seed}"))
    train_tokenizer(texts, folder / "tokenizer.json")
    vocabulary = Vocabulary.load(folder)
    data = batches(vocabulary, plan.batch_size, Random(f"data {plan.seed}"))
    parameters = train(CONFIG, data, plan, folder / "training.jsonl")
    export(CONFIG, parameters, vocabulary, folder)
    seconds = time.monotonic() - started
    print(json.dumps({"made": folder.name, "minutes": round(seconds / 60, 1)}))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano", description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder for the checkpoint")
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help="training steps")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder.exists():
        parser.error(f"{arguments.folder} exists already; name a new folder")
    torch.set_flush_denormal(True)  # late gradients are denormal, and CPUs crawl on those
    try:
        make(arguments.folder, Plan(num_steps=arguments.steps, seed=arguments.seed))
    except BaseException:
        shutil.rmtree(arguments.folder, ignore_errors=True)  # half a checkpoint helps nobody
        raise


if __name__ == "__main__":
    main()
