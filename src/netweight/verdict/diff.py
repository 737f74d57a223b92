"""What changed between two verdicts: of an updated story, or after new measurements.

Reads two verdict documents. Says for each claim whether its words or its evidence moved, and judges
nothing anew.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from netweight.verdict.evidence import Computed, Document, Figure, PartialDate, Published, Row
from netweight.verdict.judgement import Verdict
from netweight.verdict.matching import Pair, Shift, pair_claims, shifts
from netweight.verdict.measured import Measured
from netweight.verdict.report import Report
from netweight.verdict.score import Name, score_text

ChangeKind = Literal["added", "removed", "changed"]
Cause = Literal["story", "evidence", "method"]


class Side(Row):
    """One of the two verdicts, as far as it identifies itself."""

    date: PartialDate
    name: str
    title: str
    sha256: str
    num_words: int
    tables: str
    method: str
    num_measured: int


class ClaimChange(Row):
    """A claim that is new, gone, or differs; ids are those of each verdict.

    `causes` says what a changed verdict can be owed to: the claim's own words, the records it rests
    on, or else the method.
    """

    kind: ChangeKind
    before: str | None
    after: str | None
    quote: str
    verdict: Verdict
    shifts: tuple[Shift, ...]
    causes: tuple[Cause, ...]
    records_added: tuple[str, ...]
    records_removed: tuple[str, ...]
    records_changed: tuple[str, ...]


class RecordChange(Row):
    """A measured record, figure or document that is new, gone, or says something else."""

    kind: ChangeKind
    id: str
    what: str
    before: str | None
    after: str | None


class ScoreChange(Row):
    """A score that is another now: value and interval in words, or that it is withheld."""

    name: Name
    before: str
    after: str


class Difference(Row):
    """What changed from one verdict to another; its JSON is what `verdict diff --json` prints."""

    model_config = ConfigDict(title="verdict diff --json")

    schema_: Literal["netweight-verdict-diff/2"] = Field(
        default="netweight-verdict-diff/2", alias="schema"
    )
    before: Side
    after: Side
    is_same_text: bool
    claims: tuple[ClaimChange, ...]
    num_unchanged: int
    records: tuple[RecordChange, ...]
    scores: tuple[ScoreChange, ...]
    findings_added: tuple[str, ...]
    findings_removed: tuple[str, ...]

    def to_json(self) -> str:
        """The document as JSON text."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def compare_reports(before: Report, after: Report, tables: Published) -> Difference:
    """What changed; claims in the later verdict's order, then those that are gone."""
    pairs = pair_claims(
        [claim for claim in before.claims if claim.repeats is None],
        [claim for claim in after.claims if claim.repeats is None],
    )
    changes = [_claim_change(pair, before, after, tables) for pair in pairs]
    said = [{finding.sentence for finding in report.findings} for report in (before, after)]
    return Difference(
        before=_side(before),
        after=_side(after),
        is_same_text=before.story.sha256 == after.story.sha256,
        claims=tuple(change for change in changes if change is not None),
        num_unchanged=changes.count(None),
        records=_record_changes(before, after),
        scores=tuple(
            ScoreChange(name=new.name, before=score_text(old), after=score_text(new))
            for old, new in zip(before.scores.all, after.scores.all, strict=True)
            if score_text(old) != score_text(new)
        ),
        findings_added=tuple(sorted(said[1] - said[0])),
        findings_removed=tuple(sorted(said[0] - said[1])),
    )


def _side(report: Report) -> Side:
    return Side(
        date=report.date,
        name=report.story.name,
        title=report.story.title,
        sha256=report.story.sha256,
        num_words=report.story.num_words,
        tables=report.method.tables,
        method=report.method.version,
        num_measured=len(report.measured),
    )


