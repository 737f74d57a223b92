"""Interval plots as inline SVG: a dot and a line for each number, labelled where it stands.

Knows numbers and labels. Styles come from the page's classes, so that both themes and print work.
"""

from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 420
ROW_HEIGHT = 36
HEADING_HEIGHT = 26
LEFT, RIGHT = 6, 262  # the plotted range, in the drawing's own units; values stand right of it


@dataclass(frozen=True)
class Bar:
    """One row: a value with its interval, under a heading. `is_resolved` fills the dot."""

    group: str
    label: str
    low: float
    value: float
    high: float
    text: str
    is_resolved: bool


def interval_plot(
    bars: list[Bar],
    *,
    identifier: str,
    title: str,
    margin: float | None = None,
    greatest: float | None = None,
) -> Markup:
    """Rows of intervals on one axis.

    With a margin the numbers are differences: the axis has zero in it and a band of that margin
    around it. With a greatest value they are scores from 0 to that, else percentages.
    """
    low, high = (0.0, greatest) if greatest else _axis(bars, margin)
    groups = list(dict.fromkeys(bar.group for bar in bars))
    bottom = ROW_HEIGHT * len(bars) + HEADING_HEIGHT * sum(map(bool, groups))
    description = "; ".join(f"{bar.group} {bar.label}: {bar.text}".strip() for bar in bars)
    parts = [
        Markup(
            '<svg role="img" viewBox="0 0 {} {}" aria-labelledby="{}-t {}-d" '
            'xmlns="http://www.w3.org/2000/svg">'
            '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>'
        ).format(
            WIDTH, bottom + 26, identifier, identifier, identifier, title, identifier, description
        )
    ]
    if margin is not None:
        parts += _zero(low, high, margin, bottom)
    top = 0
    for group in groups:
        if group:
            parts.append(
                Markup('<text class="group" x="{}" y="{}">{}</text>').format(LEFT, top + 18, group)
            )
            top += HEADING_HEIGHT
        for bar in (bar for bar in bars if bar.group == group):
            parts.append(_row(bar, top, low, high))
            top += ROW_HEIGHT
    if margin is not None:
        ticks = (f"\u2190 behind by {high:g}", "0", f"ahead by {high:g} \u2192")
    else:
        unit = "" if greatest else "%"
        ticks = (f"0{unit}", f"{high / 2:g}{unit}", f"{high:g}{unit}")
    parts += _ticks(ticks, bottom)
    return Markup("").join([*parts, Markup("</svg>")])


def _axis(bars: list[Bar], margin: float | None) -> tuple[float, float]:
    if margin is None:
        return 0.0, 100.0
    reach = max(abs(edge) for bar in bars for edge in (bar.low, bar.high, margin))
    rounded = 5.0 * (int(reach / 5) + 1)
    return -rounded, rounded


def _x(value: float, low: float, high: float) -> str:
    return f"{LEFT + (value - low) / (high - low) * (RIGHT - LEFT):.1f}"


def _zero(low: float, high: float, margin: float, bottom: int) -> list[Markup]:
    left, right, zero = (_x(v, low, high) for v in (-margin, margin, 0.0))
    band = Markup('<rect class="band" x="{}" y="0" width="{:.1f}" height="{}"/>').format(
        left, float(right) - float(left), bottom
    )
    line = Markup('<line class="zero" x1="{}" x2="{}" y1="0" y2="{}"/>').format(zero, zero, bottom)
    return [band, line]


def _row(bar: Bar, top: int, low: float, high: float) -> Markup:
    return Markup(
        '<text class="label" x="{}" y="{}">{}</text><text class="value" x="{}" y="{}">{}</text>'
        '<line class="span" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<circle class="{}" cx="{}" cy="{}" r="4.5"/>'
    ).format(
        LEFT,
        top + 14,
        bar.label,
        WIDTH - 4,
        top + 30,
        bar.text,
        _x(bar.low, low, high),
        _x(bar.high, low, high),
        top + 26,
        top + 26,
        "dot" if bar.is_resolved else "dot open",
        _x(bar.value, low, high),
        top + 26,
    )


def _ticks(words: tuple[str, str, str], bottom: int) -> list[Markup]:
    first, middle, last = words
    place = '<text class="tick" text-anchor="{}" x="{}" y="{}">{}</text>'
    return [
        Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            LEFT, RIGHT, bottom, bottom
        ),
        Markup(place).format("start", LEFT, bottom + 17, first),
        Markup(place).format("middle", (LEFT + RIGHT) / 2, bottom + 17, middle),
        Markup(place).format("end", RIGHT, bottom + 17, last),
    ]
