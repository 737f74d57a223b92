"""What /v1/chat/completions does with its fields, over a real socket."""

import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, byte_vocabulary, one_hot, spell
from tests.server.conftest import ANSWER, CALL, chat_model, client_of, saying, until
from tests.server.test_app import BODY, ask, error_of, stream


def final(text):
    return f"<|channel|>final<|message|>{text}<|return|>"


def pieces(chunks, field, *, index=0):
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return [c["delta"][field] for c in choices if c["index"] == index and field in c["delta"]]


def content(chunks, **kwargs):
    return "".join(pieces(chunks, "content", **kwargs))


# What the model is told


@pytest.fixture
def told(monkeypatch):
    """The prompts that the engine gets, as text, and a client whose server says ANSWER."""
    model, prompts = saying(ANSWER), []
    check = model.engine.check

    def noting(request):
        prompts.append(byte_vocabulary().decode(request.prompt_ids))
        return check(request)

    monkeypatch.setattr(model.engine, "check", noting)
    with client_of(model) as client:
        yield prompts, client


def test_effort_and_response_format_are_told_to_the_model(told):
    prompts, client = told
    assert ask(client).status_code == 200
    assert "Reasoning: medium" in prompts[-1]
    schema = {"type": "object", "properties": {"sum": {"type": "integer"}}}
    response_format = {"type": "json_schema", "json_schema": {"name": "sum", "schema": schema}}
    for effort in ("low", "high"):
        # The scripted answer does not follow the format, so it is only begun.
        ask(client, reasoning_effort=effort, response_format=response_format, max_tokens=5)
        assert f"Reasoning: {effort}" in prompts[-1]
        assert '# Response Formats\n\n## sum\n\n{"type":"object",' in prompts[-1]


def test_reasoning_of_earlier_turns_is_taken_under_either_name(told):
    prompts, client = told
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    for name in ("reasoning", "reasoning_content"):
        messages = [
            *BODY["messages"],
            {"role": "assistant", name: "Let me look.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "rain"},
        ]
        assert ask(client, messages=messages).status_code == 200
        assert "<|channel|>analysis<|message|>Let me look.<|end|>" in prompts[-1]


def test_a_whole_reply_can_be_sent_back(told):
    prompts, client = told
    message = ask(client).json()["choices"][0]["message"]
    again = [*BODY["messages"], message, {"role": "user", "content": "Sure?"}]
    assert ask(client, messages=again).status_code == 200
    assert "<|channel|>final<|message|>It is 42 ✓.<|end|>" in prompts[-1]


# What the model is held to

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock"}}


class Torn(FakeModel):
    """A model that says what it would like to, or, where it may not, the next best of its texts."""

    def __init__(self, *texts):
        self.scripts = [spell(text) for text in texts]
        super().__init__(self.next, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)

    def next(self, token_ids, num_prompt):
        said = token_ids[num_prompt:]
        logits = one_hot(ord("?"), BYTE_VOCABULARY_SIZE)
        for rank, script in enumerate(reversed(self.scripts)):
            if len(said) < len(script) and script[: len(said)] == said:
                logits[script[len(said)]] = 60.0 + rank
        return logits


CALL_CLOCK = "<|channel|>commentary to=functions.clock <|constrain|>json<|message|>{}<|call|>"
CALL_WEATHER = CALL_CLOCK.replace("clock", "weather").replace("{}", '{"city":"Rome"}')
HOLD_ON = "<|channel|>commentary<|message|>Hold on.<|end|><|start|>assistant"


@pytest.fixture(scope="module")
def torn():
    """A client of a model that would rather answer, then call the clock, then the weather."""
    model = Torn(final("Hi."), CALL_CLOCK, CALL_WEATHER)
    with client_of(chat_model(model)) as client:
        yield client


@pytest.mark.parametrize(
    ("tool_choice", "called"),
    [
        (None, None),
        ("auto", None),
        ("none", None),
        ("required", "clock"),
        ({"type": "function", "function": {"name": "weather"}}, "weather"),
        ({"type": "function", "function": {"name": "clock"}}, "clock"),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "weather"}}],
                },
            },
            "weather",
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "weather"}}],
                },
            },
            None,
        ),
    ],
)
def test_a_tool_choice_is_kept(torn, tool_choice, called):
    fields = {"tools": [WEATHER, CLOCK], "temperature": 0}
    fields |= {} if tool_choice is None else {"tool_choice": tool_choice}
    [choice] = ask(torn, **fields).json()["choices"]
    calls = choice["message"].get("tool_calls") or []
    assert [call["function"]["name"] for call in calls] == ([called] if called else [])
    assert choice["finish_reason"] == ("tool_calls" if called else "stop")
    assert choice["message"]["content"] == (None if called else "Hi.")
    chunks = stream(torn, **fields)
    streamed = [delta for deltas in pieces(chunks, "tool_calls") for delta in deltas]
    assert [d["function"]["name"] for d in streamed if "name" in d["function"]] == (
        [called] if called else []
    )


