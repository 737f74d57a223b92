"""What does `make demo` print, and how long does it take? Recorded for README."""

import subprocess
import sys
import time

from benchmarks.record import append


def main() -> None:
    """Run the demonstration and append its output."""
    started = time.monotonic()
    done = subprocess.run(["make", "demo"], stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.monotonic() - started
    print(done.stdout, file=sys.stderr)
    append("demo", {"seconds": round(seconds, 1), "output": done.stdout})


if __name__ == "__main__":
    main()
