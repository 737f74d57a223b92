"""Judging "A is like, above or below B" from figures measured under the same conditions.

A comparison counts only between figures of one source, harness, tool setting and index version.
"Equal" needs equivalence within the declared margin: what cannot be told apart is not equal.
"""

import re

from netweight.verdict.claims import Claim
from netweight.verdict.evidence import Benchmark, Document, Figure
from netweight.verdict.judge_numbers import version_told
from netweight.verdict.judgement import (
    Judgement,
    Statement,
    Verdict,
    listed,
    number,
    opposite,
    signed,
)
from netweight.verdict.ledger import Ledger
from netweight.verdict.names import CHINESE_OPEN, OPEN_WEIGHT, OPENAI_PROPRIETARY
from netweight.verdict.numerals import gap_at
from netweight.verdict.pairs import Pair
from netweight.verdict.posterior import of_pairs
from netweight.verdict.topics import ABILITIES, Relation, says_universal

NOT_ABILITY = {"willingness", "compliance", "censorship", "bias"}


def comparable(ledger: Ledger, metric: Benchmark, first: str, second: str) -> list[Pair]:
    """Pairs of figures of two models under equal conditions, at the highest effort stated."""
    pairs = []
    for one in ledger.tables.about(metric.id, first):
        for other in ledger.tables.about(metric.id, second):
            if one.setting == other.setting and {
                one.conditions.effort,
                other.conditions.effort,
            } <= {"high", None}:
                pairs.append(_pair(ledger, metric, one, other))
    return pairs


def _pair(ledger: Ledger, metric: Benchmark, one: Figure, other: Figure) -> Pair:
    computed = ledger.difference(one, other)
    reading = computed.reading or "unread" if computed else "unread"
    if metric.lower_is_better:
        reading = {"higher": "lower", "lower": "higher"}.get(reading, reading)
    gap = (other.value - one.value) if metric.lower_is_better else (one.value - other.value)
    by_value = "higher" if gap > 0 else "lower" if gap < 0 else "equivalent"
    return Pair(one, other, computed, reading, by_value)


def rivals(ledger: Ledger, subject: str, comparators: tuple[str, ...]) -> list[str]:
    """The models that a claim compares with; a group stands for its members in the tables."""
    found: list[str] = []
    row = ledger.tables.models.get(subject)
    for name in comparators:
        if name == OPENAI_PROPRIETARY:
            found += [row.vendor_peer] if row and row.vendor_peer else []
        elif name in _ACCESS_OF_GROUP:
            found += [
                m.id
                for m in ledger.tables.models.values()
                if m.access in _ACCESS_OF_GROUP[name] and not _is_kin(subject, m.id, ledger)
            ]
        else:
            found.append(name)
    return [model for model in dict.fromkeys(found) if model != subject]


_ACCESS_OF_GROUP = {
    CHINESE_OPEN: ("open_weight_chinese",),
    OPEN_WEIGHT: ("open_weight", "open_weight_chinese"),
}


def _is_kin(one: str, other: str, ledger: Ledger) -> bool:
    """Whether two models are sizes of one family."""
    models = ledger.tables.models
    family = models[one].family if one in models else None
    return family is not None and models[other].family == family


def judge_comparison(claim: Claim, ledger: Ledger) -> Judgement:
    """A claim that the subject is like, above or below others, on some benchmark or on all."""
    assert claim.relation is not None
    pairs = pairs_for(claim, ledger)
    if study := _by_study(claim, ledger):
        found = Statement(text=study.statement, cites=(study.id,))
        return Judgement(verdict="supported", reason=(found,))
    if relayed := wrong_peer(claim, ledger):
        said = (Statement(text=relayed.statement, cites=(relayed.id,)), *describe(pairs, ledger))
        return Judgement(verdict="contradicted", reason=said, plot=plot_ids(pairs))
    if said_less := _said_less(claim, ledger):
        reason = (
            Statement(text=said_less.statement, cites=(said_less.id,)),
            *describe(pairs, ledger),
        )
        return Judgement(verdict="contradicted", reason=reason, plot=plot_ids(pairs))
    if not pairs:
        return _no_pairs(claim, ledger)
    if general := _of_one_family(claim, pairs, ledger):
        return general
    if claim.is_partial:
        verdict = _read_some(claim.relation, pairs)
        verdict = opposite(verdict) if claim.negated else verdict
    elif claim.negated and claim.relation == "equal":  # "does not match" says that it falls short
        verdict = read_pairs("below", pairs)
    elif by_value := _of_told_scores(claim, pairs):
        verdict = by_value
    else:
        is_universal = is_sweeping(claim)
        verdict = read_pairs(
            claim.relation, pairs, is_universal=is_universal, is_general=not claim.benchmarks
        )
        verdict = opposite(verdict) if claim.negated else verdict
    if not claim.negated and (_has_gap(claim, pairs) or _is_by_a_hair(claim, pairs)):
        verdict = "supported"
    return Judgement(
        verdict=verdict,
        reason=tuple(describe(pairs, ledger)),
        caveats=tuple(_caveats(claim, pairs, ledger)),
        settles=tuple(_settles(pairs, ledger))
        if verdict in ("mixed", "not_enough_evidence")
        else (),
        plot=plot_ids(pairs),
        posterior=of_pairs(
            "below" if claim.negated and claim.relation == "equal" else claim.relation,
            pairs,
            is_universal=is_sweeping(claim) and not claim.is_partial,
            is_negated=claim.negated and claim.relation != "equal",
            is_partial=claim.is_partial,
        ),
    )


