"""gpt-oss, from token ids to logits: read it from top to bottom.

The architecture is that of openai/gpt-oss, gpt_oss/torch/model.py (arXiv 2508.10925, section 2).
The operations themselves are in `kernels`. Knows tensors only: no requests, no text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import linear

from netweight.model import kernels
from netweight.model.checkpoint import Checkpoint
from netweight.model.config import Config
from netweight.model.rope import Rotation, rotation


class ExpertMatrices(Protocol):
    """One weight matrix per expert."""

    def matrix(self, expert: int) -> Tensor:
        """The expert's weights [out, in]."""
        ...


@dataclass(frozen=True)
class PackedExperts:
    """MXFP4 matrices that stay packed; one is unpacked when its expert is used."""

    blocks: Tensor  # uint8 [experts, out, in / 32, 16]
    scales: Tensor  # uint8 [experts, out, in / 32]
    dtype: torch.dtype
    kernels: kernels.Kernels

    def matrix(self, expert: int) -> Tensor:
        """The expert's weights [out, in], unpacked."""
        return self.kernels.dequantize_mxfp4(self.blocks[expert], self.scales[expert], self.dtype)


@dataclass(frozen=True)
class DenseExperts:
    """Matrices in a floating-point type: dequantised checkpoints, and training."""

    weight: Tensor  # [experts, out, in]

    def matrix(self, expert: int) -> Tensor:
        """The expert's weights [out, in]."""
        return self.weight[expert]


@dataclass(frozen=True)
class LayerWeights:
    """One layer's weights, in the order in which a token meets them."""

    attention_norm: Tensor  # [hidden]
    q: Tensor  # [heads * head_dim, hidden]
    q_bias: Tensor
    k: Tensor  # [kv_heads * head_dim, hidden]
    k_bias: Tensor
    v: Tensor  # like k
    v_bias: Tensor
    sinks: Tensor  # [heads]
    out: Tensor  # [hidden, heads * head_dim]
    out_bias: Tensor
    mlp_norm: Tensor  # [hidden]
    router: Tensor  # [experts, hidden]
    router_bias: Tensor
    gate_up: ExpertMatrices  # [2 * intermediate, hidden] each, gate and linear rows interleaved
    gate_up_bias: Tensor  # [experts, 2 * intermediate]
    down: ExpertMatrices  # [hidden, intermediate] each
    down_bias: Tensor  # [experts, hidden]


@dataclass(frozen=True)
class Weights:
    """All weights of a model."""

    embedding: Tensor  # [vocab, hidden]
    layers: Sequence[LayerWeights]
    norm: Tensor  # [hidden]
    unembedding: Tensor  # [vocab, hidden]


class KVCache:
    """Every layer's keys and values of the tokens so far: `length` of `capacity`."""

    def __init__(
        self, config: Config, capacity: int, dtype: torch.dtype, *, batch: int = 1
    ) -> None:
        """Reserve room for `capacity` tokens of `batch` sequences."""
        shape = (
            config.num_hidden_layers,
            batch,
            capacity,
            config.num_key_value_heads,
            config.head_dim,
        )
        self._keys = torch.empty(shape, dtype=dtype)
        self._values = torch.empty(shape, dtype=dtype)
        self.capacity = capacity
        self.length = 0

    def append(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store one layer's new keys and values [batch, tokens, kv_heads, head_dim].

        Returns:
            All of that layer's so far. `length` grows only by `advance`, after the last layer.
        """
        end = self.length + k.shape[1]
        assert end <= self.capacity, f"{end} tokens in a cache of {self.capacity}"
        self._keys[layer_index, :, self.length : end] = k
        self._values[layer_index, :, self.length : end] = v
        return self._keys[layer_index, :, :end], self._values[layer_index, :, :end]

    def advance(self, num_tokens: int) -> None:
        """Count tokens whose keys and values every layer has stored."""
        self.length += num_tokens


class Transformer:
    """A gpt-oss model: weights, and the way of a token through them."""

    def __init__(self, config: Config, weights: Weights, kernel_set: kernels.Kernels) -> None:
        """Put weights of one dtype behind one kernel set."""
        self.config = config
        self.weights = weights
        self.kernels = kernel_set
        self.dtype = weights.embedding.dtype

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

    def new_cache(self, capacity: int, *, batch: int = 1) -> KVCache:
        """An empty cache for `capacity` tokens."""
        return KVCache(self.config, capacity, self.dtype, batch=batch)

    def forward(
        self, token_ids: Tensor, cache: KVCache | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Logits after each token.

        Args:
            token_ids: int64 [batch, tokens], following what `cache` holds.
            cache: earlier keys and values; the new ones are appended.
            last_only: compute logits for the last token only, as generation needs.

        Returns:
            float32 [batch, tokens, vocab], or [batch, 1, vocab] with `last_only`.
        """
        first_position = 0 if cache is None else cache.length
        positions = torch.arange(first_position, first_position + token_ids.shape[1])
        turn = rotation(self.config, positions, self.dtype)
        x = self.weights.embedding[token_ids]  # [batch, tokens, hidden]
        for layer_index, layer in enumerate(self.weights.layers):
            x = x + self._attention(x, layer_index, layer, turn, cache)
            x = x + self._mixture(x, layer)
        if cache is not None:
            cache.advance(token_ids.shape[1])
        if last_only:
            x = x[:, -1:]
        x = self.kernels.rms_norm(x, self.weights.norm, self.config.rms_norm_eps)
        return linear(x, self.weights.unembedding).float()

    def _attention(
        self,
        x: Tensor,
        layer_index: int,
        layer: LayerWeights,
        turn: Rotation,
        cache: KVCache | None,
    ) -> Tensor:
        t = self.kernels.rms_norm(x, layer.attention_norm, self.config.rms_norm_eps)
        q = self._heads(linear(t, layer.q, layer.q_bias))  # [batch, tokens, heads, head_dim]
        k = self._heads(linear(t, layer.k, layer.k_bias))  # [batch, tokens, kv_heads, head_dim]
        v = self._heads(linear(t, layer.v, layer.v_bias))
        q, k = self.kernels.rotate(q, turn), self.kernels.rotate(k, turn)
        if cache is not None:
            k, v = cache.append(layer_index, k, v)
        window = self.config.window(layer_index)
        mixed = self.kernels.attention(q, k, v, layer.sinks, window=window)
        return linear(mixed, layer.out, layer.out_bias)

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], -1, self.config.head_dim)

    def _mixture(self, x: Tensor, layer: LayerWeights) -> Tensor:
        t = self.kernels.rms_norm(x, layer.mlp_norm, self.config.rms_norm_eps).flatten(0, 1)
        logits = linear(t, layer.router, layer.router_bias)  # [tokens, experts]
        weights, chosen = self.kernels.route(logits, self.config.experts_per_token)
        mixed = torch.zeros(t.shape, dtype=torch.float32)
        for expert in chosen.unique().tolist():
            tokens, slots = torch.where(chosen == expert)
            y = self._expert(t[tokens], layer, expert)
            mixed.index_add_(0, tokens, y.float() * weights[tokens, slots, None])
        return mixed.to(x.dtype).view_as(x)  # rounds once, after the sum over experts

    def _expert(self, t: Tensor, layer: LayerWeights, expert: int) -> Tensor:
        h = linear(t, layer.gate_up.matrix(expert), layer.gate_up_bias[expert])
        h = self.kernels.swiglu(h, alpha=self.config.swiglu_alpha, limit=self.config.swiglu_limit)
        return linear(h, layer.down.matrix(expert), layer.down_bias[expert])


