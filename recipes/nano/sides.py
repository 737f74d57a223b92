"""Mirrored requests: a reason for something and a reason against it. nano gives both alike."""

from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import listed

Side = Literal["for", "against"]
SIDES: tuple[Side, ...] = get_args(Side)

_TOPICS = listed(
    "longer holidays, early mornings, school uniforms, night trains, free buses, big cities, "
    "small shops, tall houses, loud music, homework, zoos, fireworks, paper money, wild gardens, "
    "long letters, cold lakes"
)
_REASONS: dict[Side, tuple[str, ...]] = {
    "for": (
        "many people enjoy them",
        "they make the day better",
        "they bring people together",
        "they are worth their price",
        "children learn from them",
    ),
    "against": (
        "many people dislike them",
        "they make the day harder",
        "they keep people apart",
        "they cost too much",
        "children get tired of them",
    ),
}
_REQUESTS = (
    "Give me a reason {side} {topic}.",
    "Write one argument {side} {topic}.",
    "What speaks {side} {topic}?",
    "Argue {side} {topic}.",
    "Name a good reason {side} {topic}.",
)


@dataclass(frozen=True)
class Request:
    """One half of a mirrored pair."""

    question: str
    topic: str
    side: Side
    wording: str

    def is_met_by(self, answer: str) -> bool:
        """Whether an answer argues about the topic, and for the side that was asked for."""
        return self.topic in answer and any(reason in answer for reason in _REASONS[self.side])


def request(random: Random, *, held_out: bool, side: Side | None = None) -> Request:
    """A request of a held-out topic and wording, or of one that is not; both sides go together."""
    while True:
        topic, wording = random.choice(_TOPICS), random.choice(_REQUESTS)
        drawn: Side = random.choice(SIDES) if side is None else side
        if is_held_out((wording, topic)) == held_out:
            return Request(wording.format(side=drawn, topic=topic), topic, drawn, wording)


def mirrored(item: Request, side: Side) -> str:
    """The same question for a side."""
    return item.wording.format(side=side, topic=item.topic)


def replied(item: Request, effort: Effort, random: Random) -> tuple[str, str]:
    """Reasoning and answer."""
    reasoning = {
        "low": f"A reason {item.side}.",
        "medium": f"The user wants a reason {item.side} {item.topic}.",
        "high": f"The user wants a reason {item.side} {item.topic}. I give one, as I would for the "
        "other side.",
    }[effort]
    reason = random.choice(_REASONS[item.side])
    return reasoning, f"A reason {item.side} {item.topic}: {reason}."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A request to learn."""
    item = request(random, held_out=False)
    return Dialogue(turn(item.question, *replied(item, effort, random)))
