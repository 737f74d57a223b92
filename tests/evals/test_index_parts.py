"""The index's parts that inspect_evals has: read in our words, asked as often as the index asks."""

import json
import subprocess
import sys
from types import ModuleType

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import Epochs, Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, accuracy, choice, mean, scorer
from inspect_ai.solver import generate, multiple_choice
from lxml import html
from typer.testing import CliRunner

from netweight import evals
from netweight.cli.weigh import weigh as command
from netweight.errors import WeighError
from netweight.evals import Settings, Subject, index_parts
from netweight.evals.harness import run_task
from netweight.evals.index import PARTS
from netweight.evals.index_parts import (
    GPQA_MEASURE,
    HLE_MEASURE,
    MEASURES,
    SCICODE_MEASURE,
    gpqa_diamond,
    hle,
    mmlu_pro,
    read_choice,
    read_judgement,
    read_steps,
    scicode,
)
from netweight.evals.judging import ModelJudge
from netweight.evals.measure import Scored
from tests.evals.fake_server import Reply, fake_server, right

REFUSAL = "I'm sorry, but I can't help with that."


def said(text, stop_reason="stop"):
    output = ModelOutput.from_content("mockllm", text, stop_reason=stop_reason)
    output.usage = ModelUsage(output_tokens=1)  # else the mock counts, which takes a download
    return output


@pytest.fixture
def inspect_evals(monkeypatch):
    """A function that puts a package of that name in place whose tasks are given, by package."""

    def put(**makes):
        monkeypatch.setitem(sys.modules, "inspect_evals", ModuleType("inspect_evals"))
        for package, make in makes.items():
            module = ModuleType(f"inspect_evals.{package}")
            setattr(module, "gpqa_diamond" if package == "gpqa" else package, make)
            monkeypatch.setitem(sys.modules, f"inspect_evals.{package}", module)

    return put


@pytest.fixture
def run(tmp_path):
    """A function that asks a scripted server and reads back what became of each sample."""

    def asked(task, script, epochs=1):
        with fake_server(script) as server:
            subject = Subject("fake", "fake", server.base_url)
            settings = Settings(epochs=epochs, max_retries=0)
            return run_task(task, subject, settings, tmp_path, lambda num_done: None)

    return asked


def test_every_measure_is_a_part_of_the_index_and_has_its_figure():
    parts = {part.task: part for part in PARTS}
    assert set(MEASURES) == set(parts) - {None, "aime2025"}
    for name, measure in MEASURES.items():
        assert measure.task == name
        if name != "scicode":
            assert parts[name].metric == measure.metric
    scored = [Scored("1", 1, "wrong", "1", "", 0, {"steps": 2, "passed": 1})]
    (figure,) = SCICODE_MEASURE.further(scored)
    assert parts["scicode"].metric == figure.metric != SCICODE_MEASURE.metric


