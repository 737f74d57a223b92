"""The house's own paths: how the server is, how it is used, and what it can do."""

import re
from html.parser import HTMLParser
from importlib.metadata import version

import pytest

from netweight.server import ServerSettings
from netweight.server.metrics import Counter, Histogram, Metrics
from tests.server.conftest import ANSWER, client_of, saying

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "27 + 15?"}]}


def values_of(text):
    """The samples of a text in Prometheus's format, each line of which must be well-formed."""
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) netweight_[a-z_]+ .+", line)
            continue
        match = re.fullmatch(
            r'(netweight_[a-z_]+(?:\{(?:\w+="[^"]*",?)+\})?) ([\d.e+-]+|\+Inf)', line
        )
        assert match, line
        assert match[1] not in samples
        samples[match[1]] = float(match[2])
    return samples


def metrics_of(client):
    return values_of(client.get("../metrics").text)


def test_what_has_happened_is_counted():
    with client_of(saying(ANSWER)) as client:
        before = metrics_of(client)
        assert before["netweight_generation_tokens_total"] == 0
        assert before["netweight_time_to_first_token_seconds_count"] == 0
        usage = client.post("chat/completions", json=BODY).json()["usage"]
        client.post("chat/completions", json={**BODY, "temperature": 3})
        client.get("../nowhere/at/all")
        after = metrics_of(client)
    assert after["netweight_prompt_tokens_total"] == usage["prompt_tokens"]
    assert after["netweight_generation_tokens_total"] == usage["completion_tokens"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert after["netweight_reasoning_tokens_total"] == reasoning
    assert after['netweight_request_finished_total{finished_reason="stop"}'] == 1
    assert after["netweight_time_to_first_token_seconds_count"] == 1
    gaps = after["netweight_inter_token_latency_seconds_count"]
    assert gaps == usage["completion_tokens"] - 1
    counts = {key: value for key, value in after.items() if "http_requests_total" in key}
    path = 'path="/v1/chat/completions",method="POST"'
    assert counts[f'netweight_http_requests_total{{{path},status="200"}}'] == 1
    assert counts[f'netweight_http_requests_total{{{path},status="400"}}'] == 1
    other = 'path="other",method="GET",status="404"'
    assert counts[f"netweight_http_requests_total{{{other}}}"] == 1
    assert after["netweight_num_requests_running"] == after["netweight_num_requests_waiting"] == 0
    assert after["netweight_engine_steps_total"] >= usage["completion_tokens"]
    assert after["netweight_engine_cpu_seconds_total"] > 0


def test_cached_prompt_tokens_are_counted():
    with client_of(saying(ANSWER)) as client:
        for _ in range(2):
            usage = client.post("chat/completions", json=BODY).json()["usage"]
        cached = metrics_of(client)["netweight_cached_prompt_tokens_total"]
    assert 0 < cached == usage["prompt_tokens_details"]["cached_tokens"]


def test_what_answers_is_told_and_that_a_model_without_files_has_no_digest():
    with client_of(saying(ANSWER)) as client:
        told = client.get("../info").json()
        assert client.get("../info", params={"model": "scripted"}).json() == told
        other = client.get("../info", params={"model": "nowhere"})
    ours = {"engine": "netweight", "version": version("netweight"), "model_id": "scripted"}
    assert told == {**ours, "adapter": None, "checkpoint_sha256": None}
    assert other.status_code == 404


def test_a_histogram_counts_what_is_at_most_its_bounds():
    histogram = Histogram("wait_seconds", "Waiting.", (0.1, 1))
    for value in (0.05, 0.1, 0.5, 7):
        histogram.observe(value)
    lines = [(sample.ending, sample.labels, sample.value) for sample in histogram.samples()]
    assert lines == [
        ("_bucket", '{le="0.1"}', 2),
        ("_bucket", '{le="1"}', 3),
        ("_bucket", '{le="+Inf"}', 4),
        ("_sum", "", 7.65),
        ("_count", "", 4),
    ]


def test_labels_are_escaped():
    counter = Counter("calls_total", "Calls.", ("path",))
    counter.add(1, 'a"b\\c\nd')
    [sample] = counter.samples()
    assert sample.labels == r'{path="a\"b\\c\nd"}'


def test_every_metric_says_what_it_is():
    for metric in re.findall(r"# HELP (\w+) (.*)\n# TYPE \1 (\w+)", Metrics().text()):
        assert all(metric)


class Page(HTMLParser):
    """What a page refers to, and its text."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.tags, self.words = [], [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [value for name, value in attributes.items() if name in ("href", "src")]

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def docs(answering):
    response = answering.get("../docs")
    assert response.status_code == 200
    return response


def test_the_reference_lists_every_path_and_type(docs, answering):
    document = answering.get("../openapi.json").json()
    page = Page(docs.text)
    for path, methods in document["paths"].items():
        assert path in page.words
        assert all("description" in operation for operation in methods.values()), path
    for name, schema in document["components"]["schemas"].items():
        assert f"type-{name}" in page.ids
        assert all(field in page.words for field in schema.get("properties", {}))


def test_the_reference_asks_for_nothing_from_elsewhere(docs):
    page = Page(docs.text)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    inner = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert set(inner) <= set(page.ids)
    assert [link for link in page.links if not link.startswith("#")] == ["openapi.json"]
    assert len(page.ids) == len(set(page.ids))
    assert "default-src 'none'" in docs.headers["content-security-policy"]


def test_the_reference_writes_the_models_name_and_address_as_text():
    with client_of(saying(ANSWER, name="<b>x</b>")) as client:
        html = client.get("../docs", headers={"host": "localhost:1"}).text
    assert "<b>x</b>" not in html
    assert "http://localhost:1/v1" in html


def test_the_reference_says_whether_a_key_is_needed(docs):
    assert "Authorization" not in docs.text
    with client_of(saying(ANSWER), ServerSettings(api_keys=("secret",))) as client:
        assert "Authorization: Bearer YOUR_KEY" in client.get("../docs").text


def test_errors_are_in_the_openapi_document_as_they_are_sent(answering):
    document = answering.get("../openapi.json").json()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            assert "4XX" in operation["responses"]
