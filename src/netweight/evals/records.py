"""Evidence records: one measured result as one JSON file.

The format is Every Eval Ever 0.3.0 (github.com/evaleval/every_eval_ever), so that other tools read
our results; what it has no place for stands in one object named `netweight`. docs/records.md
describes it. Does not know how results are made or who reads them.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from netweight.errors import WeighError
from netweight.evals.gate import Check, reason_against
from netweight.evals.measure import Figure, Measure
from netweight.evals.provenance import Provenance
from netweight.evals.subject import Settings, Subject

Record = dict[str, Any]  # JSON as record.schema.json has it, which every writer is checked against

SCHEMA_VERSION = "0.3.0"


@dataclass(frozen=True)
class Result:
    """One task's outcome on one model, before it becomes a record."""

    measure: Measure
    dataset: str
    counts: Mapping[str, int]
    headline: Figure
    further: Sequence[Figure]
    checks: Sequence[Check]
    reasoned: bool
    logs: Sequence[Path]
    num_unasked: int = 0
    why_unasked: str | None = None


def make_record(
    result: Result,
    subject: Subject,
    settings: Settings,
    provenance: Provenance,
    *,
    suite: str,
    folder: Path,
) -> Record:
    """Return the record of `result`; `folder` is where its log's path is taken from.

    Raises:
        WeighError: the record does not follow record.schema.json.
        OSError: the log cannot be read.
    """
    finished = str(int(provenance.finished.timestamp()))
    asked = _generation_config(result, settings, provenance.command)
    record: Record = {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"netweight/{result.measure.task}/{subject.name}/{finished}",
        "evaluation_timestamp": provenance.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "retrieved_timestamp": finished,
        "source_metadata": {
            "source_name": "netweight weigh",
            "source_type": "evaluation_run",
            "source_organization_name": "whoever ran netweight",
            "evaluator_relationship": subject.evaluator,
        },
        "model_info": _model_info(subject),
        "eval_library": {
            "name": "inspect_ai",
            "version": version("inspect_ai"),
            "additional_details": {"netweight": version("netweight")},
        },
        "evaluation_results": [
            {
                **_figure(result, result.headline),
                "generation_config": asked,
                "netweight": _netweight(result, provenance, suite=suite, folder=folder),
            },
            *({**_figure(result, each), "generation_config": asked} for each in result.further),
        ],
    }
    check_record(record)
    return record


def _model_info(subject: Subject) -> Record:
    return {
        "name": subject.name,
        "id": subject.model,
        "inference_engine": {"name": subject.engine, "version": subject.engine_version},
        "additional_details": {
            "deployment_type": subject.deployment,
            "model_availability": subject.weights,
            **subject.details,
        },
    }


_RANGES: Mapping[str, tuple[int, int]] = {"proportion": (0, 1), "difference": (-1, 1)}


def _figure(result: Result, figure: Figure) -> Record:
    """One figure; Every Eval Ever wants a range where it knows the kind of scale."""
    scale = {}
    if figure.unit in _RANGES:
        least, most = _RANGES[figure.unit]
        scale = {"score_type": "continuous", "min_score": least, "max_score": most}
    uncertainty: Record = {"num_samples": figure.num_samples}
    if figure.interval is not None:
        uncertainty["confidence_interval"] = {
            "lower": figure.interval.lower,
            "upper": figure.interval.upper,
            "confidence_level": figure.interval.level,
            "method": figure.method,
        }
    return {
        "evaluation_result_id": f"{result.measure.task}/{figure.metric}",
        "evaluation_name": result.measure.task,
        "source_data": {"dataset_name": result.dataset, "source_type": "other"},
        "metric_config": {
            "evaluation_description": figure.description,
            "metric_id": figure.metric,
            "metric_unit": figure.unit,
            "lower_is_better": figure.lower_is_better,
            **scale,
        },
        "score_details": {"score": figure.value, "uncertainty": uncertainty},
    }


def _generation_config(result: Result, settings: Settings, command: str) -> Record:
    return {
        "generation_args": {
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "reasoning": result.reasoned,
            "execution_command": command,
        },
        "additional_details": {
            "seed": str(settings.seed),
            "epochs": str(settings.epochs),
            "reasoning_effort": settings.effort or "not sent",
        },
    }


def _netweight(result: Result, provenance: Provenance, *, suite: str, folder: Path) -> Record:
    reason = reason_against(result.checks)
    return {
        "task": result.measure.task,
        "task_version": result.measure.version,
        "suite": suite,
        "usable": reason is None,
        "reason": reason,
        "outcomes": {name: result.counts.get(name, 0) for name in result.measure.outcomes},
        "hits": list(result.measure.hits),
        "counted": list(result.measure.counted),
        "checks": [asdict(check) for check in result.checks],
        "machine": provenance.machine,
        "commit": provenance.commit,
        "num_unasked": result.num_unasked,
        "why_unasked": result.why_unasked,
        "logs": [
            {
                "path": log.relative_to(folder).as_posix(),
                "sha256": hashlib.sha256(log.read_bytes()).hexdigest(),
            }
            for log in result.logs
        ],
    }


def check_record(record: Record) -> None:
    """Raise WeighError, naming the place, when a record does not follow record.schema.json."""
    import jsonschema

    error = next(iter(_validator().iter_errors(record)), None)
    if error is not None:
        assert isinstance(error, jsonschema.ValidationError)
        raise WeighError(f"the evidence record is wrong at {error.json_path}: {error.message}")


@cache
def _validator() -> Any:  # noqa: ANN401 - jsonschema's validators share no public type
    import jsonschema

    schema = json.loads(files("netweight.evals").joinpath("record.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)


def record_path(folder: Path, task: str) -> Path:
    """Where the record of a task is, or would be."""
    return folder / f"{task}.json"


def write_record(record: Record, folder: Path) -> Path:
    """Check a record and write it to its place in `folder`, whole or not at all.

    Raises:
        WeighError: the record does not follow its schema, or the folder cannot be written.
    """
    check_record(record)
    path = record_path(folder, record["evaluation_results"][0]["netweight"]["task"])
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        raise WeighError(
            f"cannot write the record {path}: {error}. Choose another --out."
        ) from error
    return path


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all, over what is there."""
    draft = path.with_name(f".{path.stem}-{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
