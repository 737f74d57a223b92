"""Every published golden file of openai/harmony: rendered conversations and parsed streams."""

import pytest

from netweight.harmony import (
    DeveloperContent,
    Message,
    ReasoningEffort,
    ReasoningPolicy,
    Role,
    SchemaMode,
    SystemContent,
    Tool,
    ToolNamespace,
    browser_namespace,
    parse_completion,
    python_namespace,
    render_conversation,
    render_for_completion,
)

OFFICIAL = {"policy": ReasoningPolicy.OFFICIAL, "schemas": SchemaMode.OFFICIAL}
DATED = {"current_date": "2025-06-28"}
ROBOT = "Answer the user's questions like a robot."
CAPITAL = "What is the capital of the largest country in the world?"


def system(**fields):
    return Message.system(SystemContent(**fields))


def developer(instructions, *tools):
    namespaces = (ToolNamespace.functions(tools),) if tools else ()
    return Message.developer(DeveloperContent(instructions, namespaces))


def reasoning_system(**fields):
    return system(valid_channels=("analysis", "final"), **fields)


def parameters(required=(), **properties):
    schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


TEXT = {"type": "string"}
FORMAT = {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}
LOOKUP_WEATHER = Tool(
    "lookup_weather",
    "Use this tool to lookup the weather in a given location. "
    "Call it with the parameter 'location', can be any textual description of a location.",
    parameters(["location"], location=TEXT),
)
KITCHENSINK = parameters(
    string={
        "type": "string",
        "title": "STRING",
        "description": "A string",
        "examples": ["hello", "world"],
    },
    string_nullable={
        "type": "string",
        "nullable": True,
        "description": "A nullable string",
        "default": "the default",
    },
    string_enum={"type": "string", "enum": ["a", "b", "c"]},
    oneof_string_or_number={
        "oneOf": [
            {"type": "string", "default": "default_string_in_oneof"},
            {"type": "number", "description": "numbers can happen too"},
        ],
        "description": "a oneof",
        "default": 20,
    },
) | {"description": "params object"}
FUNCTIONS = (
    Tool("get_location", "Gets the location of the user."),
    Tool(
        "get_current_weather",
        "Gets the current weather in the provided location.",
        parameters(
            ["location"],
            location=TEXT | {"description": "The city and state, e.g. San Francisco, CA"},
            format=FORMAT,
        ),
    ),
    Tool(
        "get_multiple_weathers",
        "Gets the current weather in the provided list of locations.",
        parameters(
            ["locations"],
            locations={
                "type": "array",
                "items": TEXT,
                "description": 'List of city and state, e.g. ["San Francisco, CA", "New York, NY"]',
            },
            format=FORMAT,
        ),
    ),
    Tool("kitchensink", "A function with various complex schemas.", KITCHENSINK),
)
TWO = Message.user("What is 2 + 2?")
NINE = Message.user("What about 9 / 2?")
FOUR = [
    Message.assistant(
        'User asks a simple question: "What is 2 + 2?" The answer: 4.', channel="analysis"
    ),
    Message.assistant("2 + 2 equals 4."),
]


def efforts():
    for effort in ReasoningEffort:
        head = system(reasoning_effort=effort)
        yield f"simple_convo_{effort}_effort", [head, developer(ROBOT), Message.user(CAPITAL)]
        yield f"simple_convo_{effort}_effort_no_instruction", [head, Message.user(CAPITAL)]


COMPLETIONS = {
    "simple_convo": [system(), TWO],
    **dict(efforts()),
    "reasoning_system_message": [reasoning_system(), TWO],
    "reasoning_system_message_no_instruction": [
        reasoning_system(reasoning_effort=ReasoningEffort.HIGH),
        Message.user("What is the best place to eat candy in the world?"),
    ],
    "reasoning_system_message_with_dates": [
        reasoning_system(knowledge_cutoff="2021-01", current_date="2021-01-01"),
        Message.user("What is 42 * pi?"),
    ],
    "no_tools": [system(**DATED)],
    "browser_tool_only": [system(**DATED, tools=(browser_namespace(),))],
    "browser_and_python_tool": [system(**DATED, tools=(python_namespace(), browser_namespace()))],
    "browser_and_function_tool": [
        system(**DATED, tools=(browser_namespace(),)),
        developer(None, LOOKUP_WEATHER),
    ],
    "render_functions_with_parameters": [
        system(**DATED, reasoning_effort=ReasoningEffort.HIGH),
        developer("Always respond in riddles", *FUNCTIONS),
        Message.user("What is the weather like in SF?"),
    ],
    "dropping_cot_by_default": [TWO, *FOUR, NINE],
    "does_not_drop_if_ongoing_analysis": [
        Message.user("What is the weather in SF?"),
        Message.assistant(
            "User asks: “What is the weather in SF?” We need to use lookup_weather tool.",
            channel="analysis",
        ),
        Message.assistant(
            '{"location": "San Francisco"}',
            channel="commentary",
            recipient="functions.lookup_weather",
            content_type="<|constrain|>json",
        ),
        Message.tool(
            "functions.lookup_weather",
            '{"temperature": 20, "description": "sunny"}',
            channel=None,
            recipient=None,
        ),
    ],
}


