"""Whether raw completions have Harmony's form."""

import asyncio

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log

from netweight.errors import WeighError
from netweight.evals.completions import Endpoint
from netweight.evals.conformance import (
    MEASURE,
    WELL_FORMED,
    broken_messages,
    conformance,
    messages_of,
)
from netweight.evals.measure import Scored
from netweight.evals.served import Server

THOUGHT = "<|channel|>analysis<|message|>7 + 5 = 12.<|end|>"
ANSWER = "<|start|>assistant<|channel|>final<|message|>12<|return|>"
CALL = (
    "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>"
    '{"a": 1}<|call|>'
)


@pytest.mark.parametrize(
    "completion",
    [
        THOUGHT + ANSWER,
        "<|channel|>final<|message|>12<|return|>",
        THOUGHT + CALL,
        " to=functions.f<|channel|>commentary<|message|>{}<|call|>",
        THOUGHT + "<|start|>assistant<|channel|>commentary<|message|>Wait.<|end|>" + ANSWER,
        "<|channel|>final<|message|><|return|>",
        "<|channel|>final<|message|>a < b |> c\n<div><|return|>",
    ],
)
def test_what_harmony_allows_is_well_formed(completion):
    assert broken_messages(completion) == []


@pytest.mark.parametrize(
    ("completion", "num_broken"),
    [
        ("<|message|>7 + 5.<|end|>" + ANSWER, 1),  # no channel
        (THOUGHT + ANSWER.replace("<|channel|>final", ""), 1),
        (THOUGHT + ANSWER.replace("final", "finally"), 1),
        (THOUGHT + ANSWER.removeprefix("<|start|>assistant"), 1),
        (THOUGHT + ANSWER.replace("<|return|>", "<|end|>"), 1),
        (THOUGHT.replace("<|end|>", "<|return|>") + ANSWER, 1),
        (THOUGHT + ANSWER.replace("<|message|>", ""), 1),
        (THOUGHT + ANSWER.removesuffix("<|return|>"), 1),
        (THOUGHT.replace("7 + 5", "7 <|start|> 5") + ANSWER, 1),
        ("assistantfinal12", 1),
        ("<|message|>7.<|end|><|start|>assistant<|message|>12<|return|>", 2),
    ],
)
def test_what_harmony_does_not_is_found_and_counted(completion, num_broken):
    assert len(broken_messages(completion)) == num_broken


def test_messages_are_cut_without_losing_anything():
    assert messages_of(THOUGHT + ANSWER) == [THOUGHT, ANSWER]
    assert "".join(messages_of(THOUGHT + ANSWER + "more")) == THOUGHT + ANSWER + "more"


def scored(outcome, num_broken, num_messages, name):
    facts = {"num_broken": num_broken, "num_messages": num_messages}
    return Scored(name, 1, outcome, name, "", 9, facts)


def test_messages_are_counted_beside_answers():
    made = [scored("format error", 1, 2, "a"), scored(WELL_FORMED, 0, 2, "b")]
    (figure,) = MEASURE.further(made)
    assert (figure.value, figure.num_samples) == (0.25, 4)
    assert MEASURE.headline(made).value == 0.5


@pytest.mark.parametrize(("name", "value"), [("num_items", 0), ("effort", "huge")])
def test_bad_arguments_are_refused(name, value):
    with pytest.raises(WeighError, match=r"at least 1|Choose one of"):
        conformance(**{name: value})


def test_a_conversation_s_prompt_has_control_tokens_and_no_text_in_their_place():
    async def asked(server):
        async with Endpoint(server.base_url, "nano") as endpoint:
            ids = await endpoint.conversation("What is 2 + 2?", "low")
            return await endpoint._text_of(ids[:1]), await endpoint._text_of(ids)

    server = Server("nano")
    try:
        first, whole = asyncio.run(asked(server))
    finally:
        server.close()
    assert first == "<|start|>"
    assert "Reasoning: low" in whole and whole.endswith("2?<|end|><|start|>assistant")


@pytest.mark.inspect
def test_nano_writes_harmony(tmp_path):
    task = conformance(num_items=12)
    (log,) = inspect_eval(task, model="netweight/nano", log_dir=str(tmp_path), display="none")
    (score,) = read_eval_log(log.location).results.scores[:1]
    assert log.status == "success"
    assert {sample.scores["in_form"].metadata["outcome"] for sample in log.samples} <= set(
        MEASURE.outcomes
    )
    assert score.metrics["mean"].value == 1
