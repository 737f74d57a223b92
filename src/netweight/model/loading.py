"""From a checkpoint folder to a transformer that is ready to run."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from netweight.errors import NetweightError, NotEnoughMemory
from netweight.model import kernels
from netweight.model.adapter_files import load_adapter
from netweight.model.budget import Dense, plan, usable_bytes
from netweight.model.checkpoint import Checkpoint
from netweight.model.device import (
    DEVICE_STEP_ROWS,
    DEVICE_STEP_TOKENS,
    DeviceModel,
    TritonModel,
    device_memory,
)
from netweight.model.packfile import Progress
from netweight.model.transformer import Transformer
from netweight.model.weights import Linear, PlainLinear, load_weights

log = logging.getLogger(__name__)

_CPU = torch.device("cpu")
_NOT_PACKED = "%s runs on the reference kernels, slowly: its experts are not in MXFP4"


def load_transformer(
    path: Path,
    *,
    dtype: torch.dtype = torch.bfloat16,
    dense: Dense = "bf16",
    memory_bytes: int | None = None,
    adapters: Mapping[str, Path] | None = None,
    progress: Progress = lambda done, total: None,
) -> Transformer:
    """Load a checkpoint folder of either published layout.

    On native kernels, weights are packed once into a file in NETWEIGHT_HOME, and memory-mapped ever
    after. On the reference kernels bfloat16 weights are mapped as they are; any other `dtype` makes
    a copy of all but the experts. The native kernels take bfloat16 with MXFP4 experts; any other
    checkpoint or `dtype` runs on the reference kernels.

    Args:
        path: the folder.
        dtype: of what flows between the layers.
        dense: how attention, embedding and output matrices are stored; int8 on native kernels only.
        memory_bytes: what weights, keys and values may use together; else nine tenths of what is
            free. Where the experts do not fit, as many as do are kept in memory.
        adapters: folders of LoRA adapters, by the names that sequences may have them by.
        progress: told how many bytes of how many are packed.

    Raises:
        CheckpointError: naming what is missing, misshapen or damaged; AdapterError where that is an
            adapter.
        NotEnoughMemory: when the model cannot run in `memory_bytes`.
        NetweightError: for int8 where the reference kernels run.
    """
    checkpoint = Checkpoint.open(path)
    kernel_set = _kernels_for(checkpoint, dtype)
    if dense != "bf16" and not kernel_set.is_native:
        raise NetweightError(
            f"{dense} weights need the native kernels, and {path} runs on the reference kernels. "
            "Leave --dense out."
        )
    linear = _linear_for(kernel_set, dtype)
    loaded = {
        name: load_adapter(folder, checkpoint, linear) for name, folder in (adapters or {}).items()
    }
    if memory_bytes is None:
        total_bytes = usable_bytes()
    else:
        total_bytes = memory_bytes - sum(adapter.num_bytes for adapter in loaded.values())
    budget = plan(checkpoint.config, dense, total_bytes)
    if not kernel_set.is_native:
        weights = load_weights(checkpoint, dtype, kernel_set)
        return Transformer(checkpoint.config, weights, kernel_set, budget, adapters=loaded)
    from netweight.model.packing import load_packed

    weights, experts = load_packed(checkpoint, dense, budget, progress=progress)
    return Transformer(checkpoint.config, weights, kernel_set, budget, experts, loaded)


def load_model(
    path: Path,
    *,
    device: torch.device = _CPU,
    dense: Dense = "bf16",
    memory_bytes: int | None = None,
    adapters: Mapping[str, Path] | None = None,
    progress: Progress = lambda done, total: None,
) -> Transformer | DeviceModel:
    """Load a checkpoint folder as the engine takes it, in bfloat16, on the CPU or a CUDA device.

    On a device that runs the Triton kernels, experts that do not fit stay in the host's memory.

    Args:
        path: as `load_transformer`.
        device: see `find_device`.
        dense: as `load_transformer`.
        memory_bytes: of the device, that weights, keys and values may use together; else nearly
            all that is free.
        adapters: as `load_transformer`.
        progress: told how many bytes of how many are packed, or are on the device.

    Raises:
        as `load_transformer`.
    """
    if device.type == "cpu":
        return load_transformer(
            path,
            dense=dense,
            memory_bytes=memory_bytes,
            adapters=adapters,
            progress=progress,
        )
    if dense != "bf16":
        raise NetweightError(
            f"{dense} weights are for the CPU; {device} has bf16. Leave --dense out."
        )
    return load_on_device(
        Checkpoint.open(path),
        device,
        memory_bytes=memory_bytes,
        adapters=adapters or {},
        progress=progress,
    )


def load_on_device(
    checkpoint: Checkpoint,
    device: torch.device,
    *,
    dtype: torch.dtype = torch.bfloat16,
    memory_bytes: int | None = None,
    adapters: Mapping[str, Path],
    progress: Progress = lambda done, total: None,
) -> DeviceModel:
    """As `load_model`; on the CPU the Triton kernels run under their interpreter, for tests.

    There `dtype` is float32 or float16, since the interpreter's bfloat16 is wrong.
    """
    config = checkpoint.config
    loaded = {
        name: load_adapter(
            folder, checkpoint, lambda weight: PlainLinear([(weight.to(device, dtype), None)])
        )
        for name, folder in adapters.items()
    }
    kernel_set = kernels.REFERENCE
    if checkpoint.packed:
        kernel_set = kernels.select_on(device)
    else:
        log.warning(_NOT_PACKED, checkpoint.path)
    free_bytes, total_bytes = device_memory(device)
    on_triton = kernel_set is not kernels.REFERENCE
    if not on_triton:
        budget = plan(
            config, "bf16", int(0.9 * free_bytes if memory_bytes is None else memory_bytes)
        )
        if budget.num_expert_slots is not None:
            raise NotEnoughMemory(
                f"{device} has not enough free memory for all experts, and the reference kernels "
                "cannot leave any in the host's. Use --device cpu, or a smaller model."
            )
        weights = load_weights(checkpoint, dtype, kernel_set, device)
        return DeviceModel(
            Transformer(config, weights, kernel_set, budget, adapters=loaded), device
        )
    from netweight.model import device_budget
    from netweight.model.device_weights import expert_shape, load_device_weights, offload

    budget = device_budget.plan(
        config,
        free_bytes,
        total_bytes,
        dtype=dtype,
        memory_bytes=memory_bytes,
        working=device_budget.working_bytes(config, dtype, DEVICE_STEP_TOKENS, DEVICE_STEP_ROWS),
        host_bytes=usable_bytes(),
        experts=expert_shape(config),
    )
    offloaded = None
    if budget.num_expert_slots is not None:
        offloaded = offload(checkpoint, budget.num_expert_slots, device)
    weights = load_device_weights(checkpoint, dtype, device, offloaded, progress)
    transformer = Transformer(config, weights, kernel_set, budget, adapters=loaded)
    return TritonModel(transformer, device, None if offloaded is None else offloaded.experts)


def _linear_for(kernel_set: kernels.Kernels, dtype: torch.dtype) -> Callable[[Tensor], Linear]:
    """What applies a matrix [out, in] on this kernel set."""
    if not kernel_set.is_native:
        return lambda weight: PlainLinear([(weight.to(dtype), None)])
    from netweight.model.packing import packed_linear

    return packed_linear


def _kernels_for(checkpoint: Checkpoint, dtype: torch.dtype) -> kernels.Kernels:
    if dtype == torch.bfloat16 and checkpoint.packed:
        return kernels.select()
    if checkpoint.packed:
        log.warning(
            "%s runs on the reference kernels, slowly: %s is asked for", checkpoint.path, dtype
        )
    else:
        log.warning(_NOT_PACKED, checkpoint.path)
    return kernels.select("reference")
