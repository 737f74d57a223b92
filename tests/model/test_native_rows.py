"""Native norm, rotation and router against the reference."""

import pytest
import torch

from netweight.model.kernels import reference
from tests.model.shapes import needs_native, tolerance
from tests.model.steps import angles

pytestmark = needs_native
native = pytest.importorskip("netweight._native")
rows = pytest.importorskip("netweight.model.kernels.rows")

TOKENS = [1, 2, 15, 16, 17, 33]


@pytest.fixture(autouse=True, params=native.supported())
def isa(request):
    """Each instruction set that this processor has in turn; all of them in make check-native."""
    before = native.using()
    native.use(request.param)
    yield request.param
    native.use(before)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale_dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("hidden", [1, 2, 15, 16, 17, 63, 64, 65, 130, 2880])
@pytest.mark.parametrize("tokens", [1, 33])
def test_norm_is_the_reference_but_for_single_roundings(tokens, hidden, scale_dtype):
    x, scale = normal(tokens, hidden).bfloat16(), normal(hidden, seed=1).to(scale_dtype)
    ours, expected = rows.rms_norm(x, scale, 1e-5), reference.rms_norm(x, scale, 1e-5)
    difference = (ours.float() - expected.float()).abs() / expected.float().abs()
    assert float(difference.max()) <= tolerance("norm-bfloat16")
    assert float((ours != expected).float().mean()) < 0.01


def test_a_norm_over_one_number_less_is_noticed():
    x, scale = normal(8, 65).bfloat16(), torch.ones(65)
    ours = rows.rms_norm(x, scale, 1e-5)[:, :64]
    wrong = reference.rms_norm(x[:, :64], scale[:64], 1e-5).float()
    assert float(((ours - wrong).abs() / wrong.abs()).max()) > tolerance("norm-bfloat16")


def test_norm_of_many_dimensions_and_of_zeros():
    x = normal(3, 5, 64).bfloat16()
    x[1, 2] = 0
    scale = torch.ones(64, dtype=torch.bfloat16)
    ours = rows.rms_norm(x, scale, 1e-5)
    assert ours.shape == x.shape
    assert torch.equal(ours[1, 2], x[1, 2])
    assert torch.equal(ours[2], rows.rms_norm(x[2], scale, 1e-5))


@pytest.mark.parametrize("head_dim", [2, 16, 32, 34, 64, 80])
@pytest.mark.parametrize("tokens", TOKENS)
def test_rotation_is_the_reference_to_the_last_bit(tokens, head_dim):
    x, turn = normal(tokens, 3, head_dim).bfloat16(), angles(tokens, head_dim)
    assert torch.equal(rows.rotate(x, turn), reference.rotate(x, turn))


def test_rotation_takes_a_part_of_rows():
    qkv, turn = normal(5, 7, 64).bfloat16(), angles(5, 64)
    part = qkv[:, 2:4]
    assert torch.equal(rows.rotate(part, turn), reference.rotate(part, turn))


def test_rotation_keeps_what_is_not_a_number():
    x = torch.full((1, 1, 64), torch.nan, dtype=torch.bfloat16)
    assert rows.rotate(x, angles(1, 64)).isnan().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("experts", "count"), [(1, 1), (4, 2), (4, 4), (32, 4), (128, 4), (3, 3)])
@pytest.mark.parametrize("tokens", TOKENS)
def test_router_is_the_reference(tokens, experts, count, dtype):
    # All logits of a token differ, so that the order is told.
    logits = torch.stack([torch.randperm(experts) for _ in range(tokens)]).to(dtype) / 8
    weights, chosen = rows.route(logits, count)
    expected_weights, expected_chosen = reference.route(logits, count)
    assert torch.equal(chosen, expected_chosen)
    assert float((weights - expected_weights).abs().max()) <= tolerance("router")


def test_of_equal_logits_the_lower_index_comes_first():
    logits = torch.tensor([[1.0, 3.0, 2.0, 3.0, 3.0, 2.0], [0.0] * 6])
    assert rows.route(logits, 4)[1].tolist() == [[1, 3, 4, 2], [0, 1, 2, 3]]


def test_router_survives_what_is_not_a_number():
    logits = torch.tensor([[1.0, torch.nan, 2.0, torch.nan], [torch.nan] * 4])
    weights, chosen = rows.route(logits, 3)
    assert chosen.tolist() == [[1, 3, 2], [0, 1, 2]]
    assert weights.isnan().all()


def test_router_takes_huge_logits():
    weights, _ = rows.route(torch.tensor([[1e30, -1e30, 9e29, 0.0]]), 2)
    assert weights.tolist() == [[1.0, 0.0]]


def test_instruction_sets_agree_to_the_last_bit():
    x, scale = normal(5, 2880).bfloat16(), normal(2880, seed=1)
    ours, powers = rows.rms_norm(x, scale, 1e-5), exp2(-normal(1001).abs())
    native.use("avx2")
    assert torch.equal(rows.rms_norm(x, scale, 1e-5), ours)
    assert torch.equal(exp2(-normal(1001).abs()), powers)


def exp2(x):
    out = torch.empty_like(x)
    native.exp2(x.data_ptr(), x.numel(), out.data_ptr())
    return out


def test_powers_of_two_are_within_one_unit_in_the_last_place():
    x = torch.cat((torch.linspace(-126, 0, 500_000), torch.linspace(-2, 127, 500_003)))
    exact = torch.exp2(x.double())
    unit = torch.exp2(exact.log2().floor() - 23)
    assert float(((exp2(x).double() - exact).abs() / unit).max()) < 1


def test_powers_of_two_at_the_ends():
    x = torch.tensor([0.0, -1.0, -126.0, -128.0, -1e30, -torch.inf])
    assert exp2(x).tolist() == [1.0, 0.5, 2.0**-126, 0.0, 0.0, 0.0]
    assert exp2(torch.full((5,), torch.nan)).isnan().all()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: rows.rms_norm(x.float(), torch.ones(64), 1e-5),
        lambda x: rows.rms_norm(x, torch.ones(63), 1e-5),
        lambda x: rows.rms_norm(x, torch.ones(64).double(), 1e-5),
        lambda x: rows.rotate(x.view(2, 1, 64), angles(3, 64)),
        lambda x: rows.rotate(x.view(2, 1, 64), angles(2, 32)),
        lambda x: rows.rotate(x.view(2, 1, 64).expand(2, 3, 64), angles(2, 64)),
        lambda x: rows.route(x, 65),
    ],
)
def test_wrong_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"\w"):
        call(torch.zeros(2, 64, dtype=torch.bfloat16))
