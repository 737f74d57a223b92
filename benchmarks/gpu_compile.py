"""Compiles the kernels that `benchmarks.gpu` launches, in many processes at once.

    python -m benchmarks.gpu_compile DEVICE INDEX COUNT

A kernel takes a processor seconds to compile, for each shape and type, and one process compiles one
after another. Here each of COUNT processes launches its share of what sections launch, and Triton
keeps what it compiled on disk. Results are not looked at; what fails here, fails in its section.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.gpu_bench import Bench
from benchmarks.gpu_checks import (
    CASES,
    Mixtures,
    attended,
    attention,
    norms,
    projections,
    rotation_of,
    sampled,
)
from benchmarks.gpu_models import random_model
from benchmarks.gpu_report import Finding
from netweight import nano
from netweight.bench import num_cores, ours
from netweight.bench.cuda import wait
from netweight.model import Checkpoint
from netweight.model.loading import load_on_device

_MOST_PROCESSES = 8  # each has some GB of the device
_BATCHES = (1, 2, 9, 64)
_PROMPTS = (8192, 2048, 1024, 200, 40)
_NANO_PROMPTS = (1, 20, 60, 130, 300)


def compile_all(bench: Bench) -> list[Finding]:
    """Fill Triton's cache on disk."""
    name = "processes that compiled kernels ahead"
    if bench.device.type != "cuda":
        return [Finding(name, None, note="the interpreter compiles nothing")]
    count = min(_MOST_PROCESSES, num_cores())
    command = [sys.executable, "-m", "benchmarks.gpu_compile", str(bench.device)]
    running = [
        subprocess.Popen([*command, str(index), str(count)], stderr=subprocess.DEVNULL)
        for index in range(count)
    ]
    with suppress(subprocess.TimeoutExpired):
        for process in running:
            process.wait(bench.left_s())
    num_done = sum(process.poll() == 0 for process in running)
    for process in running:
        process.kill()
        process.wait()
    return [Finding(name, num_done, note=f"of {count}; the others were not done in time, or died")]


def tasks(bench: Bench) -> Iterator[Callable[[], object]]:
    """What to launch; those that take longest first, so that shares are even."""
    for name in ("20b", "120b"):
        for case in CASES:
            yield partial(Mixtures.launch, bench, name, case)
        yield from (partial(_prefill, bench, name, tokens) for tokens in _PROMPTS)
        yield from (partial(_decode, bench, name, batch) for batch in _BATCHES)
    yield from (partial(_nano, bench, tokens) for tokens in _NANO_PROMPTS)
    yield from (
        partial(check, bench)
        for check in (attention, attended, norms, projections, rotation_of, sampled)
    )


def _model(bench: Bench, name: str) -> ours.Model:
    config = replace(bench.shape(name), num_hidden_layers=2)
    return random_model(config, bench.device, bench.dtype)


def _prefill(bench: Bench, name: str, num_tokens: int) -> None:
    tokens = [token % 1000 for token in range(num_tokens)]
    ours.prefill(_model(bench, name), tokens, step_tokens=num_tokens)


def _decode(bench: Bench, name: str, batch: int) -> None:
    model = _model(bench, name)
    for context in (5, 1024, 65_536 if batch == 1 else 700):
        ours.Decoding(model, context, batch, 1).step(list(range(batch)))


def _nano(bench: Bench, num_tokens: int) -> None:
    model = load_on_device(Checkpoint.open(nano.FOLDER), bench.device, adapters={})
    ours.prefill(model, list(range(num_tokens)), step_tokens=num_tokens)


def main(device: str, index: str, count: str) -> None:
    """Launch a share."""
    bench = Bench(torch.device(device), Path(), small=False, seed=int(index))
    for task in list(tasks(bench))[int(index) :: int(count)]:
        with suppress(Exception):
            task()
        bench.free()
    wait(bench.device)


if __name__ == "__main__":
    main(*sys.argv[1:])
