"""What task `tools` asks: conversations made from a seed, with their tools, calls and results.

Every item says which calls it needs and what they return, so each step has a ground truth. Half of
all items are of the kind that the embedded model was taught, in wordings and arguments that its
training held out; the others are harder. Knows how an answer tells a value, since no question may
give a result away. Does not know how calls and answers are judged.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Literal, NamedTuple, get_args

from inspect_ai.tool import ToolInfo, ToolParam, ToolParams

from netweight.errors import WeighError
from netweight.evals.answers import plain

VERSION = 1  # of the task too: other items make another one

Category = Literal[
    "single", "choice", "arguments", "parallel", "follow_up", "chain", "no_need", "no_fit"
]
CATEGORIES: tuple[Category, ...] = get_args(Category)

# Every twelve items have this mix, and so has any first part of them, nearly.
_TURNS: tuple[Category, ...] = (
    "single", "choice", "single", "no_need", "single", "arguments",
    "single", "parallel", "single", "follow_up", "no_fit", "chain",
)  # fmt: skip


def _listed(words: str) -> list[str]:
    return words.split(", ")


CITIES = _listed(
    "Rome, Paris, Berlin, Madrid, London, Oslo, Vienna, Prague, Lisbon, Athens, Dublin, Warsaw, "
    "Cairo, Tokyo, Delhi, Lima, Boston, Bergen, Lyon, Milan, Geneva, Kyoto, Seoul, Quito"
)
PEOPLE = _listed(
    "Mara, Tom, Ida, Jonas, Lena, Pip, Rosa, Emil, Nora, Otto, Wren, Hugo, Ada, Finn, Elsa, Kai, "
    "Ben, Clara, David, Greta, Ivan, Lucy, Max, Olga"
)
THINGS = _listed(
    "kite, lamp, clock, bell, boat, drum, hat, candle, book, ring, cup, chair, violin, mirror, "
    "basket, blanket, ladder, bottle, knife, spoon, coat, carpet, mask, wheel"
)
COLOURS = _listed("red, blue, green, yellow, white, black, brown, grey")
_ANIMALS = _listed(
    "fox, owl, bear, hare, frog, snail, horse, crow, goat, duck, turtle, wolf, sheep, lion, tiger, "
    "rabbit, deer, donkey, monkey, swan, seal, crab, camel, zebra, eagle, panda"
)
_DAYS = _listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
_SKIES = {"sunny": "sun", "cloudy": "cloud", "rainy": "rain", "windy": "wind", "foggy": "fog"}
_EVENTS = _listed("dinner, lunch, the concert, the meeting, the lesson, a walk, the party, a game")
_TEXTS = _listed("good morning, see you soon, happy birthday, thank you, I am late, call me")
_ROOMS = _listed("kitchen, bedroom, bathroom, office, hall, cellar")
_DISHES = _listed("soup, pizza, salad, curry, pancakes, dumplings")
_STREETS = _listed("Mill Street, Station Road, Church Lane, Garden Street, Harbour Road")
_TOPICS = _listed("budget, garden, roof, holidays, school trip, summer fair")
_CURRENCIES = {"euros": "EUR", "dollars": "USD", "pounds": "GBP", "francs": "CHF"}

_TEXT: Mapping[str, object] = {"type": "string"}
_NUMBER: Mapping[str, object] = {"type": "integer"}


def _enum(values: Sequence[str]) -> Mapping[str, object]:
    return {"type": "string", "enum": list(values)}


Values = Mapping[str, object]


@dataclass(frozen=True)
class Call:
    """A call that an item needs, and what it returns."""

    tool: str
    arguments: Values
    result: Values


@dataclass(frozen=True)
class Turn:
    """A question, the calls that it needs in any order, and what its answer must tell."""

    question: str
    calls: tuple[Call, ...] = ()
    told: tuple[object, ...] = ()


@dataclass(frozen=True)
class Item:
    """One conversation, and the tools that are there throughout."""

    category: Category
    tools: tuple[ToolInfo, ...]
    turns: tuple[Turn, ...]

    @property
    def needs_call(self) -> bool:
        """Whether any call is right."""
        return any(turn.calls for turn in self.turns)


def _tool(name: str, description: str, /, **parameters: Mapping[str, object]) -> ToolInfo:
    """Declare a tool; a parameter with a default may be left out."""
    return ToolInfo(
        name=name,
        description=description,
        parameters=ToolParams(
            properties={
                name: ToolParam.model_validate(schema) for name, schema in parameters.items()
            },
            required=[name for name, schema in parameters.items() if "default" not in schema],
        ),
    )


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
        return _tool(self.name, self.description, **self.parameters)

    def ask(self, random: Random) -> Turn:
        """Draw a question with its call."""
        request = random.choice(self.requests)
        return self.ask_for(random, self.draw(random), request)

    def ask_for(self, random: Random, arguments: Values, request: str) -> Turn:
        """Return the question of these arguments in this wording, with its call."""
        made = Call(self.name, arguments, self.result(random, arguments))
        told = tuple(made.result[name] for name in self.told)
        return Turn(request.format(**arguments), (made,), told)


def _clock(random: Random) -> str:
    return f"{random.randint(10, 23)}:{random.randint(10, 59)}"


def _two_digits(name: str, random: Random, _: Values | None = None) -> Values:
    return {name: random.randint(10, 99)}


def _thrown(random: Random, dice: Values) -> Values:
    count, sides = dice["count"], dice["sides"]
    assert isinstance(count, int) and isinstance(sides, int)
    return {"total": random.randint(10, min(99, count * sides))}


# As the embedded model was taught, without the wordings that are answered by yes or no: an answer
# to those need not tell the result. Nor need one that confirms what was done.
_TAUGHT = (
    Family(
        "get_weather",
        "The weather in a city.",
        {"city": _TEXT},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What is the weather in {city}?",
            "How is the weather in {city} today?",
            "Tell me the weather in {city}.",
        ),
        lambda random, _: {"sky": random.choice(list(_SKIES)), "degrees": random.randint(10, 39)},
        told=("sky", "degrees"),
    ),
    Family(
        "get_time",
        "The time in a city.",
        {"city": _TEXT},
        lambda random: {"city": random.choice(CITIES)},
        (
            "What time is it in {city}?",
            "How late is it in {city}?",
            "Tell me the time in {city}.",
            "What does the clock say in {city}?",
            "I need the time in {city}.",
        ),
        lambda random, _: {"time": _clock(random)},
        told=("time",),
    ),
    Family(
        "find_price",
        "What a thing costs in the shop.",
        {"item": _TEXT, "colour": _TEXT},
        lambda random: {"item": random.choice(THINGS), "colour": random.choice(COLOURS)},
        (
            "How much is a {colour} {item}?",
            "What does a {colour} {item} cost?",
            "Find the price of a {colour} {item}.",
            "I want to buy a {colour} {item}. What is the price?",
        ),
        partial(_two_digits, "price"),
        told=("price",),
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
        lambda random, _: {"ends": _clock(random)},
    ),
    Family(
        "send_message",
        "Send a text to a person.",
        {"person": _TEXT, "text": _TEXT},
        lambda random: {"person": random.choice(PEOPLE), "text": random.choice(_TEXTS)},
        (
            "Send {person} a message: {text}.",
            "Write to {person}: {text}.",
            "Tell {person}: {text}.",
            "Send a text to {person} that says: {text}.",
            "Message {person}: {text}.",
        ),
        partial(_two_digits, "number"),
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
        partial(_two_digits, "table"),
    ),
    Family(
        "add_event",
        "Put an event into the calendar.",
        {"title": _TEXT, "day": _enum(_DAYS)},
        lambda random: {"title": random.choice(_EVENTS), "day": random.choice(_DAYS)},
        (
            "Put {title} on {day} into my calendar.",
            "Add {title} to the calendar for {day}.",
            "Plan {title} on {day}.",
            "On {day} there is {title}. Please note it.",
            "Enter {title} for {day}.",
        ),
        partial(_two_digits, "entry"),
    ),
    Family(
        "find_animal",
        "Where in the zoo an animal lives.",
        {"animal": _TEXT},
        lambda random: {"animal": random.choice(_ANIMALS)},
        (
            "Where in the zoo is the {animal}?",
            "Where can I see the {animal}?",
            "How do I get to the {animal} in the zoo?",
            "Which house has the {animal}?",
            "Find the {animal} for me.",
        ),
        partial(_two_digits, "house"),
        told=("house",),
    ),
    Family(
        "roll_dice",
        "Roll dice with a number of sides.",
        {"count": _NUMBER, "sides": _NUMBER},
        lambda random: {"count": random.randint(3, 9), "sides": random.randint(4, 20)},
        (
            "Roll {count} dice with {sides} sides.",
            "Throw {count} dice of {sides} sides.",
            "Roll {count} dice, each with {sides} sides.",
            "I need {count} dice with {sides} sides rolled.",
            "Please throw {count} dice with {sides} sides.",
        ),
        _thrown,
        told=("total",),
    ),
)
_BY_NAME = {family.name: family for family in _TAUGHT}


def _person_and_text(random: Random) -> Values:
    return {"person": random.choice(PEOPLE), "text": random.choice(_TEXTS)}


def _coloured_thing(random: Random) -> Values:
    return {"item": random.choice(THINGS), "colour": random.choice(COLOURS)}


# Tools that are easily taken for one another: an item offers a whole group.
_ALIKE = (
    (
        _BY_NAME["get_weather"],
        Family(
            "get_forecast",
            "The weather in a city on a coming day.",
            {"city": _TEXT, "days_ahead": {"type": "integer", "description": "1 is tomorrow"}},
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
            {"city": _TEXT, "month": _enum(_listed("January, April, July, October"))},
            lambda random: {
                "city": random.choice(CITIES),
                "month": random.choice(_listed("January, April, July, October")),
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
            {"city": _TEXT},
            lambda random: {"city": random.choice(CITIES)},
            ("How clean is the air in {city}?", "What is the air quality index of {city}?"),
            partial(_two_digits, "index"),
            told=("index",),
        ),
    ),
    (
        _BY_NAME["send_message"],
        Family(
            "send_email",
            "Send an e-mail to a person.",
            {"person": _TEXT, "subject": _TEXT, "text": _TEXT},
            lambda random: {"subject": random.choice(_TOPICS), **_person_and_text(random)},
            (
                "E-mail {person} about the {subject}: {text}.",
                "Write an e-mail to {person}. Its subject is {subject}, its text: {text}.",
            ),
            partial(_two_digits, "number"),
        ),
        Family(
            "schedule_message",
            "Send a text to a person later, at an hour of today.",
            {"person": _TEXT, "text": _TEXT, "hour": _NUMBER},
            lambda random: {"hour": random.randint(13, 22), **_person_and_text(random)},
            (
                "At {hour} today, send {person} this text: {text}.",
                "Text {person} at {hour} today, not now: {text}.",
            ),
            partial(_two_digits, "number"),
        ),
        Family(
            "start_call",
            "Call a person by telephone.",
            {"person": _TEXT},
            lambda random: {"person": random.choice(PEOPLE)},
            ("Ring {person} up for me.", "Get {person} on the telephone."),
            partial(_two_digits, "line"),
        ),
    ),
    (
        _BY_NAME["find_price"],
        Family(
            "check_stock",
            "How many pieces of a thing the shop has.",
            {"item": _TEXT, "colour": _TEXT},
            _coloured_thing,
            (
                "How many pieces of the {colour} {item} does the shop have?",
                "How many pieces of the {colour} {item} are in stock?",
            ),
            partial(_two_digits, "pieces"),
            told=("pieces",),
        ),
        Family(
            "order_thing",
            "Order a thing from the shop.",
            {"item": _TEXT, "colour": _TEXT, "count": {"type": "integer", "default": 1}},
            lambda random: {"count": random.randint(1, 9), **_coloured_thing(random)},
            (
                "Order {count} of the {colour} {item}. What is the order's number?",
                "I take the {colour} {item}, {count} of it. Order it, and tell me the order's "
                "number.",
            ),
            partial(_two_digits, "order"),
            told=("order",),
        ),
        Family(
            "find_shelf",
            "On which shelf of the shop a thing is.",
            {"item": _TEXT, "colour": _TEXT},
            _coloured_thing,
            (
                "On which shelf of the shop is the {colour} {item}?",
                "Which shelf has the {colour} {item}?",
            ),
            partial(_two_digits, "shelf"),
            told=("shelf",),
        ),
    ),
)


# Arguments with structure: lists, objects, numbers with a fraction, switches and defaults.
def _meeting(random: Random) -> Turn:
    people = random.sample(PEOPLE, 3)
    topic, day = random.choice(_TOPICS), random.choice(_DAYS)
    hour, minute = random.randint(9, 18), random.choice((15, 30, 45))
    online = random.random() < 0.5
    arguments = {
        "title": topic,
        "people": people,
        "start": {"day": day, "hour": hour, "minute": minute},
        "online": online,
    }
    call = Call("create_meeting", arguments, _two_digits("number", random))
    question = (
        f"Set up a meeting, {'online' if online else 'not online'}, with {people[0]}, {people[1]} "
        f"and {people[2]} on {day} at {hour}:{minute}. Its title is {topic}. What is the meeting's "
        "number?"
    )
    return Turn(question, (call,), (call.result["number"],))


def _order_food(random: Random) -> Turn:
    first, second = random.sample(_DISHES, 2)
    counts = random.sample(range(1, 7), 2)
    street, number = random.choice(_STREETS), random.randint(10, 99)
    dishes = [{"dish": first, "count": counts[0]}, {"dish": second, "count": counts[1]}]
    arguments = {"dishes": dishes, "address": {"street": street, "number": number}}
    call = Call("order_food", arguments, _two_digits("minutes", random))
    question = (
        f"Order {counts[0]} times {first} and {counts[1]} times {second} to {street} {number}. "
        "How many minutes will it take?"
    )
    return Turn(question, (call,), (call.result["minutes"],))


def _find_flight(random: Random) -> Turn:
    origin, destination = random.sample(CITIES, 2)
    day, people = random.choice(_DAYS), random.randint(2, 9)
    direct = random.random() < 0.5
    arguments = {
        "origin": origin,
        "destination": destination,
        "day": day,
        "people": people,
        "direct": direct,
        "cabin": random.choice(("economy", "business")),
    }
    call = Call("find_flight", arguments, _two_digits("flight", random))
    question = (
        f"Find a flight from {origin} to {destination} on {day} for {people} people in "
        f"{arguments['cabin']} class, {'without' if direct else 'with or without'} a stop. "
        "What is the flight's number?"
    )
    return Turn(question, (call,), (call.result["flight"],))


def _convert(random: Random) -> Turn:
    source, target = random.sample(list(_CURRENCIES), 2)
    amount = random.randint(21, 199) / 2
    arguments = {
        "amount": amount,
        "source": _CURRENCIES[source],
        "target": _CURRENCIES[target],
    }
    call = Call("convert_money", arguments, {"amount": random.randint(1001, 9999) / 100})
    question = f"How much is {amount} {source} in {target}, at today's rate?"
    return Turn(question, (call,), (call.result["amount"],))


def _heat(random: Random) -> Turn:
    rooms = random.sample(_ROOMS, 2)
    degrees = random.randint(35, 47) / 2
    call = Call("heat_rooms", {"rooms": rooms, "degrees": degrees}, {"ready": _clock(random)})
    question = f"Heat the {rooms[0]} and the {rooms[1]} to {degrees} degrees. When is it ready?"
    return Turn(question, (call,), (call.result["ready"],))


class _Structured(NamedTuple):
    tool: ToolInfo
    draw: Callable[[Random], Turn]


def _object(**properties: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_STRUCTURED = (
    _Structured(
        _tool(
            "create_meeting",
            "Set up a meeting with people.",
            title=_TEXT,
            people={"type": "array", "items": _TEXT},
            start=_object(day=_enum(_DAYS), hour=_NUMBER, minute=_NUMBER),
            online={"type": "boolean"},
        ),
        _meeting,
    ),
    _Structured(
        _tool(
            "order_food",
            "Order dishes to an address.",
            dishes={"type": "array", "items": _object(dish=_enum(_DISHES), count=_NUMBER)},
            address=_object(street=_TEXT, number=_NUMBER),
        ),
        _order_food,
    ),
    _Structured(
        _tool(
            "find_flight",
            "Find a flight from one city to another.",
            origin=_TEXT,
            destination=_TEXT,
            day=_enum(_DAYS),
            people=_NUMBER,
            cabin=_enum(["economy", "business"]),
            direct={"type": "boolean", "default": False, "description": "only without a stop"},
        ),
        _find_flight,
    ),
    _Structured(
        _tool(
            "convert_money",
            "Convert an amount of money at today's rate.",
            amount={"type": "number"},
            source=_enum(list(_CURRENCIES.values())),
            target=_enum(list(_CURRENCIES.values())),
        ),
        _convert,
    ),
    _Structured(
        _tool(
            "heat_rooms",
            "Heat rooms of the house.",
            rooms={"type": "array", "items": _enum(_ROOMS)},
            degrees={"type": "number"},
        ),
        _heat,
    ),
)

_FIND_CITY = _tool("find_city", "The city in which a person lives.", person=_TEXT)


def is_held_out(parts: Sequence[object]) -> bool:
    """Say whether the embedded model's training never saw what these parts make up."""
    text = "|".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).digest()[0] % 5 == 0


