"""Norm and rotation in Triton against the reference; under the interpreter where no GPU is."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.model.device_layout import device_layout
from netweight.model.kernels import reference
from netweight.model.kernels.gpu import rows
from netweight.model.rope import Rotation
from tests.model.shapes import tolerance
from tests.model.steps import Heads, angles

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
DTYPES = [torch.float32, torch.float16]
EPS = 1e-5
# Float32: the order of a sum, and a reciprocal root within 2^-22. Float16: neighbours, 2^-10 apart.
BOUNDS = {
    torch.float32: tolerance("norm-gpu-float32"),
    torch.float16: tolerance("norm-gpu-float16"),
    torch.bfloat16: tolerance("norm-bfloat16"),
}


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """New tensors hold NaN, so that a number that nobody wrote is seen."""
    empty = torch.empty

    def poisoned(*args, **kwargs):
        out = empty(*args, **kwargs)
        return out.fill_(torch.nan) if out.is_floating_point() else out

    monkeypatch.setattr(torch, "empty", poisoned)


def normal(*shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(dtype).to(DEVICE)


def is_near(ours, expected):
    """Whether each number is finite and within the relative bound of its dtype."""
    error = (ours.float() - expected.float()).abs() / expected.float().abs().clamp(min=1e-6)
    return bool((error <= BOUNDS[ours.dtype]).all())  # false for NaN


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("num_rows", "hidden"), [(1, 1), (2, 2), (3, 63), (5, 64), (2, 97)])
def test_norms_agree_with_the_reference(num_rows, hidden, dtype):
    x, delta = normal(num_rows, hidden, dtype=dtype), normal(num_rows, hidden, dtype=dtype, seed=1)
    scale = normal(hidden, dtype=dtype, seed=2)
    ours = rows.rms_norm(x, scale, EPS)
    assert ours.dtype == dtype
    assert is_near(ours, reference.rms_norm(x, scale, EPS))
    total, ours = rows.add_rms_norm(x, delta, scale, EPS)
    assert torch.equal(total, x + delta)
    assert is_near(ours, reference.rms_norm(x + delta, scale, EPS))


def test_a_norm_without_its_eps_is_noticed():
    x, scale = 1e-2 * normal(2, 64), normal(64, seed=2)
    assert not is_near(rows.rms_norm(x, scale, 0.0), reference.rms_norm(x, scale, EPS))


def test_the_norm_is_that_of_the_rounded_sum():
    x = torch.full((2, 97), 2**-24, dtype=torch.float16, device=DEVICE)  # float16's least number
    delta, scale = 2**-26 * normal(2, 97).clamp(-1, 1), torch.ones(97, device=DEVICE)
    total, ours = rows.add_rms_norm(x, delta, scale, 1e-24)
    assert torch.equal(total, x)
    assert is_near(ours, torch.ones_like(x))
    assert not is_near(ours, reference.rms_norm(x.float() + delta, scale, 1e-24))


def test_any_rows_and_a_delta_in_float32():
    x = normal(2, 3, 20, dtype=torch.float16)[:, :, 4:12]
    delta, scale = normal(2, 3, 8, seed=1), normal(8, seed=2)
    total, ours = rows.add_rms_norm(x, delta, scale, EPS)
    assert torch.equal(total, (x.float() + delta).half())
    assert is_near(ours, reference.rms_norm(total, scale, EPS))
    assert is_near(rows.rms_norm(x, scale, EPS), reference.rms_norm(x, scale, EPS))
    assert rows.rms_norm(x[:0], scale, EPS).shape == (0, 3, 8)


def test_norms_of_rows_that_do_not_fit_are_errors():
    x = normal(2, 8)
    with pytest.raises(ValueError, match="scale has shape"):
        rows.rms_norm(x, normal(7), EPS)
    with pytest.raises(ValueError, match="and delta"):
        rows.add_rms_norm(x, normal(1, 8), normal(8), EPS)


class Step:
    """Tokens of sequences, whose keys and values have to be turned and stored."""

    def __init__(self, spans, dtype, **shape):
        self.heads = Heads.random([stop for _, stop in spans], **shape)
        self.layout = self.heads.layout(dict(enumerate(spans)))
        self.dtype = dtype
        parts = [
            self.heads.gather(part, dict(enumerate(spans))).to(dtype).flatten(1)
            for part in (self.heads.q, self.heads.k, self.heads.v)
        ]
        self.qkv = torch.cat(parts, dim=1).to(DEVICE)
        cos, sin = angles(len(self.qkv), self.heads.q[0].shape[-1])
        self.rotation = Rotation(cos.to(dtype).to(DEVICE), sin.to(dtype).to(DEVICE))

    def ours(self, **keywords):
        """Queries and pages, those from `rotate_store`."""
        pages = self.heads.pages(self.dtype).to(DEVICE)
        made = device_layout(self.layout, DEVICE, **keywords)
        q = rows.rotate_store(self.qkv, self.rotation, pages, made.pages, made)
        return q, pages

    def expected(self):
        """The same from the reference."""
        pages = self.heads.pages(self.dtype).to(DEVICE)
        heads, head_dim = self.heads.q[0].shape[1:]
        kv_heads = self.heads.k[0].shape[1]
        q, k, v = self.qkv.unflatten(-1, (-1, head_dim)).split((heads, kv_heads, kv_heads), dim=1)
        layout = type(self.layout)(*(part.to(DEVICE) for part in vars(self.layout).values()))
        k = reference.rotate(k, self.rotation)
        reference.store(k, v, pages, layout.pages, layout)
        return reference.rotate(q, self.rotation), pages


def are_equal(ours, expected):
    """To the last bit, what nobody wrote included."""
    return all(
        torch.equal(a.nan_to_num(7), b.nan_to_num(7)) for a, b in zip(ours, expected, strict=True)
    )


SPANS = [(4, 5), (16, 17), (14, 19), (0, 2), (127, 128)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("group", "kv_heads", "head_dim"), [(1, 1, 8), (2, 1, 64), (8, 2, 16), (3, 3, 10)]
)
def test_queries_are_turned_and_keys_and_values_stored(group, kv_heads, head_dim, dtype):
    step = Step(SPANS, dtype, group=group, kv_heads=kv_heads, head_dim=head_dim)
    assert are_equal(step.ours(), step.expected())


@settings(max_examples=5)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), min_size=1, max_size=3),
    st.sampled_from(DTYPES),
    st.sampled_from([1, 2, 8]),
)
def test_any_layout_is_stored_as_the_reference_stores_it(pieces, dtype, group):
    spans = [(start, start + count) for start, count in pieces]
    step = Step(spans, dtype, group=group, kv_heads=1, head_dim=8)
    assert are_equal(step.ours(), step.expected())


@pytest.mark.parametrize("mistake", ["page", "angle", "position"])
def test_a_mistake_is_noticed(mistake):
    step = Step(SPANS, torch.float16, group=2, kv_heads=2, head_dim=8)
    expected = step.expected()
    if mistake == "page":
        step.layout.pages[3, :2] = step.layout.pages[3, :2].flip(0)
    elif mistake == "angle":
        step.rotation = Rotation(step.rotation.sin, step.rotation.cos)
    else:
        step.layout.positions[0] += 1
    assert not are_equal(step.ours(), expected)


def test_padding_stores_nothing_and_its_queries_are_zeros():
    step = Step([(4, 5), (20, 21)], torch.float32, group=2, kv_heads=1, head_dim=16)
    expected = step.expected()
    step.qkv = torch.cat((step.qkv, step.qkv.new_full(step.qkv.shape, torch.nan)))
    step.rotation = Rotation(
        *(torch.cat((p, torch.full_like(p, torch.inf))) for p in step.rotation)
    )
    q, pages = step.ours(num_sequences=4)
    assert are_equal((q[:2], pages), expected)
    assert bool((q[2:] == 0).all())


def test_a_page_that_was_given_up_is_never_written():
    step = Step([(4, 6)], torch.float32, group=1, kv_heads=1, head_dim=8)
    step.layout.pages[:] = -1
    around = step.heads.pages(torch.float32).to(DEVICE)  # its first page would be number -1
    made = device_layout(step.layout, DEVICE)
    rows.rotate_store(step.qkv, step.rotation, around[1:], made.pages, made)
    assert bool(around.isnan().all())


def test_rows_may_be_part_of_longer_ones():
    step = Step(SPANS, torch.float16, group=2, kv_heads=1, head_dim=8)
    expected = step.ours()
    step.qkv = torch.cat((step.qkv, step.qkv), dim=1)[:, : step.qkv.shape[1]]
    assert not step.qkv.is_contiguous()
    assert are_equal(step.ours(), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: setattr(s, "qkv", s.qkv[:, 4:]), "qkv"),
        (lambda s: setattr(s, "qkv", s.qkv.float()), r"qkv is torch\.float32"),
        (lambda s: setattr(s, "rotation", Rotation(*(p[1:] for p in s.rotation))), "rotations"),
        (lambda s: setattr(s.heads, "k", [k[:, :, 2:] for k in s.heads.k]), "pages of shape"),
    ],
)
def test_what_does_not_fit_together_is_an_error(change, message):
    step = Step(SPANS, torch.float16, group=2, kv_heads=1, head_dim=8)
    change(step)
    with pytest.raises(ValueError, match=message):
        step.ours()


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE == "cpu", reason="bfloat16 needs a GPU")
def test_bfloat16_at_published_shapes():
    x = normal(7, 2880, dtype=torch.bfloat16)
    delta = normal(7, 2880, dtype=torch.bfloat16, seed=1)
    scale = normal(2880, dtype=torch.bfloat16, seed=2)
    total, ours = rows.add_rms_norm(x, delta, scale, EPS)
    assert torch.equal(total, x + delta)
    assert is_near(ours, reference.rms_norm(x + delta, scale, EPS))
    step = Step(SPANS, torch.bfloat16, group=8, kv_heads=8, head_dim=64)
    assert are_equal(step.ours(), step.expected())
