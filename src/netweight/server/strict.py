"""How clients' JSON is read: no unknown field, no silent conversion, each refusal with a name."""

import json
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    StringConstraints,
    Tag,
    model_validator,
)

T = TypeVar("T")

# Pydantic puts the tag of a union's branch into the place it reports, where it looks like a field.
_TAG_MARK = "\N{RIGHTWARDS ARROW}"


def tag(name: str) -> Tag:
    """The tag of a union's branch, told from a field by its first character."""
    return Tag(_TAG_MARK + name)


def is_tag(part: str | int) -> bool:
    """Whether a part of a place that pydantic reports is a tag of ours, and no field."""
    return isinstance(part, str) and part.startswith(_TAG_MARK)


def by_type(
    what: str, *types: str, default: str | None = None, aliases: Mapping[str, str] | None = None
) -> Discriminator:
    """Tells an object's branch by its `type`; without one it is the `default`.

    `types` are names given to `tag`, and `aliases` lead to them; any other type is refused.
    """
    tags = {name: name for name in types} | dict(aliases or {})

    def branch(value: object) -> str | None:
        given = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
        name = tags.get(str(default if given is None else given))
        return None if name is None else _TAG_MARK + name

    return Discriminator(
        branch,
        custom_error_type="unsupported_type",
        custom_error_message=f"{what} has to be an object of one of these types: {', '.join(tags)}",
    )


def text_or(other: str) -> Discriminator:
    """Tells a text, tagged `text`, from something else, tagged `other`."""

    def branch(value: object) -> str:
        return _TAG_MARK + ("text" if isinstance(value, str) else other)

    return Discriminator(branch)


# Pydantic looks for half a surrogate pair, which no answer could repeat, only where it has
# something else to look for.
Text = Annotated[str, StringConstraints(min_length=0)]


def _has_text_only(value: dict[str, object]) -> dict[str, object]:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no text") from error
    return value


JsonObject = Annotated[dict[str, object], AfterValidator(_has_text_only)]


def only(*neutral: T) -> AfterValidator:
    """For fields we do not support: accept the values that change nothing, refuse all others."""

    def check(value: T | None) -> T | None:
        if value is None or value in neutral:
            return value
        raise ValueError(f"only {neutral[0]!r} is supported")

    return AfterValidator(check)


def refused(remedy: str) -> BeforeValidator:
    """For fields that OpenAI has and we have not: refused with what to do instead."""

    def check(value: object) -> None:
        if value is not None:
            raise ValueError(f"not supported; {remedy}")

    return BeforeValidator(check)


class In(BaseModel):
    """Something a client sends."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class InItem(In):
    """Something that clients send back as they got it, or nearly so.

    Their libraries add fields that are null; null and absent are the same here.
    """

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: field for name, field in value.items() if field is not None}
