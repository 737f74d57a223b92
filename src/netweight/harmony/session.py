"""A conversation rendered again and again, so that a server need not start over.

A prompt cache holds the tokens of the last prompt and of the answer to it. A session says which of
them still stand, which tokens are new, and, where older ones had to change, why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from netweight.harmony.message import Message, Role
from netweight.harmony.render import (
    ReasoningPolicy,
    has_functions,
    kept_messages,
    render_message,
)
from netweight.harmony.tools import SchemaMode
from netweight.harmony.vocab import Vocabulary


@dataclass(frozen=True, slots=True)
class Update:
    """The next prompt: the first `num_kept` tokens of what the session held, then `new_ids`.

    `reason` says why older tokens changed; None where all were kept.
    """

    num_kept: int
    new_ids: list[int]
    reason: str | None = None


class _Piece(NamedTuple):
    message: Message
    ids: list[int]


class Session:
    """Renders one growing conversation; `token_ids` is the last prompt and what was added to it."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        policy: ReasoningPolicy = ReasoningPolicy.BEFORE_LAST_FINAL,
        schemas: SchemaMode = SchemaMode.FIXED,
    ) -> None:
        self.vocabulary = vocabulary
        self.policy = policy
        self.schemas = schemas
        self.token_ids: list[int] = []
        self._pieces: list[_Piece] = []
        self._has_functions = False
        self._next_header: dict[Role, list[int]] = {}

    def update(self, messages: Sequence[Message], *, next_role: Role = Role.ASSISTANT) -> Update:
        """Render the whole conversation for its next message, reusing what did not change.

        The prompt is the same as that of `render_for_completion`. Raises HarmonyError as it does,
        and then the session is as before.
        """
        has_function_tools = has_functions(messages)
        kept = kept_messages(messages, self.policy)
        num_same = self._num_same(kept) if has_function_tools == self._has_functions else 0
        added = [
            _Piece(
                message,
                render_message(
                    self.vocabulary,
                    message,
                    has_function_tools=has_function_tools,
                    schemas=self.schemas,
                ),
            )
            for message in kept[num_same:]
        ]
        start = sum(len(piece.ids) for piece in self._pieces[:num_same])
        tail = [token_id for piece in added for token_id in piece.ids] + self._header(next_role)
        old_tail = self.token_ids[start:]
        num_kept = start + _num_common(old_tail, tail)
        reason = None
        if num_kept < len(self.token_ids):
            reason = self._reason(messages, kept, num_same, has_function_tools)
        new_ids = tail[num_kept - start :]
        del self.token_ids[num_kept:]
        self.token_ids += new_ids
        self._pieces[num_same:] = added
        self._has_functions = has_function_tools
        return Update(num_kept, new_ids, reason)

    def observe(self, token_ids: Iterable[int]) -> None:
        """Take note of tokens that the model wrote after the last prompt."""
        self.token_ids += token_ids

    def _header(self, role: Role) -> list[int]:
        if role not in self._next_header:
            ids = [self.vocabulary.special.start, *self.vocabulary.encode(role)]
            self._next_header[role] = ids
        return self._next_header[role]

    def _num_same(self, kept: Sequence[Message]) -> int:
        """How many messages at the beginning are those rendered last time, layout included."""
        pairs = zip(self._pieces, kept, strict=False)
        return sum(1 for _ in takewhile(_is_same, pairs))

    def _reason(
        self,
        messages: Sequence[Message],
        kept: Sequence[Message],
        num_same: int,
        has_function_tools: bool,
    ) -> str:
        if has_function_tools != self._has_functions:
            return "function tools were declared or taken away, which the system message says"
        if num_same == len(self._pieces):
            return "the model's own tokens are not how its message is written in a prompt"
        lost = self._pieces[num_same].message
        if lost in messages and lost not in kept:
            return f"earlier reasoning is dropped under the policy {self.policy}"
        if num_same == len(kept):
            return f"the {lost.role} message at {num_same} was taken away"
        return f"the {lost.role} message at {num_same} is another"


def _is_same(pair: tuple[_Piece, Message]) -> bool:
    piece, message = pair
    if piece.message is message:
        return True
    return piece.message == message and piece.message.layout == message.layout


def _num_common(left: Sequence[int], right: Sequence[int]) -> int:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    return sum(1 for _ in same)