def load_weights(
    checkpoint: Checkpoint, dtype: torch.dtype, kernel_set: kernels.Kernels
) -> Weights:
    """All weights of an opened checkpoint, floating-point ones in `dtype`."""

    def experts(name: str) -> ExpertMatrices:
        if not checkpoint.packed:
            return DenseExperts(checkpoint.tensor(name).transpose(1, 2).to(dtype))
        blocks, scales = checkpoint.tensor(f"{name}_blocks"), checkpoint.tensor(f"{name}_scales")
        return PackedExperts(blocks, scales, dtype, kernel_set)

    return assemble(checkpoint.config, lambda name: checkpoint.tensor(name).to(dtype), experts)


def assemble(
    config: Config, tensor: Callable[[str], Tensor], experts: Callable[[str], ExpertMatrices]
) -> Weights:
    """Weights from tensors by Hugging Face name; `experts` makes the expert matrices."""
    return Weights(
        embedding=tensor("model.embed_tokens.weight"),
        layers=[
            _assemble_layer(f"model.layers.{index}.", tensor, experts)
            for index in range(config.num_hidden_layers)
        ],
        norm=tensor("model.norm.weight"),
        unembedding=tensor("lm_head.weight"),
    )


def _assemble_layer(
    prefix: str, tensor: Callable[[str], Tensor], experts: Callable[[str], ExpertMatrices]
) -> LayerWeights:
    return LayerWeights(
        attention_norm=tensor(f"{prefix}input_layernorm.weight"),
        q=tensor(f"{prefix}self_attn.q_proj.weight"),
        q_bias=tensor(f"{prefix}self_attn.q_proj.bias"),
        k=tensor(f"{prefix}self_attn.k_proj.weight"),
        k_bias=tensor(f"{prefix}self_attn.k_proj.bias"),
        v=tensor(f"{prefix}self_attn.v_proj.weight"),
        v_bias=tensor(f"{prefix}self_attn.v_proj.bias"),
        sinks=tensor(f"{prefix}self_attn.sinks"),
        out=tensor(f"{prefix}self_attn.o_proj.weight"),
        out_bias=tensor(f"{prefix}self_attn.o_proj.bias"),
        mlp_norm=tensor(f"{prefix}post_attention_layernorm.weight"),
        router=tensor(f"{prefix}mlp.router.weight"),
        router_bias=tensor(f"{prefix}mlp.router.bias"),
        gate_up=experts(f"{prefix}mlp.experts.gate_up_proj"),
        gate_up_bias=tensor(f"{prefix}mlp.experts.gate_up_proj_bias"),
        down=experts(f"{prefix}mlp.experts.down_proj"),
        down_bias=tensor(f"{prefix}mlp.experts.down_proj_bias"),
    )
