"""Where a claim stands in its story: how central it is, in whose favour, in whose voice.

Reads claims and their judgements. Scores nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from netweight.verdict import topics
from netweight.verdict.claims import Claim
from netweight.verdict.evidence import Document, Figure
from netweight.verdict.judge_numbers import TOOLS_TOLD, allowed, is_same, published_of
from netweight.verdict.judgement import Judgement
from netweight.verdict.ledger import Ledger
from netweight.verdict.loaded import Favour, leaning
from netweight.verdict.measured import Measured
from netweight.verdict.names import OPENAI_PROPRIETARY
from netweight.verdict.posterior import VENDOR_ON_WHAT_IT_MADE, weight_of
from netweight.verdict.story import Story

Voice = Literal["story", "vendor", "others"]

# How central a place is: facts are told first that are meant to be taken away. Declared.
TITLE, LEDE, BODY, ASIDE = 1.0, 0.8, 0.5, 0.25

_FOR = {
    "licence", "commercial-use", "weights-release", "open-source", "closed-before", "memory",
    "efficiency", "effort-effect", "no-high-capability", "best-american",
}  # fmt: skip
_AGAINST = {
    "maths-in-writing", "synthetic-data", "data-effect", "refusal", "hallucination", "bias",
}  # fmt: skip
_NOBODY = re.compile(
    r"^(?:some|many|several|early|the)?\s*(?:critics?|users?|developers?|testers?|researchers?|"
    r"reviewers?|observers?|experts?|engineers?|people|commentators?|some|many|sources?)$",
    re.IGNORECASE,
)
_WHO_MEASURED = re.compile(
    r"\b(?:OpenAI|vendor|its own|their own|the company|model card|according to|Artificial Analysis|"
    r"leaderboard|board|independent\w*|third[\s\-]party|measured by|tested by|reported by)\b",
    re.IGNORECASE,
)
_EFFORT = re.compile(r"\beffort\b|\b(?:low|medium|high)[\s\-]reasoning\b|\(high\)", re.IGNORECASE)
_DATED = re.compile(r"\bversion\b|\bv\d|\b20\d\d\b|\bas of\b", re.IGNORECASE)
_CONTEXT_TOLD = re.compile(r"\bcontext\b|\btokens\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A distinct claim with what its place, its direction and its evidence are.

    `strength` is that of its strongest telling, `centrality` that of its most central one. `told`
    says for each condition that the claim depends on whether the story gives it.
    """

    claim: Claim
    judgement: Judgement
    centrality: float
    favour: Favour
    voice: Voice
    strength: int
    headline_strength: int | None
    body_strength: int | None
    is_independent: bool
    told: dict[str, bool]

    @property
    def is_checkable(self) -> bool:
        """Whether any evidence could speak to it."""
        return self.judgement.verdict != "not_checkable"

    @property
    def bears_evidence(self) -> bool:
        """Whether some evidence does."""
        posterior = self.judgement.posterior
        return self.is_checkable and posterior is not None and posterior.weight > 0


def standings(
    judged: Iterable[tuple[Claim, Judgement]], story: Story, ledger: Ledger
) -> tuple[Standing, ...]:
    """The distinct claims in reading order; what is said again counts once, as it is loudest."""
    pairs = list(judged)
    main = main_models([claim for claim, _ in pairs], ledger)
    lede = min((c.sentence.paragraph for c, _ in pairs if not c.sentence.is_heading), default=-1)
    found: dict[str, Standing] = {}
    for claim, judgement in pairs:
        one = _standing(claim, judgement, story, lede, main, ledger)
        first = found.get(claim.repeats or "")
        if first is None:
            found[claim.id] = one
        else:
            found[first.claim.id] = _louder(first, one)
    return tuple(found.values())


def _louder(first: Standing, again: Standing) -> Standing:
    def most(one: int | None, other: int | None) -> int | None:
        return max((s for s in (one, other) if s is not None), default=None)

    return replace(
        first,
        centrality=max(first.centrality, again.centrality),
        strength=max(first.strength, again.strength),
        headline_strength=most(first.headline_strength, again.headline_strength),
        body_strength=most(first.body_strength, again.body_strength),
        is_independent=first.is_independent or again.is_independent,
        told={k: first.told.get(k, False) or v for k, v in {**first.told, **again.told}.items()},
    )


def main_models(claims: Iterable[Claim], ledger: Ledger) -> frozenset[str]:
    """The model that most claims are about, with its family: whom the story is about."""
    counts = Counter(s for claim in claims for s in claim.subjects if s in ledger.tables.models)
    if not counts:
        return frozenset()
    models = ledger.tables.models
    top = max(counts, key=lambda name: (counts[name], name))
    family = models[top].family
    return frozenset(m.id for m in models.values() if family and m.family == family) | {top}


def _standing(
    claim: Claim,
    judgement: Judgement,
    story: Story,
    lede: int,
    main: frozenset[str],
    ledger: Ledger,
) -> Standing:
    centrality = _centrality(claim, story, lede)
    return Standing(
        claim=claim,
        judgement=judgement,
        centrality=centrality,
        favour=_favour(claim, judgement, main, ledger),
        voice=_voice(claim, main, ledger),
        strength=claim.strength,
        headline_strength=claim.strength if centrality == TITLE else None,
        body_strength=claim.strength if centrality < TITLE else None,
        is_independent=_is_independent(claim, judgement, main, ledger),
        told=_told(claim, ledger),
    )


