"""Draws in Triton against `netweight.engine.sampler`, many rows at a time."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils._python_dispatch import TorchDispatchMode

from netweight.engine import Sampling
from netweight.engine.sampler import distribution, sample
from netweight.model import NOTHING_ALLOWED, UNSOUND
from netweight.model.kernels.gpu import sampling as kernels
from tests.model.shapes import tolerance

VOCAB = 201_088
LAST = 1 - 2**-53  # the largest point
CHUNK = 64
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

# NumPy warns where the interpreter meets infinities, as a device does not.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(invalid value|overflow|divide by zero|All-NaN):RuntimeWarning"
)


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """Memory that nobody wrote holds what would be noticed."""
    empty = torch.empty

    def poisoned(*args, **kwargs):
        made = empty(*args, **kwargs)
        return made.fill_(torch.nan if made.is_floating_point() else -77)

    monkeypatch.setattr(torch, "empty", poisoned)


def normal(*shape, spread=3.0, seed=0):
    return spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def points_of(num, seed=0):
    return torch.rand(num, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def filters_of(rows):
    """The filters of `draw` for a list of settings; None for what none of them has."""
    columns = {
        "min_p": ([one.min_p for one in rows], 0, torch.float32),
        "top_k": ([one.top_k for one in rows], 0, torch.int32),
        "top_p": ([one.top_p for one in rows], 1, torch.float32),
    }
    return {
        name: None if set(column) == {neutral} else torch.tensor(column, dtype=dtype, device=DEVICE)
        for name, (column, neutral, dtype) in columns.items()
    }


def temperatures(rows):
    return torch.tensor([one.temperature for one in rows], dtype=torch.float32, device=DEVICE)


def draw(logits, points, rows, *, bits=None, chunk=CHUNK):
    """Token ids of rows, each with its own settings."""
    return kernels.draw(
        logits.to(DEVICE),
        points.to(DEVICE),
        temperatures(rows),
        **filters_of(rows),
        bits=None if bits is None else bits.to(DEVICE),
        chunk=chunk,
    ).tolist()


def edges(logits, rows, chunk=CHUNK):
    """The least logit that the filters keep in each row."""
    batch = kernels._Batch(logits.to(DEVICE), temperatures(rows), None, chunk)
    batch.limit(**filters_of(rows))
    return batch._edges.cpu()


def log_probabilities(logits, token_ids, num_top):
    found = kernels.log_probabilities(logits.to(DEVICE), token_ids.to(DEVICE), num_top, chunk=CHUNK)
    return [one.cpu() for one in found]


def miss(logits, one, point, token):
    """How far the point is from the token's part of the running sum; infinite if it has none."""
    p = distribution(logits, one)
    if token < 0 or p[token] == 0:
        return float("inf")
    end = float(p[: token + 1].sum())
    return max(end - float(p[token]) - point, point - end, 0.0)


