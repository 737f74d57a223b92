import json
from dataclasses import replace

import pytest

from netweight.errors import ConfigError
from netweight.model import GPT_OSS_20B, GPT_OSS_120B, Config

ORIGINAL_20B = {
    "num_hidden_layers": 24,
    "num_experts": 32,
    "experts_per_token": 4,
    "vocab_size": 201088,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "swiglu_limit": 7.0,
    "head_dim": 64,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "sliding_window": 128,
    "initial_context_length": 4096,
    "rope_theta": 150000,
    "rope_scaling_factor": 32.0,
    "rope_ntk_alpha": 1,
    "rope_ntk_beta": 32,
}


def test_the_published_shapes_have_the_parameters_of_the_model_card():
    # arXiv 2508.10925, table 1, and the exact counts of the published checkpoints.
    assert GPT_OSS_20B.num_parameters == 20_914_757_184
    assert GPT_OSS_120B.num_parameters == 116_829_156_672
    assert round(GPT_OSS_20B.num_active_parameters / 1e9, 2) == 3.61
    assert round(GPT_OSS_120B.num_active_parameters / 1e9, 2) == 5.13


def test_the_published_shapes_have_the_sizes_of_the_model_card():
    assert round(GPT_OSS_20B.checkpoint_bytes / 2**30, 1) == 12.8
    assert round(GPT_OSS_120B.checkpoint_bytes / 2**30, 1) == 60.8


def test_window_layers_keep_only_their_window():
    full = 2048 * 12 * 131_072
    windows = 2048 * 12 * 128
    assert GPT_OSS_20B.kv_cache_bytes(131_072) == full + windows


def test_even_layers_slide_and_odd_layers_do_not():
    assert [GPT_OSS_20B.window(index) for index in range(4)] == [128, None, 128, None]


def test_the_published_original_config_is_the_20b_shape():
    assert Config.from_json(ORIGINAL_20B) == (GPT_OSS_20B, "original")


@pytest.mark.parametrize("form", ["original", "huggingface"])
@pytest.mark.parametrize("config", [GPT_OSS_20B, replace(GPT_OSS_120B, rope_ntk_alpha=1.5)])
def test_a_config_survives_either_form(config, form):
    assert Config.from_json(json.loads(json.dumps(config.to_json(form)))) == (config, form)


def test_the_config_of_transformers_own_class_is_read():
    from transformers import GptOssConfig

    data = GptOssConfig(num_hidden_layers=24, num_local_experts=32).to_dict()
    assert Config.from_json(data)[0] == GPT_OSS_20B


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_experts": None}, "num_experts is None; it must be an integer"),
        ({"hidden_size": 2880.5}, "hidden_size is 2880.5; it must be an integer"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"hidden_size": 2881}, "multiple of 32"),
        ({"rope_theta": float("nan")}, "rope_theta is nan"),
        ({"experts_per_token": 33}, "exceeds num_experts"),
        ({"num_key_value_heads": 7}, "not a multiple"),
        ({"head_dim": 63}, "even"),
        ({"sliding_window": 0}, "sliding_window is 0"),
        ({"initial_context_length": 64}, "YaRN's bounds"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_a_wrong_original_config_is_refused_by_field(change, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_json(ORIGINAL_20B | change)


def test_a_missing_field_is_named():
    data = {name: value for name, value in ORIGINAL_20B.items() if name != "head_dim"}
    with pytest.raises(ConfigError, match="head_dim is missing"):
        Config.from_json(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"attention_bias": False}, "attention_bias"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings"),
        ({"rms_norm_eps": 1e-6}, "rms_norm_eps"),
        ({"layer_types": ["full_attention"] * 24}, "layer_types"),
        ({"rope_scaling": None}, "rope_scaling"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 2.0}}, "yarn"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 32.0}}, "truncate"),
    ],
)
def test_a_huggingface_config_of_another_architecture_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_json(GPT_OSS_20B.to_json("huggingface") | change)
