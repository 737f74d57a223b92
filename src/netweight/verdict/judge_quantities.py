"""Judging amounts: parameters, files, caches, memory, layers and experts of a claim's models."""

import re
from collections.abc import Mapping

from netweight.verdict.claims import Claim
from netweight.verdict.faults import Fault, Kind
from netweight.verdict.judge_documents import CONTEXT_TOKENS, CONTEXT_TOLERANCE
from netweight.verdict.judge_numbers import GIB_IN_GB, HEADROOM, says_without_limit
from netweight.verdict.judgement import Judgement, Statement, Verdict, nothing, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.quantities import Amount, amounts_in

BOUND = 1 / 3  # how far from the figure "under four billion" may be
TOLERANCE = 0.05  # as for sizes: "twenty billion" for 20.9
_COUNTS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "layers": {"gpt-oss-120b": (36,), "gpt-oss-20b": (24,)},
    "experts": {"gpt-oss-120b": (128, 4), "gpt-oss-20b": (32, 4)},
}
_WORDS = {
    "total-parameters": "billion parameters",
    "active-parameters": "billion parameters at work on each token",
    "checkpoint-size": "GiB of weights",
    "cache-at-full-context": "GiB of cache at its full context",
}
_NEEDS = re.compile(r"\b(?:needs?|requires?|demands?|at\s+least|calls?\s+for)\b", re.IGNORECASE)


def judge_quantity(claim: Claim, ledger: Ledger) -> Judgement:
    """Each amount against the figure of its property; one that is wrong contradicts the claim."""
    amounts = amounts_in(claim.quote)
    read = [_read(amount, claim, ledger) for amount in amounts]
    told = [judged for judged in read if judged is not None]
    if not told:
        return nothing("The tables hold no such amount for this model.")
    verdicts = {verdict for verdict, _ in told}
    verdict: Verdict = (
        "contradicted"
        if "contradicted" in verdicts
        else "mixed"
        if "mixed" in verdicts
        else "supported"
    )
    return Judgement(verdict=verdict, reason=tuple(dict.fromkeys(said for _, said in told)))


def _read(amount: Amount, claim: Claim, ledger: Ledger) -> tuple[Verdict, Statement] | None:
    if amount.metric in _COUNTS:
        return _of_count(amount, claim, ledger)
    if amount.metric == "context":
        return _of_context(amount, claim, ledger)
    if amount.metric == "memory":
        return _of_memory(amount, claim, ledger)
    rows = [r for s in claim.subjects if (r := ledger.tables.one(amount.metric, s))]
    if not rows:
        return None
    units = (1.0, GIB_IN_GB) if rows[0].unit == "GiB" else (1.0,)
    agrees = any(_agrees(amount, r.value * unit) for r in rows for unit in units)
    if not agrees and amount.metric in _OF_PARAMETERS:
        agrees = _is_the_other_count(amount, claim, ledger)
    parts = [f"{ledger.name(r.model)} has {number(r.value)} {_WORDS[r.metric]}" for r in rows]
    said = Statement(text="; ".join(parts) + ".", cites=tuple(r.id for r in rows))
    return "supported" if agrees else "contradicted", said


_OF_PARAMETERS = ("total-parameters", "active-parameters")


def _is_the_other_count(amount: Amount, claim: Claim, ledger: Ledger) -> bool:
    """Whether an amount is of the parameters at work, or of all, where words may mean either.

    What is told of all may be of those at work; "five of the 117 billion are awake" tells both.
    """
    told = [a for a in amounts_in(claim.quote) if a.metric in _OF_PARAMETERS]
    if len(told) == 1 and amount.metric == "active-parameters":
        return False
    metrics = _OF_PARAMETERS if len(told) > 1 else _OF_PARAMETERS[1:]
    rows = [ledger.tables.one(metric, s) for metric in metrics for s in claim.subjects]
    return any(_agrees(amount, row.value) for row in rows if row)


