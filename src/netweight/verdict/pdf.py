"""A PDF's text, page by page, with the title and the date that the document gives itself.

A PDF says where glyphs stand, not what a paragraph is: lines are joined by their widths and ends.
It may be broken or hostile, so that it is read in a process of its own, with a limit on its time
and its memory. Knows nothing of stories.
"""

import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from netweight.errors import StoryError

MAX_PAGES = 200
MAX_CHARACTERS = 200_000  # as of any story
TIMEOUT_S = 30.0
MAX_MEMORY_BYTES = 1_500_000_000
MAX_TITLE_CHARACTERS = 200

_REMEDY = "Save its text and give that."

_PAGE_NUMBER = re.compile(
    r"(?:page\s+)?[\s|\u2013\u2014-]{0,3}\d{1,4}[\s|\u2013\u2014-]{0,3}(?:(?:of|/)\s*\d{1,4})?",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?\u2026:][\"'\u2019\u201d)\]]*$")
_MARK = re.compile(r"(?:[-*+\u2022\u00b7\u25aa\u25cf\u2013]|\d{1,2}[.)])\s")
_SPLIT = re.compile(r"([^\W_]+)-$")
_LEADING = re.compile(r"[a-z]+")
_MADE_BY_A_PROGRAM = re.compile(r"(?i)untitled.*|.*\.(?:docx?|odt|rtf|tex|dvi|indd|qxp|pdf)")
_IS_SHORT = 0.8  # of a page's usual width: ragged lines of one paragraph reach further


class Document(NamedTuple):
    """A PDF's text, a paragraph a line, and what it says of itself; None where it says nothing."""

    text: str
    title: str | None
    published: str | None


class _Refused(Exception):
    """Why a document is not read, said in the child for the person who gave it."""


def is_pdf(content: bytes) -> bool:
    """Whether bytes begin as a PDF does; white space before it is let pass."""
    return content[:1024].lstrip()[:5] == b"%PDF-"


def read_pdf(content: bytes, name: str, *, timeout_s: float = TIMEOUT_S) -> Document:
    """The text of a PDF, in another process.

    Raises:
        StoryError: it is encrypted, broken, too long, takes too long, or holds no text.
    """
    command = [sys.executable, "-P", __file__]  # -P: no module of the current folder is run
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise StoryError(
            f"{name} takes longer than {timeout_s:g} seconds to read, which no story's PDF does. "
            f"{_REMEDY}"
        ) from error
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        raise StoryError(
            f"{name} is a binary file that begins as a PDF and cannot be read as one: "
            f"{told or 'its reader was ended'}. {_REMEDY}"
        )
    said = json.loads(done.stdout)
    if "refused" in said:
        raise StoryError(f"{name} {said['refused']}")
    return Document(join_pages(said["pages"]), _title(said["title"]), _day(said["date"]))


def answer_parent() -> None:
    """The other process: a PDF on standard input, what it holds as JSON on standard output."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    content = sys.stdin.buffer.read()
    try:
        said = _extracted(content)
    except _Refused as refusal:
        said = {"refused": str(refusal)}
    sys.stdout.write(json.dumps(said))


def _extracted(content: bytes) -> dict[str, object]:
    """The pages' texts and the document's information.

    What pypdf makes of a broken file is any exception at all; it ends this process, and the
    parent says so.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    reader = PdfReader(io.BytesIO(content))
    try:
        is_locked = reader.is_encrypted and not reader.decrypt("")
    except DependencyError:
        is_locked = True
    if is_locked:
        raise _Refused(
            "is an encrypted PDF. Save it without a password, or save its text and give that."
        )
    if len(reader.pages) > MAX_PAGES:
        raise _Refused(
            f"has {len(reader.pages):,} pages; the limit is {MAX_PAGES}. Give one story rather "
            "than a collection."
        )
    pages: list[str] = []
    for page in reader.pages:
        pages.append(page.extract_text())
        if sum(map(len, pages)) > MAX_CHARACTERS:
            raise _Refused(
                f"has more than {MAX_CHARACTERS:,} characters of text, which is the limit. Give "
                "one story rather than a collection."
            )
    if not any(map(str.isalpha, "".join(pages))):
        raise _Refused(
            "is a PDF without text, perhaps a scan: pictures of pages are not read. Have its text "
            "recognised (OCR), and give that."
        )
    information = reader.metadata
    return {
        "pages": pages,
        "title": information and information.title,
        "date": information and information.creation_date_raw,
    }


