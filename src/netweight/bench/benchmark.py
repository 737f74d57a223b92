"""A benchmark: which cases, in turns between us and a peer, and what the times mean.

Both sides get the same tokens. Where the memory holds both they take turns case by case, so that a
noisy neighbour slows both; where it does not, they take turns process by process. Ratios are of
medians.
"""

import os
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Literal

from netweight.bench import plan, process
from netweight.bench.limits import Limits
from netweight.bench.process import PeerName, Process
from netweight.errors import BenchError
from netweight.model import Config, ModelFolder, find_device
from netweight.model.budget import Dense, usable_bytes
from netweight.model.device import device_memory

Side = Literal["netweight"] | PeerName
Say = Callable[[str], None]
_WARM_UP_TOKENS = 64  # of a prompt: enough to touch nearly every expert of every layer


@dataclass(frozen=True)
class Case:
    """A prompt of `tokens`, or a decode step of `batch` sequences that have `tokens` each."""

    kind: Literal["prefill", "decode"]
    tokens: int
    batch: int = 1

    @property
    def tokens_per_sample(self) -> int:
        """Tokens that one timed piece of work takes or gives."""
        return self.tokens if self.kind == "prefill" else self.batch

    def work(self, config: Config, dense: Dense) -> plan.Work:
        """What one timed piece of work must read and multiply at least."""
        if self.kind == "prefill":
            return plan.prefill_work(config, dense=dense, num_tokens=self.tokens)
        return plan.decode_work(config, dense=dense, context=self.tokens, batch=self.batch)


@dataclass(frozen=True)
class Settings:
    """What to run, and how long."""

    quick_rounds: ClassVar[int] = 3
    quick_steps: ClassVar[int] = 4

    cases: tuple[Case, ...]
    num_threads: int
    dense: Dense = "bf16"
    max_rounds: int = 5
    steps: int = 8  # decode steps of a visit, the first of which is not counted
    budget_s: float = 600.0
    peer_tokens: int = 512  # the peer runs the cases up to this context
    device: str = "cpu"  # where both sides run


def settings_for(
    config: Config,
    *,
    contexts: Sequence[int],
    batches: Sequence[int],
    num_threads: int,
    dense: Dense = "bf16",
    budget_s: float = 600.0,
    quick: bool = False,
    device: str = "cpu",
) -> Settings:
    """Prompts of each context's length, and decode steps at each context and batch.

    Raises:
        BenchError: for a context that the model's own does not hold.
    """
    rounds = Settings.quick_rounds if quick else Settings.max_rounds
    steps = Settings.quick_steps if quick else Settings.steps
    longest = max(contexts)
    if longest + steps > config.max_context:
        raise BenchError(
            f"a context of {longest} and {steps} steps more exceed the model's "
            f"{config.max_context} tokens; choose a shorter one."
        )
    cases = [Case("prefill", context) for context in contexts]
    cases += [Case("decode", context, batch) for context in contexts for batch in batches]
    return Settings(
        *(tuple(cases), num_threads, dense, rounds, steps, budget_s),
        peer_tokens=min(contexts),
        device=device,
    )


@dataclass
class Timed:
    """One side's times of one case, in seconds."""

    case: Case
    samples: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def tokens_per_s(self) -> float:
        """By the median time."""
        return self.case.tokens_per_sample / self.seconds

    def quantile(self, share: float) -> float:
        """Tokens per second that this share of the samples stays below."""
        rates = sorted(self.case.tokens_per_sample / seconds for seconds in self.samples)
        return rates[round(share * (len(rates) - 1))]


