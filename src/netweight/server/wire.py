"""What goes over the wire: the JSON of /v1/chat/completions and /v1/models, as pydantic models.

Field names are OpenAI's (https://platform.openai.com/docs/api-reference/chat), and vLLM's where
OpenAI has none (top_k, min_p, reasoning, token ids). A field is honoured, or changes nothing here
and is accepted by name, or is refused by name. Our own are under `netweight`. Knows shapes, not
meanings: `translate` gives them one.
"""

from typing import Annotated, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from netweight.server.strict import In, only, refused, tag, text_or


class TextPart(In):
    """A piece of text; images, audio and files are not supported."""

    type: Literal["text"]
    text: str
    prompt_cache_breakpoint: dict[str, str] | None = None  # changes nothing: all is cached


class AssistantPart(In):
    """A piece of what the model said before; a refusal is an answer like any other."""

    type: Literal["text", "refusal"]
    text: str | None = None
    refusal: str | None = None

    @model_validator(mode="after")
    def _has_its_text(self) -> "AssistantPart":
        if getattr(self, self.type) is None:
            raise ValueError(f"a part of type {self.type!r} needs a text as its {self.type!r}")
        return self


_TEXT_OR_MORE = text_or("more")
Content = Annotated[
    Annotated[str, tag("text")] | Annotated[list[TextPart], tag("more")], _TEXT_OR_MORE
]
AssistantContent = Annotated[
    Annotated[str, tag("text")] | Annotated[list[AssistantPart], tag("more")], _TEXT_OR_MORE
]


class InstructionMessage(In):
    """What the application's developer tells the model. OpenAI's API has two names for it."""

    role: Literal["system", "developer"]
    content: Content
    name: str | None = None  # changes nothing: Harmony names users and tools only


class UserMessage(In):
    """What the user says."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class CalledFunction(In):
    """A function's name and its arguments as JSON text."""

    name: str
    arguments: str
    parsed_arguments: object = None  # OpenAI's client adds it when it parses a reply


class ToolCall(In):
    """A call the model made."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None  # OpenAI's client adds it when it puts a stream together


class AssistantMessage(In):
    """What the model said before. Its reasoning may be given back under either name."""

    role: Literal["assistant"]
    content: AssistantContent | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None
    name: str | None = None  # changes nothing: Harmony names users and tools only
    parsed: object = None  # OpenAI's client adds it when it parses a reply
    # Clients send whole replies back; these parts of one are empty in ours.
    annotations: Annotated[list[object] | None, only([])] = None
    audio: Annotated[None, refused("only text can be sent")] = None
    function_call: Annotated[None, refused("send tool_calls")] = None


class ToolMessage(In):
    """What a tool answered."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str
    name: str | None = None  # changes nothing: the id says which call it answers


