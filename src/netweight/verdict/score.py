"""Three scores of a story and its subject, with intervals, what moves them, or why there is none.

Hype and belittling are of the story (netweight.verdict.hype), impact is of what it is about
(netweight.verdict.impact). Each is computed from labels and records by published arithmetic, is
drawn many times with everything uncertain, and is withheld where there is not enough to go on. The
same story, tables, records and seed give the same numbers.
"""

import math
from typing import Literal

import numpy as np

from netweight.verdict import hype, impact
from netweight.verdict.evidence import Computed, Row
from netweight.verdict.hype import Draws, Parts
from netweight.verdict.judgement import Statement, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.loaded import Favour
from netweight.verdict.standing import Standing, main_models
from netweight.verdict.story import Story

Name = Literal["hype", "belittling", "impact"]
Label = Literal[
    "Substance over hype",
    "Hype over substance",
    "Belittled beyond the evidence",
    "No clear balance",
    "Not enough to go on",
]

SEED = 0
LEVEL = 90
MIN_COVERAGE_PERCENT = 60.0
MAX_WIDTH = 4.0
MIN_WORDS = 150
NUM_MOVERS = 5
_DIRECTIONS: tuple[tuple[Name, Favour], ...] = (("hype", 1), ("belittling", -1))
RULES = Computed(
    id="score-rules",
    statement="When a score is withheld, and how it is drawn.",
    values={
        "level": LEVEL,
        "least_coverage": MIN_COVERAGE_PERCENT,
        "greatest_width": MAX_WIDTH,
        "least_words": MIN_WORDS,
        "greatest": 10,
        "draws": hype.NUM_DRAWS,
        "seed": SEED,
    },
    inputs=(),
    method="declared",
)
_WORDS: dict[Name, str] = {"hype": "in the models' favour", "belittling": "against the models"}


class Mover(Row):
    """A claim, and by how many points the score would change if it were not in the story."""

    claim: str
    change: float


class Score(Row):
    """A score from 0 to 10: the median of its draws with its interval, in halves.

    `value`, `low` and `high` are null where the score is withheld, and `withheld` says why.
    `components` are from 0 to 1; `coverage` is the share of what would count that evidence speaks
    to. `voices` is the overclaim of the story itself, of the vendor as quoted and of others as
    quoted; `underclaim` by how much probability claims assert less than the evidence gives.
    """

    name: Name
    value: float | None
    low: float | None
    high: float | None
    level: int = LEVEL
    coverage: float
    components: dict[str, float]
    weights: dict[str, float]
    voices: dict[str, float]
    underclaim: float | None
    movers: tuple[Mover, ...]
    reason: tuple[Statement, ...]
    withheld: tuple[Statement, ...]
    missing: tuple[str, ...]

    @property
    def record(self) -> str:
        """The id of the computed record that sentences cite."""
        return f"score-{self.name}"


class Scores(Row):
    """The scores, and what they come to by rule."""

    hype: Score
    belittling: Score
    impact: Score
    label: Label
    impact_above_hype: float | None

    @property
    def all(self) -> tuple[Score, ...]:
        """In the order in which they are shown."""
        return (self.hype, self.belittling, self.impact)


def score(standings: tuple[Standing, ...], story: Story, ledger: Ledger) -> Scores:
    """The scores of a story whose claims are judged."""
    rng = np.random.default_rng(SEED)
    drawn: dict[Name, Draws] = {}
    found: dict[Name, Score] = {}
    for name, favour in _DIRECTIONS:
        parts = hype.parts_of(standings, favour)
        drawn[name] = hype.draw_scores(parts, rng)
        found[name] = _of_story(name, parts, drawn[name], story, ledger)
    models = main_models((one.claim for one in standings), ledger)
    known = impact.components(models, ledger, rng)
    drawn["impact"] = impact.draw_scores(known, rng) if known else np.zeros(hype.NUM_DRAWS)
    found["impact"] = _of_release(known, drawn["impact"], ledger)
    is_told = found["hype"].value is not None and found["impact"].value is not None
    return Scores(
        hype=found["hype"],
        belittling=found["belittling"],
        impact=found["impact"],
        label=_label(found),
        impact_above_hype=round(float(np.mean(drawn["impact"] > drawn["hype"])), 2)
        if is_told
        else None,
    )


def _label(found: dict[Name, Score]) -> Label:
    """By which interval lies wholly above which."""

    def is_above(one: Score, other: Score) -> bool:
        return one.low is not None and other.high is not None and one.low > other.high

    if is_above(found["hype"], found["impact"]):
        return "Hype over substance"
    if is_above(found["belittling"], found["hype"]):
        return "Belittled beyond the evidence"
    if is_above(found["impact"], found["hype"]):
        return "Substance over hype"
    is_known = found["hype"].value is not None and found["impact"].value is not None
    return "No clear balance" if is_known else "Not enough to go on"


def _of_story(name: Name, parts: Parts, drawn: Draws, story: Story, ledger: Ledger) -> Score:
    withheld = _why_not(name, parts, drawn, story, ledger)
    value, low, high = _in_halves(drawn)
    found = Score(
        name=name,
        value=None if withheld else value,
        low=None if withheld else low,
        high=None if withheld else high,
        coverage=round(parts.coverage, 2),
        components={key: round(value, 2) for key, value in hype.components(parts).items()},
        weights=hype.WEIGHTS,
        voices={voice: round(value, 2) for voice, value in hype.by_voice(parts).items()},
        underclaim=round(hype.underclaim(parts.weighed), 2) if parts.weighed else None,
        movers=() if withheld else _movers(parts),
        reason=(),
        withheld=withheld,
        missing=_missing(parts) if withheld else (),
    )
    _keep(found, ledger)
    return found


