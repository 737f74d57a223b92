"""Native sampling against definitions in double precision, one token at a time."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tests.model.shapes import needs_native, tolerance

pytestmark = needs_native
native = pytest.importorskip("netweight._native")
sampling = pytest.importorskip("netweight.model.kernels.sampling")

VOCAB = 201_088
ALL = {"temperature": 1.0, "min_p": 0.0, "top_k": 0, "top_p": 1.0}


@pytest.fixture(autouse=True, scope="module", params=native.supported())
def isa(request):
    """Each instruction set that this processor has in turn; all of them in make check-native."""
    before = native.using()
    native.use(request.param)
    yield request.param
    native.use(before)


def normal(size, spread=4.0, seed=0):
    return spread * torch.randn(size, generator=torch.Generator().manual_seed(seed))


def distribution(logits, temperature, min_p, top_k, top_p):
    """{token: probability}, from the definitions; ties at an edge stay."""
    weights = ((logits.double() - logits.max()) / temperature).exp()
    ranked, order = weights.sort(descending=True, stable=True)
    ranked = ranked[ranked >= min_p]
    if top_k:
        ranked = ranked[ranked >= ranked[min(top_k, len(ranked)) - 1]]
    if top_p < 1:
        reached = int(torch.searchsorted(ranked.cumsum(0), top_p * ranked.sum()))
        ranked = ranked[ranked >= ranked[min(reached, len(ranked) - 1)]]
    kept = order[: len(ranked)].sort().values
    return dict(zip(kept.tolist(), (weights[kept] / weights[kept].sum()).tolist(), strict=True))


def drawn_everywhere(logits, settings, expected):
    """Whether each token is drawn in the middle of its part of the running sum."""
    below = 0.0
    for token, p in expected.items():
        if p > 1e-5 and sampling.draw(logits, below + p / 2, **settings) != token:
            return False
        below += p
    return True


# Few distinct values, so that ties are common; top_p is kept off the sums that such values reach.
logits_lists = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=200)
settings_of_all_kinds = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.25, 1.0, 2.0]),
        "min_p": st.sampled_from([0.0, 0.011, 0.13, 0.77, 1.0]),
        "top_k": st.integers(0, 20),
        "top_p": st.one_of(st.just(1.0), st.floats(0.01, 0.99).map(lambda x: x + 1.2345e-7)),
    }
)


@given(logits_lists, settings_of_all_kinds)
@example([0.0], ALL)
@example([0.0] * 64, ALL)
@example([0.0] * 65, {**ALL, "top_k": 3})
@example([1.0, 2.0, 3.0] * 30, {**ALL, "top_k": 40, "top_p": 0.5})
def test_each_token_is_drawn_at_its_part_of_the_running_sum(logits, settings):
    logits = torch.tensor(logits)
    assert drawn_everywhere(logits, settings, distribution(logits, **settings))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"temperature": 0.1},
        {"temperature": 3.0},
        {"min_p": 0.01},
        {"top_k": 1},
        {"top_k": 50},
        {"top_k": 5000},
        {"top_p": 0.1},
        {"top_p": 0.9},
        {"top_p": 0.999},
        {"top_k": 500, "top_p": 0.7},
        {"min_p": 0.001, "top_p": 0.5, "temperature": 1.5},
    ],
)
@pytest.mark.parametrize("spread", [0.1, 4.0])
def test_a_large_vocabulary(spread, changed):
    logits, settings = normal(20_011, spread), {**ALL, **changed}
    expected = distribution(logits, **settings)
    tokens = torch.tensor(list(expected))
    sums = torch.tensor(list(expected.values()), dtype=torch.float64).cumsum(0)
    for point in np.linspace(0.0005, 0.9995, 41):
        token = sampling.draw(logits, float(point), **settings)
        at = int(torch.searchsorted(tokens, token))
        assert int(tokens[at]) == token
        # The float32 weights shift the running sum a little.
        before = float(sums[at - 1]) if at else 0.0
        assert before - tolerance("running-sum") <= point <= sums[at] + tolerance("running-sum")


def test_top_p_before_top_k_is_noticed():
    logits = torch.tensor([0.5, 0.3, 0.1, 0.1]).log()
    settings = {**ALL, "top_k": 2, "top_p": 0.7}  # of 0.625 and 0.375 both; of all: both, too few
    assert set(distribution(logits, **settings)) == {0, 1}
    settings["top_p"] = 0.6
    assert set(distribution(logits, **settings)) == {0}
    assert drawn_everywhere(logits, settings, {0: 1.0})


@pytest.mark.parametrize("point", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("size", [1, 63, 64, 65, 1000])
def test_the_ends_of_the_running_sum(size, point):
    logits = torch.full((size + 2,), -torch.inf)
    logits[1:-1] = 0
    token = sampling.draw(logits, point, **ALL)
    assert 1 <= token <= size
    assert abs(token - 1 - int(point * size)) <= 1
    assert 1 <= sampling.draw(logits, point, **{**ALL, "top_p": 0.99}) <= size


def test_a_tiny_temperature_is_argmax():
    logits = normal(VOCAB)
    for point in (0.0, 0.3, 0.999999):
        assert sampling.draw(logits, point, **{**ALL, "temperature": 1e-6}) == int(logits.argmax())


def test_logits_that_are_not_numbers_draw_some_token():
    for logits in ([torch.nan] * 3, [-torch.inf] * 3, [torch.inf, 0.0], [torch.nan, 1.0, 2.0]):
        for settings in (ALL, {**ALL, "top_p": 0.5}, {**ALL, "top_k": 1}, {**ALL, "min_p": 0.5}):
            assert 0 <= sampling.draw(torch.tensor(logits), 0.5, **settings) < len(logits)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 63, 64, 65, 1023, 1024, 1025, 3001])
def test_argmax_finds_every_place(size):
    for place in {0, size // 2, size - 1}:
        logits = normal(size) - 100
        logits[place] = 1.0
        assert sampling.argmax(logits) == place
        logits[place:] = 2.0
        assert sampling.argmax(logits) == place


def test_argmax_of_what_is_all_forbidden_is_a_token():
    assert sampling.argmax(torch.full((5,), -torch.inf)) == 0
    assert sampling.argmax(torch.full((5,), torch.nan)) == 0


@pytest.mark.parametrize("spread", [0.0, 4.0, 40.0])
@pytest.mark.parametrize("size", [1, 17, 65, VOCAB])
def test_log_probabilities_are_those_of_a_softmax_in_double(size, spread):
    logits = normal(size, spread)
    exact = logits.double().log_softmax(0)
    own, top = sampling.log_probabilities(logits, size // 2, 20)
    assert own == pytest.approx(float(exact[size // 2]), abs=tolerance("log-probability"))
    order = logits.argsort(descending=True, stable=True)
    assert [token for token, _ in top] == order[:20].tolist()
    for token, value in top:
        assert value == pytest.approx(float(exact[token]), abs=tolerance("log-probability"))


def test_log_probabilities_rank_tokens_that_are_nearly_impossible():
    logits = torch.tensor([0.0, -1000.0, -900.0, -torch.inf])
    _, top = sampling.log_probabilities(logits, 0, 4)
    assert [token for token, _ in top] == [0, 2, 1, 3]
    assert top[1][1] == pytest.approx(-900)
    assert top[3][1] == -math.inf


@given(
    st.integers(1, 200),
    st.lists(st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 2**32 - 1])), max_size=8),
)
def test_masks_keep_the_tokens_whose_bits_are_set(size, words):
    logits = normal(size)
    ours = sampling.masked(logits, np.array(words, dtype=np.uint32).view(np.int32))
    kept = [i // 32 < len(words) and bool(words[i // 32] >> i % 32 & 1) for i in range(size)]
    expected = logits.masked_fill(~torch.tensor(kept), -torch.inf)
    assert torch.equal(ours.logits, expected)
    assert ours.largest == float(expected.max())


@pytest.mark.parametrize(
    "call",
    [
        lambda: sampling.argmax(torch.zeros(3).double()),
        lambda: sampling.argmax(torch.zeros(2, 3)),
        lambda: sampling.argmax(torch.zeros(6)[::2]),
        lambda: sampling.draw(torch.zeros(3), 0.5, **{**ALL, "temperature": 0.0}),
        lambda: sampling.draw(torch.zeros(3), 0.5, **{**ALL, "top_p": 0.0}),
        lambda: sampling.draw(torch.zeros(3), 0.5, **{**ALL, "top_p": math.nan}),
        lambda: sampling.draw(torch.zeros(3), 0.5, **{**ALL, "top_k": -1}),
        lambda: sampling.log_probabilities(torch.zeros(3), 3, 1),
        lambda: sampling.masked(torch.zeros(3), np.zeros(1, dtype=np.int64)),
    ],
)
def test_wrong_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"\w"):
        call()
