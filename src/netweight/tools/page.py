"""A page as the model reads it: numbered lines of text, and links that are opened by number.

A link is written `【number†text】`, with the site that it leads to after a second dagger where that
is another: the form in which gpt-oss was trained (openai/gpt-oss, gpt_oss/tools/simple_browser).
What looks like a link in a page's own text gets other brackets.

Knows no file format, no search and no conversation.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urljoin, urlsplit

LINE_WIDTH = 80
_MAX_LINE = 100 * LINE_WIDTH
_LOOKALIKES = str.maketrans({"【": "〖", "】": "〗", "\u200b": None})
_LINK_MARKS = re.compile(r"【\d+†|†[^†【】]*】|】")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_SCHEMES = ("file", "http", "https")


@dataclass(frozen=True)
class Page:
    """A page. `links` has the URL of each link, by its number."""

    url: str
    title: str
    text: str
    links: tuple[str, ...] = ()

    @classmethod
    def finished(cls, url: str, title: str, text: str, links: tuple[str, ...] = ()) -> "Page":
        """A page with its URL above the text, and one empty line in place of several."""
        text = _BLANK_LINES.sub("\n\n", text).strip("\n")
        return cls(url, " ".join(title.split()) or url, f"\nURL: {url}\n\n{text}", links)

    @cached_property
    def lines(self) -> list[str]:
        """The text, folded; lines are counted from 0. Tabs become spaces."""
        return [folded for line in self.text.split("\n") for folded in _folded(line)]

    @cached_property
    def bare_lines(self) -> list[str]:
        """The lines without the marks of links."""
        return [_LINK_MARKS.sub("", line) for line in self.lines]


@dataclass
class Links:
    """The links of a page that is being read. A URL has one number, however often it occurs."""

    page_url: str
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs by their numbers."""
        return tuple(self.numbers)

    def mark(self, target: str, text: str) -> str:
        """What to write for a link: only its text, where it leads to no other page."""
        text = " ".join(text.split())
        try:
            url = urljoin(self.page_url, target.strip())
            parts = urlsplit(url)
        except ValueError:  # such as an address with one bracket
            return text
        if not text or parts.scheme not in _SCHEMES or _bare(url) == _bare(self.page_url):
            return text
        number = self.numbers.setdefault(url, len(self.numbers))
        site = parts.netloc if parts.netloc != urlsplit(self.page_url).netloc else ""
        return mark_link(number, text, site)


def mark_link(number: int, text: str, site: str = "") -> str:
    """The mark of a link; `site` is where it leads to, if that is another."""
    label = text.replace("†", "‡")
    return f"【{number}†{label}†{site}】" if site else f"【{number}†{label}】"


def harmless(text: str) -> str:
    """A page's own text, in which nothing passes for a link."""
    return text.translate(_LOOKALIKES)


def _folded(line: str) -> Iterator[str]:
    if not line:
        yield ""
    for start in range(0, len(line), _MAX_LINE):  # textwrap's time grows with a word's square
        part = line[start : start + _MAX_LINE]
        yield from textwrap.wrap(part, LINE_WIDTH, replace_whitespace=False, drop_whitespace=False)


def file_name(url: str) -> str:
    """The last part of a URL's path."""
    return urlsplit(url).path.rpartition("/")[2]


def _bare(url: str) -> str:
    return url.partition("#")[0]
