"""How a model's memory is divided: weights, keys and values, and what is left for experts.

Arithmetic over a Config, and what this machine has.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from netweight.errors import NotEnoughMemory
from netweight.model.config import MXFP4_BLOCK, MXFP4_BLOCK_BYTES, Config

Dense = Literal["bf16", "int8"]  # how attention, embedding and output matrices are stored

WORKING_BYTES = 1 << 30  # activations, the interpreter and its libraries
_SHARE = 0.9  # of the memory that is available, where nothing else is asked for
MIN_CONTEXT = 8192  # tokens of keys and values that there is always room for
MAX_CONTEXTS = 4  # more keys and values than this many whole contexts are rarely of use


@dataclass(frozen=True)
class Budget:
    """Bytes for keys and values, and slots for experts: None when all experts stay in memory."""

    kv_bytes: int
    num_expert_slots: int | None


def plan(config: Config, dense: Dense, total_bytes: int) -> Budget:
    """Divide `total_bytes` of memory.

    Raises:
        NotEnoughMemory: saying how much would do.
    """
    smallest = context_bytes(config, MIN_CONTEXT)
    fixed = dense_bytes(config, dense) + WORKING_BYTES
    experts = config.num_hidden_layers * config.num_experts * expert_bytes(config)
    left = total_bytes - fixed - experts
    if left >= smallest:
        most = MAX_CONTEXTS * context_bytes(config, config.max_context)
        return Budget(min(left, most), None)
    kv = max(smallest, (total_bytes - fixed) // 10)
    num_slots = (total_bytes - fixed - kv) // expert_bytes(config)
    if num_slots < config.num_experts:  # a prompt may need all experts of a layer at once
        needed = fixed + smallest + config.num_experts * expert_bytes(config)
        needed = max(needed, (needed - fixed - smallest) * 10 // 9 + fixed)
        raise NotEnoughMemory(
            f"this model needs {needed / 2**30:.1f} GiB of memory, and {total_bytes / 2**30:.1f} "
            "GiB may be used. Free some, raise --memory, or take a smaller model"
            + (" or --dense int8." if dense == "bf16" else ".")
        )
    return Budget(kv, num_slots)


def context_bytes(config: Config, context: int, value_bytes: int = 2) -> int:
    """Bytes with which the engine can hold a sequence of this length.

    A third more than the sequence itself fills: a quarter goes to window layers' pages, so that
    prefixes that are found again have theirs.
    """
    bfloat16 = config.kv_cache_bytes(min(context, config.max_context)) * 4 // 3
    return bfloat16 * value_bytes // 2


def dense_bytes(config: Config, dense: Dense) -> int:
    """Bytes of all weights but the experts' matrices."""
    experts = config.num_hidden_layers * config.num_experts * config.expert_values
    matrices = config.num_hidden_layers * (
        (2 * config.query_size + 2 * config.key_value_size) * config.hidden_size
    ) + 2 * (config.vocab_size * config.hidden_size)
    rest = config.num_parameters - experts - matrices
    bits = 16 if dense == "bf16" else 8 + 16 / 32
    return int(matrices * bits) // 8 + 2 * rest


def expert_bytes(config: Config) -> int:
    """Bytes of one expert's two matrices in MXFP4, biases aside."""
    return config.expert_values // MXFP4_BLOCK * (MXFP4_BLOCK_BYTES + 1)


def usable_bytes() -> int:
    """Nine tenths of the memory that is available to this process, its control group's limit in."""
    available = _meminfo()["MemAvailable"]
    limit, used = _read_int("/sys/fs/cgroup/memory.max"), _read_int("/sys/fs/cgroup/memory.current")
    if limit is not None and used is not None:
        available = min(available, limit - used)
    return int(available * _SHARE)


def _meminfo() -> dict[str, int]:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): int(amount) * 1024 for name, amount, *_ in fields}


def _read_int(path: str) -> int | None:
    """The number in a file; None where there is no file, or no limit in it."""
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
