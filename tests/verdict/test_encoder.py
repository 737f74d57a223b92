"""The text encoder against two oracles that nobody here wrote: tokenizers and transformers."""

import dataclasses

import numpy as np
import pytest
import tokenizers
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from benchmarks.verdict_gold import read_gold
from netweight.verdict.encoder import MAX_PIECES, pieces_of
from netweight.verdict.reader import reader

ODD = [
    "Caf\u00e9 S\u00e3o-Paulo na\u00efve \u2014 \u201cquoted\u201d don\u2019t",
    "gpt-oss-120b scored 90.0% on MMLU; o4-mini 93.0 (5.1B active).",
    "\u4e2d\u6587 and \u03c4-bench, price \u20ac5 \u00a33 \u00bd",
    "a" * 120 + " after a long word",
    "x\u00a0y z\u0301 \u01c5 \ufb01ne \U0001f600",
    "",
    "   ",
]


@pytest.fixture(scope="module")
def encoder():
    return reader().encoder


@pytest.fixture(scope="module")
def wordpiece(encoder):
    found = tokenizers.Tokenizer(WordPiece(dict(encoder.vocabulary), unk_token="[UNK]"))
    found.normalizer = BertNormalizer(lowercase=True)
    found.pre_tokenizer = BertPreTokenizer()
    return found


@pytest.fixture(scope="module")
def bert(encoder):
    """A transformers BERT with the package's weights."""
    first = encoder.layers[0]
    config = transformers.BertConfig(
        vocab_size=len(encoder.words),
        hidden_size=first.out.shape[0],
        num_hidden_layers=len(encoder.layers),
        num_attention_heads=12,
        intermediate_size=first.up.shape[1],
        max_position_embeddings=len(encoder.positions),
        hidden_act="gelu",
        layer_norm_eps=1e-12,
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():

        def put(target, source):
            target.copy_(torch.from_numpy(np.ascontiguousarray(source)))

        embeddings = model.embeddings
        put(embeddings.word_embeddings.weight, encoder.words * encoder.word_scales)
        put(embeddings.position_embeddings.weight, encoder.positions)
        embeddings.token_type_embeddings.weight.zero_()
        put(embeddings.LayerNorm.weight, encoder.norm[0])
        put(embeddings.LayerNorm.bias, encoder.norm[1])
        for theirs, ours in zip(model.encoder.layer, encoder.layers, strict=True):
            own = theirs.attention.self
            for linear, weight, bias in zip(
                (own.query, own.key, own.value),
                np.split(ours.qkv, 3, axis=1),
                np.split(ours.qkv_bias, 3),
                strict=True,
            ):
                put(linear.weight, weight.T)
                put(linear.bias, bias)
            for linear, weight, bias in (
                (theirs.attention.output.dense, ours.out, ours.out_bias),
                (theirs.intermediate.dense, ours.up, ours.up_bias),
                (theirs.output.dense, ours.down, ours.down_bias),
            ):
                put(linear.weight, weight.T)
                put(linear.bias, bias)
            for norm, (scale, shift) in (
                (theirs.attention.output.LayerNorm, ours.attention_norm),
                (theirs.output.LayerNorm, ours.norm),
            ):
                put(norm.weight, scale)
                put(norm.bias, shift)
    return model


def texts():
    return [*ODD, *(gold.text for gold in read_gold("further1"))]


def test_pieces_are_those_of_the_tokenizers_library(encoder, wordpiece):
    for text in texts():
        theirs = wordpiece.encode(text)
        ours = pieces_of(text, encoder.vocabulary)
        assert [piece.id for piece in ours] == theirs.ids
        assert [tuple(piece.span) for piece in ours] == theirs.offsets


@given(st.text(max_size=60))
def test_any_text_has_pieces_in_order(text):
    pieces = pieces_of(text, reader().encoder.vocabulary)
    assert all(0 <= p.span.start < p.span.end <= len(text) for p in pieces)
    starts = [p.span.start for p in pieces]
    assert starts == sorted(starts)


def test_states_are_those_of_transformers(encoder, bert):
    for text in texts():
        pieces = encoder.pieces(text)
        ids = [encoder.vocabulary["[CLS]"], *(p.id for p in pieces), encoder.vocabulary["[SEP]"]]
        with torch.no_grad():
            theirs = bert(torch.tensor([ids])).last_hidden_state[0].numpy()
        assert np.abs(encoder.states(pieces) - theirs).max() < 2e-4


def test_a_wrong_encoder_is_told_from_the_right_one(encoder, bert):
    """Without its positions it would read a bag of words."""
    blind = dataclasses.replace(encoder, positions=np.zeros_like(encoder.positions))
    pieces = encoder.pieces("gpt-oss-120b trails o4-mini on MMLU.")
    assert np.abs(blind.states(pieces) - encoder.states(pieces)).max() > 0.1


def test_a_long_text_is_read_to_its_limit(encoder):
    pieces = encoder.pieces("word " * 1000)
    assert len(pieces) == MAX_PIECES - 2
    assert encoder.states(pieces).shape[0] == MAX_PIECES
