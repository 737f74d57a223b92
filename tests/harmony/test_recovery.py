"""More completions of the collected kinds: the rules are general, not made for the file."""

import pytest

from netweight.harmony import Parser, Role
from netweight.harmony.answer import read_answer
from tests.harmony.test_cases import OFFERED, told

THOUGHT = "<|channel|>analysis<|message|>t<|end|>"
F = [("functions.f", "{}")]

# completion: reasoning, content, calls
RECOVERED = {
    "<|channel|>commentary<|constrain|>json to=functions.f<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to: functions.f json<|message|>{}<|call|>": ("", "", F),
    '<|channel|>commentary to="functions.f"<|message|>{}<|call|>': ("", "", F),
    "<|channel|>commentary functions.f json<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.f()<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.fcode<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=tools.f.json<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.g to=functions.f<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.f json{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.f <|constrain|>json{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.f{}<|call|>": ("", "", F),
    "<|channel|>commentaryto=functions.f json<|message|>{}<|call|>": ("", "", F),
    "<|channel|>commentary to=functions.f json<|message|>{}<|return|>": ("", "", F),
    "<|channel|>commentary to=functions.f json<|call|>": ("", "", [("functions.f", "")]),
    f"{THOUGHT}<|start|>assistantcommentary to=functions.f json<|message|>{{}}<|call|>": (
        "t", "", F,
    ),
    f"{THOUGHT}<|start|>assistantto=functions.f<|channel|>commentary<|message|>{{}}<|call|>": (
        "t", "", F,
    ),
    f"{THOUGHT}commentary to=functions.f json<|message|>{{}}<|call|>": ("t", "", F),
    "<|channel|>Final<|message|>x<|return|>": ("", "x", []),
    "<|channel|>final\n<|message|>x<|return|>": ("", "x", []),
    "<|channel|>comment<|message|>x<|return|>": ("", "x", []),
    "<|channel|>analysis_<|message|>x<|end|>": ("x", "", []),
    "<|channel|>thinking<|message|>x<|return|>": ("", "x", []),
    "<|channel|><|message|>x<|return|>": ("", "x", []),
    "<|channel|>final <|constrain|><|message|>x<|return|>": ("", "x", []),
    "<|channel|>final <|constrain|>markdown<|message|>x<|return|>": ("", "x", []),
    "<|channel|>final markdown<|message|>x<|return|>": ("", "x", []),
    "<|channel|>final<|channel|>final<|message|>x<|return|>": ("", "x", []),
    "<|channel|>analysis<|message|>t<|channel|>final<|message|>y<|return|>": ("t", "y", []),
    f"{THOUGHT}<|start|>final<|message|>y<|return|>": ("t", "y", []),
    f"{THOUGHT}<|start|>assistant y<|return|>": ("t", "y", []),
    f"{THOUGHT}<|start|>Yes, of course.<|return|>": ("t", "Yes, of course.", []),
    f"{THOUGHT}Yes, of course.<|return|>": ("t", "Yes, of course.", []),
    f"{THOUGHT}<|start|>assis": ("t", "", []),
    f"{THOUGHT}<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>js": (
        "t", "", [],
    ),
    "<|channel|>final the answer": ("", "the answer", []),
    "<|channel|>finalThe answer<|return|>": ("", "The answer", []),
    "<|channel|>final<|return|>": ("", "", []),
    "<|message|><|channel|>": ("", "", []),
    "<|end|><|channel|>final<|message|>x<|return|>": ("", "x", []),
    "<|start|><|start|>assistant<|channel|>final<|message|>x<|return|>": ("", "x", []),
    "assistant<|channel|>final<|message|>x<|return|>": ("", "x", []),
    "<|channel|>final<|message|>use <|channel|> here<|return|>": ("", "use <|channel|> here", []),
    "<|channel|>final<|message|>x<|channel|><|end|>": ("", "x<|channel|>", []),
    "<|channel|>final<|message|>x<|end|>user<|message|>and?<|end|>": ("", "x", []),
    "<|channel|>final<|message|>x<|return|><|endoftext|>": ("", "x", []),
    "<|endoftext|>": ("", "", []),
    "assistant models can help.": ("", "assistant models can help.", []),
    "<|channel|>final assistant is a role.<|return|>": ("", "assistant is a role.", []),
    "final: it is so": ("", "final: it is so", []),
    "analysis of the data": ("", "analysis of the data", []),
    "assistantfinalIt is so.": ("", "It is so.", []),
    "analysisWe call.assistantcommentary to=functions.f json{}assistantfinalDone.": (
        "We call.", "Done.", F,
    ),
    "analysisWe call.assistant to=functions.f json{}": ("We call.", "", F),
}  # fmt: skip


@pytest.mark.parametrize("text", RECOVERED)
def test_a_completion_is_recovered(text, vocabulary, spell):
    parser = Parser(vocabulary, Role.ASSISTANT)
    parser.push_all(spell(text))
    parser.finish()
    answer = read_answer(parser.messages, OFFERED)
    calls = [(call.recipient, call.text) for call in answer.calls]
    assert (answer.reasoning, answer.content, calls) == RECOVERED[text]


NATIVE = [
    "<|channel|>final<|message|>x<|return|>",
    "<|channel|>final <|constrain|>json<|message|>{}<|return|>",
    "<|channel|>commentary<|message|>x<|end|>",
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.f json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.f<|message|>{}<|call|>",
    " to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>analysis to=python code<|message|>1<|call|>",
    "<|channel|>analysis to=browser.search json<|message|>{}<|call|>",
]


@pytest.mark.parametrize("text", NATIVE)
def test_what_models_natively_write_needs_no_repair(text, vocabulary, spell):
    parser = Parser(vocabulary, Role.ASSISTANT)
    parser.push_all(spell(THOUGHT + "<|start|>assistant" + text))
    parser.finish()
    assert told(read_answer(parser.messages, OFFERED), parser) == []
