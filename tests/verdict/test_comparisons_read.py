"""Comparisons in words that no rule knows: the reader says who is put above whom."""

import pytest

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.comparisons_read import is_turned, relation_of
from netweight.verdict.names import find_models
from netweight.verdict.relations import Compared, find_compared
from netweight.verdict.story import Span

TABLES = published()
OPENING = "OpenAI put gpt-oss-120b and gpt-oss-20b online.\n"


def comparison_in(text):
    story = parse_story((OPENING + text).encode(), "story.txt")
    found = [c for c in extract_claims(story, TABLES) if c.relation]
    return [(c.subjects, c.relation, c.comparators) for c in found]


LARGE, SMALL = ("gpt-oss-120b",), ("gpt-oss-20b",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On Codeforces gpt-oss-120b has o4-mini gasping for air.", (LARGE, "above", ("o4-mini",))),
        ("On Codeforces o4-mini has gpt-oss-120b gasping for air.", (LARGE, "below", ("o4-mini",))),
        ("In maths o3 sends gpt-oss-120b home in tears.", (LARGE, "below", ("o3",))),
        ("In maths gpt-oss-120b sends o3 home in tears.", (LARGE, "above", ("o3",))),
        (
            "You could not slip a card between gpt-oss-20b and o3-mini.",
            (SMALL, "equal", ("o3-mini",)),
        ),
    ],
)
def test_a_comparison_is_read_in_words_that_no_rule_knows(text, expected):
    assert not find_compared(text, find_models(text, TABLES))
    assert expected in comparison_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "gpt-oss-120b was tested on the same day as o4-mini.",
        "gpt-oss-120b was released by the firm that made o3.",
        "gpt-oss-20b is smaller than DeepSeek R1.",
    ],
)
def test_two_models_that_are_only_named_together_are_not_compared(text):
    assert comparison_in(text) == []


def test_exchanged_names_exchange_the_order():
    one, other = "gpt-oss-120b runs rings round o3.", "o3 runs rings round gpt-oss-120b."
    for text, expected in ((one, "below"), (other, "above")):
        start = text.index("o3")
        assert relation_of(text, Span(start, start + 2)) == expected


def test_a_rule_is_overruled_only_where_the_reader_is_sure_of_the_other_order():
    text = "gpt-oss-120b beats o4-mini."
    (rival,) = [m for m in find_models(text, TABLES) if m.ids == ("o4-mini",)]
    assert not is_turned(text, Compared(rival.span, "above", (rival,)))
    assert is_turned(text, Compared(rival.span, "below", (rival,)))
    assert not is_turned(text, Compared(rival.span, "equal", (rival,)))
