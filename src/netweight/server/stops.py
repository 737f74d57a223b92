"""Stop strings: where a text ends because one of them has come. Knows text that comes in pieces."""

from collections.abc import Sequence


class StopFinder:
    """Lets text through up to the first stop string, which may be spread over several pieces.

    Of several it is the one that is complete first, and of those the longest, so that it does not
    matter how the text is cut. Text that may be the beginning of a stop string is held back.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        """Look for strings that are not empty; without any, all text goes through."""
        assert all(stops), "an empty string is found everywhere"
        self._stops = tuple(stops)
        self._held = ""
        self.is_found = False

    def push(self, text: str) -> str:
        """Take the next piece; what can be let through now. Nothing is once a stop was found."""
        if self.is_found:
            return ""
        text = self._held + text
        found = self._first(text)
        if found is not None:
            self.is_found = True
            self._held = ""
            return text[:found]
        num_held = max((_num_begun(text, stop) for stop in self._stops), default=0)
        let_through = len(text) - num_held
        self._held = text[let_through:]
        return text[:let_through]

    def rest(self) -> str:
        """What is still held back, when the text has ended otherwise."""
        held, self._held = self._held, ""
        return held

    def _first(self, text: str) -> int | None:
        """Where the first stop string begins."""
        starts = [(text.find(stop), len(stop)) for stop in self._stops]
        ends = [(start + length, start) for start, length in starts if start >= 0]
        return min(ends)[1] if ends else None


def _num_begun(text: str, stop: str) -> int:
    """How many of the last characters are the beginning of a stop string, but not all of it."""
    lengths = range(min(len(text), len(stop) - 1), 0, -1)
    return next((length for length in lengths if text.endswith(stop[:length])), 0)
