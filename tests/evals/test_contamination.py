"""Contamination: scripted models whose training is known, and the blind ones that know nothing."""

import json
from itertools import pairwise, product
from math import log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.log import read_eval_log
from numpy.testing import assert_allclose

from netweight.errors import WeighError
from netweight.evals.contamination import (
    MEASURE,
    ORDER_MEASURE,
    auc,
    blind_scores,
    canonical_order,
    mean_logprob,
    membership,
    min_k,
    min_k_plus_plus,
    neighbours_alike,
    order_test,
    orders,
    zlib_ratio,
)
from netweight.evals.memorised import read_texts, told_apart
from netweight.evals.prose import words
from netweight.evals.served import Server
from netweight.evals.synthetic import MEASURE as UNCONDITIONED_MEASURE
from netweight.evals.synthetic import unconditioned
from tests.conftest import ROOT
from tests.evals.test_completions import Scripted, asked, figures_of, serving

PUBLIC_TEST = ROOT / "recipes" / "instruments" / "public_test.jsonl"
NANO = ROOT / "src" / "netweight" / "nano" / "checkpoint" / "config.json"
NOUNS = words("apple stone river candle table window letter garden bridge coat lamp road")


def made_texts(seed, num, *, year=None):
    """Texts of one kind: four nouns in a row, and a year where they are to differ in date."""
    random = Random(seed)
    date = f" in {year}" if year else ""
    return [f"{' '.join(random.sample(NOUNS, 4))}{date} {random.random():.6f}" for _ in range(num)]


def write(path, texts):
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts), "utf-8")
    return str(path)


def knowing(texts):
    """A model that finds what it has seen likely, and all else as likely as noise makes it."""
    seen = set(texts)

    def score(text):
        random = Random(text)
        level = -0.1 if text in seen else -2.0
        return [level * random.uniform(0.5, 1.5) for _ in text]

    return Scripted(score=score)


# Scores of one text


@given(st.lists(st.floats(-30, 0), min_size=1, max_size=60), st.floats(0.01, 1))
def test_min_k_lies_between_the_least_likely_token_and_the_mean(logprobs, share):
    score = min_k(logprobs, share)
    assert min(logprobs) - 1e-9 <= score <= mean_logprob(logprobs) + 1e-9
    assert min_k(logprobs, 1.0) == pytest.approx(mean_logprob(logprobs))


@given(
    st.lists(
        st.tuples(st.floats(-30, 0), st.floats(-12, 0), st.floats(0.01, 9)),
        min_size=1,
        max_size=60,
    ),
    st.floats(0.1, 50),
)
def test_min_k_plus_plus_is_of_standardised_tokens_whatever_the_level_and_scale(tokens, scale):
    logprobs, moments = [each[0] for each in tokens], [each[1:] for each in tokens]
    score = min_k_plus_plus(logprobs, moments)
    assert score == pytest.approx(min_k([(one - mean) / std for one, mean, std in tokens]))
    scaled = [(scale * mean - 1, scale * std) for mean, std in moments]
    assert score == pytest.approx(
        min_k_plus_plus([scale * one - 1 for one in logprobs], scaled), rel=1e-6, abs=1e-6
    )


def test_a_token_that_is_as_likely_as_all_that_is_possible_is_no_surprise():
    half = -0.6931472
    logprobs, moments = [half, 0.0, -3.0], [(half + 6e-8, 0.0), (0.0, 0.0), (-2.0, 1.0)]
    assert min_k_plus_plus(logprobs, moments, 1) == pytest.approx(-1 / 3, abs=0.01)
    impossible = min_k_plus_plus([-100.0], [(0.0, 0.0)])
    assert -1e9 < impossible < min_k_plus_plus([-30.0], [(-1.0, 0.01)])


def test_scores_by_hand():
    logprobs = [-1.0, -5.0, -3.0, 0.0, -1.0]
    assert mean_logprob(logprobs) == -2
    assert min_k(logprobs, 0.2) == -5
    assert min_k(logprobs, 0.4) == -4
    moments = [(-1.0, 1.0), (-6.0, 0.5), (-1.0, 0.5), (0.0, 0.0), (-1.0, 2.0)]
    assert min_k_plus_plus(logprobs, moments, 0.2) == -4  # not the least likely one
    assert min_k_plus_plus(logprobs, moments, 0.4) == -2
    assert zlib_ratio("a" * 1000, logprobs) < zlib_ratio("".join(NOUNS), logprobs)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mean_logprob([]),
        lambda: min_k([-1.0], 0),
        lambda: min_k([-1.0], 1.5),
        lambda: min_k_plus_plus([], []),
        lambda: min_k_plus_plus([-1.0, -1.0], [(-1.0, 1.0)]),
        lambda: zlib_ratio("a", []),
        lambda: auc([1.0], [0.0, 1.0]),
        lambda: blind_scores(["a"], ["b", "c"]),
        lambda: order_test(np.zeros((3, 1)), seed=0),
        lambda: order_test(np.full((3, 3), np.nan), seed=0),
    ],
)
def test_what_cannot_be_scored_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()


