"""The vocabulary of gpt-oss, and text with visible markers as token ids."""

import re

import pytest

from netweight.harmony import Vocabulary

MARKER = re.compile(r"(<\|[a-z]+\|>)")


@pytest.fixture(scope="session")
def vocabulary(shared_data):
    return Vocabulary.load(shared_data / "o200k_base.tiktoken")


@pytest.fixture(scope="session")
def spell(vocabulary):
    """Turns text with visible markers into token ids, the markers into control tokens."""
    ids_of = {name: token_id for token_id, name in vocabulary.special_names.items()}

    def spell_text(text):
        parts = MARKER.split(text)
        return [
            token_id
            for part in parts
            for token_id in ([ids_of[part]] if part in ids_of else vocabulary.encode(part))
        ]

    return spell_text
