"""A model shared among processes, against the same model in one."""

import json
import multiprocessing
import os
import socket
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.engine import CacheSize, Engine, Finish, Request, Sampling, Token
from netweight.errors import NetweightError, NotEnoughMemory
from netweight.model import (
    GPT_OSS_20B,
    GPT_OSS_120B,
    Checkpoint,
    Layout,
    Transformer,
    TritonModel,
    load_transformer,
)
from netweight.model.budget import WORKING_BYTES, Budget
from netweight.model.kernels import select_on
from netweight.model.parallel import (
    DrawingParallelModel,
    ParallelModel,
    RankLinear,
    RankMixture,
    Ranks,
    StepCall,
    follow,
    lead,
    load_rank,
)
from netweight.model.sharding import Shard, allowed_ranks, check_ranks, plan_shard
from tests.model.layouts import to_dequantised, to_original
from tests.model.paging import Paging
from tests.model.shapes import SMALL, tolerance

# The vocabulary divides by neither 2 nor 4.
SHARED = replace(SMALL, num_key_value_heads=4, num_experts=8, vocab_size=163)
# All in float32: sums of some hundred terms in another order, of values up to about one, differ by
# some 1e-7 of the largest at each of some ten places.
TOLERANCE = tolerance("ranks-float32")


def tokens(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, SHARED.vocab_size, (count,), generator=generator).tolist()


def walk(model):
    """Logits of steps of every kind."""
    paging = Paging(model)
    return {
        "prefill": paging.step({"a": tokens(40, 1), "b": tokens(5, 2)}),
        "decode": paging.step({"a": [3], "b": [4]}),
        "mixed": paging.step({"a": [7], "c": tokens(19, 3), "b": [9]}, rows=[0, 19, 20]),
        "chunk": paging.step({"d": tokens(17, 4)}, rows=[]),
        "last chunk": paging.step({"d": tokens(9, 5), "c": [11]}, rows=[8, 9]),
        "many pages": paging.step({"e": tokens(300, 6)}, rows=[299]),
    }


def greedy(model):
    """Token ids of requests that run side by side, and of one more whose prompt is cached."""
    engine = Engine(model, cache_size=CacheSize(60, 60), max_running=4, step_tokens=32)
    prompts = [tokens(50, 7), tokens(3, 8), tokens(20, 9)]
    drawn = {}
    for several in (prompts, prompts[:1]):
        for prompt in several:
            drawn[engine.submit(Request(prompt, Sampling(temperature=0), max_tokens=12))] = []
        while engine.has_work:
            for event in engine.step():
                if not isinstance(event, Finish):
                    drawn[event.request_id].append(event.token_id)
    return drawn


class DrawingTransformer(Transformer):
    """Draws where the logits are, and takes what it drew: what a model on a device does."""

    is_ahead = True

    def step_from(self, token_ids, previous, layout, cache, rows, adapters):
        if previous is not None:
            drawn = previous[(-1 - token_ids).clamp(min=0)]
            token_ids = torch.where(token_ids < 0, drawn, token_ids)
        return self.step(token_ids, layout, cache, rows, adapters)

    def draw(self, logits, draws):
        assert not draws.temperature.any(), "it is greedy"
        return logits.argmax(-1)


def drawing(model):
    return DrawingTransformer(model.config, model.weights, model.kernels)


# What ranks do, each in a process of its own.


class EachAddsItsBias(RankLinear):
    def __call__(self, x):
        return self.ranks.sum(self.part.sums(x) + self.bias)


class SumsTwice(RankMixture):
    def __call__(self, x, weights, chosen):
        return self.ranks.sum(super().__call__(x, weights, chosen))


def wrong_layer(layer, kind, rank):
    out, mixture = layer.out, layer.mixture
    match kind:
        case "a rank forgets the bias":
            out = replace(out, bias=out.bias * (rank != 1))
        case "each rank adds the bias":
            out = EachAddsItsBias(out.part, out.bias, out.ranks)
        case "experts are summed twice":
            mixture = SumsTwice(**vars(mixture))
        case "ranks take each other's experts":
            mixture = replace(mixture, first=0)
        case "a rank has another's sinks":
            return replace(layer, sinks=layer.sinks.flip(0) if rank == 1 else layer.sinks)
    return replace(layer, out=out, mixture=mixture)


