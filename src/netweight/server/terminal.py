"""Talking to a model in a terminal: one answer, or a conversation.

Shows reasoning dim and the answer plain, as they come, and how fast that went. Works as well when
input or output is a pipe. The console is the caller's; this file knows chat, not the engine.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from types import FrameType

from rich.console import Console
from rich.markup import escape

from netweight.engine import Sampling
from netweight.errors import NetweightError, RequestError
from netweight.harmony import DeveloperContent, Message, ReasoningEffort
from netweight.server.answer import (
    CallAnswered,
    CallDelta,
    CallStarted,
    ContentDelta,
    Delta,
    Done,
    ReasoningDelta,
)
from netweight.server.chat import Chat, ChatModel
from netweight.tools import OpenTool

HELP = """\
/effort low|medium|high   how long the model thinks
/system TEXT              instructions for the model; without TEXT, none
/clear                    forget the conversation
/help                     this
/quit                     leave (so does Ctrl-D)
Ctrl-C stops an answer."""

# What a model writes must not steer the terminal: control characters, but for tab and line feed.
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")


@dataclass(frozen=True)
class Settings:
    """How to answer."""

    effort: ReasoningEffort = ReasoningEffort.MEDIUM
    instructions: str | None = None
    sampling: Sampling = Sampling()  # noqa: RUF009  # frozen, so sharing it is safe
    max_tokens: int | None = None
    tools: tuple[OpenTool, ...] = ()  # closed when a conversation is forgotten

    def chat(self, messages: Sequence[Message]) -> Chat:
        """The conversation, with the instructions before it."""
        first = [Message.developer(DeveloperContent(self.instructions))]
        return Chat(
            [*(first if self.instructions else []), *messages],
            self.effort,
            self.sampling,
            self.max_tokens,
            tools=self.tools,
        )


@dataclass
class Call:
    """A tool call, and what a built-in tool answered."""

    name: str
    arguments: str = ""  # of python, the code
    answer: str | None = None


@dataclass
class Answer:
    """What one answer came to."""

    content: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)  # a model may try without being offered a tool
    done: Done | None = None  # None: it was stopped
    seconds: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """Completion tokens over the whole time, reading the prompt included."""
        return self.done.usage.num_completion / self.seconds if self.done else 0.0

    def summary(self) -> str:
        """One line on length, speed and how it ended."""
        if self.done is None:
            return "stopped"
        usage = self.done.usage
        tokens = "token" if usage.num_completion == 1 else "tokens"
        text = (
            f"{usage.num_completion} {tokens} ({usage.num_reasoning} of reasoning) after a prompt "
            f"of {usage.num_prompt}, {self.tokens_per_s:.1f} tokens/s, seed {self.done.seed}"
        )
        endings = {
            "length": ", cut off at the limit",
            "tool_calls": ", ended in a tool call that nothing answers",
        }
        return text + endings.get(self.done.reason, "")

    def record(self) -> dict[str, object]:
        """All of it, for JSON."""
        fields: dict[str, object] = {
            "content": self.content,
            "reasoning": self.reasoning or None,
            "tool_calls": [asdict(call) for call in self.calls] or None,
            "finish_reason": self.done.reason if self.done else "stopped",
            "seconds": round(self.seconds, 3),
        }
        if self.done is not None:
            usage = self.done.usage
            fields |= {
                "prompt_tokens": usage.num_prompt,
                "completion_tokens": usage.num_completion,
                "reasoning_tokens": usage.num_reasoning,
                "tokens_per_s": round(self.tokens_per_s, 2),
                "seed": self.done.seed,
            }
        return fields

    def add(self, delta: Delta) -> None:
        """Take in one more delta."""
        match delta:
            case ReasoningDelta(text):
                self.reasoning += text
            case ContentDelta(text):
                self.content += text
            case CallStarted(_, _, name):
                self.calls.append(Call(name))
            case CallDelta(number, arguments):
                self.calls[number].arguments += arguments
            case CallAnswered(number, _, text):
                self.calls[number].answer = text
            case Done():
                self.done = delta


def answer(
    model: ChatModel,
    chat: Chat,
    show: Callable[[Delta], None],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Answer:
    """Answer a conversation, showing each delta as it comes. Ctrl-C stops it.

    Raises:
        HarmonyError, RequestError: when the conversation cannot be answered, or the model failed.
        ToolError: when a tool does not work.
    """
    result = Answer()
    start_s = clock()
    with interruptible() as is_stopped:
        for delta in model.answer(chat, is_stopped=is_stopped):
            result.add(delta)
            show(delta)
    result.seconds = clock() - start_s
    if result.done is not None and result.done.error is not None:
        raise RequestError(result.done.error)
    return result


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within the block, the first Ctrl-C is only noted; a second one raises KeyboardInterrupt.

    Raising at once could hit the engine in the middle of its bookkeeping.
    """
    asked = threading.Event()

    def note(signum: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, previous)


