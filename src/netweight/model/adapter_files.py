"""LoRA adapters on disk, in the layout that PEFT's `save_pretrained` writes.

A folder with adapter_config.json and adapter_model.safetensors (huggingface/peft, LoraConfig in
src/peft/tuners/lora/config.py). Here are plain adapters of the attention projections and of the
output matrix; whatever would compute something else is refused by name, never left out.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from netweight.errors import AdapterError
from netweight.model.adapter import Adapter, Factors, assemble_adapter
from netweight.model.checkpoint import Checkpoint, read_json
from netweight.model.config import Config
from netweight.model.weights import Linear

Value = TypeVar("Value")

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"

_CAN_ADAPT = "q_proj, k_proj, v_proj, o_proj and lm_head"
_TENSOR = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
_PROJECTION = re.compile(r"model\.layers\.(\d+)\.self_attn\.([qkvo])_proj")
# PEFT saves the matrix itself, too, where lm_head is a target.
_LM_HEAD = "base_model.model.lm_head.base_layer.weight"

# Settings that matter to training only, or that the tensors' names and shapes repeat.
_OF_TRAINING = frozenset({
    "auto_mapping", "base_model_name_or_path", "corda_config", "ensure_weight_tying", "eva_config",
    "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform", "loftq_config",
    "lora_dropout", "lora_ga_config", "megatron_core", "peft_version", "qalora_group_size",
    "revision", "runtime_config", "target_modules", "task_type",
})  # fmt: skip
_HONOURED = frozenset(
    {"peft_type", "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern"}
)
# Other ways to begin, as PiSSA, take what they begin with out of the base model's own weights.
_PLAIN_BEGINNINGS = (True, False, None, "gaussian", "eva", "orthogonal")


def load_adapter(path: Path, checkpoint: Checkpoint, linear: Callable[[Tensor], Linear]) -> Adapter:
    """Read the adapter in folder `path`, which belongs to the model of `checkpoint`.

    `linear` makes what applies a matrix [out, in], given in float32.

    Raises:
        AdapterError: naming the file, setting or tensor that is missing, damaged, not supported, or
            of another model.
    """
    settings = _Settings.read(path)
    tensors = _read_tensors(path)
    head = tensors.pop(_LM_HEAD, None)
    if head is not None and not torch.equal(
        head, checkpoint.tensor("lm_head.weight").to(head.dtype)
    ):
        raise AdapterError(
            f"{path / WEIGHTS_NAME}: {_LM_HEAD} is not the model's own matrix. Train the adapter "
            "on this model, and only its low-rank part."
        )
    pairs: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        module, which = _checked(path, name, tensor, checkpoint.config)
        pairs.setdefault(module, {})[which] = tensor.float()
    if not pairs:
        raise AdapterError(f"{path / WEIGHTS_NAME} adapts nothing. Save the adapter again.")
    factors = {
        module: _factors(path, module, pair, settings, checkpoint.config)
        for module, pair in pairs.items()
    }
    return assemble_adapter(checkpoint.config, factors, linear)


@dataclass(frozen=True)
class _Settings:
    """What adapter_config.json says of ranks and scales."""

    rank: int
    alpha: float
    is_stabilized: bool  # by the root of the rank (arXiv 2312.03732)
    ranks: Mapping[str, int]  # of modules by pattern
    alphas: Mapping[str, float]

    @classmethod
    def read(cls, folder: Path) -> "_Settings":
        """Read the file, refusing what is not plain LoRA."""
        path = folder / CONFIG_NAME
        if not path.is_file():
            raise AdapterError(
                f"{folder} has no {CONFIG_NAME}. Give a folder on this machine that PEFT's "
                "save_pretrained has written."
            )
        data = read_json(path)
        if data.get("peft_type") != "LORA":
            raise AdapterError(
                f"{path}: peft_type is {data.get('peft_type')!r}; only LORA is supported. "
                "Train such an adapter."
            )
        _refuse_others(path, data)
        return cls(
            _rank(path, "r", data.get("r")),
            _alpha(path, "lora_alpha", data.get("lora_alpha")),
            _flag(path, "use_rslora", data.get("use_rslora", False)),
            _patterns(path, data, "rank_pattern", _rank),
            _patterns(path, data, "alpha_pattern", _alpha),
        )

    def rank_of(self, module: str) -> int:
        """The rank that the file gives a module."""
        return _value_for(module, self.ranks, self.rank)

    def scale_of(self, module: str) -> float:
        """What B A is multiplied with."""
        alpha, rank = _value_for(module, self.alphas, self.alpha), self.rank_of(module)
        return alpha / math.sqrt(rank) if self.is_stabilized else alpha / rank


def _value_for(module: str, values: Mapping[str, Value], default: Value) -> Value:
    """That of the first pattern that matches, as PEFT's get_pattern_key looks for it."""
    matching = (
        value for pattern, value in values.items() if re.match(rf"(.*\.)?({pattern})$", module)
    )
    return next(matching, default)


