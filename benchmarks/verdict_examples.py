"""What the verdict's reader learns from: stories and sentences of our own, with the answers.

A text teaches whatever is known of it: where its clauses end, what each does, which proposition
each makes, which phrases name something, whether a conclusion is sound. Where a careful reader's
label leaves several answers open, all are kept, and learning is free to choose among them.
"""

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.verdict_gold import FOLDER, SPLITS, UNREAD, GoldClaim, GoldStory, read_gold
from netweight.verdict.clauses import places_in
from netweight.verdict.propositions import PROPOSITIONS
from netweight.verdict.stating import MADE
from netweight.verdict.story import Span, Story, parse_story

# Read to mend rules by, and kept from the weights, so that these are not flattered there.
NOT_LEARNED = ("further29", "further30", "further31", "further32")
LEARNED_FROM = tuple(split for split in SPLITS if split not in (*UNREAD, *NOT_LEARNED))
NEAR_CUT = 2  # characters between a cut and the beginning or end of a claim that is meant by it
CLAUSE_OVERLAP = 0.5  # of the shorter of a clause and a claim
HALF = 0.5
SEED = 0
SOUND_ONE_IN = 4  # of the sentences of gold stories that teach what is no unsound conclusion
NONE = "none"
_WORD = re.compile(r"[A-Za-z]{2,}|\d")
READINGS = ("fact", "opinion", "neither")
CONCLUSIONS = {"+": "unsound", "-": "sound", "0": NONE}
RELATIONS = {"+": "above", "-": "below", "=": "equal", "0": NONE}


class Clause(NamedTuple):
    """What is known of a stretch of a text: its reading, and the propositions that are open to it.

    `voice` is of what is wrong: whether the story says it itself. None where nothing is known.
    """

    span: Span
    reading: str | None = None
    propositions: tuple[str, ...] | None = None
    voice: str | None = None


class Place(NamedTuple):
    """A place where a text may be cut, and whether it is."""

    span: Span
    is_cut: bool


class Tag(NamedTuple):
    """A phrase that names something."""

    span: Span
    name: str


@dataclass(frozen=True)
class Example:
    """A text with what is known of it; `tags` None where nobody marked what it names.

    `relations` are phrases that mean a model, with how that stands to another one.
    """

    text: str
    clauses: tuple[Clause, ...] = ()
    places: tuple[Place, ...] = ()
    tags: tuple[Tag, ...] | None = None
    conclusions: tuple[str, ...] = ()
    relations: tuple[Tag, ...] = ()


class Marked(NamedTuple):
    """A text with the places of its claims, and what each is: "fact" or "opinion"."""

    story: Story
    claims: tuple[tuple[Span, str], ...]
    label: str | None = None  # of a sentence that is one claim


def all_examples() -> list[Example]:
    """Everything that may be learned from, always in the same order."""
    found: list[Example] = []
    for split in LEARNED_FROM:
        for gold in read_gold(split):
            found += from_gold(gold)
    found += itertools.chain.from_iterable(from_marked(m) for m in marked_sentences())
    clauses = propositions_told()
    hosts = [e for e in found if any(c.reading == "fact" for c in e.clauses)]
    rng = random.Random(SEED)
    set_in = [set_into(clause, rng.choice(hosts), rng) for clause in clauses[::2]]
    opposites = denials_told()
    set_in += [set_into(clause, rng.choice(hosts), rng) for clause in opposites]
    return [
        *found,
        *clauses[1::2],
        *opposites,
        *set_in,
        *mentions_told(),
        *conclusions_told(),
        *relations_told(),
        *voices_told(),
    ]


