"""Judging propositions of the catalogue: what a document says, against what a clause says of it."""

import re
from collections.abc import Callable, Mapping

from netweight.verdict.claims import Claim
from netweight.verdict.evidence import Figure
from netweight.verdict.judge_behaviour import judge_refusal
from netweight.verdict.judgement import Judgement, Statement, Verdict, nothing, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.numerals import ONES
from netweight.verdict.stating import PROPOSITIONS

_NO_DOCUMENT = "The tables hold no document of this model's maker that speaks to this."


def judge_proposition(claim: Claim, ledger: Ledger) -> Judgement:
    """The document's statement; supported if the clause says the same, contradicted if not."""
    assert claim.proposition is not None
    if own := _BY_ID.get(claim.proposition):
        return own(claim, ledger)
    proposition = PROPOSITIONS[claim.proposition]
    found = ledger.tables.documents[proposition.document]
    if found.models and not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    said = Statement(text=found.statement, cites=(found.id,))
    agrees = claim.negated != proposition.holds
    verdict: Verdict = "supported" if agrees else "contradicted"
    if proposition.is_mixed:
        verdict = "mixed"
    elif proposition.is_open:
        verdict = "not_enough_evidence"
    return Judgement(verdict=verdict, reason=(said,))


def _of_refusal(claim: Claim, ledger: Ledger) -> Judgement:
    """Willing or not, in general: what is true in part holds in part either way."""
    return judge_refusal(claim, ledger)


_WEST = re.compile(
    r"\b(?:America\w*|US|U\.S\.|United States|Washington|West\w*|EU|Europe\w*|Brussels)"
)
_EAST = re.compile(r"\b(?:Russia\w*|China|Chinese|Moscow|Beijing|Kremlin|East\w*)")
_SIDES = ("west", "east")
_LESS = re.compile(
    r"\b(?:less|fewer|harder|refus\w*|reluctan\w*|declin\w*|balk\w*|softer|spar\w*|protect\w*|shield\w*|easier\son|gentler|soft\son|unwilling)\b",
    re.IGNORECASE,
)


def _of_sides(claim: Claim, ledger: Ledger) -> Judgement:
    """Which governments it criticises more readily: by the order of the two in the clause."""
    west, east = _WEST.search(claim.quote), _EAST.search(claim.quote)
    rows = [
        (one, other)
        for subject in claim.subjects
        if (one := ledger.tables.one("speechmap-west", subject))
        and (other := ledger.tables.one("speechmap-east", subject))
    ]
    if not rows or west is None or east is None:
        return nothing("No measurement of uneven treatment is in the tables for this model.")
    one, other = rows[0]
    is_west_first = west.start() < east.start()
    says_west = is_west_first != bool(_LESS.search(claim.quote))
    agrees = says_west == (one.value > other.value)
    told = [float(n) for n in re.findall(r"\b\d{2}(?:\.\d)?\b", claim.quote)]
    if len(told) == len(_SIDES):
        known = {one.value, other.value}
        agrees = {*told} == known
    text = f"{ledger.name(one.model)} wrote {number(one.value)}% of criticisms of the US and EU "
    text += f"governments, and {number(other.value)}% of those of the Russian and Chinese."
    said = Statement(text=text, cites=(one.id, other.id))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_ONE_CARD = re.compile(
    r"\b(?:single|one|lone|solitary)\s+(?:\w+\s+){0,3}(?:cards?|GPUs?|accelerators?|H100|chip)",
    re.IGNORECASE,
)
_HOME_GIB = 16.0
_CARD_GIB = 80.0


