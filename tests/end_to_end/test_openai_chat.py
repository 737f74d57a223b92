"""OpenAI's own client and its helpers, against chat completions of nano and of scripted models."""

import json
from enum import StrEnum

import openai
import pytest
from pydantic import BaseModel, Field

from netweight.model import find_model
from netweight.server import ChatModel, serving
from tests.server.conftest import chat_model
from tests.server.test_chat_api import Torn, final

USER = {"role": "user", "content": "What is 27 + 15?"}


class Parity(StrEnum):
    even = "even"
    odd = "odd"


class Sum(BaseModel):
    """A sum, taken apart."""

    first: int = Field(ge=0, le=99)
    second: int = Field(ge=0, le=99)
    parity: Parity


class Weather(BaseModel):
    """Look up the weather."""

    city: str


class Roll(BaseModel):
    """Roll dice."""

    sides: int = Field(ge=2, le=20)
    is_loaded: bool


THOUGHT = "<|channel|>analysis<|message|>Let me see.<|end|><|start|>assistant"
SUM = '{"first":27,"second":15,"parity":"even"}'
WEATHER = (
    THOUGHT + "<|channel|>commentary to=functions.Weather <|constrain|>json"
    '<|message|>{"city":"Zürich"}<|call|>'
)


@pytest.fixture(scope="module")
def nano():
    """A client of nano."""
    with serving(ChatModel.load(find_model("nano"))) as url:
        yield openai.OpenAI(base_url=url, api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def scripted():
    """A client of a model that says a sum as JSON, or calls Weather where it has to call."""
    with serving(chat_model(Torn(THOUGHT + final(SUM), WEATHER))) as url:
        yield openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def test_a_parsed_answer_is_an_object(scripted):
    for completions in (scripted.chat.completions, scripted.beta.chat.completions):
        completion = completions.parse(
            model="scripted", messages=[USER], response_format=Sum, temperature=0
        )
        message = completion.choices[0].message
        assert message.parsed == Sum(first=27, second=15, parity=Parity.even)
        assert message.reasoning == "Let me see."


def test_a_streamed_answer_is_parsed_as_it_grows(scripted):
    with scripted.chat.completions.stream(
        model="scripted", messages=[USER], response_format=Sum, temperature=0
    ) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    assert completion.choices[0].message.parsed == Sum(first=27, second=15, parity=Parity.even)
    kinds = [event.type for event in events]
    assert kinds[-1] == "content.done"
    assert "".join(e.delta for e in events if e.type == "content.delta") == SUM
    grown = [e.parsed for e in events if e.type == "content.delta" and e.parsed]
    assert {"first": 27} in grown


def test_a_streamed_answer_has_its_usage_and_log_probabilities(scripted):
    with scripted.chat.completions.stream(
        model="scripted",
        messages=[USER],
        temperature=0,
        logprobs=True,
        top_logprobs=2,
        stream_options={"include_usage": True},
    ) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    assert completion.usage.completion_tokens_details.reasoning_tokens > 0
    assert completion.usage.prompt_tokens_details.cached_tokens >= 0
    assert len(completion.choices[0].logprobs.content) == len(SUM)
    assert [e.type for e in events].count("logprobs.content.done") == 1


def test_a_strict_tool_of_the_clients_making_is_called_and_parsed(scripted):
    tools = [openai.pydantic_function_tool(Weather), openai.pydantic_function_tool(Roll)]
    completion = scripted.chat.completions.parse(
        model="scripted", messages=[USER], tools=tools, tool_choice="required", temperature=0
    )
    [call] = completion.choices[0].message.tool_calls
    assert call.function.parsed_arguments == Weather(city="Zürich")
    with scripted.chat.completions.stream(
        model="scripted", messages=[USER], tools=tools, tool_choice="required", temperature=0
    ) as stream:
        events = list(stream)
        [call] = stream.get_final_completion().choices[0].message.tool_calls
    assert call.function.parsed_arguments == Weather(city="Zürich")
    [done] = [e for e in events if e.type == "tool_calls.function.arguments.done"]
    assert done.arguments == '{"city":"Zürich"}'


def test_nano_answers_and_reasons(nano):
    completion = nano.chat.completions.create(model="nano", messages=[USER], temperature=0)
    message = completion.choices[0].message
    assert "42" in message.content
    assert "27 + 15 = 42" in message.reasoning
    chunks = list(
        nano.chat.completions.create(model="nano", messages=[USER], temperature=0, stream=True)
    )
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == message.content


@pytest.mark.parametrize("seed", range(3))
def test_nano_keeps_to_a_schema_that_it_never_saw(nano, seed):
    completion = nano.chat.completions.parse(
        model="nano", messages=[USER], response_format=Sum, seed=seed
    )
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert isinstance(choice.message.parsed, Sum)


@pytest.mark.parametrize("seed", range(3))
def test_nano_calls_a_tool_that_it_is_made_to_call(nano, seed):
    roll = openai.pydantic_function_tool(Roll)
    completion = nano.chat.completions.parse(
        model="nano",
        messages=[USER],
        tools=[roll],
        tool_choice={"type": "function", "function": {"name": "Roll"}},
        parallel_tool_calls=False,
        seed=seed,
    )
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert isinstance(choice.message.tool_calls[0].function.parsed_arguments, Roll)


def test_nano_gives_several_answers_over_one_prompt(nano):
    fields = {"model": "nano", "messages": [USER], "n": 3, "seed": 5, "max_tokens": 100}
    whole = nano.chat.completions.create(**fields)
    texts = dict.fromkeys(range(3), "")
    for chunk in nano.chat.completions.create(**fields, stream=True):
        [choice] = chunk.choices
        texts[choice.index] += choice.delta.content or ""
    assert list(texts.values()) == [choice.message.content or "" for choice in whole.choices]


def test_a_bias_can_keep_nano_from_a_word(nano):
    fields = {"model": "nano", "messages": [USER], "temperature": 0, "max_tokens": 200}
    told = {"netweight": {"tokens": True, "top": 0}}
    free = nano.chat.completions.create(**fields, extra_body=told).netweight["tokens"]
    banned = next(token["id"] for token in free if token["kind"] == "final")
    bias = {str(banned): -100}
    other = nano.chat.completions.create(**fields, extra_body=told, logit_bias=bias).netweight
    assert "final" in {token["kind"] for token in other["tokens"]}
    assert banned not in {token["id"] for token in other["tokens"]}


def test_a_schema_that_cannot_be_enforced_is_a_bad_request(scripted):
    schema = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}
    with pytest.raises(openai.BadRequestError, match="not, which cannot be enforced") as caught:
        scripted.chat.completions.create(
            model="scripted",
            messages=[USER],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": schema, "strict": True},
            },
        )
    assert caught.value.param == "response_format.json_schema.schema"
    assert json.loads(caught.value.response.text)["error"]["code"] == "invalid_value"
