"""The verdict command: stories' claims against the evidence, and verdicts against one another."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli.options import AsJson
from netweight.cli.verdict_measure import (
    Agreed,
    CalledInStory,
    EffortToUse,
    Judges,
    Limit,
    ModelToMeasure,
    NameAtServer,
    SuiteToUse,
    Wish,
    measure,
)

if TYPE_CHECKING:
    from netweight.verdict import Drift, Measured, Report
    from netweight.verdict.summary import Line as SummaryLine

DIFF = "diff"


def verdict(
    stories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STORY",
            help="Text, Markdown, HTML or PDF: a file, an http(s) address, or - for standard "
            "input. Several stories make a table of how claims drift from one to the next.",
            show_default=False,
        ),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="JSON",
            help="Make the page again from a verdict.json or drift.json; nothing is judged anew.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page and its data.  [default: out]")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records that `netweight weigh` wrote.")
    ] = None,
    date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date on the page.  [default: today]"),
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Fetch also from addresses that are not public."),
    ] = False,
    assistant: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="An Inspect model, as openai/gpt-4.1 or netweight/gpt-oss-20b, that adds "
            "claims to those of the rules and writes the summary. It gives labels and no scores; "
            "every quote, number and citation of its is checked.",
        ),
    ] = None,
    model: ModelToMeasure = None,
    called: CalledInStory = None,
    name: NameAtServer = None,
    suite: SuiteToUse = None,
    limit: Limit = None,
    judge: Judges = None,
    effort: EffortToUse = None,
    yes: Agreed = False,
    as_json: AsJson = False,
) -> None:
    """Hold news stories' claims about models against measured and published evidence.

    Quotes each claim, judges it, scores hype, belittling and impact with intervals, and writes one
    HTML page and its data. No model is asked but with --model or --assistant, and nothing is
    fetched but a story given by its address. With --json the data goes to standard output, and to
    files only with --out.

    **netweight verdict diff A.json B.json** shows what changed from one verdict to another: of an
    updated story, or after new measurements. (A story in a file called diff is ./diff.)

    Example: netweight verdict examples/story.txt --out out
    """
    given = stories or []
    measuring: dict[str, object] = {
        "--as": called,
        "--name": name,
        "--suite": suite,
        "--limit": limit,
        "--judge": judge,
        "--effort": effort,
        "--yes": yes,
    }
    judging: dict[str, object] = {
        "--records": records,
        "--date": date,
        "--allow-private": allow_private,
        "--assistant": assistant,
        "--model": model,
        **measuring,
    }
    if given[:1] == [DIFF]:
        _refuse(DIFF, **judging, **{"--from": again, "--out": out})
        _print_difference(given[1:], as_json=as_json)
        return
    if again is not None:
        _refuse("--from", STORY=given, **judging)
        _render_again(again, out, as_json=as_json)
        return
    if not given:
        raise typer.BadParameter("give a story, or --from with a verdict.json.")
    day = date or datetime.now()
    if model is not None:
        if len(given) != 1:
            raise typer.BadParameter("--model goes with one story.")
        judged = _judging(given[0], day, _known(records), assistant, allow_private=allow_private)
        wish = Wish(model, called, name, suite or "release", limit, tuple(judge or ()), effort, yes)
        _judge_measuring(judged, wish, out, as_json=as_json)
        return
    if wrong := [option for option, value in measuring.items() if value]:
        raise typer.BadParameter(f"{', '.join(wrong)} goes only together with --model.")
    reports = _judge(given, records, day, assistant, allow_private=allow_private)
    if len(reports) == 1:
        _finish(reports[0], out, as_json=as_json)
    else:
        _finish_table(reports, out, as_json=as_json)


def _refuse(word: str, **options: object) -> None:
    """Refuse what does not go together, by name."""
    if wrong := [name for name, value in options.items() if value]:
        raise typer.BadParameter(f"{word} does not go together with {', '.join(wrong)}.")


def _judge(
    stories: list[str],
    records: Path | None,
    date: datetime,
    assistant: str | None,
    *,
    allow_private: bool,
) -> "list[Report]":
    if stories.count("-") > 1:
        raise typer.BadParameter("standard input (-) holds one story; give it once.")
    known = _known(records)
    return [
        _judging(story, date, known, assistant, allow_private=allow_private)(())
        for story in stories
    ]


def _known(records: Path | None) -> "tuple[Measured, ...]":
    from netweight.verdict import read_records

    return read_records(records) if records else ()


def _judging(
    story: str,
    date: datetime,
    known: "tuple[Measured, ...]",
    assistant: str | None,
    *,
    allow_private: bool,
) -> "Callable[[tuple[Measured, ...]], Report]":
    """Read a story, once; return what judges it, with further records as they come."""
    from netweight import verdict as room

    tables, told = room.published(), room.read_story(story, allow_private=allow_private)
    assisted = room.extract_with_model(told, tables, assistant) if assistant else None

    def judged(further: "tuple[Measured, ...]") -> "Report":
        records = {record.id: record for record in (*known, *further)}
        day = date.date().isoformat()
        report = room.make_report(
            told, tables, date=day, measured=records.values(), assisted=assisted
        )
        if assistant is None or not report.claims:
            return report
        prose = room.write_prose(report, tables, assistant, room.records_of(report).get)
        return room.with_prose(report, prose, tables)

    return judged


def _judge_measuring(
    judged: "Callable[[tuple[Measured, ...]], Report]",
    wish: Wish,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Judge, measure what would settle what is open, judge again, and say what moved."""
    from netweight import verdict as room

    before = judged(())
    gained = measure(before, wish, out or Path("out"), is_quiet=as_json)
    if gained is None:
        if as_json:
            print(before.to_json(), end="")
        return
    after = judged(gained.records)
    _finish(after, out, as_json=as_json)
    if not as_json:
        print()
        _print_lines(room.difference_lines(room.compare_reports(before, after, room.published())))
    if gained.without_figure:
        raise typer.Exit(1)