def _of_one_family(claim: Claim, pairs: list[Pair], ledger: Ledger) -> Judgement | None:
    """That the larger size is better in general: on most benchmarks so, and not on every one."""
    found = ledger.tables.documents["small-over-large"]
    is_theirs = {*claim.subjects, *claim.comparators} == {*found.models}
    if not is_theirs or claim.benchmarks or claim.relation == "equal" or claim.is_partial:
        return None
    said = (Statement(text=found.statement, cites=(found.id,)), *describe(pairs, ledger))
    verdict: Verdict = "contradicted" if is_sweeping(claim) or claim.negated else "mixed"
    return Judgement(verdict=verdict, reason=said, plot=plot_ids(pairs))


_MAKER = re.compile(r"\b(?:OpenAI|company|maker|firm|vendor|lab|developer|creator|card)", re.I)


def _of_told_scores(claim: Claim, pairs: list[Pair]) -> Verdict | None:
    """The order of the scores themselves, where the sentence tells some: it speaks of these.

    Whether chance could have made the difference is then a caveat; what is said without figures is
    said of the models, and needs a difference that is certain.
    """
    told = {float(n) for n in _DECIMAL.findall(claim.sentence.text)}
    is_told = any(told & {p.first.value, p.second.value} for p in pairs)
    orders = {pair.by_value for pair in pairs}
    if claim.relation == "equal" or not claim.benchmarks or not is_told or len(orders) != 1:
        return None
    wanted = "higher" if claim.relation == "above" else "lower"
    is_so = (orders == {wanted}) != claim.negated
    return "supported" if is_so else "contradicted"


def _has_gap(claim: Claim, pairs: list[Pair]) -> bool:
    """Whether a gap told in points is that of the figures, in the direction told."""
    told = gap_at(claim.quote)
    if told is None or claim.is_partial or not pairs:
        return False
    if claim.relation == "equal":  # "within two points of"
        gaps = [abs(pair.first.value - pair.second.value) for pair in pairs]
        return _WITHIN.search(claim.quote) is not None and max(gaps) <= told.high
    wanted = "higher" if claim.relation == "above" else "lower"
    slack = 1e-9
    return all(
        pair.by_value == wanted
        and told.low - slack <= abs(pair.first.value - pair.second.value) <= told.high + slack
        for pair in pairs
    )


_WITHIN = re.compile(r"\bwithin\b", re.IGNORECASE)
_HAIR = re.compile(
    r"\b(?:hair|whisker|shade|notch|touch|nose|fraction|slightly|narrowly|barely|marginally|fractionally|a\s+little|just|"
    r"(?:a|one|single)\s+point|a\s+couple\s+of\s+points|inch)\b",
    re.IGNORECASE,
)


def _is_by_a_hair(claim: Claim, pairs: list[Pair]) -> bool:
    """Whether a small lead is told as small, of figures that are in that order."""
    if claim.relation == "equal" or not claim.benchmarks or not pairs:
        return False
    wanted = "higher" if claim.relation == "above" else "lower"
    return _HAIR.search(claim.quote) is not None and all(p.by_value == wanted for p in pairs)


