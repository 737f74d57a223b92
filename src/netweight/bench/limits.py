"""What this machine can do at most: bytes read per second, and products per second.

Measured with tensors, not looked up, so that a share of the limit compares like with like: both
sides of the division see the same threads, the same neighbours and the same clock. Knows no model.
"""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import torch

from netweight.model.kernels import memory_reader

# Far beyond the caches: the largest last-level caches are below 1 GiB.
_BUFFER_BYTES = 1 << 30
_SIDE = 2048  # of the squares that are multiplied

_PATIENCE_S = 2.0  # for one limit; bfloat16 products in software take longer


@dataclass(frozen=True)
class Limits:
    """The machine's own limits, as measured with `num_threads` threads, or a device's."""

    num_threads: int
    read_bytes_per_s: float
    flops: dict[str, float]  # multiply-adds count twice; by torch dtype
    device: str = ""  # which, and what it is; empty: the processor
    copy_bytes_per_s: float | None = None  # read and written, of a device

    def or_more(self, other: "Limits") -> "Limits":
        """The larger of each: others on the machine can only lower what is measured."""
        copied = [one.copy_bytes_per_s for one in (self, other) if one.copy_bytes_per_s is not None]
        return Limits(
            self.num_threads,
            max(self.read_bytes_per_s, other.read_bytes_per_s),
            {name: max(value, other.flops[name]) for name, value in self.flops.items()},
            self.device,
            max(copied, default=None),
        )

    @property
    def peak_dtype(self) -> str:
        """The type in which torch multiplies fastest here."""
        return max(self.flops, key=lambda name: self.flops[name])

    @property
    def peak_flops(self) -> float:
        """Operations per second in that type."""
        return self.flops[self.peak_dtype]


def measure(
    num_threads: int,
    *,
    num_repeats: int = 7,
    buffer_bytes: int = _BUFFER_BYTES,
    side: int = _SIDE,
) -> Limits:
    """Measure the machine with so many threads; takes a few seconds."""
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        return Limits(
            num_threads,
            read_bandwidth(num_threads, num_repeats=num_repeats, buffer_bytes=buffer_bytes),
            matrix_peak(num_repeats=num_repeats, side=side),
        )
    finally:
        torch.set_num_threads(before)


def read_bandwidth(
    num_threads: int, *, num_repeats: int = 7, buffer_bytes: int = _BUFFER_BYTES
) -> float:
    """Bytes per second that so many threads read from memory.

    The best of three ways to read everything once, each the median of its repeats: a sum in torch,
    a product with a vector that stays in the cache, and, where the native kernels run, their own
    loads with prefetch. One alone may be bound by arithmetic, or wait for memory.
    """
    buffer = torch.ones(buffer_bytes // 4)
    matrix, vector = buffer.view(-1, 4096), torch.ones(4096)
    ways: list[Callable[[], object]] = [buffer.sum, lambda: matrix @ vector]
    read = memory_reader(num_threads)
    if read is not None:
        ways.append(lambda: read(buffer))
    return max(buffer.nbytes / median_seconds(way, num_repeats) for way in ways)


def matrix_peak(*, num_repeats: int = 7, side: int = _SIDE) -> dict[str, float]:
    """Operations per second of a large square matrix product through torch, by dtype.

    bfloat16 is what the model multiplies in; where it has no instructions for that, float32 is
    faster and is the limit to compare with.
    """
    peaks = {}
    for dtype in (torch.bfloat16, torch.float32):
        a = torch.randn((side, side), generator=torch.Generator().manual_seed(0)).to(dtype)
        seconds = median_seconds(lambda a=a: a @ a.T, num_repeats)  # type: ignore[misc]  # binds now
        peaks[str(dtype).removeprefix("torch.")] = 2 * side**3 / seconds
    return peaks


def median_seconds(work: Callable[[], object], num_repeats: int) -> float:
    """The median time of `work` after a warm-up, of fewer repeats where they take seconds."""
    work()
    times: list[float] = []
    while len(times) < num_repeats and sum(times) < _PATIENCE_S:
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return statistics.median(times)


def num_cores() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0))
