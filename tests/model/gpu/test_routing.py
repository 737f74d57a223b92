import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.model.kernels import reference
from netweight.model.kernels.gpu import routing
from tests.model.shapes import tolerance

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


def stable_route(logits, slots):
    """The reference's choice, with the lowest index first of equal logits."""
    order = logits.float().sort(dim=-1, descending=True, stable=True)
    return order.values[:, :slots].softmax(-1), order.indices[:, :slots]


def check_route(logits, slots):
    weights, chosen = routing.route(logits, slots)
    expected_weights, expected = stable_route(logits, slots)
    assert (weights.dtype, chosen.dtype) == (torch.float32, torch.int64)
    assert torch.equal(chosen, expected)
    assert (weights - expected_weights).abs().max() <= tolerance("router")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize(("experts", "slots"), [(1, 1), (3, 3), (5, 2), (32, 4), (128, 4), (17, 5)])
def test_the_choice_is_the_references(experts, slots, dtype):
    for tokens in (1, 4, 5):
        logits = normal(tokens, experts, seed=tokens).to(dtype)
        check_route(logits, slots)
        weights, _ = routing.route(logits, slots)
        expected, _ = reference.route(logits, slots)
        assert (weights - expected).abs().max() <= tolerance("router")


@settings(max_examples=15)  # of the interpreter, which is slow
@given(st.lists(st.sampled_from([-1.0, -0.0, 0.0, 1.0, -torch.inf]), min_size=4, max_size=9))
def test_of_equal_logits_the_lowest_index_comes_first(row):
    logits = torch.tensor([[2.0, *row]], device=DEVICE)  # something finite to divide by
    check_route(logits, 4)


def test_large_logits_do_not_overflow():
    check_route(normal(5, 32) * 1e37, 4)
    check_route(-normal(5, 32).abs() * 1e37 - 1e36, 3)


def test_a_logit_that_is_none_is_chosen_first_and_shows_in_every_weight():
    logits = normal(3, 32)
    logits[1, 7] = torch.nan
    logits[2, 9] = -torch.tensor(torch.nan)
    weights, chosen = routing.route(logits, 4)
    assert chosen[1, 0] == 7
    assert chosen[2, 0] == 9
    assert weights[1:].isnan().all()
    assert weights[0].isfinite().all()
    assert ((chosen >= 0) & (chosen < 32)).all()


def test_rows_may_lie_apart():
    wide = normal(5, 64)
    assert torch.equal(routing.route(wide[:, :32], 4)[1], stable_route(wide[:, :32], 4)[1])


def test_no_token_is_no_work():
    weights, chosen = routing.route(normal(0, 32), 4)
    assert weights.shape == chosen.shape == (0, 4)


def expected_grouping(chosen, experts, tile_tokens):
    """Pairs by expert, and (expert, first, count) of each tile, by the definition."""
    flat = chosen.flatten().tolist()
    runs = [[p for p, e in enumerate(flat) if e == expert] for expert in range(experts)]
    tiles, start = [], 0
    for expert, run in enumerate(runs):
        tiles += [[expert, start + first] for first in range(0, len(run), tile_tokens)]
        start += len(run)
    starts = [sum(map(len, runs[:expert])) for expert in range(experts + 1)]
    return [pair for run in runs for pair in run], starts, tiles


def check_grouping(chosen, experts, tile_tokens):
    order, starts, tiles = expected_grouping(chosen, experts, tile_tokens)
    grouping = routing.group(chosen, experts, tile_tokens)
    assert grouping.starts.tolist() == starts
    assert grouping.order[: len(order)].tolist() == order
    assert len(tiles) <= len(grouping.tiles)
    empty = [[-1, 0]] * (len(grouping.tiles) - len(tiles))
    assert grouping.tiles.tolist() == tiles + empty


def random_choice(tokens, slots, experts, seed=0, dtype=torch.int64):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(tokens, experts, generator=generator)
    return scores.argsort(-1)[:, :slots].to(dtype).contiguous().to(DEVICE)


@pytest.mark.parametrize(
    ("experts", "slots", "tokens", "dtype"),
    [
        (1, 1, 1, torch.int64),
        (4, 2, 17, torch.int32),
        (7, 4, 1, torch.int64),
        (7, 3, 65, torch.int64),
        (32, 4, 9, torch.int64),
    ],
)
def test_pairs_are_sorted_by_expert_and_cut_into_tiles(experts, slots, tokens, dtype):
    check_grouping(random_choice(tokens, slots, experts, dtype=dtype), experts, 16)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_pairs_of_the_published_number_of_experts_are_sorted(dtype):
    for tokens in (1, 64, 65):
        check_grouping(random_choice(tokens, 4, 128, dtype=dtype), 128, 16)


@pytest.mark.parametrize("tokens", [31, 32, 33, 100])
def test_grouping_takes_more_pairs_than_one_round(tokens, monkeypatch):
    monkeypatch.setattr(routing, "GROUP_PAIRS", 64)
    check_grouping(random_choice(tokens, 2, 3), 3, 16)


def test_all_tokens_may_choose_one_expert():
    for tokens in (15, 16, 17, 33):
        check_grouping(torch.full((tokens, 1), 3, device=DEVICE), 5, 16)


def test_a_choice_of_no_expert_is_left_out():
    chosen = random_choice(20, 4, 9)
    chosen[3] = chosen[19] = -1
    check_grouping(chosen, 9, 16)
    check_grouping(torch.full((3, 2), -1, device=DEVICE), 3, 16)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 3), st.data())
def test_there_are_always_tiles_enough(tokens, experts, tile_tokens, data):
    choices = data.draw(st.lists(st.integers(0, experts - 1), min_size=tokens, max_size=tokens))
    needed = sum(-(-choices.count(expert) // tile_tokens) for expert in range(experts))
    assert needed <= routing.most_tiles(tokens, experts, tile_tokens)
