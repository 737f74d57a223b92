"""Models called by no name: sizes, siblings, rivals; and whom a story is about."""

import pytest

from netweight.verdict import parse_story, published
from netweight.verdict.mentions import Mention
from netweight.verdict.names import find_models
from netweight.verdict.protagonist import main_subject
from netweight.verdict.references import (
    FAMILY,
    LARGE,
    SMALL,
    find_rivals,
    find_siblings,
    find_size_references,
)
from netweight.verdict.story import Span

TABLES = published()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("The bigger has more layers.", [LARGE]),
        ("It is the work of its big sister.", [LARGE]),
        ("This lighter model needs less memory.", [SMALL]),
        ("The compact one answers the mail.", [SMALL]),
        ("The 120-billion version is here, and so is the 20B.", [LARGE, SMALL]),
        ("The smaller sibling is ahead of the larger on MMLU.", [SMALL, LARGE]),
        ("GPQA Diamond, big model, no tools.", [LARGE]),
        ("Read the small print, and ask the big question.", []),
        ("The larger picture is another, for a small company at least.", []),
        ("It costs 20 billion dollars, says one of 120 people.", []),
    ],
)
def test_a_size_stands_for_a_model_where_a_model_is_meant(text, meant):
    assert [m.ids[0] for m in find_size_references(text)] == meant


@pytest.mark.parametrize(("last", "other"), [(LARGE, SMALL), (SMALL, LARGE)])
def test_a_sibling_is_the_size_that_was_not_spoken_of(last, other):
    text = "It beats its sibling."
    assert [m.ids for m in find_siblings(text, [], (last,))] == [(other,)]
    assert find_siblings(text, [], FAMILY) == []


def test_that_rival_is_the_only_one_that_was_named():
    text = "That older rival repairs fewer."
    assert [m.ids for m in find_rivals(text, [], ["o3-mini", LARGE])] == [("o3-mini",)]
    assert find_rivals(text, [], ["o3-mini", "o3"]) == []
    assert find_rivals(text, [Mention((LARGE,), Span(0, 1))], []) == []


def subject_of(text):
    story = parse_story(text.encode(), "story.txt")
    return main_subject(story, [find_models(s.text, TABLES) for s in story.sentences], TABLES)


def test_a_story_of_the_open_release_is_about_the_family_though_it_names_a_rival_alone():
    told = "OpenAI gave two models away.\n\nThe compact one trails o3-mini. o3-mini trails o3."
    assert subject_of(told) == FAMILY


def test_a_story_about_another_model_is_not():
    assert subject_of("OpenAI launched GPT-5.\n\nGPT-5 is ahead of o3.") == ("gpt-5",)
    assert subject_of("Kimi K2 is out, with open weights.\n\nOpenAI is silent.") == ("kimi-k2",)