def test_a_strict_tool_gets_valid_arguments_and_another_may_not():
    wrong = CALL_CLOCK.replace("clock", "weather").replace("{}", '{"town":1}')
    fields = {"temperature": 0, "max_tokens": 90}
    with client_of(chat_model(Torn(wrong, CALL_WEATHER))) as client:
        strict = {"type": "function", "function": WEATHER["function"] | {"strict": True}}
        for tool, arguments in ((WEATHER, '{"town":1}'), (strict, '{"city":"Rome"}')):
            [choice] = ask(client, tools=[tool], **fields).json()["choices"]
            [call] = choice["message"]["tool_calls"]
            assert call["function"]["arguments"] == arguments


def test_parallel_calls_come_together_unless_they_are_forbidden():
    both = CALL_CLOCK.replace("<|call|>", "<|end|><|start|>assistant") + CALL_WEATHER
    fields = {"tools": [WEATHER, CLOCK], "temperature": 0}
    with client_of(chat_model(Torn(both, CALL_CLOCK))) as client:
        for allowed, names in ((True, ["clock", "weather"]), (False, ["clock"])):
            [choice] = ask(client, parallel_tool_calls=allowed, **fields).json()["choices"]
            calls = choice["message"]["tool_calls"]
            assert [call["function"]["name"] for call in calls] == names
            assert len({call["id"] for call in calls}) == len(names)


@pytest.mark.parametrize(
    ("response_format", "answer"),
    [
        ({"type": "text"}, "Forty-two."),
        ({"type": "json_object"}, '{"answer":42}'),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "sum",
                    "schema": {"type": "object", "properties": {"sum": {"type": "integer"}}},
                },
            },
            '{"sum":42}',
        ),
    ],
)
def test_a_response_format_holds_for_the_final_message_alone(response_format, answer):
    thought = "<|channel|>analysis<|message|>Free thought.<|end|><|start|>assistant"
    texts = ["Forty-two.", '{"answer":42}', '{"sum":42}']
    model = Torn(*(thought + final(text) for text in texts))
    with client_of(chat_model(model)) as client:
        [choice] = ask(client, response_format=response_format, temperature=0).json()["choices"]
    assert choice["message"]["content"] == answer
    assert choice["message"]["reasoning"] == "Free thought."


# Where the answer ends

THINKING_ALOUD = (
    "<|channel|>analysis<|message|>one STOP two<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>three STOP four<|end|>"
    "<|start|>assistant<|channel|>final<|message|>fünf ✓✗ STOP sechs<|return|>"
)


@pytest.fixture(scope="module")
def thinking_aloud():
    """A client of a server that says THINKING_ALOUD."""
    with client_of(saying(THINKING_ALOUD)) as client:
        yield client


