"""JSON schemas as TypeScript types with nothing lost and nothing leaking.

Keeps openai-harmony's layout, which is what the model knows, and mends what it drops or lets
through: references, anyOf, allOf, const, enums of any type and null are written; unions inside
arrays have parentheses; strings are escaped; every line of a description stays inside its comment.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from netweight.errors import HarmonyError
from netweight.harmony.schema import Schema, as_node, required_names, to_json

MAX_NODES = 10_000  # references can double a schema at each step; no tool comes near this
MAX_DEPTH = 64

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_LINE_BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


class Type(NamedTuple):
    """A type's text, and what else has to be known to build on it."""

    text: str
    is_compound: bool = False  # needs parentheses before `[]` or beside `&`
    has_null: bool = False  # is null, or a union of which null is a member

    @property
    def tight(self) -> str:
        """The text as it may stand beside an operator."""
        return f"({self.text})" if self.is_compound else self.text


ANY = Type("any")


def fixed_type(schema: object) -> str:
    """The TypeScript type of a JSON schema.

    Raises HarmonyError for a reference that leads out of the schema or nowhere, and for a schema
    that is too deep or too large when its references are written out.
    """
    writer = _Writer(schema)
    head = writer.comment(as_node(schema).get("description"), "")
    body = writer.type(schema, "")
    return "".join(head) + body.text


def comment(text: str, indent: str = "") -> list[str]:
    """The text as comment lines: whatever breaks a line starts a new comment."""
    return [f"{indent}// {line}" for line in text.splitlines()]


