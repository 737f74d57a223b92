"""Token ids as clients read them: their text, their bytes, and how likely they were."""

from netweight.harmony import Vocabulary
from netweight.server import answer, wire


class Words:
    """Token ids as clients read them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def bytes(self, token_id: int) -> bytes:
        # A model may have more ids than its vocabulary; they stand for nothing.
        has = self._vocabulary.has(token_id)
        return self._vocabulary.token_bytes(token_id) if has else b""

    def text(self, token_id: int) -> str:
        return self.bytes(token_id).decode(errors="replace")

    def scored(self, score: answer.TokenScore, num_top: int) -> wire.TokenLogprob:
        """A token of the content with its log-probabilities."""
        drawn, top = score.logprobs
        return wire.TokenLogprob(
            token=self.text(score.token_id),
            logprob=drawn,
            bytes=list(self.bytes(score.token_id)),
            top_logprobs=[
                wire.TopLogprob(
                    token=self.text(token_id), logprob=logprob, bytes=list(self.bytes(token_id))
                )
                for token_id, logprob in top[:num_top]
            ],
        )

    def read(self, token: answer.HarmonyToken) -> wire.HarmonyToken:
        """A token of the prompt."""
        token_id, kind = token
        return wire.HarmonyToken(id=token_id, text=self.text(token_id), kind=kind)

    def written(self, delta: answer.TokenWritten, num_top: int) -> wire.WrittenToken:
        """A token that the model wrote."""
        (token_id, kind), logprobs = delta
        assert logprobs is not None, "tokens are told with their log-probabilities"
        return wire.WrittenToken(
            id=token_id,
            text=self.text(token_id),
            kind=kind,
            logprob=logprobs.drawn,
            top=[
                wire.LikelyToken(id=likely, text=self.text(likely), logprob=logprob)
                for likely, logprob in logprobs.top[:num_top]
            ],
        )
