"""Numbers and texts as scorecards show them, on pages and in the terminal.

Numbers are short and have their unit. What models wrote is made harmless. Does not know records,
tables or pages.
"""

import re

from netweight.evals.published import PublishedFigure

MAX_CHARACTERS = 20_000  # of one text

# What could reorder, hide or break the text around it: control characters, surrogates, bidi marks,
# the ends of planes. Line breaks and tabs are let be.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def shown(text: str) -> str:
    """Make visible what could do something: `\\u202e` becomes `⟨U+202E⟩`; long texts are cut."""
    plain = text.replace("\r\n", "\n")
    if len(plain) > MAX_CHARACTERS:
        left = len(plain) - MAX_CHARACTERS
        plain = f"{plain[:MAX_CHARACTERS]}\u2026 [{left:,} more characters are in the log]"
    return _UNSAFE.sub(lambda match: f"\u27e8U+{ord(match.group()):04X}\u27e9", plain)


def words(name: str) -> str:
    """A name of ours as people would write it."""
    return name.replace("_", " ")


def value_text(value: float, unit: str) -> str:
    """A figure's value with its unit, short enough for a table."""
    match unit:
        case "proportion":
            return f"{100 * value:.1f}%"
        case "difference":
            return f"{points(value)} points"
        case "seconds":
            return f"{short(value)} s"
        case "bytes":
            return f"{short(value / 2**20)} MiB"
        case "score":
            return short(value)
        case _:
            return f"{short(value)} {unit}"


def interval_text(lower: float, upper: float, unit: str) -> str:
    """An interval without its unit, which the value beside it has; only percent is told again."""
    ends = [value_text(end, unit) for end in (lower, upper)]
    if unit == "proportion":
        return f"{ends[0].removesuffix('%')} to {ends[1]}"
    return " to ".join(end.partition(" ")[0] for end in ends)


def points(value: float) -> str:
    """A difference of rates in points, with its sign; nought has none."""
    text = f"{100 * value:+.1f}".replace("-", "\u2212")
    return "0.0" if text[1:] == "0.0" else text


def p_text(p_value: float) -> str:
    """A p-value; very small ones are not told apart."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.2g}" if p_value < 0.1 else f"{p_value:.2f}"


def short(value: float) -> str:
    """Three digits or all before the point."""
    size = abs(value)
    decimals = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{decimals}f}".replace("-", "\u2212")


def published_text(figure: PublishedFigure) -> str:
    """A figure of others, in percent, with what they say of its uncertainty."""
    told = f"{figure.number:.1f}%"
    if figure.half_width is not None:
        return f"{told} \u00b1 {figure.half_width:g}"
    if figure.interval is not None:
        return f"{told} ({figure.interval.lower:.1f} to {figure.interval.upper:.1f})"
    return f"{told}, no interval"
