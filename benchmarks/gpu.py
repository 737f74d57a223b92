"""Is the GPU engine right, and does it reach its bars? Everything in one run of some minutes.

    python -m benchmarks.gpu [--minutes 9] [--only NAME ...] [--device cuda:0] [--no-record]
    python -m benchmarks.gpu --device cpu --small

Sections run one after another in the order of their worth, in a process of their own that is begun
anew after a failure, since an error on a device spoils all that follows in its process. What does
not fit into the time is not measured, and says so. The exit status is 1 if a check is wrong or a
section failed; a missed bar is a figure. With `--device cpu --small` the same sections run on tiny
shapes under Triton's interpreter: that tries the script, and measures nothing.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from benchmarks.gpu_report import (
    Finding,
    Outcome,
    Section,
    exit_status,
    lines_of,
    row_of,
    run_all,
    summary_of,
)
from netweight.bench import Process
from netweight.bench.worker import answer
from netweight.errors import BenchError

if TYPE_CHECKING:
    from benchmarks.gpu_bench import Bench

SECTIONS = (
    Section("limits", 40),
    Section("compile", 90),
    Section("kernels", 120),
    Section("twins", 40),
    Section("nano", 90),
    Section("graphs", 60),
    Section("logits-20b", 80),
    Section("decode-20b", 90),
    Section("prefill-20b", 60),
    Section("engine-20b", 60),
    Section("decode-120b", 90),
    Section("prefill-120b", 60),
    Section("offload", 60),
    Section("logits-120b", 100),
    Section("transformers", 60),
    Section("load", 150),
    Section("gpt-oss", 60),
    Section("memcheck", 120),
)
_ON_KEPT_MODELS = ("decode", "prefill", "engine")
_TAIL_LINES = 6  # of a traceback, with its message


def run_of(name: str) -> "Callable[[Bench], list[Finding]]":
    """What a section does."""
    from benchmarks import gpu_checks, gpu_compile, gpu_speed

    return {
        "compile": gpu_compile.compile_all,
        "limits": gpu_speed.limits,
        "kernels": gpu_checks.kernels,
        "twins": gpu_checks.twins,
        "nano": gpu_checks.nano_agreement,
        "graphs": gpu_checks.graphs,
        "logits-20b": gpu_checks.logits_of("20b"),
        "logits-120b": gpu_checks.logits_of("120b"),
        "offload": gpu_checks.offloading,
        "memcheck": gpu_checks.memcheck,
        "decode-20b": gpu_speed.decode_of("20b"),
        "decode-120b": gpu_speed.decode_of("120b"),
        "prefill-20b": gpu_speed.prefill_of("20b"),
        "prefill-120b": gpu_speed.prefill_of("120b"),
        "engine-20b": gpu_speed.engine_of("20b"),
        "load": gpu_speed.load,
        "transformers": gpu_speed.against_transformers,
        "gpt-oss": gpu_speed.against_gpt_oss,
    }[name]


class Worker:
    """The process that has the device."""

    def __init__(self, device: str, folder: str, seed: str, small: str) -> None:
        """As `Bench`, from the command line."""
        import torch

        from benchmarks.gpu_bench import Bench

        where = torch.device(device)
        self._bench = Bench(where, Path(folder), small=small == "small", seed=int(seed))

    def run(self, section: str, seconds: float) -> dict[str, Any]:
        """Run a section; what goes wrong in it is a BenchError with the end of its traceback."""
        self._bench.begin(seconds)
        if not section.startswith(_ON_KEPT_MODELS):
            self._bench.drop()
        try:
            findings = run_of(section)(self._bench)
            self._bench.free()
        except Exception as error:
            raise BenchError(_end_of(error)) from error
        return {"findings": [vars(one) for one in findings]}

    def about(self) -> dict[str, Any]:
        """The device and the libraries."""
        import torch
        import triton

        from netweight.bench.cuda import device_name

        device = self._bench.device
        return {
            "device": device_name(device),
            "capability": list(torch.cuda.get_device_capability(device))
            if device.type == "cuda"
            else None,
            "cuda": torch.version.cuda,
            "triton": triton.__version__,
        }


def _end_of(error: Exception) -> str:
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    return "\n".join(lines[-_TAIL_LINES:])


class Sections:
    """Asks a worker, and begins a new one after a failure."""

    def __init__(self, start: Callable[[], Process]) -> None:
        """`start` begins a worker."""
        self._start = start
        self._worker: Process | None = None

    def __enter__(self) -> "Sections":
        """Nothing more to do."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker."""
        self._end()

    def ask(self, section: str, seconds: float) -> list[Finding]:
        """Run a section in so many seconds; BenchError when it fails."""
        told = self._asked("run", seconds, section=section, seconds=seconds)
        return [Finding(**one) for one in told["findings"]]

    def about(self) -> dict[str, Any]:
        """What the worker says of the device; empty where it cannot."""
        try:
            return self._asked("about", 60.0)
        except BenchError as error:
            return {"device": str(error)}

    def _asked(self, do: str, timeout_s: float, **arguments: object) -> dict[str, Any]:
        self._worker = self._worker or self._start()
        try:
            return self._worker.ask(do, timeout_s=timeout_s, **arguments)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def driver() -> str | None:
    """The NVIDIA driver's version."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.partition("\n")[0] if done.returncode == 0 else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all sections, show and keep what they found; the exit status."""
    started = monotonic()
    options = _parser().parse_args(arguments)
    if options.worker:
        _serve(options.worker)
        return 0
    chosen = [one for one in SECTIONS if one.name in (options.only or [s.name for s in SECTIONS])]
    command = [sys.executable, "-m", "benchmarks.gpu", "--worker", options.device]
    Path(options.folder).mkdir(parents=True, exist_ok=True)
    if options.device == "cpu":
        os.environ["TRITON_INTERPRET"] = "1"  # of the workers, read when kernels are decorated
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        command += [folder, str(options.seed), "small" if options.small else "full"]
        with Sections(lambda: Process(command, num_threads=_num_threads(options.device))) as asked:
            about = asked.about()
            show(about)
            outcomes = run_all(
                chosen,
                asked.ask,
                budget_s=60 * options.minutes - (monotonic() - started),
                tell=lambda outcome: _tell(outcome, tried=options.device == "cpu"),
            )
    print(summary_of(outcomes, tried=options.device == "cpu"), flush=True)
    is_kept = options.device != "cpu" and not options.small and not options.no_record
    if is_kept:
        keep(outcomes, {**about, **kept_of(options)})
    return exit_status(outcomes)


