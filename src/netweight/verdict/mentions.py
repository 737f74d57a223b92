"""A name at a place. A value only; finds nothing."""

from dataclasses import dataclass

from netweight.verdict.story import Span


@dataclass(frozen=True)
class Mention:
    """A name at a place in a sentence. `ids` are table ids, group ids, or `other:` and the name."""

    ids: tuple[str, ...]
    span: Span