@dataclass
class SideResult:
    """What one side did."""

    name: str = ""  # and version, and kernels
    load_s: list[float] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    timed: dict[Case, Timed] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A benchmark's result."""

    model: str
    config: Config
    settings: Settings
    limits: Limits
    load_average: float  # of the machine before: others' work, which is noise here
    sides: dict[Side, SideResult]

    def ratio(self, case: Case) -> float | None:
        """How many times the peer's speed ours is; None where it did not run the case."""
        peers = [side for name, side in self.sides.items() if name != "netweight"]
        if not peers or case not in peers[0].timed:
            return None
        return peers[0].timed[case].seconds / self.sides["netweight"].timed[case].seconds

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "model": self.model,
            "parameters": self.config.num_parameters,
            "dense": self.settings.dense,
            "threads": self.limits.num_threads,
            **self._device_record(),
            "load_average": round(self.load_average, 2),
            "read_gb_per_s": round(self.limits.read_bytes_per_s / 1e9, 2),
            "tflops": {name: round(value / 1e12, 3) for name, value in self.limits.flops.items()},
            "sides": {
                side: {
                    "name": result.name,
                    "load_s": round(statistics.median(result.load_s), 3),
                    "memory_bytes": result.memory,
                }
                for side, result in self.sides.items()
            },
            "cases": [self._case_record(case) for case in self.settings.cases],
        }

    def _device_record(self) -> dict[str, Any]:
        if not self.limits.device:
            return {}
        copied = self.limits.copy_bytes_per_s
        return {
            "device": self.limits.device,
            "copy_gb_per_s": None if copied is None else round(copied / 1e9, 2),
        }

    def _case_record(self, case: Case) -> dict[str, Any]:
        row: dict[str, Any] = {"kind": case.kind, "tokens": case.tokens, "batch": case.batch}
        for side, result in self.sides.items():
            if case in result.timed:
                row[side] = self._timed_record(result.timed[case])
        ratio = self.ratio(case)
        return row if ratio is None else {**row, "ratio": round(ratio, 3)}

    def _timed_record(self, timed: Timed) -> dict[str, float | int]:
        work = timed.case.work(self.config, self.settings.dense)
        rate = work.read_bytes / timed.seconds
        flops = work.flops / timed.seconds
        return {
            "n": len(timed.samples),
            "tokens_per_s": round(timed.tokens_per_s, 3),
            "tokens_per_s_p20": round(timed.quantile(0.2), 3),
            "tokens_per_s_p80": round(timed.quantile(0.8), 3),
            "gb_per_s": round(rate / 1e9, 3),
            "share_of_bandwidth": round(rate / self.limits.read_bytes_per_s, 4),
            "tflops": round(flops / 1e12, 4),
            "share_of_peak": round(flops / self.limits.peak_flops, 4),
        }


@dataclass(frozen=True)
class _Player:
    """How one side is started, and which cases it takes."""

    side: Side
    start: Callable[[], Process]
    load: dict[str, Any]
    warm_up: list[int]  # a prompt that touches the weights
    cases: tuple[Case, ...]
    need_bytes: int


def run(
    folder: ModelFolder,
    config: Config,
    settings: Settings,
    measure: Callable[[], Limits],
    *,
    peer_file: Path | None = None,
    against: PeerName = "llama.cpp",
    say: Say = lambda text: None,
) -> Report:
    """Measure the model in `folder`, and the peer `against` on `peer_file` in the same run.

    `measure` finds the machine's limits, once before and once after; `peer_file` is what the peer
    loads, a GGUF file or a checkpoint folder, or None for no peer.

    Raises:
        BenchError: when a side cannot run.
    """
    load_average = os.getloadavg()[0]
    say("measuring the machine")
    limits = measure()
    players = [_our_player(folder.path, config, settings)]
    if peer_file is not None:
        make = _peer_player if against == "llama.cpp" else partial(_torch_player, against)
        players.append(make(peer_file, config, settings))
    results: dict[Side, SideResult] = {player.side: SideResult() for player in players}
    together = sum(player.need_bytes for player in players) < _usable_bytes(settings.device)
    visits = (
        _together(players, results, settings) if together else _apart(players, results, settings)
    )
    for player, worker, case in visits:
        say(f"{player.side}: {case.kind} {case.tokens:,} tokens, batch {case.batch}")
        timed = results[player.side].timed.setdefault(case, Timed(case))
        timed.samples += _visit(worker, case, config, settings, seed=len(timed.samples))
    say("measuring the machine again")
    limits = limits.or_more(measure())
    return Report(folder.name, config, settings, limits, load_average, results)


def _usable_bytes(device: str) -> int:
    return usable_bytes() if device == "cpu" else device_memory(find_device(device))[0]


def _our_player(folder: Path, config: Config, settings: Settings) -> _Player:
    arguments = {"path": str(folder), "threads": settings.num_threads, "dense": settings.dense}
    if settings.device != "cpu":
        arguments["device"] = settings.device
    context = max(case.tokens * case.batch for case in settings.cases)
    need = plan.memory(
        config, dense=settings.dense, context=context, batch=1, step_tokens=context
    ).total
    return _Player(
        "netweight",
        lambda: process.start_ours(num_threads=settings.num_threads),
        arguments,
        _warm_up(config),
        settings.cases,
        need,
    )


