"""What a server lets in, and for how long; the defaults suit one person's machine."""

from dataclasses import dataclass
from pathlib import Path

from netweight.tools import BuiltInTool

_MIB = 2**20


@dataclass(frozen=True)
class ServerSettings:
    """How a server guards itself. What is not allowed is refused, with the setting's name."""

    api_keys: tuple[str, ...] = ()  # one of them must come with a request; none: no key is needed
    cors_origins: tuple[str, ...] = ()  # web pages that may use the API, as https://example.org
    host_names: tuple[str, ...] = ()  # that the server is known by, beside this machine's own
    max_body_bytes: int = 32 * _MIB  # of a request
    body_timeout_s: float = 60.0  # in which a request's body has to arrive
    max_requests: int = 256  # taken at once, those that wait their turn included
    answer_timeout_s: float | None = 3600.0  # for an answer with all its calls; None: no limit
    grace_s: float = 0.0  # for which answers under way go on when the server stops
    store_path: Path | None = None  # the file that keeps responses; None: they are kept in memory
    tools: tuple[BuiltInTool, ...] = ()  # that clients may let the model use
    access_log: bool = False  # whether each request gets a line in the log


DEFAULTS = ServerSettings()