def _agrees(amount: Amount, value: float) -> bool:
    """Whether an amount is the value as it is told; "under four billion" is up to a third more."""
    ratio = amount.value / value - 1
    if abs(ratio) <= TOLERANCE:
        return True
    return (
        0 < ratio <= BOUND
        if amount.bound == "under"
        else (amount.bound == "over" and -BOUND <= ratio < 0)
    )


def _of_count(amount: Amount, claim: Claim, ledger: Ledger) -> tuple[Verdict, Statement] | None:
    known = [n for s in claim.subjects for n in _COUNTS[amount.metric].get(s, ())]
    if not known:
        return None
    document = ledger.tables.documents["architecture"]
    said = Statement(text=document.statement, cites=(document.id,))
    return "supported" if amount.value in known else "contradicted", said


def _of_context(amount: Amount, claim: Claim, ledger: Ledger) -> tuple[Verdict, Statement] | None:
    document = ledger.tables.documents["context-length"]
    if not {*claim.subjects} & {*document.models}:
        return None
    value = amount.value * (1000 if amount.value < 1000 else 1)  # "128k"
    agrees = any(abs(value / known - 1) <= CONTEXT_TOLERANCE for known in CONTEXT_TOKENS)
    said = Statement(text=document.statement, cites=(document.id,))
    return "supported" if agrees else "contradicted", said


def _of_memory(amount: Amount, claim: Claim, ledger: Ledger) -> tuple[Verdict, Statement] | None:
    """Whether the memory told holds the weights, and with the cache of the full context."""
    found: list[tuple[Verdict, Statement]] = []
    for subject in claim.subjects:
        weights = ledger.tables.one("checkpoint-size", subject)
        cache = ledger.tables.one("cache-at-full-context", subject)
        if weights is None or cache is None:
            continue
        whole = weights.value + cache.value
        is_idle = _NEEDS.search(claim.quote) and whole <= amount.value / 2 * (1 - HEADROOM)
        verdict: Verdict = "supported"
        if weights.value > amount.value or is_idle:
            verdict = "contradicted"
        elif whole > amount.value * (1 - HEADROOM) and says_without_limit(claim):
            verdict = "mixed"
        text = f"{ledger.name(subject)} needs {number(weights.value)} GiB for its weights and "
        text += f"{number(cache.value)} GiB for the cache of its full context."
        found.append((verdict, Statement(text=text, cites=(weights.id, cache.id))))
    order = ("supported", "mixed", "contradicted")
    worst = len(claim.subjects) == 1  # of several, the one that is meant
    pick = max if worst else min
    return pick(found, key=lambda f: order.index(f[0]), default=None)


_NOT = re.compile(r"\b(?:not|cannot|never)\b|n['\u2019]t\b", re.IGNORECASE)


def faults_in_quantities(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """An amount of the other size of the model, or of none."""
    if claim.negated or judgement.verdict != "contradicted":
        return []
    amounts = amounts_in(claim.quote)
    models = ledger.tables.models
    families = {models[s].family for s in claim.subjects if s in models} - {None}
    for other in models.values():
        if other.family in families and other.id not in claim.subjects:
            as_other = claim.told_of((other.id,))
            read = [(_read(a, claim, ledger), _read(a, as_other, ledger)) for a in amounts]
            wrong = [theirs for own, theirs in read if own and own[0] == "contradicted"]
            if wrong and all(theirs and theirs[0] != "contradicted" for theirs in wrong):
                said = next(theirs[1] for theirs in wrong if theirs)
                text = f"That is {other.name}. {said.text} {judgement.reason[0].text}"
                cites = (*said.cites, *judgement.reason[0].cites)
                return [Fault("size_swap", Statement(text=text, cites=cites))]
    kind: Kind = "negation" if _NOT.search(claim.quote) else "invented_number"
    return [Fault(kind, judgement.reason[0])]
