"""Pages of a folder: which there are, what leads to them, and that nothing leads out."""

import os
from pathlib import Path

import pytest

from netweight.errors import ToolError
from netweight.tools import Folder
from netweight.tools.provider import PageMissing


@pytest.fixture
def site(tmp_path):
    """A folder to put pages into, beside a file that is none of its business."""
    (tmp_path / "secret.md").write_text("# Secret\nThe password is swordfish.")
    site = tmp_path / "site"
    (site / "docs").mkdir(parents=True)
    (site / "docs/index.html").write_text("<title>Docs</title><p>Read me.")
    (site / "a b%.md").write_text("# Odd name\nwombat")
    return site


def titles(folder, query, num_results=10):
    return [found.title for found in folder.search(query, num_results)]


# Which pages there are


def test_html_markdown_and_text_are_pages_and_hidden_files_are_not(site):
    for name in ("x.HTM", "y.markdown", "z.txt", "data.json", ".hidden.md", "p.py"):
        (site / name).write_text(f"wombat in {name}")
    (site / ".git").mkdir()
    (site / ".git/config.txt").write_text("wombat")
    assert sorted(titles(Folder(site), "wombat")) == [
        "Odd name", "x.HTM", "y.markdown", "z.txt",
    ]  # fmt: skip


def test_a_folder_that_is_missing_or_has_no_pages_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ToolError, match=r"has no pages; the browser reads files named \.html"):
        Folder(tmp_path)
    with pytest.raises(ToolError, match="is no folder; give one with pages"):
        Folder(tmp_path / "missing")
    with pytest.raises(ToolError, match="is no folder"):
        Folder(tmp_path / "x.json")


def test_a_file_too_long_for_a_page_is_none(site, caplog):
    with (site / "huge.txt").open("wb") as file:
        file.truncate(9 * 2**20)
    assert len(Folder(site)) == 2
    assert caplog.records[0].num_files == 1


def test_a_pipe_is_no_page_and_is_not_waited_for(site):
    os.mkfifo(site / "pipe.txt")
    assert len(Folder(site)) == 2


# Ways to them


@pytest.mark.parametrize(
    "url",
    [
        "file:///docs/index.html",
        "file:///docs/",
        "file:///docs",
        "docs/index.html#part",
        "/docs/index.html?query=1",
        "file://localhost/docs/index",
        " docs ",
        "http://docs/index.html",
        "./x/../docs",
    ],
)
def test_a_page_has_its_path_as_url_which_may_leave_something_out(site, url):
    assert Folder(site).page(url).title == "Docs"


def test_names_with_odd_characters_are_written_as_urls_and_read_back(site):
    [found] = Folder(site).search("wombat", 9)
    assert found.url == "file:///a%20b%25.md"
    assert Folder(site).page(found.url).title == "Odd name"


def test_names_that_are_no_text_work_too(site):
    Path(os.fsdecode(os.fsencode(site) + b"/\xff.txt")).write_text("quokka")
    [found] = Folder(site).search("quokka", 9)
    assert found.url == "file:///%FF.txt"
    assert "quokka" in Folder(site).page(found.url).text


def test_links_between_pages_of_a_saved_site_lead_on(site):
    (site / "example.org/wiki").mkdir(parents=True)
    (site / "example.org/wiki/A.html").write_text('<a href="https://example.org/wiki/B">B</a>')
    (site / "example.org/wiki/B.html").write_text("<title>Page B</title>")
    folder = Folder(site)
    [link] = folder.page("https://example.org/wiki/A").links
    assert folder.page(link).title == "Page B"


# No way out


@pytest.mark.parametrize(
    "url",
    [
        "../secret.md",
        "docs/../../secret.md",
        "file:///../secret.md",
        "file:///%2e%2e/secret.md",
        "..%2fsecret.md",
        "....//secret.md",
        "file:////etc/passwd",
        "/etc/hostname",
        "//etc/passwd",
        "https://example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "\0",
        "",
        "file://[",
    ],
)
def test_no_url_leads_out_of_the_folder(site, url):
    folder = Folder(site)
    for read in (folder.page, folder.source):
        with pytest.raises(PageMissing, match="is not among the pages"):
            read(url)


def test_a_whole_path_of_this_machine_leads_nowhere(site):
    for path in (site.parent / "secret.md", site / "docs/index.html"):
        with pytest.raises(PageMissing):
            Folder(site).page(path.as_uri())


def test_links_of_the_file_system_lead_no_further_than_the_folder(site):
    (site / "out.md").symlink_to(site.parent / "secret.md")
    (site / "outside").symlink_to(site.parent)
    (site / "circle.md").symlink_to(site / "circle.md")
    (site / "nowhere.md").symlink_to(site / "missing.md")
    (site / "within.html").symlink_to(site / "docs/index.html")
    folder = Folder(site)
    assert titles(folder, "swordfish password secret") == []
    for url in ("out.md", "outside/secret.md", "circle.md", "nowhere.md"):
        with pytest.raises(PageMissing):
            folder.page(url)
    assert folder.page("within.html").title == "Docs"


def test_a_page_that_later_becomes_a_link_out_is_not_followed(site):
    folder = Folder(site)
    (site / "docs/index.html").unlink()
    (site / "docs/index.html").symlink_to(site.parent / "secret.md")
    with pytest.raises(PageMissing, match="cannot be read any more"):
        folder.page("docs")
    assert titles(folder, "Read me") == []


def test_files_that_came_later_are_not_pages(site):
    folder = Folder(site)
    (site / "new.md").write_text("# New")
    with pytest.raises(PageMissing):
        folder.page("new.md")


# What is found


def test_pages_with_rarer_words_and_more_of_them_come_first(site):
    for number in range(20):
        (site / f"{number}.txt").write_text("common words " * 10)
    (site / "rare.txt").write_text("common words, and an okapi, " + "filler " * 30)
    (site / "both.txt").write_text("okapi common okapi")
    assert titles(Folder(site), "Common OKAPI", 2) == ["both.txt", "rare.txt"]


def test_a_word_in_the_title_counts_more(site):
    (site / "a.md").write_text("# Numbats\n" + "filler " * 50)
    (site / "b.md").write_text("# Other\nnumbats and " + "filler " * 50)
    assert titles(Folder(site), "numbats") == ["Numbats", "Other"]


def test_languages_without_spaces_can_be_searched(site):
    (site / "ja.md").write_text("# 量子化\n重みは四ビットで保存される。")
    assert titles(Folder(site), "四ビット") == ["量子化"]


def test_the_passage_is_where_most_of_the_query_is(site):
    (site / "long.txt").write_text("quoll\n" * 50 + "the quoll eats beetles\n" + "quoll\n" * 50)
    folder = Folder(site)
    [found] = folder.search("quoll beetles", 1)
    assert "the quoll eats beetles" in found.passage
    lines = folder.page(found.url).bare_lines
    assert "the quoll eats beetles" in lines[found.line : found.line + 4]
