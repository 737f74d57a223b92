"""What a conversation of the recipe consists of, and which are kept for evaluation."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from netweight.harmony import (
    DeveloperContent,
    Message,
    ReasoningEffort,
    SystemContent,
    Tool,
    ToolNamespace,
)

Effort = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class Dialogue:
    """From the first question to the last answer, and what the developer says before them."""

    messages: tuple[Message, ...]
    instructions: str | None = None
    tools: tuple[Tool, ...] = ()

    def rendered(self, effort: Effort, date: str | None) -> list[Message]:
        """All messages, with the system and developer messages that a server would put first."""
        system = SystemContent(reasoning_effort=ReasoningEffort(effort), current_date=date)
        messages = [Message.system(system)]
        if self.instructions is not None or self.tools:
            spaces = (ToolNamespace.functions(self.tools),) if self.tools else ()
            content = DeveloperContent(instructions=self.instructions, tools=spaces)
            messages.append(Message.developer(content))
        return [*messages, *self.messages]

    def asked(self, effort: Effort, date: str | None) -> list[Message]:
        """The messages up to and with the last question."""
        messages = self.rendered(effort, date)
        while messages[-1].role != "user":
            messages.pop()
        return messages


def turn(question: str, reasoning: str, answer: str) -> tuple[Message, Message, Message]:
    """A question, and the reasoning and answer it deserves."""
    return (
        Message.user(question),
        Message.assistant(reasoning, channel="analysis"),
        Message.assistant(answer),
    )


def is_held_out(parts: Sequence[object]) -> bool:
    """Whether training must never see what these parts make up: a fifth of everything, by a hash.

    Evaluation asks for nothing else.
    """
    text = "|".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).digest()[0] % 5 == 0
