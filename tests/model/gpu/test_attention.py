"""Attention over pages in Triton against the reference in float32, on the same numbers."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.model.device_layout import PREFILL_TILE, device_layout
from netweight.model.kernels import reference
from netweight.model.kernels.gpu import attention, rows
from netweight.model.rope import Rotation
from tests.model.shapes import tolerance
from tests.model.steps import Heads, angles, distance

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
DTYPES = [torch.float32, torch.float16]
# Float32: the order of sums, and powers of two of another library. Float16: weights and results are
# rounded as in attention-amx, to three bits more.
BOUNDS = {
    getattr(torch, name): tolerance(f"attention-gpu-{name}")
    for name in ("float32", "float16", "bfloat16")
}


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """New tensors hold NaN, so that a number that nobody wrote is seen."""
    empty = torch.empty

    def poisoned(*args, **kwargs):
        out = empty(*args, **kwargs)
        return out.fill_(torch.nan) if out.is_floating_point() else out

    monkeypatch.setattr(torch, "empty", poisoned)


@pytest.fixture
def splits(monkeypatch):
    """A setter of the number of splits, of as few keys as one block."""

    def fix(number):
        monkeypatch.setattr(attention, "num_splits", lambda num_programs, num_keys: number)
        monkeypatch.setattr(attention, "_MIN_SPLIT_KEYS", attention.DECODE.block_keys)

    return fix


def small(lengths, **shape):
    """Heads of a shape that the interpreter is quick with."""
    return Heads.random(lengths, **{"group": 2, "kv_heads": 1, "head_dim": 16, **shape})


def gpu_attention(heads, spans, window, dtype=torch.float32, pages=None, **keywords):
    """What the kernels make of the step; `keywords` are those of `device_layout`."""
    if pages is None:
        pages = heads.stored(reference, heads.all_tokens(), dtype)
    layout = heads.layout(spans)
    made = device_layout(layout, DEVICE, **keywords)
    return attention.paged_attention(
        heads.gather(heads.q, spans).to(dtype).to(DEVICE),
        pages.to(DEVICE),
        made.table(window),
        heads.sinks.to(DEVICE),
        made,
        window=window,
    ).cpu()


def reference_attention(heads, spans, window):
    """The same from the reference."""
    layout = heads.layout(spans)
    pages = heads.stored(reference, heads.all_tokens(), torch.float32)
    q = heads.gather(heads.q, spans).float()
    return reference.paged_attention(q, pages, layout.pages, heads.sinks, layout, window=window)


def error(heads, spans, window, dtype):
    """How far the kernels are from the reference, NaN if one of their numbers is."""
    ours = gpu_attention(heads, spans, window, dtype)
    assert ours.dtype == dtype
    return distance(ours, reference_attention(heads, spans, window))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", [None, 128])
def test_one_token_after_any_context(window, dtype):
    heads = small([1, 2, 15, 16, 17, 127, 128, 129, 257])
    assert error(heads, heads.last_tokens(*[1] * 9), window, dtype) <= BOUNDS[dtype]


@pytest.mark.parametrize("window", [None, 1, 15, 16, 17, 127, 128, 129])
def test_a_window_of_any_length(window):
    heads = small([131, 16, 150], seed=3)
    assert error(heads, heads.last_tokens(1, 1, 18), window, torch.float32) <= 1e-5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", [None, 20])
def test_decodes_and_pieces_of_prompts_in_one_step(window, dtype):
    heads = small([70, 1, 40, 129, 2, 16])
    # Prompts of a tile and a token, after nothing and after what is in the cache already.
    spans = heads.last_tokens(1, 1, 7, PREFILL_TILE + 1, 2, 16)
    assert error(heads, spans, window, dtype) <= BOUNDS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("head_dim", [8, 10, 64])
@pytest.mark.parametrize("group", [1, 3, 8])
def test_any_shape_of_heads(group, head_dim, dtype):
    heads = small([19, 21], group=group, kv_heads=2, head_dim=head_dim)
    assert error(heads, heads.last_tokens(1, 5), None, dtype) <= BOUNDS[dtype]


@pytest.mark.parametrize("number", [2, 5])
def test_splits_of_a_context_add_up(number, splits):
    splits(number)
    heads = small([1, 128, 129, 390, 270], group=1, seed=1)
    # Of 5 splits some have no keys, and for the first sequences all but one.
    spans = heads.last_tokens(1, 1, 1, 1, 17)
    assert error(heads, spans, None, torch.float32) <= 1e-5


def test_splits_of_a_window_add_up(splits):
    splits(2)
    heads = small([290, 300], group=1, seed=1)
    assert error(heads, heads.last_tokens(1, 3), 200, torch.float32) <= 1e-5


@pytest.mark.parametrize("window", [None, 20])
def test_a_sequence_in_pieces_is_attended_as_in_one(window):
    heads = small([44])
    q, k, v = (part[0].float().to(DEVICE) for part in (heads.q, heads.k, heads.v))
    sinks = heads.sinks.to(DEVICE)
    turn = Rotation(*(part.float().to(DEVICE) for part in angles(44, 16)))
    turned = [reference.rotate(part, turn)[None] for part in (q, k)]
    whole = reference.attention(*turned, v[None], sinks, window=window)[0]
    qkv = torch.cat([part.flatten(1) for part in (q, k, v)], dim=1)
    pages, pieces = heads.pages(torch.float32).to(DEVICE), []
    for start, stop in pairwise((0, 17, 18, 19, 24, 44)):
        layout = device_layout(heads.layout({0: (start, stop)}), DEVICE)
        turn_of_piece = Rotation(*(part[start:stop] for part in turn))
        turned = rows.rotate_store(qkv[start:stop], turn_of_piece, pages, layout.pages, layout)
        call = (turned, pages, layout.pages, sinks, layout)
        pieces.append(attention.paged_attention(*call, window=window))
    assert distance(torch.cat(pieces), whole) <= 1e-5


def attended(heads, spans, window, dtype=torch.float32, **keywords):
    """`attend`'s result and pages, and the reference's, on pages that lack the step's tokens."""
    num_tokens, head_dim = sum(b - a for a, b in spans.values()), heads.q[0].shape[2]
    turn = Rotation(*(part.to(dtype) for part in angles(num_tokens, head_dim)))
    parts = [heads.gather(part, spans).to(dtype) for part in (heads.q, heads.k, heads.v)]
    before = heads.stored(
        reference, {name: (0, start) for name, (start, _) in spans.items()}, dtype
    )
    pages = before.to(DEVICE, copy=True)
    made = device_layout(heads.layout(spans), DEVICE, **keywords)
    qkv = torch.cat([part.flatten(1) for part in parts], dim=1)
    padding = made.positions.numel() - len(qkv)
    qkv, *on_device = (
        torch.cat([part, part[:1].expand(padding, -1) * torch.nan]).to(DEVICE)
        for part in (qkv, *turn)
    )
    call = (qkv, Rotation(*on_device), pages, made.table(window), heads.sinks.to(DEVICE), made)
    ours = attention.attend(*call, window=window)

    layout = heads.layout(spans)
    reference.store(reference.rotate(parts[1], turn), parts[2], before, layout.pages, layout)
    q, stored = reference.rotate(parts[0], turn).float(), before.float()
    expected = reference.paged_attention(
        q, stored, layout.pages, heads.sinks, layout, window=window
    )
    are_stored = torch.equal(pages.cpu().nan_to_num(7), before.nan_to_num(7))
    return ours.cpu(), expected, are_stored


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", [None, 1, 17, 128])
def test_one_launch_turns_stores_and_attends(window, dtype):
    heads = small([1, 2, 16, 17, 18, 128, 129, 130, 145])
    ours, expected, are_stored = attended(heads, heads.last_tokens(*[1] * 9), window, dtype)
    assert are_stored
    assert distance(ours, expected) <= BOUNDS[dtype]


