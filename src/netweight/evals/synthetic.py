"""Tasks `unconditioned` and `collapse`: what a model writes when nothing is asked of it.

A model trained on the web writes of anything, in many languages, from the token that begins a
document; of one trained mainly on made-up text it has been reported that problems, code and
reasoning come out, and come again. Likewise "name any name" can have one answer. Every figure is
an indication and never a proof: later training on conversations changes all of them, too.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import log
from random import Random
from typing import NamedTuple

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelOutput, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal, last_number
from netweight.evals.completions import endpoint_of, settle
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    mean_figure,
    rate_figure,
)
from netweight.evals.prose import Words, distinct, words
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 1

CAUTION = "an indication of training on made-up text, not a proof"
SCAFFOLDING, PLAIN, EMPTY = "scaffolding", "plain", "empty"
SAME, DIFFERENT = "same", "different"

SHINGLE, THRESHOLD = 5, 0.8  # as prose.duplicates
BLOCK, BLOCK_WORDS = 10, 40  # texts, and words of each, that distinct-n is of
MIN_CUES = 3  # below which a text has no topic
_STORE = "said"


# What stands in a text


class Cues(NamedTuple):
    """What speaks for a topic: words, each once for a place, and signs, each twice."""

    words: frozenset[str]
    signs: re.Pattern[str]


def _cues(listed: str, signs: str) -> Cues:
    return Cues(frozenset(listed.split()), re.compile(signs, re.MULTILINE))


TOPICS: Mapping[str, Cues] = {
    "mathematics": _cues(
        "equation integer integers prime triangle polynomial theorem proof divisible remainder "
        "solve sum product probability denominator fraction perimeter radius modulo digits "
        "coefficient sequence vertices domino tiles",
        r"\\(?:frac|sqrt|cdot|boxed|sum|int|le|ge)\b|\$[^$\n]{1,80}\$|\b[a-z]\s?=\s?-?\d"
        r"|\d\s?[-+*/\u00d7\u00f7=]\s?\d|\^\{?\d",
    ),
    "code": _cues(
        "function variable array compile python javascript java api database server class "
        "boolean integer string null parameter algorithm runtime loop pointer library script",
        r"[;{]\s*$|^\s*(?:def|class|import|from|return|public|private|var|let|const|if|for|while)\b"
        r".*[:;({]\s*$|\w\(\w*\)|#include|```|==|=>|->|</\w+>|\bself\.\w",
    ),
    "science": _cues(
        "molecule cell cells protein energy electron temperature species hypothesis quantum atoms "
        "chemical reaction enzyme gene genes velocity bacteria experiment astronomy particles "
        "patients clinical neurons",
        r"\b\d+(?:\.\d+)?\s?(?:kg|mm|nm|mol|mg|\u00b0C|Hz|GHz|kJ)\b|\bet al\.",
    ),
    "news": _cues(
        "reuters police minister president government officials spokesman spokeswoman election "
        "parliament senate announced yesterday tuesday wednesday thursday reported according "
        "investigation mayor lawmakers court prosecutors",
        r"\b(?:AP|AFP|Reuters)\)|\bsaid (?:on )?(?:Monday|Tuesday|Wednesday|Thursday|Friday)\b",
    ),
    "fiction": _cues(
        "she he her his him i my had felt knew stood turned thought whispered smiled eyes heart "
        "door hand hands face hair breath walked looked suddenly night dark silence voice stared "
        "room mother father castle dragon grandmother village princess sighed shadow forest",
        r"[\"\u201d] (?:she|he) \w+|^Chapter \w+|\bOnce upon a time\b",
    ),
    "dialogue": _cues(
        "hello hi thanks yeah okay please sorry hey",
        r"^\s*[A-Z][\w .]{0,24}:\s+\S|^\s*[-\u2013\u2014]\s?[\"\u201c]?[A-Z].*\?$",
    ),
    "web page": _cues(
        "click subscribe cookies privacy login website newsletter shipping cart blog posted "
        "comments copyright download menu homepage facebook twitter reply share product reviews",
        r"https?://|www\.|\u00a9|\b\w+@\w+\.\w{2,}|\|.*\|.*\||\u00bb|&\w+;",
    ),
}
OTHER = "other"

# Words that are common in one language and rare in the others; raw strings are not spell-checked.
STOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(listed.split())
    for language, listed in {
        "English": "the and of to is that it was for with as on are this be at by have from not",
        "Spanish": "el los las y por con del una para es se lo como pero su al m\u00e1s que",
        "French": r"le les des et est une dans pour pas sur qui du au avec il ce ne sont que",
        "German": r"der die und das ist nicht ein eine zu den mit von auf sich dem im wir auch",
        "Portuguese": "o os um uma para com n\u00e3o mais por do da no na ao s\u00e3o que em",
        "Italian": "il gli della che di per con non sono una nel alla del pi\u00f9 anche lo",
        "Dutch": "het een van en is niet op te zijn met voor dat ook aan door wordt naar",
    }.items()
}
ENGLISH = "English"
_MIN_STOP_WORDS, _MIN_STOP_SHARE = 3, 0.08

LATIN = "LATIN"
_SCRIPTS = frozenset(
    {
        *("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN"),
        *("DEVANAGARI", "BENGALI", "TAMIL", "TELUGU", "THAI"),
        *("HANGUL", "CJK", "HIRAGANA", "KATAKANA"),
    }
)
_JAPANESE = {"HIRAGANA", "KATAKANA"}
_MIXED_LETTERS, _MIXED_SHARE = 5, 0.05  # of a second script, below which it is a stray name

CHAT = re.compile(
    r"<\|(?:start|end|message|channel|constrain|call|return|im_start|im_end|user|assistant|system)"
    r"\|>|\[/?INST\]|<</?SYS>>|<start_of_turn>|^#{2,3} (?:Instruction|Response|Human|Assistant):"
    r"|^(?:User|Human|Assistant|System):|assistant(?:final|analysis|commentary)",
    re.MULTILINE,
)
_DOES = "find|compute|solve|output|produce|answer|determine|write|respond|check|count|parse"
REASONING = re.compile(
    r"</?think(?:ing)?>|<\|channel\|>analysis|assistantanalysis"
    r"|\bthe user (?:wants|asks|is asking|asked|says)\b"
    rf"|\bwe (?:need to|must|should) (?:{_DOES})\b"
    r"|\b(?:let's|let us|let me) (?:think|compute|parse|solve|think step by step)\b"
    r"|(?:^|[.?!] |\n)(?:okay, so|alright, so|hmm,|wait, (?:no|but|let|actually|maybe|that))",
    re.IGNORECASE | re.MULTILINE,
)
_MARKER = re.compile(r"<\|[^|\n]{1,40}\|>")


def topic_of(text: str) -> str:
    """Return the topic whose cues come most often, the first of several; OTHER below MIN_CUES."""
    plain = _MARKER.sub(" ", text)
    found = Counter(words(plain))
    counts = {
        topic: sum(found[word] for word in cues.words) + 2 * len(cues.signs.findall(plain))
        for topic, cues in TOPICS.items()
    }
    best = max(counts, key=lambda topic: counts[topic])
    return best if counts[best] >= MIN_CUES else OTHER


def language_of(text: str) -> str | None:
    """Return which language of STOP_WORDS a text is in, None where its common words do not tell."""
    found = words(_MARKER.sub(" ", text))
    counts = {
        language: sum(word in listed for word in found) for language, listed in STOP_WORDS.items()
    }
    best = max(counts, key=lambda language: counts[language])
    enough = max(_MIN_STOP_WORDS, _MIN_STOP_SHARE * len(found))
    return best if counts[best] >= enough else None


def scripts_of(text: str) -> Counter[str]:
    """Count the letters of each script; Han beside kana is Japanese, and markers are left out."""
    counts = Counter(
        script for letter in _MARKER.sub(" ", text) if (script := _script(letter)) is not None
    )
    kana = sum(counts.pop(script, 0) for script in _JAPANESE)
    if kana:
        counts["JAPANESE"] = kana + counts.pop("CJK", 0)
    return counts


@cache
def _script(letter: str) -> str | None:
    if not letter.isalpha():
        return None
    script = unicodedata.name(letter, "").partition(" ")[0]
    return script if script in _SCRIPTS else None


def is_mixed(scripts: Mapping[str, int]) -> bool:
    """Say whether a second script has more than a stray name's share of the letters."""
    ranked = sorted(scripts.values(), reverse=True)
    return len(ranked) > 1 and ranked[1] >= max(_MIXED_LETTERS, _MIXED_SHARE * sum(ranked))


