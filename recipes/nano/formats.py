"""Answers in a form that was asked for: case, counts of words or lines, JSON, words, letters.

Each form can check an answer. The reasoning prepares what is hard to do while writing: it counts
the words, and shows the subject as the answer will have it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import ANIMALS, COLOURS, THINGS, article, listed

Form = Literal["upper", "lower", "words", "lines", "json", "word", "without"]
FORMS: tuple[Form, ...] = get_args(Form)
NAMES: dict[Form, str] = {
    "upper": "capital letters",
    "lower": "small letters",
    "words": "a number of words",
    "lines": "a number of lines",
    "json": "JSON",
    "word": "a required word",
    "without": "a forbidden letter",
}
# What training draws more often is harder to learn; evaluation draws all alike.
_WEIGHTS = (3, 1, 2, 1, 3, 1, 2)

_VERBS = listed("sleeps, waits, sings, runs, walks, rests, plays, hides, dreams, naps, sits, swims")
_PLACES = listed(
    "in the garden, by the sea, under the hill, near the house, on the road, in the rain, "
    "in a barn, on a rock, at dawn, at night, in town, all day, down low, up high, in spring"
)
_ADJECTIVES = listed("old, small, quiet, happy, big, shy, calm, quick")
_ARTICLES = ("The", "A", "One", "Our")
_LETTERS = "aeiost"
_KEYS = {
    "colour": COLOURS,
    "home": listed("barn, forest, river, garden, field, cave"),
    "food": listed("grass, nuts, fish, bread, seeds, honey"),
    "size": listed("small, big, tiny, huge"),
}
_NUMBERS = listed("two, three, four, five, six, seven, eight")

_REQUESTS: dict[Form, tuple[str, ...]] = {
    "upper": (
        "Write a sentence about {subject} in capital letters.",
        "Write about {subject} in upper case.",
        "One sentence about {subject}, all capitals please.",
        "Tell me something about {subject}. Use only capital letters.",
    ),
    "lower": (
        "Write a sentence about {subject} in small letters.",
        "Write about {subject} in lower case.",
        "One sentence about {subject}, no capitals please.",
        "Tell me something about {subject}. Use only small letters.",
    ),
    "words": (
        "Write a sentence of {value} words about {subject}.",
        "Write about {subject} in exactly {value} words.",
        "One sentence about {subject}, {value} words long please.",
        "Tell me something about {subject}. Use {value} words.",
    ),
    "lines": (
        "Write {value} lines about {subject}.",
        "Write about {subject} in exactly {value} lines.",
        "Something about {subject}, {value} lines long please.",
        "Tell me something about {subject}. Use {value} lines.",
    ),
    "json": (
        "Describe {subject} as JSON with the keys name and {value}.",
        "Write {subject} as a JSON object with name and {value}.",
        "JSON about {subject} please, with the keys name and {value}.",
        "Tell me something about {subject}. Use JSON: name and {value}.",
    ),
    "word": (
        "Write a sentence about {subject} with the word {value}.",
        "Write about {subject} and use the word {value}.",
        "One sentence about {subject} with the word {value} in it please.",
        "Tell me something about {subject}. Use the word {value}.",
    ),
    "without": (
        "Write a sentence about {subject} without the letter {value}.",
        "Write about {subject} and do not use the letter {value}.",
        "One sentence about {subject} with no letter {value} please.",
        "Tell me something about {subject}. Avoid the letter {value}.",
    ),
}


@dataclass(frozen=True)
class Order:
    """A question for a form: `value` is its count, word, key or letter, where it has one."""

    form: Form
    animal: str
    value: str
    question: str

    def is_met_by(self, answer: str) -> bool:
        """Whether an answer is about the animal, in the form that was asked for."""
        words = re.findall(r"\w+", answer.lower())
        return self.animal in words and _CHECKS[self.form](self, answer)


def _is_json(order: Order, answer: str) -> bool:
    try:
        read = json.loads(answer)
    except ValueError:
        return False
    return (
        isinstance(read, dict)
        and set(read) == {"name", order.value}
        and read["name"] == order.animal
        and read[order.value] in _KEYS[order.value]
    )


def _num_words(answer: str) -> int:
    return len(answer.split())


_CHECKS: dict[Form, Callable[[Order, str], bool]] = {
    "upper": lambda _, answer: answer == answer.upper(),
    "lower": lambda _, answer: answer == answer.lower(),
    "words": lambda order, answer: _num_words(answer) == _number(order.value),
    "lines": lambda order, answer: len(answer.splitlines()) == _number(order.value),
    "json": _is_json,
    "word": lambda order, answer: order.value in answer.lower().rstrip(".").split(),
    "without": lambda order, answer: order.value not in answer.lower(),
}


def _number(word: str) -> int:
    return _NUMBERS.index(word) + 2


def order(random: Random, *, held_out: bool, form: Form | None = None) -> Order:
    """A question whose form, animal, value and wording together are held out, or are not."""
    while True:
        drawn = form or random.choices(FORMS, None if held_out else _WEIGHTS)[0]
        animal, value = random.choice(ANIMALS), _value(drawn, random)
        request = random.choice(_REQUESTS[drawn])
        if drawn == "without" and value in animal:
            continue
        if is_held_out((drawn, animal, value, request)) == held_out:
            question = request.format(subject=article(animal), value=value)
            return Order(drawn, animal, value, question)


def _value(form: Form, random: Random) -> str:
    match form:
        case "words":
            return random.choice(_NUMBERS[1:])
        case "lines":
            return random.choice(_NUMBERS[:4])
        case "json":
            return random.choice(sorted(_KEYS))
        case "word":
            return random.choice(THINGS)
        case "without":
            return random.choice(_LETTERS)
        case "upper" | "lower":
            return ""


def _sentence(animal: str, random: Random) -> str:
    verb, place = random.choice(_VERBS), random.choice(_PLACES)
    return f"The {animal} {verb} {place}."


def _of_words(animal: str, num_words: int, random: Random) -> str:
    """A sentence with as many words, three to eight: adjectives and a place fill it."""
    num_in_place = {3: 0, 4: 0, 5: 2, 6: 3, 7: 3, 8: 3}[num_words]
    places = [place for place in _PLACES if len(place.split()) == num_in_place] or [""]
    adjectives = random.sample(_ADJECTIVES, num_words - 3 - num_in_place)
    words = ["The", *adjectives, animal, random.choice(_VERBS), random.choice(places)]
    return " ".join(word for word in words if word) + "."


def _without(animal: str, letter: str, random: Random) -> list[str]:
    """Words without a letter: an article, the animal, a verb, and what else there is."""
    slots = (_ARTICLES, [animal], _VERBS, _PLACES)
    chosen = []
    for slot in slots:
        allowed = [word for word in slot if letter not in word.lower()]
        chosen += [random.choice(allowed)] if allowed else []
    return chosen


def fulfilled(order: Order, effort: Effort, random: Random) -> tuple[str, str]:
    """Reasoning and answer."""
    reasoning, answer = _fulfilled(order, random)
    if effort == "high":
        reasoning = (
            f"The user asks about {article(order.animal)}. {reasoning} That is what was asked."
        )
    return (reasoning, answer)


def _fulfilled(order: Order, random: Random) -> tuple[str, str]:
    animal, value = order.animal, order.value
    match order.form:
        case "upper":
            return f"Capitals: {animal} is {animal.upper()}.", _sentence(animal, random).upper()
        case "lower":
            return f"Small letters: {animal}.", _sentence(animal, random).lower()
        case "words":
            answer = _of_words(animal, _number(value), random)
            words = answer.rstrip(".").split()
            counted = ", ".join(f"{place} {word}" for place, word in enumerate(words, start=1))
            return f"{value} words: {counted}.", answer
        case "lines":
            num_lines = _number(value)
            lines = [_sentence(animal, random) for _ in range(num_lines)]
            return f"{value} lines about {article(animal)}.", "\n".join(lines)
        case "json":
            answer = json.dumps({"name": animal, value: random.choice(_KEYS[value])})
            return f'JSON: name is "{animal}", and {value}.', answer
        case "word":
            verb = random.choice(_VERBS)
            return f"It needs {value}.", f"The {animal} {verb} near the {value}."
        case "without":
            words = _without(animal, value, random)
            return f"No {value}: {', '.join(words)}.", " ".join(words) + "."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A form to learn."""
    asked = order(random, held_out=False)
    return Dialogue(turn(asked.question, *fulfilled(asked, effort, random)))
