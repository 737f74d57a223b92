"""The edit formats: what they say, what is forgiven, and what is malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.polyglot.edits import (
    Block,
    MalformedReply,
    WholeFile,
    edit,
    fence_for,
    parse_blocks,
    parse_whole,
    replaced,
)

PATH = "src/lib.py"
CODE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


def block(search, replace, *, path=PATH, before="```python\n"):
    name = f"{path}\n" if path else ""
    return f"{name}{before}<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n```\n"


# whole


@pytest.mark.parametrize(
    "name",
    [PATH, f"**{PATH}**", f"`{PATH}`", f"{PATH}:", f"### {PATH}", "lib.py", "the/path/to/lib.py"],
)
def test_a_listing_is_read_under_its_name_however_that_is_dressed(name):
    reply = f"I change it.\n\n{name}\n```python\nx = 1\n```\nDone.\n"
    assert parse_whole(reply, [PATH, "b.py"]) == [WholeFile(PATH, "x = 1\n")]


def test_a_listing_without_a_name_is_the_only_file():
    assert parse_whole("```\nx = 1\n```", [PATH]) == [WholeFile(PATH, "x = 1\n")]


def test_a_listing_without_a_name_is_the_file_mentioned_before():
    reply = "I change `b.py`, as asked.\n\n```\nx = 1\n```\n"
    assert parse_whole(reply, ["a.py", "b.py"]) == [WholeFile("b.py", "x = 1\n")]


def test_a_listing_without_a_name_among_several_files_is_malformed():
    with pytest.raises(MalformedReply, match=r"one of: a\.py, b\.py"):
        parse_whole("\n```\nx = 1\n```", ["a.py", "b.py"])


def test_a_listing_that_is_cut_short_counts_as_far_as_it_goes():
    assert parse_whole(f"{PATH}\n```\nx = 1\n", [PATH]) == [WholeFile(PATH, "x = 1\n")]


def test_of_two_listings_of_a_file_the_named_one_stands():
    reply = f"```\nrun me\n```\n\n{PATH}\n```\nx = 1\n```\n"
    assert parse_whole(reply, [PATH]) == [WholeFile(PATH, "x = 1\n")]


def test_prose_right_before_a_listing_is_taken_for_its_name_as_in_aider():
    assert parse_whole("Here it is:\n```\nx\n```", [PATH]) == [WholeFile("Here it is", "x\n")]


def test_a_reply_without_a_listing_edits_nothing():
    assert parse_whole("What do you want me to do?", [PATH]) == []


# diff


def test_a_block_replaces_the_first_lines_that_match():
    text = "a\nb\na\nb\n"
    assert replaced(text, Block(PATH, "a\nb\n", "c\n")) == "c\na\nb\n"


@pytest.mark.parametrize(
    "before",
    ["```python\n", "", "```\n```python\n", "```python\n\n"],
)
def test_a_blocks_name_is_found_through_fences(before):
    name = PATH if "\n\n" not in before else None
    found = parse_blocks(block("a\n", "b\n", before=before), [PATH]) if name else None
    assert found in (None, [Block(PATH, "a\n", "b\n")])


@pytest.mark.parametrize("name", ["lib.py", "src/lib.pi", "**src/lib.py**", "# src/lib.py:"])
def test_a_blocks_name_may_be_a_little_off(name):
    assert parse_blocks(block("a\n", "b\n", path=name), [PATH])[0].path == PATH


def test_a_block_without_a_name_is_of_the_file_before():
    reply = block("a\n", "b\n") + "\n" + block("c\n", "d\n", path="")
    assert [found.path for found in parse_blocks(reply, [PATH])] == [PATH, PATH]


def test_a_first_block_without_a_name_is_malformed():
    with pytest.raises(MalformedReply, match="no file name"):
        parse_blocks("\n" + block("a\n", "b\n", path=""), [PATH])


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (f"{PATH}\n```\n<<<<<<< SEARCH\na\n", "======="),
        (f"{PATH}\n```\n<<<<<<< SEARCH\na\n=======\nb\n```\n", "REPLACE"),
        (f"{PATH}\n```\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", "======="),
    ],
)
def test_a_block_that_is_cut_short_is_malformed_and_the_model_is_shown_where(reply, expected):
    with pytest.raises(MalformedReply, match=expected) as caught:
        parse_blocks(reply, [PATH])
    assert reply.strip() in str(caught.value)


def test_five_to_nine_signs_make_a_marker():
    reply = f"{PATH}\n<<<<< SEARCH\na\n=====\nb\n>>>>>>>>> REPLACE\n"
    assert parse_blocks(reply, [PATH]) == [Block(PATH, "a\n", "b\n")]
    assert parse_blocks(reply.replace("<<<<<", "<<<<"), [PATH]) == []


def test_commands_for_a_shell_are_passed_over():
    reply = f"```bash\nrm -rf {PATH}\n```\n{block('a' + chr(10), '')}"
    assert parse_blocks(reply, [PATH]) == [Block(PATH, "a\n", "")]


@pytest.mark.parametrize(
    ("search", "replace", "result"),
    [
        ("def one():\nreturn 1\n", "def one():\nreturn 3\n", None),
        ("return 1\n", "return 3\n", "    return 3\n"),
        ("  return 1\n", "  return 3\n", "    return 3\n"),
        ("\ndef one():\n    return 1\n", "def one():\n    return 3\n", "    return 3\n"),
        ("def one():\n...\n    return 2\n", "def one():\n...\n    return 3\n", "    return 3\n"),
        ("def one():\n...\n", "def one():\n    return 3\n", None),
        ("def three():\n", "", None),
        ("lib.py\n```\n    return 1\n```\n", "    return 3\n", "    return 3\n"),
    ],
)
def test_what_is_forgiven_in_search_lines_and_what_is_not(search, replace, result):
    found = replaced(CODE, Block(PATH, search, replace))
    assert found == result if result is None else result in found
    if found is not None:
        assert found.count("return") == 2


def test_empty_search_lines_add_to_the_end_or_make_a_file():
    reply = block("", "b = 2\n", path="b.py") + block("", "z = 3\n")
    result = edit("diff", reply, {PATH: "a = 1\n"})
    assert result.files == {PATH: "a = 1\nz = 3\n", "b.py": "b = 2\n"}
    assert result.problem is None


def test_a_block_under_another_files_name_goes_where_it_fits():
    result = edit("diff", block("return 1\n", "return 3\n", path="a.py"), {"a.py": "", PATH: CODE})
    assert result.paths == (PATH,)


def test_a_block_that_does_not_fit_is_malformed_but_the_others_are_applied():
    reply = block("    return 1\n", "    return 3\n") + block("    return 9\n", "    return 4\n")
    result = edit("diff", reply, {PATH: CODE})
    assert result.files[PATH] == CODE.replace("return 1", "return 3")
    assert "1 of 2" in result.problem and "return 9" in result.problem


def test_the_model_is_shown_the_lines_that_it_may_have_meant():
    search = "def two():\n    # sum\n    return 2\n"
    problem = edit("diff", block(search, ""), {PATH: "x = 1\n" + CODE}).problem
    assert "does have these lines" in problem and "def two():\n    return 2" in problem


@pytest.mark.parametrize(
    ("edit_format", "reply"),
    [("whole", "t.py\n```\nmine\n```\n"), ("diff", block("theirs\n", "mine\n", path="t.py"))],
)
def test_an_edit_of_a_file_that_is_not_in_the_chat_is_well_formed_and_has_no_effect(
    edit_format, reply
):
    result = edit(edit_format, reply, {PATH: CODE}, others={"t.py": "theirs\n"})
    assert result == ({PATH: CODE}, ("t.py",), None)


def test_a_malformed_reply_changes_nothing_and_says_why():
    result = edit("whole", "\n```\nx\n```", {"a.py": "a\n", "b.py": "b\n"})
    assert result.files == {"a.py": "a\n", "b.py": "b\n"}
    assert "no file name" in result.problem


def test_the_fence_is_one_that_no_file_has():
    assert fence_for([CODE]) == "```"
    assert fence_for([CODE, 'x = """\n```\n"""\n']) == "````"


# properties

LINES = st.lists(
    st.text("ab {}()=:.#`", max_size=12).filter(lambda line: not line.startswith("```")),
    max_size=8,
).map(lambda lines: "".join(f"{line}\n" for line in lines))
PATHS = st.sampled_from(["a.py", "src/b.py", "c-d.h"])


@given(st.dictionaries(PATHS, LINES, min_size=1))
def test_listings_are_read_as_they_were_written(files):
    reply = "\n".join(f"{path}\n```\n{text}```\n" for path, text in files.items())
    assert dict(parse_whole(reply, list(files))) == files


@given(st.lists(st.builds(Block, PATHS, LINES, LINES), max_size=4))
def test_blocks_are_read_as_they_were_written(blocks):
    blocks = [one for one in blocks if not any(mark in one.search + one.replace for mark in "=")]
    reply = "\n".join(block(one.search, one.replace, path=one.path) for one in blocks)
    assert parse_blocks(reply, ["a.py", "src/b.py", "c-d.h"]) == blocks


@given(LINES, LINES, LINES, LINES)
def test_lines_of_a_file_can_be_replaced_by_any_others(before, old, after, new):
    text = before + old + after
    result = replaced(text, Block("none", old, new))
    if not old.strip():
        assert result == text + new
    elif text.find(old) == len(before) and f"\n{text}".find(f"\n{old}") == len(before):
        assert result is not None and result.endswith(after)


@given(st.text(max_size=300), st.sampled_from(["whole", "diff"]))
def test_no_reply_is_too_odd(reply, edit_format):
    edit(edit_format, reply, {"a.py": "x\n", "b.py": "y\n"})


@given(st.lists(st.sampled_from(["<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "a.py",
                                 "...", "x", "", "```bash"]), max_size=14))  # fmt: skip
def test_no_heap_of_markers_is_too_odd(lines):
    reply = "\n".join(lines)
    for edit_format in ("whole", "diff"):
        result = edit(edit_format, reply, {"a.py": "x\ny\n", "b.py": "z\n"})
        assert set(result.files) >= {"a.py", "b.py"}
