"""The verdict for a terminal: lines of text, each with the role that decides its colour.

Prints nothing itself. Without colours it reads the same.
"""

import textwrap
from typing import Literal, NamedTuple

from netweight.verdict.judgement import VERDICT_WORDS, Statement
from netweight.verdict.report import ClaimPart, Report

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
    for finding in report.findings:
        lines += [Line(""), Line("Error of reasoning", "finding")]
        lines += _broken(f"\u201c{finding.sentence}\u201d", width, "quiet", indent=2)
        lines += [
            line for s in finding.correction for line in _broken(s.text, width, "plain", indent=2)
        ]
    for claim in report.claims:
        if claim.repeats is None:
            lines += [Line(""), *_claim(claim, width)]
    for record in report.measured:
        state = "usable" if record.usable else f"not usable: {record.reason}"
        figure = f"{record.hits} of {record.n} ({state})"
        text = f"Measured here: {record.model}, {record.description}: {figure}"
        lines += [Line(""), *_broken(text, width, "quiet")]
    return lines


def _claim(claim: ClaimPart, width: int) -> list[Line]:
    head = f"{claim.id[1:]:>2}  {VERDICT_WORDS[claim.verdict]}"
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
