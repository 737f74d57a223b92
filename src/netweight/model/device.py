"""A transformer on a device, as the engine sees it: what goes there, what comes back, and graphs.

What a step needs goes to the device in a few copies that the host does not wait for. A step of one
token per sequence is launched as one CUDA graph, captured when its size comes up for the second
time: some five hundred launches of microseconds' work each cost the host more than the device.
On a device without graphs the same steps run over the same buffers one launch after another.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.errors import NetweightError
from netweight.model.adapter import Adapter
from netweight.model.budget import Budget, usable_bytes
from netweight.model.config import Config
from netweight.model.device_layout import DeviceLayout, device_layout, layout_size
from netweight.model.kernels import SamplingKernels
from netweight.model.kernels.protocol import Draws
from netweight.model.offload import OffloadedExperts
from netweight.model.paged import PAGE_TOKENS, Layout, PagedCache
from netweight.model.transformer import Transformer

# Steps of so many sequences have a graph; others are filled up to the next of these, with sequences
# that store nothing but choose experts, so that in between a step costs a little more.
GRAPH_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
DEVICE_STEP_TOKENS = 8192  # tokens of one step at most: enough for matrix units to be busy
DEVICE_STEP_ROWS = 256  # rows of logits of one step at most
_MOVED_BYTES = 64 << 20  # of experts between two steps: some milliseconds of the bus
_FEWEST_PAGES = 64  # of a graph's tables: contexts of up to 1,024 tokens share their graphs


def find_device(name: str | None) -> torch.device:
    """The device called `name`, as cpu, cuda or cuda:1; None: the first CUDA device, if any.

    Raises:
        NetweightError: when there is no such device here.
    """
    if name is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")  # no device of ours
    if device.type not in ("cpu", "cuda"):
        raise NetweightError(f"no device is called {name!r}; say cpu, cuda, or cuda:1 and so on.")
    if device.type == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        why = (
            "torch was built without CUDA (pip install torch brings a build with it)"
            if torch.version.cuda is None
            else "torch finds no NVIDIA driver or GPU (nvidia-smi shows what there is)"
        )
        raise NetweightError(f"{name} cannot be used: {why}. Use --device cpu.")
    index = device.index or 0
    if index >= torch.cuda.device_count():
        raise NetweightError(
            f"there is no {name}: this machine has cuda:0"
            + (
                f" to cuda:{torch.cuda.device_count() - 1}."
                if torch.cuda.device_count() > 1
                else " only."
            )
        )
    return torch.device("cuda", index)


def device_memory(device: torch.device) -> tuple[int, int]:
    """Bytes that are free on a device, and all that it has."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return free, total
    return usable_bytes(), usable_bytes()


class DeviceModel:
    """A model whose logits are brought to the host: for kernel sets that do not draw."""

    def __init__(self, transformer: Transformer, device: torch.device) -> None:
        """Put a transformer, all of whose weights are on `device`, before an engine."""
        self.transformer = transformer
        self.device = device

    @property
    def config(self) -> Config:
        """The model's shape."""
        return self.transformer.config

    @property
    def budget(self) -> Budget | None:
        """What memory keys and values may use."""
        return self.transformer.budget

    @property
    def sampling(self) -> SamplingKernels | None:
        """None: the host draws in torch."""
        return None

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        """What sequences may have, by name."""
        return self.transformer.adapters

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """An empty cache on the device."""
        return PagedCache(
            self.config, num_pages, num_window_pages, self.transformer.dtype, self.device
        )

    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """As `Transformer.step`: from the CPU, to the CPU."""
        moved = Layout(
            *(
                part.to(self.device)
                for part in (layout.positions, layout.starts, layout.pages, layout.window_pages)
            )
        )
        logits = self.transformer.step(
            token_ids.to(self.device), moved, cache, rows.to(self.device), adapters
        )
        return logits.cpu()


class _Size(NamedTuple):
    """What steps that share a graph have in common."""

    num_sequences: int
    num_pages: int  # columns of the tables
    cache: PagedCache  # where the graph's keys and values are, kept as long as the graph


@dataclass
class _Step:
    """A step of one token per sequence, over buffers that stay where they are."""

    token_ids: Tensor  # int64 [sequences]
    buffer: Tensor  # int32, a DeviceLayout's
    rows: Tensor  # int64 [sequences]
    graph: torch.cuda.CUDAGraph | None = None


