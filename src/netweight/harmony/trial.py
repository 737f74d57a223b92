"""Schemas compiled in a process of their own first, which is stopped when that takes too long.

llguidance bounds most of what a schema may cost, but not all: 600 patterns for the names of
properties, which it compares with one another, take it two minutes, and its threads cannot be
stopped. What has compiled in time there compiles in time here.
"""

import signal
import subprocess
import sys
from pathlib import Path

import llguidance

MAX_CPU_S = 2
MAX_BYTES = 2**30
_MAX_WALL_S = 120  # on a machine that has hardly any processor time left

_PROGRAM = f"""
import resource, sys
sys.path.insert(0, sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, ({MAX_CPU_S}, {MAX_CPU_S}))
resource.setrlimit(resource.RLIMIT_AS, ({MAX_BYTES}, {MAX_BYTES}))
import llguidance
llguidance.LLMatcher(llguidance.LLTokenizer("byte"), sys.stdin.buffer.read().decode(), log_level=0)
"""
# The processor time's signals, and how a program ends that gets no more memory.
_ENDS = frozenset({-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV})


def compiles_in_time(grammar: str) -> bool:
    """Whether a grammar without special tokens is compiled, or refused, within the limits.

    Starting the process takes a tenth of a second.
    """
    libraries = Path(llguidance.__file__).parent.parent
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(libraries)],
            input=grammar.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_MAX_WALL_S,
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode in _ENDS or b"MemoryError" in done.stderr:
        return False
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return True
