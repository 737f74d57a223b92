"""One request and its reply: what counts as an answer, and what went wrong where there is none."""

import json
import subprocess
import sys

import jsonschema
import pytest
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.errors import VerdictError
from netweight.verdict import asking, published
from netweight.verdict.asking import (
    MAX_TOLD_CHARACTERS,
    Problem,
    Request,
    ask,
    or_none,
    parse_reply,
    record_of,
)
from netweight.verdict.assisted import extract_with_model
from netweight.verdict.marking import Answer, make_reading, request_about
from tests.verdict.answers import TEXT, TRAILS, answer, read, story_of
from tests.verdict.chat_server import Script, chat_server

QUESTION = Request("Say yes.", '{"is": "it?"}', record_of(yes={"type": "boolean"}), seed=5)
YES = '{"yes": true}'


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "```\n{}\n```", "\n  {}\n"])
def test_a_code_fence_around_the_json_is_accepted(wrapped):
    claims, extraction = read(TEXT, wrapped.replace("{}", answer(TRAILS)))
    assert len(claims) == 1
    assert extraction.num_failed == 0


BROKEN = [
    "",
    "I found one claim.",
    "{",
    answer(TRAILS)[:-1],
    f"Here it is: {answer(TRAILS)}",
    f"```json\n{answer(TRAILS)}\n```\nDone.",
    f"{answer(TRAILS)} {answer(TRAILS)}",
    "[]",
    "null",
    "{}",
    '{"claims": {}}',
    '{"claims": [], "verdict": "supported"}',
    answer(TRAILS | {"score": 9}),
    answer(TRAILS | {"quote": None}),
    answer(TRAILS | {"sentence": "1"}),
    answer(TRAILS | {"hedged": "no"}),
    answer(*[TRAILS] * 300),
    '{"claims": ' + "[" * 5000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_any_other_answer_counts_as_failed_and_has_no_vote(broken):
    claims, extraction = read(TEXT, broken, broken, answer(TRAILS))
    assert len(claims) == 1
    assert (extraction.num_answers, extraction.num_failed) == (3, 2)


@pytest.mark.inspect
@pytest.mark.parametrize("name", ["", "nano", "nobody/knows", "none"])
def test_a_model_that_inspect_cannot_use_is_an_error_with_a_remedy(name):
    with pytest.raises(VerdictError, match=r"PROVIDER/MODEL|leave the assistant out"):
        extract_with_model(story_of(TEXT), published(), name, repeats=1)


@pytest.mark.inspect
@pytest.mark.parametrize(
    ("stop_reason", "kind"),
    [("max_tokens", "cut_short"), ("model_length", "too_long"), ("content_filter", "declined")],
)
def test_an_answer_that_ended_early_is_no_answer(stop_reason, kind):
    output = ModelOutput.from_content("mockllm/model", answer(TRAILS), stop_reason)
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    model = get_model("mockllm/model", custom_outputs=[output], memoize=False)
    reading = make_reading(story_of(TEXT), published())
    (reply,) = ask(model, [request_about(reading, reading.pieces[0], 0)])
    assert reply.problem.kind == kind
    assert reply.text == ""


def test_the_way_without_a_model_never_loads_inspect():
    code = (
        "import sys, netweight.verdict.assisted, netweight.verdict.prose; "
        "sys.exit('inspect_ai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- over a socket


def said(*texts, **message):
    return Script(deltas=(message, *({"content": text} for text in texts)))


def reply_of(script):
    with chat_server(script) as server:
        (reply,) = ask(server.model(), [QUESTION])
    return reply


@pytest.fixture
def hurried(monkeypatch):
    """No second try, and a second of patience."""
    monkeypatch.setattr(asking, "MAX_RETRIES", 0)
    monkeypatch.setattr(asking, "TIMEOUT_S", 1)


@pytest.mark.inspect
def test_the_schema_the_seed_and_the_orders_reach_the_server():
    with chat_server(said(YES)) as server:
        assert ask(server.model(), [QUESTION])[0] == (YES, None)
    (sent,) = server.requests
    assert [(m["role"], m["content"]) for m in sent["messages"]] == [
        ("system", QUESTION.instructions),
        ("user", QUESTION.data),
    ]
    assert sent["seed"] == 5
    assert sent["response_format"]["type"] == "json_schema"
    shape = sent["response_format"]["json_schema"]
    assert (shape["schema"], shape["strict"]) == (QUESTION.schema, True)


@pytest.mark.inspect
@pytest.mark.parametrize(
    "script",
    [
        said(YES),
        said(YES[:4], YES[4:]),
        said(YES, reasoning_content='Or {"yes": false}?'),
        said(YES, reasoning='Or {"yes": false}?'),
        said('<think>Or {"yes": false}?</think>', YES),
    ],
    ids=["whole", "in parts", "reasoning_content", "reasoning", "think"],
)
def test_the_answer_comes_without_its_reasoning(script):
    reply = reply_of(script)
    assert (reply.text.strip(), reply.problem) == (YES, None)


@pytest.mark.inspect
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (said(None, refusal="I cannot help with that."), "declined"),
        (Script(deltas=({"content": YES},), finish_reason="content_filter"), "declined"),
        (Script(deltas=({"content": YES},), finish_reason="length"), "cut_short"),
        (Script(status=500, body='{"error": {"message": "broken"}}'), "unreached"),
        (Script(status=429, body='{"error": {"message": "slow down"}}'), "unreached"),
        (Script(status=401, body='{"error": {"message": "who are you?"}}'), "unreached"),
        (
            Script(status=400, body='{"error": {"code": "context_length_exceeded"}}'),
            "too_long",
        ),
        (Script(body="<html>Sign in</html>"), "unreached"),
        (Script(body=""), "unreached"),
        (Script(silence_s=3, deltas=({"content": YES},)), "unreached"),
    ],
)
def test_what_goes_wrong_is_in_the_reply_by_its_kind(hurried, script, kind):
    reply = reply_of(script)
    assert reply.text == ""
    assert reply.problem.kind == kind


