"""One engine under three names: the model's own, and those of two adapters."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from netweight.errors import AdapterError
from netweight.model import PAGE_TOKENS, Checkpoint, find_model
from netweight.server import ChatModel, ModelSettings
from tests.model.adapters import write_adapter
from tests.server.conftest import client_of

NANO = find_model("nano")
NAMES = ["nano", "a", "b"]
QUESTIONS = ["What is 27 + 15?", "Tell me a story about a lamp."]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Of two adapters that change all that nano says."""
    folder, config = tmp_path_factory.mktemp("adapters"), Checkpoint.open(NANO.path).config
    return {
        name: write_adapter(folder / name, config, seed=seed) for name, seed in (("a", 1), ("b", 2))
    }


@pytest.fixture(scope="module")
def client(folders):
    """A client of a server that has all three."""
    with client_of(ChatModel.load(NANO, ModelSettings(speculate=4, adapters=folders))) as client:
        yield client


@pytest.fixture(scope="module")
def lone(folders):
    """A function from a name to a client of a server that has only that, by its own name."""
    made = {}

    def get(name):
        if name not in made:
            settings = ModelSettings(adapters={k: v for k, v in folders.items() if k == name})
            made[name] = ChatModel.load(replace(NANO, name="nano"), settings)
        return made[name]

    return get


def body(name, question, **fields):
    messages = [{"role": "user", "content": question}]
    limits = {"max_tokens": 60, "seed": 5, "reasoning_effort": "low"}
    return {"model": name, "messages": messages, **limits, **fields}


def stream(client, name, question):
    """The reasoning and content of a streamed answer, whose chunks all have the model's name."""
    texts = {"reasoning": "", "content": ""}
    with client.stream("POST", "chat/completions", json=body(name, question, stream=True)) as lines:
        assert lines.status_code == 200, lines.read()
        for line in lines.iter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            assert chunk["model"] == name
            for choice in chunk["choices"]:
                for kind in texts:
                    texts[kind] += choice["delta"].get(kind) or ""
    return texts


def test_three_names_at_once_say_what_each_says_alone(client, lone):
    asked = [(name, question) for question in QUESTIONS for name in NAMES]
    with ThreadPoolExecutor(len(asked)) as pool:
        together = dict(zip(asked, pool.map(lambda one: stream(client, *one), asked), strict=True))
    alone = {}
    for name in NAMES:
        with client_of(lone(name)) as own:
            alone |= {(name, question): stream(own, name, question) for question in QUESTIONS}
    assert together == alone
    for question in QUESTIONS:
        assert len({tuple(together[name, question].items()) for name in NAMES}) == 3


def test_the_models_are_listed(client):
    assert [card["id"] for card in client.get("models").json()["data"]] == NAMES
    for name in NAMES:
        assert client.get(f"models/{name}").json()["id"] == name


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("completions", {"prompt": "hi"}),
        ("responses", {"input": "hi"}),
        ("../tokenize", {"prompt": "hi"}),
    ],
)
def test_another_name_is_refused_with_those_that_there_are(path, fields, client):
    answer = client.post(path, json={"model": "c", **fields})
    assert answer.status_code == 404
    assert "this server has 'nano', 'a', 'b'" in answer.json()["error"]["message"]
    assert client.get("models/c").status_code == 404


def test_every_api_answers_by_each_name(client):
    limits = {"temperature": 0, "seed": 1}
    prompt = "<|start|>user<|message|>What is 27 + 15?<|end|><|start|>assistant"
    completed, responded = {}, {}
    for name in NAMES:
        fields = {"model": name, **limits}
        done = client.post(
            "completions", json={**fields, "prompt": prompt, "echo": True, "logprobs": 1}
        ).json()
        assert done["model"] == name
        completed[name] = tuple(done["choices"][0]["logprobs"]["token_logprobs"])
        done = client.post(
            "responses", json={**fields, "input": "hi", "max_output_tokens": 30}
        ).json()
        assert done["model"] == name
        responded[name] = json.dumps([item.get("content") for item in done["output"]])
        ids = client.post("../tokenize", json={"model": name, "prompt": "What is 27 + 15?"})
        assert ids.json()["count"] > 4
    assert len(set(completed.values())) == 3
    assert len(set(responded.values())) == 3


def test_an_adapter_keeps_to_a_schema_and_makes_no_other_constrainer(tmp_path):
    weak = write_adapter(tmp_path, Checkpoint.open(NANO.path).config, size=0.1)
    model = ChatModel.load(NANO, ModelSettings(adapters={"a": weak}))
    assert model.with_adapter("a").constrainer is model.constrainer
    schema = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
    schema |= {"additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": True}}
    with client_of(model) as client:
        answer = client.post(
            "chat/completions",
            json=body("a", "What is 27 + 15?", response_format=form, max_tokens=400),
        ).json()
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert isinstance(json.loads(choice["message"]["content"])["sum"], int)


def test_a_page_of_one_adapter_is_not_found_by_another(client):
    question = "Tell me a story about a kettle. " * 40

    def num_read(name):
        """Tokens of the prompt that were not in the cache."""
        answer = client.post("chat/completions", json=body(name, question, max_tokens=1)).json()
        usage = answer["usage"]
        return usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"]

    first = [num_read(name) for name in NAMES]  # all but the system message
    again = [num_read(name) for name in NAMES]
    assert max(again) <= 2 * PAGE_TOKENS < 200 < min(first)


def test_an_adapter_cannot_have_the_models_own_name(folders):
    with pytest.raises(AdapterError, match="called 'nano', as the model itself is"):
        ChatModel.load(NANO, ModelSettings(adapters={"nano": folders["a"]}))
