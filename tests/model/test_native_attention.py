"""Native attention over pages: the reference in float32, but for one rounding."""

import random

import pytest
import torch

from netweight.model.kernels import reference
from tests.model.shapes import needs_native, tolerance
from tests.model.steps import Heads, angles, distance, ints

pytestmark = needs_native
rows = pytest.importorskip("netweight.model.kernels.rows")
native = pytest.importorskip("netweight._native")

WINDOWS = [None, 1, 16, 17, 127, 128, 129]


@pytest.fixture(autouse=True, params=native.supported())
def isa(request):
    """Each instruction set that this processor has in turn; all of them in make check-native."""
    before = native.using()
    native.use(request.param)
    yield request.param
    native.use(before)


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """New tensors hold NaN, so that a number that nobody wrote is seen."""
    empty = torch.empty

    def poisoned(*args, **kwargs):
        out = empty(*args, **kwargs)
        return out.fill_(torch.nan) if out.is_floating_point() else out

    monkeypatch.setattr(torch, "empty", poisoned)


@pytest.fixture
def threads():
    """A setter of the number of threads, undone at the end."""
    before = native.num_threads()
    yield native.set_num_threads
    native.set_num_threads(before)


def native_attention(heads, spans, window, pages=None):
    layout = heads.layout(spans)
    pages = heads.stored(rows, heads.all_tokens()) if pages is None else pages
    q = heads.gather(heads.q, spans)
    return rows.paged_attention(q, pages, layout.pages, heads.sinks, layout, window=window)


def reference_attention(heads, spans, window):
    layout = heads.layout(spans)
    pages = heads.stored(reference, heads.all_tokens(), torch.float32)
    q = heads.gather(heads.q, spans).float()
    return reference.paged_attention(q, pages, layout.pages, heads.sinks, layout, window=window)


def bound():
    """How far the instruction set in use may be from the reference."""
    return tolerance("attention-amx" if native.using() == "amx" else "attention-bfloat16")


def agree(heads, spans, window):
    """Whether native attention is finite and as near to the reference as its rounding allows."""
    ours = native_attention(heads, spans, window)
    found = distance(ours, reference_attention(heads, spans, window))
    return bool(torch.isfinite(ours).all()) and found <= bound()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("context", [1, 15, 16, 17, 127, 128, 129, 130, 500])
def test_one_token_after_any_context(context, window):
    heads = Heads.random([context])
    assert agree(heads, heads.last_tokens(1), window)


@pytest.mark.parametrize("window", [None, 128])
@pytest.mark.parametrize("context", [0, 1, 15, 128, 130, 500])
@pytest.mark.parametrize("tokens", [2, 15, 16, 17, 33])
def test_several_tokens_after_any_context(tokens, context, window):
    heads = Heads.random([context + tokens])
    assert agree(heads, heads.last_tokens(tokens), window)


@pytest.mark.parametrize("head_dim", [2, 16, 32, 34, 64, 80])
@pytest.mark.parametrize("group", [1, 3, 4, 8, 13])
def test_any_shape_of_heads(group, head_dim):
    heads = Heads.random([130, 17], group=group, head_dim=head_dim)
    assert agree(heads, heads.last_tokens(33, 1), 20)
    assert agree(heads, heads.last_tokens(1, 17), None)


@pytest.mark.parametrize("window", [None, 20])
def test_sequences_of_any_length_in_one_step(window):
    heads = Heads.random([1, 200, 16, 65, 129, 40])
    assert agree(heads, heads.last_tokens(1, 1, 16, 33, 129, 2), window)


def test_scores_that_grow_along_the_context():
    heads = Heads.random([300], spread=30.0)
    heads.k[0] *= torch.linspace(0.1, 3, 300)[:, None, None]
    assert agree(heads, heads.last_tokens(70), None)


@pytest.mark.parametrize("sink", [-torch.inf, -1e30, 0.0, 1000.0])
def test_any_sink(sink):
    heads = Heads.random([77])
    heads.sinks = torch.full_like(heads.sinks, sink)
    ours = native_attention(heads, heads.last_tokens(20), None)
    expected = reference_attention(heads, heads.last_tokens(20), None)
    assert float((ours - expected).abs().max()) <= 4 * bound()


def test_sinks_in_float32_are_the_same_sinks():
    heads = Heads.random([50])
    ours = native_attention(heads, heads.last_tokens(5), None)
    heads.sinks = heads.sinks.float()
    assert torch.equal(native_attention(heads, heads.last_tokens(5), None), ours)


