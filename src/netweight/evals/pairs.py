"""Two runs held side by side: the same samples paired, their headlines' difference, and a verdict.

A run is read back from the folder that it was written to. Every difference is first minus second.
What is not evidence is never compared, and what was not asked alike is never called paired. Knows
records and logs; does not know pages or the terminal.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from netweight.errors import WeighError
from netweight.evals.clusters import estimate_mean, intracluster_correlation
from netweight.evals.comparing import (
    equivalence,
    estimate_difference,
    fisher,
    holm,
    mcnemar,
    newcombe,
    rate_equivalence,
    tango,
)
from netweight.evals.planning import (
    ALPHA,
    POWER,
    design_effect,
    detectable_paired,
    detectable_unpaired,
    paired_sample_size,
)
from netweight.evals.records import Record, check_record
from netweight.evals.stats import Interval, clopper_pearson

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessage

MARGIN = 0.05  # a difference that does not matter; our choice, and a reader's to change

Verdict = Literal["first better", "second better", "equivalent", "undecided"]


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
class Difference:
    """Of two headline rates; every number is of `num_items` that count in both.

    `interval` is None where `method` says why. `p_equivalent` is of the difference being beyond the
    margin; None where nothing can be said of it. `detectable` is the smallest difference that so
    many items would have shown, None when they would have shown none.
    """

    value: float
    interval: Interval | None
    method: str
    p_value: float
    test: str
    p_equivalent: float | None
    detectable: float | None
    num_items: int


@dataclass(frozen=True)
class Judgement:
    """A difference among others: its p-values by Holm over all tasks, and what they say."""

    p_value: float
    p_equivalent: float | None
    verdict: Verdict


@dataclass(frozen=True)
class TaskComparison:
    """One task in both runs; without a `difference`, `why_not` says why.

    `unpaired` says why samples have no counterpart, and is None when they have.
    """

    first: WeighedTask
    second: WeighedTask
    pairs: Sequence[Pair]
    unpaired: str | None
    why_not: str | None
    difference: Difference | None
    judgement: Judgement | None = None

    @property
    def task(self) -> str:
        """The task's name."""
        return str(self.first.facts["task"])

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
            samples = read_eval_log(str(path)).samples or []
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise WeighError(f"the log {path} cannot be read: {error}. Weigh again.") from error
        items |= {(str(sample.id), sample.epoch): _item(sample) for sample in samples}
    return sorted(items.values(), key=_place)


def _place(item: Item) -> tuple[bool, int, str, int]:
    """Numbers in their order, then names in theirs."""
    is_number = item.sample.isdecimal()
    return not is_number, int(item.sample) if is_number else 0, item.sample, item.epoch


