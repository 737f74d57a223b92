import pytest
import torch

from netweight.model.kernels import reference
from netweight.model.mxfp4 import dequantize
from tests.model.shapes import needs_native, tolerance

pytestmark = needs_native
_native = pytest.importorskip("netweight._native")
packed = pytest.importorskip("netweight.model.kernels.packed")

FORMS = ["bf16", "int8", "mxfp4"]
TOKENS = [1, 2, 3, 7, 8, 9, 17, 64, 65]
ROWS = [1, 15, 16, 17, 33, 127]
COLUMNS = [32, 64, 96, 2880]
ALPHA, LIMIT = 1.702, 7.0


@pytest.fixture(autouse=True)
def poisoned(monkeypatch):
    """Fresh tensors hold NaN, so that whatever a kernel leaves out shows."""
    empty = torch.empty

    def poison(*shape, **keywords):
        fresh = empty(*shape, **keywords)
        return fresh.fill_(torch.nan if fresh.is_floating_point() else 255)

    monkeypatch.setattr(torch, "empty", poison)


@pytest.fixture(autouse=True, params=_native.supported())
def instruction_set(request):
    """Each test runs on every instruction set that is built and that this processor has."""
    before = _native.using()
    _native.use(request.param)
    yield request.param
    _native.use(before)


@pytest.fixture(autouse=True)
def threads():
    """The number of threads is a test's to change."""
    before = _native.num_threads()
    yield
    _native.set_num_threads(before)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(torch.bfloat16)


