"""Which tasks a suite has, and with which settings.

Knows every task. Does not run them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from inspect_ai import Task

from netweight.evals import (
    aime,
    bbq,
    benign,
    capability,
    conformance,
    fiction,
    ifeval,
    index,
    index_parts,
    instructions,
    memorised,
    mirrored,
    published_tools,
    speechmap,
    sums,
    synthetic,
    tools,
    writing,
)
from netweight.evals.measure import Measure
from netweight.evals.polyglot import task as polyglot
from netweight.evals.subject import Settings


@dataclass(frozen=True)
class Part:
    """One task of a suite; `make` may download data, and is called once the model has answered.

    Each sample is asked `repeats` times as often as the settings say.

    Raises (make):
        WeighError: what it needs is not to be had here.
    """

    measure: Measure
    make: Callable[[], Task]
    repeats: int = 1


def _quick(settings: Settings) -> Sequence[Part]:
    """Minutes on any machine, needs no data, and small models can do some of all of it."""
    seed = settings.seed
    return [
        Part(sums.MEASURE, partial(sums.sums, seed=seed)),
        Part(fiction.MEASURE, fiction.formulas_in_fiction),
        Part(capability.MEASURE, partial(capability.capability, seed=seed, num_items=30)),
        Part(tools.MEASURE, partial(tools.tools, seed=seed, num_items=24)),
        Part(instructions.MEASURE, partial(instructions.instructions, seed=seed, num_items=28)),
        Part(mirrored.MEASURE, partial(mirrored.mirrored, seed=seed, kinds="plain")),
        Part(benign.MEASURE, partial(benign.benign, seed=seed, kinds="plain")),
    ]


def _release(settings: Settings) -> Sequence[Part]:
    """What gpt-oss was argued about at its release."""
    seed, judges = settings.seed, list(settings.judges)
    judge = next(iter(judges), None)
    return [
        Part(sums.MEASURE, partial(sums.sums, seed=seed)),
        Part(capability.MEASURE, partial(capability.capability, seed=seed)),
        Part(tools.MEASURE, partial(tools.tools, seed=seed)),
        Part(instructions.MEASURE, partial(instructions.instructions, seed=seed)),
        Part(writing.MEASURE, partial(writing.writing, seed=seed, judge=judge)),
        Part(mirrored.MEASURE, partial(mirrored.mirrored, seed=seed)),
        Part(benign.MEASURE, partial(benign.benign, seed=seed)),
        Part(
            speechmap.MEASURE,
            partial(speechmap.speechmap, judges=judges, seed=seed, themes=60),
        ),
        Part(polyglot.MEASURE, polyglot.polyglot),
        Part(synthetic.MEASURE, partial(synthetic.unconditioned, seed=seed)),
        Part(memorised.MEASURE, partial(memorised.memorised, seed=seed)),
        Part(conformance.MEASURE, partial(conformance.conformance, seed=seed)),
    ]


def _full(settings: Settings) -> Sequence[Part]:
    """Everything but the index's parts, at its full size.

    What other packages hold is left out by name without them.
    """
    seed, judges = settings.seed, list(settings.judges)
    whole = {
        speechmap.MEASURE.task: Part(
            speechmap.MEASURE, partial(speechmap.speechmap, judges=judges, seed=seed)
        )
    }
    return [
        *(whole.get(part.measure.task, part) for part in _release(settings)),
        *(Part(aime.measure_of(year), partial(aime.aime, year=year)) for year in (2024, 2025)),
        Part(bbq.MEASURE, partial(bbq.bbq, seed=seed)),
        Part(synthetic.COLLAPSE_MEASURE, partial(synthetic.collapse, seed=seed)),
        Part(ifeval.MEASURE, partial(ifeval.ifeval, seed=seed)),
        Part(published_tools.BFCL_MEASURE, published_tools.bfcl),
    ]


def _index(settings: Settings) -> Sequence[Part]:
    """Artificial Analysis' Intelligence Index v2.2, as far as there are tasks for its parts."""
    makes: Mapping[str, Callable[[], Task]] = {
        "mmlu_pro": index_parts.mmlu_pro,
        "hle": partial(index_parts.hle, judge=next(iter(settings.judges), None)),
        "gpqa_diamond": index_parts.gpqa_diamond,
        "aime2025": partial(aime.aime, year=2025),
        "scicode": index_parts.scicode,
    }
    measures = {"aime2025": aime.measure_of(2025), **index_parts.MEASURES}
    return [
        Part(measures[part.task], makes[part.task], part.repeats)
        for part in index.PARTS
        if part.task is not None
    ]


SUITES: Mapping[str, Callable[[Settings], Sequence[Part]]] = {
    "quick": _quick,
    "release": _release,
    "full": _full,
    "index": _index,
}
