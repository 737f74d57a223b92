"""Questions about a closed invented world, whose facts stand in the developer's instructions.

The facts are drawn anew for every conversation, so that they can only be read there. A fifth of all
sets of facts is held out: training sees none of them, whatever the question. A fact says first what
it is asked by, and then what is asked for: so small a model reads on, but hardly back.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from recipes.nano.dialogue import Dialogue, Effort, is_held_out, turn
from recipes.nano.words import COLOURS, THINGS, listed

FOLK = listed(
    "Orla, Tam, Brin, Sefa, Ulm, Kesh, Dova, Pell, Rint, Yara, Moss, Zeno, Ilka, Garn, Hesk, Lorr, "
    "Nim, Quen, Vash, Worra"
)
TOWNS = listed(
    "Vell, Ostra, Quill, Narrow, Bramm, Tarn, Skerry, Dunmor, Elding, Foss, Grell, Hollin"
)
JOBS = listed("baker, miller, sailor, teacher, painter, smith, doctor, gardener")
INTRODUCTIONS = (
    "Answer from these facts:",
    "Here is all that is known. The facts:",
    "Use nothing but these facts:",
)
_SAY = "The facts say: "
_UNKNOWN = "The facts do not say."


class Question(NamedTuple):
    """A question, and what of it stands in the fact that answers it."""

    text: str
    key: str


@dataclass(frozen=True)
class Fact:
    """A sentence, and the question that it answers."""

    sentence: str
    question: Question


@dataclass(frozen=True)
class Enquiry:
    """Facts, and a question that one of them answers, or none."""

    facts: tuple[str, ...]
    introduction: str
    asked: Question
    answer: str

    @property
    def question(self) -> str:
        """What the user asks."""
        return self.asked.text

    @property
    def instructions(self) -> str:
        """What the developer says."""
        return f"{self.introduction} {' '.join(self.facts)}"


def _fact(person: str, town: str, random: Random) -> Fact:
    """A sentence that names first what is asked by, and then what is asked for."""
    job = f"{random.choice(JOBS)} of {town}"
    thing = f"{random.choice(COLOURS)} {random.choice(THINGS)}"
    told = random.choice(
        (
            (f"{person} lives in {town}", f"Where does {person} live?", person),
            (f"In {town} lives {person}", f"Who lives in {town}?", town),
            (f"{person} is the {job}", f"What is the work of {person}?", person),
            (f"The {job} is {person}", f"Who is the {job}?", job),
            (f"{person} has a {thing}", f"What does {person} have?", person),
            (f"The {thing} belongs to {person}", f"Who has the {thing}?", thing),
        )
    )
    sentence, question, key = told
    return Fact(f"{sentence}.", Question(question, key))


def enquiry(random: Random, *, held_out: bool) -> Enquiry:
    """Three to seven facts of different people and towns, and a question.

    One that is held out has an answer among the facts, and only one.
    """
    while True:
        num_facts = random.randint(3, 7)
        people, towns = random.sample(FOLK, num_facts + 1), random.sample(TOWNS, num_facts)
        facts = [
            _fact(person, town, random) for person, town in zip(people[1:], towns, strict=True)
        ]
        sentences = tuple(fact.sentence for fact in facts)
        fact = random.choice(facts)
        asked, answer = fact.question, _SAY + fact.sentence
        is_clear = sum(each.question == asked for each in facts) == 1
        if is_held_out(sorted(sentences)) == held_out and (is_clear or not held_out):
            break
    if not held_out and random.random() < 0.15:
        asked, answer = Question(f"Where does {people[0]} live?", people[0]), _UNKNOWN
    return Enquiry(sentences, random.choice(INTRODUCTIONS), asked, answer)


def reasoning(item: Enquiry, effort: Effort) -> str:
    """The analysis: what to look for, and what stands there."""
    if effort == "low":
        return "I look at the facts."
    found = "no fact." if item.answer == _UNKNOWN else item.answer.removeprefix(_SAY)
    looked = f"I look for {item.asked.key}: {found}"
    return looked if effort == "medium" else f"The facts are above. {looked} I answer with it."


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """An enquiry to learn."""
    item = enquiry(random, held_out=False)
    return Dialogue(turn(item.question, reasoning(item, effort), item.answer), item.instructions)
