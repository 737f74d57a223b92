"""The recomposed index: whole with an interval, or not at all."""

from dataclasses import replace
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import WeighError
from netweight.evals.index import PARTS, as_json, compose, compose_records, compose_run
from netweight.evals.measure import Figure, Scored, rate_figure
from netweight.evals.pairs import read_run
from netweight.evals.scorecard import scorecard_html
from netweight.evals.scorecard_rows import index_rows, index_text
from netweight.evals.stats import Interval
from tests.evals.test_pairs import BROKEN, measure, said, write_task


def figure(value, half_width=0.02, num_samples=100):
    interval = Interval(value - half_width, value + half_width, 0.95)
    return Figure("accuracy", "a part", value, interval, "Wilson score", num_samples)


KEYS = [part.key for part in PARTS]
WHOLE = {key: figure(0.2 + 0.1 * index) for index, key in enumerate(KEYS)}


def test_there_are_eight_parts_and_their_weights_sum_to_one():
    assert len(set(KEYS)) == 8
    assert sum(part.weight for part in PARTS) == 1
    assert {part.weight for part in PARTS} == {0.125}


def test_repeats_are_the_published_ones():
    repeats = {part.key: part.repeats for part in PARTS}
    assert repeats == {
        "mmlu_pro": 1, "hle": 1, "gpqa_diamond": 1, "aime2025": 10,
        "scicode": 3, "livecodebench": 3, "ifbench": 5, "aa_lcr": 3,
    }  # fmt: skip


def test_three_parts_nobody_has_for_inspect():
    assert {part.key for part in PARTS if part.task is None} == {
        "livecodebench", "ifbench", "aa_lcr",
    }  # fmt: skip


def test_the_index_is_the_mean_of_its_parts_in_points():
    composition = compose(WHOLE)
    assert composition.index.value == pytest.approx(100 * (0.2 + 0.9) / 2)
    assert composition.index.unit == "score" and composition.index.num_samples == 800
    assert sum(row.points for row in composition.rows) == pytest.approx(composition.index.value)
    assert composition.missing == () and composition.why_none is None


def test_a_part_that_differs_moves_the_index_by_its_weight():
    moved = compose({**WHOLE, "hle": figure(0.38)}).index.value
    assert moved - compose(WHOLE).index.value == pytest.approx(1.0)


@pytest.mark.parametrize("key", KEYS)
def test_with_any_part_missing_there_is_no_index_and_it_is_named(key):
    composition = compose({name: each for name, each in WHOLE.items() if name != key})
    (part,) = (part for part in PARTS if part.key == key)
    assert composition.index is None and composition.missing == (part,)
    assert "1 of 8 parts, with 12.5% of the weight" in composition.why_none
    assert composition.why_none.endswith(part.name)
    (row,) = (row for row in composition.rows if row.part == part)
    assert row.points is None and row.missing
    assert all(other.points is not None for other in composition.rows if other.part != part)


def test_the_published_parts_of_gpt_oss_120b_alone_give_no_index():
    published = {"gpqa_diamond": figure(0.782), "ifbench": figure(0.69)}
    composition = compose(published)
    assert composition.index is None and len(composition.missing) == 6
    measured = [row for row in composition.rows if row.points is not None]
    assert [row.points for row in measured] == pytest.approx([9.775, 8.625])


def test_what_is_missing_says_where_it_can_be_had():
    rows = {row.part.key: row.missing for row in compose({}).rows}
    assert rows["aime2025"] == "not measured; the task aime2025 does"
    assert rows["mmlu_pro"] == "not measured; the task mmlu_pro does (with inspect_evals)"
    assert rows["livecodebench"].startswith("no task for Inspect has it (inspect_evals has")


def test_equal_parts_have_an_interval_narrower_by_the_root_of_their_number():
    same = compose(dict.fromkeys(KEYS, figure(0.5, half_width=0.08))).index
    half_width = 100 * 0.08 / sqrt(8)
    assert same.interval.lower == pytest.approx(50 - half_width)
    assert same.interval.upper == pytest.approx(50 + half_width)


def test_the_interval_keeps_the_skew_of_its_parts():
    skewed = Figure("accuracy", "", 0.99, Interval(0.90, 1.0, 0.95), "exact", 30)
    index = compose(dict.fromkeys(KEYS, skewed)).index
    assert index.value - index.interval.lower == pytest.approx(
        9 * (index.interval.upper - index.value)
    )


