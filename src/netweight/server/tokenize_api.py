"""/tokenize and /detokenize: what a model reads, as token ids, and back. The shapes are vLLM's.

Knows no engine. Logs no request's text.
"""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from netweight.server import translate, wire
from netweight.server.completions_wire import TokenId
from netweight.server.problems import Problem
from netweight.server.service import Service
from netweight.server.strict import In, only


class TokenizeRequest(In):
    """Either a prompt, or messages with what else shapes the prompt of a chat completion."""

    model: str | None = None
    prompt: str | None = None
    messages: Annotated[list[wire.InMessage] | None, Field(min_length=1)] = None
    tools: list[wire.FunctionTool] | None = None
    tool_choice: wire.ToolChoice | None = None
    response_format: wire.ResponseFormat | None = None
    reasoning_effort: Literal["low", "medium", "high"] | None = None
    return_token_strs: Annotated[
        bool | None, Field(description="tell the text of each token, too")
    ] = None
    # Accepted with the value that changes nothing.
    add_special_tokens: Annotated[bool | None, only(False)] = None
    add_generation_prompt: Annotated[bool | None, only(True)] = None


class TokenizeResponse(BaseModel):
    """The ids. `max_model_len` is how many tokens prompt and answer may have together."""

    count: int
    max_model_len: int
    tokens: list[int]
    token_strs: list[str] | None = None


class DetokenizeRequest(In):
    """Ids of ordinary and control tokens."""

    model: str | None = None
    tokens: list[TokenId]


class DetokenizeResponse(BaseModel):
    """The text, with control tokens by their names, and what is no text as U+FFFD."""

    prompt: str


def routes(service: Service) -> APIRouter:
    """The paths of this API."""
    router = APIRouter()

    @router.post("/tokenize", response_model_exclude_none=True)
    async def tokenize(body: TokenizeRequest) -> TokenizeResponse:
        """Token ids of a prompt, or of a conversation up to where the model goes on."""
        _check_name(service, body.model)
        # In another thread, since long texts take a while.
        return await asyncio.to_thread(_tokenized, service, body)

    @router.post("/detokenize")
    async def detokenize(body: DetokenizeRequest) -> DetokenizeResponse:
        """The text of token ids."""
        _check_name(service, body.model)
        vocabulary = service.model.vocabulary
        unknown = next((i for i, one in enumerate(body.tokens) if not vocabulary.has(one)), None)
        if unknown is not None:
            raise Problem(
                f"tokens[{unknown}] is {body.tokens[unknown]}, which is no token of this model; "
                f"its ids are below {vocabulary.size}.",
                param=f"tokens[{unknown}]",
                code="invalid_value",
            )
        return DetokenizeResponse(prompt=vocabulary.decode(body.tokens))

    return router


def _check_name(service: Service, name: str | None) -> None:
    if name is not None:
        service.named(name)


def _tokenized(service: Service, body: TokenizeRequest) -> TokenizeResponse:
    vocabulary = service.model.vocabulary
    token_ids = _token_ids(service, body)
    texts = None
    if body.return_token_strs:
        texts = [vocabulary.decode([token_id]) for token_id in token_ids]
    return TokenizeResponse(
        count=len(token_ids),
        max_model_len=service.model.engine.max_tokens,
        tokens=token_ids,
        token_strs=texts,
    )


def _token_ids(service: Service, body: TokenizeRequest) -> list[int]:
    if (body.prompt is None) == (body.messages is None):
        raise Problem("send either a prompt or messages.", param="prompt", code="invalid_value")
    if body.prompt is not None:
        return service.model.vocabulary.encode(body.prompt)
    shaping = ("messages", "tools", "tool_choice", "response_format", "reasoning_effort")
    fields = {name: getattr(body, name) for name in shaping}
    # They were checked when they came, as fields of the same kind.
    chat_body = wire.ChatCompletionRequest.model_construct(model=service.model.name, **fields)
    chat = translate.chat_of(chat_body, translate.tool_names(chat_body))
    return service.model.prompt_ids(chat)
