"""Checkpoints of small shapes on disk."""

import pytest

from netweight.model import load_transformer, synthesize


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory):
    """A function from a shape (and layout) to the folder of its random checkpoint, made once."""
    made = {}

    def get(config, form="huggingface"):
        key = (config, form)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("checkpoints") / f"{len(made)}"
            synthesize(config, made[key], form=form, seed=7)
        return made[key]

    return get


@pytest.fixture(scope="session")
def load(checkpoint_of):
    """A function from a shape to a loaded model in the given dtype."""

    def get(config, dtype, form="huggingface"):
        return load_transformer(checkpoint_of(config, form), dtype=dtype)

    return get
