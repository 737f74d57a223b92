"""A conversation's way through the house: rendered, continued by the engine, parsed into deltas.

The server and the terminal commands both talk to a model through this file. Knows Harmony, the
engine and what a built-in tool is; knows no HTTP, no thread and no terminal.
"""

import copy
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from netweight import harmony
from netweight.engine import (
    STEP_TOKENS,
    Engine,
    Event,
    Model,
    Request,
    Sampling,
    fresh_seed,
    plan_cache,
)
from netweight.errors import AdapterError, CheckpointError, ContextTooLong
from netweight.harmony import (
    DeveloperContent,
    JsonSchema,
    Message,
    ReasoningEffort,
    SystemContent,
    Tool,
    ToolNamespace,
    Vocabulary,
)
from netweight.harmony.calls import FUNCTIONS, ToolCall, tool_names
from netweight.harmony.grammar import Constrainer, Constraint, Rules, ToolChoice
from netweight.model import (
    DEVICE_STEP_TOKENS,
    Dense,
    DeviceModel,
    ModelFolder,
    Transformer,
    find_device,
    load_model,
)
from netweight.server.answer import AnswerReader, CallAnswered, Delta, Done
from netweight.server.source import Source
from netweight.tools import OpenTool


@dataclass(frozen=True)
class Chat:
    """A conversation to be continued. `messages` leaves out the system message, which is ours.

    A `tool_choice` other than auto is enforced, as are what it may be chosen from, one call at a
    time, the arguments of strict tools, and the schema of the final answer. Where a call is forced,
    every tool's arguments follow its schema; where only something else is enforced, those of a tool
    that is not strict are any object. With nothing to enforce the model writes freely.
    """

    messages: Sequence[Message]
    effort: ReasoningEffort = ReasoningEffort.MEDIUM
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    num_logprobs: int | None = None  # for the tokens of the content; None: not wanted
    tools: tuple[OpenTool, ...] = ()  # offered to the model, and run by `ChatModel.answer`
    max_tool_calls: int = 16  # to them; after that the model has to do without
    max_tool_s: float = 300.0  # likewise, from the beginning of the answer
    tool_choice: ToolChoice | str = ToolChoice.AUTO  # or the full name of the tool to call
    may_call: frozenset[str] | None = None  # full names of the tools to choose from; None: all
    parallel_calls: bool = True  # whether an answer may have several calls
    strict_tools: frozenset[str] = frozenset()  # full names: functions.f
    answer_schema: JsonSchema | None = None  # of the final message; None: it is text

    @property
    def offered(self) -> tuple[ToolNamespace, ...]:
        """The tools that the model is told of, built-in ones and the developer's."""
        declared = [
            namespace
            for message in self.messages
            for part in message.content
            if isinstance(part, DeveloperContent)
            for namespace in part.tools
        ]
        return (*(tool.namespace for tool in self.tools), *declared)

    @property
    def forces_call(self) -> bool:
        """Whether the answer has to be a tool call."""
        return self.tool_choice not in (ToolChoice.AUTO, ToolChoice.NONE)

    @property
    def rules(self) -> Rules | None:
        """What is enforced; None where nothing is."""
        offered = self.offered
        is_free = self.parallel_calls and not self.strict_tools and self.may_call is None
        limits_calls = bool(offered) and not is_free
        if self.tool_choice == ToolChoice.AUTO and self.answer_schema is None and not limits_calls:
            return None
        if self.may_call is not None:
            offered = _restricted(offered, self.may_call)
        if not self.forces_call:
            offered = tuple(_loosened(namespace, self.strict_tools) for namespace in offered)
        return Rules(offered, self.tool_choice, self.parallel_calls, self.answer_schema)


def _restricted(
    offered: Sequence[ToolNamespace], names: Collection[str]
) -> tuple[ToolNamespace, ...]:
    """What is left of the tools when only those of these full names may be called."""
    left = [
        replace(
            namespace,
            tools=tuple(
                tool for tool in namespace.tools if f"{namespace.name}.{tool.name}" in names
            ),
        )
        for namespace in offered
        if namespace.tools or namespace.name in names
    ]
    return tuple(namespace for namespace in left if namespace.tools or namespace.name in names)


