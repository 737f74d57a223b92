"""Linear classifiers over named features: the weights are data of the package, the sum is the rule.

Knows numbers and names of features. Does not know what the features are of.
"""

import functools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Linear:
    """Weights of features for some of the classes, as multinomial logistic regression learns them.

    `weights` gives for each feature the indices of classes with the weights they get.
    """

    classes: tuple[str, ...]
    weights: Mapping[str, tuple[tuple[int, float], ...]]

    def shares(self, features: Iterable[str]) -> dict[str, float]:
        """The probability of each class; a feature that was not seen in learning counts nothing.

        Softmax of the sums of weights, summed in the order of the features' names, so that the same
        features give the same bits.
        """
        sums = [0.0] * len(self.classes)
        for name in sorted(set(features)):
            for index, weight in self.weights.get(name, ()):
                sums[index] += weight
        highest = max(sums)
        powers = [math.exp(value - highest) for value in sums]
        return {c: p / math.fsum(powers) for c, p in zip(self.classes, powers, strict=True)}


def learned(name: str) -> Linear:
    """One of the classifiers of `published/reader.json`: "cuts", "readings" or "propositions"."""
    return all_learned()[name]


@functools.cache
def all_learned() -> dict[str, Linear]:
    """The classifiers of `published/reader.json`, by name."""
    path = resources.files("netweight.verdict").joinpath("published", "reader.json")
    tables = json.loads(path.read_text("utf-8"))
    return {
        name: Linear(tuple(table["classes"]), _weights_of(table))
        for name, table in tables.items()
        if isinstance(table, dict)
    }


def _weights_of(table: dict[str, Any]) -> dict[str, tuple[tuple[int, float], ...]]:
    return {
        feature: tuple(zip(map(int, row[::2]), row[1::2], strict=True))
        for feature, row in table["weights"].items()
    }
