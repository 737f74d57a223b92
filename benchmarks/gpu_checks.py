"""Are a device's results right? Each section compares them with a definition, on fresh numbers.

Kernels in the device's type (bfloat16) are held against the reference kernels in float32, on the
same numbers and on the same device, by the norm of the difference over the norm of the value. New
tensors hold NaN meanwhile, so that what a kernel does not write is seen. Limits are those of
LIMITS, or of docs/numerics.md.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.gpu_bench import Bench
from benchmarks.gpu_models import lowest_scale, random_model
from benchmarks.gpu_report import Finding
from netweight import nano
from netweight.bench import ours
from netweight.bench.cuda import wait
from netweight.engine import Sampling
from netweight.engine.sampler import distribution
from netweight.model import (
    PAGE_TOKENS,
    Checkpoint,
    Config,
    DeviceModel,
    Layout,
    Transformer,
    TritonModel,
    load_transformer,
)
from netweight.model.device_layout import device_layout
from netweight.model.device_weights import expert_shape, load_device_weights, offload
from netweight.model.kernels import REFERENCE, reference
from netweight.model.kernels.gpu import attention as attention_kernel
from netweight.model.kernels.gpu import dense, kernel_set, packed, routing, rows, sampling
from netweight.model.kernels.gpu.experts import DeviceMixture
from netweight.model.loading import load_on_device
from netweight.model.rope import rotation
from netweight.model.weights import Mxfp4Experts, PlainMixture, load_weights

# Rounding a number to bfloat16 moves it by 1.6e-3 of itself, as a root mean square over all
# mantissas; independent roundings add up in quadrature. Each limit is one and a half times that, or
# in float32, where only the order of sums differs, some thousand terms' random walk of 2^-24.
LIMITS = {
    "norm": {torch.bfloat16: 2.5e-3, torch.float32: 2e-6},  # one
    "product": {torch.bfloat16: 2.5e-3, torch.float32: 5e-6},  # one
    "rotation": {torch.bfloat16: 3.6e-3, torch.float32: 2e-6},  # products, and their sum
    "attention": {torch.bfloat16: 3.6e-3, torch.float32: 1e-5},  # weights, and the result
    "mixture": {torch.bfloat16: 6e-3, torch.float32: 5e-6},  # gate and linear, h, y, the sum
}
_NUMERICS = Path(__file__).parents[1] / "docs" / "numerics.md"
_HEADROOM = 1.25  # of our error in logits over another implementation's, see `logits`
_NEAR_TIE = 4.0  # root mean square errors apart: further than that is no tie that rounding decides


def tolerance(name: str) -> float:
    """The bound that docs/numerics.md states."""
    text = _NUMERICS.read_text(encoding="utf-8")
    row = re.search(rf"^\| {re.escape(name)} \|[^|]*\| ([0-9.e-]+) \|", text, re.MULTILINE)
    assert row, f"docs/numerics.md has no row {name}"
    return float(row[1])


@contextmanager
def poisoned() -> Iterator[None]:
    """New tensors hold NaN, or numbers that nobody would take for right."""
    empty: Any = torch.empty

    def poison(*size: object, **keywords: object) -> Tensor:
        fresh: Tensor = empty(*size, **keywords)
        return fresh.fill_(torch.nan if fresh.is_floating_point() else 99)

    torch.empty = poison
    try:
        yield
    finally:
        torch.empty = empty


def error(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference over that of what is expected; NaN if a number is none."""
    wide = expected.double()
    return float((found.double() - wide).norm() / wide.norm())


def token_errors(found: Tensor, expected: Tensor) -> Tensor:
    """The same of each row."""
    wide = expected.double()
    errors: Tensor = (found.double() - wide).norm(dim=-1) / wide.norm(dim=-1)
    return errors


class Worst:
    """The largest error of several cases, and in which it was."""

    def __init__(self, name: str, limit: float) -> None:
        """None yet."""
        self._name, self._limit = name, limit
        self._found: list[tuple[float, str]] = []

    def add(self, case: str, value: float) -> None:
        """Another case."""
        self._found.append((value, case))

    def finding(self) -> Finding:
        """NaN is worse than anything."""
        value, case = max(self._found, key=lambda one: (one[0] != one[0], one[0]))
        note = f"the worst of {len(self._found)}: {case}"
        return Finding(self._name, value, self._limit, at_most=True, is_check=True, note=note)


