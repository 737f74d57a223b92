"""The sums task: its items and its judgement."""

import re

import pytest

from netweight.evals.answers import last_number
from netweight.evals.sums import MEASURE, additions, judge, sums
from recipes.nano.sums import is_held_out


def operands(question):
    return tuple(int(number) for number in re.findall(r"\d+", question))


def test_every_item_adds_two_two_digit_numbers_and_knows_their_sum():
    for question, total in additions(seed=3, num_items=200):
        a, b = operands(question)
        assert 10 <= a <= 99 and 10 <= b <= 99 and a + b == total


def test_the_same_seed_gives_the_same_items_and_another_seed_others():
    assert list(additions(1, 50)) == list(additions(1, 50)) != list(additions(2, 50))


def test_no_pair_comes_twice():
    pairs = [tuple(sorted(operands(item.question))) for item in additions(5, 300)]
    assert len(set(pairs)) == 300


def test_the_embedded_models_training_never_sees_an_item():
    assert all(is_held_out(*operands(item.question)) for item in additions(7, 300))


def test_the_task_is_versioned_and_names_its_seed():
    task = sums(seed=9, num_items=4)
    assert (task.version, task.dataset.name, len(task.dataset)) == (2, "sums 2, seed 9", 4)


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcome"),
    [
        ("It is **132**.", "stop", "right"),
        ("47 + 85 = 132", "stop", "right"),
        ("132, not 133", "stop", "wrong"),
        ("132.5", "stop", "wrong"),
        ("I'm sorry, but I can't help with 47 + 85.", "stop", "refused"),
        ("I'm sorry, but I can't round. It is 132.", "stop", "right"),
        ("", "stop", "unparsed"),
        ("one hundred and thirty-two", "stop", "unparsed"),
        ("132", "max_tokens", "truncated"),
        ("132", "model_length", "truncated"),
        ("132", "content_filter", "refused"),
    ],
)
def test_each_kind_of_ending_has_its_own_outcome(text, stop_reason, outcome):
    assert judge(text, stop_reason, "132") == outcome
    assert outcome in MEASURE.outcomes


def test_the_right_answer_given_as_output_scores_all_and_a_fixed_guess_almost_nothing():
    items = list(additions(11, 200))
    assert all(judge(str(item.total), "stop", str(item.total)) == "right" for item in items)
    assert sum(judge("110", "stop", str(item.total)) == "right" for item in items) < 20


def test_a_question_read_as_an_answer_is_wrong():
    for question, total in additions(13, 200):
        assert last_number(question) != str(total)