WRONG = [
    "a rank forgets the bias",
    "each rank adds the bias",
    "experts are summed twice",
    "ranks take each other's experts",
    "a rank has another's sinks",
]


def wrong(model, kind, rank):
    layers = [wrong_layer(layer, kind, rank) for layer in model.weights.layers]
    return Transformer(model.config, replace(model.weights, layers=layers), model.kernels)


class Watched(RankMixture):
    """Keeps what comes in, and which experts are chosen."""

    def __call__(self, x, weights, chosen):
        SEEN.extend([x.clone(), chosen.clone()])
        return super().__call__(x, weights, chosen)


SEEN = []


def watched(model):
    layers = [
        replace(layer, mixture=Watched(**vars(layer.mixture))) for layer in model.weights.layers
    ]
    return Transformer(model.config, replace(model.weights, layers=layers), model.kernels)


def stays_sound(model):
    """Logits of a step after one that fails on all ranks."""
    paging = Paging(model)
    first = paging.step({"a": [1, 2]})
    with pytest.raises(IndexError):
        paging.step({"b": [SHARED.vocab_size + 5]})
    return torch.cat([first, paging.step({"a": [3]})])


def led(model, ranks, what, kind=ParallelModel):
    """What a function makes of the model on rank 0, which the others follow; None there."""
    if not ranks.is_first:
        follow(model, ranks)
        return None
    leader = kind(model, ranks)
    result = what(leader)
    leader.close()
    return result


class StaysTogether(Ranks):
    """Does not part where a test goes on with the same processes."""

    def leave(self):
        pass


def compare(folder, others):
    ranks = StaysTogether.join(torch.device("cpu"))
    model = load_rank(folder, ranks, dtype=torch.float32)
    results = {"walk": led(watched(model), ranks, walk)}
    torch.save(SEEN, f"seen-{ranks.shard.rank}.pt")
    results["greedy"] = led(model, ranks, greedy)
    results["drawn"] = led(drawing(model), ranks, greedy, DrawingParallelModel)
    results["sound"] = led(model, ranks, stays_sound)
    for kind in WRONG:
        results[kind] = led(wrong(model, kind, ranks.shard.rank), ranks, walk)
    for layout in sorted(others.iterdir()):  # the same order on all ranks
        again = load_rank(layout, ranks, dtype=torch.float32)
        results[layout.name] = led(again, ranks, walk)
    rounded = load_rank(folder, ranks)
    results["bfloat16"] = led(rounded, ranks, walk)
    if ranks.is_first:
        torch.save(results, "results.pt")
    Ranks.leave(ranks)


def short_walk(model):
    """Logits of few tokens, since the interpreter is slow, and tokens drawn where logits are."""
    paging = Paging(model)
    logits = {
        "prefill": paging.step({"a": tokens(18, 1), "b": tokens(3, 2)}, rows=[17, 20]),
        "decode": paging.step({"a": [3], "b": [4]}),
    }
    engine = Engine(model, cache_size=CacheSize(20, 20))
    request = Request(tokens(5, 3), Sampling(temperature=0), max_tokens=4)
    return logits, [
        event.token_id for event in engine.generate(request) if isinstance(event, Token)
    ]


def on_triton(folder):
    """What the Triton kernels give, under their interpreter."""
    ranks = Ranks.join(torch.device("cpu"))
    kernel_set = select_on(ranks.device)
    model = load_rank(folder, ranks, dtype=torch.float32, kernel_set=kernel_set)
    assert isinstance(model, TritonModel)
    result = led(model, ranks, short_walk, lead)
    if ranks.is_first:
        torch.save(result, "results.pt")


