"""Numbers as they are written and spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict.numerals import find_numbers


@pytest.mark.parametrize(
    ("text", "value", "is_sure"),
    [
        ("80.1%", 80.1, True),
        ("2,622", 2622.0, True),
        ("eighty point one per cent", 80.1, True),
        ("ninety-seven point nine", 97.9, True),
        ("stood at fifty-eight", 58.0, False),
        ("twenty-seven oh six for o3", 2706.0, False),
        ("twenty-six twenty-two", 2622.0, False),
        ("172 of 200 requests", 86.0, False),
        ("94 out of 225 exercises", 41.8, False),
        ("nine in ten questions", 90.0, True),
        ("three quarters of the questions", 75.0, False),
        ("right four times in five", 80.0, False),
        ("half of the answers", 50.0, False),
    ],
)
def test_a_number_is_read_as_it_is_told(text, value, is_sure):
    (found,) = find_numbers(text)
    assert (found.value, found.is_sure) == (value, is_sure)


@pytest.mark.parametrize("text", ["sixty", "gpt-oss-120b", "3 of 7", "a fifth", "R1-0528"])
def test_what_counts_something_else_is_no_number(text):
    assert not [n for n in find_numbers(text) if n.has_unit or n.value > 20]


@given(st.integers(20, 400), st.integers(1, 400))
def test_counts_come_to_their_percentage(whole, part):
    found = find_numbers(f"{part} of {whole} questions")
    shares = [n.value for n in found if n.has_unit]
    assert shares == ([round(100 * part / whole, 1)] if part <= whole else [])
