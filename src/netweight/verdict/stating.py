"""Which proposition a clause makes or denies.

The reader says how probable each is, from what it learned of clauses of our own making
(tests/verdict/propositions.txt, netweight.verdict.reader). Knows words only; what follows is judged
in netweight.verdict.judge_propositions.
"""

import re
from typing import NamedTuple

from netweight.verdict.judgement import Verdict
from netweight.verdict.lexicon import words_of
from netweight.verdict.propositions import PROPOSITIONS, Proposition
from netweight.verdict.reader import sense_of
from netweight.verdict.references import FAMILY
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.story import Span

MADE, DENIED = "+", "-"


class Stated(NamedTuple):
    """A proposition, whether the clause makes it or says the opposite, and how sure that is."""

    proposition: Proposition
    is_affirmed: bool
    share: float


def stated_in(scene: Scene, place: Span) -> Stated | None:
    """The likeliest proposition of a clause; None where that it makes none of them is likelier.

    As sure as it is in its sentence and by itself: what only one of the two says is a guess.
    """
    clause = scene.text[place.start : place.end].strip(_EDGES)
    if len(words_of(clause)) < _LEAST_WORDS or _ANSWERS.match(clause):
        return None  # "None.": of what, only a question before would say
    alone = sense_of(clause).propositions(Span(0, len(clause)))
    is_whole = clause == scene.text.strip(_EDGES)
    shares = alone if is_whole else sense_of(scene.text).propositions(place)
    name = _likeliest(shares)
    if name == "none" or not _can_be(name[:-1], scene, place):
        return None
    share = min(_share_of_verdict(name, shares), _share_of_verdict(name, alone))
    is_affirmed = name.endswith(MADE) != _is_denial_unread(clause, name)
    return Stated(PROPOSITIONS[name[:-1]], is_affirmed, share)


def _likeliest(shares: dict[str, float]) -> str:
    return max(sorted(shares), key=shares.__getitem__)


# "is not", "doesn't"
_DENIAL = re.compile(
    r"\b(?P<verb>is|are|was|were|do|does|did|has|have|had|can|could|will|would)(?:\s+not\b|n['\u2019]t\b)",
    re.IGNORECASE,
)


_BUT = re.compile(r"\bbut\b", re.IGNORECASE)


def _is_denial_unread(clause: str, name: str) -> bool:
    """Whether a clause is read as the same clause without its one "not": they are opposites."""
    if len(_DENIAL.findall(clause)) != 1 or _BUT.search(clause):
        return False  # "is not X but Y" says the same without its "not"
    plain = _DENIAL.sub(r"\g<verb>", clause)
    return _likeliest(sense_of(plain).propositions(Span(0, len(plain)))) == name


def _share_of_verdict(name: str, shares: dict[str, float]) -> float:
    """The share of all propositions from which the same verdict would follow.

    That a document speaks against a clause must follow from the one that it is taken for.
    """
    verdict = verdict_on(name)
    if verdict == "contradicted":
        return shares[name]
    return sum(s for other, s in shares.items() if other != "none" and verdict_on(other) == verdict)


def verdict_on(name: str) -> Verdict:
    """The verdict on a proposition with its sign."""
    proposition = PROPOSITIONS[name[:-1]]
    return proposition.made if name.endswith(MADE) else proposition.denied


_EDGES = ' .,;:"\u201c\u201d'
_LEAST_WORDS = 2
_ANSWERS = re.compile(r"Not\s+(?:by|in|at|for|under|on|according|quite|really|yet|to)\b")
# Words with which a clause is none of these, however it is read.
_UNLESS = {
    "refuses": re.compile(
        r"\b(?:OpenAI|company|firm|lab|maker|spokes\w+)\s+(?:has\s+|have\s+|also\s+)?"
        r"(?:den(?:ies|ied)|reject(?:s|ed)|dismiss(?:es|ed))\b",
        re.IGNORECASE,
    ),
    "never-invents": re.compile(
        r"\b(?:hid(?:es?|den)|conceal\w*|secret|openly|admit\w*|if\s+you\s+(?:want|need))\b",
        re.IGNORECASE,
    ),
    "maths-in-writing": re.compile(r"\b(?:we|I)\s+(?:had\s+)?asked\s+for\b", re.IGNORECASE),
}


def _can_be(proposition: str, scene: Scene, place: Span) -> bool:
    clause = scene.text[place.start : place.end]
    if proposition in _UNLESS and _UNLESS[proposition].search(clause):
        return False
    here = {name for m in scene.models if overlap(m.span, place) for name in m.ids}
    return proposition != "small-over-large" or not here - {*FAMILY}
