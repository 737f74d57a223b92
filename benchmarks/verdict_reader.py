"""Learn the weights by which the verdict reads clauses, from stories and clauses of our own.

Three classifiers: where a sentence is cut into clauses; whether a clause states a fact, gives an
opinion, or does neither; and which proposition it makes or denies. All are multinomial logistic
regressions with a quadratic penalty, over features that occur in at least two places; small weights
are left out. Learned from the sets whose answers may be read; how well it does on the others is
measured by benchmarks/verdict_gold.py. Takes minutes.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from benchmarks.verdict_gold import FOLDER, SPLITS, UNREAD, GoldClaim, GoldStory, read_gold
from netweight.verdict import linear
from netweight.verdict.clauses import clauses_of, features_of_place, places_in, places_with_shares
from netweight.verdict.evidence import published
from netweight.verdict.linear import Linear
from netweight.verdict.propositions import PROPOSITIONS
from netweight.verdict.readings import features_of_clause
from netweight.verdict.report import write_atomically
from netweight.verdict.scenes import read_scenes
from netweight.verdict.stating import MADE, features_of_statement
from netweight.verdict.story import Span, Story, parse_story

TABLE = Path(linear.__file__).parent / "published" / "reader.json"
LEARNED_FROM = tuple(split for split in SPLITS if split not in UNREAD)
PENALTY = {"cuts": 4.0, "readings": 2.0, "propositions": 0.3}  # on half the sum of squared weights
LEAST_PLACES = 2  # in which a feature has to occur
LEAST_WEIGHT = {"cuts": 0.1, "readings": 0.1, "propositions": 0.2}
NEAR_CUT = 2  # characters between a cut and the beginning or end of a claim that is meant by it
CLAUSE_OVERLAP = 0.5  # of the shorter of a clause and a claim


class Example(NamedTuple):
    """The features of one place or clause, and the class that a careful reader gave it."""

    features: frozenset[str]
    label: str


def _places_of(gold: GoldStory, story: Story) -> list[tuple[Span, str]]:
    """Where the claims of a careful reader stand in a story, with their labels."""
    starts = [(story.text.index(c.quote), c) for c in gold.claims]
    return [(Span(start, start + len(c.quote)), c.label) for start, c in starts]


class Marked(NamedTuple):
    """A text of our own with the places of its claims, and what each is: "fact" or "opinion"."""

    story: Story
    claims: tuple[tuple[Span, str], ...]
    start: int  # of what is marked; what stands before only sets the scene


def marked_gold(gold: GoldStory) -> Marked:
    """A gold story as a marked text."""
    story = parse_story(gold.text.encode(), f"{gold.id}.txt")
    claims = [
        (place, "opinion" if label == "not_checkable" else "fact")
        for place, label in _places_of(gold, story)
    ]
    return Marked(story, tuple(claims), 0)


OPENING = "OpenAI put gpt-oss-120b and gpt-oss-20b online.\n"
_KINDS = {"F": "fact", "O": "opinion"}


def marked_sentences() -> list[Marked]:
    """The sentences of `tests/verdict/marked.txt`; those of two tables, each as one claim."""
    found = []
    for line in (FOLDER.parent / "marked.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        text, claims = OPENING, []
        for index, part in enumerate(re.split(r"[\[\]]", line)):
            if index % 2:
                kind, _, part = part.partition(" ")
                claims.append((Span(len(text), len(text) + len(part)), _KINDS[kind]))
            text += part
        found.append(Marked(parse_story(text.encode(), "marked.txt"), tuple(claims), len(OPENING)))
    for name in ("tellings.txt", "linked.txt"):
        for line in (FOLDER.parent / name).read_text("utf-8").splitlines():
            if line.startswith("#"):
                continue
            label, *_, sentence = line.split(" | ")
            place = Span(len(OPENING), len(OPENING + sentence))
            kind = "opinion" if label == "not_checkable" else "fact"
            told = ((place, kind),) if label != "-" else ()
            story = parse_story((OPENING + sentence).encode(), name)
            found.append(Marked(story, told, len(OPENING)))
    return found


def cuts_in(marked: Marked) -> list[Example]:
    """The places inside a claim ("whole") and at the edge of one ("cut"); others teach nothing."""
    claims = [place for place, _ in marked.claims]
    found = []
    for sentence in marked.story.sentences:
        offset = sentence.span.start
        for place in places_in(sentence.text):
            start, end = offset + place.span.start, offset + place.span.end
            is_inside = any(c.start < start and end < c.end for c in claims)
            is_edge = any(min(abs(c.start - end), abs(c.end - start)) <= NEAR_CUT for c in claims)
            if is_inside or is_edge:
                features = frozenset(features_of_place(sentence.text, place))
                found.append(Example(features, "whole" if is_inside else "cut"))
    return found


def readings_in(marked: Marked) -> list[Example]:
    """The clauses of a text, by the claim that each is most of, or that is most of it."""
    paragraphs = marked.story.text.split("\n")
    found = []
    for scene in read_scenes(marked.story, published()):
        offset = scene.sentence.span.start
        if offset < marked.start:
            continue
        paragraph = paragraphs[scene.sentence.paragraph]
        for clause in clauses_of(scene.text, Span(0, len(scene.text))):
            place = Span(offset + clause.start, offset + clause.end)
            shared = [(_shared(place, claim), kind) for claim, kind in marked.claims]
            most, kind = max(shared, default=(0.0, ""))
            features = frozenset(features_of_clause(scene, clause, paragraph))
            found.append(Example(features, kind if most >= CLAUSE_OVERLAP else "neither"))
    return found


OF_NUMBERS = ("benchmark_score", "comparison")


def propositions_told() -> list[Example]:
    """The clauses of our own that make or deny a proposition, or do neither."""
    found = []
    for line in (FOLDER.parent / "propositions.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, sign, text = line.split(" | ", 2)
        story = parse_story((OPENING + text).encode(), "clause.txt")
        scene = read_scenes(story, published())[-1]
        features = frozenset(features_of_statement(scene, Span(0, len(scene.text))))
        found.append(Example(features, "none" if sign == "0" else name + sign))
    return found


def statements_in(gold: GoldStory, first: Linear | None = None) -> list[Example]:
    """The clauses of a story that surely make no proposition: scenes, opinions, figures, rumours.

    With a classifier that was learned before, also the clauses whose label that one explains: each
    as the likeliest proposition from which its label would follow.
    """
    story = parse_story(gold.text.encode(), f"{gold.id}.txt")
    places = [place for place, _ in _places_of(gold, story)]
    found = []
    for scene in read_scenes(story, published()):
        offset = scene.sentence.span.start
        for clause in clauses_of(scene.text, Span(0, len(scene.text))):
            place = Span(offset + clause.start, offset + clause.end)
            shared, index = max((_shared(place, c), i) for i, c in enumerate(places))
            claim = gold.claims[index] if shared >= CLAUSE_OVERLAP else None
            features = frozenset(features_of_statement(scene, clause))
            shares = first.shares(features) if first else {}
            likeliest = max((s for name, s in shares.items() if name != "none"), default=0.0)
            if claim is None or _makes_none(claim):
                if likeliest < MOST_DOUBTED:
                    found.append(Example(features, "none"))
            elif label := _explained(claim, shares):
                found.append(Example(features, label))
    return found


def _makes_none(claim: GoldClaim) -> bool:
    is_open = claim.label == "not_enough_evidence" and claim.type not in _ASKED
    return is_open or claim.label == "not_checkable" or claim.type in OF_NUMBERS


LEAST_EXPLAINED = 0.2
MOST_DOUBTED = 0.4  # a clause is no example of none that seems to make a proposition


def _explained(claim: GoldClaim, shares: dict[str, float]) -> str | None:
    """The likeliest proposition, made or denied, from which the claim's label follows."""
    fitting = {
        name: share
        for name, share in shares.items()
        if name != "none" and share >= LEAST_EXPLAINED and _verdict_of(name) == claim.label
    }
    return max(fitting, key=lambda name: (fitting[name], name), default=None)


