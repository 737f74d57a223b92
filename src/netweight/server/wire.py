"""What goes over the wire: the JSON of /v1/chat/completions and /v1/models, as pydantic models.

Field names are OpenAI's (https://platform.openai.com/docs/api-reference/chat), and vLLM's where
OpenAI has none (top_k, min_p, reasoning). A field is honoured, or changes nothing here and is
accepted by name, or is refused by name. Knows shapes, not meanings: `translate` gives them one.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
)

T = TypeVar("T")


def _only(*neutral: T) -> AfterValidator:
    """For fields we do not support: accept the values that change nothing, refuse all others."""

    def check(value: T | None) -> T | None:
        if value is None or value in neutral:
            return value
        raise ValueError(f"only {neutral[0]!r} is supported")

    return AfterValidator(check)


class _In(BaseModel):
    """Something a client sends: no unknown field, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class TextPart(_In):
    """A piece of text; images, audio and files are not supported."""

    type: Literal["text"]
    text: str


# Pydantic puts the tag of a union's branch into the place it reports; spaces tell tags from fields.
CONTENT_TAGS = _A_TEXT, _PARTS = "a text", "a list of parts"


def _content_tag(value: object) -> str:
    return _A_TEXT if isinstance(value, str) else _PARTS


Content = Annotated[
    Annotated[str, Tag(_A_TEXT)] | Annotated[list[TextPart], Tag(_PARTS)],
    Discriminator(_content_tag),
]


class InstructionMessage(_In):
    """What the application's developer tells the model. OpenAI's API has two names for it."""

    role: Literal["system", "developer"]
    content: Content
    name: None = None


class UserMessage(_In):
    """What the user says."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class CalledFunction(_In):
    """A function's name and its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(_In):
    """A call the model made."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class AssistantMessage(_In):
    """What the model said before. Its reasoning may be given back under either name."""

    role: Literal["assistant"]
    content: Content | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None
    # Clients send whole replies back; these parts of one are empty in ours.
    refusal: None = None
    annotations: Annotated[list[object] | None, _only([])] = None
    audio: None = None
    function_call: None = None
    name: None = None


class ToolMessage(_In):
    """What a tool answered."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str
    name: str | None = None  # changes nothing: the id says which call it answers


InMessage = Annotated[
    InstructionMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(_In):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: Annotated[bool | None, _only(False)] = None


class FunctionTool(_In):
    """The only kind of tool so far."""

    type: Literal["function"]
    function: Function


class StreamOptions(_In):
    """How to stream."""

    include_usage: bool | None = None
    include_obfuscation: Annotated[bool | None, _only(False)] = None


class ChatCompletionRequest(_In):
    """The body of POST /v1/chat/completions."""

    # Honoured.
    model: str
    messages: Annotated[list[InMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    top_k: Annotated[int | None, Field(ge=-1, description="0 or -1: all")] = None
    min_p: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63)] = None
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    reasoning_effort: Literal["low", "medium", "high"] | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    # Accepted, since they change nothing here.
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    parallel_tool_calls: bool | None = None  # the model makes one call at a time either way
    # Not supported, but many clients send the value that changes nothing.
    n: Annotated[int | None, _only(1)] = None
    stop: Annotated[str | list[str] | None, _only([])] = None
    frequency_penalty: Annotated[float | None, _only(0)] = None
    presence_penalty: Annotated[float | None, _only(0)] = None
    logit_bias: Annotated[dict[str, float] | None, _only({})] = None
    response_format: Annotated[dict[str, object] | None, _only({"type": "text"})] = None
    modalities: Annotated[list[str] | None, _only(["text"])] = None


class _Sparse(BaseModel):
    """Something whose absent parts are left out, not sent as null."""

    @model_serializer(mode="wrap")
    def _without_none(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in serialize(self).items() if value is not None}


class TopLogprob(BaseModel):
    """One of the likeliest tokens at a place."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(TopLogprob):
    """A token of the content, with the likeliest tokens at its place."""

    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(BaseModel):
    """Log-probabilities of the content's tokens; those of the reasoning are not given."""

    content: list[TokenLogprob]


class FunctionDelta(_Sparse):
    """A call's name (first) or more of its arguments (later)."""

    name: str | None = None
    arguments: str = ""


class ToolCallDelta(_Sparse):
    """More of one tool call."""

    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionDelta


class Delta(_Sparse):
    """More of the answer. Reasoning has two names because clients know one or the other."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCallDelta] | None = None


FinishReason = Literal["stop", "length", "tool_calls"]


class ChunkChoice(BaseModel):
    """The one choice of a chunk."""

    index: Literal[0] = 0
    delta: Delta
    logprobs: ChoiceLogprobs | None = None
    finish_reason: FinishReason | None = None


class CompletionTokensDetails(BaseModel):
    """What the completion's tokens were spent on."""

    reasoning_tokens: int


class Usage(BaseModel):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    completion_tokens_details: CompletionTokensDetails


class ChatCompletionChunk(_Sparse):
    """One event of a streamed answer. `seed`, on the last choice, repeats the same answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    seed: int | None = None


class OutToolCall(BaseModel):
    """A whole tool call."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class OutMessage(BaseModel):
    """A whole answer; `content` is null when there is nothing but tool calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[OutToolCall] | None = None
    refusal: None = None


class Choice(BaseModel):
    """The one choice of a completion."""

    index: Literal[0] = 0
    message: OutMessage
    logprobs: ChoiceLogprobs | None = None
    finish_reason: FinishReason


class ChatCompletion(BaseModel):
    """A whole answer. `seed` repeats it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    seed: int


class Model(BaseModel):
    """A model that is served."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "netweight"


class ModelList(BaseModel):
    """All models that are served: one."""

    object: Literal["list"] = "list"
    data: list[Model]


class Health(BaseModel):
    """Whether requests are taken, and if not, why."""

    status: str
