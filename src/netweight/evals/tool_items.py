"""What task `tools` asks: conversations made from a seed, with their tools, calls and results.

Every item says which calls it needs and what they return, so each step has a ground truth. Half of
all items are of the kind that the embedded model was taught, in wordings and arguments that its
training held out; the others are harder. No question may give a result away. Does not know how
calls and answers are judged.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from random import Random

from inspect_ai.tool import ToolInfo

from netweight.errors import WeighError
from netweight.evals.item_words import CITIES, PEOPLE, TEXTS, THINGS, is_held_out
from netweight.evals.tool_answers import tells
from netweight.evals.tool_declarations import TEXT, declared
from netweight.evals.tool_families import ALIKE, BY_NAME, TAUGHT, thrown, time_of_day, two_digits
from netweight.evals.tool_item import Call, Category, Item, Turn
from netweight.evals.tool_structured import STRUCTURED

VERSION = 1  # of the task too: other items make another one

# Every twelve items have this mix, and so has any first part of them, nearly.
_TURNS: tuple[Category, ...] = (
    "single", "choice", "single", "no_need", "single", "arguments",
    "single", "parallel", "single", "follow_up", "no_fit", "chain",
)  # fmt: skip

_FIND_CITY = declared("find_city", "The city in which a person lives.", person=TEXT)


def _among(random: Random, *tools: ToolInfo) -> tuple[ToolInfo, ...]:
    """Put one or two taught tools that are of no use here among `tools`."""
    names = {tool.name for tool in tools}
    others = [family.tool for family in TAUGHT if family.name not in names]
    mixed = [*tools, *random.sample(others, random.randint(1, 2))]
    random.shuffle(mixed)
    return tuple(mixed)


def _taught(*names: str) -> list[ToolInfo]:
    return [BY_NAME[name].tool for name in names]


def _single(random: Random) -> Item:
    """As the embedded model was taught: one call, two to four tools."""
    while True:
        family, *others = random.sample(TAUGHT, random.randint(2, 4))
        arguments, request = family.draw(random), random.choice(family.requests)
        if is_held_out((request, *arguments.values())):
            break
    tools = [each.tool for each in (family, *others)]
    random.shuffle(tools)
    return Item("single", tuple(tools), (family.ask_for(random, arguments, request),))


def _choice(random: Random) -> Item:
    group = random.choice(ALIKE)
    tools = [family.tool for family in group]
    random.shuffle(tools)
    return Item("choice", tuple(tools), (random.choice(group).ask(random),))


def _arguments(random: Random) -> Item:
    wanted, other = random.sample(STRUCTURED, 2)
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
    return Call("set_timer", {"minutes": minutes}, {"ends": time_of_day(random)})


def _follow_up(random: Random) -> Item:
    """A second question that only the first one's result makes clear."""
    kind = random.choice(("price", "house", "city"))
    if kind == "price":
        first = BY_NAME["find_price"].ask(random)
        person, price = random.choice(PEOPLE), first.told[0]
        text = {"person": person, "text": str(price)}
        second = Turn(
            f"Send {person} that price as a message, the number alone.",
            (Call("send_message", text, two_digits("number", random)),),
        )
        tools = _taught("find_price", "send_message")
    elif kind == "house":
        first = BY_NAME["find_animal"].ask(random)
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
        clock = Call("get_time", {"city": city}, {"time": time_of_day(random)})
        second = Turn("What time is it there?", (clock,), tuple(clock.result.values()))
        tools = [_FIND_CITY, *_taught("get_time")]
    return Item("follow_up", _among(random, *tools), (first, second))


def _chain(random: Random) -> Item:
    """One question with two calls, of which the second needs what the first returns."""
    kind = random.choice(("city", "dice"))
    if kind == "city":
        person, city = random.choice(PEOPLE), random.choice(CITIES)
        first = Call("find_city", {"person": person}, {"city": city})
        second = Call("get_time", {"city": city}, {"time": time_of_day(random)})
        question = f"What time is it in the city where {person} lives?"
        tools = [_FIND_CITY, *_taught("get_time")]
    else:
        arguments = BY_NAME["roll_dice"].draw(random)
        first = Call("roll_dice", arguments, thrown(random, arguments))
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
    tools = [family.tool for family in random.sample(TAUGHT, random.randint(2, 4))]
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
        person, text = random.choice(PEOPLE), random.choice(TEXTS)
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
    family, *others = random.sample(TAUGHT, random.randint(3, 4))
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
