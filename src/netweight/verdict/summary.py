"""The verdict for a terminal: lines of text, each with the role that decides its colour.

Prints nothing itself. Without colours it reads the same.
"""

import textwrap
from typing import Literal, NamedTuple

from netweight.verdict.diff import ClaimChange, Difference
from netweight.verdict.drift import Drift, Telling
from netweight.verdict.faults import KIND_WORDS
from netweight.verdict.judgement import VERDICT_WORDS, Statement
from netweight.verdict.matching import SHIFT_WORDS, STRENGTH_WORDS, Shift
from netweight.verdict.report import ClaimPart, Report
from netweight.verdict.score import Scores, sentences

Role = Literal["title", "quiet", "plain", "finding", "supported", "contradicted", "mixed", "open"]
_ROLES: dict[str, Role] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "mixed": "mixed",
    "not_enough_evidence": "open",
    "not_checkable": "open",
}


class Line(NamedTuple):
    """One line, already broken to the width."""

    text: str
    role: Role = "plain"


def summary_lines(report: Report, *, width: int = 80) -> list[Line]:
    """Title, tally, errors of reasoning, and each distinct claim; at most `width` columns."""
    story = report.story
    facts = (
        f"{story.name}, {story.num_words:,} words, sha256 {story.sha256[:12]}, judged {report.date}"
    )
    lines = [*_broken(story.title, width, "title"), *_broken(facts, width, "quiet"), Line("")]
    lines += _broken(report.summary[0].text, width, "plain")
    for statement in (*sentences(report.scores), *_withheld(report.scores)):
        lines += _broken(statement.text, width, "plain")
    for statement in _of_assistant(report):
        lines += _broken(statement.text, width, "quiet")
    for finding in report.findings:
        lines.append(Line(""))
        lines += _broken(f"Error: {KIND_WORDS[finding.kind].lower()}", width, "finding")
        lines += _broken(f"\u201c{finding.sentence}\u201d", width, "quiet", indent=2)
        lines += [
            line for s in finding.correction for line in _broken(s.text, width, "plain", indent=2)
        ]
    extraction = report.assistant.extraction if report.assistant else None
    for claim in report.claims:
        if claim.repeats is None:
            is_added = extraction is not None and claim.id in extraction.added
            added_by = extraction.model if extraction and is_added else None
            lines += [Line(""), *_claim(claim, width, added_by=added_by)]
    for record in report.measured:
        state = "usable" if record.usable else f"not usable: {record.reason}"
        figure = f"{record.hits} of {record.n} ({state})"
        text = f"Measured here: {record.model}, {record.description}: {figure}"
        lines += [Line(""), *_broken(text, width, "quiet")]
    return lines


def _withheld(scores: Scores) -> list[Statement]:
    return [
        Statement(text=f"{one.name.capitalize()} is not scored. {statement.text}")
        for one in scores.all
        for statement in one.withheld[:1]
    ]


def _of_assistant(report: Report) -> list[Statement]:
    """What was asked of a model, and what became of its answers."""
    if report.assistant is None:
        return []
    return [said for said in report.method.statements if "extraction" in said.cites]


def _claim(claim: ClaimPart, width: int, *, added_by: str | None) -> list[Line]:
    head = f"{claim.id[1:]:>2}  {VERDICT_WORDS[claim.verdict]}"
    head += f" (a claim found by {added_by})" if added_by else ""
    lines = [Line(head, _ROLES[claim.verdict])]
    lines += _broken(f"\u201c{claim.quote}\u201d", width, "quiet", indent=4)
    said: tuple[Statement, ...] = (*claim.reason, *claim.caveats)
    return lines + [line for s in said for line in _broken(s.text, width, "plain", indent=4)]


def _broken(text: str, width: int, role: Role, *, indent: int = 0) -> list[Line]:
    space = " " * indent
    wrapped = textwrap.wrap(
        text, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False
    )
    return [Line(line, role) for line in wrapped]


