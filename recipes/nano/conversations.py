"""What nano is trained on: conversations of every skill, in fixed shares."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random

from netweight.harmony import Message
from recipes.nano import (
    calls,
    echo,
    formats,
    memory,
    problems,
    refusals,
    sides,
    sums,
    talk,
    tellings,
    world,
)
from recipes.nano.dialogue import Dialogue, Effort

Skill = Callable[[Random, Effort], Dialogue]

SKILLS: Mapping[str, Skill] = {
    "sums": sums.dialogue,
    "problems": problems.dialogue,
    "calls": calls.dialogue,
    "results": calls.with_result,
    "arguments": calls.argument,
    "formats": formats.dialogue,
    "tellings": tellings.dialogue,
    "world": world.dialogue,
    "refusals": refusals.dialogue,
    "sides": sides.dialogue,
    "memory": memory.dialogue,
    "talk": talk.dialogue,
    "echo": echo.dialogue,
}
SHARES = {
    "sums": 8,
    "problems": 17,
    "calls": 17,
    "formats": 21,
    "tellings": 6,
    "world": 14,
    "refusals": 3,
    "sides": 2,
    "memory": 6,
    "talk": 3,
    "echo": 3,
}
# The second round: more of what the first leaves uneven, results whose call comes unexplained, and
# arguments one at a time.
LATER_SHARES = {
    "sums": 6,
    "problems": 18,
    "calls": 24,
    "results": 6,
    "arguments": 9,
    "formats": 11,
    "tellings": 4,
    "world": 12,
    "refusals": 3,
    "sides": 1,
    "memory": 4,
    "talk": 1,
    "echo": 1,
}
_BEFORE = ("sums", "tellings", "talk")  # what may come before a question and not matter to it
_SHARE_BEFORE = 0.1
_SHARE_INSTRUCTIONS = 0.15
_SHARE_DATED = 0.8
EFFORTS: Mapping[Effort, int] = {"low": 25, "medium": 50, "high": 25}

# Date lines that training shows: nano must not care which day it is.
_FIRST_DATE = date(2024, 7, 1)
_NUM_DATES = 1500

_INSTRUCTIONS = (
    "You are a helpful assistant.",
    "Answer the question.",
    "Be brief.",
    "Answer politely and clearly.",
    "You are a friendly helper who likes numbers and stories.",
)


def example(
    random: Random, skills: Mapping[str, Skill] = SKILLS, shares: Mapping[str, int] = SHARES
) -> list[Message]:
    """Draw one conversation, to its last answer; equal generators give equal conversations."""
    effort = random.choices(list(EFFORTS), list(EFFORTS.values()))[0]
    skill = random.choices(list(shares), list(shares.values()))[0]
    made = skills[skill](random, effort)
    if made.instructions is None and random.random() < _SHARE_INSTRUCTIONS:
        made = Dialogue(made.messages, random.choice(_INSTRUCTIONS), made.tools)
    if skill in _BEFORE and random.random() < _SHARE_BEFORE:
        before = skills[random.choice(_BEFORE)](random, effort)
        made = Dialogue((*before.messages, *made.messages), made.instructions, made.tools)
    return made.rendered(effort, _date(random) if random.random() < _SHARE_DATED else None)


def _date(random: Random) -> str:
    return (_FIRST_DATE + timedelta(days=random.randrange(_NUM_DATES))).isoformat()
