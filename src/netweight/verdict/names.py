"""The names in a sentence: models, groups of models, benchmarks, and who is speaking.

Works from the published tables and from general shapes of names. Knows nothing of what is said
about them.
"""

import functools
import itertools
import re
from dataclasses import dataclass

from netweight.verdict.descriptions import AIME, find_described
from netweight.verdict.evidence import Published
from netweight.verdict.mentions import Mention as Mention
from netweight.verdict.reader import named_in
from netweight.verdict.references import find_size_references as find_size_references
from netweight.verdict.story import Span

OPENAI_PROPRIETARY = "group:openai-proprietary"
CHINESE_OPEN = "group:chinese-open-weight"
OPEN_WEIGHT = "group:open-weight"

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
        r"alternatives?|counterparts?|systems?|peers?|startups?|leaders?|offerings?|entries|entry|"
        r"releases?|LLMs?)\b|"
        r"\b(?:open[\s\-]?(?:weights?|source)?\s+)?(?:models?|rivals?|competitors?|systems?|"
        r"offerings?|labs?|entry|entries|LLMs?|weights|nobody|no\s+one|anyone|anything|nothing)\s+"
        r"(?:made\s+|built\s+|that\s+comes?\s+)?(?:from|in|out\s+of)\s+China\b|"
        r"\bChina['\u2019]s\s+(?:[\w\-]+\s+){0,3}?(?:models?|rivals?|labs?|offerings?|entries|"
        r"best|leaders?|LLMs?)\b",
        re.IGNORECASE,
    ),
    OPEN_WEIGHT: re.compile(
        r"\b(?:no|any|every|all|some|each|most)\s+(?:other\s+|single\s+|rival\s+){0,2}"
        r"open(?:ly)?[\s\-](?:weights?|source|available)\s+(?:[\w\-]+\s+)?"
        r"(?:models?|rivals?|competitors?|systems?|LLMs?|alternatives?|peers?|offerings?)\b",
        re.IGNORECASE,
    ),
}

# What makes another name of a known one: "o3-pro" is not o3, nor "GPT-4o mini" GPT-4o.
# "gpt-oss-20b-uncensored" is a model of its own, "gpt-oss-20b-based" is not.
_VARIANT_OF = (
    r"-(?!based|class|level|like|sized?|powered|style|only|driven|backed|sibling|or|and)"
    r"[a-z][a-z\d]+"
)
_LONGER = rf"\w|-\d|{_VARIANT_OF}|"
_LONGER += r"[\s\-](?:pro|preview|nano|turbo|mini|max|deep[\s\-]research|distill\w*)\b"

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
_UNKNOWN_MODEL = re.compile(
    rf"\bgpt-oss-\d+b{_VARIANT_OF}(?:-\w+)*|"
    r"\b[A-Z][A-Za-z]+[\-][\w.]*\d[\w.\-]*[bB]\b|\bo[1-9](?:[\s\-](?:mini|pro|preview))+\b"
)
_FAMILY_WORD = re.compile(rf"\bgpt{_SEPARATOR}oss\b(?!{_SEPARATOR}\d)", re.IGNORECASE)
# Words that stand for the story's own model: the reader knows which from the story.
ROLE = "role:"
_ROLE = re.compile(
    r"\b(?:the|this|that|its|OpenAI['\u2019]s|the company['\u2019]s|the lab['\u2019]s)\s+"
    r"(?:(?:new|latest|free|own|first|big|American|US|U\.S\.)\s+){0,2}"
    r"(?:open(?:[\s\-]weights?|[\s\-]source)?\s+(?:\w+\s+)?"
    r"(?:models?|systems?|offering|entry|release|LLMs?|family|weights)|"
    r"newcomers?|new arrivals?|offerings?|contender|challenger)\b"
    r"|\bOpenAI['\u2019]s (?:new |latest )?(?:models?|entry|entrant)\b(?!\s+card)"
    r"|\bthe same (?:model|weights|system|checkpoint)\b",
    re.IGNORECASE,
)


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
        return re.compile(rf"(?<![\w\-])(?:{body})(?!{_LONGER})", re.IGNORECASE), owner

    models = build({row.id: row.aliases for row in tables.models.values()})
    benchmarks = build({row.id: row.aliases for row in tables.benchmarks.values()})
    return (*models, *benchmarks)


