"""The vocabulary: text <-> token ids, and which ids are Harmony's control tokens.

Reads a Hugging Face tokenizer.json or OpenAI's o200k_base.tiktoken and runs it through tiktoken.
Never downloads, never guesses. Text always becomes ordinary tokens: no string can spell a control
token. Control tokens are found by name, because a small model's vocabulary has its own ids. Does
not know messages.
"""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self

import tiktoken

from netweight.errors import VocabularyError

O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
O200K_NUM_RANKS = 199_998
GPT_OSS_VOCABULARY_SIZE = 201_088  # what the models' embedding tables hold

# How o200k_base splits text before merging bytes; published with tiktoken (MIT).
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
O200K_SPLIT = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}?",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)

_O200K_NAMED_SPECIALS = {
    199998: "<|startoftext|>",
    199999: "<|endoftext|>",
    200002: "<|return|>",
    200003: "<|constrain|>",
    200005: "<|channel|>",
    200006: "<|start|>",
    200007: "<|end|>",
    200008: "<|message|>",
    200012: "<|call|>",
}

# tiktoken's regex engine backtracks on a stack and panics at a million spaces (seen with 0.14.0),
# so longer text is encoded in pieces of at most this many characters.
_MAX_CHARS_AT_ONCE = 200_000
_CUT_WINDOW = 10_000
_LINE_START = re.compile(r"\n(?=[^\W_])")
_WORD_GAP = re.compile(r"[^\W_](?= [^\W_])")


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids of Harmony's control tokens."""

    start: int
    end: int
    message: int
    channel: int
    constrain: int
    call: int
    return_: int
    endoftext: int

    @classmethod
    def find(cls, specials: Mapping[str, int], source: str) -> Self:
        """Pick the control tokens out of a name-to-id table; VocabularyError names the missing."""
        names = {field: f"<|{field.rstrip('_')}|>" for field in cls.__slots__}
        missing = [name for name in names.values() if name not in specials]
        if missing:
            raise VocabularyError(
                f"{source} has no special token {', '.join(missing)}. "
                "Harmony needs it; use the tokenizer of a gpt-oss model."
            )
        return cls(**{field: specials[name] for field, name in names.items()})


class Vocabulary:
    """Text <-> token ids for one model; see the module's docstring.

    `special` holds the control ids, `stop_ids` those that stop sampling, `size` the number of ids
    (highest id plus one), `encoding` is tiktoken's own object. Safe to share between threads.
    """

    def __init__(
        self, ranks: Mapping[bytes, int], specials: Mapping[str, int], split: str, source: str
    ) -> None:
        """Build from tables of bytes to rank and name to id; errors name `source`."""
        _check_ranks(ranks, specials, source)
        self.source = source
        self.special = SpecialIds.find(specials, source)
        self.stop_ids = frozenset({self.special.return_, self.special.call, self.special.endoftext})
        self.special_names: dict[int, str] = {id_: name for name, id_ in specials.items()}
        self.size = max(max(ranks.values()), max(specials.values())) + 1
        self._bytes: dict[int, bytes] = {rank: token for token, rank in ranks.items()}
        self._bytes.update((id_, name.encode()) for id_, name in self.special_names.items())
        try:
            self.encoding = tiktoken.Encoding(
                "netweight",
                pat_str=split,
                mergeable_ranks=dict(ranks),
                special_tokens=dict(specials),
            )
        except ValueError as error:
            raise VocabularyError(f"{source}: tiktoken refuses it: {error}") from error

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a tokenizer.json, a .tiktoken file, or a folder that holds one.

        Raises VocabularyError for a missing, damaged or unsupported file, naming what is wrong.
        """
        file = _find_file(Path(path))
        try:
            data = file.read_bytes()
        except OSError as error:
            raise VocabularyError(f"cannot read the vocabulary {file}: {error.strerror}") from error
        if file.suffix == ".tiktoken":
            return cls(*_read_tiktoken(data, str(file)), str(file))
        return cls(*_read_tokenizer_json(data, str(file)), str(file))

    def encode(self, text: str) -> list[int]:
        """Ordinary tokens only: a control token spelled out becomes the tokens of its letters."""
        if len(text) <= _MAX_CHARS_AT_ONCE:
            return self.encoding.encode_ordinary(text)
        ids: list[int] = []
        start = 0
        while start < len(text):
            stop = _cut(text, start)
            ids += self.encoding.encode_ordinary(text[start:stop])
            start = stop
        return ids

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token, of a control token its name; VocabularyError if there is none."""
        try:
            return self._bytes[token_id]
        except KeyError:
            raise VocabularyError(
                f"token id {token_id} is not in {self.source}, whose ids go up to {self.size - 1}"
            ) from None

    def decode_bytes(self, token_ids: Iterable[int]) -> bytes:
        """The bytes of all tokens in order; raises VocabularyError for an unknown id."""
        return b"".join([self.token_bytes(token_id) for token_id in token_ids])

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of the tokens, invalid UTF-8 as U+FFFD; VocabularyError for an unknown id."""
        return self.decode_bytes(token_ids).decode("utf-8", errors="replace")

    def has(self, token_id: int) -> bool:
        """Whether there is such a token."""
        return token_id in self._bytes

    def is_special(self, token_id: int) -> bool:
        """Whether this id is a control (or reserved) token, which no text encodes to."""
        return token_id in self.special_names

    def byte_id(self, value: int) -> int:
        """The token of a single byte."""
        return self.encoding.encode_single_token(bytes([value]))

    @cached_property
    def texts(self) -> dict[int, str]:
        """The text of every ordinary token that is valid UTF-8 by itself: a decoder's short way."""
        texts = {}
        for token_id, token in self._bytes.items():
            if token_id in self.special_names:
                continue
            try:
                texts[token_id] = token.decode()
            except UnicodeDecodeError:
                continue  # part of a character: its text depends on its neighbours
        return texts


