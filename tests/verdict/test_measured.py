import json

import pytest

from netweight.errors import EvidenceError
from netweight.verdict import read_records


def test_a_record_is_read_whole(write_record):
    (record,) = read_records(write_record(hits=3, n=40, model="gpt-oss-20b"))
    assert (record.model, record.hits, record.n, record.score) == ("gpt-oss-20b", 3, 40, 0.075)
    assert record.usable and len(record.sha256) == 64


def test_the_folder_above_records_serves_too(write_record, tmp_path):
    folder = write_record()
    (folder / "records").mkdir()
    (folder / "formulas.json").rename(folder / "records" / "formulas.json")
    assert len(read_records(tmp_path)) == 1


def test_the_example_of_the_format_s_documentation_is_read(tmp_path):
    from tests.conftest import ROOT

    text = (ROOT / "docs" / "records.md").read_text()
    (tmp_path / "sums.json").write_text(text.split("```json\n")[1].split("```")[0])
    (record,) = read_records(tmp_path)
    assert (record.task, record.hits, record.n) == ("sums", 74, 80)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": 0.5}, "is not a score of 0.5"),
        ({"usable": False}, "must say why"),
        ({"schema_version": "9"}, "schema_version"),
        ({"evaluation_results": []}, "evaluation_results"),
    ],
)
def test_a_record_that_does_not_hold_together_is_refused(write_record, changes, message):
    with pytest.raises(EvidenceError, match=message):
        read_records(write_record(**changes))


def test_an_interval_that_is_not_wilson_s_is_refused(write_record):
    file = write_record(hits=1) / "formulas.json"
    record = json.loads(file.read_text())
    uncertainty = record["evaluation_results"][0]["score_details"]["uncertainty"]
    uncertainty["confidence_interval"]["upper"] = 0.06
    file.write_text(json.dumps(record))
    with pytest.raises(EvidenceError, match="is not the Wilson interval of 1 of 20"):
        read_records(file.parent)


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', "[" * 100_000, "\xff"])
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path, content):
    (tmp_path / "odd.json").write_text(content, encoding="latin-1")
    with pytest.raises(EvidenceError, match=r"odd\.json is not"):
        read_records(tmp_path)


def test_a_missing_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="there is no folder"):
        read_records(tmp_path / "nothing")
    with pytest.raises(EvidenceError, match="holds no records"):
        read_records(tmp_path)
