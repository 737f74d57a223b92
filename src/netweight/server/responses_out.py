"""What /v1/responses sends, as pydantic models: responses, their items, and events of a stream.

Field names and the order of events are OpenAI's
(https://platform.openai.com/docs/api-reference/responses-streaming). Knows shapes, not meanings.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from netweight.server.responses_in import Action, Status, WebSearchResult
from netweight.server.wire import TokenLogprob

Json = dict[str, Any]  # an object as a client sent it, or as it is kept


# Parts and items


class UrlCitation(BaseModel):
    """What a stretch of text cites, in characters; its end is the first that is not part of it."""

    type: Literal["url_citation"] = "url_citation"
    start_index: int
    end_index: int
    title: str
    url: str


class OutputText(BaseModel):
    """The text of a message. Log-probabilities are there if they were asked for."""

    type: Literal["output_text"] = "output_text"
    annotations: list[UrlCitation] = []
    logprobs: list[TokenLogprob] = []
    text: str = ""


class ReasoningText(BaseModel):
    """The text of a thought."""

    type: Literal["reasoning_text"] = "reasoning_text"
    text: str = ""


class ReasoningItem(BaseModel):
    """A thought. It has no summary: it is all there."""

    id: str
    type: Literal["reasoning"] = "reasoning"
    summary: list[Any] = []
    content: list[ReasoningText] = []
    status: Status = "in_progress"


class MessageItem(BaseModel):
    """What the model says to the user: before a tool call (commentary), or as its answer."""

    id: str
    type: Literal["message"] = "message"
    status: Status = "in_progress"
    role: Literal["assistant"] = "assistant"
    phase: Literal["commentary", "final_answer"]
    content: list[OutputText] = []


class FunctionCallItem(BaseModel):
    """A call that the client has to answer."""

    id: str
    type: Literal["function_call"] = "function_call"
    status: Status = "in_progress"
    call_id: str
    name: str
    arguments: str = ""


class Logs(BaseModel):
    """What code printed."""

    type: Literal["logs"] = "logs"
    logs: str


class CodeInterpreterCallItem(BaseModel):
    """Code that the model ran here. What came of it is null unless it was asked for."""

    id: str
    type: Literal["code_interpreter_call"] = "code_interpreter_call"
    status: Literal["in_progress", "interpreting", "completed", "incomplete"] = "in_progress"
    container_id: str
    code: str = ""
    outputs: list[Logs] | None = None


class WebSearchCallItem(BaseModel):
    """A use of the browser. What came of it is null unless it was asked for."""

    id: str
    type: Literal["web_search_call"] = "web_search_call"
    status: Literal["in_progress", "searching", "completed", "incomplete"] = "in_progress"
    action: Action
    results: list[WebSearchResult] | None = None


OutputItem = Annotated[
    ReasoningItem | MessageItem | FunctionCallItem | CodeInterpreterCallItem | WebSearchCallItem,
    Field(discriminator="type"),
]


# Responses


class InputTokensDetails(BaseModel):
    """Of the tokens that were read, those that the cache had."""

    cached_tokens: int
    cache_write_tokens: int = 0  # OpenAI bills them; here all tokens go to the cache for nothing


class OutputTokensDetails(BaseModel):
    """Of the tokens that were written, those of thoughts."""

    reasoning_tokens: int


class Usage(BaseModel):
    """Tokens read and written, in all requests to the model that the response took."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class IncompleteDetails(BaseModel):
    """Why there is not more: the limit that was asked for, or the context, was reached."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class ResponseError(BaseModel):
    """What went wrong."""

    code: Literal["server_error"] = "server_error"
    message: str


class Response(BaseModel):
    """A response: what was asked for, as it was understood, and what came of it.

    `store` tells whether it is kept. `seed` repeats it.
    """

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Literal["in_progress", "completed", "incomplete", "failed"] = "in_progress"
    background: Literal[False] = False
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    model: str
    output: list[OutputItem] = []
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt_cache_key: str | None
    reasoning: dict[str, str | None]
    safety_identifier: str | None
    service_tier: Literal["default"] = "default"
    store: bool
    temperature: float
    text: Json
    tool_choice: str | Json
    tools: list[Json]
    top_logprobs: int
    top_p: float
    truncation: Literal["disabled"] = "disabled"
    usage: Usage | None = None
    user: str | None
    metadata: dict[str, str]
    seed: int | None


class DeletedResponse(BaseModel):
    """That a response is no longer kept."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ItemList(BaseModel):
    """A page of input items."""

    object: Literal["list"] = "list"
    data: list[Json]
    first_id: str | None
    last_id: str | None
    has_more: bool


# Events


class _Event(BaseModel):
    """Something that happened. Those of a response are numbered from 0 when they are sent."""

    type: str
    sequence_number: int = -1


class ResponseEvent(_Event):
    """The response has begun, goes on, or has ended."""

    type: Literal[
        "response.created",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ]
    response: Response


class ItemEvent(_Event):
    """An item has begun or ended."""

    type: Literal["response.output_item.added", "response.output_item.done"]
    output_index: int
    item: OutputItem


class _ItemPlace(_Event):
    item_id: str
    output_index: int


class _PartPlace(_ItemPlace):
    content_index: int = 0  # a message of Harmony is one text


class PartEvent(_PartPlace):
    """A part of an item has begun or ended."""

    type: Literal["response.content_part.added", "response.content_part.done"]
    part: OutputText | ReasoningText


class TextDelta(_PartPlace):
    """More of a message."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    delta: str
    logprobs: list[TokenLogprob]


class TextDone(_PartPlace):
    """All of a message."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    text: str
    logprobs: list[TokenLogprob]


class AnnotationAdded(_PartPlace):
    """Something that the text so far cites."""

    type: Literal["response.output_text.annotation.added"] = "response.output_text.annotation.added"
    annotation_index: int
    annotation: UrlCitation


class ReasoningDelta(_PartPlace):
    """More of a thought."""

    type: Literal["response.reasoning_text.delta"] = "response.reasoning_text.delta"
    delta: str


class ReasoningDone(_PartPlace):
    """All of a thought."""

    type: Literal["response.reasoning_text.done"] = "response.reasoning_text.done"
    text: str


class ArgumentsDelta(_ItemPlace):
    """More of a call's arguments."""

    type: Literal["response.function_call_arguments.delta"] = (
        "response.function_call_arguments.delta"
    )
    delta: str


class ArgumentsDone(_ItemPlace):
    """All of a call's arguments."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    name: str
    arguments: str


class CodeDelta(_ItemPlace):
    """More of the code that is to be run."""

    type: Literal["response.code_interpreter_call_code.delta"] = (
        "response.code_interpreter_call_code.delta"
    )
    delta: str


class CodeDone(_ItemPlace):
    """All of the code that is to be run."""

    type: Literal["response.code_interpreter_call_code.done"] = (
        "response.code_interpreter_call_code.done"
    )
    code: str


class ToolEvent(_ItemPlace):
    """How far a built-in tool has come."""

    type: Literal[
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call.completed",
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
    ]


class ErrorEvent(_Event):
    """What went wrong; a response that has failed follows."""

    type: Literal["error"] = "error"
    code: str | None
    message: str
    param: str | None


Event = (
    ResponseEvent
    | ItemEvent
    | PartEvent
    | TextDelta
    | TextDone
    | AnnotationAdded
    | ReasoningDelta
    | ReasoningDone
    | ArgumentsDelta
    | ArgumentsDone
    | CodeDelta
    | CodeDone
    | ToolEvent
    | ErrorEvent
)
