"""What the server counts and times, in the text format of Prometheus.

The format is https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4. Names
follow https://prometheus.io/docs/practices/naming/; where vLLM has a metric of the same meaning
ours has its name, under our own prefix. Everything here belongs to the event loop's thread.
"""

import re
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from netweight.engine import Stats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "netweight_"
# Nano writes a token in a millisecond, a large model that reads from disk in seconds.
_TOKEN_BOUNDS_S = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 10.0),
)
_REQUEST_BOUNDS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0),
    *(150.0, 300.0, 600.0, 1800.0, 3600.0),
)

Labels = tuple[str, ...]
Look = Callable[[], float | Mapping[str, float]]


class Sample(NamedTuple):
    """One line: a name's ending, labels as written, and a value."""

    ending: str
    labels: str
    value: float


class Metric(Protocol):
    """Something with a name that has lines."""

    name: str
    help: str
    kind: str

    def samples(self) -> Iterator[Sample]:
        """Its lines."""
        ...


class Counter:
    """A sum that only grows, one for each combination of labels."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        """`labels` are names; `add` takes their values in the same order."""
        assert name.endswith("_total"), "Prometheus wants the name of a counter to end so"
        self.name, self.help, self._labels = _PREFIX + name, help, tuple(labels)
        self._values: defaultdict[Labels, float] = defaultdict(float)
        if not labels:
            self._values[()] = 0.0

    def add(self, amount: float, *labels: str) -> None:
        """Grow by `amount`."""
        assert amount >= 0 and len(labels) == len(self._labels)
        self._values[labels] += amount

    def samples(self) -> Iterator[Sample]:
        """A line for each combination of labels that was seen."""
        for labels, value in sorted(self._values.items()):
            yield Sample("", _written(self._labels, labels), value)


class Observed:
    """A gauge or counter whose values are looked up when somebody asks."""

    def __init__(self, name: str, help: str, kind: str, look: Look) -> None:
        """`look` gives the value, or one for each label `state`."""
        self.name, self.help, self.kind, self._look = _PREFIX + name, help, kind, look

    def samples(self) -> Iterator[Sample]:
        """A line, or one for each state."""
        value = self._look()
        if isinstance(value, Mapping):
            for state, number in value.items():
                yield Sample("", _written(("state",), (state,)), number)
        else:
            yield Sample("", "", value)


class Histogram:
    """How many observations were at most as large as each bound, and their sum."""

    kind = "histogram"

    def __init__(self, name: str, help: str, bounds: Sequence[float]) -> None:
        """`bounds` ascend; infinity is added."""
        self.name, self.help, self._bounds = _PREFIX + name, help, tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, number: int = 1) -> None:
        """Take so many observations of the same value."""
        self._counts[bisect_left(self._bounds, value)] += number
        self._sum += value * number

    def samples(self) -> Iterator[Sample]:
        """Its buckets, which include all smaller ones, then sum and count."""
        total = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            yield Sample("_bucket", _written(("le",), (_number(bound),)), total)
        yield Sample("_sum", "", self._sum)
        yield Sample("_count", "", total)


class Watched(Protocol):
    """An engine at work; `worker.Worker` is one."""

    @property
    def stats(self) -> Stats:
        """How busy it is."""
        ...

    @property
    def num_steps(self) -> int:
        """Steps that it took."""
        ...

    @property
    def cpu_s(self) -> float:
        """Processor time that it used."""
        ...


class Metrics:
    """All that a server counts."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` gives seconds from any origin."""
        self.clock = clock
        self.http_requests = Counter(
            "http_requests_total",
            "HTTP requests by path, method and status; 499: the client left.",
            ("path", "method", "status"),
        )
        self.finished = Counter(
            "request_finished_total",
            "Answers of the model by how they ended.",
            ("finished_reason",),
        )
        self.prompt_tokens = Counter("prompt_tokens_total", "Prompt tokens, cached ones included.")
        self.cached_tokens = Counter(
            "cached_prompt_tokens_total", "Prompt tokens whose keys and values were in the cache."
        )
        self.generation_tokens = Counter("generation_tokens_total", "Tokens that were drawn.")
        self.reasoning_tokens = Counter(
            "reasoning_tokens_total", "Tokens that were drawn for reasoning."
        )
        self.time_to_first_token = Histogram(
            "time_to_first_token_seconds",
            "From a request's arrival at the engine to its first token.",
            _REQUEST_BOUNDS_S,
        )
        self.inter_token_latency = Histogram(
            "inter_token_latency_seconds", "Between one token and the next.", _TOKEN_BOUNDS_S
        )
        self.request_duration = Histogram(
            "http_request_duration_seconds",
            "From a request's headers to the end of its response.",
            _REQUEST_BOUNDS_S,
        )
        self._metrics: list[Metric] = [
            value for value in vars(self).values() if isinstance(value, Counter | Histogram)
        ]

    def watch(self, name: str, help: str, kind: str, look: Look) -> None:
        """Add a gauge or counter that is looked up when somebody asks."""
        self._metrics.append(Observed(name, help, kind, look))

    def watch_engine(self, engine: Watched) -> None:
        """Add what is known of an engine and of the thread in which it works."""
        running = "Requests that the engine answers now."
        self.watch("num_requests_running", running, "gauge", lambda: engine.stats.num_running)
        waiting = "Requests that wait for their turn."
        self.watch("num_requests_waiting", waiting, "gauge", lambda: engine.stats.num_waiting)
        preempted = "Times that a request gave its pages up and waited again."
        self.watch(
            "num_preemptions_total", preempted, "counter", lambda: engine.stats.num_preemptions
        )
        pages = "Pages for keys and values of layers that see the whole context."
        self.watch("cache_pages", pages, "gauge", lambda: engine.stats.pages._asdict())
        pages = "Pages for keys and values of layers that see a window."
        self.watch(
            "window_cache_pages", pages, "gauge", lambda: engine.stats.window_pages._asdict()
        )
        steps = "Steps that the engine took."
        self.watch("engine_steps_total", steps, "counter", lambda: engine.num_steps)
        cpu = "Processor time of the engine's thread."
        self.watch("engine_cpu_seconds_total", cpu, "counter", lambda: engine.cpu_s)
        # Whoever asks for the text is served by this thread.
        cpu = "Processor time of the thread that serves HTTP."
        self.watch("event_loop_cpu_seconds_total", cpu, "counter", time.thread_time)
        cpu = "Processor time of all threads."
        self.watch("process_cpu_seconds_total", cpu, "counter", time.process_time)

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        return "".join(line for metric in self._metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
    for ending, labels, value in metric.samples():
        yield f"{metric.name}{ending}{labels} {_number(value)}\n"


def _written(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def merged(texts: Mapping[str, str]) -> str:
    """Several servers' metrics as one text, each line with its server's name as label `replica`."""
    families: dict[str, list[str]] = {}
    for name, text in texts.items():
        lines: list[str] = []
        for block in text.split("# HELP ")[1:]:
            help_line, type_line, *samples = block.splitlines()
            lines = families.setdefault(f"# HELP {help_line}\n{type_line}\n", [])
            lines += [_labelled(sample, name) for sample in samples]
    return "".join(heading + "".join(lines) for heading, lines in families.items())


def _labelled(sample: str, name: str) -> str:
    metric, rest = re.split(r"(?=[{ ])", sample, maxsplit=1)
    label = f'replica="{name}"'
    if rest.startswith("{"):
        return f"{metric}{{{label},{rest[1:]}\n"
    return f"{metric}{{{label}}}{rest}\n"
