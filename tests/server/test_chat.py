import pytest

from netweight.engine import Sampling
from netweight.errors import CheckpointError, ContextTooLong, HarmonyError
from netweight.harmony import DeveloperContent, Message, ReasoningEffort, Tool, ToolNamespace
from netweight.harmony.grammar import ToolChoice
from netweight.model import ModelFolder, synthesize
from netweight.server import (
    CallAnswered,
    CallDelta,
    CallStarted,
    Chat,
    ChatModel,
    ContentDelta,
    Done,
    ReasoningDelta,
)
from netweight.server.answer import MessageEnded, MessageStarted
from netweight.server.chat import Rounds
from tests.fakes import byte_vocabulary, spell, write_byte_tokenizer
from tests.model.shapes import SMALL
from tests.server.conftest import ANSWER, CALL, Shouting, python_call, saying, saying_in_turn

HELLO = Chat([Message.user("hello")])


def text_of(deltas, kind):
    return "".join(delta.text for delta in deltas if isinstance(delta, kind))


def answer(text, **fields):
    *deltas, done = saying(text).answer(Chat([Message.user("hello")], **fields))
    assert isinstance(done, Done)
    return deltas, done


def test_the_prompt_is_harmony_with_our_system_message_and_todays_date():
    chat = Chat(
        [Message.developer(DeveloperContent("Be brief.")), Message.user("hello")],
        effort=ReasoningEffort.LOW,
    )
    request = saying("").request(chat)
    text = byte_vocabulary().decode(request.prompt_ids)
    assert "Knowledge cutoff: 2024-06\nCurrent date: 2026-11-24\n\nReasoning: low\n" in text
    assert "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|>" in text
    assert text.endswith("<|start|>user<|message|>hello<|end|><|start|>assistant")
    assert request.stop_ids == byte_vocabulary().stop_ids


def test_analysis_is_reasoning_and_final_is_content():
    deltas, done = answer(ANSWER)
    assert text_of(deltas, ReasoningDelta) == "27 + 15 is 42."
    assert text_of(deltas, ContentDelta) == "It is 42 ✓."
    assert done.reason == "stop"


def test_a_message_to_a_function_is_a_tool_call():
    deltas, done = answer(CALL)
    started, *rest = [d for d in deltas if isinstance(d, (CallStarted, CallDelta))]
    assert (started.number, started.name) == (0, "weather")
    assert "".join(delta.arguments for delta in rest) == '{"city":"Zürich"}'
    assert done.reason == "tool_calls"


def test_a_preamble_is_content_and_the_call_after_it_still_ends_the_answer():
    text = "<|channel|>commentary<|message|>One moment.<|end|><|start|>assistant" + CALL
    deltas, done = answer(text)
    assert text_of(deltas, ContentDelta) == "One moment."
    assert done.reason == "tool_calls"


def test_messages_of_one_kind_are_kept_apart():
    text = ANSWER.replace("<|return|>", "<|end|><|start|>assistant" + ANSWER)
    deltas, _ = answer(text)
    assert text_of(deltas, ReasoningDelta) == "27 + 15 is 42.\n\n27 + 15 is 42."
    assert text_of(deltas, ContentDelta) == "It is 42 ✓.\n\nIt is 42 ✓."


def test_words_put_into_another_mouth_are_not_the_answer():
    text = ANSWER.replace("<|return|>", "<|end|><|start|>user<|message|>Thanks!<|return|>")
    deltas, _ = answer(text)
    assert text_of(deltas, ContentDelta) == "It is 42 ✓."


def test_an_answer_cut_off_keeps_its_text_and_says_length():
    deltas, done = answer(ANSWER, max_tokens=20)
    assert text_of(deltas, ReasoningDelta) == "27 + 15 is"
    assert done.reason == "length"


def test_a_call_cut_off_is_length_too():
    assert answer(CALL, max_tokens=len(spell(CALL)) - 3)[1].reason == "length"


def test_usage_counts_prompt_completion_and_reasoning():
    _, done = answer(ANSWER)
    assert done.usage.num_prompt == len(saying("").request(HELLO).prompt_ids)
    # Control tokens are one each, everything else one per byte.
    assert done.usage.num_completion == len(ANSWER.encode()) - sum(
        ANSWER.count(name) * (len(name) - 1)
        for name in ("<|channel|>", "<|message|>", "<|end|>", "<|start|>", "<|return|>")
    )
    assert done.usage.num_reasoning == len("27 + 15 is 42.") + len(["<|end|>"])


