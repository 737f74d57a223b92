import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import VerdictError
from netweight.verdict.judgement import (
    Statement,
    check_statement,
    known_names,
    number,
    numbers_in,
    signed,
)


def checked(text, records, *cites, names=("o4-mini", "AIME 2025", "R1-0528")):
    check_statement(Statement(text=text, cites=cites), records.get, names)


@pytest.mark.parametrize(
    "text",
    [
        "It scores 41.8% on 225 exercises.",
        "It scores 41.80% on 225 exercises in six languages.",
        "o4-mini and R1-0528 on AIME 2025 score 41.8.",
        "No number at all.",
        "A gap of \u22121,234.5 points.",
    ],
)
def test_a_sentence_whose_numbers_are_cited_passes(text):
    checked(text, {"a": "41.8 of 225 in 6 languages, 1234.5"}, "a")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It scores 41.9%.", "41.9"),
        ("It scores 41.8% on seven languages.", "7"),
        ("It scores 4.18.", "4.18"),
        ("It scores 418.", "418"),
        ("It has 120 billion.", "120"),
    ],
)
def test_a_sentence_with_a_number_of_its_own_is_refused(text, missing):
    with pytest.raises(VerdictError, match=missing):
        checked(text, {"a": "41.8 of 225"}, "a")


def test_a_number_without_any_citation_is_refused():
    with pytest.raises(VerdictError, match="stands in no cited record"):
        checked("It scores 41.8%.", {"a": "41.8"})


def test_a_citation_that_leads_nowhere_is_refused():
    with pytest.raises(VerdictError, match="no record 'b'"):
        checked("Fine words.", {"a": "41.8"}, "b")


def test_digits_in_names_are_no_quantities(tables):
    text = "Qwen3-235B-2507 and o4-mini on AIME 2025 and GPT-4.1"
    assert numbers_in(text, known_names(tables)) == set()
    assert "235" in numbers_in("a model of 235 billion", known_names(tables))


@given(st.floats(0.01, 5000).map(lambda v: round(v, 2)))
def test_a_shown_number_is_found_in_its_record(value):
    assert numbers_in(number(value)) <= numbers_in(repr(value)) | numbers_in(f"{value:.2f}")


@pytest.mark.parametrize(("value", "shown"), [(1.3, "+1.3"), (-3.0, "\u22123.0"), (0.0, "0.0")])
def test_a_difference_shows_its_sign(value, shown):
    assert signed(value) == shown