def _folder(out: Path | None, *, as_json: bool) -> Path | None:
    return out or (None if as_json else Path("out"))


def _finish(report: "Report", out: Path | None, *, as_json: bool) -> None:
    """Write one story's page and data, and say what was found."""
    from netweight import verdict as room

    folder = _folder(out, as_json=as_json)
    if folder:
        room.write_atomically(folder / "verdict.json", report.to_json())
        room.write_atomically(folder / "verdict.html", room.render(report))
    if as_json:
        print(report.to_json(), end="")
        return
    _print_lines(room.summary_lines(report))
    if folder:
        print(f"\nThe page: {folder / 'verdict.html'}")


def _finish_table(reports: "list[Report]", out: Path | None, *, as_json: bool) -> None:
    """Write each story's page and data and the table of them all."""
    from netweight import verdict as room

    drift = room.make_drift(reports, room.published())
    folder = _folder(out, as_json=as_json)
    if folder:
        for source, report in zip(drift.sources, reports, strict=True):
            data = Path(source.file).with_suffix(".json").name
            room.write_atomically(folder / data, report.to_json())
            room.write_atomically(folder / source.file, room.render(report, data=data))
    _finish_drift(drift, folder, as_json=as_json)


def _finish_drift(drift: "Drift", folder: Path | None, *, as_json: bool) -> None:
    from netweight import verdict as room

    if folder:
        room.write_atomically(folder / "drift.json", drift.to_json())
        room.write_atomically(folder / "drift.html", room.render_drift(drift))
    if as_json:
        print(drift.to_json(), end="")
        return
    _print_lines(room.drift_lines(drift))
    if folder:
        print(f"\nThe page: {folder / 'drift.html'}")


def _render_again(file: Path, out: Path | None, *, as_json: bool) -> None:
    """Make the page of a document that was written before."""
    from netweight import verdict as room

    document = room.read_verdict(file, room.published())
    if isinstance(document, room.Drift):
        _finish_drift(document, _folder(out, as_json=as_json), as_json=as_json)
    else:
        _finish(document, out, as_json=as_json)


def _print_difference(files: list[str], *, as_json: bool) -> None:
    from netweight import verdict as room

    if len(files) != 2:
        raise typer.BadParameter("write: netweight verdict diff A.json B.json")
    tables = room.published()
    before, after = (room.read_report(Path(file), tables) for file in files)
    found = room.compare_reports(before, after, tables)
    if as_json:
        print(found.to_json(), end="")
    else:
        _print_lines(room.difference_lines(found))


def _print_lines(lines: "list[SummaryLine]") -> None:
    from rich.console import Console
    from rich.text import Text

    styles = {
        "title": "bold",
        "quiet": "dim",
        "finding": "bold red",
        "supported": "bold green",
        "contradicted": "bold red",
        "mixed": "bold yellow",
        "open": "bold",
    }
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, styles.get(line.role, "")))
