"""Plots: everything where its number says, told in words too, and nothing run off the edge."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from netweight.evals.plots import (
    CHARACTER_WIDTH,
    LEFT,
    RIGHT,
    WIDTH,
    Dot,
    Outcome,
    dot_plot,
    forest_plot,
    outcome_bars,
)

HOSTILE = "<script>alert(1)</script>\"'&"


def drawn(markup):
    (svg,) = html.fragments_fromstring(str(markup))
    return svg


def dots_of(svg):
    return [(float(each.get("cx")), each.get("class")) for each in svg.xpath(".//circle")]


def spans_of(svg):
    places = [
        re.match(r"M([\d.]+) \S+H([\d.]+)", p.get("d")) for p in svg.xpath(".//*[@class='span']")
    ]
    return [tuple(map(float, place.groups())) for place in places]


def at(share):
    return pytest.approx(LEFT + share * (RIGHT - LEFT), abs=0.06)


def test_a_rate_s_dot_and_interval_are_where_its_numbers_are():
    svg = drawn(dot_plot([Dot("a", 0.25, 0.1, 0.5, "25%")], identifier="p", title="T"))
    assert dots_of(svg) == [(at(0.25), "dot")]
    assert spans_of(svg) == [(at(0.1), at(0.5))]
    assert [tick.text for tick in svg.xpath(".//text[@class='tick']")] == ["0%", "50%", "100%"]


def test_a_number_without_an_interval_has_a_dot_alone():
    svg = drawn(dot_plot([Dot("a", 0.5, None, None, "50%", True)], identifier="p", title="T"))
    assert dots_of(svg) == [(at(0.5), "dot open")] and spans_of(svg) == []


def test_a_forest_has_nought_in_the_middle_its_margin_about_it_and_its_groups():
    dots = [
        Dot("one", 0.1, -0.05, 0.18, "+10", group="More is better"),
        Dot("two", -0.02, None, None, "-2", group="Less is better"),
    ]
    svg = drawn(forest_plot(dots, identifier="p", title="T", margin=0.05, names=("A", "B")))
    reach = 0.2  # the furthest end, rounded up
    assert dots_of(svg)[0][0] == at(0.5 + 0.1 / reach / 2)
    assert dots_of(svg)[1][0] == at(0.5 - 0.02 / reach / 2)
    assert spans_of(svg) == [(at(0.5 - 0.05 / reach / 2), at(0.5 + 0.18 / reach / 2))]
    (band,) = svg.xpath(".//*[@class='band']")
    assert float(band.get("width")) == pytest.approx(0.05 / reach * (RIGHT - LEFT), abs=0.11)
    headings = [each.text for each in svg.xpath(".//text[@class='group']")]
    assert headings == ["More is better", "Less is better"]
    ticks = [each.text for each in svg.xpath(".//text[@class='tick']")]
    assert ticks == ["\u2190 B +20", "0", "A +20 \u2192"]


def test_the_forest_s_margin_is_on_the_axis_though_all_differences_are_small():
    dots = [Dot("one", 0.001, 0.0, 0.002, "0")]
    svg = drawn(forest_plot(dots, identifier="p", title="T", margin=0.2, names=("A", "B")))
    (band,) = svg.xpath(".//*[@class='band']")
    assert float(band.get("width")) == pytest.approx(RIGHT - LEFT, abs=0.11)


def test_bars_are_as_long_as_their_share_of_all_samples():
    outcomes = [Outcome("right", "hit", [3, 1]), Outcome("late", "apart", [1, 0])]
    svg = drawn(outcome_bars(outcomes, ["A", "B"], identifier="p", title="T"))
    bars = [bar for bar in svg.xpath(".//rect") if "track" not in bar.get("class")]
    widths = [float(bar.get("width")) / (RIGHT - LEFT) for bar in bars]
    assert widths == pytest.approx([0.75, 1.0, 0.25, 0.0], abs=1e-3)
    assert [bar.get("class") for bar in bars][:2] == ["bar hit", "bar hit second"]
    texts = [each.text for each in svg.xpath(".//text[@class='value']")]
    assert texts == ["A 3 of 4, B 1 of 1", "A 1 of 4, B 0 of 1"]


def test_a_run_without_samples_has_bars_of_no_length():
    svg = drawn(outcome_bars([Outcome("right", "hit", [0])], ["A"], identifier="p", title="T"))
    assert svg.xpath(".//rect[contains(@class, 'hit')]/@width") == ["0.0"]


def plots(label, text):
    dot = Dot(label, 0.5, 0.4, 0.6, text)
    yield dot_plot([dot], identifier="a", title=label)
    yield forest_plot([dot], identifier="b", title=label, margin=0.05, names=("A", "B"))
    yield outcome_bars([Outcome(label, "hit", [1])], ["A"], identifier="c", title=label)


def test_a_plot_says_all_it_shows_and_nothing_in_it_is_markup():
    for markup in plots(HOSTILE, "50.0% (40.0 to 60.0%)"):
        svg = drawn(markup)
        assert svg.get("role") == "img"
        named = svg.get("aria-labelledby").split()
        assert named == [svg.xpath("./title")[0].get("id"), svg.xpath("./desc")[0].get("id")]
        assert svg.xpath("./title")[0].text == HOSTILE
        assert HOSTILE in svg.xpath("./desc")[0].text
        assert not svg.xpath(".//script") and "<script" not in str(markup)


@settings(max_examples=60)
@given(
    st.text(st.characters(codec="ascii", categories=["L", "P"]), max_size=90),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_nothing_stands_outside_the_drawing(label, numbers):
    low, middle, high = sorted(numbers)
    dot = Dot(label, middle, low, high, f"{middle:.1%} ({low:.1%} to {high:.1%})")
    drawings = [
        dot_plot([dot], identifier="p", title="T"),
        forest_plot([dot], identifier="p", title="T", margin=0.05, names=("A", "B")),
    ]
    for svg in map(drawn, drawings):
        height = float(svg.get("viewbox").split()[-1])
        assert all(0 <= float(each.get("cx")) <= WIDTH for each in svg.xpath(".//circle"))
        assert all(0 <= end <= WIDTH for span in spans_of(svg) for end in span)
        assert all(0 <= float(y) <= height for y in svg.xpath(".//text/@y"))
        (shown,) = svg.xpath(".//text[@class='label']")
        assert len((shown.text or "") + dot.text) * CHARACTER_WIDTH <= WIDTH
