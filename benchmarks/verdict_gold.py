"""Does the verdict find the errors planted in stories of our own, and label their claims rightly?

Some sets served to develop the rules, others only to report on them. A planted error counts as
found when a finding of its kind is on its sentence. A gold claim is matched with the claim that
shares most of its words; one that no claim was found for counts as labelled wrongly.
"""

import argparse
import tomllib
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from netweight.verdict.claims import Claim, extract_claims
from netweight.verdict.evidence import published
from netweight.verdict.findings import Finding, find_errors
from netweight.verdict.intervals import wilson
from netweight.verdict.judge import judge
from netweight.verdict.judgement import Judgement
from netweight.verdict.ledger import Ledger
from netweight.verdict.story import Span, Story, parse_story

FOLDER = Path(__file__).parents[1] / "tests" / "verdict" / "gold"
# Nothing is learned or made from these: their answers were never read.
UNREAD = tuple(f"unread{number}" for number in range(1, 13))
SPLITS = (
    *("dev", "report", "blind_dev", "blind_dev2", "blind_dev3", "blind_dev4", "blind_dev5"),
    "blind",
    *("further1", "further2", "further3", "further4", "further5", "further6"),
    *("further7", "further8", "further9", "further10", "further11", "further12"),
    *("further13", "further14", "further15", "further16", "further17", "further18", "further19"),
    *("further20", "further21", "further22", "further23", "further24", "further25", "further26"),
    *("further27", "further28", "further29", "further30"),
    *("further31", "further32"),
    *UNREAD,
)
LABELS = ("supported", "contradicted", "mixed", "not_enough_evidence", "not_checkable")
MIN_OVERLAP = 0.5  # of the shorter of two quotes


class GoldClaim(NamedTuple):
    """What a careful reader says of a stretch of a story."""

    label: str
    type: str
    quote: str


class Planted(NamedTuple):
    """An error put into a sentence on purpose; `mark` is a stretch of that sentence."""

    kind: str
    mark: str


@dataclass(frozen=True)
class GoldStory:
    """A story with its claims and planted errors."""

    id: str
    style: str
    text: str
    claims: tuple[GoldClaim, ...]
    planted: tuple[Planted, ...]


@dataclass(frozen=True)
class Judged:
    """A gold story beside what was found in it."""

    gold: GoldStory
    story: Story
    claims: tuple[tuple[Claim, Judgement], ...]
    findings: tuple[Finding, ...]

    @property
    def found(self) -> tuple[Planted, ...]:
        """The planted errors with a finding of their kind on their sentence."""
        return tuple(p for p in self.gold.planted if any(_fits(f, p) for f in self.findings))

    @property
    def false_alarms(self) -> tuple[Finding, ...]:
        """Findings on sentences in which nothing was planted."""
        marks = [p.mark for p in self.gold.planted]
        return tuple(f for f in self.findings if not any(m in f.sentence for m in marks))


def _fits(finding: Finding, planted: Planted) -> bool:
    return finding.kind == planted.kind and planted.mark in finding.sentence


def read_gold(split: str) -> tuple[GoldStory, ...]:
    """The stories of one half."""
    parsed = tomllib.loads((FOLDER / f"{split}.toml").read_text("utf-8"))
    return tuple(
        GoldStory(
            id=row["id"],
            style=row["style"],
            text=row["text"].strip(),
            claims=tuple(GoldClaim(*_cells(line, 3)) for line in _lines(row["claims"])),
            planted=tuple(Planted(*_cells(line, 2)) for line in _lines(row["planted"])),
        )
        for row in parsed["story"]
    )


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _cells(line: str, count: int) -> list[str]:
    return [cell.strip() for cell in line.split("|", count - 1)]


def judge_story(gold: GoldStory) -> Judged:
    """Read, judge and check one story, as `netweight verdict` does."""
    tables = published()
    story = parse_story(gold.text.encode(), f"{gold.id}.txt")
    ledger = Ledger(tables)
    claims = tuple((claim, judge(claim, ledger)) for claim in extract_claims(story, tables))
    return Judged(gold, story, claims, find_errors(claims, ledger))


