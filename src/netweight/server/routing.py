"""Which of several engines gets a request: the one whose cache has its beginning, if it has room.

Pure functions over paths, bodies and counts. Knows no engine and no network.
"""

import hashlib
import json
import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic_core import from_json

_ID = re.compile(rb'"((?:resp|cntr)_[0-9a-f]+)"')
_RESPONSES = "/v1/responses"
_MAX_HOMES = 100_000  # some 15 MB
# Of a prompt that has no messages. A conversation's first prompt may be little longer, and one that
# is shorter is soon read again.
_NUM_CHARACTERS = 256
_NUM_TOKENS = 64
# A busy engine may have this many times its share. With less, conversations leave their cache for
# little; with more, some engines idle while requests wait at others. See Mirrokni, Thorup and
# Zadimoghaddam, Consistent Hashing with Bounded Loads, 2018.
_MOST_OF_SHARE = 1.5


class Affinity(NamedTuple):
    """What draws a request to an engine.

    `key` stands for the beginning of its conversation; None: any engine will do. `ids` are of
    responses and containers that it continues: what else belongs to them is where they are.
    """

    key: bytes | None = None
    ids: tuple[str, ...] = ()


class Homes:
    """Where conversations, responses and containers were last, the last used of them."""

    def __init__(self, max_homes: int = _MAX_HOMES) -> None:
        """Remember `max_homes` at most."""
        self._max_homes = max_homes
        self._homes: OrderedDict[str | bytes, str] = OrderedDict()

    def get(self, what: str | bytes) -> str | None:
        """The engine's name, if it is remembered."""
        if what in self._homes:
            self._homes.move_to_end(what)
        return self._homes.get(what)

    def put(self, what: str | bytes, name: str) -> None:
        """Remember, and forget what was not used for longest."""
        self._homes[what] = name
        self._homes.move_to_end(what)
        if len(self._homes) > self._max_homes:
            self._homes.popitem(last=False)


def affinity_of(path: str, body: bytes) -> Affinity:
    """The affinity of a request; of one that will be refused, any."""
    if path.startswith(f"{_RESPONSES}/"):
        response_id = path.removeprefix(f"{_RESPONSES}/").partition("/")[0]
        return Affinity(response_id.encode(errors="replace"), (response_id,))
    if path not in ("/v1/chat/completions", "/v1/completions", _RESPONSES):
        return Affinity()
    try:
        fields = from_json(body)
    except ValueError:
        return Affinity()
    if not isinstance(fields, dict):
        return Affinity()
    ids = tuple(_ids_of(fields)) if path == _RESPONSES else ()
    beginning = ids or _beginning(path, fields)
    return Affinity(hashlib.blake2b(json.dumps(beginning).encode(), digest_size=16).digest(), ids)


def ids_in(answer: bytes) -> list[str]:
    """The ids of responses and containers that a piece of an answer of /v1/responses tells."""
    return [match.decode() for match in _ID.findall(answer)]


def choose(affinity: Affinity, loads: Mapping[str, int], homes: Homes) -> str:
    """The engine for a request, of those whose requests under way are counted in `loads`.

    Whatever continues a response goes where that was. The rest goes where its conversation was
    last, or else where rendezvous hashing puts it (https://en.wikipedia.org/wiki/Rendezvous_hashing),
    so long as there is no crowd; then the next one in that order gets it.
    """
    assert loads, "somebody has to answer"
    for what in affinity.ids:
        home = homes.get(what)
        if home is not None and home in loads:
            return home
    if affinity.key is None:
        return min(loads, key=lambda name: loads[name])
    limit = math.ceil(_MOST_OF_SHARE * (sum(loads.values()) + 1) / len(loads))
    home = homes.get(affinity.key)
    order = ranked(affinity.key, loads)
    if home is not None and home in loads:
        order = [home, *order]
    return next(name for name in order if loads[name] < limit)


def ranked(key: bytes, names: Iterable[str]) -> list[str]:
    """The names, the best for a key first: when one goes, only the keys that it had move."""

    def weight(name: str) -> bytes:
        return hashlib.blake2b(name.encode(), key=key[:64], digest_size=8).digest()

    return sorted(names, key=weight)


def _ids_of(fields: Mapping[str, object]) -> list[str]:
    tools = fields.get("tools")
    containers = [
        tool.get("container")
        for tool in (tools if isinstance(tools, list) else [])
        if isinstance(tool, dict)
    ]
    named = [*containers, fields.get("previous_response_id")]
    return [name for name in named if isinstance(name, str)]


def _beginning(path: str, fields: Mapping[str, object]) -> object:
    """What all turns of a conversation begin with."""
    if path == "/v1/completions":
        return _first_of(fields.get("prompt"))
    messages = fields.get("input" if path == _RESPONSES else "messages")
    first = _up_to_user(messages) if isinstance(messages, list) else messages
    return [fields.get("tools"), fields.get("instructions"), first]


def _up_to_user(messages: Sequence[object]) -> Sequence[object]:
    for index, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            return messages[: index + 1]
    return messages


def _first_of(prompt: object) -> object:
    """The beginning of a prompt, or of the first of several."""
    match prompt:
        case str():
            return prompt[:_NUM_CHARACTERS]
        case [str() | list() as first, *_]:
            return _first_of(first)
        case list():
            return prompt[:_NUM_TOKENS]
        case _:
            return prompt
