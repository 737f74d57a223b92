"""Does a story or an essay look like a technical report? Counts the marks of that register.

Tables, headings, lists, bold, code fences, mathematical relations, and the no-break spaces and
hyphens that gpt-oss puts almost everywhere. Markdown inside a code fence is not read, and neither
are headings underlined with "===". It does not know what was asked for: a list of ingredients in a
recipe is no leak, so a rate means something only beside another model's on the same requests.
`answers.plain` undoes the typography before a text is searched for anything else.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from netweight.evals.answers import plain


class Register(NamedTuple):
    """How often each mark of a technical report stands in one text."""

    num_tables: int
    num_headings: int
    num_list_items: int
    num_bold: int
    num_fences: int
    num_relations: int
    num_no_breaks: int

    @property
    def has_layout(self) -> bool:
        """Whether the text holds a table, a heading, a list or a code fence.

        One item is not a list, and bold alone may be emphasis or a title.
        """
        return self.num_tables + self.num_headings + self.num_fences > 0 or self.num_list_items > 1

    @property
    def has_technical_signs(self) -> bool:
        """Whether the text holds a mathematical relation, such as "≈"."""
        return self.num_relations > 0


_FENCE = re.compile(r" {0,3}(`{3,})[^`]*\Z")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_ITEM = re.compile(r"[ \t]*(?:[-*+\u2022\u2023\u25aa\u25cf]|\d{1,2}[.)])[ \t]+\S")
_RULE_CELL = re.compile(r":?-+:?")
_BOLD = re.compile(
    r"(?<![*\\])\*\*(?=[^\s*])[^*\n]{1,300}?(?<=\S)\*\*|\b__(?=\w)[^_\n]{1,300}?__\b"
)
# Relations only: operators have their uses in prose, as in "three \u00d7 four paces".
_RELATION = re.compile(
    "[\u223c\u2243\u2245\u2248\u2260\u2261\u2264-\u2267\u226a\u226b\u2272\u2273\u221d]"
)
_NO_BREAK = re.compile("[\u00a0\u202f\u2011]")


def read_register(text: str) -> Register:
    """Return the marks of a technical report in `text`, counted.

    A table is its rule, "|---|---|", under a line with a bar, as in GitHub's Markdown. No-break
    characters count anywhere, all else outside code fences.
    """
    lines, num_fences = _outside_fences(plain(text).splitlines())
    prose = "\n".join(lines)
    return Register(
        num_tables=sum("|" in head and _is_rule(rule) for head, rule in pairwise(lines)),
        num_headings=sum(_HEADING.match(line) is not None for line in lines),
        num_list_items=sum(_is_item(line) for line in lines),
        num_bold=len(_BOLD.findall(prose)),
        num_fences=num_fences,
        num_relations=len(_RELATION.findall(prose)),
        num_no_breaks=len(_NO_BREAK.findall(text)),
    )


def _outside_fences(lines: list[str]) -> tuple[list[str], int]:
    """Return the lines that no code fence encloses, and the number of fences."""
    outside: list[str] = []
    num_fences = 0
    closing = ""
    for line in lines:
        if closing:
            marks = line.strip()
            if marks.startswith(closing) and set(marks) == {"`"}:
                closing = ""
        elif fence := _FENCE.match(line):
            num_fences += 1
            closing = fence[1]
        else:
            outside.append(line)
    return outside, num_fences


def _is_rule(line: str) -> bool:
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return "|" in line and all(_RULE_CELL.fullmatch(cell.strip()) for cell in cells)


def _is_item(line: str) -> bool:
    """Say whether a line is an item of a list, and no break between scenes such as "* * *"."""
    return _ITEM.match(line) is not None and len(set("".join(line.split()))) > 1
