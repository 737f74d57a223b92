"""Slop: the published leaderboard's figures from the published texts, and the score's edges."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals import slop
from netweight.evals.contrasts import find_contrasts
from netweight.evals.prose import mattr
from netweight.evals.slop import SHORTEST, measure_slop, published_lists, slop_words

FILLER = "the fox ran over a hill and into the wood " * 10  # 420 characters, 100 words
MODELS = ("o3", "kimi-k2", "deepseek-r1", "gpt-5-mini-2025-08-07")


@pytest.fixture(scope="module")
def leaderboard(shared_data):
    path = shared_data / "writing" / "slop_score_leaderboard.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()))["results"]
    return {row["model"]: row for row in rows}


@pytest.fixture(scope="module", params=MODELS)
def published(request, shared_data, leaderboard):
    """One model's texts and its row of the leaderboard."""
    path = shared_data / "writing" / f"slop_score_{request.param}.json.gz"
    ((model, run),) = json.loads(gzip.decompress(path.read_bytes())).items()
    return [sample["output"] for sample in run["samples"]], leaderboard[model]


def test_published_texts_give_the_published_figures(published):
    texts, row = published
    measured, metrics = measure_slop(texts), row["metrics"]
    assert measured.num_texts == row["sample_count"]
    assert measured.num_characters == row["total_chars"]
    assert measured.num_words == metrics["lexical_diversity"]["total_words"]
    exactly = pytest.approx
    assert measured.words_per_thousand == exactly(
        metrics["slop_list_matches_per_1k_words"], rel=1e-12
    )
    assert measured.trigrams_per_thousand == exactly(
        metrics["slop_trigram_matches_per_1k_words"], rel=1e-12
    )
    assert measured.contrasts_per_thousand == exactly(
        metrics["not_x_but_y_per_1k_chars"], rel=1e-12
    )


def test_published_texts_give_the_published_contrasts_and_diversity(published):
    texts, row = published
    body = "\n\n".join(text for text in texts if len(text) > SHORTEST)
    found = [
        (f"S1_RE_{each.pattern.upper().replace(' ', '_')}", each.sentences)
        for each in find_contrasts(body)[:100]
    ]
    assert found == [(each["pattern_name"], each["sentence"]) for each in row["contrast_matches"]]
    words, diversity = slop_words(body), row["metrics"]["lexical_diversity"]
    assert mattr(words) == pytest.approx(diversity["mattr_500"], rel=1e-9)
    assert len(set(words)) == diversity["unique_words"]


def test_entries_read_whole_would_miss_the_published_figures(published, monkeypatch):
    """A deliberately wrong variant: upstream's own, since it mended its reading of the lists."""
    texts, row = published
    monkeypatch.setattr(slop, "_entry", lambda entry: entry)
    mended = published_lists.__wrapped__()
    monkeypatch.setattr(slop, "published_lists", lambda: mended)
    theirs = row["metrics"]["slop_list_matches_per_1k_words"]
    assert 0.01 < theirs - measure_slop(texts).words_per_thousand < 0.1


def test_the_shipped_ranges_are_those_of_the_leaderboard(leaderboard):
    rows, lists = [row["metrics"] for row in leaderboard.values()], published_lists()
    for shipped, name in (
        (lists.word_range, "slop_list_matches_per_1k_words"),
        (lists.trigram_range, "slop_trigram_matches_per_1k_words"),
        (lists.contrast_range, "not_x_but_y_per_1k_chars"),
    ):
        values = [row[name] for row in rows]
        assert shipped == (min(values), max(values))


def test_the_shipped_lists_are_whole_and_say_whose_they_are():
    lists = published_lists()
    assert (len(lists.words), len(lists.trigrams)) == (1630, 430)
    notice = slop.files("netweight.evals").joinpath("slop_lists.json").read_text("utf-8")
    assert "Copyright (c) 2025 Sam Paech" in notice


def test_hand_counted_slop():
    text = FILLER + "Absently, she ached. Her voice low said voice low: it was not rain, but snow."
    measured = measure_slop([text, "Too short to count, though absently."])
    assert measured.num_texts == 1
    assert measured.num_words == 100 + 15
    assert measured.num_slop_words == 2
    assert measured.num_slop_trigrams == 1  # "said voice low"
    assert measured.num_contrasts == 1
    assert measured.words_per_thousand == pytest.approx(2 / 115 * 1000)


def rated(words, trigrams, contrasts):
    """Slop with these rates: of 1,000 words and characters, counts are rates."""
    return slop.Slop(1, 1000, 1000, words, trigrams, contrasts)


def test_the_score_places_each_part_on_its_range_widened_by_a_tenth():
    lists = published_lists()
    ranges = (lists.word_range, lists.trigram_range, lists.contrast_range)
    least, greatest = ([each[end] for each in ranges] for end in (0, 1))
    assert rated(*least).score == pytest.approx(100 / 12)
    assert rated(*greatest).score == pytest.approx(1100 / 12)
    assert rated(1000, 1000, 1000).score == 100
    words, trigrams, contrasts = least
    half_way = sum(lists.word_range) / 2
    assert rated(half_way, trigrams, contrasts).score == pytest.approx(30 + 40 / 12)
    assert rated(words, trigrams, 1000).score == pytest.approx(25 + 75 / 12)
    assert rated(words, 1000, contrasts).score == pytest.approx(15 + 85 / 12)


@pytest.mark.parametrize("texts", [[], [""], ["A short text."], ["\u0434\u0430 " * 200]])
def test_texts_too_short_or_not_in_latin_letters_are_refused(texts):
    with pytest.raises(ValueError, match="300 characters"):
        measure_slop(texts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The fox\u2019s tail", ["the", "fox's", "tail"]),
        ("'quoted' rock'n'roll", ["quoted"]),
        ("well-known s\u00e3o 2x", ["well", "known", "s", "o", "x"]),
    ],
)
def test_words_are_cut_as_slop_score_cuts_them(text, words):
    assert slop_words(text) == words


@given(st.lists(st.sampled_from(["absently ", "fox. ", "not rain, but ", "it was "]), max_size=20))
def test_the_score_stays_on_its_scale(pieces):
    measured = measure_slop([FILLER + "".join(pieces)])
    assert 0 <= measured.score <= 100
    assert measured.num_slop_words == pieces.count("absently ")
