"""The verdict as one document: story, judged claims, findings, evidence; and its checks.

Puts the room's parts together, writes files and reads its own JSON back. A document is refused if a
quote is not verbatim, a citation leads nowhere, or a sentence states a number that its records do
not hold.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from netweight.errors import VerdictError
from netweight.verdict.assisted import Assisted, Extraction, extraction_statements
from netweight.verdict.claims import Claim, extract_claims
from netweight.verdict.evidence import (
    Benchmark,
    Computed,
    Document,
    Figure,
    PartialDate,
    Published,
    Row,
    Source,
    first_problem,
)
from netweight.verdict.findings import Finding, correct_misuse, find_errors
from netweight.verdict.judge import judge
from netweight.verdict.judgement import (
    Judgement,
    Posterior,
    Statement,
    Verdict,
    check_statement,
    known_names,
    listed,
    record_text,
)
from netweight.verdict.ledger import MARGIN_POINTS, RATE_THRESHOLD_PERCENT, Ledger
from netweight.verdict.measured import Measured
from netweight.verdict.score import RULES, Scores, score, sentences
from netweight.verdict.scores import Score
from netweight.verdict.standing import standings
from netweight.verdict.story import Story
from netweight.verdict.topics import Relation

if TYPE_CHECKING:
    from netweight.verdict.prose import Prose

METHOD_VERSION = "7"
SCHEMA: Literal["netweight-verdict/3"] = "netweight-verdict/3"
MAX_LEADS = 3  # sentences at the top of the page, beside the tally and misused benchmarks
MAX_JSON_BYTES = 20_000_000
VERDICTS: tuple[Verdict, ...] = (
    "supported",
    "contradicted",
    "mixed",
    "not_enough_evidence",
    "not_checkable",
)


Evidence = Annotated[Figure | Document | Computed, Field(discriminator="kind")]


class StoryPart(Row):
    """What was read. The text itself is not kept, only its hash and the quotes.

    `published` and `publisher` are the story's own words about itself.
    """

    name: str
    title: str
    url: str | None
    published: PartialDate | None
    publisher: str | None
    format: Literal["text", "markdown", "html", "pdf"]
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
    relation: Relation | None
    negated: bool
    comparators: tuple[str, ...]
    scores: tuple[Score, ...]
    ability: str | None
    direction: Relation | None
    strength: int
    hedged: bool
    attribution: str | None
    repeats: str | None
    verdict: Verdict
    posterior: Posterior | None
    reason: tuple[Statement, ...]
    caveats: tuple[Statement, ...]
    settles: tuple[Statement, ...]
    evidence: tuple[str, ...]
    plot: tuple[str, ...]


class AssistantPart(Row):
    """What a model did for this verdict: labels, and the sentences at the top.

    `num_rejected` counts its sentences that failed a check; None where it wrote none.
    """

    extraction: Extraction
    num_rejected: int | None


class MethodPart(Row):
    """What the judgement was made with."""

    version: str
    tables: str
    statements: tuple[Statement, ...]


class Report(Row):
    """Everything that one run found out; its JSON is verdict.json."""

    model_config = ConfigDict(title="verdict.json")

    schema_: Literal["netweight-verdict/3"] = Field(default=SCHEMA, alias="schema")
    date: PartialDate
    story: StoryPart
    summary: tuple[Statement, ...]
    tally: dict[Verdict, int]
    scores: Scores
    claims: tuple[ClaimPart, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    benchmarks: tuple[Benchmark, ...]
    models: dict[str, str]
    sources: tuple[Source, ...]
    measured: tuple[Measured, ...]
    assistant: AssistantPart | None
    method: MethodPart

    def to_json(self) -> str:
        """The document as JSON text, the same bytes for the same inputs."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def make_report(
    story: Story,
    tables: Published,
    *,
    date: str,
    measured: Iterable[Measured] = (),
    assisted: Assisted | None = None,
) -> Report:
    """Judge a story's claims and check the result.

    The claims are those of the rules, or `assisted` ones, which a model helped to find.

    Raises:
        VerdictError: a check failed; nothing may be written.
    """
    ledger = Ledger(
        tables, tuple(sorted(measured, key=lambda m: (m.model, m.task, m.measured_on, m.id)))
    )
    claims = assisted.claims if assisted else extract_claims(story, tables)
    judged = [(claim, judge(claim, ledger)) for claim in claims]
    findings = find_errors(judged, ledger)
    scores = score(standings(judged, story, ledger), story, ledger)
    ledger.add(RULES)
    summary = (*_summary(judged, findings, ledger), *sentences(scores))
    method = _method(tables, ledger, assisted)
    used = dict.fromkeys(c for _, j in judged for c in j.evidence) | dict.fromkeys(
        c
        for s in (
            *summary,
            *method.statements,
            *(s for f in findings for s in f.correction),
            *_of_scores(scores),
        )
        for c in s.cites
    )
    evidence = _with_inputs(used, ledger)
    parts = tuple(_claim_part(claim, judgement) for claim, judgement in judged)
    report = Report(
        date=date,
        story=StoryPart(
            name=story.name,
            title=story.title,
            url=story.url,
            published=story.published,
            publisher=story.publisher,
            format=story.format,
            sha256=story.sha256,
            num_words=story.num_words,
            num_sentences=len(story.sentences),
        ),
        summary=summary,
        tally=_tally(judged),
        scores=scores,
        claims=parts,
        findings=findings,
        evidence=evidence,
        benchmarks=_benchmarks(evidence, used, tables),
        models=_models(evidence, parts, tables),
        sources=_sources(evidence, tables, used),
        measured=ledger.measured,
        assistant=AssistantPart(extraction=assisted.extraction, num_rejected=None)
        if assisted
        else None,
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
        relation=claim.relation,
        negated=claim.negated,
        comparators=tuple(c.removeprefix("other:") for c in claim.comparators),
        scores=claim.scores,
        ability=claim.ability,
        direction=claim.direction,
        strength=claim.strength,
        hedged=claim.hedged,
        attribution=claim.attribution,
        repeats=claim.repeats,
        verdict=judgement.verdict,
        posterior=judgement.posterior,
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


def _summary(
    judged: list[tuple[Claim, Judgement]], findings: tuple[Finding, ...], ledger: Ledger
) -> tuple[Statement, ...]:
    """The sentences at the top: the tally, errors of reasoning, what stands against the story."""
    misused = [f for f in findings if f.kind == "category_error"]
    said = [_tally_sentence(judged, ledger)]
    for benchmark in dict.fromkeys(b for f in misused for b in f.benchmarks):
        misuses = [m for claim, _ in judged for m in claim.misuses if m.benchmark == benchmark]
        abilities = tuple(dict.fromkeys(misuse.ability for misuse in misuses))
        said.append(correct_misuse(benchmark, abilities, ledger))
    others = {f.kind: f.correction[0] for f in reversed(findings) if f not in misused}
    leads = [*reversed(others.values()), *_unfavourable(judged, findings)]
    return tuple(dict.fromkeys([*said, *leads[:MAX_LEADS]]))


def _unfavourable(
    judged: list[tuple[Claim, Judgement]], findings: tuple[Finding, ...]
) -> list[Statement]:
    """The first reason against each topic of the story, beside what the errors say already."""
    told = {claim for finding in findings for claim in finding.claims}
    leads: dict[str, Statement] = {}
    for wanted in ("contradicted", "mixed"):
        for claim, judgement in judged:
            is_new = claim.id not in told and claim.repeats is None
            if is_new and judgement.verdict == wanted:
                leads.setdefault(claim.topic, judgement.reason[0])
    return list(leads.values())


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


def _method(tables: Published, ledger: Ledger, assisted: Assisted | None) -> MethodPart:
    constants = ledger.constants()
    rules = Statement(
        text="Rules find the claims and cut the quotes; no model is asked, and nothing is fetched "
        "but a story that is given by its address."
    )
    found = extraction_statements(assisted.extraction, ledger) if assisted else (rules,)
    return MethodPart(
        version=METHOD_VERSION,
        tables=tables.version,
        statements=(
            *found,
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
                text="Hype is what a story asserts beyond the evidence in the models' favour, "
                "belittling the same against them, and impact what the release changes as far as "
                "the tables tell; each is computed from the labels above, with weights that are "
                "declared and not fitted. What it will have changed later is a forecast, and none "
                "is made."
            ),
            Statement(
                text="Opinions are quoted and left alone. A claim that no record speaks to is "
                "said to be open."
            ),
        ),
    )