def written_in(text: str) -> str:
    """Return English, "other Latin", "non-Latin" or "unknown", by the script of most letters."""
    scripts = scripts_of(text)
    if not scripts:
        return "unknown"
    if scripts.most_common(1)[0][0] != LATIN:
        return "non-Latin"
    match language_of(text):
        case None:
            return "unknown"
        case language if language == ENGLISH:
            return ENGLISH
        case _:
            return "other Latin"


WRITTEN = (ENGLISH, "other Latin", "non-Latin", "unknown")


def near_groups(texts: Sequence[Words]) -> list[int]:
    """Return for each text the index of the first one that it is a near duplicate of, or its own.

    Near is a resemblance of THRESHOLD or more, as `prose.duplicates` has it, but with the first
    text of a group only, which an index by shingles finds among thousands.
    """
    firsts: dict[int, int] = {}  # of each group, with its number of shingles
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    groups = []
    for index, text in enumerate(texts):
        width = min(SHINGLE, max(1, len(text)))
        shingles = set(zip(*(text[start:] for start in range(width)), strict=False))
        shared = Counter(first for shingle in shingles for first in places.get(shingle, ()))
        near = [
            first
            for first, count in shared.items()
            if count >= THRESHOLD * (len(shingles) + firsts[first] - count)
        ]
        if near:
            groups.append(min(near))
            continue
        groups.append(index)
        firsts[index] = len(shingles)
        for shingle in shingles:
            places[shingle].append(index)
    return groups


