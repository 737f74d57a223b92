from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.engine import Engine, Request, Sampling
from netweight.engine.penalties import Penalties
from tests.engine.test_constraint import Only
from tests.engine.test_engine import run
from tests.fakes import Pseudorandom, scripted

PROMPT = (0, 1, 2, 3) * 6
NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 2))
BIASES = st.dictionaries(st.integers(0, 31), st.floats(-100, 100).map(round), max_size=4)


@given(st.lists(st.integers(0, 31), max_size=40), BIASES, NUMBERS, NUMBERS)
def test_logits_are_those_of_openais_formula(drawn, bias, presence, frequency):
    penalties = Penalties(bias.items(), presence, frequency, 32)
    for token_id in drawn:
        penalties.count(token_id)
    logits = torch.linspace(-8, 8, 32)
    before = logits.clone()
    counts = Counter(drawn)
    expected = [
        logit + bias.get(i, 0) - counts[i] * frequency - (counts[i] > 0) * presence
        for i, logit in enumerate(logits.tolist())
    ]
    assert penalties.applied(logits).tolist() == pytest.approx(expected, abs=1e-4)
    assert torch.equal(logits, before)


def test_without_bias_and_penalties_there_is_nothing_to_apply():
    assert Sampling().penalties(32) is None
    assert Sampling(logit_bias=((1, 0.0),)).penalties(32) is not None


def replay(model, sampling, tokens):
    """The greedy tokens that the formula gives, drawn one by one from the model's own logits."""
    counts, drawn = Counter(), []
    for _ in tokens:
        request = Request([*PROMPT, *drawn], Sampling(temperature=0), max_tokens=1, num_logprobs=32)
        [token, _] = Engine(model).generate(request)
        logits = {pair.token_id: pair.logprob for pair in token.logprobs.top}
        for token_id, added in sampling.logit_bias:
            logits[token_id] += added
        for token_id, count in counts.items():
            logits[token_id] -= count * sampling.frequency_penalty + sampling.presence_penalty
        drawn.append(max(logits, key=logits.get))
        counts[drawn[-1]] += 1
    return drawn


@pytest.mark.parametrize("speculate", [0, 6])
@pytest.mark.parametrize(
    "fields",
    [
        {"presence_penalty": 1.5},
        {"frequency_penalty": 0.7},
        {"frequency_penalty": -0.9, "presence_penalty": 0.4},
        {"logit_bias": ((3, 2.5), (0, -100.0)), "frequency_penalty": 0.3},
    ],
)
def test_each_token_counts_before_the_next_is_drawn_guessed_ahead_or_not(speculate, fields):
    sampling = Sampling(temperature=0, **fields)
    model = Pseudorandom(habit=3, max_context=128)
    tokens, _ = run(Engine(model, speculate=speculate), Request(PROMPT, sampling, max_tokens=30))
    assert tokens == replay(model, sampling, tokens)
    plain, _ = run(Engine(model), Request(PROMPT, Sampling(temperature=0), max_tokens=30))
    assert tokens != plain


@pytest.mark.parametrize("speculate", [0, 6])
def test_a_seed_gives_the_same_tokens_whatever_is_guessed_ahead(speculate):
    sampling = Sampling(seed=4, presence_penalty=0.5, frequency_penalty=0.5)
    model = Pseudorandom(habit=3, max_context=128)
    request = Request(PROMPT, sampling, max_tokens=40)
    assert run(Engine(model, speculate=speculate), request) == run(Engine(model), request)


def test_a_bias_bans_a_token_or_leaves_no_other():
    model = Pseudorandom(max_context=128)
    banned = Sampling(seed=1, logit_bias=tuple((i, -100.0) for i in range(30)))
    assert set(run(Engine(model), Request(PROMPT, banned, max_tokens=50))[0]) == {30, 31}
    only = Sampling(seed=1, logit_bias=((7, 100.0),))
    assert set(run(Engine(model), Request(PROMPT, only, max_tokens=20))[0]) == {7}


def test_a_bias_does_not_break_a_constraint():
    sampling = Sampling(temperature=0, logit_bias=((5, 100.0),))
    request = Request([1], sampling, max_tokens=2, constraint=Only({3, 4}, {4}))
    assert run(Engine(scripted([9])), request)[0] == [3, 4]


def test_log_probabilities_stay_the_models_own():
    own = Request(PROMPT, Sampling(temperature=0), max_tokens=1, num_logprobs=3)
    biased = Request(
        PROMPT, Sampling(temperature=0, logit_bias=((3, 100.0),)), max_tokens=1, num_logprobs=3
    )
    [token, _], [other, _] = (Engine(Pseudorandom()).generate(r) for r in (own, biased))
    assert other.token_id == 3
    assert other.logprobs.top == token.logprobs.top