@pytest.mark.parametrize("make", [mmlu_pro, gpqa_diamond])
def test_without_inspect_evals_the_package_is_named(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_evals", None)
    with pytest.raises(WeighError, match=r"inspect_evals, which is not installed: pip install"):
        make()


# Multiple choice


@pytest.mark.parametrize(
    ("value", "answer", "output", "outcome"),
    [
        ("C", "B", said("ANSWER: B"), "right"),
        ("C", "B", said("ANSWER: B", "max_tokens"), "right"),
        ("I", "A", said("ANSWER: A"), "wrong"),
        ("I", "A", said(f"{REFUSAL} ANSWER: A"), "wrong"),
        ("I", "", said("Perhaps the second."), "unparsed"),
        ("N", "", said(""), "unparsed"),
        ("I", "", said(REFUSAL), "refused"),
        ("I", "", said("Let me see", "max_tokens"), "truncated"),
        ("N", "", said("", "content_filter"), "refused"),
    ],
)
def test_a_choice_is_read(value, answer, output, outcome):
    reading = read_choice(Score(value=value, answer=answer), output)
    assert reading.outcome == outcome
    assert outcome in GPQA_MEASURE.counted


def questions(**_):
    samples = [
        Sample(id=f"q{i}", input=f"Which is {i}?", choices=["0", "1", "2", "3"], target="ABCD"[i])
        for i in range(4)
    ]
    theirs = MemoryDataset(samples, name="theirs")
    return Task(dataset=theirs, solver=multiple_choice(), scorer=choice(), epochs=4, version="2-A")


@pytest.mark.inspect
@pytest.mark.parametrize(("make", "name"), [(mmlu_pro, "mmlu_pro"), (gpqa_diamond, "gpqa_diamond")])
def test_multiple_choice_is_scored_by_the_letter(make, name, inspect_evals, run):
    inspect_evals(mmlu_pro=questions, gpqa=questions)
    replies = {"0": "ANSWER: A", "1": "ANSWER: A", "2": "The third one.", "3": REFUSAL}

    def script(prompt):
        (asked,) = [digit for digit in replies if f"Which is {digit}?" in prompt]
        return Reply(replies[asked])

    task = make()
    assert (task.dataset.name, task.epochs) == (f"{name} 1, inspect_evals 2-A", 1)
    done = run(task, script, epochs=2)
    outcomes = {(each.sample, each.outcome) for each in done.scored}
    assert outcomes == {("q0", "right"), ("q1", "wrong"), ("q2", "unparsed"), ("q3", "refused")}
    figure = MEASURES[name].headline(done.scored)
    assert (figure.value, figure.num_samples) == (1 / 4, 8)
    assert figure.method.endswith("clustered")  # two answers to a question are not two questions


# Humanity's Last Exam


@pytest.mark.parametrize(
    ("grade", "output", "outcome"),
    [
        ("C", said("Answer: 4"), "right"),
        ("C", said("Answer: 4", "max_tokens"), "right"),
        ("I", said("Answer: 5"), "wrong"),
        ("I", said(REFUSAL), "refused"),
        ("I", said(""), "unparsed"),
        ("I", said("", "max_tokens"), "truncated"),
        (float("nan"), said("Answer: 4"), "judge failed"),
        (None, said("Answer: 4"), "judge failed"),
        (float("nan"), said("Answer", "max_tokens"), "judge failed"),
    ],
)
def test_a_judgement_is_read(grade, output, outcome):
    score = Score(value={"score": grade, "confidence": 80})
    assert read_judgement(score, output).outcome == outcome
    assert outcome in HLE_MEASURE.outcomes
    assert (outcome in HLE_MEASURE.counted) == (outcome != "judge failed")


def test_without_a_judge_hle_asks_for_one_before_it_looks_for_anything_else(monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_evals", None)
    with pytest.raises(WeighError, match=r"hle needs a judge.*--judge PROVIDER/MODEL"):
        hle()


def test_a_judge_that_inspect_does_not_know_is_refused():
    with pytest.raises(WeighError, match="cannot use the judge 'no/judge'"):
        hle(judge="no/judge")


def test_gated_data_are_told_with_what_opens_them(inspect_evals):
    def gated(**_):
        raise FileNotFoundError("Dataset 'cais/hle' is a gated dataset on the Hub.")

    inspect_evals(hle=gated)
    with pytest.raises(WeighError, match=r"gated dataset on the Hub\. .*/cais/hle: set HF_TOKEN"):
        hle(judge="mockllm/model")


@scorer(metrics=[mean()])
def by_grader():
    """As inspect_evals grades: by whoever has the role."""

    async def score(state, target):
        verdict = (await get_model(role="grader").generate(state.output.completion)).completion
        grade = {"same": "C", "differs": "I"}.get(verdict, float("nan"))
        return Score(value={"score": grade, "confidence": 100}, explanation=verdict)

    return score


@pytest.mark.inspect
def test_hle_asks_the_judge_that_was_named_about_questions_without_pictures(
    inspect_evals, run, monkeypatch
):
    given = {}

    def exam(**arguments):
        given.update(arguments)
        samples = [Sample(id=f"q{i}", input=f"{i}?", target=str(i)) for i in range(4)]
        return Task(
            dataset=MemoryDataset(samples),
            solver=generate(),
            scorer=by_grader(),
            epochs=Epochs(1, "mode"),
            version=9,
        )

    def judge(messages, *_):
        match messages[-1].text:
            case "0":
                return said("same")
            case "1":
                return said("differs")
            case "2":
                return said("cannot tell")
            case _:
                raise ConnectionError("the judge is gone")

    inspect_evals(hle=exam)
    model = get_model("mockllm/judge", custom_outputs=judge, memoize=False)
    monkeypatch.setattr(index_parts, "connect", lambda name: ModelJudge(name, model))
    task = hle(judge="mockllm/judge")
    assert task.dataset.name == "hle 1, judge mockllm/judge, inspect_evals 9"
    assert given["include_multi_modal"] is given["only_hle_verified_gold"] is False
    assert given["scorer"]["graders"] == ["grader"]
    done = run(task, lambda prompt: Reply(prompt[0]))
    outcomes = {each.sample: each.outcome for each in done.scored}
    assert outcomes == {"q0": "right", "q1": "wrong", "q2": "judge failed", "q3": "judge failed"}
    figure = HLE_MEASURE.headline(done.scored)
    assert (figure.value, figure.num_samples) == (1 / 2, 2)


# SciCode


@pytest.mark.parametrize(
    ("steps", "output", "outcome"),
    [
        ({"1.1": 1.0, "1.2": 1.0}, said("def f(): ..."), "right"),
        ({"1.1": 1.0, "1.2": 0.0}, said("def f(): ..."), "wrong"),
        ({"1.1": 1.0, "1.2": 0.0}, said("def", "max_tokens"), "truncated"),
        ({"1.1": 0.0}, said(REFUSAL), "refused"),
        ({}, said("def f(): ..."), "wrong"),
    ],
)
def test_steps_are_read(steps, output, outcome):
    reading = read_steps(Score(value=steps), output)
    assert reading.outcome == outcome
    assert reading.facts == {"steps": len(steps), "passed": sum(steps.values())}


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=12))
def test_the_steps_figure_is_of_steps_and_its_interval_knows_their_problems(problems):
    scored = [
        Scored(str(n), 1, "wrong", str(n), "", 0, {"steps": steps, "passed": min(steps, passed)})
        for n, (steps, passed) in enumerate(problems)
    ]
    (figure,) = SCICODE_MEASURE.further(scored)
    num_steps = sum(steps for steps, _ in problems)
    assert figure.num_samples == num_steps
    assert figure.value * num_steps == pytest.approx(sum(min(each) for each in problems))
    lower, upper, _ = figure.interval
    assert 0 <= lower <= figure.value <= upper <= 1


