import json

import numpy as np
import pytest
import torch

from netweight.engine import Engine, Request, Sampling
from netweight.harmony import (
    Message,
    Tool,
    ToolNamespace,
    Vocabulary,
    parse_completion,
    render_for_completion,
)
from netweight.harmony.grammar import Constrainer, Rules
from netweight.model import find_model
from tests.engine.test_engine import GREEDY, run
from tests.fakes import FakeModel, Pseudorandom, one_hot, scripted


class Only:
    """Allows one set of ids after another, and remembers what was drawn."""

    def __init__(self, *sets):
        self.sets = sets
        self.drawn = []

    def allowed(self):
        bits = np.zeros(1, np.uint32)
        for token_id in self.sets[len(self.drawn)]:
            bits[0] |= np.uint32(1 << token_id)
        return bits.view(np.int32)

    def advance(self, token_id):
        assert token_id in self.sets[len(self.drawn)]
        self.drawn.append(token_id)


def test_only_allowed_tokens_are_drawn_however_much_the_model_prefers_others():
    for sampling in (GREEDY, Sampling(seed=1), Sampling(seed=1, top_p=0.5, top_k=9, min_p=0.5)):
        only = Only({3, 31}, {4}, {0, 6})
        request = Request([1], sampling, frozenset({0, 6}), constraint=only)
        tokens, finish = run(Engine(scripted([5])), request)
        assert [token in ids for token, ids in zip(tokens, only.sets, strict=True)] == [True] * 3
        assert (only.drawn, finish.reason) == (tokens, "stop")


def test_a_constraint_that_allows_everything_changes_nothing():
    everything = Only(*[range(32)] * 9)
    sampling = Sampling(seed=3, top_p=0.9)
    request = Request([1], sampling, max_tokens=9, num_logprobs=2)
    limited = Request([1], sampling, max_tokens=9, num_logprobs=2, constraint=everything)
    assert list(Engine(Pseudorandom()).generate(limited)) == list(
        Engine(Pseudorandom()).generate(request)
    )


def test_log_probabilities_stay_the_models_own():
    request = Request([1], GREEDY, max_tokens=1, num_logprobs=1, constraint=Only({3}))
    token, _ = Engine(scripted([5])).generate(request)
    assert token.token_id == 3
    assert token.logprobs.drawn == pytest.approx(-100)
    assert token.logprobs.top[0].token_id == 5


@pytest.mark.parametrize(
    ("constraint", "message"), [(Only(set()), "allows no token"), (Only(), "IndexError")]
)
def test_a_constraint_with_no_way_on_ends_its_request_and_no_other(constraint, message):
    engine = Engine(scripted([5]))
    bad = engine.submit(Request([1], GREEDY, max_tokens=9, constraint=constraint))
    good = engine.submit(Request([1], GREEDY, max_tokens=1))
    finish, token, other = engine.step()
    assert (finish.request_id, finish.reason) == (bad, "error")
    assert message in finish.error
    assert (token.request_id, other.reason) == (good, "length")
    engine.check_integrity()


def test_a_token_that_a_constraint_does_not_take_is_an_error():
    class Stubborn(Only):
        def advance(self, token_id):
            raise ValueError("not this one")

    tokens, finish = run(Engine(scripted([5])), Request([1], constraint=Stubborn({3})))
    assert (tokens, finish.reason) == ([], "error")
    assert "not this one" in finish.error


def test_what_a_constraint_forces_is_guessed_ahead():
    class Telling(Only):
        def forced(self):
            ahead = []
            for ids in self.sets[len(self.drawn) :]:
                if len(ids) > 1:
                    break
                ahead += ids
            return ahead

    model = scripted([5])
    only = Telling({3}, {4}, {7}, {5, 6}, {8}, {9})
    tokens, finish = run(Engine(model, speculate=4), Request([1], max_tokens=6, constraint=only))
    assert tokens == only.drawn == [3, 4, 7, 5, 8, 9]
    assert finish.counts.num_drafted == finish.counts.num_accepted == 3
    assert model.num_forwards == 3


def test_a_constraint_that_fails_to_say_what_is_forced_is_followed_all_the_same(caplog):
    class Silent(Only):
        def forced(self):
            raise ValueError("who knows")

    request = Request([1], max_tokens=3, constraint=Silent({3}, {4}, {5}))
    assert run(Engine(scripted([5]), speculate=4), request)[0] == [3, 4, 5]
    assert "who knows" in caplog.text


TOOL = "weather_of_the_next_days_anywhere"  # so long that much of a call is forced


@pytest.mark.parametrize("speculate", [0, 8])
def test_a_model_that_only_babbles_makes_a_valid_call_under_harmonys_constraint(speculate):
    vocabulary = Vocabulary.load(find_model("nano").path)
    size = vocabulary.size + 7  # ids that stand for nothing
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Bern", "Oslo"]}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    tools = (ToolNamespace.functions([Tool(TOOL, "", schema)]),)
    constraint = Constrainer(vocabulary, num_ids=size).constrain(
        Rules(tools, TOOL, parallel_calls=False)
    )

    def babble(ids, _):
        logits = torch.randn(size, generator=torch.Generator().manual_seed(len(ids)))
        logits += one_hot(size - 1, size)
        logits[vocabulary.special.end] += 20  # no end of the free text would ever come
        logits[vocabulary.special.message] += 20
        logits[vocabulary.special.call] += 20
        return logits

    prompt = render_for_completion(vocabulary, [Message.user("Hello")])
    model = FakeModel(babble, vocab_size=size, max_context=1000)
    engine = Engine(model, speculate=speculate)
    request = Request(prompt, Sampling(seed=0), vocabulary.stop_ids, constraint=constraint)
    tokens, finish = run(engine, request)
    assert finish.reason == "stop", finish.error
    call = parse_completion(vocabulary, tokens, strict=True)[-1]
    assert call.recipient == f"functions.{TOOL}"
    assert json.loads(call.text)["city"] in ("Bern", "Oslo")
    assert constraint.is_finished
    assert (finish.counts.num_accepted > 20) == (speculate > 0)
