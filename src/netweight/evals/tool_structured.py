"""The tools of task `tools` whose arguments have structure.

Lists, objects, numbers with a fraction, switches and defaults: each tool with a question that says
all of it. Does not know which items ask for it.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from inspect_ai.tool import ToolInfo

from netweight.evals.item_words import (
    CITIES,
    CURRENCIES,
    DAYS,
    DISHES,
    PEOPLE,
    ROOMS,
    STREETS,
    TOPICS,
)
from netweight.evals.tool_declarations import NUMBER, TEXT, declared, enum
from netweight.evals.tool_families import time_of_day, two_digits
from netweight.evals.tool_item import Call, Turn


def _meeting(random: Random) -> Turn:
    people = random.sample(PEOPLE, 3)
    topic, day = random.choice(TOPICS), random.choice(DAYS)
    hour, minute = random.randint(9, 18), random.choice((15, 30, 45))
    online = random.random() < 0.5
    arguments = {
        "title": topic,
        "people": people,
        "start": {"day": day, "hour": hour, "minute": minute},
        "online": online,
    }
    call = Call("create_meeting", arguments, two_digits("number", random))
    question = (
        f"Set up a meeting, {'online' if online else 'not online'}, with {people[0]}, {people[1]} "
        f"and {people[2]} on {day} at {hour}:{minute}. Its title is {topic}. What is the meeting's "
        "number?"
    )
    return Turn(question, (call,), (call.result["number"],))


def _order_food(random: Random) -> Turn:
    first, second = random.sample(DISHES, 2)
    counts = random.sample(range(1, 7), 2)
    street, number = random.choice(STREETS), random.randint(10, 99)
    dishes = [{"dish": first, "count": counts[0]}, {"dish": second, "count": counts[1]}]
    arguments = {"dishes": dishes, "address": {"street": street, "number": number}}
    call = Call("order_food", arguments, two_digits("minutes", random))
    question = (
        f"Order {counts[0]} times {first} and {counts[1]} times {second} to {street} {number}. "
        "How many minutes will it take?"
    )
    return Turn(question, (call,), (call.result["minutes"],))


def _find_flight(random: Random) -> Turn:
    origin, destination = random.sample(CITIES, 2)
    day, people = random.choice(DAYS), random.randint(2, 9)
    direct = random.random() < 0.5
    arguments = {
        "origin": origin,
        "destination": destination,
        "day": day,
        "people": people,
        "direct": direct,
        "cabin": random.choice(("economy", "business")),
    }
    call = Call("find_flight", arguments, two_digits("flight", random))
    question = (
        f"Find a flight from {origin} to {destination} on {day} for {people} people in "
        f"{arguments['cabin']} class, {'without' if direct else 'with or without'} a stop. "
        "What is the flight's number?"
    )
    return Turn(question, (call,), (call.result["flight"],))


def _convert(random: Random) -> Turn:
    source, target = random.sample(list(CURRENCIES), 2)
    amount = random.randint(21, 199) / 2
    arguments = {
        "amount": amount,
        "source": CURRENCIES[source],
        "target": CURRENCIES[target],
    }
    call = Call("convert_money", arguments, {"amount": random.randint(1001, 9999) / 100})
    question = f"How much is {amount} {source} in {target}, at today's rate?"
    return Turn(question, (call,), (call.result["amount"],))


def _heat(random: Random) -> Turn:
    rooms = random.sample(ROOMS, 2)
    degrees = random.randint(35, 47) / 2
    call = Call("heat_rooms", {"rooms": rooms, "degrees": degrees}, {"ready": time_of_day(random)})
    question = f"Heat the {rooms[0]} and the {rooms[1]} to {degrees} degrees. When is it ready?"
    return Turn(question, (call,), (call.result["ready"],))


class _Structured(NamedTuple):
    tool: ToolInfo
    draw: Callable[[Random], Turn]


def _object(**properties: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


STRUCTURED = (
    _Structured(
        declared(
            "create_meeting",
            "Set up a meeting with people.",
            title=TEXT,
            people={"type": "array", "items": TEXT},
            start=_object(day=enum(DAYS), hour=NUMBER, minute=NUMBER),
            online={"type": "boolean"},
        ),
        _meeting,
    ),
    _Structured(
        declared(
            "order_food",
            "Order dishes to an address.",
            dishes={"type": "array", "items": _object(dish=enum(DISHES), count=NUMBER)},
            address=_object(street=TEXT, number=NUMBER),
        ),
        _order_food,
    ),
    _Structured(
        declared(
            "find_flight",
            "Find a flight from one city to another.",
            origin=TEXT,
            destination=TEXT,
            day=enum(DAYS),
            people=NUMBER,
            cabin=enum(["economy", "business"]),
            direct={"type": "boolean", "default": False, "description": "only without a stop"},
        ),
        _find_flight,
    ),
    _Structured(
        declared(
            "convert_money",
            "Convert an amount of money at today's rate.",
            amount={"type": "number"},
            source=enum(list(CURRENCIES.values())),
            target=enum(list(CURRENCIES.values())),
        ),
        _convert,
    ),
    _Structured(
        declared(
            "heat_rooms",
            "Heat rooms of the house.",
            rooms={"type": "array", "items": enum(ROOMS)},
            degrees={"type": "number"},
        ),
        _heat,
    ),
)