def show(about: dict[str, Any]) -> None:
    """What it runs on, for people."""
    parts = ", ".join(f"{name} {value}" for name, value in about.items() if value is not None)
    print(f"{parts}, torch {version('torch')}", flush=True)


def kept_of(options: argparse.Namespace) -> dict[str, object]:
    """What a row says of the run, beside what was found."""
    named = {"commit": options.commit} if options.commit else {}
    return {"driver": driver(), "seed": options.seed, "minutes": options.minutes, **named}


def keep(outcomes: Sequence[Outcome], about: dict[str, Any]) -> None:
    """Append one row."""
    from benchmarks.record import append

    append("gpu", row_of(outcomes, about))


def _tell(outcome: Outcome, *, tried: bool) -> None:
    print("\n".join(lines_of(outcome, tried=tried)), flush=True)


def _num_threads(device: str) -> int:
    from netweight.bench import num_cores

    return 1 if device == "cpu" else num_cores()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[s.name for s in SECTIONS])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--small", action="store_true", help="tiny shapes, to try the script")
    parser.add_argument("--seed", type=int, default=secrets.randbits(31), help="fresh if not given")
    parser.add_argument("--folder", default="out/gpu", help="on the disk that loading reads from")
    parser.add_argument("--commit", help="what is measured, where there is no git")
    parser.add_argument("--no-record", action="store_true", help="print only")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    return parser


def _serve(arguments: Sequence[str]) -> None:
    """Answer commands; whatever a section prints goes to standard error."""
    with os.fdopen(os.dup(1), "w") as sink:
        os.dup2(2, 1)
        worker = Worker(*arguments)
        commands: dict[str, Callable[..., dict[str, Any]]]
        commands = {"run": worker.run, "about": worker.about}
        answer(commands, sys.stdin, sink)


if __name__ == "__main__":
    sys.exit(main())