def _among(random: Random, *tools: ToolInfo) -> tuple[ToolInfo, ...]:
    """Put one or two taught tools that are of no use here among `tools`."""
    names = {tool.name for tool in tools}
    others = [family.tool for family in _TAUGHT if family.name not in names]
    mixed = [*tools, *random.sample(others, random.randint(1, 2))]
    random.shuffle(mixed)
    return tuple(mixed)


def _taught(*names: str) -> list[ToolInfo]:
    return [_BY_NAME[name].tool for name in names]


def _single(random: Random) -> Item:
    """As the embedded model was taught: one call, two to four tools."""
    while True:
        family, *others = random.sample(_TAUGHT, random.randint(2, 4))
        arguments, request = family.draw(random), random.choice(family.requests)
        if is_held_out((request, *arguments.values())):
            break
    tools = [each.tool for each in (family, *others)]
    random.shuffle(tools)
    return Item("single", tuple(tools), (family.ask_for(random, arguments, request),))


def _choice(random: Random) -> Item:
    group = random.choice(_ALIKE)
    tools = [family.tool for family in group]
    random.shuffle(tools)
    return Item("choice", tuple(tools), (random.choice(group).ask(random),))


def _arguments(random: Random) -> Item:
    wanted, other = random.sample(_STRUCTURED, 2)
    tools = _among(random, wanted.tool, other.tool)
    return Item("arguments", tools, (wanted.draw(random),))


