import math

import pytest
import torch

from netweight.model import GPT_OSS_20B
from netweight.model.rope import concentration, inverse_frequencies, rotation
from tests.model.shapes import tolerance

# Published constants of gpt-oss's YaRN table; the last digits of the frequencies are rounded there.
BOUNDS = (8.092779115512402, 17.39802450158856)
CONCENTRATION = 1.3465735902799727
FREQUENCIES = {
    0: 1.0,
    8: 0.0508132748,
    9: 0.0317056962,
    12: 0.0067949595,
    16: 0.000456483919,
    17: 0.000129318701,
    31: 3.02351143e-07,
}


def test_the_correction_bounds_are_the_published_ones_unrounded():
    assert GPT_OSS_20B.yarn_bounds == pytest.approx(BOUNDS, abs=tolerance("yarn"))


def test_the_concentration_is_the_published_one():
    assert concentration(GPT_OSS_20B) == pytest.approx(CONCENTRATION, abs=tolerance("yarn"))


@pytest.mark.parametrize(("index", "frequency"), FREQUENCIES.items())
def test_the_frequencies_are_the_published_ones(index, frequency):
    assert inverse_frequencies(GPT_OSS_20B)[index] == pytest.approx(
        frequency, abs=tolerance("yarn")
    )


def test_rounded_bounds_would_be_caught():
    low, high = (round(bound) for bound in GPT_OSS_20B.yarn_bounds)
    ramp = (9 - low) / (high - low)
    plain = 150_000 ** (-9 / 32)
    rounded = plain / 32 * ramp + plain * (1 - ramp)
    assert abs(rounded - FREQUENCIES[9]) > 1000 * tolerance("yarn")


def test_position_zero_turns_nothing_but_is_concentrated():
    turn = rotation(GPT_OSS_20B, torch.tensor([0]), torch.float32)
    assert torch.allclose(turn.cos, torch.full((1, 32), CONCENTRATION))
    assert torch.equal(turn.sin, torch.zeros(1, 32))


def test_scores_depend_only_on_the_distance():
    from netweight.model.kernels.reference import rotate

    q, k = torch.randn(1, 1, 1, 64), torch.randn(1, 1, 1, 64)

    def score(query_position, key_position):
        turned = (
            rotate(x, rotation(GPT_OSS_20B, torch.tensor([position]), torch.float32))
            for x, position in ((q, query_position), (k, key_position))
        )
        return float(torch.mul(*turned).sum())

    assert math.isclose(score(40, 33), score(140, 133), rel_tol=1e-3, abs_tol=1e-3)
