"""Judging every kind of claim that is not a comparison between models.

One function per topic of the catalogue. Each looks up records for the claim's own models, and says
what they show; where there are none it says so. Measured records count beside published ones, in
sentences of their own, and only for the model that they measured.
"""

import re
from collections.abc import Callable

from netweight.verdict.claims import Claim
from netweight.verdict.comparing import (
    comparable,
    describe,
    judge_comparison,
    plot_ids,
    read_pairs,
    rivals,
)
from netweight.verdict.denial import has_denial
from netweight.verdict.evidence import Document
from netweight.verdict.judge_behaviour import (
    judge_bias,
    judge_compliance_score,
    judge_hallucination,
    judge_maths_in_writing,
    judge_refusal,
    with_measured,
)
from netweight.verdict.judge_documents import (
    BY_DOCUMENT,
    judge_context_length,
    judge_documented,
    judge_open_source_asks,
    judge_text_only,
    judge_training_compute,
    judge_who_measured,
)
from netweight.verdict.judge_numbers import (
    judge_cache,
    judge_checkpoint,
    judge_figures,
    judge_memory,
    judge_score,
    judge_size,
)
from netweight.verdict.judge_propositions import are_served, judge_proposition, speeds_told
from netweight.verdict.judge_quantities import judge_quantity
from netweight.verdict.judgement import (
    Judgement,
    Statement,
    denied,
    nothing,
    number,
    supported,
)
from netweight.verdict.ledger import Ledger
from netweight.verdict.misuses import INFERENCE
from netweight.verdict.names import OPENAI_PROPRIETARY
from netweight.verdict.posterior import of_pairs, of_records
from netweight.verdict.settling import what_would_settle
from netweight.verdict.topics import ABILITY_WORDS, TOPICS, UNNAMED
from netweight.verdict.wordings import (
    OPEN_SOURCE_ASKS,
    WHO_MEASURED,
    is_permissive,
    licence_named,
)

_OF_NO_MODEL = ("other", "benchmark-scope")  # may be said of none
DENIABLE = frozenset(topic.id for topic in TOPICS if topic.can_be_denied)


def judge(claim: Claim, ledger: Ledger) -> Judgement:
    """The verdict on one claim from the ledger's records."""
    if claim.topic == "opinion":
        return _opinion(claim)
    is_of_none = claim.topic in _OF_NO_MODEL or _asks_for(claim)
    if not is_of_none and (unknown := _unknown_subject(claim, ledger)):
        return _completed(claim, unknown, ledger)
    judged = (_LINKED.get(claim.topic) or _BY_TOPIC[claim.topic])(claim, ledger)
    is_denial = claim.negated and claim.topic in DENIABLE
    if is_denial:
        judged = denied(judged)
    if is_misused_here(claim):
        judged = Judgement(verdict="contradicted", reason=judged.reason)
    misused = _misuse_statements(claim, ledger)
    judged = judged.model_copy(update={"reason": (*misused, *judged.reason)})
    judged = with_measured(claim, judged, ledger, denied=is_denial)
    return _completed(claim, judged, ledger)


def is_misused_here(claim: Claim) -> bool:
    """Whether the claim itself draws the conclusion that its benchmark does not bear."""
    is_read_so = any(misuse.ability == UNNAMED for misuse in claim.misuses)
    is_drawn = is_read_so or (INFERENCE.search(claim.quote) is not None and not claim.negated)
    return (
        claim.topic in ("ability", "instruction-following")
        and is_drawn
        and not (claim.hedged and claim.topic == "instruction-following")
        and any(not m.is_description for m in claim.misuses)
    )


def _completed(claim: Claim, judged: Judgement, ledger: Ledger) -> Judgement:
    """Give every judgement its posterior, and every open one what would settle it."""
    is_open = judged.verdict in ("mixed", "not_enough_evidence")
    settles = judged.settles or ((what_would_settle(claim),) if is_open else ())
    posterior = judged.posterior or of_records(judged, ledger)
    return judged.model_copy(update={"settles": settles, "posterior": posterior})


def _unknown_subject(claim: Claim, ledger: Ledger) -> Judgement | None:
    if not claim.subjects:
        return nothing(
            "The story does not say which model this is about.",
            settles="The model's full name and version.",
        )
    unknown = [s for s in claim.subjects if s not in ledger.tables.models]
    measured = {record.model.lower() for record in ledger.measured}
    if len(unknown) == len(claim.subjects) and not measured & {
        u.removeprefix("other:").lower() for u in unknown
    }:
        return nothing("The tables hold nothing about the model named here.")
    return None


def _documents(claim: Claim, ledger: Ledger, name: str) -> Document | None:
    document = ledger.tables.documents[name]
    return document if set(claim.subjects) & set(document.models) else None


def _opinion(claim: Claim) -> Judgement:
    mood = re.search(
        r"sentiment|response|reception|reaction|feedback|dismiss|impress|disappoint|mood",
        claim.quote,
        re.I,
    )
    text = (
        "This sums up how people felt, without saying who was asked or how many."
        if mood
        else "This is a judgement of worth or importance; no measurement could decide it."
    )
    return Judgement(verdict="not_checkable", reason=(Statement(text=text),))


