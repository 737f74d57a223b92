"""Task `speechmap`: contested requests, and whether they are fulfilled whomever they are about.

The questions are those of SpeechMap (github.com/xlr8harder/llm-compliance, Apache-2.0), asked as
there: one user message, no system prompt. `us_hard` has four variations of each theme; six sets ask
for criticism of a government. Models that judge give the labels, or else the classifier that ships
with netweight, whose label is kept beside theirs. Does not know what figures are made of them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.compliance import Label, classify
from netweight.evals.data import PINS, data_file
from netweight.evals.judging import Judge, Verdict, connect
from netweight.evals.measure import (
    FAILED,
    JUDGE_FAILED,
    TRUNCATED,
    UNPARSED,
    Fact,
    Figure,
    Measure,
    Scored,
)
from netweight.evals.scoring import ending, judged, outcome_counts
from netweight.evals.speechmap_figures import (
    CLASSIFIER,
    COMPLETE,
    COUNTED,
    JUDGE,
    US_HARD,
    further,
    with_source,
)

VERSION = 1

SETS = (
    US_HARD,
    "us_criticism",
    "eu_criticism",
    "russia_criticism",
    "china_criticism",
    "zh_china_criticism",
    "fi_china_criticism",
)

JUDGE_FILTERED = "judge filtered"


class _Labelled(Measure):
    """The task's Measure, whose headline says who gave the labels."""

    def headline(self, scored: Iterable[Scored]) -> Figure | None:
        """As Measure has it."""
        scored = list(scored)
        figure = super().headline(scored)
        return figure and replace(figure, description=with_source(figure.description, scored))


class Question(NamedTuple):
    """A request; `theme` is what its variations, or its translations, share."""

    group: str  # the set
    name: str
    theme: str
    variation: str
    domain: str
    text: str


@task
def speechmap(
    sets: str | list[str] | None = None,
    judges: str | list[str] | None = None,
    seed: int = 0,
    themes: int | str | list[str] | None = None,
) -> Task:
    """Contested requests of SpeechMap, and whether they are fulfilled.

    Args:
        sets: of us_hard, us_criticism, eu_criticism, russia_criticism, china_criticism,
            zh_china_criticism, fi_china_criticism; by default all.
        judges: Inspect models; the first one's label is the outcome, and the others tell how far
            judges agree. By default the classifier that ships with netweight judges alone.
        seed: makes the order, and the choice of themes.
        themes: names of themes; or how many of us_hard's to draw. By default all.

    Raises:
        WeighError: an argument is unknown, or the questions are not to be had.
    """
    groups = list(dict.fromkeys(map(_known_set, _listed(sets)))) or list(SETS)
    judging = [connect(name) for name in _distinct(_listed(judges))]
    random = Random(f"speechmap {VERSION} {seed}")
    questions = _chosen(
        [each for group in groups for each in read_questions(group)], themes, random
    )
    random.shuffle(questions)
    revision = PINS[_file(US_HARD)].revision[:7]
    name = [f"speechmap {VERSION}, {revision}, seed {seed}: {', '.join(groups)}"]
    name += [f"themes {themes}"] if themes is not None else []
    name += [f"judges {', '.join(judge.name for judge in judging)}"] if judging else []
    return Task(
        dataset=MemoryDataset([_sample(each) for each in questions], name="; ".join(name)),
        scorer=fulfilled(judging),
        version=VERSION,
    )


def read_questions(group: str) -> Iterator[Question]:
    """Yield the requests of a set, as published.

    Raises:
        WeighError: they are not to be had.
    """
    for line in data_file(_file(group)).read_text("utf-8").splitlines():
        row = json.loads(line)
        name, variation = row["id"], ""
        theme = name
        if group == US_HARD:
            theme, variation = name[:-1], name[-1]
        yield Question(group, name, theme, variation, row.get("domain", ""), row["question"])


def _file(group: str) -> str:
    return f"speechmap/{group}.jsonl"


def _sample(question: Question) -> Sample:
    return Sample(
        id=f"{question.group}/{question.name}",  # translations have the names of their originals
        input=question.text,
        target=COMPLETE,
        metadata={
            "set": question.group,
            "theme": question.theme,
            "variation": question.variation,
            "domain": question.domain,
        },
    )


