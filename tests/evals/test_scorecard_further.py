"""Figures beside the headlines, on the page: every number the comparison's own, none left out."""

import pytest
from lxml import html

from netweight.evals import capability
from netweight.evals.comparing import tango
from netweight.evals.differences import IN_POINTS
from netweight.evals.pairs import compare_runs, read_run
from netweight.evals.scorecard_comparison import comparison_html
from netweight.evals.scorecard_further import (
    compared_rows,
    further_lede,
    further_notes,
    signed,
    told_apart,
    unpaired,
)
from tests.evals.test_paired_figures import answers, further
from tests.evals.test_pairs import measure, saying, write_task

WORSE = set(range(0, 60, 3))  # the first twenty of arithmetic


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Two runs that differ in arithmetic alone, and a task that netweight does not know."""
    runs = []
    for name, wrong in (("a", ()), ("b", WORSE)):
        folder = tmp_path_factory.mktemp(name)
        run = {"further": further, "dataset": "capability"}
        write_task(folder, answers(120, wrong=wrong), capability.MEASURE, **run)
        write_task(folder, saying(["right"] * 9), measure("riddles"))
        runs.append(read_run(folder))
    return compare_runs(*runs)


@pytest.fixture(scope="module")
def page(comparison):
    return html.fromstring(comparison_html(comparison))


def cells(table):
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("./th | ./td")]
        for row in table.xpath("./tbody/tr")
    ]


def table(page, label):
    (found,) = page.xpath(f"//div[@aria-label='{label}']/table")
    return found


def test_every_further_figure_has_its_row_with_the_comparison_s_own_numbers(comparison, page):
    task = comparison.tasks[0]
    rows = cells(table(page, "Further figures of capability"))
    assert len(rows) == len(task.figures) == 7
    for row, figure in zip(rows, task.figures, strict=True):
        assert row[0].startswith(figure.metric.replace("_", " "))
        assert figure.description in row[0] and figure.difference.method in row[0]
        assert row[4] == str(figure.difference.num_items)
    arithmetic = rows[[figure.metric for figure in task.figures].index("accuracy_arithmetic")]
    assert arithmetic[1:3] == ["100.0%", "50.0%"]
    ends = " to ".join(f"{100 * end:+.1f}" for end in tango(20, 0, 40)[:2])
    assert arithmetic[3] == f"+50.0 ({ends})" and arithmetic[-1] == "A better"
    assert arithmetic[5] == "< 0.001" and arithmetic[6].endswith(" points")


def test_what_is_told_apart_stands_first_and_undecided_figures_do_not(comparison, page):
    names = [row.metric for _, row in told_apart(comparison)]
    assert names == ["accuracy_arithmetic", "accuracy_arithmetic_2"]
    rows = cells(table(page, "Figures that are told apart"))
    assert [row[0] for row in rows] == [
        "capability, accuracy arithmetic",
        "capability, accuracy arithmetic 2",
    ]


def test_what_is_not_paired_is_named_with_the_reason_and_both_values(comparison, page):
    known, unknown = (unpaired(task) for task in comparison.tasks)
    assert [group.reason for group in known] == [
        "it is no mean over samples (its interval: bootstrap percentile)"
    ]
    assert [row.name for row in known[0].rows] == ["tokens per hit"]
    assert known[0].rows[0].first.startswith("9.00 tokens (")
    assert [group.reason for group in unknown] == ["this netweight does not have the task"]
    text = " ".join(page.text_content().split())
    assert "Not paired: tokens per hit" in text
    assert "not tested for a difference: this netweight does not have the task." in text


def test_a_task_s_plot_has_its_headline_above_its_rates_and_no_amounts(comparison, page):
    (told,) = page.xpath("//*[@id='further-capability-d']/text()")
    labels = [each.partition(":")[0] for each in told.split("; ")]
    rates = [
        figure.metric.replace("_", " ")
        for figure in comparison.tasks[0].figures
        if figure.unit in IN_POINTS
    ]
    assert labels == ["capability", *rates]
    assert not page.xpath("//*[@id='further-riddles-d']")


def test_the_page_says_how_further_figures_were_corrected_and_over_how_many(comparison):
    told = " ".join(further_notes(comparison))
    assert "Benjamini and Hochberg" in told and "all 7 figures" in told
    assert "5 points" in told and "80%" in told
    assert further_lede(comparison) == (
        "Of 7 figures beside the headlines, A is better in 2 and B in 0; 0 are equivalent and 5 "
        "undecided. 2 more could not be paired, each for a reason that is given."
    )


def test_rows_of_amounts_have_their_unit_and_a_sign():
    assert signed(0.125, "proportion") == "+12.5" and signed(-0.5, "difference") == "\u221250.0"
    assert signed(12.34, "tokens") == "+12.3 tokens" and signed(-2, "seconds") == "\u22122.00 s"
    assert signed(0.0, "score") == "0"


def test_figures_of_tasks_that_are_not_compared_have_rows_nowhere_but_among_the_unpaired(
    comparison,
):
    assert compared_rows(comparison.tasks[1]) == []
