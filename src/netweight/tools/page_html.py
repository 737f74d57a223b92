"""HTML as a page: what a reader would see, with the marks of Markdown for headings and lists."""

import re

from lxml import etree, html

from netweight.tools.page import Links, Page, file_name, harmless

_UNSEEN = frozenset({
    "title", "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas",
    "video", "audio", "select",
})  # fmt: skip
_HEADINGS = {f"h{level}": f"{'#' * level} " for level in range(1, 7)}
_PARAGRAPHS = frozenset({
    "p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "ul", "ol", "dl",
    "table", "figure", "figcaption", "blockquote", "form", "fieldset", "details", "summary", "pre",
    "address", "hr", *_HEADINGS,
})  # fmt: skip
_LINES = frozenset({"li", "dt", "dd", "tr", "caption", "legend", "br"})
_INDEX = re.compile(r"[\w-]+")
_HIDDEN = re.compile(r"display\s*:\s*none")
_RAISED = {"sup": "^{", "sub": "_{"}
_SPACES = re.compile(r"[ \t\n\r\f\v]+")


def read_html(content: bytes, url: str) -> Page:
    """An HTML file. Its title is the document's, or else its first heading.

    Navigation is kept, since its links lead on; scripts, styles and media are not.
    """
    root = _parsed(content)
    if root is None:
        return Page.finished(url, file_name(url), "")
    writer = _Writer(Links(url))
    writer.write(root)
    titles = (*root.iter("title"), *root.iter("h1"))
    title = next(filter(None, (_words(element) for element in titles)), "")
    return Page.finished(url, title or file_name(url), writer.text(), writer.links.urls)


def _parsed(content: bytes) -> html.HtmlElement | None:
    """The document; lxml guesses an encoding only where it is not UTF-8."""
    try:
        content.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None
    parser = html.HTMLParser(encoding=encoding, huge_tree=True)
    try:
        return html.document_fromstring(content, parser=parser)
    except etree.ParserError:  # nothing in it
        return None


class _Writer:
    """Writes elements as text, one after the other; no depth of nesting is too much for it."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self._lines = [""]
        self._has_text = False  # the last line, besides the mark of a heading or a list
        self._lists: list[int | None] = []  # open ones: the last number in an ordered one
        self._num_pre = 0  # open ones

    def text(self) -> str:
        """What was written."""
        return "\n".join(line.rstrip() for line in self._lines)

    def write(self, root: html.HtmlElement) -> None:
        """Write an element and all in it."""
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start" and _is_seen(element):
                self._start(element)
                if _is_link(element):
                    self._add(self.links.mark(element.get("href"), _words(element)))
                    walk.skip_subtree()
                else:
                    self._add(harmless(element.text or ""))
            elif event == "start":
                walk.skip_subtree()
            elif element is not root:
                if event == "end" and _is_seen(element):
                    self._end(element)
                self._add(harmless(element.tail or ""))

    def _start(self, element: html.HtmlElement) -> None:
        """Write what comes before an element's text."""
        tag = element.tag
        self._break(tag)
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._lines[-1] += self._item_mark()
        elif tag in _HEADINGS:
            self._lines[-1] += _HEADINGS[tag]
        elif tag == "img" and element.get("alt", "").strip():
            self._add(f"(image: {harmless(element.get('alt'))})")
        elif tag == "hr":
            self._add("* * *")
        elif tag in ("td", "th") and self._has_text:
            self._add(" | ")
        elif _is_raised(element):
            self._add(_RAISED[tag])
        self._num_pre += tag == "pre"

    def _end(self, element: html.HtmlElement) -> None:
        """Write what comes after an element's text."""
        tag = element.tag
        if tag in ("ul", "ol"):
            self._lists.pop()
        elif _is_raised(element):
            self._add("}")
        self._num_pre -= tag == "pre"
        if tag != "br":
            self._break(tag)

    def _item_mark(self) -> str:
        indent = "  " * max(len(self._lists), 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}* "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _break(self, tag: str) -> None:
        """Go to a new line where a tag asks for one, after an empty one where it is a paragraph."""
        is_paragraph = tag in _PARAGRAPHS and not self._lists
        if not is_paragraph and tag not in _LINES and tag not in _PARAGRAPHS:
            return
        if self._has_text:
            self._lines.append("")
            self._has_text = False
        if is_paragraph and self._lines[-1] == "":
            self._lines.append("")

    def _add(self, text: str) -> None:
        """Write inline text; white space counts as one space, except in `pre`."""
        if self._num_pre:
            first, *others = text.split("\n")
            self._lines[-1] += first
            self._lines += others
            self._has_text = bool(self._lines[-1])
            return
        text = _SPACES.sub(" ", text)
        line = self._lines[-1]
        if not line or line.endswith(" "):
            text = text.lstrip(" ")
        self._lines[-1] += text
        self._has_text = self._has_text or bool(text)


def _is_seen(element: html.HtmlElement) -> bool:
    is_hidden = element.get("hidden") is not None or _HIDDEN.search(element.get("style", ""))
    return element.tag not in _UNSEEN and not is_hidden


def _is_link(element: html.HtmlElement) -> bool:
    return element.tag == "a" and element.get("href") is not None and bool(_words(element))


def _is_raised(element: html.HtmlElement) -> bool:
    """Whether an element is a plain index, say of a formula, which is marked as one."""
    return (
        element.tag in _RAISED and not len(element) and bool(_INDEX.fullmatch(element.text or ""))
    )


def _words(element: html.HtmlElement) -> str:
    """An element's text in one line, or the names of its pictures."""
    words = " ".join(element.itertext(with_tail=False)).split()
    names = [image.get("alt", "") for image in element.iter("img")]
    return harmless(" ".join(words or " ".join(names).split()))
