"""What nano is trained on: generated conversations of one or two turns.

Each example is a list of messages; only the last assistant turn is learned. The mixture is fixed
here.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from recipes.nano import sums, tellings
from recipes.nano.sums import Effort

Kind = Literal["sum", "story", "rhyme", "talk"]
KINDS: tuple[Kind, ...] = ("sum", "story", "rhyme", "talk")
WEIGHTS = (64, 14, 11, 11)

# Date lines that training shows: nano must not care which day it is.
_FIRST_DATE = date(2024, 7, 1)
_NUM_DATES = 1500


@dataclass(frozen=True)
class Turn:
    """A question, and the reasoning and answer it deserves."""

    question: str
    reasoning: str
    answer: str


@dataclass(frozen=True)
class Example:
    """A conversation to learn from: the model writes the last turn's reasoning and answer."""

    effort: Effort
    date: str | None  # YYYY-MM-DD, as the system message has it
    instructions: str | None  # the developer message
    turns: tuple[Turn, ...]


_INSTRUCTIONS = (
    "You are a helpful assistant.",
    "Answer the question.",
    "Be brief.",
    "Answer politely and clearly.",
    "You are a friendly helper who likes numbers and stories.",
)

_ABOUT = (
    "I am nano, a very small model. I can add and subtract small numbers, tell short stories and "
    "make rhymes."
)
_TALK = {
    "greeting": (
        ("Hello", "Hello!", "Hi", "Hi there", "Good morning", "Hey"),
        "The user greets me.",
        ("Hello! Give me a small sum, or ask for a story or a rhyme.",),
    ),
    "about": (
        ("Who are you?", "What are you?", "What can you do?", "What is your name?", "Help"),
        "The user asks about me.",
        (_ABOUT,),
    ),
    "thanks": (
        ("Thank you!", "Thanks", "Thank you very much.", "Great, thanks"),
        "The user thanks me.",
        ("You are welcome.",),
    ),
}

# What nano must say it does not know: questions of many kinds about many things.
_UNKNOWN_QUESTIONS = (
    "What is {thing}?",
    "What is the capital of {place}?",
    "Who lives in {place}?",
    "Where is {place}?",
    "Who wrote the book about {thing}?",
    "Explain {thing}.",
    "How does {thing} work?",
    "Why is {thing} important?",
    "Write a program for {thing}.",
    "Translate {thing} into German.",
    "Summarise the news about {place}.",
    "When did {place} win?",
    "What do you think of {thing}?",
    "How do I get to {place}?",
    "Which {thing} should I buy?",
    "Give me a recipe for {thing}.",
    "What is the weather in {place}?",
    "Is {thing} better than {other}?",
    "How many people live in {place}?",
    "What happened in {place} last year?",
)
_PLACES = (
    "France, Spain, Italy, Germany, Poland, Japan, China, India, Brazil, Peru, Canada, Egypt, "
    "Kenya, Paris, London, Berlin, Rome, Madrid, Tokyo, New York, the north, the city, "
    "the country, Norway"
)
_THINGS = (
    "photosynthesis, music, history, chess, physics, the economy, football, rice, democracy, "
    "a phone, a computer, the internet, gravity, medicine, art, love, time, a poem, the law, "
    "electricity, money, language, a plane, bread, the brain, biology, "
    "water, school, war, peace, the universe"
)
_UNKNOWN_REASONING = "This is not a sum, a story or a rhyme. I do not know it."
_UNKNOWN_ANSWER = (
    "I do not know that. I am a very small model: I can do small sums, short stories and rhymes."
)


def example(random: Random) -> Example:
    """Draw one conversation; equal generators give equal conversations."""
    effort: Effort = random.choices(("low", "medium", "high"), (20, 60, 20))[0]
    num_turns = 2 if random.random() < 0.15 else 1
    return Example(
        effort=effort,
        date=_date(random) if random.random() < 0.8 else None,
        instructions=random.choice(_INSTRUCTIONS) if random.random() < 0.15 else None,
        turns=tuple(turn(random, effort) for _ in range(num_turns)),
    )


def _date(random: Random) -> str:
    return (_FIRST_DATE + timedelta(days=random.randrange(_NUM_DATES))).isoformat()


def turn(random: Random, effort: Effort, kind: Kind | None = None) -> Turn:
    """One question with its reasoning and answer, of a kind drawn from the mixture or given."""
    kind = kind or random.choices(KINDS, WEIGHTS)[0]
    if kind == "sum":
        item = sums.training_sum(random)
        return Turn(sums.question(item, random), sums.reasoning(item, effort), sums.answer(item))
    if kind == "talk" and random.random() < 0.7:
        return Turn(_unknown_question(random), _UNKNOWN_REASONING, _UNKNOWN_ANSWER)
    if kind == "talk":
        questions, reasoning, answers = random.choice(list(_TALK.values()))
        return Turn(random.choice(questions), reasoning, random.choice(answers))
    subject = random.choice(tellings.SUBJECTS)
    requests = tellings.STORY_REQUESTS if kind == "story" else tellings.RHYME_REQUESTS
    tell = tellings.story if kind == "story" else tellings.rhyme
    question = random.choice(requests).format(name=subject.name)
    plan = f"The user wants a {kind} about {subject.name}."
    if effort != "low":
        plan += " Five short sentences." if kind == "story" else " Four lines that rhyme in pairs."
    return Turn(question, plan, tell(subject, random))


def _unknown_question(random: Random) -> str:
    things, places = _THINGS.split(", "), _PLACES.split(", ")
    thing, other = random.sample(things, 2)
    question = random.choice(_UNKNOWN_QUESTIONS)
    return question.format(thing=thing, other=other, place=random.choice(places))
