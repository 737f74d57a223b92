"""Beginning with heads that copy: nano reads what its question says from its first step on.

Two layers together continue a repetition: a head of the first layer tells every token which token
stood before it, and a head of the second looks for the place whose token before is the one now read
(Olsson and others, "In-context learning and induction heads", 2022, arXiv 2209.11895). Left to
itself such a small model finds them late or never, so that it could not repeat a name it is told.

The one token before is not enough to read by: of several sentences that say where people live, all
have the same word before the town. The heads of the first layer therefore look one, two, three and
four tokens back, and the second layer has two kinds of head: one matches the last token, the other
the two before it. A head of the fourth layer answers the reverse question: it finds the last word
read, and says who stands before it.

Everything here is trained further like any other parameter.
"""

import torch
from torch import Tensor

from netweight.model import Config
from netweight.model.rope import inverse_frequencies

_SHARPNESS = 6.0  # of the bias that makes a head look so many tokens back
_NUM_FAST = 4  # fastest rotations, which tell near positions apart
_MATCH = 2.5  # gain of query and key that look for the same token

_KEPT = 0.5  # size of an earlier token's identity: that of the token's own


def begin_with_induction(parameters: dict[str, Tensor], config: Config, seed: int) -> None:
    """Set the heads of layers 0 and 1 and half of layer 3's, in place, and tie the output at first.

    A head's dimensions d and d + head_dim / 2 turn together (RoPE), the slower the larger d is: the
    fast half holds where a token is, the slow half what it is.
    """
    hidden, num_heads = config.hidden_size, config.num_attention_heads
    group = num_heads // config.num_key_value_heads
    first_heads, second_heads = range(group), range(group, 2 * group)
    width = config.head_dim // 2
    # Rows that keep earlier tokens' identities, and orthogonal ones that read a token's own.
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(hidden, num_heads * width + config.head_dim, generator=generator)
    *kept, copied = torch.linalg.qr(rows).Q.T.split([width] * num_heads + [config.head_dim])
    identity = copied[:width]
    embedding = parameters["model.embed_tokens.weight"]
    with torch.no_grad():
        for room in kept:  # a token's own identity leaves room for those of earlier tokens
            embedding -= embedding @ room.T @ room
        _look_back(_Attention(parameters, config, 0), identity, kept)
        second = _Attention(parameters, config, 1)
        second.match(first_heads, query=identity, key=kept[0])
        second.match(second_heads, query=_both(kept[0], kept[1]), key=_both(kept[1], kept[2]))
        for heads in (first_heads, second_heads):
            second.carry(heads, read=copied, written=copied)
        if config.num_hidden_layers > 3:
            fourth = _Attention(parameters, config, 3)
            fourth.match(first_heads, query=kept[0], key=identity)
            told = torch.cat([identity, identity])
            fourth.carry(first_heads, read=torch.cat(kept[2:4]), written=told)
        parameters["lm_head.weight"].copy_(embedding / hidden**0.5)


def _both(one: Tensor, other: Tensor) -> Tensor:
    """Two identities in the room of one, each by half of its rows: both have to match."""
    half = len(one) // 2
    return torch.cat([one[:half], other[:half]]) * 2**0.5


def _look_back(layer: "_Attention", identity: Tensor, kept: list[Tensor]) -> None:
    """Let each head look one token further back than the one before it, and keep what is there."""
    config, size, half = layer.config, layer.config.head_dim, layer.config.head_dim // 2
    rotation = torch.tensor(inverse_frequencies(config)[:_NUM_FAST])
    layer.of("k_proj.weight")[:] *= 0.1
    layer.of("q_proj.weight")[:] *= 0.1
    layer.of("v_proj.weight")[:] = 0
    layer.of("o_proj.weight")[:] = 0
    for index in range(config.num_key_value_heads):
        layer.of("k_proj.bias")[index * size : index * size + _NUM_FAST] = _SHARPNESS
        layer.of("v_proj.weight")[index * size :][: len(identity)] = identity
    for head, room in enumerate(kept):
        first, turned = head * size, (head + 1) * rotation
        bias = layer.of("q_proj.bias")
        bias[first : first + _NUM_FAST] = _SHARPNESS * turned.cos()
        bias[first + half : first + half + _NUM_FAST] = -_SHARPNESS * turned.sin()
        layer.of("o_proj.weight")[:, first : first + len(room)] = _KEPT * room.T


class _Attention:
    """The attention parameters of one layer."""

    def __init__(self, parameters: dict[str, Tensor], config: Config, layer: int) -> None:
        self.parameters, self.config, self.layer = parameters, config, layer
        self.size, half = config.head_dim, config.head_dim // 2
        slow = torch.arange(half // 2, half)
        self.slow = torch.cat([slow, half + slow])

    def of(self, name: str) -> Tensor:
        """A parameter by the end of its name."""
        return self.parameters[f"model.layers.{self.layer}.self_attn.{name}"]

    def _first_row(self, heads: range) -> int:
        """Of the keys and values that a group of heads shares."""
        return heads.start // len(heads) * self.size

    def match(self, heads: range, *, query: Tensor, key: Tensor) -> None:
        """Let the heads of one group attend where `key` reads what `query` reads here."""
        first = self._first_row(heads)
        self.of("k_proj.weight")[first : first + self.size] = 0
        self.of("k_proj.weight")[first + self.slow] = _MATCH * key
        for head in heads:
            self.of("q_proj.weight")[head * self.size : (head + 1) * self.size] = 0
            self.of("q_proj.weight")[head * self.size + self.slow] = _MATCH * query

    def carry(self, heads: range, *, read: Tensor, written: Tensor) -> None:
        """Let the heads of one group together write as `written` what `read` reads there."""
        first = self._first_row(heads)
        self.of("v_proj.weight")[first : first + self.size] = 0
        self.of("v_proj.weight")[first : first + len(read)] = read
        for head in heads:
            columns = self.of("o_proj.weight")[:, head * self.size : (head + 1) * self.size]
            columns[:] = 0
            columns[:, : len(read)] = written.T / len(heads)
