"""Figures of others: as published, with where and when, and never without either."""

import re

import pytest
from pydantic import ValidationError

from netweight.evals.published import PublishedFigure, beside, groups, source

FIGURES = [(group.id, figure) for group in groups() for figure in group.figures]


def one(group, model, conditions=""):
    (found,) = [
        figure
        for name, figure in FIGURES
        if name == group and figure.model == model and conditions in figure.conditions
    ]
    return found


# The published rates, and the Wilson intervals that were worked out from them elsewhere.
@pytest.mark.parametrize(
    ("figure", "rate", "lower", "upper"),
    [
        (one("aider-polyglot", "gpt-oss-120b", "diff format"), 41.8, 35.5, 48.3),
        (one("aider-polyglot", "gpt-oss-120b", "whole-file"), 51.1, 44.6, 57.6),
        (one("aider-polyglot", "Kimi K2"), 59.1, 52.6, 65.3),
        (one("aider-polyglot", "gpt-oss-20b"), 34.2, 28.3, 40.6),
        (one("government-criticism", "gpt-oss-120b", "grok"), 86.0, 80.5, 90.1),
        (one("government-criticism", "GPT-4.1"), 98.5, 95.7, 99.5),
        (one("government-criticism", "DeepSeek R1-0528"), 82.0, 76.1, 86.7),
    ],
)
def test_counts_give_the_published_rate_and_its_interval(figure, rate, lower, upper):
    assert round(figure.number, 1) == rate
    assert (round(figure.interval.lower, 1), round(figure.interval.upper, 1)) == (lower, upper)


# The leaderboard prints one digit, so counts worked out from it must give that digit back.
BOARD = {
    "GPT-5": 88.0,
    "o3": 81.3,
    "o4-mini": 72.0,
    "DeepSeek R1-0528": 71.4,
    "DeepSeek V3.2-Exp (reasoner)": 74.2,
    "DeepSeek V3.2-Exp (chat)": 70.2,
    "Claude Sonnet 4": 56.4,
    "Qwen3-235B-A22B": 59.6,
    "DeepSeek R1": 56.9,
    "DeepSeek V3-0324": 55.1,
    "Qwen3-32B": 40.0,
    "Llama 4 Maverick": 15.6,
}


@pytest.mark.parametrize(("model", "rate"), BOARD.items())
def test_a_row_of_the_leaderboard_has_its_rate(model, rate):
    assert round(one("aider-polyglot", model).number, 1) == rate


def test_the_counts_of_four_governments_add_up():
    summed = 0
    for name, figure in FIGURES:
        parts = re.match(r"US (\d+), EU (\d+), Russia (\d+), China (\d+) of 50", figure.conditions)
        if name == "government-criticism" and parts:
            assert sum(map(int, parts.groups())) == figure.hits
            summed += 1
    assert summed == 13


def test_every_figure_names_who_published_it_where_and_when_it_was_read():
    for _, figure in FIGURES:
        from_ = source(figure)
        assert from_.who and from_.title and from_.url.startswith("https://") and from_.read
        assert "unconfirmed" not in f"{figure.conditions} {from_.title}"


def test_a_group_says_what_it_measures_and_how_it_was_asked_otherwise():
    for group in groups():
        assert group.measures and group.unlike.endswith(".") and group.tasks


def test_figures_stand_beside_their_task_and_no_other():
    assert [group.id for group in beside("polyglot")] == ["aider-polyglot"]
    assert [group.id for group in beside("speechmap")] == ["government-criticism"]
    assert [group.id for group in beside("aime2025")] == ["aime-2025"]
    assert beside("sums") == []


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"hits": 3},
        {"hits": 3, "n": 2},
        {"hits": 1, "n": 2, "value": 50.0},
        {"hits": 1, "n": 2, "half_width": 1.0},
        {"value": 50.0, "colour": "red"},
    ],
)
def test_a_figure_that_is_not_one_number_is_refused(numbers):
    with pytest.raises(ValidationError):
        PublishedFigure(model="m", conditions="", source="s", **numbers)
