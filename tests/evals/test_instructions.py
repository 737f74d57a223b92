"""The instructions task: its items, its checks against right and wrong answers, its readings."""

import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.errors import WeighError
from netweight.evals import Settings, Subject
from netweight.evals.harness import run_task
from netweight.evals.instruction_checks import follows, follows_loosely, num_sentences
from netweight.evals.instruction_items import KINDS, Constraint, items
from netweight.evals.instructions import MEASURE, instructions, judge
from netweight.evals.measure import Scored
from recipes.nano.formats import _REQUESTS, FORMS
from recipes.nano.words import ANIMALS, article
from tests.evals.fake_server import Reply, fake_server

SEEDS = st.integers(0, 10**6)


# A right answer to any item, and wrong ones that miss one order by little.


def right_answer(constraints):
    """A text that keeps to all orders: what they need, and "hum", whose letters none forbids."""
    asked = {each.kind: each.values for each in constraints}
    needed = list(asked.get("word", ()))
    if "times" in asked:
        needed += [asked["times"][0]] * int(asked["times"][1])
    needed += asked.get("order", ())
    if "json" in asked:
        return json.dumps(
            dict.fromkeys(asked["json"], "hum") | {"name": " ".join(["hum", *needed])}
        )
    start, end = (" ".join(asked.get(kind, ())).split() for kind in ("start", "end"))
    units, between, mark, full_stop = layout(asked)
    num_wanted = max(
        (int(asked[kind][0]) for kind in ("words", "least_words") if kind in asked),
        default=len(start) + len(needed) + len(end) + units,
    )
    middle = needed + ["hum"] * (num_wanted - len(start) - len(needed) - len(end))
    parts = in_sequence(middle, units)
    parts[0] = start + parts[0]
    parts[-1] = parts[-1] + end
    text = between.join(f"{mark}{' '.join(part)}{full_stop}" for part in parts)
    text = text.upper() if "upper" in asked else text.lower() if "lower" in asked else text
    return f'"{text}"' if "quotation" in asked else text


def layout(asked):
    """Number of parts, what stands between them, at their beginning, and at their end."""
    for kind, between, mark in (
        ("lines", "\n", ""),
        ("paragraphs", "\n\n", ""),
        ("bullets", "\n", "- "),
        ("sentences", " ", ""),
    ):
        if kind in asked:
            return int(asked[kind][0]), between, mark, "."
    return 1, "", "", "."


def in_sequence(words, num_parts):
    """Parts of about one length, in order."""
    ends = [round(index * len(words) / num_parts) for index in range(num_parts + 1)]
    return [words[first:last] for first, last in pairwise(ends)]


def wrong_answer(constraint, constraints):
    """The right answer to slightly other orders, or with one thing put wrong."""
    kind, values, text = constraint.kind, constraint.values, right_answer(constraints)
    instead = {
        **dict.fromkeys(
            ("words", "lines", "sentences", "paragraphs", "bullets"), one_off(values, 1)
        ),
        "least_words": one_off(values, -1),
        "times": one_off(values, 1),
        "order": values[::-1],
    }
    if kind in instead:
        others = [each for each in constraints if each.kind != kind]
        return right_answer([*others, Constraint(kind, instead[kind])])
    wrong = {
        "upper": text + "x",
        "lower": text + "X",
        "no_commas": text + ",",
        "most_words": text + " hum" * 100,
        "json": text.replace('"name"', '"names"'),
        "start": f"hum {text}",
        "end": f"{text} hum",
        "quotation": text[:-1],
    }
    if kind == "word":
        return re.sub(values[0], values[0] + "s", text, flags=re.IGNORECASE)
    return wrong[kind] if kind in wrong else f"{text} {values[0]}"


def one_off(values, step):
    """Values whose last, a number, is one more or one less."""
    is_number = bool(values) and values[-1].isdigit()
    return (*values[:-1], str(int(values[-1]) + step)) if is_number else values


