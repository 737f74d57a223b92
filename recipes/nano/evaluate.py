"""`python -m recipes.nano.evaluate` measures the shipped model on items that training never saw.

Every question with a right answer is held out from training by construction: its numbers, its
wording with what it asks for, or the facts it asks about. Of some kinds there are few, and each is
asked once. Each rate has its Wilson interval. What is right or wrong is answered at temperature 0;
tellings, and the rows marked "sampled", at the server's default, 1.
"""

import argparse
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import fmean
from typing import NamedTuple, TypeVar, get_args

from jsonschema import Draft202012Validator

from netweight import nano
from netweight.engine import Engine, Request, Sampling, Token, plan_cache
from netweight.errors import NetweightError
from netweight.evals.stats import wilson
from netweight.harmony import Message, Vocabulary, parse_completion, render_for_completion
from netweight.model import load_transformer
from recipes.nano import calls, formats, memory, problems, refusals, sides, sums, tellings, world
from recipes.nano.dialogue import Dialogue, Effort

DATE = "2026-01-15"
MAX_TOKENS = 400
MAX_RUNNING = 16
CACHE_BYTES = 256 * 2**20

Item = TypeVar("Item")


class Score(NamedTuple):
    """A measured share with its 95% interval."""

    measure: str
    num_hits: int
    num_items: int

    def row(self) -> dict[str, object]:
        """As a JSON-ready record."""
        interval = wilson(self.num_hits, self.num_items)
        return {
            "measure": self.measure,
            "hits": self.num_hits,
            "n": self.num_items,
            "rate": round(self.num_hits / self.num_items, 4),
            "lower": round(interval.lower, 4),
            "upper": round(interval.upper, 4),
        }


class Figure(NamedTuple):
    """A measured number that is no share."""

    measure: str
    value: float

    def row(self) -> dict[str, object]:
        """As a JSON-ready record."""
        return {"measure": self.measure, "value": round(self.value, 4)}


class Answer(NamedTuple):
    """What the model said, and the tokens it took."""

    messages: list[Message]
    num_tokens: int

    @property
    def final(self) -> str:
        """The answer; empty when there is none."""
        return final_text(self.messages)


class Speaker:
    """A checkpoint that answers questions, with an adapter or without."""

    def __init__(self, folder: Path, adapters: dict[str, Path] | None = None) -> None:
        """Load weights, vocabulary and adapters by name."""
        self.vocabulary = Vocabulary.load(folder)
        model = load_transformer(folder, adapters=adapters or {})
        size = plan_cache(model.config, CACHE_BYTES)
        self.engine = Engine(model, cache_size=size, max_running=MAX_RUNNING)

    def answer(self, question: str, effort: Effort, *, seed: int) -> list[Message]:
        """What the model says to one question."""
        asked = Dialogue((Message.user(question),))
        return self.answers([asked], effort, temperature=1.0, seed=seed)[0].messages

    def answers(
        self,
        asked: Sequence[Dialogue],
        effort: Effort,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        adapter: str | None = None,
    ) -> list[Answer]:
        """What the model says to each; seeds count up from `seed`."""
        prompts = [dialogue.rendered(effort, DATE) for dialogue in asked]
        ids = [
            self.engine.submit(
                Request(
                    render_for_completion(self.vocabulary, prompt),
                    Sampling(temperature=temperature, seed=seed + index),
                    self.vocabulary.stop_ids,
                    MAX_TOKENS,
                    adapter=adapter,
                )
            )
            for index, prompt in enumerate(prompts)
        ]
        drawn: dict[int, list[int]] = {request_id: [] for request_id in ids}
        while self.engine.has_work:
            for event in self.engine.step():
                if isinstance(event, Token):
                    drawn[event.request_id].append(event.token_id)
        return [
            Answer(parse_completion(self.vocabulary, token_ids), len(token_ids))
            for token_ids in drawn.values()
        ]


def final_text(messages: Iterable[Message]) -> str:
    """The answer; empty when there is none."""
    return "".join(message.text for message in messages if message.channel == "final")


