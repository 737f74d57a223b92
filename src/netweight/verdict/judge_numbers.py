"""Judging numbers that a story states: sizes, memory needs and benchmark scores."""

import re
from collections.abc import Iterable, Mapping, Sequence

from netweight.verdict.claims import Claim
from netweight.verdict.conditions import says_tools_plainly
from netweight.verdict.evidence import Computed, Figure
from netweight.verdict.judgement import Judgement, Statement, Verdict, listed, nothing, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.scores import Score, is_own_run
from netweight.verdict.wordings import (
    BARE_SIZE,
    BILLIONS,
    CACHE,
    CHECKPOINT,
    NEEDS,
    SIZE,
    memory_told,
    says_active,
)

SIZE_TOLERANCE = (
    0.05  # "120B" for 116.83 is 2.7% off and "20B" for 20.91 is 4.4% off: names, not errors
)
HEADROOM = 0.05  # memory that activations and the runtime need beside weights and cache

TOOLS_TOLD = re.compile(
    r"\btools?\b|\bterminal\b|\bpython\b|\bbrowser\b|\bbrowsing\b|\bunaided\b|"
    r"\bcode interpreter\b|\btool-",
    re.IGNORECASE,
)  # absent: a condition was dropped


def judge_size(claim: Claim, ledger: Ledger) -> Judgement:
    """Parameter counts, total or active, within the tolerance of a rounded name."""
    stated = sizes_told(claim.quote)
    rows = _sizes_of(claim.subjects, ledger)
    if _ANOTHER_MODEL.search(claim.quote):
        return nothing("This is said of a model beside those released.")
    if not rows["total"] or not stated:
        return Judgement(
            verdict="not_enough_evidence",
            reason=(Statement(text="The tables hold no parameter count for this model."),),
        )
    wrong = [told for told in stated if not _is_a_size(*told, rows)]
    if len(stated) > 1 and _is_of_the_family(stated, claim, ledger):
        wrong = []  # "5.1 and 3.6 billion": of the two sizes, in whatever order
    verdict: Verdict = (
        "supported" if not wrong else "mixed" if len(wrong) < len(stated) else "contradicted"
    )
    return Judgement(
        verdict=verdict, reason=tuple(_size_sentence(t, ledger) for t in rows["total"])
    )


# "a third model of some 400 billion parameters"
_ANOTHER_MODEL = re.compile(
    r"\b(?:third|another|next|forthcoming|future)\s+(?:\w+\s+)?(?:model|version|size|sibling)\b",
    re.IGNORECASE,
)


def sizes_told(quote: str) -> list[tuple[float, bool]]:
    """The parameter counts of a quote in billions, and whether each is of those at work."""
    return [
        (
            float(m[1]) * (1000 if "trillion" in m[0].lower() else 1),
            says_active(quote, *m.span()),
        )
        for pattern in (SIZE, BARE_SIZE)
        for stretch in pattern.finditer(quote)
        for m in BILLIONS.finditer(quote, stretch.start(), stretch.end())
        if not any(n.start(1) == m.start() for n in _THE_SIZE.finditer(quote))
    ]


def _sizes_of(models: Iterable[str], ledger: Ledger) -> dict[str, list[Figure]]:
    return {
        kind: [r for m in models if (r := ledger.tables.one(f"{kind}-parameters", m))]
        for kind in ("total", "active")
    }


def _is_a_size(value: float, active: bool, rows: Mapping[str, list[Figure]]) -> bool:
    candidates = rows["active"] if active else [*rows["total"], *rows["active"]]
    return any(abs(value / row.value - 1) <= SIZE_TOLERANCE for row in candidates)


def are_sizes_of(sibling: str, claim: Claim, ledger: Ledger) -> bool:
    """Whether every parameter count of a claim that is not its own model's is the sibling's."""
    own, other = _sizes_of(claim.subjects, ledger), _sizes_of((sibling,), ledger)
    wrong = [told for told in sizes_told(claim.quote) if not _is_a_size(*told, own)]
    return bool(wrong) and all(_is_a_size(*told, other) for told in wrong)