def drift_lines(drift: Drift, *, width: int = 80) -> list[Line]:
    """The stories, and each matter that more than one of them tells."""
    lines = []
    for source, step in zip(drift.sources, drift.steps, strict=True):
        story = source.story
        lines += _broken(f"{source.number}. {story.title}", width, "title")
        facts = f"{story.publisher or story.name}, {step.told} matters"
        if source.number > 1:
            facts += (
                f", {step.told_before} told before: {step.stronger} more strongly, "
                f"{step.weaker} more softly, {step.other_number} with another number, "
                f"{step.other_verdict} with another verdict; {step.left_out} left out"
            )
        lines += _broken(facts, width, "quiet", indent=3)
    for matter in drift.shared:
        lines += [Line(""), *_broken(matter.label, width, "title")]
        lines += [line for told in matter.tellings for line in _telling(told, width)]
    if not drift.shared:
        lines += [Line(""), Line("No two of these stories make a claim about the same matter.")]
    return lines


def _telling(told: Telling, width: int) -> list[Line]:
    said = f"{told.story}. {VERDICT_WORDS[told.verdict]}, said {STRENGTH_WORDS[told.strength]}"
    lines = _broken(said, width, _ROLES[told.verdict])
    lines += _broken(f"\u201c{told.quote}\u201d", width, "quiet", indent=4)
    return lines + [line for shift in told.shifts for line in _shift(shift, width)]


def _shift(shift: Shift, width: int) -> list[Line]:
    text = SHIFT_WORDS[shift.kind]
    if shift.kind != "wording":
        text += f": {shift.before} \u2192 {shift.after}"
    return _broken(text, width, "plain", indent=4)


def difference_lines(found: Difference, *, width: int = 80) -> list[Line]:
    """What changed, claim by claim, and the records behind it."""
    lines = [*_broken(found.after.title, width, "title"), *_sides(found, width)]
    for record in found.records:
        values = " \u2192 ".join(value for value in (record.before, record.after) if value)
        text = f"Record {record.kind}: {record.what}: {values}"
        lines += [Line(""), *_broken(text, width, "plain")]
    for score in found.scores:
        text = f"{score.name.capitalize()}: {score.before} \u2192 {score.after}"
        lines += [Line(""), *_broken(text, width, "plain")]
    for change in found.claims:
        lines += [Line(""), *_change(change, width)]
    for word, told in (
        ("Error gone", found.findings_removed),
        ("New error", found.findings_added),
    ):
        for sentence in told:
            lines += [Line(""), *_broken(f"{word}: \u201c{sentence}\u201d", width, "finding")]
    counts = f"Claims changed: {len(found.claims)}; unchanged: {found.num_unchanged}."
    return [*lines, Line(""), *_broken(counts, width, "plain")]


def _sides(found: Difference, width: int) -> list[Line]:
    lines = []
    for word, side in (("before", found.before), ("after", found.after)):
        facts = (
            f"{word}: {side.name}, {side.num_words:,} words, sha256 {side.sha256[:12]}, judged "
            f"{side.date} from tables of {side.tables} and {side.num_measured} measured records"
        )
        lines += _broken(facts, width, "quiet")
    same = (
        "The story\u2019s text is the same."
        if found.is_same_text
        else "The story\u2019s text changed."
    )
    return [*lines, Line(same)]


def _change(change: ClaimChange, width: int) -> list[Line]:
    role = _ROLES[change.verdict]
    ids = " \u2192 ".join(name for name in (change.before, change.after) if name)
    head = {"added": "New claim", "removed": "Claim gone", "changed": "Claim changed"}[change.kind]
    lines = [Line(f"{head} ({ids}): {VERDICT_WORDS[change.verdict]}", role)]
    lines += _broken(f"\u201c{change.quote}\u201d", width, "quiet", indent=4)
    lines += [line for shift in change.shifts for line in _shift(shift, width)]
    if change.causes:
        words = {"story": "its words", "evidence": "its evidence", "method": "the method"}
        text = "The verdict moved with " + " and ".join(words[cause] for cause in change.causes)
        lines += _broken(text + ".", width, "plain", indent=4)
    for word, records in (
        ("now rests on", change.records_added),
        ("no longer rests on", change.records_removed),
        ("says something else now:", change.records_changed),
    ):
        if records:
            lines += _broken(f"{word} {', '.join(records)}", width, "quiet", indent=4)
    return lines
