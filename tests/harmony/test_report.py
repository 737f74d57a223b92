"""What the command line shows: reading files, spans with channels, JSON."""

import json

import pytest
from typer.testing import CliRunner

from netweight.cli import app
from netweight.errors import HarmonyError
from netweight.harmony import Message, ReasoningEffort
from netweight.harmony.report import (
    read_conversation,
    read_token_ids,
    report_text,
    report_tokens,
)

COMPLETION = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>x"
REQUEST = {
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "response_format": {"type": "json_object"},
    "reasoning_effort": "high",
}


def test_the_spans_of_a_report_are_the_tokens(vocabulary, spell):
    ids = [*spell(COMPLETION), 10**7]
    report = report_tokens(vocabulary, ids, None)
    assert [token_id for span in report.spans for token_id in span.token_ids] == ids
    assert report.spans[-1].text.endswith("[10000000]")


def test_each_span_has_the_channel_of_its_message(vocabulary):
    report = report_text(vocabulary, COMPLETION, "assistant")
    channels = [span.channel for span in report.spans if span.kind == "content"]
    assert channels == ["analysis", "final"]


def test_a_report_is_json(vocabulary):
    fields = json.loads(report_text(vocabulary, COMPLETION, "assistant").to_json())
    assert fields["messages"][1] == {
        "role": "assistant",
        "channel": "final",
        "text": "x",
        "is_complete": False,
    }
    assert fields["num_tokens"] == sum(len(span["token_ids"]) for span in fields["spans"])


def test_a_message_ended_by_the_next_keeps_its_own_channel(vocabulary):
    text = "<|channel|>analysis<|message|>hm<|start|>assistant<|channel|>final<|message|>x<|end|>"
    report = report_text(vocabulary, text, "assistant")
    channels = [span.channel for span in report.spans if span.kind == "content"]
    assert channels == ["analysis", "final"]


BROKEN_CALL = '<|channel|>commentary to=functions.f json<|message|>{"a":[1}<|call|><|return|>'


def test_repairs_of_a_call_are_diagnostics_by_its_last_token(vocabulary):
    report = report_text(vocabulary, BROKEN_CALL, "assistant")
    codes = [said.code for said in report.diagnostics]
    assert codes == ["unmatched_bracket", "stray_stop"]
    (call_token,) = [span.start for span in report.spans if span.text == "<|call|>"]
    assert report.diagnostics[0].token_index == call_token
    fields = json.loads(report.to_json())
    assert fields["messages"][0]["text"] == '{"a":[1}'
    assert fields["messages"][0]["arguments"] == {"a": [1]}


def test_calls_in_a_stripped_text_are_repaired_by_its_last_token(vocabulary):
    text = 'analysisWell.assistantcommentary to=functions.f json{"a":1}}assistantfinalDone.'
    report = report_text(vocabulary, text, "assistant")
    (said,) = [said for said in report.diagnostics if said.code == "trailing_text"]
    assert said.token_index == sum(len(span.token_ids) for span in report.spans) - 1


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("1 2\n3", [1, 2, 3]),
        ("[1, 2]", [1, 2]),
        ('{"tokens": [1]}', [1]),
        ("[true]", None),
        ("{}", None),
        ("word", None),
        ("[" * 100_000, None),
    ],
)
def test_token_ids_are_told_from_text(text, ids):
    assert read_token_ids(text) == ids


def test_a_request_is_a_conversation():
    system, developer, user = read_conversation(json.dumps(REQUEST), date="2026-11-24")
    assert system.content[0].reasoning_effort is ReasoningEffort.HIGH
    assert system.content[0].current_date == "2026-11-24"
    assert developer.content[0].has_function_tools
    assert user == Message.user("hi")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "'messages'"),
        ("[3]", "'messages'"),
        ('{"messages": [], "tools": 3}', "'tools'"),
        ('{"messages": [], "reasoning_effort": "max"}', "'max'"),
    ],
)
def test_what_is_no_conversation_is_refused(text, reason):
    with pytest.raises(HarmonyError, match=reason):
        read_conversation(text)


@pytest.fixture
def run(shared_data):
    path = shared_data / "o200k_base.tiktoken"

    def command(*words, stdin=""):
        words = ["harmony", *words, "--vocabulary", str(path)]
        return CliRunner().invoke(app, words, input=stdin)

    return command


def test_the_command_renders_a_request(run, tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(REQUEST))
    result = run("render", str(path))
    assert result.exit_code == 0
    assert "Reasoning: high" in result.output
    assert "type f = () => any;" in result.output
    assert result.output.rstrip().endswith("tokens, 3 messages")
    fields = json.loads(run("render", str(path), "--json", "--for", "conversation").output)
    assert fields["messages"] == json.loads(run("render", str(path), "--json").output)["messages"]


def test_the_command_parses_text_and_tokens_alike(run, spell):
    by_text = run("parse", "-", "--json", stdin=COMPLETION)
    by_ids = run("parse", "-", "--json", stdin=json.dumps(spell(COMPLETION)))
    assert json.loads(by_text.output)["messages"] == json.loads(by_ids.output)["messages"]


def test_the_command_shows_repaired_arguments(run):
    result = run("parse", "-", stdin=BROKEN_CALL)
    assert "unmatched_bracket at token" in result.output
    told = json.loads(run("parse", "-", "--json", stdin=BROKEN_CALL).output)["diagnostics"]
    assert told[0]["code"] == "unmatched_bracket"


def test_the_command_shows_what_was_repaired(run):
    result = run("parse", "-", stdin="<|channel|>finalx<|message|>y<|return|><|return|>")
    assert "misspelt_channel at token" in result.output
    assert "stray_stop at token 6: <|return|>" in result.output


@pytest.mark.parametrize(
    ("words", "stdin", "reason"),
    [
        (["parse", "-", "--strict"], "text", "token ids only"),
        (["parse", "-", "--strict"], "1 2", "Unexpected EOS"),
        (["parse", "nowhere.txt"], "", "cannot read nowhere.txt"),
        (["render", "-"], "{", "not JSON"),
    ],
)
def test_the_command_says_what_is_wrong(words, stdin, reason, run):
    result = run(*words, stdin=stdin)
    assert result.exit_code != 0
    assert reason in str(result.exception)
