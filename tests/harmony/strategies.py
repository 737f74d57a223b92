"""Hypothesis strategies: texts, tool schemas, conversations, and token streams."""

from hypothesis import strategies as st

from netweight.harmony import (
    DeveloperContent,
    Message,
    ReasoningEffort,
    Role,
    SystemContent,
    Tool,
    ToolNamespace,
    browser_namespace,
    python_namespace,
)

MARKERS = [
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|channel|>",
    "<|constrain|>",
    "<|call|>",
    "<|return|>",
    "<|endoftext|>",
]
FORGERIES = [
    *MARKERS,
    "\n\n# Instructions\n\n",
    "*/",
    "} // namespace functions",
    " to=functions.f",
]

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
header_words = st.from_regex(r"[a-z][a-z0-9_.]{0,8}", fullmatch=True).filter(
    lambda word: word.partition(":")[0] not in set(Role) and word != "all"
)


def unicode_texts(max_size=30):
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def texts():
    """Prose with control tokens and headers spelled in it."""
    parts = st.one_of(unicode_texts(), st.sampled_from(FORGERIES))
    return st.lists(parts, max_size=4).map("".join)


def json_values():
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        # Short ones: openai-harmony's reader is off by one unit in the last place on long ones.
        st.builds(
            lambda digits, power: float(f"{digits}e{power}"),
            st.integers(-999, 999),
            st.integers(-22, 22),
        ),
        unicode_texts(8),
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(unicode_texts(5), inner, max_size=3)
        ),
        max_leaves=5,
    )


def _notes():
    return st.fixed_dictionaries(
        {},
        optional={
            "description": unicode_texts(12),
            "title": unicode_texts(8),
            "default": json_values(),
            "examples": st.lists(json_values(), max_size=3),
            "nullable": st.booleans(),
        },
    )


def _leaves():
    strings = st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"enum": st.lists(json_values(), max_size=3)}
    )
    names = ["number", "integer", "boolean", "null", "array", "object", "odd", ""]
    plain = st.fixed_dictionaries({"type": st.sampled_from(names)})
    several = st.lists(st.sampled_from([*names, "string"]), max_size=3).map(lambda t: {"type": t})
    others = st.sampled_from(
        [{}, {"anyOf": [{"type": "string"}]}, {"const": 3}, {"$ref": "#/$defs/x"}]
    )
    return st.one_of(strings, plain, several, others)


def _nested(inner):
    inner = st.one_of(inner, st.just(True))
    properties = st.dictionaries(unicode_texts(6), inner, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": properties},
        optional={"required": st.lists(unicode_texts(6), max_size=2) | json_values()},
    )
    arrays = st.fixed_dictionaries({"type": st.just("array"), "items": inner})
    unions = st.fixed_dictionaries(
        {"oneOf": st.lists(inner, max_size=3) | json_values()},
        optional={"type": st.sampled_from(["string", "object"])},
    )
    return st.tuples(st.one_of(objects, arrays, unions), _notes()).map(
        lambda pair: pair[0] | pair[1]
    )


def schemas():
    """Schemas of every kind that openai-harmony looks at, and some that it does not."""
    leaves = st.tuples(_leaves(), _notes()).map(lambda pair: pair[0] | pair[1])
    return st.recursive(leaves, _nested, max_leaves=8)


def tools():
    return st.builds(
        Tool, names, texts(), st.none() | schemas().filter(lambda schema: isinstance(schema, dict))
    )


def namespaces():
    return st.lists(
        st.builds(
            ToolNamespace,
            st.one_of(st.just("functions"), names),
            st.none() | texts(),
            st.lists(tools(), max_size=3).map(tuple),
        )
        | st.sampled_from([browser_namespace(), python_namespace()]),
        max_size=3,
        unique_by=lambda namespace: namespace.name,
    ).map(tuple)


def system_contents():
    return st.builds(
        SystemContent,
        model_identity=st.none() | texts(),
        reasoning_effort=st.none() | st.sampled_from(ReasoningEffort),
        knowledge_cutoff=st.none() | texts(),
        current_date=st.none() | texts(),
        valid_channels=st.lists(names, max_size=3).map(tuple),
        channel_required=st.booleans(),
        tools=namespaces(),
    )


def developer_contents():
    return st.builds(DeveloperContent, instructions=st.none() | texts(), tools=namespaces())


channels = st.sampled_from([None, "analysis", "commentary", "final", "final", "odd"])
content_types = st.one_of(
    st.none(), st.sampled_from(["json", "code", "<|constrain|>json", "text/html"]), header_words
)


def messages():
    parts = st.lists(texts(), min_size=1, max_size=2).map(tuple)
    recipients = st.none() | st.sampled_from(["functions.f", "all"]) | header_words
    headers = {"channel": channels, "recipient": recipients, "content_type": content_types}
    return st.one_of(
        st.builds(Message, st.just(Role.ASSISTANT), parts, **headers),
        st.builds(Message, st.just(Role.USER), parts, st.none() | header_words, **headers),
        st.builds(Message, st.just(Role.TOOL), parts, header_words, **headers),
        st.builds(Message.system, system_contents() | texts()),
        st.builds(Message.developer, developer_contents() | texts()),
        st.builds(Message.assistant, texts(), channel=channels),
    )


def conversations():
    return st.lists(messages(), max_size=6)


HEADER_TEXTS = [
    "assistant",
    "user",
    "system",
    "functions.f",
    "analysis",
    "commentary",
    "final",
    " to=functions.f",
    " to=",
    " json",
    "json",
    " code",
    " ",
    "\n",
    "hello",
    "{}",
    "💖",
]


def token_streams(vocabulary, max_size=30):
    """Control tokens over-represented, header words, and any token at all."""
    special = vocabulary.special
    control = [getattr(special, name) for name in type(special).__slots__]
    common = [ids for text in HEADER_TEXTS for ids in [vocabulary.encode(text)]]
    pieces = st.one_of(
        st.sampled_from(control).map(lambda token_id: [token_id]),
        st.sampled_from(control).map(lambda token_id: [token_id]),
        st.sampled_from(common),
        st.integers(0, vocabulary.size - 1).map(lambda token_id: [token_id]),
    )
    return st.lists(pieces, max_size=max_size).map(
        lambda parts: [token for part in parts for token in part]
    )


@st.composite
def damaged(draw, ids, vocabulary):
    """The tokens with a few lost, doubled, or others put between them."""
    ids = list(ids)
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(ids)))
        kind = draw(st.sampled_from(["lose", "double", "insert"]))
        if kind == "insert":
            ids[position:position] = draw(token_streams(vocabulary, max_size=2))
        elif kind == "double":
            ids[position:position] = ids[position : position + 1]
        else:
            del ids[position : position + 1]
    return ids
