"""The tools task: its items, its judgement of calls and answers, and the adapters to others."""

import asyncio
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import eval as inspect_eval
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.tool import ToolCall

from netweight.errors import WeighError
from netweight.evals import tool_families, tool_items
from netweight.evals import tools as tools_module
from netweight.evals.measure import Scored
from netweight.evals.published_tools import BFCL_MEASURE, TAU2_MEASURES, bfcl, tau2
from netweight.evals.tool_answers import tells
from netweight.evals.tool_item import CATEGORIES, Call, Item, Turn
from netweight.evals.tool_items import items
from netweight.evals.tools import MEASURE, hold, judge_answer, tools
from recipes.nano import calls as taught
from recipes.nano import sums as taught_sums
from recipes.nano.dialogue import is_held_out

ITEMS = list(items(seed=3, num_items=120))


def said(text="", made=(), stop_reason="stop", parse_error=None):
    """A model's message; its tokens are counted, or Inspect would fetch a vocabulary for it."""
    calls = [
        ToolCall(id=f"call-{index}", function=name, arguments=arguments, parse_error=parse_error)
        for index, (name, arguments) in enumerate(made)
    ]
    message = ChatMessageAssistant(content=text, tool_calls=calls or None)
    choice = ChatCompletionChoice(message=message, stop_reason=stop_reason)
    usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return ModelOutput(model="mockllm/model", choices=[choice], usage=usage)


def right_replies(item, at_once=True):
    """What a model that makes no mistake says, its calls at once or one after another."""
    for turn in item.turns:
        dependent = item.category == "chain"
        groups = [turn.calls] if at_once and not dependent else [[call] for call in turn.calls]
        for group in groups:
            if group:
                yield said("", [(call.tool, dict(call.arguments)) for call in group])
        yield said(f"Here it is: {'; '.join(str(value) for value in turn.told)}.")


def run(item, replies):
    """Hold a conversation with a model that replies as told."""
    left = iter(replies)

    async def ask(messages, tools):
        return next(left)

    return asyncio.run(hold(item, ask))


def of(category):
    return next(item for item in ITEMS if item.category == category)


# Items.


def test_the_same_seed_gives_the_same_items_and_another_seed_others():
    assert list(items(1, 36)) == list(items(1, 36)) != list(items(2, 36))


def test_any_first_twelve_have_every_category_and_no_question_comes_twice():
    assert {item.category for item in ITEMS[:12]} == set(CATEGORIES)
    assert len({item.turns[0].question for item in ITEMS}) == len(ITEMS)


@pytest.mark.parametrize("num_items", [0, tool_items.MAX_ITEMS + 1])
def test_a_number_of_items_that_cannot_be_had_is_refused(num_items):
    with pytest.raises(WeighError, match=f"1 to {tool_items.MAX_ITEMS} items, not {num_items}"):
        tools(num_items=num_items)


def test_single_items_are_of_the_embedded_models_kind_and_its_training_never_sees_them():
    families = {family.name: family for family in taught.FAMILIES}
    singles = [item for item in ITEMS if item.category == "single"]
    assert len(singles) >= 40
    for item in singles:
        (turn,) = item.turns
        (call,) = turn.calls
        family = families[call.tool]
        (request,) = (r for r in family.requests if r.format(**call.arguments) == turn.question)
        assert is_held_out((request, *call.arguments.values()))
        assert set(call.result) == set(family.result(SimpleRandom()))


class SimpleRandom:
    """Draws the first of anything."""

    choice = staticmethod(lambda options: options[0])
    randint = staticmethod(lambda low, high: low)


def test_the_tools_of_single_items_are_declared_as_the_embedded_model_was_taught():
    for family in taught.FAMILIES:
        ours = next(tool for item in ITEMS for tool in item.tools if tool.name == family.name)
        theirs = family.tool
        assert ours.description == theirs.description
        schema = tools_module._schema(ours)
        assert schema.pop("additionalProperties") is False
        assert schema == theirs.parameters


def test_sums_that_need_no_tool_are_never_in_the_embedded_models_training():
    asked = [item.turns[0].question for item in ITEMS if item.category == "no_need"]
    sums = [question for question in asked if "+" in question]
    assert sums
    for question in sums:
        a, b = (int(number) for number in question.removesuffix("?").split() if number.isdigit())
        assert taught_sums.is_never_shown(a, b)


