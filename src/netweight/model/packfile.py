"""A file of named arrays that is either whole and right, or built again.

    data        arrays, each at a multiple of 4,096 bytes
    contents    JSON: version, what it was made from, and per array its place and checksums
    trailer     magic, place and size of the contents, their checksum

It is written beside its final name and renamed once all is on disk; an interrupted build goes on
where it stopped. Opening checks every byte (XXH3, at the speed of memory) and maps the file, so
that processes share it and nothing is copied. Knows no model.
"""

import fcntl
import json
import logging
import math
import os
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import xxhash
from torch import Tensor

from netweight.errors import CheckpointError

log = logging.getLogger(__name__)

VERSION = 1
_MAGIC = b"NETWPACK"
_TRAILER = struct.Struct("<8sQQQ")  # magic, offset and size of the contents, their checksum
_ALIGNMENT = 4096
_SPARE_BYTES = 1 << 30  # of disk that a build leaves free

Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True)
class Array:
    """An array to be written: `num_parts` parts of equal size, and what fills one with bytes."""

    name: str
    num_parts: int
    part_bytes: int
    fill: Callable[[int, Tensor], None]  # index of the part, uint8 [part_bytes] to fill


@dataclass(frozen=True)
class _Entry:
    """An array in the file."""

    offset: int
    num_parts: int
    part_bytes: int
    checksums: list[int]  # XXH3, one per part


class Damaged(Exception):
    """The file is not what it should be: build it again. Never leaves this room."""