def _licence(claim: Claim, ledger: Ledger) -> Judgement:
    document = _documents(claim, ledger, "licence")
    if document is None or document.licence is None:
        return nothing("The tables hold no licence for this model.")
    agrees = is_permissive(licence_named(claim.quote))
    reason = Statement(text=document.statement, cites=(document.id,))
    policy = ledger.tables.documents["usage-policy"]
    return Judgement(
        verdict="supported" if agrees else "contradicted",
        reason=(reason,),
        caveats=(Statement(text=policy.statement, cites=(policy.id,)),),
    )


def _asks_for(claim: Claim) -> bool:
    """Whether it tells what the definition of open source asks for."""
    return claim.topic == "open-source" and OPEN_SOURCE_ASKS.search(claim.quote) is not None


def _open_source(claim: Claim, ledger: Ledger) -> Judgement:
    if _asks_for(claim):
        return judge_open_source_asks(claim, ledger)
    document = _documents(claim, ledger, "weights-not-data")
    if document is None:
        return nothing("The tables do not say what was published of this model.")
    definition = ledger.tables.documents["osaid-data"]
    return Judgement(
        verdict="supported" if has_denial(claim.quote) else "mixed",
        reason=(
            Statement(text=document.statement, cites=(document.id,)),
            Statement(text=definition.statement, cites=(definition.id,)),
            Statement(
                text="Open weight is the accurate term; open source claims more.",
                cites=(document.id, definition.id),
            ),
        ),
    )


def _closed_before(claim: Claim, ledger: Ledger) -> Judgement:
    document = _documents(claim, ledger, "first-since-gpt-2")
    if document is None:
        return nothing("The tables do not hold this model's history.")
    caveat = Statement(
        text="That is the change of practice; how significant it is remains a judgement."
    )
    return Judgement(
        verdict="supported",
        reason=(Statement(text=document.statement, cites=(document.id,)),),
        caveats=(caveat,)
        if re.search(r"significant|major|historic|big|landmark", claim.quote, re.I)
        else (),
    )


def _synthetic(claim: Claim, ledger: Ledger) -> Judgement:
    document = _documents(claim, ledger, "training-data")
    if document is None:
        return nothing("The tables hold nothing on this model's training data.")
    return Judgement(
        verdict="not_enough_evidence",
        reason=(Statement(text=document.statement, cites=(document.id,)),),
        settles=(
            Statement(
                text="Only disclosure of the training data. Tests of what a model writes can "
                "show signs of it, never the share."
            ),
        ),
    )


def _data_effect(claim: Claim, ledger: Ledger) -> Judgement:
    reason = [
        Statement(
            text="No published experiment changes the training data and measures what follows, "
            "so the cause is open."
        )
    ]
    for subject in claim.subjects:
        for rival in rivals(ledger, subject, (OPENAI_PROPRIETARY,)):
            for pair in comparable(ledger, ledger.tables.benchmarks["simpleqa"], subject, rival):
                reason.append(
                    Statement(
                        text=f"Weak recall of facts itself is published: {ledger.name(subject)} "
                        f"answers {number(pair.first.value)}% of "
                        f"SimpleQA, {ledger.name(rival)} {number(pair.second.value)}%. A "
                        f"smaller model also knows less.",
                        cites=(pair.first.id, pair.second.id),
                    )
                )
    return Judgement(
        verdict="not_enough_evidence",
        reason=tuple(reason),
        settles=(
            Statement(
                text="The same model trained with and without the synthetic part, on the same "
                "questions."
            ),
        ),
    )


_FAST_HOSTS = re.compile(r"\b(?:Groq|Cerebras)\b")
_MEASURED_HOST = re.compile(r"\bGroq\b")  # the one that the document is of


def _of_fast_hosts(claim: Claim, ledger: Ledger) -> Judgement | None:
    """A speed told of such a host: one that they reached, or not the one of the host measured."""
    told = speeds_told(claim.quote)
    if not told or not _FAST_HOSTS.search(claim.sentence.text):
        return None
    agrees = are_served(told)
    if not agrees and not _MEASURED_HOST.search(claim.quote):
        return None
    document = ledger.tables.documents["host-speed"]
    said = Statement(text=document.statement, cites=(document.id,))
    return Judgement(verdict="supported" if agrees else "contradicted", reason=(said,))


