"""Scorecards: a run, or two side by side, as one HTML file that needs nothing else.

Lays out records and logs; every number on a page comes from them. What models wrote is text here
and nothing more: it is escaped, its control characters are made visible, and nothing on a page
runs or is fetched. Measures and judges nothing.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import jinja2
from markupsafe import Markup

from netweight.errors import WeighError
from netweight.evals.index import NAME, SUITE, VERSION, Composition, compose_records
from netweight.evals.measure import Figure
from netweight.evals.pairs import (
    Comparison,
    Difference,
    Item,
    Pair,
    TaskComparison,
    WeighedRun,
    WeighedTask,
    read_run,
)
from netweight.evals.planning import ALPHA, POWER
from netweight.evals.plots import Dot, Outcome, Role, dot_plot, forest_plot, outcome_bars
from netweight.evals.published import PublishedFigure, beside, source
from netweight.evals.records import Record, replace_file
from netweight.evals.stats import Interval

# A page holds so many samples of a task, and so many bytes of them in all; the logs have the rest.
MAX_SAMPLES = 200
MAX_BYTES = 2_000_000
MAX_CHARACTERS = 20_000  # of one text
MAX_LISTED = 3_000  # rows of one table
_ENTRY_BYTES = 700  # the markup around one sample

# What could reorder, hide or break the text around it: control characters, surrogates, bidi marks,
# the ends of planes. Line breaks and tabs are let be.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)

_Entry = TypeVar("_Entry")


def shown(text: str) -> str:
    """Make visible what could do something: `\\u202e` becomes `⟨U+202E⟩`; long texts are cut."""
    plain = text.replace("\r\n", "\n")
    if len(plain) > MAX_CHARACTERS:
        left = len(plain) - MAX_CHARACTERS
        plain = f"{plain[:MAX_CHARACTERS]}\u2026 [{left:,} more characters are in the log]"
    return _UNSAFE.sub(lambda match: f"\u27e8U+{ord(match.group()):04X}\u27e9", plain)


class FigureRow(NamedTuple):
    """One figure of a record, as tables show it."""

    name: str
    value: str
    interval: str
    method: str
    num_samples: str
    description: str
    is_less_better: bool


class TerminalRow(NamedTuple):
    """One figure as the terminal's table shows it; the first of a task has its name and outcomes.

    `figure` is the metric's id, indented where it is a further one.
    """

    task: str
    figure: str
    value: str
    interval: str
    num_samples: str
    outcomes: str


class IndexRow(NamedTuple):
    """One part of the index, as tables show it; `missing` says why it adds no points."""

    name: str
    weight: str
    value: str
    interval: str
    num_samples: str
    points: str
    missing: str


class _Index(NamedTuple):
    """The index as its section shows it."""

    name: str
    rows: Sequence[IndexRow]
    told: str


@dataclass(frozen=True)
class _Group(Generic[_Entry]):
    """Samples of one outcome, or pairs of one change: how many there are, and those on the page."""

    outcome: str
    total: int
    entries: Sequence[_Entry]


@dataclass(frozen=True)
class _Samples(Generic[_Entry]):
    groups: Sequence[_Group[_Entry]]
    num_shown: int
    num_left: int


@dataclass(frozen=True)
class _TaskPart:
    """One task of a scorecard."""

    id: str
    name: str
    version: int
    dataset: str
    description: str
    better: str
    reason: str | None
    notes: Sequence[str]
    plot: Markup
    mix: Markup
    rate: str
    figures: Sequence[FigureRow]
    samples: _Samples[Item]
    logs: str
    published: Sequence[Any]


class _CheckRow(NamedTuple):
    name: str
    passed: bool
    detail: str
    tasks: str


class _How(NamedTuple):
    date: str
    engine: str
    machine: str
    commit: str
    settings: str
    command: str


class _Cross(NamedTuple):
    """Counts of pairs: rows of the first run's outcomes, columns of the second's."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True)
