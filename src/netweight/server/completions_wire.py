"""What goes over the wire: the JSON of /v1/completions, as pydantic models.

Field names are OpenAI's (https://platform.openai.com/docs/api-reference/completions), and vLLM's
where OpenAI has none (token ids in answers); logprob_moments and what it adds to an answer are our
own. As in `wire`, a field is honoured, accepted by name, or refused by name; `completions` gives
them their meaning.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field

from netweight.server.strict import only, refused, tag
from netweight.server.wire import MAX_CHOICES, DrawingFields, Usage

TokenId = Annotated[int, Field(ge=0, lt=2**31)]

_TEXT, _TEXTS, _IDS, _ID_LISTS = "text", "texts", "token ids", "lists of token ids"


def _prompt_kind(value: object) -> str:
    """Told by the first element, so that a fault in a later one is named by its place."""
    if not isinstance(value, list):
        return _tag_name(_TEXT)
    kinds = {int: _IDS, list: _ID_LISTS}
    return _tag_name(kinds.get(type(value[0]), _TEXTS) if value else _TEXTS)


def _tag_name(kind: str) -> str:
    return tag(kind).tag


Prompt = Annotated[
    Annotated[str, tag(_TEXT)]
    | Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES), tag(_TEXTS)]
    | Annotated[list[TokenId], tag(_IDS)]
    | Annotated[list[list[TokenId]], Field(max_length=MAX_CHOICES), tag(_ID_LISTS)],
    Discriminator(_prompt_kind),
]


class CompletionRequest(DrawingFields):
    """The body of POST /v1/completions: a prompt that the model continues as it stands.

    Nothing is put around the prompt, and nothing in a text becomes a control token; those are sent
    as token ids.
    """

    # Honoured.
    model: str
    prompt: Prompt
    max_tokens: Annotated[
        int | None, Field(ge=0, description="0, with echo, only scores the prompt; null: 16")
    ] = None
    echo: Annotated[bool | None, Field(description="begin with the prompt")] = None
    logprobs: Annotated[
        int | None,
        Field(
            ge=0,
            le=20,
            description="likeliest tokens told at each place, with echo of the prompt as well",
        ),
    ] = None
    logprob_moments: Annotated[
        bool | None,
        Field(
            description="with echo and logprobs: tell mean_logprobs and std_logprobs of the prompt"
        ),
    ] = None
    return_token_ids: Annotated[
        bool | None, Field(description="tell the ids of the prompt and of the answer")
    ] = None
    return_tokens_as_token_ids: Annotated[
        bool | None, Field(description="in logprobs, write tokens as token_id:42")
    ] = None
    skip_special_tokens: Annotated[
        bool | None, Field(description="leave control tokens out of the text; null: yes")
    ] = None
    # Accepted, since it changes nothing here.
    user: str | None = None
    # Accepted with the value that changes nothing.
    best_of: Annotated[int | None, only(1)] = None
    repetition_penalty: Annotated[float | None, only(1)] = None
    add_special_tokens: Annotated[bool | None, only(False)] = None
    # Refused, with what to do instead.
    suffix: Annotated[None, refused("the model only continues a prompt")] = None


class CompletionLogprobs(BaseModel):
    r"""Natural log-probabilities, with null for the first token of a prompt.

    A token that is not whole characters is written as bytes:\xe2\x9c. All tokens that were drawn
    are told, even where a stop string has cut the text.
    """

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]
    mean_logprobs: Annotated[
        list[float | None] | None,
        Field(
            description="with logprob_moments alone: the mean of log p over the whole vocabulary, "
            "sum p log p, in nats; null for a prompt's first token and for tokens that were drawn"
        ),
    ] = None
    std_logprobs: Annotated[
        list[float | None] | None,
        Field(
            description="with logprob_moments alone: the standard deviation of log p about that "
            "mean, sqrt(sum p (log p)^2 - mean^2)"
        ),
    ] = None


class CompletionChoice(BaseModel):
    """One answer to one prompt; those to the first prompt come first."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: Literal["stop", "length"] | None
    prompt_token_ids: list[int] | None = None
    token_ids: list[int] | None = None


class Completion(BaseModel):
    """Answers to all prompts, or a piece of one. `seed`, that of the first, repeats them."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None
    seed: int
