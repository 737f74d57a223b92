"""nano's architecture: gpt-oss's, small. Six layers, eight experts, 5.8 million parameters."""

from netweight.model import Config
from recipes.nano.tokenizer import VOCABULARY_SIZE

CONFIG = Config(
    num_hidden_layers=6,
    num_experts=8,
    experts_per_token=2,
    vocab_size=VOCABULARY_SIZE,
    hidden_size=128,
    intermediate_size=256,
    head_dim=32,
    num_attention_heads=4,
    num_key_value_heads=2,
    sliding_window=128,
    initial_context_length=1024,
    rope_scaling_factor=2.0,
)