class _PairedPart:
    """One task of a comparison."""

    id: str
    name: str
    figure: str
    description: str
    better: str
    first: str
    second: str
    difference: str
    p_value: str
    detectable: str
    verdict: str
    kind: str
    notes: Sequence[str]
    plot: Markup
    mix: Markup
    rate: str
    further: Sequence[tuple[str, str, str]]
    cross: _Cross | None
    num_pairs: int
    pairs: _Samples[Pair]
    listed: Sequence[Pair]
    published: Sequence[Any]


# Numbers as text


def value_text(value: float, unit: str) -> str:
    """A figure's value with its unit, short enough for a table."""
    match unit:
        case "proportion":
            return f"{100 * value:.1f}%"
        case "difference":
            return f"{points(value)} points"
        case "seconds":
            return f"{_short(value)} s"
        case "bytes":
            return f"{_short(value / 2**20)} MiB"
        case "score":
            return _short(value)
        case _:
            return f"{_short(value)} {unit}"


def interval_text(uncertainty: Record, unit: str) -> str:
    """An interval without its unit where the value beside it has it; "none" where there is none."""
    interval = uncertainty.get("confidence_interval")
    if interval is None:
        return "none"
    ends = [value_text(interval[end], unit) for end in ("lower", "upper")]
    if unit == "proportion":
        return f"{ends[0].removesuffix('%')} to {ends[1]}"
    return " to ".join(end.partition(" ")[0] for end in ends)


def points(value: float) -> str:
    """A difference of rates in points, with its sign; nought has none."""
    text = f"{100 * value:+.1f}".replace("-", "\u2212")
    return "0.0" if text[1:] == "0.0" else text


def p_text(p_value: float) -> str:
    """A p-value; very small ones are not told apart."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.2g}" if p_value < 0.1 else f"{p_value:.2f}"


def _short(value: float) -> str:
    """Three digits or all before the point."""
    size = abs(value)
    decimals = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{decimals}f}".replace("-", "\u2212")


def _published_text(figure: PublishedFigure) -> str:
    told = f"{figure.number:.1f}%"
    if figure.half_width is not None:
        return f"{told} \u00b1 {figure.half_width:g}"
    if figure.interval is not None:
        return f"{told} ({figure.interval.lower:.1f} to {figure.interval.upper:.1f})"
    return f"{told}, no interval"


def _words(name: str) -> str:
    return name.replace("_", " ")


# Rows


def _most_frequent(outcomes: Mapping[str, int], num_named: int = 2) -> str:
    """The commonest outcomes by name, and how many samples had another."""
    counted = sorted(outcomes.items(), key=lambda each: -each[1])
    named = [f"{count} {name}" for name, count in counted[:num_named] if count]
    others = sum(count for _, count in counted[num_named:])
    return ", ".join([*named, f"{others} other"] if others else named)


def terminal_rows(record: Record) -> list[TerminalRow]:
    """A record's figures for the terminal, the headline first."""
    rows = []
    for index, result in enumerate(record["evaluation_results"]):
        metric, row = result["metric_config"], _figure_row(result)
        facts = record["evaluation_results"][0]["netweight"]
        outcomes = _most_frequent(facts["outcomes"])
        rows.append(
            TerminalRow(
                "" if index else facts["task"],
                f"  {metric['metric_id']}" if index else metric["metric_id"],
                row.value,
                row.interval,
                row.num_samples,
                "" if index else outcomes,
            )
        )
    return rows


def _figure_row(result: Record) -> FigureRow:
    metric, details = result["metric_config"], result["score_details"]
    uncertainty = details["uncertainty"]
    return FigureRow(
        name=_words(metric["metric_id"]),
        value=value_text(details["score"], metric["metric_unit"]),
        interval=interval_text(uncertainty, metric["metric_unit"]),
        method=uncertainty.get("confidence_interval", {}).get("method", ""),
        num_samples=f"{uncertainty['num_samples']:,}",
        description=metric["evaluation_description"],
        is_less_better=metric["lower_is_better"],
    )