def _parallel(random: Random) -> Item:
    """Two or three calls that do not need one another, of one tool or of two."""
    places = random.sample(CITIES, 3)
    clocks = [f"{hour}:{random.randint(10, 59)}" for hour in random.sample(range(10, 24), 3)]
    degrees = random.sample(range(10, 40), 3)
    times = [
        Call("get_time", {"city": city}, {"time": time})
        for city, time in zip(places, clocks, strict=True)
    ]
    skies = [
        Call("get_weather", {"city": city}, {"degrees": number})
        for city, number in zip(places, degrees, strict=True)
    ]
    first, second, third = places
    question, calls = random.choice(
        (
            (f"What time is it in {first} and in {second}?", times[:2]),
            (f"How warm is it in {first}, in {second} and in {third}?", skies),
            (f"What time is it in {first}, and how warm is it in {second}?", [times[0], skies[1]]),
        )
    )
    told = tuple(value for call in calls for value in call.result.values())
    tools = _among(random, *_taught("get_time", "get_weather"))
    return Item("parallel", tools, (Turn(question, tuple(calls), told),))


def _timer(random: Random, minutes: object) -> Call:
    return Call("set_timer", {"minutes": minutes}, {"ends": _clock(random)})


def _follow_up(random: Random) -> Item:
    """A second question that only the first one's result makes clear."""
    kind = random.choice(("price", "house", "city"))
    if kind == "price":
        first = _BY_NAME["find_price"].ask(random)
        person, price = random.choice(PEOPLE), first.told[0]
        text = {"person": person, "text": str(price)}
        second = Turn(
            f"Send {person} that price as a message, the number alone.",
            (Call("send_message", text, _two_digits("number", random)),),
        )
        tools = _taught("find_price", "send_message")
    elif kind == "house":
        first = _BY_NAME["find_animal"].ask(random)
        timer = _timer(random, first.told[0])
        second = Turn(
            "Set a timer for as many minutes as that house's number says. When does it end?",
            (timer,),
            tuple(timer.result.values()),
        )
        tools = _taught("find_animal", "set_timer")
    else:
        person, city = random.choice(PEOPLE), random.choice(CITIES)
        first = Turn(
            f"In which city does {person} live?",
            (Call("find_city", {"person": person}, {"city": city}),),
            (city,),
        )
        clock = Call("get_time", {"city": city}, {"time": _clock(random)})
        second = Turn("What time is it there?", (clock,), tuple(clock.result.values()))
        tools = [_FIND_CITY, *_taught("get_time")]
    return Item("follow_up", _among(random, *tools), (first, second))