def _loosened(namespace: ToolNamespace, strict_tools: frozenset[str]) -> ToolNamespace:
    """The namespace, its functions taking any object unless they are strict."""
    if f"{namespace.name}." != FUNCTIONS:
        return namespace
    tools = [
        tool
        if FUNCTIONS + tool.name in strict_tools
        else Tool(tool.name, parameters={"type": "object"})
        for tool in namespace.tools
    ]
    return ToolNamespace.functions(tools)


@dataclass(frozen=True)
class ModelSettings:
    """How a model is loaded and run."""

    dense: Dense = "bf16"  # how attention, embedding and output matrices are stored
    memory_bytes: int | None = None  # for weights, keys and values; None: most of what is free
    speculate: int = 0  # tokens guessed ahead in a step, at most
    device: str | None = None  # as cpu or cuda:0; None: the first CUDA device, if there is one
    adapters: Mapping[str, Path] = field(default_factory=dict)  # folders of LoRA adapters by name


class _ConstrainerOnDemand:
    """What makes constraints; made when it is first asked for, which takes a second."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._constrainer: Constrainer | None = None
        self._making = threading.Lock()

    def get(self) -> Constrainer:
        with self._making:
            if self._constrainer is None:
                self._constrainer = Constrainer(self._vocabulary)
            return self._constrainer


class ChatModel:
    """A model to talk to: its name, its vocabulary, and an engine that runs it.

    `adapter` is the name of the engine's adapter that it speaks with; None: the model as it is.
    """

    def __init__(
        self,
        name: str,
        vocabulary: Vocabulary,
        engine: Engine,
        *,
        today: Callable[[], date] = date.today,
        source: Source | None = None,
    ) -> None:
        """`today` tells the model the date; `source` has the files that it was loaded from."""
        self.name = name
        self.vocabulary = vocabulary
        self.engine = engine
        self.adapter: str | None = None
        self.source = source
        self._today = today
        self._constrainer = _ConstrainerOnDemand(vocabulary)

    @classmethod
    def load(
        cls,
        folder: ModelFolder,
        settings: ModelSettings = ModelSettings(),
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> "ChatModel":
        """Load weights and vocabulary from a checkpoint folder.

        `progress` is told how many bytes of how many are packed, the first time.

        Raises:
            CheckpointError, VocabularyError: naming the file that is missing or damaged.
            AdapterError: when an adapter cannot be used, or has the model's own name.
            NotEnoughMemory: when the model cannot run in the memory that it may use.
            NetweightError: when there is no such device.
        """
        if folder.name in settings.adapters:
            raise AdapterError(
                f"an adapter is called {folder.name!r}, as the model itself is. Give it another "
                "name."
            )
        model = load_model(
            folder.path,
            device=find_device(settings.device),
            dense=settings.dense,
            memory_bytes=settings.memory_bytes,
            adapters=settings.adapters,
            progress=progress,
        )
        return cls.of(folder, model, settings)

    @classmethod
    def of(
        cls,
        folder: ModelFolder,
        model: Transformer | DeviceModel,
        settings: ModelSettings,
        *,
        shared: Model | None = None,
    ) -> "ChatModel":
        """Put vocabulary and engine to a loaded model.

        `shared` runs it together with other ranks, where it is a shard.

        Raises:
            as `load`.
        """
        vocabulary = Vocabulary.load(folder.path)
        if vocabulary.size > model.config.vocab_size:
            raise CheckpointError(
                f"{vocabulary.source} has {vocabulary.size} token ids, but the model knows only "
                f"{model.config.vocab_size}. Use the tokenizer that came with it."
            )
        assert model.budget is not None, "a loaded model has a budget"
        engine = Engine(
            shared or model,
            cache_size=plan_cache(model.config, model.budget.kv_bytes),
            step_tokens=STEP_TOKENS if isinstance(model, Transformer) else DEVICE_STEP_TOKENS,
            speculate=settings.speculate,
        )
        source = Source(folder.path, settings.adapters)
        return cls(folder.name, vocabulary, engine, source=source)

    def with_adapter(self, name: str) -> "ChatModel":
        """The same with the engine's adapter of this name, which is then what it is called."""
        assert name in self.engine.adapters, f"there is no adapter {name}"
        adapted = copy.copy(self)
        adapted.name = adapted.adapter = name
        return adapted

    def prompt_ids(self, chat: Chat) -> list[int]:
        """What the model reads of a conversation, up to where it goes on.

        Raises:
            HarmonyError: when Harmony cannot express a message.
        """
        system = SystemContent(
            reasoning_effort=chat.effort,
            current_date=self._today().isoformat(),
            tools=tuple(tool.namespace for tool in chat.tools),
        )
        messages = [Message.system(system), *chat.messages]
        return harmony.render_for_completion(self.vocabulary, messages)

    def request(self, chat: Chat) -> Request:
        """The engine's request for a conversation, checked against the model's limits.

        Raises:
            HarmonyError: when Harmony cannot express a message, or what a chat asks for cannot be
                enforced, as a schema with a keyword that no grammar knows.
            RequestError: when the request cannot run; ContextTooLong when it is too long.
        """
        return self._request(chat, self._constraint(chat))

    def _request(self, chat: Chat, constraint: Constraint | None) -> Request:
        request = Request(
            self.prompt_ids(chat),
            chat.sampling,
            self.vocabulary.stop_ids,
            chat.max_tokens,
            chat.num_logprobs,
            constraint,
            adapter=self.adapter,
        )
        self.engine.check(request)
        return request

    def requests(self, chat: Chat, number: int) -> list[Request]:
        """Requests for several answers, which share a prompt; their seeds count up from the first.

        Raises:
            HarmonyError, RequestError: as `request` does.
        """
        constraint = self._constraint(chat)
        first = self._request(chat, constraint)
        seed = fresh_seed() if chat.sampling.seed is None else chat.sampling.seed
        first = replace(first, sampling=replace(first.sampling, seed=seed))
        others = [
            replace(
                first,
                sampling=first.sampling.numbered(index),
                constraint=None if constraint is None else constraint.copy(),
            )
            for index in range(1, number)
        ]
        return [first, *others]

    def _constraint(self, chat: Chat) -> Constraint | None:
        rules = chat.rules
        return None if rules is None else self.constrainer.constrain(rules)

    @property
    def constrainer(self) -> Constrainer:
        """What makes constraints: the same with each adapter."""
        return self._constrainer.get()

    def answer(
        self, chat: Chat, *, is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Delta]:
        """Continue a conversation in this thread, until its end or until `is_stopped`.

        That is asked after every token, since many bring no delta. Then there is no Done. Calls to
        the chat's tools are answered here, and the model goes on.

        Raises:
            HarmonyError, RequestError: as `request` does.
            ToolError: when a tool does not work.
        """
        rounds = Rounds(self, chat)
        request: Request | None = rounds.request
        while request is not None:
            with closing(self.engine.generate(request)) as events:
                for event in events:
                    yield from rounds.read(event)
                    if is_stopped() and not rounds.is_read:
                        return
            for call in rounds.calls:
                yield rounds.answered(call, call.run(is_stopped))
                if is_stopped():
                    return
            request = rounds.next_request()
        yield rounds.done


