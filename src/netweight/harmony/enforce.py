"""JSON schemas made fit for a constraint: every keyword is enforced, or refused by its name.

A constraint may be narrower than its schema and never wider: an object with declared properties
takes no others unless the schema says so; white space between the parts of a value and the digits
of an integer are bounded, or a model could write them for ever. Keywords that only describe are let
through. What would cost others too much time to follow is refused, with the limit.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import cast

from netweight.errors import HarmonyError
from netweight.harmony.message import JsonSchema
from netweight.harmony.schema import as_node, required_names

# llguidance's own settings. A model that writes u-umlaut as an escape of four digits has to be let:
# when it may only escape control characters, it is led to one of them.
_SETTINGS = {
    "whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,40}",
    "json_allow_general_unicode_escapes": True,
}

_LARGEST_INTEGER = 9 * 10**18  # as good as 64 bits, which is what llguidance can bound

# OpenAI has 120,000 (Structured outputs, "Total string size"), and leaves patterns out.
MAX_CHARACTERS = 250_000  # of names, values and patterns in a schema
MAX_OPTIONAL = 500  # properties of an object that may be left out; llguidance follows each of them
MAX_DIVISOR = 1000  # of an integer, which has so many remainders to follow
_MAX_FORCED = 256  # characters
_MANY_NODES = 1000
_MANY_CHARACTERS = 20_000
_MANY_COMBINED = 8

_ONE = frozenset({"items", "additionalProperties"})  # hold a schema
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})  # hold a list of schemas
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})  # schemas by name
# fmt: off
_CHECKED = frozenset({
    "$ref", "const", "enum", "type", "required", "minItems", "maxItems", "minProperties",
    "maxProperties", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
})
_DESCRIBING = frozenset({
    "title", "description", "default", "examples", "example", "$schema", "$id", "$comment",
    "deprecated", "readOnly", "writeOnly", "nullable", "strict",
})
_FORMATS = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri",
})
# fmt: on
_KNOWN = _ONE | _MANY | _NAMED | _CHECKED | _DESCRIBING


def enforceable(schema: JsonSchema, name: str, *, is_object: bool) -> dict[str, object]:
    """The schema as llguidance should enforce it.

    With `is_object`, the value has to be an object, as the arguments of a call. Raises HarmonyError
    that names each keyword, format or type which cannot be enforced, or the limit which the schema
    is over; `name` says whose schema it is.
    """
    nodes = list(_nodes(schema))
    _check_limits(nodes, name)
    unknown = sorted({key for node in nodes for key in node if not _is_known(key)})
    if unknown:
        raise HarmonyError(
            f"the schema of {name} uses {', '.join(unknown)}, which cannot be enforced; leave "
            "that out"
        )
    formats = {str(node["format"]) for node in nodes if "format" in node} - _FORMATS
    if formats:
        raise HarmonyError(
            f"the schema of {name} uses format {', '.join(sorted(formats))}; "
            f"those that can be enforced are {', '.join(sorted(_FORMATS))}"
        )
    if is_object and schema.get("type", "object") != "object":
        raise HarmonyError(
            f"the arguments of {name} have type {schema['type']!r}; they must be an object"
        )
    is_closed = not any(_is_combined(node) for node in nodes)
    prepared = cast(dict[str, object], _prepared(schema, is_closed=is_closed))
    return prepared | ({"type": "object"} if is_object else {}) | {"x-guidance": _SETTINGS}


def may_force_much(schema: JsonSchema) -> bool:
    """Whether a long text may be the only one that can come next, as by a pattern or a constant."""
    for node in _nodes(schema):
        if "pattern" in node or "patternProperties" in node:
            return True
        if any(len(text) > _MAX_FORCED for text in _texts(node)):
            return True
    return False


def is_costly(schema: JsonSchema) -> bool:
    """Whether it may take long to compile: where it is large, or regular expressions may meet."""
    nodes = list(_nodes(schema))
    return (
        len(nodes) > _MANY_NODES
        or _num_characters(nodes) > _MANY_CHARACTERS
        or sum(map(_num_combined, nodes)) > _MANY_COMBINED
        or len([None for node in nodes if "multipleOf" in node]) > 1
    )


def _num_combined(node: Mapping[str, object]) -> int:
    named = len(as_node(node.get("patternProperties")))
    return named + len([None for key in ("pattern", "multipleOf", "allOf") if key in node])


def _num_characters(nodes: Iterable[Mapping[str, object]]) -> int:
    return sum(len(text) + 1 for node in nodes for text in _texts(node))


def _check_limits(nodes: Sequence[Mapping[str, object]], name: str) -> None:
    num_characters = _num_characters(nodes)
    if num_characters > MAX_CHARACTERS:
        raise HarmonyError(
            f"the schema of {name} has {num_characters:,} characters of names, values and "
            f"patterns; the limit is {MAX_CHARACTERS:,}"
        )
    for node in nodes:
        optional = set(as_node(node.get("properties"))).difference(required_names(node))
        if len(optional) > MAX_OPTIONAL:
            raise HarmonyError(
                f"the schema of {name} has an object with {len(optional)} optional properties; the "
                f"limit is {MAX_OPTIONAL}, and the others must be required"
            )
        divisor = node.get("multipleOf")
        if isinstance(divisor, int | float) and _without_point(divisor) > MAX_DIVISOR:
            raise HarmonyError(
                f"the schema of {name} has multipleOf {divisor}; the limit is {MAX_DIVISOR}, not "
                "counting a decimal point"
            )


def _without_point(number: float) -> float:
    """25 for 2.5."""
    if isinstance(number, int) or not math.isfinite(number):
        return number
    digits = Decimal(repr(number)).normalize()
    return int(digits.scaleb(max(0, -cast(int, digits.as_tuple().exponent))))


def _texts(node: Mapping[str, object]) -> Iterator[str]:
    """The names and values that a schema itself has, and its patterns."""
    yield from required_names(node)
    for key in _NAMED:
        yield from as_node(node.get(key))
    values = [node[key] for key in ("const", "enum", "pattern") if key in node]
    while values:
        value = values.pop()
        if isinstance(value, Mapping):
            yield from value
            values += value.values()
        elif isinstance(value, list):
            values += value
        else:
            yield value if isinstance(value, str) else ""


def _is_known(key: str) -> bool:
    return key in _KNOWN or key.startswith("x-")


def _nodes(schema: object) -> Iterator[Mapping[str, object]]:
    """All schemas in a schema, itself first."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            for key, value in node.items():
                waiting += _children(key, value)


