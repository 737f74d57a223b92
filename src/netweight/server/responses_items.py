"""Items of a response as they grow, and the events that tell of it.

Each message of the model is one item, and has one text. The order of events is OpenAI's
(https://platform.openai.com/docs/api-reference/responses-streaming). An item knows no other.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from netweight.harmony import Message
from netweight.harmony.arguments import read_arguments
from netweight.server import responses_in, responses_out
from netweight.server.responses_citations import MARK_END, Source, citations, source_of
from netweight.server.responses_history import new_id, written_text
from netweight.server.responses_out import Event, Json, OutputItem
from netweight.server.store import StoredItem
from netweight.server.wire import TokenLogprob

_ToolStep = Literal["in_progress", "interpreting", "searching", "completed"]


def shown_item(item: Json, include: Collection[str]) -> Json:
    """An item as it is kept, without what a built-in tool told unless that was asked for."""
    if item["type"] == "code_interpreter_call" and "code_interpreter_call.outputs" not in include:
        return item | {"outputs": None}
    if item["type"] == "web_search_call" and "web_search_call.results" not in include:
        return item | {"results": None}
    return item


class GrowingItem(ABC):
    """An item from its first event to its last; the methods give the events of one step each."""

    kind: ClassVar[str]

    def __init__(self, index: int, include: Collection[str]) -> None:
        """`index` is its place in the output."""
        self.item_id = new_id(self.kind)
        self.written: list[Message] = []  # as the model wrote it, and what a tool answered
        self.status: responses_in.Status = "in_progress"
        self.is_running = False  # whether it waits for a built-in tool's answer
        self._index = index
        self._include = include
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """All that the model has written so far."""
        return "".join(self._pieces)

    def began(self) -> list[Event]:
        """The item is there."""
        return [self._item_event("response.output_item.added")]

    def grew(self, text: str) -> list[Event]:
        """The model has written more."""
        self._pieces.append(text)
        return []

    def ended(self, message: Message) -> list[Event]:
        """The model has written all, or broke off."""
        self.written.append(message)
        self.status = "completed" if message.is_complete else "incomplete"
        return [*self._text_done(), self._item_event("response.output_item.done")]

    def left(self) -> list[Event]:
        """Nothing more comes of it."""
        self.status, self.is_running = "incomplete", False
        return [self._item_event("response.output_item.done")]

    @abstractmethod
    def item(self) -> OutputItem:
        """The item as it is now, whole."""

    def shown(self) -> OutputItem:
        """The item as it is now, as the client wants it."""
        return self.item().model_copy(update=shown_item({"type": self.kind}, self._include))

    def kept(self) -> StoredItem:
        """The item for the store."""
        return StoredItem(self.item_id, self.item().model_dump_json(), written_text(self.written))

    def _text_done(self) -> list[Event]:
        return []

    @property
    def _place(self) -> dict[str, Any]:
        return {"output_index": self._index, "item_id": self.item_id}

    def _item_event(
        self, kind: Literal["response.output_item.added", "response.output_item.done"]
    ) -> Event:
        return responses_out.ItemEvent(type=kind, output_index=self._index, item=self.shown())

    def _part_event(
        self,
        kind: Literal["response.content_part.added", "response.content_part.done"],
        part: responses_out.OutputText | responses_out.ReasoningText,
    ) -> Event:
        return responses_out.PartEvent(type=kind, part=part, **self._place)


class Thought(GrowingItem):
    """A message on the analysis channel."""

    kind = "reasoning"

    def began(self) -> list[Event]:
        """The item is there, and its part."""
        part = responses_out.ReasoningText()
        return [*super().began(), self._part_event("response.content_part.added", part)]

    def grew(self, text: str) -> list[Event]:
        """More of the thought."""
        super().grew(text)
        return [responses_out.ReasoningDelta(delta=text, **self._place)]

    def item(self) -> OutputItem:
        """A reasoning item."""
        content = [responses_out.ReasoningText(text=self.text)] if self._pieces else []
        return responses_out.ReasoningItem(id=self.item_id, content=content, status=self.status)

    def _text_done(self) -> list[Event]:
        part = responses_out.ReasoningText(text=self.text)
        return [
            responses_out.ReasoningDone(text=self.text, **self._place),
            self._part_event("response.content_part.done", part),
        ]


class Speech(GrowingItem):
    """A message to the user, as a preamble to a call or as the answer."""

    kind = "message"

    def __init__(
        self,
        index: int,
        include: Collection[str],
        phase: Literal["commentary", "final_answer"],
        sources: Mapping[int, Source],
    ) -> None:
        """`phase` tells the two apart. `sources` are pages that can be cited, by their numbers."""
        super().__init__(index, include)
        self._phase = phase
        self._sources = sources
        self._cited: list[responses_out.UrlCitation] = []
        self._logprobs: list[TokenLogprob] = []

    def began(self) -> list[Event]:
        """The item is there, and its part."""
        part = responses_out.OutputText()
        return [*super().began(), self._part_event("response.content_part.added", part)]

    def grew(self, text: str, logprobs: Sequence[TokenLogprob] = ()) -> list[Event]:
        """More of the text."""
        super().grew(text)
        self._logprobs += logprobs
        more = responses_out.TextDelta(delta=text, logprobs=list(logprobs), **self._place)
        return [more, *self._cite()] if MARK_END in text else [more]

    def item(self) -> OutputItem:
        """A message item."""
        content = [self._part] if self._pieces or self.written else []
        return responses_out.MessageItem(
            id=self.item_id, status=self.status, phase=self._phase, content=content
        )

    def _cite(self) -> Iterator[Event]:
        start = self._cited[-1].end_index if self._cited else 0
        for citation in citations(self.text, start, self._sources):
            yield responses_out.AnnotationAdded(
                annotation_index=len(self._cited), annotation=citation, **self._place
            )
            self._cited.append(citation)

    @property
    def _part(self) -> responses_out.OutputText:
        return responses_out.OutputText(
            text=self.text, annotations=self._cited, logprobs=self._logprobs
        )

    def _text_done(self) -> list[Event]:
        done = responses_out.TextDone(text=self.text, logprobs=self._logprobs, **self._place)
        return [done, self._part_event("response.content_part.done", self._part)]


class FunctionCall(GrowingItem):
    """A call that the client has to answer."""

    kind = "function_call"

    def __init__(self, index: int, include: Collection[str], call_id: str, name: str) -> None:
        """A call of the client's function `name`."""
        super().__init__(index, include)
        self._call_id = call_id
        self._name = name

    def grew(self, text: str) -> list[Event]:
        """More of the arguments."""
        super().grew(text)
        return [responses_out.ArgumentsDelta(delta=text, **self._place)]

    def item(self) -> OutputItem:
        """A function call item."""
        return responses_out.FunctionCallItem(
            id=self.item_id,
            status=self.status,
            call_id=self._call_id,
            name=self._name,
            arguments=self.text,
        )

    def _text_done(self) -> list[Event]:
        return [responses_out.ArgumentsDone(name=self._name, arguments=self.text, **self._place)]


