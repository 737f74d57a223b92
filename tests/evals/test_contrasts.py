"""The figure "not this, but that": each pattern, what is left alone, and time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.contrasts import Contrast, find_contrasts, utf16


def names(text):
    return [contrast.pattern for contrast in find_contrasts(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The sea was not blue, but a kind of grey.", "not but"),
        ("The sea wasn\u2019t blue; but green.", "not but"),
        ("She did not just walk away\u2014it carried her.", "not dash"),
        ("Rain fell. It was not a storm. It was a song.", "pron be not sep be"),
        ("The moon was not a lamp. It was an eye.", "np be not sep they be"),
        ("Rain fell. The fox was no longer alone. They were many.", "no longer"),
        ("The fox didn't wander. It wandered off.", "not period sameverb"),
        ("The moon isn't a lamp. It's an eye.", "simple be not it be"),
        ("That means it's not just rain. It's a flood.", "embedded not just sep"),
        ('He saw: "They\'re not just rain," he said. "They\'re dead."', "dialogue not just"),
    ],
)
def test_each_pattern_finds_its_figure(text, name):
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The fox went home. It was late.",
        "She was not sure, but when the rain fell she ran.",
        "He said not that he was old, but that he was tired.",
        "The moon was not a lamp! The sea was not a floor.",
        "He knew that the moon was not a lamp. It was late.",
        "It's not just rain",
        "Nothing but rain.",
    ],
)
def test_an_ordinary_denial_is_no_contrast(text):
    assert find_contrasts(text) == []


def test_figures_that_share_a_sentence_are_one_with_all_their_sentences():
    text = "So. It was not a storm. It was not rain, but a song. The end."
    assert find_contrasts(text) == [
        Contrast("simple be not it be", "It was not a storm. It was not rain, but a song.")
    ]
    text = "Not rain, but a song, fell. The fox slept. Not snow, but ash, fell."
    assert len(find_contrasts(text)) == 2


def test_sentences_come_back_whole_with_their_emoji():
    (found,) = find_contrasts("So. \U0001f98a was not red, but gold. It ended.")
    assert found.sentences == "\U0001f98a was not red, but gold."


@given(st.text(max_size=20))
def test_lengths_are_those_of_utf16(text):
    assert len(utf16(text)) * 2 == len(text.encode("utf-16-le", "surrogatepass"))


PIECES = [
    "not ",
    "it ",
    "is ",
    "was ",
    "isn't ",
    "just ",
    "that ",
    "but ",
    "they ",
    ", ",
    ". ",
    "- ",
    "x ",
]


@given(st.lists(st.sampled_from([*PIECES, '"', "\n", "\U0001f98a"]), max_size=30))
def test_no_text_breaks_the_search(pieces):
    text = "".join(pieces)
    found = find_contrasts(text)
    assert len(found) <= text.count("not") + text.count("n't")
    assert all(each.sentences.replace('"', "") for each in found)


@pytest.mark.parametrize(
    "part",
    [
        "not ",
        "not" + " " * 5000,
        "it isn't ",
        "I don't know it ",
        "it's not just ",
        "not.",
        "not, but ",
    ],
)
def test_hostile_text_takes_time_in_line_with_its_length(part):
    text = (part * 20_000)[:20_000]
    started = time.process_time()
    find_contrasts(text)
    assert time.process_time() - started < 3