def packed(allowed):
    """Bits of bool [rows, vocab], in whole words."""
    rows, vocab = allowed.shape
    padded = np.zeros((rows, -(-vocab // 32) * 32), dtype=bool)
    padded[:, :vocab] = allowed
    words = np.packbits(padded, axis=1, bitorder="little").view(np.int32)
    return torch.from_numpy(np.ascontiguousarray(words))


MIXED = [
    Sampling(),
    Sampling(temperature=0),
    Sampling(temperature=0.3),
    Sampling(temperature=2.0, top_k=5),
    Sampling(top_p=0.9),
    Sampling(top_p=0.2, temperature=1.7),
    Sampling(min_p=0.05),
    Sampling(min_p=0.01, top_k=20, top_p=0.7),
    Sampling(top_k=1000, top_p=0.99, temperature=0.7),
    Sampling(temperature=1e-30, top_p=0.5),
    Sampling(temperature=0, top_k=3, min_p=0.3),
]


def test_rows_of_all_settings_draw_the_tokens_of_the_reference():
    logits = normal(len(MIXED), 113)
    expected, points = [], []
    for seed, (row, one) in enumerate(zip(logits, MIXED, strict=True)):
        expected.append(sample(row, one, torch.Generator().manual_seed(seed)))
        points.append(points_of(1, seed))
    assert draw(logits, torch.cat(points), MIXED) == expected


def test_a_row_draws_the_same_whatever_is_beside_it_and_whoever_has_filters():
    logits, points = normal(3, 113), points_of(3)
    rows = [Sampling(), Sampling(temperature=0.5), Sampling(top_k=3)]
    together = draw(logits, points, rows)
    alone = [
        draw(logits[i : i + 1], points[i : i + 1], rows[i : i + 1])[0] for i in range(len(rows))
    ]
    assert together == alone


# Few distinct values, so that ties are common; top_p is kept off the sums that such values reach.
logits_lists = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=100)
settings_of_all_kinds = st.builds(
    Sampling,
    temperature=st.sampled_from([0.25, 1.0, 2.0]),
    top_p=st.one_of(st.just(1.0), st.floats(0.01, 0.99).map(lambda x: round(x, 2) + 1.2345e-5)),
    top_k=st.integers(0, 20),
    min_p=st.sampled_from([0.0, 0.011, 0.13, 0.77, 1.0]),
)


@settings(max_examples=4)
@given(logits_lists, settings_of_all_kinds)
@example([1.0, 2.0, 3.0] * 30, Sampling(top_k=40, top_p=0.5))
@example([0.0] * 65, Sampling(top_k=3))
@example([0.0, -0.0, -1.0], Sampling(top_k=1))
@example([-3.0, -2.0, -1.0] * 30, Sampling(top_p=0.8, min_p=0.13))
def test_what_is_kept_is_what_the_reference_keeps(logits, one):
    row = torch.tensor(logits)
    kept = (row >= edges(row[None], [one])[0]).nonzero().flatten().tolist()
    assert kept == distribution(row, one).nonzero().flatten().tolist()


def test_the_edge_of_top_k_is_the_kth_largest_logit():
    logits, counts = normal(6, 113), [1, 2, 31, 112, 113, 500]
    found = edges(logits, [Sampling(top_k=count) for count in counts])
    for row, count, edge in zip(logits, counts, found, strict=True):
        assert edge == row.topk(min(count, 113)).values[-1]


def test_the_edge_of_min_p_lies_between_two_neighbours():
    rows = [Sampling(min_p=share) for share in (0.3125, 0.5, 0.625, 0.8125)]
    exact = torch.tensor([one.min_p for one in rows], dtype=torch.float64).log()
    nearest = exact.float()
    below = torch.where(nearest < exact, nearest, nearest.nextafter(torch.tensor(-torch.inf)))
    above = below.nextafter(torch.tensor(0.0))
    logits = torch.stack([torch.zeros(4), below, above], 1)
    kept = logits >= edges(logits, rows)[:, None]
    assert kept.tolist() == [[True, False, True]] * 4
    assert [distribution(*one).gt(0).tolist() for one in zip(logits, rows, strict=True)] == [
        [True, False, True]
    ] * 4


def keeps_what_the_reference_keeps(logits, found, rows):
    return all(
        torch.equal(row >= edge, distribution(row, one) > 0)
        for row, edge, one in zip(logits, found, rows, strict=True)
    )


def test_top_p_before_top_k_and_ties_that_are_dropped_are_noticed():
    logits = torch.tensor([0.3, 0.25, 0.1, 0.1, 0.1, 0.1, 0.05]).log().repeat(2, 1)
    rows = [Sampling(top_k=4, top_p=limit) for limit in (0.57, 0.9)]
    found = edges(logits, rows)
    assert keeps_what_the_reference_keeps(logits, found, rows)
    without_ties = torch.nextafter(found, torch.tensor(torch.inf))
    assert not keeps_what_the_reference_keeps(logits, without_ties, rows)
    filters = filters_of(rows)
    swapped = kernels._Batch(logits.to(DEVICE), temperatures(rows), None, CHUNK)
    swapped.limit(None, None, filters["top_p"])
    top_p_first = swapped._edges.clone()
    swapped.limit(None, filters["top_k"], None)
    top_p_first = torch.maximum(top_p_first, swapped._edges).cpu()
    assert not keeps_what_the_reference_keeps(logits, top_p_first, rows)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 131])
def test_the_running_sum_goes_through_all_tokens_in_order(size):
    points = torch.tensor([0.0, 0.25 + 1e-6, 0.5 + 1e-6, 0.9, LAST], dtype=torch.float64)
    logits = torch.full((5, size + 2), -torch.inf)
    logits[:, 1:-1] = 7.0
    expected = [1 + int(point * size) for point in points.tolist()]
    assert draw(logits, points, [Sampling()] * 5) == expected


