import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.model import kernels
from netweight.model.mxfp4 import E2M1, Mxfp4, dequantize, quantize, round_to_mxfp4


def all_codes_at_all_scales():
    """256 rows, one per scale; each row holds every code twice."""
    row = torch.tensor([(2 * byte) % 16 | ((2 * byte + 1) % 16) << 4 for byte in range(16)])
    return Mxfp4(row.to(torch.uint8).expand(256, 1, 16), torch.arange(256).to(torch.uint8)[:, None])


def expected_values():
    codes = torch.tensor(E2M1, dtype=torch.float64).repeat(2)
    exponents = torch.arange(256, dtype=torch.float64)[:, None] - 127
    return codes * torch.exp2(exponents)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_code_at_every_scale_is_the_nearest_number_of_the_type(dtype):
    values = dequantize(*all_codes_at_all_scales(), dtype)
    assert torch.equal(values, expected_values().to(torch.float32).to(dtype))


def test_negative_zero_keeps_its_sign():
    packed = Mxfp4(
        torch.full((1, 16), 0x88, dtype=torch.uint8), torch.tensor([127], dtype=torch.uint8)
    )
    values = dequantize(*packed, torch.float32)
    assert torch.signbit(values).all()


def test_any_leading_shape_is_kept():
    blocks = torch.randint(0, 256, (2, 3, 5, 16), dtype=torch.uint8)
    scales = torch.randint(100, 150, (2, 3, 5), dtype=torch.uint8)
    values = dequantize(blocks, scales, torch.bfloat16)
    assert values.shape == (2, 3, 160)
    assert torch.equal(values[1, 2], dequantize(blocks[1, 2], scales[1, 2], torch.bfloat16))


def test_the_low_nibble_comes_first():
    packed = Mxfp4(
        torch.tensor([[0x21] + [0] * 15], dtype=torch.uint8), torch.tensor([127], dtype=torch.uint8)
    )
    assert dequantize(*packed, torch.float32)[:2].tolist() == [0.5, 1.0]


def test_swapped_nibbles_would_be_caught():
    packed = all_codes_at_all_scales()
    swapped = (packed.blocks >> 4) | (packed.blocks << 4)
    values = dequantize(swapped, packed.scales, torch.float32)
    assert not torch.equal(values, expected_values().float())


def test_an_unknown_kernel_set_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "quantum")
    with pytest.raises(Exception, match=r"'quantum'.*reference or avx2"):
        kernels.select()


floats = st.floats(min_value=-1e4, max_value=1e4, width=32)


@given(st.lists(floats, min_size=32, max_size=32))
def test_rounding_equals_packing_and_unpacking(values):
    x = torch.tensor(values)
    assert torch.equal(round_to_mxfp4(x), dequantize(*quantize(x), torch.float32))


@given(st.lists(floats, min_size=32, max_size=32))
def test_rounding_takes_the_nearest_value_of_the_block(values):
    x = torch.tensor(values)
    packed = quantize(x)
    grid = torch.tensor(E2M1) * 2.0 ** (int(packed.scales[0]) - 127)
    nearest = (x[:, None] - grid).abs().min(dim=1).values
    assert torch.equal((x - round_to_mxfp4(x)).abs(), nearest)


def test_rounding_twice_changes_nothing():
    once = round_to_mxfp4(torch.randn(50, 64))
    assert torch.equal(round_to_mxfp4(once), once)


def test_ties_go_to_the_even_code():
    x = torch.zeros(32)
    x[:5] = torch.tensor([4.0, 0.25, 0.75, 2.5, 5.0])
    assert round_to_mxfp4(x)[:5].tolist() == [4.0, 0.0, 1.0, 2.0, 4.0]
