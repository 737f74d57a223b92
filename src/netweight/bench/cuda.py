"""What a CUDA device can do at most, and how long work takes there.

Times are those of CUDA events, which the device itself writes down: a clock of the host would tell
when work was asked for. On the processor, where the same work is tried out, it is the host's clock.
Knows no model.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from netweight.bench.limits import Limits

# Each far beyond the 60 MB of an H200's second-level cache; a read lasts about a millisecond.
_BUFFER_BYTES = 4 << 30
_SIDE = 8192  # of the squares that are multiplied
_REPEATS = 20
# How long the device is kept busy so that the host can get ahead: about a tenth of a second.
_AHEAD_CYCLES = 200_000_000


def measure(
    device: torch.device,
    *,
    num_repeats: int = _REPEATS,
    buffer_bytes: int = _BUFFER_BYTES,
    side: int = _SIDE,
) -> Limits:
    """Measure a device; takes a few seconds.

    Reading is the fastest of several ways to read a buffer once, or of copying it where even that
    moves more bytes a second. Numbers are random: products of zeros draw less power, and are faster
    than any real ones.

    Args:
        device: a CUDA device, or the processor for trying this out.
        num_repeats: of each; medians count.
        buffer_bytes: of what is read; a quarter of what is free at most.
        side: of the squares that are multiplied.
    """
    if device.type == "cuda":
        buffer_bytes = min(buffer_bytes, torch.cuda.mem_get_info(device)[0] // 4)
    buffer = torch.empty(buffer_bytes // 8192 * 4096, dtype=torch.bfloat16, device=device).normal_()
    read, copied = _read(buffer, num_repeats), _copied(buffer, num_repeats)
    del buffer
    limits = Limits(
        torch.get_num_threads(),
        max(read, copied),
        _flops(device, num_repeats, side),
        device_name(device),
        copied,
    )
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return limits


def device_name(device: torch.device) -> str:
    """The device and, of a CUDA device, what it is."""
    if device.type != "cuda":
        return str(device)
    return f"{device}, {torch.cuda.get_device_name(device)}"


def seconds_of(
    work: Callable[[], object],
    device: torch.device,
    *,
    num_repeats: int = _REPEATS,
    warm_up: int = 3,
    ahead: bool = False,
) -> list[float]:
    """How long each of some repeats takes, one after another without a wait between them.

    So the host prepares a repeat while the device is at the one before, as an engine does: where
    it is too slow for that, its time shows. With `ahead` the device begins only when the host has
    asked for everything, and the times are the device's alone. (That is done twice, and the second
    time counts: pinned memory is asked for as often as repeats are under way, and to get it is
    slow.)
    """
    for _ in range(warm_up):
        work()
    if device.type != "cuda":
        return [_host_seconds(work) for _ in range(num_repeats)]
    if ahead:
        _event_seconds(work, device, num_repeats, ahead=True)
    return _event_seconds(work, device, num_repeats, ahead=ahead)


def wait(device: torch.device) -> None:
    """Let the device finish what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _event_seconds(
    work: Callable[[], object], device: torch.device, num_repeats: int, *, ahead: bool
) -> list[float]:
    pairs = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
        for _ in range(num_repeats)
    ]
    torch.cuda.synchronize(device)
    with torch.cuda.device(device):
        if ahead:
            torch.cuda._sleep(_AHEAD_CYCLES)
        for start, stop in pairs:
            start.record()
            work()
            stop.record()
    torch.cuda.synchronize(device)
    return [start.elapsed_time(stop) / 1e3 for start, stop in pairs]


def _host_seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _read(buffer: Tensor, num_repeats: int) -> float:
    """Bytes per second of the fastest way to read a buffer of bfloat16 numbers."""
    matrix, vector = buffer.view(-1, 4096), torch.ones_like(buffer[:4096])
    words = buffer.view(torch.int32)
    ways: list[Callable[[], object]] = [
        lambda: torch.mv(matrix, vector),
        lambda: buffer.sum(dtype=torch.float32),
        lambda: words.max(),
    ]
    return max(
        buffer.nbytes / median(seconds_of(way, buffer.device, num_repeats=num_repeats))
        for way in ways
    )


def _copied(buffer: Tensor, num_repeats: int) -> float:
    """Bytes per second of copying: each byte is read once and written once."""
    target = torch.empty_like(buffer)
    times = seconds_of(lambda: target.copy_(buffer), buffer.device, num_repeats=num_repeats)
    return 2 * buffer.nbytes / median(times)


def _flops(device: torch.device, num_repeats: int, side: int) -> dict[str, float]:
    a, b = (
        torch.empty((side, side), dtype=torch.bfloat16, device=device).normal_() for _ in range(2)
    )
    out = torch.empty_like(a)
    times = seconds_of(lambda: torch.mm(a, b, out=out), device, num_repeats=num_repeats)
    return {"bfloat16": 2 * side**3 / median(times)}
