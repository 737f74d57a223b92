"""Models called by no name: by their size, as a sibling, as the rival that was named last.

Works from classes of words, in any combination. Which model a word stands for follows from what
the passage named before.
"""

import re
from collections.abc import Iterable

from netweight.verdict.lexicon import AUXILIARIES, FINITE_VERBS
from netweight.verdict.mentions import Mention, has_figure
from netweight.verdict.reader import named_in, sense_of
from netweight.verdict.story import Span

LARGE, SMALL = "gpt-oss-120b", "gpt-oss-20b"
FAMILY = (LARGE, SMALL)

_LARGER = r"larger|bigger|big|large|largest|biggest|heavier|heftier|full-size[d]?|beefier|senior"
_SMALLER = (
    r"titchy|wee|teeny|smaller|small|little|littler|compact|lighter|light|smallest|littlest|tiny|tinier|baby|younger|"
    r"mini|lightweight|junior|lesser|slimmer|leaner|pocket(?:-sized?)?|diminutive|miniature"
)
_KIND = (
    r"model|version|variant|one|checkpoint|edition|member|build|network|weights|size|newcomer|release|"
    r"system|offering|entry|half|machine|LLM|download|arrival|gpt-oss|guy|fella|fellow|chap|lad|beast|brute|bot|brainbox|thing"
)
_KIN = (
    r"sibling|brother|sister|cousin|stablemate|counterpart|twin|companion|partner|housemate|"
    r"teammate|stable-mate|fellow|relative|bro"
)
_OWNER = (
    r"(?:the|its|their|this|that|OpenAI['\u2019]s|"
    r"the\s+(?:company|firm|lab|maker)['\u2019]s|a|his|her|your|my|our)"
)
_BETWEEN = r"(?:(?:much|far|new|own|rather|supposedly|other|open(?:[\s\-]weights?)?)\s+){0,2}"
_SIZED = re.compile(
    rf"\b{_OWNER}\s+{_BETWEEN}(?P<size>{_LARGER}|{_SMALLER})(?P<rest>"
    rf"(?:[\s,]+(?:open(?:[\s\-]weights?)?\s+|new\s+|gpt-oss\s+)?(?:{_KIND}|{_KIN})\b)|"
    r"\s+of\s+(?:(?!and\b)[\w'\u2019]+\s+){0,3}(?:two|pair|duo|models|siblings)\b|"
    r"(?=['\u2019]s\s)|(?=\s+(?:\w+ly\s+|also\s+|then\s+|now\s+)?(?P<verb>[a-z]+)\b)|"
    r"(?=\s*[,;:).](?:\s|$)))",
    re.IGNORECASE,
)
# Adjectives that stand for a model alone, before a verb or a stop, only where they compare.
_COMPARATIVE = re.compile(
    r"larger|bigger|smaller|lighter|heavier|littler|slimmer|leaner|larg?est|biggest|smallest|"
    r"heftier|beefier|junior|senior",
    re.IGNORECASE,
)
_BARE_SIZE = re.compile(
    rf"(?<=%)\s*\(?(?P<size>{_LARGER}|{_SMALLER})\b(?=\s*(?:[,.;)]|and\b|vs|$))", re.IGNORECASE
)
_OTHER_SIZE = re.compile(
    r"\bthe\s+(?P<size>larger|bigger|smaller|lighter|heavier)(?=\s+(?:on|in|at|by|with|for|one)\b)",
    re.IGNORECASE,
)
_NUMBER_OF = {
    LARGE: r"120|117|116\.8|one[\s\-]hundred[\s\-]and[\s\-]twenty|hundred[\s\-]and[\s\-]twenty",
    SMALL: r"20|21|20\.9|twenty(?:-one)?",
}
_OF_A_NUMBER = "version|model|variant|one|sibling|edition"
_BY_NUMBER = re.compile(
    r"(?<![\w.$\-])(?:"
    + "|".join(f"(?P<m{i}>{_NUMBER_OF[m]})" for i, m in enumerate(FAMILY))
    + r")(?:[\s\-]?B\b(?![\s\-]+(?:\w+\s+)?param)|[\s\-]billion"
    + rf"(?=[\s\-](?:parameter[\s\-])?(?:{_OF_A_NUMBER})))",
    re.IGNORECASE,
)
_WITH_NUMBER = re.compile(
    r"\b(?:model|version|one)\s+(?:with|of)\s+(?:(?P<large>120|117)|(?P<small>20|21))[\s\-]billion\b",
    re.IGNORECASE,
)
_SPOKEN_NAME = re.compile(
    r"\b(?:the|a)\s+one[\s\-]twenty(?![\s\-]\w*(?:seven|eight|six|five|four|three|two|one|nine))\b(?!\s+percent)",
    re.IGNORECASE,
)
# "GPQA Diamond, big model, no tools": a size in a note.
_NOTED = re.compile(
    rf"(?:^|[,;:(]\s*)(?P<size>{_LARGER}|{_SMALLER})\s+(?:model|one|version)(?=\s*[,;:)])",
    re.IGNORECASE,
)
_EXACT = re.compile(r"(?:120|20|twenty)", re.IGNORECASE)


