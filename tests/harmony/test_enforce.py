"""What becomes of a schema before it is enforced: narrower, never wider, and nothing ignored."""

import pytest

from netweight.errors import HarmonyError
from netweight.harmony.enforce import enforceable

TEXT = {"type": "string"}


def prepared(schema):
    result = enforceable(schema, "f", is_object=False)
    result.pop("x-guidance")
    return result


def test_declared_properties_are_the_only_ones():
    schema = {"type": "object", "properties": {"a": {"properties": {"b": TEXT}}}}
    inner = {"properties": {"b": TEXT}, "additionalProperties": False}
    assert prepared(schema) == {
        "type": "object",
        "properties": {"a": inner},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"properties": {"a": TEXT}, "additionalProperties": True},
        {"properties": {"a": TEXT}, "additionalProperties": TEXT},
        {"properties": {"a": TEXT}, "patternProperties": {"^b": TEXT}},
        {"allOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]},
        {"properties": {"a": TEXT}, "anyOf": [{"properties": {"b": TEXT}}]},
        {"properties": {"a": TEXT}, "$ref": "#/$defs/x", "$defs": {"x": {"type": "object"}}},
    ],
)
def test_open_objects_and_objects_of_several_schemas_stay_open(schema):
    assert prepared(schema) == schema


def test_what_only_describes_is_left_out():
    described = TEXT | {"title": "T", "description": "D", "default": "x", "x-mine": 1}
    assert prepared(described) == TEXT
    assert prepared({"prefixItems": [described]}) == {"prefixItems": [TEXT]}


@pytest.mark.parametrize(
    ("bounds", "added"),
    [
        ({}, {"minimum", "maximum"}),
        ({"minimum": 3}, {"maximum"}),
        ({"exclusiveMaximum": 3}, {"minimum"}),
        ({"minimum": 3, "maximum": 5}, set()),
        ({"enum": [1]}, set()),
    ],
)
@pytest.mark.parametrize("kind", ["integer", ["integer", "null"]])
def test_integers_end_where_their_schema_sets_no_bound(kind, bounds, added):
    schema = {"type": kind} | bounds
    assert set(prepared(schema)) - set(schema) == added


@pytest.mark.parametrize("kind", ["number", ["integer", "number"], "string"])
def test_only_integers_are_given_bounds(kind):
    assert prepared({"type": kind}) == {"type": kind}


def test_a_required_property_counts_as_declared():
    schema = {"properties": {"a": TEXT}, "required": ["a", "b"]}
    assert prepared(schema)["properties"] == {"a": TEXT, "b": {}}


def test_arguments_are_objects():
    assert enforceable({}, "f", is_object=True)["type"] == "object"
    with pytest.raises(HarmonyError, match="must be an object"):
        enforceable({"type": "array"}, "f", is_object=True)


def test_each_keyword_that_cannot_be_enforced_is_named():
    schema = {"items": {"contains": {}}, "uniqueItems": True, "requires": ["a"]}
    with pytest.raises(HarmonyError, match="f uses contains, requires, uniqueItems"):
        enforceable(schema, "f", is_object=False)


def test_a_property_may_be_called_like_a_keyword():
    schema = {"properties": {"not": TEXT, "uniqueItems": TEXT}}
    assert set(prepared(schema)["properties"]) == {"not", "uniqueItems"}


def test_a_schema_may_be_true_or_false():
    assert prepared({"items": False, "properties": {"a": True}})["items"] is False