def _with_inputs(used: Iterable[str], ledger: Ledger) -> tuple[Evidence, ...]:
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


def _benchmarks(
    evidence: tuple[Evidence, ...], used: Iterable[str], tables: Published
) -> tuple[Benchmark, ...]:
    """The benchmarks that sentences cite or figures are of, by id."""
    named = {name.partition(":")[2] for name in used if name.startswith("benchmark:")}
    named |= {row.metric for row in evidence if isinstance(row, Figure)}
    return tuple(row for key, row in sorted(tables.benchmarks.items()) if key in named)


def _models(
    evidence: tuple[Evidence, ...], claims: tuple[ClaimPart, ...], tables: Published
) -> dict[str, str]:
    """Names by id of the models that figures and claims are about."""
    named = {row.model for row in evidence if isinstance(row, Figure)}
    named |= {model for claim in claims for model in (*claim.subjects, *claim.comparators)}
    return {key: row.name for key, row in sorted(tables.models.items()) if key in named}


def _sources(
    evidence: tuple[Evidence, ...], tables: Published, used: Iterable[str]
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
    check_sentences(report, tables)


def check_sentences(report: Report, tables: Published) -> None:
    """The part of the release rule that needs no story: quotes in their sentences, citations.

    Raises:
        VerdictError: a quote is not in its sentence, or a sentence fails its citation check.
    """
    for claim in report.claims:
        start = claim.char_start - claim.sentence_start
        if start < 0 or not claim.sentence[start:].startswith(claim.quote):
            raise VerdictError(f"refused to write: the quote of {claim.id} is not in its sentence")
    names, text_of = known_names(tables), records_of(report).get
    for statement in statements_of(report):
        check_statement(statement, text_of, names)


def records_of(report: Report) -> dict[str, str]:
    """What each id that a sentence may cite holds, as text.

    Of a claim that is what was judged, never the story's words, whose numbers may be wrong.
    """
    rows = (*report.evidence, *report.measured)
    texts = {record.id: record_text(record) for record in rows}
    texts |= {f"benchmark:{row.id}": record_text(row) for row in report.benchmarks}
    for claim in report.claims:
        said = (*claim.reason, *claim.caveats, *claim.settles)
        texts[claim.id] = "\n".join(statement.text for statement in said)
    return texts


def with_prose(report: Report, prose: "Prose", tables: Published) -> Report:
    """The report with a model's sentences at the top, checked as a whole again.

    Raises:
        VerdictError: a sentence fails its citation check.
    """
    assert report.assistant is not None, "only an assistant writes"
    assistant = report.assistant.model_copy(update={"num_rejected": prose.num_rejected})
    changed = report.model_copy(update={"summary": prose.statements, "assistant": assistant})
    check_sentences(changed, tables)
    return changed


def parse_report(text: str | bytes, name: str, tables: Published) -> Report:
    """A document that was written before, checked as if it were written now.

    Raises:
        VerdictError: it is no verdict of this schema, or fails the release rule.
    """
    try:
        report = Report.model_validate_json(text)
    except ValidationError as error:
        raise VerdictError(
            f"{name} is not a verdict of schema {SCHEMA}: {first_problem(error)}. Make it again "
            "from its story."
        ) from error
    check_sentences(report, tables)
    return report


def read_report(file: Path, tables: Published) -> Report:
    """The document in a file that `netweight verdict` wrote.

    Raises:
        VerdictError: as parse_report, or the file cannot be read.
    """
    return parse_report(read_json(file), str(file), tables)


def read_json(file: Path) -> bytes:
    """The bytes of a verdict's file.

    Raises:
        VerdictError: there is no such file, or it is larger than any verdict.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise VerdictError(
            f"{file} cannot be read: {error.strerror}. Name a verdict.json."
        ) from error
    if len(content) > MAX_JSON_BYTES:
        raise VerdictError(f"{file} is larger than a verdict: over {MAX_JSON_BYTES / 1e6:.0f} MB.")
    return content


def _of_scores(scores: Scores) -> list[Statement]:
    return [s for one in scores.all for s in (*one.reason, *one.withheld)]


def statements_of(report: Report) -> list[Statement]:
    """Every sentence of ours in the document."""
    said = [*report.summary, *report.method.statements, *_of_scores(report.scores)]
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
