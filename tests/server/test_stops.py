import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.server.stops import StopFinder


def through(pieces, stops):
    """What comes out of the pieces, each by itself, and whether a stop string was found."""
    finder = StopFinder(stops)
    out = [finder.push(piece) for piece in pieces]
    return [*out, finder.rest()], finder.is_found


@pytest.mark.parametrize(
    ("pieces", "stops", "out"),
    [
        (["one two"], [], ["one two", ""]),
        (["one two", " three"], ["two"], ["one ", "", ""]),
        (["one t", "wo"], ["two"], ["one ", "", ""]),
        (["one t", "en"], ["two"], ["one ", "ten", ""]),
        (["one t"], ["two"], ["one ", "t"]),
        (["a", "a", "a", "b"], ["aab"], ["", "", "a", "", ""]),
        (["x\n", "\ny"], ["\n\n"], ["x", "", ""]),
        (["abcd"], ["abcd", "bc"], ["a", ""]),  # "bc" is complete first
        (["abc"], ["bc", "abc"], ["", ""]),
        (["one"], ["one"], ["", ""]),
    ],
)
def test_text_goes_through_up_to_a_stop_string(pieces, stops, out):
    assert through(pieces, stops)[0] == out


def brute_force(text, stops):
    """The text before the first stop string, found character by character."""
    for end in range(1, len(text) + 1):
        lengths = [len(stop) for stop in stops if text[:end].endswith(stop)]
        if lengths:
            return text[: end - max(lengths)], True
    return text, False


short = st.text("ab✓", max_size=3)


@given(st.lists(short, max_size=12), st.lists(short.filter(bool), max_size=4))
def test_what_comes_out_does_not_depend_on_how_the_text_is_cut(pieces, stops):
    out, is_found = through(pieces, stops)
    assert ("".join(out), is_found) == brute_force("".join(pieces), stops)


@given(st.lists(short, max_size=12), st.lists(short.filter(bool), min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_become_a_stop_string(pieces, stops):
    finder, out, given_so_far = StopFinder(stops), "", ""
    for piece in pieces:
        out += finder.push(piece)
        given_so_far += piece
        if not finder.is_found:
            held = given_so_far.removeprefix(out)
            assert held == "" or any(
                len(stop) > len(held) and stop.startswith(held) for stop in stops
            )
