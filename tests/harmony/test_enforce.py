"""What becomes of a schema before it is enforced: narrower, never wider, and nothing ignored."""

import pytest

from netweight.errors import HarmonyError
from netweight.harmony.enforce import enforceable, is_costly, may_force_much

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


def wide(number, **keywords):
    return {"type": "object", "properties": {f"p{i}": TEXT for i in range(number)}} | keywords


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"const": "x" * 250_001}, r"f has 250,002 characters.*limit is 250,000"),
        ({"enum": [f"value {i}" for i in range(50_000)]}, "characters of names, values and"),
        ({"items": {"pattern": "a|" * 200_000}}, "400,001 characters"),
        ({"const": [{"a" * 1000: i} for i in range(300)]}, "characters"),
        (wide(100_000), "characters"),
        (wide(501), r"an object with 501 optional properties; the limit is 500.*required"),
        ({"type": "integer", "multipleOf": 12345}, "multipleOf 12345; the limit is 1000"),
        ({"items": {"type": "number", "multipleOf": 0.1234567}}, "multipleOf 0.1234567"),
        ({"multipleOf": 10**400}, "multipleOf 1000"),
        ({"multipleOf": float("inf")}, "multipleOf inf"),
    ],
)
def test_what_is_too_large_to_be_followed_is_refused_with_the_limit(schema, reason):
    with pytest.raises(HarmonyError, match=reason):
        enforceable(schema, "f", is_object=False)


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": [f"value {i}" for i in range(10_000)]},
        wide(500),
        wide(2000, required=[f"p{i}" for i in range(2000)]),
        *({"type": "number", "multipleOf": divisor} for divisor in (7, 1000, 0.5, 0.001, 2.5e-7)),
        {"description": "x" * 10**6},
    ],
)
def test_large_schemas_are_enforced(schema):
    assert enforceable(schema, "f", is_object=False)


@pytest.mark.parametrize(
    ("schema", "may"),
    [
        (wide(3), False),
        ({"const": "x" * 257}, True),
        ({"items": {"enum": [["x" * 257]]}}, True),
        ({"properties": {"x" * 257: {}}}, True),
        ({"$defs": {"a": {"pattern": "a{1000}"}}, "$ref": "#/$defs/a"}, True),
        ({"patternProperties": {"a{1000}": {}}}, True),
        ({"description": "x" * 257, "properties": {"pattern": TEXT}}, False),
    ],
)
def test_long_text_is_forced_by_constants_and_patterns_only(schema, may):
    assert may_force_much(schema) is may


@pytest.mark.parametrize(
    ("schema", "costly"),
    [
        (wide(100), False),
        ({"properties": {"a": {"pattern": "^a"}, "b": {"multipleOf": 5}}}, False),
        (wide(1000), True),
        ({"enum": ["x" * 20_000]}, True),
        ({"patternProperties": {f"^a{i}": TEXT for i in range(9)}}, True),
        ({"items": [], "prefixItems": [{"pattern": "a"}] * 9}, True),
        ({"allOf": [{"multipleOf": 3}, {"multipleOf": 5}]}, True),
    ],
)
def test_what_may_take_long_to_compile_is_known(schema, costly):
    assert is_costly(schema) is costly
