"""Pages of a folder: found, ranked and read without a network.

Which files are pages is decided once, when the folder is taken in. Only those are ever opened, so
that no URL leads out of it, whatever dots or links it has. A page's URL is its path in the folder,
`file:///guide/start.html`.

Knows files and pages; knows no tool and no model.
"""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from netweight.errors import ToolError
from netweight.tools.page import Page
from netweight.tools.page_html import read_html
from netweight.tools.page_text import read_markdown, read_source, read_text
from netweight.tools.provider import Found, PageMissing
from netweight.tools.ranking import Ranking, words

log = logging.getLogger(__name__)

_READERS = {
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
}
_MAX_BYTES = 8 * 2**20  # longer than any page that is read; an export or a log, not a page
_TITLE_WEIGHT = 5  # a word in the title counts as so many in the text
_PASSAGE_LINES = 4
_FIRST_LINE = 3  # after the URL
_START = "file:///"
# What a link leaves out that a site's server would add.
_ENDINGS = ("", *_READERS, "/index.html", "/index.htm", "/index.md", "/README.md")


class Folder:
    """A provider of the pages in a folder."""

    def __init__(self, path: Path) -> None:
        """Take in the pages of a folder, and of the folders in it, but not hidden ones.

        Raises:
            ToolError: when it is no folder, or has no pages.
        """
        self._root = path.resolve()
        if not self._root.is_dir():
            raise ToolError(f"{path} is no folder; give one with pages, as HTML, Markdown or text.")
        self._names = sorted(self._pages())
        if not self._names:
            raise ToolError(
                f"{path} has no pages; the browser reads files named {', '.join(_READERS)}, of "
                f"{_MAX_BYTES >> 20} MiB at most."
            )
        self._known = frozenset(self._names)
        self._ranking = Ranking(self._words(name) for name in self._names)

    def __len__(self) -> int:
        """The number of pages."""
        return len(self._names)

    def search(self, query: str, num_results: int) -> list[Found]:
        """Pages that have words of the query; one that has gone since the start is left out."""
        asked = set(words(query))
        found = []
        for number in self._ranking.best(asked, num_results):
            with suppress(PageMissing):
                page = self._page(self._names[number])
                line = self._passage(page.bare_lines, asked)
                passage = " ".join(" ".join(page.bare_lines[line : line + _PASSAGE_LINES]).split())
                found.append(Found(page.url, page.title, passage, line))
        return found

    def page(self, url: str) -> Page:
        """The page of a URL, also one that leaves out the ending, or is that of a saved site.

        Raises:
            PageMissing: when the folder has none.
        """
        return self._page(self._name(url))

    def source(self, url: str) -> Page:
        """The file of a page, as text.

        Raises:
            PageMissing: when the folder has none.
        """
        name = self._name(url)
        return read_source(self._content(name), _url(name))

    def _pages(self) -> Iterator[str]:
        """The names of the files that are pages."""
        num_skipped = 0
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for file in files:
                path = Path(folder, file)
                if path.suffix.lower() not in _READERS or file.startswith("."):
                    continue
                if self._is_page(path):
                    yield str(path.relative_to(self._root))
                else:
                    num_skipped += 1
        if num_skipped:
            log.warning("files are no pages", extra={"num_files": num_skipped})

    def _is_page(self, path: Path) -> bool:
        """Whether a file is within the folder, once links are followed, and not too long."""
        try:
            target = path.resolve(strict=True)
            status = target.stat()
        except (OSError, RuntimeError):  # a link that leads nowhere, or round in a circle
            return False
        is_within = target.is_relative_to(self._root)
        return is_within and stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_BYTES

    def _name(self, url: str) -> str:
        missing = PageMissing(
            f"{url} is not among the pages that can be opened. There is no network here: find "
            "pages with search, and open them by the numbers of their links."
        )
        try:
            parts = urlsplit(urljoin(_START, url.strip()))
        except ValueError as error:
            raise missing from error
        # A saved site is a folder that has its name.
        path = parts.path if parts.scheme == "file" else f"{parts.netloc}{parts.path}"
        for ending in _ENDINGS:
            name = os.fsdecode(unquote_to_bytes(path.rstrip("/") + ending)).lstrip("/")
            if name in self._known:
                return name
        raise missing

    def _page(self, name: str) -> Page:
        return _READERS[Path(name).suffix.lower()](self._content(name), _url(name))

    def _content(self, name: str) -> bytes:
        path = self._root / name
        if not self._is_page(path):
            raise PageMissing(f"{_url(name)} has been there, but cannot be read any more.")
        try:
            return path.read_bytes()
        except OSError as error:
            raise PageMissing(f"{_url(name)} cannot be read: {error.strerror}.") from error

    def _words(self, name: str) -> list[str]:
        try:
            page = self._page(name)
        except PageMissing as error:
            log.warning("a page cannot be read", extra={"reason": str(error)})
            return []
        return words(page.title) * _TITLE_WEIGHT + words("\n".join(page.bare_lines))

    def _passage(self, lines: list[str], asked: set[str]) -> int:
        """The line where the passage begins that has most of what is asked."""
        in_line = [asked & set(words(line)) for line in lines]

        def weight(start: int) -> float:
            there = set[str]().union(*in_line[start : start + _PASSAGE_LINES])
            return sum(self._ranking.weight(word) for word in sorted(there))

        first = min(_FIRST_LINE, len(lines) - 1)
        best = max(range(first, len(lines)), key=lambda start: (weight(start), -start))
        while best < len(lines) - 1 and not in_line[best] and weight(best + 1) == weight(best):
            best += 1
        return best


def _url(name: str) -> str:
    return _START + quote(os.fsencode(name))
