"""gpt-oss as tensors: configuration, checkpoints, and the transformer from token ids to logits."""

from netweight.model.budget import Dense, usable_bytes
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
from netweight.model.device import DEVICE_STEP_TOKENS, DeviceModel, TritonModel, find_device
from netweight.model.kernels import SamplingKernels, set_num_threads
from netweight.model.kernels.protocol import NOTHING_ALLOWED, UNSOUND, Draws
from netweight.model.loading import load_model, load_transformer
from netweight.model.paged import (
    PAGE_TOKENS,
    Layout,
    PagedCache,
    page_bytes,
    window_page_bytes,
)
from netweight.model.synth import synthesize
from netweight.model.transformer import Transformer

__all__ = [
    "DEVICE_STEP_TOKENS",
    "GPT_OSS_20B",
    "GPT_OSS_120B",
    "KNOWN",
    "NOTHING_ALLOWED",
    "PAGE_TOKENS",
    "UNSOUND",
    "Checkpoint",
    "Config",
    "Dense",
    "DeviceModel",
    "Draws",
    "KnownModel",
    "Layout",
    "ModelFolder",
    "PagedCache",
    "SamplingKernels",
    "Transformer",
    "TritonModel",
    "find_device",
    "find_model",
    "find_shape",
    "load_model",
    "load_transformer",
    "locate",
    "models_folder",
    "page_bytes",
    "set_num_threads",
    "shape_of",
    "synthesize",
    "usable_bytes",
    "window_page_bytes",
]
