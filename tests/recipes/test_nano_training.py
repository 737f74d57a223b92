"""The recipe end to end, a few steps long: what it writes loads and speaks Harmony's vocabulary."""

import json
from random import Random

import pytest
import torch

from netweight.harmony import Vocabulary
from netweight.model import Transformer, load_transformer
from netweight.model.kernels import REFERENCE
from recipes.nano.__main__ import make
from recipes.nano.conversations import Example, Turn
from recipes.nano.encode import batches, encode
from recipes.nano.export import export
from recipes.nano.shape import CONFIG
from recipes.nano.train import IGNORED, Plan, initial_parameters, rounded_weights


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkpoint after a few training steps."""
    folder = tmp_path_factory.mktemp("recipe") / "nano"
    make(folder, Plan(num_steps=4, batch_size=4, num_warmup_steps=2))
    return folder


@pytest.fixture(scope="module")
def vocabulary(made):
    return Vocabulary.load(made)


def test_the_checkpoint_loads_and_is_finite(made):
    logits = load_transformer(made).forward(torch.arange(30)[None])
    assert torch.isfinite(logits).all()
    assert logits.shape == (1, 30, CONFIG.vocab_size)


def test_the_vocabulary_fills_the_embedding(vocabulary):
    assert vocabulary.size == CONFIG.vocab_size


def test_digits_are_single_tokens(vocabulary):
    assert len(vocabulary.encode("4711")) == 4


def test_progress_is_logged(made):
    last = json.loads((made / "training.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 4
    assert last["loss"] > 0


def test_generation_stops_at_return_and_call(made, vocabulary):
    stops = json.loads((made / "generation_config.json").read_text())["eos_token_id"]
    assert set(stops) == vocabulary.stop_ids


def test_only_the_last_answer_is_learned(vocabulary):
    turns = (Turn("2 + 2", "think", "first answer"), Turn("3 + 3", "think", "second answer"))
    ids, num_prompt = encode(vocabulary, Example("medium", None, None, turns))
    prompt, learned = vocabulary.decode(ids[:num_prompt]), vocabulary.decode(ids[num_prompt:])
    assert "first answer" in prompt
    assert learned.endswith("second answer<|return|>")
    assert "think" in learned
    assert "think" not in prompt


def test_targets_are_the_tokens_after_the_prompt(vocabulary):
    batch = next(batches(vocabulary, 4, Random(0)))
    learned = batch.targets != IGNORED
    followed = learned[:, :-1] & learned[:, 1:]  # all but each row's last token
    assert torch.equal(batch.targets[:, :-1][followed], batch.token_ids[:, 1:][followed])
    assert 0.1 < learned.float().mean() < 0.9


def test_what_is_shipped_is_what_was_trained(made):
    """The checkpoint on disk computes what training computed, up to bfloat16 of the dense part."""
    parameters = initial_parameters(CONFIG, seed=0)
    export(CONFIG, parameters, Vocabulary.load(made), made.parent)
    tokens = torch.arange(40)[None]
    trained = Transformer(CONFIG, rounded_weights(CONFIG, parameters), REFERENCE).forward(tokens)
    shipped = load_transformer(made.parent, dtype=torch.float32).forward(tokens)
    assert (trained - shipped).norm() < 0.02 * trained.norm()


def test_gradients_reach_rounded_experts():
    parameters = initial_parameters(CONFIG, seed=0)
    model = Transformer(CONFIG, rounded_weights(CONFIG, parameters), REFERENCE)
    model.forward(torch.arange(40)[None]).logsumexp(-1).sum().backward()
    gradient = parameters["model.layers.0.mlp.experts.down_proj"].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