def test_problems_that_stand_or_fall_as_a_whole_say_less_than_as_many_steps():
    facts = [{"steps": 8, "passed": 8 * (n % 2)} for n in range(10)]
    (wide,) = SCICODE_MEASURE.further(
        [Scored(str(n), 1, "wrong", str(n), "", 0, each) for n, each in enumerate(facts)]
    )
    (narrow,) = SCICODE_MEASURE.further(
        [
            Scored(f"{n}", 1, "wrong", f"{n}", "", 0, {"steps": 1, "passed": n % 2})
            for n in range(80)
        ]
    )
    widths = [each.interval.upper - each.interval.lower for each in (wide, narrow)]
    assert (wide.value, narrow.value, wide.num_samples) == (0.5, 0.5, narrow.num_samples)
    assert widths[0] > 2 * widths[1]


def test_samples_whose_scoring_failed_have_no_steps():
    lost = Scored("1", 1, "infrastructure", "1", "", 0, {})
    assert SCICODE_MEASURE.further([lost]) == []
    assert SCICODE_MEASURE.headline([lost]) is None


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory", "docker"),
        subprocess.CalledProcessError(1, ["docker"], stderr="Cannot connect to the daemon"),
        subprocess.TimeoutExpired("docker", 60),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_docker_scicode_says_so_before_it_downloads_anything(error, monkeypatch):
    def fails(*_, **__):
        raise error

    monkeypatch.setitem(sys.modules, "inspect_evals", None)
    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(WeighError, match=r"`docker compose version` does not work here: .*Install"):
        scicode()


DEAD = "from scicode.compare.cmp import cmp_tuple_or_list"


@scorer(metrics=[accuracy()])
def first_step_only():
    async def score(state, target):
        return Score(value={"1.1": 1.0, "1.2": 0.0, "1.3": 0.0})

    return score


def problems(**arguments):
    assert arguments == {"provide_scientific_background": True, "include_dev_set": True}
    steps = [{"test_cases": [f"{DEAD}\nassert cmp_tuple_or_list(f(), target)", "assert target"]}]
    samples = [Sample(id=f"p{i}", input="code?", metadata={"sub_steps": steps}) for i in range(4)]
    scoring = first_step_only()
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=scoring, version=3)


@pytest.mark.inspect
def test_scicode_is_asked_thrice_with_imports_gone_that_its_sandbox_lacks(
    inspect_evals, run, monkeypatch
):
    inspect_evals(scicode=problems)
    monkeypatch.setattr(index_parts, "_DOCKER", ())
    task = scicode()
    assert (task.dataset.name, task.epochs) == ("scicode 1, inspect_evals 3", 3)
    for sample in task.dataset:
        first, second = sample.metadata["sub_steps"][0]["test_cases"]
        assert "import" not in first and first.endswith("\nassert cmp_tuple_or_list(f(), target)")
        assert second == "assert target"
    done = run(task, lambda prompt: Reply("def f(): ..."), epochs=3)
    (figure,) = SCICODE_MEASURE.further(done.scored)
    assert (figure.value, figure.num_samples) == (1 / 3, 36)
    assert SCICODE_MEASURE.headline(done.scored).value == 0.0


# The suite


