import json
import math
from itertools import chain

import pytest

from netweight.engine import Engine, PromptLogprobs, Request, Sampling, Token
from tests.fakes import BYTE_VOCABULARY_SIZE, Pseudorandom, spell
from tests.server.conftest import chat_model, client_of, saying

SAID = "It is ✓ and <b>.<|return|>"


@pytest.fixture(scope="module")
def saying_it():
    """A client of a server that continues every prompt with SAID."""
    with client_of(saying(SAID)) as client:
        yield client


@pytest.fixture(scope="module")
def unsure():
    """A client of a server whose model gives each history its own probabilities."""
    with client_of(chat_model(pseudorandom())) as client:
        yield client


def pseudorandom():
    return Pseudorandom(vocab_size=BYTE_VOCABULARY_SIZE, max_context=512)


def ask(client, prompt="Once", **fields):
    return client.post("completions", json={"model": "scripted", "prompt": prompt, **fields})


def choices(client, prompt="Once", **fields):
    response = ask(client, prompt, **fields)
    assert response.status_code == 200, response.text
    return response.json()["choices"]


def streamed(client, prompt="Once", **fields):
    response = ask(client, prompt, stream=True, **fields)
    *events, done, end = response.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def error_of(response):
    assert response.json().keys() == {"error"}
    return response.json()["error"]


def test_a_prompt_is_continued_as_it_stands(saying_it):
    response = ask(saying_it, max_tokens=100, seed=3).json()
    assert response["object"] == "text_completion"
    assert response["seed"] == 3
    [choice] = response["choices"]
    assert choice == {
        "index": 0,
        "text": "It is ✓ and <b>.",
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert response["usage"]["prompt_tokens"] == 4
    assert response["usage"]["completion_tokens"] == len(spell(SAID))


def test_an_answer_has_sixteen_tokens_unless_asked_for_more(saying_it):
    [choice] = choices(saying_it)
    assert choice["text"] == SAID.encode()[:16].decode()
    assert choice["finish_reason"] == "length"


def test_control_tokens_are_told_when_asked_for(saying_it):
    [choice] = choices(saying_it, max_tokens=100, skip_special_tokens=False)
    assert choice["text"] == SAID


def test_text_that_spells_a_control_token_is_text(saying_it):
    prompt = "<|start|>system<|message|>"
    [choice] = choices(saying_it, prompt, max_tokens=1, return_token_ids=True)
    assert choice["prompt_token_ids"] == list(prompt.encode())
    assert choice["token_ids"] == [ord("I")]


def test_token_ids_come_back_as_they_were_sent(saying_it):
    ids = spell("<|start|>user<|message|>hi<|end|>")
    [choice] = choices(saying_it, ids, max_tokens=100, return_token_ids=True, echo=True)
    assert choice["prompt_token_ids"] == ids
    assert choice["token_ids"] == spell(SAID)
    assert choice["text"].startswith("userhi")


@pytest.mark.parametrize("prompts", [["a", "bb"], [[97], [98, 98]]])
def test_each_of_several_prompts_has_its_own_choices(unsure, prompts):
    response = ask(unsure, prompts, n=2, seed=5, max_tokens=4, echo=True).json()
    texts = [choice["text"] for choice in response["choices"]]
    assert [choice["index"] for choice in response["choices"]] == [0, 1, 2, 3]
    alone = [
        choices(unsure, prompt, seed=seed, max_tokens=4, echo=True)[0]["text"]
        for prompt in prompts
        for seed in (5, 6)
    ]
    assert texts == alone
    assert [text[0] for text in texts] == list("aabb")
    assert response["usage"]["prompt_tokens"] == 3
    assert response["usage"]["completion_tokens"] == 16


FIELDS = {"seed": 5, "max_tokens": 30, "n": 3, "logprobs": 2, "return_token_ids": True}


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"echo": True},
        {"echo": True, "logprob_moments": True},
        {"stop": ["a", "e", "\x00"]},
    ],
)
def test_a_streamed_answer_is_the_same_in_pieces(unsure, extra):
    whole = choices(unsure, ["Once", "there was"], **FIELDS, **extra)
    pieces = streamed(unsure, ["Once", "there was"], **FIELDS, **extra)
    assert len({chunk["id"] for chunk in pieces}) == 1
    parts = [chunk["choices"][0] for chunk in pieces]
    for choice in whole:
        mine = [part for part in parts if part["index"] == choice["index"]]
        assert "".join(part["text"] for part in mine) == choice["text"]
        assert mine[-1]["finish_reason"] == choice["finish_reason"]
        assert [part["finish_reason"] for part in mine[:-1]] == [None] * (len(mine) - 1)
        assert list(chain(*(part["token_ids"] for part in mine))) == choice["token_ids"]
        assert mine[0]["prompt_token_ids"] == choice["prompt_token_ids"]
        for name, column in choice["logprobs"].items():
            told = [part["logprobs"][name] for part in mine if part["logprobs"]]
            assert list(chain(*told)) == column


