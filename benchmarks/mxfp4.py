"""How fast are MXFP4 weights unpacked, against the reference and against copying the result?

One expert matrix of gpt-oss-20b (5760 x 2880), to bfloat16. The bound is a plain copy of as many
output bytes on the same threads, measured in the same run.
"""

import sys
from functools import partial

import torch

from benchmarks.record import append, median_seconds
from netweight.model import kernels

ROWS, COLUMNS = 5760, 2880


def main() -> None:
    """Measure and append one row."""
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randint(
        0, 256, (ROWS, COLUMNS // 32, 16), dtype=torch.uint8, generator=generator
    )
    scales = torch.randint(100, 130, (ROWS, COLUMNS // 32), dtype=torch.uint8, generator=generator)
    torch.set_num_threads(1)  # the native kernel has no threads of its own yet
    source, target = torch.zeros(2, ROWS * COLUMNS, dtype=torch.bfloat16)
    copy_s = median_seconds(lambda: target.copy_(source))
    row: dict[str, object] = {"copy_gb_per_s": round(source.nbytes / copy_s / 1e9, 2)}
    for name in ("reference", "cpu"):
        kernel = kernels.select(name).dequantize_mxfp4
        work = partial(kernel, blocks, scales, torch.bfloat16)
        seconds = median_seconds(work, num_repeats=10)
        row[f"{name}_gb_per_s"] = round(source.nbytes / seconds / 1e9, 2)
        row[f"{name}_share_of_copy"] = round(copy_s / seconds, 3)
        print(f"{name}: {seconds * 1e3:.1f} ms", file=sys.stderr)
    append("mxfp4", row)


if __name__ == "__main__":
    main()
