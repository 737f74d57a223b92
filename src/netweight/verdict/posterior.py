"""How probable a claim is after the evidence, by a formula that is the same for every claim.

A comparison has the mass of its difference that lies in the claimed region; any other claim the
odds of a source that agrees or disagrees. Each is tempered by how far its source can be relied on,
and by an allowance for a measurement gone wrong. Labels follow tests of their own (intervals,
equivalence); this number does not decide them, it says how sure the evidence makes one.
"""

import math
from collections.abc import Iterable
from statistics import NormalDist

from netweight.verdict.evidence import Computed, Document, Figure
from netweight.verdict.intervals import z_score
from netweight.verdict.judgement import Judgement, Posterior
from netweight.verdict.ledger import MARGIN_POINTS, Ledger, Record
from netweight.verdict.measured import Measured
from netweight.verdict.pairs import Pair
from netweight.verdict.topics import Relation

# How far a kind of source is relied on: the exponent of its odds. Declared, not fitted.
OWN_MEASUREMENT = 0.95
LEADERBOARD = 0.9
THIRD_PARTY = 0.8
VENDOR_ON_ITSELF = 0.6
VENDOR_ON_WHAT_IT_MADE = 1.0  # sizes, licences and documents of its own
PRESS = 0.3

MISCONFIGURED = 0.01  # a measurement or a transcription that is wrong altogether
_LEADERBOARDS = {"aider-board", "speechmap"}
_PRESS = {"goedecke", "users-relayed", "aa-v4"}
_MADE = {"billion", "GiB"}


def weight_of(record: Record) -> float:
    """How far a record is relied on; a computed one has no say of its own."""
    if isinstance(record, Measured):
        return OWN_MEASUREMENT
    if isinstance(record, Computed):
        return 0.0
    if record.source in _PRESS:
        return PRESS
    if isinstance(record, Document) or record.unit in _MADE:
        return VENDOR_ON_WHAT_IT_MADE
    if record.source in _LEADERBOARDS:
        return LEADERBOARD
    return THIRD_PARTY if record.measured_by == "third_party" else VENDOR_ON_ITSELF


def tempered(probability: float, weight: float) -> float:
    """A probability with its log odds multiplied by the weight of its source."""
    bounded = min(max(probability, MISCONFIGURED), 1 - MISCONFIGURED)
    return 1 / (1 + math.exp(-weight * math.log(bounded / (1 - bounded))))


def of_pairs(
    relation: Relation,
    pairs: Iterable[Pair],
    *,
    is_universal: bool,
    is_negated: bool,
    is_partial: bool = False,
) -> Posterior | None:
    """The posterior of a comparison: over its pairs the mean, for "every" the product.

    For "some" it is that of the pair which bears it out best.
    """
    known = [(_mass(relation, p), min(weight_of(p.first), weight_of(p.second))) for p in pairs]
    if not known:
        return None

    def joined(scale: float) -> float:
        parts = [tempered(mass, min(1.0, weight * scale)) for mass, weight in known]
        mean = max(parts) if is_partial else sum(parts) / len(parts)
        whole = math.prod(parts) if is_universal else mean
        return 1 - whole if is_negated else whole

    return _posterior(joined(1.0), joined(0.5), joined(2.0), sum(w for _, w in known))


def _mass(relation: Relation, pair: Pair) -> float:
    """The share of the difference's distribution in the claimed region; better is positive."""
    if pair.computed is None:
        return _by_value(relation, pair)
    values = pair.computed.values
    sign = 1 if (pair.by_value == "higher") == (pair.first.value > pair.second.value) else -1
    error = (values["high"] - values["low"]) / 2 / z_score(0.95)
    spread = NormalDist(sign * values["value"], max(error, 1e-6))
    if relation == "above":
        return 1 - spread.cdf(0)
    if relation == "below":
        return spread.cdf(0)
    return spread.cdf(MARGIN_POINTS) - spread.cdf(-MARGIN_POINTS)


def _by_value(relation: Relation, pair: Pair) -> float:
    """Without an interval the published order is all there is."""
    wanted = {"above": "higher", "below": "lower", "equal": "equivalent"}[relation]
    return 1 - MISCONFIGURED if pair.by_value == wanted else MISCONFIGURED


def of_records(judged: Judgement, ledger: Ledger) -> Posterior | None:
    """The posterior of a claim that sources confirm or deny, by the strongest of them.

    Several records that go back to one origin are one source, so weights are not added up.
    """
    if judged.verdict == "not_checkable":
        return None
    cited = [c for s in judged.reason for c in s.cites]
    records = [r for c in cited if (r := ledger.record(c)) is not None]
    origins = [r for r in records if isinstance(r, Figure | Document | Measured)]
    weight = max((weight_of(r) for r in origins), default=0.0)
    sure = {"supported": 1 - MISCONFIGURED, "contradicted": MISCONFIGURED}
    if judged.verdict not in sure:
        return _posterior(0.5, 0.5, 0.5, weight if judged.verdict == "mixed" else 0.0)
    if not origins:
        weight = VENDOR_ON_WHAT_IT_MADE  # what a benchmark is, by its own documentation
    mass = sure[judged.verdict]
    return _posterior(
        tempered(mass, weight), tempered(mass, weight / 2), tempered(mass, 1.0), weight
    )


def _posterior(mean: float, half: float, full: float, weight: float) -> Posterior:
    low, *_, high = sorted((mean, half, full))
    return Posterior(
        mean=round(mean, 3), low=round(low, 3), high=round(high, 3), weight=round(weight, 2)
    )
