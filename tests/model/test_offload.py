"""Offloaded experts: whatever runs when, an address leads to its expert's own bytes."""

import ctypes
import random
from collections import deque
from dataclasses import dataclass, field
from functools import cache, partial

import pytest
import torch
import triton
import triton.language as tl
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from netweight.errors import NotEnoughMemory
from netweight.model import GPT_OSS_20B, GPT_OSS_120B, offload
from netweight.model.device_budget import expert_shape
from netweight.model.kernels import REFERENCE
from netweight.model.kernels.gpu.experts import DeviceMixture
from netweight.model.kernels.gpu.packed import pack_experts, packed_bytes
from netweight.model.mxfp4 import quantize
from netweight.model.offload import (
    ExpertShape,
    HostStream,
    OffloadedExperts,
    OffloadedMixture,
    Streams,
    choose_moves,
    min_staged_tokens,
)
from netweight.model.weights import PlainMixture
from tests.model.shapes import SMALL

CPU = torch.device("cpu")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SHAPE = ExpertShape(num_layers=3, num_experts=5, gate_up_bytes=100, down_bytes=60)


@cache
def own_bytes(layer, expert, size, *, down):
    return ((torch.arange(size) * 7 + layer * 64 + expert * 8 + down) % 251).byte()


def fill(layer, expert, gate_up, down):
    gate_up.copy_(own_bytes(layer, expert, gate_up.numel(), down=False))
    down.copy_(own_bytes(layer, expert, down.numel(), down=True))


def at(address, num_bytes):
    """Memory as a kernel sees it."""
    source = (ctypes.c_uint8 * num_bytes).from_address(address)
    return torch.frombuffer(source, dtype=torch.uint8)


class WrongBytes(Exception):
    """A kernel read something else than its expert."""


@dataclass
class Mark:
    """An event of delayed streams; one that is asked too early may lie, for negative controls."""

    machine: "Machine"
    is_over: bool = False

    def query(self):
        return self.is_over or self.machine.events_lie

    def synchronize(self):
        while not self.is_over:
            assert self.machine.run(), "what is waited for can never happen"


@dataclass
class DelayedStream:
    """Queues work in pieces, which the machine runs in any order that waits allow."""

    machine: "Machine"
    work: deque = field(default_factory=deque)  # of what is waited for, or None, and what to do

    def copy(self, to, source):
        to, source = to.view(-1), source.view(-1)
        half = to.numel() // 2
        as_given = source.clone()

        def finish():
            to[half:].copy_(source[half:])
            # Kernels write counts, in turn; all else that is copied is the host's alone.
            if source.dtype != torch.int32 and not torch.equal(source, as_given):
                raise WrongBytes("the host wrote to what was being copied")

        self.run(lambda: to[:half].copy_(source[:half]))
        self.run(finish)

    def run(self, work):
        self.work.append((None, work))

    def record(self):
        mark = Mark(self.machine)
        self.run(lambda: setattr(mark, "is_over", True))
        return mark

    def wait(self, event):
        if self.machine.waits:
            self.work.append((event, lambda: None))

    def advance(self):
        """Do the next piece, unless there is none or it has to wait."""
        if not self.work or (self.work[0][0] is not None and not self.work[0][0].is_over):
            return False
        self.work.popleft()[1]()
        return True


