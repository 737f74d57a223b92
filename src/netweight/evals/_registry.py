"""netweight's tasks, which Inspect finds through the `inspect_ai` entry point."""

from netweight.evals.fiction import formulas_in_fiction
from netweight.evals.sums import sums

__all__ = ["formulas_in_fiction", "sums"]