@pytest.mark.parametrize("number", [2, 5])
def test_one_launch_over_splits(number, splits):
    splits(number)
    heads = small([1, 129, 130, 400], group=8, kv_heads=2)
    ours, expected, are_stored = attended(heads, heads.last_tokens(1, 1, 1, 1), None)
    assert are_stored
    assert distance(ours, expected) <= 1e-5


@pytest.mark.parametrize("number", [1, 2])
def test_one_launch_over_padding(number, splits):
    splits(number)
    heads = small([33, 150])
    spans = heads.last_tokens(1, 1)
    ours, expected, are_stored = attended(heads, spans, None, num_sequences=4, max_pages=12)
    assert are_stored
    assert distance(ours[:2], expected) <= 1e-5
    assert bool((ours[2:] == 0).all())


def test_attend_takes_prompts_too():
    heads = small([40, 30, 20])
    ours, expected, are_stored = attended(heads, heads.last_tokens(1, 18, 2), 20)
    assert are_stored
    assert distance(ours, expected) <= 1e-5


@pytest.mark.parametrize("part", ["k", "v"])
def test_a_token_that_does_not_see_itself_is_noticed(part):
    heads = small([150])
    heads.k[0][-1] = heads.q[0][-1, 0]
    ours, expected, _ = attended(heads, heads.last_tokens(1), 128)
    getattr(heads, part)[0][-1] = 0
    _, wrong, are_stored = attended(heads, heads.last_tokens(1), 128)
    assert are_stored
    assert distance(ours, expected) <= 1e-5
    assert distance(ours, wrong) > 3e-3


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.integers(1, 70), st.integers(1, 20)), min_size=1, max_size=3),
    st.sampled_from([1, 2, 8]),
    st.sampled_from([8, 16, 32]),
    st.sampled_from([None, 1, 17, 40]),
    st.sampled_from(DTYPES),
)
def test_random_steps_agree(pieces, group, head_dim, window, dtype):
    heads = small([length for length, _ in pieces], group=group, head_dim=head_dim)
    spans = heads.last_tokens(*(min(count, length) for length, count in pieces))
    assert error(heads, spans, window, dtype) <= BOUNDS[dtype]


