"""One model on several processes, the ranks: each computes its shard, and they add up.

Rank 0 has the model as the engine sees it. It announces each call to the other ranks, which follow
with the same call on their shards; what the shards compute is summed within the layers, and logits
are gathered on rank 0. Tensors travel over NCCL between GPUs and over gloo between processors,
announcements always over gloo, as numbers.

Every rank has to choose the same experts, so every rank has to have the same bits between layers.
It does: a sum is made once and then sent to all (NCCL's rings and trees and gloo's ring alike), and
what is not divided is computed everywhere by the same kernels from the same numbers.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import pad

from netweight.errors import NetweightError
from netweight.model import device_budget
from netweight.model.budget import WORKING_BYTES, Budget, usable_bytes
from netweight.model.checkpoint import Checkpoint
from netweight.model.config import Config
from netweight.model.device import (
    DEVICE_STEP_ROWS,
    DEVICE_STEP_TOKENS,
    DeviceModel,
    TritonModel,
    device_memory,
)
from netweight.model.kernels import REFERENCE, Kernels, select_on
from netweight.model.kernels.protocol import Draws, SamplingKernels
from netweight.model.paged import Layout, PagedCache
from netweight.model.sharding import Shard, load_shard, plan_shard
from netweight.model.transformer import Transformer
from netweight.model.weights import LayerWeights, Unembedding, Weights

log = logging.getLogger(__name__)

_STEP_S = 300.0  # that a rank waits for the others in a layer: the first step may compile kernels
_FAILURE_S = 10.0  # that a rank waits for the others to fail as well
_IDLE = timedelta(days=365)  # between two announcements; a rank that has died is noticed at once

# Of each GPU, not measured: one part in so many is left to others; the context, libraries, graphs
# and NCCL's buffers take so many bytes.
_LEFT_OVER = 50
_DEVICE_BYTES = 2 << 30

# An announcement begins with its length, and its first message has this many numbers always, so
# that most take one message only.
_OPENING = 1024


class Ranks:
    """The group of processes that share a model; each has one of these."""

    def __init__(self, device: torch.device, step_s: float, failure_s: float) -> None:
        """Meet the other ranks; `join` says what this needs."""
        is_cuda = device.type == "cuda"
        dist.init_process_group(
            "nccl" if is_cuda else "gloo",
            timeout=timedelta(seconds=step_s),
            device_id=device if is_cuda else None,
        )
        self.device = device
        self.shard = Shard(dist.get_rank(), dist.get_world_size())
        self._announcements = dist.new_group(backend="gloo", timeout=_IDLE)
        self._failures = dist.new_group(backend="gloo", timeout=timedelta(seconds=failure_s))
        self._num_calls = 0  # so far, of those that put layers together

    @classmethod
    def join(
        cls, device: torch.device, *, step_s: float = _STEP_S, failure_s: float = _FAILURE_S
    ) -> "Ranks":
        """Meet the other ranks, which torchrun's environment variables tell of; waits for them.

        Args:
            device: what this rank computes on.
            step_s: how long to wait for the others within a step.
            failure_s: how long to wait, when a step has failed here, for it to fail there.
        """
        if device.type == "cuda":
            torch.cuda.set_device(device)
        return cls(device, step_s, failure_s)

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0."""
        return self.shard.rank == 0

    def sum(self, x: Tensor) -> Tensor:
        """The sum of x [...] over all ranks, in place; the same bits everywhere."""
        self._num_calls += 1
        dist.all_reduce(x)
        return x

    def gather(self, x: Tensor) -> list[Tensor]:
        """Each rank's x, of one shape, on rank 0; elsewhere nothing."""
        self._num_calls += 1
        parts = [torch.empty_like(x) for _ in range(self.shard.num_ranks)] if self.is_first else []
        dist.gather(x, parts or None, dst=0)
        return parts

    def share(self, x: Tensor) -> Tensor:
        """Rank 0's x, which has the shape and type of x here, in place."""
        self._num_calls += 1
        dist.broadcast(x, src=0)
        return x

    def smallest(self, number: int) -> int:
        """The smallest of all ranks' numbers; waits for them.

        Raises:
            NetweightError: when a rank has gone.
        """
        numbers = torch.tensor([number])
        try:
            dist.all_reduce(numbers, dist.ReduceOp.MIN, group=self._announcements)
        except RuntimeError as error:
            raise NetweightError(
                f"rank {self.shard.rank} has lost another rank, and cannot go on. Start them again."
            ) from error
        return int(numbers)

    def announce(self, numbers: Tensor) -> None:
        """Send int64 [n] on the CPU from rank 0; the others `hear` it.

        Raises:
            RuntimeError: when a rank has gone.
        """
        opening = torch.zeros(_OPENING, dtype=torch.int64)
        opening[0] = len(numbers)
        opening[1 : 1 + len(numbers)] = numbers[: _OPENING - 1]
        dist.broadcast(opening, src=0, group=self._announcements)
        if len(numbers) > _OPENING - 1:
            dist.broadcast(numbers[_OPENING - 1 :], src=0, group=self._announcements)

    def hear(self) -> Tensor:
        """What rank 0 announces next; waits for it, as long as rank 0 lives.

        Raises:
            RuntimeError: when rank 0 has gone.
        """
        opening = torch.empty(_OPENING, dtype=torch.int64)
        dist.broadcast(opening, src=0, group=self._announcements)
        num_left = int(opening[0]) - (_OPENING - 1)
        if num_left <= 0:
            return opening[1 : 1 + int(opening[0])]
        rest = torch.empty(num_left, dtype=torch.int64)
        dist.broadcast(rest, src=0, group=self._announcements)
        return torch.cat([opening[1:], rest])

    def agree(self) -> bool:
        """Whether all ranks have come to this same place after as many calls, and soon enough."""
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.shard.num_ranks)]
        try:
            dist.all_gather(counts, torch.tensor([self._num_calls]), group=self._failures)
        except RuntimeError as error:  # a rank has gone, or has not come in time
            log.warning("rank %d is left alone: %s", self.shard.rank, error)
            return False
        return all(bool(count == self._num_calls) for count in counts)

    def leave(self) -> None:
        """Part in order; the others have to do so as well."""
        dist.destroy_process_group()


