"""Aider's edit formats: a model's reply in, changed files out.

`whole`: a line with a file's name, then the whole file between fences. `diff`: a file's name, then
blocks between `<<<<<<< SEARCH`, `=======` and `>>>>>>> REPLACE`, whose first part is found in the
file and replaced by the second. A reply that does not follow its format is malformed, which is
another thing than wrong. What Aider forgives is forgiven here: a name in bold, with a colon or
without its folder; in `diff` a missing name after the first, indentation that is off by the same
everywhere, an empty first line, lines left out as `...` on both sides.

Knows texts. Does not know exercises, models or disks.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, get_args

EditFormat = Literal["whole", "diff"]
EDIT_FORMATS: tuple[EditFormat, ...] = get_args(EditFormat)

_TICKS = "```"
_MAX_NAME = 250  # a longer line before a fence is prose

_SEARCH = re.compile(r"<{5,9} SEARCH>?\s*")
_DIVIDER = re.compile(r"={5,9}\s*")
_REPLACE = re.compile(r">{5,9} REPLACE\s*")
_SHELLS = tuple(
    f"{_TICKS}{shell}"
    for shell in ("bash", "sh", "shell", "cmd", "batch", "powershell", "ps1", "zsh", "fish", "ksh",
                  "csh", "tcsh")
)  # fmt: skip
_ELISION = re.compile(r"^\s*\.\.\.\n", re.MULTILINE)
_NAME_LIKENESS = 0.8
_LINES_LIKENESS = 0.6
_LINES_AROUND = 5


class MalformedReply(ValueError):
    """A reply that does not follow its edit format; the message is for the model."""


class WholeFile(NamedTuple):
    """A file as the reply has it."""

    path: str
    content: str


class Block(NamedTuple):
    """Lines to find in a file, and what is to stand there instead."""

    path: str
    search: str
    replace: str


class Edited(NamedTuple):
    """What came of a reply's edits: all files, the paths of those edited, and what was malformed.

    Of a malformed reply the blocks that did fit are applied all the same.
    """

    files: dict[str, str]
    paths: tuple[str, ...]
    problem: str | None


def fence_for(files: Iterable[str]) -> str:
    """Return backticks that no line of the files begins with."""
    lines = [line for content in files for line in content.splitlines()]
    return "````" if any(line.startswith(_TICKS) for line in lines) else _TICKS


def edit(
    edit_format: EditFormat,
    reply: str,
    files: Mapping[str, str],
    *,
    others: Mapping[str, str] | None = None,
    fence: str = _TICKS,
) -> Edited:
    """Apply a reply's edits to `files`, the ones in the chat; new ones join them.

    `others` are files that exist beside them and are not to be edited: an edit of one is as
    well-formed or not as any, and has no effect.
    """
    try:
        if edit_format == "whole":
            return _apply_whole(parse_whole(reply, tuple(files), fence), files, others or {})
        return _apply_blocks(parse_blocks(reply, tuple(files), fence), files, others or {}, fence)
    except MalformedReply as error:
        return Edited(dict(files), (), str(error))


def parse_whole(reply: str, paths: Sequence[str], fence: str = _TICKS) -> list[WholeFile]:
    """Return the files of a reply in the format `whole`; `paths` are the ones in the chat.

    Where a file comes twice, the listing with its name right before it stands; then the one whose
    name was mentioned in backticks; then the nameless one.

    Raises:
        MalformedReply: a listing without a name, where several files are in the chat.
    """
    found: dict[str, dict[str, str]] = {"named": {}, "mentioned": {}, "nameless": {}}
    lines = reply.splitlines(keepends=True)
    mentioned, index = None, 0
    while index < len(lines):
        if not lines[index].startswith(fence):
            mentioned = _mentioned(lines[index], paths) or mentioned
            index += 1
            continue
        path = _listing_name(lines[index - 1], paths) if index else ""
        how = "named" if path else "mentioned" if mentioned else "nameless"
        path = path or mentioned or _only(paths, fence)
        mentioned = None
        end = _next_fence(lines, index + 1, fence)
        found[how].setdefault(path, "".join(lines[index + 1 : end]))
        index = end + 1
    best = {path: text for how in reversed(found.values()) for path, text in how.items()}
    return [WholeFile(path, text) for path, text in best.items()]


def parse_blocks(reply: str, paths: Sequence[str], fence: str = _TICKS) -> list[Block]:
    """Return the SEARCH/REPLACE blocks of a reply; `paths` are the files in the chat.

    Commands for a shell are passed over, since none is run.

    Raises:
        MalformedReply: a block without a name before it, or one that is cut short.
    """
    lines = reply.splitlines(keepends=True)
    blocks: list[Block] = []
    path, index = None, 0
    while index < len(lines):
        if _is_shell(lines, index):
            index = _next_fence([line.strip() for line in lines], index + 1, _TICKS) + 1
            continue
        if not _SEARCH.fullmatch(lines[index].strip()):
            index += 1
            continue
        is_new = index + 1 < len(lines) and _is_divider(lines[index + 1])
        before = lines[max(0, index - 3) : index]
        path = _block_name(before, () if is_new else paths, fence) or path
        if path is None:
            told = f"There is no file name on the line before the opening {fence}."
            raise MalformedReply(_up_to(lines, index, told))
        middle = _until(lines, index + 1, _is_divider, "`=======`")
        end = _until(lines, middle + 1, _is_end, "`>>>>>>> REPLACE`")
        search, replace = "".join(lines[index + 1 : middle]), "".join(lines[middle + 1 : end])
        blocks.append(Block(path, search, replace))
        index = end + 1
    return blocks


def _apply_whole(
    listings: Iterable[WholeFile], files: Mapping[str, str], others: Mapping[str, str]
) -> Edited:
    new = {listing.path: listing.content for listing in listings}
    ours = {path: content for path, content in new.items() if path not in others}
    return Edited({**files, **ours}, tuple(new), None)


def _apply_blocks(
    blocks: Sequence[Block], files: Mapping[str, str], others: Mapping[str, str], fence: str
) -> Edited:
    """Apply each block to its file or, if it does not fit there, to any in the chat that it fits.

    A file that did not exist is in the chat from then on, empty if nothing could be put into it.
    """
    now, beside = dict(files), dict(others)
    edited: dict[str, None] = {}
    failed: list[Block] = []
    for block in blocks:
        if block.path not in now and block.path not in beside:
            now[block.path] = ""
        own = beside if block.path in beside else now
        for place, texts in [(block.path, own), *((path, now) for path in files)]:
            text = replaced(texts[place], block, fence)
            if text is not None:
                texts[place] = text
                edited[place] = None
                break
        else:
            failed.append(block)
    problem = _unmatched(failed, len(blocks), {**beside, **now}, fence) if failed else None
    return Edited(now, tuple(edited), problem)


def replaced(text: str, block: Block, fence: str = _TICKS) -> str | None:
    """Return a file's text with a block applied, or None where its search lines are not found.

    Without search lines, what is to be put in comes at the end.
    """
    search = _unwrapped(block.search, block.path, fence)
    replace = _unwrapped(block.replace, block.path, fence)
    if not search.strip():
        return _ended(text) + replace if text else replace
    whole, part, new = (_ended(one).splitlines(keepends=True) for one in (text, search, replace))
    result = _replaced_lines(whole, part, new)
    if result is None and len(part) > 2 and not part[0].strip():
        result = _replaced_lines(whole, part[1:], new)
    return _replaced_around_elisions(text, search, replace) if result is None else result


def _replaced_lines(whole: list[str], part: list[str], new: list[str]) -> str | None:
    """Replace the first lines that are `part`, exactly or else but for a common indentation."""
    places = range(len(whole) - len(part) + 1)
    for start in places:
        if whole[start : start + len(part)] == part:
            return "".join([*whole[:start], *new, *whole[start + len(part) :]])
    part, new = _outdented(part, new)
    for start in places:
        lacking = _indentation_lacking(whole[start : start + len(part)], part)
        if lacking is not None:
            indented = [lacking + line if line.strip() else line for line in new]
            return "".join([*whole[:start], *indented, *whole[start + len(part) :]])
    return None


def _outdented(part: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Take from both what all their lines are indented by."""
    indented = [len(line) - len(line.lstrip()) for line in [*part, *new] if line.strip()]
    width = min(indented, default=0)
    first, second = (
        [line[width:] if line.strip() else line for line in lines] for lines in (part, new)
    )
    return first, second


def _indentation_lacking(there: list[str], part: list[str]) -> str | None:
    """What each line of `part` lacks before it to be what is there; None if that varies."""
    if any(a.lstrip() != b.lstrip() for a, b in zip(there, part, strict=True)):
        return None
    lacking = {a[: len(a) - len(b)] for a, b in zip(there, part, strict=True) if a.strip()}
    return lacking.pop() if len(lacking) == 1 else None


def _replaced_around_elisions(text: str, search: str, replace: str) -> str | None:
    """Apply a block with lines of `...`: each piece between them is found once and replaced."""
    text, search, replace = _ended(text), _ended(search), _ended(replace)
    if not (marks := _ELISION.findall(search)) or marks != _ELISION.findall(replace):
        return None
    for old, new in zip(_ELISION.split(search), _ELISION.split(replace), strict=True):
        if old:
            if text.count(old) != 1:
                return None
            text = text.replace(old, new)
        elif new:
            text = _ended(text) + new
    return text


def _unwrapped(text: str, path: str, fence: str) -> str:
    """Take off a file's name and fences that a model has put inside a block."""
    lines = text.splitlines()
    if lines and lines[0].strip().endswith(PurePosixPath(path).name):
        lines = lines[1:]
    if len(lines) > 1 and lines[0].startswith(fence) and lines[-1].startswith(fence):
        lines = lines[1:-1]
    return "".join(f"{line}\n" for line in lines)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _unmatched(
    failed: Sequence[Block], num_blocks: int, texts: Mapping[str, str], fence: str
) -> str:
    """Tell the model which blocks did not fit, and what lines it may have meant."""
    told = [f"{len(failed)} of {num_blocks} SEARCH/REPLACE blocks could not be applied.\n"]
    for block in failed:
        text = texts[block.path]
        told.append(
            f"These SEARCH lines do not stand in {block.path} exactly as given:\n"
            f"<<<<<<< SEARCH\n{block.search}=======\n{block.replace}>>>>>>> REPLACE\n"
        )
        if like := _like(block.search, text):
            told.append(f"{block.path} does have these lines:\n{fence}\n{like}\n{fence}\n")
        if block.replace.strip() and block.replace in text:
            told.append(f"The REPLACE lines stand in {block.path} already.\n")
    told.append("SEARCH has to repeat lines of the file exactly, spaces and comments included.")
    if num_applied := num_blocks - len(failed):
        told.append(f"The other {num_applied} were applied: send only the failed ones again.")
    return "\n".join(told)


def _like(search: str, text: str) -> str:
    """Return the lines of a text that are most like the given ones, with some around them."""
    wanted, lines = search.splitlines(), text.splitlines()
    starts = range(len(lines) - len(wanted) + 1)
    if not wanted or not starts:
        return ""

    def likeness(start: int) -> float:
        there = lines[start : start + len(wanted)]
        return difflib.SequenceMatcher(None, wanted, there).ratio()

    best = max(starts, key=likeness)
    if likeness(best) < _LINES_LIKENESS:
        return ""
    return "\n".join(lines[max(0, best - _LINES_AROUND) : best + len(wanted) + _LINES_AROUND])


def _listing_name(line: str, paths: Sequence[str]) -> str:
    """Read the line before a listing as a file's name; empty where there is none."""
    name = line.strip().strip("*").rstrip(":").strip("`").lstrip("#").strip()
    if len(name) > _MAX_NAME:
        return ""
    return name if name in paths else _by_last_part(name, paths) or name


def _mentioned(line: str, paths: Sequence[str]) -> str | None:
    """Return the last file of the chat that a line of prose has in backticks."""
    words = [word.rstrip(".:,;!") for word in line.split()]
    found = [path for word in words for path in paths if word == f"`{path}`"]
    return found[-1] if found else None


def _only(paths: Sequence[str], fence: str) -> str:
    if len(paths) != 1:
        raise MalformedReply(
            f"There is no file name before the {fence} of a file listing. Put the name alone on "
            f"the line before it; it is one of: {', '.join(paths)}."
        )
    return paths[0]


def _by_last_part(name: str, paths: Iterable[str]) -> str | None:
    """Return the only path whose last part is that of `name`."""
    last = PurePosixPath(name).name
    found = [path for path in paths if PurePosixPath(path).name == last]
    return found[0] if len(found) == 1 else None


def _next_fence(lines: Sequence[str], start: int, fence: str) -> int:
    """Return the index of the next line with a fence, or the number of lines."""
    places = (index for index in range(start, len(lines)) if lines[index].startswith(fence))
    return next(places, len(lines))


def _is_shell(lines: Sequence[str], index: int) -> bool:
    """Say whether commands begin here: a shell's fence, and no block in the next two lines."""
    if not lines[index].strip().startswith(_SHELLS):
        return False
    return not any(_SEARCH.fullmatch(line.strip()) for line in lines[index + 1 : index + 3])


def _block_name(before: Sequence[str], paths: Sequence[str], fence: str) -> str | None:
    """Return the file that the lines before a block name: the nearest, through fences only.

    Of several, one in the chat wins; then one whose last part or spelling is like one in the chat.
    """
    names = list(_block_names(reversed(before), fence))
    exact = [name for name in names if name in paths]
    last = [path for name in names for path in paths if PurePosixPath(path).name == name]
    like = [
        found[0]
        for name in names
        if (found := difflib.get_close_matches(name, paths, n=1, cutoff=_NAME_LIKENESS))
    ]
    dotted = [name for name in names if "." in name]
    return next(iter([*exact, *last, *like, *dotted, *names]), None)


def _block_names(lines: Iterable[str], fence: str) -> Iterator[str]:
    for line in lines:
        if name := _block_line_name(line.strip(), fence):
            yield name
        if not line.startswith((fence, _TICKS)):
            return


def _block_line_name(line: str, fence: str) -> str | None:
    if line == "...":
        return None
    for ticks in (fence, _TICKS):
        if line.startswith(ticks):
            name = line.removeprefix(ticks)
            return name if "." in name or "/" in name else None
    return line.rstrip(":").lstrip("#").strip().strip("`").strip("*")


def _is_divider(line: str) -> bool:
    return _DIVIDER.fullmatch(line.strip()) is not None


def _is_end(line: str) -> bool:
    return _REPLACE.fullmatch(line.strip()) is not None or _is_divider(line)


def _until(lines: Sequence[str], start: int, is_it: Callable[[str], bool], expected: str) -> int:
    """Return the index of the next line that `is_it`."""
    for index in range(start, len(lines)):
        if is_it(lines[index]):
            return index
    raise MalformedReply(_up_to(lines, len(lines) - 1, f"Here {expected} was expected."))


def _up_to(lines: Sequence[str], index: int, told: str) -> str:
    return "".join(lines[: index + 1]).rstrip("\n") + f"\n^^^ {told}"
