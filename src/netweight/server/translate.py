"""OpenAI's words and the house's: a request's body -> a Chat, answers' deltas -> their JSON.

OpenAI's system message becomes Harmony's developer message, which is what gpt-oss was trained on;
Harmony's own system message is the house's. Messages themselves are translated by
`netweight.harmony.from_chat`. Knows no HTTP.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import cast

from netweight.engine import Sampling
from netweight.errors import HarmonyError
from netweight.harmony import JsonSchema, ReasoningEffort, ToolNames, Vocabulary, from_chat
from netweight.harmony.calls import FUNCTIONS
from netweight.harmony.enforce import enforceable
from netweight.server import answer, wire
from netweight.server.chat import Chat
from netweight.server.problems import Problem, problem_of_end

_ANY_OBJECT: JsonSchema = {"type": "object"}


def tool_names(body: wire.ChatCompletionRequest) -> ToolNames:
    """Harmony's identifiers for the client's tools and for those that were called earlier."""
    offered = [tool.function.name for tool in body.tools or []]
    called = [call.function.name for call in _calls(body)]
    return ToolNames([*offered, *called])


def chat_of(body: wire.ChatCompletionRequest, names: ToolNames) -> Chat:
    """What the client asks for, its tools under the identifiers that `names` gives them.

    Raises:
        Problem: for fields that contradict each other, a tool message that answers no call, or a
            schema that cannot be enforced.
        HarmonyError: for messages and tools that Harmony cannot express.
    """
    _check_fields(body)
    _check_results(body)
    tool_choice, may_call = _tool_choice(body, names)
    is_forced = tool_choice not in ("auto", "none")
    tools = [] if tool_choice == "none" else body.tools or []
    strict = {tool.function.name for tool in tools if tool.function.strict}
    for index, tool in enumerate(tools):
        if is_forced or tool.function.name in strict:
            schema = tool.function.parameters
            _check_schema(schema, tool.function.name, f"tools[{index}].function.parameters")
    answer_schema = _answer_schema(body.response_format)
    _check_schema(answer_schema, "the answer", "response_format.json_schema.schema")
    return Chat(
        messages=from_chat(
            [message.model_dump(exclude_none=True) for message in body.messages],
            tools=[tool.model_dump(exclude_none=True) for tool in tools],
            response_format=_response_format(body.response_format),
            names=names,
        ),
        effort=ReasoningEffort(body.reasoning_effort or ReasoningEffort.MEDIUM),
        sampling=sampling(body),
        max_tokens=body.max_completion_tokens or body.max_tokens,
        num_logprobs=_num_logprobs(body),
        tool_choice=tool_choice,
        may_call=may_call,
        parallel_calls=body.parallel_tool_calls is not False,
        strict_tools=frozenset(_full_name(name, names) for name in strict),
        answer_schema=answer_schema,
    )


def stops(body: wire.DrawingFields) -> tuple[str, ...]:
    """The strings at which an answer ends, of a chat its final part."""
    return (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())


def check_bias(body: wire.ChatCompletionRequest, vocabulary: Vocabulary) -> None:
    """Refuse a bias for a token that there is not."""
    wrong = next((key for key in body.logit_bias or {} if not vocabulary.has(int(key))), None)
    if wrong is not None:
        raise Problem(
            f"logit_bias has token id {wrong}; the vocabulary's are below {vocabulary.size}.",
            param="logit_bias",
            code="invalid_value",
        )


def _calls(body: wire.ChatCompletionRequest) -> Iterator[wire.ToolCall]:
    """The tool calls of earlier messages."""
    for message in body.messages:
        if isinstance(message, wire.AssistantMessage):
            yield from message.tool_calls or []


def _check_fields(body: wire.ChatCompletionRequest) -> None:
    """Refuse fields that mean nothing without another, or beside it."""
    if body.stream_options is not None and not body.stream:
        raise Problem("stream_options needs stream to be true.", param="stream_options")
    if body.top_logprobs is not None and not body.logprobs:
        raise Problem("top_logprobs needs logprobs to be true.", param="top_logprobs")
    if len({body.max_tokens, body.max_completion_tokens} - {None}) > 1:
        raise Problem(
            "max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens"
        )
    if _tells_tokens(body) and (body.n or 1) > 1:
        raise Problem(
            "netweight.tokens needs n to be 1: the tokens of several answers would be mixed up.",
            param="netweight.tokens",
        )


def _tells_tokens(body: wire.ChatCompletionRequest) -> bool:
    return body.netweight is not None and body.netweight.tokens


def _check_results(body: wire.ChatCompletionRequest) -> None:
    """Refuse a tool message that answers no call before it."""
    called: set[str] = set()
    for index, message in enumerate(body.messages):
        if isinstance(message, wire.AssistantMessage):
            called.update(call.id for call in message.tool_calls or [])
        elif isinstance(message, wire.ToolMessage) and message.tool_call_id not in called:
            param = f"messages[{index}].tool_call_id"
            raise Problem(
                f"{param} answers no tool call of an earlier message.",
                param=param,
                code="invalid_value",
            )


def _full_name(name: str, names: ToolNames) -> str:
    return FUNCTIONS + names.declare(name)


def _tool_choice(
    body: wire.ChatCompletionRequest, names: ToolNames
) -> tuple[str, frozenset[str] | None]:
    """The choice, and the tools that it may be made from, if not from all."""
    choice = body.tool_choice
    if choice is None:
        return "auto", None
    if isinstance(choice, str):
        if choice == "required" and not body.tools:
            raise Problem(
                "tool_choice is 'required', but there are no tools to call. Send tools.",
                param="tool_choice",
                code="invalid_value",
            )
        return choice, None
    if choice.function is not None:
        _check_offered(body, [choice.function.name])
        return _full_name(choice.function.name, names), None
    assert choice.allowed_tools is not None, "one of the two is set"
    allowed = [tool.function.name for tool in choice.allowed_tools.tools]
    _check_offered(body, allowed)
    return choice.allowed_tools.mode, frozenset(_full_name(name, names) for name in allowed)


def _check_offered(body: wire.ChatCompletionRequest, chosen: Sequence[str]) -> None:
    offered = {tool.function.name for tool in body.tools or []}
    missing = next((name for name in chosen if name not in offered), None)
    if missing is not None:
        raise Problem(
            f"tool_choice names {missing!r}, which is not among the tools.",
            param="tool_choice",
            code="invalid_value",
        )


def _response_format(response_format: wire.ResponseFormat | None) -> dict[str, object] | None:
    if response_format is None:
        return None
    return response_format.model_dump(exclude_none=True, by_alias=True)


def _answer_schema(response_format: wire.ResponseFormat | None) -> JsonSchema | None:
    if response_format is None or response_format.type == "text":
        return None
    given = response_format.json_schema
    return _ANY_OBJECT if given is None or given.schema_ is None else given.schema_


def _check_schema(schema: JsonSchema | None, name: str, param: str) -> None:
    """Refuse a schema with a keyword that no constraint knows, naming the field that has it."""
    if schema is None:
        return
    try:
        enforceable(schema, name, is_object=name != "the answer")
    except HarmonyError as error:
        raise Problem(f"{param}: {error}.", param=param, code="invalid_value") from error


def sampling(body: wire.DrawingFields) -> Sampling:
    """How tokens are drawn."""
    # OpenAI's defaults, which are also gpt-oss's recommended settings.
    return Sampling(
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        top_k=max(0, body.top_k or 0),
        min_p=body.min_p or 0.0,
        seed=body.seed,
        presence_penalty=body.presence_penalty or 0.0,
        frequency_penalty=body.frequency_penalty or 0.0,
        logit_bias=tuple((int(key), bias) for key, bias in (body.logit_bias or {}).items()),
    )


def _num_logprobs(body: wire.ChatCompletionRequest) -> int | None:
    """How many of the likeliest tokens the engine tells, for whoever wants most."""
    wanted = [body.top_logprobs or 0] if body.logprobs else []
    if body.netweight is not None and body.netweight.tokens:
        wanted.append(body.netweight.top)
    return max(wanted, default=None)


# Answers


class Words:
    """Token ids as clients read them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def bytes(self, token_id: int) -> bytes:
        # A model may have more ids than its vocabulary; they stand for nothing.
        has = self._vocabulary.has(token_id)
        return self._vocabulary.token_bytes(token_id) if has else b""

    def text(self, token_id: int) -> str:
        return self.bytes(token_id).decode(errors="replace")

    def scored(self, score: answer.TokenScore, num_top: int) -> wire.TokenLogprob:
        """A token of the content with its log-probabilities."""
        drawn, top = score.logprobs
        return wire.TokenLogprob(
            token=self.text(score.token_id),
            logprob=drawn,
            bytes=list(self.bytes(score.token_id)),
            top_logprobs=[
                wire.TopLogprob(
                    token=self.text(token_id), logprob=logprob, bytes=list(self.bytes(token_id))
                )
                for token_id, logprob in top[:num_top]
            ],
        )

    def read(self, token: answer.HarmonyToken) -> wire.HarmonyToken:
        """A token of the prompt."""
        token_id, kind = token
        return wire.HarmonyToken(id=token_id, text=self.text(token_id), kind=kind)

    def written(self, delta: answer.TokenWritten, num_top: int) -> wire.WrittenToken:
        """A token that the model wrote."""
        (token_id, kind), logprobs = delta
        assert logprobs is not None, "tokens are told with their log-probabilities"
        return wire.WrittenToken(
            id=token_id,
            text=self.text(token_id),
            kind=kind,
            logprob=logprobs.drawn,
            top=[
                wire.LikelyToken(id=likely, text=self.text(likely), logprob=logprob)
                for likely, logprob in logprobs.top[:num_top]
            ],
        )


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
                return wire.ChunkChoice(index=self.index, delta=wire.Delta(), finish_reason=reason)
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
        return wire.Choice(
            index=self.index,
            message=message,
            logprobs=logprobs,
            finish_reason=_finish_reason(self.done),
        )

    def _call(self, delta: wire.ToolCallDelta) -> wire.ChunkChoice:
        return self._more(wire.Delta(tool_calls=[delta]))

    def _more(
        self, delta: wire.Delta, logprobs: wire.ChoiceLogprobs | None = None
    ) -> wire.ChunkChoice:
        return wire.ChunkChoice(index=self.index, delta=delta, logprobs=logprobs)

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
        completion_id: str,
        created: int,
    ) -> None:
        """Nothing has been answered yet."""
        self._id, self._created, self._model = completion_id, created, body.model
        self._words = words = Words(vocabulary)
        num_top = (body.top_logprobs or 0) if body.logprobs else None
        self._answers = [_Answer(index, words, names, num_top) for index in range(body.n or 1)]
        options = body.stream_options or wire.StreamOptions()
        self.includes_usage = bool(options.include_usage)
        self.tells_tokens = _tells_tokens(body)
        self._num_top_tokens = 0 if body.netweight is None else body.netweight.top
        self._prompt: list[wire.HarmonyToken] = []
        self._tokens: list[wire.WrittenToken] = []
        self._num_told = 0  # of these, in chunks so far
        self._tells_more = self.tells_tokens or num_top is not None  # than texts
        self._frames: dict[tuple[int, type[_TextDelta]], list[str]] = {}

    def read_prompt(self, tokens: Iterable[answer.HarmonyToken]) -> None:
        """Note the prompt's tokens, of which the client is told first."""
        self._prompt = [self._words.read(token) for token in tokens]

    def openings(self) -> Iterator[wire.ChatCompletionChunk]:
        """The first chunk of each answer."""
        for one in self._answers:
            chunk = self._chunk([one.opening()])
            if self.tells_tokens:
                chunk.netweight = wire.NetweightTokens(prompt=self._prompt)
            yield chunk

    def add(self, index: int, delta: answer.Delta) -> wire.ChatCompletionChunk | None:
        """Take in one more delta of an answer; the chunk that tells of it, if one is due.

        Raises:
            Problem: when the answer ended in an error.
        """
        if isinstance(delta, answer.TokenWritten):
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
        choice = wire.ChunkChoice(index=index, delta=_text_delta(kind(mark)))
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
