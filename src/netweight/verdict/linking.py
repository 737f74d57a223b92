"""Linking a clause that no rule knows to its record, by what its words mean together.

Asks the catalogue of propositions. Knows clauses and names; judges nothing.
"""

import re
from typing import NamedTuple

from netweight.verdict.assertions import Trigger
from netweight.verdict.clauses import Reading
from netweight.verdict.comparisons import comparison_left
from netweight.verdict.lexicon import is_worth
from netweight.verdict.opinions import opinions_in
from netweight.verdict.quantities import amounts_in
from netweight.verdict.references import FAMILY
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.stating import stated_in
from netweight.verdict.story import Span
from netweight.verdict.topics import PRONOUN


class Linked(NamedTuple):
    """A clause with what it was found to state."""

    place: Span
    trigger: Trigger


_COMPARED = re.compile(r"\b(?:the\s+)?(?:better|worse)\b", re.IGNORECASE)


def linked_to(scene: Scene, place: Span, reading: Reading | None, paragraph: str) -> Linked | None:
    """The trigger of what a clause states, or None where nothing in the records speaks to it."""
    clause = scene.text[place.start : place.end]
    here = {n for m in scene.models if overlap(m.span, place) for n in m.ids} - {"other:gpt-2"}
    own = here & {*FAMILY}
    if here and not own and not PRONOUN.search(clause):
        return _compared(scene, place)
    if len(own) < len(FAMILY) and amounts_in(clause):
        return Linked(place, Trigger(span=place, topic="quantity", type="resource"))
    plain = _COMPARED.sub("", clause)
    if reading == "opinion" and (is_worth(plain) or opinions_in(plain)):
        return None
    if stated := stated_in(clause, paragraph):
        return Linked(
            place,
            Trigger(
                span=place,
                topic="proposition",
                type=stated.proposition.type,
                negated=not stated.is_affirmed,
                proposition=stated.proposition.id,
            ),
        )
    return _compared(scene, place)


def _compared(scene: Scene, place: Span) -> Linked | None:
    compared = comparison_left(scene, place)
    return Linked(place, compared) if compared else None
