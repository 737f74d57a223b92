"""How repetitive one text is, and how varied a set of texts: figures of counting, without a model.

Everything works on words as `words` cuts them. Higher is more varied for `distinct`, `mtld` and
`mattr`; lower is for `repeated_share`, `longest_repeat`, `self_bleu` and `compression_ratio`. All
but `mtld` and `mattr` move with the number and the length of the texts, so that only sets alike in
both can be compared. Nothing here says whether a text is good: shuffled words are highly varied.
"""

import re
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations
from math import exp, log
from typing import NamedTuple

from netweight.evals.answers import plain

Words = Sequence[str]
Gram = tuple[str, ...]

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


class Repeat(NamedTuple):
    """A span of `num_words` words that stands at word `first` and again at word `second`."""

    num_words: int
    first: int
    second: int


class Duplicate(NamedTuple):
    """Two texts of a set, by index, and the share of their word sequences that they share."""

    first: int
    second: int
    similarity: float
    is_exact: bool


class _Highest(NamedTuple):
    """The two greatest counts of an n-gram in any text, and the text that has the greatest."""

    num: int
    text_index: int
    runner_up: int


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case, typography made plain; "well-known" is one."""
    return _WORD.findall(plain(text).lower())


def repeated_share(text: Words, n: int = 4) -> float:
    """Return the share of a text's n-grams that stood in it before: 0 none, near 1 a loop.

    seq-rep-n of S. Welleck and others, "Neural text generation with unlikelihood training",
    arXiv:1908.04319 (2019): 1 - distinct n-grams / n-grams. A text of fewer than `n` words has 0.
    """
    grams = list(_grams(text, n))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def longest_repeat(text: Words) -> Repeat | None:
    """Return the longest span that stands twice without overlap, None if no word recurs.

    Of equally long spans, the one whose second place comes first. Spans are compared by ranks of
    their halves, doubled as in U. Manber and G. Myers, "Suffix arrays", SIAM J. Computing 22
    (1993), so that a text of n words takes n log n steps even when it is one long loop.
    """
    ranks = [_ranks(text)]
    while (width := 2 ** (len(ranks) - 1)) * 2 <= len(text):
        ranks.append(_ranks(list(zip(ranks[-1], ranks[-1][width:], strict=False))))
    # If a span stands twice, so does its beginning: there is one length up to which all do.
    lengths = range(1, len(text) // 2 + 1)
    length = bisect_left(lengths, True, key=lambda tried: _repeat(ranks, tried) is None)
    return _repeat(ranks, length)


def _ranks(items: Sequence[Hashable]) -> list[int]:
    """Number items so that equal ones have equal numbers."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(item, len(numbers)) for item in items]


def _repeat(ranks: list[list[int]], length: int) -> Repeat | None:
    """Return the first repeat of exactly `length` words; ranks[k] numbers spans of 2**k words."""
    if length == 0:
        return None
    level = length.bit_length() - 1
    firsts: dict[tuple[int, int], int] = {}
    # Two spans of 2**level, overlapping, cover the length.
    spans = zip(ranks[level], ranks[level][length - 2**level :], strict=False)
    for start, span in enumerate(spans):
        first = firsts.setdefault(span, start)
        if start - first >= length:
            return Repeat(length, first, start)
    return None


def distinct(texts: Sequence[Words], n: int) -> float:
    """Return distinct-n: different n-grams of all texts together, per word.

    J. Li and others, "A diversity-promoting objective function for neural conversation models",
    arXiv:1510.03055 (NAACL 2016): scaled by the number of words, as there, not by that of n-grams,
    which other programs use. It falls as texts are added. No n-gram spans two texts.

    Raises:
        ValueError: the texts have no words.
    """
    _check_has_words(texts)
    grams = {gram for text in texts for gram in _grams(text, n)}
    return len(grams) / sum(map(len, texts))


def self_bleu(texts: Sequence[Words], max_order: int = 4) -> float:
    """Return the mean BLEU of each text against all others as references: 1 if all are alike.

    Y. Zhu and others, "Texygen", arXiv:1802.01886 (SIGIR 2018), with BLEU of K. Papineni and others
    (ACL 2002): clipped n-gram precisions up to `max_order`, geometric mean, brevity penalty by the
    nearest length, the shorter of two. An order without a match counts 0.1 matches (B. Chen and C.
    Cherry, WMT 2014, method 1, as Texygen has it), but no shared word at all is 0. Orders longer
    than the text are left out, our own choice, so that short texts alike give 1.

    Raises:
        ValueError: fewer than two texts, or a text without words.
    """
    if len(texts) < 2 or not all(texts):
        raise ValueError(f"self-BLEU needs two texts, each with words; {len(texts)} were given")
    log_precisions: list[list[float]] = [[] for _ in texts]
    for order in range(1, max_order + 1):
        counts = [Counter(_grams(text, order)) for text in texts]
        highest = _highest_counts(counts)
        for index, grams in enumerate(counts):
            if grams:
                precision = _precision(index, grams, highest, order)
                log_precisions[index].append(log(precision) if precision else float("-inf"))
    lengths = Counter(map(len, texts))
    bleus = (
        _brevity_penalty(len(text), lengths) * exp(sum(logs) / len(logs))
        for text, logs in zip(texts, log_precisions, strict=True)
    )
    return sum(bleus) / len(texts)


