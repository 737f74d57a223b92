import pytest

from netweight.server.responses_citations import Source, citations, source_of

TEA = Source("Tea (drink)", "https://tea.example/a(b)")


@pytest.mark.parametrize(
    ("shown", "source"),
    [
        ("[3] Tea (drink) (https://tea.example/a(b))\n**viewing**\n[4] X (y)", (3, TEA)),
        ("[0] Find `x` in `Tea` (https://t.example/find?pattern=x)", (0, "https://t.example")),
        ("[0] Tea (file:///a b.html)", (0, "file:///a b.html")),
        ("[0] tea\n\n# Search Results (many)", None),
        ("There is no page.", None),
        ("", None),
        ("[x] Tea (https://tea.example)", None),
    ],
)
def test_the_head_of_a_view_tells_its_page(shown, source):
    found = source_of(shown)
    if source is None or isinstance(source[1], Source):
        assert found == source
    else:
        assert (found[0], found[1].url) == source


def test_marks_of_pages_that_were_shown_are_citations():
    text = "é【3†L1-L4】 and【4†L1】【3】【3†】【03†a】"
    found = list(citations(text, 0, {3: TEA}))
    assert [text[each.start_index : each.end_index] for each in found] == [
        "【3†L1-L4】", "【3†】", "【03†a】",
    ]  # fmt: skip
    assert {(each.title, each.url) for each in found} == {TEA}
    assert list(citations(text, found[0].end_index, {3: TEA})) == found[1:]
