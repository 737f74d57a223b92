"""Linking a clause that no rule knows to its record, by what its words mean together.

Asks what propositions clauses make. Knows clauses and names; judges nothing.
"""

import re
from typing import NamedTuple

from netweight.verdict.assertions import Trigger
from netweight.verdict.comparisons import comparison_left
from netweight.verdict.evidence import Published
from netweight.verdict.misuses import tells_of_a_test
from netweight.verdict.propositions import PROPOSITIONS
from netweight.verdict.quantities import amounts_in
from netweight.verdict.readings import Reading, is_surely_fact
from netweight.verdict.references import FAMILY
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.stating import Stated, stated_in
from netweight.verdict.story import Span
from netweight.verdict.topics import PRONOUN


class Linked(NamedTuple):
    """A clause with what it was found to state."""

    place: Span
    trigger: Trigger


_RATIO = re.compile(
    r"\b(?:twice|half|double|triple|(?:\w+|\d+)\s+times|(?:a\s+)?(?:third|quarter|fifth|sixth|tenth))\s+(?:of\s+)?(?:as\s+(?:large|big|heavy|many\s+param)|"
    r"(?:the\s+)?(?:size|bulk|parameters?)\b|the\s+number\s+of\s+param)",
    re.IGNORECASE,
)
# "had never before given away the weights of a language model": it had, those of GPT-2
_NEVER_BEFORE = re.compile(
    r"\bnever\s+(?:before|previously|until\s+now)\b[^.;]{0,40}\b(?:weights|open[\s\-](?:weights?|model)\w*)\b",
    re.IGNORECASE,
)
_NEITHER = re.compile(r"\bneither\b", re.IGNORECASE)  # what it denies is easily mistaken
_SINCE = re.compile(r"\bsince\b|\bGPT-?2\b|\b2019\b|\breason", re.IGNORECASE)
LEAST_AGAINST = 0.5  # where the clause would be contradicted
_OF_ABILITY = ("language-parity", "never-invents", "no-weakness", "refuses", "maths-in-writing")
_OF_A_MODEL = ("synthetic", "maths-in-writing")
_IN_GENERAL = re.compile(
    r"\b(?:common|industry|everyone|everybody|elsewhere|in\s+general|nowadays|others)\b",
    re.IGNORECASE,
)
LEAST_OVER_OPINION = 0.97  # where the clause reads as an opinion
LEAST_SHARE = 0.45  # from which a clause that no rule knows is taken to make a proposition


def linked_to(
    scene: Scene, place: Span, reading: Reading | None, tables: Published
) -> Linked | None:
    """The trigger of what a clause states, or None where nothing in the records speaks to it."""
    clause = scene.text[place.start : place.end]
    here = {n for m in scene.models if overlap(m.span, place) for n in m.ids} - {"other:gpt-2"}
    own = here & {*FAMILY}
    if here and not own and not PRONOUN.search(clause) and not _RATIO.search(clause):
        return _compared(scene, place, tables)
    amounts = amounts_in(clause)
    is_of_both = all(amount.metric == "context" for amount in amounts)
    if amounts and (len(own) < len(FAMILY) or is_of_both):
        return Linked(place, Trigger(span=place, topic="quantity", type="resource"))
    if _RATIO.search(clause):
        return Linked(place, trigger_of(Stated(PROPOSITIONS["size-ratio"], True, 1.0), place))
    least = LEAST_SHARE if reading != "opinion" else LEAST_OVER_OPINION
    stated = stated_in(scene, place)
    if _NEVER_BEFORE.search(clause) and not _SINCE.search(clause):
        stated = Stated(PROPOSITIONS["since-gpt-2"], False, 1.0)
    if stated and _is_against(stated):
        is_sure = is_surely_fact(scene, place) and not _NEITHER.search(clause)
        least = max(least, LEAST_AGAINST if is_sure else LEAST_OVER_OPINION)
    is_general = stated and stated.proposition.id in _OF_A_MODEL and _IN_GENERAL.search(clause)
    if stated and stated.proposition.id in _OF_ABILITY and tells_of_a_test(scene, place):
        return _compared(scene, place, tables)  # what a test is good for
    if stated and stated.share >= least and not is_general:
        return Linked(place, trigger_of(stated, place))
    return _compared(scene, place, tables)


def _is_against(stated: Stated) -> bool:
    """Whether the document speaks against what a clause says."""
    made, denied = stated.proposition.made, stated.proposition.denied
    return (made if stated.is_affirmed else denied) == "contradicted"


def trigger_of(stated: Stated, place: Span) -> Trigger:
    """The trigger of a clause that makes a proposition or denies it."""
    return Trigger(
        span=place,
        topic="proposition",
        type=stated.proposition.type,
        negated=not stated.is_affirmed,
        proposition=stated.proposition.id,
    )


def _compared(scene: Scene, place: Span, tables: Published) -> Linked | None:
    compared = comparison_left(scene, place, tables)
    return Linked(place, compared) if compared else None