def _said_less(claim: Claim, ledger: Ledger) -> Document | None:
    """What the maker said of its model, where the story lets it say that it beats its peer."""
    source = ledger.tables.documents["peer-claim"]
    peers = {ledger.tables.models[s].vendor_peer for s in claim.subjects if s in source.models}
    is_relayed = claim.attribution is not None and _MAKER.search(claim.attribution)
    is_general = not claim.negated and not claim.benchmarks and not claim.is_partial
    is_above = claim.relation == "above" and bool(peers & {*claim.comparators})
    return source if is_relayed and is_general and is_above and claim.strength > 0 else None


_OUTSIDERS = re.compile(
    r"\b(?:stud(?:y|ies)|researchers?|academics?|scholars|paper|outside\w*|independent\w*|universit\w+|evaluation)\b",
    re.I,
)


def _by_study(claim: Claim, ledger: Ledger) -> Document | None:
    """The study that found the smaller size above the larger one, where the story tells of it."""
    found = ledger.tables.documents["small-over-large"]
    small, large = sorted(found.models, key=lambda m: ledger.tables.models[m].size or "")[::-1]
    says_so = (claim.subjects, claim.comparators, claim.relation) == (
        (small,),
        (large,),
        "above",
    ) or (claim.subjects, claim.comparators, claim.relation) == ((large,), (small,), "below")
    is_there = {*claim.benchmarks} <= {"mmlu"} and not claim.negated
    is_theirs = _OUTSIDERS.search(claim.context) and not re.search(r"\bOpenAI's\b", claim.quote)
    return found if says_so and is_there and is_theirs else None


def wrong_peer(claim: Claim, ledger: Ledger) -> Document | None:
    """What the maker claims of its model, where the story lets it name another peer than it did."""
    source = ledger.tables.documents["peer-claim"]
    peers = {ledger.tables.models[s].vendor_peer for s in claim.subjects if s in source.models}
    is_relayed = claim.attribution is not None and _MAKER.search(claim.attribution)
    is_general = claim.relation == "equal" and not claim.negated and not claim.benchmarks
    theirs = [
        row.access == "proprietary" and row.organisation == "OpenAI"
        for name in claim.comparators
        if (row := ledger.tables.models.get(name))
    ]
    if not (is_relayed and is_general and peers and theirs and all(theirs)):
        return None
    return None if peers & {*claim.comparators} else source


def plot_ids(pairs: list[Pair]) -> tuple[str, ...]:
    """The differences that a plot can show, in the order of the pairs."""
    return tuple(pair.computed.id for pair in pairs if pair.computed)


def pairs_for(claim: Claim, ledger: Ledger) -> list[Pair]:
    """The comparable figures of a claim's models and rivals, on the benchmarks it speaks of."""
    found = [
        pair
        for subject in claim.subjects
        for rival in rivals(ledger, subject, claim.comparators)
        for metric in _metrics_for(claim, ledger)
        for pair in comparable(ledger, metric, subject, rival)
        if _is_of_version(pair.first, claim)
    ]
    told = {float(n) for n in _DECIMAL.findall(claim.sentence.text)}
    meant = [p for p in found if told & {p.first.value, p.second.value}]
    return meant if claim.benchmarks and meant else found


_DECIMAL = re.compile(r"(?<![\w.])\d{1,4}(?:\.\d)?(?![\d.,]*\d)(?!\w)")


def _is_of_version(row: Figure, claim: Claim) -> bool:
    """Whether a figure is of the version of an index that the story names, if it names one."""
    version, told = row.conditions.index_version, version_told(claim.context)
    return version is None or told is None or version.split(".")[0] == told


def _metrics_for(claim: Claim, ledger: Ledger) -> list[Benchmark]:
    """The benchmarks a claim names; else those of the ability it names; else all of ability."""
    rows = ledger.tables.benchmarks
    if claim.benchmarks:
        return [rows[name] for name in claim.benchmarks]
    general = [
        b
        for b in rows.values()
        if not NOT_ABILITY & set(b.measures) and not b.lower_is_better and not b.part_of
    ]
    named = {ability for ability, pattern in ABILITIES.items() if pattern.search(claim.quote)}
    return [b for b in general if named & set(b.measures)] or general


def _no_pairs(claim: Claim, ledger: Ledger) -> Judgement:
    subjects = ledger.names(claim.subjects) if claim.subjects else "this model"
    on = (
        listed(ledger.tables.benchmarks[b].name for b in claim.benchmarks)
        if claim.benchmarks
        else "any benchmark"
    )
    return Judgement(
        verdict="not_enough_evidence",
        reason=(
            Statement(
                text=f"The tables hold no figures for {subjects} and those it is compared with, "
                f"on {on}, "
                "measured under the same conditions."
            ),
        ),
        settles=(
            Statement(
                text="Both models run on the same questions, with the same harness, effort and "
                "tools."
            ),
        ),
    )


