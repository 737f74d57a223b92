"""A proposition that a document makes, and what a clause was found to say of it. Values only."""

from dataclasses import dataclass

from netweight.verdict.topics import ClaimType


@dataclass(frozen=True, kw_only=True)
class Proposition:
    """A bag of word classes: each has to occur in a clause, in any order.

    `opposite` are words that say the contrary, `forbidden` words that mean something else, and
    `context` has to stand in the paragraph. `holds` is whether the plain statement is what the
    document says. `is_symmetric` says that a "not" turns nothing round, `is_mixed` that it is true
    in part however it is put, `is_open` that no source tells.
    """

    id: str
    document: str
    type: ClaimType
    bag: tuple[str, ...]
    opposite: str | None = None
    forbidden: str | None = None
    context: str | None = None
    holds: bool = True
    is_mixed: bool = False
    is_open: bool = False
    is_symmetric: bool = False


@dataclass(frozen=True)
class Stated:
    """A proposition, and whether the clause says it or its opposite."""

    proposition: Proposition
    is_affirmed: bool
