"""Evidence records: what they hold, what they refuse, and how they reach the disk."""

import copy
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from netweight.errors import WeighError
from netweight.evals.gate import Check
from netweight.evals.measure import FAILED, Measure, Scored, mean_figure
from netweight.evals.provenance import Provenance
from netweight.evals.records import Result, check_record, make_record, write_record
from netweight.evals.subject import Settings, Subject

DOCUMENT = Path(__file__).parents[2] / "docs" / "records.md"
EXAMPLE = re.compile(r"(?<=```json\n).*?(?=```)", re.DOTALL)

MEASURE = Measure(
    task="sums",
    version=1,
    metric="accuracy",
    description="share of fresh sums of two-digit numbers answered right",
    lower_is_better=False,
    hits=("right",),
    counted=("right", "wrong", "refused", "unparsed", "truncated"),
    outcomes=("right", "wrong", "refused", "unparsed", "truncated", *FAILED),
)


@pytest.fixture
def make(tmp_path):
    """A function that makes the record of an invented run with the checks it is given."""
    log = tmp_path / "logs" / "sums.eval"
    log.parent.mkdir()
    log.write_bytes(b"an Inspect log")
    provenance = Provenance(
        command="netweight weigh nano --suite quick --seed 7",
        started=datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
        finished=datetime(2026, 1, 31, 12, 1, tzinfo=UTC),
        machine="An invented processor, 2 cores, Linux x86_64",
        commit="0123456789abcdef0123456789abcdef01234567",
    )
    subject = Subject("nano", "nano", reasons=True, engine="netweight", engine_version="0.1.0")

    def made(*checks):
        outcomes = ["right"] * 74 + ["wrong"] * 5 + ["unparsed"]
        scored = [Scored(str(i), 1, each, str(i), "", 9, {}) for i, each in enumerate(outcomes)]
        lengths = [9 + index % 5 for index in range(80)]
        further = [mean_figure("tokens", "mean tokens of an answer", lengths, unit="tokens")]
        result = Result(
            MEASURE,
            "sums 1, seed 7",
            Counter(outcomes),
            MEASURE.headline(scored),
            further,
            checks,
            True,
            [log],
        )
        return make_record(
            result, subject, Settings(seed=7), provenance, suite="quick", folder=tmp_path
        )

    return made


PASSED = Check("no markers", passed=True, detail="no answer shows a raw marker")
FAILED = Check("no markers", passed=False, detail="3 answers show raw markers")


def test_the_documents_example_is_the_record_of_this_run(make, request):
    text = DOCUMENT.read_text("utf-8")
    record = make(PASSED)
    if request.config.getoption("--regen"):
        example = json.dumps(record, indent=2) + "\n"
        DOCUMENT.write_text(EXAMPLE.sub(lambda _: example, text), "utf-8")
        text = DOCUMENT.read_text("utf-8")
    assert json.loads(EXAMPLE.search(text).group()) == record


def test_a_record_carries_the_rate_its_interval_and_every_outcome(make):
    result, _ = make(PASSED)["evaluation_results"]
    uncertainty = result["score_details"]["uncertainty"]
    assert (result["score_details"]["score"], uncertainty["num_samples"]) == (74 / 80, 80)
    # Wilson at 95%: centre (k + z²/2) / (n + z²), half width by hand to four digits
    assert uncertainty["confidence_interval"]["lower"] == pytest.approx(0.8459, abs=5e-5)
    assert uncertainty["confidence_interval"]["upper"] == pytest.approx(0.9652, abs=5e-5)
    assert result["netweight"]["outcomes"] == {
        "right": 74, "wrong": 5, "refused": 0, "unparsed": 1, "truncated": 0, "timeout": 0,
        "infrastructure": 0,
    }  # fmt: skip


def test_a_failed_check_makes_the_record_unusable_and_says_why(make):
    facts = make(PASSED, FAILED)["evaluation_results"][0]["netweight"]
    assert (facts["usable"], facts["reason"]) == (False, "3 answers show raw markers")


def test_only_names_that_every_eval_ever_knows_stand_outside_the_netweight_object(make):
    record = make(PASSED)
    assert set(record) <= {
        "schema_version", "evaluation_id", "evaluation_timestamp", "retrieved_timestamp",
        "source_metadata", "eval_library", "model_info", "evaluation_results",
        "detailed_evaluation_results",
    }  # fmt: skip
    result, _ = record["evaluation_results"]
    assert set(result["generation_config"]["generation_args"]) <= {
        "temperature", "top_p", "top_k", "max_tokens", "execution_command", "reasoning",
    }  # fmt: skip
    assert all(type(v) is str for v in result["generation_config"]["additional_details"].values())


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ((), "schema_version", "0.2.0"),
        ((), "surprise", 1),
        (("evaluation_results", 0, "score_details"), "score", 74),
        (("evaluation_results", 0, "score_details", "uncertainty"), "num_samples", 0),
        (("evaluation_results", 0, "netweight"), "usable", False),
        (("evaluation_results", 0, "netweight"), "reason", "but it is marked usable"),
        (("evaluation_results", 0, "netweight", "outcomes"), "wrong", -1),
        (("source_metadata",), "evaluator_relationship", "friend"),
    ],
)
def test_a_record_that_breaks_the_schema_is_refused_by_place(make, place, key, value):
    record = copy.deepcopy(make(PASSED))
    part = record
    for step in place:
        part = part[step]
    part[key] = value
    with pytest.raises(WeighError, match=r"wrong at \$"):
        check_record(record)


@pytest.mark.parametrize(
    "name", ["score_details", "netweight", "generation_config", "metric_config"]
)
def test_a_record_without_a_required_part_is_refused(make, name):
    record = make(PASSED)
    del record["evaluation_results"][0][name]
    with pytest.raises(WeighError, match=f"'{name}' is a required property"):
        check_record(record)


def test_a_written_record_reads_back_equal_and_leaves_no_draft(make, tmp_path):
    record = make(PASSED)
    path = write_record(record, tmp_path / "records")
    assert json.loads(path.read_text("utf-8")) == record
    assert [file.name for file in path.parent.iterdir()] == ["sums.json"]


def test_a_bad_record_does_not_touch_the_good_one_already_there(make, tmp_path):
    record = make(PASSED)
    path = write_record(record, tmp_path)
    before = path.read_bytes()
    record["evaluation_results"][0]["score_details"]["score"] = float("nan")
    with pytest.raises((WeighError, ValueError)):
        write_record(record, tmp_path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_error_with_the_remedy(make, tmp_path):
    (tmp_path / "records").write_text("a file, not a folder")
    with pytest.raises(WeighError, match="Choose another --out"):
        write_record(make(PASSED), tmp_path / "records")