def _of_hardware(claim: Claim, ledger: Ledger) -> Judgement:
    """Whether a machine of a kind holds the weights: 16 GiB at home, 80 GiB on one accelerator."""
    rows = [r for s in claim.subjects if (r := ledger.tables.one("checkpoint-size", s))]
    if not rows:
        return nothing("The tables hold no memory figures for this model.")
    is_card = claim.proposition == "big-iron" or _ONE_CARD.search(claim.quote)
    limit = _CARD_GIB if is_card else _HOME_GIB
    smallest = min(rows, key=lambda row: row.value)
    if smallest.value > limit:
        return nothing("Whether it runs there depends on the machine; the story names none.")
    says_small = (claim.proposition == "small-iron") != claim.negated
    text = f"The weights of {ledger.name(smallest.model)} take {number(smallest.value)} GiB."
    said = Statement(text=text, cites=(smallest.id,))
    return Judgement(verdict="supported" if says_small else "contradicted", reason=(said,))


_TIMES = re.compile(
    r"\b(?P<half>half|a\s+half)\b|\b(?P<twice>twice|double)\b|\b(?P<times>[\d.]+|\w+)\s+times\b|"
    r"\ba\s+(?P<part>third|quarter|fifth|sixth|tenth)\b|\b(?P<fraction>a\s+fraction)\b",
    re.IGNORECASE,
)
_PART = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "tenth": 10}
_RATIO_TOLERANCE = 0.15


def _ratio_told(text: str) -> float | None:
    """How many times larger one model is told to be than another; under 1 read as its inverse."""
    told = _TIMES.search(text)
    if told is None or told["fraction"]:
        return None
    if told["half"] or told["twice"]:
        return 2.0
    if told["part"]:
        return float(_PART[told["part"].lower()])
    words = told["times"].lower()
    return float(words) if words[0].isdigit() else float(ONES.get(words, 0)) or None


def _of_ratio(claim: Claim, ledger: Ledger) -> Judgement:
    """The ratio of the parameters of two models that the passage names."""
    names = dict.fromkeys((*claim.subjects, *claim.nearby_models))
    rows = [r for name in names if (r := ledger.tables.one("total-parameters", name))]
    told = _ratio_told(claim.quote)
    pairs = [(a, b) for a in rows for b in rows if a.value > b.value]
    meant = [
        p for p in pairs if told and abs(p[0].value / p[1].value / told - 1) <= _RATIO_TOLERANCE
    ]
    if not pairs or not (meant or len(pairs) == 1):
        return nothing("The tables do not hold the parameters of both models.")
    large, small = (meant or pairs)[0]
    text = f"{ledger.name(large.model)} has {number(large.value)} billion parameters, "
    text += f"{ledger.name(small.model)} {number(small.value)} billion."
    said = Statement(text=text, cites=(large.id, small.id))
    agrees = bool(meant) or told is None
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_FIGURES: Mapping[str, tuple[float, ...]] = {
    "yoruba": (62.4, 70.8, 8.4, 8.0),  # its own, the peer's, and the gap
    "airline": (49.2,),
}
_AHEAD = re.compile(r"\b(?:ahead|better|above|beat\w*|leads?)\b", re.IGNORECASE)


def _of_few_figures(claim: Claim, ledger: Ledger) -> Judgement:
    """Numbers that only a document of ours holds: each told has to be one of them."""
    assert claim.proposition is not None
    found = ledger.tables.documents[claim.proposition]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    told = [float(n) for n in re.findall(r"(?<![\w.\-])\d{1,2}(?:\.\d)?(?![\w.]*\d)", claim.quote)]
    known = _FIGURES[claim.proposition]
    agrees = all(any(abs(n - k) <= 0.5 * (n == int(n)) + 0.05 for k in known) for n in told)
    agrees = agrees and not _AHEAD.search(claim.quote)
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_OTHER_COUNT = re.compile(
    r"\b(?:one|a\s+single|two|four|five|six|seven|eight|[1-24-9])\s+(?:\w+\s+){0,3}?"
    r"(?:levels?|settings?|modes?|steps?|gears?|notches|tiers?|grades?|positions?|speeds?)\b",
    re.IGNORECASE,
)


