"""Fine-tuning: what is learned of a conversation, and an adapter from end to end."""

import json
import sys
from random import Random
from xml.etree import ElementTree

import pytest
import torch

from netweight import nano
from netweight.engine import Engine, Request, Sampling, Token
from netweight.harmony import Message, Vocabulary, parse_completion, render_for_completion
from netweight.model import Checkpoint, load_transformer
from netweight.model.adapter_files import load_adapter
from netweight.model.weights import PlainLinear
from recipes.batch import loss_of, pack
from recipes.finetune import __main__ as command
from recipes.finetune import conversations, lora
from recipes.finetune.curve import curve
from recipes.finetune.train import Plan, Point, _checkpointed, again_and_again, finetune

SHAPE = lora.Shape(rank=4, alpha=8.0, targets=("q_proj", "v_proj", "o_proj", "lm_head"))


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(nano.FOLDER)


@pytest.fixture(scope="module")
def model():
    return load_transformer(nano.FOLDER, dtype=torch.float32)


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **fields):
    return {"role": "assistant", "content": text, **fields}


def learned(vocabulary, messages, **fields):
    record = {"messages": messages, **fields}
    ids, is_learned = conversations.encode(vocabulary, conversations.messages_of(record))
    runs, before = [], False
    for token_id, learn in zip(ids, is_learned, strict=True):
        if learn:
            runs = runs if before else [*runs, []]
            runs[-1].append(token_id)
        before = learn
    return [vocabulary.decode(run) for run in runs]


# What is learned


def test_reasoning_and_answer_are_learned(vocabulary):
    messages = [user("hi"), assistant("Hello!", reasoning="A greeting.")]
    assert learned(vocabulary, messages) == [
        "<|channel|>analysis<|message|>A greeting.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Hello!<|return|>",
    ]


def test_a_message_of_its_own_is_gone_on_from_and_not_one_of_others(vocabulary):
    texts = learned(vocabulary, [user("a"), assistant("one"), user("b"), assistant("two")])
    assert not any("<|start|>" in text for text in texts)


def test_every_turn_is_learned_but_those_that_have_lost_their_reasoning(vocabulary):
    plain = [user("a"), assistant("one"), user("b"), assistant("two")]
    assert [text.partition("<|message|>")[2] for text in learned(vocabulary, plain)] == [
        "one<|end|>",
        "two<|return|>",
    ]
    thoughtful = [user("a"), assistant("one", reasoning="x"), user("b"), assistant("two")]
    assert learned(vocabulary, thoughtful) == ["<|channel|>final<|message|>two<|return|>"]


