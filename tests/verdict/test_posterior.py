import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict.comparing import comparable
from netweight.verdict.ledger import Ledger
from netweight.verdict.posterior import of_pairs, tempered, weight_of

SHARES = st.floats(0.02, 0.98)
WEIGHTS = st.floats(0.05, 1.0)


@given(SHARES, WEIGHTS)
def test_a_source_pulls_towards_its_side_and_no_further_than_it_says(share, weight):
    after = tempered(share, weight)
    assert min(share, 0.5) - 1e-9 <= after <= max(share, 0.5) + 1e-9


@given(SHARES, WEIGHTS)
def test_the_opposite_of_a_claim_has_the_rest(share, weight):
    assert tempered(share, weight) + tempered(1 - share, weight) == pytest.approx(1)


def test_a_source_that_is_not_relied_on_says_nothing():
    assert tempered(0.99, 0.0) == 0.5


def test_kinds_of_sources_have_their_order(tables):
    weights = [
        weight_of(tables.figures[name])
        for name in ("card-mmlu-o4-mini", "aa-v2-gpt-oss-120b", "aider-kimi-k2", "params-20b")
    ]
    assert weights == sorted(weights) and len(set(weights)) == 4


@pytest.mark.parametrize("metric", ["mmlu", "gpqa-diamond", "healthbench", "codeforces"])
def test_above_and_below_share_what_there_is(tables, metric):
    ledger = Ledger(tables)
    pairs = comparable(ledger, tables.benchmarks[metric], "gpt-oss-120b", "o4-mini")
    above, below = (
        of_pairs(way, pairs, is_universal=False, is_negated=False) for way in ("above", "below")
    )
    assert above.mean + below.mean == pytest.approx(1, abs=0.002)
    negated = of_pairs("above", pairs, is_universal=False, is_negated=True)
    assert negated.mean == pytest.approx(below.mean, abs=0.002)


def test_a_clear_difference_is_likelier_than_an_unclear_one(tables):
    ledger = Ledger(tables)

    def below(metric):
        pairs = comparable(ledger, tables.benchmarks[metric], "gpt-oss-120b", "o4-mini")
        return of_pairs("below", pairs, is_universal=False, is_negated=False).mean

    assert below("mmlu") > below("gpqa-diamond") > 0.5


def test_where_less_is_better_the_mass_is_on_the_better_side(tables):
    ledger = Ledger(tables)
    metric = tables.benchmarks["simpleqa-hallucination"]
    pairs = comparable(ledger, metric, "o4-mini", "gpt-oss-120b")
    assert of_pairs("above", pairs, is_universal=False, is_negated=False).mean > 0.5


def test_without_pairs_there_is_no_posterior():
    assert of_pairs("above", [], is_universal=False, is_negated=False) is None


def test_every_is_harder_than_some(tables):
    ledger = Ledger(tables)
    pairs = [
        pair
        for metric in ("mmlu", "healthbench")
        for pair in comparable(ledger, tables.benchmarks[metric], "gpt-oss-120b", "o4-mini")
    ]
    some, every = (
        of_pairs("above", pairs, is_universal=u, is_negated=False).mean for u in (False, True)
    )
    assert every < some
