"""Headers exactly as openai-harmony 0.0.8 reads them, its refusals and oddities included.

Strict parsing uses this. The header is read as text, control tokens by their names; the messages of
the errors are openai-harmony's.
"""

import re

from netweight.errors import HarmonyError
from netweight.harmony.header import CONSTRAIN, Header
from netweight.harmony.message import Role

_CHANNEL = "<|channel|>"
_ASCII_SPACE = re.compile(r"[ \t\n\r\f]+")
_UNICODE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
_CHANNEL_END = re.compile(r"[\s<]")


def read_official_header(text: str, role: Role | None) -> Header:
    """Read a header's text; `role` is what the prompt already said. Raises HarmonyError."""
    channel, text = _cut_channel(text)
    text = text.strip(_UNICODE_SPACE).replace(CONSTRAIN, f" {CONSTRAIN}")
    words = [word for word in _ASCII_SPACE.split(text) if word]
    name = None
    if role is not None and words[:1] == [role]:
        del words[0]
    elif role is None:
        role, name, words = _author(words)
    recipient = content_type = None
    if words:
        last = words.pop()
        if last.startswith("to="):
            recipient = last.removeprefix("to=")
        elif not words:
            recipient = last
        else:
            content_type = last
            recipient = words.pop().removeprefix("to=")
    if words:
        rest = " ".join(words).replace("\\", "\\\\").replace('"', '\\"')
        raise HarmonyError(f'unexpected tokens remaining in message header: Some("{rest}")')
    return Header(role, name, channel, recipient, content_type)


def _cut_channel(text: str) -> tuple[str | None, str]:
    before, marker, after = text.partition(_CHANNEL)
    if not marker:
        return None, text
    end = _CHANNEL_END.search(after)
    channel = after[: end.start()] if end else after
    if not channel:
        raise HarmonyError("channel marker present but no channel value found in header")
    return channel, before + after[len(channel) :]


def _author(words: list[str]) -> tuple[Role, str | None, list[str]]:
    if not words:
        raise HarmonyError("message header did not contain a role")
    first, *rest = words
    if first in set(Role):
        return Role(first), None, rest
    if rest or first.startswith("to="):
        return Role.TOOL, first, rest
    raise HarmonyError(f"Unknown role: {first}")