@given(st.lists(st.integers(0, 60), min_size=8, max_size=8))
def test_the_interval_holds_the_index_and_lies_within_a_hundred_points(hits):
    parts = {
        key: rate_figure("accuracy", "", [n < count for n in range(60)])
        for key, count in zip(KEYS, hits, strict=True)
    }
    lower, upper, _ = compose(parts).index.interval
    assert 0 <= lower <= compose(parts).index.value <= upper <= 100


def test_the_interval_covers_at_its_level():
    random, num_runs = Random(7), 400
    rates = (0.8, 0.2, 0.75, 0.93, 0.4, 0.64, 0.69, 0.5)
    sizes = (300, 200, 198, 30, 80, 315, 294, 100)
    covered = 0
    for _ in range(num_runs):
        drawn = {
            key: rate_figure("accuracy", "", [random.random() < rate for _ in range(size)])
            for key, rate, size in zip(KEYS, rates, sizes, strict=True)
        }
        lower, upper, _ = compose(drawn).index.interval
        covered += lower <= 100 * sum(rates) / 8 <= upper
    assert 0.92 <= covered / num_runs <= 0.985


def test_questions_alone_make_the_margin_wider_than_the_published_one_point():
    sizes = {"mmlu_pro": 12_032, "hle": 2_000, "gpqa_diamond": 198, "aime2025": 30,
             "scicode": 80, "livecodebench": 315, "ifbench": 294, "aa_lcr": 100}  # fmt: skip
    parts = {
        key: rate_figure("accuracy", "", [n < 0.6 * size for n in range(size)])
        for key, size in sizes.items()
    }
    lower, upper, _ = compose(parts).index.interval
    assert 1.5 < (upper - lower) / 2 < 4


def test_a_part_without_an_interval_leaves_the_index_without_one_and_says_so():
    bare = replace(WHOLE["hle"], interval=None)
    index = compose({**WHOLE, "hle": bare}).index
    assert index.interval is None and index.method == "none: Humanity's Last Exam has no interval"


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"math_500": figure(0.9)}, "no part 'math_500'"),
        ({"hle": figure(19.6)}, r"hle is 19\.6 proportion\. Divide percent by 100"),
        ({"hle": replace(figure(0.2), unit="score")}, r"hle is 0\.2 score"),
        (
            {**WHOLE, "hle": replace(figure(0.2), interval=Interval(0.1, 0.3, 0.9))},
            r"levels \[0\.9, 0\.95\]",
        ),
    ],
)
def test_figures_that_do_not_fit_are_refused(figures, told):
    with pytest.raises(WeighError, match=told):
        compose(figures)


def test_a_reason_against_an_unknown_part_is_refused():
    with pytest.raises(WeighError, match="no part 'math_500'"):
        compose(WHOLE, {"math_500": "too easy"})


@pytest.mark.parametrize("key", KEYS)
def test_a_part_that_must_not_count_keeps_its_figure_and_takes_the_index_away(key):
    composition = compose(WHOLE, {key: "asked in part"})
    (row,) = (row for row in composition.rows if row.part.key == key)
    assert (row.figure, row.points, row.missing) == (WHOLE[key], None, "asked in part")
    assert composition.index is None and composition.missing == (row.part,)


# From records


