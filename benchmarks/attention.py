"""How near to this machine's limits does native attention come?

One token after a long context reads all its keys and values once: the bound is how fast all threads
can read memory, measured in turn with each context. A prompt multiplies: its rate is in GFLOP/s of
scores and values that are seen (a product and a sum each), beside torch's
scaled_dot_product_attention without pages and sinks. The shape is gpt-oss-20b's.
"""

import argparse
import random
import sys
from functools import partial

import torch

import netweight._native as _native
from benchmarks.record import append, median_seconds
from netweight.model import GPT_OSS_20B, PAGE_TOKENS, Layout, set_num_threads
from netweight.model.kernels import rows

HEADS = GPT_OSS_20B.num_attention_heads
KV_HEADS, HEAD_DIM = GPT_OSS_20B.num_key_value_heads, GPT_OSS_20B.head_dim
TOKEN_BYTES = 2 * 2 * KV_HEADS * HEAD_DIM  # keys and values of one layer, bfloat16
TURN_BYTES = 1 << 28  # of pages that take turns, so that no cache holds them
REPEATS = 9


def layout(positions: range, num_pages: int) -> Layout:
    """One sequence whose pages lie in an order that nobody would expect."""
    pages = random.Random(0).sample(range(num_pages), num_pages)
    starts = torch.tensor([0, len(positions)], dtype=torch.int32)
    table = torch.tensor([pages], dtype=torch.int32)
    return Layout(torch.tensor(positions, dtype=torch.int32), starts, table, table)


def random_pages(layers: int, num_pages: int) -> torch.Tensor:
    """Moderate numbers in bfloat16."""
    shape = (layers, num_pages, 2, KV_HEADS, PAGE_TOKENS * HEAD_DIM)
    pages = torch.empty(shape, dtype=torch.bfloat16)
    rows.prefer_huge_pages(pages)
    return pages.normal_()


def bandwidth() -> float:
    """Bytes per second, reading with all threads."""
    data = torch.zeros(TURN_BYTES, dtype=torch.uint8)
    read = partial(_native.read_bandwidth_bytes, data.data_ptr(), TURN_BYTES)
    return TURN_BYTES / median_seconds(read, num_repeats=5)


def decode(context: int) -> dict[str, object]:
    """One token that sees `context` keys, on layers that take turns."""
    num_pages = context // PAGE_TOKENS
    layers = max(1, min(24, TURN_BYTES // (context * TOKEN_BYTES)))
    step, pages = layout(range(context - 1, context), num_pages), random_pages(layers, num_pages)
    q = torch.randn(1, HEADS, HEAD_DIM).bfloat16()
    sinks = torch.randn(HEADS).bfloat16()

    def work() -> None:
        for layer in pages:
            rows.paged_attention(q, layer, step.pages, sinks, step, window=None)

    read = bandwidth()
    seconds = median_seconds(work, num_repeats=REPEATS) / layers
    rate = context * TOKEN_BYTES / seconds
    return {
        "context": context,
        "us": round(seconds * 1e6),
        "gb_per_s": round(rate / 1e9, 2),
        "read_gb_per_s": round(read / 1e9, 2),
        "share_of_read": round(rate / read, 3),
    }


def prefill(tokens: int, window: int | None) -> dict[str, object]:
    """A prompt of so many tokens on one layer."""
    num_pages = -(-tokens // PAGE_TOKENS)
    step, pages = layout(range(tokens), num_pages), random_pages(1, num_pages)[0]
    q = torch.randn(tokens, HEADS, HEAD_DIM).bfloat16()
    sinks = torch.randn(HEADS).bfloat16()
    work = partial(rows.paged_attention, q, pages, step.pages, sinks, step, window=window)
    seconds = median_seconds(work, num_repeats=REPEATS)
    seen = sum(min(position + 1, window or tokens) for position in range(tokens))
    row: dict[str, object] = {
        "tokens": tokens,
        "window": window,
        "ms": round(seconds * 1e3, 2),
        "gflop_per_s": round(4 * seen * HEADS * HEAD_DIM / seconds / 1e9, 1),
    }
    if window is None:
        row["torch_times_our_time"] = round(torch_seconds(tokens) / seconds, 2)
    return row


def torch_seconds(tokens: int) -> float:
    """The same without pages and sinks in torch."""
    q = torch.randn(1, HEADS, tokens, HEAD_DIM).bfloat16()
    k, v = torch.randn(2, 1, KV_HEADS, tokens, HEAD_DIM).bfloat16()
    work = partial(
        torch.nn.functional.scaled_dot_product_attention, q, k, v, is_causal=True, enable_gqa=True
    )
    return median_seconds(work, num_repeats=REPEATS)


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexts", type=int, nargs="*", default=[512, 4096, 16384, 65536])
    parser.add_argument("--tokens", type=int, nargs="*", default=[512, 2048])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--no-record", action="store_true", help="print only")
    arguments = parser.parse_args()
    if arguments.threads:
        set_num_threads(arguments.threads)
        torch.set_num_threads(arguments.threads)
    results: list[dict[str, object]] = []
    measurements = [partial(decode, context) for context in arguments.contexts]
    for window in (None, GPT_OSS_20B.sliding_window):
        measurements += [partial(prefill, tokens, window) for tokens in arguments.tokens]
    for measure in measurements:
        results.append(measure())
        print(results[-1], file=sys.stderr, flush=True)
    if not arguments.no_record:
        row = {"isa": _native.using(), "threads": _native.num_threads(), "results": results}
        append("attention", row)


if __name__ == "__main__":
    main()
