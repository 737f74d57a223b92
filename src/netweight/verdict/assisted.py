"""Claims found with a model's help: it labels spans of the story, and code does the rest.

Any Inspect model can be the assistant. It is asked several times, under a schema, and gives labels
only: which words state a claim, of what kind, of which models. A quote that is not in the story is
rejected and counted; what most answers agree on is kept; numbers, strength and misused benchmarks
are read by the same rules as without a model. What is left stands beside the rules' own claims,
which no answer can take away. The story is data: whatever it says to the assistant, the most it can
bring about is a wrong label on words that it really has. Does not know what is true.
"""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from netweight.errors import VerdictError
from netweight.verdict.asking import FAILURE_WORDS, Failure, Problem, Reply, ask, parse_reply
from netweight.verdict.claims import Claim, extract_claims
from netweight.verdict.evidence import Computed, Published, Row
from netweight.verdict.judgement import Statement
from netweight.verdict.labelled import make_claims
from netweight.verdict.ledger import Ledger
from netweight.verdict.marking import Answer, Reading, make_reading, request_about
from netweight.verdict.merging import merge
from netweight.verdict.names import find_models
from netweight.verdict.proposals import REASON_WORDS, Checked, Marked, Reason, check_answer
from netweight.verdict.story import Story
from netweight.verdict.voting import take_vote

if TYPE_CHECKING:
    from netweight.verdict.asking import Assistant

VERSION = 2  # of the instructions and of what is made of the answers
DEFAULT_REPEATS = 5
MAX_REPEATS = 21


class Extraction(Row):
    """How the claims were found: who was asked, how often, and what was made of the answers.

    A story is read in pieces; about `num_unread` of them no answer was usable, and the rules alone
    found the claims there. `failed` counts unusable answers by what was wrong. `num_quotes` counts
    the quotes of all usable ones, and `rejected` those among them that failed a check, by reason.
    Of what was left, `num_outvoted` claims stand in too few answers and `num_unreadable` have a
    topic whose words or numbers the quote does not hold; `num_claims` came of it, and `added` are
    the ids of those that the rules had not found. `agreement` is how alike two answers about the
    same sentences are, on average (Dice's coefficient of their claims); None where no two can be
    compared. It says nothing of whether they are right. `own_models` are the models of the story
    that the assistant itself seems to be.
    """

    model: str
    version: int = VERSION
    repeats: int
    seed: int
    num_pieces: int
    num_unread: int
    num_answers: int
    failed: dict[Failure, int]
    num_quotes: int
    rejected: dict[Reason, int]
    num_speakers_dropped: int
    num_outvoted: int
    num_unreadable: int
    num_claims: int
    added: tuple[str, ...] = ()
    agreement: float | None
    own_models: tuple[str, ...]

    @property
    def num_failed(self) -> int:
        """Answers that were of no use, for whatever reason."""
        return sum(self.failed.values())

    @property
    def num_rejected(self) -> int:
        """Quotes that failed a check, for whatever reason."""
        return sum(self.rejected.values())


class Assisted(NamedTuple):
    """The claims in reading order, as `extract_claims` gives them, and how they were found."""

    claims: tuple[Claim, ...]
    extraction: Extraction


def extract_with_model(
    story: Story,
    tables: Published,
    model: "Assistant",
    *,
    repeats: int = DEFAULT_REPEATS,
    seed: int = 0,
) -> Assisted:
    """The claims of `extract_claims`, and those that a model adds, in the same form.

    Args:
        story: what is read.
        tables: the models and benchmarks that labels may name, where the story names them.
        model: an Inspect model name such as "provider/model", or a model that no event loop has
            used yet. Not to be called from inside a running event loop.
        repeats: how often each piece of the story is read; odd, so that a majority exists.
        seed: of the first reading; each further one has the next.

    Raises:
        VerdictError: the number of repeats is not allowed, Inspect cannot use the model, or no
            answer of it came at all.
    """
    if not 1 <= repeats <= MAX_REPEATS or repeats % 2 == 0:
        raise VerdictError(
            f"a story cannot be read {repeats} times: allowed are odd numbers from 1 to "
            f"{MAX_REPEATS}, so that a majority exists. The usual number is {DEFAULT_REPEATS}."
        )
    reading = make_reading(story, tables)
    requests = [
        request_about(reading, piece, seed + index)
        for piece in reading.pieces
        for index in range(repeats)
    ]
    replies = ask(model, requests)
    own, extraction = read_replies(reading, replies, name=str(model), seed=seed)
    claims, added = merge(extract_claims(story, tables), own)
    return Assisted(claims, extraction.model_copy(update={"added": added}))


