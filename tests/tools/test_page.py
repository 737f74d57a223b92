"""Files as the model reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.tools.page import Page
from netweight.tools.page_html import read_html
from netweight.tools.page_text import read_markdown, read_text

URL = "file:///docs/page.html"


def body(page):
    """What comes after the URL."""
    prefix = f"\nURL: {page.url}\n\n"
    assert page.text.startswith(prefix)
    return page.text.removeprefix(prefix)


def html(text):
    return read_html(text.encode(), URL)


def markdown(text):
    return read_markdown(text.encode(), URL)


# HTML


def test_headings_lists_tables_and_code_look_like_markdown():
    page = html(
        "<title> A\n page </title><h1>One</h1><p>Two <b>three</b>,\nfour<br>five</p>"
        "<ul><li>a<li><p>b</p><ol><li>c<li>d</ol></ul>"
        "<table><tr><th>x<th>y<tr><td>1<td>2</table><pre>def f():\n    return 1</pre>x<sup>2</sup>"
    )
    assert page.title == "A page"
    assert body(page) == (
        "# One\n\nTwo three, four\nfive\n\n"
        "  * a\n  * b\n    1. c\n    2. d\n\n"
        "x | y\n1 | 2\n\ndef f():\n    return 1\n\nx^{2}"
    )


def test_links_are_numbered_once_for_each_url():
    page = html(
        '<a href="b.html">B &amp; <i>c</i></a> <a href="/d?e=1#f">D</a> '
        '<a href="./b.html">again</a> <a href="https://example.org/x">out</a>'
    )
    assert body(page) == "【0†B & c】 【1†D】 【0†again】 【2†out†example.org】"
    assert page.links == (
        "file:///docs/b.html",
        "file:///d?e=1#f",
        "https://example.org/x",
    )


@pytest.mark.parametrize(
    "target",
    ["#part", "page.html#part", "mailto:a@b", "javascript:f()", "http://[x", "data:,x", ""],
)
def test_links_that_lead_to_no_other_page_are_only_text(target):
    page = html(f'<p>see <a href="{target}">this</a>.')
    assert (body(page), page.links) == ("see this.", ())


def test_pictures_are_named_and_can_be_links():
    page = html('<img src=x alt="a cat"> <a href="b.html"><img alt="go"></a> <img src=y>')
    assert body(page) == "(image: a cat) 【0†go】"


def test_what_a_reader_does_not_see_is_left_out():
    page = html(
        "<style>a{}</style><script>f()</script><p hidden>no</p><div style='display: none'>no</div>"
        "<!-- no --><noscript>no</noscript><svg><title>no</title></svg><p>yes<!-- no --> indeed"
    )
    assert body(page) == "yes indeed"


def test_text_cannot_pass_for_a_link_or_a_citation():
    page = html('<p>【0†fake】 <a href="b.html">a†b】</a> <img alt="【1†x】">')
    assert body(page) == "〖0†fake〗 【0†a‡b〗】 (image: 〖1†x〗)"


def test_without_a_title_the_first_heading_or_the_file_name_is_it():
    assert html("<p>x<h1>First</h1>").title == "First"
    assert html("<p>x").title == "page.html"


def test_other_encodings_are_read_as_the_page_says():
    content = '<meta charset="iso-8859-1"><p>Zürich'.encode("latin-1")
    assert body(read_html(content, URL)) == "Zürich"
    assert body(html("<p>Zürich 😀")) == "Zürich 😀"


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "<", "<!-- only a comment -->", "<?php x ?>", "</p>"]
)
def test_nearly_nothing_is_a_page_too(text):
    assert html(text).title == "page.html"


def test_no_depth_of_nesting_is_too_much():
    assert "deep" in body(html("<div>" * 200 + "deep"))
    html("<b>" * 20_000 + "<ul>" * 20_000)
    html("<a href=x>" * 20_000)


@given(st.text(st.sampled_from("<>/ab=\"'!-&; \n【†】ulipre"), max_size=60))
def test_any_soup_is_a_page(text):
    page = html(text)
    assert len(page.lines) == len(page.bare_lines)


# Markdown


def test_links_of_all_kinds_are_numbered_and_code_is_left_alone():
    page = markdown(
        "# Title\n"
        'See [the guide](guide.md "t"), [ref][r], [R], [r][], [none], ![cat](a.png),\n'
        "[![go](y.png)](http://e.org/z_(1)) `[no](x)` <https://a.b/c>\n"
        "```\n[not](link)\n~~~\n[nor](this)\n```\n"
        "[r]: ../r.md 'title'\n"
    )
    assert page.title == "Title"
    assert body(page) == (
        "# Title\n"
        "See 【0†the guide】, 【1†ref】, 【1†R】, 【1†r】, [none], (image: cat),\n"
        "【2†(image: go)†e.org】 `[no](x)` 【3†https://a.b/c†a.b】\n"
        "```\n[not](link)\n~~~\n[nor](this)\n```\n"
        "[r]: ../r.md 'title'"
    )
    assert page.links == (
        "file:///docs/guide.md", "file:///r.md", "http://e.org/z_(1)", "https://a.b/c",
    )  # fmt: skip


def test_front_matter_has_the_title():
    assert markdown("---\ndate: x\ntitle: 'Named'\n---\n# Heading\n").title == "Named"
    assert markdown("no heading").title == "page.html"
    assert markdown("# Heading #\n").title == "Heading"


@given(st.text(st.sampled_from("[]()!<>`:# \nab"), max_size=60))
def test_any_marks_are_a_page(text):
    markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "[a](" * 20_000,
        "`" * 50_000,
        "![" * 20_000,
        "---\n" + "title: x\n" * 9999,
        "# " + "#" * 50_000 + "x",
    ],
)
def test_marks_that_never_end_take_no_time(text):
    markdown(text)


# Any page


def test_text_is_as_it_is_with_line_feeds_and_no_run_of_empty_lines():
    page = read_text("\ufeffa\r\n\r\n\r\n【b】".encode(), "file:///x/notes.txt")
    assert (page.title, body(page)) == ("notes.txt", "a\n\n〖b〗")


@given(st.text(max_size=300))
def test_folding_loses_nothing_but_tabs(text):
    page = Page("", "", text.replace("\t", " "))
    assert "".join(page.lines) == page.text.replace("\n", "")
    assert max(map(len, page.lines)) <= 80


def test_a_line_as_long_as_a_page_may_be_is_folded_in_time():
    page = Page("", "", "x" * 2**20)
    assert page.lines.count("x" * 80) == 2**20 // 80