def _cut(text: str, start: int) -> int:
    """Where to end a piece: before a line or between words, if there is such a place."""
    stop = start + _MAX_CHARS_AT_ONCE
    if stop >= len(text):
        return len(text)
    for boundary in (_LINE_START, _WORD_GAP):
        ends = [match.end() for match in boundary.finditer(text, stop - _CUT_WINDOW, stop)]
        if ends:
            return ends[-1]
    return stop


def _find_file(path: Path) -> Path:
    if path.is_file():
        return path
    candidates = [path / "tokenizer.json", *sorted(path.glob("*.tiktoken"))]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise VocabularyError(
        f"no vocabulary at {path}: "
        "give a tokenizer.json, a .tiktoken file, or a folder that holds one"
    )


def _check_ranks(ranks: Mapping[bytes, int], specials: Mapping[str, int], source: str) -> None:
    missing = [value for value in range(256) if bytes([value]) not in ranks]
    if missing:
        raise VocabularyError(
            f"{source} has no token for {len(missing)} single bytes, {missing[0]:#04x} the first; "
            "a byte-level vocabulary needs all 256"
        )
    shared = set(ranks.values()) & set(specials.values())
    if (
        len(set(ranks.values())) != len(ranks)
        or len(set(specials.values())) != len(specials)
        or shared
    ):
        raise VocabularyError(f"{source} gives two tokens the same id; the file is damaged")


def _read_tiktoken(data: bytes, source: str) -> tuple[dict[bytes, int], dict[str, int], str]:
    """OpenAI's file has a line of base64 bytes and rank for each token, and nothing on specials.

    They are known for one such file only, so it has to be that one, to the bit.
    """
    digest = hashlib.sha256(data).hexdigest()
    if digest != O200K_SHA256:
        raise VocabularyError(
            f"{source} is damaged or not o200k_base: its sha256 is {digest}, not {O200K_SHA256}. "
            "Copy it again, or use the model's tokenizer.json."
        )
    lines = (line.split() for line in data.splitlines())
    ranks = {b64decode(token): int(rank) for token, rank in lines}
    specials = {
        _O200K_NAMED_SPECIALS.get(id_, f"<|reserved_{id_}|>"): id_
        for id_ in range(O200K_NUM_RANKS, GPT_OSS_VOCABULARY_SIZE)
    }
    return ranks, specials, O200K_SPLIT


