"""What do bfloat16, the native kernels and 8-bit dense matrices cost in quality?

The embedded model reads fresh conversations as it was trained on; each variant is compared with the
same weights in float32 on the reference kernels: mean loss in nats, mean Kullback-Leibler
divergence of the next token's distribution, and how often the likeliest token is the same.
"""

import os
import sys
from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from benchmarks.record import append
from netweight import nano
from netweight.harmony import Vocabulary
from netweight.model import PAGE_TOKENS, Layout, Transformer, load_transformer
from netweight.model.budget import Dense
from recipes.batch import Encoded, pack
from recipes.nano.conversations import example
from recipes.nano.encode import encode

NUM_CONVERSATIONS = 300
VARIANTS: dict[str, tuple[str, torch.dtype, Dense]] = {
    "reference_bf16": ("reference", torch.bfloat16, "bf16"),
    "native_bf16": ("", torch.bfloat16, "bf16"),
    "native_int8": ("", torch.bfloat16, "int8"),
}


def main() -> None:
    """Measure and append one row."""
    vocabulary, random = Vocabulary.load(nano.FOLDER), Random("quality")
    conversations = [encode(vocabulary, example(random)) for _ in range(NUM_CONVERSATIONS)]
    exact = _log_probabilities(_load("reference", torch.float32, "bf16"), conversations)
    targets = torch.cat([pack([conversation]).targets for conversation in conversations])
    row: dict[str, object] = {
        "num_tokens": targets.numel(),
        "float32_loss": round(_loss(exact, targets), 5),
    }
    for name, variant in VARIANTS.items():
        ours = _log_probabilities(_load(*variant), conversations)
        divergence = (exact.exp() * (exact - ours)).sum(-1).mean()
        row[f"{name}_loss"] = round(_loss(ours, targets), 5)
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


def _loss(log_probabilities: Tensor, targets: Tensor) -> float:
    return -float(log_probabilities.gather(1, targets[:, None]).mean())


def _log_probabilities(model: Transformer, conversations: Sequence[Encoded]) -> Tensor:
    """Of every token that is learned: [tokens, vocab]."""
    longest = max(len(ids) for ids, _ in conversations)
    num_pages = -(-longest // PAGE_TOKENS)
    cache = model.new_cache(num_pages, num_pages)
    pages = torch.arange(num_pages, dtype=torch.int32)[None]
    parts = []
    for conversation in conversations:
        batch = pack([conversation])
        positions = torch.arange(batch.starts[-1], dtype=torch.int32)
        starts = torch.tensor(batch.starts, dtype=torch.int32)
        layout = Layout(positions, starts, pages, pages)
        parts.append(model.step(batch.token_ids, layout, cache, batch.rows).log_softmax(-1))
    return torch.cat(parts)


if __name__ == "__main__":
    main()
