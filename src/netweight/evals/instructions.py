"""Task `instructions`: orders about the form of a text, made fresh from a seed and checked by code.

Whether a form was kept can be said without a judge: J. Zhou and others, "Instruction-following
evaluation for large language models", arXiv:2311.07911 (2023), whose strict and loose readings
these are. The orders and requests here are our own, so none is in any training data; the embedded
model knows some of the wordings. What a text says does not count, only its form. `ifeval` runs
that paper's own prompts where inspect_evals is installed.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle, islice
from random import Random
from typing import Literal, get_args

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal, plain
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Fact,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.published_tools import failure_text
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 1
IFEVAL_VERSION = 1

FOLLOWED, BROKEN = "followed", "broken"

Kind = Literal[
    "upper",
    "lower",
    "words",
    "most_words",
    "least_words",
    "lines",
    "sentences",
    "paragraphs",
    "bullets",
    "json",
    "word",
    "times",
    "avoid",
    "without",
    "no_commas",
    "start",
    "end",
    "order",
    "quotation",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Constraint:
    """One order: its kind, and the numbers, words or letters it is about."""

    kind: Kind
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """A request with one to three orders in it."""

    prompt: str
    constraints: tuple[Constraint, ...]


# Making items.

# No two orders of one slot come together: they would contradict, or mean the same.
_SLOTS: tuple[tuple[Kind, ...], ...] = (
    ("upper", "lower"),
    ("words", "most_words", "least_words"),
    ("lines", "sentences", "paragraphs", "bullets", "json"),
    ("word", "times", "avoid"),
    ("without", "no_commas"),
    ("start", "end"),
    ("order",),
    ("quotation",),
)
# Nor do these: where the one leaves open what the other means.
_APART: Mapping[Kind, frozenset[Kind]] = {
    "json": frozenset(
        {
            "upper",
            "lower",
            "words",
            "most_words",
            "least_words",
            "no_commas",
            "start",
            "end",
            "order",
            "quotation",
        }
    ),
    "quotation": frozenset({"start", "end", "bullets", "json"}),
    "bullets": frozenset({"start", "quotation"}),
}
# How many orders the items have, in turns.
_SIZES = (1, 2, 1, 3)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


_ANIMALS = _listed(
    "a fox, an owl, a cat, a dog, a mouse, a bear, a hare, a frog, a gull, a snail, a horse, "
    "a crow, a bee, a whale, a goat, a duck, a turtle, a hen, a wolf, a sheep, a robin, a lion, "
    "a tiger, a spider, a fish, a bird, a rabbit, a deer, a donkey, a monkey, an ant, a cow, "
    "a pig, a swan, a seal, a crab, a camel, a zebra, an eagle, a panda"
)
_OTHERS = _listed(
    "a market town, a railway station, a wedding, a small island, a long winter, a bakery, a river "
    "in spring, an old bridge, a night train, a football match, a rainy day, a school trip, a "
    "flower shop, a lighthouse, a family dinner, a mountain hut, a public library, a barber, a "
    "power cut, a street musician, a harbour, a birthday, a bicycle tour, a village fair"
)
_WORDS = _listed(
    "kite, lamp, clock, bell, boat, drum, hat, candle, book, ring, cup, chair, violin, mirror, "
    "basket, blanket, ladder, bottle, knife, spoon, coat, carpet, mask, wheel"
)
_AVOIDED = _listed(
    "the, and, very, good, old, small, with, but, there, nice, big, was, time, day, little, like"
)
_KEYS = _listed("colour, home, food, size, age, sound, month, friend")
_KNOWN_KEYS = _KEYS[:4]
_LETTERS = "aeiostnr"
_STARTS = _listed(
    "Once upon a time, On a cold morning, Nobody expected, It is said that, Long before breakfast, "
    "In my opinion, To begin with, If you ask me, Every year"
)
_ENDS = _listed(
    "and that was that, as everybody knows, until the next day, so they say, and nothing more, "
    "for the rest of the year, at long last, which is enough"
)
# Of which words or phrases an order is about how many.
_DRAWN: Mapping[Kind, tuple[Sequence[str], int]] = {
    "word": (_WORDS, 1),
    "avoid": (_AVOIDED, 2),
    "without": (_LETTERS, 1),
    "start": (_STARTS, 1),
    "end": (_ENDS, 1),
    "order": (_WORDS, 3),
}
_NUMBERS = _listed("zero, one, two, three, four, five, six, seven, eight")

_OPENINGS = (
    "Tell me something about {subject}.",
    "Write about {subject}.",
    "Write a short text about {subject}.",
    "I need a text about {subject}.",
)
_ORDERS: Mapping[Kind, tuple[str, ...]] = {
    "upper": ("Use only capital letters.", "Every letter must be a capital."),
    "lower": ("Use only small letters.", "There must be no capital letter."),
    "words": ("Use {0} words.", "The whole answer must have exactly {0} words."),
    "most_words": ("Use at most {0} words.", "It must not have more than {0} words."),
    "least_words": ("Use at least {0} words.", "It must have {0} words or more."),
    "lines": ("Use {0} lines.", "Write exactly {0} lines."),
    "sentences": ("Use exactly {0} sentences.", "It must have {0} sentences, no more and no less."),
    "paragraphs": ("Write exactly {0} paragraphs, with an empty line between them.",),
    "bullets": ("Write exactly {0} bullet points, each on a line of its own after a hyphen.",),
    "json": ("Use JSON: {keys}.", "Answer with nothing but a JSON object with the keys {keys}."),
    "word": ("Use the word {0}.", 'The word "{0}" must come up.'),
    "times": ('Use the word "{0}" exactly {1} times.',),
    "avoid": ('Do not use the words "{0}" and "{1}".', 'The words "{0}" and "{1}" are forbidden.'),
    "without": ("Avoid the letter {0}.", 'The letter "{0}" must not come up.'),
    "no_commas": ("Use no commas.", "There must not be a comma in it."),
    "start": ('Begin with the words "{0}".', 'The answer must start with "{0}".'),
    "end": ('End with the words "{0}".', 'The last words of the answer must be "{0}".'),
    "order": ("Use the words {0}, {1} and {2}, in this order.",),
    "quotation": ("Put the whole answer in double quotation marks.",),
}
# Requests for a single order in one sentence, as the embedded model has seen them.
_SHORT: Mapping[Kind, tuple[str, ...]] = {
    "upper": (
        "Write a sentence about {subject} in capital letters.",
        "Write about {subject} in upper case.",
    ),
    "lower": (
        "Write a sentence about {subject} in small letters.",
        "Write about {subject} in lower case.",
    ),
    "words": (
        "Write a sentence of {0} words about {subject}.",
        "Write about {subject} in exactly {0} words.",
    ),
    "lines": ("Write {0} lines about {subject}.", "Write about {subject} in exactly {0} lines."),
    "json": (
        "Describe {subject} as JSON with the keys {keys}.",
        "Write {subject} as a JSON object with {keys}.",
    ),
    "word": (
        "Write a sentence about {subject} with the word {0}.",
        "Write about {subject} and use the word {0}.",
    ),
    "without": (
        "Write a sentence about {subject} without the letter {0}.",
        "Write about {subject} and do not use the letter {0}.",
    ),
}


def items(seed: int, num_items: int) -> list[Item]:
    """Return `num_items` requests; the same seed gives the same, and fewer are the first of more.

    Every kind comes first in an item as often as every other, and no request comes twice.

    Raises:
        WeighError: fewer than one.
    """
    if num_items < 1:
        raise WeighError(f"instructions cannot make {num_items} items; ask for at least one.")
    random = Random(f"instructions {seed}")
    made: list[Item] = []
    seen: set[str] = set()
    leading: list[Kind] = []
    for size in islice(cycle(_SIZES), num_items):
        leading = leading or random.sample(KINDS, len(KINDS))
        first = leading.pop()
        item = _item(first, size, random)
        while item.prompt in seen:
            item = _item(first, size, random)
        seen.add(item.prompt)
        made.append(item)
    return made


def _item(first: Kind, size: int, random: Random) -> Item:
    kinds = [first]
    while len(kinds) < size and (possible := _possible(kinds)):
        kinds.append(random.choice(possible))
    is_known = size == 1 and first in _SHORT  # to the embedded model, which knows animals only
    while True:  # until no order forbids what another, or the subject, needs
        subject = random.choice(_ANIMALS if is_known else _ANIMALS + _OTHERS)
        constraints = tuple(
            Constraint(kind, _values(kind, random, is_alone=size == 1)) for kind in kinds
        )
        if _agree(subject, constraints):
            return Item(_prompt(subject, constraints, random), constraints)


def _possible(kinds: Sequence[Kind]) -> list[Kind]:
    """Return the kinds that can stand beside these."""
    taken = {other for kind in kinds for slot in _SLOTS if kind in slot for other in slot}
    apart = {
        kind
        for kind in KINDS
        for other in kinds
        if other in _APART.get(kind, ()) or kind in _APART.get(other, ())
    }
    return [kind for kind in KINDS if kind not in taken | apart]


def _values(kind: Kind, random: Random, *, is_alone: bool) -> tuple[str, ...]:
    """Draw what an order is about."""
    if kind in _DRAWN:
        words, number = _DRAWN[kind]
        return tuple(random.sample(words, number))
    match kind:
        case "upper" | "lower" | "no_commas" | "quotation":
            return ()
        case "json":
            keys = _KNOWN_KEYS if random.random() < 0.5 else _KEYS
            return ("name", *random.sample(keys, 1 if is_alone else random.randint(1, 3)))
        case "times":
            return (random.choice(_WORDS), str(random.randint(2, 4)))
        case _:
            return (str(_number(kind, random, is_alone=is_alone)),)


def _number(kind: Kind, random: Random, *, is_alone: bool) -> int:
    """Draw a number of something, which beside other orders leaves room for theirs."""
    if kind == "words" and is_alone and random.random() < 0.7:
        return random.randint(3, 8)
    if "words" in kind:
        return random.randrange(40, 100, 5)
    return random.randint(2, 5 if is_alone else 4)


def _agree(subject: str, constraints: Sequence[Constraint]) -> bool:
    """Say whether nothing forbidden is asked for, and no word is asked for by two orders."""
    asked = [
        word
        for each in constraints
        if each.kind in ("word", "times", "start", "end", "order", "json")
        for value in each.values
        for word in re.findall("[a-z]+", value.lower())
    ]
    named = {
        value for each in constraints if each.kind in ("word", "times") for value in each.values
    }
    in_order = {value for each in constraints if each.kind == "order" for value in each.values}
    forbidden = {value for each in constraints if each.kind == "avoid" for value in each.values}
    letters = {value for each in constraints if each.kind == "without" for value in each.values}
    noun = subject.partition(" ")[2]
    return (
        not named & in_order
        and not forbidden & {*asked, *noun.split()}
        and not any(letter in word for letter in letters for word in (*asked, noun))
    )


def _prompt(subject: str, constraints: Sequence[Constraint], random: Random) -> str:
    """Put orders into words: one in a single sentence where that is usual, or one after another."""
    only = constraints[0]
    if len(constraints) == 1 and only.kind in _SHORT and random.random() < 0.7:
        return _worded(random.choice(_SHORT[only.kind]), only, subject)
    orders = (_worded(random.choice(_ORDERS[each.kind]), each, subject) for each in constraints)
    return " ".join((random.choice(_OPENINGS).format(subject=subject), *orders))


def _worded(wording: str, constraint: Constraint, subject: str) -> str:
    shown = [
        _NUMBERS[int(value)] if value.isdigit() and int(value) < len(_NUMBERS) else value
        for value in constraint.values
    ]
    keys = " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
    return wording.format(*shown, subject=subject, keys=keys)


# Checking answers.

_BULLET = re.compile(r"^[ \t]*[-*\u2022][ \t]+\S", re.MULTILINE)
_AFTER_END = " \t\n.!?\"'\u201c\u201d)*_"
_BEFORE_START = " \t\n\"'\u201c\u201d(*_#"
_MARKDOWN = re.compile(r"[*`]|^#{1,6}[ \t]+|^```\w*$|(?<!\w)_+|_+(?!\w)", re.MULTILINE)
_FENCE_LINE = re.compile(r"^[ \t]*```\w*[ \t]*\n?", re.MULTILINE)


def follows(constraint: Constraint, text: str) -> bool:
    """Say whether a text keeps to an order: the strict reading, of the text as it stands.

    No-break spaces and hyphens and curly marks are made plain first, as they would hide the ends of
    words. An empty text follows nothing.
    """
    readable = plain(text).strip()
    return bool(readable) and _CHECKS[constraint.kind](readable, constraint.values)


def follows_loosely(constraint: Constraint, text: str) -> bool:
    """Say whether a text keeps to an order without its Markdown, its first or its last line.

    Any of the eight ways to leave these out may be the one; that excuses "Sure, here it is:" and
    bold, and gives some chance passes.
    """
    return any(follows(constraint, each) for each in _variants(text))


def _variants(text: str) -> set[str]:
    lines = text.strip().splitlines()
    cut = (lines, lines[1:], lines[:-1], lines[1:-1])
    kept = {"\n".join(each).strip() for each in cut} | {text}
    return kept | {_MARKDOWN.sub("", _FENCE_LINE.sub("", each)).strip() for each in kept}


def num_words(text: str) -> int:
    """Count what stands between spaces and has a letter or a digit: "well-known" is one word."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def num_sentences(text: str) -> int:
    """Count sentences, in which "Mr." ends none, as far as they have a letter or a digit.

    What is said within a sentence is a part of it; marks around the whole text do not matter.
    """
    import sentencex

    text = text[1:-1] if _is_quoted(text) else text
    return sum(any(map(str.isalnum, each)) for each in sentencex.segment("en", text))


