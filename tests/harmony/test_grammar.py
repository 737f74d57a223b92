"""Constraints: whatever is sampled under the mask parses without a diagnostic and validates."""

import json
import os
import random
import re
import time

import jsonschema
import numpy as np
import pytest

from netweight.errors import HarmonyError
from netweight.harmony import (
    Parser,
    Tool,
    ToolNamespace,
    Vocabulary,
    browser_namespace,
    python_namespace,
)
from netweight.harmony.answer import read_answer
from netweight.harmony.grammar import MAX_CALLS, Constrainer, Rules, ToolChoice
from tests.harmony.test_vocab import document

NUM_SCHEMAS = int(os.environ.get("NETWEIGHT_WALK_SCHEMAS", "300"))
MAX_TOKENS = 20_000


@pytest.fixture(scope="module")
def constrainer(vocabulary):
    return Constrainer(vocabulary)


# Walks


TEXT = {"type": "string"}


def random_leaf(rng):
    values = ["a", "b c", 'é"', "\n", 1, 2.5, None, True, [1]]
    patterns = [r"^[a-z]{2,4}$", r"^\d{3}-\d{2}$", r"^(foo|bar){1,3}x$"]
    return rng.choice(
        [
            {"type": "string", "maxLength": rng.randint(0, 12)},
            {"type": "integer", "minimum": rng.randint(-50, 0), "maximum": 1000},
            {"type": rng.choice(["boolean", "null", "integer"])},
            {"type": ["integer", "null"], "minimum": rng.randint(-3, 3)},
            {"type": "integer", "multipleOf": 7, "exclusiveMaximum": 100},
            {"allOf": [{"type": "integer", "minimum": 0}, {"maximum": 9}]},
            {"type": "string", "format": rng.choice(["date", "ipv4", "ipv6", "uuid"])},
            {"type": "string", "pattern": rng.choice(patterns)},
            {"enum": rng.sample(values, 3)},
            {"const": rng.choice(["x", 3, {"a": [1]}, "<|call|>"])},
            {"$ref": "#/$defs/thing"},
        ]
    )


def random_schema(rng, depth=0):
    """Bounded in length: a contrary walk that may write a string for ever does so."""
    inner = ["array", "tuple", "object", "union", "one"] if depth < 2 else []
    match rng.choice(["leaf"] * 5 + inner):
        case "array":
            return {
                "type": "array",
                "items": random_schema(rng, depth + 1),
                "minItems": rng.randint(0, 1),
                "maxItems": rng.randint(1, 3),
            }
        case "tuple":
            items = [random_schema(rng, depth + 1) for _ in range(2)]
            return {"type": "array", "prefixItems": items, "items": False, "minItems": 2}
        case "union":
            return {"anyOf": [random_schema(rng, depth + 1), {"type": "null"}]}
        case "one":
            return {"oneOf": [{"type": "string", "maxLength": 4}, {"type": "boolean"}]}
        case "object":
            return random_object(rng, depth + 1)
        case _:
            return random_leaf(rng)


def random_object(rng, depth=0):
    names = rng.sample(["city", "n", "a b", "x", "é", "$y", '"'], rng.randint(1, 3))
    return {
        "type": "object",
        "properties": {name: random_schema(rng, depth) for name in names},
        "required": [name for name in names if rng.random() < 0.6],
        "additionalProperties": False,
    }


def random_rules(rng):
    """Rules under which no text is endless: the answer and all arguments follow bounded schemas."""
    parameters = random_object(rng) | {"$defs": {"thing": {"type": "string", "maxLength": 3}}}
    functions = ToolNamespace.functions([Tool("f", "", parameters), Tool("g")])
    has_regex = rng.random() < 0.2
    return Rules(
        (functions,),
        rng.choice([ToolChoice.AUTO, ToolChoice.NONE, ToolChoice.REQUIRED, "f", "functions.g"]),
        parallel_calls=rng.random() < 0.5,
        answer_schema=None if has_regex else random_schema(rng) | {"$defs": parameters["$defs"]},
        answer_regex=r"[a-z]{1,9}( \d{1,3}){0,2}" if has_regex else None,
        reasoning_budget=rng.choice([0, 3, 20]),
    )