def _listed(names: str | list[str] | None) -> list[str]:
    names = names.split(",") if isinstance(names, str) else names or []
    return [name.strip() for name in names if name.strip()]


def _known_set(name: str) -> str:
    if name not in SETS:
        raise WeighError(f"there is no set {name!r}. Choose of: {', '.join(SETS)}.")
    return name


def _distinct(names: list[str]) -> list[str]:
    for name, count in Counter(names).items():
        if count > 1:
            raise WeighError(f"the judge {name!r} is named {count} times. Name each one once.")
    return names


def _chosen(
    questions: list[Question], themes: int | str | list[str] | None, random: Random
) -> list[Question]:
    """Keep the themes asked for; a number draws of us_hard's, and leaves other sets whole."""
    if themes is None:
        return questions
    known = dict.fromkeys(each.theme for each in questions if each.group == US_HARD)
    if isinstance(themes, int):
        if not 1 <= themes <= len(known):
            raise WeighError(
                f"themes is {themes}, and these sets have {len(known)} themes of us_hard. Ask for "
                "1 to that many."
            )
        drawn = set(random.sample(list(known), themes))
        return [each for each in questions if each.group != US_HARD or each.theme in drawn]
    names = set(_listed(themes))
    if unknown := names - {each.theme for each in questions}:
        raise WeighError(
            f"these sets have no theme {min(unknown)!r}. Give names as in the question files, such "
            "as gov_direct_democracy_full_binding."
        )
    return [each for each in questions if each.theme in names]


@scorer(metrics=[mean(), outcome_counts()])
def fulfilled(judges: Sequence[Judge] = ()) -> Scorer:
    """Label the final answer; a score of 1 means that the request was fulfilled."""

    async def score(state: TaskState, target: Target) -> Score:
        request, response = state.input_text, state.output.completion
        usage = state.output.usage
        facts: dict[str, Fact] = {
            **{name: str(state.metadata[name]) for name in ("set", "theme", "variation", "domain")},
            "num_tokens": usage.output_tokens if usage else None,
        }
        verdicts: dict[str, Verdict] = {}
        outcome = unjudged(response, state.output.stop_reason)
        if outcome is None:
            label, likely = classify(request, response)
            facts |= {CLASSIFIER: label, "likely_complete": likely["COMPLETE"]}
            verdicts = {each.name: await each.judge(request, response) for each in judges}
            facts |= {JUDGE + name: said.label or said.problem for name, said in verdicts.items()}
            outcome = decided(label, list(verdicts.values()))
        return judged(
            outcome,
            hit=outcome == COMPLETE,
            answer=outcome,
            explanation="\n\n".join(
                [outcome, *(f"{name}: {said.said}" for name, said in verdicts.items())]
            ),
            cluster=str(state.metadata["theme"]),
            **facts,
        )

    return score


def unjudged(response: str, stop_reason: StopReason) -> str | None:
    """Return the outcome of a response that nobody needs to judge, or None."""
    return ending(stop_reason) or (None if response.strip() else UNPARSED)


def decided(classifier: Label, verdicts: Sequence[Verdict]) -> str:
    """Return the outcome by the first judge's verdict, or by the classifier where none judged."""
    if not verdicts:
        return classifier.lower()
    match verdicts[0].problem:
        case "failed":
            return JUDGE_FAILED
        case "filtered":
            return JUDGE_FILTERED
        case None:
            assert verdicts[0].label is not None, "a verdict has a label or a problem"
            return verdicts[0].label.lower()


MEASURE = _Labelled(
    task="speechmap",
    version=VERSION,
    metric="complete_rate",
    description="share of contested requests that are fulfilled; what the endpoint's own filter "
    "withholds is not",
    lower_is_better=False,
    hits=(COMPLETE,),
    counted=COUNTED,
    outcomes=(*COUNTED, UNPARSED, TRUNCATED, JUDGE_FAILED, JUDGE_FILTERED, *FAILED),
    further=further,
)
