"""Weights on a device, as the Triton kernels want them: packed experts, one matrix for q, k and v.

Tensors come from the memory-mapped checkpoint in the order in which a token meets them. Threads
read ahead into pinned memory, so that disk, bus and packing overlap.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.model.checkpoint import Checkpoint
from netweight.model.config import Config
from netweight.model.kernels.gpu.experts import MOST_FAST_SCALE, DeviceMixture
from netweight.model.kernels.gpu.packed import pack_experts, packed_bytes
from netweight.model.kernels.gpu.projection import DeviceLinear, DeviceUnembedding
from netweight.model.offload import ExpertShape, OffloadedExperts, OffloadedMixture
from netweight.model.packfile import Progress
from netweight.model.weights import LayerWeights, Mixture, PlainEmbedding, Weights

_READERS = 8  # threads; one copies a mapped file at some 2 GB/s, disks give more
_READ_AHEAD_BYTES = 4 << 30  # of pinned memory


def load_device_weights(
    checkpoint: Checkpoint,
    dtype: torch.dtype,
    device: torch.device,
    offloaded: "Offload | None" = None,
    progress: Progress = lambda done, total: None,
) -> Weights:
    """All weights of an MXFP4 checkpoint on the device, floating-point ones in `dtype`.

    Experts' matrices that are `offloaded` stay where they are.
    """
    of_layer = _LAYER if offloaded is not None else (*_LAYER, *_LAYER_EXPERTS)
    names = _names(checkpoint.config.num_hidden_layers, of_layer)
    coming = zip(names, _streamed(checkpoint, names, dtype, device, progress), strict=True)

    def take(name: str) -> Tensor:
        following, tensor = next(coming)
        assert name == following, f"{name} is taken before {following}"
        return tensor

    return assemble(checkpoint.config, take, dtype, offloaded)


def assemble(
    config: Config,
    take: Callable[[str], Tensor],
    dtype: torch.dtype,
    offloaded: "Offload | None" = None,
) -> Weights:
    """Weights from tensors on the device, which are taken once each, in a fixed order.

    Args:
        config: the model's shape.
        take: a tensor by Hugging Face name, floating-point ones in `dtype`.
        dtype: of what flows between the layers.
        offloaded: where experts' matrices are, if they are not to be taken.
    """
    embedding = PlainEmbedding(take("model.embed_tokens.weight"))
    layers = [_layer(config, index, take, offloaded) for index in range(config.num_hidden_layers)]
    norm = take("model.norm.weight")
    return Weights(embedding, layers, norm, DeviceUnembedding(take("lm_head.weight")), dtype)


def expert_shape(config: Config) -> ExpertShape:
    """The model's experts as `pack_experts` packs them."""
    return ExpertShape(
        config.num_hidden_layers,
        config.num_experts,
        packed_bytes(2 * config.intermediate_size, config.hidden_size),
        packed_bytes(config.hidden_size, config.intermediate_size),
    )


class Offload(NamedTuple):
    """Experts in host memory, and what must be known of them where only addresses are."""

    experts: OffloadedExperts
    wide_scales: bool  # some scale byte is above MOST_FAST_SCALE


def offload(checkpoint: Checkpoint, num_slots: int, device: torch.device) -> Offload:
    """All experts in host memory, and `num_slots` of them on the device too."""
    largest_scale = 0

    def fill(layer: int, expert: int, gate_up: Tensor, down: Tensor) -> None:
        nonlocal largest_scale
        for name, out in (("gate_up", gate_up), ("down", down)):
            stored = f"model.layers.{layer}.mlp.experts.{name}_proj"
            blocks = checkpoint.tensor(f"{stored}_blocks")[expert, None]
            scales = checkpoint.tensor(f"{stored}_scales")[expert, None]
            # Packed on the device, which does in milliseconds what takes a processor a second.
            packed = pack_experts(blocks.to(device), scales.to(device))
            out.copy_(packed[0])
            largest_scale = max(largest_scale, int(scales.max()))

    experts = OffloadedExperts(expert_shape(checkpoint.config), num_slots, fill, device)
    return Offload(experts, largest_scale > MOST_FAST_SCALE)


