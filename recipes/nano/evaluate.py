"""`python -m recipes.nano.evaluate` measures the shipped model on items that training never saw.

Sums are additions of held-out pairs at each effort; tellings are checked for variety. Each rate has
its Wilson interval. Sampling is the server's default, temperature 1.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, get_args

from netweight import nano
from netweight.engine import Engine, Request, Sampling, Token
from netweight.evals.stats import wilson
from netweight.harmony import Message, Vocabulary, parse_completion, render_for_completion
from netweight.model import load_transformer
from recipes.nano import sums, tellings
from recipes.nano.conversations import Example, Turn
from recipes.nano.encode import prompt_messages
from recipes.nano.sums import Effort

DATE = "2026-01-15"
MAX_TOKENS = 300


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


class Speaker:
    """A checkpoint that answers questions, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Load weights and vocabulary."""
        self.vocabulary = Vocabulary.load(folder)
        self.engine = Engine(load_transformer(folder))

    def answer(self, question: str, effort: Effort, *, seed: int) -> list[Message]:
        """What the model says to one question."""
        item = Example(effort, DATE, None, (Turn(question, "", ""),))
        request = Request(
            render_for_completion(self.vocabulary, prompt_messages(item)),
            Sampling(seed=seed),
            self.vocabulary.stop_ids,
            MAX_TOKENS,
        )
        drawn = [e.token_id for e in self.engine.generate(request) if isinstance(e, Token)]
        return parse_completion(self.vocabulary, drawn)


def final_text(messages: Iterable[Message]) -> str:
    """The answer; empty when there is none."""
    return "".join(message.text for message in messages if message.channel == "final")


def evaluate(speaker: Speaker, num_items: int, seed: int) -> Iterator[Score]:
    """Every measure of nano, as it is finished."""
    for effort in get_args(Effort):
        yield _sums(speaker, effort, num_items, Random(f"sums {seed}"))
    told = list(_tellings(speaker, num_items // 2, Random(f"tellings {seed}")))
    yield Score("tellings that name their subject", sum(named for _, named in told), len(told))
    yield Score("tellings unlike every other", len({text for text, _ in told}), len(told))


def _sums(speaker: Speaker, effort: Effort, num_items: int, random: Random) -> Score:
    right = 0
    for seed in range(num_items):
        item = sums.held_out_sum(random)
        said = final_text(speaker.answer(sums.question(item, random), effort, seed=seed))
        right += said == sums.answer(item)
    return Score(f"unseen two-digit sums, {effort} effort", right, num_items)


def _tellings(speaker: Speaker, num_items: int, random: Random) -> Iterator[tuple[str, bool]]:
    for seed in range(num_items):
        subject = random.choice(tellings.SUBJECTS)
        requests = random.choice((tellings.STORY_REQUESTS, tellings.RHYME_REQUESTS))
        question = random.choice(requests).format(name=subject.name)
        said = final_text(speaker.answer(question, "medium", seed=seed))
        yield said, subject.plain in said


def main() -> None:
    """Print one line per measure, as text or JSON."""
    parser = argparse.ArgumentParser(prog="python -m recipes.nano.evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=nano.FOLDER)
    parser.add_argument("--items", type=int, default=200, help="sums per effort")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON line per measure")
    arguments = parser.parse_args()
    for score in evaluate(Speaker(arguments.folder), arguments.items, arguments.seed):
        row = score.row()
        if arguments.json:
            print(json.dumps(row), flush=True)
            continue
        print(
            f"{row['measure']:<40} {row['hits']:>4} of {row['n']:<4} {row['rate']:.1%} "
            f"(95% interval {row['lower']:.1%} to {row['upper']:.1%})",
            flush=True,
        )


if __name__ == "__main__":
    main()
