"""OpenAI's own client and its helpers, against /v1/responses of nano and of scripted models."""

import json
from contextlib import contextmanager

import openai
import pytest
from pydantic import BaseModel, Field

from netweight.model import find_model
from netweight.server import ChatModel, serving
from netweight.server.settings import ServerSettings
from tests.server.conftest import saying, saying_in_turn
from tests.server.responses import CODE, BuiltIn, Python, call, code, final, then, thought


class Sum(BaseModel):
    """A sum, taken apart."""

    first: int = Field(ge=0, le=99)
    second: int = Field(ge=0, le=99)


class Weather(BaseModel):
    """Look up the weather."""

    city: str


class Roll(BaseModel):
    """Roll dice."""

    sides: int = Field(ge=2, le=20)
    is_loaded: bool


SUM = '{"first":27,"second":15}'
TWO_CALLS = then(
    thought("Both."),
    call('{"city":"Zürich"}', name="Weather"),
    call('{"sides":6,"is_loaded":false}', name="Roll"),
)
TOOLS = [openai.pydantic_function_tool(model) for model in (Weather, Roll)]
TOOLS = [{"type": "function", **tool["function"]} for tool in TOOLS]
USER = {"role": "user", "content": "27 + 15?"}


@contextmanager
def client_of(model, **settings):
    """A client of a server around a ChatModel."""
    with (
        serving(model, ServerSettings(**settings)) as url,
        openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def nano():
    """A client of nano."""
    with client_of(ChatModel.load(find_model("nano"))) as client:
        yield client


@pytest.fixture(scope="module")
def summing():
    """A client of a model that says a sum as JSON."""
    with client_of(saying(then(thought("Let me see."), final(SUM)))) as client:
        yield client


@pytest.fixture(scope="module")
def calling():
    """A client of a model that makes two calls at once, and answers when they were answered."""
    with client_of(saying_in_turn(TWO_CALLS, *[final("Sun and six.")] * 2)) as client:
        yield client


def outputs(response):
    calls = [item for item in response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["Weather", "Roll"]
    assert json.loads(calls[0].arguments) == {"city": "Zürich"}
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"of {call.name}"}
        for call in calls
    ]


