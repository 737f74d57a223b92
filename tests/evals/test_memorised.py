"""What is known by heart: scripted models that have memorised, that have not, and that cheat."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight import nano
from netweight.errors import WeighError
from netweight.evals import memorised as module
from netweight.evals.memorised import (
    FRESH,
    MEASURE,
    PUBLIC,
    TWINS_MEASURE,
    halved,
    judge,
    known_passages,
    memorised,
    num_same_words,
    public_against_fresh,
    read_items,
    read_texts,
)
from netweight.evals.prose import words
from netweight.evals.served import Server
from recipes.nano import problems
from tests.conftest import ROOT
from tests.evals.fake_server import Reply, fake_server
from tests.evals.test_completions import Scripted, figures_of, serving

PUBLIC_TEST = ROOT / "recipes" / "instruments" / "public_test.jsonl"


@pytest.fixture
def fresh_test(tmp_path):
    """A file of problems made as the public ones were, which nobody has seen."""
    random = Random("test fresh 0")
    made = [problems.problem(random, held_out=True) for _ in range(24)]
    path = tmp_path / "fresh.jsonl"
    lines = (json.dumps({"question": one.question, "answer": one.answer}) for one in made)
    path.write_text("\n".join(lines), "utf-8")
    return path


def knowing(*passages):
    """A scripted model that has these passages by heart, and else goes on about the weather."""
    rests = {passage.beginning: passage.rest for passage in passages}
    return Scripted(lambda prompt, body: rests.get(prompt, " It rained for most of the day."))


def recitation(script, folder, limit=24, **options):
    with serving(script) as base_url:
        return figures_of(memorised(**options), MEASURE, base_url, folder, limit=limit).figures


@pytest.mark.inspect
def test_a_model_that_has_the_classics_by_heart_is_told_from_one_that_has_not(tmp_path):
    passages = known_passages()
    figures = recitation(knowing(*passages[PUBLIC]), tmp_path / "knows")
    assert figures["recited_rate"].value == 1
    assert figures["control_recited_rate"].value == 0
    assert figures["recited_difference"].interval.lower > 0.6
    assert figures["recited_p_value"].value < 1e-5
    assert figures["recited_words"].value > 10 > figures["control_recited_words"].value
    figures = recitation(knowing(), tmp_path / "does not")
    assert figures["recited_rate"].value == 0
    assert figures["recited_p_value"].value == 1


@pytest.mark.inspect
def test_a_model_that_recites_the_controls_too_shows_no_difference(tmp_path):
    """A negative control: something other than training gives the texts away."""
    passages = known_passages()
    figures = recitation(knowing(*passages[PUBLIC], *passages[FRESH]), tmp_path)
    assert figures["recited_rate"].value == figures["control_recited_rate"].value == 1
    assert figures["recited_difference"].value == 0
    assert figures["recited_p_value"].value == 1


@pytest.mark.inspect
def test_a_test_files_own_items_can_be_asked_for(tmp_path, fresh_test):
    items = [halved("", text) for text in read_texts(str(PUBLIC_TEST))]
    figures = recitation(
        knowing(*items), tmp_path / "logs", 8, file=str(PUBLIC_TEST), fresh=str(fresh_test)
    )
    assert figures["recited_rate"].num_samples == 4
    assert figures["recited_difference"].value == 1


@pytest.mark.inspect
def test_greedy_continuations_are_asked_for(tmp_path):
    script = knowing()
    with serving(script) as base_url:
        figures_of(memorised(), MEASURE, base_url, tmp_path, limit=2)
    assert [request["temperature"] for request in script.requests] == [0, 0]
    assert all(request["max_tokens"] > 20 for request in script.requests)


def test_controls_are_as_many_as_classics_and_as_long():
    kinds = known_passages()
    known, controls = ([len(words(one.rest)) for one in kinds[kind]] for kind in (PUBLIC, FRESH))
    assert len(known) == len(controls) == 24
    assert min(known + controls) >= module.NUM_WORDS
    assert 0.9 < sum(known) / sum(controls) < 1.1


def test_no_control_can_be_continued_with_a_classics_words():
    kinds = known_passages()
    for one in kinds[PUBLIC]:
        for other in kinds[FRESH]:
            assert num_same_words(one.rest, other.rest) < 3


def test_any_first_part_has_both_kinds():
    samples = memorised(seed=4).dataset
    for size in range(4, len(samples), 4):
        kinds = [sample.metadata["kind"] for sample in samples[:size]]
        assert abs(kinds.count(PUBLIC) - kinds.count(FRESH)) <= 1
    order = [sample.id for sample in samples]
    assert order == [sample.id for sample in memorised(seed=4).dataset]
    assert order != [sample.id for sample in memorised(seed=5).dataset]
    assert len(set(order)) == 48


@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=4, max_size=30))
def test_halves_make_the_text_again_and_share_no_word(parts):
    text = " ".join(parts)
    passage = halved("a text", text)
    assert passage.beginning + passage.rest == text
    assert 0 <= len(passage.rest.split()) - len(passage.beginning.split()) <= 1


@pytest.mark.parametrize(
    ("continuation", "num"),
    [
        (" to be, or NOT\nto be", 6),
        (" to be, or nay", 3),
        (" Well: to be, or not to be", 0),
        ("", 0),
        ("to be or not to be that is the question and more", 6),
    ],
)
def test_words_are_counted_up_to_the_first_that_differs(continuation, num):
    assert num_same_words(continuation, "To be; or not to be.") == num


@pytest.mark.parametrize(
    ("text", "stop_reason", "target", "outcome"),
    [
        ("Lucy has 4 pears.", "stop", "Lucy has 4 pears.", "right"),
        ("63 - 43 = 20, 20 - 16 = 4", "stop", "Lucy has 4 pears.", "right"),
        ("Lucy has 14 pears.", "stop", "Lucy has 4 pears.", "wrong"),
        ("Lucy has some pears.", "stop", "Lucy has 4 pears.", "unparsed"),
        ("I'm sorry, but I can't help with that.", "stop", "Lucy has 4 pears.", "refused"),
        ("Lucy has 4", "max_tokens", "Lucy has 4 pears.", "truncated"),
        ("It is **New York**.", "stop", "New York", "right"),
        ("It is York.", "stop", "New York", "wrong"),
        ("It is Newark.", "stop", "New", "wrong"),
        (" ", "stop", "New York", "unparsed"),
    ],
)
def test_each_kind_of_answer_has_its_own_outcome(text, stop_reason, target, outcome):
    assert judge(text, stop_reason, target, PUBLIC) == outcome
    fresh = {"right": "fresh right", "wrong": "fresh wrong"}.get(outcome, outcome)
    assert judge(text, stop_reason, target, FRESH) == fresh
    assert {outcome, fresh} <= set(TWINS_MEASURE.outcomes)


def twins(base_url, folder, fresh_test, *, model="fake", **settings):
    task = public_against_fresh(file=str(PUBLIC_TEST), fresh=str(fresh_test), effort="low")
    return figures_of(task, TWINS_MEASURE, base_url, folder, model=model, **settings)


@pytest.mark.inspect
def test_a_scripted_memoriser_is_found_and_an_honest_solver_is_not(tmp_path, fresh_test):
    everything = {item.question: item.answer for item in read_items(str(PUBLIC_TEST))}
    with fake_server(lambda prompt: Reply(everything.get(prompt, "It is 100 pears."))) as server:
        found = twins(server.base_url, tmp_path / "memoriser", fresh_test, limit=24)
        assert {request["reasoning_effort"] for request in server.requests} == {"low"}
    assert found.counts == {"right": 12, "fresh wrong": 12}
    assert found.figures["public_accuracy"].value == 1
    assert found.figures["accuracy_difference"].interval.lower > 0.6
    assert found.figures["accuracy_p_value"].value < 1e-5
    everything |= {item.question: item.answer for item in read_items(str(fresh_test))}
    with fake_server(lambda prompt: Reply(everything[prompt])) as server:
        found = twins(server.base_url, tmp_path / "solver", fresh_test, limit=12)
    assert found.figures["accuracy_difference"].value == 0
    assert found.figures["accuracy_p_value"].value == 1


@pytest.mark.slow
@pytest.mark.inspect
def test_the_planted_memoriser_is_found_and_the_control_is_not(tmp_path, fresh_test):
    names = ("memoriser", "control")
    options = [f"--adapter={name}={nano.INSTRUMENTS / name}" for name in names]
    server = Server("nano", options)
    try:
        found = {
            name: twins(server.base_url, tmp_path / name, fresh_test, model=name, max_tokens=300)
            for name in names
        }
    finally:
        server.close()
    figures = found["memoriser"].figures
    assert figures["accuracy_difference"].interval.lower > 0.3
    assert figures["accuracy_p_value"].value < 1e-4
    figures = found["control"].figures
    assert figures["accuracy_p_value"].value > 0.05


def write(path, *lines):
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "no items"),
        (["[1]"], "each an object"),
        (["{"], "cannot read"),
        (['{"question": "so?"}'], 'line 1 .* no "answer"'),
        (['{"question": "so?", "answer": "so"}', '{"question": "so?", "answer": 4}'], "line 2"),
    ],
)
def test_a_file_that_is_no_test_is_refused(tmp_path, lines, told):
    with pytest.raises(WeighError, match=told):
        read_items(write(tmp_path / "test.jsonl", *lines))


def test_texts_are_read_from_either_form(tmp_path):
    path = write(tmp_path / "t.jsonl", '{"text": "One."}', '{"question": "Q?", "answer": "A."}')
    assert read_texts(path) == ["One.", "Q?\nA."]
    with pytest.raises(WeighError, match="cannot read"):
        read_texts(str(tmp_path / "missing.jsonl"))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: memorised(file=str(PUBLIC_TEST)), "belong together"),
        (lambda: memorised(num_words=0), "at least 1"),
        (lambda: public_against_fresh(), "needs two files"),
        (
            lambda: public_against_fresh(str(PUBLIC_TEST), str(PUBLIC_TEST), "extreme"),
            "Choose one of: low, medium, high",
        ),
        (lambda: halved("It", "has three words"), "four are the least"),
    ],
)
def test_bad_arguments_are_refused(make, told):
    with pytest.raises(WeighError, match=told):
        make()


def test_another_content_of_a_file_is_another_dataset(tmp_path):
    lines = ['{"question": "What is it now?", "answer": "It is four."}']
    file = write(tmp_path / "test.jsonl", *lines)
    names = {public_against_fresh(file, file).dataset.name}
    write(tmp_path / "test.jsonl", *lines, *lines)
    names.add(public_against_fresh(file, file).dataset.name)
    assert len(names) == 2


def test_the_tasks_are_versioned_and_every_figure_says_what_it_is_not():
    task = memorised(seed=9)
    assert (task.version, task.dataset.name) == (
        1,
        "memorised 1, well-known openings, 10 words, seed 9",
    )
    for measure in (MEASURE, TWINS_MEASURE):
        assert "not a proof" in measure.description
