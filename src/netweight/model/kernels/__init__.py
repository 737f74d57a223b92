"""Which implementation of each operation runs: chosen here, once, and nowhere else.

`NETWEIGHT_KERNELS=reference|cpu` forces a set. Without it the native set serves where it was built,
and the reference set where it was not, with a warning in the log.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

from netweight.errors import NetweightError
from netweight.model.kernels import reference
from netweight.model.paged import Layout
from netweight.model.rope import Rotation

log = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Kernels:
    """The operations of the transformer; `reference` says what each must compute."""

    name: str
    rms_norm: Callable[[Tensor, Tensor, float], Tensor] = reference.rms_norm
    rotate: Callable[[Tensor, Rotation], Tensor] = reference.rotate
    attention: Attention = reference.attention
    store: Callable[[Tensor, Tensor, Tensor, Tensor, Layout], None] = reference.store
    paged_attention: PagedAttention = reference.paged_attention
    route: Callable[[Tensor, int], tuple[Tensor, Tensor]] = reference.route
    swiglu: Swiglu = reference.swiglu
    dequantize_mxfp4: Callable[[Tensor, Tensor, torch.dtype], Tensor] = reference.dequantize_mxfp4


REFERENCE = Kernels("reference")


def select(name: str | None = None) -> Kernels:
    """The kernel set `name`, or the one the environment asks for, or the fastest that is built.

    Raises:
        NetweightError: for an unknown name, or a set that was not built.
    """
    name = name or os.environ.get("NETWEIGHT_KERNELS") or _fastest()
    if name == "reference":
        return REFERENCE
    if name != "cpu":
        raise NetweightError(
            f"no kernel set is called {name!r}; NETWEIGHT_KERNELS may be reference or cpu."
        )
    if not _native_is_built():
        raise NetweightError(
            "the native kernels were not built: no C++ compiler was found at installation. "
            "Install one (Debian: apt install g++) and install netweight again."
        )
    from netweight.model.kernels import cpu

    return replace(REFERENCE, name="cpu", dequantize_mxfp4=cpu.dequantize_mxfp4)


@cache
def _fastest() -> str:
    if _native_is_built():
        return "cpu"
    log.warning("native kernels are not built; running on the reference kernels, which are slow")
    return "reference"


def _native_is_built() -> bool:
    return find_spec("netweight._native") is not None
