"""Which proposition of the catalogue a clause states or denies, by its words in any order.

Words of the opposite and denials turn a proposition round. Knows words only; judged in
netweight.verdict.judge_propositions.
"""

import functools
import re
from collections.abc import Mapping

from netweight.verdict.catalogue import CATALOGUE
from netweight.verdict.propositions import Proposition, Stated
from netweight.verdict.word_classes import CLASSES

PROPOSITIONS: Mapping[str, Proposition] = {p.id: p for p in CATALOGUE}


@functools.cache
def _words(text: str) -> re.Pattern[str]:
    """A class of words as a pattern, with the classes that it names put in."""
    full = re.sub(r"<([A-Z_]+)>", lambda match: CLASSES[match[1]], text)
    return re.compile(rf"\b(?:{full})", re.IGNORECASE)


_NOT = re.compile(
    r"\b(?:no|not(?!\s+(?:only|just|merely|least|to\s+mention))|never|neither|nor|none|(?<!cost\s)(?<!costs\s)(?<!for\s)nothing|nobody|cannot|without|lacks?|lacking|"
    r"hardly|scarcely|far\s+from|fail(?:s|ed|ing)?\s+to|unable|refus(?:es|ed)\s+to|free\s+of(?!\s+charge)|devoid)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^\W*(?:and\s+|but\s+|so\s+)?no,\s*", re.IGNORECASE)
_PAIRED = re.compile(r"\bneither\b.*\bnor\b|\b(?:not|n['\u2019]t)\b.*\bnor\b", re.IGNORECASE)


def stated_in(clause: str, paragraph: str) -> Stated | None:
    """The first proposition of the catalogue that a clause states or denies, or None."""
    for proposition in CATALOGUE:
        if not all(_words(part).search(clause) for part in proposition.bag):
            continue
        if proposition.forbidden and _words(proposition.forbidden).search(clause):
            continue
        if proposition.context and not _words(proposition.context).search(paragraph):
            continue
        return Stated(proposition, _is_affirmed(proposition, clause))
    return None


def _is_affirmed(proposition: Proposition, clause: str) -> bool:
    is_opposite = bool(proposition.opposite and _words(proposition.opposite).search(clause))
    if proposition.is_symmetric:
        return not is_opposite
    clause = _ANSWER.sub("", clause)
    denials = len(_NOT.findall(clause)) - len(_PAIRED.findall(clause))
    return (denials % 2 == 1) == is_opposite
