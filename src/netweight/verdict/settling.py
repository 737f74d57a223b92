"""What would settle an open claim: in words, and which measurements bear on it.

Knows the tasks of `netweight weigh` by name only.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from netweight.verdict.judgement import Statement

_BY_TOPIC = {
    "open-source": "The training data and the training code, published; or the word open weight.",
    "score": "The score's source, with its effort, tools and harness.",
    "comparison": "Both models run on the same questions, with the same harness, effort and tools.",
    "size": "The checkpoint's tensors, counted.",
    "licence": "The licence file that is published beside the weights.",
    "commercial-use": "The licence and the usage policy that are published beside the weights.",
    "usage-policy": "The usage policy that is published beside the licence.",
    "weights-release": "The place where the weights can be downloaded, and their terms.",
    "data-release": "The place where the training data or the training code is published.",
    "effort-levels": "The model's documentation of its settings, and requests sent at each.",
    "effort-effect": "The same questions at low, medium and high effort, all else unchanged.",
    "checkpoint": "The files of the checkpoint, listed with their sizes in bytes.",
    "cache": "Peak memory of the cache against context length, measured at the full context.",
    "context-length": "The length in the model's configuration, and a prompt of that length.",
    "benchmark-scope": "What the benchmark asks and how it marks, as its makers document it.",
    "place-on-board": "The board's rows, with their date, of every model that was listed then.",
    "closed-before": "A list of the organisation's releases with their dates and licences.",
    "efficiency": "Tokens per second and joules per token, on the machine in question.",
    "hallucination": "Questions answered from memory, marked against known answers.",
    "refusal": "Contested requests put to the model, with the answers published.",
    "compliance-score": "Contested requests put to the model, with the answers published.",
    "bias": "Paired requests that differ only in whom they concern, several times each.",
    "ability": "A benchmark of that ability, with enough questions to tell.",
    "instruction-following": "Several hundred instructions whose keeping a program can check.",
}
_OTHERWISE = "A published figure with its source, its date and its conditions."


# What a measurement does for a claim: gives its verdict, by a declared threshold; stands beside the
# verdict as a sentence; is a mere indication; or has the figure among what every record carries.
Role = Literal["decides", "bears", "indicates", "carries"]
ANY_TASK = "sums"  # the smallest, for what every record carries


class Bearing(NamedTuple):
    """A task, and what its record does for a claim."""

    task: str
    role: Role


class Asserted(Protocol):
    """What a claim is about, in a story that is judged or in a verdict that was written."""

    @property
    def topic(self) -> str: ...
    @property
    def ability(self) -> str | None: ...
    @property
    def benchmarks(self) -> tuple[str, ...]: ...


_MEASURES_TOPIC: Mapping[str, tuple[Bearing, ...]] = {
    "maths-in-writing": (Bearing("writing", "decides"), Bearing("formulas_in_fiction", "decides")),
    "refusal": (Bearing("speechmap", "decides"),),
    "bias": (Bearing("mirrored", "bears"), Bearing("bbq", "bears")),
    "synthetic-data": (Bearing("unconditioned", "indicates"), Bearing("memorised", "indicates")),
    "efficiency": (Bearing(ANY_TASK, "carries"),),
}
_MEASURES_ABILITY: Mapping[str, tuple[Bearing, ...]] = {
    "instruction_following": (Bearing("instructions", "bears"),),
    "tool_use": (Bearing("tools", "bears"),),
    "coding": (Bearing("polyglot", "bears"),),
    "maths": (Bearing("capability", "bears"), Bearing("aime2025", "bears")),
    "reasoning": (Bearing("capability", "bears"), Bearing("aime2025", "bears")),
}
_MEASURES_BENCHMARK: Mapping[str, tuple[Bearing, ...]] = {
    "aider-polyglot": (Bearing("polyglot", "bears"),),
    "aime-2024": (Bearing("aime2024", "bears"),),
    "aime-2025": (Bearing("aime2025", "bears"),),
    "bbq-ambiguous": (Bearing("bbq", "bears"),),
    "bbq-disambiguated": (Bearing("bbq", "bears"),),
    "ifeval": (Bearing("ifeval", "bears"),),
    "speechmap": (Bearing("speechmap", "bears"),),
}
_ON_BENCHMARKS = ("score", "comparison", "compliance-score")


def measurements_of(claim: Asserted) -> tuple[Bearing, ...]:
    """The tasks whose records bear on a claim, if it is about the model that they measured.

    One model's record never decides a comparison: it is one side of it.
    """
    if claim.topic in _ON_BENCHMARKS:
        found = [b for name in claim.benchmarks for b in _MEASURES_BENCHMARK.get(name, ())]
    elif claim.topic in _MEASURES_TOPIC:
        found = list(_MEASURES_TOPIC[claim.topic])
    else:
        found = list(_MEASURES_ABILITY.get(claim.ability or "", ()))
    return tuple(dict.fromkeys(found))


def what_would_settle(claim: Asserted) -> Statement:
    """One sentence on the evidence that is missing."""
    return Statement(text=_BY_TOPIC.get(claim.topic, _OTHERWISE))
