"""Where the tokens of a step belong, as kernels of a device read it.

Everything that differs from step to step lies in one int32 buffer of the device, sent there in one
copy; the few numbers that decide how many programs are launched stay on the host.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netweight.model.paged import Layout

PREFILL_TILE = 16
"""Tokens of a prompt that one program attends for: times 8 query heads of a key head, they fill two
of Hopper's 64-row matrix instructions. Chosen from compiled code, unmeasured on a device."""

# Each part begins on 128 bytes: loads may be wide, and its address has the same divisors each step.
_ALIGNMENT = 32


@dataclass(frozen=True)
class DeviceLayout(Layout):
    """A `Layout` on a device: first sequences with one token each, then pieces of prompts.

    Tensors are int32 and contiguous. A token at position -1 pads a batch to the size of a graph: it
    is in no sequence, and kernels store nothing and compute zeros for it.
    """

    sequences: Tensor  # [tokens], the sequence of each
    tiles: Tensor  # [tiles, 2]: a sequence, and the first token of up to PREFILL_TILE of it
    num_decodes: int  # so many first sequences have one token each; tiles are of the others
    max_context: int  # no token of those sees more positions, its own included
    max_prompt_context: int  # nor does any of a tile


def device_layout(
    layout: Layout,
    device: torch.device | str,
    *,
    num_sequences: int | None = None,
    max_pages: int | None = None,
    max_context: int | None = None,
    buffer: Tensor | None = None,
) -> DeviceLayout:
    """Put `layout` on a device, in one copy that the host does not wait for.

    A graph of a step is captured once and replayed on other numbers, so it must find them in the
    same place and in the same number: hence the keywords, all of them only for steps of which every
    sequence has one token, but for `buffer` and `max_pages`.

    Args:
        layout: on the CPU.
        device: where to.
        num_sequences: pad the batch to so many sequences of one token each, at position -1.
        max_pages: pad tables of pages to so many columns.
        max_context: promise that no sequence is longer, its new token included; None: look.
        buffer: int32 of the device, in one piece and of at least `layout_size` numbers, to copy to;
            None: a new one.

    Raises:
        ValueError: if the layout does not fit in what the keywords say.
    """
    plan = _Plan.of(layout, num_sequences, max_pages, max_context)
    device = torch.device(device)
    stops = list(accumulate((_padded(size) for size in plan.sizes), initial=0))
    if buffer is None:
        buffer = torch.empty(stops[-1], dtype=torch.int32, device=device)
    _check_buffer(buffer, device, stops[-1])
    # Torch keeps pinned memory from being used again before the copy is done.
    host = torch.empty(stops[-1], dtype=torch.int32, pin_memory=device.type == "cuda")
    plan.write(host.numpy(), stops)
    buffer[: stops[-1]].copy_(host, non_blocking=True)
    parts = [buffer[start : start + size] for start, size in zip(stops, plan.sizes, strict=False)]
    positions, starts, sequences, tiles, pages, window_pages = parts
    table = (plan.num_sequences, plan.max_pages)
    return DeviceLayout(
        positions=positions,
        starts=starts,
        pages=pages.view(table),
        window_pages=window_pages.view(table),
        sequences=sequences,
        tiles=tiles.view(-1, 2),
        num_decodes=plan.num_decodes,
        max_context=plan.max_context,
        max_prompt_context=plan.max_prompt_context,
    )


def layout_size(num_tokens: int, num_sequences: int, max_pages: int, num_tiles: int) -> int:
    """How many numbers a buffer of `device_layout` has."""
    return sum(map(_padded, _sizes(num_tokens, num_sequences, max_pages, num_tiles)))