def test_usage_is_streamed_last_when_asked_for(saying_it):
    *chunks, last = streamed(saying_it, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"] == ask(saying_it).json()["usage"]


def test_a_prompt_is_scored_without_an_answer(unsure):
    [choice] = choices(unsure, "Once upon", echo=True, max_tokens=0, logprobs=2)
    assert choice["text"] == "Once upon"
    assert choice["finish_reason"] == "length"
    scores = choice["logprobs"]
    assert scores["tokens"] == list("Once upon")
    assert scores["text_offset"] == list(range(9))
    assert scores["token_logprobs"][0] is scores["top_logprobs"][0] is None
    request = Request(list(b"Once upon"), Sampling(temperature=0), max_tokens=1, prompt_logprobs=2)
    [event] = [e for e in Engine(pseudorandom()).generate(request) if isinstance(e, PromptLogprobs)]
    assert scores["token_logprobs"][1:] == pytest.approx([one.drawn for one in event.logprobs])
    for top, one in zip(scores["top_logprobs"][1:], event.logprobs, strict=True):
        assert list(top.values())[:2] == pytest.approx([other.logprob for other in one.top])


MOMENTS = ("mean_logprobs", "std_logprobs")


def test_a_prompt_is_scored_with_the_moments_of_log_p(unsure):
    fields = {"echo": True, "max_tokens": 3, "logprobs": 0, "n": 2, "seed": 4}
    whole = choices(unsure, "Once upon", logprob_moments=True, **fields)
    request = Request(list(b"Once upon"), max_tokens=1, prompt_logprobs=0, prompt_moments=True)
    scored, *_ = Engine(pseudorandom()).generate(request)
    for choice in whole:
        scores = choice["logprobs"]
        for place, name in enumerate(MOMENTS):
            first, *others = scores[name]
            assert first is None
            assert others[:8] == pytest.approx([moments[place] for moments in scored.moments])
            assert others[8:] == [None] * 3, "of drawn tokens there are none"
    plain = choices(unsure, "Once upon", **fields)
    assert all(choice["logprobs"].keys().isdisjoint(MOMENTS) for choice in plain)
    for choice in whole:
        for name in MOMENTS:
            del choice["logprobs"][name]
    assert whole == plain, "they are all that is added"


def test_scoring_costs_nothing_in_usage(unsure):
    response = ask(unsure, "Once upon", echo=True, max_tokens=0, logprobs=0).json()
    assert response["usage"]["completion_tokens"] == 0
    assert response["usage"]["total_tokens"] == 9


def test_a_prompt_of_one_token_has_no_score(unsure):
    [choice] = choices(unsure, "O", echo=True, max_tokens=0, logprobs=1)
    assert choice["logprobs"]["token_logprobs"] == [None]


def test_drawn_tokens_have_the_engines_log_probabilities(unsure):
    [choice] = choices(unsure, temperature=0, max_tokens=5, logprobs=3)
    request = Request(list(b"Once"), Sampling(temperature=0), max_tokens=5, num_logprobs=3)
    tokens = [e for e in Engine(pseudorandom()).generate(request) if isinstance(e, Token)]
    drawn = [token.logprobs.drawn for token in tokens]
    assert choice["logprobs"]["token_logprobs"] == pytest.approx(drawn)
    assert all(len(top) == 3 for top in choice["logprobs"]["top_logprobs"])


def test_the_drawn_token_is_told_beside_the_likeliest(unsure):
    [choice] = choices(unsure, temperature=2, seed=1, max_tokens=20, logprobs=1)
    logprobs = choice["logprobs"]
    tops = zip(logprobs["tokens"], logprobs["top_logprobs"], strict=True)
    assert all(token in top for token, top in tops)
    assert any(len(top) == 2 for _, top in zip(range(20), logprobs["top_logprobs"], strict=True))


def test_probabilities_of_all_that_may_come_next_are_told_to_twenty(unsure):
    [choice] = choices(unsure, temperature=0, max_tokens=1, logprobs=20)
    [top] = choice["logprobs"]["top_logprobs"]
    assert len(top) == 20
    assert sum(math.exp(logprob) for logprob in top.values()) < 1
    assert ask(unsure, logprobs=21).status_code == 400


def test_tokens_may_be_named_by_their_ids(unsure):
    fields = {"temperature": 0, "max_tokens": 5, "logprobs": 2, "return_token_ids": True}
    [choice] = choices(unsure, return_tokens_as_token_ids=True, **fields)
    names = [f"token_id:{token_id}" for token_id in choice["token_ids"]]
    assert choice["logprobs"]["tokens"] == names


def test_part_of_a_character_is_told_as_bytes_and_comes_whole_as_text(saying_it):
    [choice] = choices(saying_it, max_tokens=100, logprobs=0)
    at = choice["logprobs"]["tokens"].index(r"bytes:\xe2")
    assert choice["logprobs"]["tokens"][at : at + 3] == [
        r"bytes:\xe2",
        r"bytes:\x9c",
        r"bytes:\x93",
    ]
    assert choice["logprobs"]["text_offset"][at : at + 4] == [6, 6, 6, 7]
    texts = [chunk["choices"][0]["text"] for chunk in streamed(saying_it, max_tokens=100)]
    assert "✓" in texts


def test_half_a_character_at_the_end_is_told_as_such(saying_it):
    [choice] = choices(saying_it, max_tokens=7)
    assert choice["text"] == "It is \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("stop", [" and", ["nothing", " and <"], "✓ and"])
def test_an_answer_ends_before_a_stop_string(saying_it, stop):
    [choice] = choices(saying_it, max_tokens=100, stop=stop)
    first = stop if isinstance(stop, str) else stop[1]
    assert choice["text"] == "It is ✓ and <b>.".partition(first)[0]
    assert choice["finish_reason"] == "stop"
    texts = [
        chunk["choices"][0]["text"] for chunk in streamed(saying_it, max_tokens=100, stop=stop)
    ]
    assert "".join(texts) == choice["text"]


def test_what_is_told_does_not_begin_with_a_stop_string_of_the_prompt(saying_it):
    [choice] = choices(saying_it, "stop", echo=True, stop="stop", max_tokens=4)
    assert choice["text"] == "stopIt i"


def test_choices_of_one_prompt_read_it_once():
    model = pseudorandom()
    with client_of(chat_model(model)) as client:
        response = ask(client, "x" * 300, n=4, echo=True, logprobs=0, max_tokens=2).json()
    assert model.num_tokens < 300 + 4 * 64
    first, *others = response["choices"]
    for other in others:
        assert (
            other["logprobs"]["token_logprobs"][:300] == first["logprobs"]["token_logprobs"][:300]
        )


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"prompt": None}, "prompt", "invalid_value"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["a", 1]}, "prompt[1]", "invalid_value"),
        ({"prompt": [1, "a"]}, "prompt[1]", "invalid_value"),
        ({"prompt": [1, True]}, "prompt[1]", "invalid_value"),
        ({"prompt": [[1], "a"]}, "prompt[1]", "invalid_value"),
        ({"prompt": [-1]}, "prompt[0]", "invalid_value"),
        ({"prompt": "x" * 5000}, "prompt", "context_length_exceeded"),
        ({"prompt": ["a"] * 100, "n": 2}, "n", "invalid_value"),
        ({"stream_options": {}}, "stream_options", None),
        ({"logprob_moments": True}, "logprob_moments", None),
        ({"logprob_moments": True, "logprobs": 1}, "logprob_moments", None),
        ({"logprob_moments": True, "echo": True}, "logprob_moments", None),
        ({"logprob_moments": 1, "echo": True, "logprobs": 1}, "logprob_moments", "invalid_value"),
        ({"suffix": "x"}, "suffix", "invalid_value"),
        ({"best_of": 2}, "best_of", "invalid_value"),
        ({"messages": []}, "messages", "unknown_parameter"),
        ({"logprobs": True}, "logprobs", "invalid_value"),
        ({"stop": ["a"] * 5}, "stop", "invalid_value"),
        ({"stop": [""]}, "stop[0]", "invalid_value"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(saying_it, fields, param, code):
    response = ask(saying_it, **fields)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize("prompt", ["", [[]], ["a", ""], [BYTE_VOCABULARY_SIZE], [2**31 - 1]])
def test_a_prompt_that_cannot_run_is_a_400(saying_it, prompt):
    response = ask(saying_it, prompt)
    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"


def test_another_model_is_not_found(saying_it):
    assert ask(saying_it, model="gpt-5").status_code == 404
