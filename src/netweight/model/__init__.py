"""gpt-oss as tensors: configuration, checkpoints, and the transformer from token ids to logits."""

from netweight.model.catalog import (
    KNOWN,
    KnownModel,
    ModelFolder,
    find_model,
    find_shape,
    locate,
    models_folder,
    shape_of,
)
from netweight.model.checkpoint import Checkpoint
from netweight.model.config import GPT_OSS_20B, GPT_OSS_120B, Config
from netweight.model.synth import synthesize
from netweight.model.transformer import KVCache, Transformer

__all__ = [
    "GPT_OSS_20B",
    "GPT_OSS_120B",
    "KNOWN",
    "Checkpoint",
    "Config",
    "KVCache",
    "KnownModel",
    "ModelFolder",
    "Transformer",
    "find_model",
    "find_shape",
    "locate",
    "models_folder",
    "shape_of",
    "synthesize",
]
