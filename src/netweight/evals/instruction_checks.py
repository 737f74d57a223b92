"""Whether a text keeps to an order about its form, said by code.

Whether a form was kept can be said without a judge: J. Zhou and others, "Instruction-following
evaluation for large language models", arXiv:2311.07911 (2023), whose strict and loose readings
these are. Knows texts and orders; does not know who wrote them, or why.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from netweight.evals.answers import plain
from netweight.evals.instruction_items import Constraint, Kind

_BULLET = re.compile(r"^[ \t]*[-*\u2022][ \t]+\S", re.MULTILINE)
_AFTER_END = " \t\n.!?\"'\u201c\u201d)*_"
_BEFORE_START = " \t\n\"'\u201c\u201d(*_#"
_MARKDOWN = re.compile(r"[*`]|^#{1,6}[ \t]+|^```\w*$|(?<!\w)_+|_+(?!\w)", re.MULTILINE)
_FENCE_LINE = re.compile(r"^[ \t]*```\w*[ \t]*\n?", re.MULTILINE)


def follows(constraint: Constraint, text: str) -> bool:
    """Say whether a text keeps to an order: the strict reading, of the text as it stands.

    No-break spaces and hyphens and curly marks are made plain first, as they would hide the ends of
    words. An empty text follows nothing.
    """
    readable = plain(text).strip()
    return bool(readable) and _CHECKS[constraint.kind](readable, constraint.values)


def follows_loosely(constraint: Constraint, text: str) -> bool:
    """Say whether a text keeps to an order without its Markdown, its first or its last line.

    Any of the eight ways to leave these out may be the one; that excuses "Sure, here it is:" and
    bold, and gives some chance passes.
    """
    return any(follows(constraint, each) for each in _variants(text))


def _variants(text: str) -> set[str]:
    lines = text.strip().splitlines()
    cut = (lines, lines[1:], lines[:-1], lines[1:-1])
    kept = {"\n".join(each).strip() for each in cut} | {text}
    return kept | {_MARKDOWN.sub("", _FENCE_LINE.sub("", each)).strip() for each in kept}


def num_words(text: str) -> int:
    """Count what stands between spaces and has a letter or a digit: "well-known" is one word."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def num_sentences(text: str) -> int:
    """Count sentences, in which "Mr." ends none, as far as they have a letter or a digit.

    What is said within a sentence is a part of it; marks around the whole text do not matter.
    """
    import sentencex

    text = text[1:-1] if _is_quoted(text) else text
    return sum(any(map(str.isalnum, each)) for each in sentencex.segment("en", text))


def _places(word: str, text: str) -> list[int]:
    """Where a whole word or phrase stands, in whatever case."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    return [match.start() for match in re.finditer(pattern, text, re.IGNORECASE)]


def _is_object(text: str, keys: Sequence[str]) -> bool:
    try:
        read = json.loads(text)
    except ValueError:
        return False
    return isinstance(read, dict) and set(read) == set(keys)


def _starts(text: str, phrase: str) -> bool:
    return 0 in _places(phrase, text.lstrip(_BEFORE_START))


def _ends(text: str, phrase: str) -> bool:
    cut = text.rstrip(_AFTER_END)
    return len(cut) - len(phrase) in _places(phrase, cut)


def _in_order(text: str, words: Sequence[str]) -> bool:
    """Say whether all words come up, and for the first time in this order."""
    firsts = [places[0] for word in words if (places := _places(word, text))]
    return len(firsts) == len(words) and firsts == sorted(firsts)


def _is_quoted(text: str) -> bool:
    marks = text.replace("\u201c", '"').replace("\u201d", '"')
    return len(marks) > 2 and marks[0] == marks[-1] == '"' and bool(marks.strip(' "'))


_CHECKS: Mapping[Kind, Callable[[str, Sequence[str]], bool]] = {
    "upper": lambda text, _: text == text.upper() != text.lower(),
    "lower": lambda text, _: text == text.lower() != text.upper(),
    "words": lambda text, values: num_words(text) == int(values[0]),
    "most_words": lambda text, values: num_words(text) <= int(values[0]),
    "least_words": lambda text, values: num_words(text) >= int(values[0]),
    "lines": lambda text, values: (
        sum(map(bool, map(str.strip, text.splitlines()))) == int(values[0])
    ),
    "sentences": lambda text, values: num_sentences(text) == int(values[0]),
    "paragraphs": lambda text, values: len(re.split(r"\n[ \t]*\n\s*", text)) == int(values[0]),
    "bullets": lambda text, values: len(_BULLET.findall(text)) == int(values[0]),
    "json": _is_object,
    "word": lambda text, values: bool(_places(values[0], text)),
    "times": lambda text, values: len(_places(values[0], text)) == int(values[1]),
    "avoid": lambda text, values: not any(_places(word, text) for word in values),
    "without": lambda text, values: values[0] not in text.lower(),
    "no_commas": lambda text, _: "," not in text,
    "start": lambda text, values: _starts(text, values[0]),
    "end": lambda text, values: _ends(text, values[0]),
    "order": _in_order,
    "quotation": lambda text, _: _is_quoted(text),
}
