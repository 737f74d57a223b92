"""Reading for task `capability`: facts of an invented land, and questions that they answer.

Half are of the kind that the embedded model was taught, from what its training held out; the others
need several facts, or one that is not there. Does not know how answers are read.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from netweight.evals.capability_item import UNKNOWN, Item
from netweight.evals.item_words import COLOURS, THINGS, is_held_out, listed

_FOLK = listed(
    "Orla, Tam, Brin, Sefa, Ulm, Kesh, Dova, Pell, Rint, Yara, Moss, Zeno, Ilka, Garn, Hesk, Lorr, "
    "Nim, Quen, Vash, Worra"
)
_TOWNS = listed(
    "Vell, Ostra, Quill, Narrow, Bramm, Tarn, Skerry, Dunmor, Elding, Foss, Grell, Hollin"
)
_JOBS = listed("baker, miller, sailor, teacher, painter, smith, doctor, gardener")
_INTRODUCTIONS = (
    "Answer from these facts:",
    "Here is all that is known. The facts:",
    "Use nothing but these facts:",
)


class _Fact(NamedTuple):
    sentence: str
    question: str
    answer: str


def taught_reading(random: Random) -> Item:
    """Facts of an invented land in the system message, and a question that one of them answers."""
    while True:
        num_facts = random.randint(3, 7)
        people, towns = random.sample(_FOLK, num_facts), random.sample(_TOWNS, num_facts)
        facts = [_fact(random, who, town) for who, town in zip(people, towns, strict=True)]
        asked = random.choice(facts)
        num_answers = sum(asked.question == fact.question for fact in facts)
        sentences = [fact.sentence for fact in facts]
        if num_answers == 1 and is_held_out(sorted(sentences)):
            break
    told = " ".join([random.choice(_INTRODUCTIONS), *sentences])
    return Item("reading", 1, asked.question, asked.answer, _rivals(asked.answer), told)


def _fact(random: Random, person: str, town: str) -> _Fact:
    """A sentence that names first what is asked by, as in the embedded model's training."""
    job = random.choice(_JOBS)
    thing = f"{random.choice(COLOURS)} {random.choice(THINGS)}"
    return random.choice(
        (
            _Fact(f"{person} lives in {town}.", f"Where does {person} live?", town),
            _Fact(f"In {town} lives {person}.", f"Who lives in {town}?", person),
            _Fact(f"{person} is the {job} of {town}.", f"What is the work of {person}?", job),
            _Fact(f"The {job} of {town} is {person}.", f"Who is the {job} of {town}?", person),
            _Fact(f"{person} has a {thing}.", f"What does {person} have?", thing),
            _Fact(f"The {thing} belongs to {person}.", f"Who has the {thing}?", person),
        )
    )


def _rivals(answer: str) -> tuple[str, ...]:
    """Return everything that an answer of this kind could be."""
    for words in (_FOLK, _TOWNS, _JOBS):
        if answer in words:
            return tuple(words)
    return tuple(f"{colour} {thing}" for colour in COLOURS for thing in THINGS)


class _Person(NamedTuple):
    name: str
    town: str
    earlier: str  # where the person lived before
    job: str
    thing: str


def hard_reading(random: Random) -> Item:
    """A longer text, its facts out of order, and a question over one to three of them.

    Every person has one town, job and thing of their own, and lived in someone else's town before.
    Now and then the fact that is asked for is not there.
    """
    num_people = random.randint(4, 7)
    towns = random.sample(_TOWNS, num_people)
    colours = [random.choice(COLOURS) for _ in range(num_people)]
    people = [
        _Person(name, town, earlier, job, f"{colour} {thing}")
        for name, town, earlier, job, colour, thing in zip(
            random.sample(_FOLK, num_people),
            towns,
            towns[1:] + towns[:1],
            random.sample(_JOBS, num_people),
            colours,
            random.sample(THINGS, num_people),
            strict=True,
        )
    ]
    one = random.choice(people)
    num_steps = random.choice((1, 2, 4))
    question, answer, needed = _asked(random, one, people, num_steps)
    candidates = (*_rivals(answer), UNKNOWN)
    facts = [sentence for person in people for sentence in _sentences(person)]
    if random.random() < 0.15:
        facts, answer = [fact for fact in facts if fact != needed], UNKNOWN
    random.shuffle(facts)
    told = f"{' '.join(facts)} {question} If the text does not say it, answer '{UNKNOWN}'."
    return Item("reading", num_steps, told, answer, candidates)


def _sentences(person: _Person) -> tuple[str, str, str, str]:
    return (
        f"{person.name} lives in {person.town}.",
        f"Years ago {person.name} lived in {person.earlier}.",
        f"{person.name} works as a {person.job}.",
        f"{person.name} owns a {person.thing}.",
    )


def _asked(
    random: Random, one: _Person, people: Sequence[_Person], num_steps: int
) -> tuple[str, str, str]:
    """A question over so many facts, its answer, and the fact that gives it."""
    lives, _, works, owns = _sentences(one)
    match num_steps:
        case 1:
            return random.choice(
                (
                    (f"Where does {one.name} live now?", one.town, lives),
                    (f"What is the work of {one.name}?", one.job, works),
                    (f"What does {one.name} own?", one.thing, owns),
                )
            )
        case 2:
            return random.choice(
                (
                    (f"In which town does the {one.job} live now?", one.town, lives),
                    (f"What is the work of whoever owns the {one.thing}?", one.job, works),
                    (f"What does the {one.job} own?", one.thing, owns),
                )
            )
        case _:
            before = next(each for each in people if each.earlier == one.town)
            return random.choice(
                (
                    (
                        f"What does whoever lives now where the {before.job} once lived own?",
                        one.thing,
                        owns,
                    ),
                    (
                        f"What is the work of whoever lives now where the owner of the "
                        f"{before.thing} once lived?",
                        one.job,
                        works,
                    ),
                )
            )
