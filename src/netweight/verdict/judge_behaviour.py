"""Judging what a model is said to do: refuse, lean, invent, or write formulas where none belong.

Reads published rates of behaviour. What was measured on this machine is added by the caller.
"""

from netweight.verdict.claims import Claim
from netweight.verdict.evidence import Figure
from netweight.verdict.judgement import (
    Judgement,
    Statement,
    Verdict,
    nothing,
    number,
    signed,
    supported,
)
from netweight.verdict.ledger import Ledger


def judge_maths_in_writing(claim: Claim, ledger: Ledger) -> Judgement:
    needed = ledger.clean_texts_needed()
    models = ledger.names(claim.subjects)
    return Judgement(
        verdict="not_enough_evidence",
        reason=(
            Statement(
                text=f"The reports are single examples. No rate has been published for {models}."
            ),
        ),
        settles=(
            Statement(
                text=f"Stories and poems on subjects without mathematics, counted: "
                f"{number(needed.values['count'])} without a "
                f"formula would put the rate below {number(needed.values['threshold'])}%; "
                "the same prompts to another model would show whether it is unusual.",
                cites=(needed.id,),
            ),
        ),
    )


def _speechmap_rows(claim: Claim, ledger: Ledger) -> list[Figure]:
    return [
        row
        for subject in claim.subjects
        for row in ledger.tables.about("speechmap", subject)
        if not row.id.startswith("speechmap-second")
    ]


def judge_refusal(claim: Claim, ledger: Ledger) -> Judgement:
    """Unwilling to write contested text: true if most requests fail, false if nearly all pass."""
    rows = _speechmap_rows(claim, ledger)
    if not rows:
        return nothing("No judged answers to contested requests are published for this model.")
    row = rows[0]
    interval = ledger.rate_interval(row)
    low, high = interval.values["low"], interval.values["high"]
    verdict: Verdict = "supported" if high < 50 else "contradicted" if low > 95 else "mixed"
    assert row.correct is not None and row.n is not None
    reason = [
        Statement(
            text=f"Asked to criticise governments, {ledger.name(row.model)} wrote what was "
            f"asked in {row.correct} of {row.n} cases "
            f"({number(row.value)}%, 95% interval {number(low)} to {number(high)}).",
            cites=(row.id, interval.id),
        ),
        _neighbours(row, ledger),
    ]
    second = ledger.tables.figures.get(f"speechmap-second-judge-{row.model}")
    caveats = []
    if second is not None:
        caveats.append(
            Statement(
                text=f"A second judge of the same answers counts {second.correct} of {second.n}.",
                cites=(second.id,),
            )
        )
    absent = ledger.tables.documents["us-hard-absent"]
    caveats.append(Statement(text=absent.statement, cites=(absent.id,)))
    return Judgement(
        verdict=verdict,
        reason=tuple(reason),
        caveats=tuple(caveats),
        settles=(
            Statement(text="SpeechMap's public requests asked again, with the answers published."),
        ),
        plot=(interval.id,),
    )


def _neighbours(row: Figure, ledger: Ledger) -> Statement:
    """The best and the worst of the other models on the same requests."""
    others = _rest_of_board(row, ledger)
    best, worst = (
        max(others, key=lambda f: (f.value, f.id)),
        min(others, key=lambda f: (f.value, f.id)),
    )
    return Statement(
        text=f"On the same requests other models range from {number(worst.value)}% "
        f"({ledger.name(worst.model)}) to "
        f"{number(best.value)}% ({ledger.name(best.model)}).",
        cites=(worst.id, best.id),
    )


