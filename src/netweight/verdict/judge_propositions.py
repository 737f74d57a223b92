"""Judging propositions: what a document says, against what a clause says of it."""

import re
from collections.abc import Callable, Mapping

from netweight.verdict.claims import Claim
from netweight.verdict.judge_behaviour import judge_refusal
from netweight.verdict.judgement import Judgement, Statement, Verdict, nothing, number
from netweight.verdict.ledger import Ledger
from netweight.verdict.numerals import ONES
from netweight.verdict.propositions import PROPOSITIONS

_NO_DOCUMENT = "The tables hold no document of this model's maker that speaks to this."


def judge_proposition(claim: Claim, ledger: Ledger) -> Judgement:
    """What the document says, and what follows for a clause that says the same or the opposite."""
    assert claim.proposition is not None
    return _BY_ID.get(claim.proposition, _by_document)(claim, ledger)


def _by_document(claim: Claim, ledger: Ledger) -> Judgement:
    proposition = PROPOSITIONS[claim.proposition or ""]
    found = ledger.tables.documents[proposition.document]
    if found.models and not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict=_of_table(claim), reason=(said,))


def _of_table(claim: Claim) -> Verdict:
    proposition = PROPOSITIONS[claim.proposition or ""]
    return proposition.denied if claim.negated else proposition.made


def _of_sides(claim: Claim, ledger: Ledger) -> Judgement:
    """That it criticises Western governments more readily, by the counts of both."""
    rows = [
        (one, other)
        for subject in claim.subjects
        if (one := ledger.tables.one("speechmap-west", subject))
        and (other := ledger.tables.one("speechmap-east", subject))
    ]
    if not rows:
        return nothing("No measurement of uneven treatment is in the tables for this model.")
    one, other = rows[0]
    text = f"{ledger.name(one.model)} wrote {number(one.value)}% of criticisms of the US and EU "
    text += f"governments, and {number(other.value)}% of those of the Russian and Chinese."
    said = Statement(text=text, cites=(one.id, other.id))
    return Judgement(verdict=_of_table(claim), reason=(said,))


_HOME_GIB = 16.0
_CARD_GIB = 80.0


def _of_hardware(claim: Claim, ledger: Ledger) -> Judgement:
    """Whether a machine of a kind holds the weights: 16 GiB at home, 80 GiB on one accelerator."""
    rows = [r for s in claim.subjects if (r := ledger.tables.one("checkpoint-size", s))]
    if not rows:
        return nothing("The tables hold no memory figures for this model.")
    limit = _CARD_GIB if claim.proposition == "one-card" else _HOME_GIB
    smallest = min(rows, key=lambda row: row.value)
    fits = smallest.value <= limit
    text = f"The weights of {ledger.name(smallest.model)} take {number(smallest.value)} GiB."
    said = Statement(text=text, cites=(smallest.id,))
    return Judgement(
        verdict="supported" if fits != claim.negated else "contradicted", reason=(said,)
    )