def literal(value: object) -> str:
    """A JSON value as TypeScript source on one line, whatever its strings hold."""
    text = to_json(value)
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class _Writer:
    """Writes the types of one schema document; `root` is where its references lead."""

    def __init__(self, root: object) -> None:
        self.root = root
        self.open_refs: list[str] = []
        self.depth = 0
        self.num_nodes = 0

    def type(self, schema: object, indent: str) -> Type:
        """One schema node. `indent` goes before each line that the node itself starts."""
        self.num_nodes += 1
        self.depth += 1
        if self.num_nodes > MAX_NODES or self.depth > MAX_DEPTH:
            raise HarmonyError(
                f"too large: over {MAX_NODES} nodes or {MAX_DEPTH} levels "
                "when its references are written out. Simplify it."
            )
        if schema is False:
            written = Type("never")
        else:
            written = self._nullable(as_node(schema), self._node(as_node(schema), indent))
        self.depth -= 1
        return written

    def _nullable(self, node: Schema, written: Type) -> Type:
        if node.get("nullable") is not True or written.has_null:
            return written
        return Type(f"{written.text} | null", is_compound=True, has_null=True)

    def _node(self, node: Schema, indent: str) -> Type:
        parts = [self._reference(node["$ref"], indent)] if "$ref" in node else []
        if "const" in node:
            return _literal_type(node["const"])
        if isinstance(node.get("enum"), list):
            return _union([_literal_type(member) for member in cast(list[object], node["enum"])])
        for keyword in ("oneOf", "anyOf"):
            if isinstance(node.get(keyword), list):
                parts.append(self._variants(cast(list[object], node[keyword]), indent))
        if isinstance(node.get("allOf"), list):
            parts += [self.type(part, indent) for part in cast(list[object], node["allOf"])]
        own = self._own_type(node, indent, has_others=bool(parts))
        parts += [] if own is None else [own]
        return _intersection(parts)

    def _reference(self, reference: object, indent: str) -> Type:
        if reference in self.open_refs:
            name = re.sub(r"\W", "_", str(reference).rpartition("/")[2])
            return Type(f"any /* {name} again */")
        self.open_refs.append(str(reference))
        written = self.type(self._resolve(reference), indent)
        self.open_refs.pop()
        return written

    def _resolve(self, reference: object) -> object:
        target: object = self.root
        if not isinstance(reference, str) or not re.fullmatch(r"#(/.*)?", reference, re.DOTALL):
            raise HarmonyError(
                f"$ref {reference!r} leads out of the schema; write the schema in full"
            )
        for step in reference.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and key.isdecimal() and int(key) < len(target):
                target = target[int(key)]
            elif isinstance(target, dict) and key in target:
                target = target[key]
            else:
                raise HarmonyError(f"$ref {reference!r} leads nowhere: there is no {key!r}")
        return target

    def _variants(self, variants: list[object], indent: str) -> Type:
        """A union on one line, or on a line each where a variant has notes or many lines."""
        types = [self.type(variant, indent + "   ") for variant in variants]
        notes = [self._notes(as_node(variant)) for variant in variants]
        if not any(notes) and not any("\n" in written.text for written in types):
            return _union(types)
        lines = [
            f"\n{indent} | {written.text}{note}" for written, note in zip(types, notes, strict=True)
        ]
        has_null = any(written.has_null for written in types)
        return Type("".join(lines) + f"\n{indent}", is_compound=True, has_null=has_null)

    def _own_type(self, node: Schema, indent: str, *, has_others: bool) -> Type | None:
        """The type by the keyword `type`, or by what the other keywords suppose."""
        types = node.get("type")
        if isinstance(types, list):
            return _union([self._named_type(name, node, indent) for name in types])
        if isinstance(types, str):
            is_said = has_others and types == "object" and "properties" not in node
            return None if is_said else self._named_type(types, node, indent)
        if "properties" in node or isinstance(node.get("additionalProperties"), dict):
            return self._object(node, indent)
        if "items" in node or "prefixItems" in node:
            return self._array(node, indent)
        return None

    def _named_type(self, name: object, node: Schema, indent: str) -> Type:
        match name:
            case "object":
                return self._object(node, indent)
            case "array":
                return self._array(node, indent)
            case "number" | "integer":
                return Type("number")
            case "string" | "boolean":
                return Type(str(name))
            case "null":
                return _literal_type(None)
            case _:
                raise HarmonyError(f"JSON schema has no type {name!r}")

    def _array(self, node: Schema, indent: str) -> Type:
        if isinstance(node.get("prefixItems"), list):
            first = [
                self.type(item, indent).text for item in cast(list[object], node["prefixItems"])
            ]
            rest = [f"...{self.type(node['items'], indent).tight}[]"] if node.get("items") else []
            return Type(f"[{', '.join(first + rest)}]")
        if "items" not in node:
            return Type("Array<any>")
        return Type(f"{self.type(node['items'], indent).tight}[]")

    def _object(self, node: Schema, indent: str) -> Type:
        names = required_names(node)
        lines = [
            line
            for name, value in as_node(node.get("properties")).items()
            for line in self._property(name, value, indent, is_required=name in names)
        ]
        others = [
            node.get("additionalProperties"),
            *as_node(node.get("patternProperties")).values(),
        ]
        for other in others:
            if isinstance(other, dict) and other:
                lines.append(f"{indent}[key: string]: {self.type(other, indent + '    ').text},\n")
        return Type(f"{{\n{''.join(lines)}{indent}}}")

    def _property(
        self, name: str, schema: object, indent: str, *, is_required: bool
    ) -> Iterator[str]:
        node = as_node(schema)
        mark = "" if is_required else "?"
        yield from self.comment(node.get("title"), indent, end=f"{indent}//\n")
        yield from self.comment(node.get("description"), indent)
        examples = node.get("examples")
        if isinstance(examples, list) and examples:
            yield f"{indent}// Examples:\n"
            yield from (f"{indent}// - {literal(example)}\n" for example in examples)
        label = name if _NAME.fullmatch(name) else literal(name)
        inner = indent if "oneOf" in node or "anyOf" in node else indent + "    "
        text, note = self.type(schema, inner).text, _default_note(node)
        if text.startswith("\n"):  # a line for each variant: what belongs to all stands above
            yield f"{indent}{note.lstrip()}\n" if note else ""
            yield f"{indent}{label}{mark}:{text},\n"
        else:
            yield f"{indent}{label}{mark}: {text},{note}\n"

    def _notes(self, node: Schema) -> str:
        """What stands behind a variant: its description and default, on the same line."""
        description = node.get("description")
        notes = [_LINE_BREAKS.sub(" ", description)] if isinstance(description, str) else []
        if "default" in node:
            notes.append(f"default: {literal(node['default'])}")
        return f" // {' '.join(notes)}" if notes else ""

    def comment(self, text: object, indent: str, *, end: str = "") -> list[str]:
        """A title or description as comment lines; nothing where there is none."""
        if not isinstance(text, str):
            return []
        return [f"{line}\n" for line in comment(text, indent)] + ([end] if end else [])


def _default_note(node: Schema) -> str:
    """The default behind a property; of an enum, a member that is one word stands bare."""
    if "default" not in node:
        return ""
    default = node["default"]
    is_bare = "enum" in node and isinstance(default, str) and _NAME.fullmatch(default) is not None
    return f" // default: {default if is_bare else literal(default)}"


def _literal_type(value: object) -> Type:
    return Type(literal(value), has_null=value is None)


def _union(types: list[Type]) -> Type:
    """The union, each member once, in order; of nothing, `never`."""
    texts = list(dict.fromkeys(written.text for written in types))
    is_compound = len(texts) > 1 or any(written.is_compound for written in types)
    has_null = any(written.has_null for written in types)
    return Type(" | ".join(texts) or "never", is_compound, has_null)


def _intersection(types: list[Type]) -> Type:
    if not types:
        return ANY
    if len(types) == 1:
        return types[0]
    texts = list(dict.fromkeys(written.tight for written in types if written != ANY))
    return Type(" & ".join(texts) or "any", is_compound=len(texts) > 1)