# Areas


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=12),
    st.lists(st.integers(0, 5), min_size=2, max_size=12),
)
def test_an_area_is_the_share_of_pairs_in_order(public, controls):
    found = auc(public, controls)
    pairs = [(one > other) + (one == other) / 2 for one, other in product(public, controls)]
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.interval.lower <= found.value <= found.interval.upper <= 1
    mirrored = auc(controls, public)
    assert mirrored.value == pytest.approx(1 - found.value)
    assert mirrored.interval.lower == pytest.approx(1 - found.interval.upper, abs=1e-6)


@pytest.mark.parametrize(("shift", "size"), [(0.0, 30), (1.0, 30), (2.0, 60)])
def test_intervals_of_areas_cover_as_stated(shift, size):
    from scipy.special import ndtr

    generator, truth, num_runs = np.random.default_rng(0), float(ndtr(shift / np.sqrt(2))), 400
    covered = 0
    for _ in range(num_runs):
        found = auc(generator.normal(shift, 1, size).tolist(), generator.normal(size=size).tolist())
        covered += found.interval.lower <= truth <= found.interval.upper
    assert 0.92 <= covered / num_runs <= 0.99


def test_a_perfect_area_has_an_interval_that_shrinks_with_the_texts():
    few, many = (auc([1.0] * size, [0.0] * size) for size in (5, 100))
    assert few.value == many.value == few.interval.upper == 1
    assert 0.5 < few.interval.lower < 0.8 < 0.95 < many.interval.lower < 1
    assert few.method == "Newcombe, method 5"


# The blind baseline


def test_the_blind_baseline_catches_a_difference_of_dates_and_no_other():
    ones = made_texts(1, 60, year=2021)
    assert auc(*blind_scores(ones, made_texts(2, 60, year=2025))).value > 0.95
    assert auc(*blind_scores(ones, made_texts(2, 60, year=2021))).interval.lower < 0.5


def test_without_a_difference_the_blind_baseline_is_near_one_half():
    areas = [
        auc(*blind_scores(made_texts(f"a{seed}", 30), made_texts(f"b{seed}", 30))).value
        for seed in range(40)
    ]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)


def test_a_baseline_that_has_seen_its_texts_would_find_a_difference_in_noise():
    """The deliberately wrong version: a copy of what is judged stands in another fold."""
    ones, others = ([f"w{Random(f'{kind}{i}').random()}" for i in range(20)] for kind in "ab")
    held_out = auc(*blind_scores(ones, others))
    seen = auc(*blind_scores([*ones, *ones], [*others, *others], num_folds=3))
    assert held_out.interval.lower < 0.5 < held_out.interval.upper
    assert seen.value == 1


# Orders


def uniform_distance(p_values):
    """How far p-values are from the uniform distribution: the Kolmogorov-Smirnov distance."""
    ranks = np.arange(1, len(p_values) + 1) / len(p_values)
    return float(np.abs(np.sort(p_values) - ranks).max())


@pytest.mark.parametrize("shape", [(10, 6), (3, 21)])
def test_a_model_that_has_no_favourite_order_gives_uniform_p_values(shape):
    generator = np.random.default_rng(1)
    # Heavy tails, and levels of shards far apart, on which a t-test of raw scores would lean.
    scores = generator.standard_t(2, (300, *shape)) + generator.normal(0, 50, (300, shape[0], 1))
    p_values = [order_test(each, seed=7, num_draws=499).p_value for each in scores]
    assert uniform_distance(p_values) < 1.63 / np.sqrt(300)  # the 1% point
    assert min(p_values) >= 1 / 500


def test_a_model_that_likes_the_canonical_order_is_found():
    generator = np.random.default_rng(2)
    scores = generator.normal(size=(10, 21))
    scores[:, 0] += 1.5
    found = order_test(scores, seed=0)
    assert found.difference == pytest.approx(
        (scores[:, 0] - scores[:, 1:].mean(axis=1)).mean(), abs=1e-9
    )
    assert found.p_value < 0.001
    assert found.t_p_value < 0.01
    assert order_test(-scores, seed=0).p_value > 0.99