def _title(said: str | None) -> str | None:
    """A title that a person gave, on one line."""
    words = " ".join((said or "").split()).removeprefix("Microsoft Word - ")
    is_usable = 0 < len(words) <= MAX_TITLE_CHARACTERS and not _MADE_BY_A_PROGRAM.fullmatch(words)
    return words if is_usable else None


def _day(said: str | None) -> str | None:
    """The day of a date as PDF writes it: D:YYYYMMDDHHmmSS and an offset (ISO 32000-1, 7.9.4)."""
    from netweight.verdict.article import as_date  # not for the child, which starts faster so

    found = re.match(r"\s*(?:D:)?(\d{4})(\d{2})(\d{2})", said or "")
    return as_date("-".join(found.groups())) if found else None


def join_pages(pages: Sequence[str]) -> str:
    """The text of pages as paragraphs, an empty line between two, without what every page repeats.

    A line ends its paragraph where it had room for the next word and either ends a sentence, comes
    before a capital letter, or fills less than half of the usual width; also before an empty line
    or the mark of a list.
    """
    bare = _without_furniture([_lines(page) for page in pages])
    known = {word.lower() for page in pages for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", page)}
    paragraphs: list[str] = []
    is_open = False  # whether the next line goes on with the last paragraph
    for lines in bare:
        width = _usual_width(lines)
        for index, line in enumerate(lines):
            if not line:
                is_open = False
                continue
            if is_open and not _MARK.match(line):
                paragraphs[-1] = _joined(paragraphs[-1], line, known)
            else:
                paragraphs.append(line)
            after = lines[index + 1] if index + 1 < len(lines) else ""
            is_last = index + 1 == len(lines)
            is_open = not _END.search(line) if is_last else not _ends(line, after, width)
    return "\n\n".join(paragraphs)


def _lines(page: str) -> list[str]:
    """A page's lines without outer white space; of several empty ones, one."""
    lines = [" ".join(line.split()) for line in page.splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return text.split("\n") if text else []


def _ends(line: str, after: str, width: int) -> bool:
    """Whether a paragraph ends with this line, before the line `after` on the same page."""
    if not after or len(line) + 1 + len(after.split()[0]) > _IS_SHORT * width:
        return not after
    return bool(_END.search(line)) or not after[0].islower() or len(line) < width / 2


def _usual_width(lines: Sequence[str]) -> int:
    """The width that nine lines in ten keep to."""
    widths = sorted(len(line) for line in lines if line)
    return widths[(9 * (len(widths) - 1)) // 10] if widths else 0


def _joined(text: str, line: str, known: set[str]) -> str:
    """Two lines of a paragraph as one; a word that was divided at the end of the first is whole.

    Whether the hyphen was the word's own is told by the rest of the document: it stays where that
    writes the word with a hyphen, or has a digit in the first part.
    """
    if text.endswith("\u00ad"):
        return text[:-1] + line
    divided, rest = _SPLIT.search(text), _LEADING.match(line)
    if divided is None:
        return f"{text} {line}"
    first = divided[1].lower()
    is_own = rest is None or re.search(r"\d", first) or _is_written(f"{first}-{rest[0]}", known)
    return text + line if is_own else text[:-1] + line


def _is_written(compound: str, known: set[str]) -> bool:
    return any(word == compound or word.startswith(f"{compound}-") for word in known)


def _without_furniture(pages: Sequence[list[str]]) -> list[list[str]]:
    """Pages without page numbers, and without a first or last line that most pages repeat."""
    edges = Counter(
        form for lines in pages for form in {_form(line) for line in (*lines[:1], *lines[-1:])}
    )
    repeated = {form for form, count in edges.items() if count >= 3 and count > len(pages) / 2}

    kept = []
    for lines in pages:
        left = list(lines)
        for edge in (0, -1):
            while left and _is_furniture(left[edge], repeated if len(left) > 1 else set()):
                left.pop(edge)
        kept.append(left)
    return kept


def _is_furniture(line: str, repeated: set[str]) -> bool:
    return not line or bool(_PAGE_NUMBER.fullmatch(line)) or _form(line) in repeated


def _form(line: str) -> str:
    """A line with its numbers alike, so that "Page 2" repeats "Page 1"."""
    return re.sub(r"\d+", "0", line)


if __name__ == "__main__":
    answer_parent()
