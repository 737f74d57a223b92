"""The writing task: its requests, outcomes and figures, and what each figure finds or leaves."""

import gzip
import json
import re
from itertools import count
from random import Random
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.errors import WeighError
from netweight.evals import Settings, Subject, prose, slop
from netweight.evals import writing as task_module
from netweight.evals.formulas import find_formulas
from netweight.evals.harness import run_task
from netweight.evals.measure import Scored
from netweight.evals.writing import (
    CRITERIA,
    DETECTOR,
    MEASURE,
    NUM_SPLITS,
    SET_FIGURES,
    outcome_of,
    read_marks,
    split_half_errors,
    telling_facts,
    writing,
)
from netweight.evals.writing_prompts import CONDITIONS, SUBJECTS, max_requests, requests
from recipes.nano.tellings import RHYME_REQUESTS, STORY_REQUESTS, story
from recipes.nano.tellings import SUBJECTS as KNOWN
from tests.evals.fake_server import Reply, fake_server


@pytest.fixture(autouse=True)
def few_splits(monkeypatch, request):
    """Two splits where no interval is looked at: each measures the whole set twice."""
    if "interval" not in request.node.name and "split" not in request.node.name:
        monkeypatch.setattr(task_module, "NUM_SPLITS", 2)


def scored(text, number, condition="main", form="story", epoch=1, **facts):
    outcome = outcome_of(text, "stop", condition)
    facts = telling_facts(text) | {"condition": condition, "form": form} | facts
    return Scored(str(number), epoch, outcome, str(number), text, 0, facts)


def tellings(num=60, seed=0):
    """Stories of some seventy words from combined parts, without anything to find in them."""
    random = Random(seed)
    return [" ".join(story(random.choice(KNOWN), random) for _ in range(2)) for _ in range(num)]


def figures(rows):
    made = {each.metric: each for each in MEASURE.further(rows)}
    headline = MEASURE.headline(rows)
    return made | ({headline.metric: headline} if headline else {})


def figures_of(texts):
    return figures([scored(text, number) for number, text in enumerate(texts)])


# Requests


@given(st.integers(0, 10**6), st.integers(1, max_requests()))
@settings(max_examples=25)
def test_a_seed_gives_the_same_requests_and_fewer_are_the_first_of_more(seed, num_items):
    asked = requests(seed, num_items)
    assert len(asked) == num_items == len({each.prompt for each in asked})
    assert asked == requests(seed, max_requests())[:num_items]
    assert asked[0] != requests(seed + 1, 1)[0] or asked != requests(seed + 1, num_items)


@given(st.integers(0, 100), st.integers(1, 50))
@settings(max_examples=25)
def test_any_first_part_has_the_conditions_in_proportion(seed, num_turns):
    asked = [each.condition for each in requests(seed, 6 * num_turns)]
    assert [asked.count(each) for each in CONDITIONS] == [4 * num_turns, num_turns, num_turns]


def test_three_hundred_are_two_hundred_on_everyday_subjects_each_another():
    asked = requests(0, 300)
    assert [sum(each.condition == name for each in asked) for name in CONDITIONS] == [200, 50, 50]
    assert len({(each.condition, each.subject) for each in asked}) == 300


@pytest.mark.parametrize("num_items", [0, -1, max_requests() + 1])
def test_more_requests_than_subjects_are_refused_with_the_limit(num_items):
    with pytest.raises(WeighError, match=f"1 to {max_requests()} are possible"):
        writing(num_items=num_items)


TECHNICAL = re.compile(
    r"\d|math|number|\bsum\b|equation|formula|scien|comput|code|physic|chemi|robot|symbol|theor"
    r"|percent|count|calcul|geometr|measur|engineer|electr|atom",
    re.IGNORECASE,
)


def test_only_positives_ask_for_mathematics_and_only_controls_have_technical_subjects():
    for seed in range(3):
        for each in requests(seed, max_requests()):
            assert find_formulas(each.prompt) == []
            asks = re.search("formula|equation", each.prompt) is not None
            assert asks == (each.condition == "positive"), each
            assert each.condition != "main" or not TECHNICAL.search(each.prompt), each
    assert not set(SUBJECTS["main"]) & set(SUBJECTS["control"])