@pytest.fixture
def golden(shared_data):
    def read(name):
        return (shared_data / "harmony-golden" / f"test_{name}.txt").read_text()

    return read


@pytest.mark.parametrize("name", COMPLETIONS)
def test_a_prompt_is_the_golden_one(name, vocabulary, spell, golden):
    ids = render_for_completion(vocabulary, COMPLETIONS[name], **OFFICIAL)
    assert vocabulary.decode(ids) == golden(name).rstrip("\n")
    assert ids == spell(golden(name).rstrip("\n"))


@pytest.mark.parametrize("name", COMPLETIONS)
def test_the_fixed_schema_mode_writes_plain_tools_as_the_official(name, vocabulary):
    official = render_for_completion(vocabulary, COMPLETIONS[name], **OFFICIAL)
    fixed = OFFICIAL | {"schemas": SchemaMode.FIXED}
    assert render_for_completion(vocabulary, COMPLETIONS[name], **fixed) == official


def test_reasoning_is_kept_when_asked(vocabulary, spell, golden):
    ids = render_for_completion(vocabulary, [TWO, *FOUR, NINE], policy=ReasoningPolicy.KEEP)
    assert ids == spell(golden("preserve_cot"))


def test_the_official_policy_keeps_reasoning_between_finals(vocabulary, spell, golden):
    messages = [
        TWO,
        Message.assistant("thinking 2+2", channel="analysis"),
        Message.assistant("4"),
        Message.user("What is 3 + 5?"),
        Message.assistant("thinking 3+5", channel="analysis"),
        Message.assistant("8"),
    ]
    ids = render_conversation(vocabulary, messages, **OFFICIAL)
    assert ids == spell(golden("keep_analysis_between_finals"))


@pytest.mark.parametrize("strict", [True, False])
def test_a_reasoned_answer_is_read(strict, vocabulary, golden):
    ids = [int(word) for word in golden("simple_reasoning_response").split()]
    first, second = parse_completion(vocabulary, ids, strict=strict)
    assert (first.channel, second.channel) == ("analysis", "final")
    assert first.text == 'User asks: "What is 2 + 2?" Simple arithmetic. Provide answer.'
    assert second.text == "2 + 2 = 4."


@pytest.mark.parametrize("strict", [True, False])
def test_a_tool_call_is_read(strict, vocabulary, golden):
    ids = [int(word) for word in golden("simple_tool_call").split()]
    call = parse_completion(vocabulary, ids, strict=strict)[-1]
    assert (call.recipient, call.channel, call.content_type) == (
        "lookup_weather",
        "analysis",
        "code",
    )
    assert call.text == '{"location": "Tokyo"}'


@pytest.mark.parametrize("strict", [True, False])
def test_a_tool_answer_is_read(strict, vocabulary, spell, golden):
    ids = spell(golden("tool_response_parsing"))
    (answer,) = parse_completion(vocabulary, ids, None, strict=strict)
    text = '{"result": "https://openai.com/"}'
    assert answer == Message.tool("browser.search", golden_text(golden, text), channel="commentary")


def golden_text(golden, text):
    """The golden file has a space after the text, and no `<|end|>`."""
    assert golden("tool_response_parsing").endswith(text + " ")
    return text + " "


@pytest.mark.parametrize("strict", [True, False])
def test_a_stream_of_three_messages_is_read(strict, vocabulary, spell, golden):
    messages = parse_completion(vocabulary, spell(golden("streamable_parser")), strict=strict)
    assert [message.role for message in messages] == [Role.ASSISTANT, Role.ASSISTANT, Role.TOOL]
    assert messages[1].recipient == "browser.search"
    assert messages[1].content_type == "code"
    assert messages[2].text == '{"result": "https://openai.com/"}'
