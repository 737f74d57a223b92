"""What a completion may look like, as a constraint on its tokens.

From the offered tools, the tool choice and the format of the answer comes a grammar over control
tokens and text, which llguidance turns into a mask of allowed tokens at each step. Reasoning stays
free; a header may name the recipient before or after the channel, as models write both; `<|call|>`
is allowed only where the arguments are complete and valid. Every output that a constraint allows
parses without a diagnostic. A schema that cannot be enforced is refused by name: see `enforce`.

Knows token ids and schemas; whoever samples sees only `Constraint`'s five methods and no Harmony.
"""

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import llguidance
import numpy as np
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from llguidance.tiktoken import lltokenizer_from_encoding
from numpy.typing import NDArray

from netweight.errors import HarmonyError
from netweight.harmony.calls import FUNCTIONS, tool_names
from netweight.harmony.enforce import enforceable, is_costly, may_force_much
from netweight.harmony.message import JsonSchema, ToolNamespace
from netweight.harmony.tools import is_identifier
from netweight.harmony.trial import MAX_BYTES, MAX_CPU_S, compiles_in_time
from netweight.harmony.vocab import Vocabulary

# Without bounds a contrary sampler would begin messages for ever. Models write one or two before
# the answer, and seldom more than a handful of calls at once.
MAX_STEPS = 16  # messages of reasoning and preambles before the answer
MAX_FORCED_STEPS = 2  # before a call that is asked for: who wants none would think on instead
MAX_CALLS = 32  # parallel calls

# A constraint may cost so much processor time, or requests beside it would wait. Most cost under a
# tenth of a millisecond a token, and the worst patterns five (201,088 ids, one core of an EPYC).
MAX_START_S = 1.0
MAX_TOKEN_S = 0.01

_LIMITS = llguidance.LLParserLimits(
    max_grammar_size=60_000,  # it has room for 65,525 symbols, and panics over more
    max_items_in_row=5_000,  # an object with 500 optional properties and others has 2,500
    verbose_errors=False,  # they would have the request's text
)
_NUM_TRIED = 64
_MAX_EXPLAINING_S = 1.0
_TOO_COMPLEX = frozenset({"ParserTooComplex", "LexerTooComplex"})
_FREE_TEXT = r"TEXT: /(.|\n)*/"
_NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}


class ToolChoice(StrEnum):
    """Whether the completion may, must not, or must call a tool."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a completion.

    `tool_choice` is a ToolChoice or the name of the tool to call, with or without `functions.`. The
    final answer follows `answer_schema` (JSON schema) or `answer_regex` (Rust syntax: no
    look-around), or is free. `reasoning_budget` is how many tokens of text may come before the
    answer or call, in analysis messages and preambles together: who may not think any longer must
    not do it aloud either. With 0 there are no such messages.
    """

    tools: tuple[ToolNamespace, ...] = ()
    tool_choice: ToolChoice | str = ToolChoice.AUTO
    parallel_calls: bool = True
    answer_schema: JsonSchema | None = None
    answer_regex: str | None = None
    reasoning_budget: int | None = None

    def __post_init__(self) -> None:
        """The word of a choice is the choice; a tool called `auto` is `functions.auto`."""
        if self.reasoning_budget is not None and self.reasoning_budget < 0:
            raise HarmonyError(f"a reasoning budget is 0 or more, not {self.reasoning_budget}")
        if self.tool_choice in set(ToolChoice):
            object.__setattr__(self, "tool_choice", ToolChoice(self.tool_choice))