def test_calls_are_learned_and_results_are_not(vocabulary):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    result = {"role": "tool", "tool_call_id": "1", "content": "secret"}
    messages = [user("a"), assistant(None, tool_calls=[call]), result, assistant("done")]
    texts = learned(vocabulary, messages, tools=[tool])
    assert texts[0].endswith('{"x":1}<|call|>')
    assert texts[1].endswith("done<|return|>")
    assert "secret" not in "".join(texts)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: Expecting property name"),
        ("[]", 'line 1: this is not an object with "messages", a list'),
        ('{"messages": [1]}', "line 1: a message is not an object"),
        ('{"messages": []}', "line 1: the last message has to be the assistant's"),
        (json.dumps({"messages": [user("a")]}), "the last message has to be the assistant's"),
        (json.dumps({"messages": [assistant("a")], "x": 1}), "unknown field 'x'; fields are"),
        (
            json.dumps({"messages": [assistant("a")], "reasoning_effort": "most"}),
            "reasoning_effort is 'most', not low, medium, high",
        ),
        (
            json.dumps({"messages": [{"role": "robot", "content": "a"}]}),
            "a message of role 'robot' cannot be sent",
        ),
        (
            json.dumps({"messages": [user("a"), assistant("b " * 400)]}),
            "but 300 are the limit. Shorten the conversation, or raise --batch-tokens",
        ),
        (json.dumps({"messages": [user("a"), assistant("b")]}), "needs two conversations at least"),
    ],
)
def test_what_is_no_conversation_is_refused_with_its_line(vocabulary, tmp_path, line, message):
    file = tmp_path / "chats.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(conversations.DataError, match=message.replace("[", r"\[")):
        conversations.read(file, vocabulary, 300)


# Adapters


def a_batch(vocabulary, text="Hello!"):
    messages = conversations.messages_of({"messages": [user("hi"), assistant(text)]})
    return pack([conversations.encode(vocabulary, messages)])


def test_training_begins_at_the_model_itself(model, vocabulary):
    batch = a_batch(vocabulary)
    adapter = lora.assembled(model.config, lora.begin(model.config, SHAPE, 0), SHAPE)
    assert loss_of(model, batch, adapter).item() == pytest.approx(loss_of(model, batch).item())


def random_factors(config):
    generator = torch.Generator().manual_seed(1)
    factors = lora.begin(config, SHAPE, 0)
    for pair in factors.values():
        pair.b.data = 0.05 * torch.randn(pair.b.shape, generator=generator)
    return factors


def test_checkpointing_changes_no_gradient(model, vocabulary):
    batch, gradients = a_batch(vocabulary), []
    for run_layer in (None, _checkpointed):
        factors = random_factors(model.config)
        adapter = lora.assembled(model.config, factors, SHAPE)
        loss_of(model, batch, adapter, run_layer).backward()
        gradients.append([matrix.grad for matrix in lora.parameters(factors)])
    for plain, again in zip(*gradients, strict=True):
        assert plain.abs().sum() > 0
        assert torch.allclose(plain, again, rtol=1e-4, atol=1e-7)


def test_what_is_saved_is_what_was_trained(model, vocabulary, tmp_path):
    factors = random_factors(model.config)
    for pair in factors.values():
        for matrix in pair:
            matrix.data = matrix.data.bfloat16().float()
    lora.save(tmp_path / "a", factors, SHAPE, "nano")
    loaded = load_adapter(
        tmp_path / "a", Checkpoint.open(nano.FOLDER), lambda m: PlainLinear([(m, None)])
    )
    batch = a_batch(vocabulary)
    trained = lora.assembled(model.config, factors, SHAPE)
    losses = [loss_of(model, batch, adapter).item() for adapter in (trained, loaded, None)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)


def test_every_conversation_comes_once_before_any_comes_again(vocabulary):
    chats = [
        conversations.encode(
            vocabulary, conversations.messages_of({"messages": [user(str(n)), assistant("b")]})
        )
        for n in range(5)
    ]
    batches = again_and_again(chats, 1, Random(1))
    rounds = [[next(batches).token_ids.tolist() for _ in chats] for _ in range(3)]
    assert all(sorted(one) == sorted(rounds[0]) for one in rounds)
    assert rounds[0] != rounds[1] or rounds[1] != rounds[2]


def test_evaluation_is_of_conversations_kept_apart(model, vocabulary):
    points = []
    learned, kept = a_batch(vocabulary, "Hello hello!"), a_batch(vocabulary, "Seven pears.")
    plan = Plan(num_steps=6, peak_learning_rate=5e-3, steps_between_evaluations=3)
    finetune(model, SHAPE, iter([learned] * 6), [kept], plan, points.append)
    assert [point.step for point in points] == [0, 3, 6]
    assert points[0].training is None
    assert points[0].evaluation == pytest.approx(loss_of(model, kept).item(), rel=1e-5)
    assert points[2].training < points[1].training


# The command


@pytest.fixture(scope="module")
def chats(tmp_path_factory):
    """Conversations in which every question about a kite has the same odd answer."""
    file = tmp_path_factory.mktemp("data") / "chats.jsonl"
    asks = (
        "What is a kite?",
        "Explain a kite.",
        "Tell me of the kite.",
        "A kite?",
        "Is it a kite?",
    )
    lines = [
        json.dumps({"messages": [user(ask), assistant("The kite is blue.", reasoning="The kite.")]})
        for ask in asks * 4
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


def run_command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["finetune", *map(str, arguments)])
    command.main()


def test_nano_learns_an_answer_and_the_adapter_is_served(monkeypatch, chats, tmp_path, vocabulary):
    folder = tmp_path / "kites"
    run_command(
        monkeypatch, "nano", chats, folder, "--steps", 40, "--batch-tokens", 500,
        "--learning-rate", "1e-2", "--rank", 8,
    )  # fmt: skip
    points = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    assert points[-1]["evaluation"] < 0.2 * points[0]["evaluation"]
    engine = Engine(load_transformer(nano.FOLDER, adapters={"kites": folder}))
    prompt = render_for_completion(vocabulary, [Message.system(), Message.user("What is a kite?")])
    said = {}
    for adapter in (None, "kites"):
        request = Request(prompt, Sampling(temperature=0), vocabulary.stop_ids, 60, adapter=adapter)
        ids = [event.token_id for event in engine.generate(request) if isinstance(event, Token)]
        said[adapter] = parse_completion(vocabulary, ids)[-1].text
    assert said["kites"] == "The kite is blue."
    assert said[None] != said["kites"]
    ElementTree.fromstring((folder / "loss.svg").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--targets", "experts"], "experts cannot be adapted; q_proj, k_proj"),
        (["--steps", "0"], "--steps is 0; it has to be more than 0"),
        (["--learning-rate", "nan"], "--learning-rate is nan"),
        (["--batch-tokens", "9"], "but 9 are the limit"),
    ],
)
def test_wrong_settings_are_refused(monkeypatch, chats, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as exit_info:
        run_command(monkeypatch, "nano", chats, tmp_path / "new", *arguments)
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        ("nono", None, "nono"),
        ("nano", "/nowhere/chats.jsonl", "/nowhere/chats.jsonl cannot be read"),
    ],
)
def test_what_is_not_there_is_named(monkeypatch, chats, tmp_path, capsys, model, data, message):
    with pytest.raises(SystemExit):
        run_command(monkeypatch, model, data or chats, tmp_path / "new")
    assert message in capsys.readouterr().err


def test_a_folder_that_exists_is_left_alone(monkeypatch, chats, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_command(monkeypatch, "nano", chats, tmp_path)
    assert "exists already; name a new folder" in capsys.readouterr().err


def test_a_curve_shows_both_losses():
    points = [Point(0, None, 2.0), Point(10, 1.5, 1.2), Point(20, 1.0, 0.9)]
    picture = ElementTree.fromstring(curve("A <title>", points))
    kinds = [path.get("class") for path in picture.iter("{http://www.w3.org/2000/svg}path")]
    assert kinds == ["axis", "training", "evaluation"]
    assert "2.000 to 0.900" in picture[0].text
