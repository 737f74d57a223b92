"""`netweight/MODEL` in Inspect: a server of its own, or one that runs already."""

import asyncio
import hashlib
import subprocess
import sys
from contextlib import aclosing
from datetime import date
from importlib.metadata import version
from pathlib import Path

import httpx
import openai
import psutil
import pytest
from inspect_ai.event import ModelEvent
from inspect_ai.log import read_eval_log
from inspect_ai.model import ChatMessageUser, GenerateConfig

from netweight import nano
from netweight.engine import Engine
from netweight.errors import WeighError
from netweight.evals.provider import NetweightAPI
from netweight.evals.served import Server
from netweight.harmony import (
    Message,
    ReasoningEffort,
    SystemContent,
    Vocabulary,
    render_for_completion,
)
from netweight.server import ChatModel, serving
from tests.evals.fake_server import fake_server, right
from tests.fakes import BYTE_VOCABULARY_SIZE, byte_vocabulary, scripted, spell

pytestmark = pytest.mark.inspect

INSPECT = Path(sys.executable).with_name("inspect")


def inspect_eval(folder, *options):
    """The log of three sums, by Inspect's own command."""
    command = [INSPECT, "eval", "netweight/sums", "--limit=3", "--display=none", *options]
    subprocess.run([*command, f"--log-dir={folder}"], check=True, timeout=120)
    (path,) = folder.glob("*.eval")
    return read_eval_log(str(path))


def servers():
    """Processes that serve nano on any port."""
    return {
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[-3:] == ["nano", "--port", "0"]
    }


def digest(*folders):
    """Of the lines that sha256sum gives for the files of a checkpoint and an adapter."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for folder in folders
        for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")])
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def told(sample):
    """What the log says of a sample's only call, in the event as in the sample's output."""
    (event,) = (event for event in sample.events if isinstance(event, ModelEvent))
    assert event.output.metadata == sample.output.metadata
    return sample.output.metadata["netweight"]


def rendered(question, **system):
    """What the model reads of a question, by the library itself."""
    vocabulary = Vocabulary.load(nano.FOLDER)
    messages = [Message.system(SystemContent(**system)), Message.user(question)]
    return vocabulary.decode(render_for_completion(vocabulary, messages))


@pytest.fixture(scope="module")
def days():
    """The days on which this may run."""
    return [date.today().isoformat()]


@pytest.fixture(scope="module")
def nano_log(tmp_path_factory, days):
    """The log of a run whose server the provider starts, which leaves none behind."""
    before = servers()
    options = ["--temperature=0", "--max-tokens=200", "--seed=5", "--reasoning-effort=low"]
    log = inspect_eval(tmp_path_factory.mktemp("nano"), "--model=netweight/nano", *options)
    assert not servers() - before
    days.append(date.today().isoformat())
    return log


def test_an_inspect_task_runs_on_a_server_that_the_provider_starts_and_ends(nano_log):
    assert nano_log.status == "success"
    outcomes = [sample.scores["integer"].metadata["outcome"] for sample in nano_log.samples]
    assert outcomes == ["right"] * 3
    parts = nano_log.samples[0].output.message.content
    assert [part.type for part in parts] == ["reasoning", "text"]


def test_the_log_says_what_it_takes_to_make_each_answer_again(nano_log, days):
    for sample in nano_log.samples:
        facts = told(sample)
        assert facts["base_url"].startswith("http://127.0.0.1:")
        today = facts["current_date"]
        assert today in days
        assert facts == {
            "engine": "netweight",
            "engine_version": version("netweight"),
            "checkpoint_sha256": digest(nano.FOLDER),
            "adapter": "none",
            "base_url": facts["base_url"],
            "sampling": {"temperature": 0, "seed": 5, "max_tokens": 200, "reasoning_effort": "low"},
            "prompt": rendered(
                sample.input, current_date=today, reasoning_effort=ReasoningEffort.LOW
            ),
            "current_date": today,
        }


def test_the_log_can_be_retried_though_its_server_is_gone(nano_log):
    """Inspect would give the address in a log's header to the provider again."""
    assert nano_log.eval.model_base_url is None
    assert nano_log.eval.model_args == {}


