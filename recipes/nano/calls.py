"""Function calls: choose the tool, fill its arguments from the question, use what it returns.

Of every tool a fifth of all pairs of wording and arguments is held out.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from netweight.harmony import Message, Tool
from recipes.nano import sums
from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import ANIMALS, CITIES, COLOURS, PEOPLE, THINGS, listed

Value = str | int
Values = Mapping[str, Value]

_DAYS = listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
_SKIES = listed("sunny, cloudy, rainy, windy, foggy, snowy")
_EVENTS = listed("dinner, lunch, the concert, the meeting, the lesson, a walk, the party, a game")
_TEXTS = listed("good morning, see you soon, happy birthday, thank you, I am late, call me")
_SHARE_WITHOUT_CALL = 0.12


@dataclass(frozen=True)
class Family:
    """A tool, how people ask for it, and what it returns and means."""

    name: str
    description: str
    parameters: Mapping[str, Mapping[str, object]]
    draw: Callable[[Random], Values]
    requests: tuple[str, ...]
    result: Callable[[Random], Values]
    answer: str  # of arguments and result

    @property
    def tool(self) -> Tool:
        """As a developer declares it."""
        schema = {
            "type": "object",
            "properties": dict(self.parameters),
            "required": list(self.parameters),
        }
        return Tool(self.name, self.description, schema)


def _text(**enum: list[str]) -> dict[str, object]:
    return {"type": "string", **enum}


_NUMBER = {"type": "integer"}


def _clock(random: Random) -> str:
    return f"{random.randint(10, 23)}:{random.randint(10, 59)}"


FAMILIES = (
    Family(
        "get_weather",
        "The weather in a city.",
        {"city": _text()},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What is the weather in {city}?",
            "How is the weather in {city} today?",
            "Is it raining in {city}?",
            "Tell me the weather in {city}.",
            "Do I need a coat in {city}?",
        ),
        lambda random: {"sky": random.choice(_SKIES), "degrees": random.randint(10, 39)},
        "It is {sky} in {city}, {degrees} degrees.",
    ),
    Family(
        "get_time",
        "The time in a city.",
        {"city": _text()},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What time is it in {city}?",
            "How late is it in {city}?",
            "Tell me the time in {city}.",
            "What does the clock say in {city}?",
            "I need the time in {city}.",
        ),
        lambda random: {"time": _clock(random)},
        "It is {time} in {city}.",
    ),
    Family(
        "find_price",
        "What a thing costs in the shop.",
        {"item": _text(), "colour": _text()},
        lambda random: {"item": random.choice(THINGS), "colour": random.choice(COLOURS)},
        (
            "How much is a {colour} {item}?",
            "What does a {colour} {item} cost?",
            "Find the price of a {colour} {item}.",
            "I want to buy a {colour} {item}. What is the price?",
            "Is a {colour} {item} expensive?",
        ),
        lambda random: {"price": random.randint(10, 99)},
        "The {colour} {item} costs {price} euros.",
    ),
    Family(
        "set_timer",
        "Start a timer.",
        {"minutes": _NUMBER},
        lambda random: {"minutes": random.randint(2, 99)},
        (
            "Set a timer for {minutes} minutes.",
            "Wake me in {minutes} minutes.",
            "Start a timer of {minutes} minutes please.",
            "Remind me in {minutes} minutes.",
            "I need a timer: {minutes} minutes.",
        ),
        lambda random: {"ends": _clock(random)},
        "The timer of {minutes} minutes ends at {ends}.",
    ),
    Family(
        "send_message",
        "Send a text to a person.",
        {"person": _text(), "text": _text()},
        lambda random: {"person": random.choice(PEOPLE), "text": random.choice(_TEXTS)},
        (
            "Send {person} a message: {text}.",
            "Write to {person}: {text}.",
            "Tell {person}: {text}.",
            "Send a text to {person} that says: {text}.",
            "Message {person}: {text}.",
        ),
        lambda random: {"number": random.randint(10, 99)},
        "I sent it to {person} as message {number}.",
    ),
    Family(
        "book_table",
        "Book a table for people at an hour.",
        {"people": _NUMBER, "hour": _NUMBER},
        lambda random: {"people": random.randint(2, 9), "hour": random.randint(11, 22)},
        (
            "Book a table for {people} people at {hour}.",
            "I want to eat at {hour} with {people} people.",
            "A table for {people} at {hour} please.",
            "We are {people} and want to eat at {hour}.",
            "Reserve a table at {hour} for {people} people.",
        ),
        lambda random: {"table": random.randint(10, 99)},
        "Table {table} is yours at {hour}.",
    ),
    Family(
        "add_event",
        "Put an event into the calendar.",
        {"title": _text(), "day": _text(enum=_DAYS)},
        lambda random: {"title": random.choice(_EVENTS), "day": random.choice(_DAYS)},
        (
            "Put {title} on {day} into my calendar.",
            "Add {title} to the calendar for {day}.",
            "Plan {title} on {day}.",
            "On {day} there is {title}. Please note it.",
            "Enter {title} for {day}.",
        ),
        lambda random: {"entry": random.randint(10, 99)},
        "It is in the calendar for {day} as entry {entry}.",
    ),
    Family(
        "find_animal",
        "Where in the zoo an animal lives.",
        {"animal": _text()},
        lambda random: {"animal": random.choice(ANIMALS)},
        (
            "Where in the zoo is the {animal}?",
            "Where can I see the {animal}?",
            "How do I get to the {animal} in the zoo?",
            "Which house has the {animal}?",
            "Find the {animal} for me.",
        ),
        lambda random: {"house": random.randint(10, 99)},
        "The {animal} is in house {house}.",
    ),
    Family(
        "roll_dice",
        "Roll dice with a number of sides.",
        {"count": _NUMBER, "sides": _NUMBER},
        lambda random: {"count": random.randint(2, 9), "sides": random.randint(4, 20)},
        (
            "Roll {count} dice with {sides} sides.",
            "Throw {count} dice of {sides} sides.",
            "Roll {count} dice, each with {sides} sides.",
            "I need {count} dice with {sides} sides rolled.",
            "Please throw {count} dice with {sides} sides.",
        ),
        lambda random: {"total": random.randint(10, 99)},
        "The dice show {total} in total.",
    ),
)


@dataclass(frozen=True)
class Task:
    """A question that a tool answers, among tools that do not."""

    family: Family
    arguments: Values
    question: str
    tools: tuple[Tool, ...]
    result: Values

    @property
    def call(self) -> Message:
        """The right call."""
        return Message.assistant(
            json.dumps(self.arguments),
            channel="commentary",
            recipient=f"functions.{self.family.name}",
            content_type="<|constrain|>json",
        )

    @property
    def returned(self) -> Message:
        """What the tool answers."""
        return Message.tool(f"functions.{self.family.name}", json.dumps(self.result))

    @property
    def answer(self) -> str:
        """The final message."""
        return self.family.answer.format(**self.arguments, **self.result)


def task(random: Random, *, held_out: bool) -> Task:
    """A question whose wording and arguments together are held out, or are not."""
    while True:
        family, *others = random.sample(FAMILIES, random.randint(2, 4))
        arguments, request = family.draw(random), random.choice(family.requests)
        if is_held_out((request, *arguments.values())) == held_out:
            break
    tools = [each.tool for each in (family, *others)]
    random.shuffle(tools)
    question = request.format(**arguments)
    return Task(family, arguments, question, tuple(tools), family.result(random))


def choosing(item: Task, effort: Effort) -> str:
    """The analysis before the call."""
    filled = ", ".join(f"{name} {json.dumps(value)}" for name, value in item.arguments.items())
    if effort == "low":
        return f"{item.family.name}: {filled}."
    reasoning = f"The tool for this is {item.family.name}. Arguments: {filled}."
    if effort == "medium":
        return reasoning
    others = [tool.name for tool in item.tools if tool.name != item.family.name]
    return f"{reasoning} {' and '.join(others)} would not help."


def using(item: Task, effort: Effort) -> str:
    """The analysis before the answer."""
    filled = ", ".join(f"{name} {json.dumps(value)}" for name, value in item.result.items())
    return "Use it." if effort == "low" else f"The tool says: {filled}."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A call to learn; at times the tools are there, and none of them is for the question."""
    item = task(random, held_out=False)
    if random.random() < _SHARE_WITHOUT_CALL:
        return Dialogue(sums.dialogue(random, effort).messages, tools=item.tools)
    chosen = Message.assistant(choosing(item, effort), channel="analysis")
    messages = (Message.user(item.question), chosen, item.call, *_answered(item, effort))
    return Dialogue(messages, tools=item.tools)


def with_result(random: Random, effort: Effort) -> Dialogue:
    """A result to use, as most clients send it back: without the reasoning before its call."""
    item = task(random, held_out=False)
    messages = (Message.user(item.question), item.call, *_answered(item, effort))
    return Dialogue(messages, tools=item.tools)


def argument(random: Random, effort: Effort) -> Dialogue:
    """One argument of several that a request holds: to tell a colour from a thing, and quote it.

    A word in quotation marks is another token than the same word after a space.
    """
    while True:
        item = task(random, held_out=False)
        texts = [name for name, value in item.arguments.items() if isinstance(value, str)]
        if len(texts) > 1:
            break
    name = random.choice(texts)
    found = f"{name} {json.dumps(item.arguments[name])}"
    reasoning = "Look." if effort == "low" else f"I look for the {name}: {found}."
    return Dialogue(turn(f"Which {name} is in this? {item.question}", reasoning, f"{found}."))


def _answered(item: Task, effort: Effort) -> tuple[Message, Message, Message]:
    used = Message.assistant(using(item, effort), channel="analysis")
    return item.returned, used, Message.assistant(item.answer)
