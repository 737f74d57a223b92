"""The verdict command: a story's claims against the evidence."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli.options import AsJson

if TYPE_CHECKING:
    from netweight.verdict.summary import Line as SummaryLine


def verdict(
    story: Annotated[
        str, typer.Argument(help="A text, Markdown or HTML file, or - for standard input.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for verdict.html and verdict.json.  [default: out]")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records that `netweight weigh` wrote.")
    ] = None,
    date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date on the page.  [default: today]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a news story's claims about models against measured and published evidence.

    Quotes each claim, judges it, and writes one HTML page and its data. Nothing is fetched and no
    model is asked. With --json the data goes to standard output, and to files only with --out.

    Example: netweight verdict examples/story.txt --out out
    """
    from netweight import verdict as room

    tables = room.published()
    report = room.make_report(
        room.read_story(story),
        tables,
        date=(date or datetime.now()).date().isoformat(),
        measured=room.read_records(records) if records else (),
    )
    folder = out or (None if as_json else Path("out"))
    if folder:
        room.write_atomically(folder / "verdict.json", report.to_json())
        room.write_atomically(folder / "verdict.html", room.render(report, tables))
    if as_json:
        print(report.to_json(), end="")
        return
    _print_verdict(room.summary_lines(report), folder)


def _print_verdict(lines: list["SummaryLine"], folder: Path | None) -> None:
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
    if folder:
        console.print(f"\nThe page: {folder / 'verdict.html'}", markup=False)
