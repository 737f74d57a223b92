"""The Triton kernels as a kernel set, over a `DeviceLayout`."""

from dataclasses import dataclass

from torch import Tensor

from netweight.model.device_layout import DeviceLayout
from netweight.model.kernels.gpu import attention, interpreter, routing, rows
from netweight.model.kernels.protocol import Kernels
from netweight.model.rope import Rotation

__all__ = ["TritonKernels", "kernels"]


@dataclass(frozen=True)
class TritonKernels(Kernels):
    """The set, with rotation and storing in one launch, and norms that add what comes before."""

    def add_norm(
        self, x: Tensor, added: Tensor, scale: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """See Kernels."""
        return rows.add_rms_norm(x, added, scale, eps)

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
