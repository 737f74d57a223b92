"""Plots of measured numbers as inline SVG: dots with intervals, differences, and outcome counts.

Knows labels, numbers and their texts. Colours and fonts are the page's classes, so that both themes
and print work; nothing is told by colour alone. Drawn at 360 units wide, which is about a phone's
page in pixels, so that text keeps its size there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from markupsafe import Markup

WIDTH = 360
LEFT, RIGHT = 8, 352  # the plotted range, in the drawing's own units
ROW_HEIGHT = 44
HEADING_HEIGHT = 28
BAR_HEIGHT = 8
MARGIN_ROUND = 0.05  # a forest plot's axis ends at a multiple of this
CHARACTER_WIDTH = 6.4  # on average, of the 12-unit serif type; labels are cut to fit by it

Role = Literal["hit", "counted", "apart"]


@dataclass(frozen=True)
class Dot:
    """A value with its interval, and as text. An open dot is one that says less."""

    label: str
    value: float
    lower: float | None
    upper: float | None
    text: str
    is_open: bool = False
    group: str = ""


@dataclass(frozen=True)
class Outcome:
    """One outcome's count in each run, whose texts are told apart by `runs`."""

    label: str
    role: Role
    counts: Sequence[int]


def dot_plot(dots: Sequence[Dot], *, identifier: str, title: str) -> Markup:
    """Rates with their intervals, on an axis from 0 to 100%."""
    bottom = ROW_HEIGHT * len(dots)
    parts: list[Markup] = []
    for index, dot in enumerate(dots):
        parts += _dot_row(dot, ROW_HEIGHT * index, 0.0, 1.0)
    parts += _axis(bottom, (("start", "0%"), ("middle", "50%"), ("end", "100%")))
    return _drawing(parts, bottom + 24, identifier, title, _described(dots))


def forest_plot(
    dots: Sequence[Dot], *, identifier: str, title: str, margin: float, names: tuple[str, str]
) -> Markup:
    """Differences with their intervals about nought, by group; a band shows the margin.

    `names` are of what is subtracted from, and of what is subtracted.
    """
    ends = [end for dot in dots for end in (dot.lower, dot.value, dot.upper) if end is not None]
    reach = max(abs(end) for end in (*ends, margin))
    reach = min(1.0, MARGIN_ROUND * ceil(reach / MARGIN_ROUND - 1e-9))
    groups = list(dict.fromkeys(dot.group for dot in dots))
    bottom = ROW_HEIGHT * len(dots) + HEADING_HEIGHT * sum(map(bool, groups))
    parts = _zero(reach, margin, bottom)
    top = 0
    for group in groups:
        if group:
            parts.append(_text("group", "start", LEFT, top + 19, group))
            top += HEADING_HEIGHT
        for dot in dots:
            if dot.group == group:
                parts += _dot_row(dot, top, -reach, reach)
                top += ROW_HEIGHT
    told = f"{100 * reach:g}"
    first, second = names
    ticks = (
        ("start", f"\u2190 {second} +{told}"),
        ("middle", "0"),
        ("end", f"{first} +{told} \u2192"),
    )
    parts += _axis(bottom, ticks)
    return _drawing(parts, bottom + 24, identifier, title, _described(dots))


def outcome_bars(
    outcomes: Sequence[Outcome], runs: Sequence[str], *, identifier: str, title: str
) -> Markup:
    """Counts of outcomes as bars from one line, each run's under the other's.

    An outcome's bar is as long as its share of all the run's samples.
    """
    totals = [sum(each.counts[index] for each in outcomes) for index in range(len(runs))]
    height = 22 + (BAR_HEIGHT + 6) * len(runs)
    parts: list[Markup] = []
    described = []
    for row, outcome in enumerate(outcomes):
        top = height * row
        text = _counts_text(outcome, totals, runs)
        described.append(f"{outcome.label}: {text}")
        parts.append(_text("label", "start", LEFT, top + 14, _fitted(outcome.label, text)))
        parts.append(_text("value", "end", RIGHT, top + 14, text))
        for index, (count, total) in enumerate(zip(outcome.counts, totals, strict=True)):
            parts.append(_bar(count / total if total else 0.0, top, index, outcome.role))
    return _drawing(parts, height * len(outcomes), identifier, title, "; ".join(described))