def exact(name: str, num_wrong: int, note: str) -> Finding:
    """A check that allows no difference."""
    return Finding(name, num_wrong, 0, at_most=True, is_check=True, note=note)


def kernels(bench: Bench) -> list[Finding]:
    """Every kernel against the reference."""
    with poisoned():
        return [
            *norms(bench),
            *projections(bench),
            *rotation_of(bench),
            *attention(bench),
            *attended(bench),
            *routed(bench),
            *(mixtures(bench, name) for name in ("20b", "120b")),
            *sampled(bench),
        ]


def _normal(bench: Bench, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    numbers = torch.randn(shape, generator=bench.generator, device=bench.device)
    return numbers.to(dtype or bench.dtype)


def norms(bench: Bench) -> list[Finding]:
    """Norms of rows, and of sums."""
    config = bench.shape("20b")
    worst = Worst("norm of a row", LIMITS["norm"][bench.dtype])
    num_wrong = 0
    for num_rows in bench.pick([1, 7, 600], [1, 3]):
        x, delta = (_normal(bench, num_rows, config.hidden_size) for _ in range(2))
        scale = _normal(bench, config.hidden_size)
        found = rows.rms_norm(x, scale, config.rms_norm_eps)
        expected = reference.rms_norm(x.float(), scale.float(), config.rms_norm_eps)
        worst.add(f"{num_rows} rows", error(found, expected))
        total, found = rows.add_rms_norm(x, delta, scale, config.rms_norm_eps)
        num_wrong += int((total != (x.float() + delta.float()).to(x.dtype)).sum())
        expected = reference.rms_norm(total.float(), scale.float(), config.rms_norm_eps)
        worst.add(f"{num_rows} sums", error(found, expected))
    return [worst.finding(), exact("sums of the residual stream that differ", num_wrong, "of all")]


def projections(bench: Bench) -> list[Finding]:
    """Matrices outside the experts for few tokens, with the norm before them and without."""
    config, eps = bench.shape("20b"), bench.shape("20b").rms_norm_eps
    plain = Worst("few tokens by a matrix", LIMITS["product"][bench.dtype])
    fused = Worst("the same after a norm", LIMITS["product"][bench.dtype])
    num_wrong = 0
    sizes = ((config.query_size, config.hidden_size), (config.hidden_size, config.num_experts))
    for columns, num_rows in (*sizes, sizes[0][::-1]):
        weight = _normal(bench, num_rows, columns) / columns**0.5
        bias, scale = _normal(bench, num_rows), _normal(bench, columns)
        for tokens in bench.pick([1, 2, 3, 8, 16], [1, 3]):
            x, added = (_normal(bench, tokens, columns) for _ in range(2))
            expected = torch.nn.functional.linear(x.float(), weight.float(), bias.float())
            case = f"{tokens} tokens by {num_rows} x {columns}"
            plain.add(case, error(dense.linear(x, weight, bias), expected))
            total, normed, found = dense.norm_linear(
                x, added, scale, eps, weight, bias, with_normed=True
            )
            assert normed is not None, "the norm was asked for"
            num_wrong += int((total != (x.float() + added.float()).to(x.dtype)).sum())
            expected = torch.nn.functional.linear(normed.float(), weight.float(), bias.float())
            fused.add(case, error(found, expected))
    wrong = exact("sums before a matrix that differ", num_wrong, "of all")
    return [plain.finding(), fused.finding(), wrong]


class Paged(NamedTuple):
    """A step of tokens start to stop of each sequence, over pages in random order."""

    layout: Layout
    num_pages: int

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]], generator: torch.Generator) -> "Paged":
        """Those of one token first."""
        counts = [-(-stop // PAGE_TOKENS) for _, stop in spans]
        free = torch.randperm(sum(counts), generator=generator).int()
        table = torch.full((len(spans), max(counts)), -1, dtype=torch.int32)
        for row, pages in zip(table, free.split(counts), strict=True):
            row[: len(pages)] = pages
        positions = torch.cat([torch.arange(start, stop) for start, stop in spans]).int()
        starts = torch.tensor([0, *(stop - start for start, stop in spans)]).cumsum(0).int()
        return cls(Layout(positions, starts, table, table), sum(counts))


def _moved(layout: Layout, device: torch.device) -> Layout:
    return Layout(*(part.to(device) for part in vars(layout).values()))


def _pages(bench: Bench, num_pages: int, config: Config) -> Tensor:
    size = PAGE_TOKENS * config.head_dim
    return _normal(bench, num_pages, 2, config.num_key_value_heads, size)


def rotation_of(bench: Bench) -> list[Finding]:
    """Queries and keys turned, keys and values stored."""
    config = bench.shape("20b")
    spans = bench.pick([(0, 1), (16, 17), (131_000, 131_001), (4, 300)], [(0, 1), (14, 19)])
    step = Paged.of(spans, bench.host_generator)
    width = config.query_size + 2 * config.key_value_size
    qkv = _normal(bench, step.layout.positions.numel(), width)
    layout = _moved(step.layout, bench.device)
    turn = rotation(config, layout.positions, bench.dtype)
    pages = torch.full_like(_pages(bench, step.num_pages, config), torch.nan)
    expected_pages = pages.float()
    on_device = device_layout(step.layout, bench.device)
    found = rows.rotate_store(qkv, turn, pages, on_device.pages, on_device)
    heads = (config.num_attention_heads, *2 * [config.num_key_value_heads])
    q, k, v = qkv.float().unflatten(-1, (-1, config.head_dim)).split(heads, dim=1)
    wide = rotation(config, layout.positions, bench.dtype)
    wide = type(wide)(wide.cos.float(), wide.sin.float())
    expected = reference.rotate(q, wide)
    reference.store(reference.rotate(k, wide), v, expected_pages, layout.pages, layout)
    worst = Worst("queries turned, keys and values stored", LIMITS["rotation"][bench.dtype])
    worst.add("queries", error(found, expected))
    worst.add("pages", error(pages.nan_to_num(), expected_pages.nan_to_num()))
    elsewhere = int((pages.isnan() != expected_pages.isnan()).sum())
    return [worst.finding(), exact("numbers stored elsewhere", elsewhere, "in pages of NaN")]


def attention(bench: Bench) -> list[Finding]:
    """Attention over pages, of tokens and of prompts."""
    config = bench.shape("20b")
    steps = bench.pick(
        {
            "one token after contexts of any length": [
                (n - 1, n) for n in (1, 2, 16, 17, 127, 128, 129, 1000, 5003)
            ],
            "64 sequences": [(1023 + n, 1024 + n) for n in range(64)],
            "a long sequence": [(65_535, 65_536)],
            "prompts, and pieces of them": [(40, 41), (0, 300), (100, 117), (1000, 1016), (0, 2)],
            "a prompt": [(0, 1500)],
        },
        {"one token": [(0, 1), (20, 21)], "prompts": [(8, 9), (0, 17), (10, 12)]},
    )
    worst = Worst("attention over pages", LIMITS["attention"][bench.dtype])
    for name, spans in steps.items():
        step = Paged.of(spans, bench.host_generator)
        pages = _pages(bench, step.num_pages, config)
        heads = (config.num_attention_heads, config.head_dim)
        q = 2 * _normal(bench, step.layout.positions.numel(), *heads)
        sinks = _normal(bench, config.num_attention_heads)
        ours, wide = (
            device_layout(step.layout, bench.device),
            _moved(step.layout, bench.device),
        )
        for window in (None, config.sliding_window):
            table = ours.table(window)
            found = attention_kernel.paged_attention(q, pages, table, sinks, ours, window=window)
            arguments = (pages.float(), wide.table(window), sinks.float(), wide)
            expected = reference.paged_attention(q.float(), *arguments, window=window)
            worst.add(f"{name}, window {window}", error(found, expected))
    return [worst.finding()]


def attended(bench: Bench) -> list[Finding]:
    """Single tokens whose keys are turned and stored where attention needs them, in one launch."""
    config = bench.shape("20b")
    steps = bench.pick([[(4999, 5000)], [(900 + n, 901 + n) for n in range(17)]], [[(20, 21)]])
    worst = Worst("single tokens, from projection to attention", LIMITS["attention"][bench.dtype])
    width = config.query_size + 2 * config.key_value_size
    heads = (config.num_attention_heads, *2 * [config.num_key_value_heads])
    for spans in steps:
        step = Paged.of(spans, bench.host_generator)
        qkv, sinks = _normal(bench, len(spans), width), _normal(bench, config.num_attention_heads)
        ours, wide = device_layout(step.layout, bench.device), _moved(step.layout, bench.device)
        turn = rotation(config, wide.positions, bench.dtype)
        q, k, v = qkv.unflatten(-1, (-1, config.head_dim)).split(heads, dim=1)
        q, k = (reference.rotate(part, turn).float() for part in (q, k))
        for window in (None, config.sliding_window):
            pages = _pages(bench, step.num_pages, config)
            expected_pages, table = pages.float(), wide.table(window)
            reference.store(k, v.float(), expected_pages, table, wide)
            expected = reference.paged_attention(
                q, expected_pages, table, sinks.float(), wide, window=window
            )
            arguments = (qkv, turn, pages, ours.table(window), sinks, ours)
            found = attention_kernel.attend(*arguments, window=window)
            case = f"{len(spans)} of them, window {window}"
            worst.add(case, error(found, expected))
            worst.add(f"{case}, pages", error(pages, expected_pages))
    return [worst.finding()]


def routed(bench: Bench) -> list[Finding]:
    """The router's choice, and chosen experts' tokens."""
    num_wrong = num_tokens = 0
    worst = Worst("weights of the chosen experts", tolerance("router"))
    grouped = 0
    for name in ("20b", "120b"):
        config = bench.shape(name)
        for tokens in bench.pick([1, 3, 64, 5000], [1, 5]):
            logits = _normal(bench, tokens, config.num_experts)
            weights, chosen = routing.route(logits, config.experts_per_token)
            ordered = logits.float().sort(dim=-1, descending=True, stable=True)
            expected = ordered.indices[:, : config.experts_per_token]
            num_wrong += int((chosen != expected).sum())
            num_tokens += chosen.numel()
            best = ordered.values[:, : config.experts_per_token].softmax(-1)
            worst.add(f"{tokens} tokens", float((weights - best).abs().max()))
            grouped += _wrongly_grouped(chosen, config.num_experts, 16)
    return [
        exact("experts chosen otherwise than by their logits", num_wrong, f"of {num_tokens}"),
        worst.finding(),
        exact("experts whose tokens are grouped wrongly", grouped, "against a stable sort"),
    ]


def _wrongly_grouped(chosen: Tensor, num_experts: int, tile_tokens: int) -> int:
    """Experts whose pairs or tiles are not what a stable sort gives."""
    grouping = routing.group(chosen.contiguous(), num_experts, tile_tokens)
    order, starts, tiles = (part.tolist() for part in grouping)
    pairs = chosen.flatten().tolist()
    wrong = 0
    for expert, (start, stop) in enumerate(pairwise(starts)):
        expected = [pair for pair, choice in enumerate(pairs) if choice == expert]
        firsts = [first for owner, first in tiles if owner == expert]
        wrong += order[start:stop] != expected or firsts != list(range(start, stop, tile_tokens))
    return wrong


def _matrices(bench: Bench, config: Config, num_rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Blocks and scales of a layer's experts."""
    shape = (config.num_experts, num_rows, columns // 32)
    keywords: Any = {"dtype": torch.uint8, "device": bench.device, "generator": bench.generator}
    blocks = torch.randint(0, 256, (*shape, 16), **keywords)
    low = lowest_scale(columns)
    return blocks, torch.randint(low, low + 2, shape, **keywords)


class Case(NamedTuple):
    """Tokens that a layer's experts are for."""

    tokens: int
    is_one_for_all: bool = False  # one expert has all tokens, the others none
    is_plain: bool = False  # without inline PTX


# Of every tile of tokens there is, and on both sides of where tokens are sorted.
CASES = (
    *map(Case, (1, 8, 16, 17, 100, 300, 1000, 4200)),
    *(Case(tokens, is_one_for_all=True) for tokens in (16, 1000)),
    *(Case(tokens, is_plain=True) for tokens in (1, 300)),
)
SMALL_CASES = (Case(1), Case(9), Case(20, is_one_for_all=True), Case(3, is_plain=True))


class Mixtures:
    """A layer's random experts, packed and as the definition has them."""

    def __init__(self, bench: Bench, name: str) -> None:
        """Of the shape called `name`."""
        self.bench, self.config = bench, bench.shape(name)
        hidden, width = self.config.hidden_size, self.config.intermediate_size
        self._matrices = [
            _matrices(bench, self.config, *shape)
            for shape in ((2 * width, hidden), (hidden, width))
        ]
        count = self.config.num_experts
        self._biases = _normal(bench, count, 2 * width), _normal(bench, count, hidden)

    @classmethod
    def launch(cls, bench: Bench, name: str, case: Case) -> None:
        """Only run the kernels."""
        made = cls(bench, name)
        made.packed(is_plain=case.is_plain)(*made.inputs(case))

    def packed(self, *, is_plain: bool) -> DeviceMixture:
        """What the kernels take."""
        gate_up, down = (packed.pack_experts(*matrices) for matrices in self._matrices)
        return DeviceMixture(
            *(gate_up, self._biases[0], down, self._biases[1]),
            alpha=self.config.swiglu_alpha,
            limit=self.config.swiglu_limit,
            wide_scales=is_plain,
        )

    def definition(self) -> PlainMixture:
        """The same in float32."""
        gate_up, down = (
            Mxfp4Experts(*matrices, torch.float32, REFERENCE) for matrices in self._matrices
        )
        biases = [bias.float() for bias in self._biases]
        return PlainMixture(self.config, REFERENCE, gate_up, biases[0], down, biases[1])

    def inputs(self, case: Case) -> tuple[Tensor, Tensor, Tensor]:
        """Random tokens, and the experts that they choose."""
        x = _normal(self.bench, case.tokens, self.config.hidden_size)
        shape = (case.tokens, self.config.num_experts)
        logits = _normal(self.bench, *shape, dtype=torch.float32)
        if case.is_one_for_all:
            logits[:, 1] += 100
        slots = 1 if case.is_one_for_all else self.config.experts_per_token
        return (x, *REFERENCE.route(logits, slots))


def mixtures(bench: Bench, name: str) -> Finding:
    """A layer's experts."""
    made = Mixtures(bench, name)
    twins = {is_plain: made.packed(is_plain=is_plain) for is_plain in (False, True)}
    definition = made.definition()
    worst = Worst(f"experts of the {name}'s shape", LIMITS["mixture"][bench.dtype])
    for case in bench.pick(CASES, SMALL_CASES):
        x, weights, chosen = made.inputs(case)
        expected = definition.partial(x.float(), weights, chosen)
        found = twins[case.is_plain](x, weights, chosen)
        kind = ", one for all" * case.is_one_for_all + ", plain code" * case.is_plain
        worst.add(f"{case.tokens} tokens{kind}", error(found, expected))
    return worst.finding()


def sampled(bench: Bench) -> list[Finding]:
    """Draws and log-probabilities."""
    vocab = bench.shape("20b").vocab_size
    logits = 3 * _normal(bench, bench.pick(64, 2), vocab, dtype=torch.float32)
    count = len(logits)
    points = torch.rand(count, dtype=torch.float64, generator=bench.host_generator)
    zeros = torch.zeros(count, device=bench.device)
    greedy = sampling.draw(logits, points.to(bench.device), zeros)
    num_wrong = int((greedy.long() != logits.argmax(-1)).sum())
    one = Sampling(temperature=0.8, top_k=40, top_p=0.9, min_p=0.01)
    drawn = sampling.draw(
        logits,
        points.to(bench.device),
        zeros + one.temperature,
        min_p=zeros + one.min_p,
        top_k=(zeros + one.top_k).int(),
        top_p=zeros + one.top_p,
    )
    worst = Worst("a draw's distance from its part of the sum", tolerance("running-sum"))
    for row, point, token in zip(logits.cpu(), points.tolist(), drawn.tolist(), strict=True):
        p = distribution(row, one)
        end = float(p[: token + 1].sum())
        missed = max(end - float(p[token]) - point, point - end, 0.0)
        worst.add(f"point {point:.3f}", missed if p[token] > 0 else 1.0)
    own, _, values = sampling.log_probabilities(logits, greedy.long(), 5)
    expected = logits.double().log_softmax(-1)
    tops = expected.topk(5).values
    logs = Worst("log-probabilities", tolerance("log-probability"))
    logs.add("drawn", float((own - expected.gather(1, greedy.long()[:, None])[:, 0]).abs().max()))
    logs.add("likeliest", float((values - tops).abs().max()))
    title = "likeliest tokens not taken at temperature 0"
    return [exact(title, num_wrong, f"of {count}"), worst.finding(), logs.finding()]


def twins(bench: Bench) -> list[Finding]:
    """The two ways to unpack weights, on every code and scale that both take."""
    name = "weights that inline PTX unpacks otherwise than plain code"
    if bench.device.type != "cuda":
        return [Finding(name, None, note="the interpreter has no inline PTX")]
    from benchmarks.gpu_twins import differences

    num_wrong, count = differences(bench.device)
    return [exact(name, num_wrong, f"of {count}")]


def graphs(bench: Bench) -> list[Finding]:
    """Steps as graphs against the same steps launch by launch."""
    config = replace(bench.shape("20b"), num_hidden_layers=bench.pick(4, 2))
    model = random_model(config, bench.device, bench.dtype, seed=bench.seed)
    worst = Worst("logits of a graph, against launches", 1e-3)
    different = 0
    caches = ours.Caches(model)
    for batch in bench.pick([1, 2, 9, 64], [1]):
        for context in bench.pick([5, 700], [5]):
            decoding = ours.Decoding(model, context, batch, 1, caches)
            arguments = (decoding.layout(), decoding.cache, torch.arange(batch))
            ids = torch.randint(config.vocab_size, (batch,), generator=bench.host_generator)
            # A model of its own for each launch: the first step of a size is no graph.
            fresh = TritonModel(model.transformer, bench.device)
            expected = fresh.step(ids, *arguments).clone()
            found = [model.step(ids, *arguments).clone() for _ in range(3)][-1]
            spread = token_errors(found, expected).quantile(0.75)
            worst.add(f"{batch} sequences after {context}", float(spread))
            different += int((found != expected).any(dim=-1).sum())
    finding = worst.finding()
    on_cuda = "" if bench.device.type == "cuda" else "no graphs here; "
    note = f"{on_cuda}{finding.note}; {different} rows differ in a bit"
    return [replace(finding, note=note)]


def nano_agreement(bench: Bench) -> list[Finding]:
    """Greedy answers of nano on the device, against the reference in float32 on the processor.

    While trying out, of a random model that the interpreter is quicker with.
    """
    folder = bench.checkpoint("20b") if bench.small else nano.FOLDER
    prompts = [[1, 5, 7]] if bench.small else _prompts(24)
    length = bench.pick(48, 3)
    model = load_on_device(Checkpoint.open(folder), bench.device, dtype=bench.dtype, adapters={})
    definition = load_transformer(folder, dtype=torch.float32)
    engine = ours.engine_of(model)
    counts = Agreement(0, 0, 0)
    for prompt in prompts:
        answer = _answer(engine, prompt, length)
        logits = definition.forward(torch.tensor([[*prompt, *answer]]))[0, len(prompt) - 1 : -1]
        counts = counts.plus(agreement(answer, logits, tolerance("logits-bfloat16")))
    name = "nano's greedy tokens that are the reference's, up to the first near tie"
    note = f"of {counts.num_counted} tokens in {len(prompts)} answers; {counts.num_ties} near ties"
    return [Finding(name, counts.share, 0.99, is_check=True, note=note)]


def _prompts(count: int) -> list[list[int]]:
    """Conversations as nano knows them, up to where it answers."""
    from netweight.harmony import Vocabulary
    from recipes.nano.fixed_set import fixed_set

    conversations = fixed_set(Vocabulary.load(nano.FOLDER), count)
    return [list(ids)[: _prompt_of(learned)] for ids, learned in conversations]


def _prompt_of(learned: Sequence[bool]) -> int:
    """How many tokens come before the first that is learned, at least one."""
    return max(1, next((i for i, each in enumerate(learned) if each), len(learned)))


def _answer(engine: Any, prompt: list[int], length: int) -> list[int]:  # noqa: ANN401
    from netweight.engine import Request, Token

    request = Request(prompt, Sampling(temperature=0), frozenset(), length)
    return [event.token_id for event in engine.generate(request) if isinstance(event, Token)]


class Agreement(NamedTuple):
    """Of tokens up to the first near tie of an answer."""

    num_equal: int
    num_counted: int
    num_ties: int

    @property
    def share(self) -> float:
        """Of counted tokens that are equal."""
        return self.num_equal / max(1, self.num_counted)

    def plus(self, other: "Agreement") -> "Agreement":
        """Both together."""
        return Agreement(*(a + b for a, b in zip(self, other, strict=True)))


def agreement(answer: Sequence[int], logits: Tensor, relative: float) -> Agreement:
    """How far a greedy answer is what the logits say.

    A token that is not the likeliest ends the count. It is a near tie, and does not count itself,
    where the likeliest is no further above it than errors of rounding reach (docs/decisions/0018
    has why ties say nothing).

    Args:
        answer: token ids.
        logits: [tokens, vocab], before each of them, exact.
        relative: the usual error of logits over their root mean square.
    """
    for index, (token, row) in enumerate(zip(answer, logits, strict=True)):
        if token == int(row.argmax()):
            continue
        reach = _NEAR_TIE * relative * float(row.square().mean().sqrt())
        is_tie = bool(row.max() - row[token] <= reach)
        return Agreement(index, index + (not is_tie), int(is_tie))
    return Agreement(len(answer), len(answer), 0)


def logits_of(name: str) -> Callable[[Bench], list[Finding]]:
    """The section that compares logits of a few layers of a shape with transformers'."""
    return lambda bench: logits(bench, name)


def logits(bench: Bench, name: str) -> list[Finding]:
    """Logits of some layers of full width, ours and transformers', against float32.

    Random experts have nothing in common, and with bfloat16 between them router logits tie so
    often that errors against float32 are no small ones, in any implementation: so ours may be
    docs/numerics.md's, or a quarter more than transformers', whichever is larger. Of tokens the
    median counts, for the same reason.
    """
    path = bench.checkpoint(name)
    checkpoint = Checkpoint.open(path)
    config = checkpoint.config
    ids = torch.randint(config.vocab_size, (bench.pick(256, 20),), generator=bench.host_generator)
    theirs = _transformers_logits(bench, path, ids)
    wide = load_weights(checkpoint, torch.float32, REFERENCE, bench.device)
    exact_model = DeviceModel(Transformer(config, wide, REFERENCE), bench.device)
    truth = _prompt_logits(exact_model, ids, within=bench.device)
    del exact_model, wide
    bench.free()
    model = load_on_device(checkpoint, bench.device, dtype=bench.dtype, adapters={})
    found = _prompt_logits(model, ids)
    return compared(found, theirs, truth, f"{config.num_hidden_layers} layers of the {name}'s")


def compared(found: Tensor, theirs: Tensor, truth: Tensor, what: str) -> list[Finding]:
    """Our logits and theirs [tokens, vocab] against exact ones."""
    kind = "bfloat16" if theirs.dtype == torch.bfloat16 else "float32"
    found, theirs, truth = (one.cpu().float() for one in (found, theirs, truth))
    ours_off, theirs_off = token_errors(found, truth), token_errors(theirs, truth)
    apart = token_errors(found, theirs)
    limit = max(tolerance(f"logits-{kind}"), _HEADROOM * float(theirs_off.median()))
    quartile = f"third quartile {float(ours_off.quantile(0.75)):.3g}"
    top = found.argmax(-1)
    lost = theirs.max(-1).values - theirs.gather(1, top[:, None])[:, 0]
    reach = _NEAR_TIE * limit * theirs.square().mean(-1).sqrt()
    raw = float((top == theirs.argmax(-1)).float().mean())
    return [
        Finding(
            *(f"logits of {what}, error of the median token", float(ours_off.median()), limit),
            at_most=True,
            is_check=True,
            note=f"transformers' {float(theirs_off.median()):.3g}; ours, {quartile}",
        ),
        Finding(
            f"likeliest tokens of {what} that are transformers'",
            float((lost <= reach).float().mean()),
            0.75,
            is_check=True,
            note=f"near ties included, {raw:.3f} without; apart by {float(apart.median()):.3g}",
        ),
    ]


def _prompt_logits(
    model: DeviceModel,
    ids: Tensor,
    caches: ours.Caches | None = None,
    within: AbstractContextManager[object] | None = None,
) -> Tensor:
    """Logits [tokens, vocab] after each token of one prompt, in one step.

    The reference kernels make tables on the current device, which is `within`.
    """
    paged = Paged.of([(0, len(ids))], torch.Generator().manual_seed(0))
    cache, rows = (caches or ours.Caches(model)).of(paged.num_pages), torch.arange(len(ids))
    with within or nullcontext():
        found = model.step(ids, paged.layout, cache, rows)
    wait(model.device)
    return found.clone()  # a graph's are overwritten by the next


def _transformers_logits(bench: Bench, path: Path, ids: Tensor) -> Tensor:
    peer: Any = import_module("transformers")  # much of it has no types
    peer.logging.disable_progress_bar()
    model = peer.AutoModelForCausalLM.from_pretrained(
        path,
        dtype=bench.dtype,
        attn_implementation="eager",
        quantization_config=peer.Mxfp4Config(dequantize=True),
        device_map={"": bench.device},
    ).eval()
    with torch.inference_mode():
        found: Tensor = model(ids[None].to(bench.device)).logits[0].cpu()
    del model
    bench.free()
    return found


def offloading(bench: Bench) -> list[Finding]:
    """Logits with few experts on the device, against all of them there."""
    checkpoint = Checkpoint.open(bench.checkpoint("20b"))
    config = checkpoint.config
    everything = load_on_device(checkpoint, bench.device, dtype=bench.dtype, adapters={})
    num_all = expert_shape(config).num_layers * config.num_experts
    offloaded = offload(checkpoint, max(1, num_all // 8), bench.device)
    weights = load_device_weights(checkpoint, bench.dtype, bench.device, offloaded)
    transformer = Transformer(config, weights, kernel_set.kernels(REFERENCE))
    experts = offloaded.experts
    few = TritonModel(transformer, bench.device, experts)
    worst = Worst("logits with an eighth of the experts on the device", 1e-3)
    caches = ours.Caches(few), ours.Caches(everything)  # graphs lead to them
    for count in bench.pick([1, 5, 200, 1, 5, 3, 2, 4], [1, 5, 20]):
        ids = torch.randint(config.vocab_size, (count,), generator=bench.host_generator)
        found = _prompt_logits(few, ids, caches[0])
        expected = _prompt_logits(everything, ids, caches[1])
        worst.add(f"{count} tokens", float(token_errors(found, expected).quantile(0.75)))
    experts.close()
    counts = experts.counts
    finding = worst.finding()
    note = f"{finding.note}; {counts.num_moves} experts moved, {counts.num_uses} uses counted"
    return [replace(finding, note=note)]


def memcheck(bench: Bench) -> list[Finding]:
    """Accesses of nano's steps that compute-sanitizer objects to."""
    name = "errors that compute-sanitizer finds in nano's steps"
    tool = shutil.which("compute-sanitizer")
    if tool is None or bench.device.type != "cuda":
        return [Finding(name, None, note="no compute-sanitizer")]
    command = [tool, "--tool", "memcheck", "--error-exitcode", "99", sys.executable]
    command += ["-m", "benchmarks.gpu_checks", str(bench.device)]
    # Each tensor in memory of its own, so that reading beyond one is seen.
    environment = bench.environment | {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=bench.left_s()
    )
    summary = re.search(r"ERROR SUMMARY: (\d+) error", done.stdout + done.stderr)
    if summary is None:
        lines = (done.stdout + done.stderr).strip().splitlines()[-2:]
        return [Finding(name, None, note=f"it did not run: {' '.join(lines)}")]
    note = f"exit status {done.returncode}"
    return [exact(name, int(summary[1]) + (done.returncode not in (0, 99)), note)]


def run_nano(device: torch.device) -> None:
    """A prompt and steps of several sizes, each the first of its size, so that none is a graph."""
    model = load_on_device(Checkpoint.open(nano.FOLDER), device, adapters={})
    _prompt_logits(model, torch.arange(40))
    for batch in (1, 2, 5, 20):
        decoding = ours.Decoding(model, 30, batch, 1)
        decoding.step(list(range(batch)))


if __name__ == "__main__":
    run_nano(torch.device(sys.argv[1]))
