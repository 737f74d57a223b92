"""The machine's limits: positive numbers of the right kind; how large is the machine's business."""

import torch

from netweight.bench import limits, num_cores
from netweight.bench.limits import Limits


def test_the_limits_are_rates_and_threads_are_put_back():
    before = torch.get_num_threads()
    found = limits.measure(1, num_repeats=1, buffer_bytes=1 << 20, side=32)
    assert found.num_threads == 1
    assert found.read_bytes_per_s > 0
    assert set(found.flops) == {"bfloat16", "float32"}
    assert torch.get_num_threads() == before


def test_the_peak_is_the_faster_type():
    found = Limits(2, 1e9, {"bfloat16": 1.0, "float32": 3.0})
    assert (found.peak_dtype, found.peak_flops) == ("float32", 3.0)


def test_of_two_measurements_the_larger_counts():
    first = Limits(2, 5.0, {"bfloat16": 1.0, "float32": 3.0})
    second = Limits(2, 4.0, {"bfloat16": 2.0, "float32": 2.0})
    assert first.or_more(second) == Limits(2, 5.0, {"bfloat16": 2.0, "float32": 3.0})


def test_work_is_warmed_up_and_repeated():
    calls = []
    seconds = limits.median_seconds(lambda: calls.append(None), 4)
    assert len(calls) == 5
    assert seconds >= 0


def test_there_is_at_least_one_core():
    assert num_cores() >= 1
