import io
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import StoryError
from netweight.verdict import parse_story, read_story
from netweight.verdict.story import MAX_FILE_BYTES, MAX_TEXT_CHARACTERS, clean

PAGE = """<!doctype html><html><head><title>Model news</title></head><body>
<nav><a href="/">Home</a> <a href="/about">About us</a></nav>
<article><h1>Model news</h1><p>gpt-oss-120b comes under the Apache 2.0 license, says its maker,
and anyone may build a product on it without asking first.</p>
<p>It fits on a single GPU with 80 GB of memory, which is why engineers took notice of it.</p>
</article><footer>Subscribe to our newsletter</footer><script>alert(1)</script></body></html>"""


def refused(content, name="story.txt"):
    with pytest.raises(StoryError) as caught:
        parse_story(content, name)
    message = str(caught.value)
    assert "\n" not in message and name in message
    return message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoryError, match=r"there is no file .*nothing\.txt"):
        read_story(str(tmp_path / "nothing.txt"))


def test_a_folder_is_not_a_story(tmp_path):
    with pytest.raises(StoryError, match="is a folder"):
        read_story(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf", b"7\n---\n42"])
def test_a_story_without_letters_is_refused(content):
    assert "no text" in refused(content)


@pytest.mark.parametrize(
    "content", [b"gpt\0oss", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7 x", b"PK\x03\x04 x"]
)
def test_a_binary_file_is_refused(content):
    assert "binary" in refused(content)


def test_text_in_another_encoding_is_refused_with_the_place():
    assert "byte 3" in refused("café gpt-oss".encode("latin-1"))


def test_a_ten_megabyte_story_is_refused_at_once(tmp_path):
    file = tmp_path / "long.txt"
    file.write_bytes(b"a model " * 1_250_000)
    start = time.process_time()
    with pytest.raises(StoryError, match=r"10\.0 MB; the limit is 5 MB"):
        read_story(str(file))
    assert time.process_time() - start < 0.5


def test_the_size_limit_holds_for_standard_input(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(b"a" * (MAX_FILE_BYTES + 5)))
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(StoryError, match="the limit is 5 MB"):
        read_story("-")


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"gpt-oss is out.")))
    assert read_story("-").text == "gpt-oss is out."


def test_more_text_than_a_story_has_is_refused():
    assert "200,000" in refused(b"word " * (MAX_TEXT_CHARACTERS // 4))


def test_a_page_gives_its_article_and_title_only():
    story = parse_story(PAGE.encode(), "page.html")
    assert story.title == "Model news"
    assert "Apache 2.0" in story.text and "80 GB" in story.text
    assert not any(word in story.text for word in ("About us", "newsletter", "alert"))


@pytest.mark.parametrize("page", ["<html><body><nav>Home</nav></body></html>", "<html></html>"])
def test_a_page_without_an_article_is_refused(page):
    assert "no article text" in refused(page.encode(), "page.html")


def test_a_page_is_read_in_the_charset_that_it_declares():
    page = PAGE.replace("<head>", '<head><meta charset="windows-1252">').replace("notice", "café")
    assert "café" in parse_story(page.encode("cp1252"), "page.html").text


def test_an_utf16_file_with_its_mark_is_read():
    assert parse_story("gpt-oss \u2014 neu".encode("utf-16"), "a.txt").text == "gpt-oss \u2014 neu"


def test_markdown_marks_are_taken_off():
    text = "# Title here\n\n* **gpt-oss** is [open](https://example.org/a).\n> It `runs`.\n"
    assert parse_story(text.encode(), "a.md").text == "Title here\ngpt-oss is open.\nIt runs."


def test_a_heading_glued_to_a_sentence_is_taken_apart():
    story = parse_story(b"It leads innovation.Key Points\n- It is open.", "a.txt")
    assert [s.text for s in story.sentences] == [
        "It leads innovation.",
        "Key Points",
        "It is open.",
    ]


def test_the_lines_of_a_broken_paragraph_are_joined():
    text = (
        "A title\n\nIt reaches near-parity with o4-mini on the core reasoning\n"
        "benchmarks that its maker has chosen, and comes under a\nlicense that is new."
    )
    lines = parse_story(text.encode(), "a.txt").text.split("\n")
    assert len(lines) == 2 and lines[1].endswith("under a license that is new.")


def test_separate_lines_of_plain_text_stay_separate():
    title = "A title that is a little longer than fifty characters, no more"
    text = f"{title}\n7\nIt is open.\nIt is small."
    assert parse_story(text.encode(), "a.txt").text == text


def test_an_endless_sentence_is_cut():
    story = parse_story(b"gpt-oss and " * 2000, "a.txt")
    assert max(len(s.text) for s in story.sentences) <= 1500
    assert " ".join(s.text for s in story.sentences) == story.text


def test_version_numbers_and_names_are_not_taken_apart():
    assert clean("Version 2.0 of Node.js and U.S. law.", markdown=False) == (
        "Version 2.0 of Node.js and U.S. law."
    )


def test_the_real_story_reads_cleanly(shared_data):
    file = shared_data.parent / "stories" / "gpt-oss-mixed-reception.txt"
    if not file.is_file():
        pytest.skip(f"no story at {file}")
    story = read_story(str(file))
    texts = [s.text for s in story.sentences]
    assert "7" not in texts and "Key Points" in texts and "Article Summary" in texts
    assert (
        len([t for t in texts if t.startswith("Benchmark results from Artificial Analysis")]) == 1
    )
    assert not any(t.startswith("-") or "Key Points-" in t for t in texts)


@given(st.text(max_size=400))
def test_every_sentence_is_where_its_span_says(text):
    try:
        story = parse_story(text.encode("utf-8", "ignore"), "a.txt")
    except StoryError:
        return
    for sentence in story.sentences:
        assert story.text[sentence.span.start : sentence.span.end] == sentence.text
        assert sentence.text.strip() == sentence.text != ""
    assert not any(c < " " and c != "\n" for c in story.text)