def _counts_text(outcome: Outcome, totals: Sequence[int], runs: Sequence[str]) -> str:
    if len(runs) == 1:
        return f"{outcome.counts[0]} of {totals[0]}"
    return ", ".join(
        f"{run} {count} of {total}"
        for run, count, total in zip(runs, outcome.counts, totals, strict=True)
    )


def _bar(share: float, top: int, index: int, role: Role) -> Markup:
    second = " second" if index else ""
    y = top + 20 + index * (BAR_HEIGHT + 4)
    place = '<rect class="bar {}{}" x="{}" y="{}" width="{:.1f}" height="{}"/>'
    track = Markup(place).format("track", "", LEFT, y, RIGHT - LEFT, BAR_HEIGHT)
    return track + Markup(place).format(role, second, LEFT, y, share * (RIGHT - LEFT), BAR_HEIGHT)


def _dot_row(dot: Dot, top: int, low: float, high: float) -> list[Markup]:
    parts = [
        _text("label", "start", LEFT, top + 15, _fitted(dot.label, dot.text)),
        _text("value", "end", RIGHT, top + 15, dot.text),
    ]
    y = top + 30
    if dot.lower is not None and dot.upper is not None:
        ends = [_x(max(low, dot.lower), low, high), _x(min(high, dot.upper), low, high)]
        parts.append(
            Markup('<path class="span" d="M{0} {2}H{1}M{0} {3}V{4}M{1} {3}V{4}"/>').format(
                *ends, y, y - 4, y + 4
            )
        )
    kind = "dot open" if dot.is_open else "dot"
    x = _x(dot.value, low, high)
    parts.append(Markup('<circle class="{}" cx="{}" cy="{}" r="4.5"/>').format(kind, x, y))
    return parts


def _zero(reach: float, margin: float, bottom: int) -> list[Markup]:
    left, right, zero = (_x(value, -reach, reach) for value in (-margin, margin, 0.0))
    return [
        Markup('<rect class="band" x="{}" y="0" width="{:.1f}" height="{}"/>').format(
            left, float(right) - float(left), bottom
        ),
        Markup('<path class="zero" d="M{} 0V{}"/>').format(zero, bottom),
    ]


def _axis(bottom: int, ticks: Iterable[tuple[str, str]]) -> list[Markup]:
    places = {"start": LEFT, "middle": (LEFT + RIGHT) / 2, "end": RIGHT}
    line = Markup('<path class="axis" d="M{} {}H{}"/>').format(LEFT, bottom, RIGHT)
    return [line, *(_text("tick", anchor, places[anchor], bottom + 16, t) for anchor, t in ticks)]


def _text(kind: str, anchor: str, x: float, y: float, text: str) -> Markup:
    place = '<text class="{}" text-anchor="{}" x="{:g}" y="{:g}">{}</text>'
    return Markup(place).format(kind, anchor, x, y, text)


def _drawing(
    parts: Iterable[Markup], height: int, identifier: str, title: str, description: str
) -> Markup:
    opening = Markup(
        '<svg role="img" viewBox="0 0 {0} {1}" aria-labelledby="{2}-t {2}-d" '
        'xmlns="http://www.w3.org/2000/svg">'
        '<title id="{2}-t">{3}</title><desc id="{2}-d">{4}</desc>'
    ).format(WIDTH, height, identifier, title, description)
    return Markup("").join([opening, *parts, Markup("</svg>")])


def _described(dots: Iterable[Dot]) -> str:
    return "; ".join(f"{dot.label}: {dot.text}" for dot in dots)


def _fitted(label: str, text: str) -> str:
    """Cut a label so that it stands clear of the text at the other end of its line."""
    room = int((RIGHT - LEFT) / CHARACTER_WIDTH) - len(text) - 2
    return label if len(label) <= room else label[: max(room - 1, 1)] + "\u2026"


def _x(value: float, low: float, high: float) -> str:
    return f"{LEFT + (value - low) / (high - low) * (RIGHT - LEFT):.1f}"
