"""Guesses at what comes next, from what came before: the tokens after the last similar place.

Prompt-lookup decoding. A guess costs little to check, since one step takes several tokens: where
text repeats, as in edits of code and in tool calls, one step then brings several tokens. Knows
token ids only; what is kept of a guess is decided by who draws.
"""

from collections.abc import Sequence

_NUM_MATCHED = 3  # tokens that a similar place has in common with the end, at least
_MAX_MATCHED = 32  # and as far as it is looked at
_NUM_PLACES = 8  # similar places looked at, the latest first

# Wrong guesses may outnumber right ones by this many and by one in so many tokens. A guess makes a
# step read up to twice the experts, and take up to 1.6 times as long (20b shape, 8-bit matrices,
# where the experts are half of what is read): if all are wrong, an answer of 20 tokens or more
# takes 3% longer at most. `benchmarks.speculation` has a text that misleads.
_HEAD_START = 1
_TOKENS_PER_WRONG = 32


class Drafter:
    """Drafts the continuation of one sequence, and backs off where its drafts turn out wrong."""

    def __init__(self, max_drafted: int) -> None:
        """Draft at most `max_drafted` tokens at a time."""
        self._max_drafted = max_drafted
        self._places: dict[tuple[int, ...], list[int]] = {}  # what comes after each n-gram
        self._num_indexed = 0
        self._num_started: int | None = None  # tokens before the first draft
        self.num_drafted = 0
        self.num_accepted = 0

    def draft(self, token_ids: Sequence[int], forced: Sequence[int], most: int) -> list[int]:
        """Up to `most` tokens that may come next; `forced` is what must, if that is known."""
        self._index(token_ids)
        most = min(most, self._max_drafted)
        if forced:
            return list(forced[:most])
        most = min(most, self._credit(len(token_ids)))
        if most <= 0 or len(token_ids) < _NUM_MATCHED:
            return []
        places = self._places.get(tuple(token_ids[-_NUM_MATCHED:]), [])
        matches = [
            (_matched(token_ids, place), place) for place in places[-1 : -1 - _NUM_PLACES : -1]
        ]
        if not matches:
            return []
        # The longer the match, the further it is followed; of equals, the latest.
        num_matched, place = max(matches)
        return _copy(token_ids, place, min(most, num_matched))

    def settle(self, num_drafted: int, num_accepted: int) -> None:
        """Note how a draft turned out."""
        self.num_drafted += num_drafted
        self.num_accepted += num_accepted

    def _credit(self, num_tokens: int) -> int:
        """Tokens that may be drafted, should all of them be wrong."""
        if self._num_started is None:
            self._num_started = num_tokens
        num_wrong = self.num_drafted - self.num_accepted
        earned = (num_tokens - self._num_started) // _TOKENS_PER_WRONG
        return _HEAD_START + earned + self.num_accepted - num_wrong

    def _index(self, token_ids: Sequence[int]) -> None:
        """Note all n-grams but the last, which is the one that is looked for."""
        for end in range(max(self._num_indexed, _NUM_MATCHED), len(token_ids)):
            self._places.setdefault(tuple(token_ids[end - _NUM_MATCHED : end]), []).append(end)
        self._num_indexed = len(token_ids)


def _matched(token_ids: Sequence[int], place: int) -> int:
    """How many tokens before `place` are those before the end."""
    most = min(place, _MAX_MATCHED)
    for number in range(_NUM_MATCHED + 1, most + 1):
        if token_ids[place - number] != token_ids[-number]:
            return number - 1
    return most


def _copy(token_ids: Sequence[int], place: int, num_tokens: int) -> list[int]:
    """The tokens from `place` on; beyond the end, what has been copied goes on."""
    copied: list[int] = []
    for index in range(place, place + num_tokens):
        beyond = index - len(token_ids)
        copied.append(token_ids[index] if beyond < 0 else copied[beyond])
    return copied