def test_every_call_that_is_due_fits_a_tool_that_is_there_and_no_item_repeats_a_tool():
    for item in ITEMS:
        schemas = {tool.name: tools_module._schema(tool) for tool in item.tools}
        assert len(schemas) == len(item.tools)
        for turn in item.turns:
            for call in turn.calls:
                made = ToolCall(id="1", function=call.tool, arguments=dict(call.arguments))
                assert tools_module._is_valid(made, schemas), (item, call)


def test_without_a_call_due_no_tool_that_is_there_would_answer():
    for item in ITEMS:
        if item.category == "no_fit":
            (asked,) = (
                family.name
                for family in tool_families.TAUGHT
                for request in family.requests
                if fits(request, item.turns[0].question)
            )
            assert asked not in {tool.name for tool in item.tools}


def fits(request, question):
    pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(request))
    return re.fullmatch(pattern, question) is not None


def test_repeating_the_question_never_tells_a_result():
    for item in ITEMS:
        for turn in item.turns:
            assert not (turn.calls and any(tells(turn.question, told) for told in turn.told))


def test_what_is_called_later_is_only_known_from_what_was_returned_before():
    for item in ITEMS:
        if item.category == "chain":
            first, second = item.turns[0].calls
            known = set(map(str, first.result.values()))
            assert known & set(map(str, second.arguments.values()))
            assert not any(tells(item.turns[0].question, value) for value in known)
        if item.category == "follow_up":
            known = set(map(str, item.turns[0].calls[0].result.values()))
            assert known & set(map(str, item.turns[1].calls[0].arguments.values()))
            assert not any(tells(item.turns[1].question, value) for value in known)


# Conversations.


@pytest.mark.parametrize("at_once", [True, False])
def test_a_model_without_a_mistake_is_right_in_every_item(at_once):
    for item in ITEMS:
        course = run(item, right_replies(item, at_once))
        assert course.outcome == "right", (item, course.reason)
        if item.needs_call:
            assert course.is_valid and course.is_right_tool and course.has_right_arguments
        assert course.called == item.needs_call
        expected = at_once if item.category == "parallel" else None
        assert course.is_at_once is expected


def test_a_model_that_never_calls_is_right_only_where_nothing_can_be_called():
    for item in ITEMS:
        outcome = run(item, [said("Certainly.")]).outcome
        wanted = {"no_fit": "right", "no_need": "wrong answer"}
        assert outcome == wanted.get(item.category, "no call")


def test_a_model_that_always_calls_is_never_right():
    for item in ITEMS:
        made = [(item.tools[0].name, {"anything": 1})]
        assert run(item, [said("", made)] * 3).outcome != "right"


ROME = Item(
    "single",
    (tool_families.BY_NAME["get_weather"].tool, tool_families.BY_NAME["set_timer"].tool),
    (
        Turn(
            "What is the weather in Rome?",
            (Call("get_weather", {"city": "Rome"}, {"sky": "sunny", "degrees": 27}),),
            ("sunny", 27),
        ),
    ),
)
RIGHT_CALL = said("", [("get_weather", {"city": "Rome"})])


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ([RIGHT_CALL, said("It is sunny in Rome, 27 degrees.")], "right"),
        ([said("", [("get_weather", {"city": "rome."})]), said("Sun, 27°C.")], "right"),
        ([said("", [("set_timer", {"minutes": 27})])], "wrong tool"),
        ([said("", [("get_climate", {"city": "Rome"})])], "wrong tool"),
        ([said("", [("get_weather", {"city": "Milan"})])], "wrong arguments"),
        ([said("", [("get_weather", {"town": "Rome"})])], "invalid arguments"),
        ([said("", [("get_weather", {"city": "Rome", "unit": "C"})])], "invalid arguments"),
        ([said("", [("get_weather", {"city": 7})])], "invalid arguments"),
        ([said("", [("get_weather", {})], parse_error="not JSON")], "format error"),
        ([said("", [("get_weather", {"city": "Rome"})] * 2)], "needless call"),
        ([RIGHT_CALL, RIGHT_CALL], "needless call"),
        ([said('{"city": "Rome"}')], "no call"),
        ([said("I'm sorry, but I can't help with that.")], "refused"),
        ([said("")], "unparsed"),
        ([said("", stop_reason="max_tokens")], "truncated"),
        ([said("", [("get_weather", {})], "max_tokens", "cut off")], "truncated"),
        ([said("", stop_reason="content_filter")], "refused"),
        ([RIGHT_CALL, said("It is sunny in Rome, 72 degrees.")], "result not used"),
        ([RIGHT_CALL, said("It is sunny in Rome.")], "result not used"),
        ([RIGHT_CALL, said("")], "unparsed"),
        ([RIGHT_CALL, said("It is sunny", stop_reason="max_tokens")], "truncated"),
    ],
)
def test_each_kind_of_mistake_has_its_own_outcome(replies, outcome):
    assert run(ROME, replies).outcome == outcome
    assert outcome in MEASURE.outcomes


