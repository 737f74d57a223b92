"""The Inspect provider `netweight/MODEL`: any Inspect task on our engine.

    inspect eval inspect_evals/ifeval --model netweight/nano
    inspect eval TASK --model netweight/gpt-oss-20b -M adapter=NAME=PATH -M threads=8
    inspect eval TASK --model netweight/nano --model-base-url http://127.0.0.1:8000/v1

It starts a server, one for all of a process's models of that name, and ends it with the process; or
it uses the one at a base URL. MODEL is what `netweight serve` takes. Reasoning comes apart from the
answer, as does every tool call.

What it takes to make an answer again is in Inspect's log beside it, as `netweight` in the output's
metadata: there, and not in the log's header, since a log may hold answers of several days, servers
and calls, and a provider is given no hand in the header.
"""

import atexit
import re
from collections.abc import Mapping
from typing import Any, TypedDict, cast
from urllib.parse import quote

import openai
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelCall,
    ModelOutput,
    RetryDecision,
    get_model,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from netweight.errors import WeighError
from netweight.evals.harness import served_models
from netweight.evals.served import Server

NOT_KNOWN = "not known"  # in the log, where a server that is not ours does not tell
_OURS = "netweight"
_BUSY = (429, 503)  # says nothing of whether there is such an address
_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
    "reasoning_effort",
    "reasoning",
)
_DATE = re.compile(r"^Current date: (\d{4}-\d{2}-\d{2})$", re.M)

Json = Mapping[str, object]


class Told(TypedDict):
    """What stands beside an answer: who gave it, to what prompt, and how it was drawn.

    `sampling` has the fields that were sent, and the seed where the server chose it; of all others
    its own defaults hold.
    """

    engine: str
    engine_version: str
    checkpoint_sha256: str
    adapter: str
    base_url: str
    sampling: dict[str, object]
    prompt: str
    current_date: str  # that stands in the prompt's system message