def _peer_player(file: Path, config: Config, settings: Settings) -> _Player:
    cases = tuple(case for case in settings.cases if case.tokens <= settings.peer_tokens)
    sequences = max((case.batch for case in cases), default=1)
    arguments = {
        "path": str(file),
        "threads": settings.num_threads,
        # The first sequence's prompt is shared; each adds the steps of up to three visits.
        "context": max((case.tokens for case in cases), default=0)
        + 4 * settings.steps * sequences
        + _WARM_UP_TOKENS,
        "sequences": sequences,
        "exact": False,
    }
    # It maps the file and may repack most of it into memory of its own.
    return _Player(
        "llama.cpp",
        lambda: process.start_peer(num_threads=settings.num_threads),
        arguments,
        _warm_up(config),
        cases,
        2 * file.stat().st_size,
    )


def _torch_player(name: PeerName, folder: Path, config: Config, settings: Settings) -> _Player:
    cases = tuple(
        case
        for case in settings.cases
        if case.tokens <= settings.peer_tokens and (name != "gpt-oss" or case.batch == 1)
    )
    longest = max((case.tokens for case in cases), default=0)
    arguments = {
        "path": str(folder),
        "device": settings.device,
        "context": longest + settings.steps + _WARM_UP_TOKENS,
    }
    # All in bfloat16 with transformers, and about that while gpt_oss loads.
    need = (
        2 * config.num_parameters
        + plan.memory(
            config, dense="bf16", context=longest, batch=8, step_tokens=longest
        ).activations
    )
    return _Player(
        name,
        lambda: process.start_peer(name, num_threads=settings.num_threads),
        arguments,
        _warm_up(config),
        cases,
        need,
    )


def _warm_up(config: Config) -> list[int]:
    return [token % config.vocab_size for token in range(_WARM_UP_TOKENS)]


_Visit = tuple[_Player, Process, Case]


def _together(
    players: Sequence[_Player], results: dict[Side, SideResult], settings: Settings
) -> Iterator[_Visit]:
    """All loaded at once: case by case in turns."""
    deadline = monotonic() + settings.budget_s
    with ExitStack() as stack:
        workers = {player.side: stack.enter_context(_loaded(player, results)) for player in players}
        for number in range(settings.max_rounds):
            for case in settings.cases:
                if number > 0 and monotonic() > deadline:
                    break
                for player in players:
                    if case in player.cases:
                        yield player, workers[player.side], case
        for player in players:
            results[player.side].memory = workers[player.side].ask("memory")


def _apart(
    players: Sequence[_Player], results: dict[Side, SideResult], settings: Settings
) -> Iterator[_Visit]:
    """One loaded at a time: process by process in turns."""
    started = monotonic()
    for number in range(1, settings.max_rounds + 1):
        for player in players:
            with _loaded(player, results) as worker:
                for case in player.cases:
                    yield player, worker, case
                results[player.side].memory = worker.ask("memory")
        elapsed = monotonic() - started
        if elapsed * (number + 1) / number > settings.budget_s:  # another would take too long
            break


def _loaded(player: _Player, results: dict[Side, SideResult]) -> Process:
    worker = player.start()
    try:
        answer = worker.ask("load", **player.load)
        worker.ask("prefill", tokens=player.warm_up)
    except BaseException:
        worker.close()
        raise
    result = results[player.side]
    result.name = answer["name"]
    result.load_s.append(answer["seconds"])
    return worker


def _visit(
    worker: Process, case: Case, config: Config, settings: Settings, *, seed: int
) -> list[float]:
    draw = random.Random(f"{case} {seed}")
    if case.kind == "prefill":
        tokens = [draw.randrange(config.vocab_size) for _ in range(case.tokens)]
        return [worker.ask("prefill", tokens=tokens)["seconds"]]
    steps = [
        [draw.randrange(config.vocab_size) for _ in range(case.batch)]
        for _ in range(settings.steps)
    ]
    seconds: list[float] = worker.ask("decode", context=case.tokens, steps=steps, seed=seed)[
        "seconds"
    ]
    return seconds[1:]