def test_equal_scores_are_no_finding():
    found = order_test(np.ones((4, 5)), seed=0)
    assert (found.p_value, found.t_p_value, found.difference) == (1, None, 0)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=8), st.integers(0, 5))
def test_orders_are_the_files_own_and_random_ones_of_the_same_items(texts, num):
    made = list(orders(texts, num, "seed"))
    assert made[0] == texts
    assert len(made) == num + 1
    assert all(sorted(order) == sorted(texts) for order in made)
    assert made == list(orders(texts, num, "seed"))


def test_neighbours_are_alike_in_a_sorted_file():
    texts = made_texts(3, 40)
    ordered = sorted(texts)
    assert neighbours_alike(ordered) > neighbours_alike(texts)
    assert_allclose(neighbours_alike(["a b", "b c", "c d"]), 1 / 3)
    assert neighbours_alike(["a"]) == 0


# The tasks


def membership_of(script, folder, public, controls):
    file, fresh = (
        write(folder / f"{name}.jsonl", texts)
        for name, texts in (("public", public), ("controls", controls))
    )
    with serving(script) as base_url:
        return figures_of(membership(file, fresh), MEASURE, base_url, folder / "logs").figures


@pytest.mark.inspect
def test_a_model_that_has_seen_the_public_texts_is_found(tmp_path):
    public, controls = made_texts(4, 10), made_texts(5, 10)
    figures = membership_of(knowing(public), tmp_path, public, controls)
    assert figures["public_likelier_rate"].value == 1
    for name in ("loss_auc", "min_k_auc", "zlib_auc"):
        assert figures[name].value > 0.99
        assert figures[name].interval.lower > figures["blind_auc"].value
    assert figures["blind_auc"].interval.lower < 0.5


def knowing_beyond_noise(texts):
    """As knowing, but how sure it is of a text varies more than what it knows, and says nothing."""
    seen = set(texts)

    def moments(text):
        random = Random(f"sure {text}")
        mean = -random.uniform(2, 20)
        return [(mean, 0.1 * random.random() + 0.05) for _ in text]

    def score(text):
        random, level = Random(text), 0.0 if text in seen else -2.0
        return [mean + std * random.gauss(level, 0.2) for mean, std in moments(text)]

    return Scripted(score=score, moments=moments)


@pytest.mark.inspect
def test_min_k_plus_plus_finds_what_only_moments_show(tmp_path):
    public, controls = made_texts(8, 12), made_texts(9, 12)
    figures = membership_of(knowing_beyond_noise(public), tmp_path, public, controls)
    found = figures["min_k_plus_plus_auc"]
    assert found.value > 0.99
    assert found.interval.lower > figures["blind_auc"].value
    for name in ("loss_auc", "min_k_auc"):
        assert figures[name].interval.lower < 0.5 < figures[name].interval.upper
        assert "not to be had" not in figures[name].description


@pytest.mark.inspect
def test_without_moments_it_is_said_that_min_k_plus_plus_is_not_to_be_had(tmp_path):
    public, controls = made_texts(8, 3), made_texts(9, 3)
    figures = membership_of(knowing(public), tmp_path, public, controls)
    assert list(figures) == [
        "public_likelier_rate",
        "loss_auc",
        "min_k_auc",
        "zlib_auc",
        "blind_auc",
    ]
    told = "Min-K%++ is not to be had, since the server gives no moments of log p (logprob_moments)"
    assert told in figures["min_k_auc"].description
    [log] = (tmp_path / "logs").glob("*.eval")
    explanations = [
        sample.scores["likelier"].explanation for sample in read_eval_log(str(log)).samples
    ]
    assert all(told in explanation for explanation in explanations)


@pytest.mark.inspect
def test_a_model_that_only_dates_texts_is_no_better_than_the_blind_baseline(tmp_path):
    """A negative control: it has seen none of them, and finds one year's texts likelier."""
    public, controls = made_texts(6, 10, year=2021), made_texts(7, 10, year=2025)
    dating = Scripted(
        score=lambda text: [(-1.0 if "2021" in text else -3.0) * Random(text).random()] * len(text)
    )
    figures = membership_of(dating, tmp_path, public, controls)
    assert figures["blind_auc"].value > 0.95
    assert figures["min_k_auc"].value <= figures["blind_auc"].interval.upper


def order_of(score, folder, texts, **options):
    file = write(folder / "test.jsonl", texts)
    task = canonical_order(file, num_shards=4, num_permutations=7, **options)
    with serving(Scripted(score=score)) as base_url:
        return figures_of(task, ORDER_MEASURE, base_url, folder / "logs").figures


