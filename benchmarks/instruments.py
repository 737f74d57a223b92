"""Does every instrument show its planted defect, and no other? All are measured for all of them.

An instrument shows what differs from the control by Fisher's exact test, at a level of 0.05 that is
shared out among all comparisons (Bonferroni).
"""

import argparse
import sys

from benchmarks.record import append
from netweight import nano
from recipes.instruments.defects import INSTRUMENTS
from recipes.instruments.measure import MEASURES, Examined, differs
from recipes.nano.evaluate import Speaker


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instruments", description=__doc__)
    parser.add_argument("--items", type=int, default=100, help="questions for each measure (100)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = [one.name for one in INSTRUMENTS]
    speaker = Speaker(nano.FOLDER, {name: nano.INSTRUMENTS / name for name in names})
    level = 0.05 / ((len(names) - 1) * len(MEASURES))
    measured = {}
    for name in names:
        measured[name] = Examined(speaker, name, arguments.items, arguments.seed).measured()
        print(name, {key: f"{s.num_hits}/{s.num_items}" for key, s in measured[name].items()},
              file=sys.stderr)  # fmt: skip
    control = measured["control"]
    append(
        "instruments",
        {
            "level": level,
            "instruments": [
                {
                    "name": one.name,
                    "dose": one.dose,
                    "planted": one.measure,
                    "shows": [
                        key
                        for key, score in measured[one.name].items()
                        if differs(score, control[key], level)
                    ],
                    "measures": {key: s.row() for key, s in measured[one.name].items()},
                }
                for one in INSTRUMENTS
            ],
        },
    )


if __name__ == "__main__":
    main()