def test_scores_that_grow_along_the_context():
    heads = small([200], spread=30.0)
    heads.k[0] *= torch.linspace(0.1, 3, 200)[:, None, None]
    assert error(heads, heads.last_tokens(20), None, torch.float32) <= 1e-5


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("sink", [-torch.inf, -1e30, 0.0, 1000.0])
def test_any_sink(sink, number, splits):
    splits(number)
    heads = small([200, 40])
    heads.sinks = torch.full_like(heads.sinks, sink)
    spans = heads.last_tokens(1, 3)
    ours = gpu_attention(heads, spans, None)
    assert float((ours - reference_attention(heads, spans, None)).abs().max()) <= 1e-5


# Each of these is one mistake that an implementation could make; the tolerance must tell.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", [127, 129])
def test_a_window_off_by_one_is_noticed(window, dtype):
    heads = small([160, 170])
    spans = heads.last_tokens(1, 18)
    ours = gpu_attention(heads, spans, window, dtype)
    assert distance(ours, reference_attention(heads, spans, 128)) > 3 * BOUNDS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [1, 2])
def test_a_missing_sink_is_noticed(number, dtype, splits):
    splits(number)
    heads = small([200])
    heads.sinks += 4
    expected = reference_attention(heads, heads.last_tokens(1), None)
    heads.sinks = torch.full_like(heads.sinks, -torch.inf)
    ours = gpu_attention(heads, heads.last_tokens(1), None, dtype)
    assert distance(ours, expected) > 3 * BOUNDS[dtype]


def test_a_sink_in_every_split_is_noticed(splits):
    heads = small([300])
    heads.sinks += 4
    spans = heads.last_tokens(1)
    expected = reference_attention(heads, spans, None)
    splits(3)
    assert distance(gpu_attention(heads, spans, None), expected) <= 1e-5
    heads.sinks += torch.tensor(3.0).log()  # what three sinks would be
    assert distance(gpu_attention(heads, spans, None), expected) > 3e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_wrong_page_is_noticed(dtype):
    heads = small([150])
    expected = reference_attention(heads, heads.last_tokens(2), 130)
    pages = heads.stored(reference, heads.all_tokens(), dtype)
    # Of page 1 the first token sees a part only, so that the order of pages matters.
    heads.tables[0][1], heads.tables[0][2] = heads.tables[0][2], heads.tables[0][1]
    ours = gpu_attention(heads, heads.last_tokens(2), 130, dtype, pages)
    assert distance(ours, expected) > 3 * BOUNDS[dtype]


