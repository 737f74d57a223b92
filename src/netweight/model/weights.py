"""A model's weights: the layers as callables, which each kernel set makes in its own way.

Here are the plain ones, over tensors as the checkpoint has them; they run on the operations of the
reference set, for any dtype, and can be differentiated. `packed` makes those of the native kernels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import linear

from netweight.model.checkpoint import Checkpoint
from netweight.model.config import Config
from netweight.model.kernels import Kernels
from netweight.model.products import unrounded_product


class Linear(Protocol):
    """A matrix and its bias."""

    def __call__(self, x: Tensor) -> Tensor:
        """[tokens, in] to [tokens, out], in x's dtype."""
        ...


class Unembedding(Protocol):
    """The matrix that turns hidden states to logits."""

    def logits(self, x: Tensor) -> Tensor:
        """[tokens, hidden] to float32 [tokens, vocab]."""
        ...


class Embedding(Protocol):
    """A row for each token id."""

    def __call__(self, token_ids: Tensor) -> Tensor:
        """Int64 [tokens] to [tokens, hidden], in the model's dtype."""
        ...


class Mixture(Protocol):
    """The experts of one layer."""

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The weighted sum of the chosen experts' outputs, in x's dtype.

        Args:
            x: [tokens, hidden].
            weights: float32 [tokens, experts_per_token].
            chosen: the experts' indices, int64, like `weights`.
        """
        ...


@dataclass(frozen=True)
class LayerWeights:
    """One layer's weights, in the order in which a token meets them."""

    attention_norm: Tensor  # [hidden]
    qkv: Linear  # hidden to (heads + 2 kv_heads) * head_dim: queries, keys, values
    sinks: Tensor  # [heads]
    out: Linear  # heads * head_dim to hidden
    mlp_norm: Tensor  # [hidden]
    router: Linear  # hidden to experts
    mixture: Mixture


@dataclass(frozen=True)
class Weights:
    """All weights of a model."""

    embedding: Embedding
    layers: Sequence[LayerWeights]
    norm: Tensor  # [hidden]
    unembedding: Unembedding
    dtype: torch.dtype  # of what flows between the layers


@dataclass(frozen=True)
class PlainLinear:
    """Matrices [out, in] with their biases; several stand one below the other."""

    parts: Sequence[tuple[Tensor, Tensor | None]]

    def __call__(self, x: Tensor) -> Tensor:
        """See Linear."""
        parts = [linear(x, weight, bias) for weight, bias in self.parts]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)

    def logits(self, x: Tensor) -> Tensor:
        """See Unembedding."""
        return self(x).float()

    @property
    def bias(self) -> Tensor | None:
        """That of the one matrix."""
        [(_, bias)] = self.parts
        return bias

    def sums(self, x: Tensor) -> Tensor:
        """Float32 [tokens, out] of the one matrix, before its bias and before it is rounded."""
        [(weight, _)] = self.parts
        return unrounded_product(x, weight)


@dataclass(frozen=True)
class PlainEmbedding:
    """A table [vocab, hidden]."""

    table: Tensor

    def __call__(self, token_ids: Tensor) -> Tensor:
        """See Embedding."""
        return self.table[token_ids]


class ExpertMatrices(Protocol):
    """One weight matrix per expert."""

    def matrix(self, expert: int) -> Tensor:
        """The expert's weights [out, in]."""
        ...


@dataclass(frozen=True)
class Mxfp4Experts:
    """MXFP4 matrices that stay packed; one is unpacked when its expert is used."""

    blocks: Tensor  # uint8 [experts, out, in / 32, 16]
    scales: Tensor  # uint8 [experts, out, in / 32]
    dtype: torch.dtype
    kernels: Kernels

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
class PlainMixture:
    """Experts one after another, each for the tokens that chose it."""

    config: Config
    kernels: Kernels
    gate_up: ExpertMatrices  # [2 * intermediate, hidden] each, gate and linear rows interleaved
    gate_up_bias: Tensor  # [experts, 2 * intermediate]
    down: ExpertMatrices  # [hidden, intermediate] each
    down_bias: Tensor  # [experts, hidden]

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """See Mixture."""
        return self.partial(x, weights, chosen).to(x.dtype)  # rounds once, after the sum

    def partial(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The same sum in float32, before it is rounded; a negative choice is none."""
        mixed = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
        for expert in chosen.unique().tolist():
            if expert >= 0:
                tokens, slots = torch.where(chosen == expert)
                y = self._expert(x[tokens], expert)
                mixed.index_add_(0, tokens, y.float() * weights[tokens, slots, None])
        return mixed

    def _expert(self, x: Tensor, expert: int) -> Tensor:
        h = linear(x, self.gate_up.matrix(expert), self.gate_up_bias[expert])
        h = self.kernels.swiglu(h, alpha=self.config.swiglu_alpha, limit=self.config.swiglu_limit)
        return linear(h, self.down.matrix(expert), self.down_bias[expert])


def load_weights(
    checkpoint: Checkpoint,
    dtype: torch.dtype,
    kernels: Kernels,
    device: torch.device | None = None,
) -> Weights:
    """Plain weights of an opened checkpoint on `device`, floating-point ones in `dtype`."""

    def tensor(name: str) -> Tensor:
        return checkpoint.tensor(name).to(device)

    def experts(name: str) -> ExpertMatrices:
        if not checkpoint.packed:
            return DenseExperts(tensor(name).transpose(1, 2).to(dtype))
        blocks, scales = tensor(f"{name}_blocks"), tensor(f"{name}_scales")
        return Mxfp4Experts(blocks, scales, dtype, kernels)

    return assemble(checkpoint.config, lambda name: tensor(name).to(dtype), experts, kernels)


def assemble(
    config: Config,
    tensor: Callable[[str], Tensor],
    experts: Callable[[str], ExpertMatrices],
    kernels: Kernels,
) -> Weights:
    """Plain weights from tensors by Hugging Face name; `experts` makes the expert matrices."""
    embedding = tensor("model.embed_tokens.weight")
    return Weights(
        embedding=PlainEmbedding(embedding),
        layers=[
            _assemble_layer(config, f"model.layers.{index}.", tensor, experts, kernels)
            for index in range(config.num_hidden_layers)
        ],
        norm=tensor("model.norm.weight"),
        unembedding=PlainLinear([(tensor("lm_head.weight"), None)]),
        dtype=embedding.dtype,
    )


def _assemble_layer(
    config: Config,
    prefix: str,
    tensor: Callable[[str], Tensor],
    experts: Callable[[str], ExpertMatrices],
    kernels: Kernels,
) -> LayerWeights:
    def part(name: str) -> tuple[Tensor, Tensor]:
        return tensor(f"{prefix}{name}.weight"), tensor(f"{prefix}{name}.bias")

    return LayerWeights(
        attention_norm=tensor(f"{prefix}input_layernorm.weight"),
        qkv=PlainLinear([part(f"self_attn.{name}_proj") for name in "qkv"]),
        sinks=tensor(f"{prefix}self_attn.sinks"),
        out=PlainLinear([part("self_attn.o_proj")]),
        mlp_norm=tensor(f"{prefix}post_attention_layernorm.weight"),
        router=PlainLinear([part("mlp.router")]),
        mixture=PlainMixture(
            config,
            kernels,
            gate_up=experts(f"{prefix}mlp.experts.gate_up_proj"),
            gate_up_bias=tensor(f"{prefix}mlp.experts.gate_up_proj_bias"),
            down=experts(f"{prefix}mlp.experts.down_proj"),
            down_bias=tensor(f"{prefix}mlp.experts.down_proj_bias"),
        ),
    )
