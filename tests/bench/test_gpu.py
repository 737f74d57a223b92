"""The script that checks and measures a device: its arithmetic, its checks, and a run of it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, gpu_checks, gpu_models, gpu_speed
from benchmarks.gpu_bench import SMALL_SHAPES, Bench
from benchmarks.gpu_report import Section
from netweight.bench import Limits, Process, ours, plan
from netweight.errors import BenchError
from netweight.model import GPT_OSS_20B, GPT_OSS_120B, Checkpoint, load_transformer
from netweight.model.kernels.gpu import experts

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
LIMITS = Limits(1, 4e12, {"bfloat16": 8e14}, "cuda:0, a device", 4e12)


@pytest.fixture
def bench(tmp_path):
    return Bench(CPU, tmp_path, small=True, seed=5)


def named(findings):
    return {finding.name.partition(",")[0]: finding for finding in findings}


def test_known_times_give_known_shares_of_decoding():
    work = plan.decode_work(GPT_OSS_20B, dense="bf16", context=1024, batch=1)
    assert 3.5e9 < work.read_bytes < 4e9  # 3.71 GB of weights, and keys and values
    sizes = gpu_speed.Sizes(1024, 65_536, 8192, 64, 64, 20)
    one = work.read_bytes / 4e12 / 0.5  # twice as long as reading takes
    found = gpu_speed.decode_findings(
        "20b", sizes, LIMITS, work, (one, one / 1.5, 4 * one, one / 0.8)
    )
    assert [finding.value for finding in found] == pytest.approx([0.5, 0.75, 16.0, 0.8])
    assert [finding.verdict for finding in found] == ["missed", "measured", "reached", "reached"]


def test_known_times_give_known_shares_of_a_prompt():
    work = plan.prefill_work(GPT_OSS_120B, dense="bf16", num_tokens=8192)
    seconds = work.flops / 8e14 / 0.45
    found = gpu_speed.prefill_finding("120b", GPT_OSS_120B, 8192, LIMITS, seconds)
    assert found.value == pytest.approx(0.45)
    assert found.verdict == "reached"
    assert "360 TFLOP/s" in found.note


def test_every_section_has_something_to_run():
    assert all(callable(gpu.run_of(section.name)) for section in gpu.SECTIONS)
    assert sum(section.limit_s for section in gpu.SECTIONS[:6]) < 9 * 60


def test_an_answer_counts_up_to_the_first_near_tie():
    logits = torch.tensor([[5.0, 0, 0], [4.0, 3.99, 0], [0.0, 9, 0]])
    assert gpu_checks.agreement([0, 0, 1], logits, 0.03) == (3, 3, 0)
    assert gpu_checks.agreement([0, 1, 2], logits, 0.03) == (1, 1, 1)  # a tie: what follows is moot
    assert gpu_checks.agreement([0, 2, 1], logits, 0.03) == (1, 2, 0)
    assert gpu_checks.agreement([1, 0, 1], logits, 0.03) == (0, 1, 0)


def test_logits_may_be_off_as_the_others_are_and_not_much_more():
    truth = torch.randn(40, 200, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(2, 40, 200, generator=torch.Generator().manual_seed(1))
    theirs = (truth + 0.05 * noise[0]).bfloat16()
    fine, wrong = truth + 0.055 * noise[1], truth + 0.1 * noise[1]
    assert all(one.holds for one in gpu_checks.compared(fine, theirs, truth, "a model"))
    assert not gpu_checks.compared(wrong, theirs, truth, "a model")[0].holds
    shuffled = gpu_checks.compared(truth.roll(1, -1), theirs, truth, "a model")
    assert not any(one.holds for one in shuffled)


def test_the_worst_of_several_cases_is_told_and_nan_is_worse_than_any():
    worst = gpu_checks.Worst("error", 0.1)
    worst.add("first", 0.05)
    worst.add("second", float("nan"))
    worst.add("third", 0.2)
    assert not worst.finding().holds
    assert "second" in worst.finding().note


def test_new_tensors_hold_what_would_be_noticed():
    with gpu_checks.poisoned():
        assert torch.empty(3).isnan().all()
        assert (torch.empty(3, dtype=torch.int32) == 99).all()
    assert not torch.empty(0).requires_grad


def test_random_weights_keep_activations_of_a_size_on_disk_and_on_a_device(tmp_path):
    config = SMALL_SHAPES["20b"]
    gpu_models.write_checkpoint(config, tmp_path / "c", CPU)
    read = load_transformer(tmp_path / "c", dtype=torch.float32)
    logits = read.forward(torch.tensor([[3, 1, 4]]))
    assert 0.3 < float(logits.std()) < 3  # activations stay of a size
    made = gpu_models.random_model(config, CPU, torch.float32)
    logits = gpu_checks._prompt_logits(made, torch.tensor([3, 1, 4]))
    assert logits.isfinite().all()
    assert 0.3 < float(logits.std()) < 3


def test_the_original_layout_is_written_for_those_who_read_it(tmp_path):
    config = SMALL_SHAPES["20b"]
    gpu_models.write_checkpoint(config, tmp_path / "c", CPU, form="original")
    logits = load_transformer(tmp_path / "c", dtype=torch.float32).forward(torch.tensor([[1, 2]]))
    assert logits.isfinite().all()
    assert not (tmp_path / "c" / "config.json").read_text().count("model_type")


def test_kernels_that_are_right_pass_and_each_wrong_one_is_told(bench, monkeypatch):
    assert all(one.holds for one in gpu_checks.norms(bench))
    assert all(one.holds for one in gpu_checks.rotation_of(bench))
    assert all(one.holds for one in gpu_checks.attention(bench))
    assert all(one.holds for one in gpu_checks.routed(bench))
    monkeypatch.setattr(gpu_checks.rows, "rms_norm", lambda x, scale, eps: x * scale)
    assert not all(one.holds for one in gpu_checks.norms(bench))
    step = gpu_checks.attention_kernel.paged_attention

    def wider(*arguments, window):
        return step(*arguments, window=None if window is None else window + 1)

    monkeypatch.setattr(gpu_checks.attention_kernel, "paged_attention", wider)
    assert not gpu_checks.attention(bench)[0].holds
    route = gpu_checks.routing.route
    monkeypatch.setattr(gpu_checks.routing, "route", lambda *a: (route(*a)[0], route(*a)[1] * 0))
    assert not all(one.holds for one in gpu_checks.routed(bench))


def test_wrong_experts_are_told(bench, monkeypatch):
    monkeypatch.setattr(gpu_checks, "SMALL_CASES", gpu_checks.SMALL_CASES[:1])
    assert gpu_checks.mixtures(bench, "20b").holds
    monkeypatch.setattr(
        experts.DeviceMixture, "__call__", lambda self, x, w, c: self._mix(x, w, c * 0, x.dtype)
    )
    assert not gpu_checks.mixtures(bench, "20b").holds


def test_every_code_at_every_place_meets_every_scale():
    from benchmarks.gpu_twins import every_code_and_scale

    blocks, scales = every_code_and_scale(64)
    codes = torch.stack((blocks & 15, blocks >> 4), dim=-1).view(64, 64)
    assert all(set(column.tolist()) == set(range(16)) for column in codes.T)
    assert scales.unique().tolist() == list(range(64, 128))


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
def test_both_ways_to_unpack_compile(arch):
    from tests.model.gpu.compiling import Case, compile_all

    kinds = {"out": "*bf16", "data": "*u8"}
    cases = [
        Case("benchmarks.gpu_twins:_unpack", kinds, {"ROWS": 64, "FAST": fast}, arch=arch)
        for fast in (True, False)
    ]
    fast, plain = compile_all(cases)
    assert fast.sass != plain.sass
    assert fast.stack == plain.stack == 0


def test_every_share_of_kernels_to_compile_can_be_told(bench):
    from benchmarks.gpu_compile import compile_all, tasks

    assert len(list(tasks(bench))) > 40
    assert compile_all(bench)[0].value is None


def test_a_checkpoint_is_made_once(bench):
    path = bench.checkpoint("20b")
    before = (path / "config.json").stat().st_mtime_ns
    assert bench.checkpoint("20b") == path
    assert (path / "config.json").stat().st_mtime_ns == before
    assert Checkpoint.open(path).config == SMALL_SHAPES["20b"]


def test_the_disk_is_read_in_pieces_up_to_as_much_as_asked(tmp_path):
    for number in range(3):
        (tmp_path / str(number)).write_bytes(bytes(10_000))
    files = sorted(tmp_path.iterdir())
    assert gpu_speed.forget(files, whole_cache=False)
    assert gpu_speed.disk_bytes_per_s(files, most_bytes=15_000) > 0


FAILS_ONCE = """
import json, os, sys
for line in sys.stdin:
    command = json.loads(line)
    if command["section"] == "die":
        sys.exit("illegal memory access")
    finding = {"name": str(os.getpid()), "value": 1.0}
    print(json.dumps({"findings": [finding]}), flush=True)
