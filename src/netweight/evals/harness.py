"""The one place that drives Inspect: a task in, its answers, outcomes and log out.

Does not know suites, checks or records. Inspect takes over a second to import, so only functions
that run a task import it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from netweight.errors import WeighError
from netweight.evals.gate import Answer
from netweight.evals.measure import INFRASTRUCTURE
from netweight.evals.subject import Settings, Subject

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import Model
    from inspect_ai.solver import TaskState

# A run in which this share of requests has failed is stopped: the rest would only wait in vain.
MAX_FAILED = 0.25
REACH_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Run:
    """What one task brought back.

    `counts` has an outcome for every sample, `infrastructure` for those that failed or were never
    asked because too many had failed. `failure` is the first failure's message.
    """

    answers: Sequence[Answer]
    counts: Counter[str]
    dataset: str
    failure: str | None
    log: Path
    started: datetime


def served_models(base_url: str, api_key: str) -> list[str]:
    """Return the names of the models that an OpenAI-compatible server offers.

    Raises:
        WeighError: nothing answers there, or not as such a server does.
    """
    import openai

    client = openai.OpenAI(
        base_url=base_url, api_key=api_key, timeout=REACH_TIMEOUT_S, max_retries=0
    )
    with client:
        try:
            return [model.id for model in client.models.list()]
        except openai.APIConnectionError as error:
            raise WeighError(
                f"no server answers at {base_url} ({error.__cause__ or error}). "
                "Is it running, and does the address end in /v1?"
            ) from error
        except (openai.APIError, ValueError, AttributeError, TypeError) as error:
            raise WeighError(
                f"{base_url}/models does not answer as an OpenAI-compatible server: {error}. "
                "The address usually ends in /v1."
            ) from error


def run_task(
    task: "Task",
    subject: Subject,
    settings: Settings,
    log_folder: Path,
    on_sample: Callable[[], None],
) -> Run:
    """Run every sample of `task` once; `on_sample` is called after each, also after a failed one.

    Raises:
        WeighError: Inspect does not know the model, or the task itself could not run.
        KeyboardInterrupt: the run was interrupted; its log keeps what was done.
    """
    from inspect_ai import eval as inspect_eval
    from inspect_ai import task_with

    async def count_sample(_: "TaskState") -> None:
        on_sample()

    started = datetime.now(UTC)
    logs = inspect_eval(
        task_with(task, cleanup=count_sample),
        model=_connect(subject),
        limit=settings.limit,
        log_dir=str(log_folder),
        display="none",
        log_level="error",  # retries are counted in the outcomes, not narrated on the terminal
        log_realtime=False,
        ctl_server=False,
        fail_on_error=MAX_FAILED,
        **_generation(settings),
    )
    if not logs or logs[0].status == "cancelled":  # Inspect takes Ctrl-C for an orderly end
        raise KeyboardInterrupt
    return _read(logs[0], started)


def _connect(subject: Subject) -> "Model":
    """Return a new Inspect model: its connections belong to one event loop, so to one run."""
    from inspect_ai._util.error import PrerequisiteError  # Inspect names it nowhere public
    from inspect_ai.model import get_model

    try:
        if subject.base_url is None:
            return get_model(subject.model, memoize=False)
        return get_model(
            f"openai-api/netweight/{subject.model}",
            base_url=subject.base_url,
            api_key=subject.api_key,
            memoize=False,
            max_retries=0,  # the client's own; Inspect's are bounded by the settings
            # Inspect never closes its client: without this, idle connections outlive the run.
            default_headers={"Connection": "close"},
        )
    except (PrerequisiteError, ValueError) as error:
        told = str(error.message if isinstance(error, PrerequisiteError) else error)
        plain = " ".join(re.sub(r"\[/?[a-z ]+\]", "", told).split())  # without terminal markup
        raise WeighError(f"Inspect cannot use the model {subject.model}: {plain}") from error


def _generation(settings: Settings) -> dict[str, Any]:
    options = {
        "seed": settings.seed,
        "max_tokens": settings.max_tokens,
        "temperature": settings.temperature,
        "reasoning_effort": settings.effort,
        "max_connections": settings.max_connections,
        "max_retries": settings.max_retries,
        "attempt_timeout": settings.attempt_timeout_s,
    }
    return {name: value for name, value in options.items() if value is not None}


def _read(log: "EvalLog", started: datetime) -> Run:
    samples = log.samples or []
    if not samples:
        told = log.error.message if log.error else log.status
        raise WeighError(f"the task {log.eval.task} could not run: {told}")
    assert log.eval.dataset.name is not None, "our tasks name their data"
    counts = Counter(_outcome(sample) for sample in samples)
    num_asked = len(log.eval.dataset.sample_ids or [])
    counts[INFRASTRUCTURE] += max(0, num_asked - len(samples))
    failures = [_failure(sample) for sample in samples if sample.error]
    return Run(
        answers=[_answer(sample) for sample in samples if not sample.error],
        counts=counts,
        dataset=log.eval.dataset.name,
        failure=failures[0] if failures else None,
        log=Path(unquote(urlparse(log.location).path)),
        started=started,
    )


def _outcome(sample: "EvalSample") -> str:
    from netweight.evals.scoring import outcome_of

    if sample.error is not None:
        assert not sample.output.choices, f"a scorer failed: {sample.error.message}"
        return INFRASTRUCTURE
    assert sample.scores is not None, "a sample without an error has a score"
    (score,) = sample.scores.values()
    return outcome_of(score)


def _failure(sample: "EvalSample") -> str:
    """Return what the last request of a failed sample met: its own error hides that in retries."""
    from inspect_ai.event import ModelEvent

    assert sample.error is not None
    met = [event.error for event in sample.events if isinstance(event, ModelEvent) and event.error]
    return (met[-1] if met else sample.error.message).strip().partition("\n")[0].rstrip(".")


def _answer(sample: "EvalSample") -> Answer:
    from inspect_ai.model import ContentReasoning

    message = sample.output.message
    parts = message.content if isinstance(message.content, list) else []
    thoughts = [part.reasoning for part in parts if isinstance(part, ContentReasoning)]
    return Answer(text=message.text, reasoning="\n".join(thoughts))
