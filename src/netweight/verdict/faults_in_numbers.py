"""Wrong numbers told apart: another column, another model, the other size, or no source at all.

Looks only at claims that the figures contradict, and at figures told without what they depend on.
"""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from netweight.verdict.claims import Claim
from netweight.verdict.conditions import says_with_tools
from netweight.verdict.evidence import Figure
from netweight.verdict.faults import Fault, Kind
from netweight.verdict.judge_numbers import (
    TOOLS_TOLD,
    allowed,
    are_sizes_of,
    is_same,
    judge_cache,
    judge_checkpoint,
    judge_memory,
    judge_size,
    models_of,
    names_a_size,
    of_another_condition,
    part_untold,
    published_of,
    told_elsewhere,
)
from netweight.verdict.judgement import Judgement, Statement, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.names import find_benchmarks, find_size_references
from netweight.verdict.scores import Score


def faults_in_scores(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """Each stated score that its model does not have; and each told without its conditions."""
    faults = []
    for score in claim.scores:
        rows = published_of(score, claim, ledger)
        equal = [row for row in allowed(score, rows) if is_same(row, score)]
        if equal:
            faults += _dropped(score, equal, rows, claim, ledger)
        elif other := of_another_condition(score, rows, claim):
            faults.append(_of_another_condition(other, score, rows, ledger))
        elif not rows and (other := _of_the_sibling(score, claim, ledger)):
            faults.append(_of_the_other_size(other, score, claim, ledger))
        elif not rows and not ledger.tables.about(score.benchmark) and _is_precise(score):
            faults.append(_of_no_source(score, ledger))
        elif rows and (_is_clear(score, rows, ledger) or _is_exchanged(score, claim, ledger)):
            faults.append(_wrong(score, rows, claim, ledger))
    return faults


def _of_the_sibling(score: Score, claim: Claim, ledger: Ledger) -> Figure | None:
    """The figure of the other size that a score is, where its own model has none on the test."""
    if not (score.is_named and score.is_clear) or score.is_rough or score.bound is not None:
        return None
    told = claim.told_of(models_of(score, claim))
    for name in _siblings(told, ledger):
        rows = published_of(replace(score, model=name), claim.told_of((name,)), ledger)
        if same := [row for row in allowed(score, rows) if is_same(row, score)]:
            return same[0]
    return None


def _of_the_other_size(other: Figure, score: Score, claim: Claim, ledger: Ledger) -> Fault:
    own = ledger.name(models_of(score, claim)[0])
    name = ledger.tables.benchmarks[score.benchmark].name
    text = f"{number(other.value)} is {ledger.name(other.model)}'s figure; of {own} none is "
    text += f"published on {name}."
    return Fault("size_swap", Statement(text=text, cites=(other.id,)))


def faults_in_figures(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A figure that holds with tools only, told without them, where no grammar found its score."""
    if TOOLS_TOLD.search(claim.context):
        return []
    rows = [ledger.tables.figures[name] for name in claim.figures]
    beside = [_without_tools(row, ledger.tables.about(row.metric, row.model)) for row in rows]
    return [
        _of_tools(row, without, ledger)
        for row, without in zip(rows, beside, strict=True)
        if row.conditions.tools == "with tools" and without
    ]


def _without_tools(figure: Figure, rows: list[Figure]) -> list[Figure]:
    """The figures of the same source and effort that were measured without tools."""
    return [
        row
        for row in rows
        if row.conditions.tools == "none"
        and (row.source, row.conditions.effort) == (figure.source, figure.conditions.effort)
    ]


def _of_tools(figure: Figure, without: list[Figure], ledger: Ledger) -> Fault:
    text = f"{number(figure.value)} is {ledger.name(figure.model)}'s figure with tools"
    text += f"; without them it is {number(without[0].value)}." if without else "."
    cites = tuple(row.id for row in (figure, *without[:1]))
    return Fault("dropped_condition", Statement(text=text, cites=cites))


def _is_precise(score: Score) -> bool:
    return score.is_clear and score.decimals > 0 and score.bound is None and not score.is_rough


def _of_no_source(score: Score, ledger: Ledger) -> Fault:
    """A fine figure on a benchmark of which no source that is known here has any."""
    row = ledger.tables.benchmarks[score.benchmark]
    text = f"No source known here gives any figure on {row.name}."
    return Fault("invented_number", Statement(text=text, cites=(f"benchmark:{row.id}",)))


def _of_another_condition(other: Figure, score: Score, rows: list[Figure], ledger: Ledger) -> Fault:
    """The column of another effort, or of the other choice of tools."""
    close = [row for row in allowed(score, rows) if _differs_only_as_told(row, other, score)]
    own = _nearest(score, close or allowed(score, rows))
    text = f"{number(other.value)} is {ledger.name(other.model)}'s figure under other conditions "
    text += f"({other.conditions.describe()}); under those told it has {number(own.value)} "
    text += f"({own.conditions.describe()})."
    return Fault("column_swap", Statement(text=text, cites=(other.id, own.id)))


def _differs_only_as_told(row: Figure, other: Figure, score: Score) -> bool:
    """Whether two figures were measured alike, but for the conditions that the story gives."""
    one, two = row.conditions, other.conditions
    return (score.with_tools is not None or one.tools == two.tools) and (
        score.effort is not None or one.effort == two.effort
    )


def _is_clear(score: Score, rows: list[Figure], ledger: Ledger) -> bool:
    """Whether the reading is sure enough to call the number wrong."""
    varies = ledger.tables.benchmarks[score.benchmark].varies_by_set
    return score.is_clear and not varies and not told_elsewhere(score, rows)


def _is_exchanged(score: Score, claim: Claim, ledger: Ledger) -> bool:
    """Whether the number is that of the other model of the claim, and that one has this one's."""
    told = claim.beside or claim.scores
    others = [s for s in told if s.benchmark == score.benchmark and s.model != score.model]
    varies = ledger.tables.benchmarks[score.benchmark].varies_by_set
    if len(others) != 1 or not score.is_clear or not varies:
        return False
    (other,) = others
    return all(
        any(is_same(row, one) for row in ledger.tables.about(score.benchmark, model))
        for one, model in ((score, other.model), (other, score.model))
        if model
    )


def _dropped(
    score: Score, equal: list[Figure], rows: list[Figure], claim: Claim, ledger: Ledger
) -> list[Fault]:
    """The figure holds only with tools or at a lower effort, and the story does not say so."""
    if part_untold(score, equal, claim):
        return [_of_a_part(equal[0], rows, ledger)]
    faults = _of_whole_files(equal, rows, claim, ledger)
    first = equal[0]
    tools = {row.conditions.tools for row in equal}
    is_of_others = score.with_tools is None and any(
        s.with_tools and s.benchmark == score.benchmark and s.model != score.model
        for s in claim.beside or claim.scores
    )
    if tools == {"with tools"} and (is_of_others or not _tells_tools(score, claim, ledger)):
        faults.append(_of_tools(first, _without_tools(first, rows), ledger))
    efforts = {row.conditions.effort for row in equal}
    if (
        score.effort is None
        and efforts <= {"low", "medium"}
        and not re.search(
            r"\b(?:low|lower|lowest|medium|middle|effort|dial|gears?|slider|knob|notch)\b",
            claim.context,
            re.IGNORECASE,
        )
    ):
        text = f"{number(first.value)} is {ledger.name(first.model)}'s figure at "
        text += f"{first.conditions.effort} effort."
        faults.append(Fault("dropped_condition", Statement(text=text, cites=(first.id,))))
    return faults


def _tells_tools(score: Score, claim: Claim, ledger: Ledger) -> bool:
    """Whether the sentence speaks of tools, or those it is read with say that there were some.

    Not where they say it of a score on another test: "96.6 on AIME with tools. On Codeforces 2622."
    """
    told = claim.sentence.text
    if TOOLS_TOLD.search(told) or _WITH_THEM.search(told):
        return True
    around = [
        sentence
        for sentence in _STOP.split(claim.context.replace(told, ""))
        if not _is_of_another_test(sentence, score.benchmark, ledger)
    ]
    said = " ".join(around)
    return says_with_tools(said) and TOOLS_TOLD.search(said) is not None


_STOP = re.compile(r"(?<=[.!?])\s+")


def _is_of_another_test(sentence: str, benchmark: str, ledger: Ledger) -> bool:
    """Whether a sentence tells a number on a test, and not on this one."""
    mentions = find_benchmarks(sentence, ledger.tables)
    named = {name.partition("-")[0] for mention in mentions for name in mention.ids}
    return bool(named) and benchmark.partition("-")[0] not in named and bool(_FINE.search(sentence))


_FINE = re.compile(r"\b\d\d(?:\.\d)?\b|\b\d{4}\b")
_WITH_THEM = re.compile(r"\b(?:with|using|given)\s+(?:them|these|those)\b", re.IGNORECASE)


def _of_a_part(row: Figure, rows: list[Figure], ledger: Ledger) -> Fault:
    """A rate on some of the requests, told as if of all."""
    text = f"{number(row.value)} is {ledger.name(row.model)}'s rate for {row.conditions.harness}"
    whole = [r for r in rows if r.metric in ledger.tables.benchmarks and r != row][:1]
    text += f"; over all of them it is {number(whole[0].value)}." if whole else "."
    said = Statement(text=text, cites=(row.id, *(r.id for r in whole)))
    return Fault("dropped_condition", said)


def _of_whole_files(
    equal: list[Figure], rows: list[Figure], claim: Claim, ledger: Ledger
) -> list[Fault]:
    """A result with whole files written out, told without saying so, where edits are usual."""
    is_whole = all("whole-file" in (row.conditions.harness or "") for row in equal)
    usual = [row for row in rows if "diff" in (row.conditions.harness or "")]
    if not (is_whole and usual) or re.search(r"\bwhole\b|\bfull[\s-]file", claim.context, re.I):
        return []
    first, row = equal[0], usual[0]
    text = f"{number(first.value)} is {ledger.name(first.model)}'s figure in the whole-file format"
    text += f"; in the diff format it is {number(row.value)}."
    return [Fault("dropped_condition", Statement(text=text, cites=(first.id, row.id)))]


def faults_in_versions(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """Models set beside each other by figures of two versions of an index."""
    if len({*_VERSIONS_TOLD.findall(claim.context)}) > 1:
        return []
    versions: dict[str, list[Figure]] = {}
    for score in claim.beside or claim.scores:
        if score.model and score.is_named:
            rows = ledger.tables.about(score.benchmark, score.model)
            versions.setdefault(score.model, []).extend(r for r in rows if is_same(r, score))
    found = [[r for r in rows if r.conditions.index_version] for rows in versions.values()]
    for one, other in itertools.combinations([rows for rows in found if rows], 2):
        if {r.conditions.index_version for r in one} & {r.conditions.index_version for r in other}:
            continue
        parts = [
            f"{number(r.value)} of {ledger.name(r.model)} is of version "
            f"{r.conditions.index_version}"
            for r in (one[0], other[0])
        ]
        text = " and ".join(parts) + " of the index; the two cannot be compared."
        return [Fault("stale_comparator", Statement(text=text, cites=(one[0].id, other[0].id)))]
    return []


_VERSIONS_TOLD = re.compile(r"\b(?:version\s|v\.?\s?)(\d+)", re.IGNORECASE)


def _wrong(score: Score, rows: list[Figure], claim: Claim, ledger: Ledger) -> Fault:
    subject = rows[0].model
    own = _nearest(score, allowed(score, rows) or rows)
    right = (
        f"{ledger.name(subject)} has {number(own.value)} on "
        f"{ledger.tables.benchmarks[own.metric].name}"
    )
    if other := _owner(score, subject, claim, ledger):
        text = f"{number(other.value)} is {ledger.name(other.model)}'s"
        if other.metric != own.metric:
            text += f" figure on {_metric(other, ledger)}"
        kind = _kind(score, other, own, claim, ledger)
        cites = (own.id, other.id)
        return Fault(kind, Statement(text=f"{right}; {text}.", cites=cites))
    text = f"{right}; the number in the story is in no source."
    return Fault("invented_number", Statement(text=text, cites=(own.id,)))


def _metric(row: Figure, ledger: Ledger) -> str:
    known = ledger.tables.benchmarks.get(row.metric)
    return known.name if known else row.metric


def _nearest(score: Score, rows: list[Figure]) -> Figure:
    """The figure to put in the place of a wrong one: the highest effort's, nearest in value."""
    best = [r for r in rows if r.conditions.effort in (None, "high")] or rows
    return min(best, key=lambda row: (abs(row.value - score.value), row.id))


def _owner(score: Score, subject: str, claim: Claim, ledger: Ledger) -> Figure | None:
    """Whose figure the number is: a model of the sentence first, then the sibling, then others.

    Then the same model's figure on another benchmark, where the number is stated finely enough to
    be more than chance.
    """
    table = ledger.tables
    family = table.models[subject].family if subject in table.models else None
    told = {s.model for s in (claim.beside or claim.scores)} | set(claim.comparators)

    def order(row: Figure) -> tuple[bool, bool, bool, str]:
        is_sibling = family is not None and table.models[row.model].family == family
        return (
            row.model not in told,
            not is_sibling,
            row.conditions.effort not in (None, "high"),
            row.id,
        )

    same = [
        row
        for row in table.about(score.benchmark)
        if row.model != subject and score.bound is None and is_same(row, score)
    ]
    if same:  # a row under the conditions that were told, if there is one
        return min(allowed(score, same) or same, key=order)
    elsewhere = [
        row
        for row in table.figures.values()
        if row.model == subject
        and row.metric in table.benchmarks
        and row.metric != score.benchmark
        and row.conditions.effort in (None, "high")
        and score.bound is None
        and (
            is_same(row, score)
            if score.decimals > 0 or _are_of_a_kind(row.metric, score.benchmark)
            else row.value == score.value
        )
    ]
    return min(elsewhere, key=lambda row: row.id, default=None)


def _are_of_a_kind(one: str, other: str) -> bool:
    """Whether two benchmarks give the same kind of rate, as those of made-up answers do.

    So do a test and a part of it.
    """
    if one.startswith(f"{other}-") or other.startswith(f"{one}-"):
        return True
    return one.rpartition("-")[2] == other.rpartition("-")[2] == "hallucination"


def _kind(score: Score, other: Figure, own: Figure, claim: Claim, ledger: Ledger) -> Kind:
    if other.metric != own.metric:
        return "column_swap"
    models = ledger.tables.models
    if models[other.model].newer == own.model:
        return "stale_comparator"
    family = models[own.model].family
    if family is not None and models[other.model].family == family:
        return "size_swap"
    return "model_swap"


_JUDGES: Mapping[str, Callable[[Claim, Ledger], Judgement]] = {
    "size": judge_size,
    "memory": judge_memory,
    "checkpoint": judge_checkpoint,
    "cache": judge_cache,
}


def faults_in_resources(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A size or a memory need that belongs to the other size of the model, or to none."""
    is_of_one = names_a_size(claim.quote) or _names_one_size(claim)
    is_partly_wrong = judgement.verdict == "mixed" and is_of_one
    if claim.negated or not (judgement.verdict == "contradicted" or is_partly_wrong):
        return []
    judging = _JUDGES[claim.topic]
    for sibling in _siblings(claim, ledger):
        as_sibling = judging(claim.told_of((sibling,)), ledger)
        is_its_own = as_sibling.verdict in ("supported", "mixed")
        if are_sizes_of(sibling, claim, ledger) if is_partly_wrong else is_its_own:
            said = as_sibling.reason[0]
            text = f"That is {ledger.name(sibling)}. {said.text} {judgement.reason[0].text}"
            cites = (*said.cites, *judgement.reason[0].cites)
            return [Fault("size_swap", Statement(text=text, cites=cites))]
    return [] if is_partly_wrong else [Fault("invented_number", judgement.reason[0])]


def _names_one_size(claim: Claim) -> bool:
    """Whether the sentence calls just one of the sizes by its size."""
    return len({mention.ids for mention in find_size_references(claim.sentence.text)}) == 1


def _siblings(claim: Claim, ledger: Ledger) -> list[str]:
    models = ledger.tables.models
    families = {models[s].family for s in claim.subjects if s in models} - {None}
    return [m.id for m in models.values() if m.family in families and m.id not in claim.subjects]


def faults_in_documented_numbers(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A context length, an amount of training or a number of levels that no document states."""
    states_number = re.search(r"\d|\b(?:two|four|five|six)\b", claim.quote)
    if claim.negated or judgement.verdict != "contradicted" or not states_number:
        return []
    return [Fault("invented_number", judgement.reason[0])]
