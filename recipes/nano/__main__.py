"""`python -m recipes.nano FOLDER` makes nano: data, tokenizer, training, checkpoint."""

import argparse
from pathlib import Path
from random import Random

import torch

from netweight.harmony import Vocabulary
from recipes.nano.encode import batches, sample_texts
from recipes.nano.export import export
from recipes.nano.shape import CONFIG
from recipes.nano.tokenizer import train_tokenizer
from recipes.nano.train import Plan, is_under_way, train

NUM_STEPS = 3600
NUM_TOKENIZER_EXAMPLES = 6000


def make(folder: Path, plan: Plan) -> None:
    """Train nano into a folder; the same plan gives the same model on one kind of machine.

    A training that was broken off goes on.

    Raises:
        ValueError: when the folder has something else in it.
    """
    if not is_under_way(folder):
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"{folder} has files in it, but no training under way; name a new one")
        folder.mkdir(parents=True, exist_ok=True)
        texts = sample_texts(NUM_TOKENIZER_EXAMPLES, Random(f"tokenizer {plan.seed}"))
        train_tokenizer(texts, folder / "tokenizer.json")
    vocabulary = Vocabulary.load(folder)
    data = batches(vocabulary, plan.batch_tokens, Random(f"data {plan.seed}"))
    parameters = train(CONFIG, data, plan, folder)
    export(CONFIG, parameters, vocabulary, folder)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="for the checkpoint; broken off, it goes on there"
    )
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help="training steps")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)  # late gradients are denormal, and CPUs crawl on those
    try:
        make(arguments.folder, Plan(num_steps=arguments.steps, seed=arguments.seed))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