class PendingCall(NamedTuple):
    """A call to a built-in tool that waits to be answered."""

    number: int
    tool: OpenTool
    call: ToolCall
    channel: str | None
    refusal: str | None = None  # what the model is told where the call is one too many

    def run(self, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """The tool's answer, which may take its time.

        Raises:
            ToolError: when the tool does not work.
        """
        return self.refusal or self.tool.run(self.call, is_stopped=is_stopped)


class Rounds:
    """One answer in as many requests as it takes: between them, built-in tools answer calls.

    Whoever drives it gives the events of `request` to `read`, then answers `calls` in order by
    `answered`, and goes on with the `next_request`, until there is none; then it is `done`.
    """

    def __init__(
        self,
        model: ChatModel,
        chat: Chat,
        *,
        tell_messages: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Checks the first request, and raises what `ChatModel.request` does."""
        self._model = model
        self._chat = chat
        self._clock = clock
        self._start_s = clock()
        self._num_run = 0
        self._answers: list[Message] = []  # of tools, in this round
        self._done: Done | None = None  # of this round's request, once it has been read
        if chat.tools and chat.max_tool_calls <= 0:
            self._chat = self._without_tools()
        self.request = model.request(self._chat)
        self._reader = AnswerReader(
            model.vocabulary,
            len(self.request.prompt_ids),
            chat.offered,
            tell_messages=tell_messages,
        )

    @property
    def is_read(self) -> bool:
        """Whether this round's request has ended."""
        return self._done is not None

    @property
    def done(self) -> Done:
        """How the answer ended."""
        assert self._done is not None, "the last request has not been read"
        return self._done

    def read(self, event: Event) -> Iterator[Delta]:
        """The deltas that an event of this round's request brings; Done is kept to the end."""
        for delta in self._reader.read(event):
            if isinstance(delta, Done):
                self._done = delta
            else:
                yield delta

    @property
    def calls(self) -> Iterator[PendingCall]:
        """The calls of this round that tools here have to answer."""
        if self.done.reason != "tool_calls":
            return
        calls = self._reader.calls()
        first = self._reader.num_calls - len(calls)
        for number, (call, channel) in enumerate(calls, start=first):
            for tool in self._chat.tools:
                if tool.namespace.name == call.recipient.partition(".")[0]:
                    yield PendingCall(number, tool, call, channel, self._refusal)

    @property
    def _refusal(self) -> str | None:
        if self._num_run >= self._chat.max_tool_calls:
            return f"[not run: {self._chat.max_tool_calls} calls are the limit]"
        return None

    def answered(self, pending: PendingCall, text: str) -> CallAnswered:
        """Take in a tool's answer."""
        name = pending.call.recipient
        self._answers.append(Message.tool(name, text, channel=pending.channel))
        self._num_run += 1
        return CallAnswered(pending.number, name, text)

    def next_request(self) -> Request | None:
        """The request in which the model reads the tools' answers; None where the answer ends.

        It ends where no tool here was called, where a call is for others to answer, and where there
        is no room left, which counts as length.
        """
        done, answers = self.done, self._answers
        if not answers:
            return None
        self._done = done = done._replace(messages=(*done.messages, *answers))
        if len(answers) < len(self._reader.calls()):
            return None
        following = self._following(done)
        if following is None:
            self._done = done._replace(reason="length")
            return None
        self._reader.go_on(answers, len(following.prompt_ids))
        self._done, self._answers, self.request = None, [], following
        return following

    def _following(self, done: Done) -> Request | None:
        chat = self._chat
        left = None if chat.max_tokens is None else chat.max_tokens - done.usage.num_completion
        if left == 0:
            return None
        is_late = self._clock() - self._start_s >= chat.max_tool_s
        if is_late or self._num_run >= chat.max_tool_calls:
            chat = self._without_tools()
        following = replace(
            chat,
            messages=[*chat.messages, *done.messages],
            sampling=replace(chat.sampling, seed=done.seed),  # one seed repeats the whole answer
            # A forced call has been made; were it forced again, there would never be an answer.
            tool_choice=ToolChoice.AUTO if chat.forces_call else chat.tool_choice,
        )
        with suppress(ContextTooLong):
            return self._model.request(replace(following, max_tokens=left))
        return None

    def _without_tools(self) -> Chat:
        """The chat, in which built-in tools are still declared, as before, but cannot be called."""
        chat = self._chat
        names = tool_names(chat.offered) if chat.may_call is None else chat.may_call
        built_in = tool_names([tool.namespace for tool in chat.tools])
        return replace(chat, may_call=frozenset(names).difference(built_in))