class BuiltInCall(GrowingItem):
    """A call that a tool here answers, after which the item ends."""

    running_step: ClassVar[_ToolStep]

    def began(self) -> list[Event]:
        """The item is there, and the call under way."""
        return [*super().began(), self._step("in_progress")]

    def ended(self, message: Message) -> list[Event]:
        """The model has written all of the call, which is run now, or broke off."""
        if not message.is_complete:
            return super().ended(message)
        self.written.append(message)
        self.is_running = True
        return [*self._text_done(), self._step(self.running_step)]

    def answered(self, name: str, text: str) -> list[Event]:
        """The tool has answered."""
        self.written.append(Message.tool(name, text, channel=self.written[0].channel))
        self.status, self.is_running = "completed", False
        return [self._step("completed"), self._item_event("response.output_item.done")]

    @property
    def _answer(self) -> str | None:
        return self.written[1].text if len(self.written) > 1 else None

    def _step(self, step: _ToolStep) -> Event:
        kind: Any = f"response.{self.kind}.{step}"
        return responses_out.ToolEvent(type=kind, **self._place)


class CodeRun(BuiltInCall):
    """A call of Harmony's `python`."""

    kind = "code_interpreter_call"
    running_step = "interpreting"

    def __init__(self, index: int, include: Collection[str], container_id: str) -> None:
        """`container_id` is the session's."""
        super().__init__(index, include)
        self._container_id = container_id

    def grew(self, text: str) -> list[Event]:
        """More of the code."""
        super().grew(text)
        return [responses_out.CodeDelta(delta=text, **self._place)]

    def item(self) -> OutputItem:
        """A code interpreter call."""
        answer = self._answer
        return responses_out.CodeInterpreterCallItem(
            id=self.item_id,
            status="interpreting" if self.is_running else self.status,
            container_id=self._container_id,
            code=self.text,
            outputs=None if answer is None else [responses_out.Logs(logs=answer)],
        )

    def _text_done(self) -> list[Event]:
        return [responses_out.CodeDone(code=self.text, **self._place)]


class Browsing(BuiltInCall):
    """A call of one of Harmony's `browser` tools."""

    kind = "web_search_call"
    running_step = "searching"

    def __init__(self, index: int, include: Collection[str], function: str) -> None:
        """`function` is search, open or find."""
        super().__init__(index, include)
        self._function = function

    @property
    def source(self) -> tuple[int, Source] | None:
        """The page that was shown and its number, where there is one."""
        return None if self._answer is None else source_of(self._answer)

    def item(self) -> OutputItem:
        """A web search call."""
        answer = self._answer
        return responses_out.WebSearchCallItem(
            id=self.item_id,
            status="searching" if self.is_running else self.status,
            action=_action(self._function, self.text if self.written else "", self.source),
            results=None if answer is None else [responses_in.WebSearchResult(text=answer)],
        )


def _action(
    function: str, arguments: str, source: tuple[int, Source] | None
) -> responses_in.Action:
    """What the browser is asked to do; the address is known when the page has been shown."""
    read = read_arguments(arguments).value or {}
    texts = {name: value for name, value in read.items() if isinstance(value, str)}
    url = None if source is None else source[1].url
    match function:
        case "open":
            return responses_in.OpenPageAction(type="open_page", url=url or texts.get("id"))
        case "find":
            pattern = texts.get("pattern", "")
            return responses_in.FindAction(type="find_in_page", pattern=pattern, url=url or "")
        case _:
            return responses_in.SearchAction(type="search", query=texts.get("query"))
