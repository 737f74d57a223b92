"""Raw completions: a scripted server over a real socket, and what its failures become."""

import json
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from types import SimpleNamespace

import anyio
import pytest
from inspect_ai.model import get_model

from netweight.errors import WeighError
from netweight.evals.completions import Endpoint, endpoint_of
from netweight.evals.harness import run_task
from netweight.evals.subject import Settings, Subject

START_ID, MESSAGE_ID = 11, 19
NAMES = {START_ID: "<|startoftext|>", 12: "<|endoftext|>", MESSAGE_ID: "<|start|>"}


def likes_nothing(text):
    """Every character is a token, and as likely as any."""
    return [-1.0] * len(text)


class Scripted:
    """What a server says: `write(prompt, body)` a continuation, `score(text)` log-probabilities.

    `moments(text)` are a mean and a standard deviation for each; without, the field is ignored.
    """

    def __init__(self, write=lambda prompt, body: "the end", score=likes_nothing, moments=None):
        self.write, self.score, self.moments, self.requests = write, score, moments, []
        self.status, self.delay_s, self.has_start = 200, 0.0, True

    def answer(self, path, body):
        self.requests.append(body)
        if self.status != 200:
            return self.status, {"error": {"message": "as told"}}
        match path:
            case "/v1/completions":
                return 200, self.completion(body)
            case "/tokenize":
                return 200, {"tokens": [MESSAGE_ID, 5] if "messages" in body else []}
            case "/detokenize":
                names = NAMES if self.has_start else {MESSAGE_ID: "<|start|>"}
                return 200, {"prompt": "".join(names.get(each, "a") for each in body["tokens"])}
        return 404, {"error": {"message": "no such path"}}

    def completion(self, body):
        choice = {"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}
        if body.get("echo"):
            text = body["prompt"]
            values = [None, *self.score(text)[1:]]
            choice |= {"text": text}
            if body.get("logprobs") is not None:
                choice["logprobs"] = {"tokens": list(text), "token_logprobs": values}
                if body.get("logprob_moments") and self.moments:
                    means, stds = zip(*self.moments(text)[1:], strict=True)
                    columns = {"mean_logprobs": [None, *means], "std_logprobs": [None, *stds]}
                    choice["logprobs"] |= columns
        else:
            choice |= {"text": self.write(body["prompt"], body), "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        return {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
            "usage": usage,
        }


@contextmanager
def serving(script):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sleep(script.delay_s)
            status, told = script.answer(self.path, body)
            content = (told if isinstance(told, str) else json.dumps(told)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            with suppress(ConnectionError):  # whoever asked may have gone
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_):
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def figures_of(task, measure, base_url, folder, *, model="fake", **settings):
    """Run a task on a server; its outcomes, scored samples and figures by name."""
    run = run_task(
        task,
        Subject(model, model, base_url),
        Settings(max_retries=0, **settings),
        folder,
        lambda num_done: None,
    )
    assert set(run.counts) <= set(measure.outcomes), run.failure
    counts = {name: count for name, count in run.counts.items() if count}
    headline = measure.headline(run.scored)
    figures = [*([headline] if headline else []), *measure.further(run.scored)]
    for each in figures:  # but for a cost, every figure says what it is not
        assert "not a proof" in each.description or each.unit == "tokens"
    return SimpleNamespace(run=run, counts=counts, figures={each.metric: each for each in figures})


def asked(base_url, method, *arguments, model="fake", timeout_s=5.0, **options):
    """What a method of an Endpoint gives."""

    async def ask():
        async with Endpoint(base_url, model, timeout_s=timeout_s, max_retries=0) as endpoint:
            return await getattr(endpoint, method)(*arguments, **options)

    return anyio.run(ask)


def test_a_prompt_is_sent_as_it_stands_and_its_continuation_comes_back():
    script = Scripted(lambda prompt, body: f"{prompt} and on")
    with serving(script) as base_url:
        said = asked(base_url, "proceed", "so", max_tokens=5, temperature=0.5, seed=3)
        asked(base_url, "proceed", [7, 8], max_tokens=5, temperature=0.0, special_text=True)
    assert (said.text, said.is_cut, said.usage.output_tokens) == ("so and on", False, 4)
    first, second = script.requests
    assert first == {
        "model": "fake",
        "prompt": "so",
        "max_tokens": 5,
        "temperature": 0.5,
        "seed": 3,
    }
    assert (second["prompt"], second["skip_special_tokens"]) == ([7, 8], False)
    assert "seed" not in second


def test_the_first_token_of_a_prompt_has_no_score():
    with serving(Scripted(score=lambda text: [-9.0, -1.0, -2.0])) as base_url:
        scores = asked(base_url, "score", "abc")
    assert (scores.tokens, scores.logprobs) == (["b", "c"], [-1.0, -2.0])


MOMENTS = [(-9.0, 9.0), (-2.0, 0.5), (-1.0, 0.25)]


def test_moments_come_at_the_tokens_places_when_asked_for():
    script = Scripted(score=lambda text: [-9.0, -1.0, -2.0], moments=lambda text: MOMENTS)
    with serving(script) as base_url:
        scores = asked(base_url, "score", "abc", moments=True)
        unasked = asked(base_url, "score", "abc")
    assert scores.moments == MOMENTS[1:]
    assert scores.logprobs == unasked.logprobs == [-1.0, -2.0]
    assert unasked.moments is None
    assert ["logprob_moments" in body for body in script.requests] == [True, False]


def test_a_server_that_ignores_the_field_gives_no_moments():
    with serving(Scripted()) as base_url:
        scores = asked(base_url, "score", "abc", moments=True)
    assert (len(scores.logprobs), scores.moments) == (2, None)


@pytest.mark.parametrize(
    ("refusal", "num_asked"), [("unknown field logprob_moments", 2), ("too long", 1)]
)
def test_only_a_server_that_refuses_the_field_by_name_is_asked_without_it(refusal, num_asked):
    class Strict(Scripted):
        def answer(self, path, body):
            told = super().answer(path, body)
            refuses = "logprob_moments" in body or refusal == "too long"
            return (400, {"error": {"message": refusal}}) if refuses else told

    script = Strict()
    with serving(script) as base_url:
        if num_asked == 2:
            assert asked(base_url, "score", "abc", moments=True).moments is None
        else:
            with pytest.raises(WeighError, match=r"refuses .*too long"):
                asked(base_url, "score", "abc", moments=True)
    assert len(script.requests) == num_asked


@pytest.mark.parametrize(
    "columns",
    [
        {"mean_logprobs": [None, -1.0, -1.0]},
        {"mean_logprobs": [None, -1.0], "std_logprobs": [None, 1.0]},
        {"mean_logprobs": [None, None, -1.0], "std_logprobs": [None, 1.0, 1.0]},
        {"mean_logprobs": "so", "std_logprobs": [None, 1.0, 1.0]},
    ],
)
def test_moments_of_another_form_are_never_taken_for_some(columns):
    class Odd(Scripted):
        def completion(self, body):
            told = super().completion(body)
            told["choices"][0]["logprobs"] |= columns
            return told

    with serving(Odd()) as base_url, pytest.raises(WeighError, match="answers logprob_moments"):
        asked(base_url, "score", "abc", moments=True)


def test_the_token_that_begins_a_document_is_found_by_its_name():
    with serving(Scripted()) as base_url:
        assert asked(base_url, "document_start") == [START_ID]


def test_a_server_that_knows_no_such_token_is_told_of_the_remedy():
    script = Scripted()
    script.has_start = False
    with serving(script) as base_url, pytest.raises(WeighError, match="start=199998"):
        asked(base_url, "document_start")


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "has no /v1/completions, or no model 'fake'"), (400, "refuses .*as told"), (500, "as")],
)
def test_a_refusal_is_said_with_what_the_server_said(status, told):
    script = Scripted()
    script.status = status
    with serving(script) as base_url, pytest.raises(WeighError, match=told):
        asked(base_url, "proceed", "so", max_tokens=1, temperature=0)


