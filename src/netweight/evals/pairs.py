"""Two runs held side by side: the same samples paired, their headlines' difference, and a verdict.

A run is read back from the folder that it was written to. Every difference is first minus second.
What is not evidence is never compared, and what was not asked alike is never called paired. Knows
records and logs; does not know pages or the terminal.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netweight.errors import WeighError
from netweight.evals.comparing import benjamini_hochberg, holm
from netweight.evals.differences import (
    Difference,
    Rate,
    Scores,
    paired_difference,
    unpaired_difference,
)
from netweight.evals.judgements import Judgement, judge
from netweight.evals.measure import Measure, Scored
from netweight.evals.paired_figures import (
    Compared,
    FigureComparison,
    Measured,
    compare_figures,
    none_compared,
)
from netweight.evals.records import Record, check_record

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessage

MARGIN = 0.05  # a difference that does not matter; our choice, and a reader's to change


@dataclass(frozen=True)
class Item:
    """One sample in one epoch, as the log has it; `explanation` is the scorer's, or the failure."""

    sample: str
    epoch: int
    cluster: str
    outcome: str
    prompt: str
    answer: str
    reasoning: str
    explanation: str
    scored: Scored | None = None  # as the task's own figures take it; None of one that failed


@dataclass(frozen=True)
class WeighedTask:
    """One task of a run: its record, and every sample that was asked."""

    record: Record
    items: Sequence[Item]

    @property
    def headline(self) -> Record:
        """The record's first result, which has the facts about the run too."""
        result = self.record["evaluation_results"][0]
        assert isinstance(result, dict)
        return result

    @property
    def facts(self) -> Record:
        """What stands under `netweight` in the headline."""
        facts = self.headline["netweight"]
        assert isinstance(facts, dict)
        return facts

    @property
    def scored(self) -> list[Scored]:
        """What was said of every sample that did not fail."""
        return [item.scored for item in self.items if item.scored is not None]


@dataclass(frozen=True)
class WeighedRun:
    """What `netweight weigh` wrote to a folder."""

    folder: Path
    tasks: Mapping[str, WeighedTask]

    @property
    def any_record(self) -> Record:
        """A record, for what all of a run's records say alike."""
        return next(iter(self.tasks.values())).record

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.any_record["model_info"]["name"])

    @property
    def suite(self) -> str:
        """The suite's name."""
        return str(next(iter(self.tasks.values())).facts["suite"])


class Pair(NamedTuple):
    """The same sample in the same epoch of both runs."""

    first: Item
    second: Item

    @property
    def differs(self) -> bool:
        """Whether the outcomes are different ones."""
        return self.first.outcome != self.second.outcome


@dataclass(frozen=True)
class TaskComparison:
    """One task in both runs; without a `difference`, `why_not` says why.

    `unpaired` says why samples have no counterpart, and is None when they have. `figures` are those
    beside the headline; `not_paired` says of each that is not among them why.
    """

    first: WeighedTask
    second: WeighedTask
    pairs: Sequence[Pair]
    unpaired: str | None
    why_not: str | None
    difference: Difference | None
    judgement: Judgement | None = None
    figures: Sequence[FigureComparison] = ()
    not_paired: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """The task's name."""
        return str(self.first.facts["task"])

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower headline is the better one."""
        return bool(self.first.headline["metric_config"]["lower_is_better"])

    @property
    def differing(self) -> list[Pair]:
        """The pairs with different outcomes."""
        return [pair for pair in self.pairs if pair.differs]

    @property
    def outcomes(self) -> Counter[tuple[str, str]]:
        """How many pairs have each outcome of the first run with each of the second."""
        return Counter((pair.first.outcome, pair.second.outcome) for pair in self.pairs)

    @property
    def num_alone(self) -> tuple[int, int]:
        """How many samples of either run have no counterpart."""
        return len(self.first.items) - len(self.pairs), len(self.second.items) - len(self.pairs)


@dataclass(frozen=True)
class Comparison:
    """Two runs, task by task; `left_out` has the tasks that cannot stand side by side, and why."""

    first: WeighedRun
    second: WeighedRun
    margin: float
    tasks: Sequence[TaskComparison]
    left_out: Mapping[str, str]


def read_run(folder: Path) -> WeighedRun:
    """Read the records in a run's folder, and every sample from the logs that they name.

    Raises:
        WeighError: there is no such folder, it has no records, or a record or log is missing,
            damaged, or not the one that was recorded.
    """
    if not folder.is_dir():
        raise WeighError(f"there is no folder {folder}. Give one that `netweight weigh` wrote.")
    paths = sorted((folder / "records").glob("*.json"))
    if not paths:
        raise WeighError(
            f"{folder} has no records: there is no JSON file in {folder / 'records'}. Give a "
            "folder that `netweight weigh` wrote, the one with records and logs in it."
        )
    records = sorted(map(_read_record, paths), key=lambda record: record["evaluation_timestamp"])
    tasks = [WeighedTask(record, _read_items(record, folder)) for record in records]
    return WeighedRun(folder, {task.facts["task"]: task for task in tasks})


def _read_record(path: Path) -> Record:
    try:
        record: Record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeighError(f"the record {path} cannot be read: {error}. Weigh again.") from error
    try:
        check_record(record)
    except WeighError as error:
        raise WeighError(f"{path}: {error}. It may be of another version; weigh again.") from error
    return record


def _read_items(record: Record, folder: Path) -> list[Item]:
    """The samples of a record's logs; of one that was asked again, the last time."""
    from zipfile import BadZipFile

    from inspect_ai.log import read_eval_log

    items: dict[tuple[str, int], Item] = {}
    for log in record["evaluation_results"][0]["netweight"]["logs"]:
        path = folder / log["path"]
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest != log["sha256"]:
                raise WeighError(
                    f"the log {path} is not the one that was recorded: its sha256 is {digest}, not "
                    f"{log['sha256']}. Bring back that log, or weigh again."
                )
            read = read_eval_log(str(path))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise WeighError(f"the log {path} cannot be read: {error}. Weigh again.") from error
        items |= {
            (str(sample.id), sample.epoch): _item(sample, read.eval.model)
            for sample in read.samples or []
        }
    return sorted(items.values(), key=_place)


