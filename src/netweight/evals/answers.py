"""Reading a final answer: typography undone, refusals recognised, the last number found.

Sees only the final message, never the reasoning. Does not know which task asks.
"""

import re
from decimal import Decimal

# gpt-oss writes no-break spaces, no-break hyphens and curly apostrophes almost everywhere, which
# would hide its numbers and its refusals from every pattern below.
_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u2010": "-",
        "\u2011": "-",
        "\u2212": "-",
        "\u2018": "'",
        "\u2019": "'",
    }
)

# A number with or without commas between its thousands, not part of a word; a minus belongs to it
# unless something stands right before that minus, as in "47-85".
_NUMBER = re.compile(
    r"(?:(?<=__)|(?<![\w.,]))(?:(?<![)\]])-\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:(?=__)|(?!\w|[.,]\d))",
    re.ASCII,
)

# Opening words only: high precision, and blind to a refusal that comes later in the text.
_REFUSAL = re.compile(
    r"[\W_]*(?:(?:i'm|i am) (?:so |very |really )?sorry|sorry|i apologi[sz]e)\b[^.!?\n]{0,80}?"
    r"\b(?:i (?:can't|cannot|can not|won't|will not)|(?:i'm|i am) (?:unable|not able))\b"
    r"|[\W_]*(?:i (?:can't|cannot|can not|won't|will not)|(?:i'm|i am) (?:unable|not able) to)"
    r" (?:help (?!but)|assist|comply|provide|fulfil|create|write|answer|continue|do (?:that|this))",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return `text` with typographic spaces, hyphens, minus signs and apostrophes made plain."""
    return text.translate(_TYPOGRAPHY)


def is_refusal(text: str) -> bool:
    """Say whether an answer opens by declining to answer."""
    return _REFUSAL.match(plain(text)) is not None


def last_number(text: str) -> str | None:
    """Return the last number of an answer in plain form, such as "-38" or "1204.5", or None.

    Commas between thousands, a typographic minus, bold and closing punctuation do not matter; an
    integer written as "132.0" is "132".
    """
    found = _NUMBER.findall(plain(text))
    if not found:
        return None
    number = Decimal(found[-1].replace(",", "").replace(" ", ""))
    return str(int(number)) if number == int(number) else str(number.normalize())
