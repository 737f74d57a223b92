"""What a sentence asserts, as far as rules can tell, and where. Values only; finds nothing."""

from dataclasses import dataclass

from netweight.verdict.scores import Score
from netweight.verdict.story import Span
from netweight.verdict.topics import ClaimType, Relation


@dataclass(frozen=True)
class Misuse:
    """A benchmark offered as evidence for an ability that it does not measure."""

    benchmark: str
    ability: str
    is_description: bool = False  # "X, a test of Y", rather than a conclusion drawn from X


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What is asserted, as far as the rules can tell; what a rule did not learn is empty."""

    topic: str
    type: ClaimType
    relation: Relation | None = None
    negated: bool = False
    comparators: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    ability: str | None = None
    direction: Relation | None = None
    misuses: tuple[Misuse, ...] = ()
    is_partial: bool = False  # said of some benchmark or of some model of a group
    is_of_all: bool = False  # said of every model of a group
    beside: tuple[Score, ...] = ()  # every score of the sentence on that benchmark
    proposition: str | None = None  # of netweight.verdict.propositions
    figures: tuple[str, ...] = ()  # the published figures that its numbers are


@dataclass(frozen=True, kw_only=True)
class Trigger(Assertion):
    """A place where a rule found an assertion."""

    span: Span
