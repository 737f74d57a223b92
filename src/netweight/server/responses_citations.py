"""What the model cites: the marks that gpt-oss writes, and the pages that they mean.

Each answer of the browser begins with the number of its view, a title and an address, and the model
cites it as 【number†lines】 (openai/gpt-oss, gpt_oss/tools/simple_browser). Knows texts only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from netweight.server.responses_out import UrlCitation

_HEAD = re.compile(r"\[(\d{1,9})\] (.*) \((.+)\)")
_MARK = re.compile("【(\\d{1,9})†[^】]*】")
_FOUND_IN = "/find?pattern="  # goes after a page's address where a text was looked for in it
MARK_END = "】"


class Source(NamedTuple):
    """A page that was shown to the model."""

    title: str
    url: str


def source_of(shown: str) -> tuple[int, Source] | None:
    """The number of a view and its page; None where it has no address, as what a search found."""
    head = _HEAD.fullmatch(shown.partition("\n")[0])
    if head is None:
        return None
    number, title, url = head.groups()
    return int(number), Source(title, url.partition(_FOUND_IN)[0])


def citations(text: str, start: int, sources: Mapping[int, Source]) -> Iterator[UrlCitation]:
    """The citations in a text from a place on; marks of what was not shown are only text."""
    for mark in _MARK.finditer(text, start):
        source = sources.get(int(mark[1]))
        if source is not None:
            yield UrlCitation(
                start_index=mark.start(),
                end_index=mark.end(),
                title=source.title,
                url=source.url,
            )
