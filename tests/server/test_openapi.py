"""Whatever the OpenAPI document lets clients send, and much that it does not: no 5xx."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from netweight.server import serving
from tests.server.conftest import ANSWER, saying

FEW, MANY = 6, 400  # examples of each operation


@pytest.fixture(scope="module")
def url():
    """The address of a server, without a path."""
    with serving(saying(ANSWER)) as url:
        yield url.removesuffix("/v1")


def schema_at(url):
    """The document, with a model that exists, so that requests get further than its name."""
    document = httpx.get(f"{url}/openapi.json").json()
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        if "model" in properties and "anyOf" not in properties["model"]:
            properties["model"] = {"const": "scripted"}
        if "n" in properties:
            properties["n"] = {"enum": [1, 2, None]}  # many answers take long and show nothing new
    return schemathesis.openapi.from_dict(document)


def send_all(url, mode, num_examples):
    """The worst status of each operation."""
    for result in schema_at(url).get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # any text is right in a path

        @settings(max_examples=num_examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case):
            response = case.call(base_url=url, timeout=20)
            assert response.status_code < 500, (response.status_code, response.text, case.body)
            if response.status_code >= 400:
                assert response.json()["error"]["message"]

        send()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_breaks_the_server(url, mode):
    send_all(url, mode, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_of_many_breaks_the_server(url, mode):
    send_all(url, mode, MANY)
