"""What the documents of the tables say, as propositions that a clause can make or deny.

A table: which document speaks to each, and what follows for a clause that makes it, and for one
that says the opposite. How a proposition is worded is learned (netweight.verdict.stating).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from netweight.verdict.judgement import Verdict
from netweight.verdict.topics import ClaimType


@dataclass(frozen=True)
class Proposition:
    """One statement: the document that speaks to it, and the verdicts on it and its opposite."""

    id: str
    document: str
    type: ClaimType
    made: Verdict = "supported"
    denied: Verdict = "contradicted"


_ALL = (
    Proposition("licence", "licence", "licence"),
    Proposition("commercial", "licence", "licence"),
    Proposition("usage-policy", "usage-policy", "licence"),
    Proposition("weights-out", "weights-not-data", "openness"),
    Proposition("data-withheld", "weights-not-data", "openness"),
    Proposition("open-source", "weights-not-data", "openness", "mixed", "supported"),
    Proposition("osaid-asks", "osaid-data", "openness"),
    Proposition("osaid-met", "osaid-data", "openness", "contradicted", "supported"),
    Proposition("since-gpt-2", "first-since-gpt-2", "history"),
    Proposition("text-only", "text-only", "behaviour"),
    Proposition("effort-levels", "effort-levels", "behaviour"),
    Proposition("effort-helps", "effort-levels", "behaviour"),
    Proposition("sparse", "mixture-of-experts", "resource"),
    Proposition("harmony", "harmony-format", "training"),
    Proposition("dataset", "training-data", "training"),
    Proposition("share-untold", "training-data", "training"),
    Proposition(
        "synthetic", "synthetic-suspicion", "training", "not_enough_evidence", "not_enough_evidence"
    ),
    Proposition(
        "maths-in-writing",
        "formula-anecdotes",
        "behaviour",
        "not_enough_evidence",
        "not_enough_evidence",
    ),
    Proposition("refuses", "us-hard-absent", "behaviour", "mixed", "mixed"),
    Proposition("west-over-east", "us-hard-absent", "behaviour"),
    Proposition("rows-absent", "us-hard-absent", "openness"),
    Proposition("not-high", "no-high-capability", "safety"),
    Proposition("misuse-tested", "no-high-capability", "safety"),
    Proposition("outside-review", "outside-review", "safety"),
    Proposition("training-compute", "training-compute", "training"),
    Proposition("best-american", "best-american", "comparison"),
    Proposition("no-weakness", "has-weaknesses", "ability", "contradicted", "supported"),
    Proposition("hosts-differ", "host-spread", "behaviour"),
    Proposition("popular", "popular", "other"),
    Proposition("makers-own-test", "maker-of-healthbench", "other"),
    Proposition("marked-by-model", "maker-of-healthbench", "other"),
    Proposition("index-changed", "best-american", "other"),
    Proposition("self-host", "weights-not-data", "openness"),
    Proposition("one-card", "size", "resource"),
    Proposition("home-machine", "size", "resource"),
    Proposition("language-parity", "has-weaknesses", "ability", "contradicted", "supported"),
    Proposition("small-over-large", "small-over-large", "comparison"),
    Proposition("never-invents", "has-weaknesses", "behaviour", "contradicted", "supported"),
    Proposition("malformed-edits", "aider-well-formed", "benchmark_score"),
    Proposition("size-ratio", "architecture", "resource"),  # told by a number, not by its words
    Proposition("fast-hosts", "host-speed", "resource"),
)
PROPOSITIONS: Mapping[str, Proposition] = {p.id: p for p in _ALL}
