"""Keys and values in pages, and where each token of a step belongs.

A page holds 16 positions of one sequence, on all layers of its kind: those that see everything, or
those with a window, whose old pages can be given up. Who holds which page is the engine's business;
how a page is laid out inside is the kernel set's.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from netweight.model.config import Config

PAGE_TOKENS = 16


@dataclass(frozen=True)
class Layout:
    """Where the tokens of a step belong: a flat batch, one sequence after another.

    All int32 and contiguous. A sequence's tokens have consecutive positions; with its last one, the
    cache holds its positions up to that.
    """

    positions: Tensor  # [tokens] of each token in its sequence
    starts: Tensor  # [sequences + 1]; sequence s has tokens starts[s] to starts[s + 1]
    pages: Tensor  # [sequences, max_pages]: page p holds positions 16p to 16p + 15
    window_pages: Tensor  # the same for window layers; -1 where no query of this step looks

    def table(self, window: int | None) -> Tensor:
        """The pages of a layer with this window."""
        return self.pages if window is None else self.window_pages


class PagedCache:
    """Room for keys and values; pages of the two kinds are numbered apart."""

    def __init__(
        self,
        config: Config,
        num_pages: int,
        num_window_pages: int,
        dtype: torch.dtype,
        device: torch.device | None = None,
    ) -> None:
        """Reserve room on `device`; on the CPU, memory is used once a page is written."""
        num_window_layers = _num_window_layers(config)
        num_layers = config.num_hidden_layers - num_window_layers
        page = (2, config.num_key_value_heads, PAGE_TOKENS * config.head_dim)
        self._pages = torch.empty((num_layers, num_pages, *page), dtype=dtype, device=device)
        self._window_pages = torch.empty(
            (num_window_layers, num_window_pages, *page), dtype=dtype, device=device
        )

    @property
    def storage(self) -> tuple[Tensor, Tensor]:
        """All pages of the two kinds [layers, pages, ...]."""
        return self._pages, self._window_pages

    def layer(self, layer_index: int) -> Tensor:
        """One layer's pages [pages, keys or values, kv_heads, PAGE_TOKENS * head_dim]."""
        # Even layers have a window (Config.window), odd ones see everything.
        group = self._window_pages if layer_index % 2 == 0 else self._pages
        return group[layer_index // 2]


def page_bytes(config: Config, *, dtype: torch.dtype = torch.bfloat16) -> int:
    """Bytes of one page over all layers that see everything."""
    num_layers = config.num_hidden_layers - _num_window_layers(config)
    return num_layers * _layer_page_bytes(config, dtype)


def window_page_bytes(config: Config, *, dtype: torch.dtype = torch.bfloat16) -> int:
    """Bytes of one page over all window layers."""
    return _num_window_layers(config) * _layer_page_bytes(config, dtype)


def _layer_page_bytes(config: Config, dtype: torch.dtype) -> int:
    return 2 * config.key_value_size * PAGE_TOKENS * dtype.itemsize


def _num_window_layers(config: Config) -> int:
    return sum(config.window(index) is not None for index in range(config.num_hidden_layers))