def test_calls_in_parallel_may_come_in_any_order_and_one_missing_is_no_call():
    item = of("parallel")
    made = [(call.tool, dict(call.arguments)) for call in item.turns[0].calls]
    answer = list(right_replies(item))[-1]
    assert run(item, [said("", made[::-1]), answer]).outcome == "right"
    assert run(item, [said("", made[:1]), answer]).outcome == "no call"
    assert run(item, [said("", [*made, made[0]]), answer]).outcome == "needless call"


def test_each_result_goes_back_to_the_call_it_belongs_to():
    item = of("parallel")
    made = [(call.tool, dict(call.arguments)) for call in item.turns[0].calls][::-1]
    course = run(item, [said("", made), list(right_replies(item))[-1]])
    returned = [message for message in course.messages if message.role == "tool"]
    expected = [(f"call-{i}", call.tool, call.result)
                for i, call in enumerate(item.turns[0].calls[::-1])]  # fmt: skip
    assert [(m.tool_call_id, m.function, json.loads(m.content)) for m in returned] == expected


def test_a_default_may_be_left_out_and_its_opposite_may_not():
    flights = (item for item in items(5, 600) if item.category == "arguments")
    flight = next(
        item for item in flights if item.turns[0].calls[0].arguments.get("direct") is False
    )
    arguments = dict(flight.turns[0].calls[0].arguments)
    del arguments["direct"]
    answer = list(right_replies(flight))[-1]
    assert run(flight, [said("", [("find_flight", arguments)]), answer]).outcome == "right"
    direct = said("", [("find_flight", {**arguments, "direct": True})])
    assert run(flight, [direct, answer]).outcome == "wrong arguments"


@pytest.mark.parametrize(
    ("given", "wanted", "alike"),
    [
        ("Mill street", "Mill Street", True),
        ("See you soon!", "see you soon", True),
        ("concert", "the concert", True),
        ("I\u2019m late", "I'm late", True),
        ("see you later", "see you soon", False),
        (5, 5.0, True),
        ("5", 5, False),
        (5, "5", False),
        (True, 1, False),
        (1, True, False),
        (None, False, False),
        ([1, 2], [2, 1], True),
        ([1, 1, 2], [1, 2, 2], False),
        ([1], [1, 1], False),
        ({"a": {"b": "X"}}, {"a": {"b": "x"}}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([{"dish": "soup", "count": 2}], [{"dish": "soup", "count": 3}], False),
    ],
)
def test_arguments_are_compared_strictly_by_type_and_kindly_by_spelling(given, wanted, alike):
    assert tools_module._is_alike(given, wanted) == alike


JSON = st.recursive(
    st.booleans() | st.integers() | st.text("abc ", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
)


@given(JSON)
def test_every_argument_is_like_itself_and_unlike_itself_in_a_list(value):
    assert tools_module._is_alike(value, value)
    assert not tools_module._is_alike([value], value)


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("It costs **27** euros.", 27, True),
        ("It costs €27.00.", 27, True),
        ("It costs 270 euros.", 27, False),
        ("It costs 1,270 or 27,100 euros.", 27, False),
        ("It is -27 degrees.", 27, False),
        ("It is 27.5 degrees.", 27, False),
        ("It is 14:30.", "14:30", True),
        ("It is 2:30 p.m.", "14:30", True),
        ("It is 2:30\u202fPM.", "14:30", True),
        ("It is 2:30 AM.", "14:30", False),
        ("It is 2:30.", "14:30", False),
        ("It is 12:05 pm.", "12:05", True),
        ("It is 10:15 pm.", "10:15", False),
        ("It is 10:15 pm.", "22:15", True),
        ("That makes 89.50 pounds.", 89.5, True),
        ("That makes 89.57 pounds.", 89.5, False),
        ("The sun shines.", "sunny", True),
        ("See you on Sunday.", "sunny", False),
        ("It is foggy.", "foggy", True),
        ("He lives in Rome.", "Rome", True),
        ("He lives in Romeville.", "Rome", False),
    ],
)
def test_a_value_is_told_when_it_stands_there_by_itself(text, value, told):
    assert tells(text, value) == told