def test_what_the_model_said_can_be_put_back_into_the_conversation():
    _, done = answer(ANSWER)
    assert [message.channel for message in done.messages] == ["analysis", "final"]
    request = saying("").request(Chat([*HELLO.messages, *done.messages, Message.user("and?")]))
    text = byte_vocabulary().decode(request.prompt_ids)
    assert "<|channel|>final<|message|>It is 42 ✓.<|end|><|start|>user" in text


def test_log_probabilities_cover_the_content_and_nothing_else():
    deltas, _ = answer(ANSWER, num_logprobs=2, sampling=Sampling(temperature=0))
    scores = [score for d in deltas if isinstance(d, ContentDelta) for score in d.scores]
    ids = [score.token_id for score in scores]
    assert byte_vocabulary().decode(ids) == "It is 42 ✓."
    assert all(score.logprobs.drawn == pytest.approx(0) for score in scores)
    for delta in deltas:
        if isinstance(delta, ContentDelta):
            assert byte_vocabulary().decode(score.token_id for score in delta.scores) == delta.text
    assert all(len(score.logprobs.top) == 2 for score in scores)


def test_a_conversation_longer_than_the_context_is_refused():
    with pytest.raises(ContextTooLong):
        saying("", max_context=100).request(HELLO)


def test_a_model_failure_is_the_answers_end():
    model = saying("a")
    model.engine._runner._model.next_logits = lambda *_: 1 / 0
    [done] = model.answer(HELLO)
    assert done.reason == "error"
    assert "ZeroDivisionError" in done.error


def test_leaving_an_answer_stops_the_model():
    model = saying(ANSWER)
    deltas = model.answer(HELLO)
    next(deltas)
    deltas.close()
    assert not model.engine.has_work


def test_a_vocabulary_larger_than_the_model_is_refused(tmp_path):
    folder = tmp_path / "small"
    synthesize(SMALL, folder)  # 160 ids; the byte vocabulary has more
    write_byte_tokenizer(folder)
    with pytest.raises(CheckpointError, match="264 token ids, but the model knows only 160"):
        ChatModel.load(ModelFolder("small", folder))


# Built-in tools


def converse(model, tool, **fields):
    """All deltas but the last, and the last, of an answer for which there is a tool."""
    *deltas, done = model.answer(Chat(HELLO.messages, tools=(tool,), **fields))
    assert isinstance(done, Done)
    return deltas, done


def prompts_of(model):
    """The prompts that the engine will have been given, as text."""
    prompts, generate = [], model.engine.generate

    def noting(request):
        prompts.append(model.vocabulary.decode(request.prompt_ids))
        return generate(request)

    model.engine.generate = noting
    return prompts


def test_a_tool_is_declared_to_the_model():
    chat = Chat(HELLO.messages, tools=(Shouting(),))
    text = byte_vocabulary().decode(saying("").request(chat).prompt_ids)
    assert "# Tools\n\n## python\n\nShouts.\n\n# Valid channels" in text


@pytest.mark.parametrize("recipient", ["python", "functions.python", "functions.pythoncode"])
def test_a_call_is_run_and_the_model_goes_on_with_its_answer(recipient):
    model, tool = saying_in_turn(python_call("a b", to=recipient), ANSWER), Shouting()
    prompts = prompts_of(model)
    deltas, done = converse(model, tool)
    assert tool.heard == ["a b"]
    assert [delta for delta in deltas if isinstance(delta, CallAnswered)] == [(0, "python", "A B")]
    assert prompts[1] == prompts[0] + python_call("a b", to=recipient) + (
        "<|start|>python to=assistant<|channel|>analysis<|message|>A B<|end|><|start|>assistant"
    )
    assert text_of(deltas, ContentDelta) == "It is 42 ✓."
    assert done.reason == "stop"


def test_calls_are_numbered_and_reasoning_is_kept_apart_through_all_rounds():
    model = saying_in_turn(python_call("a"), python_call("b"), ANSWER)
    deltas, _ = converse(model, Shouting())
    numbers = [delta.number for delta in deltas if isinstance(delta, CallStarted | CallAnswered)]
    assert numbers == [0, 0, 1, 1]
    assert text_of(deltas, ReasoningDelta) == "Try.\n\nTry.\n\n27 + 15 is 42."