def test_a_point_on_a_boundary_belongs_to_the_token_behind_it():
    points = torch.tensor([0.0, 0.25, 0.5, 0.75], dtype=torch.float64)
    for size in (4, 256):
        tokens = draw(torch.zeros(4, size), points, [Sampling()] * 4)
        assert tokens == [0, size // 4, size // 2, 3 * size // 4]


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 131])
def test_temperature_zero_finds_every_place_and_the_first_of_equals(size):
    places = sorted({0, size // 2, size - 1})
    logits = normal(2 * len(places), size) - 100
    for row, place in enumerate(places):
        logits[2 * row, place] = 1.0
        logits[2 * row + 1, place:] = 2.0
    expected = [place for place in places for _ in range(2)]
    rows = [Sampling(temperature=0)] * len(expected)
    assert draw(logits, points_of(len(expected)), rows) == expected


HARD = {
    "all equal": torch.full((100,), -3.25),
    "one huge": torch.cat([normal(50), torch.tensor([3e38]), normal(49)]),
    "all but one impossible": torch.full((100,), -torch.inf).index_fill(0, torch.tensor(77), -5.0),
    "both ends of float32": torch.linspace(-1, 1, 100) * 3.4e38,
    "nearly equal": 10 + torch.arange(100) * 2.0**-20,
    "around zero": (torch.arange(100) - 50) * 1e-10,
    "falling": -torch.arange(100.0),
}
ENDS = [
    (Sampling(), 0.0),
    (Sampling(), LAST),
    (Sampling(top_p=0), 0.0),
    (Sampling(min_p=1), LAST),
    (Sampling(top_k=1), LAST),
    (Sampling(temperature=1e-30), LAST),
    (Sampling(temperature=1e-30, top_k=2, top_p=0.999), 0.0),
    (Sampling(temperature=100, top_k=99), LAST),
]


@pytest.mark.parametrize("name", HARD)
def test_hard_rows_at_the_ends_of_the_running_sum(name):
    row = HARD[name]
    points = torch.tensor([point for _, point in ENDS], dtype=torch.float64)
    tokens = draw(row.repeat(len(ENDS), 1), points, [one for one, _ in ENDS], chunk=128)
    for token, (one, point) in zip(tokens, ENDS, strict=True):
        kept = distribution(row, one)
        assert kept[token] > 0
        outer = kept[token + 1 :] if point else kept[:token]
        assert float(outer.sum()) <= tolerance("running-sum")


def grid_is_followed(tokens, one, row, num):
    """Whether counts at `num` points in even steps are those of the distribution."""
    expected = num * distribution(row, one)
    counts = torch.tensor(tokens).bincount(minlength=len(row))
    likely = expected > 0
    if int(counts[~likely].sum()) > 0:
        return False
    fit = chisquare(counts[likely].numpy(), expected[likely].numpy())
    return fit.pvalue > 0.9 and float((counts - expected).abs().max()) < 1.01


@pytest.mark.parametrize(
    ("num", "one"), [(40, Sampling(temperature=0.8)), (8, Sampling(temperature=2.0, top_k=4))]
)
def test_frequencies_on_a_grid_of_points_follow_the_distribution(num, one):
    row = torch.tensor([0.0, 1.0, -1.0, 2.0, 0.5, -50.0])
    points = (torch.arange(num, dtype=torch.float64) + 0.5) / num
    tokens = draw(row.repeat(num, 1), points, [one] * num, chunk=8)
    assert grid_is_followed(tokens, one, row, num)
    assert not grid_is_followed(tokens, Sampling(temperature=one.temperature / 2), row, num)


def test_a_mask_limits_what_is_drawn_and_what_filters_count():
    logits = normal(4, 131)
    allowed = np.random.default_rng(1).random((4, 131)) < 0.2
    allowed[3] = True
    rows = [Sampling(), Sampling(top_k=3), Sampling(temperature=0), Sampling()]
    points = points_of(4, 3)
    tokens = draw(logits, points, rows, bits=packed(allowed))
    limited = logits.masked_fill(~torch.from_numpy(allowed), -torch.inf)
    for token, row, one, point in zip(tokens, limited, rows, points.tolist(), strict=True):
        if one.temperature == 0:
            assert token == int(row.argmax())
        else:
            assert miss(row, one, point, token) < tolerance("running-sum")
    assert tokens[3] == draw(logits[3:], points[3:], rows[3:])[0]


def single_tokens(vocab, ids, shift=0):
    allowed = np.zeros((len(ids), vocab), dtype=bool)
    allowed[np.arange(len(ids)), ids] = True
    return packed(np.roll(allowed, shift, axis=1))


def test_the_only_token_that_is_allowed_is_drawn_and_a_mask_off_by_one_bit_is_noticed():
    ids = [0, 1, 30, 31, 32, 33, 63, 64, 65, 95, 96, 130]
    logits, rows = normal(len(ids), 131), [Sampling(temperature=1.5)] * len(ids)
    points = points_of(len(ids))
    assert draw(logits, points, rows, bits=single_tokens(131, ids)) == ids
    off_by_one = draw(logits, points, rows, bits=single_tokens(131, ids, shift=1))
    assert all(found != wanted for found, wanted in zip(off_by_one, ids, strict=True))


def test_ids_beyond_a_short_mask_are_not_allowed():
    bits = torch.full((2, 2), -1, dtype=torch.int32)
    logits = torch.zeros(2, 200)
    logits[:, 64:] = 50.0
    rows = [Sampling(), Sampling(temperature=0)]
    points = torch.tensor([LAST, 0.5], dtype=torch.float64)
    assert draw(logits, points, rows, bits=bits) == [63, 0]


def broken_rows():
    logits = normal(7, 131)
    logits[1, 100] = torch.nan
    logits[2, 3] = torch.inf
    logits[3] = -torch.inf
    logits[4, 0] = -torch.inf
    logits[5] = torch.nan
    logits[6, 2:] = -torch.inf
    return logits


@pytest.mark.parametrize(
    "one", [Sampling(), Sampling(temperature=0), Sampling(min_p=0.1, top_p=0.5)]
)
def test_rows_that_are_not_sound_or_allow_nothing_say_so(one):
    logits = broken_rows()
    allowed = np.ones((7, 131), dtype=bool)
    allowed[1, 100] = False  # a NaN tells that the row was computed wrongly, allowed or not
    allowed[6, :2] = False
    tokens = draw(logits, points_of(7), [one] * 7, bits=packed(allowed), chunk=128)
    assert tokens[1:4] == [UNSOUND] * 3
    assert tokens[5:] == [UNSOUND, NOTHING_ALLOWED]
    assert tokens[0] >= 0
    assert tokens[4] > 0
    is_sound = [True, False, False, False, True, False, True]
    assert kernels.is_sound(logits).tolist() == is_sound


def test_rows_without_a_mask_that_are_not_sound_say_so():
    tokens = draw(broken_rows(), points_of(7), [Sampling()] * 7)
    assert [token == UNSOUND for token in tokens] == [False, True, True, True, False, True, False]
    assert tokens[6] in (0, 1)


@pytest.mark.parametrize("spread", [0.1, 4.0])
def test_boundaries_in_a_large_vocabulary_are_where_the_reference_has_them(spread, record_property):
    row = normal(20_011, spread=spread)
    points = torch.linspace(0.0005, 0.9995, 21, dtype=torch.float64)
    tokens = draw(row.repeat(21, 1), points, [Sampling()] * 21, chunk=4096)
    worst = max(
        miss(row, Sampling(), point, token)
        for point, token in zip(points.tolist(), tokens, strict=True)
    )
    record_property("miss", worst)
    assert worst < tolerance("running-sum")


@pytest.mark.parametrize(
    "one",
    [
        Sampling(top_p=0.5, temperature=1.5),
        Sampling(top_p=0.99, top_k=2000),
    ],
    ids=["top_p", "top_p after top_k"],
)
def test_edges_in_a_large_vocabulary_are_those_of_the_reference(one):
    row = normal(5_003, spread=2.0)
    kept = row >= edges(row[None], [one], chunk=2048)[0]
    p = distribution(row, one)
    differing = kept != (p > 0)
    # A sum so near top_p that rounding decides may add or leave out one token.
    assert int(differing.sum()) <= 1
    assert int(kept.sum()) > 100


def test_the_published_vocabulary():
    logits = normal(3, VOCAB, spread=2.5)
    points = points_of(3)
    rows = [Sampling(), Sampling(temperature=0), Sampling(min_p=0.2)]
    tokens = draw(logits, points, rows, chunk=kernels._CHUNK)
    assert tokens[1] == int(logits[1].argmax())
    for i in (0, 2):
        assert miss(logits[i], rows[i], float(points[i]), tokens[i]) < tolerance("running-sum")


def test_points_may_be_float32():
    logits, points = normal(2, 113), torch.tensor([0.25, 0.75])
    rows = [Sampling()] * 2
    assert draw(logits, points, rows) == draw(logits, points.double(), rows)


def test_no_row_is_nothing_to_draw():
    assert draw(torch.zeros(0, 113), points_of(0), []) == []


class _Operations(TorchDispatchMode):
    """The names of all operations of torch."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


WAITING = {"_local_scalar_dense", "nonzero", "item", "is_nonzero", "equal"}


def test_no_operation_waits_for_the_device(monkeypatch):
    monkeypatch.setattr(kernels, "_STEPS", 2)  # which do the same
    logits, points = normal(1, 20).to(DEVICE), points_of(1).to(DEVICE)
    rows = [Sampling(min_p=0.1, top_p=0.5)]
    filters, heat, token_ids = filters_of(rows), temperatures(rows), torch.tensor([3]).to(DEVICE)
    with _Operations() as seen:
        kernels.draw(logits, points, heat, **filters, chunk=32)
        kernels.log_probabilities(logits, token_ids, 3, chunk=32)
        kernels.is_sound(logits)
    assert "topk" in seen.names
    assert not seen.names & WAITING
    with _Operations() as seen:
        float(logits[0, 0])
    assert seen.names & WAITING, "such an operation would not be noticed"


@pytest.mark.parametrize("spread", [0.0, 4.0, 40.0])
@pytest.mark.parametrize("size", [1, 131])
def test_log_probabilities_are_those_of_a_softmax_in_double(size, spread):
    logits = normal(3, size, spread=spread)
    ids = torch.tensor([0, size // 2, size - 1])
    num_top = min(size, 5)
    own, top_ids, top = log_probabilities(logits, ids, num_top)
    exact = logits.double().log_softmax(1)
    near = tolerance("log-probability")
    assert torch.allclose(own.double(), exact.gather(1, ids[:, None])[:, 0], rtol=0, atol=near)
    assert torch.allclose(top.double(), exact.topk(num_top).values, rtol=0, atol=near)
    assert torch.allclose(exact.gather(1, top_ids.long()), top.double(), rtol=0, atol=near)
    assert (own.dtype, top_ids.dtype, top.dtype) == (torch.float32, torch.int32, torch.float32)


def test_log_probabilities_of_rows_that_are_not_sound_are_no_numbers():
    logits = broken_rows()
    own, _, top = log_probabilities(logits, torch.zeros(7).long(), 2)
    sound = kernels.is_sound(logits)
    assert torch.equal(own.isnan(), ~sound)
    assert torch.equal(top.isnan().all(1), ~sound)
    assert own[4] == -torch.inf


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device")
def test_a_captured_draw_is_the_same_with_other_logits():
    rows = [*MIXED] * 4
    logits = torch.zeros(len(rows), VOCAB, device=DEVICE)
    points = points_of(len(rows)).to(DEVICE)
    heat, filters = temperatures(rows), filters_of(rows)
    kernels.draw(logits, points, heat, **filters)  # compiles
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = kernels.draw(logits, points, heat, **filters)
    logits.copy_(normal(len(rows), VOCAB, spread=2.5))
    graph.replay()
    assert torch.equal(captured, kernels.draw(logits, points, heat, **filters))
    for row, one, point, token in zip(
        logits.cpu(), rows, points.tolist(), captured.tolist(), strict=True
    ):
        if one.temperature == 0:
            assert token == int(row.argmax())
        else:
            assert miss(row, one, point, token) < tolerance("running-sum")


def ones(num, dtype=torch.float32):
    return torch.ones(num, dtype=dtype)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernels.draw(torch.zeros(3), ones(3), ones(3)),
        lambda: kernels.draw(torch.zeros(2, 3).double(), ones(2), ones(2)),
        lambda: kernels.draw(torch.zeros(3, 2).T, ones(2), ones(2)),
        lambda: kernels.draw(torch.zeros(2, 0), ones(2), ones(2)),
        lambda: kernels.draw(torch.zeros(2, 3), ones(3), ones(2)),
        lambda: kernels.draw(torch.zeros(2, 3), ones(2), ones(2).double()),
        lambda: kernels.draw(torch.zeros(2, 3), ones(4)[::2], ones(2)),
        lambda: kernels.draw(torch.zeros(2, 3), ones(2), ones(2), top_k=ones(2)),
        lambda: kernels.draw(torch.zeros(2, 3), ones(2), ones(2), bits=ones(2)),
        lambda: kernels.draw(torch.zeros(2, 3), ones(2), ones(2), chunk=48),
        lambda: kernels.log_probabilities(torch.zeros(2, 3), ones(2), 1),
        lambda: kernels.log_probabilities(torch.zeros(2, 3), ones(2).long(), 4),
    ],
)
def test_wrong_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"\w"):
        call()