@pytest.mark.inspect
def test_a_stream_that_breaks_off_gives_a_text_that_no_schema_takes():
    reply = reply_of(Script(deltas=({"content": YES[:6]},), finish_reason=None))
    assert reply == (YES[:6], None)


@pytest.mark.inspect
def test_what_a_server_tells_of_its_failure_is_one_bounded_line_of_plain_letters(hurried):
    hostile = "\u001b[2J\nall is well\u202e " + "x" * 5_000
    body = json.dumps({"error": {"message": hostile}})
    told = reply_of(Script(status=500, body=body)).problem.told
    assert len(told) <= MAX_TOLD_CHARACTERS
    assert told.isprintable()
    tried = reply_of(Script(status=500, body='{"error": {"message": "broken"}}')).problem.told
    assert tried == "InternalServerError: Error code: 500 - broken"


@pytest.mark.inspect
def test_an_answer_of_any_size_is_read_or_refused():
    reply = reply_of(said(*["x" * 1_000_000] * 4))
    assert len(reply.text) == 4_000_000
    assert isinstance(parse_reply(reply, Answer), Problem)


@pytest.mark.slow
@pytest.mark.inspect
def test_our_own_server_holds_the_embedded_model_to_the_schema():
    """Whatever it knows, it answers with JSON of that shape; in a list it would not know an end."""
    schema = record_of(
        topic={"type": "string", "enum": ["licence", "memory", "score"]},
        is_so=or_none({"type": "boolean"}),
        side=record_of(relation={"type": "string", "enum": ["above", "below"]}),
    )
    question = QUESTION._replace(schema=schema)
    replies = ask("netweight/nano", [question._replace(seed=seed) for seed in range(6)])
    for reply in replies:
        assert reply.problem is None
        jsonschema.validate(json.loads(reply.text), schema)