def test_all_that_was_said_and_answered_goes_into_the_conversation():
    model = saying_in_turn(python_call("a"), python_call("b"), ANSWER)
    _, done = converse(model, Shouting())
    said = [(message.role, message.channel, message.text) for message in done.messages]
    assert said[:3] == [
        ("assistant", "analysis", "Try."),
        ("assistant", "analysis", "a"),
        ("tool", "analysis", "A"),
    ]
    assert said[5:] == [
        ("tool", "analysis", "B"),
        ("assistant", "analysis", "27 + 15 is 42."),
        ("assistant", "final", "It is 42 ✓."),
    ]


def test_usage_counts_every_prompt_and_all_that_was_said():
    model = saying_in_turn(python_call("a"), ANSWER)
    prompts = prompts_of(model)
    _, done = converse(model, Shouting())
    assert done.usage.num_prompt == sum(len(spell(prompt)) for prompt in prompts)
    assert done.usage.num_completion == len(spell(python_call("a"))) + len(spell(ANSWER))


def started_and_answered(deltas):
    return [
        (type(delta).__name__, delta.number)
        for delta in deltas
        if isinstance(delta, CallStarted | CallAnswered)
    ]


def test_a_call_too_many_cannot_be_made():
    model, tool = saying_in_turn(*[python_call("a")] * 3), Shouting()
    greedy = Sampling(temperature=0)  # at random, what is left to say ends at times
    deltas, done = converse(model, tool, max_tool_calls=2, max_tokens=400, sampling=greedy)
    assert tool.heard == ["a", "a"]
    calls = [("CallStarted", 0), ("CallAnswered", 0), ("CallStarted", 1), ("CallAnswered", 1)]
    assert started_and_answered(deltas) == calls
    assert done.reason == "length"  # the scripted model knows nothing else to say


def read_all(model, rounds):
    return [
        delta for event in model.engine.generate(rounds.request) for delta in rounds.read(event)
    ]


def test_without_any_calls_allowed_the_tool_is_declared_all_the_same():
    model = saying_in_turn(python_call("a"))
    request = model.request(Chat(HELLO.messages, tools=(Shouting(),)))
    rounds = Rounds(model, Chat(HELLO.messages, tools=(Shouting(),), max_tool_calls=0))
    assert rounds.request.prompt_ids == request.prompt_ids
    assert rounds.request.constraint is not None


def test_a_tool_loop_that_takes_too_long_has_to_do_without_tools():
    now_s = iter([0.0, 10.0, 20.0])
    model, tool = saying_in_turn(*[python_call("a")] * 3), Shouting()
    chat = Chat(HELLO.messages, tools=(tool,), max_tool_s=20.0)
    rounds = Rounds(model, chat, clock=lambda: next(now_s))
    constraints = []
    for _ in range(2):
        read_all(model, rounds)
        for call in rounds.calls:
            rounds.answered(call, call.run())
        constraints.append(rounds.next_request().constraint)
    assert constraints[0] is None
    assert constraints[1] is not None


def parallel(*calls):
    """Several calls in one answer: only the last ends it."""
    return "<|start|>assistant".join(
        [*(c.replace("<|call|>", "<|end|>") for c in calls[:-1]), calls[-1]]
    )


def test_parallel_calls_are_all_answered_in_their_order():
    model, tool = saying_in_turn(parallel(python_call("a"), python_call("b")), ANSWER), Shouting()
    prompts = prompts_of(model)
    deltas, done = converse(model, tool)
    assert started_and_answered(deltas) == [
        ("CallStarted", 0), ("CallStarted", 1), ("CallAnswered", 0), ("CallAnswered", 1)
    ]  # fmt: skip
    answers = [f"<|start|>python to=assistant<|channel|>analysis<|message|>{x}" for x in "AB"]
    assert prompts[1].endswith("<|end|>".join([*answers, "<|start|>assistant"]))
    assert done.reason == "stop"


