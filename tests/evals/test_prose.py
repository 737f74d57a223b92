"""Repetition and diversity: hand-counted cases, naive twins, and what must always hold."""

import time
from collections import Counter
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.prose import (
    Repeat,
    compression_ratio,
    distinct,
    duplicates,
    longest_repeat,
    mattr,
    mtld,
    repeated_share,
    self_bleu,
    words,
)

A_TEXT = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=25)
A_SET = st.lists(A_TEXT, min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The fox, the Fox!", ["the", "fox", "the", "fox"]),
        ("a well\u2011known fox\u2019s tail", ["a", "well-known", "fox's", "tail"]),
        ("1\u202f000 \u2014 s\u00e3o", ["1", "000", "s\u00e3o"]),
        ("**bold** 'quoted' snake_case", ["bold", "quoted", "snake", "case"]),
        ("- * \u2026", []),
    ],
)
def test_words_are_plain_and_in_lower_case(text, found):
    assert words(text) == found


def test_repeated_share_of_hand_counted_texts():
    assert repeated_share(words("a b c d a b c"), 2) == pytest.approx(2 / 6)
    assert repeated_share(words("a a a a a"), 2) == pytest.approx(3 / 4)
    assert repeated_share(words("a b c")) == 0


@pytest.mark.parametrize(
    ("text", "repeat"),
    [
        ("", None),
        ("a b c", None),
        ("a b a", Repeat(1, 0, 2)),
        ("x a b c y a b c", Repeat(3, 1, 5)),
        ("a a a a", Repeat(2, 0, 2)),  # overlapping, it would be three words
        ("a b x a b y a b", Repeat(2, 0, 3)),
    ],
)
def test_the_longest_repeat_does_not_overlap_itself(text, repeat):
    assert longest_repeat(text.split()) == repeat


def naive_longest_repeat(text):
    for length in range(len(text) // 2, 0, -1):
        for second in range(length, len(text) - length + 1):
            for first in range(second - length + 1):
                if text[first : first + length] == text[second : second + length]:
                    return length
    return 0


@given(A_TEXT)
def test_the_longest_repeat_is_that_of_looking_everywhere(text):
    repeat = longest_repeat(text)
    assert (repeat.num_words if repeat else 0) == naive_longest_repeat(text)
    if repeat:
        length, first, second = repeat
        assert text[first : first + length] == text[second : second + length]


def test_one_long_loop_is_measured_in_time():
    started = time.process_time()
    assert longest_repeat(["over", "and", "out"] * 10_000).num_words == 15_000
    assert time.process_time() - started < 3


def test_distinct_is_per_word_and_spans_no_two_texts():
    texts = [words("a b a b"), words("b a")]
    assert distinct(texts, 1) == pytest.approx(2 / 6)
    assert distinct(texts, 2) == pytest.approx(2 / 6)
    joined = [texts[0] + texts[1]]
    assert distinct(joined, 2) == pytest.approx(3 / 6)  # a deliberately wrong variant


@given(A_SET, st.integers(1, 3))
def test_distinct_lies_in_the_unit_interval_and_falls_when_texts_come_again(texts, n):
    assert 0 <= distinct(texts, n) <= 1
    assert distinct(texts, 1) > 0
    assert distinct(texts * 2, n) == pytest.approx(distinct(texts, n) / 2)


def naive_self_bleu(texts, max_order=4):
    """BLEU of each text against every other in turn."""
    return sum(
        naive_bleu(text, texts[:index] + texts[index + 1 :], max_order)
        for index, text in enumerate(texts)
    ) / len(texts)


def naive_bleu(text, references, max_order):
    logs = []
    for order in range(1, min(max_order, len(text)) + 1):
        counts, num_matches = grams(text, order), 0
        for gram, count in counts.items():
            num_matches += min(count, max(grams(each, order)[gram] for each in references))
        if order == 1 and not num_matches:
            return 0
        logs.append(log((num_matches or 0.1) / counts.total()))
    nearest = min(map(len, references), key=lambda length: (abs(length - len(text)), length))
    return min(1, exp(1 - nearest / len(text))) * exp(sum(logs) / len(logs))


def grams(text, order):
    return Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))


@given(A_SET)
def test_self_bleu_is_that_of_holding_each_text_against_all(texts):
    assert self_bleu(texts) == pytest.approx(naive_self_bleu(texts))


