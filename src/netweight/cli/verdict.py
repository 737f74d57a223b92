"""The verdict command: stories' claims against the evidence, and verdicts against one another."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli.options import AsJson

if TYPE_CHECKING:
    from netweight.verdict import Drift, Report
    from netweight.verdict.summary import Line as SummaryLine

DIFF = "diff"


def verdict(
    stories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STORY",
            help="Text, Markdown or HTML: a file, an http or https address, or - for standard "
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
    as_json: AsJson = False,
) -> None:
    """Hold news stories' claims about models against measured and published evidence.

    Quotes each claim, judges it, and writes one HTML page and its data. No model is asked, and
    nothing is fetched but a story given by its address. With --json the data goes to standard
    output, and to files only with --out.

    **netweight verdict diff A.json B.json** shows what changed from one verdict to another: of an
    updated story, or after new measurements. (A story in a file called diff is ./diff.)

    Example: netweight verdict examples/story.txt --out out
    """
    given = stories or []
    judging = {"--records": records, "--date": date, "--allow-private": allow_private}
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
    reports = _judge(given, records, date or datetime.now(), allow_private=allow_private)
    if len(reports) == 1:
        _finish(reports[0], out, as_json=as_json)
    else:
        _finish_table(reports, out, as_json=as_json)


def _refuse(word: str, **options: object) -> None:
    """Refuse what does not go together, by name."""
    if wrong := [name for name, value in options.items() if value]:
        raise typer.BadParameter(f"{word} does not go together with {', '.join(wrong)}.")


def _judge(
    stories: list[str], records: Path | None, date: datetime, *, allow_private: bool
) -> "list[Report]":
    from netweight import verdict as room

    if stories.count("-") > 1:
        raise typer.BadParameter("standard input (-) holds one story; give it once.")
    tables = room.published()
    measured = room.read_records(records) if records else ()
    return [
        room.make_report(
            room.read_story(story, allow_private=allow_private),
            tables,
            date=date.date().isoformat(),
            measured=measured,
        )
        for story in stories
    ]


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
