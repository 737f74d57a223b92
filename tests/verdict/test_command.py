"""The command line of the room, in its own process as a user runs it."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT

STORY = str(ROOT / "examples" / "story.txt")


def run(*arguments, folder, **options):
    command = [sys.executable, "-m", "netweight", "verdict", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, cwd=folder, encoding="utf-8", timeout=60, **options
    )


def test_the_command_writes_page_and_data_and_prints_a_plain_summary(tmp_path):
    done = run(STORY, "--date", "2026-01-02", "--out", "there", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The story makes" in done.stdout and "\x1b" not in done.stdout
    assert "there/verdict.html" in done.stdout
    assert json.loads((tmp_path / "there" / "verdict.json").read_text())["date"] == "2026-01-02"
    assert (tmp_path / "there" / "verdict.html").read_text().startswith("<!doctype html>")


def test_json_goes_to_standard_output_and_no_file_is_written(tmp_path):
    done = run(STORY, "--json", folder=tmp_path)
    assert json.loads(done.stdout)["schema"] == "netweight-verdict/1"
    assert list(tmp_path.iterdir()) == []


def test_a_story_comes_through_a_pipe(tmp_path):
    text = "gpt-oss-20b is released under the MIT license."
    done = run("-", "--json", folder=tmp_path, input=text)
    assert json.loads(done.stdout)["tally"]["contradicted"] == 1


@pytest.mark.parametrize("story", ["nothing.txt", ".", "empty.txt", "binary.bin"])
def test_a_story_that_cannot_be_read_is_one_line_and_no_file(tmp_path, story):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.bin").write_bytes(bytes(range(256)))
    done = run(story, folder=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("netweight: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_without_records_is_one_line(tmp_path):
    done = run(STORY, "--records", tmp_path, folder=tmp_path)
    assert done.returncode == 1 and "holds no records" in done.stderr


def test_the_command_starts_fast_and_loads_no_heavy_library(tmp_path):
    code = (
        "import sys; sys.argv = ['netweight', 'verdict', sys.argv[1], '--json']\n"
        "from netweight.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, STORY], capture_output=True, text=True, env=os.environ
    )
    elapsed_s = time.perf_counter() - start
    loaded = set(done.stderr.split())
    assert json.loads(done.stdout)
    assert not loaded & {"torch", "inspect_ai", "scipy", "trafilatura", "numpy"}
    assert elapsed_s < 3  # 0.4 s alone on two cores; the limit leaves room for a busy machine
