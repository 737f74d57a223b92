"""Arguments as models write them: the value, what was mended, and the raw text always."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.harmony.arguments import read_arguments
from tests.harmony import strategies

PARIS = {"city": "Paris"}

MENDED = {
    '{"city":"Paris"}]': (PARIS, {"trailing_text"}),
    '{"city":"Paris"}}': (PARIS, {"trailing_text"}),
    '{"city":"Paris"} and so on': (PARIS, {"trailing_text"}),
    '```json\n{"city":"Paris"}\n```': (PARIS, {"leading_text", "trailing_text"}),
    '{"city":"Paris"': (PARIS, {"closed_brackets"}),
    '{"city":"Paris': (PARIS, {"closed_brackets"}),
    '{"city":"Paris",': (PARIS, {"closed_brackets", "trailing_comma"}),
    '{"city":"Paris",}': (PARIS, {"trailing_comma"}),
    '[{"city":"Paris"}]': (PARIS, {"arguments_in_list"}),
    '"{\\"city\\":\\"Paris\\"}"': (PARIS, {"arguments_in_string"}),
    '{"a":[1,2}': ({"a": [1, 2]}, {"unmatched_bracket"}),
    '{"a":1]}': ({"a": 1}, {"unmatched_bracket"}),
    '{"a":{"b":[1': ({"a": {"b": [1]}}, {"closed_brackets"}),
    '{"a":"x\ny\tz"}': ({"a": "x\ny\tz"}, {"raw_control_character"}),
    '{"a":"C:\\dir"}': ({"a": "C:\\dir"}, {"stray_backslash"}),
    '{"a":"it\\\'s"}': ({"a": "it\\'s"}, {"stray_backslash"}),
    " null": ({}, {"null_arguments"}),
    '{"a":"] } , \\" ok"}': ({"a": '] } , " ok'}, set()),
}


@pytest.mark.parametrize("text", MENDED)
def test_slips_are_mended_and_named(text):
    arguments = read_arguments(text)
    value, codes = MENDED[text]
    assert arguments.value == value
    assert {code for code, _ in arguments.repairs} == codes
    assert arguments.raw == text


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_written_is_the_empty_object(text):
    assert read_arguments(text) == (text, {}, ())


@pytest.mark.parametrize("text", ["", '{"city":"Par', '{"a":[1', '{"a":1,"b'])
def test_a_text_that_broke_off_is_not_completed(text):
    arguments = read_arguments(text, is_complete=False)
    assert arguments.value is None
    assert [code for code, _ in arguments.repairs] == ["incomplete_arguments"]


def test_a_text_that_broke_off_after_its_value_is_whole():
    assert read_arguments('{"a":1}', is_complete=False).value == {"a": 1}


@pytest.mark.parametrize(
    "text", ["Paris", "3", '"Paris"', "[1, 2]", '{"a":NaN}', '{"a" 1}', '{"a":}']
)
def test_what_is_no_object_has_no_value(text):
    arguments = read_arguments(text)
    assert arguments.value is None
    assert [code for code, _ in arguments.repairs] == ["unreadable_arguments"]


def test_nesting_too_deep_to_read_is_no_value():
    assert read_arguments('{"a":' + "[" * 100_000).value is None


@given(value=st.dictionaries(st.text(max_size=5), strategies.json_values(), max_size=4))
def test_valid_objects_are_read_as_they_are(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read_arguments(text) == (text, value, ())


@given(
    value=st.dictionaries(st.text(max_size=5), strategies.json_values(), max_size=4), data=st.data()
)
def test_a_value_is_found_whatever_stands_around_it(value, data):
    around = st.text("abc ,.:;\n", max_size=8)
    text = data.draw(around) + json.dumps(value) + data.draw(around)
    assert read_arguments(text).value == value


@given(text=st.text('{}[]",:\\n1 \n', max_size=30), is_complete=st.booleans())
def test_no_text_makes_reading_fail(text, is_complete):
    arguments = read_arguments(text, is_complete=is_complete)
    assert arguments.value is None or isinstance(arguments.value, dict)