def _of_compute(claim: Claim, ledger: Ledger) -> Judgement:
    """The millions of hours told; a clause that says that nobody tells is wrong."""
    found = ledger.tables.documents["training-compute"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    told = gap_values(claim.quote)
    agrees = not claim.negated and all(abs(n - _MILLION_HOURS) <= _ROUNDING for n in told)
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_MILLION_HOURS = 2.1
_ROUNDING = 0.1  # "two million" and "just over two million" are 2.1
_IN_MILLIONS = re.compile(
    rf"\b(?P<value>\d+(?:\.\d+)?|{'|'.join(ONES)}|ten|eleven|twelve)\s*(?:and\s+a\s+(?P<half>half)\s+)?(?P<unit>million|m\b|bn\b|billion)",
    re.IGNORECASE,
)
_IN_FULL = re.compile(r"\b(\d{1,3}(?:,\d{3})+|\d{5,})\b")


def gap_values(text: str) -> list[float]:
    """The amounts of a text, in millions."""
    found = []
    for match in _IN_MILLIONS.finditer(text):
        word = match["value"].lower()
        words = {**ONES, "ten": 10, "eleven": 11, "twelve": 12}
        value = float(words[word]) if word in words else float(word)
        value += 0.5 if match["half"] else 0.0
        found.append(value * (1000 if match["unit"].lower().startswith("b") else 1))
    return found or [int(n.replace(",", "")) / 1e6 for n in _IN_FULL.findall(text)]


def _of_inventions(claim: Claim, ledger: Ledger) -> Judgement:
    """That it makes things up, or never does: the rates of wrong answers about people."""
    rows = [r for s in claim.subjects for r in ledger.tables.about("personqa-hallucination", s)]
    if not rows:
        return nothing("The tables hold no rate of invented answers for this model.")
    parts = [f"{ledger.name(r.model)} is wrong on {number(r.value)}% of PersonQA" for r in rows]
    said = Statement(text="; ".join(parts) + ".", cites=tuple(r.id for r in rows))
    return Judgement(verdict=_of_table(claim), reason=(said,))


def _of_edits(claim: Claim, ledger: Ledger) -> Judgement:
    """That some exercises had a malformed edit: about one in five had."""
    rows = [r for s in claim.subjects for r in ledger.tables.about("aider-well-formed", s)]
    if not rows:
        return nothing("The tables hold no rate of malformed edits for this model.")
    text = f"{number(rows[0].value)}% of {ledger.name(rows[0].model)}'s exercises "
    text += "had no malformed edit."
    said = Statement(text=text, cites=(rows[0].id,))
    return Judgement(verdict=_of_table(claim), reason=(said,))


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
    return Judgement(verdict=_of_table(claim), reason=said)


def _of_index(claim: Claim, ledger: Ledger) -> Judgement:
    """That the index is made of other tests from version to version."""
    row = ledger.tables.benchmarks["aa-index"]
    said = Statement(text=f"{row.name} is {row.is_}.", cites=(f"benchmark:{row.id}",))
    return Judgement(verdict=_of_table(claim), reason=(said,))


_ADOPTED = (11, 22)
_HALF = re.compile(r"\b(?:half|eleven)\b", re.IGNORECASE)
_NONE_OF = re.compile(r"\b(?:none|not\s+one|not\s+a\s+single\s+one)\s+of\b", re.IGNORECASE)


def _of_review(claim: Claim, ledger: Ledger) -> Judgement:
    """Eleven recommendations of twenty-two were adopted; other counts are wrong."""
    found = ledger.tables.documents["outside-review"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    told = [int(n) for n in re.findall(r"\b\d{1,3}\b(?!\w|-)", claim.quote)]
    is_half = _HALF.search(claim.quote) is not None
    is_all = re.search(
        r"\b(?:all|every|each)\b[^.]{0,30}\b(?:recommend|suggest|advice)", claim.quote
    )
    is_right = is_half or (bool(told) and {*told} <= {*_ADOPTED})
    is_none = claim.negated or _NONE_OF.search(claim.quote) is not None
    if told == [max(_ADOPTED)] or not told:  # how many were made, and not how many were adopted
        is_right = is_half or not is_none
    agrees = not is_all and is_right
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_COUNTED = re.compile(r"\d|\b(?:million|thousand|hundred|dozen|billion)s?\b", re.IGNORECASE)


def _of_uptake(claim: Claim, ledger: Ledger) -> Judgement:
    """That many have taken them up; how many is in no table."""
    if _COUNTED.search(claim.quote):
        return nothing("The tables hold no number of downloads or users.")
    return _by_document(claim, ledger)


_ONE_LANGUAGE = re.compile(
    r"\b(?:French|German|Spanish|Italian|Portuguese|Japanese|Korean|Chinese|Mandarin|Cantonese|Arabic|Hindi|Bengali|Tamil|Telugu|Urdu|Punjabi|"
    r"Swahili|Hausa|Igbo|Zulu|Dutch|Polish|Czech|Turkish|Welsh|Irish|Gaelic|Greek|Russian|Ukrainian|Swedish|Norwegian|Danish|Finnish|Icelandic|"
    r"Latin|Hebrew|Thai|Vietnamese|Indonesian|Malay|Nepali|Sinhala)\b"
)


def _of_languages(claim: Claim, ledger: Ledger) -> Judgement:
    """That it is as good in other languages: in translation it is not; one alone is in no table."""
    if _ONE_LANGUAGE.search(claim.quote):
        return nothing("The tables hold no measurement of that language alone.")
    return _by_document(claim, ledger)


_SERVED = (400, 1300)  # tokens a second, by the document, with room for rounding
_SPEED = re.compile(r"\b(?!20[12]\d\b)(\d{1,3}(?:,\d{3})+|\d{2,})\b(?!\s*[bB]\b)")  # no year
_PER_SECOND = re.compile(r"\b(?:an?|per|each|every)\s+second\b|\btok(?:ens?)?/s", re.IGNORECASE)


def speeds_told(words: str) -> list[int]:
    """The numbers of words that tell how many tokens are written in a second."""
    if not _PER_SECOND.search(words):
        return []
    return [int(n.replace(",", "")) for n in _SPEED.findall(words)]


def are_served(speeds: list[int]) -> bool:
    """Whether every speed is one that a host with chips of its own reached."""
    return all(_SERVED[0] <= speed <= _SERVED[1] for speed in speeds)


def _of_speed(claim: Claim, ledger: Ledger) -> Judgement:
    """That hosts with chips of their own serve it fast, and how fast if a number is told."""
    found = ledger.tables.documents["host-speed"]
    if not {*claim.subjects} & {*found.models}:
        return nothing(_NO_DOCUMENT)
    agrees = not claim.negated and are_served(speeds_told(claim.quote))
    said = Statement(text=found.statement, cites=(found.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


_BY_ID: Mapping[str, Callable[[Claim, Ledger], Judgement]] = {
    "refuses": judge_refusal,  # true in part either way
    "west-over-east": _of_sides,
    "one-card": _of_hardware,
    "home-machine": _of_hardware,
    "size-ratio": _of_ratio,
    "outside-review": _of_review,
    "open-source": _of_label,
    "effort-levels": _of_levels,
    "index-changed": _of_index,
    "training-compute": _of_compute,
    "never-invents": _of_inventions,
    "malformed-edits": _of_edits,
    "fast-hosts": _of_speed,
    "popular": _of_uptake,
    "language-parity": _of_languages,
}
