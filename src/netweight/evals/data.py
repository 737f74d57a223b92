"""Public data files: found in a folder, kept in the user's cache, downloaded from their publisher.

Each is pinned by revision and sha256, and is checked every time: what does not match is never read.
None is part of netweight. NETWEIGHT_DATA names a folder that is looked into first, for machines
without a network. Knows files and digests; does not know what is in them.
"""

import hashlib
import logging
import os
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO

from netweight.errors import WeighError

log = logging.getLogger(__name__)

_CHUNK_BYTES = 2**18
_TIMEOUT_S = 60.0  # without a byte
_TELL_BYTES = 2**24  # how often progress is logged


@dataclass(frozen=True)
class Pin:
    """Where a file comes from, and what is in it.

    The sha256 of an archive is of its content, since its publisher packs it anew for each download:
    of the lines that `sha256sum` gives for its files in the order of their names, without the
    folder that holds them all, if there is one.
    """

    url: str
    revision: str
    sha256: str
    licence: str
    is_archive: bool = False


_POLYGLOT = "7e0611e77b54e2dea774cdc0aa00cf9f7ed6144f"

PINS = {
    "polyglot-7e0611e.tar.xz": Pin(
        url=f"https://codeload.github.com/Aider-AI/polyglot-benchmark/tar.gz/{_POLYGLOT}",
        revision=_POLYGLOT,
        sha256="8b9b21b20a24a42b06ac3e6ecb83be8d107ab51f616b394f3a2a30480c1a00c7",
        licence="MIT (Exercism)",
        is_archive=True,
    ),
}


def data_file(name: str) -> Path:
    """Return the path of a data file with a pin, having downloaded it if need be.

    Raises:
        WeighError: it cannot be downloaded or kept, or what is there does not match its pin.
    """
    pin = PINS[name]
    for path in _places(name):
        if path.is_file():
            _check(path, name, pin)
            return path
    path = cache_folder() / "data" / name
    _download(pin, path, name)
    return path


def cache_folder() -> Path:
    """Where netweight keeps what it can get again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netweight"


def _places(name: str) -> Iterator[Path]:
    if folder := os.environ.get("NETWEIGHT_DATA"):
        yield Path(folder) / name
    yield cache_folder() / "data" / name


def _check(path: Path, name: str, pin: Pin) -> None:
    try:
        found = sha256_of(path, is_archive=pin.is_archive)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise WeighError(f"cannot read {path}: {error}. Remove it to download it again.") from error
    if found != pin.sha256:
        raise WeighError(
            f"{path} is not {name} as published at revision {pin.revision[:12]}: its sha256 is "
            f"{found}, not {pin.sha256}. Remove it to download it again."
        )


def sha256_of(path: Path, *, is_archive: bool) -> str:
    """Return the sha256 that a pin has for a file or an archive."""
    if not is_archive:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(archive_files(path).items())
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def archive_files(path: Path) -> dict[str, bytes]:
    """Return an archive's files by name, without the folder that holds them all, if there is one.

    Links and the like are left out.
    """
    with tarfile.open(path) as archive:
        files = {
            PurePosixPath(member.name).as_posix(): file.read()
            for member in archive
            if member.isfile() and (file := archive.extractfile(member)) is not None
        }
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or tops & set(files):
        return files
    return {name.partition("/")[2]: content for name, content in files.items()}


def _download(pin: Pin, path: Path, name: str) -> None:
    """Download a file to where it is kept; an incomplete or other one never gets there."""
    log.info("downloading", extra={"file": name, "url": pin.url, "licence": pin.licence})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
            try:
                with urllib.request.urlopen(pin.url, timeout=_TIMEOUT_S) as answer:
                    _copy(answer, part, name)
                part.close()
                _check_download(Path(part.name), name, pin)
                Path(part.name).replace(path)
            finally:
                Path(part.name).unlink(missing_ok=True)
    except (OSError, HTTPException) as error:  # urllib's own are OSErrors
        raise WeighError(
            f"cannot download {name} from {pin.url} ({error}). Try again with a network, or put "
            f"the file into a folder and set NETWEIGHT_DATA to it. Its licence: {pin.licence}."
        ) from error
    log.info("downloaded", extra={"file": name, "path": str(path)})


def _copy(source: IO[bytes], target: IO[bytes], name: str) -> None:
    num_bytes = told = 0
    while data := source.read(_CHUNK_BYTES):
        target.write(data)
        num_bytes += len(data)
        if num_bytes - told >= _TELL_BYTES:
            told = num_bytes
            log.info("downloading", extra={"file": name, "num_bytes": num_bytes})


def _check_download(part: Path, name: str, pin: Pin) -> None:
    try:
        found = sha256_of(part, is_archive=pin.is_archive)
    except (EOFError, tarfile.TarError) as error:
        raise WeighError(f"what {pin.url} gave is no archive: {error}. Try again later.") from error
    if found != pin.sha256:
        raise WeighError(
            f"what {pin.url} gave is not {name} at revision {pin.revision[:12]}: its sha256 is "
            f"{found}, not {pin.sha256}. Nothing was kept."
        )
