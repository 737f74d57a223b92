"""Unconditioned samples and collapse: texts whose kind is known, and scripted models."""

import argparse
import gzip
import http.client
import inspect
import json
import random
from itertools import combinations
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import WeighError
from netweight.evals.prose import duplicates
from netweight.evals.synthetic import (
    CHOICES,
    COLLAPSE_MEASURE,
    MEASURE,
    THRESHOLD,
    WRITTEN,
    collapse,
    describe,
    entropy,
    is_mixed,
    judge_pair,
    language_of,
    near_groups,
    scripts_of,
    topic_of,
    unconditioned,
    written_in,
)
from tests.evals.fake_server import Reply, fake_server
from tests.evals.test_completions import START_ID, Scripted, figures_of, serving

MODELS = ("o3", "kimi-k2", "deepseek-r1", "gpt-5-mini-2025-08-07")

TEXTS = {
    "mathematics": "Let n be an integer such that n = 3 + 4k. Find the remainder of the sum "
    "$1 + 2 + n$ when it is divisible by a prime.",
    "code": "def add(a, b):\n    return a + b\n\nfor item in items:\n    print(add(item, 1))\n",
    "science": "The enzyme binds a protein in the cell, and the reaction was kept at 37 \u00b0C "
    "while the species grew for 20 mm.",
    "news": "LONDON (Reuters) - The minister said on Tuesday that the government would not wait "
    "for parliament, officials reported.",
    "fiction": '"We are late," she whispered. His eyes went to the door, and suddenly the night '
    "was dark.",
    "dialogue": "Ann: Hi! Are you there?\nBen: Yes, hello.\nAnn: Great, thanks.\n",
    "web page": "Home | About | Contact\nClick here to subscribe to our newsletter. \u00a9 2019 "
    "https://example.org Privacy and cookies",
    "other": "Bread is best when it has rested for an afternoon under a cloth.",
}


@pytest.mark.parametrize("topic", TEXTS)
def test_a_plain_case_of_each_topic_is_named(topic):
    assert topic_of(TEXTS[topic]) == topic


@pytest.fixture(scope="module", params=MODELS)
def stories_and_essays(request, shared_data):
    """The beginnings of 150 published stories and of 150 essays, by one model."""
    path = shared_data / "writing" / f"slop_score_{request.param}.json.gz"
    ((_, run),) = json.loads(gzip.decompress(path.read_bytes())).items()
    texts = [sample["output"][:700] for sample in run["samples"]]
    return texts[:150], texts[150:300]


def test_published_stories_are_fiction_and_published_essays_mostly_not(stories_and_essays):
    shares = [
        sum(topic_of(text) == "fiction" for text in texts) / len(texts)
        for texts in stories_and_essays
    ]
    assert shares[0] > 0.75
    assert shares[1] < 0.25


def test_published_prose_has_no_scaffolding_and_is_english(stories_and_essays):
    seen = [describe(text) for texts in stories_and_essays for text in texts]
    assert sum(one.outcome == "scaffolding" for one in seen) <= 1
    assert sum(one.written == "English" for one in seen) / len(seen) > 0.98
    assert not any(one.mixed for one in seen)


