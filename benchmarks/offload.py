"""How fast does a model answer that is larger than memory, as a share of what the disk can read?

    python -m benchmarks.offload CHECKPOINT [--memory GIB] [--dense int8] [--tokens N] [--no-record]

The disk's own speed is measured in the same run, by the same direct reads of whole experts without
any computation.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from benchmarks.record import append
from netweight.bench.status import resident
from netweight.engine import Engine, Request, Sampling, Token, plan_cache
from netweight.model import Checkpoint, load_transformer, set_num_threads
from netweight.model.direct import DirectFile

NUM_PROMPT = 8
NUM_READS = 400
READERS = 4


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--memory", type=float, help="GiB; nine tenths of what is free if not given"
    )
    parser.add_argument("--dense", choices=("bf16", "int8"), default="int8")
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    set_num_threads(options.threads)
    disk = disk_speed(Checkpoint.open(options.checkpoint))
    print(f"the disk reads {disk / 1e9:.2f} GB/s", file=sys.stderr)
    started = time.perf_counter()
    memory = None if options.memory is None else int(options.memory * 2**30)
    model = load_transformer(options.checkpoint, dense=options.dense, memory_bytes=memory)
    load_s = time.perf_counter() - started
    if model.budget is None or model.expert_cache is None:
        sys.exit(f"{options.checkpoint} fits memory: give --memory less.")
    engine = Engine(model, cache_size=plan_cache(model.config, model.budget.kv_bytes))
    random = Random(0)
    prompt = [random.randrange(model.config.vocab_size) for _ in range(NUM_PROMPT)]
    request = Request(prompt, Sampling(temperature=0), frozenset(), options.tokens)
    times, reads = [], []
    for event in engine.generate(request):
        if isinstance(event, Token):
            times.append(time.perf_counter())
            reads.append(model.expert_cache.counts.bytes_read)
    seconds, num_bytes = times[-1] - times[0], reads[-1] - reads[0]
    counts = model.expert_cache.counts
    row = {
        "model_parameters": model.config.num_parameters,
        "checkpoint_bytes": model.config.checkpoint_bytes,
        "memory_bytes": memory,
        "dense": options.dense,
        "threads": options.threads,
        "kernels": model.kernels.name,
        "expert_slots": model.budget.num_expert_slots,
        "resident_expert_bytes": model.expert_cache.resident_bytes,
        "load_s": round(load_s, 2),
        "decode_tokens_per_s": round((len(times) - 1) / seconds, 3),
        "read_bytes_per_token": num_bytes // (len(times) - 1),
        "read_gb_per_s": round(num_bytes / seconds / 1e9, 3),
        "disk_gb_per_s": round(disk / 1e9, 3),
        "share_of_disk": round(num_bytes / seconds / disk, 3),
        "hits": counts.num_hits,
        "misses": counts.num_misses,
        "early": counts.num_early,
        "waited_s": round(counts.waited_s, 2),
        "process_memory": resident(os.getpid())._asdict(),
    }
    print(row, file=sys.stderr)
    if not options.no_record:
        append("offload", row)


def disk_speed(checkpoint: Checkpoint) -> float:
    """Bytes per second of reading whole experts in random order, as the cache of experts does."""
    config, random = checkpoint.config, Random(1)
    stored = [
        checkpoint.location(f"model.layers.{layer}.mlp.experts.gate_up_proj_blocks")
        for layer in range(config.num_hidden_layers)
    ]
    files = {each.file: DirectFile(each.file) for each in stored}
    num_bytes = (stored[0].end_byte - stored[0].first_byte) // config.num_experts

    def read(_: int) -> None:
        each = random.choice(stored)
        files[each.file].read(
            each.first_byte + random.randrange(config.num_experts) * num_bytes, num_bytes
        )

    started = time.perf_counter()
    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(read, range(NUM_READS)))
    return NUM_READS * num_bytes / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
