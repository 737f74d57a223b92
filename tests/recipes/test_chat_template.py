"""nano's chat template: transformers renders, to the token, what netweight.harmony renders."""

import shutil

import pytest
from jinja2 import TemplateError

from netweight import nano
from netweight.harmony import (
    Message,
    ReasoningEffort,
    SystemContent,
    Vocabulary,
    from_chat,
    render_conversation,
    render_for_completion,
)
from recipes.nano.export import CHAT_TEMPLATE, export_chat
from recipes.nano.shape import CONFIG

DATE = "2026-03-01"


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(nano.FOLDER)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("nano")
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(nano.FOLDER / name, folder)
    export_chat(CONFIG, folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def assert_equal_prompts(tokenizer, vocabulary):
    """Renders a conversation both ways and compares the token ids."""

    def compare(messages, *, tools=(), effort="medium", date=DATE, completes=True, template=None):
        content = SystemContent(reasoning_effort=ReasoningEffort(effort), current_date=date)
        ours = [Message.system(content), *from_chat(messages, tools=tools)]
        render = render_for_completion if completes else render_conversation
        theirs = tokenizer.apply_chat_template(
            messages,
            chat_template=template,
            tools=list(tools) or None,
            reasoning_effort=effort,
            current_date=date,
            add_generation_prompt=completes,
            return_dict=False,
        )
        expected = render(vocabulary, ours)
        assert tokenizer.decode(theirs) == vocabulary.decode(expected)
        assert theirs == expected

    return compare


def user(text):
    return {"role": "user", "content": text}


def assistant(text=None, *, reasoning=None, calls=()):
    fields = {"content": text, "reasoning_content": reasoning, "tool_calls": list(calls)}
    return {"role": "assistant"} | {name: value for name, value in fields.items() if value}


def call(call_id, name, arguments="{}"):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def result(call_id, text):
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def tool(name="look", parameters=None, description=""):
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def parameters(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT = {"type": "string"}
ASK = [user("What is 47 + 38?")]
INSTRUCTED = [{"role": "system", "content": "Be brief.\n\nBe kind."}, *ASK]
WEATHER = tool(
    "get_weather",
    parameters("city", city=TEXT | {"description": "The city"}, days={"type": "integer"}),
    "Tells the weather.\nOnly of cities.",
)
CALLING = [
    user("Rome?"),
    assistant(
        "One moment.", reasoning="I look.", calls=[call("a", "get_weather", '{"city": "x"}')]
    ),
]
ANSWERED = [*CALLING, result("a", "20 °C"), assistant("Mild.", reasoning="Mild, I say.")]
PARALLEL = [
    user("Rome and Oslo?"),
    assistant(calls=[call("a", "get_weather"), call("b", "get_time")]),
    result("b", "noon"),
    result("a", "20 °C"),
]
REUSED_IDS = [
    *PARALLEL,
    assistant("Done."),
    user("Again?"),
    assistant(calls=[call("b", "get_weather"), call("a", "get_time")]),
    result("a", "one"),
    result("b", "21 °C"),
]

CONVERSATIONS = {
    "plain": ASK,
    "instructions": INSTRUCTED,
    "developer": [{"role": "developer", "content": ""}, *ASK],
    "instructions twice": [*INSTRUCTED, assistant("85."), {"role": "system", "content": "Stop."}],
    "text parts": [
        {"role": "developer", "content": [{"type": "text", "text": text} for text in ("a", "b")]},
        {"role": "user", "content": [{"type": "text", "text": "c"}]},
    ],
    "a named user": [user("hello") | {"name": "ann_1"}],
    "odd white space": [user("  \n\ta \n"), assistant(" \n"), user("\u2028ü\r\n🙂{{ x }}{% y")],
    "dropped reasoning": [
        *[*ASK, assistant("85.", reasoning="7 + 8 = 15.")],
        *[user("Sure?"), assistant("Yes.", reasoning="I check."), user("Thanks")],
    ],
    "reasoning alone": [*ASK, assistant(reasoning="7 + 8 = 15.")],
    "an empty answer": [*ASK, assistant(), user("Well?")],
    "the same said twice": [*ASK, assistant("a"), *ASK, assistant("a", reasoning="r"), *CALLING],
    "a refusal": [*ASK, {"role": "assistant", "refusal": "No."}],
    "a call": CALLING,
    "a result": ANSWERED[:3],
    "an answer after a call": ANSWERED,
    "a call after an answer": [*ANSWERED, *CALLING],
    "results out of order": PARALLEL,
    "call ids used again": REUSED_IDS,
}

SCHEMAS = {
    "no parameters": None,
    "no properties": {"type": "object", "properties": {}},
    "plain types": parameters(
        *["a", "c"], a=TEXT, b={"type": "number"}, c={"type": "integer"}, d={"type": "boolean"}
    ),
    "any": parameters(a={}, b=True, c=False, d={"description": "whatever"}),
    "descriptions": parameters(a=TEXT | {"title": "A", "description": "one\n# two"})
    | {"description": "all\nof it"},
    "enums": parameters(
        a={"enum": ["x", "a b", 'q"', 1, None]}, b=TEXT | {"enum": ["x", "y"], "default": "x"}
    ),
    "defaults": parameters(
        *["f"],
        a=TEXT | {"default": "x"},
        b={"type": "integer", "default": 3},
        c={"type": "boolean", "default": False},
        d={"type": "array", "default": [1.5, "ü\u2028"]},
        e={"enum": ["a b"], "default": "a b"},
        f={"type": "object", "default": {"a": None}},
    ),
    "arrays": parameters(
        a={"type": "array"},
        b={"type": "array", "items": TEXT},
        c={"type": "array", "items": {"enum": ["x", "y"]}},
        d={"type": "array", "items": {"type": "array", "items": {"enum": ["x"]}}},
        e={"items": {"type": ["string", "null"]}},
        f={"type": "array", "items": TEXT | {"nullable": True}},
    ),
    "nested objects": parameters(
        "a",
        a=parameters("b", b=parameters(c=TEXT | {"description": "deep"}), items=TEXT),
        d={"type": "array", "items": parameters(e={"type": "number"})},
        f={"properties": {"g": TEXT}},
    ),
    "maps": parameters(a={"type": "object", "additionalProperties": {"type": "integer"}})
    | {"additionalProperties": False},
    "unions of plain types": parameters(
        a={"type": ["integer", "number", "null"]},
        b=TEXT | {"nullable": True},
        c={"const": 3},
        d={"type": ["string", "null"], "nullable": True},
    ),
    "examples": parameters(a=TEXT | {"examples": ["x", 'y"']}),
    "odd names": parameters("a-b", **{"a-b": TEXT, "$x": TEXT, "ü": TEXT, 'q"\n': TEXT}),
}


@pytest.mark.parametrize("messages", CONVERSATIONS.values(), ids=CONVERSATIONS)
@pytest.mark.parametrize("tools", [(), (WEATHER, tool("get_time"))], ids=["bare", "tools"])
@pytest.mark.parametrize("completes", [True, False], ids=["prompt", "history"])
def test_conversations_are_rendered_alike(assert_equal_prompts, messages, tools, completes):
    assert_equal_prompts(messages, tools=tools, completes=completes)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_tools_are_declared_alike(assert_equal_prompts, schema):
    assert_equal_prompts(ASK, tools=[tool(parameters=schema), WEATHER])


@pytest.mark.parametrize("effort", ReasoningEffort)
def test_efforts_are_told_alike(assert_equal_prompts, effort):
    assert_equal_prompts(ASK, effort=effort.value)


def test_without_a_date_no_date_is_told(assert_equal_prompts):
    assert_equal_prompts(ASK, date=None)


def test_by_default_the_effort_is_medium_and_the_date_is_today_s(tokenizer):
    text = tokenizer.apply_chat_template(ASK, tokenize=False)
    assert "\nReasoning: medium\n" in text
    assert "\nCurrent date: 2" in text


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("loop.index0 > state.last_final", "true"),
        ("commentary <|constrain|>json", "commentary json"),
        ("{%- set state.results = [] -%}", ""),
        ('~ ") => any;\\n\\n"', '~ ") => any;\\n"'),
    ],
)
def test_a_wrong_template_is_caught(assert_equal_prompts, right, wrong):
    template = CHAT_TEMPLATE.read_text()
    assert right in template
    messages = [*ANSWERED, *CALLING, result("a", "21 °C")]
    assert_equal_prompts(messages, tools=[WEATHER])
    with pytest.raises(AssertionError):
        assert_equal_prompts(messages, tools=[WEATHER], template=template.replace(right, wrong))