def read_pairs(
    relation: Relation,
    pairs: list[Pair],
    *,
    is_universal: bool = False,
    is_general: bool = False,
) -> Verdict:
    """The verdict of the readings on a relation; unresolved pairs neither support nor contradict.

    equal: supported only if every pair is equivalent; contradicted only if every pair differs.
    above or below: a difference that is certain counts, however small; supported if at least one
    pair goes that way and none the other, and, for a claim about named benchmarks, if none is left
    open. Where no interval is published for any pair, the bare values decide, and a caveat says so.
    A universal claim falls with one pair against it. An order that the values show, but too small
    to matter, is mixed.
    """
    if relation == "equal":
        return _read_equal(pairs, is_universal=is_universal)
    wanted, opposed = ("higher", "lower") if relation == "above" else ("lower", "higher")
    readings = {_direction(pair) for pair in pairs}
    if readings == {"unread"}:
        readings = {pair.by_value for pair in pairs}
    decided = readings - {"inconclusive", "unread"}
    if is_universal and decided - {wanted}:
        return "contradicted"
    if wanted not in decided:
        is_so_by_value = decided == {"equivalent"} and all(p.by_value == wanted for p in pairs)
        return "mixed" if is_so_by_value else "contradicted" if decided else "not_enough_evidence"
    is_open = not is_general and "inconclusive" in readings
    return "mixed" if opposed in decided or is_open else "supported"


def _read_some(relation: Relation, pairs: list[Pair]) -> Verdict:
    """The verdict on "above some of them": one pair that goes that way bears it out."""
    wanted = {"above": "higher", "below": "lower", "equal": "equivalent"}[relation]
    readings = [_direction(pair) for pair in pairs]
    if wanted in readings:
        return "supported"
    is_unread = set(readings) == {"unread"}
    if any(pair.by_value == wanted for pair in pairs):
        return "supported" if is_unread else "mixed"
    return "mixed" if relation == "equal" and "inconclusive" in readings else "contradicted"


def is_sweeping(claim: Claim) -> bool:
    """Whether a comparison is said of every benchmark, or of every model of a group."""
    return says_universal(claim.quote) or claim.is_of_all


def _direction(pair: Pair) -> str:
    """The reading, but a difference that is certain has its direction even within the margin."""
    if pair.reading != "equivalent" or pair.computed is None:
        return pair.reading
    values = pair.computed.values
    return pair.by_value if values["low"] > 0 or values["high"] < 0 else "equivalent"


def _read_equal(pairs: list[Pair], *, is_universal: bool) -> Verdict:
    readings = [pair.reading for pair in pairs if pair.reading not in ("inconclusive", "unread")]
    if not readings:
        return "not_enough_evidence"
    different = [reading for reading in readings if reading != "equivalent"]
    if is_universal and different:
        return "contradicted"
    all_resolved = len(readings) == len(pairs)
    if not different:
        return "supported" if all_resolved else "mixed"
    return "contradicted" if len(different) == len(readings) and all_resolved else "mixed"


def describe(pairs: list[Pair], ledger: Ledger) -> list[Statement]:
    """What the pairs show: for each subject, one sentence for each outcome."""
    said: list[Statement] = []
    for subject in dict.fromkeys(p.first.model for p in pairs):
        group = [p for p in pairs if p.first.model == subject]
        for reading, words in (
            ("lower", "{0} is measurably behind {1}."),
            ("higher", "{0} is measurably ahead of {1}."),
            ("equivalent", "{0} is equal within the margin to {1}."),
            ("inconclusive", "The data cannot tell {0} from {1}."),
        ):
            if chosen := [p for p in group if p.reading == reading]:
                text = words.format(ledger.name(subject), _against(chosen, ledger))
                cites = tuple(p.computed.id for p in chosen if p.computed)
                said.append(Statement(text=text, cites=cites))
        if unread := [p for p in group if p.reading == "unread"]:
            said.append(_unread(unread, ledger))
    return said


def _against(pairs: list[Pair], ledger: Ledger) -> str:
    """Rivals with the benchmarks and gaps: "B on X (+1.0 points) and Y (+2.0 points)"."""
    parts = []
    for rival in dict.fromkeys(p.second.model for p in pairs):
        gaps = [
            f"{_label(p, ledger)} ({signed(p.computed.values['value'])} points)"
            for p in pairs
            if p.second.model == rival and p.computed
        ]
        parts.append(f"{ledger.name(rival)} on {listed(gaps)}")
    return listed(parts)


