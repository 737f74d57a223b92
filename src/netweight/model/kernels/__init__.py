"""Which implementation of each operation runs: chosen here, once, and nowhere else.

`NETWEIGHT_KERNELS=reference|avx2|avx512|amx` forces a set. Without it the native set for the best
instructions of this processor serves, and the reference set where none was built or can run, with a
warning in the log. On a CUDA device the Triton kernels serve, or the reference set likewise.
"""

import logging
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from netweight.errors import NetweightError
from netweight.model.kernels import reference
from netweight.model.kernels.protocol import Kernels, SamplingKernels, split_heads

__all__ = [
    "NATIVE",
    "REFERENCE",
    "Kernels",
    "SamplingKernels",
    "memory_reader",
    "select",
    "select_on",
    "set_num_threads",
    "split_heads",
]

log = logging.getLogger(__name__)

MIN_CAPABILITY = (8, 0)  # of a CUDA device that runs the Triton kernels
NATIVE = ("avx2", "avx512", "amx")  # instruction sets of the native kernels, slowest first


REFERENCE = Kernels(
    "reference",
    rms_norm=reference.rms_norm,
    rotate=reference.rotate,
    attention=reference.attention,
    store=reference.store,
    paged_attention=reference.paged_attention,
    route=reference.route,
    swiglu=reference.swiglu,
    dequantize_mxfp4=reference.dequantize_mxfp4,
)


def select(name: str | None = None) -> Kernels:
    """The kernel set `name`, or the one the environment asks for, or the fastest that runs here.

    Raises:
        NetweightError: for an unknown name, or a set that was not built or needs another processor.
    """
    name = name or os.environ.get("NETWEIGHT_KERNELS") or _fastest()
    if name == "reference":
        return REFERENCE
    if name not in NATIVE:
        raise NetweightError(
            f"no kernel set is called {name!r}; NETWEIGHT_KERNELS may be reference or "
            f"{', '.join(NATIVE)}."
        )
    if not _native_is_built():
        raise NetweightError(
            "the native kernels were not built: no C++ compiler was found at installation. "
            "Install one (Debian: apt install g++) and install netweight again."
        )
    from netweight.model.kernels import cpu

    if name not in cpu.supported():
        raise NetweightError(
            f"this processor cannot run the {name} kernels; it runs reference"
            + "".join(f", {each}" for each in cpu.supported())
            + "."
        )
    return cpu.kernels(name, REFERENCE)


def select_on(device: torch.device) -> Kernels:
    """The kernel set for a model on `device`: Triton's if they can run there, else the reference.

    On the CPU they run under Triton's interpreter, thousands of times slower: for tests.
    """
    why_not = _why_no_triton(device)
    if os.environ.get("NETWEIGHT_KERNELS") == "reference":
        return REFERENCE
    if why_not is not None:
        log.warning("%s runs on the reference kernels, slowly: %s", device, why_not)
        return REFERENCE
    from netweight.model.kernels.gpu import kernel_set

    return kernel_set.kernels(REFERENCE)


def _why_no_triton(device: torch.device) -> str | None:
    if find_spec("triton") is None:
        return "triton is not installed; it comes with torch's builds for CUDA"
    if device.type != "cuda":
        return None
    major, minor = torch.cuda.get_device_capability(device)
    if (major, minor) < MIN_CAPABILITY:
        return (
            f"its compute capability is {major}.{minor}, and the kernels need "
            f"{MIN_CAPABILITY[0]}.{MIN_CAPABILITY[1]} for bfloat16"
        )
    return None


def set_num_threads(num_threads: int) -> None:
    """How many threads compute, in the native kernels and in torch together.

    Beside the native kernels torch keeps to one: threads of two pools on the same cores would stand
    in one another's way.
    """
    if not select().is_native:
        torch.set_num_threads(num_threads)
        return
    from netweight.model.kernels import cpu

    cpu.set_num_threads(num_threads)
    torch.set_num_threads(1)


def memory_reader(num_threads: int) -> Callable[[Tensor], object] | None:
    """What reads all bytes of a tensor with so many native threads, as fast as they come.

    None where no native kernels run. For measuring what the memory can do.
    """
    if _fastest() == "reference":
        return None
    from netweight.model.kernels import cpu

    cpu.set_num_threads(num_threads)
    return cpu.read_bytes


@cache
def _fastest() -> str:
    if not _native_is_built():
        log.warning("native kernels are not built; running on the reference kernels, slowly")
        return "reference"
    from netweight.model.kernels import cpu

    if not cpu.supported():
        log.warning("this processor has no AVX2; running on the reference kernels, slowly")
        return "reference"
    return cpu.supported()[-1]


def _native_is_built() -> bool:
    return find_spec("netweight._native") is not None