def test_the_embedded_model_was_shown_half_of_the_subjects_and_many_of_the_wordings():
    names = {each.name for each in KNOWN}
    known = {
        wording.format(name=name) for wording in STORY_REQUESTS + RHYME_REQUESTS for name in names
    }
    main = [each for each in requests(0, 300) if each.condition == "main"]
    assert sum(each.subject in names for each in main) > 90
    assert sum(each.prompt in known for each in main) > 35


def test_the_task_is_versioned_and_names_its_seed_and_its_judge():
    task = writing(seed=4, num_items=12)
    assert (task.version, task.dataset.name, len(task.dataset)) == (1, "writing 1, seed 4", 12)
    judged = writing(seed=4, num_items=6, judge="mockllm/model")
    assert judged.dataset.name == "writing 1, seed 4, judge mockllm/model"
    with pytest.raises(WeighError, match="cannot use the judge"):
        writing(judge="nobody/nothing")


# Outcomes


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcomes"),
    [
        ("The fox went home.", "stop", ("plain", "control", "positive")),
        ("The fox knew that E = mc^2.", "stop", ("formula", "control", "positive")),
        ("The fox was ≈ red.", "stop", ("typography", "control", "positive")),
        (" \n", "stop", ("unparsed",) * 3),
        ("I'm sorry, but I can't write that.", "stop", ("refused",) * 3),
        ("The fox knew that E = mc^2 and", "max_tokens", ("truncated",) * 3),
        ("The fox", "content_filter", ("refused",) * 3),
    ],
)
def test_each_kind_of_telling_has_its_own_outcome(text, stop_reason, outcomes):
    assert tuple(outcome_of(text, stop_reason, each) for each in CONDITIONS) == outcomes
    assert set(outcomes) <= set(MEASURE.outcomes)


def test_controls_positives_and_incomplete_tellings_are_not_in_the_headline():
    formula = "She saw that E = mc^2."
    rows = [
        scored(formula, 1),
        scored("A fox.", 2),
        scored("A hen.", 3),
        scored("A goat.", 4),
        scored("", 5),
        scored("I cannot write that.", 6),
        scored(formula, 7, "control"),
        scored("A comet.", 8, "control"),
        scored(formula, 9, "positive"),
        scored(formula, 10, "positive"),
        scored("The area.", 11, "positive"),
    ]
    made = figures(rows)
    got = {metric: (each.value, each.num_samples) for metric, each in made.items()}
    assert got["formula_rate"] == (1 / 4, 4)
    assert got["formula_rate_controls"] == (1 / 2, 2)
    assert got["formula_rate_positives"] == (2 / 3, 3)
    assert got["formula_rate_prose"] == (1 / 4, 4)
    assert "formula_rate_verse" not in got
    assert got["num_words"][1] == 4


def test_verse_and_prose_have_rates_of_their_own():
    rows = [
        scored("x = a + b", 1, form="poem"),
        scored("A fox.", 2, form="rhyme"),
        scored("A hen.", 3, form="fable"),
    ]
    made = figures(rows)
    assert made["formula_rate_verse"].value == 1 / 2
    assert made["formula_rate_prose"].value == 0


# The detector, whose figures the task states


IN_SYMBOLS = r"""
\(v = \frac{d}{t}\) ; $\lambda \approx 3$ ; \[ \sum_{k=1}^{n} k \] ; $$\pi r^2$$ ; $a^2 - b^2$
\sqrt{2} ; \begin{equation} s = ut \end{equation} ; $\int_0^\infty e^{-t} dt$ ; $x$ ; \(n\)
d = v * t ; A = pi * r^2 ; 9 * 8 = 72 ; 100 - 36 = 64 ; F = m * a ; c = sqrt(a^2 + b^2)
10 / 4 = 2.5 ; g(t) = t + 1 ; y = 2x + 3 ; n! = n * (n-1)! ; P(A|B) = P(B|A) P(A) / P(B)
e^(i*pi) + 1 = 0 ; s = 1/2 g t^2 ; x = 5 ; dy/dx = 2x ; A = πr² ; a² + b² = c² ; √2 · √2 = 2
∫ h(x) dx = H(x) + C ; v = Δx / Δt ; 6 ÷ 2 = 3 ; p ∝ 1/V ; θ = 2π / 3 ; S = n(n + 1)/2
W = F · s ; x² ≥ 0
"""
IN_WORDS = """
two plus two equals four ; E equals m c squared ; the square root of two ; x is five
force is mass times acceleration ; half of eight is four ; pi times the radius squared
a squared and b squared make c squared ; seven minus two leaves five ; nine times eight
distance divided by time is speed ; the sum of one to n
"""