def _efficiency(claim: Claim, ledger: Ledger) -> Judgement:
    if of_hosts := _of_fast_hosts(claim, ledger):
        return of_hosts
    if not re.search(r"efficien", claim.quote, re.I):
        return nothing(
            "Speed belongs to a model on a machine; the tables hold no figure for this setting.",
            settles="The same prompt on the machine in question, timed.",
        )
    reason = []
    for subject in claim.subjects:
        total, active = (
            ledger.tables.one(f"{kind}-parameters", subject) for kind in ("total", "active")
        )
        if total and active:
            reason.append(
                Statement(
                    text=f"{ledger.name(subject)} uses {number(active.value)} of its "
                    f"{number(total.value)} billion parameters for each "
                    "token, so it costs far less to run than its size suggests.",
                    cites=(active.id, total.id),
                )
            )
    if not reason:
        return nothing("The tables hold no parameter counts for this model.")
    return supported(
        reason,
        caveat="Fewer active parameters make each token cheaper; long chains of reasoning "
        "can spend the gain.",
    )


_DOCUMENTED_FORMAT = re.compile(
    r"\btrain\w*|\bdocumented\s+(?:\w+\s+)?(?:chat|conversation|format)|\(documented\)", re.I
)


def _harmony(claim: Claim, ledger: Ledger) -> Judgement:
    document = ledger.tables.documents["harmony-format"]
    if _DOCUMENTED_FORMAT.search(claim.sentence.text) and set(claim.subjects) & set(
        document.models
    ):
        said = Statement(text=document.statement, cites=(document.id,))
        return Judgement(verdict="supported", reason=(said,))
    return Judgement(
        verdict="not_checkable",
        reason=(
            Statement(text=document.statement, cites=(document.id,)),
            Statement(text="That it exists is certain; what it is worth is an opinion."),
        ),
    )


def _ability(claim: Claim, ledger: Ledger) -> Judgement:
    """Strong or weak at something: benchmarks that measure it, against the vendor's own peer."""
    if claim.direction is None and any(misuse.is_description for misuse in claim.misuses):
        return Judgement(verdict="contradicted", reason=())  # the misuse itself is the reason
    words = ABILITY_WORDS[claim.ability or ""]
    metrics = [
        b
        for b in ledger.tables.benchmarks.values()
        if claim.ability in b.measures and not b.composite
    ]
    pairs = [
        pair
        for subject in claim.subjects
        for rival in rivals(ledger, subject, (OPENAI_PROPRIETARY,))
        for metric in metrics
        for pair in comparable(ledger, metric, subject, rival)
    ]
    if not pairs:
        return nothing(
            f"The tables hold no figure that measures {words} for this model.",
            settles=f"A benchmark of {words}, run on this model and on another of its kind.",
        )
    verdict = read_pairs(claim.direction, pairs) if claim.direction else "not_enough_evidence"
    return Judgement(
        verdict=verdict,
        reason=tuple(describe(pairs, ledger)),
        settles=(Statement(text=f"A benchmark of {words} with enough questions to tell."),)
        if verdict == "not_enough_evidence"
        else (),
        plot=plot_ids(pairs),
        posterior=of_pairs(claim.direction, pairs, is_universal=False, is_negated=False)
        if claim.direction
        else None,
    )


def _other(claim: Claim, ledger: Ledger) -> Judgement:
    if WHO_MEASURED.search(claim.quote):
        return judge_who_measured(claim, ledger)
    return nothing("No rule of the catalogue and no figure in the tables speaks to this statement.")


def _misuse_statements(claim: Claim, ledger: Ledger) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            text=misuse_text(misuse.benchmark, misuse.ability, ledger),
            cites=(f"benchmark:{misuse.benchmark}",),
        )
        for misuse in claim.misuses
    )


def misuse_text(benchmark: str, ability: str, ledger: Ledger) -> str:
    """What a benchmark measures, and that it does not measure the ability claimed from it."""
    row = ledger.tables.benchmarks[benchmark]
    return f"{row.name} measures {row.is_}. It says nothing about {ABILITY_WORDS[ability]}."


# What a clause was linked to by its words as a whole, rather than by a rule for a topic.
_LINKED: dict[str, Callable[[Claim, Ledger], Judgement]] = {
    "proposition": judge_proposition,
    "quantity": judge_quantity,
    "figures": judge_figures,
}
_BY_TOPIC: dict[str, Callable[[Claim, Ledger], Judgement]] = {
    "licence": _licence,
    "open-source": _open_source,
    "closed-before": _closed_before,
    "size": judge_size,
    "memory": judge_memory,
    "checkpoint": judge_checkpoint,
    "cache": judge_cache,
    "score": judge_score,
    "comparison": judge_comparison,
    "maths-in-writing": judge_maths_in_writing,
    "synthetic-data": _synthetic,
    "data-effect": _data_effect,
    "refusal": judge_refusal,
    "compliance-score": judge_compliance_score,
    "bias": judge_bias,
    "hallucination": judge_hallucination,
    "efficiency": _efficiency,
    "text-only": judge_text_only,
    "context-length": judge_context_length,
    "training-compute": judge_training_compute,
    "effort-levels": judge_documented,
    "mixture-of-experts": judge_documented,
    "no-high-capability": judge_documented,
    "best-american": judge_documented,
    "harmony": _harmony,
    "instruction-following": _ability,
    "ability": _ability,
    "other": _other,
    **BY_DOCUMENT,
}
