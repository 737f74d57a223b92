"""The files that a model was loaded from, told by one number. Reads them as bytes only."""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path


class Source:
    """A checkpoint's folder, and the folders of adapters by name."""

    def __init__(self, folder: Path, adapters: Mapping[str, Path]) -> None:
        """Nothing is read until it is asked for."""
        self._folder, self._adapters = folder, adapters
        self._digests: dict[str | None, str] = {}
        self._making = threading.Lock()

    def digest(self, adapter: str | None = None) -> str:
        """The sha256 of the lines that `sha256sum` gives for the files, an adapter's among them.

        All are read the first time, which takes a while where they are large.
        """
        with self._making:
            if adapter not in self._digests:
                folders = [self._folder, *([] if adapter is None else [self._adapters[adapter]])]
                self._digests[adapter] = _digest(
                    [path for each in folders for path in _files(each)]
                )
            return self._digests[adapter]


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")])


def _digest(paths: list[Path]) -> str:
    lines = []
    for path in paths:
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()