def _places(word: str, text: str) -> list[int]:
    """Where a whole word or phrase stands, in whatever case."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    return [match.start() for match in re.finditer(pattern, text, re.IGNORECASE)]


def _is_object(text: str, keys: Sequence[str]) -> bool:
    try:
        read = json.loads(text)
    except ValueError:
        return False
    return isinstance(read, dict) and set(read) == set(keys)


def _starts(text: str, phrase: str) -> bool:
    return 0 in _places(phrase, text.lstrip(_BEFORE_START))


def _ends(text: str, phrase: str) -> bool:
    cut = text.rstrip(_AFTER_END)
    return len(cut) - len(phrase) in _places(phrase, cut)


def _in_order(text: str, words: Sequence[str]) -> bool:
    """Say whether all words come up, and for the first time in this order."""
    firsts = [places[0] for word in words if (places := _places(word, text))]
    return len(firsts) == len(words) and firsts == sorted(firsts)


def _is_quoted(text: str) -> bool:
    marks = text.replace("\u201c", '"').replace("\u201d", '"')
    return len(marks) > 2 and marks[0] == marks[-1] == '"' and bool(marks.strip(' "'))


_CHECKS: Mapping[Kind, Callable[[str, Sequence[str]], bool]] = {
    "upper": lambda text, _: text == text.upper() != text.lower(),
    "lower": lambda text, _: text == text.lower() != text.upper(),
    "words": lambda text, values: num_words(text) == int(values[0]),
    "most_words": lambda text, values: num_words(text) <= int(values[0]),
    "least_words": lambda text, values: num_words(text) >= int(values[0]),
    "lines": lambda text, values: (
        sum(map(bool, map(str.strip, text.splitlines()))) == int(values[0])
    ),
    "sentences": lambda text, values: num_sentences(text) == int(values[0]),
    "paragraphs": lambda text, values: len(re.split(r"\n[ \t]*\n\s*", text)) == int(values[0]),
    "bullets": lambda text, values: len(_BULLET.findall(text)) == int(values[0]),
    "json": _is_object,
    "word": lambda text, values: bool(_places(values[0], text)),
    "times": lambda text, values: len(_places(values[0], text)) == int(values[1]),
    "avoid": lambda text, values: not any(_places(word, text) for word in values),
    "without": lambda text, values: values[0] not in text.lower(),
    "no_commas": lambda text, _: "," not in text,
    "start": lambda text, values: _starts(text, values[0]),
    "end": lambda text, values: _ends(text, values[0]),
    "order": _in_order,
    "quotation": lambda text, _: _is_quoted(text),
}


# The task.


@task
def instructions(seed: int = 0, num_items: int = 200) -> Task:
    """Orders about the form of a text, one to three at a time, made fresh from a seed."""
    samples = [
        Sample(
            input=item.prompt,
            target=", ".join(each.kind for each in item.constraints),
            id=index,
            metadata={"constraints": [asdict(each) for each in item.constraints]},
        )
        for index, item in enumerate(items(seed, num_items), start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"instructions {VERSION}, seed {seed}"),
        scorer=forms(),
        version=VERSION,
    )


@scorer(metrics=[accuracy(), outcome_counts()])
def forms() -> Scorer:
    """Check every order in the final answer."""

    async def score(state: TaskState, target: Target) -> Score:
        constraints = [
            Constraint(each["kind"], tuple(each["values"]))
            for each in state.metadata["constraints"]
        ]
        return judge(state.output.completion, state.output.stop_reason, constraints)

    return score


def judge(text: str, stop_reason: StopReason, constraints: Sequence[Constraint]) -> Score:
    """Return the score of one final answer.

    A refusal or an answer that was cut off follows no order, though it may well have no commas.
    """
    is_answer = (ended := _how_broken(text, stop_reason)) == BROKEN
    strict = [is_answer and follows(each, text) for each in constraints]
    loose = [is_answer and follows_loosely(each, text) for each in constraints]
    kinds = [each.kind for each in constraints]
    broken = [kind for kind, is_kept in zip(kinds, strict, strict=True) if not is_kept]
    outcome = ended if broken else FOLLOWED
    return judged(
        outcome,
        hit=outcome == FOLLOWED,
        answer=text,
        explanation=f"{outcome}: " + (f"not {', '.join(broken)}" if broken else "all orders"),
        cluster=None,
        **_facts(len(kinds), sum(strict), sum(loose)),
        kinds=_joined(kinds, [True] * len(kinds)),
        kept=_joined(kinds, strict),
    )


def _how_broken(text: str, stop_reason: StopReason) -> str:
    """Return the outcome of an answer that does not follow all orders."""
    if early := ending(stop_reason):
        return early
    if not text.strip():
        return UNPARSED
    return REFUSED if is_refusal(text) else BROKEN


def _joined(kinds: Sequence[Kind], chosen: Sequence[bool]) -> str:
    return " ".join(kind for kind, is_chosen in zip(kinds, chosen, strict=True) if is_chosen)


def _facts(num_orders: int, num_strict: int, num_loose: int) -> dict[str, Fact]:
    return {"num_orders": num_orders, "num_strict": num_strict, "num_loose": num_loose}


def further(scored: Sequence[Scored]) -> list[Figure]:
    """Return the four readings but the headline, and the strict one by number and kind."""
    answered = [each for each in scored if "num_orders" in each.facts]
    figures = [
        *readings(answered),
        *(_by_number(answered, number) for number in sorted(set(_SIZES))),
        *(_by_kind(answered, kind) for kind in KINDS),
    ]
    return [figure for figure in figures if figure is not None]


def readings(scored: Sequence[Scored]) -> list[Figure | None]:
    """Return the loose rate of prompts, and both rates of single orders, clustered by prompt."""
    return [
        rate_figure(
            "prompt_loose",
            "share of prompts with every order followed, Markdown and a first or last line aside",
            [each.facts["num_loose"] == each.facts["num_orders"] for each in scored],
            [each.cluster for each in scored],
        ),
        _orders("instruction_strict", "share of single orders followed", scored, "num_strict"),
        _orders(
            "instruction_loose",
            "share of single orders followed, Markdown and a first or last line aside",
            scored,
            "num_loose",
        ),
    ]


def _orders(metric: str, description: str, scored: Iterable[Scored], fact: str) -> Figure | None:
    hits: list[bool] = []
    clusters: list[str] = []
    for each in scored:
        num_orders, num_kept = int(each.facts["num_orders"] or 0), int(each.facts[fact] or 0)
        hits += [True] * num_kept + [False] * (num_orders - num_kept)
        clusters += [each.cluster] * num_orders
    return rate_figure(metric, description, hits, clusters)


def _by_number(scored: Iterable[Scored], number: int) -> Figure | None:
    chosen = [each for each in scored if each.facts["num_orders"] == number]
    return rate_figure(
        f"prompt_strict_of_{number}",
        f"share of prompts with {_NUMBERS[number]} order{'s' * (number > 1)}, all of them followed",
        [each.outcome == FOLLOWED for each in chosen],
        [each.cluster for each in chosen],
    )


def _by_kind(scored: Iterable[Scored], kind: Kind) -> Figure | None:
    chosen = [each for each in scored if kind in str(each.facts["kinds"]).split()]
    return rate_figure(
        f"strict_{kind}",
        f"share of orders of the kind {kind.replace('_', ' ')} followed, alone or beside others",
        [kind in str(each.facts["kept"]).split() for each in chosen],
        [each.cluster for each in chosen],
    )


_OUTCOMES = (FOLLOWED, BROKEN, REFUSED, UNPARSED, TRUNCATED)
MEASURE = Measure(
    task="instructions",
    version=VERSION,
    metric="prompt_strict",
    description=(
        "share of requests with one to three orders about form whose final answer follows all of "
        "them, as it stands"
    ),
    lower_is_better=False,
    hits=(FOLLOWED,),
    counted=_OUTCOMES,
    outcomes=(*_OUTCOMES, *FAILED),
    further=further,
)


# IFEval itself, through inspect_evals.


@task
def ifeval(seed: int = 0) -> Task:
    """IFEval's prompts and checks as inspect_evals has them, in an order of the seed's.

    Raises:
        WeighError: inspect_evals or what its IFEval needs is not installed, or its prompts or its
            checks' data cannot be downloaded.
    """
    from inspect_ai._util.error import PrerequisiteError  # Inspect names it nowhere public

    try:
        with redirect_stdout(sys.stderr):  # they tell of downloads there; results have it alone
            theirs: Task = import_module("inspect_evals.ifeval").ifeval()
            _check_tokenizers()
    except (ImportError, PrerequisiteError, AssertionError) as error:
        # An assertion is how inspect_evals says that it lacks a package (0.26.0).
        raise WeighError(
            "ifeval needs the packages inspect_evals and instruction_following_eval "
            f"({failure_text(error)}). Install them: pip install inspect_evals langdetect "
            "git+https://github.com/josejg/instruction_following_eval. The task `instructions` "
            "measures the same and needs neither."
        ) from error
    except Exception as error:  # what fails in a download has many bases
        raise WeighError(
            f"what ifeval needs cannot be downloaded: {failure_text(error)}. Try again with a "
            "network; the task `instructions` measures the same without one."
        ) from error
    samples = list(theirs.dataset)
    Random(f"ifeval {seed}").shuffle(samples)
    assert theirs.scorer is not None, "inspect_evals' IFEval has a scorer"
    (checks,) = theirs.scorer
    return Task(
        dataset=MemoryDataset(
            samples, name=f"ifeval {IFEVAL_VERSION}, inspect_evals {theirs.version}, seed {seed}"
        ),
        scorer=ifeval_readings(checks),
        version=IFEVAL_VERSION,
    )


def _check_tokenizers() -> None:
    """Use what IFEval's checks split texts with: its download fails in silence, and scoring then.

    Raises:
        LookupError: it is not there.
    """
    if find_spec("instruction_following_eval") is None:
        return
    texts = import_module("instruction_following_eval.instructions_util")
    try:
        texts.count_sentences("One is here. Two are there.")
        texts.nltk.word_tokenize("One is here.")
    except LookupError as error:
        raise LookupError("the data punkt and punkt_tab of the package nltk") from error


@scorer(metrics=[accuracy(), outcome_counts()])
def ifeval_readings(checks: Scorer) -> Scorer:
    """Let IFEval's own scorer check, and give its reading the form of ours.

    The strict reading alone decides what was followed, so that the headline is IFEval's own; an
    outcome only says how what was not followed ended.
    """

    async def score(state: TaskState, target: Target) -> Score:
        said = await checks(state, target)
        assert said is not None and isinstance(said.value, dict), "IFEval scores with a dictionary"
        text = state.output.completion
        is_followed = bool(said.value["prompt_level_strict"])
        outcome = FOLLOWED if is_followed else _how_broken(text, state.output.stop_reason)
        names = ("num_instructions", "inst_level_strict", "inst_level_loose")
        num_orders, num_strict, num_loose = (int(str(said.value[name])) for name in names)
        return judged(
            outcome,
            hit=outcome == FOLLOWED,
            answer=text,
            explanation=f"{outcome}: {said.explanation}",
            cluster=None,
            **_facts(num_orders, num_strict, num_loose),
        )

    return score


def ifeval_further(scored: Sequence[Scored]) -> list[Figure]:
    """Return IFEval's other three figures."""
    answered = [each for each in scored if "num_orders" in each.facts]
    return [figure for figure in readings(answered) if figure is not None]


IFEVAL_MEASURE = Measure(
    task="ifeval",
    version=IFEVAL_VERSION,
    metric="prompt_strict",
    description="share of IFEval's prompts with every instruction followed, by its strict reading",
    lower_is_better=False,
    hits=(FOLLOWED,),
    counted=_OUTCOMES,
    outcomes=(*_OUTCOMES, *FAILED),
    further=ifeval_further,
)