def find_size_references(text: str) -> list[Mention]:
    """Models called by size: "the 120B model", "its big sister", "the compact one"."""
    found = [
        Mention((LARGE if match["m0"] else SMALL,), Span(*match.span()))
        for match in _BY_NUMBER.finditer(text)
        if _EXACT.match(match[0]) or not match[0].rstrip().lower().endswith("b")
    ]
    found += [Mention((LARGE,), Span(*m.span())) for m in _SPOKEN_NAME.finditer(text)]
    found += [
        Mention((LARGE if m["large"] else SMALL,), Span(m.start(), m.start() + len("model")))
        for m in _WITH_NUMBER.finditer(text)
        if m[0].lower().startswith("model")
    ]
    for match in (*_SIZED.finditer(text), *_BARE_SIZE.finditer(text), *_NOTED.finditer(text)):
        if match.re is _SIZED and not _stands_for_a_model(match):
            continue
        is_small = re.fullmatch(_SMALLER, match["size"], re.IGNORECASE)
        found.append(Mention((SMALL if is_small else LARGE,), Span(*match.span())))
    if found:  # "the smaller sibling is placed ahead of the larger on MMLU"
        found += [
            Mention((SMALL if re.fullmatch(_SMALLER, m["size"], re.I) else LARGE,), Span(*m.span()))
            for m in _OTHER_SIZE.finditer(text)
        ]
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.span.start, -m.span.end)):
        if not kept or mention.span.start >= kept[-1].span.end:
            kept.append(mention)
    return kept


# "the" alone says nothing, and "the best" before a rival's name is said of the rival
_SAYS_WHICH = re.compile(r"(?!(?:the|its|this|that|one|all|his|her)\b)\b\w{3}", re.IGNORECASE)
_MAY_BE_ANYTHING = re.compile(
    r"(?:little|big|small|large|bigger|smaller|larger|open|laptop|hobbyist|weight|rival)",
    re.IGNORECASE,
)


def _is_beside(text: str, one: Span, other: Span) -> bool:
    first, second = sorted((one, other))
    return not text[first.end : second.start].strip()


SURE_BESIDE_A_FIGURE = 0.75  # the share from which words are taken for the name of a size
SURER = 0.9  # where there is no figure to be somebody's, or another size is named beside it


def find_meant(text: str, taken: Iterable[Span], *, is_named: bool) -> list[Mention]:
    """The two sizes where the reader finds them meant, in words that are not taken by a name."""
    told = {"120b": LARGE, "20b": SMALL}
    rivals = [n.span for n in sense_of(text).named if n.tag == "rival"]
    return [
        Mention((told[tag],), span)
        for tag, span, share in named_in(text, told, taken)
        if share >= (SURE_BESIDE_A_FIGURE if has_figure(text) and not is_named else SURER)
        and _SAYS_WHICH.search(text, *span)
        and not _MAY_BE_ANYTHING.fullmatch(text, *span)
        and not any(_is_beside(text, span, r) for r in rivals)
    ]


def _stands_for_a_model(match: re.Match[str]) -> bool:
    """Whether a size without a noun stands for a model: a comparative before a verb or a stop."""
    if match["rest"]:
        return True
    verb = match["verb"]
    is_verb = verb is None or verb.lower() in AUXILIARIES | FINITE_VERBS
    is_open = match[0].lower().startswith("a ")
    return is_verb and not is_open and _COMPARATIVE.fullmatch(match["size"]) is not None


_SIBLING = re.compile(
    rf"\b(?:its|their|the)\s+(?:own\s+)?(?:(?:{_KIN})\b(?!\s+of\b)|other\s+(?:one|model|version|size|of\s+the\s+(?:two|pair))\b)",
    re.IGNORECASE,
)


