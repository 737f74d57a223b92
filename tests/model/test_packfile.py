"""Packed files: whole and right, or built again."""

import json
import shutil
from multiprocessing import get_context

import pytest
import torch

from netweight.errors import CheckpointError
from netweight.model import packfile
from netweight.model.packfile import Array, open_or_build

SOURCE = {"checkpoint": "abc"}


def filled(value):
    def fill(index, out):
        out.copy_((torch.arange(out.numel()) * 7 + value + index) % 251)

    return fill


class Recipe:
    """Three arrays, and a record of which parts were filled."""

    def __init__(self, fail_at=None):
        self.calls = []
        self.fail_at = fail_at

    def __call__(self):
        shapes = {"a": (1, 5000), "b": (3, 64), "c": (2, 4096)}
        return [Array(name, *shape, self.fill(name)) for name, shape in shapes.items()]

    def fill(self, name):
        def fill(index, out):
            if (name, index) == self.fail_at:
                raise KeyboardInterrupt
            self.calls.append((name, index))
            filled(ord(name))(index, out)

        return fill


EVERY_PART = [("a", 0), ("b", 0), ("b", 1), ("b", 2), ("c", 0), ("c", 1)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.v1.pack"


@pytest.fixture
def expected(tmp_path):
    return open_or_build(tmp_path / "expected", SOURCE, Recipe())


def assert_same(found, expected):
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_arrays_come_back_as_they_were_written(path):
    found = open_or_build(path, SOURCE, Recipe())
    assert {name: tuple(data.shape) for name, data in found.items()} == {
        "a": (1, 5000),
        "b": (3, 64),
        "c": (2, 4096),
    }
    part = torch.empty(64, dtype=torch.uint8)
    filled(ord("b"))(2, part)
    assert torch.equal(found["b"][2], part)
    assert [file.name for file in path.parent.iterdir()].count("weights.v1.pack.partial") == 0


def test_the_second_opening_fills_nothing(path, expected):
    open_or_build(path, SOURCE, Recipe())
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    assert again.calls == []


def test_other_weights_are_packed_anew(path):
    open_or_build(path, SOURCE, Recipe())
    again = Recipe()
    open_or_build(path, {"checkpoint": "def"}, again)
    assert again.calls == EVERY_PART


def test_another_version_is_packed_anew(path, monkeypatch):
    open_or_build(path, SOURCE, Recipe())
    monkeypatch.setattr(packfile, "VERSION", 2)
    again = Recipe()
    open_or_build(path, SOURCE, again)
    assert again.calls == EVERY_PART


def test_any_flipped_bit_of_the_data_contents_or_trailer_is_noticed(path, expected):
    open_or_build(path, SOURCE, Recipe())
    whole = path.read_bytes()
    data_bytes = 4096 * 2 + 192  # up to the end of b; what follows to 12,288 is padding
    places = [0, 4999, 8192, data_bytes - 1, 12288, 20479, 20481, len(whole) - 1, len(whole) - 20]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        again = Recipe()
        assert_same(open_or_build(path, SOURCE, again), expected)
        assert again.calls == EVERY_PART, place


@pytest.mark.parametrize("size", [0, 10, 4096, 20480, -1])
def test_a_file_cut_off_anywhere_is_packed_anew(path, size, expected):
    open_or_build(path, SOURCE, Recipe())
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    assert again.calls == EVERY_PART


@pytest.mark.parametrize("fail_at", EVERY_PART, ids=str)
def test_an_interrupted_build_goes_on_where_it_stopped(path, fail_at, expected):
    with pytest.raises(KeyboardInterrupt):
        open_or_build(path, SOURCE, Recipe(fail_at))
    assert not path.exists()
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    first_missing = (fail_at[0], 0)  # arrays are kept whole or not at all
    assert again.calls == EVERY_PART[EVERY_PART.index(first_missing) :]


def test_what_an_interrupted_build_left_damaged_is_filled_again(path, expected):
    with pytest.raises(KeyboardInterrupt):
        open_or_build(path, SOURCE, Recipe(("c", 0)))
    partial = path.with_name(path.name + ".partial")
    data = bytearray(partial.read_bytes())
    data[8192] ^= 1  # in b
    partial.write_bytes(data)
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    assert again.calls == EVERY_PART[1:]


def test_a_journal_cut_off_in_a_line_is_read_up_to_it(path, expected):
    with pytest.raises(KeyboardInterrupt):
        open_or_build(path, SOURCE, Recipe(("c", 0)))
    journal = path.with_name(path.name + ".journal")
    journal.write_text(journal.read_text()[:-20])
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    assert again.calls == EVERY_PART[1:]


def test_a_crash_before_the_renaming_loses_nothing(path, expected, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_or_build(path, SOURCE, Recipe())
    again = Recipe()
    assert_same(open_or_build(path, SOURCE, again), expected)
    assert again.calls == []


def test_progress_is_told_in_bytes(path):
    told = []
    open_or_build(path, SOURCE, Recipe(), progress=lambda done, total: told.append((done, total)))
    total = 5000 + 192 + 8192
    assert told[-1] == (total, total)
    assert told == sorted(told)


def test_too_little_disk_is_said_before_anything_is_written(path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 8, 2))
    with pytest.raises(CheckpointError, match="GiB are free"):
        open_or_build(path, SOURCE, Recipe())
    assert not path.with_name(path.name + ".partial").exists()


def _open(path):
    return {name: data.sum().item() for name, data in open_or_build(path, SOURCE, Recipe()).items()}


def test_processes_that_open_at_once_build_one_file(path, expected):
    with get_context("spawn").Pool(3) as pool:
        sums = pool.map(_open, [path] * 3)
    assert sums == [{name: data.sum().item() for name, data in expected.items()}] * 3


def test_the_contents_are_readable_json(path):
    open_or_build(path, SOURCE, Recipe())
    text = path.read_bytes()[20480 : -packfile._TRAILER.size]
    assert json.loads(text)["source"] == SOURCE
