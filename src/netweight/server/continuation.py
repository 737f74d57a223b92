"""One continuation of one prompt: the engine's events for it, as text, token ids and scores.

Control tokens are tokens like any other, but for their text. Knows no conversation format, no
request's fields and no HTTP.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Literal, NamedTuple

from netweight.engine import Counts, Event, Finish, Logprobs, PromptLogprobs, Token
from netweight.harmony import Vocabulary
from netweight.server.problems import Problem
from netweight.server.stops import StopFinder


class Wanted(NamedTuple):
    """What a client wants to be told."""

    prompt: bool
    answer: bool
    scores: bool
    special_text: bool
    names_as_ids: bool


class Score(NamedTuple):
    """A token's name and its log-probability, those of the likeliest, and where its text begins.

    `mean` and `std` are of log p over the whole vocabulary at its place: of scored tokens of the
    prompt alone, and if they were asked for.
    """

    name: str
    logprob: float | None
    top: dict[str, float] | None
    offset: int
    mean: float | None = None
    std: float | None = None


class Piece(NamedTuple):
    """More of a continuation."""

    text: str = ""
    scores: tuple[Score, ...] = ()
    token_ids: tuple[int, ...] = ()
    reason: Literal["stop", "length"] | None = None  # with the last piece


class _Decoder:
    """Tokens to text, one after the other; a character comes with the last of its tokens."""

    def __init__(self, vocabulary: Vocabulary, *, special_text: bool) -> None:
        self._vocabulary, self._special_text = vocabulary, special_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.num_chars = 0

    def push(self, token_id: int) -> str:
        """What the token adds to the text."""
        vocabulary = self._vocabulary
        # A model may have more ids than its vocabulary; they stand for nothing.
        if not vocabulary.has(token_id):
            return ""
        if vocabulary.is_special(token_id) and not self._special_text:
            return ""
        return self._counted(self._decoder.decode(vocabulary.token_bytes(token_id)))

    def rest(self) -> str:
        """What is left of a character that has not become whole."""
        return self._counted(self._decoder.decode(b"", final=True))

    def _counted(self, text: str) -> str:
        self.num_chars += len(text)
        return text


class _Names:
    """What tokens are called; each has a name of its own, since names are keys."""

    def __init__(self, vocabulary: Vocabulary, *, as_ids: bool) -> None:
        self._vocabulary, self._as_ids = vocabulary, as_ids

    def score(self, token_id: int, logprobs: Logprobs | None, offset: int) -> Score:
        """A token's score; the first of a prompt has no log-probabilities."""
        name = self._name(token_id)
        if logprobs is None:
            return Score(name, None, None, offset)
        top = {self._name(other): logprob for other, logprob in logprobs.top}
        top.setdefault(name, logprobs.drawn)
        return Score(name, logprobs.drawn, top, offset)

    def _name(self, token_id: int) -> str:
        if self._as_ids or not self._vocabulary.has(token_id):
            return f"token_id:{token_id}"
        token = self._vocabulary.token_bytes(token_id)
        try:
            return token.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


class PromptEcho:
    """A prompt as text and scores, which all its continuations share."""

    def __init__(self, ids: Sequence[int], vocabulary: Vocabulary, wanted: Wanted) -> None:
        """Nothing is read until it is asked for."""
        self.ids = ids
        self._decoder = _Decoder(vocabulary, special_text=wanted.special_text)
        self._names = _Names(vocabulary, as_ids=wanted.names_as_ids)
        self._num_read = 0
        self._texts: list[str] = []
        self._scores: list[Score] = []

    def add(self, event: PromptLogprobs) -> None:
        """Read on: a token for each score, before the first of them one that nobody can score."""
        self._begin()
        unasked = repeat((None, None))
        moments: Iterable[tuple[float | None, float | None]] = event.moments or unasked
        for logprobs, (mean, std) in zip(event.logprobs, moments, strict=False):
            self._add(logprobs, mean, std)

    def whole(self, *, scored: bool) -> Piece:
        """All of it. With scores, `add` must have had them."""
        if scored:
            self._begin()
        assert not scored or self._num_read == len(self.ids), "scores are missing"
        for token_id in self.ids[self._num_read :]:
            self._read(token_id)
        self._texts = ["".join(self._texts) + self._decoder.rest()]
        return Piece(self._texts[0], tuple(self._scores))

    def _begin(self) -> None:
        if self._num_read == 0:
            self._add(None)

    def _add(
        self, logprobs: Logprobs | None, mean: float | None = None, std: float | None = None
    ) -> None:
        token_id, offset = self.ids[self._num_read], self._decoder.num_chars
        score = self._names.score(token_id, logprobs, offset)
        self._scores.append(score._replace(mean=mean, std=std))
        self._read(token_id)

    def _read(self, token_id: int) -> None:
        self._texts.append(self._decoder.push(token_id))
        self._num_read += 1


class Continuation:
    """Turns the engine's events for one continuation into pieces.

    The text ends before the first stop string; then it `is_stopped`, and its request should be
    cancelled.
    """

    def __init__(
        self, prompt: PromptEcho, vocabulary: Vocabulary, wanted: Wanted, stops: Sequence[str]
    ) -> None:
        """Continuations of one prompt share the object."""
        self.num_tokens = 0
        self.counts = Counts()
        self._prompt, self._wanted = prompt, wanted
        self._decoder = _Decoder(vocabulary, special_text=wanted.special_text)
        self._names = _Names(vocabulary, as_ids=wanted.names_as_ids)
        self._stops = StopFinder(stops)
        self._has_begun = False
        self._num_before = 0  # characters of the prompt

    @property
    def is_stopped(self) -> bool:
        """Whether a stop string has ended it. What is drawn after it is ignored."""
        return self._stops.is_found

    def read(self, event: Event) -> Iterator[Piece]:
        """What an event adds.

        Raises:
            Problem: when the request has failed.
        """
        if isinstance(event, PromptLogprobs):
            self._prompt.add(event)
            return
        if not self._has_begun:
            self._has_begun = True
            if self._wanted.prompt:
                yield self._echo()
        if isinstance(event, Finish):
            yield self._ending(event)
        elif self._wanted.answer and not self.is_stopped:
            yield self._token(event)

    def _echo(self) -> Piece:
        piece = self._prompt.whole(scored=self._wanted.scores)
        self._num_before = len(piece.text)
        return piece

    def _token(self, token: Token) -> Piece:
        self.num_tokens += 1
        scores: tuple[Score, ...] = ()
        if token.logprobs is not None:
            offset = self._num_before + self._decoder.num_chars
            scores = (self._names.score(token.token_id, token.logprobs, offset),)
        text = self._stops.push(self._decoder.push(token.token_id))
        return Piece(text, scores, (token.token_id,))

    def _ending(self, finish: Finish) -> Piece:
        self.counts = finish.counts
        if self.is_stopped:
            return Piece(reason="stop")
        if finish.reason in ("error", "cancelled"):
            raise Problem(finish.error or "the request was cancelled.", status=500)
        text = self._stops.push(self._decoder.rest())
        if self.is_stopped:
            return Piece(text, reason="stop")
        reason: Literal["stop", "length"] = "stop" if finish.reason == "stop" else "length"
        return Piece(text + self._stops.rest(), reason=reason)
