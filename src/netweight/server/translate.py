"""OpenAI's words and the house's: a request's body -> a Chat, an answer's deltas -> its JSON.

OpenAI's system message becomes Harmony's developer message, which is what gpt-oss was trained on;
Harmony's own system message is the house's. Knows no HTTP.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from netweight.engine import Sampling
from netweight.harmony import (
    Channel,
    DeveloperContent,
    Message,
    ReasoningEffort,
    Role,
    Tool,
    ToolNames,
    ToolNamespace,
    Vocabulary,
)
from netweight.server import chat, wire
from netweight.server.problems import Problem

_NAMESPACE = "functions."


def tool_names(body: wire.ChatCompletionRequest) -> ToolNames:
    """Harmony's identifiers for the client's tools and for those that were called earlier."""
    offered = [tool.function.name for tool in body.tools or []]
    called = [
        call.function.name
        for message in body.messages
        if isinstance(message, wire.AssistantMessage)
        for call in message.tool_calls or []
    ]
    return ToolNames([*offered, *called])


def chat_of(body: wire.ChatCompletionRequest, names: ToolNames) -> chat.Chat:
    """What the client asks for, its tools under the identifiers that `names` gives them.

    Raises:
        Problem: for fields that contradict each other, or a tool message that answers no call.
        RequestError: for a sampling setting out of range.
    """
    return chat.Chat(
        messages=list(_messages(body, names)),
        effort=ReasoningEffort(body.reasoning_effort or ReasoningEffort.MEDIUM),
        sampling=_sampling(body),
        max_tokens=_max_tokens(body),
        num_logprobs=_num_logprobs(body),
    )


def _sampling(body: wire.ChatCompletionRequest) -> Sampling:
    # OpenAI's defaults, which are also gpt-oss's recommended settings.
    return Sampling(
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        top_k=max(0, body.top_k or 0),
        min_p=body.min_p or 0.0,
        seed=body.seed,
    )


def _max_tokens(body: wire.ChatCompletionRequest) -> int | None:
    limits = {body.max_tokens, body.max_completion_tokens} - {None}
    if len(limits) > 1:
        raise Problem(
            "max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens"
        )
    return limits.pop() if limits else None


def _num_logprobs(body: wire.ChatCompletionRequest) -> int | None:
    if body.top_logprobs is not None and not body.logprobs:
        raise Problem("top_logprobs needs logprobs to be true.", param="top_logprobs")
    return (body.top_logprobs or 0) if body.logprobs else None


def _messages(body: wire.ChatCompletionRequest, names: ToolNames) -> Iterator[Message]:
    """Harmony's messages: the leading instructions and the tools together, then the rest."""
    leading = list(takewhile(_is_instruction, body.messages))
    offered = [] if body.tool_choice == "none" else body.tools or []
    tools = [_tool(tool, names) for tool in offered]
    if leading or tools:
        instructions = "\n\n".join(_text(message.content or "") for message in leading)
        yield Message.developer(
            DeveloperContent(
                instructions=instructions if leading else None,
                tools=(ToolNamespace.functions(tools),) if tools else (),
            )
        )
    called: dict[str, str] = {}  # call id -> recipient
    for index, message in enumerate(body.messages[len(leading) :], start=len(leading)):
        match message:
            case wire.InstructionMessage():
                yield Message.developer(DeveloperContent(instructions=_text(message.content)))
            case wire.UserMessage():
                yield Message(Role.USER, _parts(message.content), name=message.name)
            case wire.AssistantMessage():
                yield from _assistant(message, names)
                for call in message.tool_calls or []:
                    called[call.id] = _recipient(call, names)
            case wire.ToolMessage():
                yield _tool_result(message, called, index)


def _is_instruction(message: wire.InMessage) -> bool:
    return isinstance(message, wire.InstructionMessage)


def _parts(content: wire.Content) -> tuple[str, ...]:
    return (content,) if isinstance(content, str) else tuple(part.text for part in content)


def _text(content: wire.Content) -> str:
    return "".join(_parts(content))


def _tool(tool: wire.FunctionTool, names: ToolNames) -> Tool:
    function = tool.function
    return Tool(names.declare(function.name), function.description or "", function.parameters)


def _recipient(call: wire.ToolCall, names: ToolNames) -> str:
    return _NAMESPACE + names.declare(call.function.name)


def _assistant(message: wire.AssistantMessage, names: ToolNames) -> Iterator[Message]:
    """What the model said: reasoning, then the answer, or a preamble and tool calls."""
    reasoning = message.reasoning or message.reasoning_content
    if reasoning:
        yield Message.assistant(reasoning, channel=Channel.ANALYSIS)
    calls = message.tool_calls or []
    if message.content or not calls:
        channel = Channel.COMMENTARY if calls else Channel.FINAL
        yield Message(Role.ASSISTANT, _parts(message.content or ""), channel=channel)
    for call in calls:
        yield Message.assistant(
            call.function.arguments,
            channel=Channel.COMMENTARY,
            recipient=_recipient(call, names),
            content_type="<|constrain|>json",
        )


def _tool_result(message: wire.ToolMessage, called: Mapping[str, str], index: int) -> Message:
    if message.tool_call_id not in called:
        raise Problem(
            f"messages[{index}].tool_call_id answers no tool call of an earlier message.",
            param=f"messages[{index}].tool_call_id",
            code="invalid_value",
        )
    return Message.tool(called[message.tool_call_id], _text(message.content))


# Answers