InMessage = Annotated[
    InstructionMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


_Name = Annotated[str, Field(pattern="^[a-zA-Z0-9_-]{1,64}$")]
_ToolType = Literal["function"]


class Function(In):
    """A function the model may call.

    With `strict`, its arguments follow the schema. Without, they do where a call is forced (by
    tool_choice), and are the model's own otherwise.
    """

    name: _Name
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class FunctionTool(In):
    """The only kind of tool so far."""

    type: _ToolType
    function: Function


class FunctionName(In):
    """A function that is meant."""

    name: str


class FunctionRef(In):
    """One of the request's tools."""

    type: _ToolType
    function: FunctionName


class AllowedTools(In):
    """The tools to choose from; the model is told of the others, but cannot call them."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[FunctionRef], Field(min_length=1)]


class ToolChoiceObject(In):
    """The function to call, or the tools to choose from."""

    type: Literal["function", "allowed_tools"]
    function: FunctionName | None = None
    allowed_tools: AllowedTools | None = None

    @model_validator(mode="after")
    def _has_its_object(self) -> "ToolChoiceObject":
        others = {"function", "allowed_tools"} - {self.type}
        if getattr(self, self.type) is None or any(getattr(self, other) for other in others):
            raise ValueError(f"type {self.type!r} goes with the field {self.type!r} alone")
        return self


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], tag("text")]
    | Annotated[ToolChoiceObject, tag("more")],
    _TEXT_OR_MORE,
]


class JsonSchemaFormat(In):
    """A schema that the answer follows. It is enforced whether `strict` says so or not."""

    name: _Name
    description: str | None = None
    schema_: Annotated[dict[str, object] | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(In):
    """What the final answer has to be; reasoning and tool calls are as free as without."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None

    @model_validator(mode="after")
    def _has_its_schema(self) -> "ResponseFormat":
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("type 'json_schema', and no other, goes with the field 'json_schema'")
        return self


def _token_ids(bias: dict[str, float] | None) -> dict[str, float] | None:
    wrong = next((key for key in bias or {} if not (key.isascii() and key.isdigit())), None)
    if wrong is not None:
        raise ValueError(f"the keys are token ids, as '42'; {wrong[:40]!r} is none")
    return bias


class NetweightOptions(In):
    """What no other server has.

    With `tokens`, the answer says in its own `netweight` which Harmony tokens the model read and
    wrote, and how likely they were. It needs n to be 1.
    """

    tokens: bool = False
    top: Annotated[int, Field(ge=0, le=20, description="likeliest tokens told at each place")] = 5


class StreamOptions(In):
    """How to stream."""

    include_usage: bool | None = None
    include_obfuscation: Annotated[bool | None, only(False)] = None


MAX_CHOICES = 128

_StopText = Annotated[str, Field(min_length=1)]
Stop = Annotated[
    Annotated[_StopText, tag("text")]
    | Annotated[list[_StopText], Field(max_length=4), tag("more")],
    _TEXT_OR_MORE,
]
_Penalty = Annotated[float | None, Field(ge=-2, le=2)]


class DrawingFields(In):
    """How tokens are drawn, how many answers there are and how they come: for each API the same."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    top_k: Annotated[int | None, Field(ge=-1, description="0 or -1: all")] = None
    min_p: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: Annotated[
        int | None,
        Field(ge=-(2**63), lt=2**63, description="choice i is what seed + i gives alone"),
    ] = None
    n: Annotated[int | None, Field(ge=1, le=MAX_CHOICES)] = None
    stop: Stop | None = None
    presence_penalty: _Penalty = None
    frequency_penalty: _Penalty = None
    logit_bias: Annotated[
        dict[str, Annotated[float, Field(ge=-100, le=100)]] | None, AfterValidator(_token_ids)
    ] = None


class ChatCompletionRequest(DrawingFields):
    """The body of POST /v1/chat/completions."""

    # Honoured.
    model: str
    messages: Annotated[list[InMessage], Field(min_length=1)]
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    stop: Annotated[
        Stop | None,
        Field(description="looked for in the final answer, not in reasoning or tool calls"),
    ] = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    reasoning_effort: Literal["low", "medium", "high"] | None = None
    tools: Annotated[list[FunctionTool] | None, Field(max_length=128)] = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    return_token_ids: Annotated[
        bool | None, Field(description="tell the ids of the prompt and of each answer")
    ] = None
    netweight: NetweightOptions | None = None
    # Accepted, since they change nothing here.
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, str] | None = None
    # Accepted with the value that changes nothing, which many clients send.
    modalities: Annotated[list[str] | None, only(["text"])] = None
    verbosity: Annotated[str | None, only("medium")] = None
    repetition_penalty: Annotated[float | None, only(1)] = None
    # Refused, with what to do instead.
    functions: Annotated[None, refused("send tools")] = None
    function_call: Annotated[None, refused("send tool_choice")] = None
    audio: Annotated[None, refused("only text is answered")] = None
    prediction: Annotated[None, refused("leave it out: text that repeats is guessed anyway")] = None
    web_search_options: Annotated[None, refused("the Responses API has a browser tool")] = None
    moderation: Annotated[None, refused("this server does not moderate")] = None

    @property
    def tells_tokens(self) -> bool:
        """Whether the answer says which tokens were read and written."""
        return self.netweight is not None and self.netweight.tokens


class _Sparse(BaseModel):
    """Something whose absent parts are left out; null is sent only for what is set to it."""

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        is_set = self.model_fields_set
        return {
            name: value
            for name, value in serialize(self).items()
            if value is not None or name in is_set
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of the fields, which the serializer above would hide."""
        shown = cast("CoreSchema", {k: v for k, v in core_schema.items() if k != "serialization"})
        return handler(shown)


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
    refusal: None = None


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


class ChunkChoice(_Sparse):
    """The one choice of a chunk: more of this answer of perhaps several."""

    index: int
    delta: Delta
    logprobs: ChoiceLogprobs | None
    finish_reason: FinishReason | None
    token_ids: list[int] | None = None


class CompletionTokensDetails(BaseModel):
    """What the completion's tokens were spent on."""

    reasoning_tokens: int


class PromptTokensDetails(BaseModel):
    """Where the prompt's tokens came from."""

    cached_tokens: int


class Usage(BaseModel):
    """Tokens read and written. The prompt counts once, however many answers there are."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class HarmonyToken(BaseModel):
    """A token of the conversation.

    `kind` is special (a control token), header, or what the text belongs to: a channel or, where
    there is none, a role.
    """

    id: int
    text: str
    kind: str


class LikelyToken(BaseModel):
    """One of the likeliest tokens at a place."""

    id: int
    text: str
    logprob: float


class WrittenToken(HarmonyToken):
    """A token that the model wrote, and how likely it was; `top` has the likeliest ones there."""

    logprob: float
    top: list[LikelyToken]


class NetweightTokens(_Sparse):
    """The exact tokens, in order: the prompt, and what the model wrote (since the last chunk)."""

    prompt: list[HarmonyToken] | None = None
    tokens: list[WrittenToken] | None = None


class ChatCompletionChunk(_Sparse):
    """One event of a streamed answer. `seed`, on the last of a choice, repeats it.

    `prompt_token_ids` come with the first of a choice.
    """

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    seed: int | None = None
    prompt_token_ids: list[int] | None = None
    netweight: NetweightTokens | None = None


class OutFunction(BaseModel):
    """A function's name and its arguments as JSON text."""

    name: str
    arguments: str


class OutToolCall(BaseModel):
    """A whole tool call."""

    id: str
    type: Literal["function"] = "function"
    function: OutFunction


class OutMessage(BaseModel):
    """A whole answer; `content` is null when there is nothing but tool calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[OutToolCall] | None = None
    refusal: None = None


class Choice(_Sparse):
    """One answer. `token_ids` has all that the model wrote, control tokens included."""

    index: int
    message: OutMessage
    logprobs: ChoiceLogprobs | None
    finish_reason: FinishReason
    token_ids: list[int] | None = None


class ChatCompletion(_Sparse):
    """All answers. `seed` repeats them."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    seed: int
    prompt_token_ids: list[int] | None = None
    netweight: NetweightTokens | None = None


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


class Info(BaseModel):
    """What answers to a model's name: the engine, and the files behind it."""

    engine: Literal["netweight"] = "netweight"
    version: str
    model_id: str
    adapter: str | None
    checkpoint_sha256: Annotated[
        str | None,
        Field(
            description="of the lines that sha256sum gives for the *.json and *.safetensors files "
            "of the checkpoint, then of the adapter; null where the model was not read from files"
        ),
    ]


class ErrorDetails(BaseModel):
    """What went wrong; `param` names the field at fault, if it is one."""

    message: str
    type: str
    param: str | None
    code: str | None


class Error(BaseModel):
    """The body of every answer whose status is 400 or more."""

    error: ErrorDetails


class Health(BaseModel):
    """Whether requests are taken, and if not, why."""

    status: str
