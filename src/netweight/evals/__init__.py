"""Evaluations: ordinary Inspect tasks, run over HTTP, whose results become evidence records.

Importing this is quick: Inspect itself is imported when a task runs.
"""

from netweight.evals.budget import Budget
from netweight.evals.records import Record
from netweight.evals.run import SUITES, OnProgress, Weighing, server_subject, weigh
from netweight.evals.subject import Effort, Settings, Subject

__all__ = [
    "SUITES",
    "Budget",
    "Effort",
    "OnProgress",
    "Record",
    "Settings",
    "Subject",
    "Weighing",
    "server_subject",
    "weigh",
]
