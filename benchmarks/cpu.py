"""Does the CPU engine reach its bars? Each is measured here in one run, on one checkpoint.

    python -m benchmarks.cpu CHECKPOINT [--gguf FILE] [--threads N] [--rounds N] [--no-record]

The bars are for a random checkpoint of the 20b shape (`netweight synth 20b DIR`) on two cores with
AMX. A smaller shape runs too, with every length shortened to its context: that tries the script,
not the bars. Ratios are of medians taken in turns. NETWEIGHT_PEER_PYTHON may lead to llama.cpp.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import append
from netweight.bench import (
    Case,
    Limits,
    Process,
    Report,
    Settings,
    check_peer,
    convert,
    measure,
    num_cores,
    run,
    start_ours,
)
from netweight.errors import BenchError
from netweight.model import Checkpoint, Config, Dense, ModelFolder, load_transformer

GIB = 2**30


@dataclass(frozen=True)
class Sizes:
    """Lengths in tokens, and how many ask at once."""

    short: int = 512
    prompt: int = 2048
    long: int = 16_384
    server: int = 8192
    prefix: int = 4000
    answer: int = 24
    concurrent: int = 8

    @classmethod
    def of(cls, config: Config) -> "Sizes":
        """The bars' own, or shorter ones that the model's context holds."""
        full = cls()
        share = min(1.0, config.max_context / (2 * full.long))
        names = ("short", "prompt", "long", "server", "prefix")
        return cls(**{name: max(16, int(getattr(full, name) * share)) for name in names})


@dataclass(frozen=True)
class Bar:
    """One bar and what was measured: `value` must be at least, or at most, `bar`."""

    name: str
    bar: float
    value: float | None  # None: could not be measured, `note` says why
    note: str = ""
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.value is None:
            return "not measured"
        reached = self.value <= self.bar if self.at_most else self.value >= self.bar
        return "reached" if reached else "missed"

    def record(self) -> dict[str, Any]:
        """For JSON."""
        value = None if self.value is None else round(self.value, 4)
        sign = "at most" if self.at_most else "at least"
        named = {"name": self.name, "bar": f"{sign} {self.bar:g}", "value": value}
        return {**named, "verdict": self.verdict, "note": self.note}


class Asked:
    """Everything that is measured on our side alone, in the order of the bars."""

    def __init__(self, path: Path, config: Config, num_threads: int, rounds: int) -> None:
        """Remember what to run; nothing runs yet."""
        self.path = path
        self.config = config
        self.num_threads = num_threads
        self.rounds = rounds
        self.sizes = Sizes.of(config)
        self._random = random.Random(0)

    @contextmanager
    def loaded(self, dense: Dense) -> Iterator[Process]:
        """A process with the model in it, warmed up."""
        with start_ours(num_threads=self.num_threads) as worker:
            worker.ask("load", path=str(self.path), threads=self.num_threads, dense=dense)
            worker.ask("prefill", tokens=self.tokens(64))
            yield worker

    def limits(self) -> Limits:
        """The machine's, now."""
        return measure(self.num_threads)

    def tokens(self, count: int) -> list[int]:
        """Random token ids."""
        return [self._random.randrange(self.config.vocab_size) for _ in range(count)]

    def concurrency(self, worker: Process) -> Bar:
        """Total decode speed of several requests through the engine, against one."""
        rates: dict[int, list[float]] = {1: [], self.sizes.concurrent: []}
        for _ in range(self.rounds):
            for number, found in rates.items():
                prompts = [self.tokens(self.sizes.short) for _ in range(number)]
                answer = worker.ask("serve", prompts=prompts, max_tokens=self.sizes.answer)
                found.append(answer["decode_tokens"] / answer["decode_s"])
        one, many = (statistics.median(found) for found in rates.values())
        name = f"{self.sizes.concurrent} requests at once, total decode speed against one"
        return Bar(name, 2.5, many / one, f"{many:.2f} against {one:.2f} tokens/s")

    def context(self, worker: Process) -> Bar:
        """Decode speed far into a context, against near its beginning."""
        seconds: dict[int, list[float]] = {self.sizes.short: [], self.sizes.long: []}
        for _ in range(self.rounds):
            for context, found in seconds.items():
                steps = [self.tokens(1) for _ in range(12)]
                answer = worker.ask("decode", context=context, steps=steps, seed=0)
                found += answer["seconds"][2:]
        near, far = (statistics.median(found) for found in seconds.values())
        name = f"decode at context {self.sizes.long:,} against {self.sizes.short:,}"
        return Bar(name, 0.75, near / far, f"{1 / far:.2f} against {1 / near:.2f} tokens/s")

    def prefix(self, worker: Process) -> Bar:
        """Time to first token of a request that shares a prefix with an earlier one."""
        ratios, pairs = [], []
        for _ in range(max(1, self.rounds - 1)):
            shared = self.tokens(self.sizes.prefix)
            first, second = (
                worker.ask("serve", prompts=[shared + self.tokens(16)], max_tokens=2)[
                    "first_token_s"
                ][0]
                for _ in range(2)
            )
            ratios.append(second / first)
            pairs.append(f"{second:.2f} of {first:.2f} s")
        name = f"first token after a shared prefix of {self.sizes.prefix:,}, against without"
        return Bar(name, 1 / 20, statistics.median(ratios), ", ".join(pairs), at_most=True)

    def memory(self) -> Bar:
        """Peak memory of a fresh process that answers at the bar's context, beyond the weights."""
        with start_ours(num_threads=self.num_threads) as worker:
            worker.ask("load", path=str(self.path), threads=self.num_threads, dense="bf16")
            prompt = self.tokens(self.sizes.server - 16)
            worker.ask("serve", prompts=[prompt], max_tokens=16)
            found = worker.ask("memory")
        beyond = found["peak"] - self.config.checkpoint_bytes
        note = f"{found['private'] / GIB:.2f} GiB its own, {found['file'] / GIB:.2f} GiB of files"
        name = f"peak memory at context {self.sizes.server:,}, GB beyond the checkpoint"
        return Bar(name, 1.5, beyond / 1e9, note, at_most=True)


