"""AIME: strict reading of the boxed integer, checked on published solutions."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import WeighError
from netweight.evals.aime import (
    FILES,
    MEASURE,
    VERSION,
    aime,
    judge,
    measure_of,
    read_answer,
    read_problems,
)
from netweight.evals.measure import Scored


@pytest.fixture(params=sorted(FILES))
def year(request):
    return request.param


@pytest.fixture
def problems(shared_data, year):
    path = shared_data / FILES[year]
    if not path.is_file():
        pytest.skip(f"there is no {FILES[year]} in {shared_data}")
    return read_problems(path)


def test_there_are_thirty_problems_a_year_with_integers_from_0_to_999(problems):
    assert len({problem.name for problem in problems}) == 30
    assert all(0 <= problem.answer <= 999 for problem in problems)


def test_every_published_solution_is_read_as_its_published_answer(problems, year):
    without = [problem.name for problem in problems if not problem.solution]
    assert without == ([] if year == 2024 else ["aime25-14"])
    for problem in problems:
        assert read_answer(problem.solution) == (problem.answer if problem.solution else None)
        outcome = judge(problem.solution, "stop", problem.answer)
        assert outcome == ("right" if problem.solution else "unparsed")


def test_a_solution_without_its_box_is_never_read_as_another_number(problems):
    bare = [re.sub(r"\\(boxed|framebox)", "", problem.solution) for problem in problems]
    read = [read_answer(text) for text in bare]
    assert all(r in (None, p.answer) for r, p in zip(read, problems, strict=True))
    loose = [re.findall(r"\d+", text)[-1:] for text in bare]  # what a fallback would have taken
    wrong = [x for x, p in zip(loose, problems, strict=True) if x and int(x[0]) != p.answer]
    assert len(wrong) >= 4


def test_the_answer_to_another_problem_is_wrong(problems):
    for problem, other in itertools.pairwise(problems):
        assert other.answer != problem.answer
        assert judge(f"\\boxed{{{other.answer}}}", "stop", problem.answer) == "wrong"


def test_the_task_has_both_papers_in_turns_and_names_its_year(
    problems, year, shared_data, monkeypatch
):
    monkeypatch.setenv("NETWEIGHT_DATA", str(shared_data))
    task = aime(year=year)
    assert (task.version, task.dataset.name) == (VERSION, f"aime {VERSION}, {year}")
    prefix = f"aime{year % 100}-"
    assert [sample.id for sample in task.dataset][:4] == [f"{prefix}{i}" for i in (0, 15, 1, 16)]
    by_name = {problem.name: problem for problem in problems}
    for sample in task.dataset:
        assert sample.input.startswith(by_name[sample.id].text.strip())
        assert sample.target == str(by_name[sample.id].answer) and "\\boxed{}" in sample.input


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So it is $\\boxed{073}$.", 73),
        ("\\boxed{\\mathbf{127} }", 127),
        ("\\boxed{\\textbf{(019)}}.", 19),
        ("\\framebox{204} minutes", 204),
        ("\\boxed{73^\\circ}", 73),
        ("\\boxed{7}, no: \\boxed{8}", 8),
        ("**73**", 73),
        ("A lot of work.\n\n**Answer: 73**", 73),
        ("Therefore, the final answer is \\(73\\).", 73),
        ("\\[73\\]", 73),
        ("There are 73 ways.", None),
        ("The answer is 73 or 74.", None),
        ("n = 73", None),
        ("73.5", None),
        ("-73", None),
        ("\u221273", None),
        ("\\boxed{-73}", None),
        ("\\boxed{7.3}", None),
        ("\\boxed{7 3}", None),
        ("\\boxed{\\frac{7}{3}}", None),
        ("\\boxed{m+n=73}", None),
        ("\\boxed{}\n73", None),
        ("\\boxed{73", None),
        ("The answer is 73, as I said.\nI am done.", None),
        ("", None),
    ],
)
def test_only_a_box_or_a_last_line_that_is_the_answer_is_read(text, answer):
    assert read_answer(text) == answer


@given(st.integers(0, 999), st.text("0123456789 +={}x\n", max_size=40))
def test_a_box_at_the_end_is_read_whatever_stands_before_it(answer, before):
    assert read_answer(f"{before}\n\\boxed{{{answer:03}}}") == answer


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcome"),
    [
        ("\\boxed{73}", "stop", "right"),
        ("\\boxed{74}", "stop", "wrong"),
        ("\\boxed{1073}", "stop", "wrong"),
        ("I found 73 of them, I believe.", "stop", "unparsed"),
        ("", "stop", "unparsed"),
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ("\\boxed{73}", "max_tokens", "truncated"),
        ("\\boxed{73}", "content_filter", "refused"),
    ],
)
def test_each_kind_of_ending_has_its_own_outcome(text, stop_reason, outcome):
    assert judge(text, stop_reason, 73) == outcome
    assert outcome in MEASURE.outcomes


def test_the_years_have_measures_of_their_own():
    assert [measure_of(year).task for year in FILES] == ["aime2024", "aime2025"]
    assert MEASURE.task == "aime2025"


@pytest.mark.parametrize("make", [aime, measure_of])
def test_a_year_without_data_is_refused(make):
    with pytest.raises(WeighError, match=r"no data of AIME 1999\. Choose one of: 2024, 2025"):
        make(1999)


def test_a_file_that_is_not_as_published_is_told(tmp_path):
    path = tmp_path / "aime24.jsonl"
    path.write_text('{"id": "aime24-0", "problem": "?"}\n', "utf-8")
    with pytest.raises(WeighError, match="expected_answer"):
        read_problems(path)


def test_the_flip_rate_is_of_problems_that_were_answered_more_than_once():
    def scored(problem, epoch, outcome):
        return Scored(problem, epoch, outcome, problem, "", 100, {})

    everything = [
        scored("a", 1, "right"),
        scored("a", 2, "wrong"),
        scored("b", 1, "right"),
        scored("b", 2, "right"),
        scored("b", 3, "timeout"),
        scored("c", 1, "truncated"),
    ]
    figures = {each.metric: (each.value, each.num_samples) for each in MEASURE.further(everything)}
    assert figures == {"flip_rate": (0.5, 2)}
    headline = MEASURE.headline(everything)
    assert (headline.value, headline.num_samples) == (3 / 5, 5)
    assert headline.method == "Wilson score, clustered"
