"""The verdict as one HTML file that needs nothing else: nothing runs, and nothing is requested.

Lays out a finished report. Judges nothing, and writes no sentence with a number of its own.
"""

import base64
import functools
import hashlib
from collections.abc import Callable
from importlib import resources

import jinja2
from markupsafe import Markup

from netweight.verdict.drift import Drift, Source
from netweight.verdict.evidence import Computed, Document, Figure
from netweight.verdict.faults import KIND_WORDS
from netweight.verdict.judgement import VERDICT_WORDS, number, signed
from netweight.verdict.linked import as_script, linked_data
from netweight.verdict.matching import SHIFT_WORDS, STRENGTH_WORDS
from netweight.verdict.plot import Bar, interval_plot
from netweight.verdict.report import ClaimPart, Report, statements_of
from netweight.verdict.score import Score, score_text

SYMBOLS = {
    "supported": "\u2713",
    "contradicted": "\u2715",
    "mixed": "\u25d0",
    "not_enough_evidence": "?",
    "not_checkable": "\u25cb",
}
CONTEXT_CHARACTERS = 90
MAX_PAGE_BYTES = 300_000


def render(report: Report, *, data: str = "verdict.json") -> str:
    """The page. The same report gives the same bytes, and needs nothing but the report.

    `data` is the name of the file beside it that holds the report's JSON. Of a story with more
    claims than a page has room for, the first are shown, and the page says so.
    """
    return _fitting(lambda shown: _page(report, data, shown), len(report.claims))


def _fitting(make: Callable[[int], str], count: int) -> str:
    """The page with as many of its parts as stay under the limit, to a tenth."""
    page = make(count)
    while (size := len(page.encode())) > MAX_PAGE_BYTES and count:
        count = min(count * 9 // 10, count * MAX_PAGE_BYTES // size)
        page = make(count)
    return page


def _page(whole: Report, data: str, num_shown: int) -> str:
    claims = whole.claims[:num_shown]
    ids = {claim.id for claim in claims}
    findings = tuple(finding for finding in whole.findings if ids & set(finding.claims))
    report = whole.model_copy(update={"claims": claims, "findings": findings})
    return _filled(
        "page.html.jinja",
        report=report,
        num_claims=len(whole.claims),
        shown=ids,
        data=data,
        numbers=_numbers(report),
        sources={source.id: source for source in report.sources},
        linked=Markup(as_script(linked_data(report))),  # JSON without any markup
        bearing=_bearing(report),
        kinds=KIND_WORDS,
        strengths=STRENGTH_WORDS,
        context=context_of,
        plot=functools.partial(_plot, report),
        score_plot=_score_plot(whole.scores.all),
        value=value_of,
        what=functools.partial(what_of, report),
        score_text=score_text,
    )


def render_drift(drift: Drift) -> str:
    """The page of several stories side by side, which leads to the page of each."""
    return _fitting(lambda shown: _drift_page(drift, shown), len(drift.matters))


def _drift_page(whole: Drift, num_shown: int) -> str:
    """What several stories tell is shown before what one tells alone."""
    ordered = sorted(whole.matters, key=lambda matter: len(matter.tellings) == 1)
    drift = whole.model_copy(update={"matters": tuple(ordered[:num_shown])})
    return _filled(
        "drift.html.jinja",
        drift=drift,
        num_matters=len(whole.matters),
        strengths=STRENGTH_WORDS,
        shift_words=SHIFT_WORDS,
        source_name=source_name,
        command=drift_command(drift),
    )


def source_name(source: Source) -> str:
    """How a story is called at the head of its column: its publisher, or its file."""
    return source.story.publisher or source.story.name


def drift_command(drift: Drift) -> str:
    """The command that makes the same table."""
    names = " ".join(source.story.name for source in drift.sources)
    return f"netweight verdict {names} --date {drift.date}"


def _filled(template: str, **values: object) -> str:
    """A template of the package with its values and the style, whose hash the policy names."""
    style = _package_text("page.css")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_package_text(template)).render(
        style=Markup(style),  # ours, from the package
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        symbols=SYMBOLS,
        words=VERDICT_WORDS,
        **values,
    )


def _package_text(name: str) -> str:
    return resources.files("netweight.verdict").joinpath(name).read_text("utf-8")


def _numbers(report: Report) -> dict[str, int]:
    """The number in brackets of each record and benchmark, in order of the evidence table."""
    cited = [row.id for row in report.evidence] + [row.id for row in report.measured]
    cited += sorted({c for c in _cites(report) if c.startswith("benchmark:")})
    return {record: index for index, record in enumerate(cited, start=1)}


def _cites(report: Report) -> list[str]:
    return [cite for statement in statements_of(report) for cite in statement.cites]