@given(st.integers(10, 9999), st.integers(10, 9999))
def test_one_number_never_tells_another(number, other):
    assert tells(f"It is {number}, I think.", other) == (number == other)


def test_declining_where_no_tool_fits_is_right_and_elsewhere_a_refusal():
    decline = "I'm sorry, but I can't do that with these tools."
    assert judge_answer(decline, Turn("Book a table."), []).outcome == "right"
    assert judge_answer(decline, Turn("What is 2 + 2?", (), (4,)), []).outcome == "refused"
    call = Call("send_message", {}, {"number": 1})
    assert judge_answer(decline, Turn("Send it.", (call,)), []).outcome == "refused"


# Figures.


def scored(outcome, **facts):
    blank = dict.fromkeys(tools_module._FACTS)
    facts = {"category": "single", "needs_call": True, "called": True, **blank, **facts}
    return Scored("1", 1, outcome, str(id(facts)), "", 0, facts)


def test_the_rates_of_single_steps_leave_out_conversations_in_which_they_did_not_come_up():
    good = {"is_valid": True, "is_right_tool": True, "has_right_arguments": True, "is_used": True}
    everything = [
        scored("right", **good),
        scored("result not used", **{**good, "is_used": False}),
        scored("wrong arguments", is_valid=True, is_right_tool=True, has_right_arguments=False),
        scored("invalid arguments", is_valid=False, is_right_tool=True),
        scored("wrong tool", is_valid=True, is_right_tool=False),
        scored("no call", called=False),
        scored("needless call", is_valid=True, needs_call=False, category="no_fit"),
        scored("right", called=False, needs_call=False, category="no_need"),
    ]
    figures = {each.metric: (each.value, each.num_samples) for each in MEASURE.further(everything)}
    assert figures == {
        "valid_call_rate": (5 / 6, 6),
        "right_tool_rate": (4 / 5, 5),
        "right_argument_rate": (2 / 3, 3),
        "call_precision": (5 / 6, 6),
        "call_recall": (5 / 6, 6),
        "result_use_rate": (1 / 2, 2),
        "accuracy_single": (1 / 6, 6),
        "accuracy_no_need": (1.0, 1),
        "accuracy_no_fit": (0.0, 1),
    }
    assert MEASURE.headline(everything).value == 2 / 8


# In Inspect.


@pytest.fixture
def evaluate(tmp_path):
    """A function that runs a task on a model that answers as told, and returns the samples."""

    def evaluated(task, reply, **options):
        model = get_model("mockllm/model", custom_outputs=reply, memoize=False)
        options = {"display": "none", "log_dir": str(tmp_path), **options}
        (log,) = inspect_eval(task, model=model, fail_on_error=False, **options)
        assert log.status == "success", log.error
        return log.samples

    return evaluated


def oracle(seed, num_items):
    """A model that knows the items by their first question."""
    known = {item.turns[0].question: item for item in items(seed, num_items)}

    def reply(messages, tools, tool_choice, config):
        item = known[messages[0].text]
        assert [tool.name for tool in tools] == [tool.name for tool in item.tools]
        replies = list(right_replies(item))
        return replies[sum(message.role == "assistant" for message in messages)]

    return reply