def test_a_response_can_be_created_retrieved_and_deleted(summing):
    responses = summing.responses
    created = responses.create(model="scripted", input=[USER], instructions="Add.")
    assert created.output_text == SUM
    assert created.output[0].content[0].text == "Let me see."
    assert responses.retrieve(created.id).output_text == SUM
    [item] = responses.input_items.list(created.id)
    assert item.content[0].text == "27 + 15?"
    following = responses.create(model="scripted", input="And?", previous_response_id=created.id)
    assert following.previous_response_id == created.id
    assert following.usage.input_tokens_details.cached_tokens > 0
    responses.delete(created.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(created.id)
    with pytest.raises(openai.BadRequestError) as caught:
        responses.create(model="scripted", input="And?", previous_response_id=created.id)
    assert caught.value.code == "previous_response_not_found"
    with pytest.raises(openai.BadRequestError, match="background"):
        responses.cancel(following.id)


def test_input_items_are_paged_by_the_client(summing):
    items = [{"role": "user", "content": str(number)} for number in range(7)]
    created = summing.responses.create(model="scripted", input=items)
    pages = summing.responses.input_items.list(created.id, limit=3, order="asc")
    assert [item.content[0].text for item in pages] == list("0123456")


def test_an_answer_is_parsed_whole_and_as_it_grows(summing):
    response = summing.responses.parse(model="scripted", input=[USER], text_format=Sum)
    assert response.output_parsed == Sum(first=27, second=15)
    fields = {"model": "scripted", "input": [USER], "text_format": Sum}
    with summing.responses.stream(**fields) as stream:
        events = list(stream)
        last = stream.get_final_response()
    assert last.output_parsed == response.output_parsed
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert deltas[-1].snapshot == SUM
    # What was parsed can be sent back as it is.
    following = [USER, *last.output, {"role": "user", "content": "Again."}]
    summing.responses.create(model="scripted", input=following)


def test_a_streamed_response_is_read_by_the_clients_own_helper(calling):
    with calling.responses.stream(model="scripted", input=[USER], tools=TOOLS) as stream:
        events = list(stream)
        response = stream.get_final_response()
    outputs(response)
    snapshots = [
        event.snapshot for event in events if event.type == "response.function_call_arguments.delta"
    ]
    assert snapshots[-1] == '{"sides":6,"is_loaded":false}'
    assert events[-1].type == "response.completed"


def test_a_loop_of_parallel_calls_goes_on_from_the_previous_response(calling):
    first = calling.responses.create(model="scripted", input=[USER], tools=TOOLS)
    second = calling.responses.create(
        model="scripted", previous_response_id=first.id, input=outputs(first), tools=TOOLS
    )
    assert second.output_text == "Sun and six."


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("as_objects", [True, False])
def test_a_loop_of_parallel_calls_goes_on_from_items_passed_back(calling, store, as_objects):
    fields = {"model": "scripted", "tools": TOOLS, "store": store}
    fields |= {"include": ["reasoning.encrypted_content"]}
    first = calling.responses.parse(input=[USER], **fields)
    passed = first.output if as_objects else [item.model_dump() for item in first.output]
    if not as_objects:
        for item in passed:
            item.pop("parsed_arguments", None)
    second = calling.responses.create(input=[USER, *passed, *outputs(first)], **fields)
    assert second.output_text == "Sun and six."


def test_code_is_run_between_events_that_the_client_knows():
    model = saying_in_turn(then(thought("Try."), code("a")), final("Done."))
    with client_of(model, tools=(BuiltIn(Python),)) as client:
        fields = {"model": "scripted", "input": "?", "tools": [CODE]}
        include = ["code_interpreter_call.outputs"]
        with client.responses.stream(**fields, include=include) as stream:
            kinds = {event.type for event in stream}
            response = stream.get_final_response()
    assert "response.code_interpreter_call.interpreting" in kinds
    [run] = [item for item in response.output if item.type == "code_interpreter_call"]
    assert (run.code, run.outputs[0].logs) == ("a", "A")
    assert response.output_text == "Done."


def test_errors_are_the_clients_own_classes(summing):
    create = summing.responses.create
    with pytest.raises(openai.BadRequestError) as caught:
        create(model="scripted", input="x" * 5000)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError):
        create(model="other", input="x")
    with pytest.raises(openai.BadRequestError, match="background") as caught:
        create(model="scripted", input="x", background=True)
    assert caught.value.param == "background"


def test_nano_answers_and_reasons(nano):
    fields = {"model": "nano", "input": "What is 27 + 15?", "temperature": 0}
    response = nano.responses.create(**fields)
    assert "42" in response.output_text
    [reasoning] = [item for item in response.output if item.type == "reasoning"]
    assert "27 + 15 = 42" in reasoning.content[0].text
    events = list(nano.responses.create(**fields, stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == response.output_text
    assert events[-1].response.output_text == response.output_text


@pytest.mark.parametrize("seed", range(3))
def test_nano_keeps_to_a_schema_that_it_never_saw(nano, seed):
    response = nano.responses.parse(
        model="nano", input="What is 27 + 15?", text_format=Sum, extra_body={"seed": seed}
    )
    assert isinstance(response.output_parsed, Sum)


def test_nano_calls_a_tool_that_it_is_made_to_call(nano):
    response = nano.responses.parse(
        model="nano",
        input="What is 27 + 15?",
        tools=TOOLS,
        tool_choice={"type": "function", "name": "Roll"},
        parallel_tool_calls=False,
        extra_body={"seed": 1},
    )
    [item] = [item for item in response.output if item.type == "function_call"]
    assert isinstance(Roll.model_validate_json(item.arguments), Roll)
