"""From a checkpoint folder to a transformer that is ready to run."""

import logging
from pathlib import Path

import torch

from netweight.errors import NetweightError
from netweight.model import kernels
from netweight.model.budget import Dense, plan, usable_bytes
from netweight.model.checkpoint import Checkpoint
from netweight.model.packfile import Progress
from netweight.model.transformer import Transformer
from netweight.model.weights import load_weights

log = logging.getLogger(__name__)


def load_transformer(
    path: Path,
    *,
    dtype: torch.dtype = torch.bfloat16,
    dense: Dense = "bf16",
    memory_bytes: int | None = None,
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
        progress: told how many bytes of how many are packed.

    Raises:
        CheckpointError: naming what is missing, misshapen or damaged.
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
    total_bytes = usable_bytes() if memory_bytes is None else memory_bytes
    budget = plan(checkpoint.config, dense, total_bytes)
    if not kernel_set.is_native:
        weights = load_weights(checkpoint, dtype, kernel_set)
        return Transformer(checkpoint.config, weights, kernel_set, budget)
    from netweight.model.packing import load_packed

    weights, experts = load_packed(checkpoint, dense, budget, progress=progress)
    return Transformer(checkpoint.config, weights, kernel_set, budget, experts)


def _kernels_for(checkpoint: Checkpoint, dtype: torch.dtype) -> kernels.Kernels:
    if dtype == torch.bfloat16 and checkpoint.packed:
        return kernels.select()
    why = f"{dtype} is asked for" if checkpoint.packed else "its experts are not in MXFP4"
    log.warning("%s runs on the reference kernels, slowly: %s", checkpoint.path, why)
    return kernels.select("reference")
