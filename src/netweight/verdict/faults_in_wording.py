"""Wording against the source: a denial of what it says, or a suspicion told as a fact."""

import re

from netweight.verdict.claims import Claim
from netweight.verdict.denial import has_denial
from netweight.verdict.faults import Fault
from netweight.verdict.judgement import Judgement, Statement
from netweight.verdict.ledger import Ledger
from netweight.verdict.lexicon import REPORTING
from netweight.verdict.reader import sense_of
from netweight.verdict.story import Span
from netweight.verdict.topics import CATEGORICAL, POSSIBILITY, RELAYED
from netweight.verdict.wordings import MODAL, TAKES_MORE

# Documents that hold what is publicly known of a topic, where that is a suspicion or an anecdote.
SUSPICIONS = {
    "synthetic-data": "synthetic-suspicion",
    "synthetic": "synthetic-suspicion",
    "data-effect": "synthetic-suspicion",
    "maths-in-writing": "formula-anecdotes",
}


def faults_in_denials(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """A "not" or "never" that turns a documented fact round."""
    if judgement.verdict != "contradicted" or not (claim.negated or _turns_round(claim)):
        return []
    if claim.misuses:  # the wrong benchmark is the error
        return []
    if claim.topic == "proposition" and _is_told_by_others(claim) and own_share(claim) < _ITS_OWN:
        return []  # what others are told to say is theirs
    if claim.proposition in _OF_NUMBERS and re.search(r"\d|illion", _SIZE.sub("", claim.quote)):
        return [Fault("invented_number", judgement.reason[0])]
    cites = tuple(dict.fromkeys(c for s in judgement.reason[:2] for c in s.cites))
    text = " ".join(s.text for s in judgement.reason[:2])
    return [Fault("negation", Statement(text=text, cites=cites))]


_ITS_OWN = 0.98  # the share from which the reader is believed that a story says it itself


def own_share(claim: Claim) -> float:
    """How probable it is that a story says itself what a claim says, and does not only tell it."""
    start = claim.sentence.span.start
    place = Span(claim.span.start - start, claim.span.end - start)
    return sense_of(claim.sentence.text).voices(place)["own"]


_SIZE = re.compile(r"\b(?:gpt-oss-)?(?:120|20)b\b", re.IGNORECASE)  # a name
_OF_NUMBERS = ("training-compute", "effort-levels", "fast-hosts")  # a wrong one is the error


def is_told_by_the_maker(claim: Claim) -> bool:
    """Whether the sentence says before the claim's end that the maker says it."""
    before = claim.sentence.text[: claim.span.end - claim.sentence.span.start]
    return _MAKER_SAYS.search(before) is not None


def _is_told_by_others(claim: Claim) -> bool:
    """Whether the sentence has quotation marks, or tells who says it, and that is not the maker."""
    said = claim.sentence.text
    if said.count('"') + said.count("\u201c"):
        return True
    before = said[: claim.span.end - claim.sentence.span.start]
    if _MAKER_SAYS.search(before) and claim.proposition != "no-weakness":
        return False
    after = said[claim.span.end - claim.sentence.span.start :]
    is_said = _SAYS.search(before) or RELAYED.search(before) or _SAID_AFTER.match(after)
    return is_said is not None or claim.attribution is not None


_SAID_AFTER = re.compile(
    rf"\W*(?:(?!should|must|ought|may)[\w'\u2019\-]+\s+){{1,5}}?(?:{REPORTING}|goes\s+on|went\s+on)\b",
    re.IGNORECASE,
)
# Its own papers and people: what they are said to say, a story says wrongly itself.
_MAKER_SAYS = re.compile(
    rf"(?:\b(?:OpenAI|the\s+(?:\w+\s+)?(?:company|maker|vendor|lab|firm|card|papers?|documents?|report|announcement|statement|technical\s+paper))"
    rf"(?:['\u2019]s\s+(?:\w+\s+){{1,2}})?|^\W*(?:It|They))\s+(?:\w+\s+){{0,2}}?(?:{REPORTING}|adds?|notes?|writes?|tells?|mentions?|promis\w+|claims?|boasts?)\b|"
    r"\b(?:according\s+to|in|says)\s+(?:OpenAI|its\s+(?:own\s+)?|the\s+)(?:\w+\s+)?(?:company|maker|vendor|lab|card|papers?|documents?|report|announcement)\b",
    re.IGNORECASE,
)


_OF_THE_MAKER = re.compile(
    r"\b(?:OpenAI|company|maker|developers?|vendor|card|firm|spokes\w+|lab)\b|^\W*(?:It|They)\b",
    re.IGNORECASE,
)


def _is_hearsay(claim: Claim) -> bool:
    """Whether somebody is told to say it who is not the maker."""
    before = claim.sentence.text[: claim.span.start - claim.sentence.span.start]
    said = f"{before} {claim.quote}"
    return _SAYS.search(said) is not None and _OF_THE_MAKER.search(said) is None


_SAYS = re.compile(
    rf"\b(?:{REPORTING}|shrugged|goes\s+on|swears?|infers?|mailed|will\s+tell\s+you|ha[sd]\s+it|puts?\s+the|"
    r"(?:is|are|was|were)\s+(?:quite\s+)?(?:sure|certain|convinced|adamant))\b",
    re.IGNORECASE,
)


def _turns_round(claim: Claim) -> bool:
    """Whether it says plainly that there is what the documents say there is not."""
    said = claim.sentence.text
    if claim.topic == "proposition":
        return True
    if has_denial(said) or MODAL.search(said) or _is_hearsay(claim):
        return False
    return claim.topic in ("data-release", "no-high-capability", "proposition") or (
        claim.topic == "text-only" and TAKES_MORE.search(said) is not None
    )


def faults_in_certainty(claim: Claim, judgement: Judgement, ledger: Ledger) -> list[Fault]:
    """Told plainly, or with "always" and "every", though the source only suspects it."""
    name = SUSPICIONS.get(claim.topic) or SUSPICIONS.get(claim.proposition or "")
    if name is None or claim.negated:
        return []
    source = ledger.tables.documents[name]
    if _NONE_SEEN.search(claim.quote):
        return []
    is_hedged = claim.hedged or _HEDGES.search(claim.sentence.text) is not None
    is_its_own = not is_hedged and own_share(claim) >= _ITS_OWN
    is_told_as_fact = (not claim.is_suspected or is_its_own) or (
        not claim.hedged
        and not RELAYED.search(claim.quote)
        and CATEGORICAL.search(claim.quote) is not None
    )
    if not is_told_as_fact or not set(claim.subjects) & set(source.models):
        return []
    return [Fault("hedge_removed", Statement(text=source.statement, cites=(source.id,)))]


_HEDGES = re.compile(rf"{POSSIBILITY.pattern}|{RELAYED.pattern}|\baccording\s+to\b", re.IGNORECASE)
_NONE_SEEN = re.compile(r"\b(?:zero|none|not\s+one|not\s+a\s+single|no)\b", re.IGNORECASE)