def write_part(folder, key, outcomes, **run):
    """The record of a part as a run of the suite leaves it, and its log."""
    samples = [said(n, outcome) for n, outcome in enumerate(outcomes)]
    return write_task(folder, samples, measure(key), **{"suite": "index"} | run)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two parts in full, one in part, one that is no evidence, and a task that is no part."""
    folder = tmp_path_factory.mktemp("run")
    write_part(folder, "aime2025", ["right"] * 150 + ["wrong"] * 150)
    write_part(folder, "gpqa_diamond", ["right"] * 99 + ["wrong"] * 95 + ["timeout"] * 4)
    write_part(folder, "mmlu_pro", ["right", "wrong"])
    write_part(folder, "hle", ["wrong", "wrong"], checks=(BROKEN,))
    write_part(folder, "riddles", ["right"])
    return folder


def test_a_runs_records_are_composed(run):
    rows = {row.part.key: row for row in compose_run(run).rows}
    assert rows["aime2025"].points == pytest.approx(6.25)
    assert rows["gpqa_diamond"].points == pytest.approx(12.5 * 99 / 194)
    assert rows["gpqa_diamond"].figure.num_samples == 194
    assert rows["mmlu_pro"].missing == "measured in part: 2 of about 12,032 answers"
    assert rows["mmlu_pro"].figure.value == 0.5
    assert rows["hle"].missing == f"not evidence: {BROKEN.detail}"
    assert {key for key, row in rows.items() if row.figure is None} == {
        "scicode", "livecodebench", "ifbench", "aa_lcr",
    }  # fmt: skip


def test_a_figure_comes_back_as_it_was_recorded(run):
    (row,) = (row for row in compose_run(run).rows if row.part.key == "aime2025")
    assert row.figure == measure("aime2025").headline(
        [each for task in [read_run(run).tasks["aime2025"]] for each in scored(task)]
    )


def scored(task):
    return [
        Scored(item.sample, item.epoch, item.outcome, item.cluster, item.answer, 0, {})
        for item in task.items
    ]


@pytest.mark.parametrize(("num_asked", "counts"), [(284, False), (285, True), (300, True)])
def test_repeats_that_were_not_asked_leave_a_part_measured_in_part(tmp_path, num_asked, counts):
    write_part(tmp_path, "aime2025", ["right"] * (num_asked - 1) + ["wrong"])
    (row,) = (row for row in compose_run(tmp_path).rows if row.part.key == "aime2025")
    assert (row.points is not None) == counts


def test_records_of_another_suite_are_passed_over(tmp_path):
    write_part(tmp_path, "aime2025", ["right"] * 300, suite="full")
    assert len(compose_run(tmp_path).missing) == 8
    assert compose_run(tmp_path / "nothing") == compose_records([])


def test_scicode_counts_by_its_steps_and_never_by_whole_problems(tmp_path):
    write_part(tmp_path, "scicode", ["right"] * 1_014)
    (row,) = (row for row in compose_run(tmp_path).rows if row.part.key == "scicode")
    assert (row.figure, row.points) == (None, None)
    assert row.missing == "its record has no step_accuracy"


def test_a_damaged_record_is_told(tmp_path):
    write_part(tmp_path, "aime2025", ["right"])
    (tmp_path / "records" / "aime2025.json").write_text("{}")
    with pytest.raises(WeighError, match=r"record .*aime2025\.json cannot be read"):
        compose_run(tmp_path)


def test_the_index_is_printed_with_its_interval_when_it_is_whole():
    rows = index_rows(compose(WHOLE))
    assert (rows[0].value, rows[0].interval, rows[0].points) == ("20.0%", "18.0 to 22.0%", "2.50")
    assert all(row.missing == "" for row in rows)
    assert index_text(compose(WHOLE)) == (
        "Artificial Analysis Intelligence Index v2.2, recomposed: 55.0 (54.3 to 55.7)."
    )
    bare = {**WHOLE, "hle": replace(WHOLE["hle"], interval=None)}
    assert "(no interval)" in index_text(compose(bare))
    assert index_rows(compose(bare))[1].interval == "none"


def test_without_a_part_no_number_is_printed_for_the_index():
    assert index_text(compose({})).startswith("No index: 8 of 8 parts")
    data = as_json(compose({"hle": figure(0.2)}))
    assert data["index"] is None and "7 of 8 parts" in data["why_none"]
    (part,) = (part for part in data["parts"] if part["figure"])
    assert (part["part"], part["points"], part["missing"]) == ("hle", pytest.approx(2.5), None)
    whole = as_json(compose(WHOLE))
    assert whole["why_none"] is None and whole["index"]["value"] == pytest.approx(55)
    assert whole["index"]["interval"]["level"] == 0.95


def test_only_the_page_of_the_suite_has_the_index(run, tmp_path):
    page = scorecard_html(read_run(run))
    assert "No index: 6 of 8 parts, with 75.0% of the weight, are missing" in page
    assert (
        "measured in part: 2 of about 12,032 answers" in page and page.count("missing</span>") == 6
    )
    write_part(tmp_path, "aime2025", ["right"] * 300, suite="full")
    assert "Intelligence Index" not in scorecard_html(read_run(tmp_path))