def test_pythons_own_library_is_code():
    sources = [
        inspect.getsource(module)[start : start + 600]
        for module in (json.decoder, http.client, random, argparse)
        for start in (500, 3000, 6000)
    ]
    assert sum(topic_of(source) == "code" for source in sources) >= 9


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the cat sat on the mat, and it was not of this world", "English"),
        ("el gato no es de los que viven con la gente, pero se queda por las noches", "Spanish"),
        ("le chat est dans la maison, et les enfants ne sont pas avec lui", "French"),
        (r"die Katze ist nicht auf dem Dach, und der Hund liegt mit den Kindern", "German"),
        (
            "o gato n\u00e3o est\u00e1 na casa, mas os meninos s\u00e3o do bairro, e uma voz",
            "Portuguese",
        ),
        (
            "il gatto non \u00e8 della casa, che i bambini sono nel giardino, pi\u00f9 o meno",
            "Italian",
        ),
        ("het is niet voor de kat, maar een hond wordt door ook naar van", "Dutch"),
        ("zqx wvut brrk", None),
        ("", None),
    ],
)
def test_common_words_tell_the_language(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<|start|>assistant<|message|>This is the answer to that, and it is right.", "English"),
        (r"die Katze ist nicht auf dem Dach, und der Hund auch", "other Latin"),
        ("\u041a\u043e\u0448\u043a\u0430 \u0441\u0438\u0434\u0438\u0442", "non-Latin"),
        ("12 + 13 = 25", "unknown"),
    ],
)
def test_each_text_is_of_one_kind_of_writing(text, kind):
    assert written_in(text) == kind
    assert kind in WRITTEN


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("The answer is \u7b54\u6848\u662f\u56db\u5341\u4e8c of course", True),
        (
            "The word \u03b1 and the name \u0416\u0430\u043d stand alone in this long English text",
            False,
        ),
        ("\u732b\u306f\u3068\u3066\u3082\u304b\u308f\u3044\u3044\u3067\u3059", False),
        ("plain", False),
        ("", False),
    ],
)
def test_a_second_script_counts_when_it_is_more_than_a_name(text, mixed):
    assert is_mixed(scripts_of(text)) == mixed


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("<|start|>user<|message|>Hi<|end|>", "scaffolding"),
        ("assistantfinal It is four.", "scaffolding"),
        ("User: what is it?\nAssistant: it is four.", "scaffolding"),
        ("<think>Okay", "scaffolding"),
        ("The user wants a poem about rain.", "scaffolding"),
        ("So n is even. Hmm, but what of zero?", "scaffolding"),
        ("We need to find the smallest such n.", "scaffolding"),
        ("The town council heard the user group's report. We need to talk of the bridge.", "plain"),
        ('"Wait," she said, and they let us in.', "plain"),
        ("It rained for days.", "plain"),
        (" ... ", "empty"),
        ("", "empty"),
    ],
)
def test_scaffolding_is_told_from_plain_text(text, outcome):
    assert describe(text).outcome == outcome
    assert outcome in MEASURE.outcomes


@given(
    st.lists(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=12).map(tuple),
        max_size=8,
    )
)
def test_near_groups_are_those_of_a_search_through_all_pairs(texts):
    groups = near_groups(texts)
    pairs = {(one.first, one.second) for one in duplicates(texts, threshold=THRESHOLD)}
    for index, group in enumerate(groups):
        assert group == index or (group, index) in pairs
        assert group <= index and groups[group] == group
    firsts = [index for index, group in enumerate(groups) if index == group]
    assert not set(combinations(firsts, 2)) & pairs


def sampled(write, folder, **options):
    script = Scripted(write)
    with serving(script) as base_url:
        return figures_of(unconditioned(**options), MEASURE, base_url, folder), script


@pytest.mark.inspect
def test_a_model_trained_on_problems_is_told_from_one_trained_on_anything(tmp_path):
    made_up = f"<|channel|>analysis<|message|>{TEXTS['mathematics']}"
    found, script = sampled(
        lambda prompt, body: made_up if body["seed"] % 4 else TEXTS["web page"],
        tmp_path,
        num_samples=8,
    )
    figures = found.figures
    assert found.counts == {"scaffolding": 6, "plain": 2}
    assert figures["scaffolding_rate"].value == 0.75
    assert figures["topic_mathematics"].value == 0.75
    assert figures["topic_web_page"].value == 0.25
    assert figures["exact_duplicate_rate"].value == figures["near_duplicate_rate"].value == 1
    assert all(figure.interval for name, figure in figures.items() if "topic" in name)
    draws = [request for request in script.requests if "max_tokens" in request]
    assert {tuple(draw["prompt"]) for draw in draws} == {(START_ID,)}
    assert len({draw["seed"] for draw in draws}) == 8
    assert {draw["temperature"] for draw in draws} == {1}


@pytest.mark.inspect
def test_varied_samples_show_none_of_it_and_leave_the_run_usable(tmp_path):
    """A negative control, whose texts are long enough for distinct-n too."""

    def write(prompt, body):
        words_of = random.Random(body["seed"]).sample(range(1000, 9999), 60)
        return " ".join(f"word{number}" for number in words_of)

    found, _ = sampled(write, tmp_path, num_samples=20, start="Once")
    figures = found.figures
    assert figures["scaffolding_rate"].value == 0
    assert figures["exact_duplicate_rate"].value == figures["near_duplicate_rate"].value == 0
    assert figures["near_duplicate_rate"].interval.upper < 0.2
    assert figures["distinct_1"].value > 0.9
    assert figures["topic_other"].value == 1
    assert sum(figure.value for name, figure in figures.items() if "topic_" in name) == 1
    assert sum(figure.value for name, figure in figures.items() if "written_" in name) == 1
    # Tokens of raw requests are counted, and no marker of a sample stands in an answer.
    assert all(each.num_tokens == 4 for each in found.run.scored)
    assert {answer.text for answer in found.run.answers} == {
        "a raw continuation, which stands in the score's metadata"
    }