# Each of these is one mistake that an implementation could make; the tolerance must tell.
def test_a_window_off_by_one_is_noticed():
    heads = Heads.random([300])
    ours = native_attention(heads, heads.last_tokens(33), 128)
    wrong = reference_attention(heads, heads.last_tokens(33), 129)
    assert distance(ours, wrong) > 3 * bound()


def test_a_missing_sink_is_noticed():
    heads = Heads.random([300])
    ours = native_attention(heads, heads.last_tokens(33), 16)
    heads.sinks = torch.full_like(heads.sinks, -torch.inf)
    wrong = reference_attention(heads, heads.last_tokens(33), 16)
    assert distance(ours, wrong) > 3 * bound()


def test_a_wrong_key_head_is_noticed():
    heads = Heads.random([300])
    ours = native_attention(heads, heads.last_tokens(1), None)
    heads.k = [k.roll(1, dims=1) for k in heads.k]
    wrong = reference_attention(heads, heads.last_tokens(1), None)
    assert distance(ours, wrong) > 3 * bound()


def test_a_query_that_sees_the_next_key_is_noticed():
    heads = Heads.random([300])
    ours = native_attention(heads, {0: (98, 99)}, None)
    heads.q[0][99] = heads.q[0][98]
    wrong = reference_attention(heads, {0: (98, 100)}, None)[1:]
    assert distance(ours, wrong) > 3 * bound()


def test_swapped_pages_are_noticed():
    heads = Heads.random([300])
    pages = heads.stored(rows, heads.all_tokens())
    heads.tables[0][3], heads.tables[0][17] = heads.tables[0][17], heads.tables[0][3]
    # The first token of the step sees the pages only in part, so that their order matters.
    wrong = native_attention(heads, {0: (280, 281)}, 260, pages)
    assert distance(wrong, reference_attention(heads, {0: (280, 281)}, 260)) > 3 * bound()