class TritonModel(DeviceModel):
    """A model that draws where its logits are, and takes what it drew before anybody saw it."""

    is_ahead = True

    def __init__(
        self,
        transformer: Transformer,
        device: torch.device,
        experts: OffloadedExperts | None = None,
    ) -> None:
        """As `DeviceModel`, for a transformer on the Triton kernels.

        `experts` are its own, where they are not all on the device.
        """
        super().__init__(transformer, device)
        self._experts = experts
        self._steps: dict[_Size, _Step] = {}
        self._last_graph: torch.cuda.CUDAGraph | None = None
        num_rows = GRAPH_SIZES[-1] if device.type == "cuda" else 0
        self._logits = torch.empty((num_rows, self.config.vocab_size), device=device)  # of graphs

    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """As `Transformer.step`: from the CPU; the logits stay on the device."""
        return self.step_from(token_ids, None, layout, cache, rows, adapters)

    def step_from(
        self,
        token_ids: Tensor,
        previous: Tensor | None,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """As `step`; a token id -1 - i stands for element i of `previous`, what `draw` returned."""
        with self._current():
            return self._step(token_ids, previous, layout, cache, rows, adapters)

    def _step(
        self,
        token_ids: Tensor,
        previous: Tensor | None,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        if self._experts is not None:
            self._experts.rebalance(_MOVED_BYTES)
        ids = _resolved(self._moved(token_ids), previous)
        num_sequences = layout.starts.numel() - 1
        is_decode = num_sequences == token_ids.numel() == rows.numel()
        is_plain = all(name is None for name in adapters)
        if is_decode and is_plain and num_sequences <= GRAPH_SIZES[-1]:
            return self._decode(ids, layout, cache)
        moved = device_layout(layout, self.device)
        return self._forward(ids, moved, cache, self._moved(rows), adapters)

    @torch.inference_mode()
    def draw(self, logits: Tensor, draws: Draws) -> Tensor:
        """Token ids int32 [rows] on the device; NOTHING_ALLOWED or UNSOUND where there is none."""
        with self._current():
            return self._draw(logits, draws)

    def _draw(self, logits: Tensor, draws: Draws) -> Tensor:
        from netweight.model.kernels.gpu import sampling

        settings = (draws.temperature, draws.min_p, draws.top_k, draws.top_p)
        numbers = torch.stack([draws.points, *(one.double() for one in settings)])
        points, temperature, min_p, top_k, top_p = self._moved(numbers)
        return sampling.draw(
            logits,
            points,
            temperature.float(),
            min_p=min_p.float() if bool((draws.min_p > 0).any()) else None,
            top_k=top_k.int() if bool((draws.top_k > 0).any()) else None,
            top_p=top_p.float() if bool((draws.top_p < 1).any()) else None,
            bits=None if draws.bits is None else self._moved(draws.bits),
        )

    def _decode(self, ids: Tensor, layout: Layout, cache: PagedCache) -> Tensor:
        """Logits [sequences, vocab] after one token of each sequence."""
        num_sequences = ids.numel()
        size = _size(layout, cache)
        is_new = size not in self._steps
        if is_new:
            self._steps[size] = self._new_step(size)
        step = self._steps[size]
        step.token_ids[:num_sequences] = ids
        on_device = device_layout(
            layout,
            self.device,
            num_sequences=size.num_sequences,
            max_pages=size.num_pages,
            max_context=size.num_pages * PAGE_TOKENS,
            buffer=step.buffer,
        )
        if self.device.type != "cuda" or is_new:  # kernels are compiled before they are captured
            logits = self._forward(step.token_ids, on_device, cache, step.rows)
            return logits[:num_sequences]
        if step.graph is None:
            step.graph = self._captured(step, on_device, cache)
        step.graph.replay()
        return self._logits[:num_sequences]

    def _captured(
        self, step: _Step, layout: DeviceLayout, cache: PagedCache
    ) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        pool = None if self._last_graph is None else self._last_graph.pool()
        with torch.cuda.graph(graph, pool=pool):  # graphs never run at once, and share memory
            logits = self._forward(step.token_ids, layout, cache, step.rows)
            # In one place for all graphs: each would keep its own, of up to 51 MB.
            self._logits[: step.rows.numel()] = logits
        self._last_graph = graph
        return graph

    def _new_step(self, size: _Size) -> _Step:
        num_sequences, num_pages, _ = size
        num_numbers = layout_size(num_sequences, num_sequences, num_pages, 0)
        return _Step(
            torch.zeros(num_sequences, dtype=torch.int64, device=self.device),
            torch.empty(num_numbers, dtype=torch.int32, device=self.device),
            torch.arange(num_sequences, device=self.device),
        )

    def _forward(
        self,
        ids: Tensor,
        layout: DeviceLayout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        return self.transformer.step(ids, layout, cache, rows, adapters)

    def _current(self) -> AbstractContextManager[object]:
        """Triton launches on the current device, which each thread has its own of."""
        return torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext()

    def _moved(self, tensor: Tensor) -> Tensor:
        """A tensor of the CPU on the device; the host does not wait."""
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)


def _size(layout: Layout, cache: PagedCache) -> _Size:
    num_sequences, num_pages = layout.pages.shape
    return _Size(
        next(size for size in GRAPH_SIZES if size >= num_sequences),
        max(_FEWEST_PAGES, 1 << (num_pages - 1).bit_length()),
        cache,
    )


def _resolved(token_ids: Tensor, previous: Tensor | None) -> Tensor:
    if previous is None:
        return token_ids
    places = (-1 - token_ids).clamp(min=0)
    return torch.where(token_ids < 0, previous[places].long(), token_ids)