def test_a_slow_server_times_out_in_words_that_count_as_a_timeout():
    script = Scripted()
    script.delay_s = 0.6
    with serving(script) as base_url, pytest.raises(WeighError, match=r"timed out after 0\.2 s"):
        asked(base_url, "score", "so", timeout_s=0.2)


def test_a_dead_address_is_said_so():
    with pytest.raises(WeighError, match="no server answers"):
        asked("http://127.0.0.1:9/v1", "score", "so")


@pytest.mark.parametrize(
    "broken",
    [
        {"choices": []},
        {"choices": [{"index": 0, "text": None}]},
        "a string",
        {"choices": [{"index": 0, "text": "so", "logprobs": {"tokens": ["s"]}}]},
        {"choices": [{"index": 0, "text": "so", "logprobs": None}]},
    ],
)
def test_an_answer_of_another_form_is_never_taken_for_scores(broken):
    script = Scripted()
    script.answer = lambda path, body: (200, broken)
    with (
        serving(script) as base_url,
        pytest.raises(WeighError, match=r"answer as|gives no log|refuses"),
    ):
        asked(base_url, "score", "so")


def test_a_model_without_an_address_has_no_raw_completions():
    with pytest.raises(WeighError, match="no address to send raw prompts to"):
        endpoint_of(get_model("mockllm/model"))


def test_the_address_and_name_are_those_that_inspect_asks():
    model = get_model(
        "openai-api/netweight/some/name", base_url="http://127.0.0.1:9/v1", api_key="k"
    )
    endpoint = endpoint_of(model)
    assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:9/v1", "some/name")
    provided = get_model("netweight/other", base_url="http://127.0.0.1:9/v1")
    endpoint = endpoint_of(provided)
    assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:9/v1", "other")
