"""The Triton kernels as a kernel set, over a `DeviceLayout`."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from netweight.model.device_layout import DeviceLayout
from netweight.model.kernels.gpu import attention, interpreter, routing, rows
from netweight.model.kernels.gpu.projection import DeviceLinear
from netweight.model.kernels.protocol import Kernels
from netweight.model.rope import Rotation

__all__ = ["TritonKernels", "kernels"]


@dataclass(frozen=True)
class TritonKernels(Kernels):
    """The set, with attention in one launch, and norms in one with what surrounds them."""

    def norm_linear(
        self,
        x: Tensor,
        added: Tensor | None,
        scale: Tensor,
        eps: float,
        linear: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Kernels."""
        if isinstance(linear, DeviceLinear):
            return linear.after_norm(x, added, scale, eps)
        if added is None:
            t = rows.rms_norm(x, scale, eps)
            return x, t, linear(t)
        total, t = rows.add_rms_norm(x, added, scale, eps)
        return total, t, linear(t)

    def attend(
        self,
        qkv: Tensor,
        rotation: Rotation,
        pages: Tensor,
        table: Tensor,
        sinks: Tensor,
        layout: DeviceLayout,  # type: ignore[override]  # what a device's model steps over
        *,
        window: int | None,
    ) -> Tensor:
        """See Kernels."""
        return attention.attend(qkv, rotation, pages, table, sinks, layout, window=window)


def kernels(base: Kernels) -> TritonKernels:
    """The set; what only training and tests need is that of `base`."""
    interpreter.mend()
    return TritonKernels(
        "triton",
        rms_norm=rows.rms_norm,
        rotate=base.rotate,
        attention=base.attention,
        store=base.store,
        paged_attention=base.paged_attention,
        route=routing.route,
        swiglu=base.swiglu,
        dequantize_mxfp4=base.dequantize_mxfp4,
    )
