"""Sentences for the top of a verdict, written by a model and let through by the same checks.

A model is shown what was judged, in our words and never in the story's, and asked for a few
sentences with citations. A sentence passes if everything that it cites exists, every number in it
stands in a cited record, and it names no model, states no order and gives no verdict that its
citations do not have. What fails is counted, and a sentence of ours stands in its place. No check
sees a wrong word of any other kind, so a page has to say that a model wrote these sentences.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from netweight.errors import VerdictError
from netweight.verdict.asking import Answered, Request, ask, listing, parse_reply, record_of
from netweight.verdict.evidence import Published
from netweight.verdict.judgement import (
    VERDICT_WORDS,
    Statement,
    Verdict,
    check_statement,
    known_names,
)
from netweight.verdict.matching import GROUP_WORDS, matter_label
from netweight.verdict.names import find_models, find_size_references
from netweight.verdict.report import VERDICTS, ClaimPart, Report
from netweight.verdict.topics import NEGATION, RELATIONS, Relation

if TYPE_CHECKING:
    from netweight.verdict.asking import Assistant

MAX_SENTENCES = 6
MAX_SENTENCE_CHARACTERS = 300
MAX_ANSWERED = 50  # sentences of one answer that are looked at; more is no answer to what was asked
MAX_DATA_BYTES = 24_000  # about 6,000 tokens of English
TRIES = 3  # answers that are not the JSON asked for, before giving up

TextOf = Callable[[str], str | None]

_INSTRUCTIONS = """\
You write the few sentences at the top of a page that holds a news story's claims about AI models \
against evidence. The evidence and the verdicts are given; you add nothing to them.

The user's message is one JSON object. "claims" holds the story's claims: the id, the matter, how \
the story orders the models of a comparison, the verdict, and our reasons with the ids of the \
records they cite. "ours" are the sentences that stand at the top now.

Answer with one JSON object of the form {"sentences": [{"text": ..., "cites": [...]}]} and nothing \
around it: at most six sentences, in plain words, the gravest first. For each one:
text: one sentence without markup, quotation or address.
cites: the ids of the claims and records that it rests on, one at least.

Each sentence is checked, and not printed if it fails:
Every number in it stands in a record that it cites, written the same way.
It names only models of what it cites.
If it cites a claim, it says how that claim was judged, in these words: supported, contradicted, \
mixed, not enough evidence, not checkable. All claims that it cites have that verdict.
If it gives a verdict, it cites the claim.
It calls a model equal to, better or worse than another only as the claim or our reasons do.
"""


class Sentence(Answered):
    """One sentence as the model proposes it, not checked yet."""

    text: str
    cites: tuple[str, ...] = ()


class Answer(Answered):
    """All sentences of one answer."""

    sentences: tuple[Sentence, ...] = Field(max_length=MAX_ANSWERED)


class Prose(NamedTuple):
    """The sentences for the top, and how many of the model's were rejected; None: it wrote none."""

    statements: tuple[Statement, ...]
    num_rejected: int | None


NOT_WRITTEN = Statement(
    text="The model that was asked to write this summary gave no usable answer: all sentences "
    "here are ours."
)
NOTHING_SAID = Statement(
    text="The model that was asked to add claims and to write this summary gave no usable answer: "
    "the claims are those of the rules, and all sentences here are ours."
)


def write_prose(
    report: Report,
    tables: Published,
    model: "Assistant",
    text_of: TextOf,
    *,
    seed: int = 0,
) -> Prose:
    """The report's summary with a model's sentences in it, as far as they pass.

    Our first sentence, the tally, stays first. A sentence of ours gives way only where the model's
    sentences cite all that it cites, so no correction is ever lost.

    Args:
        report: a finished one, whose summary holds our own sentences.
        tables: whose names of models and benchmarks are no numbers.
        model: as for `extract_with_model`.
        text_of: all that a record or benchmark says, by its id; and of a claim what was judged,
            not the story's words, whose numbers may be wrong. None for an unknown id.
        seed: of the first try.

    Raises:
        VerdictError: Inspect cannot use the model.
    """
    answer = _answer(report, tables, model, seed)
    if answer is None:
        return Prose((*report.summary, _told_of_silence(report)), None)
    passed = [
        _checked(sentence, report, tables, text_of) for sentence in answer.sentences[:MAX_SENTENCES]
    ]
    num_rejected = passed.count(None) + max(0, len(answer.sentences) - MAX_SENTENCES)
    return Prose(_placed(passed, report.summary), num_rejected)


