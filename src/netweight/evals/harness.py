"""The one place that drives Inspect: a task in, its answers, outcomes and log out.

Does not know suites, checks or records. Inspect takes over a second to import, so only functions
that run a task import it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse
from zipfile import BadZipFile

from netweight.errors import WeighError
from netweight.evals.budget import Budget, Gatekeeper
from netweight.evals.failures import (
    failure_of,
    has_failed_scorer,
    is_settled,
    kind_of_failure,
    scorer_failures,
)
from netweight.evals.gate import Answer
from netweight.evals.measure import INFRASTRUCTURE, Scored
from netweight.evals.subject import Settings, Subject

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import (
        ChatMessage,
        GenerateConfig,
        Model,
        ModelCall,
        ModelOutput,
    )
    from inspect_ai.solver import TaskState
    from inspect_ai.tool import ToolChoice, ToolInfo

# A run in which this share of requests has failed is stopped: the rest would only wait in vain.
MAX_FAILED = 0.25
REACH_TIMEOUT_S = 10.0
_SEEDS_APART = 1_000_003  # of two epochs, so that no run's other seeds are among them


@dataclass(frozen=True)
class Run:
    """What one task brought back, from all of its logs.

    `counts` has an outcome for every sample that was begun, and those of `FAILED` for samples that
    failed or were never asked because too many had failed. `num_unasked` are left for another time,
    for `why_unasked`. `failure` is the first failure's message.
    """

    answers: Sequence[Answer]
    scored: Sequence[Scored]
    counts: Counter[str]
    dataset: str
    failure: str | None
    logs: Sequence[Path]
    started: datetime
    num_unasked: int = 0
    why_unasked: str | None = None


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
    on_sample: Callable[[int], None],
    budget: Budget | None = None,
    *,
    is_fresh: bool = False,
) -> Run:
    """Ask what earlier logs in `log_folder` have not settled of `task`, and read all of them.

    With `is_fresh` everything is asked again, whatever there is.

    `on_sample` is called with the number of samples that are done: first with that of the earlier
    logs, and after each, also after a failed one. A log is written anew after every sample, so that
    whatever ends the run, only samples under way are lost.

    Raises:
        WeighError: Inspect does not know the model, the task itself could not run, its scorer
            failed on an answer, or an earlier log cannot be read.
        KeyboardInterrupt: the run was interrupted; its log keeps what was done.
    """
    from inspect_ai import eval as inspect_eval
    from inspect_ai import task_with

    budget = budget or Budget()
    earlier = [] if is_fresh else _earlier_logs(log_folder, task.name, _dataset_name(task))
    done = {
        (str(sample.id), sample.epoch): None
        for log in earlier
        for sample in log.samples or []
        if is_settled(sample)
    }
    num_done = len(done)
    on_sample(num_done)
    if num_done >= num_samples(task, settings):
        return _read(earlier, budget_reason=None)

    async def count_sample(state: "TaskState") -> None:
        nonlocal num_done
        num_done += 1
        budget.spend(state.token_usage)
        on_sample(num_done)

    gatekeeper = Gatekeeper(budget, done)
    logs = inspect_eval(
        task_with(task, cleanup=count_sample, early_stopping=gatekeeper),
        model=_varied_by_epoch(_connect(subject)),
        limit=settings.limit,
        epochs=settings.epochs,
        log_dir=str(log_folder),
        display="none",
        log_level="error",  # retries are counted in the outcomes, not narrated on the terminal
        log_realtime=False,
        log_buffer=1,
        ctl_server=False,
        fail_on_error=MAX_FAILED,
        **_generation(settings),
    )
    if not logs or logs[0].status == "cancelled":  # Inspect takes Ctrl-C for an orderly end
        raise KeyboardInterrupt
    return _read([*earlier, logs[0]], budget_reason=gatekeeper.reason)


def num_samples(task: "Task", settings: Settings) -> int:
    """How many samples of a task are asked, each epoch's counted."""
    size = len(task.dataset) if settings.limit is None else min(settings.limit, len(task.dataset))
    return size * settings.epochs


def num_answered(task: "Task", log_folder: Path) -> int:
    """How many samples of a task earlier logs have settled, which their summaries tell.

    Raises:
        WeighError: an earlier log cannot be read.
    """
    from inspect_ai.log import read_eval_log_sample_summaries

    done = set()
    for path in _earlier_paths(log_folder, task.name, _dataset_name(task)):
        with _named_if_broken(path):
            samples = read_eval_log_sample_summaries(str(path))
        done |= {(str(sample.id), sample.epoch) for sample in samples if is_settled(sample)}
    return len(done)


def _dataset_name(task: "Task") -> str:
    assert task.dataset.name is not None, "our tasks name their data"
    return task.dataset.name


