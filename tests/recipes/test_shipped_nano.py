"""The embedded model itself: small enough to ship, and really answering."""

import pytest

from netweight import nano
from recipes.nano.evaluate import Speaker, evaluate, final_text

MAX_BYTES = 12 * 2**20


@pytest.fixture(scope="module")
def speaker():
    return Speaker(nano.FOLDER)


def test_the_package_data_is_small():
    assert sum(file.stat().st_size for file in nano.FOLDER.iterdir()) < MAX_BYTES


def test_it_reasons_on_the_analysis_channel_and_answers_on_the_final_one(speaker):
    messages = speaker.answer("What is 47 + 38?", "medium", seed=1)
    assert [message.channel for message in messages] == ["analysis", "final"]
    assert final_text(messages) == "47 + 38 = 85."


def test_it_says_what_it_is(speaker):
    assert "very small model" in final_text(speaker.answer("Who are you?", "medium", seed=1))


@pytest.mark.slow
def test_it_adds_unseen_numbers_and_tells_different_stories():
    rates = {
        score.measure: score.num_hits / score.num_items
        for score in evaluate(Speaker(nano.FOLDER), 200, seed=1)
    }
    assert rates["unseen two-digit sums, medium effort"] >= 0.9
    assert rates["tellings that name their subject"] >= 0.9
    assert rates["tellings unlike every other"] == 1.0
