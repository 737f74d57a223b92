"""What does prompt-lookup speculation save where text repeats, and what does it cost elsewhere?

    python -m benchmarks.speculation CHECKPOINT [--dense int8] [--rounds N] [--no-record]

A checkpoint of random weights writes no code, so the continuation is given: the model computes all
it would, and then the logits are moved so that the known text is drawn. What is guessed right is
thus what that text repeats, and the time is the model's own. With and without speculation take
turns.
"""

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.record import append
from netweight.bench.limits import num_cores
from netweight.engine import Counts, Engine, Finish, Request, Sampling, Token, plan_cache
from netweight.harmony import Vocabulary
from netweight.model import (
    Layout,
    PagedCache,
    SamplingKernels,
    Transformer,
    load_transformer,
    set_num_threads,
)

ROOT = Path(__file__).parent.parent
GUESSES = 4  # tokens ahead, at most
NUM_PROMPT, NUM_ANSWER = 600, 100


class Dictated:
    """The model, whose next token is that of a given text wherever the text reaches."""

    def __init__(self, model: Transformer, token_ids: list[int]) -> None:
        self._model = model
        self._token_ids = token_ids
        self.config = model.config

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """As the model's."""
        return self._model.new_cache(num_pages, num_window_pages)

    @property
    def sampling(self) -> SamplingKernels | None:
        """As the model's."""
        return self._model.sampling

    @property
    def adapters(self) -> Collection[str]:
        """None."""
        return ()

    @torch.inference_mode()
    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        """The model's logits with the text's next token far above all others."""
        logits = self._model.step(token_ids, layout, cache, rows, adapters)
        for row, position in zip(logits, layout.positions[rows].tolist(), strict=True):
            row[self._token_ids[min(position + 1, len(self._token_ids) - 1)]] += 1e4
        return logits


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--dense", choices=("bf16", "int8"), default="int8")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    set_num_threads(num_cores())
    model = load_transformer(options.checkpoint, dense=options.dense)
    vocabulary = Vocabulary.load(options.checkpoint)
    row: dict[str, object] = {
        "model_parameters": model.config.num_parameters,
        "dense": options.dense,
        "kernels": model.kernels.name,
        "threads": num_cores(),
        "guesses": GUESSES,
        "prompt_tokens": NUM_PROMPT,
        "answer_tokens": NUM_ANSWER,
    }
    for name, (prompt, answer) in texts(vocabulary).items():
        row[name] = compare(model, prompt, answer, options.rounds)
        print(name, row[name], file=sys.stderr)
    if not options.no_record:
        append("speculation", row)


def texts(vocabulary: Vocabulary) -> dict[str, tuple[list[int], list[int]]]:
    """Token ids of prompts and answers: where text repeats, where not, and where it misleads."""
    code = (ROOT / "src/netweight/engine/scheduler.py").read_text(encoding="utf-8")
    edited = re.sub(r"\bstate\b", "request", code)
    row = '{{"city": "{}", "temperature_c": {}, "wind": "light", "humidity_percent": {}}}\n'
    cities = ("Oslo", "Bergen", "Tromso", "Bodo", "Alta", "Hamar", "Moss", "Molde", "Narvik")
    calls = "".join(row.format(city, 3 + at, 60 + at) for at, city in enumerate(cities * 3))
    prose = (ROOT / "docs/walk.md").read_text(encoding="utf-8")
    prose += (ROOT / "LICENSE").read_text(encoding="utf-8")

    def cut(before: str, after: str) -> tuple[list[int], list[int]]:
        return vocabulary.encode(before)[:NUM_PROMPT], vocabulary.encode(after)[:NUM_ANSWER]

    first_method = code.index("    def ", 800) - 400  # the answer begins where names are changed
    return {
        "code_edit": cut(code[first_method:], edited[first_method:]),
        "tool_loop": cut(calls, calls[200:]),
        "prose": cut(prose, prose[len(prose) // 2 :]),
        "misleading": misleading(),
    }


def misleading() -> tuple[list[int], list[int]]:
    """The same three tokens again and again, and each time another one after them."""
    draw = random.Random(0)
    ids = [token for _ in range(NUM_PROMPT) for token in (1, 2, 3, draw.randrange(1000, 100_000))]
    return ids[:NUM_PROMPT], ids[NUM_PROMPT : NUM_PROMPT + NUM_ANSWER]


def compare(
    model: Transformer, prompt: list[int], answer: list[int], num_rounds: int
) -> dict[str, object]:
    """Decoding with and without guesses, in turns; medians, and the median of the ratios."""
    dictated = Dictated(model, [*prompt, *answer])
    assert model.budget is not None, "a loaded model has a budget"
    size = plan_cache(model.config, model.budget.kv_bytes // 4)
    engines = [Engine(dictated, cache_size=size, speculate=guesses) for guesses in (0, GUESSES)]
    request = Request(prompt, Sampling(temperature=0), frozenset(), len(answer))
    rounds, counts = [], Counts()
    for _ in range(num_rounds):
        plain, _ = _run(engines[0], request, answer)
        guessing, counts = _run(engines[1], request, answer)
        rounds.append((plain, guessing))
    plain, guessing = (statistics.median(each) for each in zip(*rounds, strict=True))
    return {
        "plain_tokens_per_s": round(plain, 3),
        "guessing_tokens_per_s": round(guessing, 3),
        "ratio": round(statistics.median(with_ / without for without, with_ in rounds), 3),
        "drafted": counts.num_drafted,
        "accepted": counts.num_accepted,
    }


def _run(engine: Engine, request: Request, answer: list[int]) -> tuple[float, Counts]:
    """Tokens per second after the first one; the answer has to be the dictated one."""
    times, drawn, counts = [], [], Counts()
    for event in engine.generate(request):
        match event:
            case Token():
                times.append(time.perf_counter())
                drawn.append(event.token_id)
            case Finish():
                counts = event.counts
    assert drawn == answer, "speculation changed the answer"
    return (len(times) - 1) / (times[-1] - times[0]), counts


if __name__ == "__main__":
    main()
