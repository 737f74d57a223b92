import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from netweight.engine import Sampling
from netweight.engine.sampler import (
    _first_look,
    distribution,
    log_probabilities,
    moments,
    sample,
)
from tests.model.shapes import needs_native


def softmax(logits, temperature):
    weights = [math.exp((x - max(logits)) / temperature) for x in logits]
    return [w / math.fsum(weights) for w in weights]


def brute_force_kept(logits, sampling):
    """The tokens that may be drawn, from the definitions, one token at a time."""
    p = dict(enumerate(softmax(logits, sampling.temperature)))
    p = {i: x for i, x in p.items() if x >= sampling.min_p * max(p.values())}
    if sampling.top_k:
        p = {i: x for i, x in p.items() if sum(y > x for y in p.values()) < sampling.top_k}
    if sampling.top_p < 1:
        total = math.fsum(p.values())
        p = {
            i: x
            for i, x in p.items()
            if x == max(p.values())
            or math.fsum(y for y in p.values() if y > x) < sampling.top_p * total
        }
    return set(p)


# Few distinct values, so that ties are common; top_p is kept off the sums that such values reach,
# where rounding would decide.
logits_lists = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=400)
settings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.25, 1.0, 2.0]),
    top_p=st.one_of(st.just(1.0), st.floats(0.01, 0.99).map(lambda x: x + 1.2345e-7)),
    top_k=st.integers(0, 20),
    min_p=st.sampled_from([0.0, 0.011, 0.13, 0.77, 1.0]),
)


@given(logits_lists, settings)
def test_the_tokens_kept_are_those_of_a_brute_force_version(logits, sampling):
    p = distribution(torch.tensor(logits), sampling)
    assert set(p.nonzero().flatten().tolist()) == brute_force_kept(logits, sampling)


@given(logits_lists, settings)
def test_kept_probabilities_sum_to_one_and_keep_their_ratios(logits, sampling):
    p = distribution(torch.tensor(logits), sampling)
    full = softmax(logits, sampling.temperature)
    assert float(p.sum()) == pytest.approx(1)
    kept = p.nonzero().flatten().tolist()
    scale = math.fsum(full[i] for i in kept)
    for i in kept:
        assert float(p[i]) == pytest.approx(full[i] / scale)


@given(st.integers(0, 99), st.sampled_from([20, 400]), st.sampled_from([1.0, 9.0]), settings)
def test_a_draw_is_the_same_whether_few_tokens_are_looked_at_or_all(seed, size, spread, sampling):
    logits = torch.randn(size, generator=torch.Generator().manual_seed(seed)) * spread
    logits = (logits * 4).round() / 4  # so that there are ties
    generator = torch.Generator().manual_seed(seed)
    point = torch.rand((), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    expected = torch.searchsorted(distribution(logits, sampling).cumsum(0), point, right=True)
    assert sample(logits, sampling, generator) == int(expected)


@pytest.mark.parametrize("top", [{"top_k": 5}, {"min_p": 0.01}, {"top_p": 0.9}])
def test_a_sure_model_is_looked_at_briefly_and_an_unsure_one_wholly(top):
    sure = torch.cat([torch.linspace(20, 10, 100), torch.zeros(900)])
    first = _first_look(sure, Sampling(**top))
    kept = distribution(sure, Sampling(**top)).nonzero().flatten()
    assert len(first.ids) == 128
    assert torch.equal(first.ids[distribution(first.logits, first.sampling).nonzero()][:, 0], kept)
    assert _first_look(torch.zeros(1000), Sampling(**top)) is None


def test_top_p_looks_past_its_first_ranks_when_the_model_is_unsure():
    p = distribution(torch.arange(5000) * 1e-6, Sampling(top_p=0.5))
    assert 2400 < int((p > 0).sum()) < 2600


@pytest.mark.parametrize(
    "sampling",
    [Sampling(), Sampling(temperature=0.5, min_p=0.05), Sampling(top_k=4, top_p=0.9)],
)
def test_frequencies_follow_the_distribution(sampling):
    logits = torch.tensor([0.0, 1.0, -1.0, 2.0, 0.5, -50.0])
    expected = distribution(logits, sampling)
    generator = torch.Generator().manual_seed(7)
    draws = torch.tensor([sample(logits, sampling, generator) for _ in range(20_000)])
    counts = draws.bincount(minlength=6)
    likely = expected > 1e-6
    assert int(counts[~likely].sum()) == 0
    share = expected[likely] / expected[likely].sum()
    assert chisquare(counts[likely].numpy(), (share * 20_000).numpy()).pvalue > 0.001


@given(logits_lists)
def test_a_temperature_towards_zero_is_the_likeliest_token(logits):
    tensor = torch.tensor(logits)
    cold = sample(tensor, Sampling(temperature=5e-324), torch.Generator().manual_seed(0))
    assert logits[cold] == max(logits)


def test_temperature_zero_takes_the_first_of_equals_and_no_randomness():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert sample(torch.tensor([1.0, 3.0, 3.0]), Sampling(temperature=0), generator) == 1
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}])
def test_the_narrowest_settings_leave_the_likeliest_token(narrow):
    logits = torch.tensor([0.0, 0.1, 0.2])
    generator = torch.Generator().manual_seed(0)
    assert {sample(logits, Sampling(**narrow), generator) for _ in range(50)} == {2}