def _told_of_silence(report: Report) -> Statement:
    extraction = report.assistant.extraction if report.assistant else None
    is_silent = extraction is not None and extraction.num_unread == extraction.num_pieces
    return NOTHING_SAID if is_silent else NOT_WRITTEN


def _answer(report: Report, tables: Published, model: "Assistant", seed: int) -> Answer | None:
    """The first usable answer, if there is one; what another try would meet again ends it."""
    for index in range(TRIES):
        (reply,) = ask(model, [_request(report, tables, seed + index)])
        found = parse_reply(reply, Answer)
        if isinstance(found, Answer):
            return found
        if found.kind in ("unreached", "too_long"):
            return None
    return None


def _request(report: Report, tables: Published, seed: int) -> Request:
    sentence = record_of(text={"type": "string"}, cites=listing({"type": "string"}))
    data = json.dumps(_material(report, tables), ensure_ascii=False)
    return Request(_INSTRUCTIONS, data, record_of(sentences=listing(sentence)), seed)


# What a reader most needs to know comes first, where not everything can be shown to the model.
_ORDER: tuple[Verdict, ...] = ("contradicted", "mixed", "supported", "not_enough_evidence")


def _material(report: Report, tables: Published) -> dict[str, Any]:
    """What the model is shown: the distinct claims, the gravest first, as far as they fit.

    Nothing of it is the story's own text, so nothing that a story says can reach the page this way.
    """
    rows = sorted(
        (c for c in report.claims if c.repeats is None and c.verdict in _ORDER),
        key=lambda c: _ORDER.index(c.verdict),
    )
    claims, size = [], 0
    for row in rows:
        shown = {
            "id": row.id,
            "matter": _matter(row, tables),
            "relation": row.relation,
            "verdict": VERDICT_WORDS[row.verdict].lower(),
            "reasons": _told((*row.reason, *row.caveats)),
        }
        size += len(json.dumps(shown, ensure_ascii=False).encode())
        if size > MAX_DATA_BYTES:
            break
        claims.append(shown)
    return {"claims": claims, "ours": _told(report.summary[1:])}


