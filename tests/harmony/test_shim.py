"""The same behaviours of openai-harmony's own suite, on it and on ours through the shim.

Each test runs on both: what is asserted is what openai-harmony does, and ours must do it too.
"""

import importlib.util
import os
from pathlib import Path

import openai_harmony
import pytest

SHIM = Path(__file__).parent / "shim" / "openai_harmony" / "__init__.py"


def load_shim():
    spec = importlib.util.spec_from_file_location("openai_harmony_shim", SHIM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["official", "ours"])
def library(request, shared_data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "TIKTOKEN_ENCODINGS_BASE", str(shared_data))
        yield openai_harmony if request.param == "official" else load_shim()


@pytest.fixture(scope="module")
def encoding(library):
    return library.load_harmony_encoding(library.HarmonyEncodingName.HARMONY_GPT_OSS)


def test_the_shim_is_small():
    assert len(SHIM.read_text().splitlines()) < 300


def spelled(encoding, text):
    return encoding.encode(text, allowed_special="all")


def parse(library, encoding, text, *, strict=True):
    parser = library.StreamableParser(encoding, library.Role.ASSISTANT, strict=strict)
    for token in spelled(encoding, text):
        parser.process(token)
    return parser


def test_a_conversation_renders_as_written(library, encoding):
    message = library.Message.from_role_and_content
    conversation = library.Conversation.from_messages(
        [
            message(library.Role.SYSTEM, library.SystemContent.new().with_python_tool()),
            message(library.Role.USER, "hi"),
            message(library.Role.ASSISTANT, "x").with_channel("final"),
        ]
    )
    tokens = encoding.render_conversation_for_completion(conversation, library.Role.ASSISTANT)
    text = encoding.decode_utf8(tokens)
    assert "## python" in text
    end = "<|start|>assistant<|channel|>final<|message|>x<|end|><|start|>assistant"
    assert text.endswith(end)
    assert spelled(encoding, text) == tokens


CALL = '<|channel|>commentary to=functions.f<|constrain|>json<|message|>{"a":1}<|call|>'


def test_a_call_parses_and_the_accessors_follow(library, encoding):
    parser = parse(library, encoding, CALL.removesuffix("<|call|>"))
    assert parser.current_content == '{"a":1}'
    assert parser.current_recipient == "functions.f"
    assert parser.current_content_type == "<|constrain|>json"
    parser.process_eos()
    assert parser.messages[0].channel == "commentary"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("I must refuse<|end|><|start|>assistant<|message|>", "unexpected tokens remaining"),
        ("<|channel|><|message|>", "no channel value found"),
        ("<|message|>x<|end|>y", "expecting start token"),
        ("<|message|>x<|end|><|start|><|message|>", "did not contain a role"),
        ("<|message|>x<|end|><|start|>bob<|message|>", "Unknown role: bob"),
    ],
)
def test_strict_parsing_refuses_with_the_same_words(text, error, library, encoding):
    with pytest.raises(library.HarmonyError, match=error):
        parse(library, encoding, text)


def test_lenient_parsing_recovers_a_missing_message_token(library, encoding):
    text = "<|channel|>analysis I must refuse<|end|><|start|>assistant<|message|>no<|end|>"
    first, second = parse(library, encoding, text, strict=False).messages
    assert (first.channel, first.content[0].text) == ("analysis", "I must refuse")
    assert second.content[0].text == "no"


def test_a_message_that_was_parsed_renders_to_its_canonical_form(library, encoding):
    (message,) = encoding.parse_messages_from_completion_tokens(
        spelled(encoding, CALL), library.Role.ASSISTANT
    )
    written = encoding.decode_utf8(encoding.render(message))
    header = "<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json"
    assert written == header + '<|message|>{"a":1}<|call|>'


def test_training_ends_in_return(library, encoding):
    message = library.Message.from_role_and_content(library.Role.ASSISTANT, "x")
    conversation = library.Conversation.from_messages([message.with_channel("final")])
    tokens = encoding.render_conversation_for_training(conversation)
    assert encoding.decode([tokens[-1]]) == "<|return|>"


def test_encoding_refuses_specials_unless_allowed(library, encoding):
    with pytest.raises(library.HarmonyError, match="disallowed special token"):
        encoding.encode("<|start|>")
    assert encoding.encode("<|start|>", allowed_special={"<|start|>"}) == [200006]
    assert encoding.is_special_token(200006)
    assert sorted(encoding.stop_tokens()) == [200002, 200007, 200012]


def test_decoding_names_bad_ids_and_bad_text(library, encoding):
    with pytest.raises(library.HarmonyError, match="Invalid token for decoding: 99999999"):
        encoding.decode_utf8([99999999])
    with pytest.raises(library.HarmonyError, match="Invalid utf-8"):
        encoding.decode_utf8([132990, 9552])
    assert encoding.decode_utf8([201088]) == "<|reserved_201088|>"