@runtime_checkable
class PartialMixture(Protocol):
    """The experts of one layer that are here."""

    def partial(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """As Mixture, in float32 before it is rounded; a negative choice is none."""
        ...


@runtime_checkable
class WideLinear(Protocol):
    """A matrix [out, in] and its bias [out]."""

    @property
    def bias(self) -> Tensor | None:
        """What is added to its sums."""
        ...

    def sums(self, x: Tensor) -> Tensor:
        """Float32 [tokens, out], before the bias and before it is rounded."""
        ...


@dataclass(frozen=True)
class RankLinear:
    """A matrix divided by columns among ranks, each with its part of the inputs, and a bias."""

    part: WideLinear  # [out, in / ranks]
    bias: Tensor  # float32 [out], whole, on every rank
    ranks: Ranks

    def __call__(self, x: Tensor) -> Tensor:
        """See Linear; x is this rank's part, and the result the whole."""
        y = self.ranks.sum(self.part.sums(x))
        return (y + self.bias).to(x.dtype)  # rounds once, after the bias


@dataclass(frozen=True)
class RankMixture:
    """The experts of one layer, divided among ranks."""

    experts: PartialMixture  # numbered from 0 here
    first: int  # what the first of them is among all
    count: int
    ranks: Ranks

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """See Mixture."""
        place = chosen - self.first
        is_here = (place >= 0) & (place < self.count)
        mixed = self.experts.partial(x, weights, torch.where(is_here, place, -1))
        return self.ranks.sum(mixed).to(x.dtype)  # rounds once, after the sum over all experts


@dataclass(frozen=True)
class RankUnembedding:
    """An output matrix divided by rows of the vocabulary."""

    part: Unembedding
    vocab_size: int
    ranks: Ranks

    def logits(self, x: Tensor) -> Tensor:
        """See Unembedding; on other ranks than the first, their part of it."""
        logits = self.part.logits(x)
        if logits.shape[0] == 0:  # no logits are wanted of this step, on any rank
            return logits.new_empty((0, self.vocab_size))
        width = -(-self.vocab_size // self.ranks.shard.num_ranks)
        parts = self.ranks.gather(pad(logits, (0, width - logits.shape[1])))
        return torch.cat(parts, dim=-1)[:, : self.vocab_size] if parts else logits


def joined(weights: Weights, config: Config, ranks: Ranks) -> Weights:
    """A shard's weights, their partial results put together with those of the other ranks.

    Every layer's `out` is a WideLinear with a bias, and its mixture a PartialMixture.
    """
    first, stop = ranks.shard.span(config.num_experts)

    def out(layer: LayerWeights) -> RankLinear:
        assert isinstance(layer.out, WideLinear), "a matrix whose sums cannot be had"
        assert layer.out.bias is not None, "an output projection has a bias"
        return RankLinear(layer.out, layer.out.bias.float(), ranks)

    def mixture(layer: LayerWeights) -> RankMixture:
        assert isinstance(layer.mixture, PartialMixture), "experts without a partial sum"
        return RankMixture(layer.mixture, first, stop - first, ranks)

    return replace(
        weights,
        layers=[replace(layer, out=out(layer), mixture=mixture(layer)) for layer in weights.layers],
        unembedding=RankUnembedding(weights.unembedding, config.vocab_size, ranks),
    )


def load_rank(
    path: Path,
    ranks: Ranks,
    *,
    dtype: torch.dtype = torch.bfloat16,
    memory_bytes: int | None = None,
    kernel_set: Kernels | None = None,
) -> Transformer | DeviceModel:
    """Load this rank's shard of a checkpoint folder, and meet the other ranks.

    Its `config` is that of the shard, whose pages hold fewer heads, and its `budget` the same on
    all ranks. Rank 0 makes a model of it by `lead`, the others `follow`.

    Args:
        path: the folder.
        ranks: that share the model.
        dtype: of what flows between the layers.
        memory_bytes: what this rank's weights, keys and values may use together; else most of what
            is free on its GPU, or its share of that on the CPU.
        kernel_set: the reference kernels or Triton's; None: Triton's on GPUs that run them.

    Raises:
        CheckpointError: naming what is missing, misshapen or damaged.
        NotEnoughMemory: when the shard cannot run in `memory_bytes`.
        NetweightError: when so many ranks cannot share the model, or one has gone.
    """
    checkpoint, device = Checkpoint.open(path), ranks.device
    config = ranks.shard.config(checkpoint.config)
    if kernel_set is None:
        on_triton = device.type == "cuda" and checkpoint.packed
        kernel_set = select_on(device) if on_triton else REFERENCE
    free_bytes, working_bytes = _memory(config, dtype, ranks)
    total_bytes = free_bytes if memory_bytes is None else memory_bytes
    budget = plan_shard(checkpoint, ranks.shard, total_bytes, working_bytes)
    weights = load_shard(checkpoint, ranks.shard, dtype, kernel_set, device)
    weights = joined(weights, config, ranks)
    budget = Budget(ranks.smallest(budget.kv_bytes), None)
    transformer = Transformer(config, weights, kernel_set, budget)
    if kernel_set is not REFERENCE:
        return TritonModel(transformer, device)
    return transformer if device.type == "cpu" else DeviceModel(transformer, device)


def _memory(config: Config, dtype: torch.dtype, ranks: Ranks) -> tuple[int, int]:
    """Bytes that this rank may use where nothing else is said, and what it works in."""
    if ranks.device.type == "cpu":
        return usable_bytes() // ranks.shard.num_ranks, WORKING_BYTES
    free, total = device_memory(ranks.device)
    step = device_budget.working_bytes(config, dtype, DEVICE_STEP_TOKENS, DEVICE_STEP_ROWS)
    return free - total // _LEFT_OVER, step + _DEVICE_BYTES


class ShardModel(Protocol):
    """A shard as it is called, on every rank alike; `load_rank` gives one."""

    @property
    def config(self) -> Config:
        """The shard's shape."""
        ...

    @property
    def sampling(self) -> SamplingKernels | None:
        """What draws from its logits fastest."""
        ...

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """An empty cache for the shard's heads."""
        ...

    def step(self, token_ids: Tensor, layout: Layout, cache: PagedCache, rows: Tensor) -> Tensor:
        """As `Transformer.step`, without adapters."""
        ...


class DrawingShard(ShardModel, Protocol):
    """A shard on a device that takes tokens from the draw before, which rank 0 makes."""

    @property
    def is_ahead(self) -> bool:
        """Whether it does."""
        ...

    def step_from(
        self,
        token_ids: Tensor,
        previous: Tensor | None,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        """As `step`; a token id -1 - i stands for element i of `previous`."""
        ...

    def draw(self, logits: Tensor, draws: Draws) -> Tensor:
        """Token ids [rows]."""
        ...


_STOP, _NEW_CACHE, _STEP, _STEP_FROM = range(4)


class StepCall(NamedTuple):
    """A step as rank 0 announces it."""

    token_ids: Tensor  # int64 [tokens]
    layout: Layout
    rows: Tensor  # int64 [rows]
    num_previous: int | None = None  # tokens of the draw before it; None: it is a plain step

    def to_numbers(self) -> Tensor:
        """The call as int64 [n]: kind, sizes, and all tensors one after another."""
        layout, previous = self.layout, self.num_previous
        sizes = (len(self.token_ids), *layout.pages.shape, layout.window_pages.shape[1])
        kind = _STEP if previous is None else _STEP_FROM
        head = torch.tensor([kind, *sizes, len(self.rows), previous or 0])
        tensors = (self.token_ids, layout.positions, layout.starts, layout.pages)
        parts = [x.flatten().long() for x in (*tensors, layout.window_pages, self.rows)]
        return torch.cat([head, *parts])

    @classmethod
    def of_numbers(cls, numbers: Tensor) -> "StepCall":
        """The call that `to_numbers` has made these of."""
        kind, tokens, sequences, pages, window_pages, rows, previous = numbers[:7].tolist()
        sizes = [tokens, tokens, sequences + 1, sequences * pages, sequences * window_pages, rows]
        parts = numbers[7:].split(sizes)
        positions, starts, table, window_table = (part.int() for part in parts[1:5])
        layout = Layout(
            positions,
            starts,
            table.view(sequences, pages),
            window_table.view(sequences, window_pages),
        )
        return cls(parts[0], layout, parts[5], previous if kind == _STEP_FROM else None)


class ParallelModel:
    """The model of all ranks together, as the engine on rank 0 sees it.

    A call that fails on all ranks at the same place, as one with a bad token id does, raises here
    and changes nothing. After any other failure the ranks are no longer together: `is_lost`, every
    further call raises, and the process should end.
    """

    def __init__(
        self, shard: ShardModel, ranks: Ranks, on_loss: Callable[[], None] = lambda: None
    ) -> None:
        """Lead with rank 0's shard; the other ranks `follow`. `on_loss` is called once, if ever."""
        assert ranks.is_first, "rank 0 leads"
        self._shard, self._ranks, self._on_loss = shard, ranks, on_loss
        self._cache: PagedCache | None = None
        self.is_lost = False

    @property
    def config(self) -> Config:
        """The shape of a shard: that of the model but for the number of heads."""
        return self._shard.config

    @property
    def sampling(self) -> SamplingKernels | None:
        """What draws from logits fastest."""
        return self._shard.sampling

    @property
    def adapters(self) -> Collection[str]:
        """None: ranks have no adapters."""
        return ()

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """This rank's part of an empty cache; it takes the place of the one before it.

        Raises:
            NetweightError: when a rank has failed.
        """
        self._announce(torch.tensor([_NEW_CACHE, num_pages, num_window_pages]))
        self._cache = self._shard.new_cache(num_pages, num_window_pages)
        if not self._ranks.agree():
            raise self._lost("a rank could not reserve memory for keys and values")
        return self._cache

    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None] = (),
    ) -> Tensor:
        """See `Transformer.step`.

        Raises:
            NetweightError: when the ranks are no longer together.
        """
        self._check(cache, adapters)
        self._announce(StepCall(token_ids, layout, rows).to_numbers())
        return self._together(lambda: self._shard.step(token_ids, layout, cache, rows))

    def close(self) -> None:
        """End the other ranks' following, unless they are lost."""
        if not self.is_lost:
            self._announce(torch.tensor([_STOP]))
            self._ranks.leave()

    def _check(self, cache: PagedCache, adapters: Sequence[str | None]) -> None:
        assert cache is self._cache, "the other ranks have a newer cache"
        assert all(name is None for name in adapters), "ranks have no adapters"

    def _announce(self, numbers: Tensor) -> None:
        if self.is_lost:
            raise NetweightError("the ranks that share the model have stopped. Start them again.")
        try:
            self._ranks.announce(numbers)
        except RuntimeError as error:
            raise self._lost("a rank has gone") from error

    def _together(self, step: Callable[[], Tensor]) -> Tensor:
        try:
            return step()
        except Exception as error:
            if self._ranks.agree():
                raise
            raise self._lost(f"a step failed on some ranks only ({error})") from error

    def _lost(self, why: str) -> NetweightError:
        self.is_lost = True
        log.error("the ranks that share the model are lost: %s", why)
        self._on_loss()
        return NetweightError(f"{why}, and the others cannot go on without it. Start them again.")


class DrawingParallelModel(ParallelModel):
    """The same, of shards that take tokens from the draw before, which rank 0 makes."""

    def __init__(
        self, shard: DrawingShard, ranks: Ranks, on_loss: Callable[[], None] = lambda: None
    ) -> None:
        """As ParallelModel."""
        super().__init__(shard, ranks, on_loss)
        self._drawing = shard

    @property
    def is_ahead(self) -> bool:
        """Whether a step may be announced before the token is known that it takes."""
        return self._drawing.is_ahead

    def step_from(
        self,
        token_ids: Tensor,
        previous: Tensor | None,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        """As `step`; a token id -1 - i stands for element i of `previous`, what `draw` returned.

        Raises:
            NetweightError: as `step` does.
        """
        self._check(cache, adapters)
        num_previous = 0 if previous is None else len(previous)
        self._announce(StepCall(token_ids, layout, rows, num_previous).to_numbers())

        def step() -> Tensor:
            # The ids go from device to device, where the host need not wait for them.
            shared = None if previous is None else self._ranks.share(previous.long())
            return self._drawing.step_from(token_ids, shared, layout, cache, rows, adapters)

        return self._together(step)

    def draw(self, logits: Tensor, draws: Draws) -> Tensor:
        """Token ids [rows] where the logits are: on rank 0 alone."""
        return self._drawing.draw(logits, draws)


def lead(
    shard: Transformer | DeviceModel, ranks: Ranks, on_loss: Callable[[], None] = lambda: None
) -> ParallelModel:
    """The model of all ranks, on rank 0, of what `load_rank` has loaded."""
    if isinstance(shard, TritonModel):
        return DrawingParallelModel(shard, ranks, on_loss)
    return ParallelModel(shard, ranks, on_loss)


def follow(shard: ShardModel | DrawingShard, ranks: Ranks) -> None:
    """Do as rank 0 announces, until it says stop.

    Raises:
        NetweightError: when rank 0 has gone, or a call has failed here and not on all ranks.
    """
    cache: PagedCache | None = None
    while True:
        numbers = _heard(ranks)
        kind = int(numbers[0])
        if kind == _STOP:
            ranks.leave()
            return
        if kind == _NEW_CACHE:
            cache = _same_cache(shard, ranks, *numbers[1:].tolist())
            continue
        assert cache is not None, "a step without a cache"
        try:
            _take(shard, ranks, StepCall.of_numbers(numbers), cache)
        except Exception as error:
            if not ranks.agree():  # else rank 0 tells whoever asked for it
                raise _failed_alone(ranks, error) from error


def _heard(ranks: Ranks) -> Tensor:
    try:
        return ranks.hear()
    except RuntimeError as error:
        raise NetweightError(
            f"rank {ranks.shard.rank} has lost rank 0 and cannot go on alone. Start them again."
        ) from error


def _same_cache(
    shard: ShardModel, ranks: Ranks, num_pages: int, num_window_pages: int
) -> PagedCache:
    try:
        cache = shard.new_cache(num_pages, num_window_pages)
    except RuntimeError as error:  # as torch's for memory that is not there
        raise _failed_alone(ranks, error) from error
    if not ranks.agree():
        raise NetweightError(f"rank {ranks.shard.rank} has lost the others. Start them again.")
    return cache


def _failed_alone(ranks: Ranks, error: Exception) -> NetweightError:
    return NetweightError(
        f"rank {ranks.shard.rank} has failed, and not all others with it: "
        f"{type(error).__name__}: {error}"
    )


def _take(
    shard: ShardModel | DrawingShard, ranks: Ranks, call: StepCall, cache: PagedCache
) -> None:
    """A step of this rank's shard; rank 0 has the result."""
    if call.num_previous is None:
        shard.step(call.token_ids, call.layout, cache, call.rows)
        return
    previous = None
    if call.num_previous > 0:
        empty = torch.empty(call.num_previous, dtype=torch.int64, device=ranks.device)
        previous = ranks.share(empty)
    drawing: DrawingShard = shard  # type: ignore[assignment]  # rank 0's shard is of the same kind
    names = [None] * call.layout.pages.shape[0]
    drawing.step_from(call.token_ids, previous, call.layout, cache, call.rows, names)
