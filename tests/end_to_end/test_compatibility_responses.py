"""openai/gpt-oss's compatibility test on the Responses API, done as its runner does it."""

import json

import jsonschema
import openai
import pytest

from netweight.server import serving
from tests.end_to_end.compatibility import CASES, OUTPUT, SCHEMAS, Scripted, answer, reasoning
from tests.server.conftest import chat_model

MAX_TURNS = 10


@pytest.fixture(scope="module")
def client():
    with (
        serving(chat_model(Scripted())) as url,
        openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        yield client


def tool_of(case):
    parameters = SCHEMAS[case.tool]
    tool = {"type": "function", "name": case.tool, "description": case.tool}
    return tool | {"parameters": parameters, "strict": False}


def whole(client, **fields):
    """The next response."""
    return client.responses.create(model="scripted", **fields)


def streamed(client, **fields):
    """The same of a stream, which has to tell the thoughts in deltas, and whole when they end."""
    events = list(client.responses.create(model="scripted", stream=True, **fields))
    response = events[-1].response
    if any(item.type == "reasoning" for item in response.output):
        kinds = {event.type for event in events}
        assert {"response.reasoning_text.delta", "response.reasoning_text.done"} <= kinds
    return response


@pytest.mark.parametrize(("ask", "cases"), [(whole, CASES), (streamed, CASES[::5])])
def test_every_case_passes(client, ask, cases):
    assert {case.tool for case in cases} == set(SCHEMAS)
    for case in cases:
        items = [{"role": "user", "content": case.question}]
        responses, calls = [], []
        for _ in range(MAX_TURNS):
            response = ask(client, input=items, tools=[tool_of(case)])
            responses.append(response)
            items += response.output
            called = [item for item in response.output if item.type == "function_call"]
            if not called:
                break
            calls += called
            items += [
                {"type": "function_call_output", "call_id": call.call_id, "output": OUTPUT}
                for call in called
            ]
        [call] = calls
        assert call.name == case.tool
        arguments = json.loads(call.arguments)
        jsonschema.validate(arguments, SCHEMAS[case.tool])
        assert arguments == case.arguments
        [thought] = [item for item in responses[0].output if item.type == "reasoning"]
        [part] = thought.model_dump()["content"]
        assert part == {"type": "reasoning_text", "text": reasoning(case)}
        assert responses[-1].output_text == answer(case)
