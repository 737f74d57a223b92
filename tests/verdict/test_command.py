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
    assert json.loads(done.stdout)["schema"] == "netweight-verdict/3"
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


def test_a_page_is_made_again_without_its_story(tmp_path):
    (tmp_path / "story.txt").write_text("gpt-oss-20b is released under the MIT license.")
    run("story.txt", "--date", "2026-01-02", "--out", "one", folder=tmp_path)
    (tmp_path / "story.txt").unlink()
    done = run("--from", "one/verdict.json", "--out", "two", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("verdict.json", "verdict.html"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    (tmp_path / "one" / "verdict.html").unlink()
    done = run("--from", "one/verdict.json", "--json", folder=tmp_path)
    assert done.stdout == (tmp_path / "one" / "verdict.json").read_text()


def test_a_document_that_was_tampered_with_makes_no_page(tmp_path):
    (tmp_path / "story.txt").write_text("gpt-oss-120b scored 41.8% on Aider Polyglot.")
    run("story.txt", "--out", "one", folder=tmp_path)
    text = (tmp_path / "one" / "verdict.json").read_text()
    data = json.loads(text)
    data["claims"][0]["reason"][0]["text"] = "It has 97.531% of the market."
    wrong = {
        "number.json": (json.dumps(data), "97.531 stands in no cited record"),
        "old.json": (text.replace("verdict/3", "verdict/2"), "not a verdict of schema"),
        "story.json": ("gpt-oss is open", "is not JSON"),
        "empty.json": ("", "is not JSON"),
    }
    for name, (content, message) in wrong.items():
        (tmp_path / name).write_text(content)
        done = run("--from", name, "--out", "two", folder=tmp_path)
        assert done.returncode == 1 and message in done.stderr, name
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "two").exists()


def test_diff_tells_what_changed_and_diff_can_still_be_a_story(tmp_path):
    for number, licence in enumerate(("MIT", "Apache 2.0"), start=1):
        text = f"gpt-oss-20b is released under the {licence} license."
        run("-", "--out", f"o{number}", folder=tmp_path, input=text)
    files = ["o1/verdict.json", "o2/verdict.json"]
    done = run("diff", *files, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Contradicted \u2192 Supported" in done.stdout and "\x1b" not in done.stdout
    found = json.loads(run("diff", *files, "--json", folder=tmp_path).stdout)
    assert [change["causes"] for change in found["claims"]] == [["story"]]
    (tmp_path / "diff").write_text("gpt-oss-20b is released under the MIT license.")
    assert json.loads(run("./diff", "--json", folder=tmp_path).stdout)["story"]["name"] == "diff"


def test_several_stories_make_a_table_and_a_page_each(tmp_path):
    texts = {
        "a.txt": "gpt-oss-120b may match o4-mini.",
        "b.md": "# News\n\ngpt-oss-120b beats o4-mini.",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = run("a.txt", "b.md", "--date", "2026-01-02", "--out", "o", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Said more strongly" in done.stdout and "o/drift.html" in done.stdout
    made = {file.name for file in (tmp_path / "o").iterdir()}
    assert made == {f"{n}.{e}" for n in ("drift", "story-1", "story-2") for e in ("html", "json")}
    again = run("--from", "o/drift.json", "--out", "p", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    for name in ("drift.html", "drift.json"):
        assert (tmp_path / "p" / name).read_bytes() == (tmp_path / "o" / name).read_bytes()
    done = run("a.txt", "b.md", "--json", folder=tmp_path)
    assert json.loads(done.stdout)["schema"] == "netweight-drift/1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a story"),
        (["diff", "one.json"], "A.json B.json"),
        (["diff", "a", "b", "--date", "2026-01-02"], "--date"),
        (["--from", "a.json", "story.txt"], "STORY"),
        (["--from", "a.json", "--allow-private"], "--allow-private"),
        (["-", "-"], "give it once"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(tmp_path, arguments, message):
    done = run(*arguments, folder=tmp_path, input="gpt-oss is open.")
    assert done.returncode == 2 and message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ("http://127.0.0.1:9/a", "not a public address"),
        ("file:///etc/passwd", "only http and https"),
    ],
)
def test_an_address_that_may_not_be_fetched_is_one_line(tmp_path, story, message):
    done = run(story, folder=tmp_path)
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1


def test_the_help_tells_of_diff_and_of_several_stories(tmp_path):
    text = run("--help", folder=tmp_path).stdout
    assert all(word in text for word in ("diff A.json B.json", "--from", "Several stories"))


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
    assert not loaded & {"torch", "inspect_ai", "scipy", "trafilatura"}
    assert elapsed_s < 3  # 0.4 s alone on two cores; the limit leaves room for a busy machine
