"""netweight's tasks, provider and sandbox, which Inspect finds through its entry point."""

from typing import TYPE_CHECKING

from inspect_ai.model import modelapi

from netweight.evals.aime import aime
from netweight.evals.bbq import bbq
from netweight.evals.benign import benign
from netweight.evals.bwrap import BwrapSandbox
from netweight.evals.capability import capability
from netweight.evals.conformance import conformance
from netweight.evals.contamination import canonical_order, membership
from netweight.evals.fiction import formulas_in_fiction
from netweight.evals.ifeval import ifeval
from netweight.evals.index_parts import gpqa_diamond, hle, mmlu_pro, scicode
from netweight.evals.instructions import instructions
from netweight.evals.memorised import memorised, public_against_fresh
from netweight.evals.mirrored import mirrored
from netweight.evals.polyglot.task import polyglot
from netweight.evals.published_tools import bfcl, tau2
from netweight.evals.speechmap import speechmap
from netweight.evals.sums import sums
from netweight.evals.synthetic import collapse, unconditioned
from netweight.evals.tools import tools
from netweight.evals.writing import writing

if TYPE_CHECKING:
    from netweight.evals.provider import NetweightAPI

__all__ = [
    "BwrapSandbox",
    "aime",
    "bbq",
    "benign",
    "bfcl",
    "canonical_order",
    "capability",
    "collapse",
    "conformance",
    "formulas_in_fiction",
    "gpqa_diamond",
    "hle",
    "ifeval",
    "instructions",
    "membership",
    "memorised",
    "mirrored",
    "mmlu_pro",
    "netweight",
    "polyglot",
    "public_against_fresh",
    "scicode",
    "speechmap",
    "sums",
    "tau2",
    "tools",
    "unconditioned",
    "writing",
]


@modelapi(name="netweight")
def netweight() -> "type[NetweightAPI]":
    """Models that netweight serves."""
    from netweight.evals.provider import NetweightAPI

    return NetweightAPI