@pytest.mark.parametrize(
    ("stop", "left"),
    [
        ("STOP", "fünf ✓✗ "),
        (["nothing", "STOP"], "fünf ✓✗ "),
        ("✗", "fünf ✓"),  # three tokens, of which the first two are the beginning of other signs
        ("✓✗ S", "fünf "),
        (["sechs", "ST"], "fünf ✓✗ "),
        ("fünf", ""),
        (" sechs!", "fünf ✓✗ STOP sechs"),  # held back, and let go at the end
        ([], "fünf ✓✗ STOP sechs"),
    ],
)
def test_a_stop_string_ends_the_final_content_and_nothing_else(thinking_aloud, stop, left):
    [choice] = ask(thinking_aloud, stop=stop).json()["choices"]
    expected = f"three STOP four\n\n{left}" if left else "three STOP four"
    assert choice["message"]["content"].rstrip("\n") == expected
    assert choice["message"]["reasoning"] == "one STOP two"
    assert choice["finish_reason"] == "stop"
    chunks = stream(thinking_aloud, stop=stop)
    assert content(chunks) == choice["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_logprobs_and_usage_end_where_the_content_does(thinking_aloud):
    completion = ask(thinking_aloud, stop="STOP", logprobs=True).json()
    scores = completion["choices"][0]["logprobs"]["content"]
    spelt = bytes(byte for score in scores for byte in score["bytes"]).decode()
    assert spelt == "three STOP fourfünf ✓✗ "
    whole = ask(thinking_aloud).json()["usage"]["completion_tokens"]
    # Not counted: " sechs", <|return|>.
    assert completion["usage"]["completion_tokens"] == whole - len(" sechs") - 1


def test_a_stop_string_frees_the_engine():
    said = spell(final("abcSTOP"))
    model = FakeModel(
        lambda ids, n: one_hot(
            said[len(ids) - n] if len(ids) - n < len(said) - 1 else ord("."), BYTE_VOCABULARY_SIZE
        ),
        vocab_size=BYTE_VOCABULARY_SIZE,
        max_context=100_000,
    )
    chat = chat_model(model)
    with client_of(chat) as client:
        for whole in (True, False):
            if whole:
                assert ask(client, stop="STOP").json()["choices"][0]["message"]["content"] == "abc"
            else:
                assert content(stream(client, stop="STOP")) == "abc"
            until(lambda: not chat.engine.has_work)
            chat.engine.check_integrity()


# Several answers


@pytest.fixture(scope="module")
def wondering():
    """A client of a server whose answers depend on the draw: one letter of eight, eight times."""
    opening = spell("<|channel|>final<|message|>")

    def next_logits(token_ids, num_prompt):
        place = len(token_ids) - num_prompt
        if place < len(opening):
            return one_hot(opening[place], BYTE_VOCABULARY_SIZE)
        if place == len(opening) + 8:
            return one_hot(spell("<|return|>")[0], BYTE_VOCABULARY_SIZE)
        logits = one_hot(0, BYTE_VOCABULARY_SIZE)
        logits[0] = -50.0
        logits[ord("a") : ord("i")] = 0.0
        return logits

    model = FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    with client_of(chat_model(model)) as client:
        yield client


def texts(completion):
    assert [choice["index"] for choice in completion["choices"]] == list(
        range(len(completion["choices"]))
    )
    return [choice["message"]["content"] for choice in completion["choices"]]


def test_choice_i_is_what_seed_plus_i_gives_alone(wondering):
    together = ask(wondering, n=5, seed=11).json()
    alone = [texts(ask(wondering, seed=11 + i).json())[0] for i in range(5)]
    assert texts(together) == alone
    assert len(set(alone)) == 5
    assert together["seed"] == 11
    fresh = ask(wondering, n=2).json()
    assert texts(ask(wondering, n=2, seed=fresh["seed"]).json()) == texts(fresh)


def test_the_largest_seed_has_a_next_one(wondering):
    largest = 2**63 - 1
    assert texts(ask(wondering, n=2, seed=largest).json()) == [
        texts(ask(wondering, seed=seed).json())[0] for seed in (largest, -(2**63))
    ]


def test_streamed_choices_are_told_apart_by_their_index(wondering):
    whole = ask(wondering, n=4, seed=3).json()
    chunks = stream(wondering, n=4, seed=3, stream_options={"include_usage": True})
    assert [content(chunks, index=i) for i in range(4)] == texts(whole)
    opened = [c["choices"][0]["index"] for c in chunks if c["choices"]][:4]
    assert opened == [0, 1, 2, 3]
    ends = [
        (choice["index"], chunk["seed"])
        for chunk in chunks
        for choice in chunk["choices"]
        if choice["finish_reason"]
    ]
    assert sorted(ends) == [(i, 3 + i) for i in range(4)]
    assert chunks[-1]["usage"] == whole["usage"]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_usage_counts_the_prompt_once_and_every_answer(wondering):
    one = ask(wondering).json()["usage"]
    three = ask(wondering, n=3).json()["usage"]
    assert three["prompt_tokens"] == one["prompt_tokens"]
    assert three["completion_tokens"] == 3 * one["completion_tokens"]
    assert three["total_tokens"] == three["prompt_tokens"] + three["completion_tokens"]


def test_one_choice_may_stop_before_the_others(wondering):
    whole = texts(ask(wondering, n=6, seed=1).json())
    stopped = texts(ask(wondering, n=6, seed=1, stop="a").json())
    assert stopped == [text.partition("a")[0] for text in whole]
    assert any("a" in text for text in whole)
    assert not all("a" in text for text in whole)


def test_usage_tells_what_was_cached():
    with client_of(saying(ANSWER)) as client:
        first, second = (ask(client).json()["usage"] for _ in range(2))
    assert first["prompt_tokens_details"] == {"cached_tokens": 0}
    cached = second["prompt_tokens_details"]["cached_tokens"]
    assert second["prompt_tokens"] - 64 < cached < second["prompt_tokens"]


# How tokens are drawn


def test_bias_and_penalties_shape_the_answer(wondering):
    banned = {str(ord(letter)): -100 for letter in "abcdef"}
    for seed in range(5):
        [text] = texts(ask(wondering, logit_bias=banned, seed=seed).json())
        assert set(text) <= set("gh")
    # A penalty of 2 makes letters that came before seven times less likely.
    plain = [texts(ask(wondering, seed=seed).json())[0] for seed in range(12)]
    varied = [
        texts(ask(wondering, seed=seed, presence_penalty=2, frequency_penalty=2).json())[0]
        for seed in range(12)
    ]
    assert sum(len(set(text)) for text in varied) > sum(len(set(text)) for text in plain)


def test_a_bias_for_a_token_that_does_not_exist_is_refused(wondering):
    response = ask(wondering, logit_bias={"264": 1})
    assert response.status_code == 400
    assert error_of(response)["param"] == "logit_bias"
    assert "264" in error_of(response)["message"]


# The tokens themselves


def told_tokens(chunks):
    return [token for chunk in chunks for token in chunk["netweight"].get("tokens", [])]


@pytest.mark.parametrize("text", [ANSWER, CALL, THINKING_ALOUD])
def test_all_tokens_are_told_when_asked_for(text):
    options = {"tokens": True, "top": 2}
    with client_of(saying(text)) as client:
        told = ask(client, netweight=options).json()["netweight"]
        chunks = stream(client, netweight=options)
        usage = ask(client).json()["usage"]
    assert "".join(token["text"] for token in told["tokens"] if token["id"] < 128) == "".join(
        chr(i) for i in spell(text) if i < 128
    )
    assert [token["id"] for token in told["tokens"]] == spell(text)
    assert len(told["prompt"]) == usage["prompt_tokens"]
    assert told_tokens(chunks) == told["tokens"]
    assert chunks[0]["netweight"]["prompt"] == told["prompt"]
    for token in told["tokens"]:
        assert len(token["top"]) == 2
        assert token["top"][0]["id"] == token["id"]
        assert token["top"][0]["logprob"] == token["logprob"] == pytest.approx(0)


def runs(tokens):
    """What follows what, equal neighbours taken together."""
    kinds = [token["kind"] for token in tokens]
    return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]