def _of_levels(claim: Claim, ledger: Ledger) -> Judgement:
    """That the effort can be set, and to how many levels if a number is told."""
    found = ledger.tables.documents["effort-levels"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    agrees = not claim.negated and not _OTHER_COUNT.search(claim.quote)
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


def _of_label(claim: Claim, ledger: Ledger) -> Judgement:
    """Called open source: the weights are open, what the definition asks for beside them is not."""
    found = [ledger.tables.documents[name] for name in ("weights-not-data", "osaid-data")]
    said = tuple(Statement(text=d.statement, cites=(d.id,)) for d in found)
    return Judgement(verdict="supported" if claim.negated else "mixed", reason=said)


def _of_index(claim: Claim, ledger: Ledger) -> Judgement:
    """That the index is made of other tests from version to version."""
    row = ledger.tables.benchmarks["aa-index"]
    said = Statement(text=f"{row.name} is {row.is_}.", cites=(f"benchmark:{row.id}",))
    return Judgement(verdict="supported", reason=(said,))


_VARIES = re.compile(
    r"\b(?:(?<!no\s)differ\w*|var(?:y|ies|ied)|swing\w*|wander\w*|spread|gap|inconsisten\w*|uneven\w*|depend\w*|anywhere|\d{2}\.\d)",
    re.IGNORECASE,
)


def _of_hosts(claim: Claim, ledger: Ledger) -> Judgement:
    """That results differ by host, or that they do not."""
    found = ledger.tables.documents["host-spread"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    varies = not claim.negated or _VARIES.search(claim.quote) is not None
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if varies else "contradicted", reason=(said,))


_ADOPTED = (11, 22)


def _of_review(claim: Claim, ledger: Ledger) -> Judgement:
    """Eleven recommendations of twenty-two were adopted; other counts are wrong."""
    found = ledger.tables.documents["outside-review"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    told = [int(n) for n in re.findall(r"\b\d{1,3}\b(?!\w|-)", claim.quote)]
    is_all = re.search(
        r"\b(?:all|every|each)\b[^.]{0,30}\b(?:recommend|suggest|advice)", claim.quote
    )
    agrees = not is_all and all(n in _ADOPTED for n in told) and not claim.negated
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


def _of_tools(claim: Claim, ledger: Ledger) -> Judgement:
    """Whether tools raise every score: the figures with and without them, at one effort."""
    rises: list[tuple[Figure, Figure]] = []
    falls: list[tuple[Figure, Figure]] = []
    for row in ledger.tables.figures.values():
        if row.model not in claim.subjects or row.conditions.tools != "with tools":
            continue
        for bare in ledger.tables.about(row.metric, row.model):
            if bare.conditions.tools == "none" and bare.conditions.effort == row.conditions.effort:
                (rises if row.value > bare.value else falls).append((bare, row))
    if not rises and not falls:
        return nothing("The tables hold no figures of this model with tools and without.")
    shown = (falls or rises)[0]
    name = ledger.tables.benchmarks[shown[0].metric].name
    text = f"On {name} {ledger.name(shown[0].model)} at {shown[0].conditions.effort} effort has "
    text += f"{number(shown[0].value)} without tools and {number(shown[1].value)} with them."
    verdict: Verdict = "mixed" if rises and falls else "supported" if rises else "contradicted"
    return Judgement(
        verdict=verdict, reason=(Statement(text=text, cites=(shown[0].id, shown[1].id)),)
    )


_BY_ID: Mapping[str, Callable[[Claim, Ledger], Judgement]] = {
    "refuses": _of_refusal,
    "west-over-east": _of_sides,
    "big-iron": _of_hardware,
    "small-iron": _of_hardware,
    "outside-review": _of_review,
    "tools-help": _of_tools,
    "open-source": _of_label,
    "effort-levels": _of_levels,
    "yoruba": _of_few_figures,
    "airline": _of_few_figures,
    "size-ratio": _of_ratio,
    "index-changed": _of_index,
    "hosts-differ": _of_hosts,
}
