"""`netweight bench` and `netweight plan`, from the command line to numbers."""

import json
from importlib import import_module

import pytest
import torch
from typer.testing import CliRunner

from netweight import bench as room
from netweight.bench import Limits
from netweight.bench.plan import decode_work
from netweight.cli import app
from netweight.errors import BenchError, NetweightError, RequestError
from netweight.model import GPT_OSS_120B
from tests.model.shapes import SMALL

COMMAND = import_module("netweight.cli.bench")  # the package has the function by this name


@pytest.fixture
def run(monkeypatch):
    """A function that runs a command on a machine that is measured at once."""
    limits = Limits(1, 1e9, {"bfloat16": 1e10, "float32": 2e10})
    monkeypatch.setattr(room, "measure", lambda num_threads: limits)

    def run(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)

    return run


def test_bench_measures_a_model_and_records_it(run, checkpoint_of, tmp_path):
    file = tmp_path / "new" / "speed.jsonl"
    folder = checkpoint_of(SMALL)
    arguments = ("bench", folder, "--quick", "--threads", 1, "--record", file, "--json")
    done = run(*arguments)
    report = json.loads(done.stdout)
    assert [(case["kind"], case["tokens"]) for case in report["cases"]] == [
        ("prefill", 64),
        ("decode", 64),
    ]
    assert all(case["netweight"]["tokens_per_s"] > 0 for case in report["cases"])
    run(*arguments)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 2
    assert {"date", "commit", "machine", "torch", "cases"} <= set(rows[0])


def test_bench_prints_a_table_that_fits_a_terminal(run, checkpoint_of):
    done = run("bench", checkpoint_of(SMALL), "--quick", "--threads", 1, "--minutes", 0)
    assert "decode 64" in done.stdout
    assert "…" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_missing_peer_is_told_before_anything_is_measured(run, checkpoint_of, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_PEER_PYTHON", "/no/such/python")
    with pytest.raises(BenchError, match="pip install llama-cpp-python"):
        run("bench", checkpoint_of(SMALL), "--against", "llama.cpp")


def test_plan_predicts_from_the_roofline(run):
    done = run("plan", "gpt-oss-120b", "--context", 4096, "--json")
    told = json.loads(done.stdout)
    bf16, int8 = told["plans"]
    assert bf16["memory"]["weights"] == GPT_OSS_120B.checkpoint_bytes
    assert int8["decode_tokens_per_s"] > bf16["decode_tokens_per_s"]
    work = decode_work(GPT_OSS_120B, dense="bf16", context=4096, batch=1)
    assert bf16["decode_tokens_per_s"] == pytest.approx(1e9 / work.read_bytes)


def test_bench_is_within_what_plan_predicts(run, checkpoint_of):
    """Shares are of plan's own work, so together they must give back plan's speed."""
    folder = checkpoint_of(SMALL)
    report = json.loads(run("bench", folder, "--quick", "--threads", 1, "--json").stdout)
    plans = json.loads(run("plan", folder, "--context", 64, "--json").stdout)["plans"]
    prefill, decode = (case["netweight"] for case in report["cases"])
    for timed, name in ((prefill, "prefill"), (decode, "decode")):
        share = max(timed["share_of_bandwidth"], timed["share_of_peak"])
        predicted = plans[0][f"{name}_tokens_per_s"]
        assert timed["tokens_per_s"] == pytest.approx(share * predicted, rel=0.02)


def test_plan_prints_a_table_that_fits_a_terminal(run):
    done = run("plan", "gpt-oss-20b", "--context", 131_072, "--batch", 8)
    assert "int8" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_plan_beyond_the_models_context_is_refused(run):
    with pytest.raises(RequestError, match="the model holds"):
        run("plan", "nano", "--context", 10_000_000)


def test_peers_that_do_not_run_on_a_device_are_refused_by_name(run, checkpoint_of):
    with pytest.raises(BenchError, match="runs on CUDA devices only"):
        run("bench", checkpoint_of(SMALL), "--device", "cpu", "--against", "gpt-oss")


def test_a_device_that_is_not_there_is_told(run, checkpoint_of):
    if torch.cuda.is_available():
        pytest.skip("there is a device here")
    with pytest.raises(NetweightError, match="Use --device cpu"):
        run("bench", checkpoint_of(SMALL), "--device", "cuda:0")


@pytest.mark.parametrize(("against", "dense"), [("llama.cpp", "bf16"), (None, "int8")])
def test_what_is_for_the_processor_is_refused_on_a_device(against, dense):
    with pytest.raises(BenchError, match="CPU"):
        COMMAND._check_fit(against, torch.device("cuda:0"), dense)


def test_a_peer_reads_its_own_layout(checkpoint_of, tmp_path):
    (tmp_path / "model").mkdir()
    ours, original = checkpoint_of(SMALL), checkpoint_of(SMALL, "original")
    for name, folder in (("model", ours), ("model/original", original)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "config.json").write_bytes((folder / "config.json").read_bytes())
    model = tmp_path / "model"
    assert COMMAND._peer_folder("transformers", model) == model
    assert COMMAND._peer_folder("gpt-oss", model) == model / "original"
    assert COMMAND._peer_folder("transformers", model / "original") == model
    with pytest.raises(BenchError, match="reads the original layout"):
        COMMAND._peer_folder("gpt-oss", ours)


@pytest.mark.slow
def test_bench_runs_transformers_beside_ours(run, checkpoint_of):
    folder = checkpoint_of(SMALL)
    arguments = ("--quick", "--threads", 1, "--minutes", 0, "--json", "--device", "cpu")
    report = json.loads(run("bench", folder, "--against", "transformers", *arguments).stdout)
    assert set(report["sides"]) == {"netweight", "transformers"}
    assert all(case["ratio"] > 0 for case in report["cases"])
