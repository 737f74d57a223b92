"""Who is weighed, and how it is asked.

Plain values that the run reads and the record repeats. Does not know tasks, results or files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Effort = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class Subject:
    """The model that is weighed.

    `model` is the name its server or its Inspect provider knows it by. With a `base_url` it is
    reached as an OpenAI-compatible server; without one, `model` is an Inspect model name such as
    "provider/model". `reasons` says that its answers must come with reasoning apart from them, so
    that none arriving is a fault of the set-up. `max_context` is what prompt and
    answer share, where it is known. `details` are what else records say of it, such as the
    checkpoint's digest and how it is prompted. `peak_bytes` tells what memory it has taken, where
    that can be seen.
    """

    name: str
    model: str
    base_url: str | None = None
    api_key: str = field(default="none", repr=False)  # a local server asks for none
    reasons: bool = False
    max_context: int | None = None
    engine: str = "unknown"
    engine_version: str = "unknown"
    deployment: Literal["self_deployed", "externally_managed", "unknown"] = "unknown"
    weights: Literal["open_weights", "closed_weights", "unknown"] = "unknown"
    evaluator: Literal["first_party", "third_party"] = "third_party"
    details: Mapping[str, str] = field(default_factory=dict)
    peak_bytes: Callable[[], int] | None = None


@dataclass(frozen=True)
class Settings:
    """How every question of a run is asked, and what bounds the run.

    `limit` is the number of samples per task, all when None; each is asked in every epoch. An
    attempt that takes longer than `attempt_timeout_s` is given up; after `max_retries` more the
    sample counts as timeout or infrastructure, never as wrong. `temperature` and `effort` are not
    sent when None: the server then decides. `judges` are Inspect models that tasks with open
    answers ask for a judgement.
    """

    seed: int = 0
    temperature: float | None = 0.0
    effort: Effort | None = None
    max_tokens: int = 2048
    limit: int | None = None
    epochs: int = 1
    judges: tuple[str, ...] = ()
    max_connections: int = 2
    max_retries: int = 1
    attempt_timeout_s: int = 600