def _key(text: str) -> str:
    return re.sub(r"[\s\-\u2010-\u2015:]+", "", text).lower()


def find_models(text: str, tables: Published) -> list[Mention]:
    """Models and groups of models in order of their place; overlapping names count once."""
    pattern, owner, _, _ = _patterns(tables)
    found = [
        Mention((_newest(owner[_key(m[0])], text, m.start(), tables),), Span(*m.span()))
        for m in pattern.finditer(text)
    ]
    found += [
        Mention((group,), Span(*m.span()))
        for group, shape in _GROUPS.items()
        for m in shape.finditer(text)
    ]
    found += [Mention(("deepseek-r1-0528",), Span(*m.span())) for m in _LATEST.finditer(text)]
    family = tuple(row.id for row in tables.models.values() if row.family == "gpt-oss")
    found += [Mention(family, Span(*m.span())) for m in _FAMILY_WORD.finditer(text)]
    known = [m.span for m in found]
    for shape in (_OTHER_FAMILY, _UNKNOWN_MODEL):
        for match in shape.finditer(text):
            name = match[0].rstrip(".")
            span = Span(match.start(), match.start() + len(name))
            if not any(span.start < k.end and k.start < span.end for k in known):
                found.append(Mention((f"other:{name.lower()}",), span))
    return [
        m
        for m in _without_overlaps(found)
        if not (_JUDGE.search(text, 0, m.span.start) or _AS_JUDGE.match(text, m.span.end))
    ]


_AS_JUDGE = re.compile(r"\s+(?:as|for|being)\s+(?:an?\s+|the\s+)?(?:\w+\s+)?judge\b", re.IGNORECASE)


# What stood for it on the boards of that summer.
_LATEST = re.compile(
    r"\bDeepSeek['\u2019]s\s+(?:newest|latest|most\s+recent|current)\s+(?:reasoning\s+)?(?:model|entry|reasoner)\b"
    r"(?!,?\s+(?:V|R)\d)"
)


def _newest(name: str, text: str, start: int, tables: Published) -> str:
    """The model, or its successor where the words call for it: "the updated R1"."""
    newer = tables.models[name].newer
    return newer if newer and _NEWER.search(text, max(0, start - 30), start) else name


_NEWER = re.compile(
    r"\b(?:newer|updated|refreshed|revised)\s+(?:DeepSeek(?:['\u2019]s)?\s+)?$",
    re.IGNORECASE,
)
# "a second judge, GPT-4o, came to 83.5%": the model there marks the answers of another.
_JUDGE = re.compile(
    r"\b(?:judge(?:,|:|\s\(|\s+model|\s+(?:is|was))?|(?:judged|graded|marked|rated) by)\s*"
    r"(?:the\s+|an?\s+)?$",
    re.IGNORECASE,
)


def find_roles(text: str) -> list[Mention]:
    """Places such as "the newcomer" or "OpenAI's open model"; their ids are `ROLE` alone."""
    return [Mention((ROLE,), Span(*m.span())) for m in _ROLE.finditer(text)]


def find_benchmarks(text: str, tables: Published) -> list[Mention]:
    """Benchmarks in order of their place; the longest name wins."""
    _, _, pattern, owner = _patterns(tables)
    found = [Mention((owner[_key(m[0])],), Span(*m.span())) for m in pattern.finditer(text)]
    for pattern_of_several, ids in _OF_SEVERAL:
        if set(ids) <= tables.benchmarks.keys():
            found += [
                Mention(ids, Span(*m.span()))
                for m in pattern_of_several.finditer(text)
                if not any(m.start() < f.span.end and f.span.start < m.end() for f in found)
            ]
    found = [_of_languages(text, m, tables) for m in found]
    found = [_of_its_year(text, m) for m in found]
    found += find_described(text, found, tables.benchmarks)
    found = _of_the_part(text, sorted(found, key=lambda mention: mention.span), tables)
    return _without_glosses(text, found)


def _of_its_year(text: str, mention: Mention) -> Mention:
    """Read "the 2025 edition of the AIME" as that year's alone."""
    if mention.ids != AIME:
        return mention
    start, end = mention.span
    years = {n.tag for n in named_in(text, AIME) if n.span.start < end and start < n.span.end}
    return Mention((years.pop(),), mention.span) if len(years) == 1 else mention


