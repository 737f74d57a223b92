"""Raw prompts over HTTP: continued as they stand, or scored token by token.

Speaks /v1/completions as OpenAI, vLLM and netweight have it, and their /tokenize for the token that
begins a document. Retries are bounded and every failure is a WeighError that says what to do. Knows
no task; `endpoint_of` finds the server of a model that Inspect knows.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import openai
from inspect_ai.model import Model, ModelOutput, ModelUsage
from openai.types import CompletionUsage

from netweight.errors import WeighError

if TYPE_CHECKING:
    from inspect_ai.solver import TaskState
    from openai.types import Completion, CompletionChoice

Prompt = str | Sequence[int]  # text, in which nothing is a control token, or token ids
Body = dict[str, Any]  # fields of a request

TIMEOUT_S = 600.0  # for one attempt
MAX_RETRIES = 2

START = "<|startoftext|>"  # begins a document in Harmony's vocabulary
_NUM_BEFORE = 12  # ids looked through below the one that begins a message; Harmony's is 8 below
_SAID_RAW = "a raw continuation, which stands in the score's metadata"
_SERVERS = "netweight, vLLM and SGLang serve it"
MOMENTS = "logprob_moments"  # the field by which netweight is asked for them


class Continuation(NamedTuple):
    """What a model wrote after a prompt; `is_cut` says that the limit ended it."""

    text: str
    is_cut: bool
    usage: ModelUsage


class Moments(NamedTuple):
    """Of log p, in nats, over the whole vocabulary, where every token weighs as much as its p."""

    mean: float
    std: float


class PromptScores(NamedTuple):
    """The log-probability, in nats, of each token of a prompt given those before it.

    The first token has none, unless the server put another before it; it is left out. `moments` are
    those at each token's place, None where the server gives none or was not asked.
    """

    tokens: Sequence[str]
    logprobs: Sequence[float]
    usage: ModelUsage
    moments: Sequence[Moments] | None = None


class Endpoint:
    """One model's raw completions at an OpenAI-compatible server; use it with `async with`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "none",
        timeout_s: float = TIMEOUT_S,
        max_retries: int = MAX_RETRIES,
    ) -> None:
        """Connect when first asked. `base_url` ends in /v1."""
        self.base_url, self.model, self._timeout_s = base_url.rstrip("/"), model, timeout_s
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            timeout=timeout_s,
            max_retries=max_retries,
            # Certificates take a tenth of a second to read, and without TLS none is looked at.
            http_client=openai.DefaultAsyncHttpxClient(verify=base_url.startswith("https:")),
            default_headers={"Connection": "close"},  # idle connections would outlive the run
        )

    async def __aenter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the connections."""
        await self._client.close()

    async def proceed(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float,
        seed: int | None = None,
        special_text: bool = False,
    ) -> Continuation:
        """Return what the model writes after `prompt`; control tokens too with `special_text`.

        Raises:
            WeighError: the server cannot be reached, has no raw completions, or answers otherwise.
        """
        extra: dict[str, object] = {"skip_special_tokens": False} if special_text else {}
        if seed is not None:
            extra["seed"] = seed
        completion = await self._asked(
            prompt, {"max_tokens": max_tokens, "temperature": temperature, **extra}
        )
        choice = self._choice(completion)
        return Continuation(choice.text, choice.finish_reason == "length", _usage(completion))

    async def score(self, prompt: Prompt, *, moments: bool = False) -> PromptScores:
        """Return the log-probabilities of a prompt's own tokens; nothing is drawn.

        With `moments` those of log p are asked for as well. netweight gives them; a server that
        ignores the field, or refuses it by name, gives none.

        Raises:
            WeighError: as `proceed`, or the server gives no log-probabilities of prompts.
        """
        # One likeliest token is asked for beside them: some servers take nought for "none at all".
        asked: Body = {"max_tokens": 0, "temperature": 0, "echo": True, "logprobs": 1}
        completion = await (self._with_moments if moments else self._asked)(prompt, asked)
        told = self._choice(completion).logprobs
        tokens, values = (told.tokens, told.token_logprobs) if told else (None, None)
        if not tokens or not values or len(tokens) != len(values):
            raise WeighError(
                f"{self.base_url} gives no log-probabilities of a prompt (echo with logprobs and "
                "max_tokens 0). netweight and vLLM give them."
            )
        # openai's types have no null here, but the first token's is one.
        scored: list[tuple[str, float | None]] = list(zip(tokens, values, strict=True))
        kept = [(token, value) for token, value in scored if value is not None]
        return PromptScores(
            [token for token, _ in kept],
            [value for _, value in kept],
            _usage(completion),
            self._moments(told, values) if moments else None,
        )

    async def document_start(self) -> list[int]:
        """Return the token ids with which a document begins, before any of its text.

        They are those that the server puts before an empty text; in Harmony's vocabulary, where it
        puts none, the one called START.

        Raises:
            WeighError: the server does not tell.
        """
        if ids := await self._token_ids({"prompt": ""}):
            return ids
        messages = [{"role": "user", "content": "."}]
        first, *_ = await self._token_ids({"messages": messages}) or [0]  # begins a message
        for token_id in range(first - 1, max(-1, first - 1 - _NUM_BEFORE), -1):
            if await self._text_of([token_id]) == START:
                return [token_id]
        raise WeighError(
            f"{self.base_url} does not tell which token begins a document. Give its id or ids, "
            "such as start=199998 for gpt-oss."
        )

    async def conversation(self, question: str, effort: str) -> list[int]:
        """Return the token ids of a conversation's prompt, as the server itself begins an answer.

        In a text, control tokens would be read as text.

        Raises:
            WeighError: the server does not tell.
        """
        messages = [{"role": "user", "content": question}]
        return await self._token_ids({"messages": messages, "reasoning_effort": effort})

    async def _token_ids(self, what: dict[str, object]) -> list[int]:
        told = await self._rooted("tokenize", what, "tokens")
        assert isinstance(told, list)
        return [int(token_id) for token_id in told]

    async def _text_of(self, ids: Sequence[int]) -> str:
        return str(await self._rooted("detokenize", {"tokens": list(ids)}, "prompt"))

    async def _rooted(self, path: str, body: dict[str, object], field: str) -> object:
        """Ask what stands beside /v1, not under it."""
        url = f"{self.base_url.removesuffix('/v1')}/{path}"
        try:
            told = await self._client.post(url, cast_to=object, body={"model": self.model, **body})
        except (openai.APIError, ValueError) as error:
            raise self._failed(error, f"/{path}") from error
        if not isinstance(told, dict) or field not in told:
            raise WeighError(f"{url} does not answer as netweight's and vLLM's do: no {field!r}.")
        return told[field]

    async def _with_moments(self, prompt: Prompt, asked: Body) -> "Completion":
        """What comes with moments, or without where the server refuses the field by name."""
        try:
            return await self._asked(prompt, {**asked, MOMENTS: True})
        except WeighError as error:
            if not (isinstance(error.__cause__, openai.APIStatusError) and MOMENTS in str(error)):
                raise
            return await self._asked(prompt, asked)

    def _moments(self, told: object, logprobs: Sequence[float | None]) -> list[Moments] | None:
        """Those of the tokens that have a log-probability; None where a server gives none."""
        means: Any = getattr(told, "mean_logprobs", None)
        stds: Any = getattr(told, "std_logprobs", None)
        if means is None and stds is None:
            return None
        try:
            return [
                Moments(float(mean), float(std))
                for logprob, mean, std in zip(logprobs, means, stds, strict=True)
                if logprob is not None
            ]
        except (TypeError, ValueError) as error:
            raise WeighError(
                f"{self.base_url} answers {MOMENTS} otherwise than netweight does: mean_logprobs "
                "and std_logprobs need a number for every token that has a log-probability."
            ) from error

    async def _asked(self, prompt: Prompt, asked: Body) -> "Completion":
        try:
            return await self._client.completions.create(
                model=self.model,
                prompt=prompt if isinstance(prompt, str) else list(prompt),
                extra_body=asked,  # some fields are not OpenAI's, and one place is simpler
            )
        except (openai.APIError, ValueError) as error:
            raise self._failed(error, "/v1/completions") from error

    def _choice(self, completion: "Completion") -> "CompletionChoice":
        """The only choice; openai's client checks nothing of an answer."""
        choices = getattr(completion, "choices", None)
        if not choices or not isinstance(getattr(choices[0], "text", None), str):
            raise WeighError(
                f"{self.base_url}/completions does not answer as OpenAI's does: no choice with a "
                "text."
            )
        choice: CompletionChoice = choices[0]
        return choice

    def _failed(self, error: Exception, path: str) -> WeighError:
        match error:
            case openai.APITimeoutError():
                return WeighError(
                    f"a request to {self.base_url} timed out after {self._timeout_s:g} s. Ask for "
                    "less at once."
                )
            case openai.APIConnectionError():
                return WeighError(
                    f"no server answers at {self.base_url} ({error.__cause__ or error}). Is it "
                    "running?"
                )
            case openai.NotFoundError():
                return WeighError(
                    f"{self.base_url} has no {path}, or no model {self.model!r}. This measurement "
                    f"needs raw completions: {_SERVERS}."
                )
        return WeighError(f"{self.base_url} refuses {path}: {error}")


