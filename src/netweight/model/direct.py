"""Reading parts of files past the page cache, for weights that are cached elsewhere.

A model larger than memory would fill the page cache with what it reads, and push out what is used.
Reads go straight to memory where the file system can do that (O_DIRECT); where it cannot, what was
read is dropped from the page cache at once.
"""

import os
import threading
from pathlib import Path

import torch
from torch import Tensor

from netweight.errors import CheckpointError

_BLOCK = 4096  # what O_DIRECT asks offsets, sizes and addresses to be multiples of


class DirectFile:
    """A file to be read in parts, by any number of threads."""

    def __init__(self, path: Path) -> None:
        """Open it; OSError when that cannot be done."""
        self.path = path
        self._scratch = threading.local()
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_DIRECT)
            self.is_direct = True
        except OSError:  # a file system without it, such as tmpfs
            self._file = os.open(path, os.O_RDONLY)
            self.is_direct = False

    def read(self, offset: int, num_bytes: int) -> Tensor:
        """Bytes of the file, uint8 [num_bytes], valid until this thread's next read.

        Raises:
            CheckpointError: when the file ends before.
            OSError: when the disk fails.
        """
        start = offset // _BLOCK * _BLOCK
        size = -(-(offset + num_bytes - start) // _BLOCK) * _BLOCK
        buffer = self._buffer(size)
        view, done = buffer.numpy().data, 0
        while start + done < offset + num_bytes:
            num_read = os.preadv(self._file, [view[done:]], start + done)
            if num_read == 0:
                raise CheckpointError(f"{self.path} ends at byte {start + done}; it is cut off.")
            done += num_read
        if not self.is_direct:
            os.posix_fadvise(self._file, start, size, os.POSIX_FADV_DONTNEED)
        return buffer[offset - start : offset - start + num_bytes]

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def _buffer(self, size: int) -> Tensor:
        """Aligned memory of this thread's own."""
        buffer: Tensor | None = getattr(self._scratch, "buffer", None)
        if buffer is None or buffer.numel() < size:
            whole = torch.empty(size + _BLOCK, dtype=torch.uint8)
            first = -whole.data_ptr() % _BLOCK
            buffer = self._scratch.buffer = whole[first : first + size]
        return buffer[:size]
