"""What several answers about the same sentences agree on.

A claim that more than half of them hold is kept, with the labels that most of these give it. Knows
proposals and how alike they are. Does not know what they say.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from netweight.verdict.proposals import Marked


class Vote(NamedTuple):
    """What the answers agree on, how much they do not, and how alike each two of them are."""

    kept: tuple[Marked, ...]
    num_outvoted: int
    likenesses: tuple[float, ...]


class _Group(dict[int, Marked]):
    """The same claim in several answers: at most one proposal of each, by the answer's number."""

    @property
    def first(self) -> Marked:
        return next(iter(self.values()))


def take_vote(answers: Sequence[Sequence[Marked]]) -> Vote:
    """What more than half of the answers have, each with its majority's labels.

    `num_outvoted` counts the claims that stand in too few answers. A likeness is Dice's coefficient
    of two answers' claims.
    """
    groups = _grouped(answers)
    kept = [group for group in groups if 2 * len(group) > len(answers)]
    return Vote(
        kept=tuple(dict.fromkeys(_elected(list(group.values())) for group in kept)),
        num_outvoted=len(groups) - len(kept),
        likenesses=tuple(_likenesses(answers, groups)),
    )


def _grouped(answers: Sequence[Sequence[Marked]]) -> list[_Group]:
    """Put together what is the same; where several groups fit, the one with the likest labels."""
    groups: list[_Group] = []
    for number, answer in enumerate(answers):
        for proposal in answer:
            fitting = [
                group for group in groups if number not in group and _is_same(group.first, proposal)
            ]
            if fitting:
                max(fitting, key=lambda g: _alike(g.first, proposal))[number] = proposal
            else:
                groups.append(_Group({number: proposal}))
    return groups


def _is_same(first: Marked, second: Marked) -> bool:
    """The same topic, and quotes that share more than half of the longer one."""
    if first.scene_index != second.scene_index or first.labels.topic != second.labels.topic:
        return False
    longer = max(span.end - span.start for span in (first.span, second.span))
    return 2 * _shared(first, second) > longer


def _shared(first: Marked, second: Marked) -> int:
    start = max(first.span.start, second.span.start)
    return min(first.span.end, second.span.end) - start


def _alike(first: Marked, second: Marked) -> tuple[int, int]:
    """In how many labels two proposals agree, then how much of their quotes they share."""
    pairs = zip(dict(first.labels).items(), dict(second.labels).items(), strict=True)
    return sum(one == other for one, other in pairs), _shared(first, second)


def _likenesses(answers: Sequence[Sequence[Marked]], groups: Sequence[_Group]) -> list[float]:
    """Dice's coefficient of each two answers' claims; two empty answers are alike."""
    found = []
    for one, other in itertools.combinations(range(len(answers)), 2):
        both = sum(one in group and other in group for group in groups)
        total = len(answers[one]) + len(answers[other])
        found.append(2 * both / total if total else 1.0)
    return found


def _elected(members: Sequence[Marked]) -> Marked:
    """The labels that more than half of the members have; no majority leaves a label absent."""
    labels = [member.labels for member in members]
    spans = Counter(member.span for member in members)
    span = max(spans, key=lambda s: (spans[s], s.end - s.start, -s.start))
    voted = labels[0].model_copy(
        update={
            "sentence": members[0].scene_index + 1,
            "quote": "",  # the span holds it
            "hedged": _majority([each.hedged for each in labels], absent=False),
            "speaker": _majority([each.speaker for each in labels], absent=None),
            "subjects": _each_majority([each.subjects for each in labels]),
            "comparators": _each_majority([each.comparators for each in labels]),
            "benchmarks": _each_majority([each.benchmarks for each in labels]),
            "relation": _majority([each.relation for each in labels], absent=None),
            "negated": _majority([each.negated for each in labels], absent=False),
            "ability": _majority([each.ability for each in labels], absent=None),
            "direction": _majority([each.direction for each in labels], absent=None),
        }
    )
    return Marked(members[0].scene_index, span, voted)


V = TypeVar("V")


def _majority(votes: Sequence[V], *, absent: V) -> V:
    value, count = Counter(votes).most_common(1)[0]
    return value if 2 * count > len(votes) else absent


def _each_majority(votes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The names that more than half of the lists hold, in the order in which they first come."""
    counts = Counter(name for vote in votes for name in set(vote))
    ordered = dict.fromkeys(name for vote in votes for name in vote)
    return tuple(name for name in ordered if 2 * counts[name] > len(votes))
