"""gpt-oss, from token ids to logits: read it from top to bottom.

The architecture is that of openai/gpt-oss, gpt_oss/torch/model.py (arXiv 2508.10925, section 2).
The operations themselves are in `kernels`. Knows tensors only: no requests, no text.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from netweight.model import kernels
from netweight.model.adapter import Adapted, Adapter, chosen, group, with_adapters
from netweight.model.budget import Budget
from netweight.model.config import Config
from netweight.model.expert_cache import ExpertCache
from netweight.model.paged import Layout, PagedCache
from netweight.model.rope import rotation
from netweight.model.weights import Weights

Attend = Callable[[int, Tensor], Tensor]
"""How tokens look at one another and at what came before, given a layer's index and its queries,
keys and values [tokens, (heads + 2 kv_heads) * head_dim]; [tokens, heads * head_dim]."""

Flow = tuple[Tensor, Tensor | None]
"""What flows between layers, [tokens, hidden] each: the sum so far, and what is still to be added
to it, since the norm that comes next does that on its way."""

RunLayer = Callable[[Callable[[Tensor, Tensor | None], Flow], Tensor, Tensor | None], Flow]
"""Calls a layer on what flows into it."""


class Transformer:
    """A gpt-oss model: weights, and the way of a token through them."""

    def __init__(
        self,
        config: Config,
        weights: Weights,
        kernel_set: kernels.Kernels,
        budget: Budget | None = None,
        expert_cache: ExpertCache | None = None,
        adapters: Mapping[str, Adapter] | None = None,
    ) -> None:
        """Put weights of one dtype behind one kernel set.

        `budget` says what memory keys and values may use, and `expert_cache` holds the experts
        where they do not all stay in memory; the transformer itself uses neither. `adapters` are
        what sequences may have, by name.
        """
        self.config = config
        self.weights = weights
        self.kernels = kernel_set
        self.dtype = weights.dtype
        self.budget = budget
        self.expert_cache = expert_cache
        self.adapters = adapters or {}

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """An empty cache of so many pages for the layers of each kind."""
        cache = PagedCache(self.config, num_pages, num_window_pages, self.dtype)
        for pages in cache.storage:
            self.kernels.prefer_huge_pages(pages)
        return cache

    @property
    def sampling(self) -> kernels.SamplingKernels | None:
        """What draws from logits fastest, where the kernel set has it."""
        return self.kernels.sampling

    @torch.inference_mode()
    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """Take tokens of several sequences one step further, storing their keys and values.

        Args:
            token_ids: int64 [tokens].
            layout: where each of them belongs.
            cache: holds what came before in the sequences, and the step's own tokens after it.
            rows: int64 [rows], the tokens after which logits are wanted.
            adapters: the name of each sequence's adapter, or None; empty: none has one.

        Returns:
            float32 [rows, vocab].
        """
        turn = rotation(self.config, layout.positions, self.dtype)

        def attend(layer_index: int, qkv: Tensor) -> Tensor:
            window = self.config.window(layer_index)
            pages, table = cache.layer(layer_index), layout.table(window)
            sinks = self.weights.layers[layer_index].sinks
            return self.kernels.attend(qkv, turn, pages, table, sinks, layout, window=window)

        adapted = group(self.adapters, adapters, layout.starts)
        flow = self._layers(token_ids, attend, adapted)
        return self._logits(flow, rows, chosen(adapted, rows))

    def forward(self, token_ids: Tensor, adapter: Adapter | None = None) -> Tensor:
        """Logits after each token of whole sequences, without a cache: for tests.

        Args:
            token_ids: int64 [batch, tokens].
            adapter: of all sequences.

        Returns:
            float32 [batch, tokens, vocab].
        """
        num_tokens, rows = token_ids.shape[1], torch.arange(token_ids.numel())
        starts = range(0, token_ids.numel() + 1, num_tokens)
        logits = self.logits_after(token_ids.flatten(), starts, rows, adapter)
        return logits.view(*token_ids.shape, -1)

    def logits_after(
        self,
        token_ids: Tensor,
        starts: Sequence[int],
        rows: Tensor,
        adapter: Adapter | None = None,
        run_layer: RunLayer | None = None,
    ) -> Tensor:
        """Logits after some tokens of whole sequences, without a cache: for training.

        Args:
            token_ids: int64 [tokens], one sequence after the other.
            starts: where each sequence begins, and where the last one ends.
            rows: int64 [rows], the tokens after which logits are wanted.
            adapter: of all sequences.
            run_layer: calls each layer, as gradient checkpointing does; None: they are called.

        Returns:
            float32 [rows, vocab].
        """
        lengths = [stop - start for start, stop in pairwise(starts)]
        positions = torch.cat([torch.arange(length) for length in lengths])
        turn = rotation(self.config, positions, self.dtype)

        def attend(layer_index: int, qkv: Tensor) -> Tensor:
            sinks, window = self.weights.layers[layer_index].sinks, self.config.window(layer_index)
            q, k, v = kernels.split_heads(qkv, sinks.numel(), self.config.head_dim)
            q, k = self.kernels.rotate(q, turn), self.kernels.rotate(k, turn)
            sequences = zip(q.split(lengths), k.split(lengths), v.split(lengths), strict=True)
            mixed = [
                self.kernels.attention(q[None], k[None], v[None], sinks, window=window)[0]
                for q, k, v in sequences
            ]
            return torch.cat(mixed)

        adapted = [Adapted(adapter, torch.arange(token_ids.numel()))] if adapter else []
        flow = self._layers(token_ids, attend, adapted, run_layer)
        return self._logits(flow, rows, chosen(adapted, rows))

    def _layers(
        self,
        token_ids: Tensor,
        attend: Attend,
        adapted: Sequence[Adapted],
        run_layer: RunLayer | None = None,
    ) -> Flow:
        x = self.weights.embedding(token_ids)
        added: Tensor | None = None
        for layer_index in range(len(self.weights.layers)):
            layer = partial(self._layer, layer_index, attend=attend, adapted=adapted)
            x, added = layer(x, added) if run_layer is None else run_layer(layer, x, added)
        return x, added

    def _layer(
        self,
        layer_index: int,
        x: Tensor,
        added: Tensor | None,
        *,
        attend: Attend,
        adapted: Sequence[Adapted],
    ) -> Flow:
        layer, eps = self.weights.layers[layer_index], self.config.rms_norm_eps
        x, t, qkv = self.kernels.norm_linear(x, added, layer.attention_norm, eps, layer.qkv)
        qkv = with_adapters(qkv, t, (layer_index, "qkv"), adapted)
        mixed = attend(layer_index, qkv)
        mixed = with_adapters(layer.out(mixed), mixed, (layer_index, "out"), adapted)
        x, t, logits = self.kernels.norm_linear(x, mixed, layer.mlp_norm, eps, layer.router)
        weights, experts = self.kernels.route(logits, self.config.experts_per_token)
        return x, layer.mixture(t, weights, experts)

    def _logits(self, flow: Flow, rows: Tensor, adapted: Sequence[Adapted]) -> Tensor:
        x, added = flow
        assert added is not None, "a model has a layer at least"
        unembed = self.weights.unembedding.logits
        _, t, logits = self.kernels.norm_linear(
            x[rows], added[rows], self.weights.norm, self.config.rms_norm_eps, unembed
        )
        return with_adapters(logits, t, "unembedding", adapted)
