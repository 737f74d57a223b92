"""A model's browser over a folder: what it is shown, and what it is told when it errs."""

import json
import re
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.harmony import Message, SystemContent, browser_namespace, render_message
from netweight.harmony.calls import ToolCall, read_call
from netweight.tools import Browser, Folder
from tests.fakes import byte_vocabulary

START = """<!doctype html><title>Getting started</title>
<h1>Getting started</h1>
<p>Install the package, then read <a href="kernels.md">about kernels</a>, the
<a href="https://example.org/x">site</a> or <a href="../notes.txt">notes</a>.</p>"""
KERNELS = "# Kernels\n\nThe expert kernel multiplies MXFP4 weights. See [the start](start.html).\n"
NOTES = "".join(f"Line {number} of the notes.\n" for number in range(400))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages")
    (path / "guide").mkdir()
    (path / "guide/start.html").write_text(START)
    (path / "guide/kernels.md").write_text(KERNELS)
    (path / "notes.txt").write_text(NOTES.replace("Line 300", "The zebra of line 300"))
    return Folder(path)


@pytest.fixture
def browser(folder):
    with closing(Browser(folder).open()) as browser:
        yield browser


def use(browser, name, **arguments):
    """What the model reads after calling a tool with these arguments, as it would write them."""
    message = Message.assistant(
        json.dumps(arguments), channel="analysis", recipient=f"browser.{name}"
    )
    return browser.run(read_call(message, [browser.namespace]))


def lines_of(view):
    return re.findall(r"^L(\d+): (.*)$", view, re.MULTILINE)


# Views


def test_a_search_lists_pages_with_links_and_the_passage_that_fits(browser):
    assert use(browser, "search", query="MXFP4 kernels") == (
        "[0] MXFP4 kernels\n**viewing lines [0 - 8] of 8**\n\n"
        "L0: \nL1: URL: \nL2: \nL3: # Search Results\nL4: \n"
        "L5:   * 【0†Kernels】 # Kernels The expert kernel multiplies MXFP4 weights. See the \n"
        "L6: start.\n"
        "L7:   * 【1†Getting started】 Install the package, then read about kernels, the site \n"
        "L8: or notes."
    )


def test_a_link_is_opened_by_its_number_and_shown_with_numbered_lines(browser):
    use(browser, "search", query="MXFP4")
    assert use(browser, "open", id=0) == (
        "[1] Kernels (file:///guide/kernels.md)\n**viewing lines [0 - 5] of 5**\n\n"
        "L0: \nL1: URL: file:///guide/kernels.md\nL2: \nL3: # Kernels\nL4: \n"
        "L5: The expert kernel multiplies MXFP4 weights. See 【0†the start】."
    )


def test_links_lead_from_page_to_page_and_cursors_back(browser):
    use(browser, "open", id="guide/start.html")
    assert "[1] Kernels" in use(browser, "open", id=0)
    assert "[2] Getting started" in use(browser, "open", id=0)
    assert "[3] notes.txt" in use(browser, "open", id=2, cursor=0)
    assert "[4] Getting started" in use(browser, "open", cursor=0)


def test_a_link_to_another_site_names_it_and_cannot_be_opened(browser):
    assert "【1†site†example.org】" in use(browser, "open", id="guide/start.html")
    assert "https://example.org/x is not among the pages" in use(browser, "open", id=1)
    assert "[1] Kernels" in use(browser, "open", id=0)  # the failure took no cursor


def test_a_long_page_is_shown_from_its_beginning_and_then_from_any_line(browser):
    first = lines_of(use(browser, "open", id="notes.txt"))
    assert first[1] == ("1", "URL: file:///notes.txt")
    assert 100 < len(first) < 200
    view = use(browser, "open", loc=len(first))
    assert view.startswith("[1] notes.txt (file:///notes.txt)\n**viewing lines [")
    assert lines_of(view)[0][0] == str(len(first))


def test_so_many_lines_are_shown_as_are_asked_for_but_not_without_end(browser):
    view = use(browser, "open", id="notes.txt", loc=10, num_lines=3)
    assert lines_of(view) == [(str(n), f"Line {n - 3} of the notes.") for n in (10, 11, 12)]
    everything = use(browser, "open", id="notes.txt", num_lines=10**6)
    assert len(everything.encode()) < 4 * 4096 + 200


def test_a_result_is_opened_where_its_passage_is(browser):
    use(browser, "search", query="zebra")
    shown = lines_of(use(browser, "open", id=0))
    place = [line for line, _ in shown].index("303")
    assert shown[place][1] == "The zebra of line 300 of the notes."
    assert place == 4


def test_find_shows_matches_in_place_and_opens_them(browser):
    use(browser, "open", id="notes.txt")
    view = use(browser, "find", pattern="ZEBRA of")
    assert view.startswith(
        "[1] Find results for text: `ZEBRA of` in `notes.txt` "
        "(file:///notes.txt/find?pattern=ZEBRA of)\n**viewing lines [0 - 4] of 4**\n\n"
        "L0: # 【0†match at L303】\nL1: The zebra of line 300 of the notes.\nL2: Line 301 of"
    )
    assert ("303", "The zebra of line 300 of the notes.") in lines_of(use(browser, "open", id=0))


def test_find_looks_through_links_and_over_the_ends_of_lines(browser):
    use(browser, "open", id="guide/start.html")
    assert "match at L5" in use(browser, "find", pattern="then read about kernels")
    assert "match at L5" in use(browser, "find", pattern="the site or notes", cursor=0)


