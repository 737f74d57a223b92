"""What task `instructions` asks: requests with orders about form, made from a seed.

The orders and requests are our own, so none is in any training data; the embedded model knows some
of the wordings. Says what each order is; does not know how an answer is checked for it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Literal, get_args

from netweight.errors import WeighError

Kind = Literal[
    "upper",
    "lower",
    "words",
    "most_words",
    "least_words",
    "lines",
    "sentences",
    "paragraphs",
    "bullets",
    "json",
    "word",
    "times",
    "avoid",
    "without",
    "no_commas",
    "start",
    "end",
    "order",
    "quotation",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Constraint:
    """One order: its kind, and the numbers, words or letters it is about."""

    kind: Kind
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """A request with one to three orders in it."""

    prompt: str
    constraints: tuple[Constraint, ...]


# No two orders of one slot come together: they would contradict, or mean the same.
_SLOTS: tuple[tuple[Kind, ...], ...] = (
    ("upper", "lower"),
    ("words", "most_words", "least_words"),
    ("lines", "sentences", "paragraphs", "bullets", "json"),
    ("word", "times", "avoid"),
    ("without", "no_commas"),
    ("start", "end"),
    ("order",),
    ("quotation",),
)
# Nor do these: where the one leaves open what the other means.
_APART: Mapping[Kind, frozenset[Kind]] = {
    "json": frozenset(
        {
            "upper",
            "lower",
            "words",
            "most_words",
            "least_words",
            "no_commas",
            "start",
            "end",
            "order",
            "quotation",
        }
    ),
    "quotation": frozenset({"start", "end", "bullets", "json"}),
    "bullets": frozenset({"start", "quotation"}),
}
# How many orders the items have, in turns.
SIZES = (1, 2, 1, 3)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


_ANIMALS = _listed(
    "a fox, an owl, a cat, a dog, a mouse, a bear, a hare, a frog, a gull, a snail, a horse, "
    "a crow, a bee, a whale, a goat, a duck, a turtle, a hen, a wolf, a sheep, a robin, a lion, "
    "a tiger, a spider, a fish, a bird, a rabbit, a deer, a donkey, a monkey, an ant, a cow, "
    "a pig, a swan, a seal, a crab, a camel, a zebra, an eagle, a panda"
)
_OTHERS = _listed(
    "a market town, a railway station, a wedding, a small island, a long winter, a bakery, a river "
    "in spring, an old bridge, a night train, a football match, a rainy day, a school trip, a "
    "flower shop, a lighthouse, a family dinner, a mountain hut, a public library, a barber, a "
    "power cut, a street musician, a harbour, a birthday, a bicycle tour, a village fair"
)
_WORDS = _listed(
    "kite, lamp, clock, bell, boat, drum, hat, candle, book, ring, cup, chair, violin, mirror, "
    "basket, blanket, ladder, bottle, knife, spoon, coat, carpet, mask, wheel"
)
_AVOIDED = _listed(
    "the, and, very, good, old, small, with, but, there, nice, big, was, time, day, little, like"
)
_KEYS = _listed("colour, home, food, size, age, sound, month, friend")
_KNOWN_KEYS = _KEYS[:4]
_LETTERS = "aeiostnr"
_STARTS = _listed(
    "Once upon a time, On a cold morning, Nobody expected, It is said that, Long before breakfast, "
    "In my opinion, To begin with, If you ask me, Every year"
)
_ENDS = _listed(
    "and that was that, as everybody knows, until the next day, so they say, and nothing more, "
    "for the rest of the year, at long last, which is enough"
)
# Of which words or phrases an order is about how many.
_DRAWN: Mapping[Kind, tuple[Sequence[str], int]] = {
    "word": (_WORDS, 1),
    "avoid": (_AVOIDED, 2),
    "without": (_LETTERS, 1),
    "start": (_STARTS, 1),
    "end": (_ENDS, 1),
    "order": (_WORDS, 3),
}
NUMBERS = _listed("zero, one, two, three, four, five, six, seven, eight")

_OPENINGS = (
    "Tell me something about {subject}.",
    "Write about {subject}.",
    "Write a short text about {subject}.",
    "I need a text about {subject}.",
)
_ORDERS: Mapping[Kind, tuple[str, ...]] = {
    "upper": ("Use only capital letters.", "Every letter must be a capital."),
    "lower": ("Use only small letters.", "There must be no capital letter."),
    "words": ("Use {0} words.", "The whole answer must have exactly {0} words."),
    "most_words": ("Use at most {0} words.", "It must not have more than {0} words."),
    "least_words": ("Use at least {0} words.", "It must have {0} words or more."),
    "lines": ("Use {0} lines.", "Write exactly {0} lines."),
    "sentences": ("Use exactly {0} sentences.", "It must have {0} sentences, no more and no less."),
    "paragraphs": ("Write exactly {0} paragraphs, with an empty line between them.",),
    "bullets": ("Write exactly {0} bullet points, each on a line of its own after a hyphen.",),
    "json": ("Use JSON: {keys}.", "Answer with nothing but a JSON object with the keys {keys}."),
    "word": ("Use the word {0}.", 'The word "{0}" must come up.'),
    "times": ('Use the word "{0}" exactly {1} times.',),
    "avoid": ('Do not use the words "{0}" and "{1}".', 'The words "{0}" and "{1}" are forbidden.'),
    "without": ("Avoid the letter {0}.", 'The letter "{0}" must not come up.'),
    "no_commas": ("Use no commas.", "There must not be a comma in it."),
    "start": ('Begin with the words "{0}".', 'The answer must start with "{0}".'),
    "end": ('End with the words "{0}".', 'The last words of the answer must be "{0}".'),
    "order": ("Use the words {0}, {1} and {2}, in this order.",),
    "quotation": ("Put the whole answer in double quotation marks.",),
}
# Requests for a single order in one sentence, as the embedded model has seen them.
_SHORT: Mapping[Kind, tuple[str, ...]] = {
    "upper": (
        "Write a sentence about {subject} in capital letters.",
        "Write about {subject} in upper case.",
    ),
    "lower": (
        "Write a sentence about {subject} in small letters.",
        "Write about {subject} in lower case.",
    ),
    "words": (
        "Write a sentence of {0} words about {subject}.",
        "Write about {subject} in exactly {0} words.",
    ),
    "lines": ("Write {0} lines about {subject}.", "Write about {subject} in exactly {0} lines."),
    "json": (
        "Describe {subject} as JSON with the keys {keys}.",
        "Write {subject} as a JSON object with {keys}.",
    ),
    "word": (
        "Write a sentence about {subject} with the word {0}.",
        "Write about {subject} and use the word {0}.",
    ),
    "without": (
        "Write a sentence about {subject} without the letter {0}.",
        "Write about {subject} and do not use the letter {0}.",
    ),
}


def items(seed: int, num_items: int) -> list[Item]:
    """Return `num_items` requests; the same seed gives the same, and fewer are the first of more.

    Every kind comes first in an item as often as every other, and no request comes twice.

    Raises:
        WeighError: fewer than one.
    """
    if num_items < 1:
        raise WeighError(f"instructions cannot make {num_items} items; ask for at least one.")
    random = Random(f"instructions {seed}")
    made: list[Item] = []
    seen: set[str] = set()
    leading: list[Kind] = []
    for size in islice(cycle(SIZES), num_items):
        leading = leading or random.sample(KINDS, len(KINDS))
        first = leading.pop()
        item = _item(first, size, random)
        while item.prompt in seen:
            item = _item(first, size, random)
        seen.add(item.prompt)
        made.append(item)
    return made


def _item(first: Kind, size: int, random: Random) -> Item:
    kinds = [first]
    while len(kinds) < size and (possible := _possible(kinds)):
        kinds.append(random.choice(possible))
    is_known = size == 1 and first in _SHORT  # to the embedded model, which knows animals only
    while True:  # until no order forbids what another, or the subject, needs
        subject = random.choice(_ANIMALS if is_known else _ANIMALS + _OTHERS)
        constraints = tuple(
            Constraint(kind, _values(kind, random, is_alone=size == 1)) for kind in kinds
        )
        if _agree(subject, constraints):
            return Item(_prompt(subject, constraints, random), constraints)


def _possible(kinds: Sequence[Kind]) -> list[Kind]:
    """Return the kinds that can stand beside these."""
    taken = {other for kind in kinds for slot in _SLOTS if kind in slot for other in slot}
    apart = {
        kind
        for kind in KINDS
        for other in kinds
        if other in _APART.get(kind, ()) or kind in _APART.get(other, ())
    }
    return [kind for kind in KINDS if kind not in taken | apart]


def _values(kind: Kind, random: Random, *, is_alone: bool) -> tuple[str, ...]:
    """Draw what an order is about."""
    if kind in _DRAWN:
        words, number = _DRAWN[kind]
        return tuple(random.sample(words, number))
    match kind:
        case "upper" | "lower" | "no_commas" | "quotation":
            return ()
        case "json":
            keys = _KNOWN_KEYS if random.random() < 0.5 else _KEYS
            return ("name", *random.sample(keys, 1 if is_alone else random.randint(1, 3)))
        case "times":
            return (random.choice(_WORDS), str(random.randint(2, 4)))
        case _:
            return (str(_number(kind, random, is_alone=is_alone)),)


def _number(kind: Kind, random: Random, *, is_alone: bool) -> int:
    """Draw a number of something, which beside other orders leaves room for theirs."""
    if kind == "words" and is_alone and random.random() < 0.7:
        return random.randint(3, 8)
    if "words" in kind:
        return random.randrange(40, 100, 5)
    return random.randint(2, 5 if is_alone else 4)


def _agree(subject: str, constraints: Sequence[Constraint]) -> bool:
    """Say whether nothing forbidden is asked for, and no word is asked for by two orders."""
    asked = [
        word
        for each in constraints
        if each.kind in ("word", "times", "start", "end", "order", "json")
        for value in each.values
        for word in re.findall("[a-z]+", value.lower())
    ]
    named = {
        value for each in constraints if each.kind in ("word", "times") for value in each.values
    }
    in_order = {value for each in constraints if each.kind == "order" for value in each.values}
    forbidden = {value for each in constraints if each.kind == "avoid" for value in each.values}
    letters = {value for each in constraints if each.kind == "without" for value in each.values}
    noun = subject.partition(" ")[2]
    return (
        not named & in_order
        and not forbidden & {*asked, *noun.split()}
        and not any(letter in word for letter in letters for word in (*asked, noun))
    )


def _prompt(subject: str, constraints: Sequence[Constraint], random: Random) -> str:
    """Put orders into words: one in a single sentence where that is usual, or one after another."""
    only = constraints[0]
    if len(constraints) == 1 and only.kind in _SHORT and random.random() < 0.7:
        return _worded(random.choice(_SHORT[only.kind]), only, subject)
    orders = (_worded(random.choice(_ORDERS[each.kind]), each, subject) for each in constraints)
    return " ".join((random.choice(_OPENINGS).format(subject=subject), *orders))


def _worded(wording: str, constraint: Constraint, subject: str) -> str:
    shown = [
        NUMBERS[int(value)] if value.isdigit() and int(value) < len(NUMBERS) else value
        for value in constraint.values
    ]
    keys = " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
    return wording.format(*shown, subject=subject, keys=keys)