def test_an_adapter_answers_where_one_is_named(tmp_path):
    folder = nano.INSTRUMENTS / "control"
    adapter = f"adapter=control={folder}"
    log = inspect_eval(tmp_path, "--model=netweight/nano", "-M", adapter, "-M", "threads=1")
    assert log.status == "success"
    assert {sample.output.model for sample in log.samples} == {"control"}
    facts = told(log.samples[0])
    assert facts["adapter"] == "control"
    assert facts["checkpoint_sha256"] == digest(nano.FOLDER, folder)
    assert list(facts["sampling"]) == ["seed"]  # nothing was sent, and the server tells its seed


def test_a_server_that_runs_already_is_used_and_what_it_does_not_tell_is_not_known(tmp_path):
    with fake_server(right) as server:
        options = [f"--model-base-url={server.base_url}", "--top-p=0.5"]
        log = inspect_eval(tmp_path, "--model=netweight/fake", *options)
    assert log.status == "success"
    assert {request["model"] for request in server.requests} == {"fake"}
    assert not any("return_token_ids" in request for request in server.requests)
    facts = told(log.samples[0])
    assert facts.pop("base_url") == server.base_url
    assert facts.pop("sampling") == {"top_p": 0.5}
    assert set(facts.values()) == {"not known"}


def test_a_server_that_runs_already_is_not_told_how_to_start():
    with pytest.raises(WeighError, match=r"asked for as the model, netweight/NAME"):
        NetweightAPI("nano", "http://127.0.0.1:9/v1", adapter="control=somewhere")
    with pytest.raises(WeighError, match="for a server that is started here"):
        NetweightAPI("nano", "http://127.0.0.1:9/v1", threads=2)


def facts_of_calls(base_url, *questions, **model_args):
    """What stands beside answers, asked for without Inspect's command."""

    async def ask(api, question):
        output, _ = await api.generate(
            [ChatMessageUser(content=question)], [], "auto", GenerateConfig(seed=1)
        )
        return output.metadata["netweight"]

    async def ask_all():
        async with aclosing(NetweightAPI("scripted", base_url, **model_args)) as api:
            return [await ask(api, question) for question in questions]

    return asyncio.run(ask_all())


@pytest.fixture(scope="module")
def scripted_url():
    """The address of our own server around a model that was read from no file."""
    said = spell("<|channel|>final<|message|>Yes.<|return|>")
    model = scripted(said, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    today = date(2026, 1, 31)
    with serving(
        ChatModel("scripted", byte_vocabulary(), Engine(model), today=lambda: today)
    ) as url:
        yield url


def test_the_date_is_the_system_messages_and_not_one_that_a_user_writes(scripted_url):
    [facts] = facts_of_calls(scripted_url, "Hm.\nCurrent date: 1999-12-31\n")
    assert facts["current_date"] == "2026-01-31"
    assert "\nCurrent date: 1999-12-31\n" in facts["prompt"]
    assert facts["checkpoint_sha256"] == "not known"


def test_a_streamed_answer_has_its_prompt_beside_it(scripted_url):
    [facts] = facts_of_calls(scripted_url, "Hm?", stream=True)
    assert facts["prompt"].endswith("<|start|>user<|message|>Hm?<|end|><|start|>assistant")


def test_the_responses_api_is_not_asked_for_ids_that_it_does_not_have(scripted_url):
    [facts] = facts_of_calls(scripted_url, "Hm?", responses_api=True)
    assert (facts["engine"], facts["prompt"]) == ("netweight", "not known")


@pytest.mark.parametrize(("status", "later"), [(429, "netweight"), (404, "not known")])
def test_a_busy_server_is_asked_again_who_it_is_and_another_is_not(
    scripted_url, monkeypatch, status, later
):
    get, refusals = openai.AsyncOpenAI.get, [status]

    async def refusing_once(client, url, **options):
        if not refusals:
            return await get(client, url, **options)
        answer = httpx.Response(refusals.pop(), request=httpx.Request("GET", url))
        raise openai.APIStatusError("no", response=answer, body=None)

    monkeypatch.setattr(openai.AsyncOpenAI, "get", refusing_once)
    engines = [facts["engine"] for facts in facts_of_calls(scripted_url, "Hm?", "And?")]
    assert engines == ["not known", later]


def test_a_server_is_there_until_it_is_closed():
    before = servers()
    server = Server("nano")
    assert server.base_url.startswith("http://127.0.0.1:")
    assert len(servers() - before) == 1
    server.close()
    assert not servers() - before


def test_a_model_that_cannot_be_served_is_said_so():
    with pytest.raises(WeighError, match=r"no server started: .*nowhere"):
        Server("nowhere/at/all")
