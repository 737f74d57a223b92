"""The recipe end to end, a few steps long: what it writes loads and speaks Harmony's vocabulary."""

import json
from itertools import islice
from random import Random

import pytest
import torch

from netweight.harmony import Vocabulary
from netweight.model import Transformer, load_transformer
from netweight.model.kernels import REFERENCE
from recipes.nano import train
from recipes.nano.__main__ import make
from recipes.nano.conversations import Example, Turn
from recipes.nano.encode import batches, encode
from recipes.nano.export import export
from recipes.nano.shape import CONFIG
from recipes.nano.train import (
    Plan,
    initial_parameters,
    is_expert_matrix,
    rounded_weights,
)

PLAN = Plan(num_steps=4, batch_tokens=600, num_warmup_steps=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkpoint after a few training steps."""
    folder = tmp_path_factory.mktemp("recipe") / "nano"
    make(folder, PLAN)
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
    assert last["seconds_left"] == 0


def test_generation_stops_at_return_and_call(made, vocabulary):
    stops = json.loads((made / "generation_config.json").read_text())["eos_token_id"]
    assert set(stops) == vocabulary.stop_ids


# Going on


@pytest.fixture
def broken_off(tmp_path, monkeypatch):
    """A training that was broken off after two of its four steps."""
    monkeypatch.setattr(train, "_STEPS_BETWEEN_STATES", 2)
    losses, num_left = train._losses, [3]

    def failing(*arguments):
        num_left[0] -= 1
        if not num_left[0]:
            raise KeyboardInterrupt
        return losses(*arguments)

    monkeypatch.setattr(train, "_losses", failing)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "nano", PLAN)
    monkeypatch.setattr(train, "_losses", losses)
    return tmp_path / "nano"


def test_a_training_that_was_broken_off_goes_on_as_if_it_had_not_been(broken_off, made):
    make(broken_off, PLAN)
    assert not train.is_under_way(broken_off)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (broken_off / name).read_bytes() == (made / name).read_bytes()
    lines = (broken_off / "training.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == [2, 4]


def test_another_training_does_not_go_on_there(broken_off):
    with pytest.raises(ValueError, match=r"another training: .*'num_steps': 4"):
        make(broken_off, Plan(num_steps=5, batch_tokens=600, num_warmup_steps=2))
    assert train.is_under_way(broken_off)


def test_a_folder_with_other_files_is_left_alone(made):
    with pytest.raises(ValueError, match="has files in it, but no training under way"):
        make(made, PLAN)


# What is learned


def test_only_the_last_answer_is_learned(vocabulary):
    turns = (Turn("2 + 2", "think once", "first answer"), Turn("3 + 3", "think", "second answer"))
    ids, is_learned = encode(vocabulary, Example("medium", None, None, turns))
    num_prompt = is_learned.index(True)
    prompt, learned = vocabulary.decode(ids[:num_prompt]), vocabulary.decode(ids[num_prompt:])
    assert all(is_learned[num_prompt:])
    assert "first answer" in prompt
    assert learned.endswith("second answer<|return|>")
    assert "think" in learned
    assert "think" not in prompt


def test_batches_hold_what_is_learned(vocabulary):
    for batch in islice(batches(vocabulary, 2000, Random(0)), 5):
        assert batch.token_ids.numel() <= 2000
        assert 0.1 < batch.rows.numel() / batch.token_ids.numel() < 0.9
        followed = [row for row in batch.rows.tolist() if row + 1 not in batch.starts]
        targets = dict(zip(batch.rows.tolist(), batch.targets.tolist(), strict=True))
        assert [targets[row] for row in followed] == batch.token_ids[
            torch.tensor(followed) + 1
        ].tolist()


# What is trained


def test_what_is_shipped_is_what_was_trained(made):
    """The checkpoint on disk computes what training did, its dense part in bfloat16."""
    parameters = initial_parameters(CONFIG, seed=0)
    export(CONFIG, parameters, Vocabulary.load(made), made.parent)
    for name, value in parameters.items():
        if not is_expert_matrix(name):
            value.data = value.bfloat16().float()
    tokens = torch.arange(40)[None]
    trained = Transformer(CONFIG, rounded_weights(CONFIG, parameters), REFERENCE).forward(tokens)
    shipped = load_transformer(made.parent, dtype=torch.float32).forward(tokens)
    assert (trained - shipped).norm() < 1e-5 * trained.norm()


def test_gradients_reach_rounded_experts():
    parameters = initial_parameters(CONFIG, seed=0)
    model = Transformer(CONFIG, rounded_weights(CONFIG, parameters), REFERENCE)
    model.forward(torch.arange(40)[None]).logsumexp(-1).sum().backward()
    gradient = parameters["model.layers.0.mlp.experts.down_proj"].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