# Unconditioned sampling


class Seen(NamedTuple):
    """What one sample is; `outcome` is a name of MEASURE.outcomes."""

    outcome: str
    chat: bool
    reasoning: bool
    topic: str
    written: str
    mixed: bool


def _figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """All but the headline, of the samples that have words."""
    kept = [each for each in scored if each.outcome in (SCAFFOLDING, PLAIN)]
    texts = [words(str(each.facts["text"])) for each in kept]
    figures: list[Figure | None] = [
        rate_figure(
            f"{name}_rate",
            f"share of unconditioned samples with {what}: {CAUTION}",
            [bool(each.facts[name]) for each in kept],
            lower_is_better=True,
        )
        for name, what in (
            ("chat", "markers or roles of a conversation"),
            ("reasoning", "phrases or markers of reasoning before an answer"),
        )
    ]
    figures += _duplicate_figures(texts)
    figures += [_distinct_figure(texts, n) for n in (1, 2, 3)]
    figures += [
        _share(kept, f"topic_{topic.replace(' ', '_')}", f"about {topic}", _is("topic", topic))
        for topic in (*TOPICS, OTHER)
    ]
    figures += [
        _share(
            kept, f"written_{re.sub('[ -]', '_', kind).lower()}", f"in {kind}", _is("written", kind)
        )
        for kind in WRITTEN
    ]
    figures.append(
        _share(
            kept,
            "mixed_scripts",
            "with a second script in more than a stray name",
            lambda each: bool(each.facts["mixed"]),
        )
    )
    return [figure for figure in figures if figure]


def _is(fact: str, value: str) -> Callable[[Scored], bool]:
    return lambda each: each.facts[fact] == value


def _share(
    kept: Sequence[Scored], metric: str, what: str, is_hit: Callable[[Scored], bool]
) -> Figure | None:
    return rate_figure(
        metric,
        f"share of unconditioned samples {what}, by our word lists; beside another model's it is "
        f"{CAUTION}",
        map(is_hit, kept),
    )


def _duplicate_figures(texts: Sequence[Words]) -> list[Figure | None]:
    """Samples that stand again elsewhere; those of one group are not independent."""
    exact, numbers = [" ".join(text) for text in texts], dict[str, int]()
    groups = {
        "exact": [numbers.setdefault(text, len(numbers)) for text in exact],
        "near": near_groups(texts),
    }
    figures = []
    for kind, names in groups.items():
        sizes = Counter(names)
        figures.append(
            rate_figure(
                f"{kind}_duplicate_rate",
                f"share of unconditioned samples with {'an' if kind == 'exact' else 'a'} {kind} "
                f"duplicate among the rest; it grows with their number. It is {CAUTION}",
                [sizes[name] > 1 for name in names],
                names,
                lower_is_better=True,
            )
        )
    return figures


def _distinct_figure(texts: Sequence[Words], n: int) -> Figure | None:
    """distinct-n of blocks of one size, so that neither number nor length of samples matters."""
    long_enough = [text[:BLOCK_WORDS] for text in texts if len(text) >= BLOCK_WORDS]
    starts = range(0, len(long_enough) - BLOCK + 1, BLOCK)
    return mean_figure(
        f"distinct_{n}",
        f"different {n}-grams per word in blocks of {BLOCK} unconditioned samples of {BLOCK_WORDS} "
        f"words each; a low figure is {CAUTION}",
        [distinct(long_enough[start : start + BLOCK], n) for start in starts],
        unit="score",
    )