def against_peer(asked: Asked, gguf: Path | None) -> tuple[Report, list[Bar]]:
    """Decode and prefill beside llama.cpp with 8 bits outside the experts; the share it is of."""
    sizes = asked.sizes
    decode, prefill = Case("decode", sizes.short), Case("prefill", sizes.short)
    settings = Settings(
        (prefill, decode),
        asked.num_threads,
        "int8",
        max_rounds=asked.rounds,
        steps=16,
        budget_s=3600,
        peer_tokens=sizes.short,
    )
    folder = ModelFolder(asked.path.name, asked.path)
    report = run(folder, asked.config, settings, asked.limits, peer_file=gguf, say=tell)

    def bar(name: str, least: float, case: Case) -> Bar:
        ours = report.sides["netweight"].timed[case].tokens_per_s
        peer = report.sides.get("llama.cpp")
        note = f"{ours:.2f} tokens/s"
        note += f" against {peer.timed[case].tokens_per_s:.2f}" if peer else "; no llama.cpp here"
        return Bar(
            f"{name} {sizes.short:,}, int8, against llama.cpp", least, report.ratio(case), note
        )

    return report, [
        bar("decode at context", 1.3, decode),
        bar("prefill of", 5.0, prefill),
        read_share(report, decode),
    ]


def read_share(report: Report, case: Case) -> Bar:
    """How much of the read bandwidth decoding uses."""
    timed = report.sides["netweight"].timed[case]
    rate = case.work(report.config, report.settings.dense).read_bytes / timed.seconds
    name = f"decode, share of read bandwidth, {report.settings.dense}"
    note = f"{rate / 1e9:.2f} of {report.limits.read_bytes_per_s / 1e9:.2f} GB/s"
    return Bar(name, 0.8, rate / report.limits.read_bytes_per_s, note)


def alone(asked: Asked) -> list[Bar]:
    """Decode's share of bandwidth and a long prompt's share of the matrix peak, in bfloat16."""
    decode, prefill = Case("decode", asked.sizes.short), Case("prefill", asked.sizes.prompt)
    settings = Settings(
        (prefill, decode), asked.num_threads, max_rounds=asked.rounds, steps=16, budget_s=3600
    )
    folder = ModelFolder(asked.path.name, asked.path)
    report = run(folder, asked.config, settings, asked.limits, say=tell)
    timed = report.sides["netweight"].timed[prefill]
    flops = prefill.work(asked.config, "bf16").flops / timed.seconds
    note = f"{timed.tokens_per_s:.1f} tokens/s, {flops / 1e12:.3f} TFLOP/s"
    name = f"prefill of {asked.sizes.prompt:,}, share of torch's {report.limits.peak_dtype} peak"
    return [read_share(report, decode), Bar(name, 0.5, flops / report.limits.peak_flops, note)]


def tell(text: str) -> None:
    """A sign of life."""
    print(text, file=sys.stderr, flush=True)


def bars_of(asked: Asked, gguf: Path | None) -> tuple[Report, list[Bar]]:
    """All bars, and the report of the run beside the peer."""
    report, bars = against_peer(asked, gguf)
    bars += alone(asked)
    with asked.loaded("int8") as worker:
        for question in (asked.context, asked.concurrency, asked.prefix):
            tell(question.__name__)
            bars.append(question(worker))
    tell("memory")
    bars.append(asked.memory())
    return report, bars


def peer_file(checkpoint: Checkpoint, gguf: Path | None) -> Path | None:
    """The checkpoint as a GGUF file, made unless it is there; None where there is no llama.cpp."""
    try:
        check_peer()
    except BenchError as error:
        tell(str(error))
        return None
    path = gguf or Path("out", "peer", f"{checkpoint.path.resolve().name}-int8.gguf")
    if not path.exists():
        tell(f"converting to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        convert(checkpoint, path, dense="int8")
    return path


def show(limits: Limits, bars: Sequence[Bar]) -> None:
    """The table, for people."""
    tell(f"\n{limits.read_bytes_per_s / 1e9:.2f} GB/s, {limits.peak_flops / 1e12:.3f} TFLOP/s\n")
    for bar in bars:
        found = "-" if bar.value is None else f"{bar.value:.3f}"
        sign = "<=" if bar.at_most else ">="
        tell(f"{bar.verdict:<12} {found:>8} {sign} {bar.bar:<5.3g} {bar.name} ({bar.note})")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show, and append one row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--threads", type=int, default=num_cores())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args(arguments)
    checkpoint = Checkpoint.open(options.checkpoint)
    asked = Asked(options.checkpoint, checkpoint.config, options.threads, options.rounds)
    gguf = peer_file(checkpoint, options.gguf)
    for dense in ("bf16", "int8"):
        tell(f"packing {dense}, unless that is done")
        load_transformer(options.checkpoint, dense=dense)
    report, bars = bars_of(asked, gguf)
    show(report.limits, bars)
    if not options.no_record:
        append("cpu", {**report.record(), "bars": [bar.record() for bar in bars]})


if __name__ == "__main__":
    main()
