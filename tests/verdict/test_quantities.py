"""Amounts in digits and in words, and which property of a model they are told of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict.quantities import amounts_in

ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelt(value):
    """A number under a thousand in English words."""
    if value >= 100:
        rest = value % 100
        return f"{ONES[value // 100 - 1]} hundred" + (f" and {spelt(rest)}" if rest else "")
    if value >= 20:
        return TENS[value // 10 - 2] + (f"-{ONES[value % 10 - 1]}" if value % 10 else "")
    return TEENS[value - 10] if value >= 10 else ONES[value - 1]


@given(st.integers(1, 399))
def test_a_number_in_words_is_that_in_digits(value):
    words = f"It has {spelt(value)} billion parameters in total"
    digits = f"It has {value} billion parameters in total"
    assert [a.value for a in amounts_in(words)] == [a.value for a in amounts_in(digits)] == [value]


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("The bigger has around a hundred and seventeen billion parameters", "total-parameters"),
        ("only about five billion of them work on any one word fragment", "active-parameters"),
        ("that checkpoint is sixty-one gibibytes", "checkpoint-size"),
        ("the cache wants another 3 GiB", "cache-at-full-context"),
        ("it goes on one eighty-gig card", "memory"),
        ("Feed it as many as 131,072 tokens at a go", "context"),
        ("each of its 36 layers is alike", "layers"),
    ],
)
def test_the_unit_and_the_words_around_it_say_what_an_amount_is_of(text, metric):
    assert [a.metric for a in amounts_in(text)] == [metric]


@pytest.mark.parametrize(
    "text",
    [
        "The company is worth 300 billion dollars",
        "It has two billion users",
        "I own a laptop with 16 GB of memory",
        "It fits with about 15 GB to spare",
        "Qwen3-235B-2507 is ahead",
        "I gave it a prompt of 60,000 tokens",
        "It was trained on 3,000 tokens per second",
        "Artificial Analysis rated the 120b the top American open-weight model",
        "At an 8k context it leaves room for more",
    ],
)
def test_other_amounts_are_of_no_property(text):
    assert amounts_in(text) == []
