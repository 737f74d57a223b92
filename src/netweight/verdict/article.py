"""A web page's article: its text, and what the page declares about itself.

Reads HTML that may be broken or hostile: runs nothing, fetches nothing, leaves hidden elements out
and refuses by name what no news page is. What a page declares is repeated, not believed.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from netweight.errors import StoryError

# Extraction takes 0.1 ms an element and slows down beyond that: 3 s at the limit, 30 s at 100,000.
MAX_ELEMENTS = 30_000
MAX_DECLARED_CHARACTERS = 500_000  # of one JSON-LD block: an article's body and its metadata
MAX_NAME_CHARACTERS = 200
MIN_ARTICLE_WORDS = 10  # less is what an extractor finds on a page that has no article

_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ARTICLE_TYPE = re.compile(r"(?:Article|BlogPosting|Report)$")
_DATE_NAMES = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "date",
    "dc.date",
    "dc.date.issued",
    "dcterms.date",
    "dcterms.issued",
    "citation_publication_date",
    "citation_date",
    "parsely-pub-date",
    "pubdate",
    "publish-date",
)
_PUBLISHER_NAMES = ("og:site_name", "publisher", "dc.publisher", "citation_journal_title")


class Declared(NamedTuple):
    """What a page says of itself, in its metadata; None where it says nothing usable."""

    title: str | None = None
    published: str | None = None
    publisher: str | None = None
    body: str | None = None


class Article(NamedTuple):
    """The text that a reader of the page would see as the article, with what the page declares."""

    title: str | None
    text: str
    published: str | None
    publisher: str | None


def read_article(raw: str, name: str) -> Article:
    """The page's article, without navigation, advertisements and hidden text.

    Where nothing can be extracted, as on pages that a script fills, the body that the page declares
    in its metadata is read.

    Raises:
        StoryError: the page has no article text, or far more elements than a news page.
    """
    import trafilatura  # a quarter of a second, so only for pages
    from trafilatura.settings import Document

    tree = _parsed(raw, name)
    declared = declared_by(tree)
    _drop_hidden(tree)
    document = trafilatura.bare_extraction(
        tree,
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    found = (isinstance(document, Document) and document.text) or ""
    text = found if _is_article(found) else declared.body or ""
    if not _is_article(text):
        raise StoryError(
            f"{name} is a page with no article text in it. Save the article's text and give that."
        )
    title = document.title if isinstance(document, Document) else None
    return Article(title or declared.title, text, declared.published, declared.publisher)


def _is_article(text: str) -> bool:
    return len(text.split()) >= MIN_ARTICLE_WORDS


def _parsed(raw: str, name: str) -> Any:  # noqa: ANN401 - lxml has no types
    from lxml import etree, html

    if not raw.strip():
        raise StoryError(f"{name} has no text in it. Give a story with at least one sentence.")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(raw.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise StoryError(
            f"{name} is a page with no article text in it. Save the article's text and give that."
        ) from error
    for count, _ in enumerate(tree.iter()):
        if count >= MAX_ELEMENTS:
            raise StoryError(
                f"{name} has more than {MAX_ELEMENTS:,} elements, far more than a news page. "
                "Save the article's text and give that."
            )
    return tree


def _drop_hidden(tree: Any) -> None:  # noqa: ANN401 - lxml has no types
    """Remove what a reader of the page does not see, so that no claim is read there."""
    for element in tree.xpath("//*[@hidden or @style] | //template"):
        is_hidden = element.get("hidden") is not None or element.tag == "template"
        if element.getparent() is not None and (
            is_hidden or _HIDDEN.search(element.get("style", ""))
        ):
            element.drop_tree()


def declared_by(tree: Any) -> Declared:  # noqa: ANN401 - lxml has no types
    """Title, date, publisher and body from JSON-LD first, then from meta elements."""
    articles = [
        item
        for script in tree.xpath("//script[contains(@type, 'ld+json')]")
        for item in _linked_data(script.text or "")
        if _is_article_type(item)
    ]
    named = _meta(tree)
    times = tree.xpath("//time[@itemprop='datePublished' or @pubdate]/@datetime")
    dates = [a.get("datePublished") for a in articles] + [named.get(n) for n in _DATE_NAMES]
    publishers = [_name_of(a.get("publisher")) for a in articles]
    publishers += [named.get(n) for n in _PUBLISHER_NAMES]
    return Declared(
        title=_first(_short(a.get("headline")) for a in articles),
        published=_first(as_date(value) for value in [*dates, *times]),
        publisher=_first(_short(value) for value in publishers),
        body=_first(_plain(a.get("articleBody")) for a in articles),
    )


def _first(values: Iterator[str | None]) -> str | None:
    return next(filter(None, values), None)


def _linked_data(text: str) -> Iterator[dict[str, Any]]:
    """The objects of one JSON-LD block; a block that is not JSON has none."""
    if len(text) > MAX_DECLARED_CHARACTERS:
        return
    try:
        parsed = json.loads(text, strict=False)
    except (json.JSONDecodeError, RecursionError):
        return  # broken metadata is common, and the page may still hold an article
    for item in parsed if isinstance(parsed, list) else [parsed]:
        if isinstance(item, dict):
            yield item
            graph = item.get("@graph")
            yield from (i for i in graph if isinstance(i, dict)) if isinstance(graph, list) else ()


def _is_article_type(item: dict[str, Any]) -> bool:
    types = item.get("@type")
    return any(
        isinstance(one, str) and _ARTICLE_TYPE.search(one)
        for one in (types if isinstance(types, list) else [types])
    )


def _meta(tree: Any) -> dict[str, str]:  # noqa: ANN401 - lxml has no types
    """Contents of meta elements by lower-case name; the first of a name counts."""
    named: dict[str, str] = {}
    for element in tree.xpath("//meta[@content]"):
        for attribute in ("property", "name", "itemprop"):
            if key := element.get(attribute):
                named.setdefault(key.strip().lower(), element.get("content"))
    return named


def _name_of(value: object) -> object:
    if isinstance(value, list):
        return _name_of(value[0]) if value else None
    return value.get("name") if isinstance(value, dict) else value


def _short(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    words = " ".join(value.split())
    return words if 0 < len(words) <= MAX_NAME_CHARACTERS else None


def _plain(value: object) -> str | None:
    """A declared body as text: some publishers put markup into it."""
    if not isinstance(value, str) or not value.strip():
        return None
    if "<" not in value:
        return value
    from lxml import etree, html

    try:
        return str(html.fromstring(re.sub(r"(?i)</p>|<br\s*/?>", "\n", value)).text_content())
    except (etree.ParserError, ValueError):
        return None


def as_date(value: object) -> str | None:
    """The day of a time stamp that begins with a date such as 2025-08-05, or None."""
    if not isinstance(value, str):
        return None
    start = re.match(r"\s*(\d{4})[-/](\d{2})[-/](\d{2})(?!\d)", value)
    if start is None:
        return None
    try:
        return date(*map(int, start.groups())).isoformat()
    except ValueError:
        return None