MEASURE = Measure(
    task="unconditioned",
    version=VERSION,
    metric="scaffolding_rate",
    description="share of samples drawn at temperature 1 from a document's beginning, with nothing "
    f"asked, that have the scaffolding of a conversation or of reasoning: {CAUTION}",
    lower_is_better=True,
    hits=(SCAFFOLDING,),
    counted=(SCAFFOLDING, PLAIN),
    outcomes=(SCAFFOLDING, PLAIN, EMPTY, *FAILED),
    further=_figures,
)


@task
def unconditioned(
    num_samples: int = 200,
    num_tokens: int = 128,
    start: str | int | list[int] | None = None,
    seed: int = 0,
) -> Task:
    """Samples at temperature 1 from the token that begins a document, by raw completions.

    Args:
        num_samples: to draw.
        num_tokens: of each at most.
        start: token ids in place of that token, or a text; by default the server is asked.
        seed: of the draws.

    Raises:
        WeighError: a number is out of range.
    """
    for name, value in (("num_samples", num_samples), ("num_tokens", num_tokens)):
        if value < 1:
            raise WeighError(f"{name} is {value}; it must be at least 1.")
    if isinstance(start, int):
        start = [start]
    begun = "the start token" if start is None else f"start {start!r}"
    samples = [
        Sample(id=index, input="(nothing is asked)", metadata={"seed": seed * 1_000_003 + index})
        for index in range(1, num_samples + 1)
    ]
    return Task(
        dataset=MemoryDataset(
            samples, name=f"unconditioned {VERSION}, {begun}, {num_tokens} tokens, seed {seed}"
        ),
        solver=draw(start, num_tokens),
        scorer=described(),
        version=VERSION,
    )


@solver
def draw(start: str | list[int] | None, num_tokens: int) -> Solver:
    """Draw one continuation of the start, control tokens included."""
    asked: dict[str, list[int]] = {}  # the start of each server, asked for once

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        async with endpoint_of(model) as endpoint:
            if start is None and endpoint.base_url not in asked:
                asked[endpoint.base_url] = await endpoint.document_start()
            said = await endpoint.proceed(
                asked[endpoint.base_url] if start is None else start,
                max_tokens=num_tokens,
                temperature=1.0,
                # Epochs are further draws.
                seed=state.metadata["seed"] + 500_000_003 * (state.epoch - 1),
                special_text=True,
            )
        state.store.set(_STORE, said.text)
        settle(state, model, said.usage)
        return state

    return solve


