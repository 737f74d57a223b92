"""The built-in `browser`: search, open and find, over the pages of a provider.

Each answer is a view that has a number, its cursor, by which the model cites it, opens its links
and comes back to it. What views look like is what gpt-oss was trained with (openai/gpt-oss,
gpt_oss/tools/simple_browser, Apache-2.0); a view is of about as many tokens as there.

Knows Harmony's declaration of the tool, and pages; how pages are found is the provider's matter.
"""

import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from netweight.harmony import ToolNamespace, browser_namespace
from netweight.harmony.calls import ToolCall
from netweight.tools.page import Page, harmless, mark_link
from netweight.tools.provider import Found, PageMissing, Provider

_VIEW_BYTES = 4096  # about 1,024 tokens, which is the reference's view
_MAX_VIEW_BYTES = 4 * _VIEW_BYTES  # where the model asks for a number of lines
_MAX_RESULTS = 20
_NUM_RESULTS = 10
_MAX_FOUND = 50
_FOUND_LINES = 4
_LEAD_LINES = 4  # shown before a passage, unless it is near the beginning
_MAX_PASSAGE = 300
_MAX_TEXT = 2000  # of an argument, which views repeat
_SOURCE = "view-source:"
_NUMBER = re.compile(r"-?\d{1,9}")


class UsageError(Exception):
    """A call that cannot be followed. The message is for the model."""


class Browser:
    """Searches and opens pages of one provider, for any number of conversations."""

    def __init__(self, provider: Provider) -> None:
        """A tool over these pages."""
        self._provider = provider

    @property
    def namespace(self) -> ToolNamespace:
        """The three tools, as gpt-oss knows them."""
        return browser_namespace()

    def open(self) -> "OpenBrowser":
        """A browser for one conversation, with nothing open."""
        return OpenBrowser(self._provider)


class _Link(NamedTuple):
    url: str
    line: int | None = None  # to begin at


class _View(NamedTuple):
    """A page that was shown. What a search or `find` has found is one, too."""

    page: Page
    results: tuple[_Link, ...] | None = None  # None: a page of the provider's

    def link(self, number: int) -> _Link:
        links = self.results or tuple(map(_Link, self.page.links))
        if not 0 <= number < len(links):
            raise UsageError(f"The page has no link {number}; its links are 【number†text】.")
        return links[number]