def endpoint_of(model: Model) -> Endpoint:
    """Return the raw completions of a model that Inspect knows, at the server that it asks.

    Raises:
        WeighError: the model is not reached at an address.
    """
    from netweight.evals.provider import NetweightAPI

    api = model.api
    if isinstance(api, NetweightAPI):
        api = api._inner.api
    if not api.base_url:
        raise WeighError(
            f"{model} has no address to send raw prompts to. Weigh a model served at an "
            f"OpenAI-compatible address with raw completions: {_SERVERS}."
        )
    name = getattr(api, "service_model_name", lambda: api.model_name)()
    return Endpoint(api.base_url, name, api_key=api.api_key or "none")


def settle(state: "TaskState", model: Model, *usages: ModelUsage) -> None:
    """End a sample that was asked raw: count its tokens, and give it an output.

    The texts belong into the score's facts. As an answer, a marker in one would be taken for a
    fault of the set-up, while here it is a finding.
    """
    # Inspect names it nowhere public; without it a budget and the log would count no tokens.
    from inspect_ai.model._model import record_and_check_model_usage

    for usage in usages:
        record_and_check_model_usage(model, usage)
    state.output = ModelOutput.from_content(str(model), _SAID_RAW)


def _usage(completion: "Completion") -> ModelUsage:
    usage = completion.usage or CompletionUsage(
        prompt_tokens=0, completion_tokens=0, total_tokens=0
    )
    return ModelUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )
