"""How fast is a device, and how near to its limits? Weights are random, shapes are the published.

Times are medians of repeats by CUDA events, with graphs, after a warm-up; what a step has to read
and multiply at least is `netweight.bench.plan`'s arithmetic.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import torch

from benchmarks.gpu_bench import Bench
from benchmarks.gpu_report import Finding
from netweight.bench import Limits, ours, plan, start_peer
from netweight.bench.cuda import seconds_of, wait
from netweight.bench.process import check_peer
from netweight.bench.torch_peers import Transformers
from netweight.errors import BenchError
from netweight.model import Checkpoint, Config, TritonModel
from netweight.model.direct import DirectFile
from netweight.model.loading import load_on_device

DECODE_BARS = {"20b": 0.55, "120b": 0.65}  # share of the read bandwidth, one sequence
BATCH_BAR = 15.0  # tokens/s of 64 sequences over those of one
LONG_BAR = 0.7  # tokens/s far into a context over those at its beginning
PREFILL_BAR = 0.4  # share of the matrix peak
_CHUNK_BYTES = 16 << 20  # of one read of the disk
_READERS = 8

Ask = Callable[..., dict[str, Any]]
"""What answers a command of `netweight.bench.torch_peers`."""


def limits(bench: Bench) -> list[Finding]:
    """The device's own."""
    found = bench.limits
    assert found.copy_bytes_per_s is not None, "a device's limits have that of copying"
    return [
        Finding("reads, GB/s", found.read_bytes_per_s / 1e9),
        Finding("copies, GB/s read and written", found.copy_bytes_per_s / 1e9),
        Finding(f"multiplies {found.peak_dtype}, TFLOP/s", found.peak_flops / 1e12),
    ]


class Sizes(NamedTuple):
    """Lengths in tokens, and how many sequences."""

    context: int
    long: int
    prompt: int
    batch: int
    answer: int
    repeats: int

    @classmethod
    def of(cls, bench: Bench) -> "Sizes":
        """The bars' own, or those for trying out."""
        return bench.pick(cls(1024, 65_536, 8192, 64, 64, 20), cls(16, 40, 20, 2, 2, 1))


def decode_seconds(
    bench: Bench,
    model: TritonModel,
    caches: ours.Caches,
    context: int,
    batch: int,
    *,
    ahead: bool = False,
) -> float:
    """The median time of a step that gives each of so many sequences a token at `context`.

    Tokens are random, so that each step chooses experts of its own.
    """
    vocab_size, repeats = model.config.vocab_size, Sizes.of(bench).repeats
    decoding = ours.Decoding(model, context, batch, 1, caches)
    layout, rows = decoding.layout(), torch.arange(batch)
    ids = torch.randint(vocab_size, (repeats, batch), generator=bench.host_generator)
    turns = cycle(ids)

    def work() -> None:
        model.step(next(turns), layout, decoding.cache, rows)

    return median(
        seconds_of(work, bench.device, num_repeats=repeats, warm_up=bench.pick(3, 1), ahead=ahead)
    )


def prefill_seconds(
    bench: Bench, model: TritonModel, caches: ours.Caches, num_tokens: int
) -> float:
    """The median time of a prompt, from nothing to the logits after its last token."""
    ids = torch.randint(model.config.vocab_size, (num_tokens,), generator=bench.host_generator)
    tokens = ids.tolist()
    step_tokens = ours.step_tokens_of(model)
    return median(
        seconds_of(
            lambda: ours.prefill(model, tokens, step_tokens=step_tokens, caches=caches),
            bench.device,
            num_repeats=Sizes.of(bench).repeats,
            warm_up=bench.pick(2, 0),
        )
    )


def read_share(work: plan.Work, seconds: float, found: Limits) -> float:
    """What a step must read at least, in the time that it took, over what can be read."""
    return work.read_bytes / seconds / found.read_bytes_per_s


def peak_share(work: plan.Work, seconds: float, found: Limits) -> float:
    """The same of what it must multiply."""
    return work.flops / seconds / found.peak_flops


def decode_of(name: str) -> Callable[[Bench], list[Finding]]:
    """The section of decoding of a shape."""
    return lambda bench: decode(bench, name)


def decode(bench: Bench, name: str) -> list[Finding]:
    """Steps of one sequence near and far into a context, and of many."""
    sizes = Sizes.of(bench)
    model, caches = bench.model(name)
    work = plan.decode_work(model.config, dense="bf16", context=sizes.context, batch=1)
    one = decode_seconds(bench, model, caches, sizes.context, 1)
    alone = decode_seconds(bench, model, caches, sizes.context, 1, ahead=True)
    many = decode_seconds(bench, model, caches, sizes.context, sizes.batch)
    far = decode_seconds(bench, model, caches, sizes.long, 1)
    return decode_findings(name, sizes, bench.limits, work, (one, alone, many, far))


