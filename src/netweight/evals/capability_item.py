"""What an item of task `capability` is: a question with one right answer.

Does not know how items are made, nor how answers are read.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser

Kind = Literal["arithmetic", "logic", "reading"]
KINDS: tuple[Kind, ...] = get_args(Kind)

YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True)
class Item:
    """A question with one right answer, and the answers it could be taken for.

    Without `candidates` the answer is a number. `facts` are what the system message says.
    """

    kind: Kind
    num_steps: int
    question: str
    answer: str
    candidates: tuple[str, ...] = ()
    facts: str | None = None

    def messages(self) -> list[ChatMessage]:
        """What the model is sent."""
        asked = ChatMessageUser(content=self.question)
        return [asked] if self.facts is None else [ChatMessageSystem(content=self.facts), asked]
