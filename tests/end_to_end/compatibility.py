"""What openai/gpt-oss's compatibility test asks of a server: six tools, thirty cases.

Its tools have these names and shapes (compatibility-test/tools.ts); the cases are our own. A case
passes when its tool is called with arguments that its schema accepts, and the reasoning can be
read. A scripted model stands for gpt-oss: it calls what the case expects, and then answers.
"""

import json
from functools import cache
from typing import NamedTuple

from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, byte_vocabulary, one_hot, spell

TEXT = {"type": "string"}
NUMBERS = {"type": "array", "items": {"type": "number"}}


def schema(required, **optional):
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


SCHEMAS = {
    "get_weather": schema({"location": TEXT}),
    "get_system_health": {"type": "object", "properties": {}},
    "markdown_to_html": schema({"markdown": TEXT}),
    "detect_language": schema({"text": TEXT}),
    "generate_chart": schema(
        {
            "data": {"type": "array", "items": NUMBERS},
            "chart_type": {"type": "string", "enum": ["line", "bar", "scatter"]},
        },
        title=TEXT | {"default": ""},
        x_label=TEXT | {"default": ""},
    ),
    "query_database": schema(
        {"table": TEXT, "columns": {"type": "array", "items": TEXT}},
        filters=TEXT | {"default": ""},
        limit={"type": "integer", "minimum": 1, "maximum": 10000, "default": 100},
    ),
}


class Case(NamedTuple):
    """A question to an agent with one tool, and the call that should come of it."""

    tool: str
    question: str
    arguments: dict


def _cases():
    for place in ("Oslo", "São Paulo", "東京", "Nice, France", "62 N 7 E"):
        yield Case("get_weather", f"How is the weather in {place}?", {"location": place})
    for question in ("Are you well?", "Status?", "Health, please.", "All fine?", "Is it up?"):
        yield Case("get_system_health", question, {})
    for text in ("# Hi", "*one* `two`", "- a\n- b", '> said "so"', "[x](http://x.example)"):
        yield Case("markdown_to_html", f"Make HTML of this:\n\n{text}", {"markdown": text})
    for text in ("Guten Tag", "¿Qué tal?", "Привет", "hello there", "C'est ça"):
        yield Case("detect_language", f"What language is '{text}'?", {"text": text})
    for number, kind in enumerate(("line", "bar", "scatter", "line", "bar")):
        data = [[1, number], [2, -0.5], [3, 1e3]]
        arguments = {"data": data, "chart_type": kind}
        arguments |= {"title": "Growth", "x_label": "Year"} if number % 2 else {}
        yield Case("generate_chart", f"Draw {data} as {kind}.", arguments)
    for number, table in enumerate(("users", "orders", "events", "logs", "items")):
        arguments = {"table": table, "columns": ["id", "name"]}
        arguments |= {"filters": "id > 7", "limit": 10**number} if number else {}
        yield Case("query_database", f"List {table}, please.", arguments)


CASES = tuple(_cases())
OUTPUT = '{"result":"as expected"}'


def reasoning(case):
    return f"I should call {case.tool}."


def answer(case):
    return f"That was {case.tool}."


@cache
def _replies(case_index):
    """What the model writes to a case before and after its tool has answered."""
    case = CASES[case_index]
    arguments = json.dumps(case.arguments, ensure_ascii=False)
    call = (
        f"<|channel|>analysis<|message|>{reasoning(case)}<|end|><|start|>assistant<|channel|>"
        f"commentary to=functions.{case.tool} <|constrain|>json<|message|>{arguments}<|call|>"
    )
    return spell(call), spell(f"<|channel|>final<|message|>{answer(case)}<|return|>")


class Scripted(FakeModel):
    """Answers the cases. Which one it is, it finds by the question in its prompt."""

    def __init__(self):
        super().__init__(self._next, vocab_size=BYTE_VOCABULARY_SIZE, max_context=8192)
        self._questions = {case.question: index for index, case in enumerate(CASES)}
        self._known = {}

    def take(self, cache, tables, position, token_id, adapter):
        """Store the token alone: a digest of all before it would take too long."""
        for pages, table in zip(cache, tables, strict=True):
            [slot] = pages.slots(table, position, position + 1)
            pages.ids[slot], pages.num_prompt[slot] = token_id, 0
        return 0

    def _next(self, token_ids, num_prompt):
        end = tuple(token_ids[num_prompt - 150 : num_prompt])  # enough to tell the prompts apart
        if end not in self._known:
            text = byte_vocabulary().decode(token_ids[:num_prompt])
            asked = text.partition("<|start|>user<|message|>")[2].partition("<|end|>")[0]
            self._known[end] = _replies(self._questions[asked])["<|call|>" in text]
        reply = self._known[end]
        return one_hot(reply[min(len(token_ids) - num_prompt, len(reply) - 1)], self.vocab_size)

    @property
    def vocab_size(self):
        return self.config.vocab_size
