"""What clients send to /v1/responses, as pydantic models.

Field names are OpenAI's (https://platform.openai.com/docs/api-reference/responses). A field is
honoured, or changes nothing here and is accepted by name, or is refused by name. Our own are
`seed`, which repeats an answer, and the `results` of a web search, which hold what it told the
model. Knows shapes, not meanings.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from netweight.server.strict import (
    In,
    InItem,
    JsonObject,
    Text,
    by_type,
    only,
    refused,
    tag,
    text_or,
)

Status = Literal["in_progress", "completed", "incomplete"]
_AnyList = list[object]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]


# Parts of what clients send


class InputText(InItem):
    """A piece of text; images, audio and files are not supported."""

    type: Literal["input_text"]
    text: Text
    prompt_cache_breakpoint: dict[Text, Text] | None = None  # changes nothing: all is cached


class GivenOutputText(InItem):
    """A piece of what the model said before; what else is known of it changes nothing."""

    type: Literal["output_text"]
    text: Text
    annotations: _AnyList | None = None
    logprobs: _AnyList | None = None


class GivenRefusal(InItem):
    """A refusal, which is an answer like any other."""

    type: Literal["refusal"]
    refusal: Text


class GivenReasoningText(InItem):
    """A piece of what the model thought."""

    type: Literal["reasoning_text"]
    text: Text


class GivenSummaryText(InItem):
    """A summary of what some model thought."""

    type: Literal["summary_text"]
    text: Text


_Part = Annotated[
    Annotated[InputText, tag("input_text")]
    | Annotated[GivenOutputText, tag("output_text")]
    | Annotated[GivenRefusal, tag("refusal")],
    by_type("a part", "input_text", "output_text", "refusal"),
]
_Texts = Annotated[
    Annotated[Text, tag("text")] | Annotated[list[InputText], tag("parts")], text_or("parts")
]
_Content = Annotated[
    Annotated[Text, tag("text")] | Annotated[list[_Part], Field(min_length=1), tag("parts")],
    text_or("parts"),
]


# Items that clients send


class GivenMessage(InItem):
    """What somebody says. A `phase` tells an assistant's preamble from its answer."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: _Content
    id: _Id | None = None
    status: Status | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class GivenReasoning(InItem):
    """What the model thought. Only its maker reads encrypted_content, so there has to be text."""

    type: Literal["reasoning"]
    summary: list[GivenSummaryText] | None = None
    content: list[GivenReasoningText] | None = None
    encrypted_content: Text | None = None
    id: _Id | None = None
    status: Status | None = None


class GivenFunctionCall(InItem):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: _Id
    name: Text
    arguments: Text
    id: _Id | None = None
    status: Status | None = None


class GivenFunctionCallOutput(InItem):
    """What a function answered."""

    type: Literal["function_call_output"]
    call_id: _Id
    output: _Texts
    id: _Id | None = None
    status: Status | None = None
    name: Text | None = None  # changes nothing: the call's id says which function it is


class GivenLogs(InItem):
    """What code printed."""

    type: Literal["logs"]
    logs: Text


class GivenCodeInterpreterCall(InItem):
    """Code that the model ran, and what came of it."""

    type: Literal["code_interpreter_call"]
    id: _Id
    code: Text | None = None
    container_id: Text | None = None
    outputs: list[GivenLogs] | None = None
    status: Literal["in_progress", "completed", "incomplete", "interpreting", "failed"] | None = (
        None
    )


class SearchAction(InItem):
    """A search. `sources` are not known here."""

    type: Literal["search"]
    query: Text | None = None
    queries: list[Text] | None = None
    sources: _AnyList | None = None


class OpenPageAction(InItem):
    """A page that was opened, by its address or by its number among what was shown before."""

    type: Literal["open_page"]
    url: Text | None = None


class FindAction(InItem):
    """A text that was looked for in the page that is open."""

    type: Literal["find_in_page"]
    pattern: Text
    url: Text | None = None


Action = Annotated[
    Annotated[SearchAction, tag("search")]
    | Annotated[OpenPageAction, tag("open_page")]
    | Annotated[FindAction, tag("find_in_page")],
    by_type("an action", "search", "open_page", "find_in_page"),
]


class WebSearchResult(InItem):
    """What the model was told."""

    type: Literal["text"] = "text"
    text: Text


class GivenWebSearchCall(InItem):
    """A use of the browser, and what came of it."""

    type: Literal["web_search_call"]
    id: _Id
    action: Action
    results: list[WebSearchResult] | None = None
    status: Literal["in_progress", "searching", "completed", "failed", "incomplete"] | None = None


class ItemReference(InItem):
    """An item that the server has kept."""

    type: Literal["item_reference"]
    id: _Id


GivenItem = Annotated[
    Annotated[GivenMessage, tag("message")]
    | Annotated[GivenReasoning, tag("reasoning")]
    | Annotated[GivenFunctionCall, tag("function_call")]
    | Annotated[GivenFunctionCallOutput, tag("function_call_output")]
    | Annotated[GivenCodeInterpreterCall, tag("code_interpreter_call")]
    | Annotated[GivenWebSearchCall, tag("web_search_call")]
    | Annotated[ItemReference, tag("item_reference")],
    by_type(
        "an item",
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "code_interpreter_call",
        "web_search_call",
        "item_reference",
        default="message",
    ),
]


# Tools, and what else there is in a request

_Name = Annotated[str, StringConstraints(pattern="^[a-zA-Z0-9_-]{1,64}$")]
# One tool here; its former names are still sent.
_WebSearch = Literal[
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
]


