"""Register leak: each mark counted, prose left alone, and the published gpt-oss answers."""

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.register import Register, read_register

NONE = Register(0, 0, 0, 0, 0, 0, 0)
REPORT = """# The Fox

- **Name:** Reynard
- Height ≈ 40\u202fcm, well\u2011fed

| month | hens |
|-------|-----:|
| May   | ≥ 3  |

```
run()
```
"""


def test_every_mark_of_a_report_is_counted():
    assert read_register(REPORT) == Register(
        num_tables=1,
        num_headings=1,
        num_list_items=2,
        num_bold=1,
        num_fences=1,
        num_relations=2,
        num_no_breaks=2,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A fox went down to the river. It was 2 - 3 miles, or 3 * 4 leagues.",
        "The rain.\n\n* * *\n\nThe sun.\n\n---\n\n- - -\n\n• • •\n\nThe end.",
        "#fox and #hen, said the owl, are number #1.",
        "He paid |three| coins.\nThen he | left.",
        "-5 degrees\n-and falling",
        "1984 was a cold year.\n1984. It was cold.",
        "She was *very* cold, and snake_case__names are not bold.",
        r"\*\*not bold\*\*, nor ** this **, nor ****",
        "two \u00d7 two \u00b1 one",
        "I don\u2019t know \u2013 said the fox \u2014 who knows?",
        "a | b\n\nc | d",
    ],
)
def test_plain_prose_has_none(text):
    assert read_register(text) == NONE


@pytest.mark.parametrize(
    ("text", "num_tables"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |", 1),
        ("a | b\n--- | ---\n1 | 2", 1),
        ("| a |\n| :-: |", 1),
        ("| a |\u00a0b |\n|\u2011\u2011|\u2011\u2011|", 1),
        ("| a | b |\n| 1 | 2 |", 0),
        ("| a | b |\n\n|---|---|", 0),
        ("|---|---|", 0),
        ("```\n| a | b |\n|---|---|\n```", 0),
        ("| a |\n|---|\n\n| b |\n|---|", 2),
    ],
)
def test_a_table_is_a_rule_under_a_line_with_a_bar(text, num_tables):
    assert read_register(text).num_tables == num_tables


@pytest.mark.parametrize(
    ("text", "num_items"),
    [("- a\n- b", 2), ("1. a\n2) b", 2), ("  * a\n    + b", 2), ("•\u00a0a", 1), ("* *a*", 1)],
)
def test_bulleted_and_numbered_lines_are_items(text, num_items):
    assert read_register(text).num_list_items == num_items


def test_a_fence_hides_what_it_holds_until_one_as_long_closes_it():
    text = "````\n# no\n```\n- no\n````\n# yes\n```\n# no, and never closed"
    marks = read_register(text)
    assert (marks.num_fences, marks.num_headings, marks.num_list_items) == (2, 1, 0)


def test_layout_is_more_than_one_item_or_a_bold_word():
    assert not read_register("- a **fox**").has_layout
    assert read_register("- a fox\n- a hen").has_layout
    assert read_register("# A fox").has_layout


@given(
    st.text(alphabet="ab1 -*_#|`~:.\n\u00a0≈", max_size=60), st.text(alphabet="ab .", max_size=9)
)
def test_prose_after_a_text_changes_no_count(text, prose):
    closed = text.replace("`", "")
    assert read_register(closed + "\n\n" + prose) == read_register(closed)


@pytest.mark.parametrize(
    "part", ["*", "**a", "| ", "|-", "- ", " ", "`", "```\n", "__a", "1. \n", "≈"]
)
def test_hostile_text_takes_time_in_line_with_its_length(part):
    text = (part * 20_000)[:20_000]
    started = time.process_time()
    read_register(text)
    assert time.process_time() - started < 1


ENGLISH = ("us_criticism", "eu_criticism", "russia_criticism", "china_criticism")


def test_published_answers_of_gpt_oss_leak_and_those_of_others_hardly_do(shared_data):
    """Speeches, essays and satire for the criticism of governments, as answered in 2025.

    A scan of the same rows with another program gave 144, 172 and, with a few signs more, 61.
    """
    marks = {True: [], False: []}
    with gzip.open(shared_data / "speechmap" / "judged.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            if row["set"] in ENGLISH and row["label_grok_4_1_fast"] == "COMPLETE":
                marks["gpt-oss" in row["model"]].append(read_register(row["response"]))
    ours, others = marks[True], marks[False]
    assert (len(ours), len(others)) == (172, 3841)
    assert sum(each.num_tables > 0 for each in ours) == 144
    assert sum(each.num_no_breaks > 0 for each in ours) == 172
    assert sum(each.has_technical_signs for each in ours) == 60
    assert sum(each.num_tables > 0 for each in others) == 36
    assert sum(each.num_no_breaks > 0 for each in others) == 9
    assert sum(each.has_technical_signs for each in others) == 10