def _matter(claim: ClaimPart, tables: Published) -> str:
    """What a claim is about, without the names that only the story has."""
    names = {row.id: row.name for row in tables.models.values()}
    names |= {row.id: row.name for row in tables.benchmarks.values()}

    def known(models: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(model for model in models if model in names or model in GROUP_WORDS)

    ours = {"subjects": known(claim.subjects), "comparators": known(claim.comparators)}
    return matter_label(claim.model_copy(update=ours), names)


def _told(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    return [{"text": said.text, "cites": list(said.cites)} for said in statements]


# ---- the checks


def _checked(
    sentence: Sentence, report: Report, tables: Published, text_of: TextOf
) -> Statement | None:
    """The sentence as a statement of ours, or None if a check fails."""
    statement = Statement(
        text=" ".join(sentence.text.split()), cites=tuple(dict.fromkeys(sentence.cites))
    )
    claims = [claim for claim in report.claims if claim.id in statement.cites]
    if not _is_plain(statement.text) or not statement.cites:
        return None
    try:
        check_statement(statement, text_of, known_names(tables))
    except VerdictError:
        return None
    cited = [text_of(cite) or "" for cite in statement.cites]
    fits = (
        _names_only(statement.text, cited, claims, tables)
        and _states_only(statement.text, cited, claims)
        and _judges_as(statement.text, claims)
    )
    return statement if fits else None


_MARKUP = re.compile(r"[<>{}\[\]`|\\*_#\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
_ADDRESS = re.compile(r"://|\bwww\.|\bmailto:|@|\bjavascript:", re.IGNORECASE)


def _is_plain(text: str) -> bool:
    """One bounded sentence in plain words: no markup, no address, nothing quoted."""
    return (
        0 < len(text) <= MAX_SENTENCE_CHARACTERS
        and any(map(str.isalpha, text))
        and text[-1] in ".!?"
        and re.search(r"[.!?]\s+[A-Z]", text) is None
        and not _MARKUP.search(text)
        and not _ADDRESS.search(text)
        and not re.search('["\u201c\u201d\u201e\u00ab\u00bb]', text)
    )


def _names_only(
    text: str, cited: Sequence[str], claims: Sequence[ClaimPart], tables: Published
) -> bool:
    """Whether every model that it names, or means by its size, is one of what it cites."""
    told = {name for record in cited for name in _models_in(record, tables)}
    for claim in claims:
        for model in (*claim.subjects, *claim.comparators):
            told |= {model, f"other:{model}"}
    return _models_in(text, tables) <= told


def _models_in(text: str, tables: Published) -> set[str]:
    mentions = [*find_models(text, tables), *find_size_references(text)]
    return {name for mention in mentions for name in mention.ids}


def _states_only(text: str, cited: Sequence[str], claims: Sequence[ClaimPart]) -> bool:
    """Whether every order that it states is one that the claims, or what is cited, state too."""
    told = {claim.relation for claim in claims} | {r for text in cited for r in _relations_in(text)}
    return _relations_in(text) <= told


def _relations_in(text: str) -> set[Relation | None]:
    return {relation for relation, pattern in RELATIONS if pattern.search(text)}


_ALL = frozenset(VERDICTS)
_OPEN: frozenset[Verdict] = frozenset({"not_enough_evidence", "mixed"})


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text})\b", re.IGNORECASE)


# Phrases before the words in them: each is read once and then taken out of the sentence.
_PHRASES: tuple[tuple[re.Pattern[str], frozenset[Verdict]], ...] = (
    (
        _words(
            r"not enough evidence|(?:too )?little evidence|no evidence|insufficient evidence|"
            r"unproven|unproved|unverified|unresolved|undecided|unsettled|"
            r"(?:remains?|left|is|are|stays?) open(?![\s\-](?:weights?|source))"
        ),
        frozenset({"not_enough_evidence"}),
    ),
    (
        _words(
            r"(?:cannot|can ?not|can['\u2019]t|could not) (?:be )?(?:tell|told|say|said|decided?)"
        ),
        _OPEN,
    ),
    (_words(r"not checkable|uncheckable|opinions?"), frozenset({"not_checkable"})),
    (
        _words(
            r"mixed|(?:partly|partially|half|only partly) \w+|"
            r"(?:true|right|correct|supported|holds?) (?:only )?in part"
        ),
        frozenset({"mixed"}),
    ),
    (_words(r"unsupported|unconfirmed|unsubstantiated|unfounded"), _ALL - {"supported"}),
)
_VERDICTS: tuple[tuple[re.Pattern[str], Verdict], ...] = (
    (
        _words(
            r"contradict\w*|refut\w+|disprov\w+|debunk\w*|false|wrong(?:ly)?|untrue|incorrect(?:ly)?|"
            r"inaccurate(?:ly)?|mistak\w+|errors?|erroneous(?:ly)?|fails?|myth|belied|belies"
        ),
        "contradicted",
    ),
    (
        _words(
            r"support(?:s|ed|ing)?|confirm(?:s|ed|ing)?|verif(?:y|ies|ied)|corroborat\w+|true|"
            r"correct(?:ly)?|accurate(?:ly)?|right(?:ly)?|holds?(?: up)?|borne out|proven?|proves|"
            r"substantiated|well[\s\-]founded|vindicat\w+"
        ),
        "supported",
    ),
)


def _judges_as(text: str, claims: Sequence[ClaimPart]) -> bool:
    """Whether every verdict word fits every cited claim; none without a claim, and no claim bare.

    A sentence that told a claim's matter without its verdict would tell it as a fact.
    """
    said = verdicts_said(text)
    if not said or not claims:
        return not said and not claims
    return all(claim.verdict in fitting for claim in claims for fitting in said)


def verdicts_said(text: str) -> list[frozenset[Verdict]]:
    """For each word or phrase of a sentence that gives a verdict, the verdicts that it fits."""
    said: list[frozenset[Verdict]] = []
    for phrase, fitting in _PHRASES:
        text, count = phrase.subn("\u2026", text)
        said += [fitting] * count
    for word, verdict in _VERDICTS:
        for match in word.finditer(text):
            is_denied = NEGATION.search(text[: match.start()]) is not None
            said.append(_ALL - {verdict} if is_denied else frozenset({verdict}))
    return said


# ---- which sentences stand


def _placed(passed: Sequence[Statement | None], ours: Sequence[Statement]) -> tuple[Statement, ...]:
    """The model's sentences, and ours where one was rejected or something would be lost."""
    covered = {cite for said in passed if said for cite in said.cites}
    left = [said for said in ours[1:] if not said.cites or not {*said.cites} <= covered]
    placed = list(ours[:1])
    for said in passed:
        if said is not None:
            placed.append(said)
        elif left:
            placed.append(left.pop(0))
    return tuple(dict.fromkeys([*placed, *left]))
