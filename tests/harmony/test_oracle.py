"""The same token ids and messages as openai-harmony 0.0.8, save the recorded deviations.

The deviations, and the only ones: docs/decisions/0010-where-harmony-deviates.md.
"""

import os

import openai_harmony as official
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.errors import HarmonyError
from netweight.harmony import (
    DeveloperContent,
    Message,
    Parser,
    ReasoningPolicy,
    Role,
    SchemaMode,
    ToolNamespace,
    render_conversation,
    render_for_completion,
    render_for_training,
    render_message,
)
from tests.harmony import oracle, strategies

OFFICIAL = {"policy": ReasoningPolicy.OFFICIAL, "schemas": SchemaMode.OFFICIAL}
NUM_EXAMPLES = settings().max_examples  # HYPOTHESIS_PROFILE=explore asks for many more


@pytest.fixture(scope="module")
def encoding(shared_data):
    before = os.environ.get("TIKTOKEN_ENCODINGS_BASE")
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(shared_data)
    yield official.load_harmony_encoding(official.HarmonyEncodingName.HARMONY_GPT_OSS)
    del os.environ["TIKTOKEN_ENCODINGS_BASE"]
    if before is not None:
        os.environ["TIKTOKEN_ENCODINGS_BASE"] = before


@settings(max_examples=NUM_EXAMPLES)
@given(messages=strategies.conversations())
def test_conversations_render_to_the_same_ids(vocabulary, encoding, messages):
    theirs = encoding.render_conversation(oracle.conversation(messages))
    assert render_conversation(vocabulary, messages, **OFFICIAL) == theirs


@settings(max_examples=NUM_EXAMPLES // 2)
@given(messages=strategies.conversations(), role=st.sampled_from(["assistant", "user"]))
def test_prompts_render_to_the_same_ids(vocabulary, encoding, messages, role):
    theirs = encoding.render_conversation_for_completion(
        oracle.conversation(messages), official.Role(role)
    )
    ours = render_for_completion(vocabulary, messages, next_role=Role(role), **OFFICIAL)
    assert ours == theirs


@settings(max_examples=NUM_EXAMPLES // 2)
@given(messages=strategies.conversations().filter(bool))
def test_training_texts_render_to_the_same_ids(vocabulary, encoding, messages):
    theirs = encoding.render_conversation_for_training(oracle.conversation(messages))
    assert render_for_training(vocabulary, messages, **OFFICIAL) == theirs


@settings(max_examples=NUM_EXAMPLES)
@given(tool=strategies.tools())
def test_tools_render_to_the_same_ids(vocabulary, encoding, tool):
    message = Message.developer(DeveloperContent(tools=(ToolNamespace.functions([tool]),)))
    theirs = encoding.render(oracle.to_official(message))
    ours = render_message(vocabulary, message, schemas=SchemaMode.OFFICIAL)
    assert vocabulary.decode(ours) == encoding.decode(theirs)
    assert ours == theirs


def kind_of(error):
    """The message without the header's words, which Rust escapes in its own way."""
    return str(error).partition("Some(")[0]


def read_officially(encoding, ids, role):
    parser = official.StreamableParser(encoding, role and official.Role(role.value))
    try:
        for token_id in ids:
            parser.process(token_id)
        parser.process_eos()
    except official.HarmonyError as error:
        return [oracle.from_official(m) for m in parser.messages], kind_of(error)
    return [oracle.from_official(m) for m in parser.messages], None


def read(vocabulary, ids, role):
    parser = Parser(vocabulary, role, strict=True)
    try:
        parser.push_all(ids)
        parser.finish()
    except HarmonyError as error:
        return parser.messages, kind_of(error)
    return parser.messages, None


@settings(max_examples=NUM_EXAMPLES)
@given(messages=strategies.conversations(), data=st.data())
def test_damaged_conversations_parse_to_the_same_messages(vocabulary, encoding, messages, data):
    ids = render_conversation(vocabulary, messages, **OFFICIAL)
    ids = data.draw(strategies.damaged(ids, vocabulary))
    assert read(vocabulary, ids, None) == read_officially(encoding, ids, None)


@settings(max_examples=NUM_EXAMPLES)
@given(data=st.data(), role=st.sampled_from([None, Role.ASSISTANT]))
def test_token_streams_parse_to_the_same_messages(vocabulary, encoding, data, role):
    ids = data.draw(strategies.token_streams(vocabulary))
    assert read(vocabulary, ids, role) == read_officially(encoding, ids, role)
