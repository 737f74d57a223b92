"""Data files: pinned, checked, kept whole, and a clear word where they cannot be had."""

import io
import sys
import tarfile

import pytest
from rich.console import Console
from rich.progress import Progress

from netweight.errors import WeighError
from netweight.evals import data
from netweight.evals.data import Pin, archive_files, cache_folder, data_file, sha256_of

TEXT = b"one\n"
TEXT_SHA256 = "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"


def pack(path, files, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A file at its publisher's, with its pin; nothing is in the cache yet."""
    source = tmp_path / "published.txt"
    source.write_bytes(TEXT)
    monkeypatch.setattr(data, "PINS", {"one.txt": Pin(source.as_uri(), "abc", TEXT_SHA256, "CC0")})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NETWEIGHT_DATA", raising=False)
    return source


def test_a_file_is_downloaded_once_and_then_kept(published):
    path = data_file("one.txt")
    assert (path, path.read_bytes()) == (cache_folder() / "data" / "one.txt", TEXT)
    published.unlink()
    assert data_file("one.txt") == path


def test_a_file_in_the_named_folder_comes_first(published, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "one.txt").write_bytes(TEXT)
    monkeypatch.setenv("NETWEIGHT_DATA", str(tmp_path / "mine"))
    assert data_file("one.txt") == tmp_path / "mine" / "one.txt"


def test_a_download_that_does_not_match_its_pin_is_not_kept(published):
    published.write_bytes(b"two\n")
    with pytest.raises(WeighError, match="Nothing was kept"):
        data_file("one.txt")
    assert list((cache_folder() / "data").iterdir()) == []


def test_a_kept_file_that_was_changed_is_refused(published):
    data_file("one.txt").write_bytes(b"two\n")
    with pytest.raises(WeighError, match="Remove it to download it again"):
        data_file("one.txt")


def test_without_a_network_the_remedy_is_told(published):
    published.unlink()
    with pytest.raises(WeighError, match=r"set NETWEIGHT_DATA to it\. Its licence: CC0"):
        data_file("one.txt")


def test_an_archive_is_known_by_its_content_however_it_is_packed(tmp_path):
    files = {"a.txt": TEXT, "b/c.txt": b"two\n"}
    plain = pack(tmp_path / "plain.tar.xz", files)
    inside = {f"one-abc/{name}": content for name, content in files.items()}
    wrapped = pack(tmp_path / "wrapped.tar.gz", inside, "w:gz")
    assert archive_files(plain) == archive_files(wrapped) == files
    assert sha256_of(plain, is_archive=True) == sha256_of(wrapped, is_archive=True)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at_terminal(monkeypatch):
    """A function that puts a terminal in place of standard error; called in a test, not before."""

    def put():
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return put


def test_a_terminal_shows_how_a_download_goes(published, at_terminal):
    terminal = at_terminal()
    data_file("one.txt")
    assert "downloading one.txt" in terminal.getvalue()
    assert "4/4 bytes" in terminal.getvalue()


def test_what_is_no_terminal_is_left_alone(published, capsys):
    data_file("one.txt")
    assert capsys.readouterr() == ("", "")


def test_a_live_display_is_left_whole_and_gets_a_line(published, at_terminal):
    terminal = at_terminal()
    with Progress(console=Console(stderr=True)) as progress:
        progress.add_task("weighing", total=None)
        data_file("one.txt")
    assert "downloading one.txt\n" in terminal.getvalue().replace("\r", "")
    assert "bytes" not in terminal.getvalue()


def test_what_is_no_archive_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_DATA", str(tmp_path))
    (tmp_path / "polyglot-7e0611e.tar.xz").write_bytes(b"<html>")
    with pytest.raises(WeighError, match="cannot read"):
        data_file("polyglot-7e0611e.tar.xz")


@pytest.mark.parametrize("name", sorted(data.PINS))
def test_the_file_in_the_data_folder_is_the_pinned_one(name, shared_data, monkeypatch):
    if not (shared_data / name).is_file():
        pytest.skip(f"there is no {name} in {shared_data}")
    monkeypatch.setenv("NETWEIGHT_DATA", str(shared_data))
    assert data_file(name) == shared_data / name
