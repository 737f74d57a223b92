"""A story, read and cleaned, with its sentences and their places in the clean text.

Reads text, Markdown, HTML and PDF from a file, an address or standard input. The clean text is what
quotes are matched against: every offset is counted in its characters. Knows nothing of models and
claims, and never acts on what a story says.
"""

import codecs
import hashlib
import itertools
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import sentencex

from netweight.errors import StoryError
from netweight.verdict.article import as_date, read_article
from netweight.verdict.fetch import Fetched, fetch, is_url
from netweight.verdict.pdf import is_pdf, read_pdf

MAX_FILE_BYTES = 5_000_000  # a news page with all its scripts is under 3 MB
MAX_TEXT_CHARACTERS = 200_000  # about 30,000 words: ten times a long feature
MAX_SENTENCE_CHARACTERS = (
    1_500  # longer runs are cut at a space, so that no text costs more than time
)
MAX_FRONT_MATTER_CHARACTERS = 5_000

Format = Literal["text", "markdown", "html", "pdf"]

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\u00ad\ufeff]"
)
_GLUED_HEADING = re.compile(r"(?<=[a-z]{3}[.!?])(?=[A-Z][a-z])")
_LINE_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+\u2022\u00b7][ \t]+|\d{1,2}[.)][ \t]+)+"
)
_MARKDOWN_LINK = re.compile(r"!?\[([^\][]{0,500})\]\([^()\s]{0,2000}(?: \"[^\"\n]{0,200}\")?\)")
_MARKDOWN_EMPHASIS = re.compile(r"(\*\*|__|\*|`)(?=\S)([^*_`\n]{1,500}?)(?<=\S)\1")
# Python's codecs that no page is written in: slow on long texts, or giving what is no text.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7"})
_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_.:\-]{1,40})", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_FIELD = re.compile(r"([A-Za-z]{1,20})[ \t]*:[ \t]*(\S.{0,300})")
_HTML_START = re.compile(
    r"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)


class Span(NamedTuple):
    """A half-open range of characters of the clean text."""

    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """One sentence and where it stands; `paragraph` counts the lines of the clean text."""

    text: str
    span: Span
    paragraph: int
    is_heading: bool = False


@dataclass(frozen=True)
class Story:
    """A story as it was read. `sha256` is of the bytes as given, before any cleaning.

    `published` and `publisher` are what a page, a Markdown file or a PDF declares of itself, or
    None; `url` is the address it was fetched from.
    """

    name: str
    title: str
    text: str
    format: Format
    sha256: str
    sentences: tuple[Sentence, ...]
    published: str | None = None
    publisher: str | None = None
    url: str | None = None

    @property
    def num_words(self) -> int:
        """Words of the clean text."""
        return len(self.text.split())


class _Parts(NamedTuple):
    """A story's text before cleaning, and what its file declares."""

    text: str
    title: str | None = None
    published: str | None = None
    publisher: str | None = None


def read_story(path: str, *, allow_private: bool = False) -> Story:
    """Read a story from a file, from an http or https address, or for `-` from standard input.

    Raises:
        StoryError: there is no such file, it is a folder, binary, too large, not decodable, or has
            no text in it; or the address is not allowed or gives no page (netweight.verdict.fetch).
    """
    if path == "-":
        return parse_story(sys.stdin.buffer.read(MAX_FILE_BYTES + 1), "standard input")
    if is_url(path):
        fetched = fetch(path, allow_private=allow_private, max_bytes=MAX_FILE_BYTES)
        return parse_story(fetched.content, fetched.url, fetched=fetched)
    file = Path(path)
    try:
        size = file.stat().st_size
        if file.is_dir():
            raise StoryError(
                f"{path} is a folder. Name one story: a text, Markdown, HTML or PDF file."
            )
        if size > MAX_FILE_BYTES:
            raise StoryError(_too_large(path, size))
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise StoryError(
            f"there is no file {path}. Name a text, Markdown, HTML or PDF file."
        ) from error
    except (OSError, ValueError) as error:
        raise StoryError(f"{path} cannot be read: {error}") from error
    return parse_story(content, file.name)


def parse_story(content: bytes, name: str, *, fetched: Fetched | None = None) -> Story:
    """Make a story of a file's bytes; `name` says where they are from and hints at the format.

    What a server said of the bytes, in `fetched`, counts before the hint.

    Raises:
        StoryError: as read_story.
    """
    if len(content) > MAX_FILE_BYTES:
        raise StoryError(_too_large(name, len(content)))
    story_format, parts = _read(content, name, fetched)
    text = clean(unwrapped(parts.text, story_format), markdown=story_format == "markdown")
    if not any(map(str.isalpha, text)):
        raise StoryError(f"{name} has no text in it. Give a story with at least one sentence.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise StoryError(
            f"{name} has {len(text):,} characters of text; the limit is {MAX_TEXT_CHARACTERS:,}. "
            "Give one story rather than a collection."
        )
    return Story(
        name=name,
        title=parts.title or _first_line(text),
        text=text,
        format=story_format,
        sha256=hashlib.sha256(content).hexdigest(),
        sentences=split_sentences(text),
        published=parts.published,
        publisher=parts.publisher,
        url=fetched.url if fetched else None,
    )


def _read(content: bytes, name: str, fetched: Fetched | None) -> tuple[Format, _Parts]:
    """The text of a file and what it declares. Bytes that begin as a PDF are one, whatever said."""
    if is_pdf(content):
        document = read_pdf(content, name)
        return "pdf", _Parts(document.text, _clean_name(document.title), document.published)
    raw = decode(content, name, charset=fetched.charset if fetched else None)
    story_format = _format_of(raw, name, fetched.media_type if fetched else "")
    return story_format, _parts(raw, name, story_format)


def _too_large(name: str, size: int) -> str:
    return (
        f"{name} is larger than a story: {size / 1e6:.1f} MB; the limit is "
        f"{MAX_FILE_BYTES / 1e6:.0f} MB. Save the article alone, as text."
    )


def decode(content: bytes, name: str, *, charset: str | None = None) -> str:
    """The bytes as text: by byte order mark, a server's charset, a page's own, then as UTF-8.

    Raises:
        StoryError: the bytes are not text in that encoding.
    """
    encoding = _encoding_of(content, charset)
    is_wide = encoding.startswith("utf-16")
    if not is_wide and (b"\0" in content or content[:4] in (b"%PDF", b"\x89PNG", b"PK\x03\x04")):
        raise StoryError(f"{name} is a binary file. Give a text, Markdown, HTML or PDF file.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise StoryError(
            f"{name} is not {encoding.upper()} text (byte {error.start}). Save it as UTF-8."
        ) from error


def _encoding_of(content: bytes, charset: str | None) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declared = _CHARSET.search(content[:2048])
    own = declared[1].decode("ascii") if declared and content.lstrip()[:1] == b"<" else None
    for name in filter(None, (charset, own)):
        try:
            b"test".decode(name)
            encoding = codecs.lookup(name).name
        except (LookupError, UnicodeError):
            continue  # a charset nobody knows; UTF-8 is strict enough to notice a wrong guess
        if encoding not in _NO_CHARSETS:
            return encoding
    return "utf-8"


def _format_of(raw: str, name: str, media_type: str) -> Format:
    suffix = Path(name).suffix.lower()
    is_page = media_type in ("text/html", "application/xhtml+xml")
    if is_page or suffix in (".html", ".htm", ".xhtml") or _HTML_START.match(raw[:4096]):
        return "html"
    is_markdown = media_type in ("text/markdown", "text/x-markdown")
    return "markdown" if is_markdown or suffix in (".md", ".markdown") else "text"


def _parts(raw: str, name: str, story_format: Format) -> _Parts:
    if story_format == "html":
        article = read_article(raw, name)
        title = _clean_name(article.title)
        text = article.text
        if title and not text.startswith(title):
            text = f"{title}\n{text}"
        return _Parts(text, title, article.published, _clean_name(article.publisher))
    return _front_matter(raw) if story_format == "markdown" else _Parts(raw)


def _clean_name(name: str | None) -> str | None:
    """A title or a publisher on one line, as text."""
    return clean(name.replace("\n", " "), markdown=False) or None if name else None


def _front_matter(raw: str) -> _Parts:
    """A Markdown file's text and what its front matter declares: title, date and publisher."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    found = _FRONT_MATTER.match(text[:MAX_FRONT_MATTER_CHARACTERS])
    if found is None:
        return _Parts(raw)
    lines = (_FRONT_FIELD.fullmatch(line.strip()) for line in found[1].split("\n"))
    fields = {m[1].lower(): m[2].strip(" \t\"'") for m in lines if m}
    return _Parts(
        text[found.end() :],
        _clean_name(fields.get("title")),
        as_date(fields.get("date") or fields.get("published")),
        _clean_name(fields.get("publisher") or fields.get("source")),
    )


def unwrapped(text: str, story_format: Format) -> str:
    """Join the lines of paragraphs that an editor broke to a width; other lines stay as they are.

    Markdown says that the lines of a paragraph belong together. In plain text a run of lines counts
    as broken only where no line could have taken the next one's first word.
    """
    if story_format == "html":
        return text
    paragraphs = re.split(r"\n[ \t]*(?:\n[ \t]*)+", text.replace("\r\n", "\n").replace("\r", "\n"))
    joined = []
    for paragraph in paragraphs:
        lines = paragraph.split("\n")
        has_marks = any(_LINE_MARK.match(line) for line in lines)
        if not has_marks and (story_format == "markdown" or _is_wrapped(lines)):
            lines = [" ".join(line.strip() for line in lines)]
        joined.append("\n".join(lines))
    return "\n\n".join(joined)


def _is_wrapped(lines: list[str]) -> bool:
    lines = [line.strip() for line in lines if line.strip()]
    width = max(map(len, lines), default=0)
    if len(lines) < 2 or not 50 <= width <= 120:
        return False
    full = all(
        len(line) + 1 + len(after.split()[0]) > width for line, after in itertools.pairwise(lines)
    )
    return full and (len(lines) > 2 or lines[1][0].islower())


def clean(text: str, *, markdown: bool) -> str:
    """Normalise to NFC, drop control and invisible characters and line marks, unglue headings."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n"))
    text = re.sub(r"[ \t\u00a0\u202f]+", " ", text)
    if markdown:
        text = _MARKDOWN_LINK.sub(r"\1", text)
        text = _MARKDOWN_EMPHASIS.sub(r"\2", text)
    text = _GLUED_HEADING.sub("\n", text)
    lines = (_LINE_MARK.sub("", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a clean text with their places; a line is a paragraph."""
    sentences: list[Sentence] = []
    start = 0
    for paragraph, line in enumerate(text.split("\n")):
        is_heading = _is_heading(line)
        for begin, end in _boundaries(line, whole=is_heading):
            place = Span(start + begin, start + end)
            sentences.append(Sentence(line[begin:end], place, paragraph, is_heading))
        start += len(line) + 1
    return tuple(sentences)


def _boundaries(line: str, *, whole: bool) -> list[Span]:
    if whole:
        return [Span(0, len(line))] if any(map(str.isalpha, line)) else []
    spans = []
    for boundary in sentencex.get_sentence_boundaries("en", line):
        for start, end in _cut(line, boundary["start_index"], boundary["end_index"]):
            piece = line[start:end]
            start += len(piece) - len(piece.lstrip())
            end -= len(piece) - len(piece.rstrip())
            if any(map(str.isalpha, line[start:end])):
                spans.append(Span(start, end))
    return spans


def _cut(line: str, start: int, end: int) -> Iterator[Span]:
    """The range in pieces of bounded length, cut after spaces where there are any."""
    while end - start > MAX_SENTENCE_CHARACTERS:
        space = line.rfind(" ", start, start + MAX_SENTENCE_CHARACTERS)
        cut = space + 1 if space > start else start + MAX_SENTENCE_CHARACTERS
        yield Span(start, cut)
        start = cut
    yield Span(start, end)


def _is_heading(line: str) -> bool:
    """Short, and without the end of a sentence."""
    return (
        len(line) <= 120
        and len(line.split()) <= 12
        and not re.search(r"[.!?\u2026][\"'\u2019\u201d)\]]*$", line)
    )


def _first_line(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 200 else line[:199].rstrip() + "\u2026"
