"""The names in a sentence: models, groups of models, benchmarks, and who is speaking.

Works from the published tables and from general shapes of names. Knows nothing of what is said
about them.
"""

import functools
import re
from dataclasses import dataclass

from netweight.verdict.evidence import Published
from netweight.verdict.story import Span

OPENAI_PROPRIETARY = "group:openai-proprietary"
CHINESE_OPEN = "group:chinese-open-weight"

_SEPARATOR = r"[\s\-\u2010-\u2015:]?"

# Groups that stories compare with. The comparison's members come from the model table.
_GROUPS = {
    OPENAI_PROPRIETARY: re.compile(
        r"\b(?:OpenAI['\u2019]s|its|their|the company['\u2019]s|in-house|own|other)\s+(?:own\s+|"
        r"existing\s+|leading\s+)?"
        r"(?:proprietary|closed(?:-source|-weight)?|commercial|paid|private|powerful AI)\s+"
        r"(?:\w+\s+)?(?:models?|offerings?|systems?|products?|siblings?)",
        re.IGNORECASE,
    ),
    CHINESE_OPEN: re.compile(
        r"\bChinese\s+(?:[\w\-]+\s+){0,4}?(?:heavyweights?|rivals?|models?|competitors?|"
        r"competition|labs?|"
        r"alternatives?|counterparts?|systems?|peers?|startups?|leaders?|offerings?)\b",
        re.IGNORECASE,
    ),
}

# Families whose members may have no figures: their names keep their claims apart.
_OTHER_FAMILY = re.compile(
    r"(?<!since )\b(?:GPT|Claude|Gemini|Gemma|Llama|Mistral|Mixtral|Phi|Grok|Qwen\d?|DeepSeek|Kimi|"
    r"GLM|Falcon|Command|Nemotron|"
    r"Granite|OLMo|Yi|ERNIE|Hunyuan|MiniMax|Step|Jamba|DBRX|Nova|Sonnet|Opus|Haiku)"
    r"(?:[\s\-]?(?:R|V|K|M|A)?\d[\w.]*|[\s\-](?:Pro|Ultra|Flash|Opus|Sonnet|Haiku|Scout|"
    r"Maverick|Large|Small))"
    r"(?:[\s\-](?:\d[\w.]*|Pro|Ultra|Flash|Mini|mini|Opus|Sonnet|Haiku|Scout|Maverick|Large|"
    r"Small|Coder|Instruct))*"
)
_UNKNOWN_MODEL = re.compile(r"\b[A-Z][A-Za-z]+[\-][\w.]*\d[\w.\-]*[bB]\b")
_FAMILY_WORD = re.compile(rf"\bgpt{_SEPARATOR}oss\b(?!{_SEPARATOR}\d)", re.IGNORECASE)
_SIZE_REFERENCE = re.compile(
    r"(?<![\w.$-])(120|20)(?:[\s\-]?B\b|[\s\-]billion(?=[\s\-](?:parameter|version|model|"
    r"variant)))",
    re.IGNORECASE,
)
_LARGER = re.compile(
    r"\b(?:the|its|OpenAI['\u2019]s|the company['\u2019]s)\s+(larger|bigger|smaller|little)"
    r"(?:\s+(?:model|version|variant|one|sibling|brother|"
    r"of\s+(?:[\w'\u2019]+\s+){0,2}two)\b|"
    r"(?=\s+(?:has|is|got|gets|was|needs|runs|scores?d?|reach\w+)\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mention:
    """A name at a place in a sentence. `ids` are table ids, group ids, or `other:` and the name."""

    ids: tuple[str, ...]
    span: Span


def _alias_pattern(alias: str) -> str:
    words = re.split(r"[\s\-]+", alias)
    return _SEPARATOR.join(re.escape(word) for word in words)


@functools.lru_cache(maxsize=4)
def _patterns(
    tables: Published,
) -> tuple[re.Pattern[str], dict[str, str], re.Pattern[str], dict[str, str]]:
    def build(rows: dict[str, tuple[str, ...]]) -> tuple[re.Pattern[str], dict[str, str]]:
        owner = {_key(alias): row for row, aliases in rows.items() for alias in aliases}
        longest_first = sorted((a for al in rows.values() for a in al), key=lambda a: (-len(a), a))
        body = "|".join(_alias_pattern(alias) for alias in longest_first)
        return re.compile(rf"(?<![\w\-])(?:{body})(?![\w]|-\d)", re.IGNORECASE), owner

    models = build({row.id: row.aliases for row in tables.models.values()})
    benchmarks = build({row.id: row.aliases for row in tables.benchmarks.values()})
    return (*models, *benchmarks)


def _key(text: str) -> str:
    return re.sub(r"[\s\-\u2010-\u2015:]+", "", text).lower()


def find_models(text: str, tables: Published) -> list[Mention]:
    """Models and groups of models in order of their place; overlapping names count once."""
    pattern, owner, _, _ = _patterns(tables)
    found = [Mention((owner[_key(m[0])],), Span(*m.span())) for m in pattern.finditer(text)]
    found += [
        Mention((group,), Span(*m.span()))
        for group, shape in _GROUPS.items()
        for m in shape.finditer(text)
    ]
    family = tuple(row.id for row in tables.models.values() if row.family == "gpt-oss")
    found += [Mention(family, Span(*m.span())) for m in _FAMILY_WORD.finditer(text)]
    known = [m.span for m in found]
    for shape in (_OTHER_FAMILY, _UNKNOWN_MODEL):
        for match in shape.finditer(text):
            name = match[0].rstrip(".")
            span = Span(match.start(), match.start() + len(name))
            if not any(span.start < k.end and k.start < span.end for k in known):
                found.append(Mention((f"other:{name.lower()}",), span))
    return _without_overlaps(found)


def find_size_references(text: str) -> list[Mention]:
    """Models called by size, as in "the 120B model"; gpt-oss only in a story about gpt-oss."""
    found = [
        Mention((f"gpt-oss-{m[1]}b",), Span(*m.span())) for m in _SIZE_REFERENCE.finditer(text)
    ]
    for match in _LARGER.finditer(text):
        size = "20b" if match[1].lower() in ("smaller", "little") else "120b"
        found.append(Mention((f"gpt-oss-{size}",), Span(*match.span())))
    return _without_overlaps(found)


def find_benchmarks(text: str, tables: Published) -> list[Mention]:
    """Benchmarks in order of their place; the longest name wins."""
    _, _, pattern, owner = _patterns(tables)
    found = [Mention((owner[_key(m[0])],), Span(*m.span())) for m in pattern.finditer(text)]
    if {"aime-2024", "aime-2025"} <= tables.benchmarks.keys():
        found += [
            Mention(("aime-2024", "aime-2025"), Span(*m.span()))
            for m in _BARE_AIME.finditer(text)
            if not any(m.start() < f.span.end and f.span.start < m.end() for f in found)
        ]
    return sorted(found, key=lambda mention: mention.span)


_BARE_AIME = re.compile(r"\bAIME\b")


def _without_overlaps(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.span.start, -m.span.end)):
        if not kept or mention.span.start >= kept[-1].span.end:
            kept.append(mention)
    return kept


