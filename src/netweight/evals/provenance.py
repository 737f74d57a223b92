"""Where and by what a run was made: machine, commit, command and time.

Reads the machine it runs on, which is the model's own machine when the server is local.
"""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to make the run again."""

    command: str
    started: datetime  # both in UTC
    finished: datetime
    machine: str
    commit: str | None


def machine() -> str:
    """Name this machine: processor, cores and operating system."""
    num_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {num_cores} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def commit() -> str | None:
    """Return the commit netweight runs from, with "-dirty" when its source is changed.

    None when it does not run from a git checkout that tracks it: an environment inside somebody
    else's repository must not lend us that repository's commit.
    """
    source = Path(__file__).parents[1]
    try:
        if _git(source, "ls-files", "--error-unmatch", "evals/provenance.py") is None:
            return None
        revision = _git(source, "rev-parse", "HEAD")
        changes = _git(source, "status", "--porcelain", "--untracked-files=no", ".")
    except FileNotFoundError:  # no git on this machine
        return None
    return f"{revision}-dirty" if revision and changes else revision


def _git(folder: Path, *arguments: str) -> str | None:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10
    )
    return done.stdout.strip() if done.returncode == 0 else None