def _chain(random: Random) -> Item:
    """One question with two calls, of which the second needs what the first returns."""
    kind = random.choice(("city", "dice"))
    if kind == "city":
        person, city = random.choice(PEOPLE), random.choice(CITIES)
        first = Call("find_city", {"person": person}, {"city": city})
        second = Call("get_time", {"city": city}, {"time": _clock(random)})
        question = f"What time is it in the city where {person} lives?"
        tools = [_FIND_CITY, *_taught("get_time")]
    else:
        arguments = _BY_NAME["roll_dice"].draw(random)
        first = Call("roll_dice", arguments, _thrown(random, arguments))
        second = _timer(random, first.result["total"])
        question = (
            "Roll {count} dice with {sides} sides, and set a timer for as many minutes as they "
            "show in total. When does it end?"
        ).format(**arguments)
        tools = _taught("roll_dice", "set_timer")
    told = tuple(second.result.values())
    return Item("chain", _among(random, *tools), (Turn(question, (first, second), told),))


def _no_need(random: Random) -> Item:
    """A question whose answer needs no tool: a sum, or what the question itself says."""
    kind = random.choice(("sum", "sum", "sum", "degrees", "price", "sender"))
    tools = [family.tool for family in random.sample(_TAUGHT, random.randint(2, 4))]
    if kind == "sum":
        a, b = _unseen_pair(random)
        turn = Turn(f"What is {a} + {b}?", (), (a + b,))
    elif kind == "degrees":
        low, rise = random.randint(10, 19), random.randint(2, 9)
        question = (
            f"This morning it was {low} degrees in {random.choice(CITIES)}, and at noon it was "
            f"{rise} degrees warmer. How many degrees was it at noon?"
        )
        turn, tools = Turn(question, (), (low + rise,)), _taught("get_weather", "get_time")
    elif kind == "price":
        first, second = random.sample(THINGS, 2)
        a, b = random.randint(11, 49), random.randint(11, 49)
        question = (
            f"I paid {a} euros for a {first} and {b} euros for a {second}. How much is that "
            "together?"
        )
        turn, tools = Turn(question, (), (a + b,)), _taught("find_price", "roll_dice")
    else:
        person, text = random.choice(PEOPLE), random.choice(_TEXTS)
        question = f"{person} has just sent me this message: {text}. Who wrote to me?"
        turn, tools = Turn(question, (), (person,)), _taught("send_message", "add_event")
    random.shuffle(tools)
    return Item("no_need", tuple(tools), (turn,))


