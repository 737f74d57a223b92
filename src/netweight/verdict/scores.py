"""Numbers that a sentence gives as scores: which model, which benchmark, what value.

Knows where numbers stand relative to names. Does not know which numbers are right.
"""

import re
from dataclasses import dataclass

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
    return found


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
    after = [m for m in single if m.span.start >= span.end]
    if after and re.fullmatch(
        r"\)?\s*(?:%|points?)?\s*(?:for|by|from|of)\s+(?:the\s+)?",
        text[span.end : after[0].span.start],
    ):
        return after[0].ids[0]
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