def test_of_parallel_calls_those_over_the_limit_are_told_so():
    model, tool = saying_in_turn(parallel(*[python_call("a")] * 3), ANSWER), Shouting()
    deltas, _ = converse(model, tool, max_tool_calls=2)
    texts = [delta.text for delta in deltas if isinstance(delta, CallAnswered)]
    assert texts == ["A", "A", "[not run: 2 calls are the limit]"]


def test_beside_a_call_for_others_those_for_tools_here_are_answered():
    tool = Shouting()
    deltas, done = converse(saying(parallel(python_call("a"), CALL)), tool)
    assert started_and_answered(deltas)[-1] == ("CallAnswered", 0)
    assert done.reason == "tool_calls"
    assert [message.text for message in done.messages][-2:] == ['{"city":"Zürich"}', "A"]


def test_a_reader_can_tell_messages_apart():
    model = saying(parallel(python_call("a"), CALL))
    rounds = Rounds(model, HELLO, tell_messages=True)
    deltas = read_all(model, rounds)
    started = [delta.channel for delta in deltas if isinstance(delta, MessageStarted)]
    assert started == ["analysis", "analysis", "analysis", "commentary"]
    ended = [delta.message.text for delta in deltas if isinstance(delta, MessageEnded)]
    assert ended == ["Try.", "a", "Look.", '{"city":"Zürich"}']
    assert text_of(deltas, ReasoningDelta) == "Try.Look."


def test_a_call_to_anything_else_is_left_to_others():
    tool = Shouting()
    _, done = converse(saying(CALL), tool)
    assert done.reason == "tool_calls"
    assert tool.heard == []


def test_a_developers_own_function_of_that_name_is_not_the_built_in_tool():
    functions = (ToolNamespace.functions([Tool("python")]),)
    messages = [Message.developer(DeveloperContent(tools=functions)), *HELLO.messages]
    tool = Shouting()
    call = python_call("{}", to="functions.python")
    done = list(saying(call).answer(Chat(messages, tools=(tool,))))[-1]
    assert done.reason == "tool_calls"
    assert tool.heard == []


def test_a_call_cut_off_is_not_run():
    tool, call = Shouting(), python_call("abc")
    _, done = converse(saying(call), tool, max_tokens=len(spell(call)) - 2)
    assert done.reason == "length"
    assert tool.heard == []


def test_the_limit_of_tokens_holds_for_all_rounds_together():
    call = python_call("a")
    model = saying_in_turn(call, ANSWER)
    _, done = converse(model, Shouting(), max_tokens=len(spell(call)) + 10)
    assert (done.reason, done.usage.num_completion) == ("length", len(spell(call)) + 10)
    _, done = converse(model, Shouting(), max_tokens=len(spell(call)))
    assert (done.reason, done.usage.num_completion) == ("length", len(spell(call)))
    assert done.messages[-1].text == "A"


def test_a_tools_answer_that_leaves_no_room_ends_the_answer():
    num_prompt = len(saying("").request(Chat(HELLO.messages, tools=(Shouting(),))).prompt_ids)
    call = python_call("a" * 50)
    model = saying_in_turn(call, ANSWER, max_context=num_prompt + len(spell(call)) + 60)
    deltas, done = converse(model, Shouting())
    assert isinstance(deltas[-1], CallAnswered)
    assert done.reason == "length"


def test_one_seed_repeats_the_whole_answer():
    model = saying_in_turn(python_call("a"), ANSWER)
    seeds, generate = [], model.engine.generate
    model.engine.generate = lambda r: seeds.append(r.sampling.seed) or generate(r)
    _, done = converse(model, Shouting())
    assert seeds == [None, done.seed]


def test_stopping_while_a_tool_runs_ends_the_answer_without_a_done():
    model, tool = saying_in_turn(python_call("a"), ANSWER), Shouting()
    chat = Chat(HELLO.messages, tools=(tool,))
    deltas = list(model.answer(chat, is_stopped=lambda: bool(tool.heard)))
    assert isinstance(deltas[-1], CallAnswered)
    assert not model.engine.has_work


def test_usage_counts_what_was_cached_in_every_prompt():
    model = saying_in_turn(python_call("a"), ANSWER)
    _, first = converse(model, Shouting())
    _, again = converse(model, Shouting())
    # Whole pages of the first prompt are found by the second round; later, those of both.
    assert 0 < first.usage.num_cached < again.usage.num_cached < again.usage.num_prompt


