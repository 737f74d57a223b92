"""The schemas in docs are those of the documents that are written."""

import copy
import json

import jsonschema
import pytest

from netweight.verdict import (
    Difference,
    Drift,
    Report,
    compare_reports,
    make_drift,
    read_records,
)
from tests.conftest import ROOT

STORY = (
    "gpt-oss-120b scored 41.8% on Aider Polyglot, a test of bias. gpt-oss-20b has the MIT license. "
    "gpt-oss-120b is on par with o4-mini on MMLU and is a nothing burger."
)
DOCUMENTS = {"verdict": Report, "drift": Drift, "diff": Difference}


def schema_file(name):
    return ROOT / "docs" / f"{name}.schema.json"


def schema_of(model):
    schema = model.model_json_schema(mode="serialization", by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_schema_in_docs_is_that_of_the_code(name, pytestconfig):
    text = json.dumps(schema_of(DOCUMENTS[name]), indent=2, ensure_ascii=False) + "\n"
    if pytestconfig.getoption("--regen"):
        schema_file(name).write_text(text, encoding="utf-8")
    assert schema_file(name).read_text(encoding="utf-8") == text, "run pytest with --regen"


def validator(name):
    schema = json.loads(schema_file(name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def first(judge_text):
    return judge_text(STORY)


@pytest.fixture
def documents(first, judge_text, tables, write_record):
    measured = read_records(write_record(model="gpt-oss-120b", hits=3, n=40))
    second = judge_text(STORY + " It slips equations into verse.", measured=measured)
    return {
        "verdict": second.to_json(),
        "drift": make_drift([first, second], tables).to_json(),
        "diff": compare_reports(first, second, tables).to_json(),
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_follows_its_schema(name, documents):
    validator(name).validate(json.loads(documents[name]))


def test_the_schema_refuses_what_no_verdict_is(first):
    good = json.loads(first.to_json())

    def changed(change):
        document = copy.deepcopy(good)
        change(document)
        return document

    wrong = [
        changed(lambda d: d.pop("tally")),
        changed(lambda d: d.update(score=7)),
        changed(lambda d: d.update(schema="netweight-verdict/1")),
        changed(lambda d: d["claims"][0].update(verdict="true")),
        changed(lambda d: d["claims"][0].pop("quote")),
        changed(lambda d: d["evidence"][0].update(kind="guess")),
        changed(lambda d: d["summary"][0].update(text=7)),
    ]
    check = validator("verdict")
    assert check.is_valid(good)
    assert not any(check.is_valid(document) for document in wrong)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_member_of_a_document_is_explained(name):
    text = (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8")
    members = json.loads(schema_file(name).read_text(encoding="utf-8"))["properties"]
    missing = [member for member in members if f"`{member}`" not in text]
    assert not missing