def decode_findings(
    name: str,
    sizes: Sizes,
    found: Limits,
    work: plan.Work,
    seconds: tuple[float, float, float, float],
) -> list[Finding]:
    """What the times of a step mean.

    Args:
        name: of the shape.
        sizes: what was run.
        found: the device's limits.
        work: of a step of one sequence.
        seconds: of one sequence, of the same without the host's time, of many, of one far into a
            context.
    """
    one, alone, many, far = seconds
    total = sizes.batch / many
    return [
        Finding(
            f"{name} decode at {sizes.context:,}, share of bandwidth",
            read_share(work, one, found),
            DECODE_BARS[name],
            note=f"{1 / one:.1f} tokens/s, {work.read_bytes / 1e9:.3f} GB a token",
        ),
        Finding(
            f"{name} decode, share of bandwidth without the host's time",
            read_share(work, alone, found),
            note=f"{1 / alone:.1f} tokens/s",
        ),
        Finding(
            f"{name} decode of {sizes.batch}, total against one",
            total * one,
            BATCH_BAR,
            note=f"{total:.0f} tokens/s",
        ),
        Finding(
            f"{name} decode at {sizes.long:,} against {sizes.context:,}",
            one / far,
            LONG_BAR,
            note=f"{1 / far:.1f} tokens/s",
        ),
    ]


def prefill_of(name: str) -> Callable[[Bench], list[Finding]]:
    """The section of a long prompt of a shape."""
    return lambda bench: prefill(bench, name)


def prefill(bench: Bench, name: str) -> list[Finding]:
    """A long prompt's share of the matrix peak."""
    num_tokens = Sizes.of(bench).prompt
    model, caches = bench.model(name)
    seconds = prefill_seconds(bench, model, caches, num_tokens)
    return [prefill_finding(name, model.config, num_tokens, bench.limits, seconds)]


def prefill_finding(
    name: str, config: Config, num_tokens: int, found: Limits, seconds: float
) -> Finding:
    """What the time of a prompt means."""
    work = plan.prefill_work(config, dense="bf16", num_tokens=num_tokens)
    note = f"{num_tokens / seconds:,.0f} tokens/s, {work.flops / seconds / 1e12:.0f} TFLOP/s"
    title = f"{name} prompt of {num_tokens:,}, share of the matrix peak"
    return Finding(title, peak_share(work, seconds, found), PREFILL_BAR, note=note)


def engine_of(name: str) -> Callable[[Bench], list[Finding]]:
    """The section of the engine on a shape."""
    return lambda bench: engine(bench, name)


def engine(bench: Bench, name: str) -> list[Finding]:
    """Requests through the engine, beside the steps themselves: the rest is the host's."""
    sizes = Sizes.of(bench)
    model, caches = bench.model(name)
    served = ours.engine_of(model)
    findings = []
    for batch in (1, sizes.batch):
        step_s = decode_seconds(bench, model, caches, sizes.context, batch)

        def prompts(batch: int = batch) -> list[list[int]]:
            shape = (batch, sizes.context)
            ids = torch.randint(model.config.vocab_size, shape, generator=bench.host_generator)
            return [list(map(int, row)) for row in ids.tolist()]

        for _ in range(bench.pick(2, 0)):  # compiles, and captures what came up before
            ours.serve(served, prompts(), sizes.answer)
        result = ours.serve(served, prompts(), sizes.answer)
        rate = result.decode_tokens / max(result.decode_s, 1e-9)
        first_ms = 1e3 * max(result.first_token_s)
        note = f"steps alone {batch / step_s:.1f}; first tokens after {first_ms:.0f} ms"
        findings.append(
            Finding(f"{name} engine, {batch} requests, tokens/s decoded", rate, note=note)
        )
        findings.append(
            Finding(f"{name} engine, {batch} requests, share of steps alone", rate * step_s / batch)
        )
    return findings


def load(bench: Bench) -> list[Finding]:
    """Bytes per second of a checkpoint's way to the device, against the disk's own."""
    path = bench.checkpoint("20b", num_layers=bench.shape("20b").num_hidden_layers)
    files = sorted(path.glob("*.safetensors"))
    size = sum(file.stat().st_size for file in files)
    how = forget(files, whole_cache=not bench.small)
    disk = disk_bytes_per_s(files, most_bytes=bench.pick(4 << 30, 1 << 16))
    forget(files, whole_cache=not bench.small)
    wait(bench.device)
    started = perf_counter()
    model = load_on_device(Checkpoint.open(path), bench.device, dtype=bench.dtype, adapters={})
    wait(bench.device)
    rate = size / (perf_counter() - started)
    del model
    bench.free()
    return [
        Finding("the disk reads, GB/s", disk / 1e9, note=f"{_READERS} threads, {how}"),
        Finding("loading, GB/s", rate / 1e9, note=f"{size / 2**30:.2f} GiB"),
        Finding("loading, share of what the disk reads", rate / disk),
    ]