@given(SEEDS)
@settings(max_examples=40)
def test_a_right_answer_follows_every_order_in_both_readings(seed):
    for item in items(seed, 40):
        answer = right_answer(item.constraints)
        for each in item.constraints:
            assert follows(each, answer), (item, answer)
            assert follows_loosely(each, answer)
        score = judge(answer, "stop", item.constraints)
        assert (score.metadata["outcome"], score.value) == ("followed", 1)


@given(SEEDS)
@settings(max_examples=40)
def test_an_answer_that_misses_one_order_by_little_does_not_follow_it(seed):
    for item in items(seed, 40):
        for each in item.constraints:
            answer = wrong_answer(each, item.constraints)
            assert not follows(each, answer), (item, answer)
            score = judge(answer, "stop", item.constraints)
            assert (score.metadata["outcome"], score.value) == ("broken", 0)
            assert each.kind not in score.metadata["facts"]["kept"].split()


@given(SEEDS)
@settings(max_examples=10)
def test_one_fixed_answer_follows_few_items(seed):
    made = items(seed, 100)
    told = "The animal sat near the water, and it was glad.\nThen it slept."
    followed = sum(judge(told, "stop", each.constraints).value for each in made)
    assert followed < 25


# Items


@given(SEEDS, st.integers(1, 60))
@settings(max_examples=20)
def test_a_seed_gives_the_same_items_and_fewer_are_the_first_of_more(seed, num_items):
    made = items(seed, num_items)
    assert made == items(seed, 60)[:num_items]
    assert made != items(seed + 1, 60)[:num_items]
    assert len({each.prompt for each in made}) == num_items


def test_items_have_one_to_three_orders_in_turns_and_every_kind_alike_often():
    made = items(0, 380)
    sizes = Counter(len(each.constraints) for each in made)
    assert sizes == {1: 190, 2: 95, 3: 95}
    assert [len(each.constraints) for each in made[:4]] == [1, 2, 1, 3]
    firsts = Counter(each.constraints[0].kind for each in made)
    assert firsts == dict.fromkeys(KINDS, 20)
    for each in made:
        assert len({order.kind for order in each.constraints}) == len(each.constraints)


@given(SEEDS)
@settings(max_examples=10)
def test_every_order_is_told_in_the_prompt(seed):
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"]
    for item in items(seed, 60):
        for each in item.constraints:
            for value in each.values:
                is_small = value.isdigit() and int(value) < len(numbers)
                assert (numbers[int(value)] if is_small else value) in item.prompt
        assert not re.search(r"[{}]", item.prompt)


def test_some_prompts_are_worded_as_the_embedded_model_has_seen_them():
    known = {
        re.escape(wording).replace(r"\{subject\}", r"an? \w+").replace(r"\{value\}", r"\w+")
        for form in FORMS
        for wording in _REQUESTS[form]
    }
    subjects = tuple(article(each) for each in ANIMALS)
    seen = [
        each
        for each in items(0, 200)
        if any(re.fullmatch(wording, each.prompt) for wording in known)
        and any(subject in each.prompt for subject in subjects)
    ]
    assert len(seen) >= 20


def test_no_items_are_refused():
    with pytest.raises(WeighError, match="ask for at least one"):
        instructions(num_items=0)


def test_the_task_is_versioned_names_its_seed_and_keeps_its_orders():
    task = instructions(seed=3, num_items=8)
    assert (task.version, task.dataset.name, len(task.dataset)) == (1, "instructions 1, seed 3", 8)
    kept = task.dataset[1].metadata["constraints"]
    assert [each["kind"] for each in kept] == [each.kind for each in items(3, 2)[1].constraints]


# Checks


