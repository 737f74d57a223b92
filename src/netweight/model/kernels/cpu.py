"""The native CPU kernels (native/, built as netweight._native) as a kernel set.

One set of functions for all instruction sets: which of them runs is chosen once, for the process.
`rows` has attention, norms and the router, `packed` the matrices, which `netweight.model.packing`
puts where a transformer wants them.
"""

from dataclasses import dataclass

from torch import Tensor

import netweight._native as _native
from netweight.model.kernels import rows, sampling
from netweight.model.kernels.protocol import Kernels
from netweight.model.paged import Layout
from netweight.model.rope import Rotation

__all__ = ["NativeKernels", "kernels", "read_bytes", "set_num_threads", "supported"]


def supported() -> list[str]:
    """The instruction sets that were built and that this processor has, fastest last."""
    return _native.supported()


def set_num_threads(num_threads: int) -> None:
    """How many threads the kernels use, the caller's among them."""
    _native.set_num_threads(num_threads)


def read_bytes(data: Tensor) -> int:
    """Read all bytes of a tensor with all threads; a sum of them, so that they must be read."""
    assert data.is_contiguous(), "bytes in one piece"
    return _native.read_bandwidth_bytes(data.data_ptr(), data.nbytes)


@dataclass(frozen=True)
class NativeKernels(Kernels):
    """The set, with attention in one call: some 15 us less in each layer of each step."""

    is_native: bool = True

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
        """See Kernels."""
        return rows.attend(qkv, rotation, pages, table, sinks, layout, window=window)


def kernels(name: str, base: Kernels) -> NativeKernels:
    """The kernels of an instruction set that this processor has; the process now uses it.

    What only training and tests need is that of `base`.
    """
    _native.use(name)
    return NativeKernels(
        name,
        rms_norm=rows.rms_norm,
        rotate=rows.rotate,
        attention=base.attention,
        store=rows.store,
        paged_attention=rows.paged_attention,
        route=rows.route,
        swiglu=base.swiglu,
        dequantize_mxfp4=base.dequantize_mxfp4,
        sampling=sampling,
        prefer_huge_pages=rows.prefer_huge_pages,
    )