def _lines(name: str) -> Iterator[str]:
    for line in (FOLDER.parent / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


# ---- stories with claims


def marked_gold(gold: GoldStory) -> Marked:
    """A gold story as a marked text."""
    story = parse_story(gold.text.encode(), f"{gold.id}.txt")
    claims = []
    for claim in gold.claims:
        start = story.text.index(claim.quote)
        kind = "opinion" if claim.label == "not_checkable" else "fact"
        claims.append((Span(start, start + len(claim.quote)), kind))
    return Marked(story, tuple(claims))


def from_gold(gold: GoldStory) -> list[Example]:
    """The sentences of a gold story; some once more, for whether their conclusion is sound."""
    marked = marked_gold(gold)
    found = from_marked(marked, gold)
    before = ""
    for index, sentence in enumerate(marked.story.sentences):
        kinds = {p.kind for p in gold.planted if p.mark in sentence.text}
        text = f"{before} {sentence.text}".strip()
        if "category_error" in kinds:
            found.append(Example(text, conclusions=("unsound",)))
        elif (len(sentence.text) + index) % SOUND_ONE_IN == 0:
            found.append(Example(text, conclusions=("sound", NONE)))
        before = sentence.text
    return found


# A sentence without any of these surely names no benchmark, size, condition or quantity.
_MAY_NAME = re.compile(
    r"\d|[A-Z]{2}|[a-z][A-Z]|\b(?:model|one|two|three|both|pair|big|small|larg|little|twin|sibling|brother|sister|junior|senior|"
    r"elder|young|bench|test|exam|index|board|score|mark|tool|effort|think|reason|memory|layer|expert|token|param|billion|percent|maths?|"
    r"quiz|contest|question|file|rival|OpenAI|DeepSeek|Qwen|Kimi|Llama|GPT|Grok|Claude|Gemini|Mistral|Chinese|half|hundred|dozen|"
    r"dollar|euro|cent|hour|day|week|month|year|second|minute|card|laptop|machine|gig|watt|user|download)\w*",
)


def from_marked(marked: Marked, gold: GoldStory | None = None) -> list[Example]:
    """The sentences of a marked text, with the labels of its claims where it is a gold story."""
    return [
        Example(
            sentence.text,
            clauses=_clauses_of(sentence.text, sentence.span.start, marked, gold),
            places=_places_of(sentence.text, sentence.span.start, marked),
            tags=None if _MAY_NAME.search(sentence.text) else (),
        )
        for sentence in marked.story.sentences
    ]


def _places_of(text: str, offset: int, marked: Marked) -> tuple[Place, ...]:
    """The places inside a claim and at the edge of one; others teach nothing."""
    found = []
    for place in places_in(text):
        start, end = offset + place.span.start, offset + place.span.end
        is_inside = any(c.start < start and end < c.end for c, _ in marked.claims)
        is_edge = any(
            min(abs(c.start - end), abs(c.end - start)) <= NEAR_CUT for c, _ in marked.claims
        )
        if is_inside or is_edge:
            found.append(Place(place.span, not is_inside))
    return tuple(found)


def _clauses_of(
    text: str, offset: int, marked: Marked, gold: GoldStory | None
) -> tuple[Clause, ...]:
    """The stretches between cuts, each by the claim that it is most of, or that is most of it."""
    cuts = [place.span for place in _places_of(text, offset, marked) if place.is_cut]
    starts = [0, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), len(text)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        if not _WORD.search(text, start, end):
            continue
        place = Span(offset + start, offset + end)
        shared = [_shared(place, claim) for claim, _ in marked.claims]
        most = max(range(len(shared)), key=shared.__getitem__, default=-1)
        is_claim = most >= 0 and shared[most] >= CLAUSE_OVERLAP
        reading = marked.claims[most][1] if is_claim else "neither"
        known = voice = None
        if gold:
            claim = gold.claims[most] if is_claim else None
            known = propositions_open_to(claim)
            voice = voice_of(claim, gold) if claim else None
        elif reading != "fact":
            known = (NONE,)
        elif marked.label == "not_enough_evidence":
            known = propositions_open_to(GoldClaim(marked.label, "other", ""))
        found.append(Clause(Span(start, end), reading, known, voice))
    return tuple(found)


def _shared(one: Span, other: Span) -> float:
    """The stretch that two places share, as a part of the shorter."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared / min(one.end - one.start, other.end - other.start)


# Types of claims that the documents speak to, and no figure.
_OF_DOCUMENTS = ("licence", "openness", "history", "training", "safety", "behaviour")
_OF_NUMBERS = ("benchmark_score", "comparison")


def propositions_open_to(claim: GoldClaim | None) -> tuple[str, ...] | None:
    """The propositions, made or denied, from which a claim's label would follow.

    "none" for what is no claim, an opinion or a number; None where anything is possible.
    """
    if claim is None or claim.label == "not_checkable":
        return (NONE,)
    fitting = tuple(
        proposition.id + sign
        for proposition in PROPOSITIONS.values()
        for sign in "+-"
        if (proposition.made if sign == MADE else proposition.denied) == claim.label
    )
    if claim.label == "not_enough_evidence":
        return (NONE, *fitting)
    if claim.type in _OF_DOCUMENTS:
        return fitting
    return (NONE,) if claim.type in _OF_NUMBERS else None


VOICES = ("own", "told")
# What is only suspected of the models, by the words in which stories tell it.
_SUSPECTED = re.compile(
    r"synthe|artificial|(?:machine|model|computer)[\s-](?:made|written|generated)|other\s+(?:models|machines)|"
    r"formula|equation|LaTeX|algebra|integral|theorem|sums\b|maths?\b|symbols?\b",
    re.IGNORECASE,
)


def voice_of(claim: GoldClaim, gold: GoldStory) -> str | None:
    """Whether what is wrong is the story's own error, or told as somebody's who may be wrong.

    So too of a suspicion: whether the story takes it for a fact, or tells that it is one.
    """
    if any(_in_one_place(planted.mark, claim.quote, gold.text) for planted in gold.planted):
        return "own"
    is_suspicion = (
        claim.label == "not_enough_evidence"
        and claim.type in ("training", "behaviour")
        and _SUSPECTED.search(claim.quote) is not None
    )
    return "told" if claim.label == "contradicted" or is_suspicion else None


def _in_one_place(mark: str, quote: str, text: str) -> bool:
    start, other = text.index(mark), text.index(quote)
    return start < other + len(quote) and other < start + len(mark)


# ---- single sentences and clauses

_KINDS = {"F": "fact", "O": "opinion"}


def marked_sentences() -> list[Marked]:
    """The sentences of `tests/verdict/marked.txt`; those of two tables, each as one claim."""
    found = []
    for line in _lines("marked.txt"):
        text, claims = "", []
        for index, part in enumerate(re.split(r"[\[\]]", line)):
            if index % 2:
                kind, _, part = part.partition(" ")
                claims.append((Span(len(text), len(text) + len(part)), _KINDS[kind]))
            text += part
        found.append(Marked(parse_story(text.encode(), "marked.txt"), tuple(claims)))
    for name in ("tellings.txt", "linked.txt"):
        for line in _lines(name):
            label, *_, sentence = line.split(" | ")
            kind = "opinion" if label == "not_checkable" else "fact"
            told = ((Span(0, len(sentence)), kind),) if label != "-" else ()
            found.append(Marked(parse_story(sentence.encode(), name), told, label))
    return found


def propositions_told() -> list[Example]:
    """The clauses of our own that make or deny a proposition, or do neither."""
    return _told("propositions.txt")


def denials_told() -> list[Example]:
    """Clauses that make a proposition, each before one of much the same words that denies it."""
    return _told("denials.txt")


def _told(file: str) -> list[Example]:
    found = []
    for line in _lines(file):
        name, sign, text = line.split(" | ", 2)
        label = NONE if sign == "0" else name + sign
        clause = Clause(Span(0, len(text)), propositions=(label,))
        found.append(Example(text, clauses=(clause,)))
    return found


def set_into(told: Example, host: Example, rng: random.Random) -> Example:
    """A clause in the place of a fact of a sentence, so that it is not known by standing alone.

    Half of the time what comes before that fact, and is none, belongs to the clause: who says it.
    """
    index = rng.choice([i for i, c in enumerate(host.clauses) if c.reading == "fact"])
    start, end = host.clauses[index].span
    clause = told.text.rstrip(".")
    first = start
    before = host.clauses[index - 1] if index else None
    if before and before.reading == "neither" and rng.random() < HALF:
        first = before.span.start
    text = host.text[:start] + clause + host.text[end:]
    (known,) = told.clauses
    return Example(text, clauses=(known._replace(span=Span(first, start + len(clause))),))


def mentions_told() -> list[Example]:
    """The sentences in which every phrase is marked that names one of a list of things."""
    return [Example(text, tags=tags) for text, tags in map(_tagged, _lines("mentions.txt"))]


# Given to the parties at random, so that who is better is learned from the words between them.
_PARTIES = (
    *("gpt-oss-120b", "gpt-oss-20b", "the 120b", "the 20b", "the larger one", "the smaller one"),
    *("OpenAI's open model", "the newcomer", "the American model", "its sibling", "o4-mini", "o3"),
    *("o3-mini", "o1", "GPT-4o", "DeepSeek R1", "R1-0528", "Qwen3-235B", "Kimi K2", "GLM-4.5"),
)
_NO_NAME = re.compile(r"(?:it|they|them|both|he|she|each|neither)|.*(?:s|one)", re.IGNORECASE)
EXCHANGES = 2  # of the parties of each sentence that tells which is better


def relations_told() -> list[Example]:
    """The sentences in which every model is marked with how it stands to another one.

    Those that tell which is better are there again with other parties.
    """
    found = []
    rng = random.Random(SEED)
    for line in _lines("relations.txt"):
        lines = [line]
        if re.search(r"\{[+\-]\|", line):
            lines += [_with_parties(line, rng) for _ in range(EXCHANGES)]
        for text, tags in map(_tagged, lines):
            relations = tuple(Tag(tag.span, RELATIONS[tag.name]) for tag in tags)
            found.append(Example(text, relations=relations))
    return found


def _with_parties(line: str, rng: random.Random) -> str:
    """A line with other names for the models that it names."""
    names = iter(rng.sample(_PARTIES, len(_PARTIES)))

    def exchanged(match: re.Match[str]) -> str:
        tag, phrase = match[1], match[2]
        if _NO_NAME.fullmatch(phrase):
            return match[0]
        name = next(names)
        if not match.start() and name.startswith(("the", "its")):
            name = name[0].upper() + name[1:]
        return f"{{{tag}|{name}}}"

    return re.sub(r"\{([^{}|]+)\|([^{}|]+)\}", exchanged, line)


def _tagged(line: str) -> tuple[str, tuple[Tag, ...]]:
    """A line without its marks {TAG|phrase}, and the places of these."""
    text, tags = "", []
    for part in re.split(r"(\{[^{}]*\})", line):
        if part.startswith("{"):
            name, _, part = part[1:-1].partition("|")
            tags.append(Tag(Span(len(text), len(text) + len(part)), name))
        text += part
    return text, tuple(tags)


def conclusions_told() -> list[Example]:
    """Sentences that conclude something from a benchmark, rightly or wrongly, or do not."""
    found = []
    for line in _lines("conclusions.txt"):
        sign, _, text = line.partition(" | ")
        found.append(Example(text, conclusions=(CONCLUSIONS[sign],)))
    return found


_HEARD = {"s": "own", "t": "told"}


def voices_told() -> list[Example]:
    """Sentences with a clause that is wrong, which the story says itself or only tells of."""
    found = []
    for line in _lines("voices.txt"):
        sign, _, marked = line.partition(" | ")
        before, clause, after = re.split(r"[{}]", marked)
        place = Span(len(before), len(before) + len(clause))
        heard = Clause(place, voice=_HEARD[sign])
        found.append(Example(before + clause + after, clauses=(heard,)))
    return found
