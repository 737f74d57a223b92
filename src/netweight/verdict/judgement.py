"""A judgement and the sentences it is made of; and the check that every number in them is cited.

The check is the release rule: a sentence that states a number which its cited records do not hold
is never written out.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from netweight.errors import VerdictError
from netweight.verdict.evidence import Benchmark, KnownModel, Published, Row

Verdict = Literal["supported", "contradicted", "mixed", "not_enough_evidence", "not_checkable"]

VERDICT_WORDS: dict[Verdict, str] = {
    "supported": "Supported",
    "contradicted": "Contradicted",
    "mixed": "Mixed",
    "not_enough_evidence": "Not enough evidence",
    "not_checkable": "Not checkable",
}


class Statement(Row):
    """A sentence of ours, with the ids of the records that hold its numbers."""

    text: str
    cites: tuple[str, ...] = ()


class Posterior(Row):
    """How probable a claim is after the evidence.

    `low` and `high` are what it would be if the sources were relied on half as much, or entirely;
    `weight` is how much evidence there is.
    """

    mean: float
    low: float
    high: float
    weight: float


class Judgement(Row):
    """A verdict on one claim: why, with what caveats, and what would settle it if it is open."""

    verdict: Verdict
    reason: tuple[Statement, ...]
    caveats: tuple[Statement, ...] = ()
    settles: tuple[Statement, ...] = ()
    plot: tuple[str, ...] = ()
    posterior: Posterior | None = None

    @property
    def evidence(self) -> tuple[str, ...]:
        """Every record that a sentence or the plot rests on, in order of first use."""
        sentences = (*self.reason, *self.caveats, *self.settles)
        cited = [record for sentence in sentences for record in sentence.cites]
        return tuple(dict.fromkeys((*cited, *self.plot)))


def nothing(text: str, *, settles: str | None = None) -> Judgement:
    """No evidence either way, and why."""
    return Judgement(
        verdict="not_enough_evidence",
        reason=(Statement(text=text),),
        settles=(Statement(text=settles),) if settles else (),
    )


def supported(reason: Iterable[Statement], *, caveat: str) -> Judgement:
    """Supported by these sentences, with one thing to keep in mind."""
    return Judgement(verdict="supported", reason=tuple(reason), caveats=(Statement(text=caveat),))


def opposite(verdict: Verdict) -> Verdict:
    """The verdict on a claim's negation."""
    swapped: dict[Verdict, Verdict] = {"supported": "contradicted", "contradicted": "supported"}
    return swapped.get(verdict, verdict)


def denied(judged: "Judgement") -> "Judgement":
    """The judgement on a denial of a claim. What holds in part is wrongly denied as a whole."""
    verdict = "contradicted" if judged.verdict == "mixed" else opposite(judged.verdict)
    return judged.model_copy(update={"verdict": verdict})  # its posterior is made afterwards


def listed(parts: Iterable[str]) -> str:
    """Join as in: a, b and c."""
    items = list(parts)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def number(value: float) -> str:
    """A value as it is shown: no trailing zeros, at most two decimals, a thousands comma."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".").replace("-", "\u2212")


def signed(value: float) -> str:
    """A difference as it is shown, with its sign."""
    return f"+{value:.1f}" if value > 0 else f"{value:.1f}".replace("-", "\u2212")


_NUMERAL = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ],
        start=2,
    )
}
_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)
# Names that hold digits but state no quantity, beside those in the tables.
_FIXED_NAMES = ("Apache-2.0", "GPT-2", "MXFP4", "H100", "Open Source AI Definition 1.0", "SHA-256")


def numbers_in(text: str, names: Iterable[str] = ()) -> set[str]:
    """The quantities that a text states, as plain decimals; digits inside names are none."""
    for name in sorted({*names, *_FIXED_NAMES}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", " ", text)
    found = {_plain(match) for match in _NUMERAL.findall(text)}
    return found | {_NUMBER_WORDS[word.lower()] for word in _WORD.findall(text)}


def _plain(numeral: str) -> str:
    return format(Decimal(numeral.replace(",", "")).normalize(), "f")


def known_names(tables: Published) -> tuple[str, ...]:
    """Names in the tables that hold digits: models and benchmarks, as we write them."""
    rows: list[KnownModel | Benchmark] = [*tables.models.values(), *tables.benchmarks.values()]
    return tuple(name for row in rows for name in {row.name, row.id} if re.search(r"\d", name))


def check_statement(
    statement: Statement, text_of: Callable[[str], str | None], names: tuple[str, ...]
) -> None:
    """Refuse a sentence with an unknown citation or with a number that no cited record holds.

    Raises:
        VerdictError: names the sentence and what is missing.
    """
    held: set[str] = set()
    for cite in statement.cites:
        record = text_of(cite)
        if record is None:
            raise VerdictError(
                f"refused to write: no record {cite!r} for the sentence: {statement.text}"
            )
        held |= numbers_in(record)
    missing = numbers_in(statement.text, names) - held
    if missing:
        raise VerdictError(
            f"refused to write: {', '.join(sorted(missing))} stands in no cited record: "
            f"{statement.text}"
        )


def record_text(record: BaseModel) -> str:
    """All that a record says, as text, with numbers written in full."""
    parts: list[str] = []
    _collect(record.model_dump(), parts)
    return "\n".join(parts)


def _collect(value: object, parts: list[str]) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _collect(inner, parts)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect(inner, parts)
    elif isinstance(value, float):
        parts.append(format(Decimal(repr(value)), "f"))
    elif isinstance(value, int | str) and not isinstance(value, bool):
        parts.append(str(value))