def _refuse_others(path: Path, data: Mapping[str, object]) -> None:
    """Refuse settings that change what is computed, unless they say that they do not."""
    beginning = data.get("init_lora_weights", True)
    if beginning not in _PLAIN_BEGINNINGS:
        raise AdapterError(
            f"{path}: init_lora_weights is {beginning!r}, which changes the base model's weights "
            "too. Save it as plain LoRA: PEFT's save_pretrained does, given "
            "path_initial_model_for_weight_conversion."
        )
    if data.get("bias", "none") != "none":
        raise AdapterError(
            f"{path}: bias is {data['bias']!r}; trained biases are not supported. Train with "
            'bias="none".'
        )
    known = _HONOURED | _OF_TRAINING | {"init_lora_weights", "bias"}
    for name in sorted(data.keys() - known):
        if data[name]:
            value = json.dumps(data[name])
            shown = value if len(value) <= 60 else f"{value[:60]}..."
            raise AdapterError(
                f"{path}: {name} is {shown}, which is not supported: only plain LoRA of "
                f"{_CAN_ADAPT} is. Train without {name}."
            )


def _rank(path: Path, name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise AdapterError(f"{path}: {name} is {value!r}; a rank is a whole number from 1 up.")
    return value


def _alpha(path: Path, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AdapterError(f"{path}: {name} is {value!r}; it must be a number.")
    return float(value)


def _flag(path: Path, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise AdapterError(f"{path}: {name} is {value!r}; it must be true or false.")
    return value


def _patterns(
    path: Path,
    data: Mapping[str, object],
    name: str,
    check: Callable[[Path, str, object], Value],
) -> dict[str, Value]:
    """The values of a setting that has one for each pattern of module names."""
    values = data.get(name) or {}
    if not isinstance(values, dict):
        raise AdapterError(f"{path}: {name} is {values!r}; it must be an object.")
    for pattern in values:
        try:
            re.compile(pattern)
        except re.error as error:
            raise AdapterError(
                f"{path}: {name} has {pattern!r}, which is no regular expression ({error})."
            ) from error
    return {
        pattern: check(path, f"{name} of {pattern}", value) for pattern, value in values.items()
    }


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    path = folder / WEIGHTS_NAME
    if not path.is_file():
        older = folder / "adapter_model.bin"
        remedy = (
            f"Its {older.name} may run code when it is read: convert it by loading and saving it "
            "with PEFT."
            if older.is_file()
            else "Copy it there."
        )
        raise AdapterError(f"{folder} has no {WEIGHTS_NAME}. {remedy}")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise AdapterError(
            f"{path} is truncated or not a safetensors file ({error}); copy it again."
        ) from error


def _checked(folder: Path, name: str, tensor: Tensor, config: Config) -> tuple[str, str]:
    """The module and the factor (A or B) that a tensor belongs to."""
    where = folder / WEIGHTS_NAME
    match = _TENSOR.fullmatch(name)
    if match is None:
        raise AdapterError(
            f"{where}: {name} is no part of plain LoRA, which has lora_A and lora_B of matrices. "
            f"Train only those of {_CAN_ADAPT}."
        )
    module, which = match[1], match[2]
    projection = _PROJECTION.fullmatch(module)
    if projection is None and module != "lm_head":
        raise AdapterError(
            f"{where}: {name} adapts {module}, which is not supported. Train only {_CAN_ADAPT}."
        )
    if projection is not None and int(projection[1]) >= config.num_hidden_layers:
        raise AdapterError(
            f"{where}: {name} is of layer {projection[1]}; the model's last is "
            f"{config.num_hidden_layers - 1}. Give the model that the adapter was trained on."
        )
    if not tensor.is_floating_point() or not bool(torch.isfinite(tensor.float()).all()):
        raise AdapterError(f"{where}: {name} has values that are not finite numbers.")
    return module, which


def _factors(
    folder: Path, module: str, pair: Mapping[str, Tensor], settings: _Settings, config: Config
) -> Factors:
    """A module's factors, the scale in B."""
    rank = settings.rank_of(module)
    rows, columns = _shape_of(module, config)
    for which, shape in (("A", (rank, columns)), ("B", (rows, rank))):
        name = f"base_model.model.{module}.lora_{which}.weight"
        tensor = pair.get(which)
        if tensor is None:
            raise AdapterError(f"{folder / WEIGHTS_NAME} lacks {name}. Save the adapter again.")
        if tensor.shape != shape:
            raise AdapterError(
                f"{folder / WEIGHTS_NAME}: {name} is {list(tensor.shape)}; the model and the rank "
                f"in {CONFIG_NAME}, {rank}, ask for {list(shape)}. Give the model that the adapter "
                f"was trained on, and its own {CONFIG_NAME}."
            )
    return Factors(pair["A"], pair["B"] * settings.scale_of(module))


def _shape_of(module: str, config: Config) -> tuple[int, int]:
    """Rows and columns of the matrix that a module is."""
    hidden, q_size, kv_size = config.hidden_size, config.query_size, config.key_value_size
    if module == "lm_head":
        return config.vocab_size, hidden
    return {
        "q_proj": (q_size, hidden),
        "k_proj": (kv_size, hidden),
        "v_proj": (kv_size, hidden),
        "o_proj": (hidden, q_size),
    }[module.rpartition(".")[2]]
