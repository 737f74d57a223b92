"""Turns, budgets and ratios, with workers that answer without a model."""

import json
from pathlib import Path

import pytest

from netweight.bench import Case, Limits, Settings, process, run, settings_for
from netweight.errors import BenchError
from netweight.model import ModelFolder
from tests.model.shapes import SMALL

LIMITS = Limits(1, 1e9, {"bfloat16": 1e9, "float32": 2e9})
PREFILL, DECODE = Case("prefill", 16), Case("decode", 16, 2)


class FakeWorker:
    """Says what was asked of it, and that everything took `seconds`."""

    def __init__(self, name, seconds, journal):
        self.name, self.seconds, self.journal = name, seconds, journal

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.close()

    def close(self):
        self.journal.append((self.name, "close"))

    def ask(self, do, **arguments):
        self.journal.append((self.name, do))
        return {
            "load": {"name": self.name, "seconds": 1.5},
            "memory": {"peak": 3, "private": 1, "file": 2},
            "prefill": {"seconds": self.seconds},
            "decode": {"seconds": [9.0] + [self.seconds] * (len(arguments.get("steps", [])) - 1)},
        }[do]


@pytest.fixture
def journal(monkeypatch):
    calls = []
    monkeypatch.setattr(process, "start_ours", lambda **_: FakeWorker("ours", 0.5, calls))
    monkeypatch.setattr(process, "start_peer", lambda **_: FakeWorker("peer", 1.0, calls))
    return calls


@pytest.fixture
def peer_file(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    return file


def settings(*cases, **changes):
    return Settings(cases or (PREFILL, DECODE), 1, **changes)


def measure(how, peer_file=None):
    folder = ModelFolder("small", Path("small"))
    return run(folder, SMALL, how, lambda: LIMITS, peer_file=peer_file)


def test_the_first_step_of_a_visit_is_not_counted(journal):
    report = measure(settings(DECODE, max_rounds=3, steps=4))
    samples = report.sides["netweight"].timed[DECODE].samples
    assert samples == [0.5] * 9


def test_a_ratio_is_how_many_times_the_peers_speed_ours_is(journal, peer_file):
    report = measure(settings(), peer_file)
    assert report.ratio(PREFILL) == report.ratio(DECODE) == 2.0


def test_without_a_peer_there_is_no_ratio(journal):
    report = measure(settings())
    assert report.ratio(DECODE) is None
    assert "ratio" not in report.record()["cases"][0]


def test_sides_take_turns_case_by_case_where_memory_holds_both(journal, peer_file):
    measure(settings(max_rounds=1), peer_file)
    work = [(who, what) for who, what in journal if what in ("prefill", "decode")]
    warm_ups = [("ours", "prefill"), ("peer", "prefill")]
    assert work == warm_ups * 2 + [("ours", "decode"), ("peer", "decode")]


def test_sides_take_turns_process_by_process_where_it_does_not(journal, peer_file, monkeypatch):
    monkeypatch.setattr("netweight.bench.benchmark.usable_bytes", lambda: 1)
    report = measure(settings(max_rounds=2), peer_file)
    closed = [who for who, what in journal if what == "close"]
    assert closed == ["ours", "peer"] * 2
    assert journal.index(("ours", "close")) < journal.index(("peer", "load"))
    assert len(report.sides["llama.cpp"].load_s) == 2


def test_a_budget_ends_the_rounds_but_not_the_first(journal):
    report = measure(settings(budget_s=0.0, max_rounds=5))
    assert len(report.sides["netweight"].timed[PREFILL].samples) == 1


def test_the_peer_runs_only_what_it_can_in_reasonable_time(journal, peer_file):
    far = Case("decode", 4096)
    report = measure(settings(far, DECODE), peer_file)
    assert report.ratio(far) is None
    assert report.ratio(DECODE) == 2.0


def test_a_side_that_cannot_load_leaves_no_process(journal, monkeypatch):
    class Broken(FakeWorker):
        def ask(self, do, **arguments):
            raise BenchError("no")

    monkeypatch.setattr(process, "start_ours", lambda **_: Broken("ours", 0, journal))
    with pytest.raises(BenchError):
        measure(settings())
    assert journal == [("ours", "close")]


def test_shares_are_of_the_measured_limits(journal):
    report = measure(settings(DECODE))
    row = report.record()["cases"][0]["netweight"]
    work = DECODE.work(SMALL, "bf16")
    assert row["tokens_per_s"] == 2 / 0.5
    assert row["share_of_bandwidth"] == pytest.approx(work.read_bytes / 0.5 / 1e9, abs=1e-4)
    assert row["share_of_peak"] == pytest.approx(work.flops / 0.5 / 2e9, abs=1e-4)
    predicted = work.seconds(LIMITS.read_bytes_per_s, LIMITS.peak_flops)
    assert max(row["share_of_bandwidth"], row["share_of_peak"]) == pytest.approx(
        predicted / 0.5, abs=1e-4
    )


def test_a_report_is_json(journal, peer_file):
    record = measure(settings(), peer_file).record()
    assert json.loads(json.dumps(record)) == record
    assert record["sides"]["llama.cpp"]["memory_bytes"]["private"] == 1


def test_settings_hold_every_context_and_batch():
    made = settings_for(SMALL, contexts=[16, 32], batches=[1, 4], num_threads=1)
    assert len(made.cases) == 2 + 4
    assert made.peer_tokens == 16


def test_a_context_that_the_model_does_not_hold_is_refused():
    with pytest.raises(BenchError, match="choose a shorter one"):
        settings_for(SMALL, contexts=[SMALL.max_context], batches=[1], num_threads=1)
