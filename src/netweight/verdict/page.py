"""The verdict as one HTML file that needs nothing else: no script, no request, no font.

Lays out a finished report. Judges nothing, and writes no sentence with a number of its own.
"""

import base64
import functools
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

from netweight.verdict.evidence import Benchmark, Computed, Document, Figure, Published
from netweight.verdict.judgement import VERDICT_WORDS, number, signed
from netweight.verdict.plot import Bar, interval_plot
from netweight.verdict.report import ClaimPart, Report

SYMBOLS = {
    "supported": "\u2713",
    "contradicted": "\u2715",
    "mixed": "\u25d0",
    "not_enough_evidence": "?",
    "not_checkable": "\u25cb",
}
STRENGTH_WORDS = ("as a possibility", "with reserve", "plainly", "without reserve")
CONTEXT_CHARACTERS = 90


def render(report: Report, tables: Published) -> str:
    """The page. The same report gives the same bytes."""
    style = _package_text("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        report=report,
        style=Markup(style),  # ours, from the package
        style_hash=digest,
        numbers=_numbers(report),
        benchmarks=_benchmarks(report, tables),
        sources={source.id: source for source in report.sources},
        names={row.id: row.name for row in tables.models.values()},
        bearing=_bearing(report),
        symbols=SYMBOLS,
        words=VERDICT_WORDS,
        strengths=STRENGTH_WORDS,
        context=context_of,
        plot=functools.partial(_plot, report, tables),
        value=value_of,
        what=functools.partial(what_of, tables),
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_package_text("page.html.jinja"))


def _package_text(name: str) -> str:
    return resources.files("netweight.verdict").joinpath(name).read_text("utf-8")


def _numbers(report: Report) -> dict[str, int]:
    """The number in brackets of each record and benchmark, in order of the evidence table."""
    cited = [row.id for row in report.evidence] + [row.id for row in report.measured]
    cited += sorted({c for c in _cites(report) if c.startswith("benchmark:")})
    return {record: index for index, record in enumerate(cited, start=1)}


def _cites(report: Report) -> list[str]:
    sentences = [*report.summary, *report.method.statements]
    for claim in report.claims:
        sentences += [*claim.reason, *claim.caveats, *claim.settles]
    sentences += [s for finding in report.findings for s in finding.correction]
    return [cite for sentence in sentences for cite in sentence.cites]


def _benchmarks(report: Report, tables: Published) -> list[Benchmark]:
    named = {c.partition(":")[2] for c in _cites(report) if c.startswith("benchmark:")}
    named |= {row.metric for row in report.evidence if isinstance(row, Figure)}
    return [row for key, row in sorted(tables.benchmarks.items()) if key in named]


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
    if "margin" in values and "low" in values:
        low, high = signed(values["low"]), signed(values["high"])
        return f"{signed(values['value'])} ({low} to {high}), {row.reading}"
    if "low" in values:
        middle = number(values["value"]) + "% " if "value" in values else ""
        return f"{middle}({number(values['low'])} to {number(values['high'])}%)"
    return ", ".join(f"{key.replace('_', ' ')} {number(value)}" for key, value in values.items())


def what_of(tables: Published, row: Figure | Document | Computed) -> str:
    """What a record is about, in words."""
    if isinstance(row, Document | Computed):
        return row.statement
    metric = tables.benchmarks.get(row.metric)
    name = metric.name if metric else row.metric.replace("-", " ").capitalize()
    return f"{name}, {tables.models[row.model].name}"


def _plot(report: Report, tables: Published, claim: ClaimPart) -> Markup:
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
