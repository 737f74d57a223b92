"""A comparison as plain data, for programs: what `netweight compare --json` prints.

Every number is the comparison's own. Measures and judges nothing.
"""

from typing import Any

from netweight.evals.differences import Difference
from netweight.evals.paired_figures import FigureComparison
from netweight.evals.pairs import Comparison, TaskComparison, WeighedRun
from netweight.evals.planning import ALPHA, POWER


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Everything a program needs of a comparison, with what each pair came to."""
    return {
        "schema": "netweight-comparison/1",
        "first": _run_as_json(comparison.first),
        "second": _run_as_json(comparison.second),
        "margin": comparison.margin,
        "power": POWER,
        "alpha": ALPHA,
        "tasks": [_task_as_json(each) for each in comparison.tasks],
        "left_out": dict(comparison.left_out),
    }


def _run_as_json(run: WeighedRun) -> dict[str, Any]:
    return {"folder": str(run.folder), "model": run.model, "suite": run.suite}


def _task_as_json(each: TaskComparison) -> dict[str, Any]:
    metric = each.first.headline["metric_config"]
    return {
        "task": each.task,
        "task_version": each.first.facts["task_version"],
        "metric": metric["metric_id"],
        "lower_is_better": metric["lower_is_better"],
        "first": each.first.headline["score_details"],
        "second": each.second.headline["score_details"],
        "usable": [each.first.facts["usable"], each.second.facts["usable"]],
        "paired": each.unpaired is None,
        "why_unpaired": each.unpaired,
        "why_not_compared": each.why_not,
        "difference": each.difference and _difference_as_json(each.difference),
        "p_value_holm": each.judgement and each.judgement.p_value,
        "p_equivalent_holm": each.judgement and each.judgement.p_equivalent,
        "verdict": each.judgement and each.judgement.verdict,
        "further": [_figure_as_json(figure) for figure in each.figures],
        "not_paired": dict(each.not_paired),
        "items": [
            {
                "sample": pair.first.sample,
                "epoch": pair.first.epoch,
                "first": pair.first.outcome,
                "second": pair.second.outcome,
            }
            for pair in each.pairs
        ],
        "num_alone": list(each.num_alone),
    }


def _figure_as_json(each: FigureComparison) -> dict[str, Any]:
    assert each.judgement is not None, "every figure is judged with the others"
    return {
        "metric": each.metric,
        "description": each.description,
        "unit": each.unit,
        "lower_is_better": each.lower_is_better,
        "first": each.first,
        "second": each.second,
        "difference": _difference_as_json(each.difference),
        "p_value_benjamini_hochberg": each.judgement.p_value,
        "p_equivalent_benjamini_hochberg": each.judgement.p_equivalent,
        "verdict": each.judgement.verdict,
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    told = {name: value for name, value in vars(difference).items() if name != "interval"}
    interval = difference.interval
    return told | {"interval": interval and interval._asdict()}
