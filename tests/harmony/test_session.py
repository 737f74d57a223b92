"""Append-only rendering: only new tokens, or from where on the prompt changed, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import HarmonyError
from netweight.harmony import (
    DeveloperContent,
    Message,
    ReasoningPolicy,
    Role,
    SystemContent,
    Tool,
    ToolNamespace,
    parse_completion,
    render_for_completion,
)
from netweight.harmony.session import Session, Update
from tests.harmony import strategies

SYSTEM = Message.system(SystemContent(current_date="2026-11-24"))
ASK = Message.user("What is 2 + 2?")
CALL = (
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
    "<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>"
)
FINAL = (
    "<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>4<|end|>"
)


@pytest.fixture
def session(vocabulary):
    return Session(vocabulary)


def test_the_first_prompt_is_all_new(session, vocabulary):
    update = session.update([SYSTEM, ASK])
    assert update == Update(0, render_for_completion(vocabulary, [SYSTEM, ASK]))


def test_a_tool_loop_only_adds_tokens(session, vocabulary, spell):
    session.update([SYSTEM, ASK])
    completion = spell(CALL)
    session.observe(completion)
    num_held = len(session.token_ids)
    messages = [SYSTEM, ASK, *parse_completion(vocabulary, completion)]
    update = session.update([*messages, Message.tool("functions.f", "4")])
    assert (update.num_kept, update.reason) == (num_held, None)
    assert vocabulary.decode(update.new_ids) == (
        "<|start|>functions.f to=assistant<|channel|>commentary<|message|>4<|end|>"
        "<|start|>assistant"
    )


def test_a_new_turn_says_that_reasoning_was_dropped(session, vocabulary, spell):
    session.update([ASK])
    session.observe(spell(FINAL))
    said = parse_completion(vocabulary, spell(FINAL))
    session.update([ASK, *said[:1]])
    update = session.update([ASK, *said, Message.user("Thanks.")])
    assert "reasoning is dropped under the policy before_last_final" in update.reason
    kept = session.token_ids[: update.num_kept]
    assert vocabulary.decode(kept).endswith("<|start|>assistant<|channel|>")


def test_what_the_model_wrote_and_history_writes_otherwise_is_said(session, vocabulary, spell):
    session.update([ASK])
    session.observe(spell(FINAL))
    said = parse_completion(vocabulary, spell(FINAL))
    update = session.update([ASK, *said])
    assert "the model's own tokens are not how" in update.reason


def test_odd_words_in_a_header_stay_as_the_model_wrote_them(session, vocabulary, spell):
    session.update([ASK])
    completion = spell("<|channel|>commentary to=functions.f json json<|message|>{}<|call|>")
    session.observe(completion)
    num_held = len(session.token_ids)
    said = parse_completion(vocabulary, completion)
    update = session.update([ASK, *said, Message.tool("functions.f", "4")])
    assert (update.num_kept, update.reason) == (num_held, None)


def test_a_message_whose_structure_was_mended_is_written_anew(session, vocabulary, spell):
    num_prompt = len(session.update([ASK]).new_ids)
    completion = spell("<|channel|>commentary to=functions.f json{}<|call|>")
    session.observe(completion)
    said = parse_completion(vocabulary, completion)
    update = session.update([ASK, *said, Message.tool("functions.f", "4")])
    assert update.num_kept == num_prompt  # up to the message's header, which is written otherwise
    assert "the model's own tokens are not how" in update.reason
    assert "json<|message|>{}<|call|>" in vocabulary.decode(update.new_ids)


def test_a_changed_message_is_named(session, vocabulary):
    session.update([SYSTEM, ASK])
    other = Message.system(SystemContent(current_date="2026-11-25"))
    update = session.update([other, ASK])
    assert update.reason == "the system message at 0 is another"
    assert vocabulary.decode(session.token_ids[: update.num_kept]).endswith("2026-11-")


def test_a_message_taken_away_is_named(session):
    session.update([SYSTEM, ASK])
    assert session.update([SYSTEM]).reason == "the user message at 1 was taken away"


def test_tools_that_appear_change_the_system_message(session):
    session.update([SYSTEM, ASK])
    tools = (ToolNamespace.functions([Tool("f")]),)
    update = session.update([SYSTEM, ASK, Message.developer(DeveloperContent(tools=tools))])
    assert "function tools were declared" in update.reason


def test_another_speaker_may_be_next(session, vocabulary):
    session.update([ASK], next_role=Role.USER)
    assert vocabulary.decode(session.token_ids).endswith("<|start|>user")


def test_after_an_error_the_session_is_as_before(session):
    session.update([SYSTEM, ASK])
    held = list(session.token_ids)
    with pytest.raises(HarmonyError):
        session.update([SYSTEM, ASK, Message.tool("a b", "x")])
    assert session.token_ids == held
    assert session.update([SYSTEM, ASK]).new_ids == []


def is_plain(message):
    return all(isinstance(part, str) for part in message.content)


@given(
    messages=st.lists(strategies.messages().filter(is_plain), max_size=6),
    cuts=st.lists(st.integers(0, 6), max_size=4),
    policy=st.sampled_from(ReasoningPolicy),
)
def test_a_session_always_holds_the_prompt_it_would_be_rendered_to(
    vocabulary, messages, cuts, policy
):
    session, held = Session(vocabulary, policy=policy), []
    for cut in [*cuts, len(messages)]:
        whole = render_for_completion(vocabulary, messages[:cut], policy=policy)
        update = session.update(messages[:cut])
        assert held[: update.num_kept] + update.new_ids == whole == session.token_ids
        assert (update.reason is None) == (update.num_kept == len(held))
        held = whole
