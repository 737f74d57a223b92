"""Judging what a document of the maker states outright: what goes in, how long, how it was made."""

import re
from collections.abc import Callable

from netweight.verdict.claims import Claim
from netweight.verdict.denial import falls_short
from netweight.verdict.judgement import Judgement, Statement, Verdict, listed, nothing
from netweight.verdict.ledger import Ledger
from netweight.verdict.wordings import (
    CONTEXT_ANSWER,
    CONTEXT_LENGTH,
    EFFORT_LEVELS,
    HIGH_CAPABILITY,
    IS_TEXT_ONLY,
    SENSES,
    TRAINING_COMPUTE,
    context_told,
)

CONTEXT_TOKENS = (128_000, 131_072)  # the length in thousands of tokens, and in full
CONTEXT_TOLERANCE = 0.01  # "131k" and "about 130,000" are ways to write it
TRAINING_MILLION_HOURS = 2.1
_REACHED = re.compile(
    r"\b(?:reach\w*|hits?|cross\w*|meets?|met|attain\w*|exceed\w*|classif\w+|qualif\w+|poses?|"
    r"rated|has|have|had)\b",
    re.IGNORECASE,
)
NUM_EFFORT_LEVELS = ("three", "3")


def judge_documented(claim: Claim, ledger: Ledger) -> Judgement:
    """A statement that the document of the same name makes, or that the story denies."""
    said = claim.sentence.text
    is_of_risk = claim.topic == "no-high-capability" and HIGH_CAPABILITY.search(said)
    says_reached = is_of_risk and _REACHED.search(said) and not falls_short(said)
    is_wrong = says_reached or not _agrees_on_levels(claim)
    return _by_document(claim, ledger, "contradicted" if is_wrong else "supported")


def _agrees_on_levels(claim: Claim) -> bool:
    """Whether a number of effort levels, if the claim gives one, is right."""
    match = EFFORT_LEVELS.search(claim.quote) if claim.topic == "effort-levels" else None
    told = [match[name] for name in ("count", "count2", "count3") if match[name]] if match else []
    return all(count.lower() in NUM_EFFORT_LEVELS for count in told)


def judge_text_only(claim: Claim, ledger: Ledger) -> Judgement:
    """Text only is right; anything said to be done with images or sound is not."""
    is_of_senses = claim.negated and SENSES.search(claim.quote)  # "no vision: text in, text out"
    agrees = IS_TEXT_ONLY.search(claim.quote) and not is_of_senses
    return _by_document(claim, ledger, "supported" if agrees else "contradicted")


def judge_context_length(claim: Claim, ledger: Ledger) -> Judgement:
    """The number of tokens, in thousands or in full."""
    match = CONTEXT_LENGTH.search(claim.quote) or CONTEXT_ANSWER.search(claim.quote)
    length = context_told(match) if match else 0
    agrees = any(abs(length / known - 1) <= CONTEXT_TOLERANCE for known in CONTEXT_TOKENS)
    return _by_document(claim, ledger, "supported" if agrees else "contradicted")


def judge_training_compute(claim: Claim, ledger: Ledger) -> Judgement:
    """Millions of hours of one kind of accelerator."""
    match = TRAINING_COMPUTE.search(claim.quote)
    told = match["millions"] if match else "0"
    rounding = 0.5 / 10.0 ** len(told.partition(".")[2])
    is_other = match is not None and match["billions"] is not None
    agrees = not is_other and abs(float(told) - TRAINING_MILLION_HOURS) <= rounding + 1e-9
    return _by_document(claim, ledger, "supported" if agrees else "contradicted")


def judge_scope(claim: Claim, ledger: Ledger) -> Judgement:
    """That a benchmark tells nothing of an ability, of one that indeed does not measure it."""
    (name,) = claim.benchmarks
    row = ledger.tables.benchmarks[name]
    text = f"{row.name} measures {row.is_}, not {row.is_not}."
    return Judgement(
        verdict="supported", reason=(Statement(text=text, cites=(f"benchmark:{name}",)),)
    )


def _confirmed_by(document: str) -> Callable[[Claim, Ledger], Judgement]:
    def judge(claim: Claim, ledger: Ledger) -> Judgement:
        return _by_document(claim, ledger, "supported", document=document)

    return judge


def _judge_data_release(claim: Claim, ledger: Ledger) -> Judgement:
    """The training data was not published; a denial is turned round by the caller."""
    return _by_document(claim, ledger, "contradicted", document="weights-not-data")


def _judge_place(claim: Claim, ledger: Ledger) -> Judgement:
    """A place on a board: open, since boards move; of SpeechMap's largest set the rows are gone."""
    is_of_speechmap = "speechmap" in claim.context.lower()
    if not is_of_speechmap:
        return nothing("The tables hold no order of that board on the story's date.")
    return _by_document(claim, ledger, "not_enough_evidence", document="us-hard-absent")


def judge_who_measured(claim: Claim, ledger: Ledger) -> Judgement:
    """That the maker measured its own figures: so far as the tables hold figures of the maker."""
    rows = [
        row
        for subject in claim.subjects
        for row in ledger.tables.figures.values()
        if row.model == subject and row.metric in ledger.tables.benchmarks
    ]
    own = [row for row in rows if row.measured_by == "first_party"]
    if not own:
        return nothing("The tables hold no figure of this model that its maker measured.")
    names = {row.metric: ledger.tables.benchmarks[row.metric].name for row in own}
    first = {metric: next(r for r in own if r.metric == metric) for metric in names}
    cites = tuple(row.id for row in first.values())
    text = f"The maker itself measured the published figures on {listed(names.values())}."
    return Judgement(verdict="supported", reason=(Statement(text=text, cites=cites),))


def judge_open_source_asks(claim: Claim, ledger: Ledger) -> Judgement:
    """What the definition of open-source AI asks for; it is of no model."""
    found = ledger.tables.documents["osaid-data"]
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported", reason=(said,))


BY_DOCUMENT: dict[str, Callable[[Claim, Ledger], Judgement]] = {
    "usage-policy": _confirmed_by("usage-policy"),
    "commercial-use": _confirmed_by("licence"),
    "weights-release": _confirmed_by("weights-not-data"),
    "data-release": _judge_data_release,
    "effort-effect": _confirmed_by("effort-levels"),
    "training-data": _confirmed_by("training-data"),
    "benchmark-scope": judge_scope,
    "place-on-board": _judge_place,
}


def _by_document(
    claim: Claim, ledger: Ledger, verdict: Verdict, *, document: str | None = None
) -> Judgement:
    found = ledger.tables.documents[document or claim.topic]
    if not set(claim.subjects) & set(found.models):
        return nothing("The tables hold no document of this model's maker that speaks to this.")
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict=verdict, reason=(said,))
