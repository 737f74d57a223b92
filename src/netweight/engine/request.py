"""What is asked of the engine, and what comes back: requests, their state while they run, events.

Token ids in, token ids out. Knows no text, no conversation format and no tensors but a generator.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import torch

from netweight.engine.cache import Holding
from netweight.engine.constraint import Constraint, forced
from netweight.engine.penalties import Penalties
from netweight.engine.speculation import Drafter
from netweight.errors import ContextTooLong, RequestError

FinishReason = Literal["stop", "length", "cancelled", "error"]


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise RequestError(message)


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; `sampler` says in which order the settings apply.

    Raises:
        RequestError: naming the setting that is out of range.
    """

    temperature: float = 1.0  # 0 takes the likeliest token
    top_p: float = 1.0  # keep the likeliest tokens that together reach this probability
    top_k: int = 0  # keep this many of the likeliest tokens; 0 keeps all
    min_p: float = 0.0  # keep tokens at least this likely, relative to the likeliest
    seed: int | None = None  # None: a fresh one, which the Finish event reports
    presence_penalty: float = 0.0  # taken from the logit of every token that was drawn before
    frequency_penalty: float = 0.0  # and this for each time that it was
    logit_bias: tuple[tuple[int, float], ...] = ()  # added to the logits of these token ids

    def __post_init__(self) -> None:
        """Check the ranges."""
        _check(
            math.isfinite(self.temperature) and self.temperature >= 0,
            f"temperature is {self.temperature}; it must be 0 or more.",
        )
        _check(0 <= self.top_p <= 1, f"top_p is {self.top_p}; it must be between 0 and 1.")
        _check(self.top_k >= 0, f"top_k is {self.top_k}; it must be 0 (keep all) or more.")
        _check(0 <= self.min_p <= 1, f"min_p is {self.min_p}; it must be between 0 and 1.")
        _check(
            self.seed is None or -(2**63) <= self.seed < 2**63,
            f"seed is {self.seed}; it must fit in 64 bits.",
        )
        for name in ("presence_penalty", "frequency_penalty"):
            value = getattr(self, name)
            _check(-2 <= value <= 2, f"{name} is {value}; it must be between -2 and 2.")
        for token_id, bias in self.logit_bias:
            _check(
                -100 <= bias <= 100,
                f"logit_bias of token {token_id} is {bias}; it must be between -100 and 100.",
            )

    def numbered(self, index: int) -> "Sampling":
        """The same for one of several answers, whose seeds count up, and begin anew at 2**63."""
        assert self.seed is not None, "one seed gives the others"
        return replace(self, seed=(self.seed + index + 2**63) % 2**64 - 2**63)

    def penalties(self, num_ids: int) -> Penalties | None:
        """What these settings add to logits [num_ids]; None when that is nothing."""
        if not (self.presence_penalty or self.frequency_penalty or self.logit_bias):
            return None
        return Penalties(self.logit_bias, self.presence_penalty, self.frequency_penalty, num_ids)


@dataclass(frozen=True)
class Request:
    """One prompt to be continued."""

    prompt_ids: Sequence[int]
    sampling: Sampling = Sampling()
    stop_ids: frozenset[int] = frozenset()  # drawing one of these ends the answer
    max_tokens: int | None = None  # at most; None: as many as the context has room for
    num_logprobs: int | None = None  # None: no log-probabilities; 0: of the drawn token only
    constraint: Constraint | None = None  # on the answer; it has state, so it is this request's own
    prompt_logprobs: int | None = None  # as num_logprobs, of the prompt's tokens from the second on
    prompt_moments: bool = False  # whether prompt_logprobs come with their Moments
    adapter: str | None = None  # the name of one of the model's; None: the model as it is


class TokenLogprob(NamedTuple):
    """A token and its natural log-probability."""

    token_id: int
    logprob: float


class Moments(NamedTuple):
    """Of log p, in nats, over the whole vocabulary, where every token weighs as much as its p."""

    mean: float  # the entropy, negated
    std: float


class Logprobs(NamedTuple):
    """Log-probabilities at one place, in the model's own distribution.

    No constraint, bias or penalty changes it.
    """

    drawn: float
    top: tuple[TokenLogprob, ...]  # likeliest first


@dataclass(frozen=True)
class Token:
    """A request has its next token; a stop token is reported like any other."""

    request_id: int
    token_id: int
    logprobs: Logprobs | None


@dataclass(frozen=True)
class PromptLogprobs:
    """Log-probabilities of the prompt's next tokens; the first of all has none.

    Come only when asked for, in order, before the first Token.
    """

    request_id: int
    logprobs: tuple[Logprobs, ...]
    moments: tuple[Moments, ...] | None = None  # at the same places; None: not asked for


@dataclass(frozen=True)
class Counts:
    """What a request cost."""

    num_cached_tokens: int = 0  # of the prompt, that were in the cache when it began
    num_drafted: int = 0  # tokens guessed ahead,
    num_accepted: int = 0  # and those that were right


