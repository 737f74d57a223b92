"""Arithmetic in words for task `capability`: problems as the embedded model was taught, and harder.

Every result is worked out as the problem is made. Knows how the embedded model's training chose its
numbers; does not know how answers are read.
"""

import hashlib
from collections.abc import Sequence
from random import Random

from netweight.evals.capability_item import Item
from netweight.evals.item_words import PEOPLE, listed

_COUNTED = listed(
    "apples, nuts, stamps, shells, coins, books, cards, eggs, pears, stones, buttons, marbles, "
    "keys, roses, cups, candles"
)
_BEGINNINGS = (
    "{name} has {a} {things}.",
    "There are {a} {things} in {name}'s box.",
    "{name} starts the day with {a} {things}.",
)
_CHANGES = {
    "+": (
        "{name} buys {b} more.",
        "{name} finds {b} more.",
        "{other} gives {name} {b} more.",
        "{name} gets {b} from {other}.",
        "Then {b} more come in.",
    ),
    "-": (
        "{name} loses {b}.",
        "{name} gives {b} to {other}.",
        "{name} sells {b}.",
        "{other} takes {b} away.",
        "Then {b} go missing.",
    ),
    "*": (
        "Then {name} wins, and has {b} times as many as before.",
        "A week later {name} has {b} times as many.",
    ),
    "/": (
        "{name} shares them out equally among {b} boxes, and keeps just one of the boxes.",
        "{name} makes {b} equal heaps of them, keeps one heap and gives the others away.",
    ),
}
_QUESTIONS = (
    "How many {things} does {name} have now?",
    "How many {things} are left in the end?",
    "How many {things} is that now?",
)
# Numbers that have nothing to do with the answer.
_ASIDES = (
    "{other} is {n} years old.",
    "The shop is {n} minutes away.",
    "It is {n} degrees warm outside.",
)


def taught_problem(random: Random) -> Item:
    """Two steps of numbers below a hundred, of which training never showed the first."""
    while True:
        a = random.randint(11, 99)
        b = random.randint(10, a - 1)
        if is_never_shown(a, b):
            break
    left = a - b
    sign = random.choice("+-") if left > 1 else "+"
    c = random.randint(1, 99 - left) if sign == "+" else random.randint(1, left - 1)
    return _problem(random, a, [("-", b), (sign, c)], aside=False)


def is_never_shown(a: int, b: int) -> bool:
    """Say whether the embedded model's training never had these two numbers in one sum."""
    low, high = sorted((a, b))
    digest = hashlib.sha256(f"{low},{high}".encode()).digest()
    return low >= 10 and low + high > 99 and digest[0] % 5 == 0


def hard_problem(random: Random) -> Item:
    """Two to four steps with larger numbers, all four operations, and at times a number to ignore.

    Every result on the way is a whole number from 2 to 99,999.
    """
    num_steps = random.randint(2, 4)
    while True:
        value = start = random.randint(20, 400)
        steps = list[tuple[str, int]]()
        while len(steps) < num_steps:
            sign, number = _drawn_step(random, value)
            value = applied(value, sign, number)
            steps.append((sign, number))
        if 2 <= value <= 99_999 and {sign for sign, _ in steps} & set("*/"):
            return _problem(random, start, steps, aside=random.random() < 0.5)


def _drawn_step(random: Random, value: int) -> tuple[str, int]:
    divisors = [number for number in range(2, 13) if value % number == 0 and value > number]
    sign = random.choice("+-*/" if divisors else "+-*")
    if sign == "/":
        return sign, random.choice(divisors)
    if sign == "*":
        return sign, random.randint(2, 9)
    if sign == "-" and value > 20:
        return sign, random.randint(10, value - 2)
    return "+", random.randint(10, 500)


def applied(value: int, sign: str, number: int) -> int:
    """Take one step of a problem."""
    match sign:
        case "+":
            return value + number
        case "-":
            return value - number
        case "*":
            return value * number
        case _:
            assert sign == "/" and value % number == 0, "shares are whole"
            return value // number


def _problem(random: Random, start: int, steps: Sequence[tuple[str, int]], *, aside: bool) -> Item:
    name, other = random.sample(PEOPLE, 2)
    words = {"name": name, "other": other, "things": random.choice(_COUNTED)}
    parts = [random.choice(_BEGINNINGS).format(a=start, **words)]
    value = start
    for sign, number in steps:
        parts.append(random.choice(_CHANGES[sign]).format(b=number, **words))
        value = applied(value, sign, number)
    if aside:
        told = random.choice(_ASIDES).format(n=random.randint(21, 79), **words)
        parts.insert(random.randint(1, len(parts) - 1), told)
    parts.append(random.choice(_QUESTIONS).format(**words))
    return Item("arithmetic", len(steps), " ".join(parts), str(value))
