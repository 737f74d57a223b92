"""Completions that came as text: control tokens spelled out, or stripped away.

Other servers hand out text. What spells a control token is taken for one, which no text that a user
typed may ever be; use `parse` wherever there are token ids. A stripped text is read by the names
that remain, as in `analysis...assistantfinal...`, once it is complete.
"""

import re

from netweight.harmony.events import Event
from netweight.harmony.message import Message, Role
from netweight.harmony.parse import Parser
from netweight.harmony.vocab import Vocabulary


class TextParser:
    """Reads a completion in pieces of text; `parser` is the token parser behind it.

    However the text is cut into pieces, the messages are the same; the deltas follow the pieces.
    """

    def __init__(self, vocabulary: Vocabulary, role: Role | None = Role.ASSISTANT) -> None:
        self.vocabulary = vocabulary
        self.parser = Parser(vocabulary, role)
        special = vocabulary.special
        ids = [getattr(special, field) for field in type(special).__slots__]
        self._marker_ids = {vocabulary.special_names[token_id]: token_id for token_id in ids}
        self._markers = re.compile(f"({'|'.join(map(re.escape, self._marker_ids))})")
        self._held = ""  # what may become a marker with the next piece

    def push(self, text: str) -> list[Event]:
        """Read one piece; the events it causes."""
        text = self._held + text
        num_held = self._num_held(text)
        self._held = text[len(text) - num_held :]
        return self._read(text[: len(text) - num_held])

    def finish(self) -> list[Event]:
        """The text has ended."""
        events = self._read(self._held)
        self._held = ""
        return events + self.parser.finish()

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        return self.parser.messages

    def _num_held(self, text: str) -> int:
        """How many characters at the end begin a marker without completing it."""
        start = text.rfind("<")
        tail = text[start:] if start >= 0 else ""
        is_beginning = tail and any(
            marker.startswith(tail) and marker != tail for marker in self._marker_ids
        )
        return len(tail) if is_beginning else 0

    def _read(self, text: str) -> list[Event]:
        events: list[Event] = []
        for part in self._markers.split(text):
            marker_id = self._marker_ids.get(part)
            ids = self.vocabulary.encode(part) if marker_id is None else [marker_id]
            events += self.parser.push_all(ids)
        return events


def parse_text(
    vocabulary: Vocabulary, text: str, role: Role | None = Role.ASSISTANT
) -> list[Message]:
    """All messages of a completion that came as text."""
    parser = TextParser(vocabulary, role)
    parser.push(text)
    parser.finish()
    return parser.messages
