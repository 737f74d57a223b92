"""Stories as PDF, written by hand here: no file of anybody's is needed."""

import textwrap
import time
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.errors import StoryError
from netweight.verdict import make_report, parse_story
from netweight.verdict.pdf import MAX_PAGES, is_pdf, join_pages, read_pdf

STORY = (
    "gpt-oss-20b is released under the MIT license. It fits into 16 GB of memory, and OpenAI says "
    "that it comes close to o3-mini. Whether that is so, few have tried to find out by now."
)


def shown(lines):
    """The drawing of a page: a line under a line."""
    escaped = (line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in lines)
    drawn = "\n".join(f"({line}) Tj T*" for line in escaped)
    return f"BT /F1 11 Tf 14 TL 60 780 Td\n{drawn}\nET".encode("latin-1")


def pdf(*pages, information="", extra_trailer="", packed=False):
    """A whole PDF with these pages, each of lines or of a drawing's bytes."""
    drawings = [page if isinstance(page, bytes) else shown(page) for page in pages]
    kids = " ".join(f"{5 + 2 * index} 0 R" for index in range(len(drawings)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawings)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< {information} >>".encode("latin-1"),
    ]
    for index, drawing in enumerate(drawings):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * index} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        body, how = (zlib.compress(drawing), "/Filter /FlateDecode ") if packed else (drawing, "")
        objects.append(f"<< {how}/Length {len(body)} >>\nstream\n".encode() + body + b"\nendstream")
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += (
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R {extra_trailer} >>".encode()
    )
    return bytes(made + b"\nstartxref\n%d\n%%%%EOF\n" % table)


def refused(content):
    with pytest.raises(StoryError) as caught:
        parse_story(content, "story.pdf")
    message = str(caught.value)
    assert "\n" not in message and message.startswith("story.pdf ")
    return message


def test_a_pdf_is_read_as_a_story_with_its_title_and_day(tables):
    information = "/Title (Small models, large claims) /CreationDate (D:20250807093000+02'00')"
    content = pdf(textwrap.wrap(STORY, 70), information=information)
    story = parse_story(content, "story.pdf")
    assert story.text == STORY
    assert (story.title, story.published) == ("Small models, large claims", "2025-08-07")
    report = make_report(story, tables, date="2026-01-02")
    assert report.claims[0].verdict == "contradicted" and report.story.format == "pdf"


def test_without_information_the_title_is_the_first_line(tmp_path):
    story = parse_story(pdf(["Small models, large claims", "", *textwrap.wrap(STORY, 70)]), "a.pdf")
    assert (story.title, story.published) == ("Small models, large claims", None)


@pytest.mark.parametrize(
    ("information", "title", "published"),
    [
        ("/Title (untitled)", None, None),
        ("/Title (draft-7.docx)", None, None),
        ("/Title (Microsoft Word - Two models)", "Two models", None),
        ("/CreationDate (D:20251399)", None, None),
        ("/CreationDate (yesterday)", None, None),
        ("/CreationDate (20250807)", None, "2025-08-07"),
    ],
)
def test_what_a_document_says_of_itself_is_taken_only_where_it_says_it(
    information, title, published
):
    document = read_pdf(pdf([STORY[:60]], information=information), "a.pdf")
    assert document[1:] == (title, published)


def test_lines_are_joined_headings_are_not_and_furniture_is_left_out():
    body = textwrap.wrap(f"{STORY} {STORY}", 60)
    pages = [
        ["The Daily Model, 1", "A heading", *body[:5]],
        ["The Daily Model, 2", *body[5:], "Another paragraph is here. " * 2, "Page 2 of 3"],
        ["The Daily Model, 3", "It goes on.", "3"],
    ]
    text = join_pages(["\n".join(page) for page in pages])
    heading, first, *rest = text.split("\n\n")
    assert heading == "A heading" and first == f"{STORY} {STORY}"
    assert "Daily" not in text and "Page" not in text and rest[-1] == "It goes on."


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("it gave more under-", "standing than the last", "more understanding than"),
        ("they are open-", "weight models; open-weight is", "are open-weight models"),
        ("it is called gpt-", "oss-20b, and gpt-oss-120b is", "called gpt-oss-20b, and"),
        ("it is close to o4-", "mini in all of these", "to o4-mini in"),
        ("it is close to GPT-", "4 in all of these tests", "to GPT-4 in"),
        ("soft hyphens van\u00ad", "ish at the end", "hyphens vanish at"),
        ("a dash -", "like this one is left", "a dash - like"),
    ],
)
def test_a_divided_word_is_whole_again_with_the_hyphen_that_is_its_own(first, second, joined):
    assert joined in join_pages([f"{first}\n{second}"])


words = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=12, max_size=80)


@settings(max_examples=20)
@given(words, st.integers(30, 90))
def test_a_paragraph_of_any_width_is_whole_again(given_words, width):
    paragraph = " ".join(given_words)
    assert join_pages(["\n".join(textwrap.wrap(paragraph, width))]) == paragraph


@settings(max_examples=20)
@given(st.lists(words, min_size=2, max_size=4), st.integers(20, 60))
def test_paragraphs_with_an_empty_line_between_stay_apart(paragraphs, width):
    texts = [" ".join(each) for each in paragraphs]
    page = "\n\n".join("\n".join(textwrap.wrap(text, width)) for text in texts)
    assert join_pages([page]) == "\n\n".join(texts)


def test_a_scan_says_that_it_is_one():
    picture = b"q 500 0 0 700 0 0 cm /Im0 Do Q"
    assert "perhaps a scan" in refused(pdf(picture, picture))


def test_an_encrypted_pdf_is_refused_unless_it_needs_no_password(tmp_path):
    from pypdf import PdfReader, PdfWriter

    def encrypted(password):
        writer = PdfWriter(clone_from=str(plain))
        writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
        writer.write(tmp_path / "locked.pdf")
        return (tmp_path / "locked.pdf").read_bytes()

    plain = tmp_path / "plain.pdf"
    plain.write_bytes(pdf(textwrap.wrap(STORY, 70)))
    assert PdfReader(plain).is_encrypted is False
    assert "is an encrypted PDF" in refused(encrypted("secret"))
    assert parse_story(encrypted(""), "story.pdf").text == STORY


def test_more_pages_or_characters_than_a_story_has_are_refused():
    assert f"{MAX_PAGES + 1} pages; the limit is {MAX_PAGES}" in refused(
        pdf(*[["a page"]] * (MAX_PAGES + 1))
    )
    assert "more than 200,000 characters" in refused(pdf(["many words " * 10_000] * 2, packed=True))


GOOD = pdf(textwrap.wrap(STORY, 70))
OUTLINE = b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
MALFORMED = {
    "only a header": b"%PDF-1.7\n",
    "cut in half": GOOD[: len(GOOD) // 2],
    "noise behind the header": b"%PDF-1.4\n" + bytes(range(256)) * 40,
    "pages that hold themselves": GOOD.replace(
        b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    ),
    "a catalogue that is a number": GOOD.replace(b"<< /Type /Catalog /Pages 2 0 R >>", b"7" * 33),
    "a stream that does not unpack": pdf([STORY], packed=True).replace(b"x\x9c", b"xx"),
    "deeply nested": GOOD.replace(b"<< /Type /Catalog", b"[" * 50_000 + b"<< /Type /Catalog"),
    "an outline of millions": GOOD.replace(b"/Count 1", b"/Count 999999999"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_pdf_is_refused_in_one_line_or_read_and_never_hangs(name):
    assert MALFORMED[name] != GOOD, "the malformation did not take"
    start = time.monotonic()
    try:
        story = parse_story(MALFORMED[name], "story.pdf")
    except StoryError as error:
        assert "\n" not in str(error) and "story.pdf" in str(error)
    else:
        assert STORY[:40] in story.text
    assert time.monotonic() - start < 35


def test_a_pdf_that_takes_for_ever_is_given_up():
    endless = pdf(b"BT /F1 9 Tf " + b"(x) Tj " * 4_000_000 + b"ET", packed=True)
    assert len(endless) < 200_000
    start = time.monotonic()
    with pytest.raises(StoryError, match=r"a\.pdf takes longer than 1 seconds"):
        read_pdf(endless, "a.pdf", timeout_s=1)
    assert time.monotonic() - start < 15


def test_a_module_of_the_current_folder_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "pypdf.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert read_pdf(GOOD, "a.pdf").text == STORY


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"\n \r\n%PDF-1.4 x"])
def test_a_pdf_is_known_by_its_first_bytes(content):
    assert is_pdf(content)


@pytest.mark.parametrize("content", [b"", b"PDF", b"The file begins with %PDF-1.7.", b" " * 2000])
def test_what_only_speaks_of_pdf_is_none(content):
    assert not is_pdf(content)


def test_the_pages_written_here_are_in_order():
    many = pdf(*[[f"This is sentence number {n} of the story."] for n in range(5)])
    text = read_pdf(many, "a.pdf").text
    places = [text.index(f"number {n}") for n in range(5)]
    assert all(a < b for a, b in pairwise(places))