def _centrality(claim: Claim, story: Story, lede: int) -> float:
    sentence = claim.sentence
    if sentence.is_heading:
        return TITLE if sentence.paragraph < lede or lede < 0 else LEDE
    is_title = sentence.text == story.title and "\n" in story.text
    if is_title:
        return TITLE
    before = sentence.text[: claim.span.start - sentence.span.start]
    if before.count("(") > before.count(")"):
        return ASIDE
    return LEDE if sentence.paragraph == lede else BODY


def _favour(claim: Claim, judgement: Judgement, main: frozenset[str], ledger: Ledger) -> Favour:
    """For the story's models (1), against them (-1), or neither."""
    own = _as_told(claim, judgement, ledger)
    if claim.negated or _denies_openness(claim):
        own = _flipped(own)
    if not main or set(claim.subjects) & main or not claim.subjects:
        return own
    if claim.relation and _names(claim.comparators, main):
        return _flipped(own)
    return 0


def _names(comparators: tuple[str, ...], main: frozenset[str]) -> bool:
    return bool(main & set(comparators)) or (
        OPENAI_PROPRIETARY in comparators and any(m.startswith("gpt-oss") for m in main)
    )


def _flipped(favour: Favour) -> Favour:
    return -1 if favour > 0 else 1 if favour < 0 else 0


def _as_told(claim: Claim, judgement: Judgement, ledger: Ledger) -> Favour:
    """For or against the claim's own subject."""
    if claim.topic in ("opinion", "harmony"):
        return leaning(claim.quote)
    if claim.topic == "score":
        return _of_scores(claim, judgement, ledger)
    if relation := claim.relation or claim.direction:
        return -1 if relation == "below" else 1
    if claim.topic == "compliance-score" or claim.misuses:
        return _by_words(claim.sentence.text)
    return 1 if claim.topic in _FOR else -1 if claim.topic in _AGAINST else 0


def _by_words(text: str) -> Favour:
    weak, strong = topics.WEAK.search(text), topics.STRONG.search(text)
    return 0 if bool(weak) == bool(strong) else -1 if weak else 1


def _denies_openness(claim: Claim) -> bool:
    return claim.topic == "open-source" and bool(re.search(r"\bnot\b|n['\u2019]t\b", claim.quote))


def _of_scores(claim: Claim, judgement: Judgement, ledger: Ledger) -> Favour:
    """A wrong score leans as it errs; a right one is told in the model's favour, or as weak."""
    signs = {
        name: -1 if row.lower_is_better else 1 for name, row in ledger.tables.benchmarks.items()
    }
    if judgement.verdict != "contradicted":
        is_fault = any(signs[score.benchmark] < 0 for score in claim.scores)
        return -1 if is_fault or _by_words(claim.sentence.text) < 0 else 1
    errors = []
    for score in claim.scores:
        rows = published_of(score, claim, ledger)
        if not rows or any(is_same(row, score) for row in allowed(score, rows)):
            continue
        nearest = min(rows, key=lambda row: (abs(row.value - score.value), row.id))
        errors.append(signs[score.benchmark] * (score.value - nearest.value))
    total = sum(errors)
    return 1 if total > 0 else -1 if total < 0 else 0


def _voice(claim: Claim, main: frozenset[str], ledger: Ledger) -> Voice:
    if claim.attribution is None:
        return "story"
    makers = {ledger.tables.models[m].organisation for m in main if m in ledger.tables.models}
    is_vendor = any(maker.lower() in claim.attribution.lower() for maker in makers)
    return "vendor" if is_vendor or "company" in claim.attribution.lower() else "others"


def _is_independent(
    claim: Claim, judgement: Judgement, main: frozenset[str], ledger: Ledger
) -> bool:
    """Said by somebody named who is not the vendor, or held by a record that anyone can check."""
    is_named = claim.attribution is not None and not _NOBODY.match(claim.attribution)
    if is_named and _voice(claim, main, ledger) == "others":
        return True
    records = (ledger.record(cite) for s in judgement.reason for cite in s.cites)
    for record in records:
        if isinstance(record, Measured) and record.usable:
            return True
        if isinstance(record, Document | Figure) and (
            weight_of(record) == VENDOR_ON_WHAT_IT_MADE
            or (isinstance(record, Figure) and record.measured_by == "third_party")
        ):
            return True
    return any(
        isinstance(origin, Figure) and origin.measured_by == "third_party"
        for statement in judgement.reason
        for cite in statement.cites
        if cite in ledger.computed
        for name in ledger.computed[cite].inputs
        if (origin := ledger.record(name)) is not None
    )


def _told(claim: Claim, ledger: Ledger) -> dict[str, bool]:
    """The conditions that a claim of this kind depends on, and whether its context gives them."""
    said = claim.context
    if claim.topic == "memory":
        return {"context length": bool(_CONTEXT_TOLD.search(said))}
    if claim.topic == "best-american":
        return {"date": bool(_DATED.search(said)) or claim.told_on is not None}
    if claim.topic == "comparison":
        named = any(pattern.search(claim.quote) for pattern in topics.ABILITIES.values())
        return {
            "benchmark": bool(claim.benchmarks) or named,
            "who measured": bool(_WHO_MEASURED.search(said)),
        }
    if claim.topic != "score":
        return {}
    rows = [row for score in claim.scores for row in published_of(score, claim, ledger)]
    told = {"who measured": bool(_WHO_MEASURED.search(said))}
    if len({row.conditions.tools for row in rows} - {None}) > 1:
        told["tools"] = bool(TOOLS_TOLD.search(said))
    if len({row.conditions.effort for row in rows} - {None}) > 1:
        told["effort"] = bool(_EFFORT.search(said))
    if any(row.conditions.index_version for row in rows):
        told["index version"] = bool(_DATED.search(said)) or claim.told_on is not None
    return told