_SPEAKER_VERB = (
    r"says?|said|claims?|claimed|reports?|reported|argues?|argued|notes?|noted|wrote|writes|"
    r"acknowledges?|"
    r"acknowledged|complain(?:s|ed)?|called|calls|praised|praises|finds?|found|stated|states|"
    r"told|warns?|warned"
)
_NAME = r"(?:[A-Z][\w.\-]*(?:\s+(?:of\s+)?[A-Z][\w.\-]*){0,3})"
_ATTRIBUTION = (
    re.compile(rf"\b[Aa]ccording to ((?:the )?(?:[\w\-]+ )?{_NAME}|[\w\-]+(?: \w+)?)"),
    re.compile(rf"\b([Ss]ome)\b[^.;]{{0,20}}\b({_NAME})[,\s]+(?:{_SPEAKER_VERB})\b"),
    re.compile(rf"\b({_NAME})(?:['\u2019]s \w+)?,? (?:{_SPEAKER_VERB})\b"),
    re.compile(
        rf"\b(?:results?|figures?|numbers?|tests?|evaluations?|benchmarks?) (?:from|by) ({_NAME})"
    ),
    re.compile(
        rf"\b((?:[Ss]ome |[Mm]any |[Ee]arly |[Ss]everal )?(?:[Cc]ritics?|[Uu]sers?|[Dd]evelopers?|"
        rf"[Tt]esters?|[Rr]esearchers?|[Rr]eviewers?|"
        rf"[Oo]bservers?|[Ee]xperts?|[Ee]ngineers?|[Pp]eople|"
        rf"[Cc]ommentators?))\b[^.;]{{0,60}}?\b(?:{_SPEAKER_VERB}|dismiss\w*|say)\b"
    ),
    re.compile(
        r"\b([Ss]ome|[Mm]any)\b(?:,[^.;]{0,60},)? (?:say|claim|argue|acknowledge|dismiss|"
        r"complain|praise|call)\b"
    ),
)


def find_attribution(text: str) -> str | None:
    """Who the sentence says is speaking, in its own words, or None."""
    for pattern in _ATTRIBUTION:
        if match := pattern.search(text):
            return match[match.lastindex or 1].strip()
    return None
