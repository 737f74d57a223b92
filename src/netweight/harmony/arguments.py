"""Tool arguments as JSON, mended where a model got them slightly wrong.

The raw text is always kept. What was mended is named, so that a caller may refuse it. Knows JSON
only: neither messages nor tools.
"""

import json
import re
from typing import NamedTuple, cast

_CLOSING = {"{": "}", "[": "]"}
_ESCAPES = frozenset('"\\/bfnrtu')


class Arguments(NamedTuple):
    """Arguments as written and as read; `value` is None where no object could be read."""

    raw: str
    value: dict[str, object] | None
    repairs: tuple[tuple[str, str], ...] = ()


def read_arguments(raw: str, *, is_complete: bool = True) -> Arguments:
    """Read a JSON object out of what a model wrote; nothing written is the empty object.

    Takes the first JSON value, drops text around it, escapes raw line breaks and stray backslashes,
    closes and matches brackets, and unwraps an object in a list or a string. A text that broke off
    (`is_complete` False) is not closed: where it would have gone on, nobody knows.
    """
    if not raw.strip():
        if is_complete:
            return Arguments(raw, {})
        return Arguments(raw, None, (("incomplete_arguments", "nothing yet"),))
    value = _load(raw)
    if isinstance(value, dict):
        return Arguments(raw, value)
    if raw.strip() == "null":
        return Arguments(raw, {}, (("null_arguments", "taken for no arguments"),))
    mender = _Mender(raw)
    mended = mender.mend()
    if mender.is_open and not is_complete:
        return Arguments(raw, None, (("incomplete_arguments", "the text broke off"),))
    value, wrappers = _unwrap(_load(mended))
    repairs = (*mender.repairs.items(), *wrappers)
    if not isinstance(value, dict):
        return Arguments(raw, None, (("unreadable_arguments", "not a JSON object"),))
    return Arguments(raw, cast(dict[str, object], value), repairs)


def _load(text: str) -> object:
    """The JSON value, or None where the text is none, or one that nobody can use."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unwrap(value: object) -> tuple[object, list[tuple[str, str]]]:
    """An object inside a list of one, or written as a string, as some models wrap it."""
    repairs = []
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
        repairs.append(("arguments_in_list", "the object stood in a list"))
    if isinstance(value, str) and isinstance(inner := _load(value), dict):
        value = inner
        repairs.append(("arguments_in_string", "the object was written as a string"))
    return value, repairs


class _Mender:
    """Copies the first JSON value out of a text, character by character, mending as it goes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.open: list[str] = []
        self.in_string = False
        self.repairs: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        """Whether the text ended before the value did."""
        return "closed_brackets" in self.repairs

    def mend(self) -> str:
        start = self._find_start()
        position = start
        while position < len(self.text):
            step = self._string_step if self.in_string else self._plain_step
            position = step(position)
            if not self.open and not self.in_string:
                break
        rest = self.text[position:].strip()
        if rest:
            self.repairs["trailing_text"] = rest[:100]
        if self.in_string or self.open:
            self._close_all()
        return "".join(self.out)

    def _find_start(self) -> int:
        match = re.search(r'[{\[]|"\s*\{', self.text)
        start = match.start() if match else 0
        if self.text[:start].strip():
            self.repairs["leading_text"] = self.text[:start].strip()[:100]
        return start

    def _plain_step(self, position: int) -> int:
        character = self.text[position]
        if character == '"':
            self.in_string = True
        elif character in _CLOSING:
            self.open.append(character)
        elif character in "}]":
            self._close(character)
            return position + 1
        self.out.append(character)
        return position + 1

    def _string_step(self, position: int) -> int:
        character = self.text[position]
        if character == "\\":
            following = self.text[position + 1 : position + 2]
            if following not in _ESCAPES:
                self.repairs["stray_backslash"] = f"before {following!r}"
                self.out.append("\\\\")
                return position + 1
            self.out.append(character + following)
            return position + 2
        if character == '"':
            self.in_string = False
        if character < " ":
            self.repairs["raw_control_character"] = repr(character)
            character = json.dumps(character)[1:-1]
        self.out.append(character)
        return position + 1

    def _close(self, bracket: str) -> None:
        """A closing bracket: close first what was opened since its own; drop it if it has none."""
        if bracket not in [_CLOSING[opened] for opened in self.open]:
            self.repairs["unmatched_bracket"] = bracket
            return
        while (expected := _CLOSING[self.open.pop()]) != bracket:
            self.repairs["unmatched_bracket"] = bracket
            self._end_with(expected)
        self._end_with(bracket)

    def _close_all(self) -> None:
        self.repairs["closed_brackets"] = "".join(
            _CLOSING[opened] for opened in reversed(self.open)
        )
        if self.in_string:
            self.out.append('"')
            self.in_string = False
        while self.open:
            self._end_with(_CLOSING[self.open.pop()])

    def _end_with(self, bracket: str) -> None:
        """Close a bracket; a comma before it, which JSON forbids, goes."""
        while self.out and (self.out[-1].isspace() or self.out[-1] == ","):
            if self.out[-1] == ",":
                self.repairs["trailing_comma"] = bracket
            self.out.pop()
        self.out.append(bracket)