def test_tokens_say_what_they_are():
    message = [{"role": "system", "content": "Brief."}, *BODY["messages"]]
    with client_of(saying(THINKING_ALOUD)) as client:
        told = ask(client, messages=message, netweight={"tokens": True}).json()["netweight"]
    opening, turn = ["special", "header", "special"], ["header", "special"]
    assert runs(told["tokens"]) == [
        *[*opening, "analysis"],
        *[*opening, *turn, "commentary"],
        *[*opening, *turn, "final", "special"],
    ]
    assert runs(told["prompt"]) == [
        *[*opening, "system"],
        *[*opening, "developer"],
        *[*opening, "user"],
        *["special", "header"],
    ]


def test_tokens_are_not_told_unasked_and_of_one_answer_only(answering):
    assert "netweight" not in ask(answering).json()
    assert not any("netweight" in chunk for chunk in stream(answering, netweight={}))
    response = ask(answering, n=2, netweight={"tokens": True})
    assert response.status_code == 400
    assert error_of(response)["param"] == "netweight.tokens"


def test_tokens_may_have_more_candidates_than_logprobs(answering):
    completion = ask(
        answering, logprobs=True, top_logprobs=1, netweight={"tokens": True, "top": 3}
    ).json()
    assert {len(t["top"]) for t in completion["netweight"]["tokens"]} == {3}
    scores = completion["choices"][0]["logprobs"]["content"]
    assert {len(score["top_logprobs"]) for score in scores} == {1}