@pytest.mark.parametrize("window", [1, 16, 17, 100])
def test_pages_before_the_window_are_never_touched(window):
    heads = Heads.random([200])
    spans = {0: (170, 200)}
    expected = native_attention(heads, spans, window)
    pages = heads.stored(rows, heads.all_tokens())
    layout = heads.layout(spans)
    for number in range((171 - window) // 16):
        pages[heads.tables[0][number]] = torch.nan
        layout.window_pages[0, number] = -1
    q = heads.gather(heads.q, spans)
    ours = rows.paged_attention(q, pages, layout.window_pages, heads.sinks, layout, window=window)
    assert torch.equal(ours, expected)


def test_a_page_that_is_needed_and_missing_is_an_error():
    heads = Heads.random([200])
    layout = heads.layout(heads.last_tokens(1))
    q = heads.gather(heads.q, heads.last_tokens(1))
    for wrong in (-1, heads.num_pages):
        layout.pages[0, 7] = wrong
        with pytest.raises(ValueError, match="needs page 7"):
            rows.paged_attention(q, heads.pages(), layout.pages, heads.sinks, layout, window=None)


def test_sequences_may_share_pages():
    heads = Heads.random([64, 64])
    for parts in (heads.k, heads.v, heads.q):
        parts[1][:32] = parts[0][:32]
    apart = native_attention(heads, heads.last_tokens(10, 10), None)
    pages = heads.stored(rows, heads.all_tokens())
    for page in heads.tables[1][:2]:
        pages[page] = torch.nan
    heads.tables[1][:2] = heads.tables[0][:2]
    together = native_attention(heads, heads.last_tokens(10, 10), None, pages)
    assert torch.equal(together, apart)


@pytest.mark.parametrize("head_dim", [34, 64])
@pytest.mark.parametrize("window", [None, 20, 128])
def test_a_tokens_result_is_the_same_alone_and_in_a_prompt(window, head_dim):
    heads = Heads.random([300], head_dim=head_dim)
    whole = native_attention(heads, heads.all_tokens(), window)
    # One at a time, when the tokens after it are not yet stored.
    pages = heads.pages()
    for position in range(300):
        layout = heads.layout({0: (position, position + 1)})
        token = slice(position, position + 1)
        rows.store(heads.k[0][token], heads.v[0][token], pages, layout.pages, layout)
        alone = rows.paged_attention(
            heads.q[0][token], pages, layout.pages, heads.sinks, layout, window=window
        )
        assert torch.equal(alone[0], whole[position])


@pytest.mark.parametrize("window", [None, 20])
def test_a_tokens_result_does_not_depend_on_the_batch(window):
    heads = Heads.random([300, 50, 129, 16])
    pages = heads.stored(rows, heads.all_tokens())
    together = native_attention(heads, heads.last_tokens(40, 1, 7, 16), window, pages)
    alone = [
        native_attention(heads, {name: span}, window, pages)
        for name, span in heads.last_tokens(40, 1, 7, 16).items()
    ]
    assert torch.equal(torch.cat(alone), together)


@pytest.mark.parametrize("window", [None, 20])
def test_results_do_not_depend_on_the_number_of_threads(window, threads):
    heads = Heads.random([300, 50, 129, 16])
    results = []
    for num_threads in (1, 2, 3):
        threads(num_threads)
        results.append(native_attention(heads, heads.last_tokens(40, 1, 7, 16), window))
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


@pytest.mark.parametrize("head_dim", [34, 64])
@pytest.mark.parametrize("window", [None, 20])
def test_instruction_sets_agree_to_the_last_bit(window, head_dim, isa):
    if isa == "amx" and head_dim == 64:
        pytest.skip("tiles round weights to bfloat16")
    heads = Heads.random([300, 50, 129, 16], head_dim=head_dim)
    ours = native_attention(heads, heads.last_tokens(40, 1, 7, 16), window)
    native.use("avx2")
    assert torch.equal(native_attention(heads, heads.last_tokens(40, 1, 7, 16), window), ours)


@pytest.mark.parametrize("group", [1, 8])
@pytest.mark.parametrize("head_dim", [2, 34, 64])
@pytest.mark.parametrize("window", [None, 20])
def test_one_call_does_what_three_do(window, head_dim, group):
    heads = Heads.random([300, 50], group=group, head_dim=head_dim)
    spans = heads.last_tokens(40, 3)
    pages = heads.stored(rows, {0: (0, 260), 1: (0, 47)})
    ours = pages.clone()
    layout = heads.layout(spans)
    q, k, v = (heads.gather(parts, spans) for parts in (heads.q, heads.k, heads.v))
    turn = angles(43, head_dim)
    rows.store(rows.rotate(k, turn), v, pages, layout.pages, layout)
    expected = rows.paged_attention(
        rows.rotate(q, turn), pages, layout.pages, heads.sinks, layout, window=window
    )
    qkv = torch.cat((q, k, v), dim=1).flatten(1)
    together = rows.attend(qkv, turn, ours, layout.pages, heads.sinks, layout, window=window)
    assert torch.equal(together, expected)
    assert torch.equal(ours.view(torch.int16), pages.view(torch.int16))


def test_pages_are_laid_out_in_pairs():
    heads = Heads.random([20], kv_heads=2, head_dim=6)
    pages = heads.stored(rows, heads.all_tokens())
    kv_head, position, dim = 1, 18, 3
    page = pages[heads.tables[0][position // 16]].flatten(1)
    keys = page[0].view(2, 3, 16, 2)  # [kv_heads, head_dim / 2, tokens, 2]
    assert keys[kv_head, dim // 2, position % 16, dim % 2] == heads.k[0][position, kv_head, dim]
    values = page[1].view(2, 8, 6, 2)  # [kv_heads, tokens / 2, head_dim, 2]
    assert (
        values[kv_head, position % 16 // 2, dim, position % 2] == heads.v[0][position, kv_head, dim]
    )


def test_storing_touches_the_tokens_slots_only():
    heads = Heads.random([20])
    pages = heads.stored(rows, {0: (3, 5)})
    assert int((~pages.isnan()).sum()) == 2 * 2 * heads.k[0][0].numel()


def test_random_steps_agree():
    chance = random.Random(1)
    for seed in range(20):
        lengths = [chance.randint(1, 200) for _ in range(chance.randint(1, 5))]
        heads = Heads.random(lengths, group=chance.choice((1, 2, 8)), head_dim=32, seed=seed)
        counts = [chance.randint(1, length) for length in lengths]
        assert agree(heads, heads.last_tokens(*counts), chance.choice((None, 1, 30, 128)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": ints([0, 2])},
        {"positions": ints([5])},
        {"positions": ints([3, 5, 9])},
        {"positions": ints([-1, 0, 1])},
        {"positions": torch.tensor([3, 4, 5])},
    ],
)
def test_a_layout_that_makes_no_sense_is_an_error(wrong):
    heads = Heads.random([20])
    layout = heads.layout({0: (3, 6)})
    layout = type(layout)(**{**vars(layout), **wrong})
    with pytest.raises(ValueError, match=r"layout|keys of shape"):
        rows.store(heads.k[0][3:6], heads.v[0][3:6], heads.pages(), layout.pages, layout)


def test_huge_pages_change_no_number():
    pages = torch.ones(3 << 20, dtype=torch.bfloat16)
    for part in (pages, pages[5:2000], pages[:0]):
        rows.prefer_huge_pages(part)
    assert bool((pages == 1).all())
