"""Comparisons that turn the order round, say more than the source, or choose an outdated rival."""

import re
from collections.abc import Iterable

from netweight.verdict.claims import Claim
from netweight.verdict.comparing import describe, pairs_for, wrong_peer
from netweight.verdict.denial import has_denial
from netweight.verdict.evidence import Document, Figure, KnownModel
from netweight.verdict.faults import Fault
from netweight.verdict.judgement import Judgement, Statement, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.names import OPENAI_PROPRIETARY
from netweight.verdict.pairs import Pair
from netweight.verdict.topics import says_universal

POSSIBLE = 0  # the strength of "may"


def faults_in_order(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A comparison stronger than its source, or against the order of every published figure."""
    if claim.negated or claim.relation is None or claim.is_partial:
        return []
    if judgement.verdict == "supported":
        return []
    pairs = pairs_for(claim, ledger)
    if relayed := wrong_peer(claim, ledger):
        return [Fault("model_swap", Statement(text=relayed.statement, cites=(relayed.id,)))]
    if source := _exceeded(claim, pairs, ledger):
        said = [*describe(pairs, ledger)][:1] if pairs else []
        text = " ".join([source.statement, *(s.text for s in said)])
        cites = (source.id, *(c for s in said for c in s.cites))
        return [Fault("strength_inflation", Statement(text=text, cites=cites))]
    if claim.relation == "equal":
        return _unequal(claim, judgement, pairs, ledger)
    against = "lower" if claim.relation == "above" else "higher"
    is_turned = all(pair.by_value == against for pair in pairs)
    if claim.is_of_all and not is_turned and (lost := [p for p in pairs if p.reading == against]):
        return [Fault("strength_inflation", _values(lost, ledger))]
    if not pairs or any(pair.by_value != against for pair in pairs):
        return []
    if claim.relation == "below" and has_denial(claim.quote):
        return [Fault("negation", _values(pairs, ledger))]  # "does not get past X"
    is_close = claim.relation == "above" and any(_is_close(pair, claim, ledger) for pair in pairs)
    return [Fault("strength_inflation" if is_close else "model_swap", _values(pairs, ledger))]


CLOSE_POINTS = 5.8  # behind by no more, "ahead" is an inflation and not an exchange


def _is_close(pair: Pair, claim: Claim, ledger: Ledger) -> bool:
    """Whether the subject is so near to the rival that a source could call it nearly as good."""
    gap = abs(pair.first.value - pair.second.value)
    told = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", claim.sentence.text)}
    if pair.second.value in told:
        return False  # the figures are exchanged
    is_own = bool({*claim.subjects} & {*ledger.tables.documents["peer-claim"].models})
    is_in_points = pair.first.unit in ("percent", "points")
    return is_own and is_in_points and gap <= CLOSE_POINTS + 1e-9


def _exceeded(claim: Claim, pairs: list[Pair], ledger: Ledger) -> Document | None:
    """The source on how the subject compares, if the claim goes beyond what it says.

    A claim about named benchmarks is no repetition of a general sentence, unless it is universal.
    """
    source = ledger.tables.documents["peer-claim"]
    peers = {ledger.tables.models[s].vendor_peer for s in claim.subjects if s in source.models}
    is_universal = says_universal(claim.quote)
    if not peers & {*claim.comparators} and not (peers and OPENAI_PROPRIETARY in claim.comparators):
        return None
    if claim.benchmarks and not is_universal:
        return None
    if re.search(r"\bpoints\b|\bpercent\b|%", claim.quote):
        return None  # of some test that the words do not name
    goes_beyond = claim.relation == "above" or (claim.relation == "equal" and is_universal)
    if claim.strength == POSSIBLE:
        return None
    is_so = claim.relation == "above" and _is_resolved(pairs, "higher")
    return source if goes_beyond and not is_so else None


def _is_resolved(pairs: Iterable[Pair], wanted: str) -> bool:
    readings = [pair.reading for pair in pairs]
    return bool(readings) and all(reading == wanted for reading in readings)


def _unequal(claim: Claim, judgement: Judgement, pairs: list[Pair], ledger: Ledger) -> list[Fault]:
    """A plain "matches" where every figure shows a difference."""
    if claim.hedged or judgement.verdict != "contradicted" or not pairs:
        return []
    return [Fault("strength_inflation", _values(pairs, ledger))]


def _values(pairs: list[Pair], ledger: Ledger) -> Statement:
    shown = pairs[:3]
    parts = [
        f"{ledger.name(p.first.model)} has {number(p.first.value)} and "
        f"{ledger.name(p.second.model)} {number(p.second.value)} on "
        f"{ledger.tables.benchmarks[p.first.metric].name}"
        for p in shown
    ]
    cites = tuple(i for p in shown for i in (p.first.id, p.second.id))
    return Statement(text="; ".join(parts) + ".", cites=cites)


def faults_in_rivals(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A rival with a successor that stood on the same board, which the paragraph does not name."""
    models = ledger.tables.models
    faults = []
    for rival in _rivals_told(claim, ledger):
        row = models.get(rival)
        if row is None or (
            _is_told_as_old(claim.sentence.text, row.aliases) and not _AS_LATEST.search(claim.quote)
        ):
            continue
        is_named = row.newer in claim.nearby_models and not _is_named_far(row.newer, claim, ledger)
        is_named = is_named and not _AS_LATEST.search(claim.quote)
        if row.newer is None or is_named:
            continue
        metrics = [ledger.tables.figures[name].metric for name in claim.figures]
        for benchmark in dict.fromkeys((*claim.benchmarks, *metrics)):
            old, new = _same_board(benchmark, rival, row.newer, ledger)
            if old and new and _was_out(new, claim):
                text = (
                    f"{row.name} had a successor by then: {ledger.name(row.newer)} has "
                    f"{number(new.value)} on {ledger.tables.benchmarks[benchmark].name}, "
                    f"not {number(old.value)}."
                )
                said = Statement(text=text, cites=(new.id, old.id))
                faults.append(Fault("stale_comparator", said))
    return faults


def _is_named_far(name: str, claim: Claim, ledger: Ledger) -> bool:
    """Whether a model is named before, but neither in the claim's sentence nor in the last."""
    model, sentence = ledger.tables.models[name], claim.sentence.text
    earlier, _, last = claim.context.removesuffix(sentence).rstrip(" .!?").rpartition(". ")
    return _names(model, earlier) and not _names(model, f"{last} {sentence}")


def _names(model: KnownModel, text: str) -> bool:
    """Whether a text has one of the names of a model."""
    return any(alias.lower() in text.lower() for alias in (model.name, *model.aliases))


_AS_LATEST = re.compile(
    r"\b(?:current|latest|newest|present|today['\u2019]s|most\s+recent|to\s+date|of\s+the\s+hour|best\s+(?:that\s+)?[\w\-]+\s+has(?:\s+to\s+offer)?)\b",
    re.IGNORECASE,
)


def _rivals_told(claim: Claim, ledger: Ledger) -> list[str]:
    """The models that the claim sets beside another: compared, or told of where others score."""
    models = ledger.tables.models
    scored = [s.model for s in claim.scores if s.model and s.is_named]
    beside = [n for n in claim.nearby_models if n in models and _names(models[n], claim.quote)]
    scored += beside if claim.scores else []
    is_beside = claim.comparators or claim.figures
    named = [*claim.comparators, *scored, *(claim.subjects if is_beside else ())]
    return [
        name for name in dict.fromkeys(named) if {*claim.nearby_models, *claim.subjects} - {name}
    ]


# A story that says itself that the rival is an old one hides nothing.
_TOLD_AS_OLD = re.compile(
    r"\b(?:old|older|original|January|earlier|outdated|superseded|first version|predecessor|"
    r"previous|not the newer|before its update)\b",
    re.IGNORECASE,
)


def _is_told_as_old(text: str, aliases: tuple[str, ...]) -> bool:
    """Whether a word for an old version stands near the rival's name."""
    shapes = "|".join(r"[\s\-]".join(map(re.escape, re.split(r"[\s\-]", a))) for a in aliases)
    places = list(re.finditer(rf"\b(?:{shapes})\b", text, re.IGNORECASE))
    near = [text[max(0, m.start() - 45) : m.end() + 60] for m in places] or [text]
    return any(_TOLD_AS_OLD.search(words) for words in near)


def _was_out(figure: Figure, claim: Claim) -> bool:
    """Whether the figure was there when the story was published, as far as dates are known."""
    told_on, measured_on = claim.told_on, figure.conditions.date
    return told_on is None or measured_on is None or told_on >= measured_on[: len(told_on)]


def _same_board(
    benchmark: str, old: str, new: str, ledger: Ledger
) -> tuple[Figure | None, Figure | None]:
    for one in ledger.tables.about(benchmark, old):
        for other in ledger.tables.about(benchmark, new):
            if one.setting == other.setting:
                return one, other
    return None, None
