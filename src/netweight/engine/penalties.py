"""What a request adds to logits before a draw: a bias for some tokens, penalties for repeated ones.

Knows token ids and how often each was drawn. The prompt does not count.
"""

from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor


class Penalties:
    """OpenAI's formula, for one request.

    A token that was drawn c times has bias - c * frequency - (presence if c > 0) added to its logit
    (https://platform.openai.com/docs/api-reference/chat/create, logit_bias and the two penalties).
    """

    def __init__(
        self, bias: Iterable[tuple[int, float]], presence: float, frequency: float, num_ids: int
    ) -> None:
        """Add to logits [num_ids]; nothing has been drawn yet."""
        self._bias = dict(bias)
        self._presence = presence
        self._frequency = frequency
        self._counts: Counter[int] = Counter()
        self._added = torch.zeros(num_ids)  # kept, since one sum costs less than to gather ids
        for token_id, added in self._bias.items():
            self._added[token_id] = added

    def count(self, token_id: int) -> None:
        """Note that a token was drawn."""
        self._counts[token_id] += 1
        penalty = self._presence + self._counts[token_id] * self._frequency
        self._added[token_id] = self._bias.get(token_id, 0.0) - penalty

    def applied(self, logits: Tensor) -> Tensor:
        """The logits float32 [num_ids] to draw from; those given stay as they are."""
        return logits + self._added
