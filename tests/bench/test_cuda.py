"""Limits and times of a device; here of the processor, which stands in for one."""

import pytest
import torch

from netweight.bench import cuda
from netweight.bench.limits import Limits

CPU = torch.device("cpu")


def test_a_devices_limits_are_rates_and_say_what_it_is():
    found = cuda.measure(CPU, num_repeats=1, buffer_bytes=1 << 16, side=32)
    assert found.device == "cpu"
    assert found.read_bytes_per_s >= found.copy_bytes_per_s > 0
    assert set(found.flops) == {"bfloat16"}
    assert found.peak_flops > 0


def test_of_two_measurements_of_a_device_the_larger_counts():
    first = Limits(1, 5.0, {"bfloat16": 1.0}, "cuda:0", 3.0)
    second = Limits(1, 4.0, {"bfloat16": 2.0}, "cuda:0", 4.0)
    assert first.or_more(second) == Limits(1, 5.0, {"bfloat16": 2.0}, "cuda:0", 4.0)


def test_work_is_warmed_up_and_each_repeat_timed():
    calls = []
    seconds = cuda.seconds_of(lambda: calls.append(None), CPU, num_repeats=4, warm_up=2)
    assert len(calls) == 6
    assert len(seconds) == 4
    assert min(seconds) >= 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="events need a GPU")
@pytest.mark.parametrize("ahead", [False, True])
def test_events_tell_how_long_the_device_was_busy(ahead):
    device = torch.device("cuda:0")
    cycles = 2_000_000  # a millisecond or two
    seconds = cuda.seconds_of(lambda: torch.cuda._sleep(cycles), device, num_repeats=5, ahead=ahead)
    assert 3e-4 < min(seconds) <= max(seconds) < 2e-2
