"""The task in Inspect: scripted models on real exercises, the floor and the ceiling."""

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.errors import WeighError
from netweight.evals.measure import FAILED, Scored
from netweight.evals.polyglot import runners, task
from netweight.evals.polyglot.protocol import Checked
from netweight.evals.polyglot.task import MEASURE, polyglot

pytestmark = [pytest.mark.inspect, pytest.mark.usefixtures("data_folder")]

# What facts and our own runs agree on: how many reference solutions there are, all of which pass,
# and which untouched stubs do.
COUNTS = {"python": (34, []), "javascript": (49, ["javascript/ledger"]), "cpp": (26, [])}


@pytest.fixture
def evaluate(needs_bwrap, tmp_path):
    """A function that runs the task and returns {exercise: score} and the metrics."""

    def run(replies=(), **arguments):
        outputs = [said(reply) for reply in replies]
        model = get_model("mockllm/model", custom_outputs=outputs, memoize=False)
        (log,) = inspect_eval(
            polyglot(**arguments), model=model, display="none", log_dir=str(tmp_path)
        )
        assert log.status == "success", log.error
        assert not [sample.error for sample in log.samples if sample.error]
        scores = {sample.id: sample.scores["tests_pass"] for sample in log.samples}
        metrics = {
            name: metric.value for score in log.results.scores
            for name, metric in score.metrics.items()
        }  # fmt: skip
        return scores, metrics

    return run


def said(text):
    """A reply whose tokens are counted already: Inspect would fetch a vocabulary to count them."""
    output = ModelOutput.from_content("mockllm/model", text)
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


def listing(exercise):
    """The reference solution as a model would give it."""
    return "\n".join(
        f"{path}\n```\n{content.decode()}```\n" for path, content in exercise.reference.items()
    )


def test_a_model_that_gives_reference_solutions_is_right_at_the_first_or_second_try(
    evaluate, exercises
):
    right = listing(exercises["python/bowling"])
    names = {"exercises": "python/bowling", "edit_format": "whole"}
    scores, metrics = evaluate([right], **names)
    assert scores["python/bowling"].metadata["outcome"] == "right_first"
    assert (metrics["pass_rate_1"], metrics["pass_rate_2"]) == (100, 100)
    scores, metrics = evaluate(["bowling.py\n```\nimport os; os._exit(0)\n```", right], **names)
    assert scores["python/bowling"].metadata["outcome"] == "right_second"
    assert (metrics["pass_rate_1"], metrics["pass_rate_2"]) == (0, 100)
    assert metrics["percent_cases_well_formed"] == 100


def test_malformed_replies_are_counted_apart_from_wrong_ones(evaluate):
    replies = ["bowling.py\n```\n<<<<<<< SEARCH\nx\n", *["I give up."] * 2]
    scores, metrics = evaluate(replies, exercises="python/bowling")
    assert scores["python/bowling"].metadata["outcome"] == "no_edits"
    assert metrics["percent_cases_well_formed"] == 0
    assert metrics["num_malformed_responses"] == metrics["num_with_malformed_responses"] == 1


def test_the_ceiling_and_the_floor_of_two_exercises_ask_no_model(evaluate):
    arguments = {"languages": "python", "exercises": "food-chain,sgf-parsing"}
    scores, _ = evaluate(answers="reference", **arguments)
    assert {score.answer for score in scores.values()} == {"right_first"}
    scores, _ = evaluate(answers="stub", **arguments)
    assert {score.answer for score in scores.values()} == {"wrong"}


def test_each_sample_has_its_cluster(needs_bwrap):
    samples = {sample.id: sample for sample in polyglot(languages="python").dataset}
    assert len(samples) == 34
    affine = samples["python/affine-cipher"]
    assert affine.metadata == {"cluster": "affine-cipher", "language": "python"}


def test_a_sample_that_a_limit_of_inspects_ends_is_truncated(needs_bwrap, tmp_path):
    outputs = [said("?")] * 9
    (log,) = inspect_eval(
        polyglot(exercises="python/bowling"),
        model=get_model("mockllm/model", custom_outputs=outputs, memoize=False),
        display="none",
        log_dir=str(tmp_path),
        token_limit=3,
    )
    assert log.samples[0].scores["tests_pass"].answer == "truncated"


def test_a_missing_language_is_left_out_by_name(monkeypatch, caplog):
    monkeypatch.setattr(runners.shutil, "which", lambda name: None)
    found = polyglot()
    assert {sample.metadata["language"] for sample in found.dataset} == {"python"}
    assert set(found.metadata["excluded"]) == {"cpp", "go", "java", "javascript", "rust"}
    assert "polyglot leaves out rust: there is no cargo here" in caplog.text
    assert found.dataset.name == "polyglot 1, 7e0611e: python"