def _unseen_pair(random: Random) -> tuple[int, int]:
    """Two numbers whose sum the embedded model's training never showed."""
    while True:
        low, high = sorted((random.randint(10, 99), random.randint(10, 99)))
        digest = hashlib.sha256(f"{low},{high}".encode()).digest()
        if low + high > 99 and digest[0] % 5 == 0:
            return low, high


def _no_fit(random: Random) -> Item:
    """A request for which no tool is there; to say so is right, and any call is wrong."""
    family, *others = random.sample(_TAUGHT, random.randint(3, 4))
    request = family.ask(random).question
    return Item("no_fit", tuple(other.tool for other in others), (Turn(request),))


_MAKERS: Mapping[Category, Callable[[Random], Item]] = {
    "single": _single,
    "choice": _choice,
    "arguments": _arguments,
    "parallel": _parallel,
    "follow_up": _follow_up,
    "chain": _chain,
    "no_need": _no_need,
    "no_fit": _no_fit,
}
MAX_ITEMS = 600


def items(seed: int, num_items: int) -> Iterator[Item]:
    """Yield `num_items` different items, the categories in turns; a seed gives the same ones.

    Raises:
        WeighError: a number of items outside 1 to MAX_ITEMS.
    """
    if not 1 <= num_items <= MAX_ITEMS:
        raise WeighError(f"tools has 1 to {MAX_ITEMS} items, not {num_items}. Choose another.")
    random = Random(f"tools {VERSION} {seed}")
    seen = set[str]()
    for index in range(num_items):
        make = _MAKERS[_TURNS[index % len(_TURNS)]]
        while (item := make(random)).turns[0].question in seen or _gives_away(item):
            pass
        seen.add(item.turns[0].question)
        yield item


