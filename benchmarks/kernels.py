"""How near to this machine's limits do the native matrix products come?

Decode reads each weight once: the bound is how fast all threads can read memory, measured in turn
with each product. Prefill multiplies: its rate is in TFLOP/s. Shapes are those of gpt-oss-20b;
matrices take turns so that none is found in a cache.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

import netweight._native as _native
from benchmarks.record import append
from netweight.model.kernels import packed, reference

HIDDEN, EXPERTS, SLOTS = 2880, 32, 4
FORMS: tuple[packed.Form, ...] = ("bf16", "int8", "mxfp4")
SHAPES = {
    "qkv": (5120, 2880),
    "out": (2880, 4096),
    "gate_up": (5760, 2880),
    "output": (201088, 2880),
}
TURN_BYTES = 1 << 29  # of matrices that take turns
READ_BYTES = 1 << 26


class Turns:
    """Calls each of several pieces of work in turn."""

    def __init__(self, works: list[Callable[[], object]]) -> None:
        """Of at least one piece."""
        self.works, self.next = works, 0

    def __call__(self) -> None:
        """Do the next one."""
        self.works[self.next % len(self.works)]()
        self.next += 1


def random_matrix(form: packed.Form, rows: int, columns: int) -> Tensor:
    """One packed matrix of moderate weights."""
    if form != "mxfp4":
        return packed.pack(form, torch.randn(rows, columns).to(torch.bfloat16) * 0.02)
    blocks = torch.randint(0, 256, (1, rows, columns // 32, 16), dtype=torch.uint8)
    scales = torch.randint(118, 124, (1, rows, columns // 32), dtype=torch.uint8)
    return packed.pack_experts(blocks, scales)[0]


def layers(form: packed.Form, rows: int, columns: int) -> list[packed.PackedLinear]:
    """As many layers as exceed the caches."""
    data = random_matrix(form, rows, columns)
    count = max(1, min(48, TURN_BYTES // data.numel()))
    return [packed.PackedLinear(data.clone(), form, rows, columns) for _ in range(count)]


class Reader:
    """Reads memory with all threads, a new stretch each time."""

    def __init__(self) -> None:
        """Over more than the caches hold."""
        self.data = torch.zeros(TURN_BYTES, dtype=torch.uint8)
        self.at = 0

    def seconds(self) -> float:
        """The time to read READ_BYTES."""
        started = time.perf_counter()
        _native.read_bandwidth_bytes(self.data.data_ptr() + self.at, READ_BYTES)
        self.at = (self.at + READ_BYTES) % TURN_BYTES
        return time.perf_counter() - started


class Times(NamedTuple):
    """Medians over pairs of a read and a product, one after the other."""

    seconds: float
    share: float  # of reading as many bytes
    read_bytes_per_s: float


def measure(work: Callable[[], object], size: float, *, num_repeats: int) -> Times:
    """Of work that reads `size` bytes."""
    reader = Reader()
    work()
    pairs = []
    for _ in range(num_repeats):
        read_s = reader.seconds()
        started = time.perf_counter()
        work()
        pairs.append((time.perf_counter() - started, read_s))
    return Times(
        statistics.median(seconds for seconds, _ in pairs),
        statistics.median(size / seconds * read_s / READ_BYTES for seconds, read_s in pairs),
        READ_BYTES / statistics.median(read_s for _, read_s in pairs),
    )


def activations(tokens: int, columns: int) -> Tensor:
    """Random rows."""
    return torch.randn(tokens, columns).to(torch.bfloat16)


def measure_linear(form: packed.Form, name: str, tokens: list[int]) -> dict[str, object]:
    """Times of one shape for so many tokens each."""
    rows, columns = SHAPES[name]
    made = layers(form, rows, columns)
    row: dict[str, object] = {"form": form, "matrix": name}
    size = packed.packed_bytes(form, rows, columns)
    for count in tokens:
        x = activations(count, columns)
        work = Turns([partial(layer, x) for layer in made])
        times = measure(work, size, num_repeats=41 if count < 16 else 7)
        row |= figures(count, times, size, 2 * count * rows * columns)
    return report(row)


def measure_mixture(tokens: list[int]) -> dict[str, object]:
    """Times of a layer's experts."""
    one = [random_matrix("mxfp4", rows, HIDDEN) for rows in (2 * HIDDEN, HIDDEN)]
    data = [matrix.repeat(EXPERTS, 1) for matrix in one]
    expert_bytes = sum(matrix.numel() for matrix in one)
    biases = torch.zeros(EXPERTS, 2 * HIDDEN), torch.zeros(EXPERTS, HIDDEN)
    gate_up_bias, down_bias = (bias.to(torch.bfloat16) for bias in biases)
    mixture = packed.PackedMixture(
        data[0], gate_up_bias, data[1], down_bias, alpha=1.702, limit=7.0
    )
    row: dict[str, object] = {"form": "mxfp4", "matrix": "mixture"}
    for count in tokens:
        choices = [reference.route(torch.randn(count, EXPERTS), SLOTS) for _ in range(16)]
        x = activations(count, HIDDEN)
        work = Turns([partial(mixture, x, *choice) for choice in choices])
        used = sum(chosen.unique().numel() for _, chosen in choices) / len(choices)
        size = used * expert_bytes
        times = measure(work, size, num_repeats=41 if count < 16 else 7)
        row |= figures(count, times, size, 2 * count * SLOTS * 3 * HIDDEN * HIDDEN)
    return report(row)


def figures(tokens: int, times: Times, size: float, flop: int) -> dict[str, object]:
    """What is said of one time."""
    return {
        f"{tokens}_ms": round(times.seconds * 1e3, 3),
        f"{tokens}_gb_per_s": round(size / times.seconds / 1e9, 2),
        f"{tokens}_read_gb_per_s": round(times.read_bytes_per_s / 1e9, 2),
        f"{tokens}_share_of_read": round(times.share, 3),
        f"{tokens}_tflop_per_s": round(flop / times.seconds / 1e12, 4),
    }


def report(row: dict[str, object]) -> dict[str, object]:
    """Say it to people."""
    tokens = [name.removesuffix("_ms") for name in row if name.endswith("_ms")]
    for count in tokens:
        print(
            f"{row['form']:>6} {row['matrix']:>8} {count:>4} tokens: {row[count + '_ms']:>9} ms "
            f"{row[count + '_gb_per_s']:>6} GB/s = {row[count + '_share_of_read']:>5} of reading, "
            f"{row[count + '_tflop_per_s']:>6} TFLOP/s",
            file=sys.stderr,
        )
    return row


def main() -> None:
    """Measure, and append a row for each form and shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forms", nargs="+", default=[*FORMS, "mixture"])
    parser.add_argument("--matrices", nargs="+", default=["qkv", "gate_up"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[1, 2, 4, 8, 64, 128, 512])
    parser.add_argument("--threads", type=int, default=_native.num_threads())
    parser.add_argument("--dry", action="store_true", help="append nothing")
    options = parser.parse_args()
    _native.set_num_threads(options.threads)
    torch.set_num_threads(1)
    machine = {"threads": options.threads, "isa": _native.using()}
    for form in options.forms:
        for name in ["mixture"] if form == "mixture" else options.matrices:
            row = (
                measure_mixture(options.tokens)
                if form == "mixture"
                else measure_linear(form, name, options.tokens)
            )
            if not options.dry:
                append("kernels", machine | row)


if __name__ == "__main__":
    main()
