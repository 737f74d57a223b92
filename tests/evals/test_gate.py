"""The checks that say whether a set-up is fit to measure with."""

import pytest

from netweight.evals.gate import (
    Answer,
    Check,
    check_anchors,
    check_effort,
    check_markers,
    check_reasoning,
    check_shares,
    reason_against,
)


def test_one_answer_with_reasoning_shows_that_it_comes_apart():
    assert check_reasoning([Answer("4", ""), Answer("4", "2 + 2")], expected=True).passed


@pytest.mark.parametrize("reasoning", ["", "  \n"])
def test_a_model_known_to_reason_fails_without_reasoning(reasoning):
    check = check_reasoning([Answer("4", reasoning)] * 3, expected=True)
    assert (check.passed, check.detail) == (
        False,
        "0 of 3 answers came with reasoning apart from them",
    )


def test_a_model_not_known_to_reason_need_not():
    assert check_reasoning([Answer("4", "")], expected=False).passed


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>analysis<|message|>2 + 2",
        "4<|return|>",
        "2 + 2 is 4.assistantfinal4",
        "analysisassistantcommentary to=functions",
        "<think>2 + 2</think>4",
    ],
)
def test_a_raw_marker_in_an_answer_fails(text):
    check = check_markers([Answer("4", ""), Answer(text, "")])
    assert not check.passed
    assert check.detail.startswith("raw markers stand in 1 of 2 answers, such as ")


@pytest.mark.parametrize("text", ["4", "a <| b |> c", "the assistant finally said", "I think: 4"])
def test_words_that_resemble_markers_pass(text):
    assert check_markers([Answer(text, "<|channel|> in reasoning is not looked at")]).passed


@pytest.mark.parametrize(
    ("outcome", "name", "allowed", "too_many"),
    [
        ("truncated", "truncated", 2, 3),
        ("unparsed", "unparsed", 10, 11),
        ("infrastructure", "failed", 5, 6),
        ("timeout", "failed", 5, 6),
    ],
)
def test_shares_of_a_hundred_pass_up_to_their_limit(outcome, name, allowed, too_many):
    def failed(count):
        checks = check_shares({"right": 100 - count, outcome: count})
        return [check.name.split()[0] for check in checks if not check.passed]

    assert failed(allowed) == []
    assert failed(too_many) == [name]


def test_wrong_and_refused_answers_are_no_fault_of_the_set_up():
    assert all(check.passed for check in check_shares({"wrong": 50, "refused": 50}))


def test_the_reason_joins_what_failed_and_is_none_when_all_passed():
    good, bad = Check("a", True, "fine"), Check("b", False, "broken")
    assert reason_against([good, bad, bad]) == "broken; broken"
    assert reason_against([good]) is None


@pytest.mark.parametrize(("num_right", "passed"), [(4, True), (2, True), (1, False), (0, False)])
def test_half_of_the_known_answers_have_to_be_right(num_right, passed):
    check = check_anchors(num_right, 4)
    assert (check.passed, check.detail) == (
        passed,
        f"{num_right} of 4 sums with a known answer are right",
    )


def thinking(*lengths):
    return [Answer("4", "so " * length) for length in lengths]


def test_an_effort_that_lengthens_reasoning_is_heeded():
    check = check_effort(thinking(10, 12), thinking(20, 30))
    assert (check.passed, check.detail) == (
        True,
        "reasoning has 11 words at low effort and 25 at high",
    )


@pytest.mark.parametrize("high", [(10, 12), (5, 5), (11, 12)])
def test_an_effort_that_changes_nothing_is_not(high):
    assert not check_effort(thinking(10, 12), thinking(*high)).passed


def test_where_no_reasoning_arrives_effort_cannot_be_seen():
    check = check_effort(thinking(0, 0), thinking(0, 0))
    assert check.passed
    assert "cannot be seen" in check.detail