_NEAR_ITS_WHOLE = re.compile(
    r"[\s,(]*(?:(?:\w+\s+){0,2}(?:of|in|at|on|from|with)\s+(?:the\s+)?)?|['\u2019]s\s+|:\s+"
)


def _of_the_part(text: str, found: list[Mention], tables: Published) -> list[Mention]:
    """Read "the airline half of Tau-bench" as that part of it alone."""
    wholes = [
        index
        for index, (one, other) in enumerate(itertools.pairwise(found))
        if _NEAR_ITS_WHOLE.fullmatch(text, one.span.end, other.span.start)
        and (_is_part(one, other, tables) or _is_part(other, one, tables))
    ]
    dropped = {
        index + 1 if _is_part(found[index], found[index + 1], tables) else index for index in wholes
    }
    return [mention for index, mention in enumerate(found) if index not in dropped]


def _is_part(part: Mention, whole: Mention, tables: Published) -> bool:
    return len(part.ids) == 1 and (tables.benchmarks[part.ids[0]].part_of,) == whole.ids


_MANY_LANGUAGES = re.compile(
    r"\b(?:multilingual|translated|many-language)\W+(?:\w+\W+){0,3}$", re.IGNORECASE
)


def _of_languages(text: str, mention: Mention, tables: Published) -> Mention:
    """Read "the multilingual edition of MMLU" as its translation."""
    is_translated = mention.ids == ("mmlu",) and _MANY_LANGUAGES.search(text, 0, mention.span.start)
    return Mention(("mmmlu",), mention.span) if is_translated else mention


def _without_glosses(text: str, found: list[Mention]) -> list[Mention]:
    """Leave out a benchmark that explains the one before: "MMMLU, which is MMLU translated"."""
    kept: list[Mention] = []
    for mention in found:
        between = text[kept[-1].span.end : mention.span.start] if kept else ""
        is_gloss = _GLOSS.fullmatch(between) and _GLOSSED.match(text, mention.span.end)
        if not is_gloss:
            kept.append(mention)
    return kept


