"""A response as it grows: each delta becomes events, and all of them together a response.

Knows deltas and items; knows no HTTP and no engine.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

from netweight.harmony import Channel, Message, ToolNames
from netweight.server import answer, responses_in, responses_out
from netweight.server.problems import Problem, problem_of_end
from netweight.server.responses_citations import source_of
from netweight.server.responses_items import (
    Browsing,
    BuiltInCall,
    CodeRun,
    FunctionCall,
    GrowingItem,
    Speech,
    Thought,
)
from netweight.server.responses_out import Event, Json
from netweight.server.responses_translate import PYTHON, is_strict
from netweight.server.store import StoredItem
from netweight.server.wire import TokenLogprob


def blank_response(
    body: responses_in.ResponseRequest, *, response_id: str, created_at: int, seed: int
) -> responses_out.Response:
    """The response before the model has said anything."""
    reasoning = body.reasoning or responses_in.Reasoning()
    return responses_out.Response(
        id=response_id,
        created_at=created_at,
        instructions=body.instructions,
        max_output_tokens=body.max_output_tokens,
        max_tool_calls=body.max_tool_calls,
        model=body.model,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        previous_response_id=body.previous_response_id,
        prompt_cache_key=body.prompt_cache_key,
        reasoning={"effort": reasoning.effort or "medium", "summary": reasoning.summary},
        safety_identifier=body.safety_identifier,
        store=body.store is not False,
        temperature=1.0 if body.temperature is None else body.temperature,
        text={"format": _shown_format(body), "verbosity": "medium"},
        tool_choice=_shown_choice(body),
        tools=[_shown_tool(tool) for tool in body.tools or []],
        top_logprobs=body.top_logprobs or 0,
        top_p=1.0 if body.top_p is None else body.top_p,
        user=body.user,
        metadata=body.metadata or {},
        seed=seed,
    )


def _shown_format(body: responses_in.ResponseRequest) -> Json:
    if body.text is None or body.text.format is None:
        return {"type": "text"}
    return body.text.format.model_dump(exclude_none=True, by_alias=True)


def _shown_choice(body: responses_in.ResponseRequest) -> str | Json:
    if body.tool_choice is None or isinstance(body.tool_choice, str):
        return body.tool_choice or "auto"
    return body.tool_choice.model_dump(exclude_none=True)


def _shown_tool(tool: responses_in.GivenTool) -> Json:
    """The tool as it was understood."""
    shown: Json = tool.model_dump(exclude_none=True)
    match tool:
        case responses_in.FunctionTool():
            return {"description": None, "parameters": None} | shown | {"strict": is_strict(tool)}
        case responses_in.CodeInterpreterTool():
            return {"container": {"type": "auto"}} | shown
        case _:
            return shown


class Writer:
    """Makes events of deltas, which tell messages apart, and keeps what they add up to."""

    def __init__(
        self,
        response: responses_out.Response,
        names: ToolNames,
        scored: Callable[[answer.TokenScore], TokenLogprob],
        *,
        include: Collection[str] = (),
        tools: Collection[str] = (),
        container_id: str = "",
        shown: Iterable[str] = (),
    ) -> None:
        """`response` is blank. `tools` are Harmony's names of the built-in ones that may run.

        `shown` is what the browser showed earlier, which may be cited.
        """
        self.response = response
        self._names = names
        self._scored = scored
        self._include = include
        self._tools = tools
        self._container_id = container_id
        self._sources = dict(filter(None, map(source_of, shown)))
        self._numbers = itertools.count()
        self._items: list[GrowingItem] = []
        self._current: GrowingItem | None = None  # of the message under way
        self._channel: str | None = None  # on which that is
        self._calls: dict[int, BuiltInCall] = {}  # by their numbers

    def opening(self) -> list[Event]:
        """The first events."""
        return self._numbered(
            [self._event("response.created"), self._event("response.in_progress")]
        )

    def add(self, delta: answer.Delta) -> list[Event]:
        """The events that a delta brings."""
        return self._numbered(self._events(delta))

    def finish(self, done: answer.Done, completed_at: int) -> list[Event]:
        """The events at the end, but for the last.

        Raises:
            Problem: when the answer ended in an error.
        """
        if done.reason in ("cancelled", "error"):
            raise problem_of_end(done.error)
        left = [event for call in self._calls.values() if call.is_running for event in call.left()]
        self.response.usage = _usage(done.usage)
        self.response.output = [item.shown() for item in self._items]
        if done.reason == "length":
            self.response.status = "incomplete"
            self.response.incomplete_details = responses_out.IncompleteDetails()
        else:
            self.response.status = "completed"
            self.response.completed_at = completed_at
        return self._numbered(left)

    def last(self) -> list[Event]:
        """The last event, after `finish`."""
        is_whole = self.response.status == "completed"
        return self._numbered(
            [self._event("response.completed" if is_whole else "response.incomplete")]
        )

    def failed(self, problem: Problem) -> list[Event]:
        """The last events where something went wrong: what, and how far the response came."""
        self.response.status = "failed"
        self.response.store = False
        self.response.error = responses_out.ResponseError(message=problem.message)
        for item in self._items:
            if item.status != "completed":
                item.left()
        self.response.output = [item.shown() for item in self._items]
        error = responses_out.ErrorEvent(
            code=problem.code or "server_error", message=problem.message, param=problem.param
        )
        return self._numbered([error, self._event("response.failed")])

    def kept(self) -> list[StoredItem]:
        """The output for the store."""
        return [item.kept() for item in self._items]

    def _events(self, delta: answer.Delta) -> list[Event]:
        match delta:
            case answer.MessageStarted(channel):
                self._current, self._channel = None, channel
                return []
            case answer.ReasoningDelta(text):
                return self._think(text) if text else []
            case answer.ContentDelta(text, scores):
                return self._speak(text, scores) if text or self._current else []
            case answer.CallStarted():
                return self._begin(self._call(delta))
            case answer.CallDelta(_, arguments):
                assert self._current is not None, "a call has begun"
                return self._current.grew(arguments)
            case answer.MessageEnded(message):
                return self._end(message)
            case answer.CallAnswered():
                return self._answered(delta)
            case answer.TokenWritten() | answer.Done():
                raise AssertionError("tokens are not told here, and Done is for `finish`")

    def _begin(self, item: GrowingItem) -> list[Event]:
        self._items.append(item)
        self._current = item
        return item.began()

    def _think(self, text: str) -> list[Event]:
        events = [] if self._current else self._begin(Thought(len(self._items), self._include))
        assert self._current is not None, "a thought has begun"
        return [*events, *self._current.grew(text)]

    def _speak(self, text: str, scores: Sequence[answer.TokenScore]) -> list[Event]:
        events = [] if self._current else self._begin_speech()
        assert isinstance(self._current, Speech), "a message is content from its beginning"
        return [*events, *self._current.grew(text, [self._scored(score) for score in scores])]

    def _begin_speech(self) -> list[Event]:
        is_preamble = self._channel == Channel.COMMENTARY
        phase: Literal["commentary", "final_answer"] = (
            "commentary" if is_preamble else "final_answer"
        )
        return self._begin(Speech(len(self._items), self._include, phase, self._sources))

    def _call(self, started: answer.CallStarted) -> GrowingItem:
        index = len(self._items)
        tool, _, function = started.recipient.partition(".")
        if tool not in self._tools:
            name = self._names.original(started.name)
            return FunctionCall(index, self._include, started.call_id, name)
        call = (
            CodeRun(index, self._include, self._container_id)
            if tool == PYTHON
            else Browsing(index, self._include, function)
        )
        self._calls[started.number] = call
        return call

    def _answered(self, answered: answer.CallAnswered) -> list[Event]:
        call = self._calls[answered.number]
        events = call.answered(answered.name, answered.text)
        if isinstance(call, Browsing) and call.source is not None:
            number, source = call.source
            self._sources[number] = source
        return events

    def _end(self, message: Message) -> list[Event]:
        events: list[Event] = []
        if self._current is None:
            if message.channel == Channel.ANALYSIS:
                return []  # a thought without a word
            events = self._begin_speech()
        item, self._current = self._current, None
        assert item is not None, "a message has begun"
        return [*events, *item.ended(message)]

    def _event(
        self,
        kind: Literal[
            "response.created",
            "response.in_progress",
            "response.completed",
            "response.incomplete",
            "response.failed",
        ],
    ) -> Event:
        return responses_out.ResponseEvent(type=kind, response=self.response.model_copy())

    def _numbered(self, events: list[Event]) -> list[Event]:
        for event in events:
            event.sequence_number = next(self._numbers)
        return events


def _usage(usage: answer.Usage) -> responses_out.Usage:
    return responses_out.Usage(
        input_tokens=usage.num_prompt,
        input_tokens_details=responses_out.InputTokensDetails(cached_tokens=usage.num_cached),
        output_tokens=usage.num_completion,
        output_tokens_details=responses_out.OutputTokensDetails(
            reasoning_tokens=usage.num_reasoning
        ),
        total_tokens=usage.num_prompt + usage.num_completion,
    )