# What is enforced

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TOOLS = (ToolNamespace.functions([Tool("weather", "", CITY), Tool("count", "", NUMBER)]),)
WITH_TOOLS = [Message.developer(DeveloperContent(tools=TOOLS)), *HELLO.messages]


def can_say(text, *, messages=WITH_TOOLS, **fields):
    """Whether a chat's constraint lets the model say all of a text."""
    constraint = saying("").request(Chat(messages, **fields)).constraint
    try:
        for token_id in spell(text):
            constraint.advance(token_id)
    except HarmonyError:
        return False
    return True


def call_of(name, arguments, end="<|call|>"):
    return f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{arguments}{end}"


WEATHER = call_of("weather", '{"city":"Rome"}')
FINAL = "<|channel|>final<|message|>Hi.<|return|>"


def test_with_nothing_to_enforce_the_model_is_free():
    assert saying("").request(Chat(WITH_TOOLS)).constraint is None
    assert saying("").request(Chat(HELLO.messages, parallel_calls=False)).constraint is None


def test_a_tool_choice_of_none_forbids_calls():
    assert can_say(FINAL, tool_choice=ToolChoice.NONE)
    assert not can_say(WEATHER, tool_choice=ToolChoice.NONE)
    assert not can_say(WEATHER, tool_choice=ToolChoice.NONE, messages=HELLO.messages)


def test_a_required_call_takes_any_tool_with_valid_arguments_and_no_answer():
    for choice in (ToolChoice.REQUIRED, "required"):
        assert can_say(WEATHER, tool_choice=choice)
        assert can_say(call_of("count", '{"n":3}'), tool_choice=choice)
        assert not can_say(call_of("count", '{"n":"3"}'), tool_choice=choice)
        assert not can_say(FINAL, tool_choice=choice)


def test_a_named_tool_is_the_only_one():
    assert can_say(WEATHER, tool_choice="functions.weather")
    assert not can_say(call_of("count", '{"n":3}'), tool_choice="functions.weather")


def test_reasoning_is_free_before_a_forced_call():
    thought = "<|channel|>analysis<|message|>Rome it is.<|end|><|start|>assistant"
    assert can_say(thought + WEATHER, tool_choice=ToolChoice.REQUIRED)


def test_one_call_at_a_time_is_enforced_and_arguments_are_then_any_object():
    two = call_of("weather", "{}", "<|end|>") + "<|start|>assistant" + WEATHER
    assert not can_say(two, parallel_calls=False)
    assert can_say(call_of("weather", '{"town":1}'), parallel_calls=False)
    assert not can_say(call_of("weather", "Rome"), parallel_calls=False)
    assert can_say(FINAL, parallel_calls=False)


def test_only_strict_tools_are_held_to_their_schemas():
    strict = frozenset({"functions.weather"})
    assert can_say(WEATHER, strict_tools=strict)
    assert not can_say(call_of("weather", '{"town":1}'), strict_tools=strict)
    assert can_say(call_of("count", '{"n":"3"}'), strict_tools=strict)


def test_a_schema_holds_for_the_final_answer_only():
    thought = "<|channel|>analysis<|message|>Rome.<|end|><|start|>assistant"
    final = "<|channel|>final<|message|>"
    assert can_say(f'{thought}{final}{{"n":1}}<|return|>', answer_schema=NUMBER)
    assert not can_say(FINAL, answer_schema=NUMBER)
    assert can_say(WEATHER, answer_schema=NUMBER)


def test_a_schema_that_cannot_be_enforced_is_refused_by_its_keyword():
    with pytest.raises(HarmonyError, match=r"the answer uses not, which cannot be enforced"):
        saying("").request(Chat(HELLO.messages, answer_schema={"not": {}}))


def test_a_model_that_would_call_a_tool_is_kept_from_it():
    *deltas, done = saying(CALL).answer(
        Chat(WITH_TOOLS, tool_choice="none", sampling=Sampling(temperature=0), max_tokens=100)
    )
    assert not any(isinstance(delta, CallStarted) for delta in deltas)
    assert done.messages[-1].recipient is None


def test_after_a_forced_call_the_model_may_answer():
    model = saying_in_turn(python_call("a"), ANSWER)
    _, done = converse(model, Shouting(), tool_choice="python")
    assert done.messages[-1].text == "It is 42 ✓."
