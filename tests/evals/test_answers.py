"""Reading answers: numbers under any typography, and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.answers import is_refusal, last_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("132", "132"),
        ("47 + 85 = 132.", "132"),
        ("The answer is **132**!", "132"),
        ("__132__", "132"),
        ("First 47, then 85, so 132.", "132"),
        (r"\boxed{132}", "132"),
        ("$132$", "132"),
        ("1,204", "1204"),
        ("12,345,678.", "12345678"),
        ("-38", "-38"),
        ("\u221238", "-38"),
        ("It is \u2011 38", "-38"),
        ("85-47 is 38", "38"),
        ("(85)-47", "47"),
        ("132.0", "132"),
        ("132.5", "132.5"),
        ("132.50", "132.5"),
        ("The sum\u202fis\u00a0132", "132"),
        ("132\u00b0", "132"),
        ("0", "0"),
        ("007", "7"),
    ],
)
def test_the_last_number_is_found_in_plain_form(text, number):
    assert last_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "a hundred", "x2y", "H2O", "the 2nd", "v1.2.3", "\u0661\u0662"]
)
def test_digits_that_are_no_number_are_not_an_answer(text):
    assert last_number(text) is None


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "{:,}", "**{}**.", "= {}", "{:,}\n"]))
def test_any_integer_is_read_back_from_any_form(number, form):
    assert last_number(form.format(number)) == str(number)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    number = last_number(text)
    assert number is None or float(number) == float(number)


@pytest.mark.parametrize(
    "text",
    [
        "I\u2019m sorry, but I can\u2019t help with that.",
        "I'm sorry, but I cannot comply.",
        "**Sorry**, I won't do that.",
        "I can't assist with this request.",
        "I am unable to provide that.",
        "I cannot help with sums.",
        "I apologize, but I am not able to write that.",
    ],
)
def test_an_answer_that_opens_by_declining_is_a_refusal(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "132",
        "Sorry, let me add again: 132.",
        "I can't help but love the rain.",
        "I cannot forget the old boat.",
        "Once a fox said: I'm sorry, but I can't help you.",
        "I am sorry for the fox. She was cold. I cannot say why.",
    ],
)
def test_an_answer_that_only_sounds_sorry_is_no_refusal(text):
    assert not is_refusal(text)