"""


def test_after_a_failure_sections_go_on_in_a_new_process():
    start = lambda: Process([sys.executable, "-c", FAILS_ONCE], num_threads=1)  # noqa: E731
    with gpu.Sections(start) as sections:
        first, again = (sections.ask("a", 20.0)[0].name for _ in range(2))
        with pytest.raises(BenchError, match="illegal memory access"):
            sections.ask("die", 20.0)
        assert first == again != sections.ask("b", 20.0)[0].name


def test_an_error_in_a_section_is_told_with_where_it_was(tmp_path, monkeypatch):
    worker = gpu.Worker("cpu", str(tmp_path), "1", "small")

    def broken(bench):
        raise ZeroDivisionError("no tokens")

    monkeypatch.setattr(gpu, "run_of", lambda name: broken)
    with pytest.raises(BenchError, match=r"in broken(.|\n)*ZeroDivisionError: no tokens"):
        worker.run("kernels", 10.0)
    assert worker.about()["device"] == "cpu"


def small_run(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--small", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def test_the_script_runs_without_a_device_and_keeps_nothing(tmp_path):
    results = ROOT / "benchmarks" / "results" / "gpu.jsonl"
    before = results.read_bytes() if results.exists() else None
    done = small_run("--only", "limits", "twins", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "0 of 0 checks right" in done.stdout
    assert "failed: none" in done.stdout
    assert (results.read_bytes() if results.exists() else None) == before
    assert not any(tmp_path.iterdir())


def test_a_device_that_is_not_there_fails_the_section_and_the_run(tmp_path, monkeypatch, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a device here")
    monkeypatch.setattr(gpu, "SECTIONS", (Section("twins", 60),))
    monkeypatch.setattr(gpu.Sections, "about", lambda self: {})
    arguments = ["--device", "cuda:0", "--folder", str(tmp_path), "--no-record"]
    assert gpu.main(arguments) == 1
    told = capsys.readouterr().out
    assert told.count("FAILED") == 1


@pytest.mark.slow
def test_every_section_runs_on_tiny_shapes(tmp_path):
    done = small_run("--minutes", "30", "--folder", str(tmp_path), "--seed", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed: none; not measured (time): none" in done.stdout


def test_an_engine_and_steps_of_a_device_model_are_timed(bench):
    config = replace(SMALL_SHAPES["20b"], num_hidden_layers=1)
    model = gpu_models.random_model(config, CPU, torch.float32)
    caches = ours.Caches(model)
    assert caches.of(3) is caches.of(3)  # a graph leads there
    assert all(s > 0 for s in ours.decode_seconds(model, 5, [[1]], 0, caches))
    served = ours.serve(ours.engine_of(model), [[1]], 2)
    assert len(served.first_token_s) == 1
    assert served.first_token_s[0] > 0
