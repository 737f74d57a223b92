"""Which tool a message calls, for the names that models really write."""

import pytest

from netweight.harmony import Message, Tool, ToolNamespace, browser_namespace, python_namespace
from netweight.harmony.calls import read_call, resolve_tool, tool_names

FUNCTIONS = ToolNamespace.functions([Tool("get_weather"), Tool("shell")])
BUILT_IN = (browser_namespace(), python_namespace())


def test_offered_tools_have_full_names():
    names = tool_names([FUNCTIONS, python_namespace()])
    assert names == ["functions.get_weather", "functions.shell", "python"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("get_weather", "functions.get_weather"),
        ("functions.get_weatherjson", "functions.get_weather"),
        ("shelljson", "functions.shell"),
        ("tools.shell", "functions.shell"),
        ("functions.Shell", "functions.shell"),
        ("functions.python", "python"),
        ("functions.browser.open", "browser.open"),
        ("open", "browser.open"),
    ],
)
def test_a_slip_leads_to_the_offered_tool(written, meant):
    assert resolve_tool(written, [FUNCTIONS, *BUILT_IN]) == (meant, True, ("renamed_tool", written))


@pytest.mark.parametrize("name", ["functions.shell", "python", "browser.find"])
def test_an_exact_name_needs_no_repair(name):
    assert resolve_tool(name, [FUNCTIONS, *BUILT_IN]) == (name, True, None)


def test_a_users_function_python_goes_before_the_built_in():
    mine = ToolNamespace.functions([Tool("python")])
    assert resolve_tool("functions.python", [mine]).recipient == "functions.python"
    assert resolve_tool("python", [mine]).recipient == "functions.python"


def test_an_unknown_tool_is_said_to_be_unknown():
    resolved = resolve_tool("functions.nothing", [FUNCTIONS])
    assert resolved == ("functions.nothing", False, ("unknown_tool", "functions.nothing"))


def test_a_built_in_tool_that_is_not_offered_keeps_its_own_name():
    assert resolve_tool("functions.python", [FUNCTIONS]).recipient == "python"


def test_two_tools_that_a_slip_may_mean_are_not_guessed_between():
    others = ToolNamespace("browser", tools=(Tool("shell"),))
    assert not resolve_tool("tools.shell", [FUNCTIONS, others]).is_known


def test_without_knowing_what_was_offered_names_stand():
    assert resolve_tool("functions.any", None) == ("functions.any", True, None)
    assert resolve_tool("functions.python", None).recipient == "python"


def assistant(text, recipient):
    return Message.assistant(text, channel="commentary", recipient=recipient)


def test_a_call_holds_name_text_and_arguments():
    call = read_call(assistant('{"city":"Paris"}', "functions.get_weather"), [FUNCTIONS])
    assert (call.name, call.arguments) == ("get_weather", {"city": "Paris"})
    assert call.is_known
    assert not call.repairs


def test_python_takes_code_and_no_json():
    call = read_call(assistant("print(1)", "python"), BUILT_IN)
    assert (call.text, call.arguments, call.repairs) == ("print(1)", None, ())


@pytest.mark.parametrize("recipient", ["assistant", "user", "all", None])
def test_messages_to_people_are_no_calls(recipient):
    assert read_call(assistant("hi", recipient), [FUNCTIONS]) is None


def test_a_tools_answer_is_no_call():
    assert read_call(Message.tool("functions.shell", "ok"), [FUNCTIONS]) is None
