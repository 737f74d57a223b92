"""OpenAI's words and the engine's for prompts that are continued as they stand.

A request's body -> engine requests; the pieces of their continuations -> JSON. Knows no HTTP.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from json.encoder import encode_basestring_ascii
from typing import NotRequired, TypedDict

from netweight import engine
from netweight.engine import Event
from netweight.errors import ContextTooLong
from netweight.harmony import Vocabulary
from netweight.server import completions_wire as wire
from netweight.server import translate
from netweight.server.chat import ChatModel
from netweight.server.continuation import Continuation, Piece, PromptEcho, Score, Wanted
from netweight.server.problems import Problem
from netweight.server.wire import (
    MAX_CHOICES,
    CompletionTokensDetails,
    PromptTokensDetails,
    Usage,
)

_MAX_TOKENS = 16  # OpenAI's default


class Completion:
    """A request for completions: what is asked of the engine, and the answers as they grow."""

    def __init__(
        self,
        body: wire.CompletionRequest,
        model: ChatModel,
        *,
        completion_id: str,
        created: int,
    ) -> None:
        """Read the body.

        Raises:
            Problem: for fields that contradict each other, and a prompt that is too long.
            RequestError: for what else cannot run.
        """
        prompts = _prompts(body, model.vocabulary)
        _check_fields(body, len(prompts))
        self._id, self._created, self._model = completion_id, created, model.name
        self._tells_ids = bool(body.return_token_ids)
        self._is_scored = body.logprobs is not None
        self._tells_moments = bool(body.logprob_moments)
        self._includes_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._prompts: list[PromptEcho] = []  # of each choice
        self._choices: list[Continuation] = []
        self._firsts: list[Continuation] = []  # of each prompt
        self.requests: list[engine.Request] = []
        wanted = Wanted(
            prompt=bool(body.echo),
            answer=body.max_tokens != 0,
            scores=self._is_scored,
            special_text=body.skip_special_tokens is False,
            names_as_ids=bool(body.return_tokens_as_token_ids),
        )
        for prompt_ids in prompts:
            requests = _requests(body, prompt_ids, model)
            prompt = PromptEcho(prompt_ids, model.vocabulary, wanted)
            choices = [
                Continuation(prompt, model.vocabulary, wanted, translate.stops(body))
                for _ in requests
            ]
            self._firsts.append(choices[0])
            self._choices += choices
            self._prompts += [prompt] * len(choices)
            self.requests += requests
        self._num_prompt = sum(len(prompt_ids) for prompt_ids in prompts)
        self._seed = self.requests[0].sampling.seed
        self._has_told_prompt = [False] * len(self._choices)
        # All chunks begin alike; writing that anew costs as much as all the rest of a chunk.
        head = {"id": completion_id, "object": "text_completion", "created": created}
        self._chunk_head = json.dumps({**head, "model": model.name})[:-1] + ', "choices": ['
        usage = ', "usage": null' if self._includes_usage else ""
        self._chunk_tail = f', "seed": {self._seed}{usage}}}'

    def is_stopped(self, index: int) -> bool:
        """Whether a stop string has ended this choice."""
        return self._choices[index].is_stopped

    def read(self, index: int, event: Event) -> Iterator[Piece]:
        """What an event adds to its choice.

        Raises:
            Problem: when the request has failed.
        """
        return self._choices[index].read(event)

    def chunk(self, index: int, piece: Piece) -> str | None:
        """A piece as JSON for a streaming client; None if there is nothing to tell."""
        if not (
            piece.text or piece.reason or (self._tells_ids and piece.token_ids) or piece.scores
        ):
            return None
        reason = "null" if piece.reason is None else f'"{piece.reason}"'
        logprobs = json.dumps(self._columns(piece.scores)) if piece.scores else "null"
        ids = json.dumps(self._ids(index, piece))[1:-1] if self._tells_ids else ""
        return (
            f'{self._chunk_head}{{"index": {index}, '
            f'"text": {encode_basestring_ascii(piece.text)}, "logprobs": {logprobs}, '
            f'"finish_reason": {reason}{", " if ids else ""}{ids}}}]{self._chunk_tail}'
        )

    def usage_chunk(self) -> str | None:
        """The chunk without choices that some clients ask for at the end."""
        if not self._includes_usage:
            return None
        return self._wrap([], self._usage()).model_dump_json()

    def whole(self, pieces: Sequence[Sequence[Piece]]) -> str:
        """All pieces of all choices, as JSON."""
        choices = [self._choice(index, some) for index, some in enumerate(pieces)]
        unasked: dict[str, bool | set[str]] = {}
        if not self._tells_ids:
            unasked |= {"prompt_token_ids": True, "token_ids": True}
        if not self._tells_moments:
            unasked["logprobs"] = {"mean_logprobs", "std_logprobs"}
        completion = self._wrap(choices, self._usage())
        return completion.model_dump_json(exclude={"choices": {"__all__": unasked}})

    def _ids(self, index: int, piece: Piece) -> dict[str, object]:
        """The fields with token ids, the prompt's with the first piece of a choice."""
        ids: dict[str, object] = {"token_ids": piece.token_ids}
        if not self._has_told_prompt[index]:
            self._has_told_prompt[index] = True
            ids["prompt_token_ids"] = list(self._prompts[index].ids)
        return ids

    def _choice(self, index: int, pieces: Sequence[Piece]) -> wire.CompletionChoice:
        scores = [score for piece in pieces for score in piece.scores]
        return wire.CompletionChoice(
            index=index,
            text="".join(piece.text for piece in pieces),
            logprobs=wire.CompletionLogprobs(**self._columns(scores)) if self._is_scored else None,
            finish_reason=pieces[-1].reason,
            prompt_token_ids=list(self._prompts[index].ids),
            token_ids=[token_id for piece in pieces for token_id in piece.token_ids],
        )

    def _columns(self, scores: Sequence[Score]) -> "_Columns":
        columns = _logprobs(scores)
        if self._tells_moments:
            columns["mean_logprobs"] = [score.mean for score in scores]
            columns["std_logprobs"] = [score.std for score in scores]
        return columns

    def _usage(self) -> Usage:
        num_drawn = sum(choice.num_tokens for choice in self._choices)
        num_cached = sum(first.counts.num_cached_tokens for first in self._firsts)
        return Usage(
            prompt_tokens=self._num_prompt,
            completion_tokens=num_drawn,
            total_tokens=self._num_prompt + num_drawn,
            prompt_tokens_details=PromptTokensDetails(cached_tokens=num_cached),
            completion_tokens_details=CompletionTokensDetails(reasoning_tokens=0),
        )

    def _wrap(self, choices: list[wire.CompletionChoice], usage: Usage) -> wire.Completion:
        assert self._seed is not None, "each request has a seed"
        return wire.Completion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=usage,
            seed=self._seed,
        )


