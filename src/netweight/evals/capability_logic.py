"""Logic for task `capability`: orders of runners, knights and knaves, and chains of what holds.

Each puzzle is solved as it is made, so that it has just one answer. An answer is one word, so that
a guess is right about once in three to five. Does not know how answers are read.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations, pairwise, permutations
from random import Random
from typing import NamedTuple

from netweight.evals.capability_item import NO, UNKNOWN, YES, Item
from netweight.evals.item_words import PEOPLE, listed

_ASK_NAME = " End with a line that says 'Answer:' and the name."
_ASK_WORD = f" End with a line that says 'Answer:' and one word: {YES}, {NO} or {UNKNOWN}."
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_KINDS_OF_THING = listed(
    "brims, tolks, zarns, velts, morps, quands, drells, fasks, glims, hobbins, jarls, nesks"
)


def ordering(random: Random) -> Item:
    """Runners, and just enough of what is known of their order to tell one place."""
    runners = random.sample(PEOPLE, random.randint(3, 5))
    order = random.sample(runners, len(runners))
    place = random.randrange(len(order))
    known = _possible_clues(order)
    random.shuffle(known)
    clues = list[_Clue]()
    while len(_at_place(runners, clues, place)) > 1:
        clues.append(known.pop())
    for clue in list(clues):  # none that is not needed
        fewer = [each for each in clues if each != clue]
        if len(_at_place(runners, fewer, place)) == 1:
            clues = fewer
    question = (
        f"{_and(runners)} ran a race, and no two came in together. "
        f"{' '.join(clue.text for clue in clues)} Who came in {_ORDINALS[place]}?{_ASK_NAME}"
    )
    return Item("logic", len(clues), question, order[place], tuple(runners))


class _Clue(NamedTuple):
    text: str
    holds: Callable[[Sequence[str]], bool]  # of an order


def _possible_clues(order: Sequence[str]) -> list[_Clue]:
    clues = [
        _Clue(f"{one} came in before {later}.", partial(_is_before, one, later))
        for one, later in combinations(order, 2)
    ]
    clues += [
        _Clue(f"{after} came in right after {one}.", partial(_is_right_before, one, after))
        for one, after in pairwise(order)
    ]
    clues += [
        _Clue(f"{one} was not {_ORDINALS[place]}.", partial(_is_not_at, one, place))
        for place in range(len(order))
        for one in order
        if one != order[place]
    ]
    return clues


def _is_before(one: str, later: str, order: Sequence[str]) -> bool:
    return order.index(one) < order.index(later)


def _is_right_before(one: str, after: str, order: Sequence[str]) -> bool:
    return order.index(after) == order.index(one) + 1


def _is_not_at(one: str, place: int, order: Sequence[str]) -> bool:
    return order[place] != one


def _at_place(runners: Sequence[str], clues: Sequence[_Clue], place: int) -> set[str]:
    """Who can be at a place, of all orders in which the clues hold."""
    orders = (order for order in permutations(runners) if all(c.holds(order) for c in clues))
    return {order[place] for order in orders}


def knights(random: Random) -> Item:
    """Islanders who always or never tell the truth, of whom just one does; say who."""
    while True:
        people = random.sample(PEOPLE, random.randint(3, 5))
        claims = [_claim(random, speaker, people) for speaker in people]
        worlds = [
            knight
            for knight in people
            if all(claim.holds(knight) == (claim.speaker == knight) for claim in claims)
        ]
        if len(worlds) == 1:
            break
    question = (
        "On an island, knights always tell the truth and knaves always lie. "
        f"{_and(people)} live there; exactly one of them is a knight. "
        f"{' '.join(claim.text for claim in claims)} Who is the knight?{_ASK_NAME}"
    )
    return Item("logic", len(claims), question, worlds[0], tuple(people))


class _Claim(NamedTuple):
    speaker: str
    text: str
    holds: Callable[[str], bool]  # of the only knight


def _claim(random: Random, speaker: str, people: Sequence[str]) -> _Claim:
    one, other = random.sample([each for each in people if each != speaker], 2)
    says = f'{speaker} says: "'
    match random.choice(("knave", "knight", "either", "neither")):
        case "knave":
            return _Claim(speaker, f'{says}{one} is a knave."', lambda knight: knight != one)
        case "knight":
            return _Claim(speaker, f'{says}{one} is a knight."', lambda knight: knight == one)
        case "either":
            text = f'{says}The knight is {one} or {other}."'
            return _Claim(speaker, text, lambda knight: knight in (one, other))
        case _:
            text = f'{says}Neither {one} nor {other} is the knight."'
            return _Claim(speaker, text, lambda knight: knight not in (one, other))


def deduction(random: Random) -> Item:
    """What follows for one being from what holds of all: a chain to follow, or one with a gap."""
    num_links = random.randint(1, 3)
    kinds = random.sample(_KINDS_OF_THING, num_links + 4)
    chain, asides = kinds[: num_links + 1], kinds[num_links + 1 :]
    being = random.choice(PEOPLE)
    rules = [f"All {a} are {b}." for a, b in pairwise(chain)]
    answer = random.choice((YES, NO, UNKNOWN))
    if answer == YES:
        asked = chain[-1]
    elif answer == NO:
        asked = asides[0]
        rules.append(f"No {chain[-1]} are {asked}.")
    else:  # what holds of all of them says nothing the other way round
        asked = asides[0]
        rules.append(f"All {asked} are {chain[-1]}.")
    rules += [f"All {asides[1]} are {asides[2]}.", f"No {asides[2]} are {asides[0]}."]
    random.shuffle(rules)
    question = (
        f"{being} is one of the {chain[0]}. {' '.join(rules)} Does it follow whether {being} is "
        f"one of the {asked}? Say {YES} if {being} must be, {NO} if {being} cannot be, and "
        f"{UNKNOWN} if both are possible.{_ASK_WORD}"
    )
    num_steps = num_links + (answer != YES)
    return Item("logic", num_steps, question, answer, (YES, NO, UNKNOWN))


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
