"""The model, or the family of models, that a story is about.

Knows the story's names and where they stand. Does not know what is said of them.
"""

import re
from collections import Counter

from netweight.verdict.evidence import Published
from netweight.verdict.mentions import Mention
from netweight.verdict.names import find_roles
from netweight.verdict.references import (
    FAMILY,
    calls_by_number,
    find_size_references,
    tells_of_open_release,
    tells_of_open_weights,
)
from netweight.verdict.story import Story

_BEFORE_A_RIVAL = re.compile(
    r"\b(?:than|against|versus|vs\.?|behind|over|unlike|compared (?:with|to)|next to|beats?|"
    r"surpass\w+|trail\w*|match\w*|"
    r"outperform\w*|above|below|par\swith|close\sto|parity[\"\u201d'\u2019]?\s+with|"
    r"near(?:\s+to)?|(?<!I )(?<!We )(?<!we )like|equal(?:\s+of|\s+to)?|"
    r"compar\w+\s+(?:\w+\s+){0,2}(?:with|to)|similar\s+to|by\s+which|edge[sd]?\s+past|leav\w+|as\s+\w+\s+as|times\s+the\s+size\s+of|size\s+of|put\s+(?:\w+\s+){0,3}with)\s+(?:even\s+|the\s+|an?\s+|that\s+of\s+|its\s+own\s+|(?-i:[A-Z])\w+['\u2019]s\s+)*$",
    re.IGNORECASE,
)


def is_rival(text: str, mention: Mention) -> bool:
    """Whether a name stands after "than", "unlike" or the like."""
    start = mention.span.start
    return _BEFORE_A_RIVAL.search(text, max(0, start - _NEAR), start) is not None


_NEAR = 100  # characters in which such words stand before a name


def main_subject(story: Story, found: list[list[Mention]], tables: Published) -> tuple[str, ...]:
    """The model, or the family of models, that the story is about.

    That is the one it names most, a heading counting double; ties go to the first named.
    """
    counts: Counter[str] = Counter()
    ids_of: dict[str, tuple[str, ...]] = {}
    named: dict[str, None] = {}
    roles = 0
    for sentence, mentions in zip(story.sentences, found, strict=True):
        weight = 2 if sentence.is_heading else 1
        roles += weight * len(find_roles(sentence.text))
        for mention in mentions:
            if mention.ids[0].startswith("group:") or is_rival(sentence.text, mention):
                continue
            row = tables.models.get(mention.ids[0])
            key = (row.family if row else None) or mention.ids[0]
            if key not in ids_of:
                counts[key] += not ids_of  # the first named
                ids_of[key] = mention.ids
            named.update(dict.fromkeys(mention.ids))
            counts[key] += weight
    if tells_of_open_release(story.text) and not _is_of_another(story, found, tables):
        sized = {n for m in find_size_references(story.text) for n in m.ids}
        by_name = {*named} & {*FAMILY} or calls_by_number(story.text)
        return tuple(m for m in FAMILY if m in named or m in sized) if by_name else FAMILY
    if not counts:
        return ()
    families = {row.family for row in tables.models.values()} - {None}
    for key in counts:  # "OpenAI's open model"; of two that are equal, the one with open sizes
        counts[key] += roles + 1 if key in families else 0
    top = counts.most_common(1)[0][0]
    row = tables.models.get(ids_of[top][0])
    if row and row.access == "proprietary" and tells_of_open_weights(story.text):
        return FAMILY  # the models that it leaves unnamed
    members = tuple(row.id for row in tables.models.values() if row.family == top)
    return tuple(m for m in members if m in named) or ids_of[top]


_TIMES = 2


def _is_of_another(story: Story, found: list[list[Mention]], tables: Published) -> bool:
    """Whether another model is named at the head of a story, or more than once and unknown."""
    names = Counter(name for mentions in found for m in mentions for name in m.ids)
    if {*names} & {*FAMILY}:
        return False
    is_titled = any(s.is_heading and not s.paragraph for s in story.sentences)
    last = 1 if is_titled else 0  # the head: a title and a paragraph
    head = {
        name
        for sentence, mentions in zip(story.sentences, found, strict=True)
        if sentence.paragraph <= last
        for mention in mentions
        for name in mention.ids
    }
    others = {n for n in names if n not in tables.models and not n.startswith("group:")}
    others -= {"other:gpt-2", "other:gpt-3"}
    if calls_by_number(story.text) and not others & head:
        return False
    rows = [tables.models[n] for n in head if n in tables.models]
    is_headed = any(row.organisation != "OpenAI" or row.id == "gpt-5" for row in rows)
    is_sized = bool(find_size_references(story.text))
    is_headed = is_headed or (bool(rows) and not is_sized and not tells_of_open_weights(story.text))
    return is_headed or any(names[n] >= _TIMES or n in head for n in others)