class Machine:
    """A device with two streams, and kernels that read experts slowly."""

    def __init__(self, *, waits=True, events_lie=False):
        self.waits, self.events_lie = waits, events_lie
        self.compute, self.side = DelayedStream(self), DelayedStream(self)
        self.streams = Streams(self.side, lambda: self.compute, lambda: False)
        self.num_read = 0

    def run(self):
        return self.side.advance() or self.compute.advance()

    def finish(self):
        while self.run():
            pass
        assert not self.compute.work, "the computing stream waits for ever"
        assert not self.side.work, "the side stream waits for ever"

    def launch(self, table, layer, experts, shape=SHAPE):
        """A kernel that reads experts through a table [gate_up, down], each in two pieces."""
        for expert in experts:
            seen = []
            self.compute.run(partial(self._look, table, expert, seen, shape))
            self.compute.run(partial(self._compare, layer, expert, seen, shape))

    def _look(self, table, expert, seen, shape):
        for addresses, size in zip(table, (shape.gate_up_bytes, shape.down_bytes), strict=True):
            address = addresses[expert].item()
            assert address % 4 == 0
            seen += [at(address, size), at(address, size // 2).clone()]

    def _compare(self, layer, expert, seen, shape):
        for down in (False, True):
            now, first_half = seen[2 * down : 2 * down + 2]
            expected = own_bytes(layer, expert, now.numel(), down=down)
            if not torch.equal(first_half, expected[: len(first_half)]):
                raise WrongBytes(f"expert {expert} of layer {layer} began wrong")
            if not torch.equal(now, expected):
                raise WrongBytes(f"expert {expert} of layer {layer} changed while it was read")
        self.num_read += 1


@pytest.fixture(autouse=True, scope="module")
def _small_pieces():
    """Host memory in several pieces, whose bounds do not fall between layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offload, "HOST_PIECE_BYTES", 4 * SHAPE.expert_bytes)
        yield


def offloaded(machine, num_slots=6, kind=OffloadedExperts):
    experts = kind(SHAPE, num_slots, fill, CPU, streams=machine.streams)
    machine.finish()
    return experts


def tables(experts, layer):
    return experts.gate_up(layer), experts.down(layer)


def assert_every_address_leads_to_its_expert(experts):
    for layer in range(SHAPE.num_layers):
        gate_up, down = (table.tolist() for table in tables(experts, layer))
        for expert in range(SHAPE.num_experts):
            for address, size, is_down in (
                (gate_up[expert], SHAPE.gate_up_bytes, False),
                (down[expert], SHAPE.down_bytes, True),
            ):
                expected = own_bytes(layer, expert, size, down=is_down)
                assert torch.equal(at(address, size), expected)


def in_slots(experts):
    """Experts that kernels find in slots, by slot address."""
    begin, size = experts.slots.data_ptr(), experts.slots.shape[1]
    slots = (experts.addresses[:, 0].flatten() - begin) // size
    return {
        expert: slot for expert, slot in enumerate(slots.tolist()) if 0 <= slot < len(experts.slots)
    }


class AnyOrder(RuleBasedStateMachine):
    """Steps, counts and moves, while two streams get on as they may."""

    @initialize(num_slots=st.integers(1, 15))
    def make(self, num_slots):
        self.machine = Machine()
        self.experts = offloaded(self.machine, num_slots)

    @rule(layer=st.integers(0, 2), expert=st.integers(0, 4))
    def decode(self, layer, expert):
        note = partial(self.experts.note, layer, torch.full((16, 1), expert))
        self.machine.compute.run(note)
        self.machine.launch(tables(self.experts, layer), layer, range(SHAPE.num_experts))

    @rule(layer=st.integers(0, 2))
    def prefill(self, layer):
        table = self.experts.staged(layer)
        self.machine.launch(table, layer, range(SHAPE.num_experts))

    @rule(most=st.sampled_from([3, 1, 0]))
    def rebalance(self, most):
        self.experts.rebalance(most * SHAPE.expert_bytes)

    @rule(
        layer=st.integers(0, 2),
        expert=st.integers(0, 4),
        pieces=st.lists(st.integers(0, 40), max_size=4),
    )
    def step(self, layer, expert, pieces):
        self.decode(layer, expert)
        self.rebalance(3)
        for index, each in enumerate(pieces):
            self.advance(("side", "compute")[index % 2], each)

    @rule(which=st.sampled_from(["side", "compute"]), pieces=st.integers(1, 40))
    def advance(self, which, pieces):
        for _ in range(pieces):
            if not getattr(self.machine, which).advance():
                break
            assert_every_address_leads_to_its_expert(self.experts)

    @rule()
    def wait(self):
        self.experts.close()

    @invariant()
    def slots_hold_an_expert_each(self):
        if hasattr(self, "experts"):
            held = self.experts._held.tolist()
            assert len(set(held)) == len(held) == len(self.experts.slots)
            found = in_slots(self.experts)
            assert len(set(found.values())) == len(found) <= len(held)

    def teardown(self):
        if hasattr(self, "experts"):
            self.machine.finish()
            assert_every_address_leads_to_its_expert(self.experts)


AnyOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase


ALWAYS = Mark(Machine(), is_over=True)


class NeverTakesSlotsBack(OffloadedExperts):
    """Wrong: kernels go on to find a slot that is written."""

    def _begin(self, compute, moves):
        before = self._host_addresses.clone()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self, "_lead_to", lambda expert, address: None)
            super()._begin(compute, moves)
        assert torch.equal(self._host_addresses, before)


class DoesNotWaitForKernels(OffloadedExperts):
    """Wrong: areas are written while kernels may read them."""

    def _stage(self, layer, before):
        return super()._stage(layer, ALWAYS)


class TrustsOldCopies(OffloadedExperts):
    """Wrong: what an area has serves though experts have lost their slots since."""

    def _begin(self, compute, moves):
        super()._begin(compute, moves)
        self._round = 0


class PublishesWhatIsNotCopied(OffloadedExperts):
    """Wrong: kernels find a slot that is still being written."""

    def _begin(self, compute, moves):
        super()._begin(compute, moves)
        if moves:
            self._copied = ALWAYS


class WritesWhatIsUploaded(OffloadedExperts):
    """Wrong: the host's table is written before its last upload is done."""

    def _publish(self, compute, copied):
        super()._publish(compute, copied)
        self._uploaded = ALWAYS


def busy_session(kind, seed, **machine):
    """Prompts, steps and moves, the streams getting on by chance."""
    chance = random.Random(seed)
    machine = Machine(**machine)
    experts = offloaded(machine, kind=kind)
    for _ in range(30):
        layer = chance.randrange(SHAPE.num_layers)
        chosen = torch.full((20, 1), chance.randrange(SHAPE.num_experts))
        machine.compute.run(partial(experts.note, layer, chosen))
        for each in range(SHAPE.num_layers):
            machine.launch(tables(experts, each), each, range(SHAPE.num_experts))
        experts.rebalance(3 * SHAPE.expert_bytes)
        for each in range(chance.randrange(SHAPE.num_layers + 1)):
            machine.launch(experts.staged(each), each, range(SHAPE.num_experts))
        for _ in range(chance.randrange(6)):  # now one stream is ahead, now the other
            stream = chance.choice([machine.side, machine.compute])
            for _ in range(chance.randrange(120)):
                stream.advance()
    machine.finish()
    return machine.num_read, experts.counts.num_moves


SEEDS = range(6)


def test_kernels_read_their_experts_whatever_stream_is_ahead():
    sessions = [busy_session(OffloadedExperts, seed) for seed in SEEDS]
    assert all(num_read > 500 and num_moves > 0 for num_read, num_moves in sessions)


@pytest.mark.parametrize(
    ("kind", "machine"),
    [
        (OffloadedExperts, {"waits": False}),
        (OffloadedExperts, {"events_lie": True}),
        (NeverTakesSlotsBack, {}),
        (DoesNotWaitForKernels, {}),
        (TrustsOldCopies, {}),
        (PublishesWhatIsNotCopied, {}),
        (WritesWhatIsUploaded, {}),
    ],
    ids=str,
)
def test_a_missing_wait_is_noticed(kind, machine):
    with pytest.raises(WrongBytes):
        for seed in SEEDS:
            busy_session(kind, seed, **machine)


def test_rebalancing_never_waits_for_the_device():
    machine = Machine()
    experts = offloaded(machine)
    for _ in range(10):
        experts.note(2, torch.full((1, 40), 4))
        experts.rebalance(10 * SHAPE.expert_bytes)  # nothing on the device gets on
    assert experts.counts.num_uses == 0
    machine.finish()
    experts.rebalance(10 * SHAPE.expert_bytes)
    assert experts.counts.num_uses == 40 * 10
    assert experts.counts.num_moves == 1


def test_no_use_is_lost_or_counted_twice():
    machine = Machine()
    experts = offloaded(machine, num_slots=1)
    for _ in range(7):
        machine.compute.run(partial(experts.note, 1, torch.tensor([[0, 3], [3, 4]])))
        experts.rebalance(0)
        machine.compute.advance()
    experts.close()
    experts.rebalance(0)
    machine.finish()
    experts.rebalance(0)
    assert experts.counts.num_uses == 7 * 4
    assert experts.noted.sum() == 0


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_uses_are_counted_per_layer_and_expert(dtype):
    experts = OffloadedExperts(SHAPE, 1, fill, CPU)
    experts.note(1, torch.tensor([[0, 3], [3, 4], [-1, -1]], dtype=dtype))
    assert experts.noted.tolist() == [[0] * 5, [1, 0, 0, 2, 1], [0] * 5]


def test_slots_start_with_experts_of_all_layers():
    experts = OffloadedExperts(SHAPE, 7, fill, CPU)
    assert sorted(in_slots(experts)) == [0, 1, 2, 5, 6, 10, 11]
    assert_every_address_leads_to_its_expert(experts)


def test_no_more_is_moved_at_once_than_may_be():
    experts = OffloadedExperts(SHAPE, 6, fill, CPU)
    experts.note(2, torch.tensor([[2, 3, 4] * 20]))
    num_moves = []
    for most in (0, 0, 2, 2, 2):
        before = experts.counts.num_moves
        experts.rebalance(most * SHAPE.expert_bytes + SHAPE.expert_bytes - 1)
        assert_every_address_leads_to_its_expert(experts)
        num_moves.append(experts.counts.num_moves - before)
    assert num_moves == [0, 0, 2, 1, 0]
    experts.rebalance(0)
    assert {12, 13, 14} < set(in_slots(experts))


def test_the_most_used_experts_end_up_in_slots_for_as_long_as_they_are():
    experts = OffloadedExperts(SHAPE, 6, fill, CPU)
    for favourites in ([14, 13, 9, 8, 4, 3], [0, 1, 2, 3, 10, 14]):
        for _ in range(60):
            for place, expert in enumerate(favourites):
                layer, index = divmod(expert, SHAPE.num_experts)
                experts.note(layer, torch.full((1, 8 - place), index))
            for layer in range(SHAPE.num_layers):
                experts.note(layer, torch.arange(SHAPE.num_experts)[None])
            experts.rebalance(SHAPE.expert_bytes)
        assert set(in_slots(experts)) == set(favourites)
        assert_every_address_leads_to_its_expert(experts)


def test_an_area_is_copied_to_once_and_while_the_layer_before_computes():
    machine = Machine()
    experts = offloaded(machine, num_slots=6)
    experts.staged(0)
    num_queued = len(machine.side.work)
    machine.finish()
    experts.staged(1)  # was begun with layer 0: only layer 2 is copied now
    assert 0 < len(machine.side.work) < num_queued
    machine.finish()
    experts.staged(2)
    assert not machine.side.work


def test_a_staged_layer_is_read_from_device_memory_only():
    experts = OffloadedExperts(SHAPE, 6, fill, CPU)
    device_memory = [experts.slots, *(area.data for area in experts._areas)]
    for layer in range(SHAPE.num_layers):
        for address in torch.cat(experts.staged(layer)).tolist():
            assert any(
                data.data_ptr() <= address < data.data_ptr() + data.numel()
                for data in device_memory
            )


@given(num_slots=st.integers(1, 15), seed=st.integers(0, 2**32))
def test_staged_tables_are_right_whatever_has_moved(num_slots, seed):
    chance = random.Random(seed)
    experts = OffloadedExperts(SHAPE, num_slots, fill, CPU)
    for _ in range(6):
        experts.note(chance.randrange(3), torch.tensor([chance.choices(range(5), k=40)]))
        experts.rebalance(chance.randrange(4) * SHAPE.expert_bytes)
        layer = chance.randrange(3)
        machine = Machine()
        machine.launch(experts.staged(layer), layer, range(SHAPE.num_experts))
        machine.finish()


# The policy.

NUM_ALL, NUM_HELD = 128, 32


def settled(choose, rates, *, num_looks=400, uses_per_look=64):
    """The share of uses that met a slot, and the moves, in the second half of a simulation."""
    generator = torch.Generator().manual_seed(3)
    use, held, num_hot, num_moves = torch.zeros(NUM_ALL), torch.arange(NUM_HELD), 0, 0
    for look in range(num_looks):
        uses = torch.multinomial(rates, uses_per_look, replacement=True, generator=generator)
        noted = torch.bincount(uses, minlength=NUM_ALL)
        use = use * offload._KEPT + noted
        moves = choose(use, held, 4)
        if look >= num_looks // 2:
            num_hot += int(noted[held].sum())
            num_moves += len(moves)
        for move in moves:
            held[move.slot] = move.expert
    return num_hot / (num_looks // 2 * uses_per_look), num_moves


def zipf_rates():
    rates = 1 / torch.arange(1, NUM_ALL + 1)
    return rates[torch.randperm(NUM_ALL, generator=torch.Generator().manual_seed(5))]


def coldest(use, held, most):
    return choose_moves(-use + use.max(), held, most)


def never(use, held, most):
    return []


def is_good(choose):
    """At least 0.95 of what the best choice of slots would have."""
    rates = zipf_rates()
    best = rates.topk(NUM_HELD).values.sum() / rates.sum()
    share, _ = settled(choose, rates)
    return share > 0.95 * best


def test_the_most_used_experts_get_the_slots():
    assert is_good(choose_moves)


@pytest.mark.parametrize("wrong", [coldest, never])
def test_a_wrong_policy_is_noticed(wrong):
    assert not is_good(wrong)


def eager(use, held, most):
    """Any lead moves an expert: what there would be without the margin."""
    rising = use.index_fill(0, held, -1.0).topk(most)
    falling = use[held].topk(most, largest=False)
    pairs = zip(falling.indices.tolist(), rising.indices.tolist(), strict=True)
    leads = (rising.values > falling.values).tolist()
    return [offload.Move(*pair) for pair, lead in zip(pairs, leads, strict=True) if lead]


def test_equally_used_experts_seldom_change_places():
    rates = torch.ones(NUM_ALL)
    (_, moves), (_, moves_without_margin) = settled(choose_moves, rates), settled(eager, rates)
    assert moves < 0.1 * moves_without_margin


def test_two_experts_used_in_turn_do_not_swap_to_and_fro():
    use, held, num_moves = torch.zeros(2), torch.tensor([0]), 0
    for look in range(100):
        use = use * offload._KEPT
        use[look % 2] += 10
        for move in choose_moves(use, held, 1):
            held[move.slot] = move.expert
            num_moves += 1
    assert num_moves <= 1


def test_an_expert_that_comes_into_use_gets_a_slot_and_one_out_of_use_loses_it():
    use = torch.tensor([40.0, 1.0, 0.0, 30.0])
    assert choose_moves(use, torch.tensor([0, 1]), 2) == [offload.Move(1, 3)]
    assert choose_moves(use, torch.tensor([0, 3]), 2) == []
    assert choose_moves(use, torch.arange(4), 2) == []


@pytest.mark.parametrize(
    ("num_experts", "per_token", "least"), [(128, 4, 73), (32, 4, 18), (4, 4, 1), (1, 1, 1)]
)
def test_staging_begins_where_nine_tenths_of_the_experts_are_chosen(num_experts, per_token, least):
    assert min_staged_tokens(num_experts, per_token) == least
    if per_token < num_experts:
        share = 1 - (1 - per_token / num_experts) ** least
        assert share >= 0.9 > 1 - (1 - per_token / num_experts) ** (least - 1)


# Sizes.


@given(gate_up=st.integers(1, 5000), down=st.integers(1, 5000))
def test_matrices_are_aligned_and_do_not_overlap(gate_up, down):
    shape = ExpertShape(3, 5, gate_up, down)
    assert shape.down_offset % 128 == shape.expert_bytes % 128 == 0
    assert gate_up <= shape.down_offset < gate_up + 128
    assert shape.down_offset + down <= shape.expert_bytes < shape.down_offset + down + 128


def test_host_memory_of_the_published_models_is_hardly_more_than_their_experts(monkeypatch):
    monkeypatch.setattr(offload, "HOST_PIECE_BYTES", 1 << 30)
    for config in (GPT_OSS_20B, GPT_OSS_120B):
        rows, columns = config.intermediate_size, config.hidden_size
        one = rows * columns // 32 * 17
        shape = ExpertShape(config.num_hidden_layers, config.num_experts, 2 * one, one)
        least = config.num_hidden_layers * config.num_experts * 3 * one
        assert least <= shape.host_bytes < 1.02 * least + 2**30
        assert shape.host_bytes % 2**30 == 0


def test_memory_that_cannot_be_pinned_is_an_error_with_a_remedy(monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch, "empty", fails)
    with pytest.raises(NotEnoughMemory, match=r"cannot be pinned.*out of memory.*Free some"):
        OffloadedExperts(SHAPE, 1, fill, CPU)


# Results.

SMALL_SHAPE = ExpertShape(
    SMALL.num_hidden_layers,
    SMALL.num_experts,
    2 * SMALL.intermediate_size * SMALL.hidden_size // 32 * 17,
    SMALL.intermediate_size * SMALL.hidden_size // 32 * 17,
)


class Model:
    """Random MXFP4 experts of a small shape: an expert's bytes are its blocks, then its scales."""

    def __init__(self):
        generator = torch.Generator().manual_seed(11)
        num_layers, num_experts = SMALL.num_hidden_layers, SMALL.num_experts
        hidden, double = SMALL.hidden_size, 2 * SMALL.intermediate_size

        def values(*size):
            return torch.randn(num_layers, num_experts, *size, generator=generator)

        self.gate_up = quantize(values(double, hidden))
        self.down = quantize(values(hidden, SMALL.intermediate_size))
        self.gate_up_bias, self.down_bias = values(double), values(hidden)

    def fill(self, layer, expert, gate_up, down):
        for matrices, out in ((self.gate_up, gate_up), (self.down, down)):
            parts = [part[layer, expert].flatten() for part in matrices]
            torch.cat(parts, out=out)

    def mixture(self, layer, gate_up, down):
        """Over anything that has an expert's matrix."""
        biases = self.gate_up_bias[layer], self.down_bias[layer]
        return PlainMixture(SMALL, REFERENCE, gate_up, biases[0], down, biases[1])


@dataclass
class Matrices:
    """Those of one layer, straight from the tensors."""

    packed: tuple
    layer: int

    def matrix(self, expert):
        blocks, scales = (part[self.layer, expert] for part in self.packed)
        return REFERENCE.dequantize_mxfp4(blocks, scales, torch.float32)


@dataclass
class Addressed:
    """The same by address, as a kernel has them."""

    addresses: torch.Tensor
    rows: int
    columns: int

    def matrix(self, expert):
        num_scales = self.rows * self.columns // 32
        data = at(self.addresses[expert].item(), 17 * num_scales)
        blocks = data[: 16 * num_scales].view(self.rows, -1, 16)
        scales = data[16 * num_scales :].view(self.rows, -1)
        return REFERENCE.dequantize_mxfp4(blocks, scales, torch.float32)


def test_results_are_those_of_experts_that_stay_where_they_are():
    model, generator = Model(), torch.Generator().manual_seed(2)
    experts = OffloadedExperts(SMALL_SHAPE, 3, model.fill, CPU)
    hidden, width = SMALL.hidden_size, SMALL.intermediate_size
    num_staged = 0
    for step in range(24):
        for layer in range(SMALL.num_hidden_layers):
            expected = model.mixture(
                layer, Matrices(model.gate_up, layer), Matrices(model.down, layer)
            )
            found = OffloadedMixture.of(
                layer,
                experts,
                lambda gate_up, down, layer=layer: model.mixture(
                    layer, Addressed(gate_up, 2 * width, hidden), Addressed(down, hidden, width)
                ),
            )
            num_tokens = 1 + step % 6
            num_staged += experts.prefers_staged(num_tokens, SMALL.experts_per_token)
            x = torch.randn(num_tokens, hidden, generator=generator)
            weights = torch.rand(num_tokens, 2, generator=generator)
            chosen = torch.rand(num_tokens, 4, generator=generator).topk(2).indices % (1 + step % 4)
            chosen = 3 - chosen  # the last ones have no slots at first
            assert torch.equal(found(x, weights, chosen), expected(x, weights, chosen))
        experts.rebalance(SMALL_SHAPE.expert_bytes)
    assert experts.counts.num_moves > 0
    assert 0 < num_staged < 48


def test_results_of_the_gpus_kernels_are_those_of_experts_that_stay_where_they_are():
    model, generator = Model(), torch.Generator().manual_seed(2)

    def pack(layer, expert, gate_up, down):
        for matrices, out in ((model.gate_up, gate_up), (model.down, down)):
            pack_experts(*(part[layer, expert, None] for part in matrices), out[None])

    experts = OffloadedExperts(expert_shape(SMALL, packed_bytes), 3, pack, DEVICE)

    def mixture(gate_up, down):
        biases = model.gate_up_bias[1].to(DEVICE), model.down_bias[1].to(DEVICE)
        constants = {"alpha": SMALL.swiglu_alpha, "limit": SMALL.swiglu_limit}
        return DeviceMixture(gate_up, biases[0], down, biases[1], **constants)

    packed = [
        pack_experts(*(part[1] for part in matrices)).to(DEVICE)
        for matrices in (model.gate_up, model.down)
    ]
    expected, found = mixture(*packed), OffloadedMixture.of(1, experts, mixture)
    for num_tokens in (1, 5):  # in place, and staged
        x = torch.randn(num_tokens, SMALL.hidden_size, generator=generator).to(DEVICE)
        weights = torch.rand(num_tokens, 2, generator=generator).to(DEVICE)
        chosen = torch.tensor([[3, 1]] * num_tokens, device=DEVICE)
        assert torch.equal(found(x, weights, chosen), expected(x, weights, chosen))


def test_a_step_that_is_captured_reads_experts_in_place():
    streams = Streams(HostStream(), HostStream, lambda: True)
    experts = OffloadedExperts(SHAPE, 6, fill, CPU, streams=streams)
    assert not experts.prefers_staged(512, 2)
    assert OffloadedExperts(SHAPE, 6, fill, CPU).prefers_staged(512, 2)


# Real streams, and kernels that read host memory, where there is a GPU; Triton's interpreter where
# there is none.


@triton.jit
def count_wrong(addresses, expected, wrong, size, BLOCK: tl.constexpr):
    expert, place = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    source = tl.load(addresses + expert).to(tl.pointer_type(tl.uint8))
    seen = tl.load(source + place, mask=place < size, other=0)
    own = tl.load(expected + expert * size + place, mask=place < size, other=0)
    tl.atomic_add(wrong, tl.sum((seen != own).to(tl.int32)))


class Checked:
    """Experts on the device, and kernels that count bytes that are not an expert's own."""

    def __init__(self, shape, num_slots):
        self.shape = shape
        self.experts = OffloadedExperts(shape, num_slots, fill, DEVICE)
        self.wrong = torch.zeros(1, dtype=torch.int32, device=DEVICE)
        self.expected = [
            [self._of_layer(layer, size, down=down) for layer in range(shape.num_layers)]
            for down, size in enumerate((shape.gate_up_bytes, shape.down_bytes))
        ]

    def _of_layer(self, layer, size, *, down):
        each = [own_bytes(layer, e, size, down=bool(down)) for e in range(self.shape.num_experts)]
        return torch.stack(each).to(DEVICE)

    def read(self, layer, table):
        for addresses, expected in zip(table, self.expected, strict=True):
            num_experts, size = expected[layer].shape
            grid = (num_experts, triton.cdiv(size, 1024))
            count_wrong[grid](addresses, expected[layer], self.wrong, size, BLOCK=1024)

    def decode(self, chosen):
        for layer in range(self.shape.num_layers):
            self.experts.note(layer, chosen)
            self.read(layer, tables(self.experts, layer))

    def prefill(self):
        for layer in range(self.shape.num_layers):
            self.read(layer, self.experts.staged(layer))


def test_kernels_reach_experts_by_address():
    checked = Checked(SHAPE, 6)
    for look in range(4):
        checked.decode(torch.full((1, 40), look % 5, device=DEVICE))
        checked.experts.rebalance(2 * SHAPE.expert_bytes)
        checked.prefill()
    checked.experts.close()
    assert checked.wrong.item() == 0
    checked.experts.addresses[1, 0, 2] = checked.experts.addresses[1, 0, 3]
    checked.decode(torch.zeros(1, 1, dtype=torch.int64, device=DEVICE))
    assert checked.wrong.item() > 0


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE.type == "cpu", reason="streams and graphs need a GPU")
def test_a_graph_finds_its_experts_while_they_move(monkeypatch):
    monkeypatch.setattr(offload, "HOST_PIECE_BYTES", 1 << 24)
    checked = Checked(ExpertShape(6, 16, 2_000_000, 1_000_000), 24)
    chosen = torch.zeros(40, 1, dtype=torch.int64, device=DEVICE)
    checked.decode(chosen)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        checked.decode(chosen)
    for step in range(400):
        chosen.fill_(step // 20 % 16)
        graph.replay()
        checked.experts.rebalance(8 * checked.shape.expert_bytes)
        if step % 50 == 0:
            checked.prefill()
    checked.experts.close()
    assert checked.wrong.item() == 0
    assert checked.experts.counts.num_moves > 0
