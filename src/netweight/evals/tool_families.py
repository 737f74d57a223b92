"""The tools of task `tools` that take words and numbers, and how people ask for them.

Half are those that the embedded model was taught; others are easily taken for one another. Knows
what a call returns; does not know which items ask for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from inspect_ai.tool import ToolInfo

from netweight.evals.item_words import (
    ANIMALS,
    CITIES,
    COLOURS,
    DAYS,
    EVENTS,
    PEOPLE,
    SKIES,
    TEXTS,
    THINGS,
    TOPICS,
    listed,
)
from netweight.evals.tool_declarations import NUMBER, TEXT, declared, enum
from netweight.evals.tool_item import Call, Turn, Values


@dataclass(frozen=True)
class Family:
    """A tool, how people ask for it, and what it returns, of which an answer must tell `told`."""

    name: str
    description: str
    parameters: Mapping[str, Mapping[str, object]]
    draw: Callable[[Random], Values]
    requests: tuple[str, ...]
    result: Callable[[Random, Values], Values]  # of the arguments
    told: tuple[str, ...] = ()

    @property
    def tool(self) -> ToolInfo:
        """As a model sees it."""
        return declared(self.name, self.description, **self.parameters)

    def ask(self, random: Random) -> Turn:
        """Draw a question with its call."""
        request = random.choice(self.requests)
        return self.ask_for(random, self.draw(random), request)

    def ask_for(self, random: Random, arguments: Values, request: str) -> Turn:
        """Return the question of these arguments in this wording, with its call."""
        made = Call(self.name, arguments, self.result(random, arguments))
        told = tuple(made.result[name] for name in self.told)
        return Turn(request.format(**arguments), (made,), told)


def time_of_day(random: Random) -> str:
    return f"{random.randint(10, 23)}:{random.randint(10, 59)}"


def two_digits(name: str, random: Random, _: Values | None = None) -> Values:
    return {name: random.randint(10, 99)}


def thrown(random: Random, dice: Values) -> Values:
    count, sides = dice["count"], dice["sides"]
    assert isinstance(count, int) and isinstance(sides, int)
    return {"total": random.randint(10, min(99, count * sides))}


# As the embedded model was taught, without the wordings that are answered by yes or no: an answer
# to those need not tell the result. Nor need one that confirms what was done.
TAUGHT = (
    Family(
        "get_weather",
        "The weather in a city.",
        {"city": TEXT},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What is the weather in {city}?",
            "How is the weather in {city} today?",
            "Tell me the weather in {city}.",
        ),
        lambda random, _: {"sky": random.choice(list(SKIES)), "degrees": random.randint(10, 39)},
        told=("sky", "degrees"),
    ),
    Family(
        "get_time",
        "The time in a city.",
        {"city": TEXT},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What time is it in {city}?",
            "How late is it in {city}?",
            "Tell me the time in {city}.",
            "What does the clock say in {city}?",
            "I need the time in {city}.",
        ),
        lambda random, _: {"time": time_of_day(random)},
        told=("time",),
    ),
    Family(
        "find_price",
        "What a thing costs in the shop.",
        {"item": TEXT, "colour": TEXT},
        lambda random: {"item": random.choice(THINGS), "colour": random.choice(COLOURS)},
        (
            "How much is a {colour} {item}?",
            "What does a {colour} {item} cost?",
            "Find the price of a {colour} {item}.",
            "I want to buy a {colour} {item}. What is the price?",
        ),
        partial(two_digits, "price"),
        told=("price",),
    ),
    Family(
        "set_timer",
        "Start a timer.",
        {"minutes": NUMBER},
        lambda random: {"minutes": random.randint(2, 99)},
        (
            "Set a timer for {minutes} minutes.",
            "Wake me in {minutes} minutes.",
            "Start a timer of {minutes} minutes please.",
            "Remind me in {minutes} minutes.",
            "I need a timer: {minutes} minutes.",
        ),
        lambda random, _: {"ends": time_of_day(random)},
    ),
    Family(
        "send_message",
        "Send a text to a person.",
        {"person": TEXT, "text": TEXT},
        lambda random: {"person": random.choice(PEOPLE), "text": random.choice(TEXTS)},
        (
            "Send {person} a message: {text}.",
            "Write to {person}: {text}.",
            "Tell {person}: {text}.",
            "Send a text to {person} that says: {text}.",
            "Message {person}: {text}.",
        ),
        partial(two_digits, "number"),
    ),
    Family(
        "book_table",
        "Book a table for people at an hour.",
        {"people": NUMBER, "hour": NUMBER},
        lambda random: {"people": random.randint(2, 9), "hour": random.randint(11, 22)},
        (
            "Book a table for {people} people at {hour}.",
            "I want to eat at {hour} with {people} people.",
            "A table for {people} at {hour} please.",
            "We are {people} and want to eat at {hour}.",
            "Reserve a table at {hour} for {people} people.",
        ),
        partial(two_digits, "table"),
    ),
    Family(
        "add_event",
        "Put an event into the calendar.",
        {"title": TEXT, "day": enum(DAYS)},
        lambda random: {"title": random.choice(EVENTS), "day": random.choice(DAYS)},
        (
            "Put {title} on {day} into my calendar.",
            "Add {title} to the calendar for {day}.",
            "Plan {title} on {day}.",
            "On {day} there is {title}. Please note it.",
            "Enter {title} for {day}.",
        ),
        partial(two_digits, "entry"),
    ),
    Family(
        "find_animal",
        "Where in the zoo an animal lives.",
        {"animal": TEXT},
        lambda random: {"animal": random.choice(ANIMALS)},
        (
            "Where in the zoo is the {animal}?",
            "Where can I see the {animal}?",
            "How do I get to the {animal} in the zoo?",
            "Which house has the {animal}?",
            "Find the {animal} for me.",
        ),
        partial(two_digits, "house"),
        told=("house",),
    ),
    Family(
        "roll_dice",
        "Roll dice with a number of sides.",
        {"count": NUMBER, "sides": NUMBER},
        lambda random: {"count": random.randint(3, 9), "sides": random.randint(4, 20)},
        (
            "Roll {count} dice with {sides} sides.",
            "Throw {count} dice of {sides} sides.",
            "Roll {count} dice, each with {sides} sides.",
            "I need {count} dice with {sides} sides rolled.",
            "Please throw {count} dice with {sides} sides.",
        ),
        thrown,
        told=("total",),
    ),
)
BY_NAME = {family.name: family for family in TAUGHT}


def _person_and_text(random: Random) -> Values:
    return {"person": random.choice(PEOPLE), "text": random.choice(TEXTS)}


def _coloured_thing(random: Random) -> Values:
    return {"item": random.choice(THINGS), "colour": random.choice(COLOURS)}


# Tools that are easily taken for one another: an item offers a whole group.
ALIKE = (
    (
        BY_NAME["get_weather"],
        Family(
            "get_forecast",
            "The weather in a city on a coming day.",
            {"city": TEXT, "days_ahead": {"type": "integer", "description": "1 is tomorrow"}},
            lambda random: {"city": random.choice(CITIES), "days_ahead": random.randint(2, 6)},
            (
                "What will the weather be in {city} in {days_ahead} days?",
                "I travel to {city} in {days_ahead} days. How warm will it be?",
            ),
            lambda random, _: {"degrees": random.randint(10, 39)},
            told=("degrees",),
        ),
        Family(
            "get_climate",
            "How warm a city is in a month, as a mean of thirty years.",
            {"city": TEXT, "month": enum(listed("January, April, July, October"))},
            lambda random: {
                "city": random.choice(CITIES),
                "month": random.choice(listed("January, April, July, October")),
            },
            (
                "How warm is {city} in {month}, as a rule?",
                "What is the usual temperature in {city} in {month}?",
            ),
            lambda random, _: {"degrees": random.randint(10, 39)},
            told=("degrees",),
        ),
        Family(
            "get_air_quality",
            "The air quality index of a city, now.",
            {"city": TEXT},
            lambda random: {"city": random.choice(CITIES)},
            ("How clean is the air in {city}?", "What is the air quality index of {city}?"),
            partial(two_digits, "index"),
            told=("index",),
        ),
    ),
    (
        BY_NAME["send_message"],
        Family(
            "send_email",
            "Send an e-mail to a person.",
            {"person": TEXT, "subject": TEXT, "text": TEXT},
            lambda random: {"subject": random.choice(TOPICS), **_person_and_text(random)},
            (
                "E-mail {person} about the {subject}: {text}.",
                "Write an e-mail to {person}. Its subject is {subject}, its text: {text}.",
            ),
            partial(two_digits, "number"),
        ),
        Family(
            "schedule_message",
            "Send a text to a person later, at an hour of today.",
            {"person": TEXT, "text": TEXT, "hour": NUMBER},
            lambda random: {"hour": random.randint(13, 22), **_person_and_text(random)},
            (
                "At {hour} today, send {person} this text: {text}.",
                "Text {person} at {hour} today, not now: {text}.",
            ),
            partial(two_digits, "number"),
        ),
        Family(
            "start_call",
            "Call a person by telephone.",
            {"person": TEXT},
            lambda random: {"person": random.choice(PEOPLE)},
            ("Ring {person} up for me.", "Get {person} on the telephone."),
            partial(two_digits, "line"),
        ),
    ),
    (
        BY_NAME["find_price"],
        Family(
            "check_stock",
            "How many pieces of a thing the shop has.",
            {"item": TEXT, "colour": TEXT},
            _coloured_thing,
            (
                "How many pieces of the {colour} {item} does the shop have?",
                "How many pieces of the {colour} {item} are in stock?",
            ),
            partial(two_digits, "pieces"),
            told=("pieces",),
        ),
        Family(
            "order_thing",
            "Order a thing from the shop.",
            {"item": TEXT, "colour": TEXT, "count": {"type": "integer", "default": 1}},
            lambda random: {"count": random.randint(1, 9), **_coloured_thing(random)},
            (
                "Order {count} of the {colour} {item}. What is the order's number?",
                "I take the {colour} {item}, {count} of it. Order it, and tell me the order's "
                "number.",
            ),
            partial(two_digits, "order"),
            told=("order",),
        ),
        Family(
            "find_shelf",
            "On which shelf of the shop a thing is.",
            {"item": TEXT, "colour": TEXT},
            _coloured_thing,
            (
                "On which shelf of the shop is the {colour} {item}?",
                "Which shelf has the {colour} {item}?",
            ),
            partial(two_digits, "shelf"),
            told=("shelf",),
        ),
    ),
)