def _place(item: Item) -> tuple[bool, int, str, int]:
    """Numbers in their order, then names in theirs."""
    is_number = item.sample.isdecimal()
    return not is_number, int(item.sample) if is_number else 0, item.sample, item.epoch


def _item(sample: "EvalSample", model: str) -> Item:
    from netweight.evals.failures import failure_of, kind_of_failure
    from netweight.evals.harness import answer_of, scored_of

    key, prompt = str(sample.id), _prompt(sample.messages, sample.input)
    if sample.error:
        failed = kind_of_failure(sample)
        return Item(key, sample.epoch, key, failed, prompt, "", "", failure_of(sample))
    assert sample.scores is not None, "a sample without an error has a score"
    (score,) = sample.scores.values()
    scored = scored_of(sample, model)
    return Item(
        sample=key,
        epoch=sample.epoch,
        cluster=scored.cluster,
        outcome=scored.outcome,
        prompt=prompt,
        answer=sample.output.completion,
        reasoning=answer_of(sample).reasoning,
        explanation=score.explanation or "",
        scored=scored,
    )


def _prompt(messages: "Sequence[ChatMessage]", asked: "str | Sequence[ChatMessage]") -> str:
    """What the model was given before its last answer; roles are named where there are several."""
    before = list(messages[:-1] if messages and messages[-1].role == "assistant" else messages)
    if not before:
        before = [] if isinstance(asked, str) else list(asked)
    if not before:
        return str(asked)
    if len(before) == 1:
        return before[0].text
    return "\n\n".join(f"[{message.role}]\n{_told(message)}" for message in before)


def _told(message: "ChatMessage") -> str:
    calls = getattr(message, "tool_calls", None) or []
    told = [f"calls {call.function}({json.dumps(call.arguments)})" for call in calls]
    return "\n".join([message.text, *told]).strip()


def pair(first: WeighedTask, second: WeighedTask) -> list[Pair]:
    """Pair two runs' samples of one task by sample and epoch.

    Raises:
        WeighError: they are of different tasks, versions or data, so that equal numbers are not
            equal samples.
    """
    unlike = _unlike(first, second)
    if unlike:
        raise WeighError(
            f"samples cannot be paired: the runs have different {' and '.join(unlike)}. Weigh both "
            "with one version of netweight, one suite and one --seed."
        )
    others = {(item.sample, item.epoch): item for item in second.items}
    return [
        Pair(item, others[item.sample, item.epoch])
        for item in first.items
        if (item.sample, item.epoch) in others
    ]


def _unlike(first: WeighedTask, second: WeighedTask) -> list[str]:
    """In what two runs of a task differ so that their samples are not the same."""
    compared = {
        "tasks": (first.facts["task"], second.facts["task"]),
        "task versions": (first.facts["task_version"], second.facts["task_version"]),
        "data": tuple(each.headline["source_data"]["dataset_name"] for each in (first, second)),
    }
    return [f"{name} ({one}; {other})" for name, (one, other) in compared.items() if one != other]


