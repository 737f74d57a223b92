"""Pages as publishers and attackers write them."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.errors import StoryError
from netweight.verdict import parse_story
from netweight.verdict.article import MAX_ELEMENTS, as_date

PROSE = (
    "gpt-oss-120b comes under the Apache 2.0 license, says its maker, and anyone may build a "
    "product on it without asking first."
)
SECOND = "It fits on a single GPU with 80 GB of memory, which is why engineers took notice of it."


def page(body=f"<p>{PROSE}</p><p>{SECOND}</p>", head=""):
    return f"<!doctype html><html><head>{head}</head><body><article>{body}</article></body></html>"


def linked(**fields):
    data = {"@context": "https://schema.org", "@type": "NewsArticle"} | fields
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def read(html, name="page.html"):
    return parse_story(html.encode(), name)


def refused(html):
    with pytest.raises(StoryError) as caught:
        read(html)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_date_and_publisher_are_read_from_linked_data_first():
    head = linked(
        headline="Models weighed",
        datePublished="2025-08-05T23:30:00+09:00",
        publisher={"@type": "Organization", "name": "The Daily Scale"},
    )
    head += (
        '<meta property="og:site_name" content="Another"><meta name="date" content="2020-01-01">'
    )
    story = read(page(head=head))
    assert (story.published, story.publisher) == ("2025-08-05", "The Daily Scale")


def test_linked_data_in_a_graph_and_publishers_in_a_list_are_read():
    graph = {
        "@graph": [
            {"@type": "WebSite", "name": "Site", "datePublished": "1999-01-01"},
            {
                "@type": ["Thing", "BlogPosting"],
                "publisher": [{"name": "P"}],
                "datePublished": "2024-02-29",
            },
        ]
    }
    story = read(page(head=f'<script type="application/ld+json">{json.dumps(graph)}</script>'))
    assert (story.published, story.publisher) == ("2024-02-29", "P")


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2025-08-05T10:00Z">',
        '<meta name="citation_publication_date" content="2025/08/05">',
        '<meta itemprop="datePublished" content="2025-08-05">',
        '<meta name="DC.date.issued" content=" 2025-08-05">',
    ],
)
def test_a_date_is_read_from_a_meta_element(head):
    assert read(page(head=head)).published == "2025-08-05"


def test_a_date_is_read_from_the_time_element_that_is_marked_as_it():
    body = f'<time datetime="2025-01-01">x</time><p>{PROSE}</p>'
    assert read(page(body)).published is None
    marked = body.replace("<time", '<time itemprop="datePublished"')
    assert read(page(marked)).published == "2025-01-01"


def test_a_page_that_declares_nothing_has_no_date_and_no_publisher():
    story = read(page(f"<p>Written on 3 May 2024. {PROSE}</p><p>Copyright 2019 Somebody.</p>"))
    assert story.published is None and story.publisher is None


@pytest.mark.parametrize(
    "value", ["", "2025", "5 August 2025", "2025-13-01", "2025-02-30", "x", None, 7]
)
def test_what_is_no_date_is_none(value):
    assert as_date(value) is None


def test_markup_in_what_a_page_declares_stays_text_and_is_bounded():
    head = linked(publisher={"name": "<script>alert(1)</script>"}, datePublished=["2025-01-01"])
    story = read(page(head=head.replace("</script>alert", "alert").replace('</script>"', '"')))
    assert story.published is None
    long = read(page(head='<meta property="og:site_name" content="' + "a" * 201 + '">'))
    assert long.publisher is None


@pytest.mark.parametrize(
    "text", ["{", "[[[[", "null", '{"@type": 7}', "[" * 100_000, '{"@graph": 3}']
)
def test_broken_linked_data_does_not_spoil_the_page(text):
    story = read(page(head=f'<script type="application/ld+json">{text}</script>'))
    assert PROSE in story.text


def test_a_page_that_a_script_fills_is_read_from_the_body_that_it_declares():
    body = f"{PROSE}\n\n{SECOND}"
    story = read(page("<div id=app></div>", head=linked(headline="Weighed", articleBody=body)))
    assert story.title == "Weighed" and PROSE in story.text and SECOND in story.text


def test_markup_in_a_declared_body_is_taken_off():
    body = f"<p>{PROSE}</p><p>{SECOND}</p><img src=x onerror=alert(1)>"
    story = read(page("", head=linked(articleBody=body).replace("</p>", "<\\/p>")))
    assert PROSE in story.text and "<" not in story.text and "onerror" not in story.text


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>gpt-oss-20b has an MIT license.</p>",
        '<p style="color:red; display : NONE">gpt-oss-20b has an MIT license.</p>',
        '<div style="visibility:hidden"><p>gpt-oss-20b has an MIT license.</p></div>',
        "<template><p>gpt-oss-20b has an MIT license.</p></template>",
        "<!-- <p>gpt-oss-20b has an MIT license.</p> -->",
        "<script>gpt-oss-20b has an MIT license.</script>",
    ],
)
def test_text_that_no_reader_sees_is_not_read(hidden):
    story = read(page(f"<p>{PROSE}</p>{hidden}<p>{SECOND}</p>"))
    assert "MIT" not in story.text and PROSE in story.text and SECOND in story.text


def test_shown_text_beside_hidden_text_is_read():
    shown = '<p style="color: red">gpt-oss-20b has an MIT license, or so it says here.</p>'
    assert "MIT" in read(page(f"<p>{PROSE}</p>{shown}")).text


@pytest.mark.parametrize(
    "html",
    [
        "<html>",
        "<html><!--" + "-" * 100_000,
        "<!doctype html><html><frameset><frame src=http://127.0.0.1/></frameset></html>",
        "<html><head><meta http-equiv=refresh content=0;url=http://127.0.0.1/></head></html>",
        "<html>" + "<" * 100_000,
        "<html><body><article><p>" + "<b><i>" * 10_000 + PROSE,  # deeper than any parser goes
        "<html><body>" + "<table><tr><td>" * 5_000,
        "<html><body hidden><p>" + PROSE + "</p>",
    ],
)
def test_a_page_that_is_none_is_refused_in_one_line(html):
    assert "no article text" in refused(html) or "no text" in refused(html)


def test_a_page_with_more_elements_than_any_news_page_is_refused_at_once():
    start = time.process_time()
    assert f"{MAX_ELEMENTS:,} elements" in refused(page("<p>gpt-oss is open.</p>" * 100_000))
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "html",
    [
        "<html><body><article><p>" + "<b><i>" * 100 + PROSE,
        "<html><body " + "a=b " * 100_000 + f"><p>{PROSE}</p><p>{SECOND}</p>",
        f"<html><p>{PROSE}<p>{SECOND}<div></span></p></html></body><p>",
        f'<?xml version="1.0" encoding="utf-16"?><html><body><p>{PROSE}</p><p>{SECOND}</p>',
        '<!DOCTYPE html [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><html><body>'
        f"<p>{PROSE} &b;</p><p>{SECOND}</p>",
        f"<html><body><p>{PROSE}</p><p>&#0;&#xd800;&#x110000;&bogus; {SECOND}</p>",
    ],
)
def test_broken_html_is_read_as_far_as_it_goes(html):
    start = time.process_time()
    story = read(html)
    assert PROSE in story.text
    assert time.process_time() - start < 3
    story.text.encode()  # no half of a surrogate pair got in


def test_no_entity_brings_a_file_in(tmp_path):
    (tmp_path / "secret.txt").write_text("the secret")
    html = (
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]><html><body>'
        f"<p>{PROSE} &x;</p><p>{SECOND}</p>"
    )
    assert "the secret" not in read(html).text


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode_escape", "idna", "punycode", "rot13", "base64", "no-such"]
)
def test_a_charset_that_no_page_is_written_in_is_passed_over(charset):
    assert PROSE in read(page(head=f'<meta charset="{charset}">')).text


PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<div hidden>", "</div>", "<table>", "<td>", "<!--", "-->", "<script>"),
        *("</script>", "<svg>", "<math>", "<![CDATA[", "]]>", "<template>", "<a href='", '"', "="),
        *(
            "<",
            ">",
            "&amp;",
            "&#x202e;",
            "\x00",
            "\ud83d\ude00",
            PROSE,
            SECOND,
            "<title>",
            "<body>",
        ),
        *("<article>", "<time datetime=2025-01-01 pubdate>", "<frameset>", "<html>", "<br/>"),
        '<script type="application/ld+json">{"@type":"Article","headline":',
    ]
)


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_soup_of_tags_is_a_story_or_a_clear_refusal(soup):
    try:
        story = parse_story(("<html>" + soup).encode("utf-8", "surrogatepass"), "soup.html")
    except StoryError as error:
        assert "\n" not in str(error)
        return
    for sentence in story.sentences:
        assert story.text[sentence.span.start : sentence.span.end] == sentence.text
    assert "\u202e" not in story.text


FRONT = (
    '---\ntitle: "Models weighed"\ndate: 2025-08-05\npublisher: The Scale\ntags: [a, b]\n---\n'
    "# Heading\n\n"
)


def test_the_front_matter_of_markdown_is_no_text_of_the_story():
    story = parse_story((FRONT + PROSE).encode(), "a.md")
    assert (story.title, story.published, story.publisher) == (
        "Models weighed",
        "2025-08-05",
        "The Scale",
    )
    assert story.text == f"Heading\n{PROSE}"


def test_front_matter_that_does_not_end_is_text():
    story = parse_story(("---\ntitle: x\n\n" + PROSE).encode(), "a.md")
    assert "title: x" in story.text and story.published is None


def test_front_matter_is_markdown_s_alone():
    assert "The Scale" in parse_story((FRONT + PROSE).encode(), "a.txt").text