@pytest.mark.inspect
def test_an_oracle_scores_all_through_inspect_and_its_scores_have_what_figures_need(evaluate):
    task = tools(seed=4, num_items=12)
    assert (task.version, task.dataset.name) == (tool_items.VERSION, "tools 1, seed 4")
    samples = evaluate(task, oracle(4, 12))
    scores = [sample.scores["course_of_calls"] for sample in samples]
    assert [score.value for score in scores] == [1] * 12
    assert {score.metadata["outcome"] for score in scores} == {"right"}
    facts = [score.metadata["facts"] for score in scores]
    assert {fact["category"] for fact in facts} == set(CATEGORIES)
    figures = MEASURE.further(
        [Scored(str(i), 1, "right", str(i), "", 0, fact) for i, fact in enumerate(facts)]
    )
    assert {figure.value for figure in figures} == {1.0}


@pytest.mark.inspect
def test_a_server_that_fails_after_the_first_call_leaves_no_answer_to_score(evaluate):
    good = oracle(4, 1)

    def reply(messages, *rest):
        if any(message.role == "tool" for message in messages):
            raise ConnectionError("gone")
        return good(messages, *rest)

    (sample,) = evaluate(tools(seed=4, num_items=1), reply)
    assert sample.error is not None and not sample.output.choices


@pytest.mark.inspect
def test_a_conversation_that_a_limit_ends_is_truncated(evaluate):
    (sample,) = evaluate(tools(seed=4, num_items=1), oracle(4, 1), token_limit=1)
    score = sample.scores["course_of_calls"]
    assert score.metadata["outcome"] == "truncated"
    assert score.metadata["facts"]["needs_call"] is True


# Adapters.


@pytest.mark.parametrize("make", [bfcl, tau2])
def test_without_inspect_evals_the_package_is_named(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_evals", None)
    with pytest.raises(WeighError, match=r"inspect_evals, which is not installed: pip install"):
        make()


def test_an_unknown_domain_of_tau2_is_refused_by_name():
    with pytest.raises(WeighError, match=r"no tau2 domain 'bakery'\. Choose of: airline"):
        tau2(domain="bakery")


FAKE = """
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer
from inspect_ai.solver import generate

@scorer(metrics=[accuracy()])
def letters():
    async def score(state, target):
        return Score(value=CORRECT if state.output.completion == target.text else INCORRECT)
    return score

@task
def {name}(categories="all"):
    if categories == "unknown":
        raise ValueError("no such category")
    samples = [Sample(id=f"one_{{i}}", input=str(i), target=str(i)) for i in range(8)]
    looked_at = generate(tool_calls="none")
    return Task(dataset=MemoryDataset(samples), solver=looked_at, scorer=letters(), version="8-B")
"""


@pytest.fixture
def fake_inspect_evals(tmp_path, monkeypatch):
    """A package of that name whose tasks want the input repeated."""
    for package, name in (("bfcl", "bfcl"), ("tau2", "tau2_retail")):
        folder = tmp_path / "site" / "inspect_evals" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(FAKE.format(name=name), "utf-8")
    (tmp_path / "site" / "inspect_evals" / "__init__.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in [name for name in sys.modules if name.startswith("inspect_evals")]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in [name for name in sys.modules if name.startswith("inspect_evals")]:
        del sys.modules[name]


@pytest.mark.inspect
@pytest.mark.parametrize(
    ("make", "measure"), [(bfcl, BFCL_MEASURE), (tau2, TAU2_MEASURES["retail"])]
)
def test_a_task_of_inspect_evals_gets_our_outcomes(make, measure, fake_inspect_evals, evaluate):
    def reply(messages, *_):
        match messages[-1].text:
            case "0":
                return said("no")
            case "1":
                return said("1", stop_reason="max_tokens")
            case "2":
                return said("", stop_reason="max_tokens")
            case "3":
                return said("", [("f", {})], parse_error="not JSON")
            case text:
                return said(text)

    task = make()
    assert task.dataset.name == f"{measure.task} 1, inspect_evals 8-B"
    assert [sample.id for sample in task.dataset] != [f"one_{index}" for index in range(8)]
    outcomes = {
        sample.input: sample.scores["inspect_evals_outcome"].metadata["outcome"]
        for sample in evaluate(task, reply)
    }
    expected = dict.fromkeys("14567", "right")
    assert outcomes == {**expected, "0": "wrong", "2": "truncated", "3": "format error"}
    assert set(outcomes.values()) <= set(measure.outcomes)


def test_what_inspect_evals_refuses_is_told(fake_inspect_evals):
    with pytest.raises(WeighError, match="cannot make bfcl: no such category"):
        bfcl(categories="unknown")
