"""Message headers: what stands between `<|start|>` and `<|message|>`, however it is written.

A header is a list of segments: the text before the first control token, then each `<|channel|>` or
`<|constrain|>` with the text after it. Role, recipient, channel and content type are found in any
order; whatever had to be repaired is named. Knows no token ids.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from netweight.harmony.message import Channel, Role

CONSTRAIN = "<|constrain|>"  # as content types spell the control token

_ROLES = frozenset(Role)
_CHANNELS = frozenset(Channel)
_CONTENT_TYPES = frozenset({"json", "code", "text"})

_CHANNEL_NAME = re.compile(rf"({'|'.join(Channel)})[\W_]*")
_KNOWN_NAME = re.compile(rf"({'|'.join([*Channel, *Role])})[\W_]*")
_RECIPIENT = re.compile(r"to=\s*((?:functions|browser)\s*\.\s*[\w$.:/-]+|[\w$.:/-]*)")
_LOOSE_RECIPIENT = re.compile(r"[Tt]o\s*[=:]\s*[\"'`]?([\w$./-]+)")
_TOOL_NAME = re.compile(r"(?:functions|browser)\.[\w$.-]+|python")
_WORD = re.compile(r"\S+")
_ODD_CHARACTERS = re.compile(r"[^\w$.:/-]")
_PLAIN_WORD = re.compile(r"[\w$.+/-]+")
_CONTENT_TYPE = re.compile(r"(?:json|code|text)(?![a-z0-9_.])")
_CODE = re.compile("code")  # after python, whose code may follow with nothing between


class Header(NamedTuple):
    """Who says a message, where, and to whom; see `Message`."""

    role: Role
    name: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None


class Segment(NamedTuple):
    """Text of a header after a control token: `channel`, `constrain`, or None for its beginning."""

    marker: str | None
    text: str


class Reading(NamedTuple):
    """A header as read: its fields, repairs (code and detail), and text that is no header.

    `body_start` is the index of the segment and the offset in it at which that text begins, when
    the header was read for text that follows without `<|message|>`.
    """

    header: Header
    repairs: list[tuple[str, str]]
    body: str
    body_start: tuple[int, int] | None


def read_header(
    segments: list[Segment],
    role: Role | None,
    *,
    has_message: bool = True,
    has_start: bool = True,
) -> Reading:
    """Read a header; `role` is what the prompt already said, or None.

    With `has_message`, all segments are header, and what fits no field is a repair. Without, the
    `<|message|>` is missing: the body starts at the first text that fits no field. Without
    `has_start` the `<|start|>` is missing, and a first word that is no role is not taken for a
    tool's name.
    """
    return _HeaderReader(role, has_message=has_message, has_start=has_start).read(segments)


def may_go_on(reading: Reading) -> bool:
    """Whether what was taken for a body is the beginning of one more word of the header."""
    has_role = all(code != "missing_role" for code, _ in reading.repairs)
    words = ["to=", *_CONTENT_TYPES] if has_role else list(Role)
    return any(word.startswith(reading.body) for word in words)


def oddities(header: Header, *, is_completion: bool) -> Iterator[tuple[str, str]]:
    """What is odd, code and detail, about a header that is well formed."""
    channel, recipient = header.channel, header.recipient
    if header.role is not Role.ASSISTANT:
        if is_completion:
            yield "not_assistant", f"a completion speaks as {header.role}"
    elif channel is None:
        yield "missing_channel", "a message without a channel"
    elif recipient is not None and recipient not in _ROLES:
        # Functions belong on commentary; built-in tools may be called while reasoning.
        is_function = recipient.startswith("functions.")
        if channel == Channel.FINAL or (channel == Channel.ANALYSIS and is_function):
            yield "call_off_commentary", f"{recipient} called on {channel}"


class _HeaderReader:
    """Collects the fields of one header, segment by segment, word by word."""

    def __init__(self, role: Role | None, *, has_message: bool, has_start: bool) -> None:
        self.role = role
        self.name: str | None = None
        self.channel: str | None = None
        self.recipient: str | None = None
        self.content_type: str | None = None
        self.repairs: list[tuple[str, str]] = []
        self.has_message = has_message
        self.has_start = has_start
        self.has_markers = False
        self.needs_author = role is None
        self.extra_words: list[str] = []
        self.body_start: tuple[int, int] | None = None

    def read(self, segments: list[Segment]) -> Reading:
        self.has_markers = len(segments) > 1
        for index, segment in enumerate(segments):
            self.read_segment(index, segment)
            if self.body_start is not None:
                break
        if len(self.extra_words) == 1 and self.content_type is None:
            self.take_type(self.extra_words.pop())
        if self.extra_words:
            self.repair("extra_header_words", " ".join(self.extra_words))
        if self.role is None:
            self.role = Role.ASSISTANT
            self.repair("missing_role", "taken as assistant")
        if self.role is Role.TOOL and self.name is None:
            self.name = "tool"
            self.repair("missing_name", "a tool that does not say which")
        header = Header(self.role, self.name, self.channel, self.recipient, self.content_type)
        return Reading(header, self.repairs, self.body(segments), self.body_start)

    def take_type(self, word: str) -> None:
        """A single word that fits nowhere else is an uncommon content type, if it is a word."""
        if _PLAIN_WORD.fullmatch(word):
            self.content_type = word
            self.repair("unknown_content_type", word)
        else:
            self.extra_words.append(word)

    def repair(self, code: str, detail: str) -> None:
        self.repairs.append((code, detail))

    def body(self, segments: list[Segment]) -> str:
        if self.body_start is None:
            return ""
        index, offset = self.body_start
        later = [f"<|{segment.marker}|>{segment.text}" for segment in segments[index + 1 :]]
        return segments[index].text[offset:] + "".join(later)

    def read_segment(self, index: int, segment: Segment) -> None:
        text, position = segment.text, 0
        if segment.marker == "channel":
            position = self.read_channel(text)
        elif segment.marker == "constrain":
            position = self.read_constraint(text)
        while match := _WORD.search(text, position):
            position = self.read_word(text, match)
            if position < 0:
                self.body_start = (index, match.start())
                return

    def read_word(self, text: str, match: re.Match[str]) -> int:
        """Take the word at a match; the position after it, or -1 where the body begins."""
        if recipient := self.recipient_at(text, match.start()):
            return self.read_recipient(text, recipient)
        word = match.group()
        if self.needs_author:
            self.needs_author = False
            if (end := self.read_author(word, match)) is not None:
                return end
        # Before text, and after a channel, the word is rather the text's own.
        is_header = self.has_message or (self.has_markers and self.channel is None)
        if is_header and word in _ROLES and word == self.role:
            self.repair("repeated_role", word)
            return match.end()
        if self.recipient is not None or self.has_message:
            is_code = self.recipient == "python" and not self.has_message
            if kind := (_CODE if is_code else _CONTENT_TYPE).match(text, match.start()):
                return self.read_type(word, kind)
            if self.take_stray_name(word):
                return match.end()
        if not self.has_message:
            return -1
        self.extra_words.append(word)
        return match.end()

    def recipient_at(self, text: str, start: int) -> re.Match[str] | None:
        """A recipient here; where only header can follow, also `to: x`, `to = x` and `to="x"`."""
        recipient = _RECIPIENT.match(text, start)
        if self.has_message and not (recipient and recipient.group(1)):
            return _LOOSE_RECIPIENT.match(text, start) or recipient
        return recipient

    def take_stray_name(self, word: str) -> bool:
        """Whether the word is a channel without its marker, or a tool without its `to=`."""
        name, tool = word.strip("-\u2013\u2014?.,:"), word.rpartition("=")[2]
        if name in _CHANNELS:
            self.repair("repeated_channel" if self.channel else "missing_channel_marker", word)
            self.channel = self.channel or name
        elif self.recipient is None and _TOOL_NAME.fullmatch(tool):
            self.repair("missing_to", word)
            self.recipient = tool
        else:
            return False
        return True

    def read_type(self, word: str, kind: re.Match[str]) -> int:
        if self.has_message and word != kind.group():
            self.extra_words.append(word)
            return kind.start() + len(word)
        if self.content_type is None:
            self.content_type = kind.group()
        else:
            self.repair("repeated_content_type", word)
        return kind.end()

    def read_author(self, word: str, match: re.Match[str]) -> int | None:
        """The role, or a tool's name; role and channel names run together are taken apart.

        Returns the position after it, or None where the word is no author.
        """
        first, _, name = word.partition(":")
        if first in _ROLES:
            self.role, self.name = Role(first), _plain(name) or None
            return match.end()
        if self.has_message and first.lower() in _ROLES:
            self.repair("misspelt_role", word)
            self.role, self.name = Role(first.lower()), _plain(name) or None
            return match.end()
        names, rest = _known_names(word, _KNOWN_NAME)
        if names and (_is_header(rest) or not self.has_message):
            is_glued = len(names) > 1 or rest or names[0] in _ROLES
            self.repair("glued_header" if is_glued else "missing_role", word)
            self.role = Role(names[0]) if names[0] in _ROLES else Role.ASSISTANT
            self.channel = next((known for known in reversed(names) if known in _CHANNELS), None)
            return match.end() - len(rest)
        is_text = not self.has_message and not (self.has_markers and _PLAIN_WORD.fullmatch(word))
        is_name = self.has_start and _is_tools(_plain(word))
        if not is_name or (is_text and "." not in word.rstrip(".")):
            return None
        self.role, self.name = Role.TOOL, _plain(word)
        if "." not in word or self.name != word:
            self.repair("unknown_role", word)
        return match.end()

    def read_recipient(self, text: str, match: re.Match[str]) -> int:
        recipient, end = "".join(match.group(1).split()), match.end()
        if not recipient:
            self.repair("empty_recipient", match.group())
            return end
        if match.group() != f"to={recipient}":
            self.repair("misspelt_recipient", match.group())
        rest = _WORD.match(text, end)
        if rest and self.has_message:
            self.extra_words.append(rest.group())
            end = rest.end()
        if self.recipient is not None:
            code = "repeated_recipient" if recipient == self.recipient else "conflicting_recipient"
            self.repair(code, recipient)
        self.recipient = recipient
        return end

    def read_channel(self, text: str) -> int:
        """The channel's name at the start of a segment; the position after it."""
        match = _WORD.search(text)
        if match is None or match.group().startswith("to="):
            self.repair("empty_channel", "no name after the channel marker")
            return 0
        if match.start() > 0:
            self.repair("space_before_channel", match.group())
        channel, end = self.channel_name(match)
        if self.channel is not None:
            self.repair("repeated_channel", channel)
        if channel in _CHANNELS or self.channel not in _CHANNELS:
            self.channel = channel or None
        return end

    def channel_name(self, match: re.Match[str]) -> tuple[str, int]:
        word = match.group()
        if word in _CHANNELS:
            return word, match.end()
        # Before text, `analysisuser` is rather a text that begins with "user".
        names, rest = _known_names(word, _KNOWN_NAME if self.has_message else _CHANNEL_NAME)
        if names and names[0] in _CHANNELS:
            self.repair("misspelt_channel", word)
            is_over = self.has_message and not rest.startswith("to=")
            known = [name for name in names if name in _CHANNELS]
            return known[-1], match.end() - (0 if is_over else len(rest))
        close = get_close_matches(word.lower(), sorted(_CHANNELS), 1, 0.7)
        self.repair("misspelt_channel" if close else "unknown_channel", word)
        return (close[0] if close else _plain(word)), match.end()

    def read_constraint(self, text: str) -> int:
        """The content type after `<|constrain|>`; free words are no type."""
        match = _WORD.search(text)
        if match is None:
            self.repair("empty_constraint", "no type after the constrain marker")
            return 0
        if self.content_type is not None:
            self.repair("repeated_content_type", match.group())
        kind = _CONTENT_TYPE.match(text, match.start())
        if kind and (kind.group() == match.group() or not self.has_message):
            self.content_type = CONSTRAIN + kind.group()
            return kind.end()
        is_alone = (
            self.has_message and len(text.split()) == 1 and _PLAIN_WORD.fullmatch(match.group())
        )
        if is_alone:
            self.content_type = CONSTRAIN + match.group()
            self.repair("unknown_content_type", match.group())
            return match.end()
        return match.start()


def _plain(word: str) -> str:
    """The word without what could not stand in a header that we write."""
    return _ODD_CHARACTERS.sub("", word)


def _is_header(rest: str) -> bool:
    """Whether what follows names run together leaves them a header: nothing, or a recipient."""
    return not rest or rest.startswith("to=") or _TOOL_NAME.fullmatch(rest) is not None


def _is_tools(name: str) -> bool:
    """Whether a speaker's name is a tool's: not empty, and not what reads as another speaker."""
    names, rest = _known_names(name, _KNOWN_NAME)
    is_role = name.partition(":")[0].lower() in _ROLES
    return bool(name) and not is_role and not (names and _is_header(rest))


def _known_names(word: str, known: re.Pattern[str]) -> tuple[list[str], str]:
    """The known names that a word runs together, with punctuation after each, and what follows."""
    names, position = [], 0
    while match := known.match(word, position):
        names.append(match.group(1))
        position = match.end()
    return names, word[position:]