def test_a_query_that_sees_the_next_key_is_noticed():
    heads = small([60])
    expected = reference_attention(heads, {0: (48, 50)}, None)
    heads.q[0][49] = heads.q[0][48]
    wrong = gpu_attention(heads, {0: (48, 50)}, None)
    assert distance(wrong[1:], expected[:1]) > 3e-3


@pytest.mark.parametrize("window", [1, 16, 17, 100])
def test_pages_before_the_window_are_never_looked_up(window):
    heads = small([150, 140])
    spans = heads.last_tokens(1, 20)
    expected = gpu_attention(heads, spans, window)
    pages = heads.stored(reference, heads.all_tokens(), torch.float32)
    given_up = [
        (name, number)
        for name, (start, _) in spans.items()
        for number in range(max(0, start + 1 - window) // 16)
    ]
    for name, number in given_up:
        pages[heads.tables[name][number]] = torch.nan
    assert torch.equal(gpu_attention(heads, spans, window, pages=pages), expected)
    for name, number in given_up:
        heads.tables[name][number] = -1
    assert torch.equal(gpu_attention(heads, spans, window, pages=pages), expected)


def test_what_lies_behind_the_last_token_does_not_matter():
    heads = small([150, 33])
    spans = {0: (99, 100), 1: (10, 21)}
    ours = gpu_attention(heads, spans, None)
    pages = heads.stored(reference, {0: (0, 100), 1: (0, 21)}, torch.float32)
    assert bool(pages[heads.tables[0][6]].isnan().any())
    assert torch.equal(gpu_attention(heads, spans, None, pages=pages), ours)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("window", [None, 20])
def test_padding_is_zeros_and_changes_nothing(window, number, splits):
    splits(number)
    heads = small([150, 33])
    spans = heads.last_tokens(1, 1)
    expected = gpu_attention(heads, spans, window)
    heads.lengths.append(0)
    heads.q.append(torch.full_like(heads.q[0][:1], torch.nan))
    layout = device_layout(heads.layout(spans), DEVICE, num_sequences=3, max_pages=16)
    q = torch.cat([heads.gather(heads.q, spans), heads.q[2]]).float().to(DEVICE)
    pages = heads.stored(reference, {0: (0, 150), 1: (0, 33)}, torch.float32).to(DEVICE)
    sinks = heads.sinks.to(DEVICE)
    ours = attention.paged_attention(q, pages, layout.table(window), sinks, layout, window=window)
    assert torch.equal(ours[:2].cpu(), expected)
    assert bool((ours[2] == 0).all())


def test_a_larger_bound_of_the_context_changes_little():
    heads = small([600, 40], group=1)
    spans = heads.last_tokens(1, 1)
    expected = reference_attention(heads, spans, None)
    for bound in (None, 8192):
        assert distance(gpu_attention(heads, spans, None, max_context=bound), expected) <= 1e-5


def test_the_same_step_gives_the_same_bits(splits):
    splits(3)
    heads = small([300, 40], group=1)
    results = [gpu_attention(heads, heads.last_tokens(1, 2), None) for _ in range(2)]
    assert torch.equal(*results)


def test_a_token_does_not_depend_on_those_beside_it():
    heads = small([70, 33, 20])
    pages = heads.stored(reference, heads.all_tokens(), torch.float32)
    spans = heads.last_tokens(1, 1, 17)
    together = gpu_attention(heads, spans, None, pages=pages)
    alone = [gpu_attention(heads, {n: span}, None, pages=pages) for n, span in spans.items()]
    assert torch.equal(torch.cat(alone), together)


def test_sequences_may_share_pages():
    heads = small([64, 64])
    for parts in (heads.k, heads.v, heads.q):
        parts[1][:32] = parts[0][:32]
    apart = gpu_attention(heads, heads.last_tokens(1, 5), None)
    pages = heads.stored(reference, heads.all_tokens(), torch.float32)
    for page in heads.tables[1][:2]:
        pages[page] = torch.nan
    heads.tables[1][:2] = heads.tables[0][:2]
    assert torch.equal(gpu_attention(heads, heads.last_tokens(1, 5), None, pages=pages), apart)


def test_one_long_sequence_fills_a_device_and_many_do_without_splits():
    assert 0.85 * 396 <= 8 * attention.num_splits(8, 65536) <= 396
    assert attention.num_splits(8, 200) == 1
    assert attention.num_splits(49 * 8, 2048) == 1
    assert attention.num_splits(512 * 8, 131072) == 1


@given(st.integers(1, 5000), st.integers(1, 131072))
def test_splits_are_neither_tiny_nor_endless(num_programs, num_keys):
    number = attention.num_splits(num_programs, num_keys)
    assert number == 1 or (num_keys / number >= 256 and num_programs * number <= 8 * 396)
    assert num_keys / number <= 4096 or num_programs * (number + 1) > 8 * 396


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "window 0"),
        ({"q": torch.zeros(3, 2, 16)}, r"rows \(3, 32\) for 2 positions"),
        (
            {"q": torch.zeros(2, 2, 16, dtype=torch.float16)},
            r"pages torch\.float32 .* torch\.float16 heads",
        ),
        ({"q": torch.zeros(2, 2, 8)}, "heads of 8"),
        ({"sinks": torch.zeros(3)}, "3 sinks and 1 key heads"),
        ({"q": torch.zeros(2, 16, 2).mT}, "in one piece"),
        ({"sinks": torch.zeros(4)[::2]}, "each lie in one piece"),
    ],
)
def test_what_does_not_fit_together_is_an_error(change, message):
    heads = small([20])
    layout = device_layout(heads.layout({0: (5, 7)}), DEVICE)
    arguments = {
        "q": torch.zeros(2, 2, 16),
        "pages": heads.pages(torch.float32),
        "table": layout.pages,
        "sinks": heads.sinks,
        "layout": layout,
        "window": None,
        **change,
    }
    with pytest.raises(ValueError, match=message):
        attention.paged_attention(**arguments)


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE == "cpu", reason="bfloat16 needs a GPU")
@pytest.mark.parametrize("window", [None, 128])
def test_bfloat16_at_published_shapes(window):
    heads = Heads.random([5000, 1, 129, 700, 1500], kv_heads=8)
    spans = heads.last_tokens(1, 1, 1, 300, 17)
    assert error(heads, spans, window, torch.bfloat16) <= BOUNDS[torch.bfloat16]
    spans = heads.last_tokens(1, 1, 1, 1, 1)
    ours, expected, are_stored = attended(heads, spans, window, torch.bfloat16, max_context=65536)
    assert are_stored
    assert distance(ours, expected) <= BOUNDS[torch.bfloat16]


