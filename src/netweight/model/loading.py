"""From a checkpoint folder to a transformer that is ready to run."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from netweight.errors import NetweightError
from netweight.model import kernels
from netweight.model.adapter_files import load_adapter
from netweight.model.budget import Dense, plan, usable_bytes
from netweight.model.checkpoint import Checkpoint
from netweight.model.packfile import Progress
from netweight.model.transformer import Transformer
from netweight.model.weights import Linear, PlainLinear, load_weights

log = logging.getLogger(__name__)


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


def _linear_for(kernel_set: kernels.Kernels, dtype: torch.dtype) -> Callable[[Tensor], Linear]:
    """What applies a matrix [out, in] on this kernel set."""
    if not kernel_set.is_native:
        return lambda weight: PlainLinear([(weight.to(dtype), None)])
    from netweight.model.packing import packed_linear

    return packed_linear


def _kernels_for(checkpoint: Checkpoint, dtype: torch.dtype) -> kernels.Kernels:
    if dtype == torch.bfloat16 and checkpoint.packed:
        return kernels.select()
    why = f"{dtype} is asked for" if checkpoint.packed else "its experts are not in MXFP4"
    log.warning("%s runs on the reference kernels, slowly: %s", checkpoint.path, why)
    return kernels.select("reference")