def read_replies(reading: Reading, replies: Sequence[Reply], *, name: str, seed: int) -> Assisted:
    """Check and vote on the replies to a reading's requests, piece by piece and repeat by repeat.

    The claims are what the replies make, without the rules' own. The same replies give the same.

    Raises:
        VerdictError: no answer came at all.
    """
    _demand_an_answer(replies, name)
    repeats = len(replies) // len(reading.pieces) if reading.pieces else 0
    num_unread = num_outvoted = 0
    failed: Counter[Failure] = Counter()
    kept: list[Marked] = []
    checked: list[Checked] = []
    likenesses: list[float] = []
    for index, piece in enumerate(reading.pieces):
        own = replies[index * repeats : (index + 1) * repeats]
        parsed = [parse_reply(reply, Answer) for reply in own]
        answers = [each for each in parsed if isinstance(each, Answer)]
        failed.update(each.kind for each in parsed if isinstance(each, Problem))
        num_unread += not answers
        held = [check_answer(answer, reading, piece) for answer in answers]
        vote = take_vote([each.passed for each in held])
        checked += held
        kept += vote.kept
        num_outvoted += vote.num_outvoted
        likenesses += vote.likenesses
    claims, num_unreadable = make_claims(kept, reading)
    rejected = sum((each.rejected for each in checked), Counter[Reason]())
    extraction = Extraction(
        model=name,
        repeats=repeats,
        seed=seed,
        num_pieces=len(reading.pieces),
        num_unread=num_unread,
        num_answers=len(replies),
        failed={kind: failed[kind] for kind in FAILURE_WORDS},
        num_quotes=sum(each.num_quotes for each in checked),
        rejected={reason: rejected[reason] for reason in REASON_WORDS},
        num_speakers_dropped=sum(each.num_speakers_dropped for each in checked),
        num_outvoted=num_outvoted,
        num_unreadable=num_unreadable,
        num_claims=len(claims),
        agreement=round(fmean(likenesses), 3) if likenesses else None,
        own_models=_own_models(name, reading),
    )
    return Assisted(claims, extraction)


def _demand_an_answer(replies: Sequence[Reply], name: str) -> None:
    problems = [reply.problem for reply in replies if reply.problem is not None]
    if replies and [problem.kind for problem in problems] == ["unreached"] * len(replies):
        raise VerdictError(
            f"the assistant {name} gave no answer about the story in {len(replies)} tries; the "
            f"last: {problems[-1].told}. Choose one that can be reached, or leave the assistant "
            "out: rules then find the claims."
        )


def _own_models(name: str, reading: Reading) -> tuple[str, ...]:
    """The models of the story that the assistant is, as far as names tell."""
    undated = re.sub(r"[-@]\d{4}-?\d{2}-?\d{2}$", "", name)
    own = {_plain(i) for mention in find_models(undated, reading.tables) for i in mention.ids}
    told = dict.fromkeys(i for scene in reading.scenes for m in scene.models for i in m.ids)
    return tuple(i.removeprefix("other:") for i in told if _plain(i) in own)


def _plain(model: str) -> str:
    return re.sub(r"[^a-z0-9.:]", "", model)


def extraction_statements(extraction: Extraction, ledger: Ledger) -> tuple[Statement, ...]:
    """Sentences for the method part of a verdict, and in the ledger the record that they cite."""
    told = extraction
    agreement = {} if told.agreement is None else {"agreement": round(100 * told.agreement, 1)}
    record = ledger.add(
        Computed(
            id="extraction",
            statement=f"claims marked by {told.model}, and what became of them",
            values={
                "readings": told.repeats,
                "answers": told.num_answers,
                "unusable": told.num_failed,
                **{f"unusable, {FAILURE_WORDS[k]}": n for k, n in told.failed.items() if n},
                "quotes": told.num_quotes,
                "rejected": told.num_rejected,
                "outvoted": told.num_outvoted,
                "unreadable": told.num_unreadable,
                "claims": told.num_claims,
                "added": len(told.added),
                "parts": told.num_pieces,
                "unread": told.num_unread,
            }
            | agreement,
            inputs=(),
            method="majority of the readings, each quote checked against the story",
        )
    )
    return tuple(Statement(text=text, cites=(record.id,)) for text in _texts(told))


def _texts(told: Extraction) -> list[str]:
    kinds = "; ".join(f"{FAILURE_WORDS[kind]}: {n}" for kind, n in told.failed.items() if n)
    texts = [
        f"Rules find the claims and cut their quotes. A model, {told.model}, was asked to mark "
        "claims as well: it gives labels and no scores, and adds what the rules leave. Readings of "
        f"the story: {told.repeats}. What stands in most of them is kept.",
        f"Unusable answers: {told.num_failed} of {told.num_answers}"
        + (f" ({kinds})." if kinds else "."),
    ]
    if told.num_unread == told.num_pieces:
        return [*texts, "It added nothing: all claims are those of the rules."]
    if told.num_unread:
        texts.append(
            f"About {told.num_unread} of the story's {told.num_pieces} parts no answer was usable; "
            "the rules alone found the claims there."
        )
    texts.append(
        f"Quotes in its answers: {told.num_quotes}; rejected, as the story does not hold them or "
        f"their labels: {told.num_rejected}. Claims that came of the others: {told.num_claims}; "
        f"added to those of the rules: {len(told.added)}."
    )
    if told.agreement is not None:
        texts.append(
            f"On average a pair of readings agrees on {round(100 * told.agreement, 1):g}% of its "
            "claims, which says nothing of whether they are right."
        )
    if told.own_models:
        texts.append(
            "The story is about the very model that marked its claims: "
            f"{', '.join(told.own_models)}."
        )
    return texts
