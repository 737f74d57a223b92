"""How an answer to an item of task `capability` is read, and what comes of it.

Sees only the final answer. Knows items; does not know how they are made.
"""

import re
from collections.abc import Sequence

from inspect_ai.model import StopReason

from netweight.evals.answers import is_refusal, last_number, plain
from netweight.evals.capability_item import UNKNOWN, Item, Kind
from netweight.evals.measure import REFUSED, UNPARSED
from netweight.evals.scoring import ending

_SAYS_UNKNOWN = re.compile(
    r"\bunknown\b|\b(?:do|does|did)(?: not|n't) (?:say|mention|state|tell|specify)\b"
    r"|\bnot (?:stated|mentioned|given|known|specified)\b"
)


def read(text: str, kind: Kind, candidates: Sequence[str]) -> str | None:
    """Return the answer that a text gives, or None where it gives none or more than one.

    Of arithmetic, the last number. Of logic, the one candidate that stands after the last "Answer:"
    or alone in the last line, since a text that reasons names others too. Of reading, the one
    candidate that the text names, or if it names several, that its last sentence does.
    """
    if kind == "arithmetic":
        return last_number(text)
    said = _normal(text)
    if kind == "logic":
        return _concluded(said, candidates)
    last_sentence = re.split(r"(?<=[.!?])\s+|\n", said)[-1]
    return _only(said, candidates) or _only(last_sentence, candidates)


def _normal(text: str) -> str:
    return re.sub(r"[*_`]", "", plain(text)).casefold().strip()


def _concluded(said: str, candidates: Sequence[str]) -> str | None:
    _, marker, after = said.rpartition("answer:")
    if marker:
        return _only(after.strip().partition("\n")[0], candidates)
    last_line = said.rpartition("\n")[2].strip(" .!'\"")
    return next((each for each in candidates if each.casefold() == last_line), None)


def _only(said: str, candidates: Sequence[str]) -> str | None:
    named = _candidates_in(said, candidates)
    return named.pop() if len(named) == 1 else None


def _candidates_in(said: str, candidates: Sequence[str]) -> set[str]:
    named = {each for each in candidates if re.search(rf"\b{re.escape(each.casefold())}\b", said)}
    return named | {UNKNOWN} if _SAYS_UNKNOWN.search(said) else named


def judge(text: str, stop_reason: StopReason, item: Item) -> str:
    """Return the outcome of one final answer, a name of MEASURE.outcomes.

    A text that names nothing which could be the answer is wrong, whatever it is about. One that
    does, and still gives no one answer, cannot be read; nor can an empty one, nor one that should
    give a number and has none, since numbers have words too.
    """
    if early := ending(stop_reason):
        return early
    answer = read(text, item.kind, item.candidates)
    if answer == item.answer:
        return "right"
    if is_refusal(text):
        return REFUSED
    if answer is not None or (text.strip() and item.candidates and not _named(text, item)):
        return "wrong"
    return UNPARSED


def _named(text: str, item: Item) -> set[str]:
    return _candidates_in(_normal(text), item.candidates)
