"""What a kernel set offers; `reference` says what each operation must compute."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netweight.model.paged import Layout
from netweight.model.rope import Rotation


class Attention(Protocol):
    """See `reference.attention`."""

    def __call__(
        self, q: Tensor, k: Tensor, v: Tensor, sinks: Tensor, *, window: int | None
    ) -> Tensor:
        """Mix values."""
        ...


class PagedAttention(Protocol):
    """See `reference.paged_attention`."""

    def __call__(
        self,
        q: Tensor,
        pages: Tensor,
        table: Tensor,
        sinks: Tensor,
        layout: Layout,
        *,
        window: int | None,
    ) -> Tensor:
        """Mix values from pages."""
        ...


class Swiglu(Protocol):
    """See `reference.swiglu`."""

    def __call__(self, x: Tensor, *, alpha: float, limit: float) -> Tensor:
        """Activate."""
        ...


class SampledMask(Protocol):
    """Logits with minus infinity for what is not allowed, and the largest of them."""

    @property
    def logits(self) -> Tensor:
        """Float32 [vocab]."""
        ...

    @property
    def largest(self) -> float:
        """Minus infinity when nothing is allowed."""
        ...


class SamplingKernels(Protocol):
    """Draws from logits float32 [vocab]; `netweight.engine.sampler` is the definition."""

    def argmax(self, logits: Tensor) -> int:
        """The likeliest token, the lowest id of equals."""
        ...

    def draw(
        self,
        logits: Tensor,
        point: float,
        *,
        temperature: float,
        min_p: float,
        top_k: int,
        top_p: float,
    ) -> int:
        """The token at `point` in [0, 1) of the running sum over the distribution."""
        ...

    def log_probabilities(
        self, logits: Tensor, token_id: int, num_top: int
    ) -> tuple[float, list[tuple[int, float]]]:
        """The log-probability of a token, and the likeliest tokens with theirs."""
        ...

    def masked(self, logits: Tensor, bits: NDArray[np.int32]) -> SampledMask:
        """Keep the logits of tokens whose bit, i % 32 of element i // 32, is set."""
        ...


NOTHING_ALLOWED = -1  # in place of a token drawn: every token is masked out
UNSOUND = -2  # in place of a token drawn: a logit of its row is no finite number


@dataclass(frozen=True)
class Draws:
    """How tokens are drawn from rows of logits, together; on the CPU, [rows] each.

    The settings are those of `netweight.engine.Sampling`.
    """

    points: Tensor  # float64 in [0, 1): of the running sum over each row's distribution
    temperature: Tensor  # float32; 0 takes the likeliest
    min_p: Tensor  # float32
    top_k: Tensor  # int32
    top_p: Tensor  # float32
    bits: Tensor | None = None  # int32 [rows, vocab / 32], as in `masked`; None: all may be drawn


@dataclass(frozen=True)
class Kernels:
    """The operations of the transformer."""

    name: str
    rms_norm: Callable[[Tensor, Tensor, float], Tensor]
    rotate: Callable[[Tensor, Rotation], Tensor]
    attention: Attention
    store: Callable[[Tensor, Tensor, Tensor, Tensor, Layout], None]
    paged_attention: PagedAttention
    route: Callable[[Tensor, int], tuple[Tensor, Tensor]]
    swiglu: Swiglu
    dequantize_mxfp4: Callable[[Tensor, Tensor, torch.dtype], Tensor]
    is_native: bool = False  # bfloat16 only, over packed weights
    sampling: SamplingKernels | None = None  # None: the engine's own, in torch
    prefer_huge_pages: Callable[[Tensor], None] = lambda pages: None  # before the first write

    def norm_linear(
        self,
        x: Tensor,
        added: Tensor | None,
        scale: Tensor,
        eps: float,
        linear: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The sum x + added [tokens, hidden], rounded to their dtype, its norm, and what follows.

        Args:
            x: [tokens, hidden].
            added: like x; None adds nothing.
            scale: [hidden], of the norm.
            eps: of the norm.
            linear: takes the norm.
        """
        total = x if added is None else x + added
        t = self.rms_norm(total, scale, eps)
        return total, t, linear(t)

    def attend(
        self,
        qkv: Tensor,
        rotation: Rotation,
        pages: Tensor,
        table: Tensor,
        sinks: Tensor,
        layout: Layout,
        *,
        window: int | None,
    ) -> Tensor:
        """Turn a step's queries and keys, store keys and values in pages, and attend to them.

        Args:
            qkv: [tokens, (heads + 2 kv_heads) * head_dim]: queries, keys, values.
            rotation: of the step's positions.
            pages: one layer's, as `store` has them.
            table: the layer's kind of `layout`.
            sinks: [heads].
            layout: of the step.
            window: how many keys a query sees, itself included; None for all before it.

        Returns:
            [tokens, heads * head_dim], in qkv's dtype.
        """
        q, k, v = split_heads(qkv, sinks.numel(), 2 * rotation.cos.shape[1])
        self.store(self.rotate(k, rotation), v, pages, table, layout)
        return self.paged_attention(
            self.rotate(q, rotation), pages, table, sinks, layout, window=window
        )


def split_heads(qkv: Tensor, heads: int, head_dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries [tokens, heads, head_dim], keys and values [tokens, kv_heads, head_dim] of rows."""
    x = qkv.unflatten(-1, (-1, head_dim))
    kv_heads = (x.shape[1] - heads) // 2
    q, k, v = x.split((heads, kv_heads, kv_heads), dim=1)
    return q, k, v
