"""Two runs side by side: read back, paired, compared, and told apart where they must be."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalSample,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)

from netweight.errors import WeighError
from netweight.evals import pairs as pairs_module
from netweight.evals.comparing import (
    effective_discordance,
    fisher,
    holm,
    mcnemar,
    newcombe,
    tango,
)
from netweight.evals.gate import Check
from netweight.evals.measure import FAILED, Measure, Scored, mean_figure
from netweight.evals.pairs import Item, Pair, compare_runs, pair, read_run
from netweight.evals.provenance import Provenance
from netweight.evals.records import Result, make_record, write_record
from netweight.evals.scoring import judged
from netweight.evals.subject import Settings, Subject

STARTED = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PASSED = Check("no markers", passed=True, detail="raw markers stand in 0 of 80 answers")
BROKEN = Check("no markers", passed=False, detail="raw markers stand in 3 of 80 answers")


def measure(task="riddles", version=1, **changes):
    facts = {
        "metric": "accuracy",
        "description": "share of riddles that are solved",
        "lower_is_better": False,
        "hits": ("right",),
        "counted": ("right", "wrong"),
        "outcomes": ("right", "wrong", "refused", *FAILED),
    }
    return Measure(task, version, **(facts | changes))


def said(index, outcome, **changes):
    """What one sample came to; `changes` replace its texts, its cluster or its epoch."""
    facts = {
        "sample": str(index),
        "epoch": 1,
        "outcome": outcome,
        "cluster": None,
        "prompt": f"Riddle {index}?",
        "answer": f"It is {outcome}.",
        "reasoning": "Let me think.",
        "explanation": f"{outcome}: as expected",
    }
    return facts | changes


def eval_sample(each, model):
    messages = [ChatMessageUser(content=each["prompt"])]
    common = {"id": each["sample"], "epoch": each["epoch"], "input": each["prompt"], "target": "x"}
    if each["outcome"] in FAILED:
        error = EvalError(message=each["explanation"], traceback="", traceback_ansi="")
        return EvalSample(**common, messages=messages, error=error)
    answer = ChatMessageAssistant(
        content=[ContentReasoning(reasoning=each["reasoning"]), ContentText(text=each["answer"])]
    )
    output = ModelOutput.from_message(answer)
    score = judged(
        each["outcome"],
        hit=each["outcome"] == "right",
        answer="",
        explanation=each["explanation"],
        cluster=each["cluster"],
        **each.get("facts", {}),
    )
    return EvalSample(
        **common,
        messages=[*messages, answer],
        output=output,
        scores={"ours": score},
        model_usage={model: ModelUsage(output_tokens=9)},
    )


def tokens_of(scored):
    """A further figure that no log has the samples of."""
    lengths = range(8, 8 + len(scored))
    return [mean_figure("tokens", "mean tokens of an answer", lengths, unit="tokens")]


RUN = {
    "checks": (PASSED,),
    "dataset": "riddles 1, seed 0",
    "suite": "quick",
    "model": "nano",
    "settings": Settings(),
    "num_logs": 1,
    "further": tokens_of,
}


def write_task(folder, saying, of=None, **run):
    """Write a record, and its logs, as `netweight weigh` would for samples that came to this."""
    of, run = of or measure(), RUN | run
    logs = [write_log(folder, saying, of, run, index) for index in range(run["num_logs"])]
    scored = [scored_of(each) for each in saying if each["outcome"] not in FAILED]
    result = Result(
        measure=of,
        dataset=run["dataset"],
        counts=Counter(each["outcome"] for each in saying),
        headline=of.headline(scored),
        further=run["further"](scored),
        checks=run["checks"],
        reasoned=True,
        logs=logs,
    )
    ended = STARTED + timedelta(minutes=1)
    provenance = Provenance("netweight weigh nano", STARTED, ended, "A machine", "0" * 40)
    subject = Subject(run["model"], run["model"], engine="netweight", engine_version="0.1.0")
    record = make_record(
        result, subject, run["settings"], provenance, suite=run["suite"], folder=folder
    )
    write_record(record, folder / "records")
    return folder


def write_log(folder, saying, of, run, index):
    path = folder / "logs" / f"{index}_{of.task}.eval"
    path.parent.mkdir(parents=True, exist_ok=True)
    spec = EvalSpec(
        created=STARTED.isoformat(),
        task=of.task,
        dataset=EvalDataset(name=run["dataset"]),
        model=run["model"],
        config=EvalConfig(),
    )
    samples = [eval_sample(each, run["model"]) for each in saying[index :: run["num_logs"]]]
    write_eval_log(EvalLog(eval=spec, status="success", samples=samples), str(path))
    return path


def scored_of(each):
    cluster = each["cluster"] or each["sample"]
    return Scored(
        sample=each["sample"],
        epoch=each["epoch"],
        outcome=each["outcome"],
        cluster=cluster,
        answer=each["answer"],
        num_tokens=9,
        facts=each.get("facts", {}),
    )


def saying(outcomes, **changes):
    return [said(index, outcome, **changes) for index, outcome in enumerate(outcomes, start=1)]


@pytest.fixture
def weighed(tmp_path):
    """A function that writes a run of one task and reads it back; `name` is its folder's."""

    def made(name, outcomes, of=None, **run):
        return read_run(write_task(tmp_path / name, saying(outcomes), of, **run))

    return made


