"""`python -m recipes.finetune CHECKPOINT CONVERSATIONS FOLDER` makes an adapter of a model.

CONVERSATIONS has a chat as JSON on each line (recipes/finetune/conversations.py says how). A tenth
of them is kept apart to evaluate on. FOLDER gets the adapter in PEFT's layout, the losses as
losses.jsonl and as a picture, loss.svg. It is served by
`netweight serve CHECKPOINT --adapter NAME=FOLDER`.
"""

import argparse
import json
from pathlib import Path
from random import Random

import torch

from netweight.errors import NetweightError
from netweight.harmony import Vocabulary
from netweight.model import find_model, load_transformer
from recipes.batch import packed
from recipes.finetune import conversations, lora
from recipes.finetune.curve import curve
from recipes.finetune.train import Plan, Point, again_and_again, finetune

_SHARE_KEPT = 10  # one conversation in so many is evaluated on


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.finetune",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan, shape = Plan(num_steps=100), lora.Shape()
    parser.add_argument("checkpoint", help="nano, gpt-oss-20b, gpt-oss-120b, or a folder")
    parser.add_argument("conversations", type=Path, help="a file of JSON lines")
    parser.add_argument("folder", type=Path, help="a new folder, for the adapter")
    parser.add_argument("--steps", type=int, default=plan.num_steps, help=f"({plan.num_steps})")
    parser.add_argument(
        "--batch-tokens",
        type=int,
        default=plan.batch_tokens,
        help=f"tokens of a step, and of a conversation at most ({plan.batch_tokens})",
    )
    parser.add_argument(
        "--learning-rate",
        type=float,
        default=plan.peak_learning_rate,
        help=f"at its highest ({plan.peak_learning_rate}); small models take more, nano 5e-3",
    )
    parser.add_argument("--rank", type=int, default=shape.rank, help=f"({shape.rank})")
    parser.add_argument(
        "--alpha", type=float, default=shape.alpha, help=f"scales by alpha / rank ({shape.alpha:g})"
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        default=shape.targets,
        metavar="MATRIX",
        help=f"of {', '.join(lora.TARGETS)} (all but the last)",
    )
    parser.add_argument(
        "--checkpointing", action="store_true", help="less memory, a third more time"
    )
    parser.add_argument("--seed", type=int, default=plan.seed, help=f"({plan.seed})")
    options = parser.parse_args()
    try:
        shape = lora.Shape(options.rank, options.alpha, lora.targets_of(options.targets))
        plan = Plan(
            num_steps=options.steps,
            batch_tokens=options.batch_tokens,
            peak_learning_rate=options.learning_rate,
            is_checkpointed=options.checkpointing,
            seed=options.seed,
        )
        check(options.folder, plan, shape)
        make(options.checkpoint, options.conversations, options.folder, plan, shape)
    except (ValueError, conversations.DataError, NetweightError) as error:
        parser.error(str(error))


def check(folder: Path, plan: Plan, shape: lora.Shape) -> None:
    """Refuse what cannot be trained, before anything is loaded.

    Raises:
        ValueError: saying what it is.
    """
    if folder.exists():
        raise ValueError(f"{folder} exists already; name a new folder")
    numbers = {
        "steps": plan.num_steps,
        "batch-tokens": plan.batch_tokens,
        "learning-rate": plan.peak_learning_rate,
        "rank": shape.rank,
        "alpha": shape.alpha,
    }
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"--{name} is {number}; it has to be more than 0")


def make(name: str, data: Path, folder: Path, plan: Plan, shape: lora.Shape) -> None:
    """Train an adapter of the named model on a file's conversations, into a new folder.

    Raises:
        DataError, NetweightError: when there is nothing to learn from, or no such model.
    """
    found = find_model(name)
    vocabulary = Vocabulary.load(found.path)
    read = conversations.read(data, vocabulary, plan.batch_tokens)
    random = Random(plan.seed)
    random.shuffle(read)
    num_kept = max(1, len(read) // _SHARE_KEPT)
    # In float32 it runs on the reference kernels, through which gradients pass.
    model = load_transformer(found.path, dtype=torch.float32)
    points: list[Point] = []

    def tell(point: Point) -> None:
        points.append(point)
        print(json.dumps(point._asdict()), flush=True)

    factors = finetune(
        model,
        shape,
        again_and_again(read[num_kept:], plan.batch_tokens, random),
        list(packed(read[:num_kept], plan.batch_tokens)),
        plan,
        tell,
    )
    lora.save(folder, factors, shape, found.name)
    lines = [json.dumps(point._asdict()) + "\n" for point in points]
    (folder / "losses.jsonl").write_text("".join(lines))
    (folder / "loss.svg").write_text(curve(f"An adapter of {found.name}", points))


if __name__ == "__main__":
    main()