def fail(folder, who, how):
    """Rank `who` dies, raises or hangs in the fourth step."""
    step_s = 1 if how == "hangs" else 60
    ranks = Ranks.join(torch.device("cpu"), step_s=step_s, failure_s=1)
    model = load_rank(folder, ranks, dtype=torch.float32)

    def mixture(x, weights, chosen):
        if ranks.shard.rank == int(who) and len(SEEN) == 3:
            if how == "dies":
                os._exit(9)
            if how == "raises":
                raise ValueError("spilt")
            time.sleep(3)
        SEEN.append(x)
        return inner(x, weights, chosen)

    inner = model.weights.layers[0].mixture
    first = replace(model.weights.layers[0], mixture=mixture)
    model.weights = replace(model.weights, layers=[first, *model.weights.layers[1:]])
    if not ranks.is_first:
        follow(model, ranks)
        return
    losses = []
    leader = ParallelModel(model, ranks, on_loss=lambda: losses.append(time.monotonic()))
    engine = Engine(leader, cache_size=CacheSize(60, 60))
    start = time.monotonic()
    ends = [list(engine.generate(Request([1, 2], max_tokens=9)))[-1].error for _ in range(2)]
    took_s = time.monotonic() - start
    leader.close()
    found = {"errors": ends, "took_s": took_s, "num_losses": len(losses), "lost": leader.is_lost}
    Path("found.json").write_text(json.dumps(found))


def be_rank(environment, where, role, folder, *arguments):
    """The program of a rank, whose standard error goes to a file."""
    os.environ.update(environment)
    os.chdir(where)
    errors = os.open(f"errors-{environment['RANK']}", os.O_WRONLY | os.O_CREAT)
    os.dup2(errors, 2)
    warnings.simplefilter("error")
    try:
        {"compare": compare, "on_triton": on_triton, "fail": fail}[role](folder, *arguments)
    except NetweightError as error:
        sys.exit(f"netweight: {error}")


# What is found of them.


