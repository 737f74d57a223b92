"""Numbers that a sentence gives as scores: which model, which benchmark, what value.

Knows where numbers stand relative to names. Does not know which numbers are right.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from netweight.verdict.names import Mention
from netweight.verdict.story import Span

_NUMBER = re.compile(
    r"(?<![\w.$€£\-])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w]|[.,]\d|-\w)\s?(%|percent\b|"
    r"per cent\b|points?\b|Elo\b)?",
    re.IGNORECASE,
)
_NOT_A_SCORE = re.compile(
    r"\s?(?:B|GB|GiB|MB|K|M|x|GPUs?|billion|million|thousand|trillion|questions?|exercises?|"
    r"problems?|languages?|items?|"
    r"times|tokens?|hours?|days?|weeks?|months?|years?|prompts?|models?|parameters?|of the|"
    r"tasks?|runs?|people|users)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Score:
    """A value stated of a model on a benchmark; `decimals` is how finely it was stated."""

    benchmark: str
    model: str | None
    value: float
    decimals: int
    with_tools: bool | None = None
    bound: Literal["below", "above"] | None = None  # "under 40%" states a limit, not a value
    is_named: bool = True  # the sentence names the model; else a pronoun stands for it
    effort: str | None = None


def find_scores(
    text: str, models: list[Mention], benchmarks: list[Mention], default: tuple[str, ...]
) -> list[tuple[Span, Score]]:
    """Scores in reading order with their numbers' places; none where no benchmark is named."""
    if not benchmarks:
        return []
    named = [m.span for m in (*models, *benchmarks)]
    found = []
    for match in _NUMBER.finditer(text):
        span = Span(*match.span(1))
        if any(span.start < n.end and n.start < span.end for n in named):
            continue
        if not (_is_score(text, match) or _follows_name(text, span, [*benchmarks, *models])):
            continue
        digits = match[1].replace(",", "")
        benchmark = _benchmark_of(text, Span(*match.span()), benchmarks)
        model, is_named = _model_of(text, Span(*match.span()), models, default)
        score = Score(
            benchmark=benchmark,
            model=model,
            value=float(digits),
            decimals=len(digits.partition(".")[2]),
            with_tools=_tools(text, span),
            bound=_bound(text, span),
            is_named=is_named,
            effort=_effort(text),
        )
        found.append((Span(*match.span()), score))
    return _with_pair(text, _with_lists(text, found, models, benchmarks), models)


def _with_pair(
    text: str, found: list[tuple[Span, Score]], models: list[Mention]
) -> list[tuple[Span, Score]]:
    """Read "A and B score 41.8% and 56.9%": the numbers go with the models in their order."""
    single = [m for m in models if len(m.ids) == 1 and not m.ids[0].startswith("group:")]
    joint = re.compile(r"\s*(?:to|vs\.?|versus|against|,?\s*and|,|\u2013|-)\s*")
    out = list(found)
    for index in range(len(found) - 1):
        (one, _), (other, _) = found[index : index + 2]
        before = [m for m in single if m.span.end <= one.start][-2:]
        is_last = index + 2 == len(found) or not joint.fullmatch(
            text, other.end, found[index + 2][0].start
        )
        is_first = index == 0 or found[index - 1][0].end <= (before[0].span.start if before else 0)
        if (
            len(before) == 2
            and is_first
            and is_last
            and joint.fullmatch(text, one.end, other.start)
        ):
            for offset, mention in enumerate(before):
                place, score = out[index + offset]
                out[index + offset] = (place, replace(score, model=mention.ids[0]))
    return out


def _bound(text: str, span: Span) -> Literal["below", "above"] | None:
    before = text[max(0, span.start - 20) : span.start]
    if re.search(r"\b(?:below|under|less than|fewer than)\s+$", before, re.IGNORECASE):
        return "below"
    is_above = re.search(r"\b(?:over|more than|at least|upwards of)\s+$", before, re.IGNORECASE)
    return "above" if is_above else None


def _with_lists(
    text: str, found: list[tuple[Span, Score]], models: list[Mention], benchmarks: list[Mention]
) -> list[tuple[Span, Score]]:
    """Read "against 93.0% and 81.4% for X": one model, and the benchmarks in the order named.

    Where the benchmarks named before do not match the list in number, nobody can say which number
    is whose, and the list is left out.
    """
    joint = re.compile(r"\s*(?:,|,?\s*and)\s*")
    start = 0
    while start < len(found):
        end = start + 1
        while end < len(found) and joint.fullmatch(
            text, found[end - 1][0].end, found[end][0].start
        ):
            end += 1
        owner = _named_after(text, found[end - 1][0], models)
        if end - start > 1 and owner:
            names = [m.ids[0] for m in benchmarks if m.span.end <= found[start][0].start]
            fits = len(names) == end - start
            found[start:end] = [
                (place, replace(score, model=owner, benchmark=name))
                for (place, score), name in zip(
                    found[start:end], names if fits else [], strict=fits
                )
            ]
            end = end if fits else start
        start = end
    return found


