import pytest

from netweight.engine import Request, Sampling
from netweight.engine.request import token_budget
from netweight.errors import ContextTooLong, RequestError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_p", 1.1),
        ("top_p", float("nan")),
        ("top_k", -1),
        ("min_p", 2),
        ("seed", 2**64),
        ("presence_penalty", 2.1),
        ("frequency_penalty", -2.1),
        ("frequency_penalty", float("nan")),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(setting, value):
    with pytest.raises(RequestError, match=f"^{setting} is {value}"):
        Sampling(**{setting: value})


def test_a_bias_out_of_range_is_refused_with_its_token():
    with pytest.raises(RequestError, match=r"^logit_bias of token 7 is 101; .* -100 and 100"):
        Sampling(logit_bias=((3, 100), (7, 101)))


LIMITS = {"vocab_size": 10, "max_context": 8, "cache_tokens": 16, "adapters": ["a", "b"]}


def budget(**kwargs):
    return token_budget(Request(**kwargs), **LIMITS)


def test_without_a_limit_an_answer_may_fill_the_context():
    assert budget(prompt_ids=[1, 2, 3]) == 5


def test_prompt_and_answer_may_fill_the_context_exactly():
    assert budget(prompt_ids=[1, 2, 3], max_tokens=5) == 5


def test_a_limit_beyond_the_context_is_the_context():
    assert budget(prompt_ids=[1, 2, 3], max_tokens=6) == 5


def test_a_prompt_that_leaves_no_room_for_an_answer_is_too_long():
    with pytest.raises(ContextTooLong, match="prompt has 8 tokens; the context holds 8"):
        budget(prompt_ids=[1] * 8)


def test_what_the_cache_cannot_hold_is_too_long():
    limits = LIMITS | {"max_context": 99}
    with pytest.raises(ContextTooLong, match="16 tokens; the memory for keys and values holds 16"):
        token_budget(Request([1] * 16), **limits)
    assert token_budget(Request([1] * 15), **limits) == 1


@pytest.mark.parametrize(
    ("request_fields", "message"),
    [
        ({"prompt_ids": [1], "adapter": "c"}, "no adapter is called 'c'; the model has a, b"),
        ({"prompt_ids": []}, "prompt is empty"),
        ({"prompt_ids": [1, 10]}, "token id 10 is outside"),
        ({"prompt_ids": [-1]}, "token id -1 is outside"),
        ({"prompt_ids": [1], "max_tokens": 0}, "max_tokens is 0"),
        (
            {"prompt_ids": [1], "sampling": Sampling(logit_bias=((10, 1),))},
            "logit_bias has token id 10",
        ),
        ({"prompt_ids": [1], "num_logprobs": 11}, "11 log-probabilities"),
        ({"prompt_ids": [1], "prompt_logprobs": -1}, "-1 log-probabilities"),
        ({"prompt_ids": [1], "prompt_moments": True}, "go with prompt_logprobs"),
    ],
)
def test_an_impossible_request_is_refused_with_its_reason(request_fields, message):
    with pytest.raises(RequestError, match=message):
        budget(**request_fields)
