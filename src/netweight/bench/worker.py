"""The model on the other end of a pipe: one JSON command a line in, one JSON answer a line out.

A process of its own, so that its memory is the model's and nobody else's, and so that the peer,
which has the same commands (`peer_worker`), runs under the same conditions.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from netweight.bench import ours
from netweight.bench.status import resident
from netweight.errors import NetweightError
from netweight.model.budget import Dense

if TYPE_CHECKING:
    from netweight.engine import Engine

Answer = dict[str, Any]


class Worker:
    """One loaded model, and an engine on it once that is asked for."""

    def load(self, path: str, threads: int, dense: Dense) -> Answer:
        """Load a checkpoint folder."""
        started = perf_counter()
        self.model = ours.load(Path(path), dense=dense, num_threads=threads)
        seconds = perf_counter() - started
        self._engine: Engine | None = None
        name = f"netweight {version('netweight')}, {self.model.kernels.name} kernels"
        return {"seconds": seconds, "name": name}

    def prefill(self, tokens: Sequence[int]) -> Answer:
        """Time the whole prompt, from nothing to its last logits."""
        return {"seconds": ours.prefill_seconds(self.model, tokens)}

    def decode(self, context: int, steps: Sequence[Sequence[int]], seed: int) -> Answer:
        """Time each step of one token for every sequence, from `context` tokens on."""
        return {"seconds": ours.decode_seconds(self.model, context, steps, seed)}

    def serve(self, prompts: Sequence[Sequence[int]], max_tokens: int) -> Answer:
        """Answer prompts side by side through the engine, greedily.

        `first_token_s` has the time to each prompt's first token; `decode_s` and `decode_tokens`
        are of the steps in which all of them were being answered, one token each.
        """
        from netweight.engine import Engine, Finish, Request, Sampling, Token

        engine = self._engine = self._engine or Engine(self.model)
        greedy = Sampling(temperature=0.0, seed=0)
        requests = [Request(prompt, greedy, max_tokens=max_tokens) for prompt in prompts]
        started = perf_counter()
        waiting = {engine.submit(request): index for index, request in enumerate(requests)}
        first_token_s = [0.0] * len(prompts)
        decode_s, decode_tokens = 0.0, 0
        while engine.has_work:
            all_answer = not waiting
            step_started = perf_counter()
            events = engine.step()
            now = perf_counter()
            failed = [e.error for e in events if isinstance(e, Finish) and e.reason == "error"]
            if failed:
                raise NetweightError(f"the engine failed: {failed[0]}")
            tokens = [event for event in events if isinstance(event, Token)]
            for event in tokens:
                index = waiting.pop(event.request_id, None)
                if index is not None:
                    first_token_s[index] = now - started
            if all_answer and len(tokens) == len(prompts):
                decode_s += now - step_started
                decode_tokens += len(tokens)
        return {
            "first_token_s": first_token_s,
            "decode_s": decode_s,
            "decode_tokens": decode_tokens,
        }

    def memory(self) -> Answer:
        """This process's memory in bytes, as the kernel counts it."""
        return resident(os.getpid())._asdict()

    @property
    def commands(self) -> dict[str, Callable[..., Answer]]:
        """What may be asked."""
        methods = (self.load, self.prefill, self.decode, self.serve, self.memory)
        return {method.__name__: method for method in methods}


def answer(commands: dict[str, Callable[..., Answer]], source: TextIO, sink: TextIO) -> None:
    """Answer commands until `source` ends; a NetweightError is an answer too."""
    for line in source:
        command = json.loads(line)
        try:
            result = commands[command.pop("do")](**command)
        except NetweightError as error:
            result = {"error": str(error)}
        sink.write(json.dumps(result) + "\n")
        sink.flush()


if __name__ == "__main__":
    answer(Worker().commands, sys.stdin, sys.stdout)