def _sizes(
    num_tokens: int, num_sequences: int, max_pages: int, num_tiles: int
) -> tuple[int, int, int, int, int, int]:
    table = num_sequences * max_pages
    return num_tokens, num_sequences + 1, num_tokens, 2 * num_tiles, table, table


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _check_buffer(buffer: Tensor, device: torch.device, size: int) -> None:
    if buffer.dtype != torch.int32 or buffer.dim() != 1 or not buffer.is_contiguous():
        raise ValueError(f"a buffer {buffer.dtype} {tuple(buffer.shape)}; it is int32 in one piece")
    if buffer.device.type != device.type:
        raise ValueError(f"a buffer on {buffer.device} for a layout on {device}")
    if buffer.numel() < size:
        raise ValueError(f"a buffer of {buffer.numel()} numbers for a layout of {size}")


@dataclass(frozen=True)
class _Plan:
    """A layout, and the sizes of what becomes of it."""

    layout: Layout
    tiles: NDArray[np.int32]  # [tiles, 2]
    num_tokens: int
    num_sequences: int
    max_pages: int
    num_decodes: int
    max_context: int
    max_prompt_context: int

    @classmethod
    def of(
        cls,
        layout: Layout,
        num_sequences: int | None,
        max_pages: int | None,
        max_context: int | None,
    ) -> "_Plan":
        starts = layout.starts.numpy()
        positions = layout.positions.numpy()
        counts = np.diff(starts)
        num_decodes = _leading_ones(counts)
        tiles = _tiles(starts, num_decodes)
        held, columns = layout.pages.shape
        num_sequences = held if num_sequences is None else num_sequences
        max_pages = columns if max_pages is None else max_pages
        longest = int(positions[:num_decodes].max(initial=-1)) + 1
        max_context = longest if max_context is None else max_context
        if num_sequences != held and num_decodes != held:
            raise ValueError("only a step of one token per sequence can be padded")
        for name, given, needed in (
            ("sequences", num_sequences, held),
            ("pages", max_pages, columns),
            ("positions", max_context, longest),
        ):
            if given < needed:
                raise ValueError(f"a step of {needed} {name} does not fit in {given}")
        num_padding = num_sequences - held
        return cls(
            layout,
            tiles,
            positions.size + num_padding,
            num_sequences,
            max_pages,
            num_decodes + num_padding,
            max_context,
            int(positions[num_decodes:].max(initial=-1)) + 1,
        )

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """How many numbers each part has."""
        return _sizes(self.num_tokens, self.num_sequences, self.max_pages, len(self.tiles))

    def write(self, host: NDArray[np.int32], stops: list[int]) -> None:
        """Lay all parts out in `host`, each at its stop."""
        spans = [slice(start, start + size) for start, size in zip(stops, self.sizes, strict=False)]
        positions, starts, sequences, tiles, pages, window_pages = (host[span] for span in spans)
        held, columns = self.layout.pages.shape
        num_tokens = self.layout.positions.numel()
        positions[:num_tokens] = self.layout.positions.numpy()
        positions[num_tokens:] = -1
        starts[: held + 1] = self.layout.starts.numpy()
        starts[held + 1 :] = range(num_tokens + 1, self.num_tokens + 1)
        counts = np.diff(starts)
        sequences[:] = np.repeat(np.arange(counts.size, dtype=np.int32), counts)
        tiles[:] = self.tiles.ravel()
        for part, table in ((pages, self.layout.pages), (window_pages, self.layout.window_pages)):
            rows = part.reshape(self.num_sequences, self.max_pages)
            rows[:held, :columns] = table.numpy()
            rows[held:] = -1
            rows[:held, columns:] = -1


def _leading_ones(counts: NDArray[np.int32]) -> int:
    """How many counts are 1 before the first that is not."""
    others = np.flatnonzero(counts != 1)
    return int(others[0]) if others.size else counts.size


def _tiles(starts: NDArray[np.int32], num_decodes: int) -> NDArray[np.int32]:
    """Sequence and first token of each tile of the sequences after the first `num_decodes`."""
    tiles = [
        (sequence, first)
        for sequence, (start, stop) in enumerate(
            pairwise(starts[num_decodes:].tolist()), num_decodes
        )
        for first in range(start, stop, PREFILL_TILE)
    ]
    return np.array(tiles, dtype=np.int32).reshape(-1, 2)