@scorer(metrics=[accuracy(), outcome_counts()])
def described() -> Scorer:
    """Say what a sample is: its scaffolding, topic, language and scripts."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.store.get(_STORE)
        seen = describe(text)
        return judged(
            seen.outcome,
            hit=seen.outcome == SCAFFOLDING,
            answer=text,
            explanation=f"{seen.outcome}, {seen.topic}, {seen.written}",
            text=text,
            chat=seen.chat,
            reasoning=seen.reasoning,
            topic=seen.topic,
            written=seen.written,
            mixed=seen.mixed,
        )

    return score


def describe(text: str) -> Seen:
    """Say what one sample is."""
    chat, reasoning = bool(CHAT.search(text)), bool(REASONING.search(text))
    outcome = SCAFFOLDING if chat or reasoning else PLAIN if words(text) else EMPTY
    return Seen(
        outcome, chat, reasoning, topic_of(text), written_in(text), is_mixed(scripts_of(text))
    )


# Collapse

CHOICES: Mapping[str, str] = {
    "first name": "Think of any first name. Answer with the name alone.",
    "surname": "Think of any surname. Answer with the surname alone.",
    "number": "Think of any whole number from 1 to 100. Answer with the number alone.",
    "city": "Think of any city in the world. Answer with the city alone.",
    "animal": "Think of any animal. Answer with the animal alone.",
    "colour": "Think of any colour. Answer with the colour alone.",
    "occupation": "Think of any occupation. Answer with the occupation alone.",
    "noun": "Think of any noun. Answer with the noun alone.",
}
_MOST_WORDS = 4  # a longer answer is no name; "lead guitar player" is one


def _collapse_figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """The mean entropy of the answers to a request, and how often the commonest one is given."""
    by_choice: defaultdict[str, list[str]] = defaultdict(list)
    for each in scored:
        if each.outcome in (SAME, DIFFERENT):
            by_choice[each.cluster] += [str(each.facts["first"]), str(each.facts["second"])]
    entropies = [entropy(answers) for answers in by_choice.values()]
    modes = [Counter(answers).most_common(1)[0][1] / len(answers) for answers in by_choice.values()]
    figures = (
        mean_figure(
            "answer_entropy",
            "entropy of a model's answers to a request to think of anything, Miller and Madow's "
            f"estimate, mean over requests; a low one is {CAUTION}",
            entropies,
            unit="nats",
        ),
        mean_figure(
            "commonest_share",
            "share of answers to such a request that are the commonest one, mean over requests; "
            f"a high one is {CAUTION}",
            modes,
            unit="score",
            lower_is_better=True,
        ),
    )
    return [figure for figure in figures if figure]


COLLAPSE_MEASURE = Measure(
    task="collapse",
    version=VERSION,
    metric="same_answer_rate",
    description="share of pairs of answers, at temperature 1, to a request to think of any name, "
    f"number or thing, that are the same: {CAUTION}",
    lower_is_better=True,
    hits=(SAME,),
    counted=(SAME, DIFFERENT),
    outcomes=(SAME, DIFFERENT, REFUSED, UNPARSED, TRUNCATED, *FAILED),
    further=_collapse_figures,
)


@task
def collapse(num_pairs: int = 12, seed: int = 0) -> Task:
    """Requests to think of anything, each asked in pairs: how often are both answers the same?

    Args:
        num_pairs: of each request.
        seed: of the draws and of the order.

    Raises:
        WeighError: fewer than one pair.
    """
    if num_pairs < 1:
        raise WeighError(f"num_pairs is {num_pairs}; it must be at least 1.")
    random = Random(f"collapse {VERSION} {seed}")
    samples = [
        Sample(
            id=f"{choice}-{index}",
            input=CHOICES[choice],
            metadata={"choice": choice, "seed": random.randrange(2**30)},
        )
        for index in range(1, num_pairs + 1)
        for choice in random.sample(list(CHOICES), len(CHOICES))
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"collapse {VERSION}, seed {seed}"),
        solver=ask_twice(),
        scorer=pair(),
        version=VERSION,
    )


@solver
def ask_twice() -> Solver:
    """Ask the sample's request in two conversations that know nothing of each other."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model, outputs = get_model(), list[ModelOutput]()
        for turn in range(2):
            # The run's own seed would give one answer to all.
            seed = state.metadata["seed"] + 2 * state.epoch + turn
            config = GenerateConfig(temperature=1.0, seed=seed)
            outputs.append(await model.generate(state.input_text, config=config))
        state.store.set(
            _STORE, [(output.completion, ending(output.stop_reason)) for output in outputs]
        )
        state.output = outputs[-1]
        return state

    return solve


@scorer(metrics=[accuracy(), outcome_counts()])
def pair() -> Scorer:
    """Compare two answers to one request."""

    async def score(state: TaskState, target: Target) -> Score:
        (first, first_ending), (second, second_ending) = state.store.get(_STORE)
        choice = state.metadata["choice"]
        outcome = (
            first_ending or second_ending or judge_pair(first, second, is_number=choice == "number")
        )
        return judged(
            outcome,
            hit=outcome == SAME,
            answer=f"{first} / {second}",
            explanation=f"{outcome}: {first!r} and {second!r}",
            cluster=choice,
            first=named(first, is_number=choice == "number"),
            second=named(second, is_number=choice == "number"),
        )

    return score


def judge_pair(first: str, second: str, *, is_number: bool) -> str:
    """Return the outcome of two answers, a name of COLLAPSE_MEASURE.outcomes."""
    if is_refusal(first) or is_refusal(second):
        return REFUSED
    names = [named(answer, is_number=is_number) for answer in (first, second)]
    if None in names:
        return UNPARSED
    return SAME if names[0] == names[1] else DIFFERENT


def named(answer: str, *, is_number: bool) -> str | None:
    """Return what an answer names, or None where it is more than a name."""
    if is_number:
        return last_number(answer)
    found = words(answer)
    return " ".join(found) if 0 < len(found) <= _MOST_WORDS else None


def entropy(answers: Sequence[str]) -> float:
    """Return the entropy, in nats, of what `answers` are a sample of.

    With the correction of G. A. Miller, "Note on the bias of information estimates" (1955), as few
    answers show too little of it: the kinds seen less one, over twice the answers, are added.
    """
    counts = Counter(answers)
    total = len(answers)
    plain = -sum(count / total * log(count / total) for count in counts.values())
    return plain + (len(counts) - 1) / (2 * total)
