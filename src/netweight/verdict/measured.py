"""Evidence records: what `netweight weigh` measured, read from its files and checked.

Reads the part of the record format (docs/records.md) that a verdict needs; refuses a record whose
rate, counts and interval do not agree. Does not know how anything was measured.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from netweight.errors import EvidenceError
from netweight.verdict.evidence import Row, Slug, first_problem
from netweight.verdict.intervals import wilson

MAX_RECORD_BYTES = 1_000_000
# Of a task's further figures, those that every record carries and a verdict has a use for.
CARRIED = ("answer_speed", "tokens_per_answer")
NO_INTERVAL = "none"


class CarriedFigure(Row):
    """What a task's answers cost, with its 95% interval where there is one."""

    metric: str
    unit: str
    value: float
    low: float | None = None
    high: float | None = None


class Measured(Row):
    """One measured rate, as a verdict uses it. `score`, `low` and `high` are proportions.

    Where too little was measured for an interval, `method` is "none" and the interval is everything
    from 0 to 1. `conditions` is how the model was asked, as far as the record states it.
    """

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
    conditions: str = ""
    carried: tuple[CarriedFigure, ...] = ()
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
    confidence_interval: _Interval | None = None
    num_samples: int = Field(gt=0)


class _Score(_Part):
    score: float
    uncertainty: _Uncertainty


class _Metric(_Part):
    evaluation_description: str
    lower_is_better: bool


class _GenerationArgs(_Part):
    execution_command: str
    temperature: float | None = None
    max_tokens: int | None = None


class _GenerationDetails(_Part):
    reasoning_effort: Literal["low", "medium", "high", "not sent"] | None = None


class _Generation(_Part):
    generation_args: _GenerationArgs
    additional_details: _GenerationDetails = _GenerationDetails()


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


class _FurtherMetric(_Part):
    metric_id: str
    metric_unit: str


class _FurtherUncertainty(_Part):
    confidence_interval: _Interval | None = None


class _FurtherScore(_Part):
    score: float
    uncertainty: _FurtherUncertainty


class _Further(_Part):
    metric_config: _FurtherMetric
    score_details: _FurtherScore


class _Record(_Part):
    schema_version: str = Field(pattern=r"^0\.3\.")
    evaluation_id: str
    evaluation_timestamp: str
    model_info: _ModelInfo
    evaluation_results: tuple[_Result, ...] = Field(min_length=1)
    further: tuple[_Further, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def only_what_a_verdict_uses(cls, record: Any) -> Any:  # noqa: ANN401 - not validated yet
        """The headline, and what every record carries; a task's other figures are for others."""
        results = record.get("evaluation_results") if isinstance(record, dict) else None
        if not isinstance(results, list):
            return record
        carried = [each for each in results[1:] if _is_carried(each)]
        return record | {"evaluation_results": results[:1], "further": carried}


def _is_carried(result: object) -> bool:
    metric = result.get("metric_config") if isinstance(result, dict) else None
    return isinstance(metric, dict) and metric.get("metric_id") in CARRIED


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
    interval = score.uncertainty.confidence_interval or _EVERYTHING
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
        conditions=_conditions(result.generation_config),
        carried=tuple(map(_carried, record.further)),
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
    )


_EVERYTHING = _Interval(lower=0, upper=1, confidence_level=0.95, method=NO_INTERVAL)


def _carried(further: _Further) -> CarriedFigure:
    interval = further.score_details.uncertainty.confidence_interval
    return CarriedFigure(
        metric=further.metric_config.metric_id,
        unit=further.metric_config.metric_unit,
        value=further.score_details.score,
        low=interval.lower if interval else None,
        high=interval.upper if interval else None,
    )


def _conditions(asked: _Generation) -> str:
    """How the model was asked: "effort high, temperature 0, at most 2048 tokens"."""
    effort, arguments = asked.additional_details.reasoning_effort, asked.generation_args
    said = [
        "the server\u2019s own effort" if effort == "not sent" else effort and f"effort {effort}"
    ]
    if arguments.temperature is not None:
        said.append(f"temperature {arguments.temperature:g}")
    if arguments.max_tokens is not None:
        said.append(f"at most {arguments.max_tokens} tokens")
    return ", ".join(filter(None, said))
