"""The answers to a chat completion: deltas -> chunks of a stream, or one whole as JSON.

Knows no HTTP, and no prompt but its tokens.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import cast

from netweight.harmony import ToolNames, Vocabulary
from netweight.server import answer, wire
from netweight.server.problems import problem_of_end
from netweight.server.words import Words

_TextDelta = answer.ReasoningDelta | answer.ContentDelta
_TEXTS = {answer.ReasoningDelta, answer.ContentDelta}


def _text_delta(delta: _TextDelta) -> wire.Delta:
    if isinstance(delta, answer.ReasoningDelta):
        return wire.Delta(reasoning=delta.text, reasoning_content=delta.text)
    return wire.Delta(content=delta.text)


@dataclass
class _Answer:
    """One answer as it grows: each delta becomes a part of a chunk, all of them a whole choice."""

    index: int
    words: Words
    names: ToolNames
    num_top: int | None  # None: no log-probabilities are wanted
    tells_ids: bool = False
    token_ids: list[int] = field(default_factory=list)
    num_told_ids: int = 0  # of these, in chunks so far
    content: str = ""
    reasoning: str = ""
    calls: list[wire.OutToolCall] = field(default_factory=list)
    scores: list[wire.TokenLogprob] = field(default_factory=list)
    done: answer.Done | None = None

    def opening(self) -> wire.ChunkChoice:
        """The first part, which says who speaks."""
        return self._more(wire.Delta(role="assistant", content=""))

    def add(self, delta: answer.Delta) -> wire.ChunkChoice:
        """Take in one more delta; the part that tells a streaming client of it.

        Raises:
            Problem: when the answer ended in an error.
        """
        match delta:
            case answer.ReasoningDelta():
                self.add_text(delta)
                return self._more(_text_delta(delta))
            case answer.ContentDelta():
                self.add_text(delta)
                return self._more(_text_delta(delta), self._logprobs(delta.scores))
            case answer.CallStarted(number, call_id, identifier):
                name = self.names.original(identifier)
                function = wire.OutFunction(name=name, arguments="")
                self.calls.append(wire.OutToolCall(id=call_id, function=function))
                opening = wire.FunctionDelta(name=name, arguments="")
                return self._call(
                    wire.ToolCallDelta(index=number, id=call_id, type="function", function=opening)
                )
            case answer.CallDelta(number, arguments):
                self.calls[number].function.arguments += arguments
                more = wire.FunctionDelta(arguments=arguments)
                return self._call(wire.ToolCallDelta(index=number, function=more))
            case answer.Done():
                self.done = delta
                reason = _finish_reason(delta)
                return self._more(wire.Delta(), finish_reason=reason)
            case _:
                raise AssertionError(f"a chat completion is told of no {type(delta).__name__}")

    def add_text(self, delta: _TextDelta) -> None:
        """Take in one more piece of text."""
        if isinstance(delta, answer.ReasoningDelta):
            self.reasoning += delta.text
        else:
            self.content += delta.text

    def whole(self) -> wire.Choice:
        """Everything taken in."""
        assert self.done is not None, "the answer has not ended"
        message = wire.OutMessage(
            content=None if self.calls and not self.content else self.content,
            reasoning=self.reasoning or None,
            reasoning_content=self.reasoning or None,
            tool_calls=self.calls or None,
        )
        logprobs = None if self.num_top is None else wire.ChoiceLogprobs(content=self.scores)
        choice = wire.Choice(
            index=self.index,
            message=message,
            logprobs=logprobs,
            finish_reason=_finish_reason(self.done),
        )
        if self.tells_ids:
            choice.token_ids = self.token_ids
        return choice

    def _call(self, delta: wire.ToolCallDelta) -> wire.ChunkChoice:
        return self._more(wire.Delta(tool_calls=[delta]))

    def _more(
        self,
        delta: wire.Delta,
        logprobs: wire.ChoiceLogprobs | None = None,
        finish_reason: wire.FinishReason | None = None,
    ) -> wire.ChunkChoice:
        more = wire.ChunkChoice(
            index=self.index, delta=delta, logprobs=logprobs, finish_reason=finish_reason
        )
        if self.tells_ids:
            more.token_ids = self.token_ids[self.num_told_ids :]
            self.num_told_ids = len(self.token_ids)
        return more

    def _logprobs(self, scores: Iterable[answer.TokenScore]) -> wire.ChoiceLogprobs | None:
        if self.num_top is None:
            return None
        new = [self.words.scored(score, self.num_top) for score in scores]
        self.scores += new
        return wire.ChoiceLogprobs(content=new) if new else None


class Completion:
    """The answers to one request, side by side: chunks of a stream, or one whole."""

    def __init__(
        self,
        body: wire.ChatCompletionRequest,
        names: ToolNames,
        vocabulary: Vocabulary,
        *,
        prompt_ids: Sequence[int],
        completion_id: str,
        created: int,
    ) -> None:
        """Nothing has been answered yet."""
        self._id, self._created, self._model = completion_id, created, body.model
        self._words = words = Words(vocabulary)
        num_top = (body.top_logprobs or 0) if body.logprobs else None
        self._prompt_ids = list(prompt_ids) if body.return_token_ids else None
        self.tells_ids = self._prompt_ids is not None
        self._answers = [
            _Answer(index, words, names, num_top, self.tells_ids) for index in range(body.n or 1)
        ]
        options = body.stream_options or wire.StreamOptions()
        self.includes_usage = bool(options.include_usage)
        self.tells_tokens = body.tells_tokens
        self._num_top_tokens = 0 if body.netweight is None else body.netweight.top
        self._prompt: list[wire.HarmonyToken] = []
        self._tokens: list[wire.WrittenToken] = []
        self._num_told = 0  # of these, in chunks so far
        # Than texts.
        self._tells_more = self.tells_tokens or self.tells_ids or num_top is not None
        self._frames: dict[tuple[int, type[_TextDelta]], list[str]] = {}

    def read_prompt(self, tokens: Iterable[answer.HarmonyToken]) -> None:
        """Note the prompt's tokens, of which the client is told first."""
        self._prompt = [self._words.read(token) for token in tokens]

    def openings(self) -> Iterator[wire.ChatCompletionChunk]:
        """The first chunk of each answer."""
        for one in self._answers:
            chunk = self._chunk([one.opening()])
            if self._prompt_ids is not None:
                chunk.prompt_token_ids = self._prompt_ids
            if self.tells_tokens:
                chunk.netweight = wire.NetweightTokens(prompt=self._prompt)
            yield chunk

    def add(self, index: int, delta: answer.Delta) -> wire.ChatCompletionChunk | None:
        """Take in one more delta of an answer; the chunk that tells of it, if one is due.

        Raises:
            Problem: when the answer ended in an error.
        """
        if isinstance(delta, answer.TokenWritten):
            self._answers[index].token_ids.append(delta.token.token_id)
            if self.tells_tokens:
                self._tokens.append(self._words.written(delta, self._num_top_tokens))
            return None
        return self._told(index, delta)

    def chunk(self, index: int, delta: answer.Delta) -> str | None:
        """As `add`, for an answer that is not asked for as a whole; the chunk as JSON."""
        if type(delta) in _TEXTS and not self._tells_more:
            return self._text_chunk(index, cast("_TextDelta", delta))
        chunk = self.add(index, delta)
        return None if chunk is None else chunk.model_dump_json()

    def _text_chunk(self, index: int, delta: _TextDelta) -> str:
        """The chunk of a delta that is nothing but text, as nearly each token's is.

        To write the text between what such chunks have in common takes a tenth of the time. Of a
        stream's texts nobody wants the whole.
        """
        frame = self._frames.get((index, type(delta)))
        if frame is None:
            frame = self._frames[index, type(delta)] = self._frame(index, type(delta))
        return encode_basestring(delta.text).join(frame)

    def _frame(self, index: int, kind: type[_TextDelta]) -> list[str]:
        """What is around the text of such chunks."""
        mark = secrets.token_hex()
        choice = wire.ChunkChoice(
            index=index, delta=_text_delta(kind(mark)), logprobs=None, finish_reason=None
        )
        return self._chunk([choice]).model_dump_json().split(f'"{mark}"')

    def _told(self, index: int, delta: answer.Delta) -> wire.ChatCompletionChunk:
        chunk = self._chunk([self._answers[index].add(delta)])
        if isinstance(delta, answer.Done):
            chunk.seed = delta.seed
        if self.tells_tokens:
            chunk.netweight = wire.NetweightTokens(tokens=self._tokens[self._num_told :])
            self._num_told = len(self._tokens)
        return chunk

    def usage_chunk(self) -> wire.ChatCompletionChunk:
        """The chunk without choices that some clients ask for at the end."""
        chunk = self._chunk([])
        chunk.usage = self._usage()
        return chunk

    @property
    def num_reasoning(self) -> int:
        """Tokens of reasoning in all answers that have ended."""
        return sum(done.usage.num_reasoning for done in self._dones)

    def whole(self) -> wire.ChatCompletion:
        """Everything taken in, as one completion."""
        completion = wire.ChatCompletion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=[one.whole() for one in self._answers],
            usage=self._usage(),
            seed=self._dones[0].seed,
        )
        if self._prompt_ids is not None:
            completion.prompt_token_ids = self._prompt_ids
        if self.tells_tokens:
            completion.netweight = wire.NetweightTokens(prompt=self._prompt, tokens=self._tokens)
        return completion

    @property
    def _dones(self) -> list[answer.Done]:
        return [one.done for one in self._answers if one.done is not None]

    def _usage(self) -> wire.Usage:
        usages = [done.usage for done in self._dones]
        num_prompt = usages[0].num_prompt
        num_completion = sum(usage.num_completion for usage in usages)
        return wire.Usage(
            prompt_tokens=num_prompt,
            completion_tokens=num_completion,
            total_tokens=num_prompt + num_completion,
            prompt_tokens_details=wire.PromptTokensDetails(cached_tokens=usages[0].num_cached),
            completion_tokens_details=wire.CompletionTokensDetails(
                reasoning_tokens=self.num_reasoning
            ),
        )

    def _chunk(self, choices: list[wire.ChunkChoice]) -> wire.ChatCompletionChunk:
        chunk = wire.ChatCompletionChunk(
            id=self._id, created=self._created, model=self._model, choices=choices
        )
        if self.includes_usage:
            chunk.usage = None  # sent as null, as OpenAI does
        return chunk


def _finish_reason(done: answer.Done) -> wire.FinishReason:
    match done.reason:
        case "stop" | "length" | "tool_calls":
            return done.reason
        case "cancelled" | "error":
            raise problem_of_end(done.error)