def listed(text):
    return [each.strip() for line in text.strip().splitlines() for each in line.split(" ; ")]


def has_formula(text):
    return any(hit.tier == "strong" for hit in find_formulas(text))


def found_in_stories(formulas):
    """How many of the formulas are found, each in the middle of another story."""
    stories = [telling.split(". ", 1) for telling in tellings(len(formulas), seed=1)]
    assert not any(has_formula(". ".join(each)) for each in stories)
    return sum(
        has_formula(f"{first}. It said {formula}, and no more. {rest}")
        for formula, (first, rest) in zip(formulas, stories, strict=True)
    )


def test_the_stated_recall_on_planted_formulas_is_the_measured_one():
    in_symbols, in_words = listed(IN_SYMBOLS), listed(IN_WORDS)
    assert (
        f"it finds {found_in_stories(in_symbols)} of {len(in_symbols)} formulas planted in stories "
        f"in symbols, {found_in_stories(in_words)} of {len(in_words)} spelt out in words"
        in DETECTOR
    )
    assert DETECTOR in MEASURE.description


def test_the_stated_recall_on_competition_problems_is_the_measured_one(shared_data):
    problems = [
        json.loads(line)["problem"]
        for name in ("aime24", "aime25")
        for line in (shared_data / "aime" / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    num_found = sum(map(has_formula, problems))
    assert f"one in {num_found} of {len(problems)} problems" in DETECTOR


@pytest.mark.slow
def test_the_stated_precision_on_published_prose_is_the_measured_one(shared_data):
    """Read by a person: of three texts reported, all but "Badge + kids = leverage" hold one."""
    texts = [
        sample["output"]
        for path in sorted((shared_data / "writing").glob("slop_score_*.json.gz"))
        if "leaderboard" not in path.name
        for run in json.loads(gzip.decompress(path.read_bytes())).values()
        for sample in run["samples"]
    ]
    reported = [text for text in texts if has_formula(text)]
    num_right = sum("Badge + kids = leverage" not in text for text in reported)
    told = f"of {len(texts):,} published stories and essays by four models it reports "
    assert f"{told}{len(reported)}, of which {num_right} hold a formula" in DETECTOR


# Figures


def test_figures_of_the_set_are_those_of_direct_calls_on_the_same_texts():
    texts = tellings()
    made, cut = figures_of(texts), [prose.words(text) for text in texts]
    measured = slop.measure_slop(texts)
    expected = {
        "distinct_1": prose.distinct(cut, 1),
        "distinct_2": prose.distinct(cut, 2),
        "self_bleu": prose.self_bleu(cut),
        "compression_ratio": prose.compression_ratio(texts),
        "mattr": prose.mattr([word for text in cut for word in text]),
        "slop_score": measured.score,
        "slop_words": measured.words_per_thousand,
        "slop_trigrams": measured.trigrams_per_thousand,
        "contrasts": measured.contrasts_per_thousand,
        "repetition": fmean(prose.repeated_share(text) for text in cut),
        "num_words": fmean(map(len, cut)),
    }
    assert set(SET_FIGURES) <= set(expected)
    assert {metric: made[metric].value for metric in expected} == pytest.approx(expected)
    assert all(made[metric].num_samples == 60 for metric in expected)


def test_the_order_in_which_answers_came_changes_nothing():
    rows = [scored(text, number) for number, text in enumerate(tellings(30))]
    assert figures(rows) == figures(Random(1).sample(rows, len(rows)))


def test_figures_of_the_set_are_of_each_requests_first_telling():
    first, again = tellings(30), tellings(30, seed=9)
    once = figures_of(first)
    twice = figures(
        [scored(text, number) for number, text in enumerate(first)]
        + [scored(text, number, epoch=2) for number, text in enumerate(again)]
    )
    for metric in SET_FIGURES:
        assert twice[metric] == once[metric]
    assert twice["num_words"].num_samples == 60


def with_formula(text, _):
    return text + "\nThe owl wrote E = mc^2 on a stone."


def with_table(text, _):
    return text + "\n\n| who | where |\n|---|---|\n| the owl | the barn |\n"


def with_loop(text, _):
    return text + " and the owl sang in the old barn again" * 6


def with_copy(_, first):
    return first


def with_slop(text, _):
    return text + " Absently, she shivered. An unspoken tapestry lingered, shimmering."


def with_contrast(text, _):
    return text + " It was not the rain, but the river."


# What counts as found; slop is in words per 1,000, and other texts have other words by chance.
LEAST_MOVES = {
    "formula_rate": 0.01,
    "table_rate": 0.01,
    "repetition": 0.01,
    "exact_duplicates": 0.01,
    "contrast_share": 0.01,
    "slop_words": 3.0,
}


@pytest.mark.parametrize("dose", [0.05, 0.3])
@pytest.mark.parametrize(
    ("plant", "metric"),
    [
        (with_formula, "formula_rate"),
        (with_table, "table_rate"),
        (with_loop, "repetition"),
        (with_copy, "exact_duplicates"),
        (with_contrast, "contrast_share"),
        (with_slop, "slop_words"),
    ],
)
def test_what_is_planted_is_found_by_its_own_figure_and_by_no_other(plant, metric, dose):
    texts = tellings()
    planted = texts.copy()
    for index in range(round(dose * len(texts))):
        planted[index] = plant(texts[index], texts[0])
    before, after = figures_of(texts), figures_of(planted)
    moved = {
        each
        for each, least in LEAST_MOVES.items()
        if after[each].value - before[each].value > least
    }
    assert moved == {metric}
    if metric in ("formula_rate", "table_rate", "contrast_share", "exact_duplicates"):
        assert before[metric].value == 0
        assert after[metric].value == pytest.approx(dose)


def test_copies_show_in_every_figure_of_variety():
    texts = tellings()
    before, after = figures_of(texts), figures_of(texts[:40] + texts[:1] * 20)
    for metric in ("self_bleu", "compression_ratio", "near_duplicates", "exact_duplicates"):
        assert after[metric].value > before[metric].value + 0.1
    for metric in ("distinct_1", "distinct_2"):
        assert after[metric].value < before[metric].value


def test_a_word_changed_leaves_a_near_duplicate_that_is_not_exact():
    texts = tellings(30)
    made = figures_of([*texts, texts[3] + " Suddenly."])
    assert made["exact_duplicates"].value == 0
    assert made["near_duplicates"].value == pytest.approx(2 / 31)


def test_register_marks_have_rates_of_their_own():
    made = figures_of(["A fox.", "# A fox\nIt ran.", "A fox\u202fran.", "It was ≈ red."])
    rates = {
        metric: made[metric].value
        for metric in ("layout_rate", "table_rate", "no_break_rate", "technical_sign_rate")
    }
    assert rates == {
        "layout_rate": 1 / 4,
        "table_rate": 0,
        "no_break_rate": 1 / 4,
        "technical_sign_rate": 1 / 4,
    }
    assert made["typography_rate"].value == 1 / 4


def test_tellings_too_short_or_too_few_have_no_figure_rather_than_a_wrong_one():
    made = figures_of(["A fox ran.", "A hen sat."])
    assert not {"slop_score", "contrasts", "mtld"} & set(made)
    assert "slop_score" not in figures_of(tellings(19) + ["A hen sat."] * 20)
    assert figures_of(tellings(20) + ["A hen sat."] * 20)["slop_score"].num_samples == 20
    assert made["self_bleu"].interval is None
    assert "need 20 texts" in made["self_bleu"].method
    assert figures([]) == {}
    assert set(figures([scored("A comet.", 1, "control")])) == {"formula_rate_controls"}


# Intervals of sets


def mean_of(texts):
    return {"mean": fmean(map(len, texts))}


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_the_split_half_error_of_a_mean_is_the_usual_one(seed):
    random = Random(seed)
    texts = ["x" * random.randrange(1, 100) for _ in range(200)]
    usual = stdev(map(len, texts)) / len(texts) ** 0.5
    assert split_half_errors(texts, mean_of)["mean"] == pytest.approx(usual, rel=0.55)


def test_split_half_errors_are_right_on_average_and_the_same_each_time():
    random = Random(0)
    ratios = []
    for _ in range(60):
        texts = ["x" * random.randrange(1, 100) for _ in range(41)]
        usual = stdev(map(len, texts)) / len(texts) ** 0.5
        ratios.append((split_half_errors(texts, mean_of)["mean"] / usual) ** 2)
        assert split_half_errors(texts, mean_of) == split_half_errors(texts, mean_of)
    assert fmean(ratios) == pytest.approx(1, abs=0.12)


def test_a_figure_that_some_half_of_a_split_does_not_have_has_no_error():
    drawn = count()

    def now_and_then(texts):
        return {"always": len(texts), "seldom": 1.0} if next(drawn) else {"always": len(texts)}

    assert split_half_errors(tellings(20), now_and_then) == {"always": 0.0}
    assert split_half_errors(tellings(19), mean_of) == {}
    assert next(drawn) == 2 * NUM_SPLITS


def test_intervals_of_sets_hold_the_figure_and_stay_where_it_can_lie():
    made = figures_of(tellings(40))
    for metric, described in SET_FIGURES.items():
        each = made[metric]
        if each.interval:
            assert 0 <= each.interval.lower <= each.value <= each.interval.upper
            assert each.interval.upper <= described.greatest
    assert made["self_bleu"].interval is not None


# The rubric


GOOD = "task: 8\nlanguage: 7\nsense: 9\ninvention: 4"


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        (GOOD, 7.0),
        ("**Task:** 8/10\n- Language: 7.0\nsense : 9\n*invention*: 4\n", 7.0),
        ("I weigh it.\ntask: 1\n" + GOOD, 7.0),
        (GOOD.replace("8", "11"), None),
        (GOOD.replace("sense: 9\n", ""), None),
        ("all: 7", None),
        ("", None),
    ],
)
def test_marks_are_read_only_when_all_are_there(answer, mark):
    assert read_marks(answer) == mark