def test_a_run_is_read_back_with_every_text_of_every_sample(tmp_path):
    said_here = [
        said(1, "right"),
        said(2, "wrong", prompt="Why?", answer="So."),
        said(3, "timeout"),
        said(4, "infrastructure", explanation="no route"),
    ]
    run = read_run(write_task(tmp_path, said_here, num_logs=2))
    assert (run.model, run.suite, list(run.tasks)) == ("nano", "quick", ["riddles"])
    first, second, third, fourth = run.tasks["riddles"].items
    assert (first.sample, first.epoch, first.outcome, first.cluster) == ("1", 1, "right", "1")
    assert (second.prompt, second.answer, second.outcome) == ("Why?", "So.", "wrong")
    assert (second.reasoning, second.explanation) == ("Let me think.", "wrong: as expected")
    assert (third.outcome, third.answer) == ("timeout", "")
    assert (fourth.outcome, fourth.explanation) == ("infrastructure", "no route")


def test_samples_come_in_the_order_of_their_numbers(weighed):
    run = weighed("a", ["right"] * 12)
    numbers = [item.sample for item in run.tasks["riddles"].items]
    assert numbers == [str(number) for number in range(1, 13)]


def other_version(folder):
    path = folder / "records" / "riddles.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": "0.2.0"}))


BREAKING = {
    "has no records": lambda folder: (folder / "records" / "riddles.json").unlink(),
    "riddles.json cannot be read": lambda f: (f / "records" / "riddles.json").write_text("{"),
    r"is wrong at \$.schema_version": other_version,
    "riddles.eval cannot be read": lambda folder: (folder / "logs" / "0_riddles.eval").unlink(),
    "is not the one that was recorded": lambda folder: write_log(
        folder, saying(["wrong"] * 3), measure(), RUN, 0
    ),
}


