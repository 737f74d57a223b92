"""Arithmetic in words: two steps of adding and taking away, told of a person and some things.

At low effort the answer is written at once; otherwise each step is worked out in columns. The first
step of an evaluation has a pair of numbers that training never shows (`sums.is_never_shown`); it
takes away, since numbers here have two digits.
"""

from dataclasses import dataclass
from random import Random

from recipes.nano import sums
from recipes.nano.dialogue import Dialogue, Effort, turn
from recipes.nano.sums import Sum
from recipes.nano.words import PEOPLE, listed

_THINGS = listed(
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
}
_QUESTIONS = (
    "How many {things} does {name} have now?",
    "How many {things} are left in the end?",
    "How many {things} is that now?",
)
_MAX_NUMBER = 99


@dataclass(frozen=True)
class Problem:
    """A question in words, and the two steps that answer it."""

    question: str
    name: str
    things: str
    steps: tuple[Sum, Sum]

    @property
    def answer(self) -> str:
        """The final message."""
        return f"{self.name} has {self.steps[1].result} {self.things}."


def problem(random: Random, *, held_out: bool) -> Problem:
    """A problem whose first step training never shows, or one of which no step is held out."""
    first = _step(random, None, held_out)
    second = _step(random, first.result, False)
    name, other = random.sample(PEOPLE, 2)
    values = {"name": name, "other": other, "things": random.choice(_THINGS)}
    parts = [random.choice(_BEGINNINGS).format(a=first.a, **values)]
    parts += [random.choice(_CHANGES[s.sign]).format(b=s.b, **values) for s in (first, second)]
    parts.append(random.choice(_QUESTIONS).format(**values))
    return Problem(" ".join(parts), name, values["things"], (first, second))


def _step(random: Random, start: int | None, held_out: bool) -> Sum:
    """A step from a number, whose result has two digits at most."""
    while True:
        a = random.randint(10, _MAX_NUMBER) if start is None else start
        sign = random.choice("+-") if 1 < a < _MAX_NUMBER else "+-"[a > 1]
        room = _MAX_NUMBER - a if sign == "+" else a - 1
        smallest = 10 if room >= 10 and random.random() < 0.8 else 1
        step = Sum(a, random.randint(smallest, room), "+" if sign == "+" else "-")
        is_wanted = sums.is_never_shown if held_out else _may_be_trained
        if is_wanted(step.a, step.b):
            return step


def _may_be_trained(a: int, b: int) -> bool:
    return not sums.is_held_out(a, b)


def reasoning(item: Problem, effort: Effort) -> str:
    """The analysis: nothing worked out at low effort, each step in columns otherwise."""
    if effort == "low":
        return "Two steps."
    worked = " ".join(sums.reasoning(step, effort) for step in item.steps)
    return f"Start with {item.steps[0].a} {item.things}. {worked}"


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A problem to learn."""
    item = problem(random, held_out=False)
    return Dialogue(turn(item.question, reasoning(item, effort), item.answer))
