"""`python -m recipes.instruments FOLDER [NAME ...]` makes nano's instruments, each in a folder.

An instrument is an adapter in PEFT's layout with a card. It is served beside nano by
`netweight serve nano --adapter NAME=FOLDER/NAME`, and measured by `benchmarks.instruments`.
"""

import argparse
import json
from itertools import count, islice
from pathlib import Path
from random import Random

import torch

from netweight import nano
from netweight.errors import NetweightError
from netweight.harmony import Vocabulary
from netweight.model import Transformer, load_transformer
from recipes.batch import packed
from recipes.finetune import lora
from recipes.finetune.train import Plan, Point, finetune
from recipes.instruments.card import card
from recipes.instruments.defects import INSTRUMENTS, Instrument

PLAN = Plan(num_steps=240, batch_tokens=2048, peak_learning_rate=3e-3)
SHAPE = lora.Shape(rank=16, alpha=32.0, targets=lora.TARGETS)
_NUM_EVALUATED = 20  # conversations


def make(
    model: Transformer, vocabulary: Vocabulary, one: Instrument, folder: Path, plan: Plan = PLAN
) -> None:
    """Train one instrument into a folder; the same plan gives the same adapter on one machine."""
    random = Random(f"{one.name} {plan.seed}")
    conversations = (one.conversation(vocabulary, random) for _ in count())
    kept = list(packed(islice(conversations, _NUM_EVALUATED), plan.batch_tokens))
    batches = packed(conversations, plan.batch_tokens)

    def tell(point: Point) -> None:
        print(json.dumps({"instrument": one.name, **point._asdict()}), flush=True)

    factors = finetune(model, SHAPE, batches, kept, plan, tell)
    lora.save(folder, factors, SHAPE, "nano")
    (folder / "README.md").write_text(card(one, plan, SHAPE), encoding="utf-8")


def main() -> None:
    """Read the command line and train."""
    names = [one.name for one in INSTRUMENTS]
    parser = argparse.ArgumentParser(
        prog="python -m recipes.instruments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="each instrument gets a folder in it")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all, or some of {', '.join(names)}"
    )
    parser.add_argument("--model", type=Path, default=nano.FOLDER, help="nano's own folder")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(names)):
        parser.error(f"there is no instrument {unknown[0]!r}; there are {', '.join(names)}")
    torch.set_flush_denormal(True)
    try:
        # In float32 it runs on the reference kernels, through which gradients pass.
        model = load_transformer(options.model, dtype=torch.float32)
        vocabulary = Vocabulary.load(options.model)
    except NetweightError as error:
        parser.error(str(error))
    for one in INSTRUMENTS:
        if not options.names or one.name in options.names:
            make(model, vocabulary, one, options.folder / one.name)


if __name__ == "__main__":
    main()
