"""Each kind of error in one sentence, and the same sentence put right."""

import pytest

from benchmarks.verdict_gold import GoldStory, judge_story
from netweight.verdict import parse_story
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger


def kinds(text):
    judged = judge_story(GoldStory("a", "news", text, (), ()))
    return [f.kind for f in judged.findings]


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (
            "model_swap",
            "gpt-oss-120b scored 57.6% on HealthBench, o3 50.1%.",
            "gpt-oss-120b scored 57.6% on HealthBench, o3 59.8%.",
        ),
        (
            "column_swap",
            "gpt-oss-120b scored 62.4% on MMLU.",
            "gpt-oss-120b scored 62.4% on SWE-bench Verified.",
        ),
        (
            "model_swap",
            "On SWE-bench gpt-oss-120b got 68.1% and o4-mini 62.4%.",
            "On SWE-bench gpt-oss-120b got 62.4% and o4-mini 68.1%.",
        ),
        (
            "model_swap",
            "Kimi K2 is behind gpt-oss-120b on Polyglot.",
            "gpt-oss-120b is behind Kimi K2 on Polyglot.",
        ),
        (
            "size_swap",
            "gpt-oss-120b scored 85.3% on MMLU.",
            "gpt-oss-20b scored 85.3% on MMLU.",
        ),
        (
            "size_swap",
            "gpt-oss-20b needs at least 80 GB of memory.",
            "gpt-oss-120b needs at least 80 GB of memory.",
        ),
        (
            "invented_number",
            "gpt-oss-120b scored 93.7% on MMLU.",
            "gpt-oss-120b scored 90.0% on MMLU.",
        ),
        (
            "invented_number",
            "gpt-oss-120b has 70 billion parameters.",
            "gpt-oss-120b has 117 billion parameters.",
        ),
        (
            "dropped_condition",
            "gpt-oss-20b scored 98.7% on AIME 2025.",
            "With tools, gpt-oss-20b scored 98.7% on AIME 2025.",
        ),
        (
            "dropped_condition",
            "gpt-oss-120b scored 88.0% on MMLU.",
            "At medium effort gpt-oss-120b scored 88.0% on MMLU.",
        ),
        (
            "stale_comparator",
            "gpt-oss-120b trails DeepSeek R1 on Aider Polyglot.",
            "gpt-oss-120b trails DeepSeek R1 and its successor DeepSeek R1 0528 on Aider Polyglot.",
        ),
        (
            "strength_inflation",
            "gpt-oss-120b outperforms o4-mini.",
            "gpt-oss-120b comes close to o4-mini, OpenAI says.",
        ),
        (
            "strength_inflation",
            "gpt-oss-20b equals to o3-mini on every benchmark.",
            "gpt-oss-20b is similar to o3-mini, OpenAI says.",
        ),
        (
            "hedge_removed",
            "gpt-oss-20b was trained on synthetic data.",
            "Some suspect that gpt-oss-20b was trained on synthetic data.",
        ),
        (
            "hedge_removed",
            "gpt-oss-20b slips equations into poems.",
            "Users report that gpt-oss-20b slips equations into poems.",
        ),
        (
            "negation",
            "gpt-oss-120b does not trail o4-mini on MMLU.",
            "gpt-oss-120b does trail o4-mini on MMLU.",
        ),
        (
            "negation",
            "gpt-oss-120b isn't text-only.",
            "gpt-oss-120b is text-only.",
        ),
        (
            "category_error",
            "Its MMLU score proves that gpt-oss-120b writes great poetry.",
            "Its MMLU score proves that gpt-oss-120b has knowledge.",
        ),
    ],
)
def test_an_error_is_named_and_its_correction_is_none(kind, wrong, right):
    assert kinds(wrong) == [kind]
    assert kinds(right) == []


def test_a_possibility_is_no_inflation():
    assert kinds("gpt-oss-120b may surpass o4-mini.") == []


def test_a_higher_rate_of_errors_is_worse():
    text = "gpt-oss-120b has a PersonQA hallucination rate {} than o4-mini."
    assert kinds(text.format("higher")) == []
    assert kinds(text.format("lower")) == ["model_swap"]


def test_a_rival_is_not_out_of_date_before_its_successor(tables):
    def found(day):
        text = f"Published {day}\n\nDeepSeek R1 beats gpt-oss-120b on Aider Polyglot."
        story = parse_story(text.encode(), "a.txt")
        object.__setattr__(story, "published", day)
        claims = extract_claims(story, tables)
        ledger = Ledger(tables)
        return [f.kind for f in find_errors([(c, judge(c, ledger)) for c in claims], ledger)]

    assert found("2025-08-06") == ["stale_comparator"]
    assert found("2025-03-01") == []


def test_a_limit_is_no_value():
    assert kinds("gpt-oss-120b scored below 95% on MMLU.") == []
    assert kinds("gpt-oss-120b scored over 95% on MMLU.") == ["invented_number"]


def test_another_question_set_is_no_invention(judge_text):
    (claim,) = judge_text("gpt-oss-120b got 38% on SpeechMap.").claims
    assert claim.verdict == "mixed" and "question set" in claim.reason[0].text
    assert kinds("gpt-oss-120b got 38% on SpeechMap.") == []


def test_an_index_of_another_version_is_open():
    assert kinds("On version 3 of the AA index gpt-oss-120b got 61 points.") == []
    assert kinds("On version 2 of the AA index gpt-oss-120b got 61 points.") == ["invented_number"]


def test_a_pronoun_stands_for_whom_the_sentence_fits():
    paragraph = "DeepSeek R1 0528 and gpt-oss-120b were run on Aider Polyglot. It got {}."
    assert kinds(paragraph.format("41.8%")) == []
    assert kinds(paragraph.format("43.3%")) == ["invented_number"]


def test_several_errors_of_a_sentence_are_several_findings():
    text = "With a Codeforces rating of 2622, gpt-oss-120b outperforms o4-mini on every benchmark."
    assert sorted(kinds(text)) == ["dropped_condition", "strength_inflation"]


TAKEN_UP = [
    ("The company says that gpt-oss-120b beats o4-mini.", "On HealthBench it is right."),
    (
        "A chart had Kimi K2 at 41.8 on Aider Polyglot.",
        "In truth Kimi K2 has 59.1 on Aider Polyglot.",
    ),
    ("gpt-oss-120b crushes o4-mini.", "It does not, and nobody ever said so."),
]


@pytest.mark.parametrize(("said", "after"), TAKEN_UP, ids=[said for said, _ in TAKEN_UP])
def test_what_the_next_sentence_puts_right_or_limits_is_told_as_an_error(judge_text, said, after):
    opening = "gpt-oss-120b is out.\n\n"
    assert judge_text(f"{opening}{said}").findings
    assert not judge_text(f"{opening}{said} {after}").findings


def test_a_right_number_elsewhere_mends_nothing(judge_text):
    """Only the next sentence of the paragraph does, and only where somebody else is quoted."""
    plain = "gpt-oss-120b is out.\n\nKimi K2 reached 41.8 on Aider Polyglot."
    assert judge_text(f"{plain} Kimi K2 has 59.1 on Aider Polyglot.").findings
    assert judge_text(f"{plain}\n\nKimi K2 has 59.1 on Aider Polyglot.").findings


def test_a_figure_told_under_another_condition_is_of_another_column(judge_text):
    told = "gpt-oss-120b came out. Its rating on Codeforces is 2622, {}."
    wrong, right = (judge_text(told.format(how)) for how in ("without any tools", "with tools"))
    assert [f.kind for f in wrong.findings] == ["column_swap"] and not right.findings
