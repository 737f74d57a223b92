"""LoRA adapters against PEFT, in mixed company, and against wrong versions of themselves."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netweight.model import adapter_files, load_transformer
from netweight.model.adapter import Factors, assemble_adapter
from netweight.model.budget import WORKING_BYTES, dense_bytes, expert_bytes
from netweight.model.weights import PlainLinear
from tests.model.paging import Paging
from tests.model.peft_oracle import Oracle
from tests.model.shapes import SHAPES, SMALL, native_sets, needs_native, tolerance
from tests.model.test_transformer import distance, most_errors, random_tokens

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
EVERYTHING = [*ATTENTION, "lm_head"]


@pytest.fixture(scope="module")
def oracle_of(checkpoint_of):
    """A function from a shape to PEFT around its checkpoint."""
    made = {}

    def get(config):
        if config not in made:
            made[config] = Oracle(checkpoint_of(config))
        return made[config]

    return get


@pytest.fixture(scope="module")
def two_adapters(oracle_of, tmp_path_factory):
    """Folders of two adapters of the small shape, one of everything, one of little."""
    folder, oracle = tmp_path_factory.mktemp("adapters"), oracle_of(SMALL)
    return {
        "wide": oracle.write(folder / "wide", r=5, target_modules=EVERYTHING, size=0.3),
        "narrow": oracle.write(
            folder / "narrow", r=2, seed=1, target_modules=["v_proj"], layers_to_transform=[1]
        ),
    }


@pytest.fixture
def native_set():
    """The instruction set in use afterwards is the one before."""
    import netweight._native as native

    before = native.using()
    yield
    native.use(before)


def load_adapted(checkpoint, adapters, **keywords):
    return load_transformer(checkpoint, adapters=adapters, **keywords)


ranks = st.integers(1, 9)
patterns = st.sampled_from(
    ["q_proj", "self_attn.o_proj", r"layers\.1\..*", r"model.layers.0.self_attn.(k|v)_proj"]
)
lora_settings = st.fixed_dictionaries(
    {
        "r": ranks,
        "lora_alpha": st.integers(1, 64),
        "use_rslora": st.booleans(),
        "target_modules": st.one_of(
            st.just("all-linear"),
            st.lists(st.sampled_from(EVERYTHING), min_size=1, unique=True),
        ),
        "rank_pattern": st.dictionaries(patterns, ranks, max_size=2),
        "alpha_pattern": st.dictionaries(patterns, st.integers(1, 64), max_size=2),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=lora_settings, seed=st.integers(0, 99))
def test_float32_logits_equal_peft(fields, seed, oracle_of, checkpoint_of, tmp_path_factory):
    oracle, tokens = oracle_of(SMALL), random_tokens(SMALL)
    folder = oracle.write(tmp_path_factory.mktemp("adapter"), seed=seed, **fields)
    model = load_adapted(checkpoint_of(SMALL), {"a": folder}, dtype=torch.float32)
    theirs = oracle.logits(folder, tokens)
    ours = model.forward(tokens, model.adapters["a"])
    assert distance(ours, theirs) <= tolerance("logits-float32")
    assert distance(ours, model.forward(tokens)) > 10 * tolerance("logits-float32")


@pytest.mark.parametrize("name", ["published heads", "one key head", "five layers"])
def test_shapes_of_every_kind_equal_peft(name, oracle_of, checkpoint_of, tmp_path):
    config = SHAPES[name]
    oracle, tokens = oracle_of(config), random_tokens(config)
    folder = oracle.write(tmp_path, r=4, target_modules=EVERYTHING)
    model = load_adapted(checkpoint_of(config), {"a": folder}, dtype=torch.float32)
    ours = model.forward(tokens, model.adapters["a"])
    assert distance(ours, oracle.logits(folder, tokens)) <= tolerance("logits-float32")


def in_pages(model, tokens, adapter):
    """Logits after each token of sequences that all have an adapter, as an engine asks for them."""
    paging, adapters = Paging(model), dict.fromkeys(range(len(tokens)), adapter)
    ids = [dict(enumerate(part.tolist())) for part in tokens.split([30, 1, 17], dim=1)]
    parts = [paging.step(part, adapters=adapters).unflatten(0, (len(tokens), -1)) for part in ids]
    return torch.cat(parts, dim=1)


@needs_native
@pytest.mark.parametrize("dense", ["bf16", "int8"])
@pytest.mark.parametrize("kernels", native_sets())
def test_every_kernel_set_gives_the_same_logits(
    kernels, dense, two_adapters, oracle_of, checkpoint_of, monkeypatch, native_set
):
    monkeypatch.setenv("NETWEIGHT_KERNELS", kernels)
    tokens = random_tokens(SMALL)
    model = load_adapted(checkpoint_of(SMALL), two_adapters, dense=dense)
    assert model.kernels.name == kernels
    for name, folder in two_adapters.items():
        theirs = oracle_of(SMALL).logits(folder, tokens)
        ours = in_pages(model, tokens, name)
        assert most_errors(ours, theirs) <= tolerance(f"logits-native-{dense}")


def test_bfloat16_on_the_reference_kernels(two_adapters, oracle_of, checkpoint_of, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    tokens = random_tokens(SMALL)
    model = load_adapted(checkpoint_of(SMALL), two_adapters)
    for name, folder in two_adapters.items():
        theirs = oracle_of(SMALL).logits(folder, tokens)
        assert most_errors(in_pages(model, tokens, name), theirs) <= tolerance("logits-bfloat16")


COMPANY = {0: None, 1: "wide", 2: "narrow", 3: "wide", 4: None}
STEPS = [{0: 20, 1: 30, 3: 1}, {1: 1, 2: 40, 3: 29, 4: 7}, {0: 1, 1: 1, 2: 1, 3: 1, 4: 1}]


def run(model, keys):
    """Logits after all tokens of sequences of COMPANY, taken together in STEPS."""
    tokens = dict(enumerate(random_tokens(SMALL, batch=len(COMPANY)).tolist()))
    paging, logits = Paging(model), {key: [] for key in keys}
    for step in STEPS:
        sizes = {key: size for key, size in step.items() if key in keys}
        if not sizes:
            continue
        piece = {key: tokens[key][:size] for key, size in sizes.items()}
        tokens |= {key: tokens[key][size:] for key, size in sizes.items()}
        parts = paging.step(piece, adapters=COMPANY).split(list(sizes.values()))
        for key, part in zip(sizes, parts, strict=True):
            logits[key].append(part)
    return {key: torch.cat(parts) for key, parts in logits.items()}


def test_base_and_adapters_share_steps(two_adapters, checkpoint_of):
    model = load_adapted(checkpoint_of(SMALL), two_adapters, dtype=torch.float32)
    for key, logits in run(model, COMPANY).items():
        assert distance(logits, run(model, [key])[key]) <= tolerance("cache-float32")


@needs_native
@pytest.mark.parametrize("dense", ["bf16", "int8"])
@pytest.mark.parametrize("kernels", native_sets())
def test_company_changes_no_bit_on_native_kernels(
    kernels, dense, two_adapters, checkpoint_of, monkeypatch, native_set
):
    monkeypatch.setenv("NETWEIGHT_KERNELS", kernels)
    model = load_adapted(checkpoint_of(SMALL), two_adapters, dense=dense)
    for key, logits in run(model, COMPANY).items():
        assert torch.equal(logits, run(model, [key])[key])


def test_a_base_only_step_is_that_of_a_model_without_adapters(two_adapters, checkpoint_of):
    with_adapters = load_adapted(checkpoint_of(SMALL), two_adapters)
    pieces = dict(enumerate(random_tokens(SMALL).tolist()))
    ours = Paging(with_adapters).step(pieces)
    assert torch.equal(ours, Paging(load_transformer(checkpoint_of(SMALL))).step(pieces))


def test_logits_are_made_for_the_rows_asked_for(two_adapters, checkpoint_of):
    model = load_adapted(checkpoint_of(SMALL), two_adapters, dtype=torch.float32)
    pieces = dict(enumerate(random_tokens(SMALL, batch=3).tolist()))
    adapters = {0: "narrow", 2: "wide"}
    every = Paging(model).step(pieces, adapters=adapters)
    rows = [143, 0, 100, 50]
    some = Paging(model).step(pieces, rows, adapters)
    assert distance(some, every[rows]) <= tolerance("cache-float32")
    assert Paging(model).step(pieces, [], adapters).shape == (0, SMALL.vocab_size)


def test_an_adapter_can_be_trained(load):
    generator = torch.Generator().manual_seed(0)

    def parameter(*shape):
        return torch.randn(shape, generator=generator).requires_grad_()

    factors = {
        "model.layers.0.self_attn.q_proj": Factors(parameter(3, 64), parameter(128, 3)),
        "model.layers.1.self_attn.o_proj": Factors(parameter(2, 128), parameter(64, 2)),
        "lm_head": Factors(parameter(1, 64), parameter(160, 1)),
    }
    model = load(SMALL, torch.float32)
    adapter = assemble_adapter(SMALL, factors, lambda weight: PlainLinear([(weight, None)]))
    model.forward(random_tokens(SMALL), adapter).logsumexp(-1).mean().backward()
    for pair in factors.values():
        assert all(float(factor.grad.abs().max()) > 0 for factor in pair)


def test_adapters_take_of_the_memory_that_a_model_may_use(two_adapters, checkpoint_of):
    num_experts = SMALL.num_hidden_layers * SMALL.num_experts
    weights = dense_bytes(SMALL, "bf16") + num_experts * expert_bytes(SMALL)
    memory = WORKING_BYTES + weights + 1_000_000
    adapted = load_adapted(checkpoint_of(SMALL), two_adapters, memory_bytes=memory)
    plain = load_transformer(checkpoint_of(SMALL), memory_bytes=memory)
    num_bytes = sum(adapter.num_bytes for adapter in adapted.adapters.values())
    assert 0 < num_bytes == plain.budget.kv_bytes - adapted.budget.kv_bytes


# Deliberately wrong twins: each must be seen at the tolerance that the right one passes.


def no_scale(self, module):
    return 1.0


def scale_by_rank_in_place_of_its_root(self, module):
    return self.alpha / self.rank_of(module)


def scale_of_the_default_rank(self, module):
    return self.alpha / math.sqrt(self.rank)


@pytest.mark.parametrize(
    "wrong",
    [no_scale, scale_by_rank_in_place_of_its_root, scale_of_the_default_rank],
    ids=lambda wrong: wrong.__name__,
)
def test_a_wrong_scale_fails_the_tolerance(wrong, oracle_of, checkpoint_of, tmp_path, monkeypatch):
    oracle, tokens = oracle_of(SMALL), random_tokens(SMALL)
    fields = {"r": 4, "lora_alpha": 6, "use_rslora": True, "rank_pattern": {"q_proj": 3}}
    folder = oracle.write(tmp_path, target_modules=ATTENTION, size=0.1, **fields)
    monkeypatch.setattr(adapter_files._Settings, "scale_of", wrong)
    model = load_adapted(checkpoint_of(SMALL), {"a": folder}, dtype=torch.float32)
    ours = model.forward(tokens, model.adapters["a"])
    assert distance(ours, oracle.logits(folder, tokens)) > 10 * tolerance("logits-float32")