_GLOSS = re.compile(
    r"[^.;:,(\d]{0,25}(?:,|\(|\s[\u2013\u2014\-])\s*(?:i\.e\.,?\s*|basically\s+|essentially\s+|"
    r"in effect\s+|effectively\s+|that is,?\s+)?(?:which|that|an?|the|or|it|where)?\b"
    r"[^.;,\d%]{0,45}",
    re.IGNORECASE,
)
_GLOSSED = re.compile(
    r"[^.;,)\d%]{0,45}?\b(?:translat\w+|(?:\w+\s+)?languages|questions|version|variant|put\s+into|"
    r"rendered|in\s+(?:\d+|\w+teen)\b)|(?=\s*(?:\)|,)\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Part:
    """Words for one part of a benchmark; `whole` are the ids that its bare name stands for."""

    whole: tuple[str, ...]
    id: str
    words: re.Pattern[str]


_YEAR = (
    r"\(\s*{0}\b|\b{0}(?:['\u2019]s)?\s+(?:edition|paper|contest|version|problems|set|round|exam|"
    r"questions)\b|\b(?:papers?|edition|contest|problems|exam|questions)\s+(?:of|from)\s+{0}\b|\b(?:the|its)\s+{0}\b(?=\s*(?:and|or|one\b|is\b|:))"
)
_BBQ = ("bbq-ambiguous", "bbq-disambiguated")
_AIME = ("aime-2024", "aime-2025")
_PARTS = (
    _Part(
        _BBQ,
        "bbq-ambiguous",
        re.compile(
            r"(?<![\w])ambiguous\b|\bleav(?:e|es|ing)\b[^.;,]{0,30}\bopen\b|\bunder-?specified\b|"
            r"\b(?:text|passage|context)\s+does(?:\s+not|n['\u2019]t)\s+\w+",
            re.IGNORECASE,
        ),
    ),
    _Part(
        _BBQ,
        "bbq-disambiguated",
        re.compile(
            r"\b(?:disambiguated|unambiguous)\b|\b(?:text|passage|context)\s+(?:does\s+)?(?:settles?|"
            r"tells?|gives?|states?|decides?|makes?)\b",
            re.IGNORECASE,
        ),
    ),
    _Part(_AIME, "aime-2024", re.compile(_YEAR.format(2024), re.IGNORECASE)),
    _Part(_AIME, "aime-2025", re.compile(_YEAR.format(2025), re.IGNORECASE)),
    _Part(
        ("aider-polyglot",),
        "aider-well-formed",
        re.compile(
            r"\b(?:mal-?formed|ill-formed|well-formed|(?:wrong|right|correct|valid|bad)\s+(?:edit\s+)?format|"
            r"(?:format|syntax)\s+(?:errors?|faults?|mistakes?))\b",
            re.IGNORECASE,
        ),
    ),
    _Part(
        ("simpleqa",),
        "simpleqa-hallucination",
        re.compile(
            r"\bhallucination\s+(?:rates?|scores?|figures?|share)\b|\berror\s+rates?\b|"
            r"\b(?:rate|share)s?\s+of\s+(?:wrong|false|invented|made-up|incorrect)\b|"
            r"\b(?:wrong(?:ly)?|false(?:ly)?|incorrect(?:ly)?|fluff\w*|duff|flunk\w*|botch\w*|fumbl\w*|muff(?:s|ed)|misses|missed|bogus|"
            r"mistaken(?:ly)?|invent(?:s|ed)|fabricat\w*|hallucinat\w*|ma(?:de|kes?)\s+(?:up|(?:\w+\s+){1,3}up))\b",
            re.IGNORECASE,
        ),
    ),
)


def find_parts(text: str, named: list[Mention], carried: tuple[str, ...]) -> list[Mention]:
    """The benchmarks named, with the parts told of one that has parts.

    `carried` are those that the passage named before, for a sentence that names none itself.
    """
    return _with_exercises(text, _with_parts(text, named, carried))


def _with_parts(text: str, named: list[Mention], carried: tuple[str, ...]) -> list[Mention]:
    here = {name for mention in named for name in mention.ids}
    known = here or {*carried}
    parts = [
        Mention((part.id,), Span(*match.span()))
        for part in _PARTS
        if known & {*part.whole} and not known - {*part.whole, part.id}
        for match in part.words.finditer(text)
    ]
    if not parts:
        return named
    kept = [m for m in named if len(m.ids) == 1 and not _is_told_in_part(text, m, parts)]
    if len(parts) == 1 and len(_PERCENT.findall(text)) == 1:  # one number, and it is of the part
        wholes = next(part.whole for part in _PARTS if part.id == parts[0].ids[0])
        kept = [m for m in kept if m.ids[0] not in wholes]
    parts = [p for p in parts if not any(_meet(p.span, m.span) for m in kept)]
    if not kept and {p.ids for p in parts} == {("simpleqa-hallucination",)}:
        kept = [Mention(("simpleqa",), Span(*m.span())) for m in _RIGHT.finditer(text)]
    return sorted([*kept, *parts], key=lambda mention: mention.span)


def _with_exercises(text: str, named: list[Mention]) -> list[Mention]:
    """What follows a rate of well-formed edits, in a clause of its own, is of the exercises."""
    if not named or named[-1].ids != ("aider-well-formed",):
        return named
    turn = _NEXT_CLAUSE.search(text, named[-1].span.end)
    return [*named, Mention(("aider-polyglot",), Span(turn.end(), turn.end()))] if turn else named


_RIGHT = re.compile(r"\b(?:right|correct(?:ly)?)\b", re.IGNORECASE)
_NEXT_CLAUSE = re.compile(r";\s|,\s+(?:and|but|while|whereas)\s")


_PERCENT = re.compile(r"\d\s?(?:%|percent\b|per\s?cent\b)", re.IGNORECASE)


def _is_told_in_part(text: str, whole: Mention, parts: list[Mention]) -> bool:
    """Whether a name only completes the words for a part: "the rate of wrong answers on X"."""
    return any(_COMPLETED.fullmatch(text, p.span.end, whole.span.start) for p in parts)


_COMPLETED = re.compile(r"[^.;,:%]{0,60}\b(?:on|in|for|of)\s+(?:the\s+)?", re.IGNORECASE)


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


# Names that are of several tables: alone they name no one of them.
_OF_SEVERAL = (
    (re.compile(r"\bAIME\b"), ("aime-2024", "aime-2025")),
    (re.compile(r"\bBBQ\b"), ("bbq-ambiguous", "bbq-disambiguated")),
)


def _without_overlaps(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.span.start, -m.span.end)):
        if not kept or mention.span.start >= kept[-1].span.end:
            kept.append(mention)
    return kept


