"""Figures that others have published, to stand beside measured ones and never among them.

Each group belongs to tasks that ask for the same in kind; how it was asked differs, and the group
says in what. Counts get the interval that our own counts would have; what was published without
counts keeps what its publisher says. Knows the data file, and no result.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from netweight.evals.stats import Interval, rate_interval


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """Who published, where, and when it was read; `published` is None where no date is given."""

    id: str
    who: str
    title: str
    url: str = Field(pattern=r"^https://\S+$")
    published: str | None = Field(pattern=r"^20\d\d(-\d\d(-\d\d)?)?$")
    read: str = Field(pattern=r"^20\d\d-\d\d$")


class PublishedFigure(_Part):
    """One published rate: either hits of n, or a value in percent."""

    model: str
    conditions: str
    source: str
    hits: int | None = None
    n: int | None = None
    value: float | None = None
    half_width: float | None = None

    @model_validator(mode="after")
    def is_one_number(self) -> Self:
        """Counts have no value of their own, and a value no counts."""
        if (self.hits is None) == (self.value is None):
            raise ValueError("a figure has either hits or a value")
        if self.hits is not None and (self.n is None or not 0 <= self.hits <= self.n):
            raise ValueError(f"{self.hits} hits of {self.n} are no rate")
        if self.hits is not None and self.half_width is not None:
            raise ValueError("counts have our interval")
        return self

    @property
    def number(self) -> float:
        """In percent."""
        if self.value is not None:
            return self.value
        assert self.hits is not None and self.n is not None
        return 100 * self.hits / self.n

    @property
    def interval(self) -> Interval | None:
        """At 95%, of the counts, in percent."""
        if self.hits is None or self.n is None:
            return None
        lower, upper, level = rate_interval(self.hits, self.n)
        return Interval(100 * lower, 100 * upper, level)


class Group(_Part):
    """Figures of one kind: which tasks they belong beside, and how they were asked unlike them."""

    id: str
    tasks: tuple[str, ...]
    measures: str
    unlike: str
    figures: tuple[PublishedFigure, ...]


class _Table(_Part):
    schema_: Literal["netweight-beside/1"] = Field(alias="schema")
    sources: tuple[Source, ...]
    groups: tuple[Group, ...]

    @model_validator(mode="after")
    def sources_are_listed(self) -> Self:
        """Every figure has its source, and every source a figure."""
        listed = {source.id for source in self.sources}
        named = {figure.source for group in self.groups for figure in group.figures}
        if listed != named:
            raise ValueError(f"sources without figures, or the reverse: {sorted(listed ^ named)}")
        return self


@cache
def _table() -> _Table:
    text = files("netweight.evals").joinpath("published.json").read_text("utf-8")
    return _Table.model_validate(json.loads(text))


def groups() -> Sequence[Group]:
    """All published figures, in groups."""
    return _table().groups


def beside(task: str) -> Sequence[Group]:
    """The groups that belong beside a task; of most there are none."""
    return [group for group in groups() if task in group.tasks]


def source(figure: PublishedFigure) -> Source:
    """Where a figure was published."""
    return next(each for each in _table().sources if each.id == figure.source)
