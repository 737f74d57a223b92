"""netweight's tasks, provider and sandbox, which Inspect finds through its entry point."""

from typing import TYPE_CHECKING

from inspect_ai.model import modelapi

from netweight.evals.bwrap import BwrapSandbox
from netweight.evals.fiction import formulas_in_fiction
from netweight.evals.polyglot.task import polyglot
from netweight.evals.sums import sums

if TYPE_CHECKING:
    from netweight.evals.provider import NetweightAPI

__all__ = ["BwrapSandbox", "formulas_in_fiction", "netweight", "polyglot", "sums"]


@modelapi(name="netweight")
def netweight() -> "type[NetweightAPI]":
    """Models that netweight serves."""
    from netweight.evals.provider import NetweightAPI

    return NetweightAPI