def test_find_shows_each_line_once_and_not_without_end(browser):
    use(browser, "open", id="notes.txt")
    view = use(browser, "find", pattern="of the notes")
    assert re.findall(r"†match at L(\d+)", view)[:3] == ["3", "7", "11"]
    assert ("199", "Line 196 of the notes.") in lines_of(use(browser, "open", id=49))
    assert "The page has no link 50" in use(browser, "open", id=50, cursor=1)


def test_what_is_not_on_the_page_is_said_not_to_be(browser):
    use(browser, "open", id="guide/kernels.md")
    view = use(browser, "find", pattern="giraffe")
    assert view.endswith("L0: No `find` results for pattern: `giraffe`")


def test_the_source_of_a_page_can_be_seen(browser):
    use(browser, "open", id="guide/start.html")
    view = use(browser, "open", view_source=True)
    assert "(view-source:file:///guide/start.html)" in view
    assert "L1: <h1>Getting started</h1>" in view


def test_nothing_found_is_a_view_too(browser):
    assert "Nothing was found" in use(browser, "search", query="giraffe ♥")


def test_the_number_of_results_is_the_models_choice(browser):
    view = use(browser, "search", query="the", topn=1)
    assert re.findall(r"【(\d+)†", view) == ["0"]


def test_conversations_share_no_cursors(folder, browser):
    use(browser, "open", id="notes.txt")
    with closing(Browser(folder).open()) as other:
        assert use(other, "open", loc=3) == "No page is open; search for one, or open a URL."
        assert use(other, "open", id="notes.txt").startswith("[0] ")


def test_a_closed_browser_has_nothing_open(browser):
    use(browser, "open", id="notes.txt")
    browser.close()
    assert "No page is open" in use(browser, "find", pattern="notes")


# Calls that cannot be followed


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("search", {}, "`query` has to be a text, not nothing."),
        ("search", {"query": " "}, "`query` has to be a text, not ' '."),
        ("search", {"query": "a", "topn": "many"}, "`topn` has to be a whole number, not 'many'."),
        ("search", {"query": "a", "days": 3}, "takes query, topn, source, but not days."),
        ("open", {"id": 1.5}, "`id` has to be a whole number, not 1.5."),
        ("open", {"id": True}, "`id` has to be a whole number, not True."),
        ("open", {"id": 7}, "The page has no link 7; its links are 【number†text】."),
        ("open", {"loc": 10**30}, f"There is no line {10**30}; the last is 5."),
        ("open", {"cursor": 3}, "There is no cursor 3; there are 0 to 0."),
        ("open", {"cursor": -2}, "There is no cursor -2; there are 0 to 0."),
        ("open", {"view_source": "yes"}, "`view_source` has to be true or false, not 'yes'."),
        (
            "find",
            {"pattern": "a" * 2001},
            "2001 characters, but 2000 at most are taken; shorten it.",
        ),
        ("find", {"pattern": ["a"]}, "`pattern` has to be a text, not ['a']."),
        ("open", {"id": "http://[::1"}, "http://[::1 is not among the pages"),
        ("click", {"id": 1}, "There is no browser.click; there are browser.search,"),
    ],
)
def test_a_call_that_cannot_be_followed_says_what_is_wrong(browser, name, arguments, told):
    use(browser, "open", id="guide/kernels.md")
    assert told in use(browser, name, **arguments)
    assert use(browser, "open", loc=0).startswith("[1] Kernels")


def test_find_works_on_pages_and_not_on_results(browser):
    use(browser, "search", query="notes")
    assert "open a result first" in use(browser, "find", pattern="notes")


@pytest.mark.parametrize("arguments", [{"id": "0"}, {"id": 0.0}, {"id": 0, "cursor": "0"}])
def test_numbers_may_be_written_as_models_write_them(browser, arguments):
    use(browser, "open", id="guide/kernels.md")
    assert "[1] Getting started" in use(browser, "open", **arguments)


def test_what_is_no_json_is_told(browser):
    call = ToolCall("browser.open", "browser.open", "hm", None, is_known=True, is_complete=True)
    assert browser.run(call) == "browser.open takes a JSON object, and nothing else."


NAMES = ["id", "cursor", "loc", "num_lines", "view_source", "source", "query", "topn", "pattern"]
VALUES = (
    st.integers(-3, 9)
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["notes.txt", "guide/", "\ud800", "a\nb", "file:///%ff%00", "view-source:"])
    | st.none()
    | st.booleans()
    | st.lists(st.integers(), max_size=1)
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["search", "open", "find"]),
            st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
        ),
        max_size=5,
    )
)
def test_whatever_is_called_there_is_an_answer_that_is_text(folder, calls):
    browser = Browser(folder).open()
    for tool, arguments in calls:
        name = f"browser.{tool}"
        answer = browser.run(ToolCall(name, name, "", arguments, is_known=True, is_complete=True))
        assert answer.encode()
        assert len(answer) < 20_000


# What the model is told before


def test_the_declaration_is_the_one_that_gpt_oss_knows(folder):
    vocabulary = byte_vocabulary()
    tool = Browser(folder)
    assert tool.namespace == browser_namespace()
    text = vocabulary.decode(
        render_message(vocabulary, Message.system(SystemContent(tools=(tool.namespace,))))
    )
    assert "namespace browser {" in text