def _claim_change(
    pair: Pair, before: Report, after: Report, tables: Published
) -> ClaimChange | None:
    """The change, or None where the claim reads, and is judged from, the same as before."""
    claim = pair.after or pair.before
    assert claim is not None, "a pair has a side"
    if pair.before is None or pair.after is None:
        return ClaimChange(
            kind="added" if pair.before is None else "removed",
            before=pair.before.id if pair.before else None,
            after=pair.after.id if pair.after else None,
            quote=claim.quote,
            verdict=claim.verdict,
            shifts=(),
            causes=(),
            records_added=(),
            records_removed=(),
            records_changed=(),
        )
    found = shifts(pair.before, pair.after, tables)
    old, new = pair.before.evidence, pair.after.evidence
    rows = [_rows(report) for report in (before, after)]
    changed = tuple(i for i in new if i in old and rows[0].get(i) != rows[1].get(i))
    added, removed = (
        tuple(i for i in one if i not in other) for one, other in ((new, old), (old, new))
    )
    if not found and not (added or removed or changed):
        return None
    is_moved = pair.before.verdict != pair.after.verdict
    is_reworded = pair.before.quote != pair.after.quote
    return ClaimChange(
        kind="changed",
        before=pair.before.id,
        after=pair.after.id,
        quote=claim.quote,
        verdict=claim.verdict,
        shifts=found,
        causes=_causes(is_reworded, bool(added or removed or changed)) if is_moved else (),
        records_added=added,
        records_removed=removed,
        records_changed=changed,
    )


def _causes(is_reworded: bool, has_other_evidence: bool) -> tuple[Cause, ...]:
    """What a changed verdict can be owed to; what is left when neither changed is the method."""
    causes: list[Cause] = ["story"] if is_reworded else []
    causes += ["evidence"] if has_other_evidence else []
    return tuple(causes) or ("method",)


def _rows(report: Report) -> dict[str, Row]:
    rows: dict[str, Row] = {row.id: row for row in report.evidence}
    rows |= {row.id: row for row in report.measured}
    return rows | {f"benchmark:{row.id}": row for row in report.benchmarks}


def _record_changes(before: Report, after: Report) -> tuple[RecordChange, ...]:
    """Records that came, went or say something else. Computed ones follow from these.

    A model measured again on the same task is a change, though the record has another id. A figure
    or a document counts only where both verdicts rest on it: that one of them does not use it says
    nothing about the tables.
    """
    old, new = _measured_by_task(before), _measured_by_task(after)
    found = []
    for key in sorted(old.keys() | new.keys()):
        first, second = old.get(key), new.get(key)
        record = second or first
        if record is None or first == second:
            continue
        found.append(
            RecordChange(
                kind="added" if first is None else "removed" if second is None else "changed",
                id=record.id,
                what=f"{record.model}, {record.task}",
                before=_value(first) if first else None,
                after=_value(second) if second else None,
            )
        )
    return (*found, *_changed_rows(before, after))


def _measured_by_task(report: Report) -> dict[str, Measured]:
    """Measured records by model, task and version, or by id where there are several of one."""
    names = [f"{row.model} {row.task} {row.task_version}" for row in report.measured]
    return {
        name if names.count(name) == 1 else row.id: row
        for name, row in zip(names, report.measured, strict=True)
    }


def _changed_rows(before: Report, after: Report) -> list[RecordChange]:
    old, new = ({row.id: row for row in report.evidence} for report in (before, after))
    return [
        RecordChange(kind="changed", id=i, what=i, before=_value(old[i]), after=_value(new[i]))
        for i in sorted(old.keys() & new.keys())
        if old[i] != new[i] and i != "tally" and not i.startswith("score-")
    ]


def _value(row: Figure | Document | Computed | Measured) -> str:
    """A record's value in words, as exact as the record."""
    match row:
        case Measured():
            state = "" if row.usable else ", not usable"
            return f"{row.hits} of {row.n}{state}"
        case Figure():
            return f"{row.value:g} {row.unit}"
        case Document():
            return row.statement
        case Computed():
            values = ", ".join(f"{key} {value:g}" for key, value in row.values.items())
            return f"{values} {row.reading or ''}".strip()