def _highest_counts(counts: Sequence[Counter[Gram]]) -> dict[Gram, _Highest]:
    """Find each n-gram's greatest counts, so that no text need be held against every other."""
    highest: dict[Gram, _Highest] = {}
    for index, grams in enumerate(counts):
        for gram, count in grams.items():
            best = highest.get(gram, _Highest(0, -1, 0))
            if count > best.num:
                highest[gram] = _Highest(count, index, best.num)
            elif count > best.runner_up:
                highest[gram] = best._replace(runner_up=count)
    return highest


def _precision(
    index: int, grams: Counter[Gram], highest: dict[Gram, _Highest], order: int
) -> float:
    num_matches = 0
    for gram, count in grams.items():
        best = highest[gram]
        elsewhere = best.runner_up if best.text_index == index else best.num
        num_matches += min(count, elsewhere)
    if num_matches == 0 and order > 1:
        return 0.1 / grams.total()
    return num_matches / grams.total()


def _brevity_penalty(length: int, lengths: Counter[int]) -> float:
    others = (other for other, count in lengths.items() if other != length or count > 1)
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return min(1.0, exp(1 - nearest / length))


def mtld(text: Words, threshold: float = 0.72) -> float | None:
    """Return the mean number of words that keep the type-token ratio above `threshold`.

    P. M. McCarthy and S. Jarvis, "MTLD, vocd-D, and HD-D", Behavior Research Methods 42 (2010):
    words are read until the ratio of different words to words falls to the threshold, which makes
    a factor, and afresh from there; the rest makes part of one; words / factors, averaged over
    reading forwards and backwards. Unsteady below about 100 words. None if no word recurs.
    """
    if len(set(text)) == len(text):
        return None
    return (_one_way_mtld(text, threshold) + _one_way_mtld(text[::-1], threshold)) / 2


def _one_way_mtld(text: Words, threshold: float) -> float:
    num_factors, num_words, ratio = 0.0, 0, 1.0
    types: set[str] = set()
    for word in text:
        types.add(word)
        num_words += 1
        ratio = len(types) / num_words
        if ratio <= threshold:
            num_factors += 1
            num_words, ratio = 0, 1.0
            types.clear()
    num_factors += (1 - ratio) / (1 - threshold)
    return len(text) / num_factors


def mattr(text: Words, window: int = 500) -> float:
    """Return the mean type-token ratio of all spans of `window` words.

    M. A. Covington and J. D. McFall, "Cutting the Gordian knot: the moving-average type-token
    ratio", Journal of Quantitative Linguistics 17 (2010). A text shorter than the window has its
    plain ratio, as slop-score has it, which is higher for being short.

    Raises:
        ValueError: the text has no words.
    """
    _check_has_words([text])
    window = min(window, len(text))
    inside = Counter(text[:window])
    num_types = len(inside)
    for entering, leaving in zip(text[window:], text, strict=False):
        inside[entering] += 1
        inside[leaving] -= 1
        if not inside[leaving]:
            del inside[leaving]
        num_types += len(inside)
    return num_types / window / (len(text) - window + 1)


def compression_ratio(texts: Sequence[str]) -> float:
    """Return the bytes of all texts per byte of their zlib compression: more is more repetitive.

    C. Shaib and others, "Standardizing the measurement of text diversity", arXiv:2403.00553 (2024).
    zlib looks back 32 kB, some ten pages: what recurs further apart it does not see, so the order
    of texts matters, and `self_bleu` or `duplicates` must find that two far texts are alike.

    Raises:
        ValueError: the texts are empty.
    """
    raw = "\n".join(texts).encode("utf-8", "replace")
    if not raw:
        raise ValueError("nothing to compress: the texts are empty")
    return len(raw) / len(zlib.compress(raw, 9))


def duplicates(
    texts: Sequence[Words], *, threshold: float = 0.8, shingle: int = 5
) -> list[Duplicate]:
    """Return all pairs of texts whose resemblance is at least `threshold`, in order.

    Resemblance is the Jaccard index of the sets of word sequences of length `shingle`: A. Z.
    Broder, "On the resemblance and containment of documents" (1997). Five words and 0.8 are those
    of K. Lee and others, "Deduplicating training data makes language models better",
    arXiv:2107.06499 (2021). Computed outright rather than estimated by MinHash, so without chance:
    right for hundreds of texts, as the work grows with the square of their number. A shorter text
    is one sequence. Exact pairs have the same words throughout.

    Raises:
        ValueError: a threshold outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}; it must lie above 0 and at most at 1")
    shingles = [set(_grams(text, min(shingle, max(len(text), 1)))) for text in texts]
    found = []
    for first, second in combinations(range(len(texts)), 2):
        similarity = _jaccard(shingles[first], shingles[second], threshold)
        if similarity >= threshold:
            is_exact = list(texts[first]) == list(texts[second])
            found.append(Duplicate(first, second, similarity, is_exact))
    return found


def _jaccard(first: set[Gram], second: set[Gram], threshold: float) -> float:
    """Return the Jaccard index, or 0 where sizes alone keep it below the threshold."""
    smaller, larger = sorted((len(first), len(second)))
    if larger == 0:
        return 1.0
    if smaller / larger < threshold:
        return 0.0
    num_shared = len(first & second)
    return num_shared / (smaller + larger - num_shared)


def _grams(text: Words, n: int) -> Iterator[Gram]:
    return zip(*(text[start:] for start in range(n)), strict=False)


def _check_has_words(texts: Sequence[Words]) -> None:
    if not any(texts):
        raise ValueError("the texts have no words, so they have no diversity to measure")