def index_rows(composition: Composition) -> list[IndexRow]:
    """The parts of the index; of one that was not measured all but its name and weight is empty."""
    return [
        IndexRow(
            row.part.name,
            f"{row.part.weight:.1%}",
            *(_of_figure(row.figure) if row.figure else ("", "", "")),
            "" if row.points is None else _short(row.points),
            row.missing or "",
        )
        for row in composition.rows
    ]


def _of_figure(figure: Figure) -> tuple[str, str, str]:
    """Its value, its interval, and of how many answers it is."""
    value = value_text(figure.value, figure.unit)
    if figure.interval is None:
        return value, "none", f"{figure.num_samples:,}"
    ends = [value_text(end, figure.unit) for end in figure.interval[:2]]
    return value, f"{ends[0].removesuffix('%')} to {ends[1]}", f"{figure.num_samples:,}"


def index_text(composition: Composition) -> str:
    """The index with its interval, or why there is none."""
    index = composition.index
    if index is None:
        assert composition.why_none is not None
        return f"{composition.why_none[:1].upper()}{composition.why_none[1:]}."
    interval = "no interval"
    if index.interval is not None:
        interval = f"{_short(index.interval.lower)} to {_short(index.interval.upper)}"
    return f"{NAME} v{VERSION}, recomposed: {_short(index.value)} ({interval})."


# The scorecard of a run


def write_scorecard(out: Path) -> Path:
    """Make `out`/scorecard.html from the records and logs in `out`, and return its path.

    Raises:
        WeighError: there are no records, a record or log cannot be read, or the page not written.
    """
    return _write(out / "scorecard.html", scorecard_html(read_run(out)))


def scorecard_html(run: WeighedRun) -> str:
    """The page of a run. The same run gives the same bytes."""
    left = _Allowance(len(run.tasks))
    tasks = [_task_part(task, left) for task in run.tasks.values()]
    checks = _checks(run.tasks.values())
    return _render(
        "scorecard.html.jinja",
        run=run,
        folder=run.folder.name,
        how=_how(run),
        alarms=[task for task in tasks if task.reason],
        tasks=tasks,
        index=_index(run),
        checks=checks,
        checks_passed=sum(check.passed for check in checks),
    )


def _index(run: WeighedRun) -> _Index | None:
    """The index, of a run of its suite."""
    if run.suite != SUITE:
        return None
    composition = compose_records(task.record for task in run.tasks.values())
    return _Index(f"{NAME} v{VERSION}", index_rows(composition), index_text(composition))


def _task_part(task: WeighedTask, left: "_Allowance") -> _TaskPart:
    facts, metric = task.facts, task.headline["metric_config"]
    name = facts["task"]
    samples = _choose(
        _grouped(task.items, lambda item: item.outcome, facts["outcomes"]),
        lambda item: _size(item.prompt, item.answer, item.reasoning, item.explanation),
        left.next_share(),
    )
    return _TaskPart(
        id=f"task-{name}",
        name=_words(name),
        version=facts["task_version"],
        dataset=task.headline["source_data"]["dataset_name"],
        description=metric["evaluation_description"],
        better="Less" if metric["lower_is_better"] else "More",
        reason=facts["reason"],
        notes=_notes(facts),
        plot=_rates_plot(task),
        mix=_mix([task], ["this run"]),
        rate=_rate_words(facts),
        figures=[_figure_row(result) for result in task.record["evaluation_results"]],
        samples=samples,
        logs=", ".join(log["path"] for log in facts["logs"]),
        published=beside(name),
    )


def _notes(facts: Record) -> list[str]:
    if not facts["num_unasked"]:
        return []
    return [f"{facts['num_unasked']:,} samples were not asked: {facts['why_unasked']}."]


def _rates_plot(task: WeighedTask) -> Markup:
    """The headline and every further rate, which share one axis."""
    results = task.record["evaluation_results"]
    rates = [each for each in results if each["metric_config"]["metric_unit"] == "proportion"]
    dots = [_rate_dot(each, _figure_row(each).name, task) for each in rates]
    name = task.facts["task"]
    return dot_plot(dots, identifier=f"rates-{name}", title=f"Rates of {_words(name)}")


