"""Four turns: the user tells three things of themselves, and asks for one of them.

A fifth of all things that can be asked for is held out.
"""

from dataclasses import dataclass
from random import Random

from netweight.harmony import Message
from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import ANIMALS, CITIES, COLOURS, PEOPLE, THINGS

# What is told of: how it is told, acknowledged, asked for and answered.
_TOPICS = {
    "name": (
        ("My name is {value}.", "I am {value}.", "Call me {value}."),
        "Hello, {value}.",
        ("What is my name?", "Who am I?", "Do you remember my name?"),
        "Your name is {value}.",
        PEOPLE,
    ),
    "city": (
        ("I live in {value}.", "My home is {value}.", "I come from {value}."),
        "{value} is a good place.",
        ("Where do I live?", "What is my city?", "Do you remember my city?"),
        "You live in {value}.",
        CITIES,
    ),
    "animal": (
        ("I like the {value} best.", "My favourite animal is the {value}.", "I love the {value}."),
        "The {value} is a fine animal.",
        ("Which animal do I like?", "What is my animal?", "Do you remember my animal?"),
        "You like the {value}.",
        ANIMALS,
    ),
    "thing": (
        ("I own a {value}.", "I bought a {value}.", "My new {value} is here."),
        "A {value} is useful.",
        ("What do I own?", "What did I buy?", "Do you remember what I own?"),
        "You own a {value}.",
        [f"{colour} {thing}" for colour in COLOURS for thing in THINGS],
    ),
    "age": (
        ("I am {value} years old.", "My age is {value}.", "I turned {value} today."),
        "{value} is a good age.",
        ("How old am I?", "What is my age?", "Do you remember my age?"),
        "You are {value} years old.",
        [str(age) for age in range(10, 100)],
    ),
}


_TELLS = "The user tells me something."


@dataclass(frozen=True)
class Recall:
    """Three things told and answered, and a question for one of them."""

    earlier: tuple[tuple[str, str], ...]  # told, acknowledged
    told: str  # what answers the question
    question: str
    answer: str


def recall(random: Random, *, held_out: bool) -> Recall:
    """Three topics in any order, and a question that is held out or not."""
    while True:
        topics = random.sample(sorted(_TOPICS), 3)
        values = {topic: random.choice(_TOPICS[topic][4]) for topic in topics}
        asked = random.choice(topics)
        _, _, questions, answer, _ = _TOPICS[asked]
        question = random.choice(questions)
        if is_held_out((question, values[asked])) == held_out:
            break
    earlier = tuple(
        (
            random.choice(_TOPICS[topic][0]).format(value=values[topic]),
            _TOPICS[topic][1].format(value=values[topic]),
        )
        for topic in topics
    )
    told = earlier[topics.index(asked)][0]
    return Recall(earlier, told, question, answer.format(value=values[asked]))


def messages_before(item: Recall) -> tuple[Message, ...]:
    """The three turns before the question. Their reasoning is dropped when they are rendered."""
    return tuple(
        message
        for told, acknowledged in item.earlier
        for message in turn(told, _reasoning(_TELLS, "medium"), acknowledged)
    )


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """Four turns to learn from, or the first of them."""
    item = recall(random, held_out=False)
    if random.random() < 0.35:
        num_before = random.randrange(3)
        told, acknowledged = item.earlier[num_before]
        last = turn(told, _reasoning(_TELLS, effort), acknowledged)
        return Dialogue((*messages_before(item)[: 3 * num_before], *last))
    reasoning = _reasoning(f"The user said: {item.told}", effort)
    return Dialogue((*messages_before(item), *turn(item.question, reasoning, item.answer)))


def _reasoning(found: str, effort: Effort) -> str:
    if effort == "low":
        return "I remember."
    return found if effort == "medium" else f"I look at what the user told me. {found} I use it."
