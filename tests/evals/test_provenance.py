"""Where a run was made: machine and commit."""

import re
import shutil
import subprocess

from netweight.evals import provenance


def test_the_machine_is_named_by_processor_cores_and_system():
    assert re.fullmatch(r".+, [1-9]\d* cores, \w+ \w+", provenance.machine())


def copy_of_the_source(folder):
    """The one file that the commit is asked through, in a source folder of its own."""
    (folder / "evals").mkdir(parents=True)
    return shutil.copy(provenance.__file__, folder / "evals" / "provenance.py")


def git(folder, *arguments):
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_the_checkouts_and_dirty_once_the_source_is_changed(tmp_path, monkeypatch):
    file = copy_of_the_source(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "x")
    monkeypatch.setattr(provenance, "__file__", str(file))
    revision = git(tmp_path, "rev-parse", "HEAD")
    assert provenance.commit() == revision
    file.write_text("changed")
    assert provenance.commit() == f"{revision}-dirty"


def test_an_installation_inside_another_repository_has_no_commit(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(provenance, "__file__", str(copy_of_the_source(tmp_path)))
    assert provenance.commit() is None


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None
