from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.nano import sums, tellings
from recipes.nano.conversations import KINDS, example, turn
from recipes.nano.sums import Sum

two_digits = st.integers(10, 99)


def test_a_fifth_of_the_pairs_is_held_out():
    pairs = [(a, b) for a in range(10, 100) for b in range(a, 100)]
    share = sum(sums.is_held_out(a, b) for a, b in pairs) / len(pairs)
    assert 0.17 < share < 0.23


@given(two_digits, two_digits)
def test_holding_out_does_not_depend_on_the_order(a, b):
    assert sums.is_held_out(a, b) == sums.is_held_out(b, a)


def test_no_training_conversation_holds_a_held_out_pair():
    random = Random(1)
    for _ in range(5000):
        item = sums.training_sum(random)
        assert not sums.is_held_out(item.a, item.b)


def test_evaluation_draws_held_out_pairs_only():
    random = Random(1)
    drawn = [sums.held_out_sum(random) for _ in range(200)]
    assert all(sums.is_held_out(item.a, item.b) and item.sign == "+" for item in drawn)


def test_the_evaluation_task_asks_exactly_the_held_out_pairs():
    from netweight.evals.sums import _held_out_pairs

    ours = {(a, b) for a in range(10, 100) for b in range(a, 100) if sums.is_held_out(a, b)}
    assert set(_held_out_pairs()) == ours


@given(two_digits, two_digits, st.sampled_from("+-"))
def test_the_columns_add_up(a, b, sign):
    item = Sum(max(a, b), min(a, b), sign)
    written = sums.reasoning(item, "medium")
    ones, tens = written.split(" Tens: ")
    digit = int(ones.split(" = ")[1].split(",")[0])
    lead = int(tens.split(" = ")[1].split(".")[0])
    assert lead * 10 + digit % 10 == item.result
    assert written.endswith(f"So {item} = {item.result}.")


def test_more_effort_thinks_longer():
    item = Sum(47, 85, "+")
    lengths = [len(sums.reasoning(item, effort)) for effort in ("low", "medium", "high")]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == 3


@pytest.mark.parametrize("subject", tellings.SUBJECTS, ids=lambda subject: subject.plain)
def test_every_telling_names_its_subject_and_leaves_no_gap(subject):
    random = Random(2)
    for tell in (tellings.story, tellings.rhyme):
        for _ in range(30):
            told = tell(subject, random)
            assert subject.plain in told
            assert "{" not in told


def test_tellings_hold_no_mathematics():
    from netweight.evals.formulas import find_formulas

    random = Random(3)
    for subject in tellings.SUBJECTS:
        assert not find_formulas(tellings.story(subject, random))


def test_stories_hardly_repeat():
    random = Random(4)
    told = [tellings.story(tellings.SUBJECTS[0], random) for _ in range(500)]
    assert len(set(told)) == len(told)


def test_equal_generators_give_equal_conversations():
    assert [example(Random(5)) for _ in range(3)] == [example(Random(5)) for _ in range(3)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_question_reasoning_and_answer(kind):
    made = turn(Random(6), "medium", kind)
    assert made.question
    assert made.reasoning
    assert made.answer