class FunctionTool(InItem):
    """A function the model may call. Its arguments follow the schema unless `strict` is false."""

    type: Literal["function"]
    name: _Name
    description: Text | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class AutoContainer(InItem):
    """The sandbox of this conversation. Its limits are the server's."""

    type: Literal["auto"]
    file_ids: Annotated[list[Text] | None, only([])] = None
    memory_limit: Annotated[None, refused("the server's own limit holds")] = None
    network_policy: Annotated[None, refused("there is no network in the sandbox")] = None


_Container = Annotated[
    Annotated[Text, tag("text")] | Annotated[AutoContainer, tag("object")], text_or("object")
]


class CodeInterpreterTool(InItem):
    """Harmony's `python`, in a sandbox that keeps its state for the conversation."""

    type: Literal["code_interpreter"]
    container: _Container | None = None


class WebSearchTool(InItem):
    """Harmony's `browser`: search, open, find."""

    type: _WebSearch
    search_context_size: Literal["low", "medium", "high"] | None = None  # changes nothing
    user_location: dict[Text, Text | None] | None = None  # changes nothing
    filters: Annotated[None, refused("the server's search decides what is found")] = None
    external_web_access: Annotated[bool | None, only(True)] = None
    search_content_types: Annotated[list[Text] | None, only(["text"])] = None


GivenTool = Annotated[
    Annotated[FunctionTool, tag("function")]
    | Annotated[CodeInterpreterTool, tag("code_interpreter")]
    | Annotated[WebSearchTool, tag("web_search")],
    by_type(
        "a tool",
        *("function", "code_interpreter"),
        aliases=dict.fromkeys(get_args(_WebSearch), "web_search"),
    ),
]


class ChosenFunction(InItem):
    """The function to call."""

    type: Literal["function"]
    name: Text


class ChosenBuiltIn(InItem):
    """The built-in tool to use."""

    type: Literal["code_interpreter", _WebSearch]


_BUILT_INS = dict.fromkeys(("code_interpreter", *get_args(_WebSearch)), "built_in")
_ToolRef = Annotated[
    Annotated[ChosenFunction, tag("function")] | Annotated[ChosenBuiltIn, tag("built_in")],
    by_type("a tool", "function", aliases=_BUILT_INS),
]


class AllowedTools(InItem):
    """The tools to choose from; the model is told of the others, but cannot call them."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[_ToolRef], Field(min_length=1)]


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], tag("text")]
    | Annotated[
        Annotated[ChosenFunction, tag("function")]
        | Annotated[ChosenBuiltIn, tag("built_in")]
        | Annotated[AllowedTools, tag("allowed_tools")],
        by_type("a tool_choice", "function", "allowed_tools", aliases=_BUILT_INS),
        tag("object"),
    ],
    text_or("object"),
]


class TextFormat(InItem):
    """Free text."""

    type: Literal["text"]


class JsonObjectFormat(InItem):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchemaFormat(InItem):
    """A schema that the answer follows. It is enforced whether `strict` says so or not."""

    type: Literal["json_schema"]
    name: _Name
    schema_: Annotated[JsonObject, Field(alias="schema")]
    description: Text | None = None
    strict: bool | None = None


GivenFormat = Annotated[
    Annotated[TextFormat, tag("text")]
    | Annotated[JsonObjectFormat, tag("json_object")]
    | Annotated[JsonSchemaFormat, tag("json_schema")],
    by_type("a format", "text", "json_object", "json_schema"),
]


class TextOptions(In):
    """What the final answer has to be; reasoning and tool calls are as free as without."""

    format: GivenFormat | None = None
    verbosity: Annotated[str | None, only("medium")] = None


class Reasoning(In):
    """How long to think. Thoughts are given whole, as `reasoning_text`; nobody summarises them."""

    effort: Literal["low", "medium", "high"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None  # changes nothing
    generate_summary: Literal["auto", "concise", "detailed"] | None = None  # likewise
    context: Annotated[str | None, only("auto", "current_turn")] = None
    mode: Annotated[str | None, only("standard")] = None


class StreamOptions(In):
    """How to stream."""

    include_obfuscation: Annotated[bool | None, only(False)] = None


Include = Literal[
    # Honoured.
    "message.output_text.logprobs",
    "code_interpreter_call.outputs",
    "web_search_call.results",
    # Accepted, since they change nothing: thoughts are given in plain text, and the rest is of
    # things that there are none of here.
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "file_search_call.results",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
]

Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


_Input = Annotated[
    Annotated[Text, tag("text")] | Annotated[list[GivenItem], tag("items")], text_or("items")
]


class ResponseRequest(In):
    """The body of POST /v1/responses."""

    # Honoured.
    model: Text
    input: _Input | None = None
    instructions: Text | None = None
    previous_response_id: _Id | None = None
    store: bool | None = None
    tools: Annotated[list[GivenTool] | None, Field(max_length=128)] = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: Annotated[int | None, Field(ge=0, le=128)] = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63)] = None
    max_output_tokens: Annotated[int | None, Field(ge=1)] = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    include: list[Include] | None = None
    metadata: Metadata | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    # Accepted, since they change nothing here.
    user: Text | None = None
    safety_identifier: Text | None = None
    prompt_cache_key: Text | None = None
    prompt_cache_retention: Text | None = None
    prompt_cache_options: dict[Text, Text] | None = None
    service_tier: Text | None = None
    # Accepted with the value that changes nothing, which many clients send.
    truncation: Annotated[str | None, only("disabled")] = None
    background: Annotated[bool | None, only(False)] = None
    # Refused, with what to do instead.
    conversation: Annotated[None, refused("send previous_response_id")] = None
    prompt: Annotated[None, refused("send instructions and input")] = None
    context_management: Annotated[None, refused("send less input")] = None
    moderation: Annotated[None, refused("nothing is moderated here")] = None

    @property
    def included(self) -> frozenset[str]:
        """What the client wants to have besides."""
        return frozenset(self.include or ())
