"""The formula detector: what it finds, what it leaves alone, and what published prose gives."""

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.formulas import find_formulas
from netweight.evals.stats import wilson


def tiers(text):
    return {hit.tier for hit in find_formulas(text)}


STRONG = [
    r"The fox ran \(x^2\) miles.",
    r"And then \[ \int_0^1 f \, dx \] fell from the sky.",
    "Her love grew, $$ a + b $$, as rivers do.",
    r"\begin{align*} the moon \end{align*}",
    r"She sang of \alpha and of rain.",
    r"The answer of the sea is \boxed{7}.",
    r"its \frac{1}{2} of a moon",
    "The sail was $E = mc^2$ wide.",
    "He kept $n$ secrets.",
    "O my love, $x_1$ and $x_2$ are we.",
    "The wind whispered: x = a + b.",
    "E = mc^2, said the owl.",
    "E = mc² was carved on the mast.",
    "a^2 + b^2 = c^2",
    "2 + 2 = 4, the old boat creaked.",
    "Our hearts: 1+1=3",
    "so 12 / 4 = 3 gulls flew",
    "7 \u2212 2 = 5",
    "3 \u00d7 4 = 12",
    "love = (hope x time)/distance",
    "love = hope \u00d7 time",
    "sorrow = rain / (sun + 1)",
    "P(heart | night) = 0.87",
    "P(rain) = 0.3",
    "f(x) = sin x",
    "y = m*x + b",
    "The tide is T = 2π · r when",
    "F = -k * x",
    "grief = (rain + 2)",
]


@pytest.mark.parametrize("text", STRONG)
def test_a_formula_in_a_telling_is_a_strong_hit(text):
    assert "strong" in tiers(text)


WEAK = [
    "The distance was ≈ a day's walk.",
    "for all ∀ the foxes",
    "the crowd was 3² strong",
    "water, H₂O, and wind",
    "the bold letter \U0001d499",
    "```\na poem in a box\n```",
    "He muttered sin(night) to himself.",
    "the hill was x^2 high",
    "a room 3 \u00d7 4 paces",
    "if rain == sun then sleep",
]


@pytest.mark.parametrize("text", WEAK)
def test_technical_typography_alone_is_a_weak_hit(text):
    assert tiers(text) == {"weak"}


NOTHING = [
    "",
    "A fox went down to the river. It was two plus two and no more.",
    "He paid $5 and then $10 for the boat.",
    "It cost $3.50 (about $4) - a lot + more.",
    "The mother-in-law came at 9-5, either/or, and/or not at all.",
    "Read https://example.org/a?x=b+c&y=2*3 for the tale.",
    "[the tale](rain?x=a+b)",
    "www.example.org/?q=1+1=2",
    "* * *\nThe rain.\n\n---\n\n***",
    "~~~ ^_^ ~~~",
    "Chapter 1 - The Rain\n=====\n",
    "Tom & Ida - 2 friends + a dog",
    "She whispered, “Go!” — and the wind — cold, bitter — went.",
    "⋆ \u2217 ⋆ The moon ⋆ \u2217 ⋆",
    "a -> b, <3, :=) and =)",
    "Title = The Old Boat",
    r"C:\users\fox and a \back\slash",
    r"she wrote \textile and \summer on the wall",
    "It was 1914-1918 and the 24/7 shop was 1/2 full.",
    "I don\u2019t know, said the well\u2011known\u202ffox.",
]


@pytest.mark.parametrize("text", NOTHING)
def test_prose_with_odd_signs_is_no_hit(text):
    assert find_formulas(text) == []


def test_fenced_code_is_a_weak_hit_whatever_it_says():
    assert tiers("A story.\n```python\nx = a + b\n```\nThe end.") == {"weak"}


def test_every_hit_says_where_it_stands():
    text = "In the rain\u202fthe owl said: E = mc^2, twice, and $n$."
    hits = [hit for hit in find_formulas(text) if hit.tier == "strong"]
    assert [hit.kind for hit in hits] == ["equation", "dollar mathematics"]
    assert all(text[hit.start :].startswith(hit.text) for hit in hits)


@given(st.text(alphabet="ab1 =+-*/^()$\\[]{}|²∑`\n.,", max_size=80))
def test_no_text_breaks_the_detector(text):
    for hit in find_formulas(text):
        assert text[hit.start : hit.start + len(hit.text)] == hit.text != ""


@pytest.mark.parametrize(
    "part", ["a", "a + ", "$x ", "(", "a(b) + ", "1-", "a=", "a^", "f(a, ", "](", "```\n", r"\( "]
)
def test_hostile_text_takes_time_in_line_with_its_length(part):
    text = (part * 20_000)[:20_000]
    started = time.process_time()
    find_formulas(text)
    assert time.process_time() - started < 3  # unbounded patterns took 3 to over 60 seconds


def test_other_models_prose_hardly_ever_gives_a_strong_hit(shared_data):
    """Four models, 150 stories and 150 essays each, none of which was asked for mathematics.

    Three texts hit, read by a person: a net present value in LaTeX and a physical quantity, both
    in essays and rightly found, and "Badge + kids = leverage" in a story.
    """
    texts = []
    for path in sorted((shared_data / "writing").glob("slop_score_*.json.gz")):
        if "leaderboard" not in path.name:
            (model,) = json.loads(gzip.decompress(path.read_bytes())).values()
            texts += [sample["output"] for sample in model["samples"]]
    num_hits = sum("strong" in tiers(text) for text in texts)
    assert len(texts) == 1200
    assert wilson(num_hits, len(texts)).upper < 0.01