def compare_runs(first: WeighedRun, second: WeighedRun, *, margin: float = MARGIN) -> Comparison:
    """Compare two runs of one suite, task by task.

    Raises:
        WeighError: the suites differ, or no task can stand beside its counterpart; or the margin
            is not one.
    """
    if not 0 < margin < 1:
        raise WeighError(f"the margin is {margin}; it must lie between 0 and 1, such as {MARGIN}.")
    if first.suite != second.suite:
        raise WeighError(
            f"{first.folder} was weighed with the suite {first.suite}, {second.folder} with "
            f"{second.suite}. Weigh one of them again with the other's --suite."
        )
    left_out = {
        task: reason
        for task in dict.fromkeys([*first.tasks, *second.tasks])
        if (reason := _reason_against(first.tasks.get(task), second.tasks.get(task)))
    }
    tasks = [
        _compare(first.tasks[task], second.tasks[task], margin)
        for task in first.tasks
        if task not in left_out
    ]
    if not tasks:
        told = "; ".join(f"{task}: {reason}" for task, reason in left_out.items())
        raise WeighError(f"no task can be compared: {told}. Weigh both with one netweight.")
    return Comparison(first, second, margin, _judged(tasks), left_out)


@cache
def known_measures() -> Mapping[str, Measure]:
    """What this netweight measures, by task; of several suites' parts of a name, any."""
    from netweight.evals.subject import Settings
    from netweight.evals.suites import SUITES

    parts = [part for suite in SUITES.values() for part in suite(Settings())]
    return {part.measure.task: part.measure for part in parts}


def _reason_against(first: WeighedTask | None, second: WeighedTask | None) -> str | None:
    """Why a task cannot stand side by side at all: numbers of two versions share no row."""
    if first is None or second is None:
        return "only the second run has a figure" if first is None else "only the first run has one"
    versions = first.facts["task_version"], second.facts["task_version"]
    if versions[0] != versions[1]:
        return f"version {versions[0]} of the task in the first run, {versions[1]} in the second"
    return None


def _compare(first: WeighedTask, second: WeighedTask, margin: float) -> TaskComparison:
    unlike = _unlike(first, second)
    pairs = [] if unlike else pair(first, second)
    unpaired = f"the runs have different {' and '.join(unlike)}" if unlike else None
    why_not = _not_evidence(first, second)
    difference = None
    if why_not is None and unpaired:
        difference = unpaired_difference(_rate(first), _rate(second))
    elif why_not is None:
        difference = _paired_headline(pairs, first.facts, margin)
        why_not = None if difference else "no sample counts in both runs"
    figures, not_paired = _figures(first, second, why_not or unpaired, margin)
    return TaskComparison(
        first, second, pairs, unpaired, why_not, difference, figures=figures, not_paired=not_paired
    )


def _not_evidence(first: WeighedTask, second: WeighedTask) -> str | None:
    reasons = [
        f"the {name} run is not evidence: {each.facts['reason']}"
        for name, each in (("first", first), ("second", second))
        if not each.facts["usable"]
    ]
    return "; ".join(reasons) or None


def _figures(
    first: WeighedTask, second: WeighedTask, reason: str | None, margin: float
) -> Compared:
    """Compare the further figures, or say of each for which reason that is not done."""
    one, other = (Measured(each.record, each.scored) for each in (first, second))
    if reason:
        return none_compared(one, other, reason)
    return compare_figures(one, other, known_measures().get(first.facts["task"]), margin)


def _judged(tasks: Sequence[TaskComparison]) -> list[TaskComparison]:
    """Give each difference its verdict: headlines by Holm over all tasks, further figures apart.

    Those are many and go together, so that a share of false findings among them is kept low
    instead of the chance of a single one: Benjamini and Hochberg, over all tasks' figures.
    """
    headlines = [each for each in tasks if each.difference]
    judged = iter(
        judge(
            [each.difference for each in headlines if each.difference],
            [each.lower_is_better for each in headlines],
            holm,
        )
    )
    figures = [figure for each in tasks for figure in each.figures]
    verdicts = iter(
        judge(
            [figure.difference for figure in figures],
            [figure.lower_is_better for figure in figures],
            benjamini_hochberg,
        )
    )
    return [
        replace(
            each,
            judgement=next(judged) if each.difference else None,
            figures=[replace(figure, judgement=next(verdicts)) for figure in each.figures],
        )
        for each in tasks
    ]


def _paired_headline(pairs: Sequence[Pair], facts: Record, margin: float) -> Difference | None:
    """Of the pairs in which both outcomes count; None when there are none."""
    counted, hits = set(facts["counted"]), set(facts["hits"])
    both = [pair for pair in pairs if {pair.first.outcome, pair.second.outcome} <= counted]
    if not both:
        return None
    firsts = [int(pair.first.outcome in hits) for pair in both]
    seconds = [int(pair.second.outcome in hits) for pair in both]
    clusters = [pair.first.cluster for pair in both]
    return paired_difference(Scores(firsts, seconds, clusters), margin)


def _rate(task: WeighedTask) -> Rate:
    facts = task.facts
    counting = [item for item in task.items if item.outcome in facts["counted"]]
    return Rate(
        [int(item.outcome in facts["hits"]) for item in counting],
        [item.cluster for item in counting],
    )