def _rate_dot(result: Record, label: str, task: WeighedTask) -> Dot:
    details = result["score_details"]
    interval = details["uncertainty"].get("confidence_interval")
    row = _figure_row(result)
    return Dot(
        label=label,
        value=details["score"],
        lower=interval and interval["lower"],
        upper=interval and interval["upper"],
        text=f"{row.value} ({row.interval})" if interval else f"{row.value}, no interval",
        is_open=not task.facts["usable"],
    )


def _mix(tasks: Sequence[WeighedTask], names: Sequence[str]) -> Markup:
    """Outcomes that came up, those that the rate counts first."""
    facts = tasks[0].facts
    outcomes = [
        Outcome(_outcome_label(name, facts), _role(name, facts), counts)
        for name in sorted(facts["outcomes"], key=lambda name: _role_order(name, facts))
        if any(counts := [task.facts["outcomes"].get(name, 0) for task in tasks])
    ]
    name = facts["task"]
    title = f"Outcomes of {_words(name)}"
    return outcome_bars(outcomes, names, identifier=f"mix-{name}", title=title)


def _rate_words(facts: Record) -> str:
    hits, counted = (_listed(facts[name]) for name in ("hits", "counted"))
    return f"The headline counts {hits}, out of {counted}. Outcomes set apart are not in it."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _role(outcome: str, facts: Record) -> Role:
    if outcome in facts["hits"]:
        return "hit"
    return "counted" if outcome in facts["counted"] else "apart"


def _role_order(outcome: str, facts: Record) -> int:
    return ("hit", "counted", "apart").index(_role(outcome, facts))


def _outcome_label(outcome: str, facts: Record) -> str:
    return f"{outcome}, apart" if _role(outcome, facts) == "apart" else outcome


def _checks(tasks: Iterable[WeighedTask]) -> list[_CheckRow]:
    """Every check once, with the tasks that it was made for; failed ones first."""
    seen: dict[tuple[str, bool, str], list[str]] = {}
    for task in tasks:
        for check in task.facts["checks"]:
            key = (check["name"], check["passed"], check["detail"])
            seen.setdefault(key, []).append(_words(task.facts["task"]))
    rows = [_CheckRow(*key, ", ".join(names)) for key, names in seen.items()]
    return sorted(rows, key=lambda row: row.passed)


def _how(run: WeighedRun) -> _How:
    facts = dict(_run_facts(run))
    asked = ("Temperature", "Most tokens", "Reasoning effort", "Seed", "Epochs")
    return _How(
        date=facts["Date"],
        engine=facts["Engine"],
        machine=facts["Machine"],
        commit=facts["Commit"],
        settings=", ".join(f"{name.lower()} {facts[name]}" for name in asked).capitalize(),
        command=facts["Command"],
    )


def _run_facts(run: WeighedRun) -> list[tuple[str, str]]:
    """What a reader needs to know of how a run was made; a resumed one may have two of a kind."""
    merged: dict[str, list[str]] = {}
    for task in run.tasks.values():
        for name, value in _record_facts(task.record):
            merged.setdefault(name, []).append(value)
    return [(name, " and ".join(dict.fromkeys(values))) for name, values in merged.items()]


def _record_facts(record: Record) -> list[tuple[str, str]]:
    result, model = record["evaluation_results"][0], record["model_info"]
    asked, engine = result["generation_config"], model["inference_engine"]
    arguments, details = asked["generation_args"], dict(asked["additional_details"])
    temperature = arguments["temperature"]
    facts = [
        ("Model", model["name"]),
        ("Known to its server as", model["id"]),
        ("Engine", f"{engine['name']} {engine['version']}"),
        ("Machine", result["netweight"]["machine"]),
        ("Commit", _short_commit(result["netweight"]["commit"])),
        ("Date", record["evaluation_timestamp"][:10]),
        ("Temperature", "not sent" if temperature is None else f"{temperature:g}"),
        ("Most tokens", f"{arguments['max_tokens']:,}"),
        ("Reasoning effort", details.pop("reasoning_effort")),
        ("Seed", details.pop("seed")),
        ("Epochs", details.pop("epochs", "1")),
    ]
    facts += [(_words(name).capitalize(), value) for name, value in sorted(details.items())]
    extra = sorted(model["additional_details"].items())
    facts += [(_words(name).capitalize(), value) for name, value in extra]
    return [*facts, ("Command", arguments["execution_command"])]