def _is_of_the_family(stated: list[tuple[float, bool]], claim: Claim, ledger: Ledger) -> bool:
    """Whether several numbers, with no size named beside them, are each of another size's."""
    if re.search(r"(?:120|20)b\b|\b(?:larger|bigger|smaller|large|big|small)\b", claim.quote, re.I):
        return False
    models = ledger.tables.models
    families = {models[s].family for s in claim.subjects if s in models} - {None}
    kind = "active" if all(active for _, active in stated) else "total"
    left = [
        row
        for m in models.values()
        if m.family in families and (row := ledger.tables.one(f"{kind}-parameters", m.id))
    ]
    for value, _ in stated:
        own = next((r for r in left if abs(value / r.value - 1) <= SIZE_TOLERANCE), None)
        if own is None:
            return False
        left.remove(own)
    return True


# "the 20b's parameters", "in the 20b": there the size is a name.
_THE_SIZE = re.compile(r"\bthe\s+((?:120|20)B)\b(?![\s\-]+(?:\w+\s+)?param)", re.IGNORECASE)


def names_a_size(quote: str) -> bool:
    """Whether a quote calls a model by its size, as in "in the 20b"."""
    return _THE_SIZE.search(quote) is not None


def _size_sentence(total: Figure, ledger: Ledger) -> Statement:
    active = ledger.tables.one("active-parameters", total.model)
    text = f"{ledger.name(total.model)} has {number(total.value)} billion parameters"
    if active is None:
        return Statement(text=text + ".", cites=(total.id,))
    text += f", of which {number(active.value)} billion work on each token."
    return Statement(text=text, cites=(total.id, active.id))


def judge_memory(claim: Claim, ledger: Ledger) -> Judgement:
    """Whether N GB suffice: for the weights, and for weights, full-context cache and headroom."""
    limit = memory_told(claim.quote)
    verdicts: list[Verdict] = []
    reason: list[Statement] = []
    for subject in claim.subjects:
        weights, cache = (
            ledger.tables.one(m, subject) for m in ("checkpoint-size", "cache-at-full-context")
        )
        if weights is None or cache is None or limit is None:
            continue
        total = _memory(weights, cache, ledger)
        is_need = NEEDS.search(claim.quote) is not None
        verdicts.append(_fits(weights.value, total.values["GiB"], limit, is_need=is_need))
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
    is_tight = verdict == "mixed" and len(set(verdicts)) == 1
    if is_tight and not says_without_limit(claim):
        verdict = "supported"
    caveat = Statement(
        text="True for short and middling contexts; at the full context nothing is left over."
    )
    return Judgement(
        verdict=verdict,
        reason=tuple(reason),
        caveats=(caveat,) if is_tight else (),
        settles=(
            Statement(
                text="Peak memory against context length, measured on the machine in question."
            ),
        )
        if verdict == "mixed"
        else (),
    )


def says_without_limit(claim: Claim) -> bool:
    """Whether it is said of any use or machine: there full context counts, and what else runs."""
    is_meant = _ON_ANY.search(claim.quote) or _HOWEVER.search(claim.sentence.text)
    return is_meant is not None and _SHORT_TOLD.search(claim.quote) is None