def launch(num_ranks, where, *arguments):
    """Exit codes and standard errors of ranks, in order of rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": "lo",
        "WORLD_SIZE": str(num_ranks),
    }
    # Processes of their own, forked from one that has imported all of this once and done nothing.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ranks = [
        context.Process(target=be_rank, args=(environment | {"RANK": str(rank)}, where, *arguments))
        for rank in range(num_ranks)
    ]
    deadline = time.monotonic() + 60
    try:
        for rank in ranks:
            rank.start()
        for rank in ranks:
            rank.join(deadline - time.monotonic())
    finally:
        for rank in ranks:
            rank.kill()
    codes = [rank.exitcode for rank in ranks]
    return codes, [(where / f"errors-{rank}").read_text() for rank in range(num_ranks)]


@pytest.fixture(scope="module")
def folder(checkpoint_of):
    return checkpoint_of(SHARED)


@pytest.fixture(scope="module")
def alone(folder):
    return load_transformer(folder, dtype=torch.float32)


@pytest.fixture(scope="module")
def expected(alone):
    """The logits of one rank."""
    return walk(alone)


@pytest.fixture(scope="module", params=[2, 4])
def together(request, folder, tmp_path_factory):
    """What so many ranks have made, and the folder where they wrote it."""
    where = tmp_path_factory.mktemp("ranks")
    others = where / "layouts"
    others.mkdir()
    to_original(folder, others / "original")
    to_dequantised(folder, others / "dequantised")
    codes, errors = launch(request.param, where, "compare", folder, others)
    assert codes == [0] * request.param, errors
    assert errors == [""] * request.param
    return torch.load(where / "results.pt", weights_only=False), where, request.param


def distance(ours, expected):
    """The largest difference over the largest value, of all steps that have logits."""
    pairs = [(ours[name], logits) for name, logits in expected.items()]
    assert all(a.shape == b.shape and a.dtype == b.dtype for a, b in pairs)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs if b.numel() > 0)


def test_steps_of_several_ranks_give_the_logits_of_one(together, expected):
    results, _, _ = together
    assert distance(results["walk"], expected) <= TOLERANCE


@pytest.mark.parametrize("layout", ["original", "dequantised"])
def test_ranks_read_other_layouts_as_well(together, expected, layout):
    results, _, _ = together
    assert distance(results[layout], expected) <= TOLERANCE


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_put_together_wrong_is_found(together, expected, kind):
    results, _, _ = together
    assert distance(results[kind], expected) > 100 * TOLERANCE


def test_all_ranks_see_the_same_bits_and_choose_the_same_experts(together):
    _, where, num_ranks = together
    first, *others = (torch.load(where / f"seen-{rank}.pt") for rank in range(num_ranks))
    assert len(first) > 10
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_greedy_tokens_are_those_of_one_rank(together, alone):
    results, _, _ = together
    assert results["greedy"] == greedy(alone)
    assert all(len(drawn) == 12 for drawn in results["greedy"].values())


def test_tokens_drawn_on_a_device_reach_all_ranks(together, alone):
    results, _, _ = together
    assert results["drawn"] == greedy(alone)


def test_a_step_that_fails_on_all_ranks_leaves_them_together(together, alone):
    results, _, _ = together
    ours = {"sound": results["sound"]}
    assert distance(ours, {"sound": stays_sound(alone)}) <= TOLERANCE


def test_bfloat16_differs_by_its_roundings_alone(together, folder, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    results, _, _ = together
    ours, theirs = results["bfloat16"]["prefill"], walk(load_transformer(folder))["prefill"]
    errors = (ours - theirs).norm(dim=-1) / theirs.norm(dim=-1)
    # As two implementations in bfloat16: near ties of the router decide the rest.
    assert float(errors.quantile(0.75)) <= tolerance("logits-bfloat16")


@pytest.mark.slow
def test_ranks_on_the_triton_kernels_give_the_same(folder, alone, tmp_path):
    pytest.importorskip("triton")
    codes, errors = launch(2, tmp_path, "on_triton", folder)
    assert codes == [0, 0], errors
    (logits, drawn), (expected, tokens) = torch.load(tmp_path / "results.pt"), short_walk(alone)
    assert distance(logits, expected) <= TOLERANCE
    assert drawn == tokens
    assert len(drawn) == 4


@pytest.mark.parametrize(
    ("num_ranks", "who", "how"), [(2, 1, "dies"), (4, 2, "raises"), (2, 1, "hangs")]
)
def test_a_rank_that_fails_ends_the_others_and_the_request(folder, tmp_path, num_ranks, who, how):
    codes, errors = launch(num_ranks, tmp_path, "fail", folder, who, how)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["took_s"] < 8
    assert (found["lost"], found["num_losses"]) == (True, 1)
    assert "cannot go on without it" in found["errors"][0]
    assert "have stopped. Start them again" in found["errors"][1]
    assert codes[who] == (9 if how == "dies" else 1)
    assert ("spilt" in errors[who]) == (how == "raises")
    for rank in set(range(1, num_ranks)) - {who}:
        assert codes[rank] == 1, errors[rank]
        assert f"netweight: rank {rank} has " in errors[rank]


def test_the_death_of_rank_0_ends_the_others(folder, tmp_path):
    codes, errors = launch(2, tmp_path, "fail", folder, 0, "dies")
    assert codes == [9, 1]
    assert "netweight: rank 1 has " in errors[1]


@pytest.mark.parametrize(
    ("config", "allowed"),
    [(GPT_OSS_20B, [2, 4, 8]), (GPT_OSS_120B, [2, 4, 8]), (SMALL, [2]), (SHARED, [2, 4])],
)
def test_ranks_divide_key_heads_and_experts(config, allowed):
    assert allowed_ranks(config) == allowed
    for num_ranks in range(9):
        if num_ranks in allowed:
            check_ranks(config, num_ranks)
            continue
        with pytest.raises(NetweightError) as caught:
            check_ranks(config, num_ranks)
        assert f"Take {' or '.join(map(str, allowed))}." in str(caught.value)


def test_a_model_that_cannot_be_divided_says_so():
    with pytest.raises(NetweightError, match="Run it on one"):
        check_ranks(replace(SMALL, num_key_value_heads=1), 2)


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_the_parts_of_a_tensor_are_all_of_it_once(folder, num_ranks):
    checkpoint = Checkpoint.open(folder)
    shards = [Shard(rank, num_ranks) for rank in range(num_ranks)]
    divided = []
    for name in checkpoint.stored:
        whole = checkpoint.tensor(name)
        parts = [shard.part(name, whole) for shard in shards]
        if parts[0].shape == whole.shape:
            assert all(torch.equal(part, whole) for part in parts)
            continue
        divided.append(name.rpartition("layers.0.")[2])
        assert torch.equal(torch.cat(parts, dim=1 if "o_proj" in name else 0), whole)
    assert {"self_attn.sinks", "self_attn.o_proj.weight", "lm_head.weight"} < set(divided)
    assert "self_attn.o_proj.bias" not in divided
    assert not any("norm" in name or "router" in name or "embed" in name for name in divided)


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_the_bytes_of_a_shard_are_those_of_its_parts(folder, num_ranks):
    checkpoint = Checkpoint.open(folder)
    for rank in range(num_ranks):
        shard = Shard(rank, num_ranks)
        parts = (shard.part(name, checkpoint.tensor(name)) for name in checkpoint.stored)
        assert shard.num_bytes(SHARED) == sum(part.numel() * part.itemsize for part in parts)


def test_memory_beside_a_shard_is_for_keys_and_values(folder):
    checkpoint, shard = Checkpoint.open(folder), Shard(1, 4)
    fixed = shard.num_bytes(SHARED) + WORKING_BYTES
    # Of a whole context, which is shorter here than what there is always room for.
    whole = shard.config(SHARED).kv_cache_bytes(SHARED.max_context) * 4 // 3
    assert plan_shard(checkpoint, shard, fixed + 2 * whole) == Budget(2 * whole, None)
    assert plan_shard(checkpoint, shard, fixed + 9 * whole) == Budget(4 * whole, None)
    with pytest.raises(NotEnoughMemory, match="each of 4 ranks needs 1\\.0 GiB") as caught:
        plan_shard(checkpoint, shard, fixed + whole - 1)
    assert "more ranks" in str(caught.value)


def test_a_shard_takes_little_more_than_its_share_of_a_published_model():
    for config in (GPT_OSS_20B, GPT_OSS_120B):
        for num_ranks in (2, 4, 8):
            parts = [Shard(rank, num_ranks).num_bytes(config) for rank in range(num_ranks)]
            # What every rank has all of: the embedding, routers, norms, biases of the output.
            kept = 2 * (config.vocab_size * config.hidden_size)
            kept += 2 * config.num_hidden_layers * config.hidden_size * (config.num_experts + 3)
            share = (config.checkpoint_bytes - kept) / num_ranks + kept
            assert all(part == pytest.approx(share, rel=1e-4) for part in parts)


@given(
    st.integers(1, 70),
    st.integers(1, 5),
    st.tuples(st.integers(0, 300), st.integers(0, 300)),
    st.integers(0, 4),
    st.none() | st.integers(0, 9),
)
def test_a_step_is_heard_as_it_was_announced(num_tokens, num_sequences, widths, num_rows, previous):
    def numbers(*shape, dtype=torch.int32):
        return torch.randint(-1, 2**31 - 1, shape, dtype=dtype)

    tables = [numbers(num_sequences, width) for width in widths]
    layout = Layout(numbers(num_tokens), numbers(num_sequences + 1), *tables)
    ids, rows = (numbers(size, dtype=torch.int64) for size in (num_tokens, num_rows))
    heard = StepCall.of_numbers(StepCall(ids, layout, rows, previous).to_numbers())
    assert heard.num_previous == previous
    assert torch.equal(heard.token_ids, ids)
    assert torch.equal(heard.rows, rows)
    for name in ("positions", "starts", "pages", "window_pages"):
        ours, theirs = getattr(heard.layout, name), getattr(layout, name)
        assert ours.dtype == theirs.dtype
        assert ours.is_contiguous()
        assert torch.equal(ours, theirs)
