"""Which claims of two verdicts are about the same matter, and how the telling differs.

Compares claims as they stand in verdict.json; judges nothing. The rules are plain on purpose: the
same topic of the same models, and for scores and comparisons the same benchmarks and rivals.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from netweight.verdict.evidence import Published, Row
from netweight.verdict.judgement import VERDICT_WORDS, known_names, numbers_in
from netweight.verdict.names import (
    CHINESE_OPEN,
    OPENAI_PROPRIETARY,
    find_benchmarks,
    find_models,
    find_size_references,
)
from netweight.verdict.report import ClaimPart

MIN_LIKENESS = 0.6  # of two quotes that no rule understands, to count as the same claim reworded
STRENGTH_WORDS = ("as a possibility", "with reserve", "plainly", "without reserve")
GROUP_WORDS = {
    OPENAI_PROPRIETARY: "OpenAI\u2019s proprietary models",
    CHINESE_OPEN: "Chinese open-weight models",
}

ShiftKind = Literal["stronger", "weaker", "relation", "number", "speaker", "verdict", "wording"]

SHIFT_WORDS: dict[ShiftKind, str] = {
    "stronger": "\u2191 Said more strongly",
    "weaker": "\u2193 Said more softly",
    "relation": "\u21c4 Another relation",
    "number": "# Another number",
    "speaker": "\u201c Another speaker",
    "verdict": "\u2696 Another verdict",
    "wording": "= Other words only",
}


class Shift(Row):
    """One respect in which a later telling of a claim differs from an earlier one."""

    kind: ShiftKind
    before: str
    after: str


class Pair(NamedTuple):
    """The same claim in two verdicts; one side is None where it was added or removed."""

    before: ClaimPart | None
    after: ClaimPart | None


def is_same_matter(first: ClaimPart, second: ClaimPart) -> bool:
    """Whether two claims are about the same thing, whatever they say of it."""
    if first.topic != second.topic or first.ability != second.ability:
        return False
    if first.topic in ("opinion", "other"):
        return _likeness(first, second) >= MIN_LIKENESS
    if set(first.benchmarks) != set(second.benchmarks):
        return False
    return _meet(first.subjects, second.subjects) and _meet(first.comparators, second.comparators)


def _meet(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether they have a member in common, or neither has any."""
    return bool(set(first) & set(second)) or not (first or second)


def _likeness(first: ClaimPart, second: ClaimPart) -> float:
    """How alike two quotes are, from 0 to 1, by the words they share in order."""
    words = first.quote.lower().split(), second.quote.lower().split()
    return difflib.SequenceMatcher(None, words[0], words[1], autojunk=False).ratio()


def pair_claims(before: Sequence[ClaimPart], after: Sequence[ClaimPart]) -> list[Pair]:
    """The claims of two verdicts paired: the same words first, then the same matter, best first.

    Each claim is in one pair; pairs are in the later verdict's order, then what was removed.
    """
    partner: dict[str, ClaimPart] = {}
    left = list(before)
    for is_exact in (True, False):
        for claim in (c for c in after if c.id not in partner):
            fitting = [old for old in left if _fits(old, claim, is_exact=is_exact)]
            if fitting:
                best = max(fitting, key=lambda old: _likeness(old, claim))
                partner[claim.id] = best
                left.remove(best)
    pairs = [Pair(partner.get(claim.id), claim) for claim in after]
    return pairs + [Pair(claim, None) for claim in left]


def _fits(old: ClaimPart, new: ClaimPart, *, is_exact: bool) -> bool:
    return is_same_matter(old, new) and (old.quote == new.quote or not is_exact)


def shifts(before: ClaimPart, after: ClaimPart, tables: Published) -> tuple[Shift, ...]:
    """How the later telling differs, the gravest first; wording only where nothing else does."""
    found = [
        *_strength_shift(before, after),
        *_relation_shift(before, after),
        *_number_shift(before, after, tables),
        *_speaker_shift(before, after),
    ]
    if before.verdict != after.verdict:
        words = [VERDICT_WORDS[claim.verdict] for claim in (before, after)]
        found.append(Shift(kind="verdict", before=words[0], after=words[1]))
    if not found and before.quote != after.quote:
        found.append(Shift(kind="wording", before=before.quote, after=after.quote))
    return tuple(found)


def _strength_shift(before: ClaimPart, after: ClaimPart) -> list[Shift]:
    if before.strength == after.strength or before.topic == "opinion":
        return []
    kind: ShiftKind = "stronger" if after.strength > before.strength else "weaker"
    words = [STRENGTH_WORDS[claim.strength] for claim in (before, after)]
    return [Shift(kind=kind, before=words[0], after=words[1])]


_RELATION_WORDS = {"equal": "equal to", "above": "ahead of", "below": "behind"}
_DIRECTION_WORDS = {"equal": "as good as", "above": "strong", "below": "weak"}


def _relation_shift(before: ClaimPart, after: ClaimPart) -> list[Shift]:
    words = [_stated(claim) for claim in (before, after)]
    if words[0] == words[1] or not all(words):
        return []
    return [Shift(kind="relation", before=words[0], after=words[1])]


def _stated(claim: ClaimPart) -> str:
    said = _RELATION_WORDS.get(claim.relation or "") or _DIRECTION_WORDS.get(claim.direction or "")
    return f"not {said}" if said and claim.negated else said or ""


def _number_shift(before: ClaimPart, after: ClaimPart, tables: Published) -> list[Shift]:
    """Numbers replaced by others; a telling that only adds or drops some is not called changed."""
    stated = [stated_numbers(claim, tables) for claim in (before, after)]
    gone, new = stated[0] - stated[1], stated[1] - stated[0]
    if not gone or not new:
        return []
    return [Shift(kind="number", before=_in_order(gone), after=_in_order(new))]


def _in_order(numbers: Iterable[str]) -> str:
    return ", ".join(sorted(numbers, key=float))


def stated_numbers(claim: ClaimPart, tables: Published) -> set[str]:
    """The quantities in a claim's quote, without the digits of names."""
    quote = claim.quote
    named = [*find_models(quote, tables), *find_benchmarks(quote, tables)]
    if claim.topic != "size":  # there "120 billion" is what is claimed, not a name
        named += find_size_references(quote)
    for mention in named:
        start, end = mention.span
        quote = quote[:start] + re.sub(r"\S", "_", quote[start:end]) + quote[end:]
    return numbers_in(quote, known_names(tables))


def _speaker_shift(before: ClaimPart, after: ClaimPart) -> list[Shift]:
    """Who is said to say it; two sources word the same speaker in too many ways to compare."""
    if bool(before.attribution) == bool(after.attribution):
        return []
    words = [claim.attribution or "the story itself" for claim in (before, after)]
    return [Shift(kind="speaker", before=words[0], after=words[1])]


def matter_label(claim: ClaimPart, names: dict[str, str]) -> str:
    """What a claim is about, in words: its topic, benchmarks, rivals and models."""
    label = (claim.ability or claim.topic).replace("-", " ").replace("_", " ").capitalize()
    if claim.benchmarks:
        label += " on " + ", ".join(names.get(b, b) for b in claim.benchmarks)
    if claim.comparators:
        rivals = (GROUP_WORDS.get(c) or names.get(c, c) for c in claim.comparators)
        label += " against " + ", ".join(rivals)
    subjects = ", ".join(GROUP_WORDS.get(s) or names.get(s, s) for s in claim.subjects)
    return f"{label}: {subjects}" if subjects else label
