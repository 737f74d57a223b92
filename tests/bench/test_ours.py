"""What is timed is the real work: prompts give the model's logits, however they are cut."""

import pytest
import torch

from netweight.bench import ours
from tests.model.shapes import SMALL

TOKENS = [(3 + 17 * i) % SMALL.vocab_size for i in range(50)]


@pytest.mark.parametrize("step_tokens", [1, 16, 19, 49, 50, 64])
def test_a_prompt_gives_the_models_logits(load, step_tokens):
    model = load(SMALL, torch.float32)
    expected = model.forward(torch.tensor([TOKENS]))[0, -1:]
    found = ours.prefill(model, TOKENS, step_tokens=step_tokens)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_sequences_have_pages_of_their_own_and_window_pages_only_in_reach():
    layout = ours._Pages(3, 4).layout(first=40, num_tokens=1, window=8)
    assert layout.positions.tolist() == [40, 40, 40]
    assert layout.starts.tolist() == [0, 1, 2, 3]
    assert layout.pages.unique().numel() == 12
    assert layout.window_pages.tolist() == [[-1, -1, 2, 3], [-1, -1, 6, 7], [-1, -1, 10, 11]]


def test_decoding_goes_on_from_its_context(load):
    decoding = ours.Decoding(load(SMALL, torch.float32), 30, 2, 4)
    assert all(decoding.step([1, 2]) > 0 for _ in range(4))
    assert decoding.length == 34


def test_a_filled_cache_has_no_value_that_slows_arithmetic(load):
    model = load(SMALL, torch.float32)
    cache = ours.Decoding(model, 30, 2, 4).cache
    for index in range(SMALL.num_hidden_layers):
        values = cache.layer(index).float().abs()
        assert values.isfinite().all()
        assert values.mean() == pytest.approx(0.8, abs=0.1)  # a normal distribution's
