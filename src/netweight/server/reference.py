"""The API's reference as one HTML page: no script, and nothing from elsewhere.

Lays out an OpenAPI document. Knows no API.
"""

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple, cast

import jinja2
from markupsafe import Markup

_METHODS = ("get", "post", "put", "patch", "delete")
_REF = "#/components/schemas/"

Json = Mapping[str, object]


class _Part(NamedTuple):
    """A part of a type's description; `link` names the type that it leads to."""

    text: str
    link: str | None = None


class _Field(NamedTuple):
    name: str
    kind: Sequence[_Part]
    text: str
    is_required: bool


class _Path(NamedTuple):
    method: str
    path: str
    anchor: str
    text: Sequence[str]
    parameters: Sequence[_Field]
    body: Sequence[_Part]
    answer: Sequence[_Part]


class _Type(NamedTuple):
    name: str
    title: str
    text: Sequence[str]
    kind: Sequence[_Part]
    fields: Sequence[_Field]


class Page(NamedTuple):
    """HTML and the headers that it goes with."""

    html: str
    headers: Mapping[str, str]


def render(document: Json, *, model: str, url: str, needs_key: bool) -> Page:
    """The page for an OpenAPI document of the server at `url`, which has no path."""
    ask = {"role": "user", "content": "What is 27 + 15?"}
    style = _package_text("reference.css")
    html = _template().render(
        model=model,
        url=url,
        needs_key=needs_key,
        style=Markup(style),  # ours, from the package
        example=json.dumps({"model": model, "messages": [ask]}),
        paths=list(_paths(document)),
        types=list(_types(document)),
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Page(html, {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"})


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_package_text("reference.html.jinja"))


def _package_text(name: str) -> str:
    return resources.files("netweight.server").joinpath(name).read_text(encoding="utf-8")


def _paths(document: Json) -> Iterator[_Path]:
    for path, methods in _object(document["paths"]).items():
        for method in _METHODS:
            operation = _object(_object(methods).get(method))
            if operation:
                yield _path(path, method, operation)


def _path(path: str, method: str, operation: Json) -> _Path:
    parameters = [
        _field(str(one["name"]), _object(one["schema"]), is_required=bool(one.get("required")))
        for one in map(_object, _list(operation.get("parameters")))
    ]
    answer = _object(_object(operation.get("responses")).get("200"))
    return _Path(
        method=method.upper(),
        path=path,
        anchor=re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
        text=_paragraphs(operation),
        parameters=parameters,
        body=_content_kind(_object(operation.get("requestBody"))),
        answer=_content_kind(answer),
    )


def _content_kind(message: Json) -> Sequence[_Part]:
    """What a body is: JSON of a type, or another kind of content."""
    kinds: list[_Part] = []
    for media_type, content in _object(message.get("content")).items():
        schema = _object(_object(content).get("schema"))
        is_json = media_type == "application/json" and bool(schema)
        parts = list(_kind(schema)) if is_json else [_Part(media_type)]
        kinds += [_Part(" or "), *parts] if kinds else parts
    return kinds


def _types(document: Json) -> Iterator[_Type]:
    schemas = _object(_object(document.get("components")).get("schemas"))
    for name, schema in sorted((name, _object(schema)) for name, schema in schemas.items()):
        required = _list(schema.get("required"))
        fields = [
            _field(field, _object(one), is_required=field in required)
            for field, one in _object(schema.get("properties")).items()
        ]
        fields.sort(key=lambda field: not field.is_required)
        kind = [] if fields else list(_kind(schema))
        yield _Type(name, _title(name), _paragraphs(schema), kind, fields)


def _title(name: str) -> str:
    """Of two types with one name, the document's names have their modules in front."""
    return name.rpartition("__")[2]


def _field(name: str, schema: Json, *, is_required: bool) -> _Field:
    return _Field(name, list(_kind(schema)), str(schema.get("description", "")), is_required)


def _kind(schema: Json) -> Iterator[_Part]:
    """A schema in words, other types of the document as links."""
    options = [*_list(schema.get("anyOf")), *_list(schema.get("oneOf"))]
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REF)
        yield _Part(_title(name), name)
    elif options:
        for index, option in enumerate(options):
            if index > 0:
                yield _Part(" or ")
            yield from _kind(_object(option))
    elif "const" in schema or "enum" in schema:
        values = _list(schema.get("enum")) or [schema.get("const")]
        yield _Part(" or ".join(json.dumps(value) for value in values))
    elif schema.get("type") == "array":
        yield _Part(f"list{_range(schema, 'Items', 'items')} of ")
        yield from _kind(_object(schema.get("items")))
    elif schema.get("type") == "object" and schema.get("additionalProperties"):
        yield _Part("object of ")
        yield from _kind(_object(schema.get("additionalProperties")))
    else:
        yield _Part(
            str(schema.get("type", "anything"))
            + _range(schema, "Length", "characters")
            + _bounds(schema)
        )


def _range(schema: Json, of_what: str, words: str) -> str:
    least, most = schema.get(f"min{of_what}"), schema.get(f"max{of_what}")
    match least, most:
        case None, None:
            return ""
        case _, None:
            return f" ({least} or more {words})"
        case None, _:
            return f" (at most {most} {words})"
    return f" ({least} to {most} {words})"


def _bounds(schema: Json) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [
        f"{sign} {_plain(schema[name])}"
        for name, sign in signs.items()
        if schema.get(name) is not None
    ]
    return ", " + ", ".join(bounds) if bounds else ""


def _plain(number: object) -> str:
    assert isinstance(number, int | float)
    return str(int(number) if number == int(number) else number)


def _paragraphs(schema: Json) -> Sequence[str]:
    text = str(schema.get("description", ""))
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