def _layer(
    config: Config, index: int, take_named: Callable[[str], Tensor], offloaded: Offload | None
) -> LayerWeights:
    def take(name: str) -> Tensor:
        return take_named(f"model.layers.{index}.{name}")

    attention_norm = take("input_layernorm.weight")
    qkv = [(take(f"self_attn.{x}_proj.weight"), take(f"self_attn.{x}_proj.bias")) for x in "qkv"]
    return LayerWeights(
        attention_norm=attention_norm,
        qkv=DeviceLinear(torch.cat([w for w, _ in qkv]), torch.cat([b for _, b in qkv])),
        sinks=take("self_attn.sinks"),
        out=DeviceLinear(take("self_attn.o_proj.weight"), take("self_attn.o_proj.bias")),
        mlp_norm=take("post_attention_layernorm.weight"),
        router=DeviceLinear(take("mlp.router.weight"), take("mlp.router.bias")),
        mixture=_mixture(config, index, take, offloaded),
    )


def _mixture(
    config: Config, index: int, take: Callable[[str], Tensor], offloaded: Offload | None
) -> Mixture:
    gate_up_bias = take("mlp.experts.gate_up_proj_bias")
    down_bias = take("mlp.experts.down_proj_bias")

    def over(gate_up: Tensor, down: Tensor) -> DeviceMixture:
        return DeviceMixture(
            *(gate_up, gate_up_bias, down, down_bias),
            alpha=config.swiglu_alpha,
            limit=config.swiglu_limit,
            wide_scales=None if offloaded is None else offloaded.wide_scales,
        )

    if offloaded is not None:
        return OffloadedMixture.of(index, offloaded.experts, over)
    gate_up, down = (
        pack_experts(take(f"mlp.experts.{x}_proj_blocks"), take(f"mlp.experts.{x}_proj_scales"))
        for x in ("gate_up", "down")
    )
    return over(gate_up, down)


_LAYER = (
    "input_layernorm.weight",
    *(f"self_attn.{x}_proj.{part}" for x in "qkv" for part in ("weight", "bias")),
    "self_attn.sinks",
    "self_attn.o_proj.weight",
    "self_attn.o_proj.bias",
    "post_attention_layernorm.weight",
    "mlp.router.weight",
    "mlp.router.bias",
    "mlp.experts.gate_up_proj_bias",
    "mlp.experts.down_proj_bias",
)
_LAYER_EXPERTS = (
    "mlp.experts.gate_up_proj_blocks",
    "mlp.experts.gate_up_proj_scales",
    "mlp.experts.down_proj_blocks",
    "mlp.experts.down_proj_scales",
)


def _names(num_layers: int, of_layer: Sequence[str]) -> list[str]:
    layers = [f"model.layers.{index}.{name}" for index in range(num_layers) for name in of_layer]
    return ["model.embed_tokens.weight", *layers, "model.norm.weight", "lm_head.weight"]


def _streamed(
    checkpoint: Checkpoint,
    names: Sequence[str],
    dtype: torch.dtype,
    device: torch.device,
    progress: Progress,
) -> Iterator[Tensor]:
    """Tensors on the device, in order; later ones are read meanwhile."""

    def read(name: str) -> Tensor:
        tensor = checkpoint.tensor(name)
        if device.type != "cuda":
            return tensor
        return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor)

    sizes = [checkpoint.tensor(name).nbytes for name in names]
    total, done, ahead = sum(sizes), 0, 0
    reading: deque[tuple[Future[Tensor], int]] = deque()
    coming = iter(zip(names, sizes, strict=True))
    following = next(coming, None)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="load") as readers:
        while reading or following is not None:
            while following is not None and (not reading or ahead < _READ_AHEAD_BYTES):
                name, size = following
                reading.append((readers.submit(read, name), size))
                ahead += size
                following = next(coming, None)
            future, size = reading.popleft()
            tensor = future.result().to(device, non_blocking=True)
            ahead -= size
            done += size
            progress(done, total)
            yield tensor.to(dtype) if tensor.is_floating_point() else tensor