def find_siblings(text: str, named: Iterable[Mention], running: tuple[str, ...]) -> list[Mention]:
    """Read "its sibling" and "the other one": the size that was not spoken of last."""
    found = []
    for match in _SIBLING.finditer(text):
        before = [m.ids[0] for m in named if m.span.end <= match.start() and len(m.ids) == 1]
        last = before[-1] if before else running[0] if len(running) == 1 else None
        if last in FAMILY:
            other = SMALL if last == LARGE else LARGE
            found.append(Mention((other,), Span(*match.span())))
    return found


_RIVAL = re.compile(
    r"\b(?:that|this|the)\s+(?:(?:older|old|paid|closed|proprietary|commercial|costlier|pricier|earlier|hosted|in-house|premium|"
    r"paid-for|metered|subscription|private)\s+){1,2}(?:\w+\s+)?(?:system|model|rival|one|product|service|offering|stablemate|"
    r"sibling|competitor|counterpart|cousin)\b(?!s)|\bthat\s+(?:rival|competitor)\b(?!s)|"
    r"\b(?:the|that)\s+Chinese\s+(?:\w+\s+)?(?:model|system|rival|one|challenger|competitor)\b(?!s)",
    re.IGNORECASE,
)


def find_rivals(text: str, named: Iterable[Mention], earlier: Iterable[str]) -> list[Mention]:
    """Read "that older rival": the only model beside the family that the passage has named."""
    found = []
    for match in _RIVAL.finditer(text):
        before = [n for m in named if m.span.end <= match.start() for n in m.ids]
        others = {n for n in (*earlier, *before) if n not in FAMILY and ":" not in n}
        if len(others) == 1:
            found.append(Mention((others.pop(),), Span(*match.span())))
    last = next(iter([*earlier][::-1]), None)
    if last and last not in FAMILY and ":" not in last and not any(len(m.ids) for m in named):
        found += [Mention((last,), Span(*m.span(1))) for m in _THAT_MODEL.finditer(text)]
    return found


_THAT_MODEL = re.compile(
    r"\b(?:with|than|to|of|against)\s+(that\s+(?:model|system|one))\b", re.IGNORECASE
)
_MAKER = re.compile(r"\bOpenAI\b")
_OPENED = re.compile(
    r"\bweights?\b|\bopen(?:ly)?[\s\-](?:weights?|source[d]?|models?|licen[cs]\w+|release)\b|"
    r"\b(?:g[ai]v(?:e|es|en|ing)|hand(?:s|ed|ing)|sh?ar(?:e|ed|es|ing)|put(?:s|ting)?|let(?:s|ting)?)\s+(?:\w+\s+){0,6}?(?:away|over|out|online)\b|"
    r"\bOpenAI['\u2019]s\s+(?:\w+\s+){0,2}(?:free\w*|giveaway|gift)|\bfree(?:bie)?s?\s+(?:\w+\s+){0,2}(?:models?|AI|LLM|brain\w*)|\bfreebies?\b|"
    r"\b(?:download\w*|parameters|gratis|free\s+of\s+charge|Apache|anybody|anyone)\b|"
    r"\b(?:two|pair\s+of|new)\s+(?:\w+\s+){0,2}models\b",
    re.IGNORECASE,
)
_NUM_LEAD = 3  # paragraphs in which a story says what it is about


def tells_of_open_release(text: str) -> bool:
    """Whether a story says at its start that OpenAI let models out of its hands.

    Or, where it does not name the maker there, whether it calls models by size and speaks of their
    weights, their licence or the like.
    """
    opening = " ".join([p for p in text.split("\n") if p.strip()][:_NUM_LEAD])
    is_of_maker = _MAKER.search(opening) and _OPENED.search(opening)
    is_of_sizes = find_size_references(text) and (_LICENCE.search(text) or _MAKER.search(text))
    return bool(is_of_maker or is_of_sizes or calls_by_number(text))


_LICENCE = re.compile(
    r"\blicen[cs]e|\bApache\b|\bo[34]-mini\b|\bweights\b|\bparameters\b|\bcheckpoints?\b|\bdownload|\bopen[\s\-](?:weights?|models?)\b",
    re.IGNORECASE,
)


def calls_by_number(text: str) -> bool:
    """Whether a text calls a model "the 120b" or "the 20b"."""
    return bool(_BY_NUMBER.search(text) or _SPOKEN_NAME.search(text))


def tells_of_open_weights(text: str) -> bool:
    """Whether there is a word anywhere for weights, licences or models that were given away."""
    return _OPENED.search(text) is not None
