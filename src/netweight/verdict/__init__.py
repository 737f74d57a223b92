"""A story held against the evidence: its claims, quoted; each judged from records; one page.

Reads stories, the published tables of this package, and evidence record files. Imports no other
room, no tensor library, and asks no model.
"""

from netweight.verdict.evidence import Published, published
from netweight.verdict.measured import Measured, read_records
from netweight.verdict.page import render
from netweight.verdict.report import Report, make_report, write_atomically
from netweight.verdict.story import Story, parse_story, read_story
from netweight.verdict.summary import summary_lines

__all__ = [
    "Measured",
    "Published",
    "Report",
    "Story",
    "make_report",
    "parse_story",
    "published",
    "read_records",
    "read_story",
    "render",
    "summary_lines",
    "write_atomically",
]
