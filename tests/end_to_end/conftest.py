"""A real checkpoint of a tiny shape, with random weights and a vocabulary of single bytes."""

from dataclasses import replace

import pytest

from netweight.model import ModelFolder, synthesize
from netweight.server import ChatModel
from tests.fakes import BYTE_VOCABULARY_SIZE, write_byte_tokenizer
from tests.model.shapes import SMALL


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """The checkpoint's folder."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    synthesize(replace(SMALL, vocab_size=BYTE_VOCABULARY_SIZE), folder, seed=1)
    write_byte_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """The model, loaded."""
    return ChatModel.load(ModelFolder("tiny", tiny_folder))
