"""The rules' claims with those that a model adds.

What the rules read stands, whatever a model says of the same words: it can only add claims in words
that they leave, or whose kind they do not know. So the verdict with a model is never less than the
one without. Does not know how either of them found its claims.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from netweight.verdict.claims import Claim, identity_of

UNKNOWN = "other"  # the rules' topic of what they cannot tell the kind of
_NO_KIND = (UNKNOWN, "opinion")


class Merged(NamedTuple):
    """Claims in reading order, numbered anew, and the ids of those that the rules had not found."""

    claims: tuple[Claim, ...]
    added: tuple[str, ...]


def merge(ruled: Sequence[Claim], proposed: Sequence[Claim]) -> Merged:
    """Put a model's claims beside the rules', all of them of the same story.

    A proposed claim is left out where the rules have most of its words in claims of theirs, or a
    claim of its topic that shares any. A claim of theirs of unknown kind gives way to a proposed
    one that has most of its words, and says what kind they are.
    """
    known = [claim for claim in ruled if claim.topic != UNKNOWN]
    telling = [
        claim
        for claim in proposed
        if claim.topic not in _NO_KIND and not any(_has(rule, claim) for rule in known)
    ]
    kept = [
        claim
        for claim in ruled
        if claim.topic != UNKNOWN or not any(_holds_most(other, claim) for other in telling)
    ]
    new = [
        claim
        for claim in proposed
        if claim in telling
        or (claim.topic in _NO_KIND and not any(_has(rule, claim) for rule in kept))
    ]
    return _numbered(kept, new)


def _has(rule: Claim, proposed: Claim) -> bool:
    is_same_topic = rule.topic == proposed.topic and _shared(rule, proposed) > 0
    return is_same_topic or _holds_most(rule, proposed)


def _holds_most(one: Claim, other: Claim) -> bool:
    """Whether one claim has more than half of the other's words."""
    return 2 * _shared(one, other) > other.span.end - other.span.start


def _shared(one: Claim, other: Claim) -> int:
    return min(one.span.end, other.span.end) - max(one.span.start, other.span.start)


def _numbered(ruled: Iterable[Claim], new: Iterable[Claim]) -> Merged:
    """Both in reading order, neither's own order changed; of repeated claims the first is named."""
    claims: list[Claim] = []
    added: list[str] = []
    seen: dict[tuple[object, ...], str] = {}
    ordered = heapq.merge(
        ((claim, False) for claim in ruled),
        ((claim, True) for claim in new),
        key=lambda pair: pair[0].span.start,
    )
    for claim, is_new in ordered:
        named = replace(claim, id=f"c{len(claims) + 1}")
        key = identity_of(named)
        claims.append(replace(named, repeats=seen.get(key)))
        seen.setdefault(key, named.id)
        added += [named.id] * is_new
    return Merged(tuple(claims), tuple(added))
