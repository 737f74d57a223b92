"""What a model needs and how fast it can be, by arithmetic: bytes, operations, and the roofline.

A decoded token reads every weight it uses once and its sequence's keys and values once; a prompt
multiplies every weight that a token uses. So speed cannot exceed bandwidth over bytes, nor peak
over operations. Knows shapes only: no tensors, no files, no clock.
"""

from dataclasses import asdict, dataclass
from typing import Literal

from netweight.engine.capacity import STEP_TOKENS
from netweight.errors import NotEnoughMemory
from netweight.model import Config, budget
from netweight.model.budget import Dense

DENSE: tuple[Dense, ...] = ("bf16", "int8")
DENSE_BYTES = {"bf16": 2.0, "int8": 34 / 32}  # per value; int8 has a float16 scale for 32 of them

Fit = Literal["yes", "in part", "no"]  # in part: some experts are read from disk when needed


@dataclass(frozen=True)
class Memory:
    """Bytes a running model holds."""

    weights: int
    cache: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.activations


@dataclass(frozen=True)
class Prediction:
    """What a model needs here, and how fast it is at most."""

    dense: Dense
    memory: Memory
    fits: Fit
    decode_tokens_per_s: float  # of all sequences together
    prefill_tokens_per_s: float

    def record(self) -> dict[str, object]:
        """Everything, for JSON."""
        return {**asdict(self), "total_bytes": self.memory.total}


@dataclass(frozen=True)
class Work:
    """What a step must do at least: bytes to read and operations (a multiply-add is two)."""

    read_bytes: float
    flops: float

    def seconds(self, read_bytes_per_s: float, peak_flops: float) -> float:
        """The roofline: whichever takes longer."""
        return max(self.read_bytes / read_bytes_per_s, self.flops / peak_flops)


def memory(config: Config, *, dense: Dense, context: int, batch: int, step_tokens: int) -> Memory:
    """What `batch` sequences of `context` tokens need; a step takes at most `step_tokens`."""
    return Memory(
        weights_bytes(config, dense),
        batch * config.kv_cache_bytes(context),
        activation_bytes(config, step_tokens=max(step_tokens, batch), rows=batch),
    )


def weights_bytes(config: Config, dense: Dense) -> int:
    """Bytes of all weights: MXFP4 experts, the dense matrices as asked, bfloat16 for the rest."""
    num_experts = config.num_hidden_layers * config.num_experts
    return budget.dense_bytes(config, dense) + num_experts * budget.expert_bytes(config)


def _dense_values(config: Config) -> int:
    """Values of the matrices that every token uses: attention's and the output's."""
    attention = config.hidden_size * 2 * (config.query_size + config.key_value_size)
    return config.num_hidden_layers * attention + config.vocab_size * config.hidden_size


def activation_bytes(config: Config, *, step_tokens: int, rows: int) -> int:
    """About what a step holds besides weights and cache: float32 for one layer, and the logits.

    An upper estimate: the widest stage of one layer (attention's, or the chosen experts') beside
    the residual stream; a kernel set may hold less.
    """
    attention = 2 * config.query_size + 2 * config.key_value_size
    experts = config.experts_per_token * (3 * config.intermediate_size + config.hidden_size)
    per_token = 4 * (2 * config.hidden_size + max(attention, experts))
    return step_tokens * per_token + rows * config.vocab_size * 8  # logits in both types


def distinct_experts(config: Config, num_tokens: int) -> float:
    """Experts of a layer that so many tokens use together, if each chooses evenly at random."""
    missed = (1 - config.experts_per_token / config.num_experts) ** num_tokens
    return config.num_experts * (1 - missed)


def decode_work(config: Config, *, dense: Dense, context: int, batch: int) -> Work:
    """One step that gives each of `batch` sequences of `context` tokens one more."""
    experts = config.num_hidden_layers * distinct_experts(config, batch)
    weights = (
        _dense_values(config) * DENSE_BYTES[dense]
        + experts * budget.expert_bytes(config)
        + _small_bytes(config)
    )
    flops = batch * (
        _weight_flops(config) + _output_flops(config) + _attention_flops(config, context)
    )
    return Work(weights + batch * config.kv_cache_bytes(context), flops)


def prefill_work(config: Config, *, dense: Dense, num_tokens: int) -> Work:
    """A prompt of `num_tokens`, from nothing to the logits of its last token."""
    decode = decode_work(config, dense=dense, context=0, batch=num_tokens)
    attention = sum(_attention_flops(config, context) for context in range(1, num_tokens + 1))
    flops = num_tokens * _weight_flops(config) + attention + _output_flops(config)
    return Work(decode.read_bytes, flops)


def _small_bytes(config: Config) -> float:
    """Router, norms, biases and sinks, all bfloat16."""
    per_layer = (
        config.num_experts * (config.hidden_size + 1)
        + 3 * config.hidden_size
        + config.query_size
        + 2 * config.key_value_size
        + config.num_attention_heads
        + config.experts_per_token * (2 * config.intermediate_size + config.hidden_size)
    )
    return 2.0 * (config.num_hidden_layers * per_layer + config.hidden_size)


def _weight_flops(config: Config) -> float:
    """Of one token through all layers, without attention over keys and without the output."""
    per_layer = (
        2 * config.hidden_size * (config.query_size + config.key_value_size)
        + config.num_experts * config.hidden_size
        + config.experts_per_token * config.expert_values
    )
    return 2.0 * config.num_hidden_layers * per_layer


def _output_flops(config: Config) -> float:
    return 2.0 * config.vocab_size * config.hidden_size


def _attention_flops(config: Config, context: int) -> float:
    """Of one query over `context` keys, products with keys and with values."""
    seen = sum(
        min(context, config.window(index) or context) for index in range(config.num_hidden_layers)
    )
    return 4.0 * config.query_size * seen


def predict(
    config: Config,
    *,
    dense: Dense,
    context: int,
    batch: int,
    usable_bytes: int,
    read_bytes_per_s: float,
    peak_flops: float,
) -> Prediction:
    """Memory, and the roofline's speed of `batch` sequences at `context` and of such a prompt."""
    need = memory(config, dense=dense, context=context, batch=batch, step_tokens=STEP_TOKENS)
    decode = decode_work(config, dense=dense, context=context, batch=batch)
    prefill = prefill_work(config, dense=dense, num_tokens=context)
    return Prediction(
        dense,
        need,
        _fit(config, dense, need, usable_bytes),
        batch / decode.seconds(read_bytes_per_s, peak_flops),
        context / prefill.seconds(read_bytes_per_s, peak_flops),
    )


def _fit(config: Config, dense: Dense, need: Memory, usable_bytes: int) -> Fit:
    if need.total <= usable_bytes:
        return "yes"
    try:
        division = budget.plan(config, dense, usable_bytes)
    except NotEnoughMemory:
        return "no"
    return "in part" if need.cache <= division.kv_bytes else "no"
