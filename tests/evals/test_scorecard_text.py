"""Numbers and texts as scorecards show them: short, with their unit, and harmless."""

import pytest

from netweight.evals.scorecard_text import interval_text, p_text, points, shown, value_text


def test_only_what_could_do_something_is_made_visible():
    harmless = "a\n\tb \u05d0 \U0001f469\u200d\U0001f52c \u00e9 \u202f"
    assert shown(harmless) == harmless
    assert shown("a\rb\r\nc\x7f") == "a\u27e8U+000D\u27e9b\nc\u27e8U+007F\u27e9"
    assert shown("\ud83d\ufffe").encode()  # what UTF-8 has no form for
    long = shown("x" * 20_005)
    assert long.endswith("[5 more characters are in the log]") and len(long) < 20_050


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.975, "proportion", "97.5%"),
        (-0.025, "difference", "\u22122.5 points"),
        (0.0001, "difference", "0.0 points"),
        (1234.5, "tokens", "1,234 tokens"),
        (16.5, "tokens/s", "16.5 tokens/s"),
        (0.0123, "seconds", "0.012 s"),
        (3 * 2**20, "bytes", "3.00 MiB"),
        (0.0, "nats", "0 nats"),
        (33.25, "score", "33.2"),
    ],
)
def test_numbers_are_short_and_have_their_unit(value, unit, text):
    assert value_text(value, unit) == text


def test_small_p_values_and_signs_are_plain():
    assert [p_text(p) for p in (1.0, 0.5, 0.0311, 0.0004)] == ["1.00", "0.50", "0.031", "< 0.001"]
    assert [points(d) for d in (0.1, -0.1, -0.0001)] == ["+10.0", "\u221210.0", "0.0"]


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("proportion", "25.0 to 150.0%"),
        ("difference", "+25.0 to +150.0"),
        ("tokens/s", "0.250 to 1.50"),
        ("score", "0.250 to 1.50"),
    ],
)
def test_an_interval_has_no_unit_but_percent(unit, text):
    assert interval_text(0.25, 1.5, unit) == text