_SPEAKER_VERB = (
    r"says?|said|claims?|claimed|reports?|reported|argues?|argued|notes?|noted|wrote|writes|"
    r"acknowledges?|acknowledged|complain(?:s|ed)?|called|calls|praised|praises|finds?|found|"
    r"states|stated|told|tells|warns?|warned|describes?|described|insists?|insisted|maintains?|"
    r"maintained|suspects?|suspected|guess(?:es|ed)?|believes?|believed|thinks?|thought|"
    r"speaks? of|spoke of|touts?|touted|boasts?|boasted|promises?|promised|concludes?|concluded|"
    r"places|placed|puts|rates|rated|estimates?|estimated|reckons?|alleges?|alleged|swears?|"
    r"asserts?|asserted|admits?|admitted|contends?|joked|posted|tweeted|speculates?|speculated"
)
_NAME = r"(?:[A-Z][\w.\-]*(?:\s+(?:of\s+)?[A-Z][\w.\-]*){0,3})"
_ADVERB = r"(?:itself|themselves|also|now|has|have|had|only|even|later|once|\w+ly)"
_ROLES = (
    r"[Cc]ritics?|[Uu]sers?|[Dd]evelopers?|[Tt]esters?|[Rr]esearchers?|[Rr]eviewers?|"
    r"[Oo]bservers?|[Ee]xperts?|[Ee]ngineers?|[Pp]eople|[Cc]ommentators?|[Bb]loggers?|"
    r"[Aa]nalysts?|[Rr]eaders?|[Pp]osters?|[Cc]ommenters?|[Ss]ceptics?|[Ss]keptics?|[Ff]ans?|"
    r"[Ff]olks|[Ii]nsiders?|[Hh]obbyists?"
)
_MAKER = (
    r"(?:its|the|their) (?:own )?(?:maker|makers|company|firm|vendor|lab|developer|creator|"
    r"creators|publisher|model card|card)|a spokes\w+"
)
_ATTRIBUTION = (
    re.compile(rf"\b[Aa]ccording to ((?:the )?(?:[\w\-]+ )?{_NAME}|[\w\-]+(?: \w+)?)"),
    re.compile(rf"\b([Ss]ome)\b[^.;]{{0,20}}\b({_NAME})[,\s]+(?:{_SPEAKER_VERB})\b"),
    re.compile(rf"\b({_NAME})(?:['\u2019]s \w+)?,? (?:{_ADVERB} )?(?:{_SPEAKER_VERB})\b"),
    re.compile(
        rf"\b(?:results?|figures?|numbers?|tests?|evaluations?|benchmarks?) (?:from|by) ({_NAME})"
    ),
    re.compile(
        rf"\b((?:[Ss]ome |[Mm]any |[Ee]arly |[Ss]everal |[Oo]ne |[Aa] |[Tt]wo |[Mm]ost )?"
        rf"(?:{_ROLES}))\b[^.;]{{0,60}}?\b(?:{_SPEAKER_VERB}|dismiss\w*|say|telling|suspect|"
        r"grumble|swear)\b"
    ),
    re.compile(
        rf"\b(?:by|in|on|from|to) ({_NAME})['\u2019]s (?:own )?(?:telling|account|numbers|words|"
        r"reckoning|estimates?|figures|view|measure|admission|claims?|tests?|description)\b"
    ),
    re.compile(rf"\b({_MAKER}),? (?:{_ADVERB} )?(?:{_SPEAKER_VERB})\b", re.IGNORECASE),
    re.compile(
        r"\b([Ss]ome|[Mm]any|[Tt]hey)\b(?:,[^.;]{0,60},)? (?:say|claim|argue|acknowledge|dismiss|"
        r"complain|praise|call|suspect|think|believe)\b"
    ),
    re.compile(
        r"\b([Rr]umou?rs?|[Ww]ord|[Ss]peculation|[Gg]ossip)\b (?:has|have|is|says|on the street)\b"
    ),
)


def find_attribution(text: str) -> str | None:
    """Who the sentence says is speaking, in its own words, or None."""
    for pattern in _ATTRIBUTION:
        if match := pattern.search(text):
            return match[match.lastindex or 1].strip()
    return None