def _prompts(body: wire.CompletionRequest, vocabulary: Vocabulary) -> list[list[int]]:
    """The prompts' token ids. Text becomes ordinary tokens, whatever it spells."""
    if isinstance(body.prompt, str):
        return [vocabulary.encode(body.prompt)]
    ids: list[int] = []
    prompts: list[list[int]] = []
    for one in body.prompt:
        if isinstance(one, int):
            ids.append(one)
        else:
            prompts.append(vocabulary.encode(one) if isinstance(one, str) else one)
    return prompts or [ids]


def _check_fields(body: wire.CompletionRequest, num_prompts: int) -> None:
    """Refuse fields that mean nothing without another, and too many choices."""
    if body.stream_options is not None and not body.stream:
        raise Problem("stream_options needs stream to be true.", param="stream_options")
    if body.max_tokens == 0 and not body.echo:
        raise Problem(
            "max_tokens is 0 and echo is not set, so there is nothing to answer; set one of them.",
            param="max_tokens",
            code="invalid_value",
        )
    if body.logprob_moments and (not body.echo or body.logprobs is None):
        raise Problem(
            "logprob_moments needs echo to be true and logprobs to be a number.",
            param="logprob_moments",
        )
    num_choices = num_prompts * (body.n or 1)
    if num_choices > MAX_CHOICES:
        raise Problem(
            f"{num_prompts} prompts with {body.n} choices each make {num_choices} choices; the "
            f"limit is {MAX_CHOICES}. Send several requests.",
            param="n",
            code="invalid_value",
        )


def _requests(
    body: wire.CompletionRequest, prompt_ids: list[int], model: ChatModel
) -> list[engine.Request]:
    """The engine's requests for one prompt; the first scores it for all."""
    sampling = translate.sampling(body)
    if sampling.seed is None:
        sampling = replace(sampling, seed=engine.fresh_seed())
    max_tokens = _MAX_TOKENS if body.max_tokens is None else body.max_tokens
    first = engine.Request(
        prompt_ids,
        sampling,
        model.vocabulary.stop_ids,
        # The step that reads a prompt's end draws a token in any case; it need not be told.
        max_tokens=max(1, max_tokens),
        num_logprobs=body.logprobs if max_tokens > 0 else None,
        prompt_logprobs=body.logprobs if body.echo else None,
        prompt_moments=bool(body.logprob_moments),
        adapter=model.adapter,
    )
    try:
        model.engine.check(first)
    except ContextTooLong as error:
        raise Problem(str(error), param="prompt", code="context_length_exceeded") from error
    others = [
        replace(
            first,
            sampling=sampling.numbered(index),
            prompt_logprobs=None,
            prompt_moments=False,
        )
        for index in range(1, body.n or 1)
    ]
    return [first, *others]


class _Columns(TypedDict):
    """CompletionLogprobs' fields."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]
    mean_logprobs: NotRequired[list[float | None]]
    std_logprobs: NotRequired[list[float | None]]


def _logprobs(scores: Sequence[Score]) -> _Columns:
    return {
        "tokens": [score.name for score in scores],
        "token_logprobs": [score.logprob for score in scores],
        "top_logprobs": [score.top for score in scores],
        "text_offset": [score.offset for score in scores],
    }
