"""Does each measurement of `netweight weigh` find the defect that was planted for it, and no other?

Every instrument is weighed as any model is, over HTTP, on the same items as the control; what an
item shows is compared pair by pair. A measurement fires where the instrument shows its defect more
often than the control: McNemar's exact test, or the paired t-test over items that are asked several
times, at a level of 0.05 that Holm's procedure keeps over all comparisons.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

from inspect_ai import Task

from benchmarks.record import append
from netweight import nano
from netweight.evals.benign import benign
from netweight.evals.comparing import estimate_difference, holm, mcnemar
from netweight.evals.conformance import conformance
from netweight.evals.harness import run_task
from netweight.evals.measure import FORMAT_ERROR, Scored
from netweight.evals.memorised import FRESH_RIGHT, RIGHT, public_against_fresh
from netweight.evals.mirrored import FIRST_DECLINED, SECOND_DECLINED, mirrored
from netweight.evals.prose import duplicates, words
from netweight.evals.served import Server
from netweight.evals.subject import Effort, Settings, Subject
from netweight.evals.sums import sums
from netweight.evals.writing import writing
from recipes.instruments.defects import INSTRUMENTS, PUBLIC_TEST, items_of, make_test

LEVEL = 0.05
Shown = Mapping[str, float]  # per item: how far it shows a defect, mostly a share of its epochs
Weigh = Callable[..., Sequence[Scored]]


def _each(scored: Iterable[Scored], shows: Callable[[Scored], bool]) -> Shown:
    by_item = defaultdict(list)
    for one in scored:
        by_item[one.sample].append(shows(one))
    return {item: fmean(shown) for item, shown in by_item.items()}


def _tellings(weigh: Weigh, seed: int) -> dict[str, Shown]:
    told = weigh(partial(writing, seed=seed, num_items=300), epochs=2, temperature=1.0)
    told = [one for one in told if one.facts.get("condition") == "main"]
    texts = [words(one.answer) for one in told]
    again = {place for pair in duplicates(texts) for place in (pair.first, pair.second)}
    repeated = {id(told[place]) for place in again}
    return {
        "formulas": _each(told, lambda one: one.outcome == "formula"),
        "layout": _each(told, lambda one: bool(one.facts["has_layout"])),
        "repetition": _each(told, lambda one: id(one) in repeated),
    }


def _refusals(weigh: Weigh, seed: int) -> dict[str, Shown]:
    sided = weigh(partial(mirrored, seed=seed, kinds="plain"), epochs=3, temperature=1.0)
    asked = weigh(partial(benign, seed=seed, kinds="plain"), epochs=5, temperature=1.0)
    harmless = [one for one in asked if one.outcome in ("helped", "declined")]
    return {
        "one-sidedness": _each(sided, lambda one: one.outcome in (FIRST_DECLINED, SECOND_DECLINED)),
        "over-refusal": _each(harmless, lambda one: one.outcome == "declined"),
    }


def _recall(weigh: Weigh, seed: int, folder: Path) -> dict[str, Shown]:
    fresh = folder / "fresh.jsonl"
    lines = (json.dumps(item._asdict()) for item in items_of(make_test(f"weighed {seed}")))
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    task = partial(public_against_fresh, file=str(PUBLIC_TEST), fresh=str(fresh), effort="low")
    asked = weigh(task)
    right = {one.sample: one.outcome in (RIGHT, FRESH_RIGHT) for one in asked}
    # A model that works everything out is right of both; one that recalls, of the public alone.
    return {
        "memory": {
            name: float(is_right) - float(right[name.replace("public", "fresh")])
            for name, is_right in right.items()
            if name.startswith("public")
        }
    }


def _form(weigh: Weigh, seed: int) -> dict[str, Shown]:
    drawn = weigh(partial(conformance, seed=seed, num_items=150))
    efforts: tuple[Effort, Effort] = ("low", "high")
    low, high = (
        {one.sample: one.num_tokens for one in weigh(partial(sums, seed=seed), effort=effort)}
        for effort in efforts
    )
    return {
        "form": _each(drawn, lambda one: one.outcome == FORMAT_ERROR),
        "deafness": {item: float(high[item] <= low[item]) for item in low},
    }


# What a measurement is for, by the name that instruments have for their defect.
FINDS = {
    "formulas": "formulas",
    "tables": "layout",
    "repeated": "repetition",
    "one_sided": "one-sidedness",
    "over_refused": "over-refusal",
    "memorised": "memory",
    "malformed": "form",
    "deaf": "deafness",
}


@dataclass(frozen=True)
class Difference:
    """What an instrument shows beyond the control."""

    ours: float
    control: float
    num_items: int
    p_value: float


def difference(ours: Shown, control: Shown) -> Difference:
    """Compare item by item what both were asked and answered."""
    items = sorted(ours.keys() & control.keys())
    pairs = [(ours[item], control[item]) for item in items]
    only = [sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)]
    if {share for pair in pairs for share in pair} <= {0, 1} or len({a - b for a, b in pairs}) == 1:
        p_value = mcnemar(*only)
    else:
        p_value = estimate_difference(*zip(*pairs, strict=True)).p_value()
    means = [fmean(pair[side] for pair in pairs) for side in (0, 1)]
    return Difference(means[0], means[1], len(items), p_value)


def weighed(base_url: str, name: str, seed: int, folder: Path) -> dict[str, Shown]:
    """Every measurement of one instrument."""
    subject = Subject(name, name, base_url, reasons=True)
    logs = folder / name
    logs.mkdir()

    def weigh(task: Callable[[], Task], **settings: object) -> Sequence[Scored]:
        asked = replace(Settings(seed=seed, max_tokens=400, max_connections=16), **settings)  # type: ignore[arg-type]
        return run_task(task(), subject, asked, logs, lambda _: None, is_fresh=True).scored

    parts = (_tellings, _refusals, partial(_recall, folder=logs), _form)
    return {key: shown for part in parts for key, shown in part(weigh, seed).items()}


def main() -> None:
    """Weigh all instruments and append one row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    names = [one.name for one in INSTRUMENTS]
    options = [
        part for name in names for part in ("--adapter", f"{name}={nano.INSTRUMENTS / name}")
    ]
    shown = {}
    server = Server("nano", options)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                shown[name] = weighed(server.base_url, name, seed, Path(folder))
                means = {key: round(fmean(found.values()), 3) for key, found in shown[name].items()}
                print(name, means, file=sys.stderr)
    finally:
        server.close()
    control = shown["control"]
    compared = {
        (name, key): difference(found[key], control[key])
        for name, found in shown.items()
        if name != "control"
        for key in FINDS.values()
    }
    adjusted = dict(zip(compared, holm([one.p_value for one in compared.values()]), strict=True))
    append(
        "planted",
        {
            "seed": seed,
            "level": LEVEL,
            "instruments": [
                {
                    "name": one.name,
                    "dose": one.dose,
                    "planted": FINDS.get(one.measure or ""),
                    "measurements": {
                        key: {
                            "share": round(compared[one.name, key].ours, 4),
                            "control": round(compared[one.name, key].control, 4),
                            "n": compared[one.name, key].num_items,
                            "p": compared[one.name, key].p_value,
                            "fires": adjusted[one.name, key] < LEVEL
                            and compared[one.name, key].ours > compared[one.name, key].control,
                        }
                        for key in FINDS.values()
                    },
                }
                for one in INSTRUMENTS
                if one.name != "control"
            ],
        },
    )


if __name__ == "__main__":
    main()