@pytest.mark.gpu
@pytest.mark.skipif(DEVICE == "cpu", reason="graphs need a GPU")
def test_a_graph_is_replayed_on_other_lengths():
    heads = Heads.random([900, 300], kv_heads=8)
    pages = heads.stored(reference, heads.all_tokens(), torch.bfloat16).to(DEVICE)
    buffer = torch.empty(4096, dtype=torch.int32, device=DEVICE)
    keywords = {"num_sequences": 3, "max_pages": 64, "max_context": 1024, "buffer": buffer}
    q = torch.zeros(3, 64, 64, dtype=torch.bfloat16, device=DEVICE)
    sinks = heads.sinks.to(DEVICE)

    def prepare(spans):
        q[: len(spans)] = heads.gather(heads.q, spans).to(DEVICE)
        return device_layout(heads.layout(spans), DEVICE, **keywords)

    layout = prepare({0: (3, 4)})
    call = (q, pages, layout.pages, sinks, layout)
    attention.paged_attention(*call, window=None)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = attention.paged_attention(*call, window=None)
    for spans in ({0: (899, 900), 1: (299, 300)}, {1: (16, 17)}):
        prepare(spans)
        graph.replay()
        expected = reference_attention(heads, spans, None)
        assert distance(out[: len(spans)].cpu(), expected) <= BOUNDS[torch.bfloat16]
        assert bool((out[len(spans) :] == 0).all())