def _earlier_logs(folder: Path, task: str, dataset: str) -> "list[EvalLog]":
    """The logs of a task that were begun before, the oldest first."""
    from inspect_ai.log import read_eval_log

    logs = []
    for path in _earlier_paths(folder, task, dataset):
        with _named_if_broken(path):
            logs.append(read_eval_log(str(path)))
    return logs


def _earlier_paths(folder: Path, task: str, dataset: str) -> Iterator[Path]:
    from inspect_ai.log import read_eval_log

    for path in sorted(folder.glob("*.eval")):
        with _named_if_broken(path):
            header = read_eval_log(str(path), header_only=True)
        if header.eval.task == task and header.eval.dataset.name == dataset:
            yield path


@contextmanager
def _named_if_broken(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise WeighError(
            f"the log {path} of an earlier run cannot be read: {error}. Remove it, and what it has "
            "is measured again."
        ) from error


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


def _varied_by_epoch(model: "Model") -> "Model":
    """Let each epoch send another seed: of one, every epoch would have the same answers."""
    from inspect_ai.log._samples import sample_active  # Inspect names it nowhere public

    generate = model.api.generate

    async def with_seed(
        input: "list[ChatMessage]",
        tools: "list[ToolInfo]",
        tool_choice: "ToolChoice",
        config: "GenerateConfig",
    ) -> "ModelOutput | tuple[ModelOutput | Exception, ModelCall]":
        active = sample_active()
        if config.seed is not None and active is not None and active.epoch > 1:
            seed = config.seed + _SEEDS_APART * (active.epoch - 1)
            config = config.model_copy(update={"seed": seed})
        return await generate(input, tools, tool_choice, config)

    model.api.generate = with_seed  # type: ignore[method-assign]
    return model


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


def _read(logs: "Sequence[EvalLog]", *, budget_reason: str | None) -> Run:
    """What all logs of a task have together; of a sample that was asked again, the last time.

    Raises:
        WeighError: there is nothing, or a scorer failed. Whether one does may hang on what an
            answer says, so a rate of the others alone would be another.
    """
    last = logs[-1]
    samples = {
        (str(sample.id), sample.epoch): sample for log in logs for sample in log.samples or []
    }
    num_planned = len(last.eval.dataset.sample_ids or []) * (last.eval.config.epochs or 1)
    if not samples and not budget_reason:
        told = last.error.message if last.error else last.status
        raise WeighError(f"the task {last.eval.task} could not run: {told}")
    assert last.eval.dataset.name is not None, "our tasks name their data"
    failed = [sample for sample in samples.values() if sample.error]
    if unscored := [sample for sample in failed if has_failed_scorer(sample)]:
        num_answers = len(samples) - len(failed) + len(unscored)
        raise WeighError(
            f"the scorer failed on {len(unscored)} of {num_answers} answers: "
            f"{scorer_failures(unscored)}. No answer is left out for what it says, or taken for a "
            f"wrong one. All are in {_path(last).parent}. Repeat the command with the same --out: "
            "what has no score is asked again, and nothing else."
        )
    model = last.eval.model
    scored = [scored_of(sample, model) for sample in samples.values() if not sample.error]
    counts = Counter(each.outcome for each in scored)
    counts.update(kind_of_failure(sample) for sample in failed)
    num_left = max(0, num_planned - len(samples))
    if not budget_reason:
        counts[INFRASTRUCTURE] += num_left
    return Run(
        answers=[answer_of(sample) for sample in samples.values() if not sample.error],
        scored=scored,
        counts=counts,
        dataset=last.eval.dataset.name,
        failure=failure_of(failed[0]) if failed else None,
        logs=[_path(log) for log in logs],
        started=datetime.fromisoformat(logs[0].eval.created).astimezone(UTC),
        num_unasked=num_left if budget_reason else 0,
        why_unasked=budget_reason if num_left else None,
    )


def _path(log: "EvalLog") -> Path:
    return Path(unquote(urlparse(log.location).path))


def scored_of(sample: "EvalSample", model: str) -> Scored:
    assert sample.scores is not None, "a sample without an error has a score"
    (score,) = sample.scores.values()
    said = score.metadata or {}
    usage = sample.model_usage.get(model)  # not of judges, which have other names
    return Scored(
        sample=str(sample.id),
        epoch=sample.epoch,
        outcome=said["outcome"],
        cluster=said.get("cluster") or str(sample.id),
        answer=sample.output.completion,
        num_tokens=usage.output_tokens if usage else 0,
        facts=said.get("facts", {}),
        seconds=sample.working_time or 0.0,
    )


def answer_of(sample: "EvalSample") -> Answer:
    from inspect_ai.model import ContentReasoning

    message = sample.output.message
    parts = message.content if isinstance(message.content, list) else []
    thoughts = [part.reasoning for part in parts if isinstance(part, ContentReasoning)]
    return Answer(text=message.text, reasoning="\n".join(thoughts))
