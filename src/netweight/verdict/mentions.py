"""A name at a place, and the figures beside which a description can be a name."""

import re
from dataclasses import dataclass

from netweight.verdict.story import Span


@dataclass(frozen=True)
class Mention:
    """A name at a place in a sentence. `ids` are table ids, group ids, or `other:` and the name."""

    ids: tuple[str, ...]
    span: Span


# A figure that can be a score: no year, and no number of a version or in a name.
_FIGURE = re.compile(
    r"(?<![\w.\-])(?!2\.0\b|(?:19|20)\d\d\b)\d[\d.,]*(?![\w\-])|\bper\s?cent\b|\bpercent\b"
)


def has_figure(text: str) -> bool:
    """Whether a sentence tells a figure: what it describes can be what was measured."""
    return _FIGURE.search(text) is not None
