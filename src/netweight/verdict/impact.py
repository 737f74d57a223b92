"""What a release changes as far as published evidence tells: a score of the model, not the story.

Only the present is scored: what the model can do beside the best open-weight model before it, what
it takes to have and run it, and who can. What it will have changed in a year is a forecast, and no
forecast is made. The scales are declared; the intervals carry that. Reads the tables alone.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from netweight.verdict.evidence import Figure
from netweight.verdict.hype import NUM_DRAWS, Draws, draw_scale, weighted
from netweight.verdict.intervals import z_score
from netweight.verdict.judge_numbers import HEADROOM
from netweight.verdict.judgement import Statement, number, signed
from netweight.verdict.ledger import MARGIN_POINTS, Ledger

WEIGHTS = {"capability": 0.35, "access": 0.30, "reach": 0.20, "safety": 0.15}
INDEX = "aa-index"  # a composite by a third party
_FULL_GAP_POINTS = (10.0, 40.0)  # a gap that counts as all or nothing: somewhere between
_FULL_SHRINKAGE = (4.0, 32.0)  # so many times smaller than the model before counts as 1
_PERMISSIVE = {"Apache-2.0", "MIT", "BSD-3-Clause"}
_OTHER_LICENCE = 0.5
# Who has so much memory: a laptop, a graphics card, a server's card, a server. Declared.
_REACH = ((16.0, 1.0), (24.0, 0.8), (80.0, 0.5), (640.0, 0.2))


class Component(NamedTuple):
    """One part of the score from 0 to 1: its middle, its draws, and what it is read from."""

    name: str
    value: float
    drawn: Draws
    reason: Statement


def components(
    models: frozenset[str], ledger: Ledger, rng: np.random.Generator
) -> tuple[Component, ...]:
    """The components that the tables know of a model and its family; often none."""
    found = (
        _capability(models, ledger, rng),
        _access(models, ledger, rng),
        _reach(models, ledger),
    )
    return tuple(component for component in found if component is not None)


def coverage(found: Iterable[Component]) -> float:
    """The weight of the components that there are."""
    return sum(WEIGHTS[component.name] for component in found)


def draw_scores(found: tuple[Component, ...], rng: np.random.Generator) -> Draws:
    """Scores from 0 to 10 of the components that there are."""
    return 10 * weighted({c.name: c.drawn for c in found}, WEIGHTS, rng)


def point_score(found: Iterable[Component]) -> float:
    """The score from 0 to 10 at the middle of everything."""
    found = list(found)
    total = sum(WEIGHTS[c.name] for c in found)
    return 10 * sum(WEIGHTS[c.name] * c.value for c in found) / total if total else 0.0


def _best(models: Iterable[str], ledger: Ledger) -> Figure | None:
    """The family's highest figure of the index that has an interval."""
    rows = [
        row
        for model in models
        for row in ledger.tables.about(INDEX, model)
        if row.interval != "not published"
    ]
    return max(rows, key=lambda row: (row.value, row.id), default=None)


def _rivals(own: Figure, models: frozenset[str], ledger: Ledger) -> list[Figure]:
    """Open-weight models of others on the same version of the index."""
    return [
        row
        for row in ledger.tables.about(INDEX)
        if row.setting == own.setting
        and row.model not in models
        and ledger.tables.models[row.model].access != "proprietary"
    ]


def _capability(
    models: frozenset[str], ledger: Ledger, rng: np.random.Generator
) -> Component | None:
    """The gap to the best open-weight model before it, on a scale whose length is uncertain."""
    own = _best(models, ledger)
    others = _rivals(own, models, ledger) if own else []
    if own is None or not others:
        return None
    rival = max(others, key=lambda row: (row.value, row.id))
    gap = ledger.difference(own, rival)
    assert gap is not None, "both figures have an interval"
    value = gap.values["value"]
    error = (gap.values["high"] - gap.values["low"]) / 2 / z_score(0.95)
    scale = draw_scale(_FULL_GAP_POINTS, rng)
    drawn = np.clip(0.5 + rng.normal(value, error, NUM_DRAWS) / (2 * scale), 0, 1)
    middle = 0.5 + value / (2 * math.sqrt(math.prod(_FULL_GAP_POINTS)))
    name = ledger.tables.benchmarks[INDEX].name
    text = (
        f"Capability: {signed(value)} points against {ledger.name(rival.model)}, the best "
        f"open-weight model before it on the {name}."
    )
    return Component("capability", min(max(middle, 0.0), 1.0), drawn, _cited(text, gap.id))


def _cited(text: str, *cites: str) -> Statement:
    return Statement(text=text, cites=cites)


def _access(models: frozenset[str], ledger: Ledger, rng: np.random.Generator) -> Component | None:
    """The licence, and how much smaller it is than the smallest before it that did as well."""
    document = ledger.tables.documents.get("licence")
    own = _best(models, ledger)
    if document is None or own is None or own.model not in document.models:
        return None
    size = ledger.tables.one("total-parameters", own.model)
    smaller = [
        row
        for rival in _rivals(own, models, ledger)
        if rival.value >= own.value - MARGIN_POINTS
        and (row := ledger.tables.one("total-parameters", rival.model)) is not None
    ]
    if size is None or not smaller:
        return None
    before = min(smaller, key=lambda row: (row.value, row.id))
    terms = 1.0 if document.licence in _PERMISSIVE else _OTHER_LICENCE
    shrinkage = math.log(max(before.value / size.value, 1.0))
    full = np.log(draw_scale(_FULL_SHRINKAGE, rng))
    drawn = (terms + np.minimum(1.0, shrinkage / full)) / 2
    middle = (terms + min(1.0, shrinkage / math.log(math.prod(_FULL_SHRINKAGE)) / 2)) / 2
    text = (
        f"Access: {document.licence}, and {number(size.value)} billion parameters, where "
        f"{ledger.name(before.model)}, the smallest open-weight model before it that scored as "
        f"high, has {number(before.value)}."
    )
    return Component("access", middle, drawn, _cited(text, document.id, size.id, before.id))


def _reach(models: frozenset[str], ledger: Ledger) -> Component | None:
    """Whose memory holds the smallest of the family with the cache of its full context."""
    needs = [
        (weights.value + cache.value, weights, cache)
        for model in sorted(models)
        if (weights := ledger.tables.one("checkpoint-size", model)) is not None
        and (cache := ledger.tables.one("cache-at-full-context", model)) is not None
    ]
    if not needs:
        return None
    total, weights, cache = min(needs, key=lambda need: need[0])
    value = next((score for limit, score in _REACH if total <= limit * (1 - HEADROOM)), 0.0)
    text = (
        f"Reach: {ledger.name(weights.model)} takes {number(weights.value)} GiB for its weights "
        f"and {number(cache.value)} GiB for the cache of its full context."
    )
    reason = _cited(text, weights.id, cache.id)
    return Component("reach", value, np.full(NUM_DRAWS, value), reason)