def _named_after(text: str, span: Span, models: list[Mention]) -> str | None:
    """The model that follows a number as in "41.8% for X", or None."""
    after = [m for m in models if m.span.start >= span.end and len(m.ids) == 1]
    words = re.compile(r"\)?\s*(?:%|points?)?\s*(?:for|by|from|of)\s+(?:the\s+)?")
    if after and words.fullmatch(text, span.end, after[0].span.start):
        return None if after[0].ids[0].startswith("group:") else after[0].ids[0]
    return None


def _follows_name(text: str, span: Span, names: list[Mention]) -> bool:
    """Whether it is written as "MMLU 90.0", with its decimals."""
    between = (text[n.span.end : span.start] for n in names if n.span.end <= span.start)
    return "." in text[span.start : span.end] and any(
        re.fullmatch(r"[\s:,(]{1,3}", words) for words in between
    )


def _is_score(text: str, match: re.Match[str]) -> bool:
    if re.search(r"\b(?:version|v\.?)\s*$", text[: match.start()], re.IGNORECASE):
        return False
    if match[2]:
        return True
    if _NOT_A_SCORE.match(text, match.end(1)):
        return False
    value = float(match[1].replace(",", ""))
    is_year = "." not in match[1] and 1990 <= value <= 2035
    said_as_score = re.search(
        r"\b(?:against|g[ai]ves? it|scor\w+|rat(?:ed|ing)|reach\w*|achiev\w*|gets?|got|at|of|"
        r"hits?|earn\w*|posts?|"
        r"ha[sd]|have|received|awards?|stands?|stood|holds?|is|are|was|"
        r"posted|vs\.?|versus|to|only|just|with|than|and|\()\s*(?:an?\s|about\s|around\s)?\(?$",
        text[: match.start()],
        re.IGNORECASE,
    )
    return bool(said_as_score) and not is_year and (value <= 100 or 800 <= value <= 4000)


def _benchmark_of(text: str, span: Span, benchmarks: list[Mention]) -> str:
    """The benchmark named right after the number ("on X"), else before it, else the next."""
    after = [m for m in benchmarks if m.span.start >= span.end]
    if after and re.fullmatch(
        r"\s*(?:on|in|at|for)\s+(?:the\s+)?", text[span.end : after[0].span.start]
    ):
        return after[0].ids[0]
    before = [m for m in benchmarks if m.span.end <= span.start]
    return (before[-1] if before else after[0]).ids[0]


def _model_of(
    text: str, span: Span, models: list[Mention], default: tuple[str, ...]
) -> tuple[str | None, bool]:
    """The model after the number ("for X"), else before, else alone after, else the subject.

    Also says whether the sentence names it.
    """
    single = [m for m in models if len(m.ids) == 1 and not m.ids[0].startswith("group:")]
    if owner := _named_after(text, span, models):
        return owner, True
    after = [m for m in single if m.span.start >= span.end]
    before = [m for m in single if m.span.end <= span.start]
    if re.search(r"\d\s?%?\s+(?:to|versus|vs\.?|against)\s*$", text[: span.start]):
        return None, False  # the second of two numbers, whose model nobody names beside it
    if before:
        return before[-1].ids[0], True
    has_subject = re.search(
        r"\b(?:scor|reach|achiev|got|gets|hit|post|earn|manag)\w*", text[: span.start]
    )
    is_other_s = after and re.search(
        r"\b(?:versus|vs\.?|against|compared (?:to|with)|than|while|whereas|short of|behind|"
        r"ahead of|below|above|trail\w*|beat\w*|tops?|lead\w*)\b",
        text[span.end : after[0].span.start],
        re.IGNORECASE,
    )
    if len({m.ids for m in after}) == 1 and not has_subject and not is_other_s:
        return after[0].ids[0], True
    return default[0] if len(default) == 1 else None, False


_TOOLS = re.compile(r"\b(without|no|with)\s+(?:access to\s+|any\s+|its\s+)?tools?\b", re.IGNORECASE)


def _tools(text: str, span: Span) -> bool | None:
    """Whether tools were used, by the words nearest to the number."""
    told = list(_TOOLS.finditer(text))
    if not told:
        return None
    near = min(told, key=lambda m: min(abs(m.start() - span.end), abs(span.start - m.end())))
    return near[1].lower() == "with"


def _effort(text: str) -> str | None:
    match = re.search(r"\b(low|medium|high)(?:[\s\-]+(?:reasoning|effort)|\))", text, re.IGNORECASE)
    return match[1].lower() if match else None
