"""The openai-agents SDK, running agents with tools on chat completions."""

import asyncio
import json

import agents
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from netweight.server import serving
from tests.server.conftest import saying_in_turn
from tests.server.test_chat_api import final


def called(name, arguments):
    return (
        f"<|channel|>analysis<|message|>I need {name}.<|end|>"
        f"<|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json"
        f"<|message|>{json.dumps(arguments, ensure_ascii=False)}<|call|>"
    )


class Trip(BaseModel):
    city: str
    degrees: int


heard = []


@agents.function_tool
def find_city(country: str) -> str:
    """Name the capital of a country."""
    heard.append(("find_city", country))
    return "Zürich"


@agents.function_tool
def temperature(city: str, unit: str) -> int:
    """Tell how warm it is."""
    heard.append(("temperature", city, unit))
    return 21


STEPS = (
    called("find_city", {"country": "Switzerland"}),
    called("temperature", {"city": "Zürich", "unit": "celsius"}),
)
ANSWER = "It is 21 degrees in Zürich."


@pytest.fixture(autouse=True)
def quiet():
    """No traces are sent anywhere."""
    agents.set_tracing_disabled(True)
    heard.clear()


def run(last, *, streamed, **fields):
    """An agent's result from a model that takes STEPS and then says `last`."""

    async def main(url):
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            agent = agents.Agent(
                name="guide",
                instructions="Plan a trip.",
                tools=[find_city, temperature],
                model=agents.OpenAIChatCompletionsModel("scripted", client),
                model_settings=agents.ModelSettings(temperature=0, include_usage=True),
                **fields,
            )
            if not streamed:
                return await agents.Runner.run(agent, "Where is it warm in Switzerland?"), []
            result = agents.Runner.run_streamed(agent, "Where is it warm in Switzerland?")
            return result, [event async for event in result.stream_events()]

    with serving(saying_in_turn(*STEPS, last, max_context=8192)) as url:
        return asyncio.run(asyncio.wait_for(main(url), 30))


def check_that_two_tools_were_used(result, events):
    """The result of STEPS and then ANSWER, and the events on the way if it was streamed."""
    assert heard == [("find_city", "Switzerland"), ("temperature", "Zürich", "celsius")]
    assert result.final_output == ANSWER
    usage = result.context_wrapper.usage
    assert usage.requests == 3
    assert usage.output_tokens_details.reasoning_tokens > 0
    assert usage.input_tokens_details.cached_tokens > 0
    kinds = [type(item).__name__ for item in result.new_items]
    for kind, number in (("ToolCallItem", 2), ("ToolCallOutputItem", 2), ("MessageOutputItem", 1)):
        assert kinds.count(kind) == number
    assert kinds.count("ReasoningItem") == 2
    deltas = [
        event.data.delta
        for event in events
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert "".join(deltas) == (ANSWER if events else "")


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_uses_two_tools_and_answers(streamed):
    result, events = run(final(ANSWER), streamed=streamed)
    check_that_two_tools_were_used(result, events)
    assert bool(events) == streamed


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agents_answer_can_be_an_object(streamed):
    trip = final('{"city":"Zürich","degrees":21}')
    result, _ = run(trip, streamed=streamed, output_type=Trip)
    assert result.final_output == Trip(city="Zürich", degrees=21)
    assert len(heard) == 2