def _label(pair: Pair, ledger: Ledger) -> str:
    name = ledger.tables.benchmarks[pair.first.metric].name
    return f"{name} with tools" if pair.first.conditions.tools == "with tools" else name


def _unread(pairs: list[Pair], ledger: Ledger) -> Statement:
    parts = [
        f"{number(p.first.value)} against {number(p.second.value)} for "
        f"{ledger.name(p.second.model)} "
        f"on {_label(p, ledger)}"
        for p in pairs
    ]
    text = (
        f"{ledger.name(pairs[0].first.model)} has {listed(parts)}, published without an interval."
    )
    return Statement(text=text, cites=tuple(i for p in pairs for i in (p.first.id, p.second.id)))


def _caveats(claim: Claim, pairs: list[Pair], ledger: Ledger) -> list[Statement]:
    said = []
    outside = dict.fromkeys(
        _label(p, ledger) for p in pairs if p.first.measured_by == "third_party"
    )
    if len(outside) < len({_label(p, ledger) for p in pairs}):
        rest = f", except on {listed(outside)}" if outside else ""
        said.append(Statement(text=f"The figures were measured by the vendor itself{rest}."))
    if any(not p.first.correct and p.first.n for p in pairs):
        said.append(
            Statement(
                text="Counts are not published; the intervals take each benchmark's number of "
                "questions."
            )
        )
    if all(p.reading == "unread" for p in pairs):
        said.append(Statement(text="No interval is published, so only the values are compared."))
    if _of_told_scores(claim, pairs) and any(p.reading == "inconclusive" for p in pairs):
        text = "A difference of this size can be chance: the scores are compared, not the models."
        said.append(Statement(text=text))
    said += _version_drift(pairs, ledger) + _stale(claim, pairs, ledger)
    return said


def _version_drift(pairs: list[Pair], ledger: Ledger) -> list[Statement]:
    """An index whose version has moved since: the same model, another number."""
    for pair in pairs:
        version = pair.first.conditions.index_version
        if version is None:
            continue
        later = [
            row
            for row in ledger.tables.about(pair.first.metric, pair.first.model)
            if row.conditions.index_version not in (None, version)
        ]
        note = pair.first.interval.note if pair.first.interval != "not published" else ""
        text = f"These are scores of index version {version}"
        if later:
            row = later[-1]
            text += (
                f"; on version {row.conditions.index_version} {ledger.name(row.model)} has "
                f"{number(row.value)} "
                f"instead of {number(pair.first.value)}, so a score means little without its "
                f"version"
            )
        cites = (pair.first.id, *(row.id for row in later[-1:]))
        said = [Statement(text=text + ".", cites=cites)]
        return (
            [*said, Statement(text=f"The interval is {note}.", cites=(pair.first.id,))]
            if note
            else said
        )
    return []


def _stale(claim: Claim, pairs: list[Pair], ledger: Ledger) -> list[Statement]:
    """A named rival that had a newer version with a figure on the same board."""
    said = []
    for pair in pairs:
        row = ledger.tables.models[pair.second.model]
        if row.newer is None or pair.second.model not in claim.comparators:
            continue
        for newer in ledger.tables.about(pair.second.metric, row.newer):
            if newer.setting == pair.second.setting:
                said.append(
                    Statement(
                        text=f"{row.name} had a successor by then: {ledger.name(row.newer)} has "
                        f"{number(newer.value)} "
                        f"on {_label(pair, ledger)}, not {number(pair.second.value)}.",
                        cites=(newer.id, pair.second.id),
                    )
                )
    return said


def _settles(pairs: list[Pair], ledger: Ledger) -> list[Statement]:
    open_pairs = [p for p in pairs if p.reading == "inconclusive" and p.first.unit == "percent"]
    if not open_pairs:
        return []
    pair = max(open_pairs, key=lambda p: (ledger.shortfall(p.first), p.first.id))
    needed = ledger.items_to_tell(pair.first)
    return [
        Statement(
            text=f"About {number(needed.values['count'])} questions like those of "
            f"{_label(pair, ledger)} for each model would "
            f"tell whether both are within {number(needed.values['margin'])} points.",
            cites=(needed.id,),
        )
    ]
