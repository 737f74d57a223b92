"""Many differences at once: what is still found, and what was only chance."""

import numpy as np
import pytest

from netweight.evals.comparing import benjamini_hochberg, holm
from netweight.evals.differences import Difference
from netweight.evals.judgements import judge
from netweight.evals.stats import Interval


def difference(p_value, *, value=0.2, p_equivalent=None):
    interval = Interval(value - 0.1, value + 0.1, 0.95)
    return Difference(value, interval, "", p_value, "", p_equivalent, 0.1, 50)


def verdicts(differences, adjust=holm, *, lower=False):
    found = judge(differences, [lower] * len(differences), adjust)
    return [each.verdict for each in found]


def test_p_values_of_a_family_are_adjusted_as_by_hand():
    differences = [difference(p) for p in (0.01, 0.02, 0.03, 0.04)]
    by_holm = [each.p_value for each in judge(differences, [False] * 4, holm)]
    by_share = [each.p_value for each in judge(differences, [False] * 4, benjamini_hochberg)]
    assert by_holm == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert by_share == pytest.approx([0.04, 0.04, 0.04, 0.04])
    assert verdicts(differences, holm) == ["first better", *["undecided"] * 3]
    assert verdicts(differences, benjamini_hochberg) == ["first better"] * 4


def test_fewer_is_better_where_it_is():
    assert verdicts([difference(0.001)], lower=True) == ["second better"]
    assert verdicts([difference(0.001, value=-0.2)], lower=True) == ["first better"]


def test_a_difference_within_the_margin_does_not_matter_though_it_is_no_accident():
    assert verdicts([difference(0.001, value=0.01, p_equivalent=0.01)]) == ["equivalent"]


def test_tests_of_equivalence_are_a_family_of_their_own():
    mixed = [difference(0.9, p_equivalent=0.03), difference(0.9), difference(0.9, p_equivalent=0.2)]
    found = judge(mixed, [False] * 3, holm)
    assert [each.p_equivalent for each in found] == pytest.approx([0.06, None, 0.2])
    assert [each.verdict for each in found] == ["undecided"] * 3


def test_no_differences_are_judged_to_nothing():
    assert judge([], [], benjamini_hochberg) == []


def test_without_a_correction_chance_would_be_found_and_with_it_a_planted_difference_still_is():
    chance = [float(p) for p in np.random.default_rng(0).uniform(size=80)]
    family = [difference(p) for p in [1e-5, *chance]]
    assert verdicts(family, list).count("first better") > 2  # the deliberately wrong way
    assert verdicts(family, benjamini_hochberg) == ["first better", *["undecided"] * 80]
