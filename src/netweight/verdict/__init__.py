"""A story held against the evidence: its claims, quoted; each judged from records; one page.

Reads stories, the published tables of this package, and evidence record files. Imports no other
room and no tensor library, and asks a model only where one is named as an assistant.
"""

from netweight.verdict.assisted import Assisted, Extraction, extract_with_model
from netweight.verdict.diff import Difference, compare_reports
from netweight.verdict.drift import Drift, make_drift, parse_drift, read_verdict
from netweight.verdict.evidence import Published, published
from netweight.verdict.measured import Measured, read_records
from netweight.verdict.page import render, render_drift
from netweight.verdict.prose import Prose, write_prose
from netweight.verdict.report import (
    Report,
    make_report,
    parse_report,
    read_report,
    records_of,
    with_prose,
    write_atomically,
)
from netweight.verdict.story import Story, parse_story, read_story
from netweight.verdict.summary import difference_lines, drift_lines, summary_lines

__all__ = [
    "Assisted",
    "Difference",
    "Drift",
    "Extraction",
    "Measured",
    "Prose",
    "Published",
    "Report",
    "Story",
    "compare_reports",
    "difference_lines",
    "drift_lines",
    "extract_with_model",
    "make_drift",
    "make_report",
    "parse_drift",
    "parse_report",
    "parse_story",
    "published",
    "read_records",
    "read_report",
    "read_story",
    "read_verdict",
    "records_of",
    "render",
    "render_drift",
    "summary_lines",
    "with_prose",
    "write_atomically",
    "write_prose",
]
