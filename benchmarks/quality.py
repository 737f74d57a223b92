"""What do bfloat16, the native kernels and 8-bit dense matrices cost in quality?

The embedded model reads fresh conversations as it was trained on; each variant is compared with the
same weights in float32 on the reference kernels: mean loss in nats, mean Kullback-Leibler
divergence of the next token's distribution, and how often the likeliest token is the same.
"""

import os
import sys

import torch

from benchmarks.record import append
from netweight import nano
from netweight.harmony import Vocabulary
from netweight.model import Transformer, load_transformer
from netweight.model.budget import Dense
from recipes.nano.fixed_set import NUM_FOR_LOSS, fixed_set, log_probabilities, loss, targets

VARIANTS: dict[str, tuple[str, torch.dtype, Dense]] = {
    "reference_bf16": ("reference", torch.bfloat16, "bf16"),
    "native_bf16": ("", torch.bfloat16, "bf16"),
    "native_int8": ("", torch.bfloat16, "int8"),
}


def main() -> None:
    """Measure and append one row."""
    vocabulary = Vocabulary.load(nano.FOLDER)
    conversations = fixed_set(vocabulary)
    wanted, first = targets(conversations), targets(conversations[:NUM_FOR_LOSS])
    exact = log_probabilities(_load("reference", torch.float32, "bf16"), conversations)
    row: dict[str, object] = {
        "num_tokens": wanted.numel(),
        "fixed_loss": round(loss(exact[: len(first)], first), 5),
        "float32_loss": round(loss(exact, wanted), 5),
    }
    for name, variant in VARIANTS.items():
        ours = log_probabilities(_load(*variant), conversations)
        divergence = (exact.exp() * (exact - ours)).sum(-1).mean()
        row[f"{name}_loss"] = round(loss(ours, wanted), 5)
        row[f"{name}_divergence"] = round(float(divergence), 6)
        row[f"{name}_same_token"] = round(
            float((ours.argmax(-1) == exact.argmax(-1)).float().mean()), 5
        )
        print(f"{name}: {row}", file=sys.stderr)
    append("quality", row)


def _load(kernels: str, dtype: torch.dtype, dense: Dense) -> Transformer:
    if kernels:
        os.environ["NETWEIGHT_KERNELS"] = kernels
    else:
        os.environ.pop("NETWEIGHT_KERNELS", None)
    return load_transformer(nano.FOLDER, dtype=dtype, dense=dense)


if __name__ == "__main__":
    main()