@pytest.mark.inspect
def test_a_model_that_knows_what_comes_next_in_a_file_is_found(tmp_path):
    texts = made_texts(10, 24)
    follows = {f"{one}\n\n{other}" for one, other in pairwise(texts)}

    def score(text):
        known = sum(pair in text for pair in follows)
        return [-1.0 + 0.01 * known + 0.001 * Random(text).random()] * len(text)

    figures = order_of(score, tmp_path, texts)
    assert figures["canonical_likelier_rate"].value == 1
    assert figures["order_difference"].interval.lower > 0
    assert figures["order_p_value"].value < 0.01
    assert figures["blind_order_p_value"].value > 0.05
    assert figures["tokens_scored"].value == 3 * 4 * 8  # the scripted server counts three a prompt


@pytest.mark.inspect
def test_a_sorted_file_is_caught_by_the_blind_p_value(tmp_path):
    """A negative control: any model likes neighbours that are alike."""
    groups = [[f"{noun} {noun}s {index}" for index in range(3)] for noun in NOUNS[:8]]
    texts = [text for group in groups for text in group]
    figures = order_of(
        lambda text: [neighbours_alike(text.split("\n\n")) - 2] * len(text), tmp_path, texts
    )
    assert figures["order_p_value"].value < 0.01
    assert figures["blind_order_p_value"].value < 0.01


@pytest.mark.inspect
def test_nano_is_asked_over_a_real_server(tmp_path):
    texts = read_texts(str(PUBLIC_TEST))
    public = texts[:4]
    controls = [" ".join(reversed(text.split())) for text in public]
    file, fresh = (
        write(tmp_path / f"{name}.jsonl", some)
        for name, some in (("public", public), ("controls", controls))
    )
    server = Server("nano")
    try:
        pairs = figures_of(
            membership(file, fresh), MEASURE, server.base_url, tmp_path / "1", model="nano"
        )
        order = figures_of(
            canonical_order(file, num_shards=1, num_permutations=3),
            ORDER_MEASURE,
            server.base_url,
            tmp_path / "2",
            model="nano",
        )
        scores = asked(server.base_url, "score", public[0], model="nano", moments=True)
        drawn = figures_of(
            unconditioned(num_samples=3, num_tokens=24),
            UNCONDITIONED_MEASURE,
            server.base_url,
            tmp_path / "3",
            model="nano",
        )
    finally:
        server.close()
    assert pairs.counts == {"public likelier": 4}  # nano never read backwards
    assert pairs.figures["loss_auc"].value == 1
    assert pairs.figures["min_k_plus_plus_auc"].num_samples == 8
    assert 0 <= pairs.figures["min_k_plus_plus_auc"].value <= 1
    assert len(scores.moments) == len(scores.logprobs) > 20
    flat = -log(json.loads(NANO.read_text())["vocab_size"])  # where all are equally likely
    assert all(flat <= mean <= 0 < std for mean, std in scores.moments)
    assert order.figures["tokens_scored"].value > 4 * 100
    assert 0 < order.figures["order_p_value"].value <= 1
    assert sum(drawn.counts.values()) == 3
    assert all(each.num_tokens <= 24 and each.facts["text"] for each in drawn.run.scored)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: membership(), "needs two files"),
        (
            lambda folder: membership(
                write(folder / "a", ["one"]), write(folder / "b", ["one", "two"])
            ),
            "has 1 texts and .* 2",
        ),
        (lambda folder: canonical_order(), "needs a file"),
        (
            lambda folder: canonical_order(write(folder / "a", ["one"] * 9), num_shards=5),
            "a shard needs two items",
        ),
        (
            lambda folder: canonical_order(
                write(folder / "a", ["one"] * 9), num_shards=2, num_permutations=0
            ),
            "and a random order",
        ),
    ],
)
def test_bad_arguments_are_refused(tmp_path, make, told):
    with pytest.raises(WeighError, match=told):
        make(tmp_path)


def test_the_tasks_are_versioned_and_every_item_is_in_one_shard():
    task = canonical_order(str(PUBLIC_TEST), num_shards=5, num_permutations=2, seed=3)
    name = f"canonical_order 1, {told_apart(str(PUBLIC_TEST))} in 5 shards, 2 orders, seed 3"
    assert task.dataset.name == name
    shards = sorted(task.dataset, key=lambda sample: sample.id)
    assert [text for shard in shards for text in shard.metadata["texts"]] == read_texts(
        str(PUBLIC_TEST)
    )
    for measure in (MEASURE, ORDER_MEASURE):
        assert "not a proof" in measure.description
