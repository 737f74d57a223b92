"""Public data files: found in a folder, kept in the user's cache, downloaded from their publisher.

Each is pinned by revision and sha256, and is checked every time: what does not match is never read.
None is part of netweight. NETWEIGHT_DATA names a folder that is looked into first, for machines
without a network. Knows files and digests; does not know what is in them.
"""

import hashlib
import logging
import os
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO

from netweight.errors import WeighError

log = logging.getLogger(__name__)

_CHUNK_BYTES = 2**18
_TIMEOUT_S = 60.0  # without a byte


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
_SPEECHMAP = "856f28a1d0c9da1390f1705616c31041f3fbdddc"
_NEMO_SKILLS = "8b18f3992854bcb668095228a146e214c567b370"
_BBQ = "bea11bd97d79217245b5871acd247b9d6eb24598"
_BBQ_CATEGORIES = {
    "Age": "46e805b3fc2d8cbd26eeb8e8430d98cf7b2dc9c83574ff3674e8ce4f0fca2a60",
    "Disability_status": "375d40d9b71f056150264445ec189b13934998f3f49a1e311aa7578eb3b45e5f",
    "Gender_identity": "8b5adbb368510a97d5775dc43e1c719e0249fe2da33f13c83e3e29edafec7a00",
    "Nationality": "a583e74666aec0341ded8aa3983e7cad694eb24de72c254d28b2df3035720090",
    "Physical_appearance": "e48d7e13508565f4801574e611043470c25c95a0a62af3699cb5ee7cb02608fb",
    "Race_ethnicity": "4a9f1214cfaa115ce7f0bdb40609122e431f5152c71b8ca64d665e483b946ae6",
    "Race_x_SES": "af8e2ae3d0e5be9ebcbfe7149e591d47ff649e263307f4548f7fb12f6a6d83e8",
    "Race_x_gender": "e5dbba782f8c4e25b99dd5470b5136e2db73dbf401cf6d4a5a3ed31b02f95696",
    "Religion": "cb9555f9f3454a52cd2df85956b59bd7fcca5aa922c8527693b1164d08417616",
    "SES": "9f92754bb037b0982604b9112705fb81d60a19d9e759c67e4a85e484a070f528",
    "Sexual_orientation": "2c71036b9e7584fe589c42aef32c1a42bc01b9a5e9b1b8704342630cdb08cefd",
}


def _questions(name: str, sha256: str) -> Pin:
    """A set of SpeechMap's questions."""
    folder = f"https://raw.githubusercontent.com/xlr8harder/llm-compliance/{_SPEECHMAP}/questions"
    return Pin(f"{folder}/{name}.jsonl", _SPEECHMAP, sha256, "Apache-2.0")


def _aime(year: int, sha256: str) -> Pin:
    """A year's problems, which are published as JSON lines under another name."""
    folder = f"https://raw.githubusercontent.com/NVIDIA-NeMo/Skills/{_NEMO_SKILLS}"
    url = f"{folder}/nemo_skills/dataset/aime{year}/test.txt"
    return Pin(url, _NEMO_SKILLS, sha256, "Apache-2.0")


def _bbq(path: str, sha256: str) -> Pin:
    """A file of BBQ."""
    url = f"https://raw.githubusercontent.com/nyu-mll/BBQ/{_BBQ}/{path}"
    return Pin(url, _BBQ, sha256, "CC-BY-4.0")


PINS = {
    "polyglot-7e0611e.tar.xz": Pin(
        url=f"https://codeload.github.com/Aider-AI/polyglot-benchmark/tar.gz/{_POLYGLOT}",
        revision=_POLYGLOT,
        sha256="8b9b21b20a24a42b06ac3e6ecb83be8d107ab51f616b394f3a2a30480c1a00c7",
        licence="MIT (Exercism)",
        is_archive=True,
    ),
    "speechmap/us_hard.jsonl": _questions(
        "us_hard", "b4029692ec7cc1fe1c6c64a44a046ffc857936e7c37da1bc192b0b73e48184d5"
    ),
    "speechmap/us_criticism.jsonl": _questions(
        "us_criticism", "dfb58e990ade94c80ae8014feade362d3488f42d344915d8d9dd5f47c3da6e3c"
    ),
    "speechmap/eu_criticism.jsonl": _questions(
        "eu_criticism", "a9e7b658c6e5614845c72ad0ffab0670fadcae3c566e93a96c694c309f89e226"
    ),
    "speechmap/russia_criticism.jsonl": _questions(
        "russia_criticism", "acf4c416fa77955bc5ab321788c939ead79110d4c8548692dd398a82bdcefcec"
    ),
    "speechmap/china_criticism.jsonl": _questions(
        "china_criticism", "ad52d9efe70dd361e046e1083977b5b0a5aaf7347972301e0e5410b737f0c881"
    ),
    "speechmap/zh_china_criticism.jsonl": _questions(
        "zh_china_criticism", "a862e523f9a8c7f88c0cfbd003c6d0a35404b9a796c5931e66eaeeb15cc57638"
    ),
    "speechmap/fi_china_criticism.jsonl": _questions(
        "fi_china_criticism", "58300404601a1ef17f0faae12b4f0d995204beff36a7f363ad31620f928126fd"
    ),
    "aime/aime24.jsonl": _aime(
        24, "e428f83ec735201c9db2a232727f4c20dbce87079ed386b6e3fb7f756d078756"
    ),
    "aime/aime25.jsonl": _aime(
        25, "b672f9c6660b68dd42f5fc705b17405f24eaa9991c98991d63463c6b683468a8"
    ),
    "bbq/additional_metadata.csv": _bbq(
        "analysis_scripts/additional_metadata.csv",
        "f36708416b0e7adb81b47ad1926f9c39c2beb611702b73b01e06c9b6c9ffbd3d",
    ),
    **{
        f"bbq/{name}.jsonl": _bbq(f"data/{name}.jsonl", sha256)
        for name, sha256 in _BBQ_CATEGORIES.items()
    },
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
                    size = answer.headers.get("Content-Length")
                    with _progress(name, int(size) if size else None) as advance:
                        _copy(answer, part, advance)
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


def _copy(source: IO[bytes], target: IO[bytes], advance: Callable[[int], None]) -> None:
    while data := source.read(_CHUNK_BYTES):
        target.write(data)
        advance(len(data))


@contextmanager
def _progress(name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show a download on standard error, where that is a terminal; yields what counts bytes.

    A display that is live there already is left whole: a line above it has to do.
    """
    from rich.console import Console
    from rich.file_proxy import FileProxy
    from rich.progress import BarColumn, DownloadColumn, Progress

    console, told = Console(stderr=True), f"downloading {name}"
    if not console.is_terminal:
        yield lambda num_bytes: None
    elif isinstance(sys.stderr, FileProxy):  # what a live display has put in its place
        console.print(told, highlight=False)
        yield lambda num_bytes: None
    else:
        columns = ("{task.description}", BarColumn(), DownloadColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task(told, total=size)
            yield lambda num_bytes: progress.advance(bar, num_bytes)


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
