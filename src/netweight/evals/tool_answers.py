"""How an answer tells what a tool returned: a number, a time of day, a name or the sky.

Knows texts and values. Does not know items, nor what follows from an answer.
"""

import re

from netweight.evals.answers import plain
from netweight.evals.item_words import SKIES


def tells(text: str, value: object) -> bool:
    """Say whether an answer tells a value: a number, a time of day, a name or the sky.

    A number stands alone, not within another; a time may be given in twelve hours.
    """
    said = re.sub(r"[*_`]", "", plain(text)).casefold()
    return re.search(_pattern(str(value).casefold()), said) is not None


def _pattern(value: str) -> str:
    before = r"(?<![\w-])(?<!\d[.,:])"
    if clock := re.fullmatch(r"(\d\d):(\d\d)", value):
        hour, minute = int(clock[1]), clock[2]
        half_day = rf"{(hour - 1) % 12 + 1}[:.]{minute}\s*{'p' if hour >= 12 else 'a'}\.?\s?m\b"
        return rf"{before}(?:{hour}[:.]{minute}(?!\d|\s*[ap]\.?\s?m\b)|{half_day})"
    if re.fullmatch(r"\d+\.\d+", value):
        return rf"{before}{re.escape(value.rstrip('0'))}0*(?!\d|[.,:]\d)"
    if value.isdigit():
        return rf"{before}{value}(?:\.0+)?(?!\d|[.,:]\d)"
    if value in SKIES:
        return rf"\b{SKIES[value]}(?:n?y|gy|s|ing|shine)?\b"
    return rf"(?<!\w){re.escape(value)}(?!\w)"