def _children(key: str, value: object) -> list[object]:
    if key in _ONE:
        return [value]
    if key in _MANY and isinstance(value, list):
        return value
    return list(as_node(value).values()) if key in _NAMED else []


def _is_combined(node: Mapping[str, object]) -> bool:
    """Whether properties of several schemas meet in one object, so that none can be closed."""
    is_mixed = "properties" in node and any(key in node for key in ("$ref", "anyOf", "oneOf"))
    return "allOf" in node or is_mixed


def _missing_bounds(node: Mapping[str, object]) -> dict[str, int]:
    """The bounds that an integer's schema leaves out, or it could have digits without end."""
    types = node.get("type")
    names = types if isinstance(types, list) else [types]
    if "integer" not in names or "number" in names or "enum" in node or "const" in node:
        return {}
    lowest, highest = -_LARGEST_INTEGER, _LARGEST_INTEGER
    has_lower = "minimum" in node or "exclusiveMinimum" in node
    has_upper = "maximum" in node or "exclusiveMaximum" in node
    lower = {} if has_lower else {"minimum": lowest}
    return lower if has_upper else lower | {"maximum": highest}


def _closed(node: dict[str, object]) -> dict[str, object]:
    """The object with no properties but those that it declares or requires."""
    undeclared: dict[str, object] = {name: {} for name in required_names(node)}
    properties = undeclared | dict(as_node(node["properties"]))
    return node | {"properties": properties, "additionalProperties": False}


def _prepared(schema: object, *, is_closed: bool) -> object:
    if not isinstance(schema, Mapping):
        return schema
    node: dict[str, object] = {}
    for key, value in schema.items():
        if key in _ONE:
            node[key] = _prepared(value, is_closed=is_closed)
        elif key in _MANY and isinstance(value, list):
            node[key] = [_prepared(item, is_closed=is_closed) for item in value]
        elif key in _NAMED:
            named = as_node(value).items()
            node[key] = {name: _prepared(item, is_closed=is_closed) for name, item in named}
        elif key in _CHECKED:
            node[key] = value
    node |= _missing_bounds(node)
    is_open = "patternProperties" in node or "additionalProperties" in node
    return _closed(node) if is_closed and node.get("properties") and not is_open else node
