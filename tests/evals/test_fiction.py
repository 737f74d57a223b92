"""The fiction task: its prompts and its judgement."""

import re

import pytest

from netweight.evals.fiction import MEASURE, formulas_in_fiction, judge, prompts
from netweight.evals.formulas import find_formulas
from netweight.evals.measure import Scored


def test_there_are_twenty_different_prompts_half_of_them_rhymes():
    asked = list(prompts())
    assert len(set(asked)) == 20
    assert sum("rhyme" in prompt for prompt in asked) == 10
    assert "rhyme" in asked[1] and "story" in asked[0]


def test_no_prompt_calls_for_mathematics_or_science():
    for prompt in prompts():
        assert find_formulas(prompt) == []
        assert not re.search(
            r"\d|math|number|sum|equation|formula|science|comput|code|physic", prompt, re.IGNORECASE
        )


def test_the_task_is_versioned():
    task = formulas_in_fiction()
    assert (task.version, len(task.dataset)) == (1, 20)


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcome"),
    [
        ("The fox went home.", "stop", "plain"),
        ("The fox knew that E = mc^2.", "stop", "formula"),
        ("The fox was ≈ red, and E = mc^2.", "stop", "formula"),
        ("The fox was ≈ red.", "stop", "typography"),
        (" \n", "stop", "unparsed"),
        ("I'm sorry, but I can't write that.", "stop", "refused"),
        ("The fox knew that E = mc^2 and", "max_tokens", "truncated"),
        ("The fox", "content_filter", "refused"),
    ],
)
def test_each_kind_of_telling_has_its_own_outcome(text, stop_reason, outcome):
    assert judge(text, stop_reason) == outcome
    assert outcome in MEASURE.outcomes


def test_a_refusal_or_a_cut_off_telling_is_not_in_the_rate():
    outcomes = ["formula", "plain", "plain", "plain", "refused", "refused", "truncated", "unparsed"]
    scored = [Scored(str(i), 1, each, str(i), "", 0, {}) for i, each in enumerate(outcomes)]
    rate = MEASURE.headline(scored)
    assert (rate.value, rate.num_samples) == (1 / 4, 4)