@pytest.mark.inspect
def test_near_duplicates_are_found_where_exact_ones_are_not(tmp_path):
    long = " ".join(f"word{number}" for number in range(100))
    found, _ = sampled(lambda prompt, body: f"{long} {body['seed']}", tmp_path, num_samples=4)
    assert found.figures["exact_duplicate_rate"].value == 0
    assert found.figures["near_duplicate_rate"].value == 1
    assert found.figures["near_duplicate_rate"].interval is None


@pytest.mark.inspect
def test_a_server_without_raw_completions_is_no_finding(tmp_path):
    script = Scripted()
    script.status = 404
    with serving(script) as base_url:
        found = figures_of(unconditioned(num_samples=2), MEASURE, base_url, tmp_path)
    assert "has no /tokenize" in found.run.failure
    assert set(found.counts) == {"infrastructure"}
    assert not found.figures


def thought_of(script, folder, num_pairs=2):
    with fake_server(script) as server:
        found = figures_of(collapse(num_pairs), COLLAPSE_MEASURE, server.base_url, folder)
    return found, server.requests


@pytest.mark.inspect
def test_a_model_with_one_answer_is_told_from_one_with_many(tmp_path):
    found, requests = thought_of(lambda prompt: Reply("Elara. 42"), tmp_path / "one")
    assert found.counts == {"same": 16}
    assert found.figures["same_answer_rate"].value == 1
    assert found.figures["answer_entropy"].value == 0
    assert found.figures["commonest_share"].value == 1
    assert len({request["seed"] for request in requests}) == 32
    numbers = iter(range(100))
    found, _ = thought_of(lambda prompt: Reply(f"name {next(numbers)}"), tmp_path / "many")
    assert found.figures["same_answer_rate"].value == 0
    assert found.figures["answer_entropy"].value == pytest.approx(log(4) + 3 / 8)


@pytest.mark.parametrize(
    ("first", "second", "is_number", "outcome"),
    [
        ("Elara", "**elara.**", False, "same"),
        ("Elara", "Lyra", False, "different"),
        ("I choose 42.", "42", True, "same"),
        ("42", "forty-two", True, "unparsed"),
        ("Elara", "Let me think of a good one: Elara", False, "unparsed"),
        ("", "Elara", False, "unparsed"),
        ("I'm sorry, but I can't help with that.", "Elara", False, "refused"),
    ],
)
def test_each_kind_of_pair_has_its_own_outcome(first, second, is_number, outcome):
    assert judge_pair(first, second, is_number=is_number) == outcome
    assert outcome in COLLAPSE_MEASURE.outcomes


def test_entropy_of_a_fair_draw_is_estimated_without_much_bias():
    draws = [random.Random(seed).choices("abcdefgh", k=24) for seed in range(400)]
    mean = sum(entropy(answers) for answers in draws) / len(draws)
    assert mean == pytest.approx(log(8), abs=0.03)
    assert entropy(["a"] * 10) == 0


def test_every_choice_is_in_any_first_part_of_its_size():
    samples = collapse(num_pairs=3, seed=1).dataset
    assert len(samples) == 3 * len(CHOICES)
    for start in range(0, len(samples), len(CHOICES)):
        part = samples[start : start + len(CHOICES)]
        assert {sample.metadata["choice"] for sample in part} == set(CHOICES)


@pytest.mark.parametrize(
    "make",
    [
        lambda: unconditioned(num_samples=0),
        lambda: unconditioned(num_tokens=0),
        lambda: collapse(num_pairs=0),
    ],
)
def test_bad_arguments_are_refused(make):
    with pytest.raises(WeighError, match="at least 1"):
        make()


def test_the_tasks_are_versioned_and_every_measure_says_what_it_is_not():
    task = unconditioned(seed=9, num_samples=3)
    assert (task.version, len(task.dataset)) == (1, 3)
    assert task.dataset.name == "unconditioned 1, the start token, 128 tokens, seed 9"
    assert [sample.id for sample in task.dataset] == [1, 2, 3]
    for measure in (MEASURE, COLLAPSE_MEASURE):
        assert "not a proof" in measure.description