@pytest.mark.parametrize(
    ("kind", "values", "text", "is_kept"),
    [
        ("upper", (), "THE FOX\u2019S 2 CUBS.", True),
        ("upper", (), "THE FOx.", False),
        ("upper", (), "12.", False),
        ("lower", (), "the fox.", True),
        ("lower", (), "the Fox.", False),
        ("words", ("4",), "A well\u2011known\u202ffox \u2014 here.", True),
        ("words", ("3",), "A well\u2011known\u202ffox \u2014 here.", False),
        ("most_words", ("2",), "A fox.", True),
        ("most_words", ("2",), "A red fox.", False),
        ("least_words", ("3",), "A red fox.", True),
        ("least_words", ("3",), "A fox \u2014.", False),
        ("lines", ("2",), "A fox.\n\n  \nA hen.\n", True),
        ("lines", ("2",), "A fox. A hen.", False),
        ("sentences", ("2",), "Mr. Fox ran... and hid. \u201cGo!\u201d", True),
        ("sentences", ("3",), "A fox! A hen? A goat.", True),
        ("sentences", ("2",), "A fox, 3.5 feet long.", False),
        ("paragraphs", ("2",), "A fox.\nIt ran.\n \n\nA hen.", True),
        ("paragraphs", ("2",), "A fox.\nIt ran.", False),
        ("bullets", ("2",), "Two:\n- a fox\n\u2022 a hen", True),
        ("bullets", ("2",), "1. a fox\n2. a hen", False),
        ("bullets", ("1",), "a well - known fox", False),
        ("json", ("name", "home"), '{"home": "den", "name": "fox\u2019s"}', True),
        ("json", ("name", "home"), '{"home": "den"}', False),
        ("json", ("name", "home"), '{"home": 1, "name": 2, "age": 3}', False),
        ("json", ("name",), '["name"]', False),
        ("json", ("name",), 'It is {"name": "fox"}', False),
        ("word", ("kite",), "Kite!", True),
        ("word", ("kite",), "kites", False),
        ("times", ("kite", "2"), "A kite, the KITE and kites", True),
        ("times", ("kite", "2"), "kite kite kite", False),
        ("avoid", ("the", "and"), "There a band then", True),
        ("avoid", ("the", "and"), "A fox AND a hen", False),
        ("without", ("e",), "A fox", True),
        ("without", ("e",), "TREE", False),
        ("no_commas", (), "A fox; a hen", True),
        ("no_commas", (), "A fox, a hen", False),
        ("start", ("If you ask me",), "\u201c**If you\u00a0ask me** no", True),
        ("start", ("If you ask me",), "If you ask men", False),
        ("start", ("If you ask me",), "Well if you ask me", False),
        ("end", ("so they say",), "It ran, SO they say.\u201d", True),
        ("end", ("so they say",), "It ran, also they say.", False),
        ("end", ("so they say",), "so they say now", False),
        ("order", ("a", "b", "c"), "a b a c", True),
        ("order", ("a", "b", "c"), "b a b c", False),
        ("order", ("a", "b", "c"), "a b", False),
        ("quotation", (), "\u201cA fox\u201d", True),
        ("quotation", (), '"A fox', False),
        ("quotation", (), '""', False),
    ],
)
def test_each_kind_is_checked_as_it_reads(kind, values, text, is_kept):
    assert follows(Constraint(kind, values), text) == is_kept


def test_every_kind_has_a_right_and_a_wrong_case_above():
    (mark,) = test_each_kind_is_checked_as_it_reads.pytestmark
    cases = {(kind, is_kept) for kind, _, _, is_kept in mark.args[1]}
    assert cases == {(kind, is_kept) for kind in KINDS for is_kept in (True, False)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_text_follows_nothing(kind):
    values = ("1", "1", "1")
    assert not follows(Constraint(kind, values), " \n")
    assert not follows_loosely(Constraint(kind, values), " \n")


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("upper", (), "Sure, here it is:\nA FOX RAN."),
        ("words", ("3",), "A fox ran.\n\nThat has three words."),
        ("words", ("2",), "Here:\nA fox.\nDone."),
        ("json", ("name",), '```json\n{"name": "fox"}\n```'),
        ("start", ("So they say",), "## Title\nSo they say"),
        ("quotation", (), '**"A fox"**'),
        ("lines", ("1",), "# A fox\nA fox."),
    ],
)
def test_the_loose_reading_forgives_markdown_and_a_first_or_last_line(kind, values, text):
    constraint = Constraint(kind, values)
    assert not follows(constraint, text)
    assert follows_loosely(constraint, text)


