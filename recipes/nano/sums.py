"""Sums and differences of numbers up to two digits, with the written column method as reasoning.

A fifth of all pairs of two-digit numbers is held out by a hash: no training example asks for one.
The check of a subtraction may still add one up, but never to three digits. Evaluation therefore
asks for held-out pairs whose sum has three, which training never shows in any place, so that it
measures addition and not memory.
"""

import hashlib
import re
from dataclasses import dataclass
from random import Random
from typing import Literal

from recipes.nano.dialogue import Dialogue, Effort, turn


def is_held_out(a: int, b: int) -> bool:
    """Whether training must never ask for a sum or difference of `a` and `b`, in either order."""
    low, high = sorted((a, b))
    return low >= 10 and hashlib.sha256(f"{low},{high}".encode()).digest()[0] % 5 == 0


def is_never_shown(a: int, b: int) -> bool:
    """Whether `a` and `b` are in no training example together, not even in a check."""
    return is_held_out(a, b) and a + b > 99


@dataclass(frozen=True)
class Sum:
    """`a` plus or minus `b`."""

    a: int
    b: int
    sign: Literal["+", "-"]

    @property
    def result(self) -> int:
        """The right answer."""
        return self.a + self.b if self.sign == "+" else self.a - self.b

    def __str__(self) -> str:
        """The sum as it is written: 47 + 85."""
        return f"{self.a} {self.sign} {self.b}"


_QUESTIONS = {
    "+": (
        "What is {a} + {b}?",
        "{a} + {b}",
        "{a} + {b} = ?",
        "{a} plus {b}",
        "What is {a} plus {b}?",
        "Add {a} and {b}.",
        "Can you add {a} and {b}?",
        "How much is {a} + {b}?",
        "Compute {a} + {b}.",
        "What is the sum of {a} and {b}?",
        "Please add {a} and {b}.",
        "I have {a} apples and get {b} more. How many apples do I have now?",
        "There are {a} birds on the roof and {b} more come. How many birds are there?",
    ),
    "-": (
        "What is {a} - {b}?",
        "{a} - {b}",
        "{a} minus {b}",
        "What is {a} minus {b}?",
        "Subtract {b} from {a}.",
        "How much is {a} - {b}?",
        "Compute {a} - {b}.",
        "I have {a} apples and give {b} away. How many apples are left?",
    ),
}


def training_sum(random: Random) -> Sum:
    """A sum that is not held out; three in four are additions, most of two-digit numbers."""
    while True:
        smallest = 0 if random.random() < 0.2 else 10
        a, b = random.randint(smallest, 99), random.randint(smallest, 99)
        if not is_held_out(a, b):
            return _with_sign(a, b, "+" if random.random() < 0.75 else "-")


def held_out_sum(random: Random) -> Sum:
    """An addition of two two-digit numbers that training never saw."""
    while True:
        a, b = random.randint(10, 99), random.randint(10, 99)
        if is_never_shown(a, b):
            return Sum(a, b, "+")


def _with_sign(a: int, b: int, sign: Literal["+", "-"]) -> Sum:
    return Sum(max(a, b), min(a, b), sign) if sign == "-" else Sum(a, b, sign)


def question(item: Sum, random: Random) -> str:
    """One way to ask for it."""
    return random.choice(_QUESTIONS[item.sign]).format(a=item.a, b=item.b)


def reasoning(item: Sum, effort: Effort) -> str:
    """The analysis: the columns, at low effort without a word, at high effort with a check."""
    columns = _add_columns(item) if item.sign == "+" else _subtract_columns(item)
    if effort == "low":
        return ", ".join(re.findall(r"[0-9][0-9 +=-]*[0-9]", columns)) + "."
    if effort == "medium":
        return f"{columns} So {item} = {item.result}."
    check = Sum(item.b, item.a, "+") if item.sign == "+" else Sum(item.result, item.b, "+")
    return f"{columns} So {item} = {item.result}. Check: {_add_columns(check)} Right."


def _add_columns(item: Sum) -> str:
    ones, carry = (item.a % 10) + (item.b % 10), ((item.a % 10) + (item.b % 10)) // 10
    tens = item.a // 10 + item.b // 10 + carry
    return (
        f"Ones: {item.a % 10} + {item.b % 10} = {ones}, write {ones % 10}, carry {carry}. "
        f"Tens: {item.a // 10} + {item.b // 10} + {carry} = {tens}."
    )


def _subtract_columns(item: Sum) -> str:
    borrow = int(item.a % 10 < item.b % 10)
    ones = item.a % 10 + 10 * borrow - item.b % 10
    tens = item.a // 10 - borrow - item.b // 10
    return (
        f"Ones: {item.a % 10 + 10 * borrow} - {item.b % 10} = {ones}, borrow {borrow}. "
        f"Tens: {item.a // 10} - {borrow} - {item.b // 10} = {tens}."
    )


def answer(item: Sum) -> str:
    """The final message."""
    return f"{item} = {item.result}."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A sum to learn."""
    item = training_sum(random)
    return Dialogue(turn(question(item, random), reasoning(item, effort), answer(item)))