class NetweightAPI(ModelAPI):
    """A model served by netweight, here or at an address."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        adapter: str | None = None,
        threads: int | None = None,
        **model_args: Any,  # noqa: ANN401 - Inspect passes whatever -M has
    ) -> None:
        """Start a server unless there is a `base_url`.

        Args:
            model_name: what `netweight serve` takes; at a base URL, the name that it serves.
            base_url: of a running server, ending in /v1.
            api_key: its key, if it asks for one.
            config: Inspect's.
            adapter: NAME=PATH of a LoRA adapter, which then answers.
            threads: that the server may use.
            model_args: what Inspect's provider for OpenAI-compatible servers takes.

        Raises:
            WeighError: when the server does not start, or the one at `base_url` is told how to.
        """
        if base_url is not None and (adapter is not None or threads is not None):
            raise WeighError(
                f"adapter and threads are for a server that is started here; the one at {base_url} "
                "has its own. An adapter of it is asked for as the model, netweight/NAME."
            )
        config = config or GenerateConfig()
        super().__init__(model_name, base_url, api_key, config=config)
        served, key = model_name, api_key or "none"
        if base_url is None:
            options = [] if adapter is None else ["--adapter", adapter]
            options += [] if threads is None else ["--threads", str(threads)]
            base_url = _served_at(model_name, tuple(options))
            served = adapter.partition("=")[0] if adapter else served_models(base_url, key)[0]
        self._served, self._base_url = served, base_url
        self._tells_ids = not model_args.get("responses_api")  # that API has no such field
        self._info: Json | None = None
        self._inner: Model = get_model(
            f"openai-api/netweight/{served}",
            base_url=base_url,
            api_key=key,
            config=config,
            memoize=False,
            **model_args,
        )

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput | tuple[ModelOutput | Exception, ModelCall]:
        """Answer once, and say in the output's metadata by what and from which prompt."""
        info = await self._server_info()
        if info.get("engine") == _OURS and self._tells_ids:
            extra = {**(config.extra_body or {}), "return_token_ids": True}
            config = config.model_copy(update={"extra_body": extra})
        answered = await self._inner.api.generate(input, tools, tool_choice, config)
        output, call = answered if isinstance(answered, tuple) else (answered, None)
        if isinstance(output, ModelOutput) and call is not None:
            told = await self._told(info, call.request, call.response or {})
            output.metadata = {**(output.metadata or {}), "netweight": told}
        return answered

    async def _told(self, info: Json, request: Json, response: Json) -> Told:
        prompt = await self._prompt(response)
        system = prompt.partition("<|end|>")[0]  # what users write comes after it
        date = _DATE.search(system)
        adapter = info.get("adapter", NOT_KNOWN)
        return Told(
            engine=str(info.get("engine", NOT_KNOWN)),
            engine_version=str(info.get("version", NOT_KNOWN)),
            checkpoint_sha256=str(info.get("checkpoint_sha256") or NOT_KNOWN),
            adapter="none" if adapter is None else str(adapter),
            base_url=self._base_url,
            sampling=_sampling(request, response),
            prompt=prompt,
            current_date=date[1] if date else NOT_KNOWN,
        )

    async def _server_info(self) -> Json:
        """What our server says of itself, asked for once; nothing where it is another's."""
        if self._info is None:
            try:
                self._info = await self._rooted(f"info?model={quote(self._served, safe='')}")
            except openai.APIError:
                return {}  # asked again with the next question; this one will tell what is wrong
            if self._info.get("engine") != _OURS:  # others have such an address as well
                self._info = {}
        return self._info

    async def _prompt(self, response: Json) -> str:
        """What the model read, control tokens by their names."""
        token_ids = response.get("prompt_token_ids")
        if not isinstance(token_ids, list):
            return NOT_KNOWN
        try:
            told = await self._rooted("detokenize", {"model": self._served, "tokens": token_ids})
        except openai.APIError:
            return NOT_KNOWN  # an answer that is there is not thrown away for this
        return str(told.get("prompt", NOT_KNOWN))

    async def _rooted(self, path: str, body: Json | None = None) -> Json:
        """What an address beside /v1, not under it, tells as JSON; nothing where there is none.

        Raises:
            APIError: the server cannot be reached, or is too busy to tell.
        """
        # Inspect's own client, which has the key.
        client: openai.AsyncOpenAI = cast("Any", self._inner.api).client
        url = f"{self._base_url.rstrip('/').removesuffix('/v1')}/{path}"
        try:
            if body is None:
                told = await client.get(url, cast_to=object)
            else:
                told = await client.post(url, cast_to=object, body=body)
        except openai.APIStatusError as error:
            if error.status_code in _BUSY:
                raise
            return {}
        except (openai.APIResponseValidationError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def should_retry(self, ex: Exception) -> bool | RetryDecision:
        """Whether a failed request is sent again."""
        return self._inner.api.should_retry(ex)

    def connection_key(self) -> str:
        """What requests that share a limit have in common."""
        return self._inner.api.connection_key()

    async def aclose(self) -> None:
        """End the connections; the server serves whoever else has this model."""
        await self._inner.api.aclose()


def _sampling(request: Json, response: Json) -> dict[str, object]:
    further = request.get("extra_body")
    sent = {**request, **(further if isinstance(further, dict) else {})}
    chosen = {"seed": response["seed"]} if isinstance(response.get("seed"), int) else {}
    return {name: sent[name] for name in _SAMPLING if name in sent} | chosen


_servers: dict[tuple[str, tuple[str, ...]], Server] = {}


def _served_at(model: str, options: tuple[str, ...]) -> str:
    """The base URL of this process's server of a model; Inspect makes some models twice."""
    key = (model, options)
    if key not in _servers:
        _servers[key] = Server(model, options)
    return _servers[key].base_url


@atexit.register
def close_servers() -> None:
    """End every server that was started here."""
    while _servers:
        _servers.popitem()[1].close()
