"""Plain text and Markdown as pages."""

import re

from netweight.tools.page import Links, Page, file_name, harmless

_FENCE = re.compile(r" {0,3}(```|~~~)")
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_CODE_OR_LINK = re.compile(
    r"(?P<code>`+[^`]*`+)"
    r"|\[(?P<text>[^\[\]]+)\]"
    r"(?:\(\s*<?(?P<target>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+[^()]*)?\)"
    r"|\[(?P<label>[^\[\]]*)\])?"
    r"|<(?P<bare>https?://[^\s<>]+)>"
)
_DEFINITION = re.compile(r"^ {0,3}\[([^\[\]]+)\]:\s*<?([^\s<>]+)>?.*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n(?:.*\n)*?title:[ \t]*[\"']?(.+?)[\"']?[ \t]*\n(?:.*\n)*?---\n")
_MAX_FRONT_MATTER = 4096
_HEADING = re.compile(r"^#[ \t]+(.+)$", re.MULTILINE)


def read_text(content: bytes, url: str) -> Page:
    """A text file: as it is, without links."""
    return Page.finished(url, file_name(url), decoded(content))


def read_source(content: bytes, url: str) -> Page:
    """Any file's content as it is."""
    return Page(f"view-source:{url}", f"Source of {file_name(url)}", decoded(content))


def read_markdown(content: bytes, url: str) -> Page:
    """A Markdown file: as it is, but for links and pictures. Its first heading is its title."""
    text = decoded(content)
    title = _FRONT_MATTER.match(text, 0, _MAX_FRONT_MATTER) or _HEADING.search(text)
    links = Links(url)
    targets = {label.casefold(): target for label, target in _DEFINITION.findall(text)}

    def marked(match: re.Match[str]) -> str:
        words, label = match["text"], match["label"]
        if match["code"]:
            return match[0]
        if match["bare"]:
            return links.mark(match["bare"], match["bare"])
        target = match["target"]
        if target is None:
            target = targets.get((label or words).casefold())
        return match[0] if target is None else links.mark(target, words)

    lines, fence = [], None
    for line in text.split("\n"):
        edge = _FENCE.match(line)
        if edge and fence in (None, edge[1]):
            fence = edge[1] if fence is None else None
        elif fence is None and not _DEFINITION.fullmatch(line):
            line = _CODE_OR_LINK.sub(marked, _IMAGE.sub(r"(image: \1)", line))
        lines.append(line)
    name = title[1].strip(" \t#") if title else ""
    return Page.finished(url, name or file_name(url), "\n".join(lines), links.urls)


def decoded(content: bytes) -> str:
    """UTF-8 as text, with line feeds only."""
    text = content.decode(errors="replace").removeprefix("\ufeff")
    return harmless(text.replace("\r\n", "\n").replace("\r", "\n"))
