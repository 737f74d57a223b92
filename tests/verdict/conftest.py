"""Stories and records for the verdict's tests."""

import json
from pathlib import Path

import pytest

from netweight.verdict import make_report, parse_story, published, read_story
from netweight.verdict.intervals import wilson

ROOT = Path(__file__).parents[2]
DATE = "2026-11-24"


@pytest.fixture(scope="session")
def tables():
    return published()


@pytest.fixture(scope="session")
def example_story():
    return read_story(str(ROOT / "examples" / "story.txt"))


@pytest.fixture(scope="session")
def example(example_story, tables):
    return make_report(example_story, tables, date=DATE)


@pytest.fixture(scope="session")
def real(shared_data, tables):
    """The report on the real story that the project set out from; skips where it is missing."""
    file = shared_data.parent / "stories" / "gpt-oss-mixed-reception.txt"
    if not file.is_file():
        pytest.skip(f"no story at {file}")
    return make_report(read_story(str(file)), tables, date=DATE)


@pytest.fixture(scope="session")
def judge_text(tables):
    """Judge a text of the test's own; returns the report."""

    def judged(text, *, measured=(), name="story.txt"):
        story = parse_story(text.encode(), name)
        return make_report(story, tables, date=DATE, measured=measured)

    return judged


@pytest.fixture
def write_record(tmp_path):
    """Write a record file as `netweight weigh` would, with counts of the test's choosing."""

    def write(name="formulas", **changes):
        hits, n = changes.pop("hits", 0), changes.pop("n", 20)
        interval = wilson(hits, n)
        result = {
            "metric_config": {
                "evaluation_description": "share of tellings with a formula",
                "lower_is_better": True,
            },
            "score_details": {
                "score": changes.pop("score", hits / n),
                "uncertainty": {
                    "num_samples": n,
                    "confidence_interval": {
                        "method": "Wilson score",
                        "lower": interval.low,
                        "upper": interval.high,
                        "confidence_level": 0.95,
                    },
                },
            },
            "generation_config": {
                "generation_args": {"execution_command": "netweight weigh MODEL --suite quick"}
            },
            "netweight": {
                "task": changes.pop("task", "formulas_in_fiction"),
                "task_version": 1,
                "usable": changes.pop("usable", True),
                "reason": changes.pop("reason", None),
                "outcomes": {"formula": hits, "plain": n - hits},
                "hits": ["formula"],
                "counted": ["formula", "plain"],
            },
        }
        record = {
            "schema_version": "0.3.0",
            "evaluation_id": f"netweight/{name}/{changes.get('model', 'nano')}/1",
            "evaluation_timestamp": "2026-01-31T12:00:00Z",
            "model_info": {
                "name": changes.pop("model", "nano"),
                "inference_engine": {"name": "netweight", "version": "0.1.0"},
            },
            "evaluation_results": [result],
        } | changes
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
        return tmp_path

    return write