_ON_ANY = re.compile(
    r"\b(?:any|every|always|ordinary|laptops?|notebooks?|phones?|desktops?|home\s+computers?|PCs?|"
    r"devices?)\b",
    re.IGNORECASE,
)
_HOWEVER = re.compile(
    r"\b(?:however\s+(?:long|much|many)|whatever|no\s+matter|even\s+(?:with|at)|longest|full\s+context)\b",
    re.IGNORECASE,
)
_SHORT_TOLD = re.compile(
    r"\b(?:short|everyday|tight|modest\s+(?:context|prompts?)|squeeze\s+beyond)\b", re.IGNORECASE
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


def _fits(weights: float, total: float, limit: float, *, is_need: bool) -> Verdict:
    """Whether it fits; "needs N GB" also says that much less would not do, here half of N."""
    if weights > limit or (is_need and total <= limit / 2 * (1 - HEADROOM)):
        return "contradicted"
    return "supported" if total <= limit * (1 - HEADROOM) else "mixed"


GIB_IN_GB = 2**30 / 1e9
FILE_TOLERANCE = 0.03  # "61 GiB" for 60.8, "14 GB" for 12.8 GiB; declared, not tuned


def judge_checkpoint(claim: Claim, ledger: Ledger) -> Judgement:
    """The size of the weights' file, told in GiB or in GB."""
    match = CHECKPOINT.search(claim.quote)
    sizes = (match["size"], match["size2"], match["size3"]) if match else ()
    told = next((float(size) for size in sizes if size), None)
    return _judge_gibibytes(claim, told, "checkpoint-size", "its weights take", ledger)


_OF_CACHE = re.compile(r"(?P<size>\d+(?:\.\d+)?)\s*Gi?B\s+of\s+(?:\w+\s+)?cache\b", re.IGNORECASE)


def judge_cache(claim: Claim, ledger: Ledger) -> Judgement:
    """The size of the cache at the full context; of a shorter one nothing is known."""
    match = _OF_CACHE.search(claim.quote) or CACHE.search(claim.quote)
    is_full = re.search(r"\bfull\b|\b131,?072\b|\b1(?:28|31)k\b", claim.sentence.text, re.I)
    told = float(match["size"]) if match and is_full else None
    words = "the cache of its full context takes"
    return _judge_gibibytes(claim, told, "cache-at-full-context", words, ledger)


def _judge_gibibytes(
    claim: Claim, told: float | None, metric: str, words: str, ledger: Ledger
) -> Judgement:
    rows = [row for s in claim.subjects if (row := ledger.tables.one(metric, s))]
    if told is None or not rows:
        return Judgement(
            verdict="not_enough_evidence",
            reason=(Statement(text="The tables hold no such size for this model."),),
        )
    is_right = any(
        abs(told / (row.value * unit) - 1) <= FILE_TOLERANCE
        for row in rows
        for unit in (1.0, GIB_IN_GB)
    )
    return Judgement(
        verdict="supported" if is_right else "contradicted",
        reason=tuple(
            Statement(
                text=f"Of {ledger.name(row.model)} {words} {number(row.value)} GiB.",
                cites=(row.id,),
            )
            for row in rows
        ),
    )


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


def judge_figures(claim: Claim, ledger: Ledger) -> Judgement:
    """A claim whose numbers were found among the figures: those are the reason."""
    rows = [ledger.tables.figures[name] for name in claim.figures]
    reason = tuple(dict.fromkeys(_found(row, ledger) for row in rows))
    caveats = tuple(dict.fromkeys(_score_caveats(rows, claim, ledger)))
    return Judgement(verdict="supported", reason=reason, caveats=caveats)


def _check_score(
    score: Score, claim: Claim, ledger: Ledger
) -> tuple[Verdict, list[Statement], list[Figure]]:
    models = (score.model,) if score.model else claim.subjects
    rows = published_of(score, claim, ledger)
    name = ledger.tables.benchmarks[score.benchmark].name
    if not rows:
        who = ledger.names(models)
        return (
            "not_enough_evidence",
            [Statement(text=f"The tables hold no figure of {who} on {name}.")],
            [],
        )
    equal = [row for row in allowed(score, rows) if is_same(row, score)]
    if equal and part_untold(score, equal, claim):
        return "contradicted", [_found(equal[0], ledger), *_other_sets(rows, ledger)], []
    if equal:
        return "supported", [_found(equal[0], ledger)], equal[:1]
    if ledger.tables.benchmarks[score.benchmark].varies_by_set:
        return "mixed", _other_sets(rows, ledger), []
    if of_another_condition(score, rows, claim):
        return "contradicted", _other_figures(score, rows, claim, ledger), []
    if told_elsewhere(score, rows):
        return "mixed", _other_figures(score, rows, claim, ledger), []
    if is_own_run(claim.sentence.text):
        text = f"That is a run of somebody's own on {name}; the tables hold others."
        return "not_enough_evidence", [Statement(text=text)], []
    if not score.is_clear:
        text = f"The story does not make clear of which test this number is; on {name} it is not."
        return "not_enough_evidence", [Statement(text=text)], []
    return "contradicted", _other_figures(score, rows, claim, ledger), []


def _other_sets(rows: list[Figure], ledger: Ledger) -> list[Statement]:
    """Figures of the question sets that the tables hold, for a score that names no set."""
    shown = rows[:2]
    values = listed(f"{number(row.value)} ({row.conditions.describe()})" for row in shown)
    metrics = [row.metric for row in rows if row.metric in ledger.tables.benchmarks]
    name = ledger.tables.benchmarks[metrics[0]].name if metrics else "Published"
    text = (
        f"The score depends on the question set, which the story does not name. {name}: {values}."
    )
    return [Statement(text=text, cites=tuple(row.id for row in shown))]


def models_of(score: Score, claim: Claim) -> tuple[str, ...]:
    """The model that a score names, else those that its claim is about."""
    return (score.model,) if score.model else claim.subjects


def published_of(score: Score, claim: Claim, ledger: Ledger) -> list[Figure]:
    """The figures of a score's model on its benchmark.

    A name without a version, such as DeepSeek R1, stands for the newer version where only that one
    was measured. A pronoun stands for that model of its paragraph which makes the sentence true, if
    there is one; the second of two numbers, of which nobody says whose it is, for any.
    """
    tables = ledger.tables
    if not score.is_named:
        anyone = tables.models if score.model is None and not score.is_clear else ()
        near = _of_one_family(claim, ledger) if score.effort else claim.nearby_models
        served = {s.model for s in claim.beside or claim.scores if s.is_named and s != score}
        for model in dict.fromkeys((*claim.subjects, *near, *anyone)):
            if model in served and model in tables.models and not tables.models[model].family:
                continue  # a rival has its own number: "its 49, against X's 36"
            own = tables.about(score.benchmark, model)
            if any(is_same(row, score) for row in allowed(score, own)):
                return own
    found: list[Figure] = []
    if tables.benchmarks[score.benchmark].varies_by_set:
        found += [
            row
            for row in tables.figures.values()
            if row.metric.startswith(f"{score.benchmark}-") and row.model in models_of(score, claim)
        ]
    for model in (score.model,) if score.model else claim.subjects:
        own = tables.about(score.benchmark, model)
        newer = tables.models[model].newer if model in tables.models else None
        found += own + (tables.about(score.benchmark, newer) if newer else [])
    return _of_version(found, claim)


def _of_one_family(claim: Claim, ledger: Ledger) -> tuple[str, ...]:
    """The models of the passage that are sizes of the claim's own: efforts are of them alone."""
    models = ledger.tables.models
    families = {models[s].family for s in claim.subjects if s in models}
    return tuple(
        m
        for m in claim.nearby_models
        if m in models and (models[m].family in families or families == {None})
    )


_VERSION = re.compile(r"\b(?:version\s|v\.?\s?)(\d+)(?:\.\d+)*\b", re.IGNORECASE)
SECOND_INDEX_ENDS = "2025-09"  # version 3 of the index appeared in that month


def version_told(text: str) -> str | None:
    """The version of an index that the words name, by its first number; None where not just one."""
    told = {match[1] for match in _VERSION.finditer(text)}
    return told.pop() if len(told) == 1 else None


def _of_version(rows: list[Figure], claim: Claim) -> list[Figure]:
    """Rows of the version that the story names, or that was in use on its date, if known."""
    if not any(row.conditions.index_version for row in rows):
        return rows
    told = _VERSION.search(claim.context)
    per_model = [s.model for s in claim.beside or claim.scores]
    if told and len(set(per_model)) == len(per_model):  # else a score of each version is told
        return [r for r in rows if (r.conditions.index_version or "").split(".")[0] == told[1]]
    is_later = claim.told_on is not None and claim.told_on >= SECOND_INDEX_ENDS
    same = [r for r in rows if any(is_same(r, s) for s in claim.scores)]
    return same if is_later else rows


# What a story says of the requests, by the part of them that a figure is of.
_PART_TOLD = {
    "speechmap-west": re.compile(
        r"\b(?:US|U\.S\.|USA|United States|America\w*|EU|Europe\w*|West\w*|Washington|Brussels)\b"
    ),
    "speechmap-east": re.compile(
        r"\b(?:Russia\w*|China|Chinese|East\w*|Moscow|Beijing|Kremlin|authoritarian\w*|autocra\w*)\b"
    ),
}


def part_untold(score: Score, equal: list[Figure], claim: Claim) -> bool:
    """Whether a value holds for a part of the requests only, and the story does not say which."""
    parts = {row.metric for row in equal if row.metric != score.benchmark}
    if score.benchmark == "speechmap" and not parts:
        return bool(_OF_ALL.search(claim.quote)) and not _OF_CRITICISM.search(claim.context)
    is_of_part = len(parts) > 0 and all(row.metric in _PART_TOLD for row in equal)
    return is_of_part and not any(_PART_TOLD[part].search(claim.context) for part in parts)


# What is published of SpeechMap is of its sets that criticise governments.
_OF_ALL = re.compile(r"\bof\s+(?:\w+\s+){0,2}(?:requests|prompts|what)\b", re.IGNORECASE)
_OF_CRITICISM = re.compile(
    r"\b(?:criti\w*|governments?|regimes?|rulers?|ministers?|subset|four\s+sets)\b", re.IGNORECASE
)


def allowed(score: Score, rows: list[Figure]) -> list[Figure]:
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


def told_elsewhere(score: Score, rows: list[Figure]) -> bool:
    """Whether the model has the value, but under other conditions than were read from the story."""
    return any(is_same(row, score) for row in rows)


def of_another_condition(score: Score, rows: list[Figure], claim: Claim) -> Figure | None:
    """The figure that a score is, where the story plainly gives it under a condition it is not of.

    Plainly: the only score of its model in its claim, with no two words on tools that differ in its
    sentence, or with an effort told; and a figure is published under the condition told. Else the
    reading may be wrong.
    """
    told = claim.beside or claim.scores
    is_alone = (
        (len(told) == 1 or score.model is not None)
        and (sum(s.model in (score.model, None) for s in told) == 1 or _is_told_at_each(told))
        and score.is_clear
        and score.bound is None
        and score.decimals >= 0
    )
    is_told = score.effort is not None or says_tools_plainly(claim.sentence.text)
    if not (is_alone and is_told and allowed(score, rows)):
        return None
    return next((row for row in rows if is_same(row, score)), None)


def _is_told_at_each(told: Sequence[Score]) -> bool:
    """Whether scores are told each at an effort of its own: "80 at low, 92.5 at high"."""
    efforts = {score.effort for score in told}
    return None not in efforts and len(efforts) == len(told)


def is_same(row: Figure, score: Score) -> bool:
    """Whether the stated score is the figure, to the decimals stated."""
    if score.bound is not None:
        return (row.value < score.value) == (score.bound == "below")
    if score.is_bare and row.correct == score.value:
        return True
    rounding = 0.5 / 10.0**score.decimals
    slack = ROUGHLY * abs(row.value) if score.is_rough else 0.0
    return abs(row.value - score.value) <= rounding + slack + 1e-9


ROUGHLY = 0.02  # "about 60%" for 59.1: a fiftieth; declared, not tuned


def _found(row: Figure, ledger: Ledger) -> Statement:
    known = ledger.tables.benchmarks.get(row.metric)
    name = known.name if known else f"a part of its questions ({row.conditions.describe()})"
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
        if row.model not in {r.model for r in rows} and is_same(row, score):
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
            and not TOOLS_TOLD.search(claim.context)
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
