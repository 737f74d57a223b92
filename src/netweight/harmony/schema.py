"""JSON schemas as the TypeScript types in which gpt-oss was taught to read its tools.

`official_type` follows openai-harmony 0.0.8 to the byte, its losses and unescaped strings included.
`fixed.py` is the writer that loses nothing. The layout was learnt from openai-harmony's rendered
output.
"""

import json
from collections.abc import Iterator, Mapping
from typing import cast

Schema = Mapping[str, object]


def official_type(schema: object, indent: str = "") -> str:
    """The type of one schema node; `indent` goes before each line that the node itself starts."""
    node = as_node(schema)
    if isinstance(node.get("oneOf"), list):
        return "".join(_union_lines(node, indent))
    types = node.get("type")
    if isinstance(types, list):
        names = [_type_name(name) for name in types if isinstance(name, str)]
        return " | ".join(names) if names else "any"
    match types:
        case "object":
            return _object_type(node, indent)
        case "array":
            return f"{official_type(node['items'], indent)}[]" if "items" in node else "Array<any>"
        case "string":
            return _string_type(node)
        case "number" | "integer":
            return "number"
        case "boolean":
            return "boolean"
        case _:
            return "any"


def as_node(schema: object) -> Schema:
    """The schema as a table; anything else, such as `true`, has no keywords."""
    return cast(Schema, schema) if isinstance(schema, Mapping) else {}


def required_names(node: Schema) -> list[str]:
    """The names that a schema requires; what is no name requires nothing."""
    required = node.get("required")
    names = required if isinstance(required, list) else []
    return [name for name in names if isinstance(name, str)]


def to_json(value: object) -> str:
    """Compact JSON as serde writes it: no spaces, and floats in the shortest form."""
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Mapping):
        return (
            "{" + ",".join(f"{to_json(key)}:{to_json(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(to_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _float_text(value: float) -> str:
    """The shortest form, positional down to 1e-5 (Python's stops at 1e-4), exponents bare."""
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    if exponent == "-05":
        digits = mantissa.replace(".", "").lstrip("-")
        return f"{'-' if value < 0 else ''}0.0000{digits}"
    return f"{mantissa}e{int(exponent)}"


def _type_name(name: str) -> str:
    return "number" if name == "integer" else name


def _string_type(node: Schema) -> str:
    members = node.get("enum")
    if not isinstance(members, list) or not members:
        return "string"
    texts = [f'"{member}"' for member in members if isinstance(member, str)]
    return " | ".join(texts) or "string"


def _nullable(node: Schema, text: str) -> str:
    return f"{text} | null" if node.get("nullable") is True and "null" not in text else text


def _has_enum(node: Schema) -> bool:
    return bool(node.get("enum")) and isinstance(node["enum"], list)


def _default_text(node: Schema, *, bare_enum: bool = True) -> str | None:
    """What stands after `default:`; None where there is no default."""
    if "default" not in node:
        return None
    default = node["default"]
    if not isinstance(default, str):
        return to_json(default)
    if not _has_enum(node):
        return f'"{default}"'
    return default if bare_enum else to_json(default)


def _union_lines(node: Schema, indent: str) -> Iterator[str]:
    for variant in cast(list[object], node["oneOf"]):
        entry = as_node(variant)
        yield f"\n{indent} | {_nullable(entry, official_type(entry, indent + '   '))}"
        yield _trailing(_description(entry), _default_text(entry, bare_enum=False))


def _trailing(description: str | None, default: str | None) -> str:
    notes = [] if description is None else [description]
    if default is not None:
        notes.append(f"default: {default}")
    return f" // {' '.join(notes)}" if notes else ""


def _description(node: Schema) -> str | None:
    text = node.get("description")
    return text if isinstance(text, str) else None


def _object_type(node: Schema, indent: str) -> str:
    description = _description(node)
    head = f"{indent}// {description}\n" if description is not None else ""
    names = required_names(node)
    lines = [
        line
        for name, value in as_node(node.get("properties")).items()
        for line in _property_lines(name, as_node(value), indent, is_required=name in names)
    ]
    return f"{head}{{\n{''.join(lines)}{indent}}}"


def _property_lines(name: str, node: Schema, indent: str, *, is_required: bool) -> Iterator[str]:
    mark = "" if is_required else "?"
    title = node.get("title")
    if isinstance(title, str):
        yield f"{indent}// {title}\n{indent}//\n"
    description = _description(node)
    if description is not None and "oneOf" not in node:
        yield f"{indent}// {description}\n"
    yield from _example_lines(node, indent)
    if isinstance(node.get("oneOf"), list):
        yield from _union_property_lines(f"{name}{mark}", node, indent)
        return
    default = None if "oneOf" in node else _default_text(node)
    note = f" // default: {default}" if default is not None else ""
    yield f"{indent}{name}{mark}: {_nullable(node, official_type(node, indent + '    '))},{note}\n"


def _example_lines(node: Schema, indent: str) -> Iterator[str]:
    examples = node.get("examples")
    if isinstance(examples, list) and examples:
        yield f"{indent}// Examples:\n"
        for example in examples:
            if isinstance(example, str):
                yield f'{indent}// - "{example}"\n'


def _union_property_lines(label: str, node: Schema, indent: str) -> Iterator[str]:
    """A property whose type is a union: a line for each variant, the notes of the whole above."""
    variants = [as_node(variant) for variant in cast(list[object], node["oneOf"])]
    description = _description(node)
    first = _description(variants[0]) if variants else None
    is_above = description is not None and description != first
    if is_above:
        yield f"{indent}// {description}\n"
    default = _default_text(node)
    if default is not None:
        yield f"{indent}// default: {default}\n"
    yield f"{indent}{label}:\n"
    for index, variant in enumerate(variants):
        text = _nullable(variant, official_type(variant, indent + "   "))
        own = _description(variant)
        is_said = own == description or (index == 0 and is_above)
        yield f"{indent} | {text}{_trailing(None if is_said else own, _default_text(variant))}\n"
    yield f"{indent},\n"
