"""Beginning with heads that copy: nano reads what its question says from its first step on.

Two layers together continue a repetition: a head of the first layer tells every token which token
stood before it, and a head of the second looks for the place whose token before is the one now read
(Olsson and others, "In-context learning and induction heads", 2022, arXiv 2209.11895). Left to
itself such a small model finds them late or never, so that it could not repeat a name it is told.
Everything here is trained further like any other parameter.
"""

import torch
from torch import Tensor

from netweight.model import Config

_SHARPNESS = 6.0  # of the bias that makes a head look one token back
_NUM_FAST = 4  # fastest rotations, which tell near positions apart
_MATCH = 2.5  # gain of query and key that look for the same token


def begin_with_induction(parameters: dict[str, Tensor], config: Config, seed: int) -> None:
    """Set the first key-value head of layers 0 and 1, in place, and tie the output for a start.

    A head's dimensions d and d + head_dim / 2 turn together (RoPE), the slower the larger d is: the
    fast half holds where a token is, the slow half what it is.
    """
    generator = torch.Generator().manual_seed(seed)
    size, half = config.head_dim, config.head_dim // 2
    slow = torch.cat([torch.arange(half // 2, half), torch.arange(half + half // 2, size)])
    hidden = config.hidden_size
    group = config.num_attention_heads // config.num_key_value_heads
    # Rows that read a token's identity, and the orthogonal ones that keep another's beside it.
    basis = torch.linalg.qr(torch.randn(hidden, 2 * size, generator=generator)).Q.T
    identity, kept = basis[: len(slow)], basis[size : size + len(slow)]
    copied = torch.linalg.qr(torch.randn(hidden, size, generator=generator)).Q.T

    def of(layer: int, name: str) -> Tensor:
        return parameters[f"model.layers.{layer}.self_attn.{name}"]

    with torch.no_grad():
        rotation = config.rope_theta ** (-torch.arange(_NUM_FAST) / half)
        of(0, "k_proj.weight")[:size] *= 0.1
        of(0, "k_proj.bias")[:_NUM_FAST] = _SHARPNESS
        of(0, "v_proj.weight")[:size] = 0
        of(0, "v_proj.weight")[: len(slow)] = identity
        of(1, "k_proj.weight")[:size] = 0
        of(1, "k_proj.weight")[slow] = _MATCH * kept
        of(1, "v_proj.weight")[:size] = copied
        for head in range(group):
            first = head * size
            of(0, "q_proj.weight")[first : first + size] *= 0.1
            of(0, "q_proj.bias")[first : first + _NUM_FAST] = _SHARPNESS * rotation.cos()
            of(0, "q_proj.bias")[first + half : first + half + _NUM_FAST] = (
                -_SHARPNESS * rotation.sin()
            )
            of(0, "o_proj.weight")[:, first : first + size] = 0
            of(0, "o_proj.weight")[:, first : first + len(slow)] = kept.T / group
            of(1, "q_proj.weight")[first : first + size] = 0
            of(1, "q_proj.weight")[first + slow] = _MATCH * identity
            of(1, "o_proj.weight")[:, first : first + size] = copied.T / group
        embedding = parameters["model.embed_tokens.weight"]
        parameters["lm_head.weight"].copy_(embedding / hidden**0.5)
