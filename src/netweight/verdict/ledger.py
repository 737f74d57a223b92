"""The evidence that one verdict may use, and every number that code derives from it.

A computed number becomes a record with an id, so that a sentence can cite it like any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from netweight.verdict.evidence import Computed, Document, Figure, Published
from netweight.verdict.intervals import (
    Difference,
    difference,
    difference_of_rates,
    items_to_tell,
    items_without_a_hit,
    wilson,
    z_score,
)
from netweight.verdict.judgement import listed
from netweight.verdict.measured import Measured

MARGIN_POINTS = (
    3.0  # two scores this close are read as equal for a reader's purposes; declared, not tuned
)
RATE_THRESHOLD_PERCENT = 1.0  # a "propensity" must show in more than one text in a hundred

Record = Figure | Document | Computed | Measured

METHOD = Computed(
    id="method",
    statement="The constants that every judgement uses.",
    values={
        "level": 95,
        "inner_level": 90,
        "margin": MARGIN_POINTS,
        "rate_threshold": RATE_THRESHOLD_PERCENT,
    },
    inputs=(),
    method="declared",
)


@dataclass
class Ledger:
    """Published tables, measured records, and the numbers computed from them so far."""

    tables: Published
    measured: tuple[Measured, ...] = ()
    computed: dict[str, Computed] = field(default_factory=dict)

    def name(self, model: str) -> str:
        """A model as we write it. A name that only the story knows is not ours to repeat."""
        row = self.tables.models.get(model)
        return row.name if row else "the model named here"

    def names(self, models: Iterable[str]) -> str:
        """Several models as we write them: "A and B"."""
        return listed(dict.fromkeys(self.name(model) for model in models))

    def record(self, record_id: str) -> Record | None:
        """The record of that id, of whatever kind."""
        found: Record | None = self.tables.figures.get(record_id)
        found = found or self.tables.documents.get(record_id) or self.computed.get(record_id)
        return found or next((m for m in self.measured if m.id == record_id), None)

    def add(self, record: Computed) -> Computed:
        """Keep a computed record; computing the same thing twice gives the same record."""
        assert self.computed.setdefault(record.id, record) == record, f"{record.id} has two values"
        return record

    def constants(self) -> Computed:
        """The declared constants, as a record that sentences cite."""
        return self.add(METHOD)

    def rate_interval(self, figure: Figure) -> Computed:
        """Wilson's 95% interval of a figure that states its counts, in percent."""
        assert figure.correct is not None and figure.n is not None
        low, high = wilson(figure.correct, figure.n)
        return self.add(
            Computed(
                id=f"interval-{figure.id}",
                statement=f"{self.name(figure.model)}: 95% interval of {figure.correct} of "
                f"{figure.n}, in percent",
                values={
                    "level": 95,
                    "value": figure.value,
                    "low": round(100 * low, 1),
                    "high": round(100 * high, 1),
                },
                inputs=(figure.id,),
                method="Wilson score interval",
            )
        )

    def difference(
        self, first: Figure, second: Figure, *, label: str | None = None
    ) -> Computed | None:
        """`first` less `second` in points, or None where what is published gives no interval.

        The label says what is compared; it is the benchmark and its tools where none is given.
        """
        found = self._difference(first, second)
        if found is None:
            return None
        label = (
            label
            or f"{self._metric_name(first)}: {self.name(first.model)} less "
            f"{self.name(second.model)}"
        )
        return self.add(
            Computed(
                id=f"difference-{first.id}-{second.id}",
                statement=f"{label}, difference in points with its 95% interval",
                values={
                    "level": 95,
                    "value": round(100 * found.estimate, 1),
                    "low": round(100 * found.interval.low, 1),
                    "high": round(100 * found.interval.high, 1),
                    "margin": MARGIN_POINTS,
                },
                inputs=(first.id, second.id),
                method="difference of two independent rates"
                if first.n
                else "difference of two figures with stated intervals",
                reading=found.reading,
            )
        )

    def _difference(self, first: Figure, second: Figure) -> Difference | None:
        if first.unit == "percent" and first.n and second.n:
            rates = [
                f.correct / f.n if f.correct is not None and f.n else f.value / 100
                for f in (first, second)
            ]
            return difference_of_rates(
                rates[0], first.n, rates[1], second.n, margin=MARGIN_POINTS / 100
            )
        if first.interval == "not published" or second.interval == "not published":
            return None
        errors = [i.half_width / z_score(i.level) for i in (first.interval, second.interval)]
        return difference(
            (first.value - second.value) / 100,
            (errors[0] ** 2 + errors[1] ** 2) ** 0.5 / 100,
            margin=MARGIN_POINTS / 100,
        )

    def _metric_name(self, first: Figure) -> str:
        row = self.tables.benchmarks.get(first.metric)
        name = row.name if row else first.metric
        return f"{name} with tools" if first.conditions.tools == "with tools" else name

    def percent_interval(self, record: Measured) -> Computed:
        """A measured record's rate and interval in percent, as they are shown."""
        values = {"score": record.score, "low": record.low, "high": record.high}
        return self.add(
            Computed(
                id=f"percent-{record.id}",
                statement=f"{record.task} on {record.model}, in percent",
                values={"level": 100 * record.level}
                | {k: round(100 * v, 1) for k, v in values.items()},
                inputs=(record.id,),
                method="times 100",
            )
        )

    def items_to_tell(self, figure: Figure) -> Computed:
        """How many questions per model would let equal models be read as equal, at this score."""
        count = items_to_tell(figure.value / 100, margin=MARGIN_POINTS / 100)
        return self.add(
            Computed(
                id=f"items-to-tell-{figure.id}",
                statement=f"questions per model for a 90% half-width of the margin, at the "
                f"score of {figure.id}",
                values={"count": count, "margin": MARGIN_POINTS},
                inputs=(figure.id, "method"),
                method="2 p (1 - p) (z / margin)^2",
            )
        )

    def shortfall(self, figure: Figure) -> float:
        """How many times more questions than the figure has would be needed to tell."""
        assert figure.n is not None
        return items_to_tell(figure.value / 100, margin=MARGIN_POINTS / 100) / figure.n

    def clean_texts_needed(self) -> Computed:
        """How many texts without a single hit would put a rate below the threshold."""
        count = items_without_a_hit(RATE_THRESHOLD_PERCENT / 100)
        return self.add(
            Computed(
                id="texts-without-a-hit",
                statement="texts without a hit that put the 95% upper bound at the threshold",
                values={"count": count, "threshold": RATE_THRESHOLD_PERCENT, "level": 95},
                inputs=("method",),
                method="Wilson upper bound for zero hits",
            )
        )