def matched(judged: Judged) -> list[tuple[GoldClaim, str | None]]:
    """Each gold claim with the label of the claim that fits it best, or None."""
    places = {g: _place(judged.story, g.quote) for g in judged.gold.claims}
    offers = sorted(
        (
            (_fit(g, place, claim), g, index)
            for g, place in places.items()
            for index, (claim, _) in enumerate(judged.claims)
        ),
        key=lambda offer: (-offer[0], offer[1].quote, offer[2]),
    )
    taken: dict[GoldClaim, str] = {}
    used: set[int] = set()
    for fit, gold, index in offers:
        if fit > 0 and gold not in taken and index not in used:
            taken[gold] = judged.claims[index][1].verdict
            used.add(index)
    return [(gold, taken.get(gold)) for gold in judged.gold.claims]


def _place(story: Story, quote: str) -> Span:
    start = story.text.index(quote)
    return Span(start, start + len(quote))


def _fit(gold: GoldClaim, place: Span, claim: Claim) -> float:
    """Share of words in common, with a point more for the same type; 0 where too little is."""
    shared = min(place.end, claim.span.end) - max(place.start, claim.span.start)
    shorter = min(place.end - place.start, claim.span.end - claim.span.start)
    if shared < MIN_OVERLAP * shorter:
        return 0.0
    union = max(place.end, claim.span.end) - min(place.start, claim.span.start)
    return shared / union + (claim.type == gold.type)


def macro_f1(pairs: Iterable[tuple[str, str | None]]) -> tuple[float, dict[str, float]]:
    """The mean over labels of the harmonic mean of precision and recall, and each label's."""
    rows = list(pairs)
    scores = {}
    for label in LABELS:
        hits = sum(gold == said == label for gold, said in rows)
        marked = sum(gold == label for gold, _ in rows) + sum(said == label for _, said in rows)
        if marked:
            scores[label] = 2 * hits / marked
    return sum(scores.values()) / len(scores), scores


def rate(hits: int, total: int) -> dict[str, float | int]:
    """A share with Wilson's 95% interval, as it is recorded."""
    low, high = wilson(hits, total)
    return {"hits": hits, "n": total, "low": round(low, 3), "high": round(high, 3)}


def score(split: str) -> dict[str, object]:
    """Everything that is reported of one half."""
    judged = [judge_story(gold) for gold in read_gold(split)]
    planted = [p for j in judged for p in j.gold.planted]
    found = [p for j in judged for p in j.found]
    clean = [j for j in judged if not j.gold.planted]
    sentences = sum(len(j.story.sentences) for j in clean)
    alarms = {f.sentence for j in clean for f in j.false_alarms}
    pairs = [(g.label, said) for j in judged for g, said in matched(j)]
    quotes = [
        j.story.text[c.span.start : c.span.end] == c.quote for j in judged for c, _ in j.claims
    ]
    mean, by_label = macro_f1(pairs)
    kinds = sorted({p.kind for p in planted})
    return {
        "split": split,
        "stories": len(judged),
        "recall": rate(len(found), len(planted)),
        "recall_by_kind": {
            kind: rate(sum(p.kind == kind for p in found), sum(p.kind == kind for p in planted))
            for kind in kinds
        },
        "stories_with_false_alarms": rate(sum(bool(j.false_alarms) for j in clean), len(clean)),
        "sentences_with_false_alarms": rate(len(alarms), sentences),
        "further_findings": sum(len(j.false_alarms) for j in judged if j.gold.planted),
        "exact_quotes": rate(sum(quotes), len(quotes)),
        "claims_found": rate(sum(said is not None for _, said in pairs), len(pairs)),
        "further_claims": sum(len(j.claims) for j in judged)
        - sum(said is not None for _, said in pairs),
        "macro_f1": round(mean, 3),
        "f1_by_label": {label: round(value, 3) for label, value in by_label.items()},
    }


def main() -> None:
    """Score the halves and append one row."""
    from benchmarks.record import append

    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict_gold", description=__doc__)
    parser.add_argument("--split", choices=SPLITS, action="append", help="one half (both)")
    arguments = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(score, arguments.split or SPLITS))
    append("verdict_gold", {"splits": rows})


if __name__ == "__main__":
    main()