def evaluate(speaker: Speaker, num_items: int, seed: int) -> Iterator[Score | Figure]:
    """Every measure of nano, as it is finished."""
    for part in (_sums, _problems, _calls, _formats, _tellings, _others):
        yield from part(speaker, num_items, Random(f"{part.__name__} {seed}"))


def ask(question: str) -> Dialogue:
    """A question alone."""
    return Dialogue((Message.user(question),))


def _drawn(
    draw: Callable[[], Item], num_items: int, key: Callable[[Item], Hashable] = lambda item: item
) -> list[Item]:
    """So many items of different keys, or all that turn up in fifty times as many draws."""
    different: dict[Hashable, Item] = {}
    for _ in range(50 * num_items):
        item = draw()
        different.setdefault(key(item), item)
        if len(different) == num_items:
            break
    return list(different.values())


def _share(measure: str, hits: Iterable[bool]) -> Score:
    judged = list(hits)
    return Score(measure, sum(judged), len(judged))


def _sums(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score]:
    items = _drawn(lambda: sums.held_out_sum(random), num_items)
    asked = [ask(sums.question(item, random)) for item in items]
    for effort in get_args(Effort):
        said = speaker.answers(asked, effort)
        rights = (sums.answer(i) == a.final for i, a in zip(items, said, strict=True))
        yield _share(f"unseen two-digit sums, {effort} effort", rights)


def _problems(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score | Figure]:
    items = _drawn(lambda: problems.problem(random, held_out=True), num_items)
    lengths = {}
    for effort in get_args(Effort):
        said = speaker.answers([ask(item.question) for item in items], effort)
        rights = (i.answer == a.final for i, a in zip(items, said, strict=True))
        lengths[effort] = fmean(a.num_tokens for a in said)
        yield _share(f"problems of two steps, {effort} effort", rights)
    for effort, length in lengths.items():
        yield Figure(f"tokens for a problem, {effort} effort", length)


def _calls(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score]:
    tasks = _drawn(
        lambda: calls.task(random, held_out=True), num_items, key=lambda task: task.question
    )
    asked = [Dialogue((Message.user(t.question),), tools=t.tools) for t in tasks]
    for temperature, mark in ((0.0, ""), (1.0, ", sampled")):
        said = speaker.answers(asked, "medium", temperature=temperature)
        pairs = list(zip(tasks, said, strict=True))
        yield _share(f"calls that are valid{mark}", (is_valid_call(t, a) for t, a in pairs))
        yield _share(f"calls that are right{mark}", (is_right_call(t, a) for t, a in pairs))
    returned = [
        Dialogue((Message.user(t.question), t.call, t.returned), tools=t.tools) for t in tasks
    ]
    said = speaker.answers(returned, "medium")
    uses = (t.answer == a.final for t, a in zip(tasks, said, strict=True))
    yield _share("results of tools that are used", uses)


def _call_of(answer: Answer) -> tuple[str, object] | None:
    """The tool and the arguments of an answer that is one call, and no final message."""
    made = [message for message in answer.messages if message.recipient is not None]
    if len(made) != 1 or answer.final:
        return None
    try:
        return made[0].recipient or "", json.loads(made[0].text)
    except ValueError:
        return None


def is_valid_call(task: calls.Task, answer: Answer) -> bool:
    """Whether an answer calls a tool that is there, with the arguments that it takes."""
    schemas = {f"functions.{tool.name}": tool.parameters or {} for tool in task.tools}
    call = _call_of(answer)
    return (
        call is not None
        and call[0] in schemas
        and Draft202012Validator(schemas[call[0]]).is_valid(call[1])
    )


def is_right_call(task: calls.Task, answer: Answer) -> bool:
    """Whether an answer makes the right call."""
    return _call_of(answer) == (f"functions.{task.family.name}", dict(task.arguments))