@pytest.mark.parametrize(("message", "damage"), BREAKING.items(), ids=list(BREAKING))
def test_a_damaged_run_is_refused_by_name(tmp_path, message, damage):
    write_task(tmp_path, saying(["right"] * 3))
    read_run(tmp_path)
    damage(tmp_path)
    with pytest.raises(WeighError, match=message):
        read_run(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(WeighError, match="there is no folder"):
        read_run(tmp_path / "nowhere")


def test_samples_are_paired_by_number_and_epoch_not_by_place(tmp_path):
    ones = [said(1, "right"), said(2, "wrong"), said(2, "right", epoch=2), said(4, "right")]
    others = [said(2, "refused", epoch=2), said(2, "wrong"), said(1, "wrong"), said(5, "right")]
    first = read_run(write_task(tmp_path / "a", ones))
    second = read_run(write_task(tmp_path / "b", others))
    (task,) = compare_runs(first, second).tasks
    found = [(p.first.sample, p.first.epoch, p.first.outcome, p.second.outcome) for p in task.pairs]
    assert found == [
        ("1", 1, "right", "wrong"),
        ("2", 1, "wrong", "wrong"),
        ("2", 2, "right", "refused"),
    ]
    assert all(p.first.prompt == p.second.prompt for p in task.pairs)
    assert task.num_alone == (1, 1)
    assert task.outcomes[("wrong", "wrong")] == 1


@pytest.mark.parametrize(
    ("changes", "run", "message"),
    [
        ({}, {"dataset": "riddles 1, seed 9"}, r"data \(riddles 1, seed 0; riddles 1, seed 9\)"),
        ({"version": 2}, {}, r"task versions \(1; 2\)"),
        ({"task": "rhymes"}, {}, r"tasks \(riddles; rhymes\)"),
    ],
)
def test_what_is_not_the_same_is_not_paired_and_the_error_says_what_differs(
    weighed, changes, run, message
):
    first, second = weighed("a", ["right"]), weighed("b", ["right"], measure(**changes), **run)
    (one,), (other,) = first.tasks.values(), second.tasks.values()
    with pytest.raises(WeighError, match=message):
        pair(one, other)


def test_the_difference_is_of_pairs_that_count_by_tango_and_mcnemar(weighed):
    first = weighed("a", ["right"] * 30 + ["wrong"] * 8 + ["refused", "timeout"])
    second = weighed("b", ["right"] * 20 + ["wrong"] * 16 + ["right"] * 2 + ["right"] * 2)
    (task,) = compare_runs(first, second).tasks
    difference = task.difference
    assert (difference.num_items, difference.value) == (38, 8 / 38)
    assert difference.interval == tango(10, 2, 38)
    assert difference.p_value == mcnemar(10, 2)
    assert task.judgement.p_value == difference.p_value  # one task: nothing to adjust
    assert task.judgement.verdict == "first better"


def test_fewer_hits_are_better_where_lower_is(weighed):
    bad = measure(lower_is_better=True)
    first = weighed("a", ["right"] * 30 + ["wrong"] * 10, bad)
    second = weighed("b", ["wrong"] * 40, bad)
    (task,) = compare_runs(first, second).tasks
    assert task.difference.value == 0.75
    assert task.judgement.verdict == "second better"


def test_p_values_are_holm_s_over_the_tasks_compared(tmp_path):
    tasks = {"one": (9, 1), "two": (7, 0), "three": (6, 1)}
    for name, (only_first, only_second) in tasks.items():
        ones = ["right"] * only_first + ["wrong"] * only_second + ["right"] * 30
        others = ["wrong"] * only_first + ["right"] * only_second + ["right"] * 30
        write_task(tmp_path / "a", saying(ones), measure(name))
        write_task(tmp_path / "b", saying(others), measure(name))
    compared = compare_runs(read_run(tmp_path / "a"), read_run(tmp_path / "b")).tasks
    found = {task.task: task.judgement.p_value for task in compared}
    expected = dict(zip(tasks, holm([mcnemar(*counts) for counts in tasks.values()]), strict=True))
    assert found == pytest.approx(expected)
    assert found["one"] > mcnemar(9, 1)  # the adjustment is one


def test_other_samples_are_compared_unpaired_and_said_to_be(weighed):
    first = weighed("a", ["right"] * 40 + ["wrong"] * 10)
    second = weighed("b", ["right"] * 20 + ["wrong"] * 20, dataset="riddles 1, seed 5")
    (task,) = compare_runs(first, second).tasks
    assert "riddles 1, seed 5" in task.unpaired and not task.pairs
    assert task.difference.interval == newcombe(40, 50, 20, 40)
    assert task.difference.p_value == fisher(40, 50, 20, 40)
    assert task.difference.p_equivalent is None
    assert task.judgement.verdict == "first better"


def test_unpaired_samples_in_clusters_count_for_less(tmp_path):
    alike = [said(n, "right" if n % 3 else "wrong", cluster=f"c{n // 4}") for n in range(60)]
    for each in alike:
        each["outcome"] = "right" if int(each["cluster"][1:]) % 3 else "wrong"
    first = read_run(write_task(tmp_path / "a", alike))
    second = read_run(write_task(tmp_path / "b", alike, dataset="other"))
    (task,) = compare_runs(first, second).tasks
    naive = newcombe(40, 60, 40, 60)
    interval = task.difference.interval
    assert interval.upper - interval.lower > 1.5 * (naive.upper - naive.lower)
    assert "effective" in task.difference.method


def test_a_run_that_is_not_evidence_is_shown_and_never_compared(tmp_path):
    for name, checks in (("a", (PASSED,)), ("b", (BROKEN,))):
        write_task(
            tmp_path / name, saying(["right"] * 9 + ["wrong"]), measure("bad"), checks=checks
        )
        outcomes = ["right" if name == "a" else "wrong"] * 7
        write_task(tmp_path / name, saying(outcomes), measure("good"))
    comparison = compare_runs(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    tasks = {task.task: task for task in comparison.tasks}
    assert tasks["bad"].difference is None and tasks["bad"].judgement is None
    assert "the second run is not evidence: raw markers" in tasks["bad"].why_not
    assert len(tasks["bad"].pairs) == 10  # shown all the same
    assert tasks["good"].judgement.p_value == mcnemar(7, 0)  # it alone is in the family


def test_versions_never_share_a_row_and_tasks_of_one_run_are_named(tmp_path):
    for name, version in (("a", 1), ("b", 2)):
        write_task(tmp_path / name, saying(["right"]), measure("moved", version))
        write_task(tmp_path / name, saying(["right"]), measure("same"))
    write_task(tmp_path / "a", saying(["right"]), measure("extra"))
    comparison = compare_runs(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert [task.task for task in comparison.tasks] == ["same"]
    assert comparison.left_out == {
        "extra": "only the first run has one",
        "moved": "version 1 of the task in the first run, 2 in the second",
    }


@pytest.mark.parametrize(
    ("of", "run", "margin", "message"),
    [
        (measure(version=2), {}, 0.05, "no task can be compared: riddles: version 1"),
        (measure(), {"suite": "full"}, 0.05, "with the suite quick, .* with full"),
        (measure(), {}, 0.0, "the margin is 0.0"),
        (measure(), {}, 1.0, "the margin is 1.0"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(weighed, of, run, margin, message):
    with pytest.raises(WeighError, match=message):
        compare_runs(weighed("a", ["right"]), weighed("b", ["right"], of, **run), margin=margin)


def in_epochs(outcomes, num_epochs):
    return [
        said(number, outcome, epoch=epoch)
        for number, outcome in enumerate(outcomes, start=1)
        for epoch in range(1, num_epochs + 1)
    ]


def test_epochs_of_one_item_are_not_items_of_their_own(tmp_path):
    ones, others = ["right"] * 12 + ["wrong"] * 3, ["right"] * 6 + ["wrong"] * 9
    first = read_run(write_task(tmp_path / "a", in_epochs(ones, 4)))
    second = read_run(write_task(tmp_path / "b", in_epochs(others, 4)))
    (task,) = compare_runs(first, second).tasks
    by_item = [one == "right" for one in ones], [other == "right" for other in others]
    assert task.difference.num_items == 60
    single = tango(*effective_discordance(*by_item, range(15)))
    assert task.difference.interval[:2] == pytest.approx(single[:2])
    assert task.difference.p_value == pytest.approx(mcnemar(6, 0))
    assert task.difference.p_value > 100 * mcnemar(24, 0)  # what counting epochs as items gives


def test_clusters_without_spread_count_as_one_item_each(tmp_path):
    same = ["right"] * 20
    first = read_run(write_task(tmp_path / "a", in_epochs(same, 2)))
    (task,) = compare_runs(first, read_run(write_task(tmp_path / "b", in_epochs(same, 2)))).tasks
    assert task.difference.interval == tango(0, 0, 20)
    assert task.difference.p_value == 1.0
    other = read_run(write_task(tmp_path / "c", in_epochs(["wrong"] * 20, 2)))
    (task,) = compare_runs(first, other).tasks
    assert (task.difference.value, task.difference.interval) == (1.0, None)
    assert task.difference.p_value == mcnemar(20, 0)


def test_enough_equal_answers_are_equivalent_and_few_are_undecided(weighed):
    def verdict(number):
        first, second = (weighed(f"{name}{number}", ["right"] * number) for name in "ab")
        (task,) = compare_runs(first, second, margin=0.1).tasks
        return task.judgement.verdict

    assert verdict(40) == "equivalent"
    assert verdict(10) == "undecided"


def item(outcome, number):
    return Item(str(number), 1, str(number), outcome, "", "", "", "")


FACTS = {"hits": ["right"], "counted": ["right", "wrong"]}
OUTCOMES = st.sampled_from(["right", "wrong", "refused"])


@settings(max_examples=50)
@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), min_size=1, max_size=40))
def test_turning_the_runs_around_turns_the_difference_around(outcomes):
    there = [Pair(item(a, n), item(b, n)) for n, (a, b) in enumerate(outcomes)]
    back = [Pair(pair.second, pair.first) for pair in there]
    one, other = (pairs_module._paired_headline(each, FACTS, 0.05) for each in (there, back))
    counting = [pair for pair in outcomes if "refused" not in pair]
    assert (one is None) == (not counting)
    if one is not None:
        assert one.value == -other.value
        assert one.interval.lower == pytest.approx(-other.interval.upper, abs=1e-6)
        assert (one.p_value, one.num_items) == (other.p_value, len(counting))
        assert one.p_equivalent == pytest.approx(other.p_equivalent)
        assert one.detectable == other.detectable