class Constrainer:
    """Makes constraints for one vocabulary; building it takes about a second, so keep it.

    `num_ids` is the width of the model's logits, where that is more than the vocabulary.
    """

    def __init__(self, vocabulary: Vocabulary, *, num_ids: int | None = None) -> None:
        self.vocabulary = vocabulary
        self.num_ids = vocabulary.size if num_ids is None else num_ids
        self._tokenizer = lltokenizer_from_encoding(
            vocabulary.encoding, n_vocab=self.num_ids, eos_token=vocabulary.special.endoftext
        )
        self._compiles_in_time = lru_cache(_NUM_TRIED)(compiles_in_time)

    def constrain(self, rules: Rules) -> "Constraint":
        """The constraint for one completion that continues `<|start|>assistant`.

        Raises HarmonyError for rules that contradict each other, and for a schema or regex that
        cannot be enforced, naming what in it, or that takes too long to compile. Whoever has others
        to serve calls this in a thread, where it may take seconds.
        """
        grammar = grammar_text(rules)
        self._try_costly(rules)
        matcher = self._matcher(grammar)
        if matcher.is_error():
            raise HarmonyError(self._explain(rules, matcher.get_error()))
        return Constraint(self.vocabulary, matcher, self.num_ids, rules.reasoning_budget)

    def _matcher(self, grammar: str) -> llguidance.LLMatcher:
        return llguidance.LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)

    def _try_costly(self, rules: Rules) -> None:
        """Raise HarmonyError for what would take too long, or too much memory, to compile."""
        bodies = {
            name: _json_rule(schema, name) for name, schema in _schemas(rules) if is_costly(schema)
        }
        if rules.answer_regex is not None:
            bodies["the answer"] = f"/{llguidance.regex_to_lark(rules.answer_regex, '')}/"
        if not bodies:
            return
        lines = [f"rule_{index}: {body}" for index, body in enumerate(bodies.values())]
        start = " | ".join(f"rule_{index}" for index in range(len(bodies)))
        if not self._compiles_in_time("\n".join(["%llguidance {}", f"start: {start}", *lines])):
            raise HarmonyError(
                f"the schema of {', '.join(bodies)} takes more than {MAX_CPU_S} seconds or "
                f"{MAX_BYTES // 2**20} MiB to compile, which is the limit: it has too many or too "
                "large patterns, ranges, multipleOf or lists"
            )

    def _explain(self, rules: Rules, error: str) -> str:
        """Which schema it was: each is tried alone, which only a failure has to pay for."""
        schemas = _schemas(rules)
        if len(schemas) == 1 and rules.answer_regex is None:
            return f"the schema of {schemas[0][0]} cannot be enforced: {_first_line(error)}"
        deadline = time.monotonic() + _MAX_EXPLAINING_S
        for name, schema in schemas:
            if time.monotonic() > deadline:
                break
            alone = self._matcher(f"%llguidance {{}}\nstart: {_json_rule(schema, name)}")
            if alone.is_error():
                return f"the schema of {name} cannot be enforced: {_first_line(alone.get_error())}"
        return f"these rules cannot be enforced: {_first_line(error)}"