class Display:
    """Writes deltas: content to `out`, the rest dim to `aside`, an empty line between the two."""

    def __init__(self, out: Console, aside: Console, *, show_reasoning: bool = True) -> None:
        """`aside` may be the same console."""
        self._out = out
        self._aside = aside
        self._show_reasoning = show_reasoning
        self._open: str | None = None  # what the line under way belongs to

    def __call__(self, delta: Delta) -> None:
        """Show one delta."""
        match delta:
            case ReasoningDelta(text) if self._show_reasoning:
                self._write("reasoning", self._aside, text)
            case ContentDelta(text):
                self._write("content", self._out, text)
            case CallStarted(_, _, name):
                self._write(f"call {name}", self._aside, f"calls {name}: ")
            case CallDelta(_, arguments):
                self._write(self._open or "", self._aside, arguments)
            case CallAnswered(_, name, text):
                self._write(f"answer of {name}", self._aside, f"{name} answers: {text.rstrip()}")
            case Done():
                self.end()

    def end(self) -> None:
        """End the line under way."""
        if self._open is not None:
            (self._out if self._open == "content" else self._aside).print()
        self._open = None

    def _write(self, what: str, console: Console, text: str) -> None:
        if self._open not in (None, what):
            self.end()
            self._aside.print()
            text = text if what == "content" else text.lstrip("\n")  # there is an empty line now
        self._open = what
        if console.is_terminal:
            text = text.translate(_CONTROLS)
        if what == "content":
            console.file.write(text)  # as it is: rich would turn tabs into spaces
        else:
            console.print(text, end="", style="dim", markup=False, highlight=False, soft_wrap=True)
        console.file.flush()


class Conversation:
    """A chat in the terminal, from the first line to Ctrl-D."""

    def __init__(self, model: ChatModel, console: Console, settings: Settings) -> None:
        """Talk to `model` on `console`."""
        self._model = model
        self._console = console
        self._settings = settings
        self._messages: list[Message] = []

    def run(self) -> None:
        """Read and answer until the input ends or the person leaves."""
        if self._is_interactive:
            self._tell(f"{self._model.name} listens. /help lists the commands; Ctrl-D leaves.")
        for line in self._lines():
            if line.startswith("/"):
                if not self._obey(*line[1:].split(maxsplit=1)):
                    return
            elif line:
                self._answer(line)

    @property
    def _is_interactive(self) -> bool:
        return sys.stdin.isatty()

    def _lines(self) -> Iterator[str]:
        while True:
            try:
                line = self._console.input("[bold]> [/bold]") if self._is_interactive else input()
            except KeyboardInterrupt:
                self._console.print()
                self._tell("Ctrl-D or /quit leaves.")
                continue
            except EOFError:
                self._console.print()
                return
            yield line.strip()

    def _answer(self, line: str) -> None:
        asked = [*self._messages, Message.user(line)]
        display = Display(self._console, self._console)
        try:
            result = answer(self._model, self._settings.chat(asked), display)
        except NetweightError as error:
            display.end()
            self._console.print(f"[red]{escape(str(error))}[/red] /clear starts anew.")
            return
        display.end()
        self._tell(result.summary())
        if result.done is not None:
            self._messages = [*asked, *result.done.messages]
        elif result.content:  # stopped: what was said still counts
            self._messages = [*asked, Message.assistant(result.content)]

    def _obey(self, command: str = "", argument: str = "") -> bool:
        """Follow a command; False when it is to leave."""
        match command:
            case "help":
                self._tell(HELP)
            case "quit" | "exit":
                return False
            case "clear":
                self._messages = []
                for tool in self._settings.tools:
                    tool.close()
                self._tell("The conversation is forgotten.")
            case "system":
                self._settings = replace(self._settings, instructions=argument or None)
                self._tell("The model has new instructions." if argument else "No instructions.")
            case "effort" if argument in tuple(ReasoningEffort):
                self._settings = replace(self._settings, effort=ReasoningEffort(argument))
                self._tell(f"Effort is {argument}.")
            case "effort":
                self._tell(f"Effort is {self._settings.effort}; /effort low, medium or high.")
            case _:
                self._tell(f"/{command} is no command.\n{HELP}")
        return True

    def _tell(self, text: str) -> None:
        self._console.print(text, style="dim", markup=False, highlight=False)
