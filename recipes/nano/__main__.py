"""`python -m recipes.nano FOLDER` makes nano: data, tokenizer, training, checkpoint.

Training has two rounds. The second begins with the checkpoint of the first, learns more slowly, and
sees more of what is hard. FOLDER/first keeps the first round.
"""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import torch

from netweight.harmony import Vocabulary
from recipes.nano.conversations import LATER_SHARES, SHARES
from recipes.nano.encode import batches, sample_texts
from recipes.nano.export import export, parameters_of
from recipes.nano.shape import CONFIG
from recipes.nano.tokenizer import train_tokenizer
from recipes.nano.train import Plan, is_under_way, train

NUM_STEPS = 3000
NUM_LATER_STEPS = 900
NUM_TOKENIZER_EXAMPLES = 20_000
_LATER_RATE = 0.6  # of the first round's peak rates


def make(folder: Path, plan: Plan, num_later_steps: int) -> None:
    """Train nano into a folder; the same plan gives the same model on one kind of machine.

    A training that was broken off goes on.

    Raises:
        ValueError: when the folder has something else in it, or there is nothing to learn.
    """
    if min(plan.num_steps, num_later_steps) < 1:
        raise ValueError(
            f"{plan.num_steps} and {num_later_steps} steps are no training; each round takes one "
            "at least"
        )
    first = folder / "first"
    if not first.exists():
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"{folder} has files in it, but no training under way; name a new one")
        first.mkdir(parents=True)
        texts = sample_texts(NUM_TOKENIZER_EXAMPLES, Random(f"tokenizer {plan.seed}"))
        train_tokenizer(texts, first / "tokenizer.json")
    if not _is_made(first):
        _round(first, plan, SHARES, first)
    if _is_made(folder):
        raise ValueError(f"{folder} has a model already; name a new folder")
    if not is_under_way(folder):
        for name in ("tokenizer.json", "training.jsonl"):
            shutil.copy(first / name, folder)
    later = replace(
        plan,
        num_steps=num_later_steps,
        peak_learning_rate=_LATER_RATE * plan.peak_learning_rate,
        peak_muon_rate=_LATER_RATE * plan.peak_muon_rate,
    )
    _round(folder, later, LATER_SHARES, first)


def _is_made(folder: Path) -> bool:
    return (folder / "tokenizer_config.json").exists()  # written last


def _round(folder: Path, plan: Plan, shares: Mapping[str, int], first: Path) -> None:
    vocabulary = Vocabulary.load(folder)
    is_first = folder == first
    random = Random(f"{'data' if is_first else 'later'} {plan.seed}")
    data = batches(vocabulary, plan.batch_tokens, random, shares)
    begin = None if is_first else parameters_of(first)
    parameters = train(CONFIG, data, plan, folder, begin)
    export(CONFIG, parameters, vocabulary, folder)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.nano",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=Path, help="for the checkpoint; broken off, it goes on there"
    )
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help=f"({NUM_STEPS})")
    parser.add_argument(
        "--later-steps", type=int, default=NUM_LATER_STEPS, help=f"({NUM_LATER_STEPS})"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)  # late gradients are denormal, and CPUs crawl on those
    plan = Plan(arguments.steps, seed=arguments.seed)
    try:
        make(arguments.folder, plan, arguments.later_steps)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