@dataclass(frozen=True)
class Finish:
    """A request has ended. Every admitted request gets exactly one of these, as its last event."""

    request_id: int
    reason: FinishReason
    seed: int
    error: str | None = None  # what went wrong, when the reason is "error"
    counts: Counts = Counts()


Event = Token | PromptLogprobs | Finish


@dataclass
class RequestState:
    """A request that the engine has admitted, and how far it has come."""

    request_id: int
    request: Request
    max_tokens: int
    seed: int
    generator: torch.Generator
    drafter: Drafter | None = None  # None: nothing is guessed ahead
    penalties: Penalties | None = None  # None: the logits are drawn from as they are
    holding: Holding = field(init=False)
    num_scored: int = 0  # prompt tokens whose next token's log-probability has been told
    num_cached_tokens: int | None = None  # None: it has not begun yet
    has_ended: bool = False
    token_ids: list[int] = field(init=False)  # the prompt, then what was drawn

    def __post_init__(self) -> None:
        """Start with the prompt."""
        self.holding = Holding(self.request.adapter)
        self.token_ids = list(self.request.prompt_ids)

    @property
    def num_pending(self) -> int:
        """Tokens that the model has yet to take; one of them when only the last draw is new."""
        return len(self.token_ids) - self.holding.num_stored

    @property
    def draws_from_logits_alone(self) -> bool:
        """Whether a draw needs nothing of the host but a number: no penalty, no log-probability."""
        return self.penalties is None and self.request.num_logprobs is None

    @property
    def num_unscored(self) -> int:
        """Prompt tokens after which log-probabilities are still to be told."""
        if self.request.prompt_logprobs is None:
            return 0
        return len(self.request.prompt_ids) - 1 - self.num_scored

    @property
    def counts(self) -> Counts:
        """What it has cost so far."""
        drafted = (0, 0)
        if self.drafter is not None:
            drafted = (self.drafter.num_drafted, self.drafter.num_accepted)
        return Counts(self.num_cached_tokens or 0, *drafted)

    def accept(self, token_id: int) -> FinishReason | None:
        """Add the token that was drawn; the reason to finish if it was the last one."""
        self.token_ids.append(token_id)
        if self.penalties is not None:
            self.penalties.count(token_id)
        if token_id in self.request.stop_ids:
            return "stop"
        return "length" if self.num_left == 0 else None

    def draft(self, most: int) -> list[int]:
        """Up to `most` tokens that may follow, to be checked in the same step as the last one."""
        most = min(most, self.num_left - 1)  # a token is drawn after the last of them, too
        if self.drafter is None or most <= 0:
            return []
        constraint = self.request.constraint
        must = [] if constraint is None else forced(constraint)
        return self.drafter.draft(self.token_ids, must, most)

    @property
    def num_left(self) -> int:
        """Tokens that may still be drawn."""
        return len(self.request.prompt_ids) + self.max_tokens - len(self.token_ids)


def token_budget(
    request: Request,
    *,
    vocab_size: int,
    max_context: int,
    cache_tokens: int,
    adapters: Collection[str],
) -> int:
    """The most tokens that a model of this size may add to the request's prompt.

    Raises:
        ContextTooLong: when the prompt leaves no room for an answer in `max_context`, or in a cache
            of `cache_tokens`.
        RequestError: naming what else makes the request impossible.
    """
    _check(
        request.adapter is None or request.adapter in adapters,
        f"no adapter is called {request.adapter!r}; the model has {', '.join(adapters) or 'none'}.",
    )
    num_prompt = len(request.prompt_ids)
    _check(num_prompt > 0, "the prompt is empty; it needs at least one token.")
    wrong = next((i for i in request.prompt_ids if not 0 <= i < vocab_size), None)
    _check(wrong is None, f"token id {wrong} is outside the vocabulary of {vocab_size}.")
    biased = next((i for i, _ in request.sampling.logit_bias if not 0 <= i < vocab_size), None)
    _check(
        biased is None,
        f"logit_bias has token id {biased}, which is outside the vocabulary of {vocab_size}.",
    )
    for number in (request.num_logprobs, request.prompt_logprobs):
        _check(
            number is None or 0 <= number <= vocab_size,
            f"{number} log-probabilities asked for; 0 to {vocab_size} are possible.",
        )
    _check(
        request.prompt_logprobs is not None or not request.prompt_moments,
        "prompt_moments go with prompt_logprobs, which are not asked for.",
    )
    if num_prompt >= max_context:
        raise ContextTooLong(
            f"the prompt has {num_prompt} tokens; the context holds {max_context}, the answer "
            "included. Shorten the prompt."
        )
    if num_prompt >= cache_tokens:
        raise ContextTooLong(
            f"the prompt has {num_prompt} tokens; the memory for keys and values holds "
            f"{cache_tokens}, the answer included. Shorten the prompt, or allow more memory."
        )
    room = min(max_context, cache_tokens) - num_prompt
    if request.max_tokens is None:
        return room
    _check(
        request.max_tokens > 0, f"max_tokens is {request.max_tokens}; an answer needs at least 1."
    )
    return min(request.max_tokens, room)