def _verdict_of(name: str) -> str:
    proposition = PROPOSITIONS[name[:-1]]
    return proposition.made if name.endswith(MADE) else proposition.denied


# Types of open claims that can be one of the open propositions.
_ASKED = ("training", "behaviour", "safety", "licence", "openness", "history", "ability")


def _shared(one: Span, other: Span) -> float:
    """The stretch that two places share, as a part of the shorter."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared / min(one.end - one.start, other.end - other.start)


def learn(examples: Sequence[Example], name: str) -> Linear:
    """The weights that make the labels likeliest, less the penalty; by L-BFGS from zero."""
    penalty = PENALTY[name]
    counts = Counter(name for example in examples for name in example.features)
    names = sorted(name for name, count in counts.items() if count >= LEAST_PLACES)
    index = {name: i for i, name in enumerate(names)}
    classes = tuple(sorted({example.label for example in examples}))
    rows = [sorted(index[n] for n in e.features if n in index) for e in examples]
    pointers = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.array([i for row in rows for i in row])
    matrix = csr_matrix((np.ones(len(columns)), columns, pointers), (len(rows), len(names)))
    truth = np.array([[e.label == c for c in classes] for e in examples], dtype=np.float64)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(names), len(classes))
        sums = matrix @ weights
        sums -= sums.max(axis=1, keepdims=True)
        shares = np.exp(sums)
        shares /= shares.sum(axis=1, keepdims=True)
        missed = -np.log(np.maximum((shares * truth).sum(axis=1), 1e-300)).sum()
        slope = matrix.T @ (shares - truth) + penalty * weights
        return missed + penalty / 2 * (flat**2).sum(), np.asarray(slope).ravel()

    start = np.zeros(len(names) * len(classes))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 400})
    rounded = np.round(found.x.reshape(len(names), len(classes)), 2)
    weights = {}
    for feature, row in zip(names, rounded, strict=True):
        kept = tuple((i, float(w)) for i, w in enumerate(row) if abs(w) >= LEAST_WEIGHT[name])
        if kept:
            weights[feature] = kept
    return Linear(classes, weights)


def write(table: dict[str, Linear], learned_from: Sequence[str]) -> None:
    """Write the classifiers as the package reads them."""
    out: dict[str, object] = {"schema": "netweight-reader/1", "learned_from": list(learned_from)}
    for name, classifier in table.items():
        weights = {
            feature: [value for pair in row for value in pair]
            for feature, row in sorted(classifier.weights.items())
        }
        out[name] = {"classes": list(classifier.classes), "weights": weights}
    text = json.dumps(out, ensure_ascii=False, separators=(",", ":"))
    write_atomically(TABLE, text.replace("],", "],\n") + "\n")


def main() -> None:
    """Learn from every set that may be read."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.verdict_reader", description=__doc__
    )
    parser.parse_args()
    write(_learned({split: read_gold(split) for split in LEARNED_FROM}), LEARNED_FROM)


def _learned(stories: dict[str, tuple[GoldStory, ...]]) -> dict[str, Linear]:
    """All three; the last two learn from the clauses that the first one cuts."""
    all_of_them = [gold for group in stories.values() for gold in group]
    marked = [*map(marked_gold, all_of_them), *marked_sentences()]
    cuts = learn([e for text in marked for e in cuts_in(text)], "cuts")
    linear.all_learned()["cuts"] = cuts  # the clauses below are cut by them
    places_with_shares.cache_clear()
    readings = learn([e for text in marked for e in readings_in(text)], "readings")
    return {"cuts": cuts, "readings": readings, "propositions": _learned_propositions(all_of_them)}


def _learned_propositions(stories: Sequence[GoldStory]) -> Linear:
    """Learned from the corpus, and from each half of the stories as the other half explains it."""
    told = propositions_told()
    halves = stories[::2], stories[1::2]
    more: list[Example] = []
    for one, other in (halves, halves[::-1]):
        first = learn([*told, *(e for g in one for e in statements_in(g))], "propositions")
        more += [e for g in other for e in statements_in(g, first)]
    return learn([*told, *more], "propositions")


if __name__ == "__main__":
    main()
