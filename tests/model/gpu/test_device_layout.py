"""A step's layout as kernels of a device read it."""

from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from netweight.model import PAGE_TOKENS, Layout
from netweight.model.device_layout import PREFILL_TILE, device_layout, layout_size
from tests.model.steps import ints

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def layout_of(counts, firsts=None):
    """Sequences with so many tokens in the step, and so many before it."""
    firsts = firsts or [0] * len(counts)
    starts = [sum(counts[:index]) for index in range(len(counts) + 1)]
    positions = [
        first + index for first, count in zip(firsts, counts, strict=True) for index in range(count)
    ]
    width = max(-(-(b + c) // PAGE_TOKENS) for b, c in zip(firsts, counts, strict=True))
    pages = torch.arange(len(counts) * width, dtype=torch.int32).view(-1, width)
    return Layout(ints(positions), ints(starts), pages, pages.flip(0).contiguous())


def in_tiles(made):
    """The tokens of each tile, as pairs of a sequence and a token."""
    starts = made.starts.tolist()
    return [
        (sequence, token)
        for sequence, first in made.tiles.tolist()
        for token in range(first, min(first + PREFILL_TILE, starts[sequence + 1]))
    ]


def covers(made):
    """Whether each token is a decode's or in one tile, which is its sequence's."""
    decodes = [(token, token) for token in range(made.num_decodes)]
    return decodes + in_tiles(made) == list(enumerate_tokens(made))


def enumerate_tokens(made):
    return zip(made.sequences.tolist(), range(made.sequences.numel()), strict=True)


COUNTS = st.lists(st.integers(0, 2 * PREFILL_TILE + 1), min_size=1, max_size=6).filter(any)


@given(COUNTS)
@example([1, 1, 1])
@example([PREFILL_TILE, 1])
@example([1, 0, 1])
@example([1, PREFILL_TILE + 1, PREFILL_TILE - 1])
def test_decodes_and_tiles_have_every_token_once(counts):
    layout = layout_of(counts)
    made = device_layout(layout, DEVICE)
    assert covers(made)
    assert [made.sequences.tolist().count(s) for s in range(len(counts))] == counts
    for name in ("positions", "starts", "pages", "window_pages"):
        assert torch.equal(getattr(made, name).cpu(), getattr(layout, name))
        assert getattr(made, name).is_contiguous()


def test_a_tile_of_another_sequence_would_be_noticed():
    made = device_layout(layout_of([1, 20, 5]), DEVICE)
    assert covers(made)
    assert not covers(replace(made, tiles=made.tiles[1:]))
    made.tiles[1, 0] += 1
    assert not covers(made)


def test_decodes_are_those_before_the_first_longer_piece():
    made = device_layout(layout_of([1, 1, 3, 1], [40, 7, 9, 90]), DEVICE)
    assert made.num_decodes == 2
    assert (made.max_context, made.max_prompt_context) == (41, 91)
    assert made.tiles.tolist() == [[2, 2], [3, 5]]


def test_a_step_of_prompts_has_no_decodes():
    made = device_layout(layout_of([3, 1]), DEVICE)
    assert (made.num_decodes, made.max_context, made.max_prompt_context) == (0, 0, 3)


def test_padding_is_tokens_in_no_sequence():
    made = device_layout(
        layout_of([1, 1], [5, 30]), DEVICE, num_sequences=4, max_pages=7, max_context=64
    )
    assert made.positions.tolist() == [5, 30, -1, -1]
    assert made.starts.tolist() == [0, 1, 2, 3, 4]
    assert made.sequences.tolist() == [0, 1, 2, 3]
    assert made.pages.tolist() == [[0, 1, *[-1] * 5], [2, 3, *[-1] * 5], [-1] * 7, [-1] * 7]
    assert made.window_pages.tolist()[0] == [2, 3, *[-1] * 5]
    assert (made.num_decodes, made.max_context, made.max_prompt_context) == (4, 64, 0)


def test_layouts_of_one_size_take_the_same_place():
    size = layout_size(num_tokens=4, num_sequences=4, max_pages=8, num_tiles=0)
    buffer = torch.full((size + 1,), 77, dtype=torch.int32, device=DEVICE)
    made = [
        device_layout(layout, DEVICE, num_sequences=4, max_pages=8, max_context=128, buffer=buffer)
        for layout in (layout_of([1]), layout_of([1, 1, 1], [99, 3, 0]))
    ]
    for name in ("positions", "starts", "sequences", "tiles", "pages", "window_pages"):
        first, second = (getattr(one, name) for one in made)
        assert (first.data_ptr(), first.shape) == (second.data_ptr(), second.shape)
        assert first.data_ptr() % 64 == buffer.data_ptr() % 64
    assert made[0].positions.tolist() == [99, 3, 0, -1]
    assert int(buffer[-1]) == 77


def test_a_layer_finds_its_kind_of_pages():
    made = device_layout(layout_of([1, 2]), DEVICE)
    assert made.table(None) is made.pages
    assert made.table(128) is made.window_pages


@pytest.mark.parametrize(
    ("counts", "keywords", "message"),
    [
        ([1, 1], {"num_sequences": 1}, "2 sequences does not fit in 1"),
        ([1, 40], {"max_pages": 2}, "3 pages does not fit in 2"),
        ([1, 1], {"max_context": 0}, "1 positions does not fit in 0"),
        ([1, 2], {"num_sequences": 3}, "only a step of one token per sequence"),
        ([1], {"buffer": torch.empty(8, dtype=torch.int32, device=DEVICE)}, "a buffer of 8"),
        ([1], {"buffer": torch.empty(999, device=DEVICE)}, "int32 in one piece"),
    ],
)
def test_what_does_not_fit_is_an_error(counts, keywords, message):
    with pytest.raises(ValueError, match=message):
        device_layout(layout_of(counts), DEVICE, **keywords)
