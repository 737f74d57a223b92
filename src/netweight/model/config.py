"""The shape of a gpt-oss model, and what follows from it by arithmetic.

Reads both published forms of config.json (OpenAI's `original/` and Hugging Face's) into one
`Config` and refuses anything that the transformer here would compute differently. Knows no files
and no tensors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from netweight.errors import ConfigError

Format = Literal["original", "huggingface"]

MXFP4_BLOCK = 32  # values that share a scale: OCP Microscaling Formats v1.0, section 5.2
MXFP4_BLOCK_BYTES = 16


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


@dataclass(frozen=True)
class Config:
    """A gpt-oss architecture. Field names are those of OpenAI's original config.json.

    The defaults are what both published models share. Even layers attend to a sliding window, odd
    layers to everything.
    """

    num_hidden_layers: int
    num_experts: int
    experts_per_token: int = 4
    vocab_size: int = 201_088
    hidden_size: int = 2880
    intermediate_size: int = 2880
    head_dim: int = 64
    num_attention_heads: int = 64
    num_key_value_heads: int = 8
    sliding_window: int = 128
    initial_context_length: int = 4096
    rope_theta: float = 150_000.0
    rope_scaling_factor: float = 32.0
    rope_ntk_alpha: float = 1.0
    rope_ntk_beta: float = 32.0
    swiglu_limit: float = 7.0

    # Constants of the architecture: the original config has no field for them.
    rms_norm_eps = 1e-5
    swiglu_alpha = 1.702

    def __post_init__(self) -> None:
        """Raise ConfigError for a shape that cannot exist."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ConfigError(f"{field.name} is {value!r}; it must be a positive number.")
        _check(self.head_dim % 2 == 0, f"head_dim is {self.head_dim}; RoPE needs an even number.")
        _check(
            self.num_attention_heads % self.num_key_value_heads == 0,
            f"num_attention_heads ({self.num_attention_heads}) is not a multiple of "
            f"num_key_value_heads ({self.num_key_value_heads}).",
        )
        _check(
            self.experts_per_token <= self.num_experts,
            f"experts_per_token ({self.experts_per_token}) exceeds num_experts "
            f"({self.num_experts}).",
        )
        for name in ("hidden_size", "intermediate_size"):
            size = getattr(self, name)
            _check(
                size % MXFP4_BLOCK == 0,
                f"{name} is {size}; MXFP4 weights need a multiple of {MXFP4_BLOCK}.",
            )
        low, high = self.yarn_bounds
        _check(
            0 < low < high < self.head_dim // 2 - 1,
            f"initial_context_length {self.initial_context_length} and head_dim {self.head_dim} "
            f"put YaRN's bounds at {low:.2f} and {high:.2f}, outside the head's frequencies.",
        )

    @property
    def max_context(self) -> int:
        """Tokens that positions were scaled for."""
        return int(self.initial_context_length * self.rope_scaling_factor)

    @property
    def yarn_bounds(self) -> tuple[float, float]:
        """Pairs of head dimensions between which YaRN blends extrapolation into interpolation.

        arXiv 2309.00071, section 3.2; gpt-oss leaves them unrounded.
        """

        def pair_of(num_rotations: float) -> float:
            wavelength = self.initial_context_length / (num_rotations * 2 * math.pi)
            return self.head_dim / 2 * math.log(wavelength) / math.log(self.rope_theta)

        return pair_of(self.rope_ntk_beta), pair_of(self.rope_ntk_alpha)

    @property
    def query_size(self) -> int:
        """Width of all query heads together."""
        return self.num_attention_heads * self.head_dim

    @property
    def key_value_size(self) -> int:
        """Width of all key heads together; values have the same."""
        return self.num_key_value_heads * self.head_dim

    def window(self, layer_index: int) -> int | None:
        """Keys that a query of this layer sees, itself included; None for all."""
        return self.sliding_window if layer_index % 2 == 0 else None

    @property
    def num_parameters(self) -> int:
        """All parameters, as the model card counts them (arXiv 2508.10925, table 1)."""
        return self._num_parameters(self.num_experts) + self.vocab_size * self.hidden_size

    @property
    def num_active_parameters(self) -> int:
        """Parameters one token passes through: the unembedding counts, the embedding does not."""
        return self._num_parameters(self.experts_per_token)

    def _num_parameters(self, num_experts: int) -> int:
        layer = self._num_dense_layer_parameters + num_experts * (
            self.expert_values + 2 * self.intermediate_size + self.hidden_size
        )
        return (
            self.num_hidden_layers * layer + self.hidden_size + self.vocab_size * self.hidden_size
        )

    @property
    def expert_values(self) -> int:
        """Values in the two matrices of one expert."""
        return 3 * self.intermediate_size * self.hidden_size

    @property
    def _num_dense_layer_parameters(self) -> int:
        attention = (
            self.hidden_size * (self.query_size + 2 * self.key_value_size)
            + (self.query_size + 2 * self.key_value_size)
            + self.query_size * self.hidden_size
            + self.hidden_size
            + self.num_attention_heads  # sinks
        )
        router = self.num_experts * (self.hidden_size + 1)
        return attention + router + 2 * self.hidden_size

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes of all tensors: MXFP4 expert weights, bfloat16 for the rest."""
        expert_weights = self.num_hidden_layers * self.num_experts * self.expert_values
        packed = expert_weights // MXFP4_BLOCK * (MXFP4_BLOCK_BYTES + 1)
        return packed + 2 * (self.num_parameters - expert_weights)

    def kv_cache_bytes(self, num_tokens: int) -> int:
        """Bytes of one sequence's bfloat16 keys and values; window layers keep their window."""
        per_token = 2 * 2 * self.key_value_size
        kept = (
            min(num_tokens, self.window(index) or num_tokens)
            for index in range(self.num_hidden_layers)
        )
        return per_token * sum(kept)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> tuple["Config", Format]:
        """Read a config.json of either published form.

        Raises:
            ConfigError: naming the field that is missing, of the wrong type, or describes a
                different
                architecture.
        """
        if "model_type" in data or "num_local_experts" in data:
            return _from_huggingface(data), "huggingface"
        return _from_original(data), "original"

    def to_json(self, form: Format) -> dict[str, object]:
        """The config.json of this shape in either published form."""
        if form == "original":
            return {field.name: getattr(self, field.name) for field in fields(self)}
        return _to_huggingface(self)