class OpenBrowser:
    """One conversation's browser: the views that it was shown, in their order."""

    def __init__(self, provider: Provider) -> None:
        """A browser without views."""
        self._provider = provider
        self._turn = threading.Lock()
        self._views: list[_View] = []

    @property
    def namespace(self) -> ToolNamespace:
        """That of the tool."""
        return browser_namespace()

    def run(self, call: ToolCall, *, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """The view that a call leads to, or what is wrong with the call.

        Calls take milliseconds; none is stopped.
        """
        with self._turn:
            try:
                return self._follow(call)
            except (UsageError, PageMissing) as error:
                return str(error)

    def close(self) -> None:
        """Forget all views."""
        with self._turn:
            self._views.clear()

    def _follow(self, call: ToolCall) -> str:
        arguments = _Arguments(call)
        match call.recipient:
            case "browser.search":
                return self._search(arguments)
            case "browser.open":
                return self._open(arguments)
            case _:
                return self._find(arguments)

    def _search(self, arguments: "_Arguments") -> str:
        query = arguments.text("query")
        num_results = min(max(arguments.number("topn", _NUM_RESULTS), 1), _MAX_RESULTS)
        found = self._provider.search(query, num_results)
        items = [_item(number, each) for number, each in enumerate(found)]
        text = "\n".join(items) or "Nothing was found. Try fewer or other words."
        page = Page.finished("", harmless(query), f"# Search Results\n\n{text}")
        return self._show(_View(page, tuple(_Link(each.url, each.line) for each in found)))

    def _open(self, arguments: "_Arguments") -> str:
        target = arguments.number_or_text("id", -1)
        loc, num_lines = arguments.number("loc", -1), arguments.number("num_lines", -1)
        is_source = arguments.flag("view_source")
        if isinstance(target, str):
            return self._show(self._fetch(target, is_source=is_source), loc, num_lines)
        view, line = self._view(arguments.number("cursor", -1)), None
        if target != -1:
            url, line = view.link(target)
            view = self._fetch(url, is_source=is_source)
        elif is_source:
            view = self._fetch(view.page.url, is_source=True)
        if loc < 0 and line is not None and not is_source:
            loc = line - _LEAD_LINES if line > 2 * _LEAD_LINES else 0
        return self._show(view, loc, num_lines)

    def _find(self, arguments: "_Arguments") -> str:
        pattern, view = arguments.text("pattern"), self._view(arguments.number("cursor", -1))
        if view.results is not None:
            raise UsageError("find works on pages, not on what was found; open a result first.")
        page, lines = view.page, view.page.bare_lines
        found = _lines_with(lines, pattern)
        text = "\n\n".join(
            "\n".join([f"# 【{number}†match at L{line}】", *lines[line : line + _FOUND_LINES]])
            for number, line in enumerate(found)
        )
        wanted = _in_a_line(pattern)
        results = Page(
            f"{page.url}/find?pattern={quote(pattern)}",
            f"Find results for text: `{wanted}` in `{page.title}`",
            text or f"No `find` results for pattern: `{wanted}`",
        )
        return self._show(_View(results, tuple(_Link(page.url, line) for line in found)))

    def _view(self, cursor: int) -> _View:
        if not self._views:
            raise UsageError("No page is open; search for one, or open a URL.")
        last = len(self._views) - 1
        if not -1 <= cursor <= last:
            raise UsageError(f"There is no cursor {cursor}; there are 0 to {last}.")
        return self._views[cursor]

    def _fetch(self, url: str, *, is_source: bool) -> _View:
        bare = url.removeprefix(_SOURCE)
        read = self._provider.source if is_source or bare != url else self._provider.page
        return _View(read(bare))

    def _show(self, view: _View, loc: int = -1, num_lines: int = -1) -> str:
        """Show a page from a line on; only now is it one of the views."""
        page, start = view.page, max(loc, 0)
        if start >= len(page.lines):
            raise UsageError(f"There is no line {start}; the last is {len(page.lines) - 1}.")
        shown = _numbered(page.lines, start, num_lines)
        place = f" ({_in_a_line(unquote(page.url))})" if page.url else ""
        self._views.append(view)
        return (
            f"[{len(self._views) - 1}] {page.title}{place}\n"
            f"**viewing lines [{start} - {start + len(shown) - 1}] of {len(page.lines) - 1}**\n\n"
            + "\n".join(shown)
        )


class _Arguments:
    """What a call says. Numbers may be written as texts, and whole ones with a point."""

    def __init__(self, call: ToolCall) -> None:
        """The arguments of one of the tools.

        Raises:
            UsageError: when there is no such tool, or it has no such arguments.
        """
        tools = {f"browser.{tool.name}": tool for tool in browser_namespace().tools}
        if call.recipient not in tools:
            raise UsageError(f"There is no {call.recipient}; there are {', '.join(tools)}.")
        if call.arguments is None:
            raise UsageError(f"{call.recipient} takes a JSON object, and nothing else.")
        parameters = tools[call.recipient].parameters or {}
        known = parameters["properties"]
        assert isinstance(known, dict), "a built-in tool's parameters are an object's"
        unknown = call.arguments.keys() - known.keys()
        if unknown:
            raise UsageError(
                f"{call.recipient} takes {', '.join(known)}, but not {', '.join(sorted(unknown))}."
            )
        self._values = call.arguments

    def text(self, name: str) -> str:
        """A text that has to be there."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"`{name}` has to be a text, not {_briefly(value)}.")
        if len(value) > _MAX_TEXT:
            raise UsageError(
                f"`{name}` has {len(value)} characters, but {_MAX_TEXT} at most are taken; shorten "
                "it."
            )
        return value.encode(errors="replace").decode()  # JSON can name halves of characters

    def number_or_text(self, name: str, default: int) -> int | str:
        """A whole number, or a text that is none."""
        value = self._values.get(name)
        is_text = isinstance(value, str) and not _NUMBER.fullmatch(value.strip())
        return self.text(name) if is_text else self.number(name, default)

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise UsageError(f"`{name}` has to be a whole number, not {_briefly(value)}.")

    def flag(self, name: str) -> bool:
        """True or false, which is the default."""
        value = self._values.get(name)
        if value not in (None, True, False):
            raise UsageError(f"`{name}` has to be true or false, not {_briefly(value)}.")
        return bool(value)


def _item(number: int, found: Found) -> str:
    title, passage = harmless(found.title), harmless(found.passage[:_MAX_PASSAGE])
    return f"  * {mark_link(number, title, urlsplit(found.url).netloc)} {passage}".rstrip()


def _in_a_line(text: str) -> str:
    return harmless(" ".join(text.split()))


def _briefly(value: object) -> str:
    return "nothing" if value is None else repr(value)[:80]


def _lines_with(lines: Sequence[str], pattern: str) -> list[int]:
    """Lines in which a text begins, but for those that are shown with the one before.

    It may go on in the lines that follow.
    """
    words = [" ".join(line.split()).casefold() for line in lines]
    text = " ".join(filter(None, words))
    starts = [0, *accumulate(len(line) + 1 if line else 0 for line in words)]  # in the text
    wanted = " ".join(pattern.split()).casefold()
    found: list[int] = []
    place = text.find(wanted)
    while place >= 0 and len(found) < _MAX_FOUND:
        found.append(bisect_right(starts, place) - 1)
        place = text.find(wanted, starts[min(found[-1] + _FOUND_LINES, len(lines))])
    return found


def _numbered(lines: Sequence[str], start: int, num_lines: int) -> list[str]:
    """As many lines as were asked for, or fit in a view, with their numbers; one at least."""
    left = _VIEW_BYTES if num_lines <= 0 else _MAX_VIEW_BYTES
    end = len(lines) if num_lines <= 0 else start + num_lines
    shown: list[str] = []
    for number, line in enumerate(lines[start:end], start):
        shown.append(f"L{number}: {line}")
        left -= len(shown[-1].encode()) + 1
        if left <= 0:
            break
    return shown
