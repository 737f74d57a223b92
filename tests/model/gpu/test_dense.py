"""Matrices for few tokens in Triton, against exact products and the reference's norm."""

import importlib.util
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.model.kernels import reference
from netweight.model.kernels.gpu import dense, rows
from tests.model.shapes import tolerance

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
DTYPES = [torch.float32, torch.float16]
EPS = 1e-5
GUARD = 512  # numbers before and after a tensor: a step of any tiling
# Float32: the order of a sum, and a reciprocal root within 2^-22. Float16: neighbours, 2^-10 apart.
NORM_BOUNDS = {torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
ROUNDING = {torch.float32: 2**-24, torch.float16: 2**-11, torch.bfloat16: 2**-8}  # relative
MANY_STEPS = dense.Tiling(16, num_warps=4, ahead=1, ahead_norm=1)  # of few columns
TILINGS = [dense.TILINGS[name] for name in ("wide", "narrow", "deep")] + [MANY_STEPS]


def needs_gpu(test):
    """Mark a test of what the interpreter has not: bfloat16, launches that overlap."""
    skip = pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device")
    return pytest.mark.gpu(skip(test))


@pytest.fixture(autouse=True)
def poisoned(monkeypatch):
    """New tensors hold NaN, and so do the numbers around them, to which nobody writes."""
    empty, made = torch.empty, []

    def poison(shape, **keywords):
        whole = empty((math.prod(shape) + 2 * GUARD,), **keywords).fill_(torch.nan)
        made.append(whole)
        return whole[GUARD:-GUARD].view(shape)

    monkeypatch.setattr(torch, "empty", poison)
    yield
    for whole in made:
        assert bool(whole[:GUARD].isnan().all() and whole[-GUARD:].isnan().all())


def use(monkeypatch, tiling, module=dense):
    monkeypatch.setattr(module, "choose_tiling", lambda outputs, dtype: tiling)


def normal(*shape, dtype=torch.float32, seed=0):
    """On the device, among NaNs: a number read from beside it spoils what is made of it."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    whole = torch.full((numbers.numel() + 2 * GUARD,), torch.nan)
    whole[GUARD:-GUARD] = numbers.flatten()
    return whole.to(dtype).to(DEVICE)[GUARD:-GUARD].view(shape)


@dataclass
class Product:
    """A matrix, its bias, and what is multiplied by it."""

    x: torch.Tensor
    added: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None

    @staticmethod
    def random(tokens, inputs, outputs, dtype=torch.float32):
        return Product(
            normal(tokens, inputs + 8, dtype=dtype)[:, :inputs],
            normal(tokens, inputs + 5, dtype=dtype, seed=1)[:, 3 : 3 + inputs],
            normal(inputs, dtype=dtype, seed=2),
            normal(outputs, inputs, dtype=dtype, seed=3),
            normal(outputs, dtype=dtype, seed=4),
        )

    def fused(self, module=dense, *, with_normed=True, **changed):
        parts = vars(self) | changed
        before = (parts["x"], parts["added"], parts["scale"], EPS)
        after = (parts["weight"], parts["bias"])
        return module.norm_linear(*before, *after, with_normed=with_normed)

    def is_right(self, x, y):
        """Whether y is W x + b, but for the order of float32 sums and one rounding."""
        exact = x.double() @ self.weight.double().T
        size = x.double().abs() @ self.weight.double().abs().T
        if self.bias is not None:
            exact, size = exact + self.bias.double(), size + self.bias.double().abs()
        in_sum = tolerance("product-bf16") * size
        in_rounding = ROUNDING[y.dtype] * (exact.abs() + in_sum) + 2**-25  # float16's least step
        return bool(((y.double() - exact).abs() <= in_sum + in_rounding).all())  # false for NaN

    def is_right_fused(self, total, normed, y):
        """The same for x + added, its norm, and its product: each from what comes before it."""
        return (
            torch.equal(total, (self.x.float() + self.added.float()).to(self.x.dtype))
            and is_near(normed, reference.rms_norm(total, self.scale, EPS))
            and y.dtype == self.x.dtype
            and self.is_right(normed, y)
        )


def is_near(ours, expected):
    error = (ours.float() - expected.float()).abs() / expected.float().abs().clamp(min=1e-6)
    return bool((error <= NORM_BOUNDS[ours.dtype]).all())


# Tokens, inputs (steps have 128 columns of MANY_STEPS, 256, or 512 of "deep"), outputs.
SIZES = [
    (1, 1, 1),
    (1, 257, 33),
    (2, 127, 15),
    (3, 97, 31),
    (3, 256, 17),
    (8, 129, 32),
    (9, 2, 2),
    (8, 255, 31),
    (15, 513, 33),
    (16, 128, 16),
]


@pytest.mark.parametrize("tiling", TILINGS)
def test_products_agree_with_the_exact_ones(tiling, monkeypatch):
    use(monkeypatch, tiling)
    for size, dtype in zip(SIZES, DTYPES * 5, strict=True):
        product = Product.random(*size, dtype)
        y = dense.linear(product.x, product.weight, product.bias)
        assert y.dtype == dtype
        assert product.is_right(product.x, y)
        assert product.is_right_fused(*product.fused())


def test_columns_of_more_steps_than_are_under_way(monkeypatch):
    for tiling, inputs in zip(TILINGS, (1300, 1543, 3073, 641), strict=True):
        use(monkeypatch, tiling)
        product = Product.random(2, inputs, 5, torch.float16)
        assert product.is_right(product.x, dense.linear(product.x, product.weight, product.bias))
        assert product.is_right_fused(*product.fused())


@settings(max_examples=5)
@given(st.integers(1, 16), st.integers(1, 300), st.integers(1, 50), st.sampled_from(DTYPES))
def test_any_shape_in_the_tiling_chosen_for_it(tokens, inputs, outputs, dtype):
    product = Product.random(tokens, inputs, outputs, dtype)
    assert product.is_right(product.x, dense.linear(product.x, product.weight, product.bias))
    assert product.is_right_fused(*product.fused())


@pytest.mark.parametrize("tokens", [3, 11])
def test_what_is_left_out_is_nothing(tokens):
    product = Product.random(tokens, 70, 20, torch.float16)
    total, normed, y = product.fused()
    for added, with_normed in ((product.added, False), (None, True), (None, False)):
        x = total if added is None else product.x
        ours = product.fused(x=x, added=added, with_normed=with_normed)
        assert torch.equal(ours[0], total)
        assert (ours[0] is x) == (added is None)
        assert (ours[1] is None) != with_normed
        assert not with_normed or torch.equal(ours[1], normed)
        assert torch.equal(ours[2], y)
    product.bias = None
    assert product.is_right_fused(*product.fused())
    assert product.is_right(product.x, dense.linear(product.x, product.weight, None))


def test_sums_are_kept_in_float32_where_that_is_wanted():
    product = Product.random(5, 70, 20, torch.float16)
    call = product.x, product.weight, product.bias
    sums = dense.linear(*call, out_dtype=torch.float32)
    assert sums.dtype == torch.float32
    assert product.is_right(product.x, sums)
    assert torch.equal(sums.half(), dense.linear(*call))
    assert not torch.equal(sums, sums.half().float())


@pytest.mark.parametrize("tiling", TILINGS[1:3])
def test_results_are_the_same_each_time_and_whatever_the_launch_before(tiling, monkeypatch):
    use(monkeypatch, tiling)
    product = Product.random(4, 300, 33, torch.float16)
    call = product.x, product.weight, product.bias
    first = dense.linear(*call)
    assert torch.equal(first, dense.linear(*call))
    assert torch.equal(first, dense.linear(*call, pdl=True))
    fused = product.fused()
    for ours in (product.fused(), dense.norm_linear(*call_of(product), with_normed=True, pdl=True)):
        assert all(torch.equal(a, b) for a, b in zip(ours, fused, strict=True))


def call_of(product):
    return product.x, product.added, product.scale, EPS, product.weight, product.bias


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the interpreter's numpy
@pytest.mark.parametrize("tokens", [2, 3, 8, 16])
def test_a_token_does_not_depend_on_those_beside_it(tokens):
    product = Product.random(tokens, 300, 20, torch.float16)
    call = product.weight, product.bias
    before, fused = dense.linear(product.x, *call), product.fused()
    for token in (0, tokens - 1):
        x = torch.full_like(product.x, torch.nan)
        x[token] = product.x[token]
        assert torch.equal(dense.linear(x, *call)[token], before[token])
        for ours, expected in zip(product.fused(x=x), fused, strict=True):
            assert torch.equal(ours[token], expected[token])


@pytest.mark.parametrize(("fewer", "more"), [(1, 8), (3, 5), (9, 16)])
def test_a_token_may_have_more_beside_it(fewer, more):
    product = Product.random(more, 300, 20, torch.float16)
    call = product.weight, product.bias
    assert torch.equal(
        dense.linear(product.x[:fewer], *call), dense.linear(product.x, *call)[:fewer]
    )


@pytest.mark.parametrize(("fewer", "more"), [(1, 2), (3, 4), (5, 8)])
def test_a_normalised_token_may_have_more_beside_it(fewer, more):
    product = Product.random(more, 300, 20, torch.float16)
    alone = product.fused(x=product.x[:fewer], added=product.added[:fewer])
    for ours, expected in zip(alone, product.fused(), strict=True):
        assert torch.equal(ours, expected[:fewer])


def test_more_tokens_are_normalised_by_the_kernel_that_does_only_that():
    product = Product.random(dense.MOST_FUSED_TOKENS + 1, 70, 20, torch.float16)
    total, normed, y = product.fused()
    expected = rows.add_rms_norm(product.x, product.added, product.scale, EPS)
    assert torch.equal(total, expected[0])
    assert torch.equal(normed, expected[1])
    assert torch.equal(y, dense.linear(normed, product.weight, product.bias))


def test_no_token_is_no_work():
    product = Product.random(0, 8, 4)
    assert dense.linear(product.x, product.weight, product.bias).shape == (0, 4)
    assert [part.shape for part in product.fused()] == [(0, 8), (0, 8), (0, 4)]


def test_tokens_whose_numbers_are_apart():
    product = Product.random(3, 40, 5)
    product.x = product.x.T.contiguous().T
    assert product.x.stride(1) != 1
    assert product.is_right(product.x, dense.linear(product.x, product.weight, product.bias))
    assert product.is_right_fused(*product.fused())


SUM = "(x.to(tl.float32) + added.to(tl.float32)).to(x.dtype)"
WRONG = [  # what is right, and what is wrong
    ("        inputs = _rounded_sum(inputs, others)\n", "        root *= 1\n"),  # x, not the sum
    (SUM, SUM.replace("+", "-")),
    ("tl.rsqrt(mean + eps)", "(tl.rsqrt(mean) + eps)"),
    ("tl.rsqrt(mean + eps)", "tl.rsqrt(mean)"),
    (", axis=1) / INPUTS", ", axis=1) / (INPUTS + PIECE)"),
    (" * factors.to(tl.float32)", ""),
    ("    sums += tl.load(bias", "    sums += 2 * tl.load(bias"),
    ("(inputs[None], (8 // N, N,", "(inputs[:, None], (N, 8 // N,"),  # a token beside itself
    ("<= INPUTS:", "<= INPUTS + WARPS * PIECE:"),
    ("_load(weight_at, step + AHEAD,", "_load(weight_at, step,"),
    ("x_at, added_at, scale_at, step + NEAR,", "x_at, added_at, scale_at, step,"),
    ("added + token * added_stride", "added + token * x_stride"),
]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the interpreter's numpy
@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_the_kernel_is_noticed(mistake, monkeypatch, tmp_path):
    module = wrong_twin(tmp_path, mistake)
    use(monkeypatch, MANY_STEPS, module)
    product = Product.random(3, 300, 33, torch.float16)
    product.x *= 1e-2  # so that eps matters
    product.added *= 1e-2
    assert product.is_right_fused(*product.fused())
    assert not product.is_right_fused(*product.fused(module))


WRONGLY_ROUNDED = [
    (  # what is divided by its root mean square
        "        inputs = _rounded_sum(inputs, others)\n",
        "        wide = inputs.to(tl.float32) + others\n"
        "        inputs = _rounded_sum(inputs, others)\n"
        "        root = root * wide / inputs.to(tl.float32)\n",
    ),
    (  # that of which the root mean square is taken
        "        wide = inputs.to(tl.float32)\n",
        "        wide = _load(x_at, step, INPUTS, WARPS, False).to(tl.float32)\n"
        "        wide += _load(added_at, step, INPUTS, WARPS, False)\n",
    ),
]


@pytest.mark.parametrize("mistake", WRONGLY_ROUNDED)
def test_the_norm_is_that_of_the_rounded_sum(mistake, monkeypatch, tmp_path):
    product = Product.random(2, 128, 16, torch.float16)
    product.x[:] = 2**-24  # float16's least number: adding less than half of it changes nothing
    product.added = 2**-26 * normal(2, 128).clamp(-1, 1)
    monkeypatch.setitem(globals(), "EPS", 1e-24)
    assert product.is_right_fused(*product.fused())
    module = wrong_twin(tmp_path, mistake)
    use(monkeypatch, MANY_STEPS, module)
    assert not product.is_right_fused(*product.fused(module))


def wrong_twin(folder, mistake):
    """The module with a mistake in it."""
    source = Path(dense.__file__).read_text()
    right, wrong = mistake
    assert source.count(right) == 1
    twin = folder / "wrong_dense.py"
    twin.write_text(source.replace(right, wrong))
    spec = importlib.util.spec_from_file_location(twin.stem, twin)
    module = importlib.util.module_from_spec(spec)
    sys.modules[twin.stem] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": normal(3, 9)}, "for a matrix"),
        ({"x": normal(8)}, "for a matrix"),
        ({"x": normal(17, 8)}, "17 tokens; these kernels take 16 at most"),
        ({"x": normal(3, 8, dtype=torch.float16)}, "one float dtype"),
        ({"weight": normal(8, 5).T}, "in one piece"),
        ({"bias": normal(4)}, "a bias"),
        ({"added": normal(1, 8)}, "what is added"),
        ({"scale": normal(7)}, "a scale"),
    ],
)
def test_what_does_not_fit_together_is_an_error(change, message):
    product = Product.random(3, 8, 5)
    with pytest.raises(ValueError, match=message):
        product.fused(**change)


def test_sums_in_a_type_of_their_own_are_an_error():
    with pytest.raises(ValueError, match=r"not torch\.float64"):
        dense.linear(normal(3, 8), normal(5, 8), None, out_dtype=torch.float64)


@pytest.mark.skipif(DEVICE == "cuda", reason="a GPU has bfloat16")
def test_bfloat16_under_the_interpreter_is_an_error():
    with pytest.raises(ValueError, match="no bfloat16"):
        dense.linear(normal(3, 8).bfloat16(), normal(5, 8).bfloat16(), None)


@needs_gpu
@pytest.mark.parametrize("tokens", [1, 2, 3, 8, 15, 16])
@pytest.mark.parametrize(
    ("inputs", "outputs"), [(2880, 5120), (4096, 2880), (2880, 32), (2880, 128), (2880, 25136)]
)
def test_bfloat16_at_published_shapes(inputs, outputs, tokens):
    product = Product.random(tokens, inputs, outputs, torch.bfloat16)
    call = product.x, product.weight, product.bias
    assert tolerance("norm-bfloat16") == NORM_BOUNDS[torch.bfloat16]
    fused = product.fused()
    assert product.is_right_fused(*fused)
    for dtype in (torch.bfloat16, torch.float32):
        y = dense.linear(*call, out_dtype=dtype)
        assert product.is_right(product.x, y)
        for _ in range(20):  # one after the other, each before the last has ended
            assert torch.equal(dense.linear(*call, out_dtype=dtype, pdl=True), y)
    for _ in range(20):
        ours = dense.norm_linear(*call_of(product), with_normed=True, pdl=True)
        assert all(torch.equal(a, b) for a, b in zip(ours, fused, strict=True))


@needs_gpu
def test_a_launch_that_begins_early_waits_for_what_it_reads():
    product = Product.random(1, 2880, 2880, torch.bfloat16)
    weight = product.weight / 54  # so that numbers neither grow nor vanish
    results = []
    for pdl in (False, True):
        x = product.x
        for _ in range(200):
            x = dense.linear(x, weight, None, pdl=pdl)
        results.append(x)
    assert torch.equal(*results)
