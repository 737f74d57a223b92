import pytest

from netweight.engine import Sampling
from netweight.errors import CheckpointError, ContextTooLong
from netweight.harmony import DeveloperContent, Message, ReasoningEffort
from netweight.model import ModelFolder, synthesize
from netweight.server import (
    CallDelta,
    CallStarted,
    Chat,
    ChatModel,
    ContentDelta,
    Done,
    ReasoningDelta,
)
from tests.fakes import byte_vocabulary, spell, write_byte_tokenizer
from tests.model.shapes import SMALL
from tests.server.conftest import ANSWER, CALL, saying

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