@pytest.fixture
def parts(inspect_evals, monkeypatch, tmp_path):
    """Two parts to be had, scicode with Docker; the others are missing."""
    monkeypatch.setenv("NETWEIGHT_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("urllib.request.urlopen", failing)
    inspect_evals(mmlu_pro=questions, gpqa=failing, scicode=problems)
    monkeypatch.setattr(index_parts, "_DOCKER", ())
    monkeypatch.setenv("COLUMNS", "120")


def failing(*_, **__):
    raise OSError("no network")


def letters(prompt):
    return Reply("ANSWER: A") if "Which is" in prompt else right(prompt)


@pytest.mark.inspect
def test_the_suite_asks_each_part_as_often_as_the_index_and_goes_on_where_it_ended(parts, tmp_path):
    def weighed(server, **settings):
        subject = Subject("fake", "fake", server.base_url)
        asked = Settings(limit=2, max_retries=0, **settings)
        weighing = evals.weigh(subject, "index", tmp_path / "out", asked, command="c")
        epochs = {}
        for record in weighing.records:
            result = record["evaluation_results"][0]
            details = result["generation_config"]["additional_details"]
            num_asked = sum(result["netweight"]["outcomes"].values())
            epochs[result["netweight"]["task"]] = (details["epochs"], num_asked)
        return epochs, set(weighing.without_figure)

    with fake_server(letters) as server:
        missing = {"hle", "gpqa_diamond", "aime2025"}
        assert weighed(server) == ({"mmlu_pro": ("1", 2), "scicode": ("3", 6)}, missing)
        before = len(server.requests)
        assert weighed(server, epochs=2) == ({"mmlu_pro": ("2", 4), "scicode": ("6", 12)}, missing)
        assert len(server.requests) - before == 12 + 2 + 6  # the probes, and what was not there yet


app = typer.Typer()
app.command()(command)


@pytest.mark.inspect
def test_the_terminal_the_json_and_the_page_have_the_same_composition(parts, tmp_path):
    def invoke(server, *more):
        where = [server.base_url, "--suite", "index", "--out", str(tmp_path / "out")]
        return CliRunner().invoke(app, [*where, *more])

    with fake_server(letters) as server:
        first = invoke(server, "--task", "mmlu_pro")
        second = invoke(server, "--task", "scicode", "--task", "hle")
        data = invoke(server, "--task", "mmlu_pro", "--json")
    assert (first.exit_code, second.exit_code, data.exit_code) == (0, 1, 0)
    told = " ".join(second.stdout.split())
    assert "MMLU-Pro 12.5% 25.0% 4.6 to 69.9% 4 missing" in told
    assert "MMLU-Pro: measured in part: 4 of about 12,032 answers." in told
    assert "SciCode 12.5% 33.3%" in told and "of about 1,014 answers" in told
    assert "LiveCodeBench: no task for Inspect has it" in told
    assert "No index: 8 of 8 parts, with 100.0% of the weight, are missing" in told
    assert "SciCode: not measured; the task scicode does" in " ".join(first.stdout.split())
    document = json.loads(data.stdout)
    facts = [each["evaluation_results"][0]["netweight"]["task"] for each in document["records"]]
    assert facts == ["mmlu_pro"]
    values = {part["part"]: part["figure"] for part in document["index"]["parts"]}
    assert values["mmlu_pro"]["value"] == 1 / 4 and values["scicode"]["num_samples"] == 36
    assert document["index"]["index"] is None and "8 of 8 parts" in document["index"]["why_none"]
    page = html.parse(str(tmp_path / "out" / "scorecard.html"))
    section = page.xpath("//h2[@id='index']")[0]
    assert section.getnext().text_content().startswith("No index: 8 of 8 parts")
    rows = page.xpath("//h2[@id='index']/following::table[1]/tbody/tr")
    cells = [[" ".join(cell.text_content().split()) for cell in row] for row in rows]
    assert [row[0] for row in cells] == [part.name for part in PARTS]
    assert cells[0][:6] == ["MMLU-Pro", "12.5%", "25.0%", "4.6 to 69.9%", "4", ""]
    assert cells[0][6] == "missing measured in part: 4 of about 12,032 answers"
    assert cells[5][2:6] == ["", "", "", ""] and "no task for Inspect" in cells[5][6]


@pytest.mark.inspect
def test_a_run_of_another_suite_shows_no_index(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    with fake_server() as server:
        arguments = [server.base_url, "--task", "sums", "--limit", "4", "--out", str(tmp_path)]
        shown = CliRunner().invoke(app, arguments)
        data = CliRunner().invoke(app, [*arguments, "--json"])
    assert shown.exit_code == data.exit_code == 0
    assert "index" not in shown.stdout.lower()
    assert isinstance(json.loads(data.stdout), list)
    assert "Intelligence Index" not in (tmp_path / "scorecard.html").read_text("utf-8")