def _bearing(report: Report) -> dict[str, list[str]]:
    """For each measured record, the claims whose sentences rest on it."""
    return {
        record.id: [claim.id for claim in report.claims if record.id in claim.evidence]
        for record in report.measured
    }


def context_of(claim: ClaimPart) -> tuple[str, str]:
    """The words around the quote in its sentence, shortened."""
    start = claim.char_start - claim.sentence_start
    before = claim.sentence[:start]
    after = claim.sentence[start + len(claim.quote) :]
    if len(before) > CONTEXT_CHARACTERS:
        before = "\u2026" + before[-CONTEXT_CHARACTERS:].partition(" ")[2]
    if len(after) > CONTEXT_CHARACTERS:
        after = after[:CONTEXT_CHARACTERS].rpartition(" ")[0] + "\u2026"
    return before, after


def value_of(row: Figure | Document | Computed) -> str:
    """A record's number as the evidence table shows it, with its interval."""
    if isinstance(row, Document):
        return ""
    if isinstance(row, Computed):
        return _computed_value(row)
    unit = {"percent": "%", "points": "", "elo": " Elo", "billion": " billion", "GiB": " GiB"}[
        row.unit
    ]
    counted = f", {row.correct} of {row.n:,}" if row.correct is not None and row.n else ""
    if row.interval == "not published":
        return f"{number(row.value)}{unit}{counted}"
    return f"{number(row.value)}{unit} \u00b1 {number(row.interval.half_width)}"


def _computed_value(row: Computed) -> str:
    values = row.values
    if "from" in values:
        return f"{number(values['score'])} ({number(values['from'])} to {number(values['to'])})"
    if "margin" in values and "low" in values:
        low, high = signed(values["low"]), signed(values["high"])
        return f"{signed(values['value'])} ({low} to {high}), {row.reading}"
    if "low" in values:
        middle = number(values["value"]) + "% " if "value" in values else ""
        return f"{middle}({number(values['low'])} to {number(values['high'])}%)"
    return ", ".join(f"{key.replace('_', ' ')} {number(value)}" for key, value in values.items())


def what_of(report: Report, row: Figure | Document | Computed) -> str:
    """What a record is about, in words."""
    if isinstance(row, Document | Computed):
        return row.statement
    names = {benchmark.id: benchmark.name for benchmark in report.benchmarks}
    metric = names.get(row.metric) or row.metric.replace("-", " ").capitalize()
    return f"{metric}, {report.models.get(row.model, row.model)}"


def _plot(report: Report, claim: ClaimPart) -> Markup:
    """The plot of a claim's intervals, or nothing where it has none."""
    rows = {row.id: row for row in report.evidence}
    chosen = [row for i in claim.plot if isinstance(row := rows.get(i), Computed)]
    if not chosen:
        return Markup("")
    is_difference = "margin" in chosen[0].values
    return interval_plot(
        [_bar(row, is_difference=is_difference) for row in chosen],
        identifier=f"plot-{claim.id}",
        title="Differences in points, with 95% intervals and the margin"
        if is_difference
        else "Rates in percent, with 95% intervals",
        margin=chosen[0].values["margin"] if is_difference else None,
    )


def _score_plot(scores: tuple[Score, ...]) -> Markup:
    """The scores that are given, on one axis, or nothing."""
    bars = [
        Bar("", one.name.capitalize(), low, value, high, score_text(one), is_resolved=True)
        for one in scores
        if (low := one.low) is not None
        and (value := one.value) is not None
        and (high := one.high) is not None
    ]
    if not bars:
        return Markup("")
    title = f"Scores from 0 to 10, with {scores[0].level}% intervals"
    return interval_plot(bars, identifier="plot-scores", title=title, greatest=10.0)


def _bar(row: Computed, *, is_difference: bool) -> Bar:
    show = signed if is_difference else number
    low, value, high = (row.values[key] for key in ("low", "value", "high"))
    group, label = _group_and_label(row.statement) if is_difference else ("", _rate_label(row))
    return Bar(
        group=group,
        label=label,
        low=low,
        value=value,
        high=high,
        text=f"{show(value)} ({show(low)} to {show(high)})",
        is_resolved=not is_difference or row.reading != "inconclusive",
    )


def _rate_label(row: Computed) -> str:
    return row.statement.partition(": 95%")[0]


def _group_and_label(statement: str) -> tuple[str, str]:
    """Take "X: A less B, difference …" as ("A less", "B, X"); no colon, no group."""
    named = statement.partition(", difference")[0]
    metric, colon, models = named.partition(": ")
    if not colon:
        return "", named
    first, _, second = models.partition(" less ")
    return f"{first} less", f"{second}, {metric}"
