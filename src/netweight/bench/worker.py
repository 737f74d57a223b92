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

import torch

from netweight.bench import ours
from netweight.bench.cuda import wait
from netweight.bench.status import resident
from netweight.errors import NetweightError
from netweight.model import DeviceModel, find_device, load_model
from netweight.model.budget import Dense

if TYPE_CHECKING:
    from netweight.engine import Engine

Answer = dict[str, Any]


class Worker:
    """One loaded model, and an engine on it once that is asked for."""

    def load(self, path: str, threads: int, dense: Dense, device: str = "cpu") -> Answer:
        """Load a checkpoint folder."""
        where = find_device(device)
        wait(where)  # so that a device is awake before the clock starts
        started = perf_counter()
        self.model: ours.Model
        if where.type == "cpu":
            self.model = ours.load(Path(path), dense=dense, num_threads=threads)
        else:
            self.model = load_model(Path(path), dense=dense, device=where)
        wait(where)
        seconds = perf_counter() - started
        self._engine: Engine | None = None
        self._caches = ours.Caches(self.model)
        name = f"netweight {version('netweight')}, {_kernels_of(self.model)} kernels"
        return {"seconds": seconds, "name": name}

    def prefill(self, tokens: Sequence[int]) -> Answer:
        """Time the whole prompt, from nothing to its last logits."""
        return {"seconds": ours.prefill_seconds(self.model, tokens, self._caches)}

    def decode(self, context: int, steps: Sequence[Sequence[int]], seed: int) -> Answer:
        """Time each step of one token for every sequence, from `context` tokens on."""
        seconds = ours.decode_seconds(self.model, context, steps, seed, self._caches)
        return {"seconds": seconds}

    def serve(self, prompts: Sequence[Sequence[int]], max_tokens: int) -> Answer:
        """Answer prompts side by side through the engine, greedily; see `ours.Served`."""
        if self._engine is None:
            self._engine = self._new_engine()
        return ours.serve(self._engine, prompts, max_tokens)._asdict()

    def _new_engine(self) -> "Engine":
        if isinstance(self.model, DeviceModel):
            return ours.engine_of(self.model)
        from netweight.engine import Engine

        return Engine(self.model)

    def memory(self) -> Answer:
        """This process's memory in bytes, as the kernel counts it, and the device's at most."""
        found = resident(os.getpid())._asdict()
        device = ours.device_of(self.model)
        if device.type == "cuda":
            found["device"] = torch.cuda.max_memory_allocated(device)
        return found

    @property
    def commands(self) -> dict[str, Callable[..., Answer]]:
        """What may be asked."""
        methods = (self.load, self.prefill, self.decode, self.serve, self.memory)
        return {method.__name__: method for method in methods}


def _kernels_of(model: ours.Model) -> str:
    if isinstance(model, DeviceModel):
        return f"{model.transformer.kernels.name} on {model.device}"
    return model.kernels.name


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
