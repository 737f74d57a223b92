"""How a card's memory is divided: weights, keys and values, and slots for experts.

Arithmetic over a Config and what the card has free. `offload` says what the slots are for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from netweight.errors import NotEnoughMemory
from netweight.model.budget import MIN_CONTEXT, Budget, context_bytes, dense_bytes
from netweight.model.config import MXFP4_BLOCK, MXFP4_BLOCK_BYTES, Config
from netweight.model.offload import ExpertShape

# Allowances, not measured on a device. The context, kernels' code and libraries' workspaces;
# CUDA graphs, whose launches are kept on the device.
_CONTEXT_BYTES = 768 << 20
_GRAPHS_BYTES = 512 << 20

_LEFT_OVER = 50  # one part in so many of the card is left to its allocator and to other programs
_MAX_CONTEXTS = 16  # more keys and values than this many whole contexts are rarely of use


@dataclass(frozen=True)
class DeviceBudget(Budget):
    """Bytes of a card; `num_expert_slots` is None, and nothing staged, where all experts fit."""

    staging_bytes: int


def mxfp4_bytes(rows: int, columns: int) -> int:
    """Bytes of a packed matrix: codes, then scales, each from a multiple of 16."""
    num_blocks = rows * columns // MXFP4_BLOCK
    return num_blocks * MXFP4_BLOCK_BYTES + -(-num_blocks // 16) * 16


def expert_shape(
    config: Config, packed_bytes: Callable[[int, int], int] = mxfp4_bytes
) -> ExpertShape:
    """The model's experts, a matrix of [rows, columns] packed into so many bytes."""
    hidden, width = config.hidden_size, config.intermediate_size
    return ExpertShape(
        config.num_hidden_layers,
        config.num_experts,
        packed_bytes(2 * width, hidden),
        packed_bytes(hidden, width),
    )


def working_bytes(config: Config, dtype: torch.dtype, num_tokens: int, num_rows: int) -> int:
    """Bytes of what flows between and within layers in one step, and of its logits.

    Of a token, what is alive at once at most (in a layer's experts): the residual, its norm and
    their sum, queries, keys and values before and after attention, both halves of each chosen
    expert's gate_up and its activation, and its float32 output. Twice that, since torch's allocator
    keeps pieces of other sizes. Of a row of logits: the product, its float32, and what sampling
    sorts (float32 values and probabilities, int64 ids).

    Args:
        config: the model's shape.
        dtype: of what flows between the layers.
        num_tokens: that one step takes at most.
        num_rows: of logits that one step computes at most.
    """
    size = dtype.itemsize
    flowing = 3 * config.hidden_size + 3 * config.query_size + 2 * config.key_value_size
    in_expert = 3 * config.intermediate_size * size + 4 * config.hidden_size
    of_token = flowing * size + config.experts_per_token * in_expert
    of_row = config.vocab_size * (size + 4 + 4 + 4 + 8)
    return 2 * num_tokens * of_token + num_rows * of_row


def plan(
    config: Config,
    free_bytes: int,
    total_bytes: int,
    *,
    dtype: torch.dtype,
    memory_bytes: int | None,
    working: int,
    host_bytes: int,
    experts: ExpertShape | None = None,
) -> DeviceBudget:
    """Divide a card's memory.

    Args:
        config: the model's shape.
        free_bytes: of the card, as torch.cuda.mem_get_info has them.
        total_bytes: of the card.
        dtype: of weights outside experts' matrices, keys and values.
        memory_bytes: what may be used of the card; None: what is free, but for a fiftieth of all.
        working: bytes of one step, see `working_bytes`.
        host_bytes: of the host's memory that may be used, see `budget.usable_bytes`.
        experts: their packed size, where it is not that of `expert_shape(config)`.

    Raises:
        NotEnoughMemory: saying what is needed, what there is, and what helps.
    """
    shape = experts or expert_shape(config)
    usable = _usable(free_bytes, total_bytes, memory_bytes)
    smallest = context_bytes(config, MIN_CONTEXT, dtype.itemsize)
    dense = dense_bytes(config, "bf16") * dtype.itemsize // torch.bfloat16.itemsize
    fixed = dense + working + _CONTEXT_BYTES + _GRAPHS_BYTES
    left = usable - fixed - shape.num_layers * shape.num_experts * shape.expert_bytes
    if left >= smallest:
        most = _MAX_CONTEXTS * context_bytes(config, config.max_context, dtype.itemsize)
        return DeviceBudget(min(left, most), None, 0)
    all_fit_from = usable - left + smallest
    left = usable - fixed - shape.staging_bytes
    if left < smallest + shape.expert_bytes:
        needed = fixed + shape.staging_bytes + smallest + shape.expert_bytes
        raise NotEnoughMemory(
            f"this model needs {_gib(needed)} of device memory even with its experts in the host's "
            f"({_gib(dense)} for its other weights, {_gib(shape.staging_bytes)} to bring experts "
            f"in), and {_gib(usable)} may be used of {_gib(free_bytes)} that are free. "
            + ("Free some" if memory_bytes is None else "Raise --memory")
            + ", or take a smaller model."
        )
    if shape.host_bytes > host_bytes:
        raise NotEnoughMemory(
            f"{_gib(usable)} of device memory do not hold this model, which needs "
            f"{_gib(all_fit_from)}; with its experts in the host's memory it needs "
            f"{_gib(shape.host_bytes)} there, and {_gib(host_bytes)} may be used. Free some of "
            "either, or take a smaller model."
        )
    kv = max(smallest, min(left // 10, left - shape.expert_bytes))
    return DeviceBudget(kv, (left - kv) // shape.expert_bytes, shape.staging_bytes)


def _usable(free_bytes: int, total_bytes: int, memory_bytes: int | None) -> int:
    if memory_bytes is None:
        return max(0, free_bytes - total_bytes // _LEFT_OVER)
    if memory_bytes > free_bytes:
        raise NotEnoughMemory(
            f"--memory asks for {_gib(memory_bytes)}, and {_gib(free_bytes)} of the device's "
            f"{_gib(total_bytes)} are free. Ask for less, or leave it out to use what is free."
        )
    return memory_bytes


def _gib(num_bytes: int) -> str:
    return f"{num_bytes / 2**30:.1f} GiB"