def _item(sample: "EvalSample") -> Item:
    from netweight.evals.harness import answer_of, failure_of, kind_of_failure

    key, prompt = str(sample.id), _prompt(sample.messages, sample.input)
    if sample.error:
        failed = kind_of_failure(sample)
        return Item(key, sample.epoch, key, failed, prompt, "", "", failure_of(sample))
    assert sample.scores is not None, "a sample without an error has a score"
    (score,) = sample.scores.values()
    said = score.metadata or {}
    return Item(
        sample=key,
        epoch=sample.epoch,
        cluster=said.get("cluster") or key,
        outcome=said["outcome"],
        prompt=prompt,
        answer=sample.output.completion,
        reasoning=answer_of(sample).reasoning,
        explanation=score.explanation or "",
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
        difference = _unpaired_difference(first, second)
    elif why_not is None:
        difference = _paired_difference(pairs, first.facts, margin)
        why_not = None if difference else "no sample counts in both runs"
    return TaskComparison(first, second, pairs, unpaired, why_not, difference)


def _not_evidence(first: WeighedTask, second: WeighedTask) -> str | None:
    reasons = [
        f"the {name} run is not evidence: {each.facts['reason']}"
        for name, each in (("first", first), ("second", second))
        if not each.facts["usable"]
    ]
    return "; ".join(reasons) or None


def _judged(tasks: Sequence[TaskComparison]) -> list[TaskComparison]:
    """Give each difference its verdict; p-values are adjusted over all tasks that have one."""
    differences = [each.difference for each in tasks if each.difference]
    adjusted = iter(holm([each.p_value for each in differences]))
    equivalents = iter(
        holm([each.p_equivalent for each in differences if each.p_equivalent is not None])
    )
    judged = []
    for each in tasks:
        difference, judgement = each.difference, None
        if difference is not None:
            p_equivalent = None if difference.p_equivalent is None else next(equivalents)
            p_value = next(adjusted)
            lower_is_better = bool(each.first.headline["metric_config"]["lower_is_better"])
            is_first_better = (difference.value > 0) != lower_is_better
            verdict = _verdict(p_value, p_equivalent, is_first_better=is_first_better)
            judgement = Judgement(p_value, p_equivalent, verdict)
        judged.append(replace(each, judgement=judgement))
    return judged


def _verdict(p_value: float, p_equivalent: float | None, *, is_first_better: bool) -> Verdict:
    """A difference inside the margin does not matter, even where it is no accident."""
    if p_equivalent is not None and p_equivalent <= ALPHA:
        return "equivalent"
    if p_value > ALPHA:
        return "undecided"
    return "first better" if is_first_better else "second better"


def _paired_difference(pairs: Sequence[Pair], facts: Record, margin: float) -> Difference | None:
    """Of the pairs in which both outcomes count; None when there are none."""
    counted, hits = set(facts["counted"]), set(facts["hits"])
    both = [pair for pair in pairs if {pair.first.outcome, pair.second.outcome} <= counted]
    if not both:
        return None
    firsts = [int(pair.first.outcome in hits) for pair in both]
    seconds = [int(pair.second.outcome in hits) for pair in both]
    clusters = [pair.first.cluster for pair in both]
    if len(set(clusters)) < len(clusters):
        return _clustered_difference(firsts, seconds, clusters, margin)
    only_first = sum(one > other for one, other in zip(firsts, seconds, strict=True))
    only_second = sum(one < other for one, other in zip(firsts, seconds, strict=True))
    equal = rate_equivalence(only_first, only_second, len(both), margin=margin)
    return Difference(
        value=equal.difference,
        interval=tango(only_first, only_second, len(both)),
        method="Tango score",
        p_value=mcnemar(only_first, only_second),
        test="McNemar, exact",
        p_equivalent=equal.p_value,
        detectable=_detectable(only_first + only_second, len(both), 1.0),
        num_items=len(both),
    )


def _clustered_difference(
    firsts: Sequence[int], seconds: Sequence[int], clusters: Sequence[str], margin: float
) -> Difference:
    """Where samples share an item or a theme: the paired t-test over clusters.

    Without spread between clusters there is no t-test; then a cluster counts as one item, and the
    p-value is the sign test's over clusters.
    """
    differences = [one - other for one, other in zip(firsts, seconds, strict=True)]
    value, num_clusters = sum(differences) / len(differences), len(set(clusters))
    detectable = _detectable(
        sum(map(abs, differences)), len(differences), _design_effect(differences, clusters)
    )
    spread = estimate_difference(firsts, seconds, clusters) if num_clusters > 1 else None
    if spread is not None and spread.standard_error > 0:
        interval = spread.interval()
        return Difference(
            value=value,
            interval=Interval(max(interval.lower, -1.0), min(interval.upper, 1.0), interval.level),
            method="Student t, clustered",
            p_value=spread.p_value(),
            test="paired t, clustered",
            p_equivalent=equivalence(firsts, seconds, clusters, margin=margin).p_value,
            detectable=detectable,
            num_items=len(differences),
        )
    num_first, num_second = (num_clusters * (value * side > 0) for side in (1, -1))
    is_none = value == 0 and num_clusters > 1
    return Difference(
        value=value,
        interval=tango(0, 0, num_clusters) if is_none else None,
        method="Tango score, a cluster as one item" if is_none else "none: no spread of clusters",
        p_value=mcnemar(num_first, num_second),
        test="sign test over clusters",
        p_equivalent=rate_equivalence(0, 0, num_clusters, margin=margin).p_value
        if is_none
        else None,
        detectable=detectable,
        num_items=len(differences),
    )


def _design_effect(differences: Sequence[int], clusters: Sequence[str]) -> float:
    sizes = list(Counter(clusters).values())
    if len(sizes) < 2 or len(set(differences)) == 1:
        return design_effect(sizes, 1.0)  # nothing says how alike they are, so as if all alike
    correlation = intracluster_correlation(differences, clusters)
    return design_effect(sizes, min(max(correlation, 0.0), 1.0))


def _detectable(num_discordant: int, num_items: int, effect: float) -> float | None:
    """At the discordance seen, or at the most it may be when none was.

    Where so few items differed that even all of them on one side would show nothing, the smallest
    difference that would show by bringing as many discordant items with it.
    """
    discordance = num_discordant / num_items or clopper_pearson(0, num_items).upper
    try:
        return detectable_paired(num_items, discordance, design_effect=effect)
    except ValueError:
        return _detectable_alone(num_items, effect)


def _detectable_alone(num_items: int, effect: float) -> float | None:
    if mcnemar(floor(num_items / effect), 0) > ALPHA:  # not even if all of them differed
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        if paired_sample_size(middle, middle, design_effect=effect) > num_items:
            low = middle
        else:
            high = middle
    return high


def _unpaired_difference(first: WeighedTask, second: WeighedTask) -> Difference:
    """Of rates over different samples: Newcombe's interval, Fisher's test.

    Where samples share clusters, both take the effective numbers of items.
    """
    (hits_1, trials_1, rate_1), (hits_2, trials_2, rate_2) = (
        _effective_counts(each) for each in (first, second)
    )
    try:
        detectable = detectable_unpaired(min(trials_1, trials_2), rate_2)
    except ValueError:
        detectable = None
    counts = (hits_1, trials_1, hits_2, trials_2)
    sizes = [each.headline["score_details"]["uncertainty"] for each in (first, second)]
    is_clustered = [trials_1, trials_2] != [size["num_samples"] for size in sizes]
    return Difference(
        value=rate_1 - rate_2,
        interval=newcombe(*counts),
        method="Newcombe, at the effective number of items" if is_clustered else "Newcombe",
        p_value=fisher(*counts),
        test="Fisher, exact",
        p_equivalent=None,
        detectable=detectable,
        num_items=trials_1 + trials_2,
    )


def _effective_counts(task: WeighedTask) -> tuple[int, int, float]:
    """Hits and trials of independent items that would be as sure, and the true rate.

    E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), rounded down; where all hit or all
    miss, a cluster counts as one trial.
    """
    facts = task.facts
    counting = [item for item in task.items if item.outcome in facts["counted"]]
    hits = [int(item.outcome in facts["hits"]) for item in counting]
    clusters = [item.cluster for item in counting]
    rate, num_clusters = sum(hits) / len(hits), len(set(clusters))
    if num_clusters == len(hits):
        return sum(hits), len(hits), rate
    if rate in (0, 1) or num_clusters == 1:
        return round(rate * num_clusters), num_clusters, rate
    spread = estimate_mean(hits, clusters).standard_error
    independent = rate * (1 - rate)
    trials = max(1, floor(independent / max(spread**2, independent / len(hits))))
    return round(rate * trials), trials, rate


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Everything a program needs of a comparison, with what each pair came to."""
    return {
        "schema": "netweight-comparison/1",
        "first": _run_as_json(comparison.first),
        "second": _run_as_json(comparison.second),
        "margin": comparison.margin,
        "power": POWER,
        "alpha": ALPHA,
        "tasks": [_task_as_json(each) for each in comparison.tasks],
        "left_out": dict(comparison.left_out),
    }


def _run_as_json(run: WeighedRun) -> dict[str, Any]:
    return {"folder": str(run.folder), "model": run.model, "suite": run.suite}


def _task_as_json(each: TaskComparison) -> dict[str, Any]:
    metric = each.first.headline["metric_config"]
    return {
        "task": each.task,
        "task_version": each.first.facts["task_version"],
        "metric": metric["metric_id"],
        "lower_is_better": metric["lower_is_better"],
        "first": each.first.headline["score_details"],
        "second": each.second.headline["score_details"],
        "usable": [each.first.facts["usable"], each.second.facts["usable"]],
        "paired": each.unpaired is None,
        "why_unpaired": each.unpaired,
        "why_not_compared": each.why_not,
        "difference": each.difference and _difference_as_json(each.difference),
        "p_value_holm": each.judgement and each.judgement.p_value,
        "p_equivalent_holm": each.judgement and each.judgement.p_equivalent,
        "verdict": each.judgement and each.judgement.verdict,
        "items": [
            {
                "sample": pair.first.sample,
                "epoch": pair.first.epoch,
                "first": pair.first.outcome,
                "second": pair.second.outcome,
            }
            for pair in each.pairs
        ],
        "num_alone": list(each.num_alone),
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    told = {name: value for name, value in vars(difference).items() if name != "interval"}
    interval = difference.interval
    return told | {"interval": interval and interval._asdict()}
