import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.server.routing import Affinity, Homes, affinity_of, choose, ids_in, ranked

CHAT, RESPONSES, COMPLETIONS = "/v1/chat/completions", "/v1/responses", "/v1/completions"
NAMES = [f"engine-{index}" for index in range(5)]
keys = st.binary(min_size=1, max_size=16)
loads = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 50), min_size=1)


def key(path, **fields):
    return affinity_of(path, json.dumps(fields).encode()).key


def said(role, text):
    return {"role": role, "content": text}


@given(keys, loads)
def test_the_busiest_engine_never_gets_far_more_than_its_share(bytes_, counts):
    name = choose(Affinity(bytes_), counts, Homes())
    assert counts[name] < 1.5 * (sum(counts.values()) + 1) / len(counts) + 1


@given(keys, loads)
def test_a_conversation_goes_home_while_there_is_no_crowd(bytes_, counts):
    idle = dict.fromkeys(counts, 0)
    assert choose(Affinity(bytes_), idle, Homes()) == ranked(bytes_, idle)[0]


@given(keys, st.sets(st.sampled_from(NAMES), min_size=2))
def test_when_an_engine_goes_only_its_own_conversations_move(bytes_, names):
    first, second, *_ = ranked(bytes_, names)
    for gone in names:
        assert ranked(bytes_, names - {gone})[0] == (second if gone == first else first)


def test_conversations_are_spread_evenly():
    homes = [ranked(str(number).encode(), NAMES)[0] for number in range(5000)]
    assert all(900 < homes.count(name) < 1100 for name in NAMES)


def test_a_conversation_that_was_passed_on_stays_where_it_went():
    homes, counts = Homes(), dict.fromkeys(NAMES, 0)
    home = choose(Affinity(b"k"), counts, homes)
    passed_on = choose(Affinity(b"k"), counts | {home: 9}, homes)
    assert passed_on != home
    homes.put(b"k", passed_on)
    assert choose(Affinity(b"k"), counts, homes) == passed_on


@given(loads)
def test_a_response_is_continued_where_it_was_even_in_a_crowd(counts):
    homes, [name, *_] = Homes(), counts
    homes.put("resp_1", name)
    assert choose(Affinity(b"k", ("resp_1",)), counts | {name: 99}, homes) == name


@given(loads)
def test_what_belongs_nowhere_goes_to_the_least_busy(counts):
    assert counts[choose(Affinity(), counts, Homes())] == min(counts.values())


def test_a_home_that_is_gone_is_passed_over():
    homes = Homes()
    homes.put(b"k", "engine-9")
    homes.put("resp_1", "engine-9")
    assert choose(Affinity(b"k", ("resp_1",)), {"engine-0": 3}, homes) == "engine-0"


def test_homes_forget_what_was_not_used_for_longest():
    homes = Homes(2)
    homes.put("a", "engine-0")
    homes.put("b", "engine-1")
    assert homes.get("a") == "engine-0"
    homes.put("c", "engine-2")
    assert [homes.get(what) for what in "abc"] == ["engine-0", None, "engine-2"]


@pytest.mark.parametrize("field, path", [("messages", CHAT), ("input", RESPONSES)])
def test_all_turns_of_a_conversation_have_one_key(field, path):
    first = [said("system", "Be brief."), said("user", "Hello.")]
    later = [*first, said("assistant", "Hi."), said("user", "And now?")]
    other = [said("system", "Be brief."), said("user", "Goodbye.")]
    assert key(path, **{field: first}) == key(path, **{field: later})
    assert key(path, **{field: first}) != key(path, **{field: other})


def test_tools_and_instructions_are_part_of_the_beginning():
    hello = {"input": "Hello."}
    tool = {"type": "function", "name": "f"}
    made = {key(RESPONSES, **hello, **more) for more in ({}, {"tools": [tool]})}
    made.add(key(RESPONSES, **hello, instructions="Be brief."))
    assert len(made) == 3


@pytest.mark.parametrize("prompt", ["word " * 100, list(range(100))])
def test_prompts_are_told_apart_by_their_beginning(prompt):
    longer = prompt + prompt
    assert key(COMPLETIONS, prompt=prompt) == key(COMPLETIONS, prompt=longer)
    assert key(COMPLETIONS, prompt=[prompt, "b"]) == key(COMPLETIONS, prompt=[longer, "c"])
    assert key(COMPLETIONS, prompt=prompt) != key(COMPLETIONS, prompt=prompt[1:])


def test_a_response_that_is_continued_is_named_and_so_is_a_container():
    body = {
        "previous_response_id": "resp_1",
        "tools": [{"type": "code_interpreter", "container": "cntr_2"}],
    }
    assert affinity_of(RESPONSES, json.dumps(body).encode()).ids == ("cntr_2", "resp_1")
    assert affinity_of(f"{RESPONSES}/resp_1/input_items", b"").ids == ("resp_1",)


def test_ids_are_read_from_answers_but_not_from_what_a_model_says():
    told = json.dumps({"id": "resp_0a", "container_id": "cntr_1b", "text": 'x "resp_2c" y'})
    assert ids_in(told.encode()) == ["resp_0a", "cntr_1b"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


@given(
    st.sampled_from([CHAT, RESPONSES, COMPLETIONS, f"{RESPONSES}/", "/else"]),
    st.binary(max_size=20)
    | st.fixed_dictionaries(
        dict.fromkeys(("messages", "input", "prompt", "tools", "previous_response_id"), json_values)
    ).map(lambda fields: json.dumps(fields).encode()),
)
def test_no_body_is_too_strange_for_an_affinity(path, body):
    affinity = affinity_of(path, body)
    assert choose(affinity, {"engine-0": 0}, Homes()) == "engine-0"
