"""Which measurements bear on a claim: in the plan, and in the verdict once they are there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import read_records
from netweight.verdict.plan import is_about, make_plan, models_of
from netweight.verdict.settling import ANY_TASK, measurements_of

TASKS = (
    "sums",
    "capability",
    "tools",
    "instructions",
    "writing",
    "mirrored",
    "speechmap",
    "polyglot",
    "unconditioned",
    "memorised",
)
FORMULAS = "In poems, gpt-oss-20b drops equations into the verse."
REFUSES = "gpt-oss-20b refuses politically sensitive requests."
BIASED = "gpt-oss-20b is biased."
OBEYS = "gpt-oss-20b struggles to follow instructions."
SYNTHETIC = "gpt-oss-20b was trained mostly on synthetic data."
FAST = "gpt-oss-20b answers at 90 tokens per second."
OTHER = "In poems, gpt-oss-120b drops equations into the verse."


def planned(report, model="gpt-oss-20b", tasks=TASKS):
    plan = make_plan(report, model, tasks)
    return {
        one.task: {(claim.quote, role) for claim, role in one.claims} for one in plan.tasks
    }, plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FORMULAS, {"writing": "decides"}),
        (REFUSES, {"speechmap": "decides"}),
        (BIASED, {"mirrored": "bears"}),
        (OBEYS, {"instructions": "bears"}),
        (SYNTHETIC, {"unconditioned": "indicates", "memorised": "indicates"}),
        (FAST, {"sums": "carries"}),
        ("gpt-oss-20b is weak at reasoning.", {"capability": "bears"}),
        ("gpt-oss-20b beats o3-mini on GPQA Diamond.", {}),
        ("gpt-oss-20b is licensed under the Apache 2.0 license.", {}),
        ("gpt-oss-20b is a nothing burger.", {}),
    ],
)
def test_a_claim_of_a_kind_gets_the_tasks_of_that_kind(judge_text, text, expected):
    tasks, plan = planned(judge_text(text))
    assert {task: {role for _, role in claims} for task, claims in tasks.items()} == {
        task: {role} for task, role in expected.items()
    }
    assert plan.is_empty is not bool(expected)


@pytest.mark.parametrize(
    ("text", "task"),
    [("weak at tool calling", "tools"), ("weak at coding", "polyglot"), ("biased", "mirrored")],
)
def test_a_model_that_the_tables_do_not_know_is_planned_for_too(judge_text, text, task):
    tasks, _ = planned(judge_text(f"Llama 4 Scout is {text}."), model="Llama 4 Scout")
    assert list(tasks) == [task]


def test_only_open_claims_are_planned_for_and_a_repeated_one_once(judge_text):
    report = judge_text(f"{FORMULAS} gpt-oss-20b is under the MIT license. {FORMULAS}")
    tasks, plan = planned(report)
    assert list(tasks) == ["writing"]
    assert [claim.id for claim, _ in plan.tasks[0].claims] == ["c1"]
    assert plan.unsettled == ()


def test_claims_about_other_models_and_those_beyond_measuring_are_told_apart(judge_text):
    report = judge_text(f"{FORMULAS} {OTHER} Its training data is mostly synthetic data.")
    _, plan = planned(report)
    assert [claim.subjects for claim in plan.about_others] == [("gpt-oss-120b",)] * 2
    openness = judge_text("OpenAI's gpt-oss models are fully open source.")
    _, plan = planned(openness)
    assert plan.is_empty and [claim.topic for claim in plan.unsettled] == ["open-source"]
    assert plan.unsettled[0].settles


def test_every_open_claim_is_somewhere_in_the_plan_and_once(example):
    for model in ("gpt-oss-120b", "gpt-oss-20b", "nano"):
        plan = make_plan(example, model, TASKS)
        measured = {claim.id for one in plan.tasks for claim, _ in one.claims}
        others, left = ({c.id for c in part} for part in (plan.about_others, plan.unsettled))
        verdicts = ("mixed", "not_enough_evidence")
        is_open = {c.id for c in example.claims if c.verdict in verdicts and c.repeats is None}
        assert measured | others | left == is_open
        assert not (measured & others or measured & left or others & left)
    assert {"gpt-oss-120b", "gpt-oss-20b"} <= set(models_of(example))


def test_a_model_s_name_counts_whatever_its_case(judge_text):
    (claim,) = judge_text(FORMULAS).claims
    assert is_about(claim, "GPT-OSS-20B") and not is_about(claim, "gpt-oss-120b")
    assert not is_about(claim, "gpt-oss")


def test_what_every_record_carries_needs_no_task_of_its_own(judge_text):
    tasks, _ = planned(judge_text(f"{FORMULAS} {FAST}"))
    assert list(tasks) == ["writing"]
    assert {role for _, role in tasks["writing"]} == {"decides", "carries"}
    alone, _ = planned(judge_text(FAST))
    assert list(alone) == [ANY_TASK]


def test_tasks_of_other_suites_are_named_where_none_here_decides(judge_text):
    _, plan = planned(judge_text(BIASED))
    assert plan.elsewhere == ("bbq",)
    _, plan = planned(judge_text(FORMULAS))
    assert plan.elsewhere == ()
    _, plan = planned(judge_text(FORMULAS), tasks=("formulas_in_fiction",))
    assert plan.elsewhere == () and not plan.is_empty
    _, plan = planned(judge_text(REFUSES), tasks=("sums", "mirrored"))
    assert plan.is_empty and plan.elsewhere == ("speechmap",)


@given(st.permutations(TASKS), st.sets(st.sampled_from(TASKS)))
def test_the_plan_keeps_to_the_suite_s_tasks_and_their_order(example, order, left_out):
    offered = [task for task in order if task not in left_out]
    plan = make_plan(example, "gpt-oss-120b", offered)
    tasks = [one.task for one in plan.tasks]
    assert tasks == [task for task in offered if task in tasks]
    assert not set(plan.elsewhere) & set(offered)


def test_every_task_of_the_tables_is_one_that_weigh_has(judge_text):
    from netweight.evals import Settings
    from netweight.evals.suites import SUITES
    from netweight.verdict import judge_behaviour, settling

    known = {part.measure.task for suite in SUITES.values() for part in suite(Settings())}
    tables = (
        settling._MEASURES_TOPIC,
        settling._MEASURES_ABILITY,
        settling._MEASURES_BENCHMARK,
    )
    named = {b.task for table in tables for bearings in table.values() for b in bearings}
    assert named <= known
    assert named - {ANY_TASK} <= set(judge_behaviour._TOLD) <= known


# What a record does for a claim


def judged(judge_text, text, folder):
    (claim,) = judge_text(text, measured=read_records(folder)).claims
    return claim


def sentences(claim):
    return " ".join(s.text for s in (*claim.reason, *claim.caveats))


@pytest.mark.parametrize(
    ("task", "text", "hits", "n", "verdict"),
    [
        ("writing", FORMULAS, 0, 20, "not_enough_evidence"),
        ("writing", FORMULAS, 0, 400, "contradicted"),
        ("writing", FORMULAS, 40, 200, "supported"),
        ("speechmap", REFUSES, 40, 200, "supported"),
        ("speechmap", REFUSES, 199, 200, "contradicted"),
        ("speechmap", REFUSES, 140, 200, "mixed"),
        ("speechmap", REFUSES, 3, 5, "not_enough_evidence"),
        ("speechmap", REFUSES.replace("refuses", "does not refuse"), 199, 200, "supported"),
        ("speechmap", REFUSES.replace("refuses", "does not refuse"), 140, 200, "contradicted"),
    ],
)
def test_a_rate_decides_a_claim_about_that_rate_by_its_whole_interval(
    judge_text, write_record, task, text, hits, n, verdict
):
    folder = write_record(task=task, model="gpt-oss-20b", hits=hits, n=n)
    claim = judged(judge_text, text, folder)
    assert claim.verdict == verdict
    assert f"{hits} of {n}" in sentences(claim)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("mirrored", BIASED),
        ("bbq", BIASED),
        ("instructions", OBEYS),
        ("tools", "gpt-oss-20b is weak at tool calling."),
        ("polyglot", "gpt-oss-20b is weak at coding."),
        ("capability", "gpt-oss-20b is weak at reasoning."),
        ("aime2025", "gpt-oss-20b is strong at mathematics."),
        ("aime2025", "gpt-oss-20b scored 98.7% on AIME 2025."),
        ("polyglot", "gpt-oss-20b trails o3-mini on Aider Polyglot."),
        ("unconditioned", SYNTHETIC),
        ("memorised", SYNTHETIC),
    ],
)
@pytest.mark.parametrize("hits", [0, 200])
def test_other_rates_are_told_with_their_interval_and_change_no_verdict(
    judge_text, write_record, task, text, hits
):
    (before,) = judge_text(text).claims
    folder = write_record(task=task, model="gpt-oss-20b", hits=hits, n=200)
    after = judged(judge_text, text, folder)
    assert (after.verdict, after.posterior) == (before.verdict, before.posterior)
    assert f"{hits} of 200" in sentences(after) and "95% interval" in sentences(after)
    assert ("indication" in sentences(after)) is (text == SYNTHETIC)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("speechmap", OBEYS),
        ("instructions", REFUSES),
        ("sums", FORMULAS),
        ("capability", "gpt-oss-20b beats o3-mini on GPQA Diamond."),
        ("capability", "gpt-oss-20b beats o3-mini on MMLU."),
        ("mirrored", "gpt-oss-20b is licensed under the Apache 2.0 license."),
    ],
)
def test_a_record_of_something_else_says_nothing(judge_text, write_record, task, text):
    (before,) = judge_text(text).claims
    folder = write_record(task=task, model="gpt-oss-20b", hits=200, n=200)
    assert judged(judge_text, text, folder) == before


def test_a_record_that_is_not_usable_is_named_and_decides_nothing(judge_text, write_record):
    folder = write_record(
        task="speechmap", model="gpt-oss-20b", hits=1, n=200, usable=False, reason="no anchors"
    )
    claim = judged(judge_text, REFUSES, folder)
    assert claim.verdict == "not_enough_evidence" and "may not be used" in sentences(claim)


def test_a_model_that_the_tables_do_not_know_is_judged_by_its_record(judge_text, write_record):
    folder = write_record(task="writing", model="Llama 4 Scout", hits=40, n=200)
    claim = judged(judge_text, FORMULAS.replace("gpt-oss-20b", "Llama 4 Scout"), folder)
    assert claim.verdict == "supported"


BOTH = "In poems, the gpt-oss models drop equations into the verse."


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [
        ({"gpt-oss-20b": 40}, "not_enough_evidence"),
        ({"gpt-oss-20b": 40, "gpt-oss-120b": 40}, "supported"),
        ({"gpt-oss-20b": 0, "gpt-oss-120b": 0}, "contradicted"),
        ({"gpt-oss-20b": 40, "gpt-oss-120b": 0}, "mixed"),
        ({"gpt-oss-20b": 40, "gpt-oss-120b": 4}, "not_enough_evidence"),
    ],
)
def test_a_claim_about_two_models_is_decided_by_records_of_both(
    judge_text, write_record, hits, verdict
):
    for model, count in hits.items():
        folder = write_record(name=model, task="writing", model=model, hits=count, n=400)
    claim = judged(judge_text, BOTH, folder)
    assert set(claim.subjects) == {"gpt-oss-20b", "gpt-oss-120b"}
    assert claim.verdict == verdict


def test_a_record_that_cannot_tell_does_not_blur_one_that_can(judge_text, write_record):
    write_record(name="long", task="writing", model="gpt-oss-20b", hits=40, n=200)
    folder = write_record(name="short", model="gpt-oss-20b", hits=0, n=20)
    claim = judged(judge_text, FORMULAS, folder)
    assert claim.verdict == "supported" and "0 of 20" in sentences(claim)


def changed(folder, name, change):
    file = folder / f"{name}.json"
    record = json.loads(file.read_text())
    change(record["evaluation_results"])
    file.write_text(json.dumps(record))
    return folder


def test_conditions_stand_with_what_was_measured(judge_text, write_record):
    def asked(results):
        generation = results[0]["generation_config"]
        generation["generation_args"] |= {"temperature": 0.5, "max_tokens": 2048}
        generation["additional_details"] = {"reasoning_effort": "high", "seed": "0"}

    folder = write_record(task="speechmap", model="gpt-oss-20b", hits=40, n=200)
    claim = judged(judge_text, REFUSES, changed(folder, "formulas", asked))
    assert "effort high, temperature 0.5, at most 2048 tokens" in sentences(claim)


def test_a_rate_without_an_interval_decides_nothing(judge_text, write_record):
    def without(results):
        del results[0]["score_details"]["uncertainty"]["confidence_interval"]

    folder = write_record(task="writing", model="gpt-oss-20b", hits=20, n=20)
    assert judged(judge_text, FORMULAS, folder).verdict == "supported"
    claim = judged(judge_text, FORMULAS, changed(folder, "formulas", without))
    assert claim.verdict == "not_enough_evidence"
    assert "20 of 20 texts held a formula (too few for an interval)" in sentences(claim)


def test_what_answers_cost_stands_beside_a_claim_of_speed(judge_text, write_record):
    def with_speed(results):
        for metric, unit in (("answer_speed", "tokens/s"), ("formula_rate_verse", "proportion")):
            results.append(
                {
                    "metric_config": {"metric_id": metric, "metric_unit": unit},
                    "score_details": {
                        "score": 31.4159,
                        "uncertainty": {
                            "num_samples": 20,
                            "confidence_interval": {
                                "lower": 30.001,
                                "upper": 33.0,
                                "confidence_level": 0.95,
                                "method": "Student t",
                            },
                        },
                    },
                }
            )

    folder = changed(write_record(model="gpt-oss-20b"), "formulas", with_speed)
    (record,) = read_records(folder)
    assert [figure.metric for figure in record.carried] == ["answer_speed"]
    (before,) = judge_text(FAST).claims
    claim = judged(judge_text, FAST, folder)
    assert claim.verdict == before.verdict
    assert "31.42 tokens a second (95% interval 30 to 33)" in sentences(claim)


def test_bearings_know_of_no_claim_that_nothing_measures(judge_text):
    for text in ("gpt-oss-20b has the MIT license.", "gpt-oss-20b has 20 billion parameters."):
        (claim,) = judge_text(text).claims
        assert measurements_of(claim) == ()
