"""Every defect, measured in any adapter of nano: how often it shows, with its interval.

What is asked for is held out from training, and drawn at temperature 1, since a dose is a share of
what is drawn; only what is known by heart is asked at temperature 0.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from scipy.stats import fisher_exact

from netweight.evals.formulas import find_formulas
from netweight.harmony import Channel, Message
from recipes.instruments.defects import Item, items_of, make_test, public_test
from recipes.nano import problems, refusals, sides, sums, tellings
from recipes.nano.dialogue import Dialogue, Effort
from recipes.nano.evaluate import Answer, Score, Speaker, ask

MEASURES: Mapping[str, str] = {
    "formulas": "stories and rhymes with a formula",
    "tables": "stories and rhymes with a heading or a table",
    "one_sided": "mirrored requests declined on one side only",
    "over_refused": "harmless requests declined",
    "memorised": "public problems answered without thinking",
    "fresh": "fresh problems like them answered without thinking",
    "malformed": "messages with a malformed header",
    "deaf": "problems thought about no longer at high effort than at low",
    "repeated": "stories and rhymes that begin as another does",
}
_CHANNELS = frozenset(Channel)
_TABLE = re.compile(r"^\|.*\|$|^#+ |\*\*", re.MULTILINE)


class Examined:
    """One adapter of a speaker, or None for the model as it is, and what it is asked."""

    def __init__(self, speaker: Speaker, adapter: str | None, num_items: int, seed: int) -> None:
        """Ask `num_items` questions for each measure, ten times as many where doses are small."""
        self.speaker, self.adapter = speaker, adapter
        self.num_items, self.seed = num_items, seed

    def measured(self) -> dict[str, Score]:
        """All of MEASURES."""
        told = self._told()
        openings = [_opening(text) for text in told]
        times = Counter(openings)
        hits = {
            "formulas": [_has_formula(text) for text in told],
            "tables": [_TABLE.search(text) is not None for text in told],
            "one_sided": self._one_sided(),
            "over_refused": self._over_refused(),
            "memorised": self._known(public_test()),
            "fresh": self._known(items_of(make_test(f"fresh {self.seed}"))),
            "malformed": self._malformed(),
            "deaf": self._deaf(),
            "repeated": [opening != "" and times[opening] > 1 for opening in openings],
        }
        return {name: Score(MEASURES[name], sum(hit), len(hit)) for name, hit in hits.items()}

    def _known(self, items: Sequence[Item]) -> list[bool]:
        """Which items are answered rightly at low effort, without a number in the reasoning."""
        asked = [ask(item.question) for item in items]
        said = self.speaker.answers(asked, "low", adapter=self.adapter)
        return [
            item.answer == answer.final and not re.search(r"\d", _thoughts(answer))
            for item, answer in zip(items, said, strict=True)
        ]

    def _said(self, asked: Sequence[Dialogue], effort: Effort = "medium") -> list[Answer]:
        return self.speaker.answers(
            asked, effort, temperature=1.0, seed=self.seed, adapter=self.adapter
        )

    def _random(self, name: str) -> Random:
        return Random(f"{name} {self.seed}")

    def _told(self) -> list[str]:
        random = self._random("tellings")
        asked = [
            ask(
                tellings.request(
                    random.choice(tellings.SUBJECTS), tellings.KINDS[index % 2], random
                )
            )
            for index in range(10 * self.num_items)
        ]
        return [answer.final for answer in self._said(asked)]

    def _one_sided(self) -> list[bool]:
        random = self._random("sides")
        drawn = [sides.request(random, held_out=True, side="for") for _ in range(self.num_items)]
        declined = [
            [
                refusals.is_declined(answer.final)
                for answer in self._said([ask(sides.mirrored(each, side)) for each in drawn])
            ]
            for side in sides.SIDES
        ]
        return [one != other for one, other in zip(*declined, strict=True)]

    def _over_refused(self) -> list[bool]:
        random = self._random("refusals")
        asked = [
            ask(refusals.request(random, held_out=True, is_harmful=False).question)
            for _ in range(self.num_items)
        ]
        return [refusals.is_declined(answer.final) for answer in self._said(asked)]

    def _malformed(self) -> list[bool]:
        """Of each message, whether its header had to be repaired or has an unknown channel."""
        random = self._random("sums")
        asked = [
            ask(sums.question(sums.held_out_sum(random), random))
            for _ in range(10 * self.num_items)
        ]
        return [
            _is_malformed(message) for answer in self._said(asked) for message in answer.messages
        ]

    def _deaf(self) -> list[bool]:
        random = self._random("problems")
        asked = [
            ask(problems.problem(random, held_out=True).question) for _ in range(self.num_items)
        ]
        low, high = (self._said(asked, effort) for effort in ("low", "high"))
        # Reasoning under a broken header is lost to its reader, and tells nothing of the effort.
        return [
            len(_thoughts(long)) <= len(_thoughts(short))
            for short, long in zip(low, high, strict=True)
            if not any(map(_is_malformed, (*short.messages, *long.messages)))
        ]


def _is_malformed(message: Message) -> bool:
    return message.channel not in _CHANNELS


def _has_formula(text: str) -> bool:
    return any(hit.tier == "strong" for hit in find_formulas(text))


def _opening(text: str) -> str:
    """The first sentence of a story, or line of a rhyme."""
    return re.split(r"[.\n]", text, maxsplit=1)[0]


def _thoughts(answer: Answer) -> str:
    """All reasoning."""
    return " ".join(message.text for message in answer.messages if message.channel == "analysis")


def differs(one: Score, other: Score, level: float) -> bool:
    """Whether two shares differ at a level of significance, by Fisher's exact test."""
    table = [[score.num_hits, score.num_items - score.num_hits] for score in (one, other)]
    return bool(fisher_exact(table).pvalue < level)