def test_top_k_one_short_of_all_drops_only_the_least_likely():
    p = distribution(torch.tensor([0.0, 2.0, 1.0]), Sampling(top_k=2))
    assert p.nonzero().flatten().tolist() == [1, 2]


def test_an_impossible_token_is_never_drawn():
    logits = torch.tensor([-math.inf, 0.0, -math.inf, 0.0, -math.inf])
    generator = torch.Generator().manual_seed(0)
    assert {sample(logits, Sampling(), generator) for _ in range(200)} == {1, 3}


@pytest.mark.parametrize(("point", "token_id"), [(0.0, 1), (1.0, 2)])
def test_a_draw_at_either_end_of_the_scale_is_a_possible_token(monkeypatch, point, token_id):
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.tensor(point, dtype=torch.float64))
    logits = torch.tensor([-math.inf, 0.0, 0.0, -math.inf])
    assert sample(logits, Sampling(), torch.Generator()) == token_id


def test_logprobs_are_the_models_own_whatever_the_sampling():
    logits = torch.tensor([0.0, 2.0, 1.0])
    logprobs = log_probabilities(logits, 0, 3)
    assert [token.token_id for token in logprobs.top] == [1, 2, 0]
    assert math.fsum(math.exp(token.logprob) for token in logprobs.top) == pytest.approx(1)
    assert logprobs.drawn == pytest.approx(math.log(softmax([0.0, 2.0, 1.0], 1)[0]))
    assert log_probabilities(logits, 0, 0).top == ()


@given(logits_lists)
def test_moments_of_log_p_are_those_of_a_brute_force_version(logits):
    p = softmax(logits, 1)
    mean = math.fsum(x * math.log(x) for x in p)
    std = math.sqrt(math.fsum(x * (math.log(x) - mean) ** 2 for x in p))
    assert moments(torch.tensor(logits)) == pytest.approx((mean, std), abs=1e-5)


def test_a_difference_of_squares_would_lose_the_spread_of_a_flat_distribution():
    logits = 1e-4 * torch.randn(200_000, generator=torch.Generator().manual_seed(1))
    logprobs = logits.log_softmax(0)
    p = logprobs.exp()
    wrong = float((p * logprobs**2).sum() - (p * logprobs).sum() ** 2)  # the variance
    assert moments(logits).std == pytest.approx(1e-4, rel=0.01)
    assert wrong != pytest.approx(1e-8, rel=0.5)


def test_impossible_tokens_have_no_part_in_the_moments():
    logits = torch.tensor([-math.inf, 7.0, 7.0, -math.inf])
    assert moments(logits) == pytest.approx((-math.log(2), 0))
    sure = moments(torch.tensor([-50.0, 50.0]))
    assert sure.mean == pytest.approx(0, abs=1e-40)
    assert sure.std == pytest.approx(100 * math.exp(-50), rel=0.05)  # of a subnormal number
    assert torch.equal(logits, torch.tensor([-math.inf, 7.0, 7.0, -math.inf])), "they were changed"


@needs_native
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0),
        Sampling(),
        Sampling(temperature=0.7, top_p=0.9),
        Sampling(top_p=0.0),
        Sampling(temperature=1e-9),
        Sampling(top_k=5, min_p=0.01, top_p=0.8),
    ],
    ids=str,
)
def test_native_sampling_draws_the_same_tokens(sampling):
    from netweight.model.kernels import select

    kernels = select().sampling
    logits = 2 * torch.randn((40, 3000), generator=torch.Generator().manual_seed(1))
    ours, theirs = (torch.Generator().manual_seed(2) for _ in range(2))
    for row in logits:
        assert sample(row, sampling, ours, kernels) == sample(row, sampling, theirs)
    assert torch.equal(ours.get_state(), theirs.get_state())


@needs_native
def test_native_log_probabilities_are_the_same():
    from netweight.model.kernels import select

    logits = torch.randn(3000, generator=torch.Generator().manual_seed(1))
    ours = log_probabilities(logits, 17, 5, select().sampling)
    theirs = log_probabilities(logits, 17, 5)
    assert ours.drawn == pytest.approx(theirs.drawn, abs=1e-5)
    assert [top.token_id for top in ours.top] == [top.token_id for top in theirs.top]


@needs_native
def test_a_mask_limits_the_same_tokens_natively():
    import numpy as np

    from netweight.engine.constraint import _limit
    from netweight.model.kernels import select

    logits = torch.randn(70, generator=torch.Generator().manual_seed(1))
    bits = np.array([0x0F0F0F0F, -1, 0], dtype=np.int32)  # ids 64 to 69 are beyond what is allowed
    ours, theirs = _limit(logits, bits, select().sampling), _limit(logits, bits, None)
    assert torch.equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]
