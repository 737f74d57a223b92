"""The recipe end to end, a few steps long: what it writes loads and speaks Harmony's vocabulary."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
import torch

from netweight.harmony import Message, Vocabulary
from netweight.model import Transformer, load_transformer
from netweight.model.kernels import REFERENCE
from netweight.model.mxfp4 import round_to_mxfp4
from recipes.finetune import conversations as finetune
from recipes.nano import __main__ as recipe
from recipes.nano import calls, memory, train
from recipes.nano.dialogue import turn
from recipes.nano.encode import batches, encode
from recipes.nano.export import export, parameters_of
from recipes.nano.muon import Muon, orthogonal
from recipes.nano.shape import CONFIG
from recipes.nano.train import (
    Plan,
    initial_parameters,
    is_expert_matrix,
    rounded_weights,
)

PLAN = Plan(num_steps=4, batch_tokens=300, num_warmup_steps=2)
NUM_LATER = 3


@pytest.fixture(scope="module", autouse=True)
def few_texts():
    """As many as fill the vocabulary."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "NUM_TOKENIZER_EXAMPLES", 5000)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkpoint after a few training steps."""
    folder = tmp_path_factory.mktemp("recipe") / "nano"
    recipe.make(folder, PLAN, NUM_LATER)
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


def steps_told(folder):
    lines = (folder / "training.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_call_without_reasoning_is_read_and_not_learned(vocabulary):
    made = calls.with_result(Random(4), "medium").rendered("medium", None)
    encoded = encode(vocabulary, made)
    learned = [i for i, is_learned in zip(*encoded, strict=True) if is_learned]
    text = vocabulary.decode(learned)
    assert text.startswith("<|channel|>analysis<|message|>The tool says:")
    assert "to=functions" not in text and text.endswith("<|return|>")
    assert "to=functions" in vocabulary.decode(encoded.token_ids)
    random = Random(4)
    drawn = (calls.dialogue(random, "medium") for _ in range(100))
    explained = next(d for d in drawn if any(m.recipient for m in d.messages))
    ids, is_learned = encode(vocabulary, explained.rendered("medium", None))
    told = vocabulary.decode([i for i, learns in zip(ids, is_learned, strict=True) if learns])
    assert "to=functions" in told and "The tool for this" in told


def test_progress_is_logged(made):
    assert steps_told(made) == [4, NUM_LATER]
    last = json.loads((made / "training.jsonl").read_text().splitlines()[-1])
    assert last["loss"] > 0
    assert last["seconds_left"] == 0


def test_the_second_round_begins_with_what_the_first_exported(made):
    exported = parameters_of(made / "first")
    assert exported.keys() == initial_parameters(CONFIG, seed=0).keys()
    experts = exported["model.layers.0.mlp.experts.down_proj"]
    assert torch.equal(round_to_mxfp4(experts), experts)
    moved = parameters_of(made)["lm_head.weight"] - exported["lm_head.weight"]
    assert 0 < moved.abs().max() < 0.1


def test_generation_stops_at_return_and_call(made, vocabulary):
    stops = json.loads((made / "generation_config.json").read_text())["eos_token_id"]
    assert set(stops) == vocabulary.stop_ids


# Going on


@pytest.fixture(scope="module", params=[3, PLAN.num_steps + 3], ids=["first", "second"])
def after_two_steps(tmp_path_factory, request):
    """A training that was broken off after two steps of one of its rounds."""
    folder = tmp_path_factory.mktemp("broken") / "nano"
    losses, num_left = train._losses, [request.param]

    def failing(*arguments):
        num_left[0] -= 1
        if not num_left[0]:
            raise KeyboardInterrupt
        return losses(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_STEPS_BETWEEN_STATES", 2)
        patch.setattr(train, "_losses", failing)
        with pytest.raises(KeyboardInterrupt):
            recipe.make(folder, PLAN, NUM_LATER)
    return folder


@pytest.fixture
def broken_off(after_two_steps, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "_STEPS_BETWEEN_STATES", 2)
    return shutil.copytree(after_two_steps, tmp_path / "nano")


def test_a_training_that_was_broken_off_goes_on_as_if_it_had_not_been(broken_off, made):
    recipe.make(broken_off, PLAN, NUM_LATER)
    assert not train.is_under_way(broken_off)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (broken_off / name).read_bytes() == (made / name).read_bytes()
    assert steps_told(broken_off) == [2, 4, 2, 3]


def test_another_training_does_not_go_on_there(broken_off):
    with pytest.raises(ValueError, match=r"another training: .*'num_steps': [34]"):
        recipe.make(broken_off, replace(PLAN, num_steps=5), NUM_LATER + 2)
    assert train.is_under_way(broken_off) or train.is_under_way(broken_off / "first")


def test_a_folder_with_a_model_or_with_other_files_is_left_alone(made, tmp_path):
    with pytest.raises(ValueError, match="has a model already"):
        recipe.make(made, PLAN, NUM_LATER)
    with pytest.raises(ValueError, match="4 and 0 steps are no training"):
        recipe.make(tmp_path, PLAN, 0)
    (tmp_path / "a file").touch()
    with pytest.raises(ValueError, match="has files in it, but no training under way"):
        recipe.make(tmp_path, PLAN, NUM_LATER)


# What is learned


def learned(vocabulary, messages):
    """The text before the first token that is learned, and the text of those that are."""
    ids, is_learned = finetune.encode(vocabulary, [Message.system(), *messages])
    num_prompt = is_learned.index(True)
    told = [token_id for token_id, learn in zip(ids, is_learned, strict=True) if learn]
    return vocabulary.decode(ids[:num_prompt]), vocabulary.decode(told)


def test_only_the_last_answer_is_learned(vocabulary):
    first = turn("2 + 2", "think once", "first answer")
    last = turn("3 + 3", "think again", "second answer")
    prompt, told = learned(vocabulary, [*first, *last])
    assert "first answer" in prompt
    assert "think" not in prompt
    assert "think again" in told
    assert told.endswith("second answer<|return|>")
    assert "3 + 3" not in told


def test_a_call_is_learned_and_what_the_tool_returns_is_not(vocabulary):
    item = calls.task(Random(1), held_out=False)
    thought = Message.assistant("Use it.", channel="analysis")
    messages = [Message.user(item.question), item.call, item.returned, thought]
    _, told = learned(vocabulary, [*messages, Message.assistant(item.answer)])
    assert f"{item.call.text}<|call|>" in told
    assert told.endswith(
        f"Use it.<|end|><|start|>assistant<|channel|>final<|message|>{item.answer}<|return|>"
    )
    assert item.returned.text not in told


def test_of_four_turns_only_the_last_is_learned(vocabulary):
    item = memory.recall(Random(2), held_out=False)
    last = turn(item.question, "think", item.answer)
    prompt, told = learned(vocabulary, [*memory.messages_before(item), *last])
    for said, acknowledged in item.earlier:
        assert said in prompt
        assert acknowledged in prompt
        assert acknowledged not in told


def test_batches_hold_what_is_learned(vocabulary):
    for batch in islice(batches(vocabulary, 2000, Random(0)), 20):
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


# Beginning with heads that copy


def ranks_of_a_repetition(seed, num_tokens=40):
    """How many tokens a fresh model thinks likelier than the right one, where all is repeated."""
    model = Transformer(
        CONFIG, rounded_weights(CONFIG, initial_parameters(CONFIG, seed)), REFERENCE
    )
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randperm(CONFIG.vocab_size, generator=generator)[:num_tokens].repeat(2)
    with torch.no_grad():
        logits = model.forward(tokens[None])[0, num_tokens:-1]  # [tokens - 1, vocab]
    right = logits.gather(1, tokens[num_tokens + 1 :, None])
    return (logits > right).sum(-1)


def test_a_fresh_model_goes_on_with_a_repetition_and_without_the_heads_it_does_not(monkeypatch):
    with_heads = ranks_of_a_repetition(0).float().median()
    monkeypatch.setattr(train, "begin_with_induction", lambda *arguments: None)
    without = ranks_of_a_repetition(0).float().median()
    assert with_heads < CONFIG.vocab_size / 10
    assert without > CONFIG.vocab_size / 4  # chance is a half


def told_of(seed, num_facts=6):
    """How many of some facts, [whom, two words alike in all, what], a fresh model completes."""
    model = Transformer(
        CONFIG, rounded_weights(CONFIG, initial_parameters(CONFIG, seed)), REFERENCE
    )
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randperm(CONFIG.vocab_size, generator=generator)
    whom, what, rest = tokens[:num_facts], tokens[num_facts : 2 * num_facts], tokens[-3:].tolist()
    facts = [x for a, b in zip(whom, what, strict=True) for x in (a, rest[0], rest[1], b, rest[2])]
    num_right = 0
    for index in range(num_facts):
        asked = torch.tensor([*facts, whom[index], rest[0], rest[1]])
        with torch.no_grad():
            logits = model.forward(asked[None])[0, -1]
        num_right += int(logits[what].argmax() == index)
    return num_right


def test_a_fresh_model_tells_facts_apart_by_whom_they_are_of(monkeypatch):
    with_heads = sum(told_of(seed) for seed in range(4))
    monkeypatch.setattr(train, "begin_with_induction", lambda *arguments: None)
    without = sum(told_of(seed) for seed in range(4))
    assert with_heads > 12  # of 24, where chance is 4
    assert without < 9


# Muon


SHAPES = [(16, 16), (24, 8), (8, 24)]


def walked(optimizer_of, starts, num_steps=5):
    """How far each parameter moves in some steps; equal shapes have equal gradients."""
    parameters = [torch.nn.Parameter(start.clone()) for start in starts]
    optimizer = optimizer_of(parameters)
    generator = torch.Generator().manual_seed(1)
    for _ in range(num_steps):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()
    return [parameter.detach() - start for parameter, start in zip(parameters, starts, strict=True)]


def test_muon_moves_as_torchs_own():
    """Which orthogonalises in bfloat16: eight bits, and the rounding of five iterations."""
    starts = [torch.randn(shape, generator=torch.Generator().manual_seed(0)) for shape in SHAPES]
    settings = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    ours = walked(lambda parameters: Muon(parameters, **settings), starts)
    theirs = walked(lambda parameters: torch.optim.Muon(parameters, **settings), starts)
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).norm() < 0.02 * other.norm()


@pytest.mark.parametrize("change", [{"lr": 0.022}, {"momentum": 0.8}, {"weight_decay": 0.3}])
def test_another_muon_moves_elsewhere(change):
    settings = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    starts = [torch.randn(16, 16, generator=torch.Generator().manual_seed(0))]
    (one,) = walked(lambda parameters: Muon(parameters, **settings | change), starts)
    (other,) = walked(lambda parameters: torch.optim.Muon(parameters, **settings), starts)
    assert (one - other).norm() > 0.04 * other.norm()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stack_of_experts_moves_as_its_matrices_do_alone(shape):
    generator = torch.Generator().manual_seed(2)
    stack = torch.nn.Parameter(torch.randn(3, *shape, generator=generator))
    alone = [torch.nn.Parameter(matrix.clone()) for matrix in stack.detach()]
    optimizers = [Muon(each, 0.02, 0.9, 0.1) for each in ([stack], *([one] for one in alone))]
    for _ in range(3):
        stack.grad = torch.randn(stack.shape, generator=generator)
        for parameter, gradient in zip(alone, stack.grad, strict=True):
            parameter.grad = gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.allclose(stack, torch.stack(alone), rtol=0, atol=1e-6)


def spread(rows, columns, smallest):
    """A matrix whose singular values go from 1 down to the smallest."""
    generator = torch.Generator().manual_seed(3)
    size = min(rows, columns)
    left, right = (
        torch.linalg.qr(torch.randn(length, size, generator=generator)).Q
        for length in (rows, columns)
    )
    return left * torch.logspace(0, torch.tensor(smallest).log10().item(), size) @ right.mT


@pytest.mark.parametrize("shape", [(64, 64), (128, 32), (32, 128)])
@pytest.mark.parametrize("smallest", [1.0, 0.1, 0.02])
@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_a_matrix_made_orthogonal_stretches_every_direction_about_alike(shape, smallest, scale):
    matrix = spread(*shape, smallest)
    made_orthogonal = orthogonal(scale * matrix)
    values = torch.linalg.svdvals(made_orthogonal)
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert (made_orthogonal.mT @ matrix).trace() > 0


def test_a_gradient_of_nothing_moves_nothing():
    parameter = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = Muon([parameter], lr=0.02, momentum=0.9, weight_decay=0.0)
    optimizer.step()
    parameter.grad = torch.zeros(4, 4)
    optimizer.step()
    assert torch.equal(parameter, torch.ones(4, 4))
    with pytest.raises(ValueError, match="takes no closure"):
        optimizer.step(lambda: 0.0)


def test_every_parameter_is_moved_by_one_optimizer():
    parameters = initial_parameters(CONFIG, seed=0)
    groups = [
        {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        for optimizer in train._optimizers(parameters, PLAN)
    ]
    assert groups[0] | groups[1] == {id(parameter) for parameter in parameters.values()}
    assert not groups[0] & groups[1]
    of_muon = {name for name, parameter in parameters.items() if id(parameter) in groups[1]}
    assert all(is_expert_matrix(name) or "_proj.weight" in name for name in of_muon)
    assert len(of_muon) == 6 * CONFIG.num_hidden_layers
