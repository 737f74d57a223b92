"""The losses of a training as a picture, in SVG."""

from collections.abc import Sequence
from html import escape

from recipes.finetune.train import Point

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 360, 64, 24, 40, 48
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #333 }
  .axis { stroke: #999; fill: none }
  .training { stroke: #1f6feb; fill: none; stroke-width: 2 }
  .evaluation { stroke: #c2410c; fill: none; stroke-width: 2 }
  rect { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } rect { fill: #111 }
    .training { stroke: #79b8ff } .evaluation { stroke: #fb923c }
  }
"""


def curve(title: str, points: Sequence[Point]) -> str:
    """Loss over steps: of the training, and on conversations that it did not see."""
    lines = {
        "training": [
            (point.step, point.training) for point in points if point.training is not None
        ],
        "evaluation": [(point.step, point.evaluation) for point in points],
    }
    values = [value for line in lines.values() for _, value in line]
    low, high = 0.0, max(values) * 1.05
    last = max(point.step for point in points) or 1

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / last

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)

    final = points[-1]
    summary = f"loss on unseen conversations: {points[0].evaluation:.3f} to {final.evaluation:.3f}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}: {summary}</title><style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text x="{_LEFT}" y="22">{escape(title)}</text>',
        f'<path class="axis" d="M{_LEFT} {_TOP}V{y(low):.1f}H{_WIDTH - _RIGHT}"/>',
    ]
    for value in (low, high / 2, high):
        parts.append(f'<text x="8" y="{y(value) + 4:.1f}">{value:.2f}</text>')
    for step in (0, last // 2, last):
        parts.append(
            f'<text x="{x(step):.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{step}</text>'
        )
    parts.append(
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">steps; '
        "loss in nats a token, blue of the training, orange of unseen conversations</text>"
    )
    for name, line in lines.items():
        path = "L".join(f"{x(step):.1f} {y(value):.1f}" for step, value in line)
        if path:
            parts.append(f'<path class="{name}" d="M{path}"/>')
    return "\n".join([*parts, "</svg>", ""])