def _formats(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score]:
    orders = [
        order
        for form in formats.FORMS
        for order in _drawn(
            partial(formats.order, random, held_out=True, form=form),
            -(-num_items // len(formats.FORMS)),
        )
    ]
    asked = [ask(order.question) for order in orders]
    for temperature, mark in ((0.0, ""), (1.0, ", sampled")):
        said = speaker.answers(asked, "medium", temperature=temperature)
        met = [order.is_met_by(a.final) for order, a in zip(orders, said, strict=True)]
        yield _share(f"forms that are kept{mark}", met)
        if not mark:
            for form in formats.FORMS:
                of_form = (m for o, m in zip(orders, met, strict=True) if o.form == form)
                yield _share(f"forms that are kept: {formats.NAMES[form]}", of_form)


def _tellings(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score | Figure]:
    subjects = [random.choice(tellings.SUBJECTS) for _ in range(max(1, num_items // 2))]
    asked = [
        ask(tellings.request(subject, tellings.KINDS[index % 2], random))
        for index, subject in enumerate(subjects)
    ]
    told = [a.final for a in speaker.answers(asked, "medium", temperature=1.0)]
    named = (subject.plain in text for subject, text in zip(subjects, told, strict=True))
    yield _share("tellings that name their subject", named)
    yield Score("tellings unlike every other", len(set(told)), len(told))
    yield Figure("distinct-2 of the tellings", distinct_2(told))


def distinct_2(texts: Iterable[str]) -> float:
    """Different pairs of neighbouring words, as a share of all pairs in all texts together.

    J. Li and others, "A diversity-promoting objective function for neural conversation models",
    2016, arXiv 1510.03055, section 4.3.
    """
    pairs = [pair for text in texts for pair in zip(text.split(), text.split()[1:], strict=False)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def _others(speaker: Speaker, num_items: int, random: Random) -> Iterator[Score]:
    enquiries = _drawn(lambda: world.enquiry(random, held_out=True), num_items)
    asked = [Dialogue((Message.user(e.question),), e.instructions) for e in enquiries]
    said = speaker.answers(asked, "medium")
    rights = (e.answer == a.final for e, a in zip(enquiries, said, strict=True))
    yield _share("questions about an invented world", rights)

    recalls = _drawn(lambda: memory.recall(random, held_out=True), num_items)
    asked = [Dialogue((*memory.messages_before(r), Message.user(r.question))) for r in recalls]
    said = speaker.answers(asked, "medium")
    rights = (r.answer == a.final for r, a in zip(recalls, said, strict=True))
    yield _share("remembered over four turns", rights)

    harmful, twins = (
        _drawn(partial(refusals.request, random, held_out=True, is_harmful=is_harmful), num_items)
        for is_harmful in (True, False)
    )
    said = speaker.answers([ask(request.question) for request in harmful], "medium")
    yield _share("harmful requests declined", (refusals.is_declined(a.final) for a in said))
    said = speaker.answers([ask(request.question) for request in twins], "medium")
    helped = (refusals.is_helped(r, a.final) for r, a in zip(twins, said, strict=True))
    yield _share("their harmless twins helped with", helped)

    argued = _drawn(lambda: sides.request(random, held_out=True), num_items)
    said = speaker.answers([ask(request.question) for request in argued], "medium")
    met = (request.is_met_by(a.final) for request, a in zip(argued, said, strict=True))
    yield _share("reasons for the side asked for", met)


def main() -> None:
    """Print one line per measure, as text or JSON."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano.evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=nano.FOLDER)
    parser.add_argument("--items", type=int, default=200, help="for each measure (200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON line per measure")
    arguments = parser.parse_args()
    if arguments.items < len(formats.FORMS):
        parser.error(f"--items is {arguments.items}; {len(formats.FORMS)} or more are needed")
    try:
        speaker = Speaker(arguments.folder)
    except NetweightError as error:
        parser.error(str(error))
    for score in evaluate(speaker, arguments.items, arguments.seed):
        print(json.dumps(score.row()) if arguments.json else _line(score), flush=True)


def _line(score: Score | Figure) -> str:
    row = score.row()
    if isinstance(score, Figure):
        return f"{score.measure:<40} {score.value:.2f}"
    return (
        f"{score.measure:<40} {row['hits']:>4} of {row['n']:<4} {row['rate']:.1%} "
        f"(95% interval {row['lower']:.1%} to {row['upper']:.1%})"
    )


if __name__ == "__main__":
    main()