class Constraint:
    """The allowed tokens of one completion, step by step."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        matcher: llguidance.LLMatcher,
        num_ids: int,
        reasoning_budget: int | None,
    ) -> None:
        self._vocabulary = vocabulary
        self._matcher = matcher
        self._num_ids = num_ids
        self._reasoning_budget = reasoning_budget
        self._bits = allocate_token_bitmask(1, num_ids)
        self._budget = None if reasoning_budget is None else _Budget(vocabulary, reasoning_budget)
        self._time = _Time()

    def copy(self) -> "Constraint":
        """Another one like this, which has taken no token. Costs less than to compile it again."""
        matcher = self._matcher.deep_copy()
        matcher.reset()
        return Constraint(self._vocabulary, matcher, self._num_ids, self._reasoning_budget)

    def allowed(self) -> NDArray[np.int32]:
        """The mask for the next token: bit i % 32 of element i // 32 tells if id i is allowed.

        Never empty. The array is overwritten by the next call.
        """
        with self._time:
            fill_next_token_bitmask(self._matcher, self._bits)
        self._check()
        bits: NDArray[np.int32] = self._bits[0]
        if self._budget is not None and self._budget.is_spent:
            self._budget.narrow(bits)
        return bits

    def advance(self, token_id: int) -> None:
        """Take the sampled token; HarmonyError if the mask did not allow it."""
        with self._time:
            is_taken = self._matcher.consume_token(token_id)
        if not is_taken:
            if self._matcher.stop_reason() in _TOO_COMPLEX:
                self._check()
            raise HarmonyError(f"token {token_id} is not allowed here")
        self._time.num_tokens += 1
        if self._budget is not None:
            self._budget.advance(token_id)

    def rollback(self, num_tokens: int) -> None:
        """Take back the last tokens, as when speculation failed."""
        self._matcher.rollback(num_tokens)
        self._check()
        if self._budget is not None:
            self._budget.rollback(num_tokens)

    def forced(self) -> list[int]:
        """The tokens that must come next, where there is only one way on; often none."""
        if self._budget is not None and self._budget.is_spent:
            return []
        with self._time:
            return list(self._matcher.compute_ff_tokens())

    @property
    def is_finished(self) -> bool:
        """Whether the completion is whole: its stop token was taken."""
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            error = _first_line(self._matcher.get_error())
            raise HarmonyError(f"the constraint became too complex to follow: {error}")
        if self._time.is_spent:
            raise HarmonyError(
                f"the constraint became too complex to follow: it took {self._time.spent_s:.1f} "
                f"seconds for {self._time.num_tokens} tokens; the limit is {MAX_START_S:g} and "
                f"{MAX_TOKEN_S:g} a token"
            )


class _Time:
    """The processor time that a constraint takes, in the thread that follows it."""

    def __init__(self) -> None:
        self.num_tokens = 0
        self.spent_s = 0.0
        self._start_s = 0.0

    def __enter__(self) -> None:
        self._start_s = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.spent_s += time.thread_time() - self._start_s

    @property
    def is_spent(self) -> bool:
        return self.spent_s > MAX_START_S + MAX_TOKEN_S * self.num_tokens


class _Budget:
    """Counts the tokens of reasoning and preambles; ends such a message when none are left."""

    def __init__(self, vocabulary: Vocabulary, num_tokens: int) -> None:
        self.vocabulary = vocabulary
        self.num_tokens = num_tokens
        self.ids: list[int] = []
        self.num_spent = [0]  # after each token
        self.is_before_answer = [False]  # whether such a message is open, after each token
        self.end = vocabulary.special.end
        self.continuations = [vocabulary.byte_id(value) for value in range(0x80, 0xC0)]

    @property
    def is_spent(self) -> bool:
        return self.is_before_answer[-1] and self.num_spent[-1] >= self.num_tokens

    def advance(self, token_id: int) -> None:
        special = self.vocabulary.special
        self.ids.append(token_id)
        was_open = self.is_before_answer[-1]
        is_text = was_open and token_id != special.end
        is_open = self._opens() if token_id == special.message else is_text
        self.num_spent.append(self.num_spent[-1] + is_text)
        self.is_before_answer.append(is_open)

    def rollback(self, num_tokens: int) -> None:
        if num_tokens:
            del self.ids[-num_tokens:]
            del self.num_spent[-num_tokens:]
            del self.is_before_answer[-num_tokens:]

    def narrow(self, bits: NDArray[np.int32]) -> None:
        """Leave `<|end|>` only, or, within a character, the single bytes that complete it."""
        allowed = [token_id for token_id in [self.end] if _is_set(bits, token_id)]
        allowed = allowed or [i for i in self.continuations if _is_set(bits, i)]
        bits[:] = 0
        for token_id in allowed:
            bits[token_id // 32] |= np.uint32(1 << token_id % 32).view(np.int32)

    def _opens(self) -> bool:
        """Whether the header that just ended is of reasoning or a preamble."""
        position = len(self.ids) - 1
        while position > 0 and self.ids[position - 1] != self.vocabulary.special.start:
            position -= 1
        header = self.vocabulary.decode(self.ids[position:-1])
        return "<|channel|>final" not in header and " to=" not in header


def grammar_text(rules: Rules) -> str:
    """The grammar in llguidance's dialect of Lark; HarmonyError as for Constrainer.constrain."""
    calls = _callable(rules)
    is_forced = rules.tool_choice not in (ToolChoice.AUTO, ToolChoice.NONE)
    most = MAX_FORCED_STEPS if is_forced else MAX_STEPS
    steps = "" if rules.reasoning_budget == 0 else f"step{{0,{most}}} "
    lines = [_options(rules), f"start: {steps}last"]
    ways = ([] if is_forced else ["final <|return|>"]) + (["calls"] if calls else [])
    lines.append(f"last: {' | '.join(ways)}")
    lines += [
        'step: (analysis | preamble) <|end|> <|start|> "assistant"',
        'analysis: <|channel|> "analysis" <|message|> TEXT',
        'preamble: <|channel|> "commentary" <|message|> TEXT',
        *_final_rules(rules),
        *_call_rules(calls, is_parallel=rules.parallel_calls),
        'json: " " <|constrain|> "json" | <|constrain|> "json" | " json"',
        _FREE_TEXT,
    ]
    return "\n".join(lines)


