"""Messages are plain values that cannot be built wrongly without notice."""

import pytest

from netweight.errors import HarmonyError
from netweight.harmony import (
    DeveloperContent,
    Message,
    Parser,
    Role,
    Tool,
    ToolNamespace,
    render_conversation,
)
from netweight.harmony.grammar import Rules, ToolChoice


def test_a_plain_string_is_one_part_and_not_its_letters():
    assert Message(Role.USER, "hi") == Message.user("hi")


def test_a_roles_name_is_the_role():
    assert Message("tool", ("x",), "functions.f").role is Role.TOOL
    with pytest.raises(HarmonyError, match="no role 'critic'"):
        Message("critic", ("x",))


def test_words_of_choices_are_taken_for_the_choices(vocabulary):
    thought = Message.assistant("t", channel="analysis")
    messages = [thought, Message.assistant("a")]
    kept = render_conversation(vocabulary, messages, policy="keep")
    assert len(kept) > len(render_conversation(vocabulary, messages, policy="before_last_final"))
    assert Parser(vocabulary, "assistant").role is Role.ASSISTANT
    assert Rules(tool_choice="none").tool_choice is ToolChoice.NONE


@pytest.mark.parametrize("option", ["policy", "schemas"])
def test_a_choice_that_does_not_exist_is_refused(option, vocabulary):
    tools = (ToolNamespace.functions([Tool("f")]),)
    message = Message.developer(DeveloperContent(tools=tools))
    with pytest.raises(ValueError, match="'best'"):
        render_conversation(vocabulary, [message], **{option: "best"})


def test_only_tools_in_functions_are_function_tools():
    assert DeveloperContent(tools=(ToolNamespace.functions([Tool("f")]),)).has_function_tools
    assert not DeveloperContent(tools=(ToolNamespace.functions([]),)).has_function_tools
    assert not DeveloperContent(
        tools=(ToolNamespace("mine", tools=(Tool("f"),)),)
    ).has_function_tools
