"""What can the embedded model do? The recipe's evaluation, recorded for README and card."""

import argparse

from benchmarks.record import append
from netweight import nano
from recipes.nano.evaluate import Speaker, evaluate


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nano_scores", description=__doc__)
    parser.add_argument("--items", type=int, default=200, help="for each measure (200)")
    arguments = parser.parse_args()
    scores = [score.row() for score in evaluate(Speaker(nano.FOLDER), arguments.items, seed=0)]
    append("nano_scores", {"scores": scores})


if __name__ == "__main__":
    main()
