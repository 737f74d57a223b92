"""openai/gpt-oss's compatibility test on chat completions, done as its runner does it."""

import json

import jsonschema
import openai
import pytest

from netweight.server import serving
from tests.end_to_end.compatibility import (
    CASES,
    OUTPUT,
    SCHEMAS,
    Scripted,
    answer,
    reasoning,
)
from tests.server.conftest import chat_model

MAX_TURNS = 10


@pytest.fixture(scope="module")
def client():
    with serving(chat_model(Scripted())) as url:
        yield openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def tool_of(case):
    parameters = SCHEMAS[case.tool]
    function = {"name": case.tool, "description": case.tool, "parameters": parameters}
    return {"type": "function", "function": function | {"strict": False}}


def whole(client, **fields):
    """The next message of the assistant."""
    completion = client.chat.completions.create(model="scripted", **fields)
    return completion.choices[0].message


def streamed(client, **fields):
    """The same of a stream, put together by the client."""
    with client.chat.completions.stream(model="scripted", **fields) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
        message = stream.get_final_completion().choices[0].message
    texts = [getattr(chunk.choices[0].delta, "reasoning", None) for chunk in chunks]
    message.reasoning = "".join(filter(None, texts))
    return message


@pytest.mark.parametrize(("ask", "cases"), [(whole, CASES), (streamed, CASES[::5])])
def test_every_case_passes(client, ask, cases):
    assert {case.tool for case in cases} == set(SCHEMAS)
    for case in cases:
        messages = [{"role": "user", "content": case.question}]
        thoughts, calls = [], []
        for _ in range(MAX_TURNS):
            message = ask(client, messages=messages, tools=[tool_of(case)])
            thoughts.append(message.reasoning or "")
            messages.append(message)
            if not message.tool_calls:
                break
            calls += message.tool_calls
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": OUTPUT}
                for call in message.tool_calls
            ]
        [call] = calls
        assert call.function.name == case.tool
        arguments = json.loads(call.function.arguments)
        jsonschema.validate(arguments, SCHEMAS[case.tool])
        assert arguments == case.arguments
        assert thoughts[0] == reasoning(case)
        assert messages[-1].content == answer(case)
