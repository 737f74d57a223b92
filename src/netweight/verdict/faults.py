"""The kinds of errors that a story can make, and one error with its correction.

Knows the words only; the detectors are in the modules named faults_in_*.
"""

from typing import Literal, NamedTuple

from netweight.verdict.judgement import Statement

Kind = Literal[
    "category_error",
    "column_swap",
    "model_swap",
    "size_swap",
    "invented_number",
    "dropped_condition",
    "stale_comparator",
    "strength_inflation",
    "hedge_removed",
    "negation",
]

KIND_WORDS: dict[Kind, str] = {
    "category_error": "Benchmark for the wrong thing",
    "column_swap": "Figure from another column",
    "model_swap": "Models exchanged",
    "size_swap": "Wrong size of the model",
    "invented_number": "Number that no source holds",
    "dropped_condition": "Condition left out",
    "stale_comparator": "Rival out of date",
    "strength_inflation": "More than the source says",
    "hedge_removed": "Suspicion told as a fact",
    "negation": "Denies what the source says",
}


class Fault(NamedTuple):
    """One error of a claim, and what is right."""

    kind: Kind
    correction: Statement