def test_the_loose_reading_forgives_nothing_else():
    assert not follows_loosely(Constraint("upper"), "A FOX ran.\nA HEN ran.\nA GOAT ran.")
    assert not follows_loosely(Constraint("json", ("name",)), '```\n{"names": 1}\n```')


def test_sentences_without_letters_do_not_count():
    assert num_sentences("A fox. ... !") == 1


def test_marks_around_the_whole_text_join_no_sentences():
    assert num_sentences('"A fox ran. A hen sat."') == num_sentences("A fox ran. A hen sat.") == 2


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcome"),
    [
        ("A fox ran.", "stop", "followed"),
        ("A fox, then.", "stop", "broken"),
        ("I cannot help with that.", "stop", "refused"),
        ("I'm unable to help with that.", "stop", "refused"),
        (" ", "stop", "unparsed"),
        ("A fox", "max_tokens", "truncated"),
        ("A fox", "content_filter", "refused"),
    ],
)
def test_each_kind_of_ending_has_its_own_outcome(text, stop_reason, outcome):
    score = judge(text, stop_reason, [Constraint("no_commas")])
    is_followed = outcome == "followed"  # the refusals have no comma, and follow nothing
    assert score.metadata["outcome"] == outcome
    assert score.metadata["facts"]["num_strict"] == score.value == int(is_followed)
    assert score.metadata["facts"]["num_loose"] == int(is_followed)
    assert outcome in MEASURE.outcomes


# Readings


def row(number, text, *constraints, epoch=1):
    said = judge(text, "stop", [Constraint(*each) for each in constraints]).metadata
    return Scored(str(number), epoch, said["outcome"], str(number), text, 0, said["facts"])


ROWS = [
    row(1, "A fox ran.", ("no_commas",)),
    row(2, "A FOX, RAN.", ("no_commas",), ("upper",)),
    row(3, "**A FOX**\nYes, indeed.", ("no_commas",), ("upper",), ("word", ("fox",))),
    row(4, "", ("upper",)),
]


def test_strict_and_loose_readings_of_prompts_and_of_single_orders():
    made = {each.metric: each for each in [MEASURE.headline(ROWS), *MEASURE.further(ROWS)]}
    got = {metric: (each.value, each.num_samples) for metric, each in made.items()}
    assert got["prompt_strict"] == (1 / 4, 4)
    assert got["prompt_loose"] == (2 / 4, 4)
    assert got["instruction_strict"] == (3 / 7, 7)
    assert got["instruction_loose"] == (5 / 7, 7)
    assert got["prompt_strict_of_1"] == (1 / 2, 2)
    assert got["prompt_strict_of_3"] == (0, 1)
    assert got["strict_no_commas"] == (1 / 3, 3)
    assert got["strict_upper"] == (1 / 3, 3)
    assert got["strict_word"] == (1, 1)
    assert "strict_json" not in got
    assert "clustered" in made["instruction_strict"].method


def test_without_answers_there_is_no_figure():
    assert MEASURE.headline([]) is None
    assert list(MEASURE.further([])) == []


@pytest.mark.inspect
def test_answers_go_all_the_way_from_a_server_to_figures(tmp_path):
    answers = {each.prompt: right_answer(each.constraints) for each in items(0, 8)}
    wrong = items(0, 8)[4].prompt
    with fake_server(lambda prompt: Reply("" if prompt == wrong else answers[prompt])) as server:
        subject, task = Subject("fake", "fake", server.base_url), instructions(0, 8)
        run = run_task(task, subject, Settings(), tmp_path, lambda num_done: None)
    assert +run.counts == {"followed": 7, "unparsed": 1}
    assert MEASURE.headline(run.scored).value == 7 / 8
