"""The verdict as one document: story, judged claims, findings, evidence; and its checks.

Puts the room's parts together and writes files. A document is refused if a quote is not verbatim,
a citation leads nowhere, or a sentence states a number that its records do not hold.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from netweight.errors import VerdictError
from netweight.verdict.claims import Claim, extract_claims
from netweight.verdict.evidence import Computed, Document, Figure, Published, Row, Source
from netweight.verdict.judge import judge
from netweight.verdict.judgement import (
    Judgement,
    Statement,
    Verdict,
    check_statement,
    known_names,
    listed,
    record_text,
)
from netweight.verdict.ledger import MARGIN_POINTS, RATE_THRESHOLD_PERCENT, Ledger
from netweight.verdict.measured import Measured
from netweight.verdict.story import Story
from netweight.verdict.topics import ABILITY_WORDS
from netweight.verdict.triggers import Misuse

METHOD_VERSION = "1"
VERDICTS: tuple[Verdict, ...] = (
    "supported",
    "contradicted",
    "mixed",
    "not_enough_evidence",
    "not_checkable",
)


class StoryPart(Row):
    """What was read. The text itself is not kept, only its hash and the quotes."""

    name: str
    title: str
    format: Literal["text", "markdown", "html"]
    sha256: str
    num_words: int
    num_sentences: int


class ClaimPart(Row):
    """A claim and its judgement; places count characters of the clean text."""

    id: str
    topic: str
    type: str
    quote: str
    char_start: int
    char_end: int
    sentence: str
    sentence_start: int
    subjects: tuple[str, ...]
    benchmarks: tuple[str, ...]
    strength: int
    hedged: bool
    attribution: str | None
    repeats: str | None
    verdict: Verdict
    reason: tuple[Statement, ...]
    caveats: tuple[Statement, ...]
    settles: tuple[Statement, ...]
    evidence: tuple[str, ...]
    plot: tuple[str, ...]


class Finding(Row):
    """An error of reasoning: a sentence that uses benchmarks for what they do not measure."""

    id: str
    kind: Literal["category_error"]
    benchmarks: tuple[str, ...]
    abilities: tuple[str, ...]
    claims: tuple[str, ...]
    sentence: str
    correction: tuple[Statement, ...]


class MethodPart(Row):
    """What the judgement was made with."""

    version: str
    tables: str
    statements: tuple[Statement, ...]


class Report(Row):
    """Everything that one run found out; its JSON is verdict.json."""

    schema_: Literal["netweight-verdict/1"] = "netweight-verdict/1"
    date: str
    story: StoryPart
    summary: tuple[Statement, ...]
    tally: dict[Verdict, int]
    claims: tuple[ClaimPart, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[Figure | Document | Computed, ...]
    sources: tuple[Source, ...]
    measured: tuple[Measured, ...]
    method: MethodPart

    def to_json(self) -> str:
        """The document as JSON text, the same bytes for the same inputs."""
        text = self.model_dump_json(indent=2, by_alias=True)
        return text.replace('"schema_":', '"schema":', 1) + "\n"


def make_report(
    story: Story, tables: Published, *, date: str, measured: Iterable[Measured] = ()
) -> Report:
    """Judge a story's claims and check the result.

    Raises:
        VerdictError: a check failed; nothing may be written.
    """
    ledger = Ledger(
        tables, tuple(sorted(measured, key=lambda m: (m.model, m.task, m.measured_on, m.id)))
    )
    claims = extract_claims(story, tables)
    judged = [(claim, judge(claim, ledger)) for claim in claims]
    findings = _findings(claims, ledger)
    summary = _summary(judged, findings, ledger)
    method = _method(tables, ledger)
    used = dict.fromkeys(c for _, j in judged for c in j.evidence) | dict.fromkeys(
        c
        for s in (*summary, *method.statements, *(s for f in findings for s in f.correction))
        for c in s.cites
    )
    evidence = _with_inputs(used, ledger)
    report = Report(
        date=date,
        story=StoryPart(
            name=story.name,
            title=story.title,
            format=story.format,
            sha256=story.sha256,
            num_words=story.num_words,
            num_sentences=len(story.sentences),
        ),
        summary=summary,
        tally=_tally(judged),
        claims=tuple(_claim_part(claim, judgement) for claim, judgement in judged),
        findings=findings,
        evidence=evidence,
        sources=_sources(evidence, tables, used),
        measured=ledger.measured,
        method=method,
    )
    check_report(report, story, tables)
    return report


def _claim_part(claim: Claim, judgement: Judgement) -> ClaimPart:
    return ClaimPart(
        id=claim.id,
        topic=claim.topic,
        type=claim.type,
        quote=claim.quote,
        char_start=claim.span.start,
        char_end=claim.span.end,
        sentence=claim.sentence.text,
        sentence_start=claim.sentence.span.start,
        subjects=tuple(s.removeprefix("other:") for s in claim.subjects),
        benchmarks=claim.benchmarks,
        strength=claim.strength,
        hedged=claim.hedged,
        attribution=claim.attribution,
        repeats=claim.repeats,
        verdict=judgement.verdict,
        reason=judgement.reason,
        caveats=judgement.caveats,
        settles=judgement.settles,
        evidence=judgement.evidence,
        plot=judgement.plot,
    )


def _tally(judged: list[tuple[Claim, Judgement]]) -> dict[Verdict, int]:
    """Claims by verdict; a claim that repeats another is not counted twice."""
    first = [judgement.verdict for claim, judgement in judged if claim.repeats is None]
    return {verdict: first.count(verdict) for verdict in VERDICTS}


def _findings(claims: tuple[Claim, ...], ledger: Ledger) -> tuple[Finding, ...]:
    """One finding per sentence, with a correction for each benchmark that it misuses."""
    by_sentence: dict[int, list[Claim]] = {}
    for claim in claims:
        if claim.misuses:
            by_sentence.setdefault(claim.sentence.span.start, []).append(claim)
    found: list[Finding] = []
    for group in by_sentence.values():
        misuses = [misuse for claim in group for misuse in claim.misuses]
        benchmarks = tuple(dict.fromkeys(misuse.benchmark for misuse in misuses))
        found.append(
            Finding(
                id=f"f{len(found) + 1}",
                kind="category_error",
                benchmarks=benchmarks,
                abilities=tuple(dict.fromkeys(misuse.ability for misuse in misuses)),
                claims=tuple(claim.id for claim in group),
                sentence=group[0].sentence.text,
                correction=tuple(
                    _correction(b, _claimed_of(b, misuses), ledger) for b in benchmarks
                ),
            )
        )
    return tuple(found)


def _claimed_of(benchmark: str, misuses: Iterable[Misuse]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m.ability for m in misuses if m.benchmark == benchmark))


def _correction(benchmark: str, abilities: tuple[str, ...], ledger: Ledger) -> Statement:
    row = ledger.tables.benchmarks[benchmark]
    words = [ABILITY_WORDS[a] for a in abilities]
    said = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
    text = f"{row.name} measures {row.is_}. Its scores say nothing about {said}."
    return Statement(text=text, cites=(f"benchmark:{benchmark}",))


def _summary(
    judged: list[tuple[Claim, Judgement]], findings: tuple[Finding, ...], ledger: Ledger
) -> tuple[Statement, ...]:
    """The sentences at the top: the tally, errors of reasoning, what stands against the story."""
    said = [_tally_sentence(judged, ledger)]
    for benchmark in dict.fromkeys(b for f in findings for b in f.benchmarks):
        misuses = [m for claim, _ in judged for m in claim.misuses]
        said.append(_correction(benchmark, _claimed_of(benchmark, misuses), ledger))
    leads: dict[str, Judgement] = {}
    for wanted in ("contradicted", "mixed"):
        for claim, judgement in judged:
            if judgement.verdict == wanted and not claim.misuses and claim.repeats is None:
                leads.setdefault(claim.topic, judgement)
    said += [judgement.reason[0] for judgement in list(leads.values())[:2]]
    return tuple(dict.fromkeys(said))


def _tally_sentence(judged: list[tuple[Claim, Judgement]], ledger: Ledger) -> Statement:
    tally = _tally(judged)
    total = sum(tally.values())
    if total == 0:
        return Statement(
            text="No sentence of this story claims anything about a model that the rules can "
            "recognise."
        )
    record = ledger.add(
        Computed(
            id="tally",
            statement="distinct claims by verdict",
            values={"claims": total, **{str(k): v for k, v in tally.items()}},
            inputs=(),
            method="count",
        )
    )
    words = {
        "supported": "supported",
        "contradicted": "contradicted",
        "mixed": "true only in part",
        "not_enough_evidence": "open for want of evidence",
        "not_checkable": "opinion" if tally["not_checkable"] == 1 else "opinions",
    }
    parts = listed(f"{tally[v]} {words[v]}" for v in VERDICTS if tally[v])
    noun = "claim" if total == 1 else "claims"
    return Statement(text=f"The story makes {total} distinct {noun}: {parts}.", cites=(record.id,))


def _method(tables: Published, ledger: Ledger) -> MethodPart:
    constants = ledger.constants()
    return MethodPart(
        version=METHOD_VERSION,
        tables=tables.version,
        statements=(
            Statement(
                text="Rules find the claims and cut the quotes; no model is asked, and nothing "
                "is fetched."
            ),
            Statement(
                text="A rate has a 95% Wilson interval. Models differ where the 95% interval of "
                "the difference leaves out "
                f"zero; they are equal only where its 90% interval lies within "
                f"{MARGIN_POINTS:g} points. Otherwise the data "
                "cannot tell, which is not the same as equal.",
                cites=(constants.id,),
            ),
            Statement(
                text="Figures are compared only within one source, harness, tool setting and "
                "index version."
            ),
            Statement(
                text=f"A propensity is more than {RATE_THRESHOLD_PERCENT:g}% of texts, by the "
                f"whole interval.",
                cites=(constants.id,),
            ),
            Statement(
                text="Opinions are quoted and left alone. A claim that no record speaks to is "
                "said to be open."
            ),
        ),
    )


def _with_inputs(used: Iterable[str], ledger: Ledger) -> tuple[Figure | Document | Computed, ...]:
    """The records used and those they were computed from, in order of first use."""
    ordered: dict[str, Figure | Document | Computed] = {}
    queue = [name for name in used if not name.startswith("benchmark:")]
    while queue:
        name = queue.pop(0)
        record = ledger.record(name)
        if record is None:
            raise VerdictError(f"refused to write: no record {name!r}")
        if isinstance(record, Measured) or name in ordered:
            continue
        ordered[name] = record
        if isinstance(record, Computed):
            queue[:0] = list(record.inputs)
    return tuple(ordered.values())


def _sources(
    evidence: tuple[Figure | Document | Computed, ...], tables: Published, used: Iterable[str]
) -> tuple[Source, ...]:
    names = [record.source for record in evidence if not isinstance(record, Computed)]
    for name in used:
        if name.startswith("benchmark:") and (
            source := tables.benchmarks[name.partition(":")[2]].source
        ):
            names.append(source)
    return tuple(tables.sources[name] for name in dict.fromkeys(names))


def check_report(report: Report, story: Story, tables: Published) -> None:
    """The release rule.

    Raises:
        VerdictError: a quote is not verbatim, or a sentence fails its citation check.
    """
    for claim in report.claims:
        if story.text[claim.char_start : claim.char_end] != claim.quote or not claim.quote:
            raise VerdictError(
                f"refused to write: the quote of {claim.id} is not in the story where it says"
            )
    records = {record.id: record_text(record) for record in (*report.evidence, *report.measured)}
    names = known_names(tables)

    def text_of(cite: str) -> str | None:
        if cite.startswith("benchmark:"):
            row = tables.benchmarks.get(cite.partition(":")[2])
            return record_text(row) if row else None
        return records.get(cite)

    for statement in statements_of(report):
        check_statement(statement, text_of, names)


def statements_of(report: Report) -> list[Statement]:
    """Every sentence of ours in the document."""
    said = [*report.summary, *report.method.statements]
    for claim in report.claims:
        said += [*claim.reason, *claim.caveats, *claim.settles]
    return said + [s for finding in report.findings for s in finding.correction]


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or none of it.

    Raises:
        VerdictError: the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise VerdictError(
            f"{path} cannot be written: {error.strerror}. Choose another --out."
        ) from error
