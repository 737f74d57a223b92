"""gpt-oss, from token ids to logits: read it from top to bottom.

The architecture is that of openai/gpt-oss, gpt_oss/torch/model.py (arXiv 2508.10925, section 2).
The operations themselves are in `kernels`. Knows tensors only: no requests, no text.
"""

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from netweight.model import kernels
from netweight.model.checkpoint import Checkpoint
from netweight.model.config import Config
from netweight.model.paged import Layout, PagedCache
from netweight.model.rope import rotation
from netweight.model.weights import LayerWeights, Weights, load_weights


class Attend(Protocol):
    """How one layer's tokens look at one another and at what came before."""

    def __call__(self, layer_index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Turned q and k, and v, [tokens, heads, head_dim] to [tokens, heads * head_dim]."""
        ...


class Transformer:
    """A gpt-oss model: weights, and the way of a token through them."""

    def __init__(self, config: Config, weights: Weights, kernel_set: kernels.Kernels) -> None:
        """Put weights of one dtype behind one kernel set."""
        self.config = config
        self.weights = weights
        self.kernels = kernel_set
        self.dtype = weights.dtype

    @classmethod
    def load(cls, path: Path, *, dtype: torch.dtype = torch.bfloat16) -> "Transformer":
        """Load a checkpoint folder of either published layout.

        bfloat16 weights stay memory-mapped; any other `dtype` makes a copy of all but the experts.

        Raises:
            CheckpointError: naming what is missing, misshapen or damaged.
        """
        checkpoint = Checkpoint.open(path)
        kernel_set = kernels.select()
        return cls(checkpoint.config, load_weights(checkpoint, dtype, kernel_set), kernel_set)

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """An empty cache of so many pages for the layers of each kind."""
        return PagedCache(self.config, num_pages, num_window_pages, self.dtype)

    @torch.inference_mode()
    def step(self, token_ids: Tensor, layout: Layout, cache: PagedCache, rows: Tensor) -> Tensor:
        """Take tokens of several sequences one step further, storing their keys and values.

        Args:
            token_ids: int64 [tokens].
            layout: where each of them belongs.
            cache: holds what came before in the sequences, and the step's own tokens after it.
            rows: int64 [rows], the tokens after which logits are wanted.

        Returns:
            float32 [rows, vocab].
        """

        def attend(layer_index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            window = self.config.window(layer_index)
            pages, table = cache.layer(layer_index), layout.table(window)
            self.kernels.store(k, v, pages, table, layout)
            sinks = self.weights.layers[layer_index].sinks
            return self.kernels.paged_attention(q, pages, table, sinks, layout, window=window)

        x = self._layers(token_ids, layout.positions, attend)
        return self._logits(x if rows.numel() == x.shape[0] else x[rows])

    def forward(self, token_ids: Tensor) -> Tensor:
        """Logits after each token of whole sequences, without a cache: for training and tests.

        Args:
            token_ids: int64 [batch, tokens].

        Returns:
            float32 [batch, tokens, vocab].
        """
        batch, num_tokens = token_ids.shape

        def attend(layer_index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q, k, v = (x.unflatten(0, (batch, num_tokens)) for x in (q, k, v))
            sinks, window = self.weights.layers[layer_index].sinks, self.config.window(layer_index)
            return self.kernels.attention(q, k, v, sinks, window=window).flatten(0, 1)

        positions = torch.arange(num_tokens).repeat(batch)
        x = self._layers(token_ids.flatten(), positions, attend)
        return self._logits(x).view(batch, num_tokens, -1)

    def _layers(self, token_ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        turn = rotation(self.config, positions, self.dtype)
        x = self.weights.embedding(token_ids)  # [tokens, hidden]
        for layer_index, layer in enumerate(self.weights.layers):
            q, k, v = self._queries_keys_values(x, layer)
            q, k = self.kernels.rotate(q, turn), self.kernels.rotate(k, turn)
            x = x + layer.out(attend(layer_index, q, k, v))
            x = x + self._mixture(x, layer)
        return x

    def _queries_keys_values(self, x: Tensor, layer: LayerWeights) -> tuple[Tensor, Tensor, Tensor]:
        t = self.kernels.rms_norm(x, layer.attention_norm, self.config.rms_norm_eps)
        heads, kv_heads = self.config.num_attention_heads, self.config.num_key_value_heads
        qkv = layer.qkv(t).unflatten(-1, (-1, self.config.head_dim))  # [tokens, heads, head_dim]
        q, k, v = qkv.split((heads, kv_heads, kv_heads), dim=1)
        return q, k, v

    def _mixture(self, x: Tensor, layer: LayerWeights) -> Tensor:
        t = self.kernels.rms_norm(x, layer.mlp_norm, self.config.rms_norm_eps)
        weights, chosen = self.kernels.route(layer.router(t), self.config.experts_per_token)
        return layer.mixture(t, weights, chosen)

    def _logits(self, x: Tensor) -> Tensor:
        x = self.kernels.rms_norm(x, self.weights.norm, self.config.rms_norm_eps)
        return self.weights.unembedding(x).float()
