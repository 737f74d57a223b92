"""Task `capability`: arithmetic in words, logic and reading, made fresh from a seed.

Ground truth by construction, so nothing of it can be in any training data. Half of the arithmetic
and of the reading is of the kind that the embedded model was taught, from what its training held
out; the others are harder. Every kind is graded by the number of steps to its answer.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise, permutations
from random import Random
from typing import Literal, NamedTuple, get_args

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser, StopReason
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal, last_number, plain
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.scoring import ending, judged, outcome_counts
from netweight.evals.tool_items import COLOURS, PEOPLE, THINGS, is_held_out

VERSION = 2  # 1 asked of facts in whichever order they stood

Kind = Literal["arithmetic", "logic", "reading"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_ITEMS = 3000

YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True)
class Item:
    """A question with one right answer, and the answers it could be taken for.

    Without `candidates` the answer is a number. `facts` are what the system message says.
    """

    kind: Kind
    num_steps: int
    question: str
    answer: str
    candidates: tuple[str, ...] = ()
    facts: str | None = None

    def messages(self) -> list[ChatMessage]:
        """What the model is sent."""
        asked = ChatMessageUser(content=self.question)
        return [asked] if self.facts is None else [ChatMessageSystem(content=self.facts), asked]


def _listed(words: str) -> list[str]:
    return words.split(", ")


# Arithmetic.

_COUNTED = _listed(
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


def _taught_problem(random: Random) -> Item:
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


def _hard_problem(random: Random) -> Item:
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


# Logic. Its answers are one word, so that a guess is right about once in three to five.

_ASK_NAME = " End with a line that says 'Answer:' and the name."
_ASK_WORD = f" End with a line that says 'Answer:' and one word: {YES}, {NO} or {UNKNOWN}."
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_KINDS_OF_THING = _listed(
    "brims, tolks, zarns, velts, morps, quands, drells, fasks, glims, hobbins, jarls, nesks"
)


def _ordering(random: Random) -> Item:
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


def _knights(random: Random) -> Item:
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


def _deduction(random: Random) -> Item:
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


# Reading.

_FOLK = _listed(
    "Orla, Tam, Brin, Sefa, Ulm, Kesh, Dova, Pell, Rint, Yara, Moss, Zeno, Ilka, Garn, Hesk, Lorr, "
    "Nim, Quen, Vash, Worra"
)
_TOWNS = _listed(
    "Vell, Ostra, Quill, Narrow, Bramm, Tarn, Skerry, Dunmor, Elding, Foss, Grell, Hollin"
)
_JOBS = _listed("baker, miller, sailor, teacher, painter, smith, doctor, gardener")
_INTRODUCTIONS = (
    "Answer from these facts:",
    "Here is all that is known. The facts:",
    "Use nothing but these facts:",
)


class _Fact(NamedTuple):
    sentence: str
    question: str
    answer: str


def _taught_reading(random: Random) -> Item:
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


def _hard_reading(random: Random) -> Item:
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


_MAKERS: Mapping[Kind, tuple[Callable[[Random], Item], ...]] = {
    "arithmetic": (_taught_problem, _hard_problem),
    "logic": (_ordering, _knights, _deduction),
    "reading": (_taught_reading, _hard_reading),
}


def items(seed: int, num_items: int) -> Iterator[Item]:
    """Yield `num_items` different items, the kinds in turns; the same seed gives the same ones.

    Raises:
        WeighError: a number of items outside 1 to MAX_ITEMS.
    """
    if not 1 <= num_items <= MAX_ITEMS:
        raise WeighError(f"capability has 1 to {MAX_ITEMS} items, not {num_items}. Choose another.")
    random = Random(f"capability {VERSION} {seed}")
    seen = set[tuple[str | None, str]]()
    for index in range(num_items):
        makers = _MAKERS[KINDS[index % len(KINDS)]]
        make = makers[index // len(KINDS) % len(makers)]
        while ((item := make(random)).facts, item.question) in seen:
            pass
        seen.add((item.facts, item.question))
        yield item


# How answers are read.

_SAYS_UNKNOWN = re.compile(
    r"\bunknown\b|\b(?:do|does|did)(?: not|n't) (?:say|mention|state|tell|specify)\b"
    r"|\bnot (?:stated|mentioned|given|known|specified)\b"
)


def read(text: str, kind: Kind, candidates: Sequence[str]) -> str | None:
    """Return the answer that a text gives, or None where it gives none or more than one.

    Of arithmetic, the last number. Of logic, the one candidate that stands after the last "Answer:"
    or alone in the last line, since a text that reasons names others too. Of reading, the one
    candidate that the text names, or if it names several, that its last sentence does.
    """
    if kind == "arithmetic":
        return last_number(text)
    said = _normal(text)
    if kind == "logic":
        return _concluded(said, candidates)
    last_sentence = re.split(r"(?<=[.!?])\s+|\n", said)[-1]
    return _only(said, candidates) or _only(last_sentence, candidates)


def _normal(text: str) -> str:
    return re.sub(r"[*_`]", "", plain(text)).casefold().strip()


def _concluded(said: str, candidates: Sequence[str]) -> str | None:
    _, marker, after = said.rpartition("answer:")
    if marker:
        return _only(after.strip().partition("\n")[0], candidates)
    last_line = said.rpartition("\n")[2].strip(" .!'\"")
    return next((each for each in candidates if each.casefold() == last_line), None)


def _only(said: str, candidates: Sequence[str]) -> str | None:
    named = _candidates_in(said, candidates)
    return named.pop() if len(named) == 1 else None


def _candidates_in(said: str, candidates: Sequence[str]) -> set[str]:
    named = {each for each in candidates if re.search(rf"\b{re.escape(each.casefold())}\b", said)}
    return named | {UNKNOWN} if _SAYS_UNKNOWN.search(said) else named


def judge(text: str, stop_reason: StopReason, item: Item) -> str:
    """Return the outcome of one final answer, a name of MEASURE.outcomes.

    A text that names nothing which could be the answer is wrong, whatever it is about. One that
    does, and still gives no one answer, cannot be read; nor can an empty one, nor one that should
    give a number and has none, since numbers have words too.
    """
    if early := ending(stop_reason):
        return early
    answer = read(text, item.kind, item.candidates)
    if answer == item.answer:
        return "right"
    if is_refusal(text):
        return REFUSED
    if answer is not None or (text.strip() and item.candidates and not _named(text, item)):
        return "wrong"
    return UNPARSED


def _named(text: str, item: Item) -> set[str]:
    return _candidates_in(_normal(text), item.candidates)


# Figures.

_MOST_STEPS = 5  # what needs more is counted with these


def _further(scored: Sequence[Scored]) -> list[Figure]:
    """Rates by kind, and by number of steps within each; every record has the tokens besides."""
    scored = [each for each in scored if each.outcome in MEASURE.counted]
    figures: list[Figure | None] = []
    for kind in KINDS:
        of_kind = [each for each in scored if each.facts["kind"] == kind]
        figures.append(_rate(f"accuracy_{kind}", f"share of {kind} items that are right", of_kind))
        for num_steps in sorted({_steps(each) for each in of_kind}):
            plus = " or more" if num_steps == _MOST_STEPS else ""
            figures.append(
                _rate(
                    f"accuracy_{kind}_{num_steps}",
                    f"share of {kind} items with {num_steps}{plus} steps that are right",
                    [each for each in of_kind if _steps(each) == num_steps],
                )
            )
    return [figure for figure in figures if figure is not None]


def _steps(scored: Scored) -> int:
    num_steps = scored.facts["num_steps"]
    assert isinstance(num_steps, int), "the scorer gives the number of steps"
    return min(num_steps, _MOST_STEPS)


def _rate(metric: str, description: str, scored: Sequence[Scored]) -> Figure | None:
    hits = [each.outcome == "right" for each in scored]
    return rate_figure(metric, description, hits, [each.cluster for each in scored])


_MISSES = ("wrong", REFUSED, UNPARSED, TRUNCATED)

MEASURE = Measure(
    task="capability",
    version=VERSION,
    metric="accuracy",
    description="share of fresh items of arithmetic, logic and reading whose final answer is right",
    lower_is_better=False,
    hits=("right",),
    counted=("right", *_MISSES),
    outcomes=("right", *_MISSES, *FAILED),
    further=_further,
)


@task
def capability(seed: int = 0, num_items: int = 120) -> Task:
    """Arithmetic in words, logic and reading, in turns, made fresh from a seed."""
    samples = [
        Sample(
            id=index,
            input=item.messages(),
            target=item.answer,
            metadata={
                "kind": item.kind,
                "num_steps": item.num_steps,
                "candidates": list(item.candidates),
            },
        )
        for index, item in enumerate(items(seed, num_items), start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"capability {VERSION}, seed {seed}"),
        scorer=one_answer(),
        version=VERSION,
    )


@scorer(metrics=[accuracy(), outcome_counts()])
def one_answer() -> Scorer:
    """Read the final answer as its kind asks for, and compare it with the right one."""

    async def score(state: TaskState, target: Target) -> Score:
        told = state.metadata
        candidates = tuple(told["candidates"])
        item = Item(told["kind"], told["num_steps"], state.input_text, target.text, candidates)
        text = state.output.completion
        outcome = judge(text, state.output.stop_reason, item)
        answer = read(text, item.kind, candidates)
        return judged(
            outcome,
            hit=outcome == "right",
            answer=answer,
            explanation=f"{outcome}: expected {target.text}, read {answer}",
            kind=item.kind,
            num_steps=item.num_steps,
        )

    return score