def random_mxfp4(*shape, seed=0, scales=(118, 124)):
    """Blocks and scales of matrices [*shape]."""
    generator = torch.Generator().manual_seed(seed)
    *rows, columns = shape
    blocks = torch.randint(0, 256, (*rows, columns // 32, 16), generator=generator)
    exponents = torch.randint(*scales, (*rows, columns // 32), generator=generator)
    return blocks.to(torch.uint8), exponents.to(torch.uint8)


def make_matrix(form, rows, columns, seed=0):
    """Packed data, and the weights they hold, in float64."""
    if form == "mxfp4":
        mxfp4 = random_mxfp4(1, rows, columns, seed=seed)
        return packed.pack_experts(*mxfp4)[0], dequantize(*mxfp4, torch.float32)[0].double()
    data = packed.pack(form, normal(rows, columns, seed=seed) * 0.02)
    return data, packed.unpack(form, data, rows, columns).double()


def magnitude(form, x, weights):
    """What errors of a product are measured against (docs/numerics.md)."""
    x, weights = x.double().abs(), weights.abs()
    if form == "bf16":
        return x @ weights.T
    whole = -x.shape[1] % 32
    x, weights = (
        torch.nn.functional.pad(m, (0, whole)).unflatten(1, (-1, 32)) for m in (x, weights)
    )
    return x.amax(-1) @ weights.sum(-1).T


def error(form, logits, x, weights, bias=0.0):
    """The largest error of a product in units of `magnitude`."""
    assert not logits.isnan().any()
    exact = x.double() @ weights.T + bias
    return float(((logits - exact).abs() / (magnitude(form, x, weights) + abs(bias))).max())


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("form", FORMS)
def test_products_are_those_of_the_unpacked_weights(form, rows, columns):
    data, weights = make_matrix(form, rows, columns)
    layer = packed.PackedLinear(data, form, rows, columns)
    for tokens in TOKENS:
        x = normal(tokens, columns, seed=tokens)
        assert error(form, layer.logits(x), x, weights) <= tolerance(f"product-{form}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tokens", [1, 9])
def test_a_bias_is_added_before_the_one_rounding(form, tokens):
    data, weights = make_matrix(form, 33, 96)
    bias, x = normal(33, seed=1), normal(tokens, 96, seed=2)
    layer = packed.PackedLinear(data, form, 33, 96, bias)
    assert error(form, layer.logits(x), x, weights, bias.double()) <= tolerance(f"product-{form}")
    assert torch.equal(layer(x), layer.logits(x).to(torch.bfloat16))


@pytest.mark.parametrize("form", ["bf16", "int8"])
@pytest.mark.parametrize("columns", [1, 31, 100])
def test_columns_need_not_be_whole_blocks(form, columns):
    data, weights = make_matrix(form, 17, columns)
    layer = packed.PackedLinear(data, form, 17, columns)
    for tokens in (1, 9):
        x = normal(tokens, columns)
        assert error(form, layer.logits(x), x, weights) <= tolerance(f"product-{form}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("factor", [1e-36, 1e-25, 1.0, 1e25])
def test_small_and_large_activations_keep_their_precision(form, factor, instruction_set):
    if (instruction_set, factor) == ("amx", 1e-36) and form != "int8":
        pytest.skip("subnormal products count as zeros")
    data, weights = make_matrix(form, 33, 96)
    x = (normal(9, 96).double() * factor).to(torch.bfloat16)
    logits = packed.PackedLinear(data, form, 33, 96).logits(x)
    if form != "bf16" and factor == 1e-36:  # under 2^-100 a block counts as zeros
        assert not logits.any()
    else:
        assert error(form, logits, x, weights) <= tolerance(f"product-{form}")


@pytest.mark.parametrize("form", FORMS)
def test_one_large_activation_hides_only_its_block(form):
    data, weights = make_matrix(form, 33, 96)
    x = normal(9, 96)
    x[:, 40] = 1e6
    assert error(form, packed.PackedLinear(data, form, 33, 96).logits(x), x, weights) <= tolerance(
        f"product-{form}"
    )


@pytest.mark.parametrize("scales", [(1, 60), (190, 230), (60, 190)])
def test_small_and_large_scales_are_exact(scales):
    blocks = random_mxfp4(1, 33, 96, scales=scales)
    weights = dequantize(*blocks, torch.float64)[0]
    layer = packed.PackedLinear(packed.pack_experts(*blocks)[0], "mxfp4", 33, 96)
    x = normal(9, 96)
    for tokens in (1, 9):
        logits = layer.logits(x[:tokens])
        assert error("mxfp4", logits, x[:tokens], weights) <= tolerance("product-mxfp4")


@pytest.mark.parametrize("tokens", [1, 9])
@pytest.mark.parametrize(("first", "activation"), [(0, 127 * 2.0**20), (128, 127 * 2.0**-20)])
def test_every_scale_is_its_power_of_two(first, activation, tokens, instruction_set):
    # 2^128 is no float32, and AMX has the range that native/amx.h states.
    exponents = torch.arange(first, first + 128).clamp(max=254)
    if instruction_set == "amx":
        exponents = exponents.clamp(2, 252)
    blocks = torch.full((1, 128, 1, 16), 0x22, dtype=torch.uint8)  # ones
    layer = packed.PackedLinear(
        packed.pack_experts(blocks, exponents.to(torch.uint8).view(1, 128, 1))[0], "mxfp4", 128, 32
    )
    x = torch.zeros(tokens, 32, dtype=torch.bfloat16)
    x[:, 5] = activation
    exact = activation * torch.exp2(exponents.double() - 127)
    assert torch.allclose(layer.logits(x).double(), exact.expand(tokens, -1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_zeros_stay_zeros(form, zero):
    data, _ = make_matrix(form, 33, 96)
    x = torch.full((9, 96), zero, dtype=torch.bfloat16)
    assert not packed.PackedLinear(data, form, 33, 96).logits(x).any()
    assert not packed.PackedLinear(data, form, 33, 96).logits(x[:1]).any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_with_its_token(form, bad):
    data, _ = make_matrix(form, 33, 96)
    layer = packed.PackedLinear(data, form, 33, 96)
    x = normal(9, 96)
    alone = layer.logits(x)
    x[4, 50] = bad
    beside = layer.logits(x)
    assert not beside[4].isfinite().any()
    assert torch.equal(torch.cat((beside[:4], beside[5:])), torch.cat((alone[:4], alone[5:])))


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_the_same_alone_in_any_company_and_with_any_threads(form):
    data, _ = make_matrix(form, 530, 320)  # enough tiles to go by fours
    layer = packed.PackedLinear(data, form, 530, 320)
    x = normal(101, 320)
    together = layer.logits(x)
    for threads in (1, 2, 3):
        _native.set_num_threads(threads)
        assert torch.equal(layer.logits(x), together)
        for tokens in TOKENS:
            assert torch.equal(layer.logits(x[-tokens:]), together[-tokens:])


@pytest.mark.parametrize("form", ["int8", "mxfp4"])
def test_instruction_sets_agree_bit_for_bit(form, instruction_set):
    data, _ = make_matrix(form, 127, 2880)
    layer = packed.PackedLinear(data, form, 127, 2880)
    x = normal(17, 2880)
    if (instruction_set, form) == ("amx", "mxfp4"):
        pytest.skip("tiles of bfloat16 are another sum")
    here = layer.logits(x)
    _native.use("avx2")
    assert torch.equal(here, layer.logits(x))


def wrong_matrices(blocks, scales):
    """Packing mistakes."""
    yield "nibbles swapped", (blocks >> 4) | (blocks << 4), scales
    yield "scales one block on", blocks, scales.roll(1, dims=-1)
    yield "scales one row on", blocks, scales.roll(1, dims=-2)
    yield "halves of a block swapped", blocks.roll(8, dims=-1), scales


def test_deliberately_wrong_products_fail_at_the_tolerance():
    blocks = random_mxfp4(1, 33, 96)
    x, weights = normal(9, 96), dequantize(*blocks, torch.float32)[0].double()
    for mistake, *wrong in wrong_matrices(*blocks):
        layer = packed.PackedLinear(packed.pack_experts(*wrong)[0], "mxfp4", 33, 96)
        assert error("mxfp4", layer.logits(x), x, weights) > tolerance("product-mxfp4"), mistake


@pytest.mark.parametrize("form", FORMS)
def test_an_input_left_out_fails_at_the_tolerance(form):
    data, weights = make_matrix(form, 33, 2880)
    x = normal(9, 2880)
    left_out = x.clone()
    left_out[:, -1] = 0
    logits = packed.PackedLinear(data, form, 33, 2880).logits(left_out)
    assert error(form, logits, x, weights) > tolerance(f"product-{form}")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("rows", "columns"), [(1, 32), (17, 96), (33, 50)])
def test_packing_to_bf16_is_a_rounding(dtype, rows, columns):
    weight = normal(rows, columns).to(dtype) / 3
    data = packed.pack("bf16", weight)
    assert data.numel() == packed.packed_bytes("bf16", rows, columns)
    unpacked = packed.unpack("bf16", data, rows, columns)
    assert torch.equal(unpacked, weight.to(torch.bfloat16).float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("factor", [1e-5, 1.0, 1e5])
def test_packing_to_int8_errs_by_half_a_step(dtype, factor):
    weight = (normal(33, 96) * factor).to(dtype)
    data = packed.pack("int8", weight)
    assert data.numel() == packed.packed_bytes("int8", 33, 96)
    step = weight.float().unflatten(1, (-1, 32)).abs().amax(-1, keepdim=True) / 127
    wrong = (packed.unpack("int8", data, 33, 96) - weight.float()).unflatten(1, (-1, 32)).abs()
    # A step is rounded to float16: 2^-11 of it, or 2^-25 where it is subnormal; the largest weight
    # is 127 steps away.
    assert (wrong <= step * (0.5 + 127 * 2**-11) + 127 * 2**-25).all()


@pytest.mark.parametrize(("rows", "columns"), [(1, 32), (16, 64), (17, 96)])
def test_packed_experts_unpack_to_what_they_were(rows, columns):
    blocks = random_mxfp4(3, rows, columns, scales=(0, 256))
    unpacked = packed.unpack_experts(packed.pack_experts(*blocks), rows, columns)
    assert torch.equal(unpacked[0], blocks[0])
    assert torch.equal(unpacked[1], blocks[1])


def test_packing_does_not_depend_on_threads():
    blocks, weight = random_mxfp4(1, 1000, 96), normal(1000, 96)
    dense = [packed.pack(form, weight) for form in ("bf16", "int8")]
    experts = packed.pack_experts(*blocks)
    _native.set_num_threads(3)
    assert torch.equal(packed.pack_experts(*blocks), experts)
    for form, data in zip(("bf16", "int8"), dense, strict=True):
        assert torch.equal(packed.pack(form, weight), data)


def test_a_matrix_can_be_packed_into_a_slice():
    size = packed.packed_bytes("int8", 33, 96)
    file = torch.full((size + 128,), 7, dtype=torch.uint8)
    packed.pack("int8", normal(33, 96), file[64:-64])
    assert torch.equal(file[64:-64], packed.pack("int8", normal(33, 96)))
    assert (file[:64] == 7).all()
    assert (file[-64:] == 7).all()


@pytest.mark.parametrize("form", ["bf16", "int8"])
@pytest.mark.parametrize(("rows", "columns"), [(1, 32), (33, 96), (100, 50)])
def test_an_embedding_is_a_row(form, rows, columns):
    data, weights = make_matrix(form, rows, columns)
    ids = torch.tensor([0, rows - 1, rows // 2])
    looked_up = packed.PackedEmbedding(data, form, rows, columns)(ids)
    assert torch.equal(looked_up, weights[ids].to(torch.bfloat16))


@pytest.mark.parametrize("bad", [-1, 33])
def test_an_id_that_is_no_row_is_refused(bad):
    data, _ = make_matrix("bf16", 33, 96)
    with pytest.raises(IndexError, match=rf"token id {bad} is not in 0\.\.32"):
        packed.PackedEmbedding(data, "bf16", 33, 96)(torch.tensor([3, bad]))


class Experts:
    """A small mixture, packed and plain."""

    def __init__(self, experts=5, hidden=64, intermediate=96):
        self.gate_up = random_mxfp4(experts, 2 * intermediate, hidden, seed=1)
        self.down = random_mxfp4(experts, hidden, intermediate, seed=2)
        self.biases = normal(experts, 2 * intermediate, seed=3), normal(experts, hidden, seed=4)
        self.shape = experts, hidden, intermediate

    def packed(self, **changed):
        parts = {"gate_up": self.gate_up, "down": self.down, "biases": self.biases} | changed
        return packed.PackedMixture(
            packed.pack_experts(*parts["gate_up"]),
            parts["biases"][0],
            packed.pack_experts(*parts["down"]),
            parts["biases"][1],
            alpha=ALPHA,
            limit=LIMIT,
        )

    def plain(self, x, weights, chosen):
        """The definition, token by token, with products in float64."""
        gate_up, down = (dequantize(*m, torch.float32).double() for m in (self.gate_up, self.down))
        mixed = torch.zeros(x.shape, dtype=torch.float32)
        for t, k in torch.cartesian_prod(torch.arange(len(x)), torch.arange(chosen.shape[1])):
            e = chosen[t, k]
            h = gate_up[e] @ x[t].double() + self.biases[0][e].double()
            h = reference.swiglu(h.to(torch.bfloat16), alpha=ALPHA, limit=LIMIT)
            y = (down[e] @ h.double() + self.biases[1][e].double()).to(torch.bfloat16)
            mixed[t] += weights[t, k] * y.float()
        return mixed.to(torch.bfloat16)

    def inputs(self, tokens, slots, seed=5):
        weights, chosen = reference.route(normal(tokens, self.shape[0], seed=seed), slots)
        return normal(tokens, self.shape[1], seed=seed + 1), weights, chosen


def distance(ours, theirs):
    assert not ours.isnan().any()
    return float((ours.double() - theirs.double()).norm() / theirs.double().norm())


@pytest.mark.parametrize("shape", [(1, 32, 32), (5, 64, 96), (3, 96, 32), (4, 2880, 32)])
def test_the_mixture_is_its_definition(shape):
    experts = Experts(*shape)
    mixture = experts.packed()
    for tokens in TOKENS:
        inputs = experts.inputs(tokens, min(shape[0], 3))
        assert distance(mixture(*inputs), experts.plain(*inputs)) <= tolerance("mixture")


def test_all_tokens_may_choose_one_expert_and_leave_others_empty():
    experts = Experts()
    x, weights, _ = experts.inputs(197, 1)
    chosen = torch.full((197, 1), 3)
    mixed = experts.packed()(x, weights, chosen)
    assert distance(mixed, experts.plain(x, weights, chosen)) <= tolerance("mixture")


@pytest.mark.parametrize("factor", [0.0, -0.0, 1e-30, 1e4])
def test_the_mixture_takes_zeros_and_large_values(factor):
    experts = Experts()
    x, weights, chosen = experts.inputs(9, 2)
    x = (x * factor).to(torch.bfloat16)
    mixed = experts.packed()(x, weights, chosen)
    assert distance(mixed, experts.plain(x, weights, chosen)) <= tolerance("mixture")


def test_a_token_is_mixed_the_same_alone_in_any_company_and_with_any_threads():
    experts = Experts()
    mixture, inputs = experts.packed(), experts.inputs(1500, 3)  # more than one pass
    together = mixture(*inputs)
    for threads in (1, 2, 3):
        _native.set_num_threads(threads)
        assert torch.equal(mixture(*inputs), together)
        for tokens in TOKENS:
            assert torch.equal(mixture(*(part[-tokens:] for part in inputs)), together[-tokens:])


def test_experts_may_lie_anywhere_and_move_between_calls():
    experts = Experts()
    inputs = experts.inputs(9, 2)
    expected = experts.packed()(*inputs)
    slots = [[*packed.pack_experts(*matrices)] for matrices in (experts.gate_up, experts.down)]
    addresses = [torch.tensor([slot.data_ptr() for slot in kind]) for kind in slots]
    gate_up_bias, down_bias = experts.biases
    mixture = packed.PackedMixture(
        addresses[0], gate_up_bias, addresses[1], down_bias, alpha=ALPHA, limit=LIMIT
    )
    assert torch.equal(mixture(*inputs), expected)
    moved = slots[0][2].clone()
    slots[0][2].zero_()
    addresses[0][2] = moved.data_ptr()
    assert torch.equal(mixture(*inputs), expected)


def test_deliberately_wrong_mixtures_fail_at_the_tolerance():
    experts = Experts()
    inputs = experts.inputs(9, 2)
    exact = experts.plain(*inputs)
    gate_up_bias, down_bias = experts.biases
    wrong = [{"gate_up": matrices} for _, *matrices in wrong_matrices(*experts.gate_up)]
    wrong += [{"down": matrices} for _, *matrices in wrong_matrices(*experts.down)]
    wrong += [{"biases": (torch.zeros_like(gate_up_bias), down_bias)}]
    wrong += [{"biases": (gate_up_bias, torch.zeros_like(down_bias))}]
    for changed in wrong:
        assert distance(experts.packed(**changed)(*inputs), exact) > tolerance("mixture")


@pytest.mark.parametrize("bad", [-1, 5])
def test_an_expert_that_is_none_is_refused(bad):
    experts = Experts()
    x, weights, chosen = experts.inputs(3, 2)
    chosen[1, 1] = bad
    with pytest.raises(IndexError, match=rf"expert {bad} is not in 0\.\.4"):
        experts.packed()(x, weights, chosen)


def test_an_unknown_instruction_set_is_refused_by_name():
    with pytest.raises(ValueError, match="mmx"):
        _native.use("mmx")


def test_reading_memory_reads_every_whole_line():
    data = torch.ones(2**22, dtype=torch.uint8)
    assert _native.read_bandwidth_bytes(data.data_ptr(), data.numel()) != 0
