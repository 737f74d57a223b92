"""Compiles Triton kernels for a GPU that is not here, and says what became of them.

Triton brings its own assembler, so that registers, spills and instructions can be looked at on any
machine. The interpreter that other tests use changes what `triton.jit` makes, so this runs in a
process of its own.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A kernel as it is launched."""

    kernel: str  # "netweight.model.kernels.gpu.rows:_rms_norm"
    signature: dict[str, str]  # argument to "*bf16", "i32", "fp32"; constexprs are left out
    constants: dict[str, object]
    aligned: tuple[str, ...] = ()  # arguments that 16 divides; pointers are
    arch: int = 90
    num_warps: int = 4
    num_stages: int = 3


@dataclass(frozen=True)
class Compiled:
    """What the assembler says."""

    registers: int  # per thread
    stack: int  # bytes per thread; above 0 where registers spill
    shared: int  # bytes per program
    sass: str = field(repr=False)

    def count(self, opcode: str) -> int:
        """How many instructions begin with this."""
        return len(re.findall(rf"\b{re.escape(opcode)}", self.sass))


def compile_all(cases):
    """Each case compiled, in order."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.model.gpu.compiling"],
        input=json.dumps([asdict(case) for case in cases]),
        env={**os.environ, "TRITON_INTERPRET": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [Compiled(**one) for one in json.loads(done.stdout)]


def _compile(case):
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    module, name = case["kernel"].split(":")
    kernel = getattr(importlib.import_module(module), name)
    signature = {arg: case["signature"].get(arg, "constexpr") for arg in kernel.arg_names}
    aligned = {a for a, kind in signature.items() if kind.startswith("*")} | {*case["aligned"]}
    attrs = {
        (index,): [["tt.divisibility", 16]]
        for index, arg in enumerate(kernel.arg_names)
        if arg in aligned
    }
    constants = {(kernel.arg_names.index(a),): v for a, v in case["constants"].items()}
    source = ASTSource(kernel, signature=signature, constexprs=constants, attrs=attrs)
    compiled = triton.compile(
        source,
        target=GPUTarget("cuda", case["arch"], 32),
        options={"num_warps": case["num_warps"], "num_stages": case["num_stages"]},
    )
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
        cubin.write(compiled.asm["cubin"])
        cubin.flush()
        usage = _run(tools / "cuobjdump", "-res-usage", cubin.name)
        sass = _run(tools / "nvdisasm", "-c", cubin.name)
    registers, stack = (int(re.search(rf"{key}:(\d+)", usage)[1]) for key in ("REG", "STACK"))
    return {
        "registers": registers,
        "stack": stack,
        "shared": compiled.metadata.shared,
        "sass": sass,
    }


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.stdout.write(json.dumps([_compile(case) for case in json.load(sys.stdin)]))
