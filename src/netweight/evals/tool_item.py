"""What an item of task `tools` is: a conversation, its tools, the calls it needs, their results.

Does not know how items are made, nor how calls and answers are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from inspect_ai.tool import ToolInfo

Category = Literal[
    "single", "choice", "arguments", "parallel", "follow_up", "chain", "no_need", "no_fit"
]
CATEGORIES: tuple[Category, ...] = get_args(Category)

Values = Mapping[str, object]


@dataclass(frozen=True)
class Call:
    """A call that an item needs, and what it returns."""

    tool: str
    arguments: Values
    result: Values


@dataclass(frozen=True)
class Turn:
    """A question, the calls that it needs in any order, and what its answer must tell."""

    question: str
    calls: tuple[Call, ...] = ()
    told: tuple[object, ...] = ()


@dataclass(frozen=True)
class Item:
    """One conversation, and the tools that are there throughout."""

    category: Category
    tools: tuple[ToolInfo, ...]
    turns: tuple[Turn, ...]

    @property
    def needs_call(self) -> bool:
        """Whether any call is right."""
        return any(turn.calls for turn in self.turns)
