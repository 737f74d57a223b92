"""The openai-agents SDK, running agents with tools on the Responses API."""

import asyncio

import agents
import openai
import pytest
from openai import AsyncOpenAI

from netweight.server import serving
from netweight.server.settings import ServerSettings
from tests.end_to_end.test_agents import (
    ANSWER,
    STEPS,
    Trip,
    check_that_two_tools_were_used,
    find_city,
    heard,
    quiet,
    temperature,
)
from tests.server.conftest import saying_in_turn
from tests.server.responses import BuiltIn, Python, code, final, then, thought

__all__ = ["quiet"]  # a fixture for every test here, too

ASKED = "Where is it warm in Switzerland?"


def run(*texts, streamed=False, tools=(find_city, temperature), settings=None, **fields):
    """An agent's result and the events on the way, from a model that says these texts in turn."""

    async def main(url):
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            agent = agents.Agent(
                name="guide",
                instructions="Plan a trip.",
                tools=list(tools),
                model=agents.OpenAIResponsesModel("scripted", client),
                model_settings=agents.ModelSettings(temperature=0, **(settings or {})),
                output_type=fields.pop("output_type", None),
            )
            if not streamed:
                return await agents.Runner.run(agent, ASKED, **fields), []
            result = agents.Runner.run_streamed(agent, ASKED, **fields)
            return result, [event async for event in result.stream_events()]

    model = saying_in_turn(*texts, max_context=8192)
    with serving(model, ServerSettings(tools=(BuiltIn(Python),))) as url:
        return asyncio.run(asyncio.wait_for(main(url), 60))


@pytest.mark.parametrize(
    ("streamed", "fields"),
    [
        (False, {}),
        (True, {}),
        (False, {"auto_previous_response_id": True}),
        (True, {"auto_previous_response_id": True}),
        (
            False,
            {"settings": {"store": False, "response_include": ["reasoning.encrypted_content"]}},
        ),
    ],
)
def test_an_agent_uses_two_tools_and_answers(streamed, fields):
    result, events = run(*STEPS, final(ANSWER), streamed=streamed, **fields)
    check_that_two_tools_were_used(result, events)
    assert bool(events) == streamed


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agents_answer_can_be_an_object(streamed):
    trip = final('{"city":"Zürich","degrees":21}')
    result, _ = run(*STEPS, trip, streamed=streamed, output_type=Trip)
    assert result.final_output == Trip(city="Zürich", degrees=21)


def test_an_agent_can_have_code_run_by_the_server():
    hosted = agents.CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}})
    texts = then(thought("Try."), code("a b")), *STEPS[:1], final("Done.")
    result, _ = run(*texts, tools=(hosted, find_city))
    assert result.final_output == "Done."
    runs = [item.raw_item for item in result.new_items if item.type == "tool_call_item"]
    assert [getattr(run, "code", run.type) for run in runs] == ["a b", "function_call"]
    assert heard == [("find_city", "Switzerland")]


def test_an_agent_hears_of_a_failure():
    for streamed in (False, True):
        with pytest.raises((openai.OpenAIError, agents.AgentsException), match="the model failed"):
            run(STEPS[0], streamed=streamed)  # the script ends, and with it the model