GPT_OSS_20B = Config(num_hidden_layers=24, num_experts=32)
GPT_OSS_120B = Config(num_hidden_layers=36, num_experts=128)


def _from_original(data: Mapping[str, object]) -> Config:
    known = {field.name for field in fields(Config)}
    unknown = sorted(set(data) - known)
    _check(not unknown, f"config.json has fields that gpt-oss does not: {', '.join(unknown)}.")
    return Config(**{name: _number(data, name) for name in known})  # type: ignore[arg-type]  # checked above


def _number(data: Mapping[str, object], name: str) -> int | float:
    value = data.get(name)
    wants_int = Config.__annotations__[name] is int
    if isinstance(value, bool) or not isinstance(value, int if wants_int else (int, float)):
        kind = "an integer" if wants_int else "a number"
        state = "is missing" if name not in data else f"is {value!r}"
        raise ConfigError(f"config.json: {name} {state}; it must be {kind}.")
    return value if wants_int else float(value)


# Hugging Face's names where they differ from the original's.
_HUGGINGFACE_NAMES = {
    "num_experts": "num_local_experts",
    "experts_per_token": "num_experts_per_tok",
}
_ROPE_NAMES = {
    "rope_scaling_factor": "factor",
    "rope_ntk_alpha": "beta_slow",
    "rope_ntk_beta": "beta_fast",
    "initial_context_length": "original_max_position_embeddings",
}
# What the transformer here computes; a config that says otherwise describes another model.
_FIXED = {
    "model_type": "gpt_oss",
    "hidden_act": "silu",
    "attention_bias": True,
    "tie_word_embeddings": False,
    "rms_norm_eps": Config.rms_norm_eps,
    "swiglu_alpha": Config.swiglu_alpha,
    "attention_dropout": 0.0,
}


def _from_huggingface(data: Mapping[str, object]) -> Config:
    for name, value in _FIXED.items():
        _check(
            data.get(name, value) == value,
            f"config.json: {name} is {data.get(name)!r}; gpt-oss has {value!r}.",
        )
    rope = _rope_fields(data)
    values: dict[str, object] = {"swiglu_limit": 7.0, "rope_theta": 150_000.0}
    values.update({k: v for k, v in data.items() if k in Config.__annotations__})
    for ours, theirs in _HUGGINGFACE_NAMES.items():
        values[ours] = data.get(theirs, data.get(ours))
    values.update(
        {ours: rope[theirs] for ours, theirs in _ROPE_NAMES.items() if theirs in rope},
        rope_theta=rope.get("rope_theta", values["rope_theta"]),
    )
    config = Config(**{name: _number(values, name) for name in Config.__annotations__})  # type: ignore[arg-type]  # checked by _number
    expected = _layer_types(config)
    _check(
        data.get("layer_types", expected) == expected,
        "config.json: layer_types must alternate sliding_attention and full_attention.",
    )
    return config


def _rope_fields(data: Mapping[str, object]) -> Mapping[str, object]:
    rope = data.get("rope_parameters") or data.get("rope_scaling")
    if not isinstance(rope, Mapping):
        raise ConfigError("config.json has no rope_scaling (or rope_parameters) table.")
    kind = rope.get("rope_type")
    _check(kind == "yarn", f"config.json: rope_type is {kind!r}; gpt-oss has 'yarn'.")
    _check(
        rope.get("truncate") is False,
        f"config.json: rope truncate is {rope.get('truncate')!r}; gpt-oss has False.",
    )
    return rope


def _layer_types(config: Config) -> list[str]:
    return [
        "full_attention" if config.window(index) is None else "sliding_attention"
        for index in range(config.num_hidden_layers)
    ]


def _to_huggingface(config: Config) -> dict[str, object]:
    own = {
        _HUGGINGFACE_NAMES.get(field.name, field.name): getattr(config, field.name)
        for field in fields(config)
        if field.name not in _ROPE_NAMES
    }
    rope = {theirs: getattr(config, ours) for ours, theirs in _ROPE_NAMES.items()}
    return {
        "architectures": ["GptOssForCausalLM"],
        **_FIXED,
        **own,
        "initial_context_length": config.initial_context_length,
        "max_position_embeddings": config.max_context,
        "layer_types": _layer_types(config),
        "rope_scaling": {"rope_type": "yarn", "truncate": False, **rope},
        "quantization_config": {
            "quant_method": "mxfp4",
            "modules_to_not_convert": [
                "model.layers.*.self_attn",
                "model.layers.*.mlp.router",
                "model.embed_tokens",
                "lm_head",
            ],
        },
    }
