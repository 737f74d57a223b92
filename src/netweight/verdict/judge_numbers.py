"""Judging numbers that a story states: sizes, memory needs and benchmark scores."""

import re

from netweight.verdict.claims import Claim
from netweight.verdict.evidence import Computed, Figure
from netweight.verdict.judgement import Judgement, Statement, Verdict, listed, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.scores import Score
from netweight.verdict.topics import SIZE

SIZE_TOLERANCE = (
    0.05  # "120B" for 116.83 is 2.7% off and "20B" for 20.91 is 4.4% off: names, not errors
)
HEADROOM = 0.05  # memory that activations and the runtime need beside weights and cache

_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)[\s\-]?(?:B\b|billion)", re.IGNORECASE)


def judge_size(claim: Claim, ledger: Ledger) -> Judgement:
    """Parameter counts, total or active, within the tolerance of a rounded name."""
    stated = [
        (float(m[1]), _says_active(claim.quote, m))
        for stretch in SIZE.finditer(claim.quote)
        for m in _BILLIONS.finditer(claim.quote, stretch.start(), stretch.end())
    ]
    rows = {
        kind: [r for s in claim.subjects if (r := ledger.tables.one(f"{kind}-parameters", s))]
        for kind in ("total", "active")
    }
    if not rows["total"] or not stated:
        return Judgement(
            verdict="not_enough_evidence",
            reason=(Statement(text="The tables hold no parameter count for this model."),),
        )
    wrong = []
    for value, active in stated:
        candidates = rows["active"] if active else [*rows["total"], *rows["active"]]
        if not any(abs(value / row.value - 1) <= SIZE_TOLERANCE for row in candidates):
            wrong.append(value)
    verdict: Verdict = (
        "supported" if not wrong else "mixed" if len(wrong) < len(stated) else "contradicted"
    )
    return Judgement(
        verdict=verdict, reason=tuple(_size_sentence(t, ledger) for t in rows["total"])
    )


def _says_active(quote: str, match: re.Match[str]) -> bool:
    before, after = (
        quote[max(0, match.start() - 22) : match.start()],
        quote[match.end() : match.end() + 25],
    )
    of_total = re.search(r"\bof its\s*$|\bof\s*$", before)
    return not of_total and bool(
        re.search(r"\bactiv", before) or re.match(r"[\s\-]*(?:parameters\s+)?activ", after)
    )


def _size_sentence(total: Figure, ledger: Ledger) -> Statement:
    active = ledger.tables.one("active-parameters", total.model)
    text = f"{ledger.name(total.model)} has {number(total.value)} billion parameters"
    if active is None:
        return Statement(text=text + ".", cites=(total.id,))
    text += f", of which {number(active.value)} billion work on each token."
    return Statement(text=text, cites=(total.id, active.id))


def judge_memory(claim: Claim, ledger: Ledger) -> Judgement:
    """Whether N GB suffice: for the weights, and for weights, full-context cache and headroom."""
    match = re.search(r"(\d+)\s?(?:GB|GiB|gigabytes?)", claim.quote, re.IGNORECASE)
    verdicts: list[Verdict] = []
    reason: list[Statement] = []
    for subject in claim.subjects:
        weights, cache = (
            ledger.tables.one(m, subject) for m in ("checkpoint-size", "cache-at-full-context")
        )
        if weights is None or cache is None or match is None:
            continue
        limit = float(match[1])
        total = _memory(weights, cache, ledger)
        verdicts.append(_fits(weights.value, total.values["GiB"], limit))
        reason.append(
            Statement(
                text=f"{ledger.name(subject)} needs {number(weights.value)} GiB for its weights "
                f"and "
                f"{number(cache.value)} GiB for the cache of its full context: "
                f"{number(total.values['GiB'])} GiB before anything else.",
                cites=(weights.id, cache.id, total.id),
            )
        )
    if not reason:
        return Judgement(
            verdict="not_enough_evidence",
            reason=(Statement(text="The tables hold no memory figures for this model."),),
        )
    verdict: Verdict = verdicts[0] if len(set(verdicts)) == 1 else "mixed"
    caveat = Statement(
        text="True for short and middling contexts; at the full context nothing is left over."
    )
    return Judgement(
        verdict=verdict,
        reason=tuple(reason),
        caveats=(caveat,) if verdict == "mixed" else (),
        settles=(
            Statement(
                text="Peak memory against context length, measured on the machine in question."
            ),
        )
        if verdict == "mixed"
        else (),
    )


def _memory(weights: Figure, cache: Figure, ledger: Ledger) -> Computed:
    return ledger.add(
        Computed(
            id=f"memory-{weights.model}",
            statement=f"weights and full-context cache of {weights.model}",
            values={"GiB": round(weights.value + cache.value, 1)},
            inputs=(weights.id, cache.id),
            method="sum",
        )
    )


def _fits(weights: float, total: float, limit: float) -> Verdict:
    if weights > limit:
        return "contradicted"
    return "supported" if total <= limit * (1 - HEADROOM) else "mixed"


