"""What a room offers is what it says it offers."""

import importlib

import pytest

ROOMS = ["harmony", "model", "engine", "server", "bench", "evals", "verdict"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_exists_and_is_listed_once(room):
    module = importlib.import_module(f"netweight.{room}")
    names = module.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_is(room):
    module = importlib.import_module(f"netweight.{room}")
    assert module.__doc__
    assert "see docs for its place" not in module.__doc__