def _read_tokenizer_json(data: bytes, source: str) -> tuple[dict[bytes, int], dict[str, int], str]:
    try:
        document = json.loads(data)
        model = document["model"]
        vocabulary, merges = model["vocab"], model["merges"]
        added = document.get("added_tokens") or []
        specials = {token["content"]: int(token["id"]) for token in added}
        kind, normalizer = model.get("type"), document.get("normalizer")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise VocabularyError(
            f"{source} is not a tokenizer.json: {type(error).__name__} {error}"
        ) from error
    if kind != "BPE" or normalizer is not None:
        raise VocabularyError(
            f"{source} has model {kind!r} and normalizer {normalizer!r}; "
            "only plain byte-level BPE is read"
        )
    SpecialIds.find(specials, source)  # said first: without them the merges look wrong too
    ranks = _ranks(vocabulary, specials, source)
    _check_merges(merges, vocabulary, ranks, source)
    return ranks, specials, _split_pattern(document.get("pre_tokenizer"), source)


def _ranks(vocabulary: object, specials: Mapping[str, int], source: str) -> dict[bytes, int]:
    if not isinstance(vocabulary, dict) or not all(type(id_) is int for id_ in vocabulary.values()):
        raise VocabularyError(f"{source}: model.vocab is not a table of token to id")
    try:
        return {_to_bytes(token): id_ for token, id_ in vocabulary.items() if token not in specials}
    except KeyError as error:
        raise VocabularyError(
            f"{source}: {error} is not in the byte-level alphabet; the vocabulary is not byte-level"
        ) from error


def _check_merges(
    merges: list[object], vocabulary: Mapping[str, int], ranks: Mapping[bytes, int], source: str
) -> None:
    """Tiktoken merges in order of id, so the file's merge list must be in that order too."""
    ids = []
    for merge in merges:
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2:
            raise VocabularyError(f"{source}: merge {merge!r} is not a pair of tokens")
        left, right = parts
        merged = vocabulary.get(left + right)
        if merged is None or left not in vocabulary or right not in vocabulary:
            raise VocabularyError(f"{source}: merge {merge!r} names a token not in its vocab")
        ids.append(merged)
    if any(later < earlier for earlier, later in pairwise(ids)):
        raise VocabularyError(f"{source}: its merges are not in the order of their tokens' ids")
    unmerged = sum(len(token) > 1 for token in ranks) - len(set(ids))
    if unmerged:
        raise VocabularyError(
            f"{source}: {unmerged} tokens are made by no merge; merges are missing"
        )


def _split_pattern(pre_tokenizer: object, source: str) -> str:
    """The regex of the one Split step, beside which only a plain ByteLevel step may stand."""
    steps = [pre_tokenizer]
    if isinstance(pre_tokenizer, dict) and pre_tokenizer.get("type") == "Sequence":
        steps = list(pre_tokenizer.get("pretokenizers") or [])
    patterns = []
    for step in steps:
        match step:
            case {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated"} if (
                isinstance(step, dict) and not step.get("invert")
            ):
                patterns.append(pattern)
            case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}:
                pass
            case _:
                raise VocabularyError(f"{source}: pre_tokenizer step {step!r} is not supported")
    if len(patterns) != 1:
        raise VocabularyError(
            f"{source}: its pre_tokenizer has {len(patterns)} Split patterns; exactly one is needed"
        )
    return patterns[0]


def _byte_alphabet() -> dict[str, int]:
    """The printable stand-in of each byte in GPT-2 style vocabularies.

    Bytes that Latin-1 prints stand for themselves; the other 68 take the code points from 256 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    alphabet = {chr(value): value for value in printable}
    alphabet.update((chr(256 + index), value) for index, value in enumerate(others))
    return alphabet


_BYTE_OF = _byte_alphabet()


def _to_bytes(token: str) -> bytes:
    return bytes([_BYTE_OF[character] for character in token])