# Streamed or whole


@pytest.fixture(scope="module")
def obedient():
    """A client, and a list whose first element is what its model says next."""
    script = [[]]

    def next_logits(token_ids, num_prompt):
        place = min(len(token_ids) - num_prompt, len(script[0]) - 1)
        return one_hot(script[0][place], BYTE_VOCABULARY_SIZE)

    model = FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    with client_of(chat_model(model)) as client:
        yield client, script


words = st.text("ab ✓\n", max_size=6)
messages = st.one_of(
    st.builds("<|channel|>analysis<|message|>{}<|end|>".format, words),
    st.builds("<|channel|>commentary<|message|>{}<|end|>".format, words),
    st.builds(
        "<|channel|>commentary to=functions.{}<|message|>{}<|end|>".format,
        st.sampled_from(["f", "g"]),
        words,
    ),
    st.builds("<|channel|>final<|message|>{}<|end|>".format, words),
    st.builds("{}<|message|>{}".format, words, words),  # broken
)
replies = st.lists(messages, min_size=1, max_size=4).map("<|start|>assistant".join)
endings = st.sampled_from(["<|return|>", "<|call|>"])


def add_up(chunks):
    """The message that a client puts together of chunks."""
    calls = {}
    for deltas in pieces(chunks, "tool_calls"):
        for delta in deltas:
            call = calls.setdefault(delta["index"], {"name": "", "arguments": ""})
            for field, text in delta["function"].items():
                call[field] += text
    return {
        "content": content(chunks),
        "reasoning": "".join(pieces(chunks, "reasoning")),
        "calls": [calls[index] for index in sorted(calls)],
        "finish_reason": chunks[-1]["choices"][0]["finish_reason"],
        "logprobs": [
            score
            for chunk in chunks
            for score in (chunk["choices"][0]["logprobs"] or {"content": []})["content"]
        ],
    }


