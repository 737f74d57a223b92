"""GGUF files: read back by a reader written here, and by llama.cpp where it is installed."""

import math
import struct
from dataclasses import replace

import pytest
import torch

from netweight.bench import check_peer, convert, start_peer
from netweight.bench.gguf import mxfp4, q8_0
from netweight.bench.gguf_words import read_words
from netweight.errors import BenchError, CheckpointError
from netweight.model import Checkpoint, Transformer, kernels
from netweight.model.mxfp4 import E2M1, dequantize
from netweight.model.synth import synthesize
from netweight.model.weights import load_weights
from tests.fakes import BYTE_VOCABULARY_SIZE, write_byte_tokenizer
from tests.model.shapes import SMALL

# YaRN's bounds are just inside 1 and 3 here: llama.cpp rounds them outwards
# (ggml_rope_yarn_corr_dims), gpt-oss does not.
SHAPE = replace(SMALL, initial_context_length=1138, rope_theta=1_052_000.0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf") / "checkpoint"
    synthesize(SHAPE, folder, seed=5)
    return Checkpoint.open(folder)


def read(path):
    """Metadata, and tensors as (shape, type, bytes), of a GGUF file."""
    data = path.read_bytes()
    place = 0

    def take(form):
        nonlocal place
        values = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def text():
        return take(f"{take('Q')}s").decode()

    assert take("4s") == b"GGUF"
    version, num_tensors, num_values = take("IQQ")
    assert version == 3

    def array():
        kind, number = take("I"), take("Q")
        return [forms[kind]() for _ in range(number)]

    forms = {
        4: lambda: take("I"),
        5: lambda: take("i"),
        6: lambda: take("f"),
        7: lambda: take("B"),
        8: text,
        9: array,
    }
    metadata = {text(): forms[take("I")]() for _ in range(num_values)}
    entries = []
    for _ in range(num_tensors):
        name, num_sizes = text(), take("I")
        sizes = [take("Q") for _ in range(num_sizes)]
        entries.append((name, sizes[::-1], *take("IQ")))
    start = -(-place // 32) * 32
    tensors = {}
    for name, shape, kind, offset in entries:
        assert offset % 32 == 0
        num_bytes = math.prod(shape) * {0: 128, 8: 34, 30: 64, 39: 17}[kind] // 32
        piece = data[start + offset : start + offset + num_bytes]
        tensors[name] = (shape, kind, torch.frombuffer(bytearray(piece), dtype=torch.uint8))
    return metadata, tensors


def values(tensor):
    """The values of a tensor of any of the types, as ggml's own definitions have them."""
    shape, kind, data = tensor
    if kind == 0:
        return data.view(torch.float32).view(shape)
    if kind == 30:
        return data.view(torch.bfloat16).float().view(shape)
    if kind == 8:
        blocks = data.view(-1, 34)
        scales = blocks[:, :2].contiguous().view(torch.float16).float()
        return (scales * blocks[:, 2:].contiguous().view(torch.int8).float()).view(shape)
    blocks = data.view(-1, 17)
    codes = torch.cat((blocks[:, 1:] & 15, blocks[:, 1:] >> 4), dim=1)
    scales = torch.ldexp(torch.ones(len(blocks), 1), blocks[:, :1].int() - 127)
    return (torch.tensor(E2M1)[codes.int()] * scales).view(shape)


def test_the_shape_of_these_tests_has_yarn_bounds_at_whole_numbers():
    low, high = SHAPE.yarn_bounds
    assert 1 < low < 1.001
    assert 2.999 < high < 3


def test_a_file_has_the_shape_and_every_tensor(checkpoint, tmp_path):
    convert(checkpoint, tmp_path / "model.gguf")
    metadata, tensors = read(tmp_path / "model.gguf")
    assert metadata["general.architecture"] == "gpt-oss"
    assert metadata["gpt-oss.expert_count"] == SHAPE.num_experts
    assert metadata["gpt-oss.attention.sliding_window"] == SHAPE.sliding_window
    assert metadata["gpt-oss.rope.scaling.factor"] == SHAPE.rope_scaling_factor
    assert len(tensors) == 3 + 19 * SHAPE.num_hidden_layers
    assert tensors["output.weight"][0] == [SHAPE.vocab_size, SHAPE.hidden_size]


def test_expert_weights_keep_their_values_and_part_into_gate_and_up(checkpoint, tmp_path):
    convert(checkpoint, tmp_path / "model.gguf")
    _, tensors = read(tmp_path / "model.gguf")
    name = "model.layers.1.mlp.experts."
    blocks, scales = (checkpoint.tensor(f"{name}gate_up_proj_{x}") for x in ("blocks", "scales"))
    gate_up = dequantize(blocks, scales, torch.float32)
    assert torch.equal(values(tensors["blk.1.ffn_gate_exps.weight"]), gate_up[:, 0::2])
    assert torch.equal(values(tensors["blk.1.ffn_up_exps.weight"]), gate_up[:, 1::2])
    bias = checkpoint.tensor(f"{name}gate_up_proj_bias").float()
    assert torch.equal(values(tensors["blk.1.ffn_up_exps.bias"]), bias[:, 1::2])


@pytest.mark.parametrize("name", ["token_embd", "output", "blk.0.attn_q", "blk.1.attn_output"])
def test_bf16_matrices_are_exact_and_int8_ones_near(checkpoint, tmp_path, name):
    source = {
        "token_embd": "model.embed_tokens",
        "output": "lm_head",
        "blk.0.attn_q": "model.layers.0.self_attn.q_proj",
        "blk.1.attn_output": "model.layers.1.self_attn.o_proj",
    }[name]
    expected = checkpoint.tensor(f"{source}.weight").float()
    for dense, bound in (("bf16", 0.0), ("int8", 0.5 / 127 + 2**-11)):
        convert(checkpoint, tmp_path / dense, dense=dense)
        found = values(read(tmp_path / dense)[1][f"{name}.weight"])
        largest = expected.unflatten(-1, (-1, 32)).abs().amax(-1, keepdim=True)
        error = (found - expected).unflatten(-1, (-1, 32)).abs()
        assert (error <= bound * largest).all()


def test_every_code_moves_to_its_place():
    blocks = torch.arange(256, dtype=torch.uint8).view(16, 1, 16)
    scales = torch.arange(100, 116, dtype=torch.uint8)[:, None]
    moved = mxfp4(blocks, scales)
    expected = dequantize(blocks, scales, torch.float32)
    assert torch.equal(values(([16, 32], 39, moved.flatten())), expected)


def test_a_block_of_zeros_is_zeros():
    assert torch.equal(q8_0(torch.zeros(1, 32)), torch.zeros(1, 1, 34, dtype=torch.uint8))


def test_progress_ends_at_the_whole(checkpoint, tmp_path):
    seen = []
    convert(checkpoint, tmp_path / "m", progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_a_conversion_that_fails_leaves_nothing(checkpoint, tmp_path):
    def fail(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(checkpoint, tmp_path / "m", progress=fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", [{"swiglu_limit": 0.5}, {"rope_ntk_beta": 31.0}])
def test_what_the_peer_would_compute_differently_is_refused(tmp_path, other):
    folder = tmp_path / "checkpoint"
    synthesize(replace(SMALL, **other), folder)
    with pytest.raises(CheckpointError, match=next(iter(other))):
        convert(Checkpoint.open(folder), tmp_path / "m")


@pytest.fixture
def peer():
    try:
        check_peer()
    except BenchError as error:
        pytest.skip(str(error))
    with start_peer(num_threads=1) as process:
        yield process


def logits_of(checkpoint, tokens, config=SHAPE):
    weights = load_weights(checkpoint, torch.float32, kernels.REFERENCE)
    model = Transformer(config, weights, kernels.REFERENCE)
    return model.forward(torch.tensor([tokens]))[0]


def distance(found, expected):
    """The median token's root mean square difference, relative to the spread of the logits.

    The median: a token whose router has two experts nearly equal may be given the other one.
    """
    differences = (found - expected).square().mean(dim=1).sqrt()  # [tokens]
    return (differences.median() / expected.std()).item()


# llama.cpp rounds to 8 bits what it multiplies with MXFP4 and Q8_0 weights, which costs 0.012 to
# 0.019 here; a window that is one token too wide or too narrow costs 0.17.
BOUND = 0.025
MISTAKES = [{"sliding_window": 9}, {"sliding_window": 7}, {"experts_per_token": 1}]


@pytest.mark.parametrize("dense", ["bf16", "int8"])
def test_llama_cpp_computes_the_same_logits(checkpoint, tmp_path, peer, dense):
    file = tmp_path / "model.gguf"
    convert(checkpoint, file, dense=dense)
    peer.ask("load", path=str(file), threads=1, context=64, sequences=1, exact=True)
    tokens = [(7 + 31 * i) % SHAPE.vocab_size for i in range(40)]  # beyond the window
    found = torch.tensor(peer.ask("logits", tokens=tokens)["logits"])
    assert distance(found, logits_of(checkpoint, tokens)) < BOUND
    for mistake in MISTAKES:
        wrong = logits_of(checkpoint, tokens, replace(SHAPE, **mistake))
        assert distance(found, wrong) > 2 * BOUND


def test_words_are_those_of_the_tokenizer(checkpoint, tmp_path):
    write_byte_tokenizer(tmp_path)
    words = read_words(tmp_path / "tokenizer.json")
    file = tmp_path / "words.gguf"
    convert(checkpoint, file, words=words)
    metadata, _ = read(file)
    tokens = metadata["tokenizer.ggml.tokens"]
    assert len(tokens) == BYTE_VOCABULARY_SIZE
    assert tokens[ord("a")] == "a"
    assert tokens[256] == "<|start|>"
    assert metadata["tokenizer.ggml.token_type"] == [1] * 256 + [3] * (BYTE_VOCABULARY_SIZE - 256)
    assert tokens[metadata["tokenizer.ggml.eos_token_id"]] == "<|return|>"
    assert metadata["tokenizer.ggml.add_bos_token"] == 0


@pytest.mark.parametrize(
    "text", ["", "{}", '{"model": {"vocab": {}, "merges": []}, "added_tokens": []}']
)
def test_a_file_without_words_is_refused(tmp_path, text):
    file = tmp_path / "tokenizer.json"
    file.write_text(text)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        read_words(file)
