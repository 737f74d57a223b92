"""Which of many texts a question is about, by the words that they share.

BM25, as in Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009),
equation 3.15, with the inverse document frequency that is never negative (Lucene's). Knows words
and numbers of documents, and nothing of pages.
"""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from heapq import nlargest

_SATURATION = 1.2  # k1 and b: the values that the paper finds good for most collections
_LENGTH_SHARE = 0.75
# Scripts that put no spaces between words count by the character.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return _WORD.findall(text.casefold())


class Ranking:
    """Texts by number, and the words in them."""

    def __init__(self, documents: Iterable[Iterable[str]]) -> None:
        """Take in documents, each as its words."""
        self._places: dict[str, array[int]] = {}  # number, count, number, count, ...
        self._lengths = array("I")
        for number, document in enumerate(documents):
            counts = Counter(document)
            self._lengths.append(counts.total())
            for word, count in counts.items():
                self._places.setdefault(word, array("I")).extend((number, count))
        self._mean_length = sum(self._lengths) / max(len(self._lengths), 1)

    def weight(self, word: str) -> float:
        """How much a word tells: the rarer, the more."""
        num_with = len(self._places.get(word, ())) // 2
        return math.log1p((len(self._lengths) - num_with + 0.5) / (num_with + 0.5))

    def best(self, query: Iterable[str], num_results: int) -> list[int]:
        """The numbers of the documents that have words of the query, the best first."""
        scores: dict[int, float] = {}
        for word in sorted(set(query)):
            weight, places = self.weight(word), self._places.get(word, array("I"))
            for number, count in zip(places[::2], places[1::2], strict=True):
                length = self._lengths[number] / self._mean_length
                damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length)
                gain = weight * count * (_SATURATION + 1) / (count + damping)
                scores[number] = scores.get(number, 0.0) + gain
        return nlargest(num_results, scores, key=lambda number: (scores[number], -number))