def open_or_build(
    path: Path,
    source: Mapping[str, object],
    arrays: Callable[[], list[Array]],
    *,
    progress: Progress = lambda done, total: None,
) -> dict[str, Tensor]:
    """The arrays of the file at `path`, uint8 [num_parts, part_bytes], read-only and mapped.

    A file that is missing, damaged, of another version or made from another `source` is built anew
    from `arrays`; other processes that want it wait.

    Raises:
        CheckpointError: when there is too little disk space, saying how much is needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        try:
            return _open(path, source)
        except FileNotFoundError:
            log.info("packing weights", extra={"file": str(path)})
        except Damaged as error:
            log.warning("packing weights again: %s", error, extra={"file": str(path)})
        _build(path, source, arrays(), progress)
        return _open(path, source)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _open(path: Path, source: Mapping[str, object]) -> dict[str, Tensor]:
    contents = _read_contents(path)
    if contents.get("version") != VERSION:
        raise Damaged(f"{path.name} has version {contents.get('version')}, not {VERSION}")
    if contents["source"] != dict(source):
        raise Damaged(f"{path.name} was made from other weights")
    entries = {name: _Entry(**entry) for name, entry in contents["entries"].items()}
    mapped = _map(path)
    found = {name: _slice(mapped, entry) for name, entry in entries.items()}
    _verify(path, entries, found)
    return found


def _read_contents(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < _TRAILER.size:
            raise Damaged(f"{path.name} is cut off")
        file.seek(size - _TRAILER.size)
        magic, offset, num_bytes, checksum = _TRAILER.unpack(file.read())
        if magic != _MAGIC or offset + num_bytes + _TRAILER.size != size:
            raise Damaged(f"{path.name} is cut off or of another kind")
        file.seek(offset)
        text = file.read(num_bytes)
    if xxhash.xxh3_64_intdigest(text) != checksum:
        raise Damaged(f"{path.name} has a damaged table of contents")
    contents: dict[str, Any] = json.loads(text)
    return contents


def _map(path: Path, *, writable: bool = False) -> Tensor:
    return torch.from_file(str(path), shared=writable, size=path.stat().st_size, dtype=torch.uint8)


def _slice(mapped: Tensor, entry: _Entry) -> Tensor:
    end = entry.offset + entry.num_parts * entry.part_bytes
    return mapped[entry.offset : end].view(entry.num_parts, entry.part_bytes)


def _verify(path: Path, entries: Mapping[str, _Entry], found: Mapping[str, Tensor]) -> None:
    parts = [
        (name, index, checksum)
        for name, entry in entries.items()
        for index, checksum in enumerate(entry.checksums)
    ]

    def is_right(part: tuple[str, int, int]) -> bool:
        name, index, checksum = part
        return _checksum(found[name][index]) == checksum

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for part, right in zip(parts, threads.map(is_right, parts), strict=True):
            if not right:
                raise Damaged(f"{path.name} has damaged bytes in {part[0]}")


def _checksum(data: Tensor) -> int:
    return xxhash.xxh3_64_intdigest(data.numpy().data)


def _build(
    path: Path, source: Mapping[str, object], arrays: list[Array], progress: Progress
) -> None:
    """Write the file; what an interrupted build has finished is kept, if its bytes are right."""
    places, end = _places(arrays)
    partial = path.with_name(path.name + ".partial")
    journal = path.with_name(path.name + ".journal")
    plan = {"version": VERSION, "source": dict(source), "bytes": end}
    done = _resume(partial, journal, plan, end)
    total = sum(array.num_parts * array.part_bytes for array in arrays)
    num_done = 0
    with journal.open("a", encoding="utf-8") as finished:
        mapped = _map(partial, writable=True)
        for array in arrays:
            empty = _Entry(places[array.name], array.num_parts, array.part_bytes, [])
            data, kept = _slice(mapped, empty), done.get(array.name)
            if kept is None or [_checksum(part) for part in data] != kept.checksums:
                checksums = []
                for index, part in enumerate(data):
                    array.fill(index, part)
                    checksums.append(_checksum(part))
                    num_done += array.part_bytes
                    progress(num_done, total)
                done[array.name] = _Entry(empty.offset, *_shape(array), checksums)
                finished.write(json.dumps([array.name, asdict(done[array.name])]) + "\n")
                finished.flush()
            else:
                num_done += array.num_parts * array.part_bytes
                progress(num_done, total)
    del mapped
    _finish(partial, {**plan, "entries": {name: asdict(entry) for name, entry in done.items()}})
    partial.rename(path)
    journal.unlink()


def _shape(array: Array) -> tuple[int, int]:
    return array.num_parts, array.part_bytes


def _places(arrays: list[Array]) -> tuple[dict[str, int], int]:
    """Where each array begins, and where the last one ends."""
    places, offset = {}, 0
    for array in arrays:
        places[array.name] = offset
        size = array.num_parts * array.part_bytes
        offset += math.ceil(size / _ALIGNMENT) * _ALIGNMENT
    return places, offset


def _resume(
    partial: Path, journal: Path, plan: Mapping[str, object], num_bytes: int
) -> dict[str, _Entry]:
    """The arrays that an interrupted build of the same plan has finished; else a fresh start."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    if partial.exists() and lines and lines[0] == json.dumps(plan):
        return {name: _Entry(**entry) for name, entry in _whole_lines(lines[1:])}
    partial.unlink(missing_ok=True)
    _check_space(partial, num_bytes)
    with partial.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, num_bytes)
    journal.write_text(json.dumps(plan) + "\n", encoding="utf-8")
    return {}


def _whole_lines(lines: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the build was killed while it wrote this line
            return


def _check_space(path: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < num_bytes + _SPARE_BYTES:
        raise CheckpointError(
            f"packing these weights takes {num_bytes / 2**30:.1f} GiB of disk at {path.parent}, "
            f"and {free / 2**30:.1f} GiB are free. Free some, or set NETWEIGHT_HOME to a folder on "
            "a larger disk; NETWEIGHT_KERNELS=reference needs none, and is slow."
        )


def _finish(partial: Path, contents: Mapping[str, object]) -> None:
    text = json.dumps(contents).encode()
    with partial.open("r+b") as file:
        offset = file.seek(0, os.SEEK_END)
        if offset != contents["bytes"]:  # the contents of an earlier try
            offset = file.seek(int(str(contents["bytes"])))
            file.truncate()
        file.write(text)
        file.write(_TRAILER.pack(_MAGIC, offset, len(text), xxhash.xxh3_64_intdigest(text)))
        file.flush()
        os.fsync(file.fileno())
