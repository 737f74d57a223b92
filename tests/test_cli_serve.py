"""What `netweight serve` makes of its options."""

import pytest

from netweight.cli.serve import api_keys
from netweight.errors import ServerError


@pytest.fixture
def key_file(tmp_path):
    """A file of keys, one a line, with a comment and empty lines."""
    file = tmp_path / "keys"
    file.write_text("# of the house\nthird\n\n  fourth  \n")
    return file


def test_keys_come_from_options_a_variable_and_a_file(key_file):
    keys = api_keys(["first"], "second, second-too,", key_file)
    assert keys == ("first", "second", "second-too", "third", "fourth")


def test_without_any_there_are_none():
    assert api_keys([], "", None) == ()


@pytest.mark.parametrize("key", ["", " k", "k ", "schlüssel", "a\tb", "a\nb"])
def test_a_key_that_no_client_could_send_is_refused(key):
    with pytest.raises(ServerError, match="no client could send it") as caught:
        api_keys([key], "", None)
    assert repr(key) not in str(caught.value)


def test_a_file_without_keys_does_not_open_the_server(tmp_path):
    file = tmp_path / "keys"
    file.write_text("# none yet\n")
    with pytest.raises(ServerError, match="has no API key"):
        api_keys([], "", file)
    with pytest.raises(ServerError, match="cannot read"):
        api_keys([], "", tmp_path / "missing")