def _short_commit(commit: str | None) -> str:
    """Twelve digits, and whether the source was changed."""
    if commit is None:
        return "not known"
    digits, _, dirty = commit.partition("-")
    return f"{digits[:12]}-{dirty}" if dirty else digits[:12]


# Which samples a page holds


class _Allowance:
    """Bytes for samples, shared out evenly; what a task leaves over goes to those that follow."""

    def __init__(self, num_tasks: int) -> None:
        self._left, self._num_tasks = MAX_BYTES, num_tasks

    def next_share(self) -> "_Share":
        share = _Share(self, self._left // max(self._num_tasks, 1))
        self._num_tasks -= 1
        return share

    def spend(self, num_bytes: int) -> None:
        self._left -= num_bytes


@dataclass
class _Share:
    """What one task's samples may take."""

    _allowance: _Allowance
    num_bytes: int

    def take(self, num_bytes: int) -> bool:
        """Whether so much is left; if so, it is taken."""
        if num_bytes > self.num_bytes:
            return False
        self.num_bytes -= num_bytes
        self._allowance.spend(num_bytes)
        return True


def _size(*texts: str) -> int:
    return _ENTRY_BYTES + sum(len(str(Markup.escape(shown(text))).encode()) for text in texts)


def _grouped(
    entries: Iterable[_Entry], key: Callable[[_Entry], str], order: Iterable[str]
) -> dict[str, list[_Entry]]:
    """Entries by outcome, in the order of tables."""
    groups: dict[str, list[_Entry]] = {name: [] for name in order}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return {name: group for name, group in groups.items() if group}


def _choose(
    groups: Mapping[str, Sequence[_Entry]], size: Callable[[_Entry], int], share: _Share
) -> _Samples[_Entry]:
    """Choose what fits, the rarer outcomes first: those are what a reader looks for."""
    chosen: dict[str, list[_Entry]] = {}
    room = MAX_SAMPLES
    for name in sorted(groups, key=lambda name: len(groups[name])):
        chosen[name] = []
        for entry in islice(groups[name], room):
            if not share.take(size(entry)):
                break
            chosen[name].append(entry)
        room -= len(chosen[name])
    num_shown = sum(map(len, chosen.values()))
    return _Samples(
        [_Group(name, len(entries), chosen[name]) for name, entries in groups.items()],
        num_shown,
        sum(map(len, groups.values())) - num_shown,
    )


# The page of a comparison


_VERDICTS = {
    "first better": ("A better", "good"),
    "second better": ("B better", "good"),
    "equivalent": ("equivalent", "good"),
    "undecided": ("undecided", "open"),
}


def verdict_text(each: TaskComparison) -> str:
    """The verdict in a word or two."""
    return _VERDICTS[each.judgement.verdict][0] if each.judgement else "not compared"


def difference_text(difference: Difference) -> str:
    """A difference in points, with its interval."""
    value = points(difference.value)
    if difference.interval is None:
        return f"{value}, no interval"
    return f"{value} ({ends_text(difference.interval)})"


def ends_text(interval: Interval) -> str:
    """The ends of a difference's interval, in points."""
    return f"{points(interval.lower)} to {points(interval.upper)}"


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Write the page of a comparison.

    Raises:
        WeighError: it cannot be written.
    """
    return _write(path, comparison_html(comparison))


def comparison_html(comparison: Comparison) -> str:
    """The page of a comparison. The same one gives the same bytes."""
    left = _Allowance(len(comparison.tasks))
    runs = (comparison.first, comparison.second)
    facts = [dict(_run_facts(run)) for run in runs]
    alarms = [(_words(task.task), task.why_not) for task in comparison.tasks if task.why_not]
    alarms += [(_words(name), reason) for name, reason in comparison.left_out.items()]
    return _render(
        "comparison.html.jinja",
        first=comparison.first,
        second=comparison.second,
        dates=" and ".join(dict.fromkeys(each["Date"] for each in facts)),
        alarms=alarms,
        num_tasks=len(comparison.tasks) + len(comparison.left_out),
        num_compared=sum(task.judgement is not None for task in comparison.tasks),
        lede=lede(comparison),
        forest=_forest(comparison),
        margin=f"{100 * comparison.margin:g}",
        tasks=[_paired_part(task, left) for task in comparison.tasks],
        how=[
            (name, *(each.get(name, "not recorded") for each in facts))
            for name in dict.fromkeys([*facts[0], *facts[1]])
        ],
        alpha=ALPHA,
    )


def lede(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    verdicts = Counter(
        _VERDICTS[task.judgement.verdict][0] for task in comparison.tasks if task.judgement
    )
    num_compared = verdicts.total()
    if not num_compared:
        return "No task could be compared."
    tasks = "task" if num_compared == 1 else "tasks"
    return (
        f"Of {num_compared} {tasks} compared, A is better in {verdicts['A better']} and B in "
        f"{verdicts['B better']}; {verdicts['equivalent']} are equivalent, within "
        f"{100 * comparison.margin:g} points, and {verdicts['undecided']} undecided."
    )


def _forest(comparison: Comparison) -> Markup | None:
    """Every difference that has an interval, those where more is better apart from the rest."""
    dots = [_difference_dot(each) for each in comparison.tasks if each.difference]
    dots.sort(key=lambda dot: dot.group, reverse=True)
    if not dots:
        return None
    return forest_plot(
        dots,
        identifier="forest",
        title="Differences, A less B, in points with 95% intervals; the band is the margin",
        margin=comparison.margin,
        names=("A", "B"),
    )


def _difference_dot(each: TaskComparison) -> Dot:
    assert each.difference is not None and each.judgement is not None
    interval = each.difference.interval
    is_less = each.first.headline["metric_config"]["lower_is_better"]
    return Dot(
        label=_words(each.task),
        value=each.difference.value,
        lower=interval and interval.lower,
        upper=interval and interval.upper,
        text=difference_text(each.difference),
        is_open=each.judgement.verdict == "undecided",
        group="Less is better" if is_less else "More is better",
    )


def _paired_part(each: TaskComparison, left: _Allowance) -> _PairedPart:
    metric = each.first.headline["metric_config"]
    rows = [_figure_row(task.headline) for task in (each.first, each.second)]
    kind = _VERDICTS[each.judgement.verdict][1] if each.judgement else "bad"
    differing = _grouped(each.differing, _change, ())
    pairs = _choose(differing, _pair_size, left.next_share())
    return _PairedPart(
        id=f"task-{each.task}",
        name=_words(each.task),
        figure=rows[0].name,
        description=metric["evaluation_description"],
        better="Less" if metric["lower_is_better"] else "More",
        first=f"{rows[0].value} of {rows[0].num_samples}",
        second=f"{rows[1].value} of {rows[1].num_samples}",
        difference=difference_text(each.difference) if each.difference else "not compared",
        p_value=p_text(each.judgement.p_value) if each.judgement else "",
        detectable=_detectable_text(each.difference),
        verdict=verdict_text(each),
        kind=kind,
        notes=_comparison_notes(each),
        plot=dot_plot(
            [_rate_dot(task.headline, name, task) for name, task in _named(each)],
            identifier=f"rates-{each.task}",
            title=f"{_words(each.task)}: {rows[0].name} of A and of B",
        ),
        mix=_mix([each.first, each.second], ["A", "B"]),
        rate=_rate_words(each.first.facts),
        further=_further(each),
        cross=_cross(each) if each.pairs else None,
        num_pairs=len(each.pairs),
        pairs=pairs,
        listed=each.pairs[:MAX_LISTED],
        published=beside(each.task),
    )


def _further(each: TaskComparison) -> list[tuple[str, str, str]]:
    """Every figure but the headline, of A and of B."""
    firsts, seconds = (
        {row.name: row for row in map(_figure_row, task.record["evaluation_results"][1:])}
        for _, task in _named(each)
    )
    return [
        (name, _with_interval(firsts.get(name)), _with_interval(seconds.get(name)))
        for name in dict.fromkeys([*firsts, *seconds])
    ]


def _with_interval(row: FigureRow | None) -> str:
    if row is None:
        return "no figure"
    interval = "no interval" if row.interval == "none" else row.interval
    return f"{row.value} ({interval}), of {row.num_samples}"


def _named(each: TaskComparison) -> list[tuple[str, WeighedTask]]:
    return [("A", each.first), ("B", each.second)]


def _change(pair: Pair) -> str:
    return f"A {pair.first.outcome}, B {pair.second.outcome}"


def _pair_size(pair: Pair) -> int:
    first, second = pair
    return _size(first.prompt) + sum(
        _size(item.answer, item.reasoning, item.explanation) for item in (first, second)
    )


def _detectable_text(difference: Difference | None) -> str:
    if difference is None:
        return ""
    if difference.detectable is None:
        return "none"
    return f"{100 * difference.detectable:.1f} points"


def _comparison_notes(each: TaskComparison) -> list[str]:
    notes = []
    if each.why_not:
        notes.append(f"Not compared: {each.why_not}.")
    if each.unpaired:
        notes.append(f"Not paired: {each.unpaired}, so the rates are compared as of other samples.")
    elif any(each.num_alone):
        alone = [
            f"{count:,} only in {name}" for count, name in zip(each.num_alone, "AB", strict=True)
        ]
        notes.append(f"Samples without a counterpart are left out: {', '.join(alone)}.")
    for name, task in _named(each):
        notes += [f"{name}: {note}" for note in _notes(task.facts)]
    if each.difference:
        notes.append(_difference_note(each, each.difference))
    return notes


def _difference_note(each: TaskComparison, difference: Difference) -> str:
    assert each.judgement is not None
    equal = each.judgement.p_equivalent
    told = [
        f"A less B, in points: {difference_text(difference)}, of {difference.num_items:,} samples "
        f"({difference.method}). No difference: p = {p_text(each.judgement.p_value)} "
        f"({difference.test}; Holm)."
    ]
    if equal is not None:
        told.append(f"A difference beyond the margin: p = {p_text(equal)} (Holm).")
    if difference.detectable is not None:
        told.append(
            f"So many samples show a difference of {_detectable_text(difference)} in "
            f"{POWER:.0%} of comparisons, and smaller ones less often."
        )
    else:
        told.append("So few samples could hardly have shown any difference.")
    return " ".join(told)


def _cross(each: TaskComparison) -> _Cross:
    seen = each.outcomes
    order = [*each.first.facts["outcomes"], *each.second.facts["outcomes"]]
    firsts, seconds = (_in_order({key[side] for key in seen}, order) for side in (0, 1))
    rows = [(one, [seen[one, other] for other in seconds]) for one in firsts]
    return _Cross(seconds, rows)


_Name = TypeVar("_Name", bound=Hashable)


def _in_order(names: set[_Name], order: Iterable[_Name]) -> list[_Name]:
    return [name for name in dict.fromkeys(order) if name in names]


# Files


def _render(template: str, **facts: object) -> str:
    style = _package_text("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _environment().get_template(template)
    return page.render(style=Markup(style), style_hash=digest, **facts)  # the style is our own


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_package_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "source": source, "published_text": _published_text}
    return environment


def _package_text(name: str) -> str:
    return files("netweight.evals").joinpath("templates", name).read_text("utf-8")


def _write(path: Path, page: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, page)
    except OSError as error:
        raise WeighError(f"cannot write {path}: {error}. Choose another --out.") from error
    return path