@dataclass
class Answer:
    """An answer as it grows: each delta becomes a chunk, and all of them together a whole."""

    vocabulary: Vocabulary
    completion_id: str
    created: int
    model: str
    names: ToolNames
    content: str = ""
    reasoning: str = ""
    calls: list[wire.OutToolCall] = field(default_factory=list)
    scores: list[wire.TokenLogprob] | None = None  # a list when the client wants them

    def opening(self) -> wire.ChatCompletionChunk:
        """The first chunk, which says who speaks."""
        return self._chunk(wire.Delta(role="assistant", content=""))

    def add(self, delta: chat.Delta) -> wire.ChatCompletionChunk:
        """Take in one more delta; the chunk that tells a streaming client of it.

        Raises:
            Problem: when the answer ended in an error.
        """
        match delta:
            case chat.ReasoningDelta(text):
                self.reasoning += text
                return self._chunk(wire.Delta(reasoning=text, reasoning_content=text))
            case chat.ContentDelta(text, scores):
                self.content += text
                return self._chunk(wire.Delta(content=text), self._logprobs(scores))
            case chat.CallStarted(number, call_id, identifier):
                name = self.names.original(identifier)
                function = wire.CalledFunction(name=name, arguments="")
                self.calls.append(wire.OutToolCall(id=call_id, function=function))
                opening = wire.FunctionDelta(name=name, arguments="")
                return self._call(
                    wire.ToolCallDelta(index=number, id=call_id, type="function", function=opening)
                )
            case chat.CallDelta(number, arguments):
                self.calls[number].function.arguments += arguments
                more = wire.FunctionDelta(arguments=arguments)
                return self._call(wire.ToolCallDelta(index=number, function=more))
            case chat.CallAnswered():
                raise AssertionError("clients run their own tools; none is offered here")
            case chat.MessageStarted() | chat.MessageEnded():
                raise AssertionError("a chat completion does not tell messages apart")
            case chat.Done():
                choice = wire.ChunkChoice(delta=wire.Delta(), finish_reason=_finish_reason(delta))
                return self._wrap([choice], seed=delta.seed)

    def usage_chunk(self, done: chat.Done) -> wire.ChatCompletionChunk:
        """The chunk without choices that some clients ask for at the end."""
        return self._wrap([], usage=_usage(done.usage))

    def whole(self, done: chat.Done) -> wire.ChatCompletion:
        """Everything taken in, as one completion."""
        message = wire.OutMessage(
            content=None if self.calls and not self.content else self.content,
            reasoning=self.reasoning or None,
            reasoning_content=self.reasoning or None,
            tool_calls=self.calls or None,
        )
        logprobs = None if self.scores is None else wire.ChoiceLogprobs(content=self.scores)
        choice = wire.Choice(message=message, logprobs=logprobs, finish_reason=_finish_reason(done))
        return wire.ChatCompletion(
            id=self.completion_id,
            created=self.created,
            model=self.model,
            choices=[choice],
            usage=_usage(done.usage),
            seed=done.seed,
        )

    def _call(self, delta: wire.ToolCallDelta) -> wire.ChatCompletionChunk:
        return self._chunk(wire.Delta(tool_calls=[delta]))

    def _chunk(
        self, delta: wire.Delta, logprobs: wire.ChoiceLogprobs | None = None
    ) -> wire.ChatCompletionChunk:
        return self._wrap([wire.ChunkChoice(delta=delta, logprobs=logprobs)])

    def _wrap(
        self,
        choices: list[wire.ChunkChoice],
        *,
        usage: wire.Usage | None = None,
        seed: int | None = None,
    ) -> wire.ChatCompletionChunk:
        return wire.ChatCompletionChunk(
            id=self.completion_id,
            created=self.created,
            model=self.model,
            choices=choices,
            usage=usage,
            seed=seed,
        )

    def _logprobs(self, scores: Iterable[chat.TokenScore]) -> wire.ChoiceLogprobs | None:
        new = [self._scored(score) for score in scores]
        if self.scores is None or not new:
            return None
        self.scores += new
        return wire.ChoiceLogprobs(content=new)

    def _scored(self, score: chat.TokenScore) -> wire.TokenLogprob:
        drawn, top = score.logprobs
        return wire.TokenLogprob(
            token=self._text(score.token_id),
            logprob=drawn,
            bytes=list(self._bytes(score.token_id)),
            top_logprobs=[
                wire.TopLogprob(
                    token=self._text(token_id),
                    logprob=logprob,
                    bytes=list(self._bytes(token_id)),
                )
                for token_id, logprob in top
            ],
        )

    def _bytes(self, token_id: int) -> bytes:
        # A model may have more ids than its vocabulary; they stand for nothing.
        return self.vocabulary.token_bytes(token_id) if self.vocabulary.has(token_id) else b""

    def _text(self, token_id: int) -> str:
        return self._bytes(token_id).decode(errors="replace")


def _finish_reason(done: chat.Done) -> wire.FinishReason:
    match done.reason:
        case "stop" | "length" | "tool_calls":
            return done.reason
        case "cancelled" | "error":
            raise Problem(done.error or "the request was cancelled.", status=500)


def _usage(usage: chat.Usage) -> wire.Usage:
    details = wire.CompletionTokensDetails(reasoning_tokens=usage.num_reasoning)
    return wire.Usage(
        prompt_tokens=usage.num_prompt,
        completion_tokens=usage.num_completion,
        total_tokens=usage.num_prompt + usage.num_completion,
        completion_tokens_details=details,
    )