def judge_score(claim: Claim, ledger: Ledger) -> Judgement:
    """Each stated score against every published figure of that model on that benchmark."""
    checks = [_check_score(score, claim, ledger) for score in claim.scores]
    verdicts = {verdict for verdict, _, _ in checks}
    verdict: Verdict = next(iter(verdicts)) if len(verdicts) == 1 else "mixed"
    if "contradicted" in verdicts:
        verdict = "contradicted"
    elif verdicts == {"supported", "not_enough_evidence"}:
        verdict = "mixed"
    intervals = [
        ledger.rate_interval(row).id
        for _, _, rows in checks
        for row in rows
        if row.correct is not None
    ]
    return Judgement(
        verdict=verdict,
        reason=tuple(dict.fromkeys(s for _, said, _ in checks for s in said)),
        caveats=tuple(
            dict.fromkeys(c for _, _, rows in checks for c in _score_caveats(rows, claim, ledger))
        ),
        plot=tuple(dict.fromkeys(intervals)),
    )


def _check_score(
    score: Score, claim: Claim, ledger: Ledger
) -> tuple[Verdict, list[Statement], list[Figure]]:
    models = (score.model,) if score.model else claim.subjects
    rows = [row for model in models for row in ledger.tables.about(score.benchmark, model)]
    name = ledger.tables.benchmarks[score.benchmark].name
    if not rows:
        who = ledger.names(models)
        return (
            "not_enough_evidence",
            [Statement(text=f"The tables hold no figure of {who} on {name}.")],
            [],
        )
    equal = [row for row in _under(score, rows) if _same(row, score)]
    if equal:
        return "supported", [_found(equal[0], ledger)], equal[:1]
    return "contradicted", _other_figures(score, rows, claim, ledger), []


def _under(score: Score, rows: list[Figure]) -> list[Figure]:
    """The rows that the conditions stated in the sentence allow."""
    tools = (
        {True: "with tools", False: "none"}.get(score.with_tools)
        if score.with_tools is not None
        else None
    )
    return [
        row
        for row in rows
        if (tools is None or row.conditions.tools in (None, tools))
        and (score.effort is None or row.conditions.effort in (None, score.effort))
    ]


def _same(row: Figure, score: Score) -> bool:
    rounding = 0.5 / 10.0**score.decimals
    return abs(row.value - score.value) <= rounding + 1e-9


def _found(row: Figure, ledger: Ledger) -> Statement:
    name = ledger.tables.benchmarks[row.metric].name
    text = f"Published: {ledger.name(row.model)} has {number(row.value)} on {name}"
    cites = [row.id]
    if row.correct is not None:
        interval = ledger.rate_interval(row)
        low, high = number(interval.values["low"]), number(interval.values["high"])
        text += f" ({row.correct} of {row.n}; 95% interval {low} to {high})"
        cites.append(interval.id)
    return Statement(text=text + ".", cites=tuple(cites))


def _other_figures(
    score: Score, rows: list[Figure], claim: Claim, ledger: Ledger
) -> list[Statement]:
    """What is published instead, and whose figure the stated one is if it is another model's."""
    name = ledger.tables.benchmarks[score.benchmark].name
    best = [r for r in rows if r.conditions.effort in (None, "high")] or rows
    shown = best[:3]
    values = listed(f"{number(row.value)} ({row.conditions.describe()})" for row in shown)
    said = [
        Statement(
            text=f"Published for {ledger.name(rows[0].model)} on {name}: {values}.",
            cites=tuple(r.id for r in shown),
        )
    ]
    for row in ledger.tables.about(score.benchmark):
        if row.model not in {r.model for r in rows} and _same(row, score):
            said.append(
                Statement(
                    text=f"{number(row.value)} is the figure of {ledger.name(row.model)} "
                    f"({row.conditions.describe()}): a swapped column.",
                    cites=(row.id,),
                )
            )
            break
    return said


def _score_caveats(rows: list[Figure], claim: Claim, ledger: Ledger) -> list[Statement]:
    """Conditions that the sentence drops though the figure depends on them."""
    said = []
    for row in rows:
        others = [r for r in ledger.tables.about(row.metric, row.model) if r.id != row.id]
        without = [
            r
            for r in others
            if r.source == row.source and r.conditions.effort == row.conditions.effort
        ]
        if (
            row.conditions.tools == "with tools"
            and without
            and not re.search(r"\btools?\b", claim.sentence.text)
        ):
            said.append(
                Statement(
                    text=f"The story leaves out that this is with tools; without them it is "
                    f"{number(without[0].value)}.",
                    cites=(row.id, without[0].id),
                )
            )
        elsewhere = [
            r
            for r in others
            if r.source != row.source and r.conditions.effort == row.conditions.effort
        ]
        if elsewhere:
            values = listed(f"{number(r.value)} ({r.conditions.describe()})" for r in elsewhere[:2])
            said.append(
                Statement(
                    text=f"The same model elsewhere: {values}.",
                    cites=tuple(r.id for r in elsewhere[:2]),
                )
            )
        if row.measured_by == "first_party":
            said.append(Statement(text="Measured by the vendor itself."))
        formed = ledger.tables.one("aider-well-formed", row.model)
        if formed and row.source == formed.source and row.metric == "aider-polyglot":
            said.append(
                Statement(
                    text=f"Only {number(formed.value)}% of its exercises there were free of "
                    f"malformed edits, so format faults stand "
                    "inside the score.",
                    cites=(formed.id,),
                )
            )
    return said