@settings(max_examples=30)
@given(
    replies,
    endings,
    st.lists(st.text("ab ✓", min_size=1, max_size=2), max_size=2),
    st.one_of(st.none(), st.integers(1, 40)),
)
def test_a_streamed_answer_and_a_whole_one_agree(obedient, text, ending, stop, max_tokens):
    client, script = obedient
    script[0] = spell(text + ending)
    fields = {"stop": stop, "max_tokens": max_tokens, "logprobs": True, "seed": 1}
    [choice] = ask(client, **fields).json()["choices"]
    message = choice["message"]
    assert add_up(stream(client, **fields)) == {
        "content": message["content"] or "",
        "reasoning": message.get("reasoning") or "",
        "calls": [call["function"] for call in message.get("tool_calls") or []],
        "finish_reason": choice["finish_reason"],
        "logprobs": choice["logprobs"]["content"],
    }


def test_many_streams_at_once_are_not_mixed_up(wondering):
    """Each is what its seed gives, however they are interleaved."""
    results = {}

    def read(seed):
        chunks = stream(wondering, n=2, seed=seed)
        results[seed] = [content(chunks, index=index) for index in range(2)]

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for seed in range(8):
        assert results[seed] == texts(ask(wondering, n=2, seed=seed).json())


@pytest.mark.parametrize("stop", [None, "✓"])
def test_the_ids_that_were_read_and_written_are_told_whole_and_in_a_stream(answering, stop):
    fields = {"return_token_ids": True, "stop": stop, "seed": 3}
    whole = ask(answering, **fields).json()
    vocabulary, [choice] = byte_vocabulary(), whole["choices"]
    assert len(whole["prompt_token_ids"]) == whole["usage"]["prompt_tokens"]
    prompt = vocabulary.decode(whole["prompt_token_ids"])
    assert prompt.startswith("<|start|>system<|message|>")
    assert prompt.endswith(f"{BODY['messages'][-1]['content']}<|end|><|start|>assistant")
    assert len(choice["token_ids"]) == whole["usage"]["completion_tokens"]
    written = vocabulary.decode(choice["token_ids"])
    assert ANSWER.startswith(written) and (written == ANSWER) == (stop is None)
    first, *others = stream(answering, **fields)
    assert first["prompt_token_ids"] == whole["prompt_token_ids"]
    assert not any("prompt_token_ids" in chunk for chunk in others)
    streamed = [i for chunk in [first, *others] for i in chunk["choices"][0]["token_ids"]]
    assert streamed == choice["token_ids"]


def test_each_of_several_answers_has_its_own_ids(wondering):
    asked = ask(wondering, n=3, seed=5, return_token_ids=True).json()
    chunks = stream(wondering, n=3, seed=5, return_token_ids=True)
    for index, choice in enumerate(asked["choices"]):
        mine = [one for chunk in chunks for one in chunk["choices"] if one["index"] == index]
        assert [i for one in mine for i in one["token_ids"]] == choice["token_ids"]
        said = byte_vocabulary().decode(choice["token_ids"])
        assert choice["message"]["content"] in said
    assert len({tuple(choice["token_ids"]) for choice in asked["choices"]}) > 1


def test_ids_that_are_not_asked_for_are_not_told(answering):
    assert "token_ids" not in ask(answering).text
    assert "token_ids" not in ask(answering, stream=True, logprobs=True).text


def test_every_event_is_json_of_one_completion(answering):
    chunks = stream(answering, n=2)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert json.dumps(chunks)


def test_the_openapi_document_describes_answers_and_tokens(answering):
    document = answering.get("../openapi.json").json()
    response = document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]
    assert set(response["content"]) == {"application/json", "text/event-stream"}
    schemas = document["components"]["schemas"]
    assert {"choices", "usage", "netweight"} <= set(schemas["ChatCompletion"]["properties"])
    assert set(schemas["WrittenToken"]["properties"]) == {"id", "text", "kind", "logprob", "top"}
    assert "n to be 1" in schemas["NetweightOptions"]["description"]
