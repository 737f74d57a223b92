"""Evidence records: what `netweight weigh` measured, read from its files and checked.

Reads the part of the record format (docs/records.md) that a verdict needs; refuses a record whose
rate, counts and interval do not agree. Does not know how anything was measured.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from netweight.errors import EvidenceError
from netweight.verdict.evidence import Row, Slug, first_problem
from netweight.verdict.intervals import wilson

MAX_RECORD_BYTES = 1_000_000


class Measured(Row):
    """One measured rate, as a verdict uses it. `score`, `low` and `high` are proportions."""

    kind: Literal["measured"] = "measured"
    id: Slug
    model: str
    task: str
    task_version: int
    description: str
    hits: int = Field(ge=0)
    n: int = Field(gt=0)
    score: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    level: float
    method: str
    lower_is_better: bool
    usable: bool
    reason: str | None
    measured_on: str
    engine: str
    command: str
    file: str
    sha256: str

    @model_validator(mode="after")
    def numbers_agree(self) -> Self:
        """The score is hits over n, and an interval that is Wilson's is the one for them."""
        if self.hits > self.n or abs(self.hits / self.n - self.score) > 1e-6:
            raise ValueError(f"{self.hits} of {self.n} outcomes is not a score of {self.score}")
        if not self.low <= self.score <= self.high:
            raise ValueError(f"[{self.low}, {self.high}] does not hold the score {self.score}")
        expected = wilson(self.hits, self.n, level=self.level)
        is_off = abs(expected.low - self.low) > 1e-4 or abs(expected.high - self.high) > 1e-4
        if self.method == "Wilson score" and is_off:
            raise ValueError(
                f"[{self.low}, {self.high}] is not the Wilson interval of {self.hits} of {self.n}"
            )
        if not self.usable and not self.reason:
            raise ValueError("a record that is not usable must say why")
        return self


class _Part(BaseModel):
    """A part of a record file; fields that no verdict uses are left to the format's schema."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Interval(_Part):
    lower: float
    upper: float
    confidence_level: float = Field(gt=0, lt=1)
    method: str


class _Uncertainty(_Part):
    confidence_interval: _Interval
    num_samples: int = Field(gt=0)


class _Score(_Part):
    score: float
    uncertainty: _Uncertainty


class _Metric(_Part):
    evaluation_description: str
    lower_is_better: bool


class _GenerationArgs(_Part):
    execution_command: str


class _Generation(_Part):
    generation_args: _GenerationArgs


class _Ours(_Part):
    task: str = Field(pattern=r"^[a-z0-9_]+$")
    task_version: int
    usable: bool
    reason: str | None
    outcomes: dict[str, int]
    hits: tuple[str, ...]
    counted: tuple[str, ...]


class _Result(_Part):
    metric_config: _Metric
    score_details: _Score
    generation_config: _Generation
    netweight: _Ours


class _Engine(_Part):
    name: str
    version: str | None = None


class _ModelInfo(_Part):
    name: str
    inference_engine: _Engine | None = None


class _Record(_Part):
    schema_version: str = Field(pattern=r"^0\.3\.")
    evaluation_id: str
    evaluation_timestamp: str
    model_info: _ModelInfo
    evaluation_results: tuple[_Result, ...] = Field(min_length=1)

    @field_validator("evaluation_results", mode="before")
    @classmethod
    def only_the_headline(cls, results: Any) -> Any:  # noqa: ANN401 - not validated yet
        """A task's further figures are for other readers."""
        return results[:1] if isinstance(results, list) else results


def read_records(folder: Path) -> tuple[Measured, ...]:
    """Every record in the folder, or in its `records` folder; sorted by model, task and time.

    Raises:
        EvidenceError: no such folder, no record in it, or a file that is not a sound record.
    """
    if not folder.is_dir():
        raise EvidenceError(
            f"there is no folder {folder}. Give the folder that `netweight weigh` wrote."
        )
    inner = folder / "records"
    files = sorted((inner if inner.is_dir() else folder).glob("*.json"))
    if not files:
        raise EvidenceError(
            f"{folder} holds no records (*.json). Give the folder that `netweight weigh` wrote."
        )
    records = [read_record(file) for file in files]
    repeated = {r.id for r in records if sum(other.id == r.id for other in records) > 1}
    if repeated:
        raise EvidenceError(
            f"{folder} holds a record twice: {', '.join(sorted(repeated))}. Remove one."
        )
    return tuple(sorted(records, key=lambda r: (r.model, r.task, r.measured_on, r.id)))


def read_record(file: Path) -> Measured:
    """One record file.

    Raises:
        EvidenceError: the file is not a record, or its numbers do not agree with one another.
    """
    try:
        if file.stat().st_size > MAX_RECORD_BYTES:
            raise EvidenceError(
                f"{file} is larger than a record: the limit is {MAX_RECORD_BYTES:,} bytes."
            )
        content = file.read_bytes()
        parsed: Any = json.loads(content)
        return _measured(_Record.model_validate(parsed), file.name, content)
    except OSError as error:
        raise EvidenceError(f"{file} cannot be read: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(f"{file} is not JSON: {error}. Weigh the model again.") from error
    except ValidationError as error:
        raise EvidenceError(f"{file} is not an evidence record: {first_problem(error)}") from error


def _measured(record: _Record, file: str, content: bytes) -> Measured:
    result = record.evaluation_results[0]
    ours, score = result.netweight, result.score_details
    engine = record.model_info.inference_engine
    interval = score.uncertainty.confidence_interval
    return Measured(
        id="measured-" + re.sub(r"[^a-z0-9.]+", "-", record.evaluation_id.lower()).strip("-"),
        model=record.model_info.name,
        task=ours.task,
        task_version=ours.task_version,
        description=result.metric_config.evaluation_description,
        hits=sum(ours.outcomes.get(name, 0) for name in ours.hits),
        n=score.uncertainty.num_samples,
        score=score.score,
        low=interval.lower,
        high=interval.upper,
        level=interval.confidence_level,
        method=interval.method,
        lower_is_better=result.metric_config.lower_is_better,
        usable=ours.usable,
        reason=ours.reason,
        measured_on=record.evaluation_timestamp,
        engine=f"{engine.name} {engine.version or ''}".strip() if engine else "not stated",
        command=result.generation_config.generation_args.execution_command,
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
    )
