import pytest

from netweight.errors import UnknownModel
from netweight.model import KNOWN, find_model, shape_of


def test_the_embedded_model_is_found():
    assert (find_model("nano").path / "config.json").is_file()


def test_a_folder_is_its_own_name(tmp_path):
    assert find_model(str(tmp_path)).name == tmp_path.name


def test_a_known_model_is_found_under_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_HOME", str(tmp_path))
    folder = tmp_path / "models" / "gpt-oss-20b"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert find_model("gpt-oss-20b").path == folder


def test_a_known_model_that_is_not_here_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_HOME", str(tmp_path))
    with pytest.raises(UnknownModel, match=r"openai/gpt-oss-120b.*gpt-oss-120b"):
        find_model("gpt-oss-120b")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownModel, match=r"nano, gpt-oss-20b, gpt-oss-120b"):
        find_model("gpt-5")


def test_every_known_model_has_a_shape():
    assert {known.name: shape_of(known).num_hidden_layers for known in KNOWN} == {
        "nano": 6,
        "gpt-oss-20b": 24,
        "gpt-oss-120b": 36,
    }
