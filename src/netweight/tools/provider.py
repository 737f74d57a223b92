"""Where the browser has its pages from: what it needs of whoever finds and reads them."""

from typing import NamedTuple, Protocol

from netweight.tools.page import Page


class Found(NamedTuple):
    """A page that a search has found, and the passage that fits best."""

    url: str
    title: str
    passage: str
    line: int  # in which the passage begins


class PageMissing(Exception):
    """There is no such page. The message is for the model."""


class Provider(Protocol):
    """Finds and reads pages, for many conversations at once."""

    def search(self, query: str, num_results: int) -> list[Found]:
        """Pages on what is asked, the best first."""

    def page(self, url: str) -> Page:
        """The page of a URL.

        Raises:
            PageMissing: when it has none, or that may not be opened.
        """

    def source(self, url: str) -> Page:
        """The page as it was written, say in HTML.

        Raises:
            PageMissing: as `page` does.
        """
