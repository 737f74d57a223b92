"""Benchmarks told by what they ask instead of by name: "graduate-level science questions".

Classes of words for each benchmark, as data, and what the reader takes for one. A description
beside the name itself adds nothing.
"""

import re
from collections.abc import Iterable, Mapping

from netweight.verdict.mentions import Mention, has_figure
from netweight.verdict.reader import named_in
from netweight.verdict.story import Span

_TEST = (
    r"(?:tests?|exams?|examinations?|benchmarks?|quiz(?:zes)?|questions?|problems?|evaluations?|"
    r"suite|set|tasks?|scenarios?|exercises?|papers?|contests?|challenges?|conversations?|battery)"
)
_FEW = r"(?:[\w\-'\u2019]+\s+){0,3}?"


def _re(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text})\b", re.IGNORECASE)


_DESCRIBED: Mapping[str, re.Pattern[str]] = {
    "gpqa-diamond": _re(
        rf"(?:post)?-?(?:graduate|PhD|doctora(?:l|te)|Ph\.D\.?)[\s\-](?:level|grade|school)?[\s\-]*{_FEW}"
        rf"(?:sciences?|physics|chemistry)(?:\s+{_TEST})?"
    ),
    "healthbench": _re(rf"(?:health|medical|clinical|medicine)(?:care)?\s+{_FEW}{_TEST}"),
    "swe-bench-verified": _re(
        rf"(?:real(?:-world|-life)?|actual|genuine|GitHub)\s+{_FEW}(?:bugs?|issues?|bug\s+reports?|faults?|software\s+problems)|"
        rf"bug[\s\-]?(?:fixing|repair\w*|squashing)\s+{_TEST}|software[\s\-]engineering\s+{_TEST}|"
        rf"(?:repair|fix|patch)\w*\s+{_FEW}(?:bugs?|issues|faults)"
    ),
    "tau-bench-retail": _re(
        rf"(?:retail|shop(?:ping)?|store|shopkeep\w*|customer[\s\-]service)\s+{_FEW}{_TEST}"
    ),
    "codeforces": _re(
        rf"competiti(?:ve|on)\s+(?:programming|coding)(?:\s+{_TEST})?|(?:programming|coding)\s+(?:contests?|competitions?)"
    ),
    "simpleqa": _re(
        rf"(?:short|simple|brief)\s+(?:factual|fact|trivia)\s*{_TEST}|(?:trivia|pub\s+quiz)(?:\s+{_TEST})?"
    ),
    "personqa-hallucination": _re(
        rf"(?:questions?|quizz?\w*|asked|queries|facts)\s+{_FEW}(?:about|on|concerning)\s+{_FEW}(?:people|persons|figures|celebrities|individuals|personalities)"
    ),
    "speechmap": _re(
        r"criticis(?:ms?|es?|ing)\s+(?:\w+\s+){0,3}governments?|government[\s\-]criticism|(?:contentious|contested)\s+(?:requests?|prompts?)"
    ),
    "mmmlu": _re(
        r"(?:14|fourteen)\s+(?:different\s+|other\s+|human\s+)?languages|"
        rf"(?:multilingual|translated|many-language)\s+{_FEW}{_TEST}"
    ),
    "mmlu": _re(r"(?:57|fifty-seven)\s+(?:\w+\s+)?subjects"),
    "aider-polyglot": _re(rf"code[\s\-]editing\s+{_FEW}(?:{_TEST}|board|leaderboard|chart)"),
}
_AIME = _re(
    rf"(?:competition|contest|olympiad|high[\s\-]school)[\s\-]+(?:level\s+)?math\w*(?:\s+{_TEST})?|"
    r"math\w*\s+(?:olympiad|contests?|competitions?)"
)
AIME = ("aime-2024", "aime-2025")


_SURE = 0.75  # the share from which a description is taken for a benchmark's
_SURER = 0.9  # the share where another benchmark is named: it would be named as well


def find_described(text: str, named: Iterable[Mention], known: Iterable[str]) -> list[Mention]:
    """Benchmarks, among those known, that a sentence describes and does not name."""
    named = list(named)
    names = {name for mention in named for name in mention.ids}
    found = []
    if not names:
        found = [
            Mention((benchmark,), Span(*match.span()))
            for benchmark, pattern in _DESCRIBED.items()
            for match in [pattern.search(text)]
            if match
        ]
        if match := _AIME.search(text):
            found.append(Mention(AIME, Span(*match.span())))
    tags = {*known, "aime"} - names if has_figure(text) else set()
    for tag, span, share in named_in(text, tags, (m.span for m in (*named, *found))):
        if share < (_SURER if names else _SURE):
            continue
        found.append(Mention(AIME if tag == "aime" else (tag,), span))
    return sorted(found, key=lambda mention: mention.span)