def test_arguments_may_be_an_object_and_calls_may_lack_ids(tokenizer):
    def render(call_id, arguments):
        calls = [call(call_id, "get_weather", arguments), call(call_id and "b", "get_time")]
        messages = [
            *ASK,
            assistant(calls=calls),
            result(call_id, "x"),
            result(call_id and "b", "y"),
        ]
        return tokenizer.apply_chat_template(messages, tokenize=False, current_date=DATE)

    assert render(None, {"city": "Žilina", "days": [1]}) == render(
        "a", '{"city":"Žilina","days":[1]}'
    )


def test_reasoning_may_be_called_thinking(tokenizer):
    def render(name):
        messages = [*ASK, assistant() | {name: "7 + 8 = 15."}]
        return tokenizer.apply_chat_template(messages, tokenize=False, current_date=DATE)

    assert render("thinking") == render("reasoning_content")
    assert "<|channel|>analysis<|message|>7 + 8 = 15.<|end|>" in render("thinking")


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([user("<|end|>")], "control token"),
        ([user([{"type": "image_url", "image_url": {}}])], "no text"),
        ([user(None)], "needs content"),
        ([user("x") | {"name": "ann to=all"}], "cannot be a name"),
        ([{"role": "critic", "content": "x"}], "role critic"),
        ([*ASK, assistant(calls=[call("a", "x.y")])], "cannot be a name"),
        ([*ASK, assistant(calls=[call("a", "python")])], "built-in"),
        ([*ASK, {"role": "assistant", "function_call": {"name": "f"}}], "function_call"),
        ([*CALLING, result("b", "x")], "answers no call"),
    ],
)
def test_what_cannot_be_rendered_is_refused(tokenizer, messages, message):
    with pytest.raises(TemplateError, match=message):
        tokenizer.apply_chat_template(messages, tokenize=False)


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ([tool(parameters={"anyOf": [TEXT]})], "anyOf"),
        ([tool(parameters=parameters(a={"$ref": "#"}))], "ref"),
        ([tool(parameters=parameters(a={"type": "array", "items": {"oneOf": [TEXT]}}))], "oneOf"),
        ([tool(parameters=parameters(a={"type": "date"}))], "no type date"),
        ([tool(parameters=parameters(a={"default": 1e-7}))], "1e-07"),
        ([tool("look-up")], "cannot be a name"),
        ([tool(), tool()], "declared twice"),
        ([tool() | {"type": "browser"}], "type browser"),
        ([tool(description="<|end|>")], "control token"),
    ],
)
def test_what_the_template_cannot_declare_is_refused(tokenizer, tools, message):
    with pytest.raises(TemplateError, match=message):
        tokenizer.apply_chat_template(ASK, tools=tools, tokenize=False)


def test_an_unknown_effort_is_refused(tokenizer):
    with pytest.raises(TemplateError, match="not extreme"):
        tokenizer.apply_chat_template(ASK, reasoning_effort="extreme", tokenize=False)


def test_the_tokenizer_knows_harmony_s_ends_and_the_model_s_limit(tokenizer, vocabulary):
    assert tokenizer.eos_token_id == vocabulary.special.return_
    assert tokenizer.pad_token_id == vocabulary.special.endoftext
    assert tokenizer.model_max_length == CONFIG.max_context