def _of_release(known: tuple[impact.Component, ...], drawn: Draws, ledger: Ledger) -> Score:
    coverage = impact.coverage(known)
    withheld: tuple[Statement, ...] = ()
    if 100 * coverage < MIN_COVERAGE_PERCENT:
        text = "The tables hold too little about the model that the story is about."
        withheld = (Statement(text=text),)
    elif _width(drawn) > MAX_WIDTH:
        withheld = (_too_wide(ledger),)
    value, low, high = _in_halves(drawn)
    found = Score(
        name="impact",
        value=None if withheld else value,
        low=None if withheld else low,
        high=None if withheld else high,
        coverage=round(coverage, 2),
        components={one.name: round(one.value, 2) for one in known},
        weights=impact.WEIGHTS,
        voices={},
        underclaim=None,
        movers=(),
        reason=tuple(one.reason for one in known),
        withheld=withheld,
        missing=(),
    )
    _keep(found, ledger)
    return found


def _keep(found: Score, ledger: Ledger) -> None:
    """Make a shown score a record, so that sentences can cite it."""
    if found.value is None or found.low is None or found.high is None:
        return
    ledger.add(
        Computed(
            id=found.record,
            statement=f"{found.name.capitalize()}, from 0 to 10, with its {LEVEL}% interval",
            values={"score": found.value, "from": found.low, "to": found.high, "level": LEVEL},
            inputs=(),
            method=f"median of {hype.NUM_DRAWS:,} draws, in halves",
        )
    )


def _why_not(
    name: Name, parts: Parts, drawn: Draws, story: Story, ledger: Ledger
) -> tuple[Statement, ...]:
    """Why a score of the story is withheld; nothing where it is given."""
    rules = (ledger.add(RULES).id,)
    if not any(one.is_checkable for one in parts.claims):
        text = f"The story makes no claim {_WORDS[name]} that evidence could weigh."
        return (Statement(text=text),)
    said = []
    if story.num_words < MIN_WORDS:
        text = f"The story has fewer than {MIN_WORDS} words."
        said.append(Statement(text=text, cites=rules))
    if 100 * parts.coverage < MIN_COVERAGE_PERCENT:
        text = (
            f"Evidence speaks to less than {number(MIN_COVERAGE_PERCENT)}% of what the story "
            f"claims {_WORDS[name]}, by how central it is."
        )
        said.append(Statement(text=text, cites=rules))
    if not said and _width(drawn) > MAX_WIDTH:
        said.append(_too_wide(ledger))
    return tuple(said)


def _too_wide(ledger: Ledger) -> Statement:
    text = f"The {LEVEL}% interval is wider than {number(MAX_WIDTH)} points."
    return Statement(text=text, cites=(ledger.add(RULES).id,))


def _missing(parts: Parts) -> tuple[str, ...]:
    """The claims that evidence would help most with, the most central first."""
    open_ones = [one for one in parts.claims if one.is_checkable and not one.bears_evidence]
    ordered = sorted(open_ones, key=lambda one: -one.centrality)
    return tuple(one.claim.id for one in ordered[:NUM_MOVERS])


def _movers(parts: Parts) -> tuple[Mover, ...]:
    """The claims whose absence would change the score most, by a tenth of a point at least."""
    whole = hype.point_score(parts)
    moved = [
        Mover(claim=one.claim.id, change=round(hype.point_score(parts.without(one)) - whole, 1))
        for one in parts.claims
    ]
    ordered = sorted(moved, key=lambda mover: -abs(mover.change))
    return tuple(mover for mover in ordered[:NUM_MOVERS] if mover.change)


def _quantiles(drawn: Draws) -> tuple[float, float, float]:
    tail = (1 - LEVEL / 100) / 2
    low, middle, high = (float(q) for q in np.quantile(drawn, (tail, 0.5, 1 - tail)))
    return low, middle, high


def _width(drawn: Draws) -> float:
    low, _, high = _quantiles(drawn)
    return high - low


def _in_halves(drawn: Draws) -> tuple[float, float, float]:
    """Median, low and high; the interval is rounded outwards."""
    low, middle, high = _quantiles(drawn)
    # A draw that is off by its last bit is no reason for half a point.
    return (
        round(2 * middle) / 2,
        math.floor(2 * low + 1e-9) / 2,
        math.ceil(2 * high - 1e-9) / 2,
    )


def sentences(scores: Scores) -> tuple[Statement, ...]:
    """The label and the scores in words, or what is missing."""
    shown = [one for one in scores.all if one.value is not None]
    if not shown:
        return ()
    parts = ", ".join(_told(one) for one in shown)
    text = f"{scores.label}: {parts}, each out of 10 with its {LEVEL}% interval."
    return (Statement(text=text, cites=(*(one.record for one in shown), RULES.id)),)


def _told(one: Score) -> str:
    return f"{one.name} {score_text(one)}"


def score_text(one: Score) -> str:
    """A score with its interval, or that it is withheld."""
    if one.value is None or one.low is None or one.high is None:
        return "withheld"
    return f"{number(one.value)} ({number(one.low)} to {number(one.high)})"