def _options(rules: Rules) -> str:
    """Forced text is tokenized anew at each step, all of it, which takes seconds if it is long."""
    schemas = [schema for _, schema in _schemas(rules)]
    is_long = rules.answer_regex is not None or any(map(may_force_much, schemas))
    return "%llguidance " + json.dumps({"no_forcing": True} if is_long else {})


def _final_rules(rules: Rules) -> list[str]:
    if rules.answer_schema is not None and rules.answer_regex is not None:
        raise HarmonyError("an answer can follow a schema or a regex, not both")
    if rules.answer_schema is not None:
        answer = _json_rule(rules.answer_schema, "the answer")
        return ['final: <|channel|> "final" json? <|message|> answer', f"answer: {answer}"]
    if rules.answer_regex is not None:
        answer = llguidance.regex_to_lark(rules.answer_regex, "")
        return ['final: <|channel|> "final" <|message|> ANSWER', f"ANSWER: /{answer}/"]
    return ['final: <|channel|> "final" <|message|> TEXT']


def _call_rules(calls: dict[str, JsonSchema | None], *, is_parallel: bool) -> list[str]:
    """A rule for each tool: functions on commentary, built-in tools on analysis too."""
    if not calls:
        return []
    others = f"other{{0,{MAX_CALLS - 1}}} " if is_parallel else ""
    rules = [
        f"calls: {others}call <|call|>",
        'other: call <|end|> <|start|> "assistant"',
        f"call: {' | '.join(f'call_{index}' for index in range(len(calls)))}",
    ]
    for index, (name, schema) in enumerate(calls.items()):
        channels = ["commentary"] if name.startswith(FUNCTIONS) else ["analysis", "commentary"]
        heads = [
            head
            for channel in channels
            for head in (
                f'<|channel|> "{channel} to={name}"',
                f'" to={name}" <|channel|> "{channel}"',
            )
        ]
        kind = '" code"' if schema is None else "json"
        body = "TEXT" if schema is None else f"arguments_{index}"
        rules.append(f"call_{index}: ({' | '.join(heads)}) {kind}? <|message|> {body}")
        if schema is not None:
            rules.append(f"arguments_{index}: {_json_rule(schema, name)}")
    return rules


def _callable(rules: Rules) -> dict[str, JsonSchema | None]:
    """The tools that may be called, by full name, with their schemas; None where text is code."""
    offered = {
        f"{namespace.name}.{tool.name}": tool.parameters or _NO_ARGUMENTS
        for namespace in rules.tools
        for tool in namespace.tools
    }
    schemas: dict[str, JsonSchema | None] = {
        name: offered.get(name) for name in tool_names(rules.tools)
    }
    for name in schemas:
        if not all(is_identifier(part) for part in name.split(".")):
            raise HarmonyError(f"{name!r} cannot be called: its name is not an identifier")
    choice = rules.tool_choice
    if choice is ToolChoice.NONE:
        return {}
    if choice is ToolChoice.REQUIRED and not schemas:
        raise HarmonyError("a tool call is required, but no tool is offered")
    if isinstance(choice, ToolChoice):
        return schemas
    named = [name for name in (choice, FUNCTIONS + choice) if name in schemas]
    if not named:
        raise HarmonyError(f"the tool to call, {choice!r}, is not offered: {', '.join(schemas)}")
    return {named[0]: schemas[named[0]]}


def _schemas(rules: Rules) -> list[tuple[str, JsonSchema]]:
    schemas = [(name, schema) for name, schema in _callable(rules).items() if schema is not None]
    if rules.answer_schema is not None:
        schemas.append(("the answer", rules.answer_schema))
    return schemas


def _json_rule(schema: JsonSchema, name: str) -> str:
    is_call = name != "the answer"
    try:
        return f"%json {json.dumps(enforceable(schema, name, is_object=is_call))}"
    except RecursionError as error:
        raise HarmonyError(f"the schema of {name} is nested too deeply to be enforced") from error


def _is_set(bits: NDArray[np.int32], token_id: int) -> bool:
    return bool(int(bits[token_id // 32]) >> token_id % 32 & 1)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
