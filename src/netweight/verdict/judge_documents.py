"""Judging what a document of the maker states outright: what goes in, how long, how it was made."""

import re

from netweight.verdict.claims import Claim
from netweight.verdict.judgement import Judgement, Statement, Verdict, nothing
from netweight.verdict.ledger import Ledger
from netweight.verdict.topics import CONTEXT_LENGTH, DENIAL, TRAINING_COMPUTE

CONTEXT_TOKENS = {128, 131, 128_000, 131_000, 131_072}  # the ways that one length is written
TRAINING_MILLION_HOURS = 2.1


def judge_documented(claim: Claim, ledger: Ledger) -> Judgement:
    """A statement that the document of the same name makes, or that the story denies."""
    is_denied = claim.topic != "no-high-capability" and DENIAL.search(claim.quote)
    says_reached = claim.topic == "no-high-capability" and not re.search(
        r"\b(?:not|never|no|below|without|fail\w*|unable|n't|short of)\b|n['\u2019]t\b",
        claim.sentence.text,
        re.IGNORECASE,
    )
    return _by_document(claim, ledger, "contradicted" if is_denied or says_reached else "supported")


def judge_text_only(claim: Claim, ledger: Ledger) -> Judgement:
    """Text only is right; anything said to be done with images or sound is not."""
    agrees = re.search(r"text[\s\-]only", claim.quote, re.IGNORECASE)
    return _by_document(claim, ledger, "supported" if agrees else "contradicted")


def judge_context_length(claim: Claim, ledger: Ledger) -> Judgement:
    """The number of tokens, in thousands or in full."""
    match = CONTEXT_LENGTH.search(claim.quote)
    length = int((match["length"] or match["length2"]).replace(",", "")) if match else 0
    return _by_document(claim, ledger, "supported" if length in CONTEXT_TOKENS else "contradicted")


def judge_training_compute(claim: Claim, ledger: Ledger) -> Judgement:
    """Millions of hours of one kind of accelerator."""
    match = TRAINING_COMPUTE.search(claim.quote)
    agrees = match is not None and float(match["millions"]) == TRAINING_MILLION_HOURS
    return _by_document(claim, ledger, "supported" if agrees else "contradicted")


def _by_document(claim: Claim, ledger: Ledger, verdict: Verdict) -> Judgement:
    document = ledger.tables.documents[claim.topic]
    if not set(claim.subjects) & set(document.models):
        return nothing("The tables hold no document of this model's maker that speaks to this.")
    said = Statement(text=document.statement, cites=(document.id,))
    return Judgement(verdict=verdict, reason=(said,))
