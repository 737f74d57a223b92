"""What sections of `benchmarks.gpu` share: the device, sizes, random numbers, and models."""

import gc
import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TypeVar

import torch

from benchmarks.gpu_models import random_model, write_checkpoint
from netweight.bench import Limits, measure_device, ours
from netweight.model import GPT_OSS_20B, GPT_OSS_120B, Config, TritonModel
from netweight.model.config import Format
from netweight.model.kernels.gpu.interpreter import mend

SHAPES = {"20b": GPT_OSS_20B, "120b": GPT_OSS_120B}
# For trying the sections out under the interpreter.
_SMALL = Config(
    num_hidden_layers=2,
    num_experts=4,
    experts_per_token=2,
    vocab_size=160,
    hidden_size=64,
    intermediate_size=96,
    head_dim=16,
    num_attention_heads=8,
    num_key_value_heads=2,
    sliding_window=8,
    initial_context_length=512,
    rope_scaling_factor=4.0,
)
SMALL_SHAPES = {"20b": _SMALL, "120b": replace(_SMALL, num_experts=8)}
NUM_LAYERS = 4  # of checkpoints for comparisons

T = TypeVar("T")


class Bench:
    """A device, and what was made there."""

    def __init__(self, device: torch.device, folder: Path, *, small: bool, seed: int) -> None:
        """Nothing is made yet; checkpoints go to `folder`."""
        if device.type == "cuda":
            torch.cuda.set_device(device)  # for kernels that are launched by themselves
        mend()  # of the interpreter, likewise
        self.device, self.folder, self.small, self.seed = device, folder, small, seed
        self.dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        self.generator = torch.Generator(device).manual_seed(seed)
        self.host_generator = torch.Generator().manual_seed(seed)
        self.environment = dict(os.environ)
        self._deadline = float("inf")
        self._model: tuple[str, TritonModel, ours.Caches] | None = None

    def begin(self, seconds: float) -> None:
        """A section begins that has so long."""
        self._deadline = monotonic() + seconds

    def left_s(self) -> float:
        """What it has left, but for a little."""
        return max(1.0, self._deadline - monotonic() - 3.0)

    def pick(self, full: T, small: T) -> T:
        """A size, or what stands for it while trying out."""
        return small if self.small else full

    def shape(self, name: str) -> Config:
        """The shape called 20b or 120b."""
        return (SMALL_SHAPES if self.small else SHAPES)[name]

    @cached_property
    def limits(self) -> Limits:
        """What the device can do."""
        if self.small:
            return measure_device(self.device, num_repeats=2, buffer_bytes=1 << 16, side=32)
        return measure_device(self.device)

    def model(self, name: str) -> tuple[TritonModel, ours.Caches]:
        """Random weights of a whole shape, kept until another's are asked for, and its caches."""
        if self._model is None or self._model[0] != name:
            self.drop()
            made = random_model(self.shape(name), self.device, self.dtype, seed=self.seed)
            self._model = (name, made, ours.Caches(made))
        return self._model[1:]

    def checkpoint(
        self, name: str, *, num_layers: int = NUM_LAYERS, form: Format = "huggingface"
    ) -> Path:
        """A random checkpoint of some layers of a shape, made once."""
        config = self.shape(name)
        num_layers = min(num_layers, config.num_hidden_layers)
        path = self.folder / f"{name}-{num_layers}-{form}"
        if not (path / "complete").exists():
            shape = replace(config, num_hidden_layers=num_layers)
            write_checkpoint(shape, path, self.device, form=form, seed=self.seed)
            (path / "complete").touch()
        return path

    def drop(self) -> None:
        """Let go of the model that is kept."""
        self._model = None
        self.free()

    def free(self) -> None:
        """Give back what nothing refers to."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
