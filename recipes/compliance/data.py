"""Responses that two judges labelled, and what is left out of training by model and by question.

Reads the data file; nothing of its text goes into the repository.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from netweight.evals.compliance import Label

NUM_FOLDS = 4
# Every fourth model by name, gpt-oss-120b among them: the shipped classifier never sees these.
HELD_OUT_FOLD = 2
_JUDGES = ("label_grok_4_1_fast", "label_gpt_4o")
_LANGUAGES = {"zh_": "Chinese", "fi_": "Finnish"}
# Models that another maker tuned answer like the ones they were made of.
_MAKERS = {
    "microsoft_mai-ds-r1-fp8": "deepseek",
    "tngtech_deepseek-r1t-chimera": "deepseek",
    "openrouter_horizon-beta": "openai",  # a preview of an OpenAI model under another name
}


@dataclass(frozen=True)
class Judged:
    """One response and the labels that the judges gave it."""

    language: str
    model: str
    question: int  # translations of one question, and its like about other states, share a number
    request: str
    response: str
    labels: tuple[Label, Label]

    @property
    def shared(self) -> Label | None:
        """The label that both judges gave, or None."""
        return self.labels[0] if self.labels[0] == self.labels[1] else None

    @property
    def maker(self) -> str:
        """Whose model answered."""
        return _MAKERS.get(self.model, self.model.partition("_")[0])


def read(file: Path) -> list[Judged]:
    """Every response that both judges labelled; those that failed have an error instead."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [judged for line in lines for judged in _judged(json.loads(line))]


def _judged(row: dict[str, str]) -> Iterator[Judged]:
    labels = tuple(row.get(judge) for judge in _JUDGES)
    if not (row["response"] or "").strip() or not set(labels) <= set(get_args(Label)):
        return
    yield Judged(
        language=_LANGUAGES.get(row["set"][:3], "English"),
        model=row["model"],
        question=int(row["question_id"].rpartition("_")[2]),
        request=row["question"],
        response=row["response"],
        labels=labels,  # type: ignore[arg-type]  # the line above has checked them
    )


def folds(names: Iterable[str], num_folds: int = NUM_FOLDS) -> list[frozenset[str]]:
    """Names dealt out in order, so that no choice of ours decides who is held out."""
    ordered = sorted(set(names))
    return [frozenset(ordered[start::num_folds]) for start in range(num_folds)]