def forget(files: Sequence[Path], *, whole_cache: bool) -> str:
    """Let the page cache forget files, with all else that is in it if asked and allowed; how."""
    os.sync()
    if whole_cache:
        with suppress(OSError):
            Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")
            return "page cache dropped"
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
    return "files dropped from the page cache, as far as the kernel does what it is asked"


def disk_bytes_per_s(files: Sequence[Path], *, most_bytes: int) -> float:
    """Of reading the files in large pieces with several threads, past the page cache if it can."""
    opened = {file: DirectFile(file) for file in files}
    pieces = [
        (file, start, min(_CHUNK_BYTES, file.stat().st_size - start))
        for file in files
        for start in range(0, file.stat().st_size, _CHUNK_BYTES)
    ]
    chosen, total = [], 0
    for piece in pieces:
        if total < most_bytes:
            chosen.append(piece)
            total += piece[2]

    def read(piece: tuple[Path, int, int]) -> None:
        file, start, count = piece
        opened[file].read(start, count)

    started = perf_counter()
    with ThreadPoolExecutor(_READERS) as readers:
        list(readers.map(read, chosen))
    seconds = perf_counter() - started
    for file in opened.values():
        file.close()
    return total / seconds


def against_transformers(bench: Bench) -> list[Finding]:
    """Some layers of the 20b's shape, ours and transformers', from the same checkpoint."""
    path = bench.checkpoint("20b")
    peer = Transformers()
    name = peer.load(str(path), str(bench.device), 0)["name"]
    times = Times.of(bench, peer.prefill, peer.decode)
    del peer
    bench.free()
    return _compared(bench, path, str(name), times)


class Times(NamedTuple):
    """A peer's, in seconds, of a prompt and of a step of one sequence."""

    prefill: float
    decode: float

    @classmethod
    def of(cls, bench: Bench, prefill: Ask, decode: Ask) -> "Times":
        """Medians, after a warm-up."""
        sizes, vocab_size = Sizes.of(bench), bench.shape("20b").vocab_size
        tokens = torch.randint(vocab_size, (prompt_of(bench),), generator=bench.host_generator)
        prompts = [
            prefill(tokens=tokens.tolist())["seconds"] for _ in range(sizes.repeats // 4 + 2)
        ]
        steps = torch.randint(
            vocab_size, (sizes.repeats + 3, 1), generator=bench.host_generator
        ).tolist()
        decoded = decode(context=sizes.context, steps=steps, seed=bench.seed % 1000)["seconds"]
        return cls(median(prompts[1:]), median(decoded[3:]))


def prompt_of(bench: Bench) -> int:
    """Tokens of the prompt that a peer reads, too."""
    return bench.pick(2048, 10)


def _compared(bench: Bench, path: Path, peer: str, theirs: Times) -> list[Finding]:
    checkpoint = Checkpoint.open(path)
    model = load_on_device(checkpoint, bench.device, dtype=bench.dtype, adapters={})
    if not isinstance(model, TritonModel):
        raise BenchError("the Triton kernels do not run here, so there is nothing to compare")
    caches = ours.Caches(model)
    context, prompt = Sizes.of(bench).context, prompt_of(bench)
    decode_s = decode_seconds(bench, model, caches, context, 1)
    prefill_s = prefill_seconds(bench, model, caches, prompt)
    what = f"{checkpoint.config.num_hidden_layers} layers of the 20b's"
    pairs = (
        (f"decode at {context:,}, {what}, times {peer}'s speed", theirs.decode, decode_s, 1),
        (f"prompt of {prompt:,}, {what}, times {peer}'s speed", theirs.prefill, prefill_s, prompt),
    )
    return [
        Finding(
            title, other / own, note=f"{count / own:,.1f} against {count / other:,.1f} tokens/s"
        )
        for title, other, own, count in pairs
    ]


def against_gpt_oss(bench: Bench) -> list[Finding]:
    """The same beside OpenAI's Triton implementation, where it is."""
    try:
        check_peer("gpt-oss")
    except BenchError as error:
        return [Finding("times gpt_oss's speed", None, note=f"not available: {error}")]
    path = bench.checkpoint("20b", form="original")
    with start_peer("gpt-oss", num_threads=torch.get_num_threads()) as peer:
        room = Sizes.of(bench).context + prompt_of(bench) + 100
        name = peer.ask("load", path=str(path), device=str(bench.device), context=room)["name"]
        times = Times.of(
            bench,
            lambda **arguments: peer.ask("prefill", **arguments),
            lambda **arguments: peer.ask("decode", **arguments),
        )
    return _compared(bench, path, str(name), times)
