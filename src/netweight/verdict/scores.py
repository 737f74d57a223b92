"""Numbers that a sentence gives as scores: which model, which benchmark, what value.

Knows where numbers stand relative to names. Does not know which numbers are right.
"""

import re
from dataclasses import dataclass, replace

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
        if any(span.start < n.end and n.start < span.end for n in named) or not _is_score(
            text, match
        ):
            continue
        digits = match[1].replace(",", "")
        benchmark = _benchmark_of(text, Span(*match.span()), benchmarks)
        score = Score(
            benchmark=benchmark,
            model=_model_of(text, Span(*match.span()), models, default),
            value=float(digits),
            decimals=len(digits.partition(".")[2]),
            with_tools=_tools(text),
            effort=_effort(text),
        )
        found.append((Span(*match.span()), score))
    return _with_lists(text, found, models, benchmarks)


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


def _is_score(text: str, match: re.Match[str]) -> bool:
    if match[2]:
        return True
    if _NOT_A_SCORE.match(text, match.end(1)):
        return False
    value = float(match[1].replace(",", ""))
    is_year = "." not in match[1] and 1990 <= value <= 2035
    said_as_score = re.search(
        r"\b(?:scor\w+|rat(?:ed|ing)|reach\w*|achiev\w*|gets?|got|at|of|hits?|earn\w*|posts?|"
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


def _model_of(text: str, span: Span, models: list[Mention], default: tuple[str, ...]) -> str | None:
    """The model after the number ("for X"), else before, else alone after, else the subject."""
    single = [m for m in models if len(m.ids) == 1 and not m.ids[0].startswith("group:")]
    if owner := _named_after(text, span, models):
        return owner
    after = [m for m in single if m.span.start >= span.end]
    before = [m for m in single if m.span.end <= span.start]
    if before:
        return before[-1].ids[0]
    has_subject = re.search(
        r"\b(?:scor|reach|achiev|got|gets|hit|post|earn|manag)\w*", text[: span.start]
    )
    if len({m.ids for m in after}) == 1 and not has_subject:
        return after[0].ids[0]
    return default[0] if len(default) == 1 else None


def _tools(text: str) -> bool | None:
    if re.search(r"\b(?:without|no) tools?\b", text, re.IGNORECASE):
        return False
    return True if re.search(r"\bwith (?:access to )?tools?\b", text, re.IGNORECASE) else None


def _effort(text: str) -> str | None:
    match = re.search(r"\b(low|medium|high)(?:[\s\-]+(?:reasoning|effort)|\))", text, re.IGNORECASE)
    return match[1].lower() if match else None