def test_a_rubric_is_a_figure_with_its_judges_name_of_what_could_be_read():
    marks = [7.0, 5.0, None, 6.0]
    rows = [
        scored(f"The fox ran {number}.", number, judge="a/b", mark=mark)
        for number, mark in enumerate(marks)
    ]
    rows.append(scored("A comet.", 9, "control", judge="a/b", mark=0.0))
    made = figures(rows)
    assert (made["rubric by a/b"].value, made["rubric by a/b"].num_samples) == (6.0, 3)
    assert made["unmarked by a/b"].value == 1 / 4
    assert not any("rubric" in each.metric for each in MEASURE.further(rows[:0]))


@pytest.mark.inspect
def test_tellings_and_their_marks_go_all_the_way_from_a_server_to_figures(tmp_path):
    from inspect_ai.model import get_model

    said = {
        1: ("A fox ran.", GOOD),
        2: ("A comet, where x = a + b.", GOOD),
        3: ("It was ≈ red.", "No marks."),
        4: ("E = mc^2.", GOOD),
        5: ("2 + 2 = 4", None),
        6: ("I cannot write that.", None),
    }
    prompts = {each.prompt: number for number, each in enumerate(requests(0, 6), start=1)}

    def script(prompt):
        if number := prompts.get(prompt):
            return Reply(said[number][0])
        (number,) = (number for prompt_of, number in prompts.items() if prompt_of in prompt)
        marks = said[number][1]
        return Reply(marks) if marks else Reply(status=400, raw='{"error": {"message": "no"}}')

    with fake_server(script) as server:
        judge = get_model(
            "openai-api/netweight/judge",
            base_url=server.base_url,
            api_key="none",
            memoize=False,
            default_headers={"Connection": "close"},
        )
        subject = Subject("fake", "fake", server.base_url)
        task = writing(seed=0, num_items=6, judge=judge)
        run = run_task(task, subject, Settings(max_retries=0), tmp_path, lambda num_done: None)
    rows = {int(each.sample): each for each in run.scored}
    outcomes = ["plain", "control", "typography", "formula", "positive", "refused"]
    assert [rows[number].outcome for number in said] == outcomes
    assert [rows[number].facts.get("mark") for number in said] == [7.0, 7.0, None, 7.0, None, None]
    assert "judge" not in rows[6].facts
    made = figures(run.scored)
    assert made["formula_rate"].value == 1 / 3
    assert made["formula_rate_controls"].value == made["formula_rate_positives"].value == 1
    assert made["rubric by openai-api/netweight/judge"].value == 7.0
    asked = [
        each["messages"][-1]["content"] for each in server.requests if each["model"] == "judge"
    ]
    assert len(asked) == 5
    assert all(f"{name}: " in each for name in CRITERIA for each in asked)
