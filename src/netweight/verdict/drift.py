"""How claims drift from source to source: several stories on one subject, side by side.

Puts the claims of several verdicts into rows of one matter each. A telling is compared with the
last one before it, in the order in which the stories are given. Judges nothing anew.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError

from netweight.errors import VerdictError
from netweight.verdict.evidence import PartialDate, Published, Row, first_problem
from netweight.verdict.judgement import Verdict
from netweight.verdict.matching import Shift, is_same_matter, matter_label, shifts
from netweight.verdict.report import ClaimPart, Report, StoryPart, parse_report, read_json

SCHEMA: Literal["netweight-drift/1"] = "netweight-drift/1"
MAX_STORIES = 12  # more columns than a reader can compare


class Telling(Row):
    """What one story says of a matter. `story` counts from 1; `since` is the story compared with.

    Where a story says several things of it, this is the strongest, and `num_claims` says how many.
    """

    story: int
    claim: str
    num_claims: int
    quote: str
    strength: int
    attribution: str | None
    verdict: Verdict
    since: int | None
    shifts: tuple[Shift, ...]


class Matter(Row):
    """One row: a thing that claims are about, with each story's telling of it."""

    id: str
    label: str
    tellings: tuple[Telling, ...]

    def told_by(self, story: int) -> Telling | None:
        """What the story of that number says of it."""
        return next((telling for telling in self.tellings if telling.story == story), None)


class Step(Row):
    """How one story tells what earlier ones have told, in counts of matters."""

    story: int
    told: int
    told_before: int
    stronger: int
    weaker: int
    other_number: int
    other_verdict: int
    left_out: int


class Source(Row):
    """A story of the table, with the file that holds its own verdict."""

    number: int
    file: str
    story: StoryPart
    num_claims: int
    num_opinions: int


class Drift(Row):
    """The table of several stories; its JSON is drift.json."""

    model_config = ConfigDict(title="drift.json")

    schema_: Literal["netweight-drift/1"] = Field(default=SCHEMA, alias="schema")
    date: PartialDate
    tables: str
    method: str
    sources: tuple[Source, ...]
    matters: tuple[Matter, ...]
    steps: tuple[Step, ...]

    def to_json(self) -> str:
        """The document as JSON text, the same bytes for the same inputs."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    @property
    def shared(self) -> tuple[Matter, ...]:
        """The matters that more than one story tells."""
        return tuple(matter for matter in self.matters if len(matter.tellings) > 1)


def make_drift(reports: Sequence[Report], tables: Published) -> Drift:
    """The table of these verdicts, which must be of one date and of the same tables.

    Raises:
        VerdictError: there are fewer than two stories, too many, or one is given twice.
    """
    if not 2 <= len(reports) <= MAX_STORIES:
        raise VerdictError(
            f"a table of stories has from 2 to {MAX_STORIES} of them, not {len(reports)}."
        )
    hashes = [report.story.sha256 for report in reports]
    for index, digest in enumerate(hashes):
        if digest in hashes[:index]:
            raise VerdictError(
                f"{reports[index].story.name} is the same story as "
                f"{reports[hashes.index(digest)].story.name}. Give each story once."
            )
    matters = _matters(reports, tables)
    return Drift(
        date=reports[0].date,
        tables=reports[0].method.tables,
        method=reports[0].method.version,
        sources=tuple(_source(index, report) for index, report in enumerate(reports, start=1)),
        matters=matters,
        steps=tuple(_step(number, matters) for number in range(1, len(reports) + 1)),
    )


def parse_drift(text: str | bytes, name: str) -> Drift:
    """A table that was written before.

    Raises:
        VerdictError: it is no table of this schema, or its counts are not those of its rows.
    """
    try:
        drift = Drift.model_validate_json(text)
    except ValidationError as error:
        raise VerdictError(
            f"{name} is not a table of schema {SCHEMA}: {first_problem(error)}. Make it again from "
            "its stories."
        ) from error
    steps = tuple(_step(source.number, drift.matters) for source in drift.sources)
    if steps != drift.steps:
        raise VerdictError(f"{name}: the counts in it are not those of its rows.")
    return drift


def read_verdict(file: Path, tables: Published) -> Report | Drift:
    """What `netweight verdict` wrote into a file, of one story or of several.

    Raises:
        VerdictError: as parse_report and parse_drift, or the file cannot be read.
    """
    content = read_json(file)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise VerdictError(f"{file} is not JSON: {error}. Name a verdict.json.") from error
    if isinstance(document, dict) and document.get("schema") == SCHEMA:
        return parse_drift(content, str(file))
    return parse_report(content, str(file), tables)


def _source(number: int, report: Report) -> Source:
    opinions = sum(claim.topic == "opinion" for claim in report.claims)
    return Source(
        number=number,
        file=f"story-{number}.html",
        story=report.story,
        num_claims=len(report.claims) - opinions,
        num_opinions=opinions,
    )


def _matters(reports: Sequence[Report], tables: Published) -> tuple[Matter, ...]:
    """Rows in order of the first telling; opinions are nobody's to compare.

    A claim that its story makes twice counts both times: the second may be the stronger.
    """
    names = {row.id: row.name for row in tables.models.values()}
    names |= {row.id: row.name for row in tables.benchmarks.values()}
    rows: list[list[tuple[int, ClaimPart]]] = []
    for number, report in enumerate(reports, start=1):
        for claim in report.claims:
            if claim.topic == "opinion":
                continue
            row = next((r for r in rows if any(is_same_matter(c, claim) for _, c in r)), None)
            if row is None:
                rows.append(row := [])
            row.append((number, claim))
    return tuple(
        Matter(
            id=f"m{index}",
            label=matter_label(row[0][1], names),
            tellings=_tellings(row, tables),
        )
        for index, row in enumerate(rows, start=1)
    )


def _tellings(row: list[tuple[int, ClaimPart]], tables: Published) -> tuple[Telling, ...]:
    """One telling for each story of the row: its strongest, compared with the story before."""
    tellings: list[Telling] = []
    last: ClaimPart | None = None
    for number in dict.fromkeys(number for number, _ in row):
        said = [claim for n, claim in row if n == number]
        claim = max(said, key=lambda c: c.strength)  # the first of several that are as strong
        tellings.append(
            Telling(
                story=number,
                claim=claim.id,
                num_claims=len(said),
                quote=claim.quote,
                strength=claim.strength,
                attribution=claim.attribution,
                verdict=claim.verdict,
                since=tellings[-1].story if tellings else None,
                shifts=shifts(last, claim, tables) if last else (),
            )
        )
        last = claim
    return tuple(tellings)


def _step(number: int, matters: Sequence[Matter]) -> Step:
    told = [t for matter in matters for t in matter.tellings if t.story == number]
    before = [m for m in matters if m.tellings[0].story < number]
    kinds = [shift.kind for telling in told for shift in telling.shifts]
    return Step(
        story=number,
        told=len(told),
        told_before=sum(telling.since is not None for telling in told),
        stronger=kinds.count("stronger"),
        weaker=kinds.count("weaker"),
        other_number=kinds.count("number"),
        other_verdict=kinds.count("verdict"),
        left_out=sum(all(t.story != number for t in matter.tellings) for matter in before),
    )
