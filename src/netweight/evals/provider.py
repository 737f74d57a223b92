"""The Inspect provider `netweight/MODEL`: any Inspect task on our engine.

    inspect eval inspect_evals/ifeval --model netweight/nano
    inspect eval TASK --model netweight/gpt-oss-20b -M adapter=NAME=PATH -M threads=8
    inspect eval TASK --model netweight/nano --model-base-url http://127.0.0.1:8000/v1

It starts a server, one for all of a process's models of that name, and ends it with the process; or
it uses the one at a base URL. MODEL is what `netweight serve` takes. Reasoning comes apart from the
answer, as does every tool call.
"""

import atexit
from typing import Any

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

from netweight.evals.harness import served_models
from netweight.evals.served import Server


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
            WeighError: when the server does not start.
        """
        config = config or GenerateConfig()
        super().__init__(model_name, base_url, api_key, config=config)
        served, key = model_name, api_key or "none"
        if base_url is None:
            options = [] if adapter is None else ["--adapter", adapter]
            options += [] if threads is None else ["--threads", str(threads)]
            base_url = _served_at(model_name, tuple(options))
            served = adapter.partition("=")[0] if adapter else served_models(base_url, key)[0]
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
        """Answer once."""
        return await self._inner.api.generate(input, tools, tool_choice, config)

    def should_retry(self, ex: Exception) -> bool | RetryDecision:
        """Whether a failed request is sent again."""
        return self._inner.api.should_retry(ex)

    def connection_key(self) -> str:
        """What requests that share a limit have in common."""
        return self._inner.api.connection_key()

    async def aclose(self) -> None:
        """End the connections; the server serves whoever else has this model."""
        await self._inner.api.aclose()


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
