"""Sections in turn: what fails or takes too long is told, and hides nothing."""

import json

import pytest

from benchmarks.gpu_report import (
    NO_TIME,
    TRIED,
    Finding,
    Outcome,
    Section,
    exit_status,
    lines_of,
    row_of,
    run_all,
    summary_of,
)
from netweight.bench import TookTooLong
from netweight.errors import BenchError

GOOD = Finding("error", 1e-3, 2e-3, at_most=True, is_check=True)
BAD = Finding("error", 3e-3, 2e-3, at_most=True, is_check=True)
SLOW = Finding("share", 0.4, 0.55)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (GOOD, "right"),
        (BAD, "wrong"),
        (Finding("error", float("nan"), 1.0, at_most=True, is_check=True), "wrong"),
        (Finding("same", 0.99, 0.99, is_check=True), "right"),
        (SLOW, "missed"),
        (Finding("share", 0.55, 0.55), "reached"),
        (Finding("speed", 3.0), "measured"),
        (Finding("speed", None, 1.0, note="no such tool"), "not measured"),
    ],
)
def test_a_finding_says_in_a_word_what_it_means(finding, verdict):
    assert finding.verdict == verdict


class Clock:
    """Goes on only when a section runs."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(sections, answers, budget_s):
    """Sections whose answers are findings or errors, after so many seconds each."""
    clock, asked = Clock(), []

    def ask(name, seconds):
        asked.append((name, seconds))
        takes, answer = answers[name]
        clock.now += min(takes, seconds)
        if takes > seconds:
            raise TookTooLong(f"run took longer than {seconds:.0f} s")
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcomes = run_all(sections, ask, budget_s=budget_s, clock=clock)
    return outcomes, asked


A, B, C = Section("a", 10), Section("b", 10), Section("c", 10)


def test_a_failing_section_is_told_and_the_others_go_on():
    answers = {
        "a": (1, BenchError("the kernel is gone")),
        "b": (1, ValueError("x")),
        "c": (1, [GOOD]),
    }
    outcomes, _ = run([A, B, C], answers, 100)
    assert [outcome.problem for outcome in outcomes] == [
        "BenchError: the kernel is gone",
        "ValueError: x",
        "",
    ]
    assert outcomes[2].findings == (GOOD,)
    assert exit_status(outcomes) == 1
    assert exit_status(outcomes[2:]) == 0
    assert "FAILED: BenchError: the kernel is gone" in lines_of(outcomes[0])[0]


def test_a_wrong_result_is_a_failure_and_a_missed_bar_is_not():
    assert exit_status([Outcome("a", 1.0, (GOOD, BAD))]) == 1
    assert exit_status([Outcome("a", 1.0, (GOOD, SLOW))]) == 0


def test_what_does_not_fit_in_the_time_is_not_measured_and_no_failure():
    answers = {"a": (9, [GOOD]), "b": (9, [GOOD]), "c": (1, [GOOD])}
    outcomes, asked = run([A, B, C], answers, 16)
    assert asked == [("a", 10), ("b", 7.0)]  # less than b's own limit, and nothing is left for c
    assert [outcome.problem for outcome in outcomes] == ["", NO_TIME, NO_TIME]
    assert exit_status(outcomes) == 0
    assert NO_TIME in lines_of(outcomes[1])[0]
    assert "FAILED" not in lines_of(outcomes[1])[0]


def test_a_section_that_takes_longer_than_its_own_limit_has_failed():
    outcomes, _ = run([A, B], {"a": (50, [GOOD]), "b": (1, [GOOD])}, 100)
    assert outcomes[0].problem == "run took longer than 10 s"
    assert outcomes[1].findings == (GOOD,)
    assert exit_status(outcomes) == 1


def test_the_table_says_verdict_value_and_bound():
    lines = lines_of(Outcome("kernels", 1.25, (GOOD, SLOW, Finding("rate", 5.0, note="n"))))
    assert lines[0] == "kernels (1.2 s)"
    assert lines[1].split() == ["right", "0.001", "<=", "0.002", "error"]
    assert lines[2].split() == ["missed", "0.4", ">=", "0.55", "share"]
    assert lines[3].split() == ["measured", "5", "rate", "(n)"]


def test_what_the_interpreter_took_is_no_measurement():
    lines = lines_of(Outcome("decode", 1.0, (GOOD, SLOW)), tried=True)
    assert TRIED not in lines[1]  # a check is one everywhere
    assert TRIED in lines[2]
    assert "missed" not in lines[2]


def test_the_summary_counts_checks_bars_and_failures():
    outcomes = [
        Outcome("a", 1.0, (GOOD, BAD, SLOW, Finding("r", 1.0, 0.5))),
        Outcome("b", 1.0, problem="ValueError: x"),
        Outcome("c", 1.0, problem=NO_TIME),
    ]
    assert summary_of(outcomes) == (
        f"1 of 2 checks right; 1 of 2 bars reached; failed: a, b; {NO_TIME}: c"
    )
    assert summary_of(outcomes, tried=True).startswith(f"{TRIED}; 1 of 2 checks right; failed")


def test_a_row_is_json_even_of_what_is_no_number():
    wrong = Finding("error", float("nan"), 1.0, at_most=True, is_check=True)
    row = row_of(
        [Outcome("a", 1.0, (wrong, GOOD)), Outcome("b", 0.0, problem=NO_TIME)], {"seed": 1}
    )
    again = json.loads(json.dumps(row, allow_nan=False))
    assert again["seed"] == 1
    assert [one["verdict"] for one in again["sections"][0]["findings"]] == ["wrong", "right"]
    assert again["sections"][0]["findings"][0]["value"] is None
    assert again["sections"][1]["problem"] == NO_TIME
