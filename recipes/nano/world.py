"""Questions about a closed invented world, whose facts stand in the developer's instructions.

The facts are drawn anew for every conversation, so that they can only be read there. A fifth of all
facts that can be asked for is held out.
"""

from dataclasses import dataclass
from random import Random

from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import COLOURS, THINGS, listed

_FOLK = listed(
    "Orla, Tam, Brin, Sefa, Ulm, Kesh, Dova, Pell, Rint, Yara, Moss, Zeno, Ilka, Garn, Hesk, Lorr, "
    "Nim, Quen, Vash, Worra"
)
_TOWNS = listed(
    "Vell, Ostra, Quill, Narrow, Bramm, Tarn, Skerry, Dunmor, Elding, Foss, Grell, Hollin"
)
_JOBS = listed("baker, miller, sailor, teacher, painter, smith, doctor, gardener")
_INTRODUCTIONS = (
    "Answer from these facts only.",
    "These are the facts of the land. Answer from them.",
    "Use these facts and nothing else.",
)
_UNKNOWN = "The facts do not say."


@dataclass(frozen=True)
class Fact:
    """A sentence, and the questions that it answers."""

    sentence: str
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Enquiry:
    """Facts, and a question that one of them answers, or none."""

    instructions: str
    question: str
    answer: str


def _fact(person: str, town: str, random: Random) -> Fact:
    kind = random.choice(("home", "home", "thing", "job"))
    if kind == "home":
        return Fact(
            f"{person} lives in {town}.", (f"Where does {person} live?", f"Who lives in {town}?")
        )
    if kind == "job":
        job = random.choice(_JOBS)
        return Fact(
            f"{person} is the {job} of {town}.",
            (f"Who is the {job} of {town}?", f"What is the work of {person}?"),
        )
    thing = f"{random.choice(COLOURS)} {random.choice(THINGS)}"
    return Fact(f"{person} has a {thing}.", (f"What does {person} have?", f"Who has the {thing}?"))


def enquiry(random: Random, *, held_out: bool) -> Enquiry:
    """Three to seven facts of different people and towns, and a question.

    One that is held out has an answer among the facts, and only one.
    """
    while True:
        num_facts = random.randint(3, 7)
        people, towns = random.sample(_FOLK, num_facts + 1), random.sample(_TOWNS, num_facts)
        facts = [
            _fact(person, town, random) for person, town in zip(people[1:], towns, strict=True)
        ]
        asked = random.choice(facts)
        question = random.choice(asked.questions)
        is_clear = sum(question in fact.questions for fact in facts) == 1
        if is_held_out((asked.sentence, question)) == held_out and (is_clear or not held_out):
            break
    answer = asked.sentence
    if not held_out and random.random() < 0.15:
        question, answer = f"Where does {people[0]} live?", _UNKNOWN
    introduction = random.choice(_INTRODUCTIONS)
    instructions = f"{introduction} {' '.join(fact.sentence for fact in facts)}"
    return Enquiry(instructions, question, answer)


def reasoning(item: Enquiry, effort: Effort) -> str:
    """The analysis: where to look, and what stands there."""
    if effort == "low":
        return "I look at the facts."
    found = "No fact is about that." if item.answer == _UNKNOWN else f"The fact: {item.answer}"
    if effort == "medium":
        return found
    return f"The question is: {item.question} {found} I answer with it."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """An enquiry to learn."""
    item = enquiry(random, held_out=False)
    return Dialogue(turn(item.question, reasoning(item, effort), item.answer), item.instructions)
