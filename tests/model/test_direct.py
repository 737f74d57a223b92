"""Direct reads give the file's bytes, wherever they begin and end."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from netweight.errors import CheckpointError
from netweight.model.direct import DirectFile

SIZE = 3 * 4096 + 1234


@pytest.fixture
def content(tmp_path):
    data = torch.randint(0, 256, (SIZE,), dtype=torch.uint8)
    (tmp_path / "file").write_bytes(data.numpy().tobytes())
    return data


PARTS = [(0, 1), (0, SIZE), (4095, 2), (4096, 4096), (5000, 20), (SIZE - 1, 1), (8191, 4097)]


@pytest.mark.parametrize(("offset", "num_bytes"), PARTS)
def test_any_part_can_be_read(tmp_path, content, offset, num_bytes):
    file = DirectFile(tmp_path / "file")
    assert torch.equal(file.read(offset, num_bytes), content[offset : offset + num_bytes])
    file.close()


def test_a_file_system_without_direct_reads_serves_too(tmp_path, content, monkeypatch):
    monkeypatch.setattr("os.O_DIRECT", 0x80000000)  # a flag that no file system knows
    monkeypatch.setattr("os.open", refuse_direct(__import__("os").open))
    file = DirectFile(tmp_path / "file")
    assert not file.is_direct
    assert torch.equal(file.read(100, 5000), content[100:5100])


def refuse_direct(open_file):
    def open_or_fail(path, flags):
        if flags & 0x80000000:
            raise OSError(22, "Invalid argument")
        return open_file(path, flags)

    return open_or_fail


def test_threads_read_at_once(tmp_path, content):
    file = DirectFile(tmp_path / "file")

    def is_right(part):
        offset, num_bytes = part
        return torch.equal(file.read(offset, num_bytes), content[offset : offset + num_bytes])

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(is_right, PARTS * 20))


def test_a_file_that_ends_too_early_is_said(tmp_path, content):
    with pytest.raises(CheckpointError, match="cut off"):
        DirectFile(tmp_path / "file").read(SIZE - 10, 20)
