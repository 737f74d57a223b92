"""What claims are held against: published figures, documents, and measured records.

Reads the package's own tables and record files, validates every row, and keeps the three kinds
apart. Knows nothing of stories and claims.
"""

import functools
import json
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from netweight.errors import EvidenceError

PartialDate = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]*$")]
MeasuredBy = Literal["first_party", "third_party"]


class Row(BaseModel):
    """A validated, unchangeable row; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Row):
    """Where a figure or a document was read, and when."""

    id: Slug
    title: str
    publisher: str
    url: Annotated[str, Field(pattern=r"^https://[^\s\"'<>]+$")]
    published: PartialDate
    retrieved: PartialDate


class StatedInterval(Row):
    """An interval that the publisher states; same unit as the figure."""

    half_width: float = Field(gt=0)
    level: float = Field(gt=0, lt=1)
    note: str


class Conditions(Row):
    """How the figure was measured. What is absent was not stated."""

    effort: Literal["low", "medium", "high"] | None = None
    tools: Literal["none", "with tools"] | None = None
    harness: str | None = None
    index_version: str | None = None
    date: PartialDate | None = None
    note: str | None = None

    def describe(self) -> str:
        """The conditions in words, for a table cell."""
        parts = [
            f"{self.effort} effort" if self.effort else "",
            {"none": "no tools", "with tools": "with tools"}.get(self.tools or "", ""),
            self.harness or "",
            f"index version {self.index_version}" if self.index_version else "",
            f"measured {self.date}" if self.date else "",
            self.note or "",
        ]
        return "; ".join(part for part in parts if part)


class Figure(Row):
    """One published number about one model. Percent values are 0 to 100."""

    kind: Literal["figure"] = "figure"
    id: Slug
    metric: Slug
    model: Slug
    value: float
    unit: Literal["percent", "points", "elo", "billion", "GiB"]
    correct: int | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, gt=0)
    interval: StatedInterval | Literal["not published"]
    conditions: Conditions
    measured_by: MeasuredBy
    source: Slug

    @property
    def setting(self) -> tuple[str | None, ...]:
        """What must be equal for two figures to be comparable."""
        c = self.conditions
        return (self.source, c.tools, c.harness, c.index_version)

    @model_validator(mode="after")
    def counts_agree_with_the_value(self) -> Self:
        """A count must give the published percentage, to its rounding."""
        if self.correct is None:
            return self
        if self.n is None or self.correct > self.n:
            raise ValueError("correct needs an n that is at least as large")
        if abs(100 * self.correct / self.n - self.value) > 0.051:
            raise ValueError(f"{self.correct} of {self.n} is not {self.value}%")
        return self


class Document(Row):
    """A statement that a document makes, in our words."""

    kind: Literal["document"] = "document"
    id: Slug
    models: tuple[Slug, ...]
    statement: str
    source: Slug
    licence: str | None = None


class Computed(Row):
    """A number that code derived from other records; `values` holds it as it is shown."""

    kind: Literal["computed"] = "computed"
    id: Slug
    statement: str
    values: dict[str, float]
    inputs: tuple[str, ...]
    method: str
    reading: str | None = None


class Benchmark(Row):
    """What a benchmark measures, and what it says nothing about."""

    id: Slug
    name: str
    aliases: tuple[str, ...] = Field(min_length=1)
    measures: tuple[str, ...]
    touches: tuple[
        str, ...
    ] = ()  # involved, but not measured: no error to name, no evidence either
    is_: str = Field(alias="is")
    is_not: str
    unit: Literal["percent", "points", "elo"]
    lower_is_better: bool = False
    composite: bool = False
    varies_by_set: bool = False  # several question sets under one name: their scores are not one
    part_of: Slug | None = None  # questions that another benchmark has too
    source: Slug | None = None


class KnownModel(Row):
    """A model that the tables know, by its names."""

    id: Slug
    name: str
    organisation: str
    access: Literal["open_weight", "open_weight_chinese", "proprietary"]
    aliases: tuple[str, ...] = Field(min_length=1)
    family: str | None = None
    size: str | None = None
    vendor_peer: Slug | None = None
    newer: Slug | None = None


class _ModelTable(Row):
    schema_: Literal["netweight-models/1"] = Field(alias="schema")
    models: tuple[KnownModel, ...]


class _BenchmarkTable(Row):
    schema_: Literal["netweight-benchmarks/1"] = Field(alias="schema")
    benchmarks: tuple[Benchmark, ...]


class _FigureTable(Row):
    schema_: Literal["netweight-figures/1"] = Field(alias="schema")
    version: PartialDate
    sources: tuple[Source, ...]
    documents: tuple[Document, ...]
    figures: tuple[Figure, ...]


class Published:
    """The published tables, indexed and sorted by id: the order in the file is irrelevant."""

    def __init__(
        self, models: _ModelTable, benchmarks: _BenchmarkTable, table: _FigureTable
    ) -> None:
        """Index the tables and check that they refer to one another properly."""
        self.version = table.version
        self.models = {row.id: row for row in models.models}
        self.benchmarks = {row.id: row for row in benchmarks.benchmarks}
        self.sources = {row.id: row for row in table.sources}
        self.documents = {row.id: row for row in sorted(table.documents, key=lambda row: row.id)}
        self.figures = {row.id: row for row in sorted(table.figures, key=lambda row: row.id)}
        self._check_references(table)

    def _check_references(self, table: _FigureTable) -> None:
        rows: list[Figure | Document] = [*table.figures, *table.documents]
        ids = [row.id for row in rows]
        repeated = {name for name in ids if ids.count(name) > 1}
        if repeated:
            raise EvidenceError(f"published table: ids used twice: {', '.join(sorted(repeated))}")
        for row in rows:
            if row.source not in self.sources:
                raise EvidenceError(
                    f"published table: {row.id} names no known source: {row.source}"
                )
        named = {m for row in table.documents for m in row.models} | {
            row.model for row in table.figures
        }
        if unknown := named - self.models.keys():
            raise EvidenceError(f"published table: unknown models: {', '.join(sorted(unknown))}")

    def about(self, metric: str, model: str | None = None) -> list[Figure]:
        """Figures of a metric, of one model if given, sorted by id."""
        return [
            row
            for row in self.figures.values()
            if row.metric == metric and model in (None, row.model)
        ]

    def one(self, metric: str, model: str) -> Figure | None:
        """The figure of a metric that has one value per model, or None."""
        rows = self.about(metric, model)
        assert len(rows) <= 1, f"{metric} of {model} has several figures"
        return rows[0] if rows else None


def read_table(name: str) -> dict[str, Any]:
    """One of the package's tables, as parsed JSON."""
    text = resources.files("netweight.verdict").joinpath("published", name).read_text("utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def parse_published(
    models: dict[str, Any], benchmarks: dict[str, Any], figures: dict[str, Any]
) -> Published:
    """Validate the three tables.

    Raises:
        EvidenceError: a row does not follow its schema, or refers to something unknown.
    """
    try:
        return Published(
            _ModelTable.model_validate(models),
            _BenchmarkTable.model_validate(benchmarks),
            _FigureTable.model_validate(figures),
        )
    except ValidationError as error:
        raise EvidenceError(f"published table: {first_problem(error)}") from error


@functools.cache
def published() -> Published:
    """The package's own published tables."""
    return parse_published(*map(read_table, ("models.json", "benchmarks.json", "figures.json")))


def first_problem(error: ValidationError) -> str:
    """The first thing that a schema complained about, as one line."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])
