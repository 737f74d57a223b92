"""Completions as text: with markers spelled out, or with the markers stripped away.

Some servers decode a completion without its control tokens, so that `analysis…assistantfinal…`
is left. Finds the messages in such a text by the names that remain. A guess, and only ever made
where no control token says otherwise.
"""

import re

from netweight.harmony.header import Reading, Segment, read_header
from netweight.harmony.message import Channel, Role

_NAMES = "|".join(Channel)
_BEGINNING = re.compile(rf"\s*(?:assistant)?({_NAMES})(?=[^a-z\s.,:;!?)'_/-]|\s+to=)")
_LOOSE_BEGINNING = re.compile(rf"\s*(?:assistant)?({_NAMES})")
_SEPARATOR = re.compile(rf"assistant(?=(?:{_NAMES}))|assistant(?=\s+to=\w)")


def split_stripped(text: str) -> list[Reading]:
    """The messages of a text whose markers were stripped; empty where it does not look like one.

    It does if it begins with a channel's name that runs into the text, or that a later
    `assistantfinal` or the like confirms.
    """
    has_separator = _SEPARATOR.search(text, 1) is not None
    beginning = (_LOOSE_BEGINNING if has_separator else _BEGINNING).match(text)
    if beginning is None:
        return []
    parts = _SEPARATOR.split(text[beginning.start(1) :])
    readings = []
    for part in parts:
        marker = None if part.lstrip().startswith("to=") else "channel"
        readings.append(read_header([Segment(marker, part)], Role.ASSISTANT, has_message=False))
    return readings