@pytest.fixture
def without_boost(monkeypatch):
    monkeypatch.setattr(runners, "_program", lambda name, package: f"/usr/bin/{name}")
    monkeypatch.setattr(runners, "_version", lambda *command: "12")
    monkeypatch.setattr(runners, "_has_cmake", lambda package: "boost" not in package)


def test_an_exercise_that_lacks_a_library_is_left_out_by_name(without_boost, caplog):
    found = polyglot(languages="cpp")
    told = "it needs Boost, as in: apt-get install libboost-date-time-dev"
    lacking = {"cpp/gigasecond", "cpp/meetup"}
    assert found.metadata["excluded"] == dict.fromkeys(lacking, told)
    assert len(found.dataset) == 24 and lacking.isdisjoint(each.id for each in found.dataset)
    assert f"polyglot leaves out cpp/gigasecond: {told}" in caplog.text


def test_exercises_that_all_lack_a_library_stop_the_run(without_boost):
    with pytest.raises(WeighError, match="to run here: cpp/meetup: it needs Boost, as in: apt"):
        polyglot(exercises="cpp/meetup")


def test_a_missing_language_that_was_asked_for_stops_the_run(monkeypatch):
    monkeypatch.setattr(runners.shutil, "which", lambda name: None)
    with pytest.raises(WeighError, match="cannot run go: there is no go here"):
        polyglot(languages="go,python")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"languages": "cobol"}, "no language 'cobol'"),
        ({"exercises": "tetris"}, "no exercise 'tetris'"),
        ({"exercises": "python/clock"}, "no exercise 'python/clock'"),
        ({"languages": "python", "exercises": "clock"}, "none of that name is in that language"),
        ({"edit_format": "udiff"}, "no edit format 'udiff'"),
        ({"answers": "oracle"}, "no kind of answers 'oracle'"),
    ],
)
def test_an_unknown_argument_is_refused_by_name(arguments, told):
    with pytest.raises(WeighError, match=told):
        polyglot(**arguments)


def test_a_toolchain_that_fails_a_right_solution_is_never_held_against_the_model(
    needs_bwrap, tmp_path, monkeypatch
):
    async def fail(*arguments):
        return Checked(False, "no such module")

    monkeypatch.setattr(task, "run_tests", fail)
    (log,) = inspect_eval(
        polyglot(exercises="python/bowling"),
        model="mockllm/model",
        display="none",
        log_dir=str(tmp_path),
        fail_on_error=False,
    )
    (sample,) = log.samples
    assert "tests in python do not run here" in sample.error.message
    assert not sample.output.choices and not sample.scores


def test_every_outcome_is_listed_and_only_failed_requests_do_not_count():
    assert set(MEASURE.outcomes) - set(MEASURE.counted) == set(FAILED)


@pytest.mark.slow
@pytest.mark.parametrize("language", sorted(COUNTS))
def test_references_and_stubs_of_a_whole_language_pass_as_often_as_known(
    evaluate, exercises, language
):
    try:
        excluded = polyglot(languages=language).metadata["excluded"]
    except WeighError as error:
        pytest.skip(str(error))
    references, _ = evaluate(answers="reference", languages=language)
    stubs, _ = evaluate(answers="stub", languages=language)
    every = {name for name, exercise in exercises.items() if exercise.language == language}
    num_exercises, right_stubs = COUNTS[language]
    assert set(references) == set(stubs) == every - set(excluded) and set(excluded) < every
    assert [name for name, score in references.items() if not score.value] == []
    right = [name for name, score in stubs.items() if score.value]
    assert right == [name for name in right_stubs if name not in excluded]
    if excluded:
        told = "; ".join(f"{name}: {reason}" for name, reason in excluded.items())
        pytest.skip(f"all but what cannot run here is as known; {told}")
    assert len(references) == num_exercises


def scored(name, outcome, language, num_malformed=0):
    facts = {"language": language, "num_malformed": num_malformed}
    return Scored(f"{language}/{name}", 1, outcome, name, "", 9, facts)


def test_further_figures_are_aiders_and_those_of_each_language():
    made = [
        scored("a", "right_first", "python"),
        scored("b", "right_second", "python", 1),
        scored("a", "wrong", "go"),
        scored("c", "infrastructure", "go"),
    ]
    figures = {figure.metric: figure.value for figure in MEASURE.further(made)}
    assert figures == {
        "pass_rate_1": 1 / 3,
        "well_formed_cases": 2 / 3,
        "pass_rate_2_go": 0.0,
        "pass_rate_2_python": 1.0,
    }
    assert MEASURE.further(made[3:]) == []
