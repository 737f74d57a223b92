"""Schemas that take too long to compile are found out in time."""

import json
import os

import pytest

from netweight.harmony import trial


def compiles(schema):
    return trial.compiles_in_time(f"%llguidance {{}}\nstart: %json {json.dumps(schema)}")


def test_what_takes_long_is_stopped():
    names = {f"^k{i}_[a-z]+$": {} for i in range(600)}  # a minute and more
    before = os.times()
    assert not compiles({"type": "object", "patternProperties": names})
    assert os.times().children_user - before.children_user < 3


def test_what_takes_much_memory_is_stopped(monkeypatch):
    program = trial._PROGRAM.replace("import llguidance\n", "bytes(2**31)\nimport llguidance\n")
    monkeypatch.setattr(trial, "_PROGRAM", program)
    assert not compiles({"type": "string"})


@pytest.mark.parametrize("schema", [{"pattern": "(a{1000}){1000}"}, {"pattern": "("}, {"type": 1}])
def test_what_is_compiled_or_refused_in_time_is_left_to_the_compiler(schema):
    assert compiles(schema)


def test_a_mistake_of_ours_is_not_taken_for_a_limit(monkeypatch):
    monkeypatch.setattr(trial, "_PROGRAM", "import nothing_of_that_name")
    with pytest.raises(AssertionError, match="nothing_of_that_name"):
        compiles({})
