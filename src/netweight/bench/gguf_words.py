"""A tokenizer.json as a GGUF file's metadata, so that a server of llama.cpp can read text.

Keys are those of ggml-org/ggml's docs/gguf.md, for a byte-level BPE (`gpt2`). llama.cpp splits text
before it merges bytes by one of the ways that it has built in, here that of gpt-4o, whatever the
tokenizer.json says: with another, text may become other tokens of the same vocabulary.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from netweight.errors import CheckpointError

_NORMAL, _CONTROL = 1, 3  # llama.cpp's numbers of token types
_BEGIN, _END = "<|start|>", "<|return|>"


@dataclass(frozen=True)
class Words:
    """A vocabulary: tokens by id, which are control tokens, and merges in order."""

    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    merges: tuple[str, ...]
    begin_id: int
    end_id: int


def read_words(path: Path) -> Words:
    """Read a tokenizer.json.

    Raises:
        CheckpointError: when it has no such vocabulary.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        ids: dict[str, int] = dict(document["model"]["vocab"])
        control = {token["content"]: int(token["id"]) for token in document["added_tokens"]}
        merges = document["model"]["merges"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not a tokenizer.json: {error}") from error
    missing = {_BEGIN, _END} - control.keys()
    if missing:
        raise CheckpointError(f"{path} has no token {', '.join(sorted(missing))}.")
    ids |= control
    tokens = {token_id: token for token, token_id in ids.items()}
    order = range(max(tokens) + 1)
    return Words(
        tokens=tuple(tokens.get(token_id, f"<|unused_{token_id}|>") for token_id in order),
        kinds=tuple(
            _NORMAL if tokens.get(token_id, _BEGIN) not in control else _CONTROL
            for token_id in order
        ),
        merges=tuple(one if isinstance(one, str) else " ".join(one) for one in merges),
        begin_id=control[_BEGIN],
        end_id=control[_END],
    )
