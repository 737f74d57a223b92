"""The tasks as Inspect's own command finds them."""

import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from netweight.evals import fiction, sums
from tests.evals.fake_server import fake_server

pytestmark = pytest.mark.inspect


def test_inspect_eval_runs_both_tasks_by_name(tmp_path):
    command = Path(sys.executable).with_name("inspect")
    tasks = ["netweight/sums", "netweight/formulas_in_fiction"]
    with fake_server() as server:
        options = ["--limit=2", "--display=none", f"--log-dir={tmp_path}", "-M", "api_key=none"]
        where = ["--model=openai-api/netweight/fake", f"--model-base-url={server.base_url}"]
        subprocess.run([command, "eval", *tasks, *where, *options], check=True, timeout=120)
    logs = [read_eval_log(str(path)) for path in tmp_path.glob("*.eval")]
    assert {log.eval.task for log in logs} == set(tasks)
    versions = {log.eval.task: log.eval.task_version for log in logs}
    assert versions == dict(zip(tasks, (sums.VERSION, fiction.VERSION), strict=True))
    assert all(log.status == "success" for log in logs)
    assert all(len(log.samples) == 2 for log in logs)