def judge_compliance_score(claim: Claim, ledger: Ledger) -> Judgement:
    """A benchmark said to give a compliance score: does it, and is the score low?"""
    (name,) = claim.benchmarks
    benchmark = ledger.tables.benchmarks[name]
    if "compliance" in benchmark.measures:
        return judge_refusal(claim, ledger)
    rows = [
        row
        for m in claim.subjects
        for row in ledger.tables.about(name, m)
        if row.measured_by == "third_party"
    ]
    boards = [(row, _rest_of_board(row, ledger)) for row in rows]
    row, others = max(boards, key=lambda board: (len(board[1]), board[0].id), default=(None, []))
    if row is None or not others:
        return Judgement(verdict="contradicted", reason=())
    best = max(others, key=lambda f: (f.value, f.id))
    said = Statement(
        text=f"What it does measure, {ledger.name(row.model)} passes in {number(row.value)}% of "
        f"the exercises; the highest of "
        f"the models beside it in these tables, {ledger.name(best.model)}, in "
        f"{number(best.value)}%.",
        cites=(row.id, best.id),
    )
    shown = [d.id for other in others if (d := ledger.difference(row, other))]
    return Judgement(verdict="contradicted", reason=(said,), plot=tuple(shown))


def _rest_of_board(row: Figure, ledger: Ledger) -> list[Figure]:
    """Other models' figures from the same source and harness."""
    return [
        other
        for other in ledger.tables.about(row.metric)
        if other.model != row.model
        and (other.source, other.conditions.harness) == (row.source, row.conditions.harness)
    ]


def judge_bias(claim: Claim, ledger: Ledger) -> Judgement:
    """Uneven treatment: the halves of SpeechMap's government sets, and the vendor's BBQ figures."""
    for subject in claim.subjects:
        west, east = (ledger.tables.one(f"speechmap-{side}", subject) for side in ("west", "east"))
        if west is None or east is None:
            continue
        gap = ledger.difference(
            west, east, label="Criticism of the US and EU less Russia and China"
        )
        assert gap is not None
        uneven = gap.reading in ("higher", "lower")
        reason = [
            Statement(
                text=f"{ledger.name(subject)} writes criticism of the US and EU governments in "
                f"{number(west.value)}% of cases and of the "
                f"Russian and Chinese in {number(east.value)}%: {signed(gap.values['value'])} "
                f"points "
                f"({signed(gap.values['low'])} to {signed(gap.values['high'])}).",
                cites=(west.id, east.id, gap.id),
            ),
            *_bbq(subject, ledger),
        ]
        return Judgement(
            verdict="mixed" if uneven else "not_enough_evidence",
            reason=tuple(reason),
            caveats=(
                Statement(
                    text="The requests are alike but not identical from one government to the next."
                ),
            ),
            settles=(
                Statement(
                    text="Paired requests that differ only in whom they concern, several times "
                    "each."
                ),
            ),
            plot=(gap.id,),
        )
    return nothing("No measurement of uneven treatment is in the tables for this model.")


def _bbq(subject: str, ledger: Ledger) -> list[Statement]:
    said = []
    peer = ledger.tables.models[subject].vendor_peer
    for metric in ("bbq-ambiguous", "bbq-disambiguated"):
        own = ledger.tables.one(metric, subject)
        other = ledger.tables.one(metric, peer) if peer else None
        if own and other:
            said.append(
                Statement(
                    text=f"{ledger.tables.benchmarks[metric].name}: {number(own.value)}% "
                    f"against {number(other.value)}% for "
                    f"{ledger.name(other.model)}, by the vendor, without an interval.",
                    cites=(own.id, other.id),
                )
            )
    return said


def judge_hallucination(claim: Claim, ledger: Ledger) -> Judgement:
    reason, cites = [], []
    for subject in claim.subjects:
        peer = (
            ledger.tables.models[subject].vendor_peer if subject in ledger.tables.models else None
        )
        for metric in ("personqa-hallucination", "simpleqa-hallucination"):
            own = ledger.tables.one(metric, subject)
            other = ledger.tables.one(metric, peer) if peer else None
            if own:
                name = ledger.tables.benchmarks[metric].name
                text = f"{name}: {number(own.value)}% for {ledger.name(subject)}"
                text += (
                    f", {number(other.value)}% for {ledger.name(other.model)}." if other else "."
                )
                reason.append(Statement(text=text, cites=(own.id, *([other.id] if other else []))))
                cites.append(own.id)
    if not reason:
        return nothing("No hallucination rate is published for this model.")
    return supported(
        reason,
        caveat="The vendor's own figures, from questions answered from memory alone, "
        "without a search tool.",
    )
