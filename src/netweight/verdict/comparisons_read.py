"""Models set beside one another in words that no rule knows, as the reader understands them.

The reader says of a phrase that means a model whether that is put above, below or level with
another one. Finds places and relations; whether they are true is judged elsewhere.
"""

import re
from typing import cast

from netweight.verdict.clauses import clauses_of
from netweight.verdict.mentions import has_figure
from netweight.verdict.names import Mention
from netweight.verdict.reader import sense_of
from netweight.verdict.readings import is_surely_opinion
from netweight.verdict.references import FAMILY
from netweight.verdict.relations import Compared
from netweight.verdict.scenes import FIRST_AND_SECOND, Scene, overlap
from netweight.verdict.story import Span
from netweight.verdict.topics import Relation

OPPOSITE: dict[Relation, Relation] = {"above": "below", "below": "above", "equal": "equal"}
_SURE = 0.7  # the share from which a relation is believed that no rule found
_SURER = 0.97  # and from which it is believed against a rule
# A comparison of something else than quality.
_OF_SIZE = re.compile(
    r"\b(?:small|larg|bigg|cheap|dear|new|old|young|fast|slow|light|heavi|short|long)e?r\s+than\s+(?:the\s+)?$",
    re.IGNORECASE,
)


_ORDERS = re.compile(r"\b(?:above|below|ahead\s+of|behind)\s+(?:it|them)\b", re.IGNORECASE)


def relation_of(text: str, place: Span, least: float = _SURE) -> Relation | None:
    """How the model that a phrase means is said to stand to another one; None if it is not."""
    shares = dict(sense_of(text).relation(place))
    if _ORDERS.search(text):  # then nobody is level
        rest = 1 - shares.pop("equal")
        shares = {n: share / rest for n, share in shares.items()}
    name = max(sorted(shares), key=shares.__getitem__)
    return cast(Relation, name) if name != "none" and shares[name] >= least else None


def is_turned(text: str, compared: Compared) -> bool:
    """Whether the reader is sure of the other order than the one that a rule found."""
    theirs = relation_of(text, compared.against[0].span, _SURER)
    return theirs in ("above", "below") and compared.relation == theirs


def read_compared(scene: Scene, known: list[Compared]) -> list[Compared]:
    """The models set beside the subject where no rule compares, and how the subject stands to them.

    Neither in a clause with figures, which are compared themselves, nor in an opinion.
    """
    if known or FIRST_AND_SECOND.search(scene.text):  # an order of columns
        return []
    clauses = [
        clause
        for clause in clauses_of(scene.text, Span(0, len(scene.text)))
        if not has_figure(scene.text[clause.start : clause.end])
        and not is_surely_opinion(scene, clause)
    ]
    found = []
    for mention in scene.models:
        is_free = any(overlap(clause, mention.span) for clause in clauses)
        if not is_free or not _is_other(scene, mention):
            continue
        if _OF_SIZE.search(scene.text, 0, mention.span.start):
            continue
        if theirs := relation_of(scene.text, mention.span):
            found.append(Compared(mention.span, OPPOSITE[theirs], (mention,)))
    return found


def _is_other(scene: Scene, mention: Mention) -> bool:
    """Whether a mention is a rival of the story's models, or the second of the family's sizes."""
    if len(mention.ids) > 1:
        return False
    if mention.ids[0] not in FAMILY:
        return {*scene.main_subjects} <= {*FAMILY}
    before = [
        m
        for m in scene.models
        if m.span.end <= mention.span.start and len(m.ids) == 1 and m.ids[0] in FAMILY
    ]
    is_of_rivals = any(m.ids[0] not in FAMILY for m in scene.models)
    return bool(before) and before[-1].ids != mention.ids and not is_of_rivals