def test_self_bleu_of_a_hand_counted_pair():
    texts = [words("a b c d"), words("a b c e f")]
    # First: 3/4, 2/3, 1/2, 0.1/1, and one word short. Second: 3/5, 2/4, 1/3, 0.1/2.
    first = exp(1 - 5 / 4) * (3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25
    second = (3 / 5 * 2 / 4 * 1 / 3 * 0.05) ** 0.25
    assert self_bleu(texts) == pytest.approx((first + second) / 2)


@given(A_TEXT, st.integers(2, 4))
def test_self_bleu_of_identical_texts_is_one(text, num_texts):
    assert self_bleu([text] * num_texts) == pytest.approx(1)


def test_self_bleu_of_texts_without_a_shared_word_is_nought():
    assert self_bleu([["a", "b"], ["c", "d"]]) == 0


@given(A_SET)
def test_self_bleu_lies_in_the_unit_interval_whatever_the_order(texts):
    assert 0 <= self_bleu(texts) <= 1 + 1e-12
    assert self_bleu(texts[::-1]) == pytest.approx(self_bleu(texts))


def test_mtld_of_hand_counted_texts():
    # "a b a" has ratio 2/3, a factor, and the rest is all different; backwards "c a b a" ends at
    # 3/4, which is (1 - 3/4) / (1 - 0.72) of a factor.
    assert mtld(words("a b a c")) == pytest.approx((4 / 1 + 4 / (0.25 / 0.28)) / 2)
    # "a a" and "b b" are factors at 1/2, in either direction.
    assert mtld(words("a a b b")) == pytest.approx(2)


def test_mtld_makes_a_factor_where_the_ratio_falls_to_the_threshold():
    assert mtld(words("a b c d a"), threshold=0.8) == pytest.approx(5)


@given(A_TEXT)
def test_mtld_is_the_same_read_backwards_and_none_only_without_a_repeat(text):
    value = mtld(text)
    assert value == (None if len(set(text)) == len(text) else pytest.approx(mtld(text[::-1])))


def test_mattr_of_a_hand_counted_text():
    assert mattr(words("a b a a"), window=2) == pytest.approx((1 + 1 + 0.5) / 3)
    assert mattr(words("a b a a"), window=9) == pytest.approx(2 / 4)


@given(A_TEXT, st.integers(1, 30))
def test_mattr_is_the_mean_over_all_windows(text, window):
    window = min(window, len(text))
    spans = [text[start : start + window] for start in range(len(text) - window + 1)]
    mean = sum(len(set(span)) / window for span in spans) / len(spans)
    assert mattr(text, window) == pytest.approx(mean)


def test_a_repeated_text_compresses_better_unless_it_recurs_too_far_off():
    text = " ".join(f"{(number * 7919) % 99991}" for number in range(500))
    filler = " ".join(f"{(number * 104729) % 999983}" for number in range(9000))
    assert compression_ratio([text] * 9) > 3 * compression_ratio([text])
    near, far = [text, text, filler], [text, filler, text]
    assert compression_ratio(near) > compression_ratio(far)


def test_duplicates_of_hand_counted_texts():
    base = words("the fox went down to the old river at dawn")  # 10 words, 6 shingles
    longer = [*base, "again"]  # 7 shingles, 6 of them shared
    texts = [base, words("a hen sat in a barn all day long"), longer, list(base)]
    found = duplicates(texts)
    assert [(each.first, each.second, each.is_exact) for each in found] == [
        (0, 2, False),
        (0, 3, True),
        (2, 3, False),
    ]
    assert [each.similarity for each in found] == pytest.approx([6 / 7, 1, 6 / 7])
    assert [(each.first, each.second) for each in duplicates(texts, threshold=0.9)] == [(0, 3)]


def test_the_same_sequences_in_another_number_are_alike_yet_not_exact():
    once, twice = words("a b a b a b"), words("a b a b a b a b")
    (pair,) = duplicates([once, twice])
    assert (pair.similarity, pair.is_exact) == (1, False)


def test_short_and_empty_texts_are_compared_whole():
    texts = [["a", "b"], ["a", "b"], [], [], ["a", "c"]]
    assert [(each.first, each.second) for each in duplicates(texts)] == [(0, 1), (2, 3)]


@given(A_SET, st.floats(0.05, 1), st.integers(1, 3))
def test_duplicates_do_not_depend_on_the_order_of_texts(texts, threshold, shingle):
    last = len(texts) - 1
    forwards = duplicates(texts, threshold=threshold, shingle=shingle)
    backwards = duplicates(texts[::-1], threshold=threshold, shingle=shingle)
    turned = [
        each._replace(first=last - each.second, second=last - each.first) for each in backwards
    ]
    assert sorted(turned) == forwards
    assert all(threshold <= each.similarity <= 1 for each in forwards)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: distinct([], 1),
        lambda: distinct([[]], 1),
        lambda: mattr([]),
        lambda: self_bleu([["a"]]),
        lambda: self_bleu([["a"], []]),
        lambda: compression_ratio([]),
        lambda: duplicates([], threshold=0),
    ],
)
def test_nothing_to_measure_is_refused(refused):
    with pytest.raises(ValueError, match=r"texts|threshold"):
        refused()


def test_a_set_of_three_hundred_texts_is_measured_in_seconds():
    texts = [[f"w{(i * 31 + k * k) % 997}" for k in range(500)] for i in range(300)]
    started = time.process_time()
    self_bleu(texts)
    duplicates(texts)
    distinct(texts, 2)
    assert time.process_time() - started < 10