def allowed_ids(constraint):
    bits = constraint.allowed().view(np.uint8)
    return np.flatnonzero(np.unpackbits(bits, bitorder="little"))


def least_likely(logits):
    """Always the allowed token of the lowest logit, the logits the same at each step."""
    return lambda ids: ids[np.argmin(logits[ids])]


def contrary_choosers(vocabulary, seed):
    """By name: whoever samples as a model would that wants nothing that the mask allows."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=vocabulary.size)
    ending = [*vocabulary.special_names, *(vocabulary.byte_id(ord(mark)) for mark in '"]},')]
    endless = logits.copy()
    endless[ending] += 100.0  # the model that least of all wants to come to an end
    return {
        "fixed": least_likely(logits),
        "fresh": lambda ids: ids[np.argmin(rng.normal(size=vocabulary.size)[ids])],
        "endless": least_likely(endless),
        "rarest": lambda ids: ids[-1],
    }


def at_random(vocabulary, rng):
    first_special = min(vocabulary.special_names)

    def choose(ids):
        specials = ids[ids >= first_special]
        return rng.choice(specials if len(specials) and rng.random() < 0.3 else ids)

    return choose


def walk(constraint, choose, num_tokens=MAX_TOKENS):
    """The tokens chosen until the completion is whole, or so many of them."""
    ids = []
    while not constraint.is_finished and len(ids) < num_tokens:
        allowed = allowed_ids(constraint)
        assert len(allowed), "the mask was empty"
        ids.append(int(choose(allowed)))
        constraint.advance(ids[-1])
    return ids


def check(rules, ids, vocabulary):
    """The completion parses without a diagnostic, does what the rules ask, and is valid."""
    parser = Parser(vocabulary)
    parser.push_all(ids)
    parser.finish()
    assert parser.diagnostics == []
    answer = read_answer(parser.messages, rules.tools)
    assert answer.is_complete
    assert all(call.repairs == () for call in answer.calls)
    schemas = {
        f"functions.{tool.name}": tool.parameters for each in rules.tools for tool in each.tools
    }
    for call in answer.calls:
        if call.recipient != "python":
            jsonschema.validate(call.arguments, schemas[call.recipient] or {"maxProperties": 0})
    if rules.answer_schema is not None and parser.messages[-1].channel == "final":
        jsonschema.validate(json.loads(parser.messages[-1].text), rules.answer_schema)
    if rules.answer_regex is not None and parser.messages[-1].channel == "final":
        assert re.fullmatch(rules.answer_regex, parser.messages[-1].text)
    if rules.tool_choice is ToolChoice.NONE:
        assert not answer.calls
    elif rules.tool_choice is not ToolChoice.AUTO:
        assert answer.calls
    if rules.tool_choice in ("f", "functions.g"):
        assert {call.name for call in answer.calls} == {rules.tool_choice[-1]}
    assert rules.parallel_calls or len(answer.calls) <= 1


def walk_many(constrainer, vocabulary, num_schemas, seed):
    for number in range(num_schemas):
        rng = random.Random(f"{seed}-{number}")
        rules = random_rules(rng)
        choosers = contrary_choosers(vocabulary, number) | {"random": at_random(vocabulary, rng)}
        for name, choose in choosers.items():
            constraint = constrainer.constrain(rules)
            ids = walk(constraint, choose)
            assert constraint.is_finished, f"the {name} walk of {seed}-{number} found no end"
            check(rules, ids, vocabulary)


def test_walks_under_the_mask_end_in_valid_output(constrainer, vocabulary):
    walk_many(constrainer, vocabulary, 10, seed="short")


@pytest.mark.slow
def test_very_many_walks_under_the_mask_end_in_valid_output(constrainer, vocabulary):
    walk_many(constrainer, vocabulary, NUM_SCHEMAS, seed="long")


ENDLESS = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "share": {"type": "number"},
        "rows": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        "any": {},
    },
    "required": ["text", "rows"],
}


@pytest.mark.parametrize("num_tokens", [1, 12, 100])
@pytest.mark.parametrize(
    "rules",
    [
        Rules(tool_choice=ToolChoice.NONE),
        Rules(tool_choice=ToolChoice.NONE, answer_schema=ENDLESS),
        Rules((ToolNamespace.functions([Tool("f", "", ENDLESS)]), python_namespace()), "required"),
    ],
)
def test_what_may_go_on_for_ever_can_be_ended_at_any_time(
    rules, num_tokens, constrainer, vocabulary
):
    closing = np.full(vocabulary.size, 9.0)
    closing[[vocabulary.byte_id(ord(mark)) for mark in '"]},:t0']] = range(1, 8)
    closing[list(vocabulary.special_names)] = 0.0
    closing[list(vocabulary.stop_ids)] = -1.0
    for choose in contrary_choosers(vocabulary, num_tokens).values():
        constraint = constrainer.constrain(rules)
        ids = walk(constraint, choose, num_tokens)
        ids += walk(constraint, least_likely(closing), 300)
        assert constraint.is_finished
        check(rules, ids, vocabulary)


# What the grammar lets through

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = (ToolNamespace.functions([Tool("f", "", CITY)]), python_namespace(), browser_namespace())
CALL = '<|message|>{"city":"Paris"}<|call|>'
THOUGHT = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"

ALLOWED = [
    f"<|channel|>commentary to=functions.f <|constrain|>json{CALL}",
    f"<|channel|>commentary to=functions.f<|constrain|>json{CALL}",
    f"<|channel|>commentary to=functions.f json{CALL}",
    f"<|channel|>commentary to=functions.f{CALL}",
    f" to=functions.f<|channel|>commentary <|constrain|>json{CALL}",
    f"{THOUGHT}{THOUGHT}<|channel|>commentary<|message|>Let me see.<|end|><|start|>assistant"
    f"<|channel|>commentary to=functions.f json{CALL}",
    "<|channel|>analysis to=python code<|message|>print(1)<|call|>",
    "<|channel|>commentary to=python<|message|>print(1)<|call|>",
    '<|channel|>analysis to=browser.search json<|message|>{"query":"x"}<|call|>',
    "<|channel|>final<|message|>Paris, \U0001f1eb\U0001f1f7.<|return|>",
    f"{THOUGHT}<|channel|>final<|message|>yes<|return|>",
]


def follow(constraint, ids):
    """How many tokens the constraint takes."""
    for position, token_id in enumerate(ids):
        if token_id not in allowed_ids(constraint):
            return position
        constraint.advance(token_id)
    return len(ids)


@pytest.mark.parametrize("text", ALLOWED)
def test_what_models_natively_write_is_allowed(text, constrainer, spell):
    constraint = constrainer.constrain(Rules(TOOLS))
    ids = spell(text)
    assert follow(constraint, ids) == len(ids)
    assert constraint.is_finished


REFUSED = [
    "<|channel|>final to=functions.f",
    "<|channel|>commentary to=functions.g",
    "<|channel|>analysis to=functions.f",
    '<|channel|>commentary to=functions.f json<|message|>{"city":"Paris"<|call|>',
    "<|channel|>commentary to=functions.f json<|message|>{}<|call|>",
    '<|channel|>commentary to=functions.f json<|message|>{"city":"Paris"}]',
    "<|channel|>commentary<|message|>x<|call|>",
    "<|channel|>final<|message|>x<|end|>",
    "<|channel|>final<|message|>x<|start|>",
    "<|message|>",
    "<|return|>",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_breaks_deployments_is_not_allowed(text, constrainer, spell):
    ids = spell(text)
    assert follow(constrainer.constrain(Rules(TOOLS)), ids) < len(ids)


def test_no_choice_of_tools_means_an_answer_only(constrainer, spell):
    constraint = constrainer.constrain(Rules(TOOLS, ToolChoice.NONE))
    assert follow(constraint, spell("<|channel|>commentary to")) == 3


def test_a_required_call_forbids_an_answer(constrainer, spell):
    constraint = constrainer.constrain(Rules(TOOLS, ToolChoice.REQUIRED))
    assert follow(constraint, spell("<|channel|>final")) == 1


@pytest.mark.parametrize("choice", [ToolChoice.REQUIRED, "f"])
def test_who_has_to_call_thinks_twice_at_most(choice, constrainer, spell):
    thought = "<|channel|>analysis<|message|>one<|end|><|start|>assistant"
    call = '<|channel|>commentary to=functions.f json<|message|>{"city":"Paris"}<|call|>'
    twice, thrice = spell(2 * thought + call), spell(3 * thought + call)
    assert follow(constrainer.constrain(Rules(TOOLS[:1], choice)), twice) == len(twice)
    assert follow(constrainer.constrain(Rules(TOOLS[:1], choice)), thrice) < len(thrice)
    assert follow(constrainer.constrain(Rules(TOOLS[:1])), thrice) == len(thrice)


def test_calls_follow_each_other_only_where_parallel_calls_are_on(constrainer, spell):
    one = '<|channel|>commentary to=functions.f json<|message|>{"city":"Paris"}<|end|>'
    ids = spell(one)
    assert follow(constrainer.constrain(Rules(TOOLS)), ids) == len(ids)
    assert follow(constrainer.constrain(Rules(TOOLS, parallel_calls=False)), ids) == len(ids) - 1


def test_an_answer_follows_its_schema(constrainer, spell):
    rules = Rules(answer_schema={"enum": ["yes", "no"]})
    for header in ("final", "final <|constrain|>json", "final json"):
        ids = spell(f'<|channel|>{header}<|message|>"yes"<|return|>')
        assert follow(constrainer.constrain(rules), ids) == len(ids)
    bad = spell('<|channel|>final<|message|>"maybe"')
    assert follow(constrainer.constrain(rules), bad) < len(bad)


@pytest.mark.parametrize("escape", [r"\u00fc", r"\u2019", r"\ud83d\ude01", r"\u000c", r"\n"])
def test_characters_may_be_escaped_as_models_write_them(escape, constrainer, spell):
    schema = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    ids = spell(f'<|channel|>final<|message|>{{"a": "Z{escape}rich"}}<|return|>')
    assert follow(constrainer.constrain(Rules(answer_schema=schema)), ids) == len(ids)


def test_half_a_surrogate_pair_is_no_character(constrainer, spell):
    schema = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    ids = spell(r'<|channel|>final<|message|>{"a": "\ud83d"}<|return|>')
    assert follow(constrainer.constrain(Rules(answer_schema=schema)), ids) < len(ids)


def test_an_answer_follows_its_regex(constrainer, spell):
    rules = Rules(answer_regex=r"\d+/\d+ (yes|no)")
    good = spell("<|channel|>final<|message|>12/3 yes<|return|>")
    assert follow(constrainer.constrain(rules), good) == len(good)
    bad = spell("<|channel|>final<|message|>12 yes")
    assert follow(constrainer.constrain(rules), bad) < len(bad)


def test_reasoning_ends_when_its_budget_is_spent(constrainer, vocabulary, spell):
    constraint = constrainer.constrain(Rules(reasoning_budget=4))
    ids = spell("<|channel|>analysis<|message|>one two three four")
    assert follow(constraint, ids) == len(ids)
    assert list(allowed_ids(constraint)) == [vocabulary.special.end]
    assert constraint.forced() == []
    constraint.rollback(1)
    assert len(allowed_ids(constraint)) > 100_000


def test_a_preamble_spends_the_budget_too(constrainer, vocabulary, spell):
    constraint = constrainer.constrain(Rules(TOOLS, reasoning_budget=4))
    thought = "<|channel|>analysis<|message|>one two<|end|><|start|>assistant"
    ids = spell(f"{thought}<|channel|>commentary<|message|>three four")
    assert follow(constraint, ids) == len(ids)
    assert list(allowed_ids(constraint)) == [vocabulary.special.end]


def test_an_answer_and_a_call_spend_no_budget(constrainer, spell):
    thought = "<|channel|>analysis<|message|>one<|end|><|start|>assistant"
    ids = spell(f"{thought}<|channel|>final<|message|>one two three four<|return|>")
    assert follow(constrainer.constrain(Rules(TOOLS, reasoning_budget=1)), ids) == len(ids)
    for head in ("<|channel|>analysis to=python", " to=python<|channel|>analysis"):
        ids = spell(f"{thought}{head}<|message|>print(1)<|call|>")
        assert follow(constrainer.constrain(Rules(TOOLS, reasoning_budget=1)), ids) == len(ids)


def test_a_budget_ends_only_after_a_whole_character(constrainer, vocabulary, spell):
    first, *_ = vocabulary.encode("\U0001f9ff")
    constraint = constrainer.constrain(Rules(reasoning_budget=1))
    ids = [*spell("<|channel|>analysis<|message|>"), first]
    assert follow(constraint, ids) == len(ids)
    while (allowed := list(allowed_ids(constraint))) != [vocabulary.special.end]:
        assert all(len(vocabulary.token_bytes(int(token_id))) == 1 for token_id in allowed)
        ids.append(int(allowed[0]))
        constraint.advance(ids[-1])
    text = vocabulary.decode_bytes(ids[3:]).decode()
    assert len(text) == 1


@pytest.mark.parametrize("channel", ["analysis", "commentary"])
def test_without_budget_the_answer_comes_first(channel, constrainer, spell):
    constraint = constrainer.constrain(Rules(TOOLS[:1], reasoning_budget=0))
    ids = spell(f"<|channel|>{channel}<|message|>")
    assert follow(constraint, ids) < len(ids)


def test_so_many_calls_are_made_at_once_and_no_more(constrainer, spell):
    header = "<|channel|>commentary to=functions.g<|message|>{}"
    ids = spell(f"{header}<|end|><|start|>assistant") * MAX_CALLS
    rules = Rules((ToolNamespace.functions([Tool("g")]),))
    end = spell("<|end|><|start|>assistant")
    assert follow(constrainer.constrain(rules), ids) == len(ids) - len(end)


def test_a_constraint_rolls_back(constrainer, spell):
    constraint = constrainer.constrain(Rules(TOOLS))
    before = constraint.allowed().copy()
    ids = spell("<|channel|>commentary to=functions.f")
    follow(constraint, ids)
    constraint.rollback(len(ids))
    assert (constraint.allowed() == before).all()


def test_rolling_back_nothing_changes_nothing(constrainer, vocabulary, spell):
    constraint = constrainer.constrain(Rules(reasoning_budget=1))
    follow(constraint, spell("<|channel|>analysis<|message|>one"))
    constraint.rollback(0)
    assert list(allowed_ids(constraint)) == [vocabulary.special.end]


def test_forced_tokens_are_those_the_mask_leaves(constrainer, vocabulary, spell):
    constraint = constrainer.constrain(Rules(TOOLS[:1], "f"))
    follow(constraint, spell("<|channel|>commentary to"))
    forced = constraint.forced()
    assert vocabulary.decode(forced).startswith("=functions")
    assert follow(constraint, forced) == len(forced)


def test_a_token_outside_the_mask_is_refused(constrainer, vocabulary):
    with pytest.raises(HarmonyError, match="not allowed"):
        constrainer.constrain(Rules()).advance(vocabulary.special.call)


def test_logits_wider_than_the_vocabulary_are_masked_too(vocabulary):
    wide = Constrainer(vocabulary, num_ids=vocabulary.size + 100).constrain(Rules())
    assert len(wide.allowed()) == -(-(vocabulary.size + 100) // 32)
    assert max(allowed_ids(wide)) < vocabulary.size


# Rules that cannot be


def nested(num_levels):
    schema = {"type": "string"}
    for _ in range(num_levels):
        schema = {"properties": {"a": schema}}
    return schema


def function(schema):
    return (ToolNamespace.functions([Tool("f", "", schema)]),)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(function({"type": "object", "uniqueItems": True})), "functions.f uses uniqueItems"),
        (Rules(function({"properties": {"a": {"not": {}}}})), "uses not"),
        (Rules(function({"properties": {"a": {"format": "iban"}}})), "format iban"),
        (Rules(function({"type": "string"})), "they must be an object"),
        (Rules(function({"properties": {"a": {"pattern": "(?=x)"}}})), "functions.f cannot be"),
        (Rules(answer_schema={"$ref": "https://example.org/x"}), "the answer cannot be enforced"),
        (Rules(answer_schema={"oneOf": [{}, {}]}), "the answer cannot be enforced"),
        (Rules(answer_schema={"type": "string", "minLength": 3, "maxLength": 2}), "the answer"),
        (Rules(answer_schema={"properties": {"a": {}}, "required": [["a"]]}), "the answer"),
        (Rules(answer_schema={"type": [{}]}), "the answer"),
        (Rules(answer_schema=nested(200)), "the answer cannot be enforced"),
        (Rules(answer_schema=nested(5000)), "the answer is nested too deeply"),
        (Rules(answer_schema={}, answer_regex="x"), "not both"),
        (Rules(answer_regex="("), "cannot be enforced"),
        (Rules(tool_choice=ToolChoice.REQUIRED), "no tool is offered"),
        (Rules(TOOLS, "h"), "'h', is not offered"),
        (Rules((ToolNamespace.functions([Tool("a-b")]),)), "not an identifier"),
    ],
)
def test_rules_that_cannot_be_enforced_are_refused_by_name(rules, reason, constrainer):
    with pytest.raises(HarmonyError, match=reason):
        constrainer.constrain(rules)


def test_the_schema_at_fault_is_named_among_several(constrainer):
    looking_ahead = {"properties": {"a": {"pattern": "(?=x)"}}}
    tools = ToolNamespace.functions([Tool("fine", "", CITY), Tool("f", "", looking_ahead)])
    with pytest.raises(HarmonyError, match=r"the schema of functions\.f cannot be enforced"):
        constrainer.constrain(Rules((tools,)))


def test_a_budget_below_nothing_is_refused():
    with pytest.raises(HarmonyError, match="0 or more, not -1"):
        Rules(reasoning_budget=-1)


def test_a_pattern_too_costly_to_follow_is_said_to_be(constrainer, spell):
    rules = Rules(answer_schema={"type": "string", "pattern": "^(.*a.{50}b){4}$"})
    constraint = constrainer.constrain(rules)
    ids = spell('<|channel|>final<|message|>"') + spell("a") * 60
    with pytest.raises(HarmonyError, match="too complex to follow"):
        follow(constraint, ids)


def one_of_three(number):
    """Objects of which one has to be written, each with a number that is at least so large."""
    return [
        {
            "type": "object",
            "properties": {"p": {"type": "integer", "minimum": i}, "q": {"pattern": f"^a{i}.*"}},
            "required": ["p", "q"],
        }
        for i in range(number)
    ]


ROWS = {"type": "array", "minItems": 10**6, "items": {"type": "array", "maxItems": 2**31}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "(a{1000}){1000}"},
        {"type": "string", "pattern": "^((a{100}){100}){100}$"},
        {"type": "string", "pattern": "^a*$", "minLength": 100_000},
        {"type": "string", "pattern": "^(.{0,300}a){0,30}$"},
        {"type": "string", "pattern": r"^[\p{L}\p{N}]{1,1000}(\p{Lu}|\p{Ll}){500}$"},
        {"type": "string", "minLength": 100_000, "maxLength": 10**9},
        {"const": "x" * 200_000},
        {"enum": [f"value {i * i}" for i in range(10_000)]},
        {"type": "integer", "minimum": 3, "maximum": 10**15, "multipleOf": 997},
        ROWS,
        nested(60),
        {"anyOf": one_of_three(100)},
        {"properties": {f"p{i}": {"type": "string"} for i in range(500)}},
    ],
)
def test_no_schema_makes_a_step_slow(schema, constrainer, vocabulary):
    constraint = constrainer.constrain(Rules(answer_schema=schema, reasoning_budget=0))
    choose = at_random(vocabulary, random.Random(1))
    worst_s = 0.0
    try:
        for _ in range(30):
            start_s = time.thread_time()
            ids = allowed_ids(constraint)
            constraint.forced()
            token_id = int(choose(ids))
            constraint.advance(token_id)
            worst_s = max(worst_s, time.thread_time() - start_s)
            if constraint.is_finished:
                break
    except HarmonyError as error:
        assert "too complex to follow" in str(error)  # which ends that request, and soon
    assert worst_s < 0.2  # measured: 0.04 at most


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"patternProperties": {f"^k{i}_[a-z]+$": {} for i in range(600)}}, "more than 2 seconds"),
        ({"const": [0] * 100_000}, "symbols|more than 2 seconds"),
        ({"anyOf": one_of_three(3000)}, "characters|too big"),
    ],
)
def test_what_takes_long_to_compile_is_refused(schema, reason, constrainer):
    before = os.times()
    with pytest.raises(HarmonyError, match=f"the schema of the answer .*({reason})"):
        constrainer.constrain(Rules(answer_schema=schema))
    after = os.times()
    assert after.user - before.user < 4  # measured: 1.1
    assert after.children_user - before.children_user < 3


def test_a_constraint_that_has_taken_its_time_ends(constrainer, spell, monkeypatch):
    monkeypatch.setattr("netweight.harmony.grammar.MAX_START_S", 0.0)
    monkeypatch.setattr("netweight.harmony.grammar.MAX_TOKEN_S", 1e-9)
    constraint = constrainer.constrain(Rules())
    with pytest.raises(HarmonyError, match=r"it took 0\.0 seconds for 0 tokens; the limit is"):
        follow(constraint, spell("<|channel|>final<|message|>Hi<|return|>"))


def test_a_copy_begins_anew_and_goes_its_own_way(constrainer, spell):
    ids = spell("<|channel|>analysis<|message|>Hm.<|end|>")
    constraint = constrainer.constrain(Rules(reasoning_budget=9))
    start = constraint.allowed().copy()
    follow(constraint, ids)
    copy = constraint.copy()
    assert np.array_equal(copy.allowed(), start)
    there = constraint.allowed().copy()
    follow(copy, ids)
    assert np.array_equal(copy.allowed(), there)


def test_a_small_vocabulary_of_its_own_ids_is_constrained_too(tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps(document()))
    small = Vocabulary.load(tmp_path)
    rules = Rules(TOOLS[:1], "f", reasoning_budget=2)
    constraint = Constrainer(small, num_ids=512).constrain(rules)
    rng = random.Random(0)
    ids = []
    while not constraint.is_finished:
        allowed = allowed_ids(constraint)
        is_bracket = [i for i in allowed if small.has(i) and small.token_bytes(int(i)) in b'"}']
        specials = [i for i in allowed if small.is_special(int(i))]
        ids.append(int(rng.choice(specials or is_bracket or list(allowed))))
        constraint.advance(ids[-1])
    parser = Parser(small)
    parser.push_all(ids)
    assert parser.diagnostics == []
    assert read_answer(parser.messages, TOOLS).calls[0].arguments == {"city": ""}
