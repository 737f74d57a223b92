import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from netweight.engine import Engine, Request, Sampling
from netweight.engine.speculation import Drafter
from tests.fakes import FakeModel, Pseudorandom, one_hot

GREEDY = Sampling(temperature=0)


def draft(token_ids, most=9, forced=(), max_drafted=9):
    drafter = Drafter(max_drafted)
    drafter.settle(9, 9)  # has been right so far
    return drafter.draft(token_ids, forced, most)


def test_a_guess_is_what_came_after_the_last_similar_place():
    assert draft([1, 2, 3, 7, 1, 2, 3, 8, 9, 1, 2, 3]) == [8, 9, 1]


def test_a_longer_match_is_better_than_a_later_one_and_is_followed_further():
    ids = [4, 5, 1, 2, 3, 7, 7, 7, 7, 1, 2, 3, 8, 4, 5, 1, 2, 3]
    assert draft(ids, most=4) == [7, 7, 7, 7]
    assert draft([0, *ids[2:]]) == [8, 4, 5]


def test_what_repeats_is_guessed_to_go_on_repeating():
    assert draft([1, 2, 1, 2, 1, 2, 1], most=4) == [2, 1, 2, 1]


def test_nothing_is_guessed_without_a_match_of_three():
    assert draft([1, 2, 7, 1, 2]) == draft([1, 2]) == draft([1]) == []


def test_no_more_is_guessed_than_may():
    ids = [1] * 50
    assert [len(draft(ids, most, max_drafted=3)) for most in (0, 2, 9)] == [0, 2, 3]


def test_guesses_begin_short_until_some_were_right():
    drafter, ids = Drafter(9), [1] * 50
    assert len(drafter.draft(ids, [], 9)) == 1
    drafter.settle(2, 1)
    assert len(drafter.draft(ids, [], 9)) == 1
    drafter.settle(2, 2)
    assert len(drafter.draft(ids, [], 9)) == 3


def test_what_must_come_is_guessed_first():
    assert draft([1, 2, 3, 1, 2, 3], forced=[8, 9]) == [8, 9]
    assert draft([1, 2, 3, 1, 2, 3], most=1, forced=[8, 9]) == [8]


@given(st.lists(st.booleans(), max_size=300))
def test_wrong_guesses_stay_few_whatever_comes(is_right):
    """Wrong ones are at most the right ones, one, and one in thirty-two tokens."""
    drafter, ids = Drafter(8), [1] * 5
    for right in is_right:
        guesses = drafter.draft(ids, [], 8)
        drafter.settle(len(guesses), len(guesses) if right else 0)
        ids += [1] * (1 + len(guesses) if right else 1)
        num_wrong = drafter.num_drafted - drafter.num_accepted
        assert num_wrong <= drafter.num_accepted + 1 + (len(ids) - 5) // 32


def answer(model, speculate, sampling=GREEDY, prompt=(0, 1, 2, 3) * 6, max_tokens=40):
    engine = Engine(model, speculate=speculate)
    *tokens, finish = engine.generate(Request(prompt, sampling, max_tokens=max_tokens))
    engine.check_integrity()
    return [token.token_id for token in tokens], finish.counts


def test_text_that_repeats_takes_fewer_steps_and_is_the_same():
    slow, fast = (Pseudorandom(habit=9, max_context=200) for _ in range(2))
    tokens, counts = answer(slow, 0)
    assert counts.num_drafted == 0
    guessed, counts = answer(fast, 8)
    assert guessed == tokens
    assert counts.num_accepted > 10
    assert fast.num_forwards == slow.num_forwards - counts.num_accepted
    assert fast.num_tokens == 23 + len(tokens) + counts.num_drafted - counts.num_accepted


def test_text_that_does_not_repeat_is_left_alone():
    model = Pseudorandom(max_context=200)
    assert answer(model, 8, prompt=tuple(range(30)))[1].num_drafted == 0


def counting_to_eight():
    return FakeModel(lambda ids, _: one_hot((ids[-1] + 1) % 8, 32))


def test_a_stop_among_right_guesses_ends_the_answer():
    request = Request([*range(8)] * 3, GREEDY, frozenset({3}), max_tokens=9)
    *tokens, finish = Engine(counting_to_eight(), speculate=8).generate(request)
    assert [token.token_id for token in tokens] == [0, 1, 2, 3]
    assert finish.reason == "stop"
    assert (finish.counts.num_drafted, finish.counts.num_accepted) == (3, 2)


def test_no_guess_goes_beyond_the_last_token():
    tokens, counts = answer(counting_to_eight(), 8, prompt=[*range(8)] * 3, max_tokens=5)
    assert (tokens, counts.num_drafted) == ([0, 1, 2, 3, 4], 2)


@pytest.mark.parametrize("speculate", [0, 6])
def test_frequencies_follow_the_model_with_guesses_as_without(speculate):
    """Transitions between tokens of a model that looks at the last one only."""
    table = torch.randn((4, 4), generator=torch.Generator().manual_seed(1))
    table += 2 * torch.eye(4).roll(1, 1)  # likeliest to go round, so that many guesses are right
    model = FakeModel(lambda ids, _: table[ids[-1]], vocab_size=4)
    counts, num_right, num_wrong = torch.zeros((4, 4)), 0, 0
    for seed in range(400):
        sampling = Sampling(temperature=0.8, seed=seed)
        tokens, cost = answer(model, speculate, sampling, prompt=(0, 1, 2, 3) * 3, max_tokens=12)
        for before, after in zip([3, *tokens], tokens, strict=False):
            counts[before, after] += 1
        num_right += cost.num_accepted
        num_wrong += cost.num_drafted - cost.num_accepted
    assert (num_right > 500 and num_wrong > 500) == (speculate > 0)
    for observed, logits in zip(counts.double(), table.double(), strict=True):
        expected = (logits / 0.8).softmax(0) * observed.sum()
        assert chisquare(observed.numpy(), expected.numpy()).pvalue > 0.001


def test_a_seed_gives_the_same_tokens_with_guesses_as_without():
    for seed in range(20):
        sampling = Sampling(temperature=0.9, top_p=0.95, seed=seed)
        models = (Pseudorandom(habit=5, max_context=200) for _ in range(2))
        (without, _), (guessed, _) = (
            answer(model, speculate, sampling)
            for model, speculate in zip(models, (0, 8), strict=True)
        )
        assert guessed == without
