"""Experts of a model larger than the card: all of them in host memory, the most used in slots too.

A kernel finds each expert through an address that it reads anew in each launch. The address leads
to a slot in device memory, or to pinned host memory, which the kernel then reads over the bus. So a
decoding step needs no word from the host, and may be replayed as a CUDA graph, while experts move.

What moves when:

    computing stream  . kernels read slot s | addresses: no s | ... | addresses: s has C | kernels .
    side stream                                      `-> copy C into s ----^

An arrow is an event that the other stream waits for. The copy begins after all kernels that may
read the slot's old expert, and no kernel finds the slot again before the copy is done: meanwhile
both experts are read from host memory, where nothing ever changes. All kernels that read experts
run on one stream, which is the current one in each call here.

Knows no layout of weights: whoever makes it says how an expert's bytes are come by.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from netweight.errors import NotEnoughMemory
from netweight.model.weights import Mixture

# A line of the device's cache, and the most that one read over the bus fetches.
_ALIGNMENT = 128

# torch rounds pinned memory up to a power of two, so host memory is taken in pieces of one: what
# does not fill an expert at a piece's end is lost, 1.2% with the published models' 12.6 MiB.
HOST_PIECE_BYTES = 1 << 30

# What remains of a use after each look at the counts. Not measured on a device.
_KEPT = 0.95


class ExpertShape(NamedTuple):
    """How many experts there are, and how large one is: gate_up, then down, each aligned."""

    num_layers: int
    num_experts: int  # of a layer
    gate_up_bytes: int
    down_bytes: int

    @property
    def down_offset(self) -> int:
        """Where down begins in an expert's bytes."""
        return _aligned(self.gate_up_bytes)

    @property
    def expert_bytes(self) -> int:
        """Bytes of a slot."""
        return self.down_offset + _aligned(self.down_bytes)

    @property
    def staging_bytes(self) -> int:
        """Device memory of the two areas that `OffloadedExperts.staged` copies to."""
        return 2 * self.num_experts * self.expert_bytes

    @property
    def experts_per_piece(self) -> int:
        """Experts in one piece of host memory."""
        return max(1, HOST_PIECE_BYTES // self.expert_bytes)

    @property
    def host_bytes(self) -> int:
        """Pinned host memory, whole pieces."""
        num_pieces = -(-self.num_layers * self.num_experts // self.experts_per_piece)
        return num_pieces * max(HOST_PIECE_BYTES, self.expert_bytes)


class Event(Protocol):
    """A point in a stream's work."""

    def query(self) -> bool:
        """Whether all work before it is done."""
        ...

    def synchronize(self) -> None:
        """Wait until it is."""
        ...


class Stream(Protocol):
    """A device's queue of work. All but Event's methods return at once."""

    def copy(self, to: Tensor, source: Tensor) -> None:
        """Copy bytes, one side of them in pinned host memory."""
        ...

    def run(self, work: Callable[[], object]) -> None:
        """Launch kernels."""
        ...

    def record(self) -> Event:
        """The point after all work so far."""
        ...

    def wait(self, event: Event) -> None:
        """Begin later work only after the event."""
        ...


class Streams(NamedTuple):
    """Where copies of experts run, and where kernels do."""

    side: Stream
    compute: Callable[[], Stream]
    is_capturing: Callable[[], bool]  # kernels into a CUDA graph


class CudaStream:
    """A Stream over torch's."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        """Queue work on `stream`."""
        self._stream = stream

    def copy(self, to: Tensor, source: Tensor) -> None:
        """See Stream."""
        with torch.cuda.stream(self._stream):
            to.copy_(source, non_blocking=True)

    def run(self, work: Callable[[], object]) -> None:
        """See Stream."""
        with torch.cuda.stream(self._stream):
            work()

    def record(self) -> Event:
        """See Stream."""
        event: Event = self._stream.record_event()
        return event

    def wait(self, event: Event) -> None:
        """See Stream."""
        assert isinstance(event, torch.cuda.Event), "an event of another kind of stream"
        self._stream.wait_event(event)


class HostStream:
    """A Stream of the processor, which does everything at once."""

    def copy(self, to: Tensor, source: Tensor) -> None:
        """See Stream."""
        to.copy_(source)

    def run(self, work: Callable[[], object]) -> None:
        """See Stream."""
        work()

    def record(self) -> Event:
        """See Stream."""
        return _Past()

    def wait(self, event: Event) -> None:
        """See Stream."""
        assert event.query(), "on one stream nothing is waited for before it is done"


class _Past:
    """An event that is over."""

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        pass


def streams_of(device: torch.device) -> Streams:
    """A side stream of the device beside its current one; on the processor both are one."""
    if device.type == "cuda":
        return Streams(
            CudaStream(torch.cuda.Stream(device)),
            lambda: CudaStream(torch.cuda.current_stream(device)),
            torch.cuda.is_current_stream_capturing,
        )
    stream = HostStream()
    return Streams(stream, lambda: stream, lambda: False)


class Move(NamedTuple):
    """An expert that gets a slot; experts are numbered through all layers."""

    slot: int
    expert: int


def choose_moves(use: Tensor, held: Tensor, most: int) -> list[Move]:
    """Experts without a slot that are used so much more than those that have one.

    Two equally frequent experts differ in their counts, too, by the root of the counts' sum if uses
    are independent (Poisson); only twice that moves one. A move costs the bus what one use of an
    expert without a slot does, so it need not be more certain.

    Args:
        use: float [experts], how often each was used of late.
        held: int64 [slots], the expert in each slot.
        most: moves at most.
    """
    most = min(most, held.numel(), use.numel() - held.numel())
    rising = use.index_fill(0, held, -math.inf).topk(most)
    falling = use[held].topk(most, largest=False)
    deviation = (rising.values + falling.values).sqrt()
    pays = rising.values - falling.values > 2 * deviation
    return [
        Move(slot, expert)
        for slot, expert, does in zip(
            falling.indices.tolist(), rising.indices.tolist(), pays.tolist(), strict=True
        )
        if does
    ]


def min_staged_tokens(num_experts: int, experts_per_token: int) -> int:
    """From how many tokens a step should use `OffloadedExperts.staged`.

    Reading in place moves the experts that are chosen, once for each tile of tokens of theirs;
    staging moves all, once, while the layer before computes. With uniform routing the share of
    experts that T tokens choose is 1 - (1 - k / E)^T. It passes nine tenths at
    T = ln 0.1 / ln(1 - k / E), which is 73 for gpt-oss-120b (4 of 128) and 18 for 20b (4 of 32):
    from there on staging moves at most a ninth more than the least that reading in place could, and
    hides it.
    """
    share = experts_per_token / num_experts
    return 1 if share >= 1 else math.ceil(math.log(0.1) / math.log1p(-share))


@dataclass
class OffloadCounts:
    """What became of the uses that `note` counted, as of the last look at them."""

    num_uses: int = 0
    num_hot_uses: int = 0  # of experts that had a slot when the uses were looked at
    num_moves: int = 0


@dataclass
class _Area:
    """Device memory for all experts of one layer, each at its own index."""

    data: Tensor  # uint8 [experts, expert_bytes]
    own: Tensor  # int64 [2, experts], addresses in `data` of gate_up and down
    table: Tensor  # int64 [2, experts], what kernels read
    layer: int = -1  # whose experts without a slot it has
    round: int = -1  # of moves when they were copied
    copied: Event | None = None


class OffloadedExperts:
    """All experts of a model, `num_slots` of them in device memory at any time.

    `addresses` is int64 [layers, 2, experts] on the device: of each expert's gate_up and down. It
    is written in place; kernels may keep `gate_up(layer)` and `down(layer)` for ever.
    """

    def __init__(
        self,
        shape: ExpertShape,
        num_slots: int,
        fill: Callable[[int, int, Tensor, Tensor], None],
        device: torch.device,
        *,
        streams: Streams | None = None,
    ) -> None:
        """Read all experts into host memory, and the first ones of each layer into slots.

        Args:
            shape: how many experts of which size.
            num_slots: from one to all experts.
            fill: given layer, expert, uint8 [gate_up_bytes] and [down_bytes]: writes the packed
                matrices there, in host memory, before it returns.
            device: where the kernels run.
            streams: those of the device if None.

        Raises:
            NotEnoughMemory: when host memory cannot be pinned.
            whatever `fill` raises.
        """
        num_all = shape.num_layers * shape.num_experts
        assert 0 < num_slots <= num_all, f"{num_slots} slots for {num_all} experts"
        self.shape, self.counts = shape, OffloadCounts()
        self._streams = streams or streams_of(device)
        is_cuda = device.type == "cuda"
        self._pieces = [
            _host_bytes(
                (min(shape.experts_per_piece, num_all - first), shape.expert_bytes), is_cuda
            )
            for first in range(0, num_all, shape.experts_per_piece)
        ]
        for expert in range(num_all):
            data = self._host(expert)
            gate_up, down = data[: shape.gate_up_bytes], data[shape.down_offset :]
            fill(*divmod(expert, shape.num_experts), gate_up, down[: shape.down_bytes])
        self.slots = torch.empty((num_slots, shape.expert_bytes), dtype=torch.uint8, device=device)
        self._areas = [_area(shape, device) for _ in range(2)]

        by_layer = torch.arange(num_all).view(shape.num_layers, shape.num_experts)
        self._held = by_layer.T.flatten()[:num_slots].clone()  # int64 [slots], the expert in each
        self._is_hot = torch.zeros(num_all, dtype=torch.bool).index_fill(0, self._held, True)
        self._use = torch.zeros(num_all)
        self._round = 0  # of moves
        self._moves: list[Move] = []  # that are under way
        self._copied: Event | None = None  # when they are done
        self._fetched: Event | None = None  # when `_host_noted` has new counts

        self.noted = torch.zeros(
            (shape.num_layers, shape.num_experts), dtype=torch.int32, device=device
        )
        self._host_noted = torch.zeros(num_all, dtype=torch.int32, pin_memory=is_cuda)
        size = (shape.num_layers, 2, shape.num_experts)
        self.addresses = torch.empty(size, dtype=torch.int64, device=device)
        self._host_addresses = torch.empty(size, dtype=torch.int64, pin_memory=is_cuda)
        for expert in range(num_all):
            self._lead_to(expert, self._host(expert).data_ptr())
        self._uploaded = self._fill_slots()

    def gate_up(self, layer: int) -> Tensor:
        """Addresses of a layer's gate_up matrices, int64 [experts], on the device."""
        return self.addresses[layer, 0]

    def down(self, layer: int) -> Tensor:
        """Addresses of a layer's down matrices, int64 [experts], on the device."""
        return self.addresses[layer, 1]

    def note(self, layer: int, chosen: Tensor) -> None:
        """Count uses on the device: kernels only, which may be captured in a CUDA graph.

        For steps that read experts in place; a staged step would drown what the next ones need.

        Args:
            layer: the layer's index.
            chosen: int32 or int64 [tokens, experts_per_token]; a negative one is none.
        """
        uses = chosen.reshape(-1)
        self.noted[layer].index_add_(0, uses.clamp(min=0), (uses >= 0).int())

    def rebalance(self, max_bytes: int) -> None:
        """Go on with moving the most used experts into slots; never waits. Not within a step.

        Each call does what has become possible since the last: lets kernels find what was copied,
        looks at counts that arrived and begins copies of at most `max_bytes`, asks for new counts.
        """
        compute = self._streams.compute()
        if self._copied is not None and self._copied.query():
            self._publish(compute, self._copied)
        if self._fetched is not None and self._fetched.query():
            self._look_at_counts()
            # The host's table may be written once its last upload has been.
            if self._copied is None and self._uploaded.query():
                most = max_bytes // self.shape.expert_bytes
                self._begin(compute, choose_moves(self._use, self._held, most))
        if self._fetched is None:
            compute.copy(self._host_noted, self.noted.view(-1))
            compute.run(self.noted.zero_)
            self._fetched = compute.record()

    def staged(self, layer: int) -> tuple[Tensor, Tensor]:
        """Addresses that lead to device memory for all experts of a layer: for many tokens.

        Copies the layer's experts that have no slot, unless that was begun in the last call, and
        begins with those of the next layer. Kernels that read the addresses are launched before
        the next call of this or of `rebalance`. See `min_staged_tokens` for when it pays. Not for
        CUDA graphs: what is copied is not the same in each step.

        Returns:
            Of gate_up and down, int64 [experts] on the device; for a layer always the same tensors.
        """
        compute = self._streams.compute()
        before = compute.record()  # after the last kernels that read the areas
        area = self._stage(layer, before)
        assert area.copied is not None, "an area that was copied to"
        compute.wait(area.copied)
        compute.run(lambda: self._address_staged(layer, area))
        if layer + 1 < self.shape.num_layers:
            self._stage(layer + 1, before)
        return self.staged_table(layer)

    def staged_table(self, layer: int) -> tuple[Tensor, Tensor]:
        """The tensors that `staged` returns, before it writes them."""
        table = self._areas[layer % len(self._areas)].table
        return table[0], table[1]

    def prefers_staged(self, num_tokens: int, experts_per_token: int) -> bool:
        """Whether a step of so many tokens should use `staged`: never one of a CUDA graph."""
        least = min_staged_tokens(self.shape.num_experts, experts_per_token)
        return num_tokens >= least and not self._streams.is_capturing()

    def close(self) -> None:
        """Wait for copies that are under way, so that their memory may be let go."""
        self._streams.side.record().synchronize()
        self._streams.compute().record().synchronize()

    def _host(self, expert: int) -> Tensor:
        piece, index = divmod(expert, self.shape.experts_per_piece)
        return self._pieces[piece][index]

    def _lead_to(self, expert: int, address: int) -> None:
        """Write an address to the host's table."""
        layer, index = divmod(expert, self.shape.num_experts)
        self._host_addresses[layer, 0, index] = address
        self._host_addresses[layer, 1, index] = address + self.shape.down_offset

    def _fill_slots(self) -> Event:
        """Copy the first experts, and let kernels find them; the event after that."""
        side, compute = self._streams.side, self._streams.compute()
        side.wait(compute.record())  # what had the slots' memory before may still be read
        for slot, expert in enumerate(self._held.tolist()):
            side.copy(self.slots[slot], self._host(expert))
            self._lead_to(expert, self.slots[slot].data_ptr())
        compute.wait(side.record())
        compute.copy(self.addresses, self._host_addresses)
        return compute.record()

    def _look_at_counts(self) -> None:
        noted = self._host_noted
        self._use = self._use * _KEPT + noted
        self.counts.num_uses += int(noted.sum())
        self.counts.num_hot_uses += int(noted[self._is_hot].sum())
        self._fetched = None

    def _begin(self, compute: Stream, moves: list[Move]) -> None:
        """Take slots from kernels, and copy to them once no kernel can read them."""
        if not moves:
            return
        for move in moves:
            expert = int(self._held[move.slot])
            self._is_hot[expert] = False
            self._lead_to(expert, self._host(expert).data_ptr())
        compute.copy(self.addresses, self._host_addresses)
        self._streams.side.wait(compute.record())
        for move in moves:
            self._streams.side.copy(self.slots[move.slot], self._host(move.expert))
        self._copied = self._streams.side.record()
        self._moves = moves
        self._round += 1
        self.counts.num_moves += len(moves)

    def _publish(self, compute: Stream, copied: Event) -> None:
        """Let kernels find what was copied to slots."""
        for move in self._moves:
            self._held[move.slot] = move.expert
            self._is_hot[move.expert] = True
            self._lead_to(move.expert, self.slots[move.slot].data_ptr())
        compute.wait(copied)
        compute.copy(self.addresses, self._host_addresses)
        self._uploaded = compute.record()
        self._moves, self._copied = [], None

    def _stage(self, layer: int, before: Event) -> _Area:
        """The layer's area, with a copy of its experts without a slot under way, or done.

        What was copied earlier still serves if no expert has lost its slot since.
        """
        area, side = self._areas[layer % len(self._areas)], self._streams.side
        if (area.layer, area.round) == (layer, self._round):
            return area
        side.wait(before)
        first = layer * self.shape.num_experts
        is_hot = self._is_hot[first : first + self.shape.num_experts].tolist()
        for start, stop in self._runs(first, is_hot):
            piece, index = divmod(first + start, self.shape.experts_per_piece)
            source = self._pieces[piece][index : index + stop - start]
            side.copy(area.data[start:stop], source)
        area.layer, area.round, area.copied = layer, self._round, side.record()
        return area

    def _runs(self, first: int, is_hot: Sequence[bool]) -> Iterator[tuple[int, int]]:
        """Ranges of a layer's experts that have no slot and stand side by side in host memory."""
        start = 0
        for index, hot in enumerate(is_hot):
            if hot or (first + index) % self.shape.experts_per_piece == 0:
                if start < index:
                    yield start, index
                start = index + hot
        if start < len(is_hot):
            yield start, len(is_hot)

    def _address_staged(self, layer: int, area: _Area) -> None:
        """Where an expert has a slot, that; else its place in the area. On the computing stream."""
        now = self.addresses[layer]
        begin = self.slots.data_ptr()
        in_slot = (now >= begin) & (now < begin + self.slots.numel())
        torch.where(in_slot, now, area.own, out=area.table)


@dataclass(frozen=True)
class OffloadedMixture:
    """A layer's mixture over offloaded experts."""

    layer: int
    experts: OffloadedExperts
    in_place: Mixture  # over `experts.gate_up(layer)` and `experts.down(layer)`
    staged: Mixture  # over `experts.staged_table(layer)`

    @classmethod
    def of(
        cls, layer: int, experts: OffloadedExperts, over: Callable[[Tensor, Tensor], Mixture]
    ) -> "OffloadedMixture":
        """With what `over` makes of addresses of gate_up and down, int64 [experts]."""
        in_place = over(experts.gate_up(layer), experts.down(layer))
        return cls(layer, experts, in_place, over(*experts.staged_table(layer)))

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """See Mixture."""
        if self.experts.prefers_staged(*chosen.shape):
            self.experts.staged(self.layer)
            return self.staged(x, weights, chosen)
        self.experts.note(self.layer, chosen)
        return self.in_place(x, weights, chosen)


def _aligned(num_bytes: int) -> int:
    return -(-num_bytes // _ALIGNMENT) * _ALIGNMENT


def _host_bytes(size: tuple[int, int], pinned: bool) -> Tensor:
    try:
        return torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
    except RuntimeError as error:
        raise NotEnoughMemory(
            f"{math.prod(size) / 2**30:.1f} GiB of host memory cannot be pinned for the experts "
            f"that do not fit on the device: {error}. Free some, or take a smaller model."
        ) from error


def _area(shape: ExpertShape, device: torch.device) -> _Area:
    data = torch.empty((shape.num_experts, shape.expert_bytes), dtype=torch.uint8, device=device)
    gate_up = data.data_ptr() + torch.arange(shape.num_experts) * shape.expert_bytes
    own = torch.stack((gate_up, gate_up + shape.down_offset)).to(device)
    return _Area(data, own, torch.empty_like(own))
