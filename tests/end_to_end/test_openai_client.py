"""The client that most programs use, against a real server: checkpoint to answer, and tools."""

import json
from contextlib import ExitStack

import openai
import pytest

from netweight.server import serving
from tests.server.conftest import ANSWER, CALL, saying

USER = {"role": "user", "content": "27 + 15?"}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


DASHED = {"type": "function", "function": TOOL["function"] | {"name": "get-weather"}}


@pytest.fixture(scope="module")
def clients(tiny):
    """Clients of the tiny model, and of models that say ANSWER, CALL, and CALL to get_weather."""
    renamed = saying(CALL.replace("functions.weather", "functions.get_weather"))
    models = {"tiny": tiny, "answer": saying(ANSWER), "call": saying(CALL), "renamed": renamed}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                openai.OpenAI(
                    base_url=stack.enter_context(serving(model)), api_key="none", max_retries=0
                )
            )
            for name, model in models.items()
        }


def ask(client, **fields):
    model = client.models.list().data[0].id
    return client.chat.completions.create(model=model, messages=[USER], **fields)


def test_a_checkpoint_answers_the_same_whole_and_streamed(clients):
    for fields in ({"temperature": 0}, {"seed": 3, "extra_body": {"min_p": 0.01, "top_k": 50}}):
        whole = ask(clients["tiny"], max_tokens=24, **fields)
        chunks = list(ask(clients["tiny"], max_tokens=24, stream=True, **fields))
        assert whole.usage.completion_tokens <= 24
        message = whole.choices[0].message
        deltas = [chunk.choices[0].delta for chunk in chunks]
        assert "".join(delta.content or "" for delta in deltas) == (message.content or "")
        assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason


def test_a_seed_repeats_an_answer_and_the_answer_names_its_seed(clients):
    first = ask(clients["tiny"], max_tokens=24)
    again = ask(clients["tiny"], max_tokens=24, seed=first.seed)
    assert again.choices == first.choices


def test_log_probabilities_can_be_read(clients):
    completion = ask(clients["answer"], logprobs=True, top_logprobs=2)
    scores = completion.choices[0].logprobs.content
    assert "".join(score.token for score in scores if len(score.token.encode()) == 1)
    for score in scores:
        assert score.logprob == pytest.approx(0)
        assert score.top_logprobs[0].token == score.token
        assert score.top_logprobs[1].logprob < -50


def test_reasoning_can_be_read(clients):
    message = ask(clients["answer"]).choices[0].message
    assert (message.content, message.reasoning) == ("It is 42 ✓.", "27 + 15 is 42.")
    deltas = [chunk.choices[0].delta for chunk in ask(clients["answer"], stream=True)]
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == message.reasoning


def test_a_tool_loop_goes_round(clients):
    choice = ask(clients["call"], tools=[TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Zürich"}
    messages = [USER, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    answer = clients["answer"].chat.completions.create(
        model="scripted", messages=messages, tools=[TOOL]
    )
    assert answer.choices[0].message.content == "It is 42 ✓."


def test_streamed_tool_calls_add_up_in_the_clients_own_helper(clients):
    client = clients["call"]
    with client.chat.completions.stream(model="scripted", messages=[USER], tools=[TOOL]) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.name == "weather"
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Zürich"}


def test_a_tool_may_have_a_name_that_harmony_cannot_declare(clients):
    message = ask(clients["renamed"], tools=[DASHED]).choices[0].message
    [call] = message.tool_calls
    assert call.function.name == "get-weather"
    chunks = list(ask(clients["renamed"], tools=[DASHED], stream=True))
    deltas = [delta for chunk in chunks for delta in chunk.choices[0].delta.tool_calls or []]
    assert [delta.function.name for delta in deltas if delta.function.name] == ["get-weather"]
    messages = [USER, message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    answer = clients["answer"].chat.completions.create(
        model="scripted", messages=messages, tools=[DASHED]
    )
    assert answer.choices[0].message.content == "It is 42 ✓."


def test_errors_are_the_clients_own_classes(clients):
    client = clients["answer"]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": "x" * 5000}]
        )
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="other", messages=[USER])
    with pytest.raises(openai.BadRequestError, match="best_of"):
        ask(client, extra_body={"best_of": 2})
