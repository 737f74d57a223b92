import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.model.kernels.gpu import packed
from netweight.model.mxfp4 import E2M1

PATTERN = 0x81C0  # sign, exponent and mantissa where bfloat16 has them


def random_mxfp4(*shape, seed=0, scales=(0, 256)):
    """Blocks and scales of matrices [*shape]."""
    generator = torch.Generator().manual_seed(seed)
    *rows, columns = shape
    blocks = torch.randint(0, 256, (*rows, columns // 32, 16), generator=generator)
    exponents = torch.randint(*scales, (*rows, columns // 32), generator=generator)
    return blocks.to(torch.uint8), exponents.to(torch.uint8)


def same(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
def test_packed_experts_unpack_to_what_they_were(rows, num_blocks, experts, seed):
    mxfp4 = random_mxfp4(experts, rows, 32 * num_blocks, seed=seed)
    data = packed.pack_experts(*mxfp4)
    assert data.shape == (experts, packed.packed_bytes(rows, 32 * num_blocks))
    assert same(packed.unpack_experts(data, rows, 32 * num_blocks), mxfp4)


def test_every_code_with_every_scale_survives():
    codes = torch.arange(16).repeat(256, 2)  # a row for each scale, one block in it
    blocks = (codes[:, 0::2] | codes[:, 1::2] << 4).to(torch.uint8).view(1, 256, 1, 16)
    scales = torch.arange(256).to(torch.uint8).view(1, 256, 1)
    unpacked = packed.unpack_experts(packed.pack_experts(blocks, scales), 256, 32)
    assert same(unpacked, (blocks, scales))


def test_published_shapes_take_no_byte_more_than_their_checkpoints():
    for rows in (5760, 2880):
        assert packed.packed_bytes(rows, 2880) == rows * 2880 // 32 * 17
    assert packed.packed_bytes(17, 96) % 16 == 0


def test_experts_can_be_packed_into_slots():
    mxfp4 = random_mxfp4(2, 17, 96)
    slots = torch.full((2, packed.packed_bytes(17, 96) + 32), 7, dtype=torch.uint8)
    packed.pack_experts(*mxfp4, slots[:, 16:-16])
    assert torch.equal(slots[:, 16:-16], packed.pack_experts(*mxfp4))
    assert (slots[:, :16] == 7).all()
    assert (slots[:, -16:] == 7).all()


def words_of(data, rows, columns):
    """The words as the module's docstring draws them: [column piece, row piece, g, c, group]."""
    pieces = packed.packed_bytes(rows, columns) // 544
    words = data[0, : pieces * 512].contiguous().view(torch.int32).long() & 0xFFFFFFFF
    return words.view(-(-columns // 64), -(-rows // 16), 8, 4, 4)


def bfloat16_at(word, index, half):
    """One of a word's eight numbers, as the kernels take them out."""
    if index < 3:
        bits = word << 3 * index & 0x81C081C0
    else:
        bits = word << 1 & 0x80008000 | word >> 3 & 0x01800180 | word >> 7 & 0x00400040
    bits = bits >> 16 * half & 0xFFFF
    assert bits & ~PATTERN == 0
    return torch.tensor(bits, dtype=torch.int32).to(torch.int16).view(torch.bfloat16).double()


def test_words_hold_bfloat16_bits_where_the_drawing_says():
    rows, columns = 32, 128
    blocks, scales = random_mxfp4(1, rows, columns)
    words = words_of(packed.pack_experts(blocks, scales), rows, columns)
    generator = torch.Generator().manual_seed(1)
    for row, column in torch.randint(0, 32, (200, 2), generator=generator).tolist():
        column *= 4
        column += row % 4
        lower, piece, g = row % 2, row // 16, row % 16 // 2
        within = column % 64
        word = words[column // 64, piece, g, within % 8 // 2, within // 16]
        value = bfloat16_at(int(word), within % 16 // 8 * 2 + lower, column % 2)
        code = int(blocks[0, row, column // 32, column % 32 // 2]) >> 4 * (column % 2) & 0xF
        assert value == E2M1[code] * 2.0**-126


def test_scales_lie_behind_the_codes_by_row_pairs():
    rows, columns = 32, 96
    blocks, scales = random_mxfp4(1, rows, columns)
    data = packed.pack_experts(blocks, scales)[0]
    packed_scales = data[2 * 2 * 512 :].view(2, 2, 8, 2, 2)
    for row in range(rows):
        for block in range(3):
            at = packed_scales[block // 2, row // 16, row % 16 // 2, block % 2, row % 2]
            assert at == scales[0, row, block]


def test_the_largest_scale_is_found_and_codes_are_not_taken_for_scales():
    blocks, scales = random_mxfp4(3, 17, 96, scales=(0, 120))
    scales[1, 16, 2] = 200
    assert packed.largest_scale(packed.pack_experts(blocks | 0xFF, scales), 17, 96) == 200


@pytest.mark.parametrize(
    "mistake", [lambda b, s: (b.roll(1, 1), s), lambda b, s: (b, s.roll(1, 2))]
)
def test_other_matrices_pack_to_other_bytes(mistake):
    mxfp4 = random_mxfp4(1, 17, 96)
    assert not torch.equal(packed.pack_experts(*mistake(*mxfp4)), packed.pack_experts(*mxfp4))


def test_shapes_that_do_not_belong_together_are_refused():
    blocks, scales = random_mxfp4(1, 17, 96)
    with pytest.raises(AssertionError, match="a scale for each block"):
        packed.pack_experts(blocks, scales[:, :, :2])
    with pytest.raises(AssertionError, match="bytes each"):
        packed.pack_experts(blocks, scales, torch.empty((1, 8), dtype=torch.uint8))
