"""The exercises, skipped by name where they are not there."""

import pytest

from netweight.evals.polyglot.exercises import ARCHIVE, read_exercises


@pytest.fixture(scope="session")
def archive(shared_data):
    path = shared_data / ARCHIVE
    if not path.is_file():
        pytest.skip(f"there is no {ARCHIVE} in {shared_data}")
    return path


@pytest.fixture(scope="session")
def exercises(archive):
    """All exercises by name."""
    return {exercise.name: exercise for exercise in read_exercises(archive)}


@pytest.fixture
def data_folder(archive, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_DATA", str(archive.parent))