def _gives_away(item: Item) -> bool:
    """Whether repeating a question would look like telling what its calls return."""
    return any(
        turn.calls and any(tells(turn.question, value) for value in turn.told)
        for turn in item.turns
    )


def tells(text: str, value: object) -> bool:
    """Say whether an answer tells a value: a number, a time of day, a name or the sky.

    A number stands alone, not within another; a time may be given in twelve hours.
    """
    said = re.sub(r"[*_`]", "", plain(text)).casefold()
    return re.search(_pattern(str(value).casefold()), said) is not None


def _pattern(value: str) -> str:
    before = r"(?<![\w-])(?<!\d[.,:])"
    if clock := re.fullmatch(r"(\d\d):(\d\d)", value):
        hour, minute = int(clock[1]), clock[2]
        half_day = rf"{(hour - 1) % 12 + 1}[:.]{minute}\s*{'p' if hour >= 12 else 'a'}\.?\s?m\b"
        return rf"{before}(?:{hour}[:.]{minute}(?!\d|\s*[ap]\.?\s?m\b)|{half_day})"
    if re.fullmatch(r"\d+\.\d+", value):
        return rf"{before}{re.escape(value.rstrip('0'))}0*(?!\d|[.,:]\d)"
    if value.isdigit():
        return rf"{before}{value}(?:\.0+)?(?!\d|[.,:]\d)"
    if value in _SKIES:
        return rf"\b{_SKIES[value]}(?:n?y|gy|s|ing|shine)?\b"
    return rf"(?<!\w){re.escape(value)}(?!\w)"
