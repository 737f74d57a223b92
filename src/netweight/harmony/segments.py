"""Header tokens as the segments of text that `header` reads, and back to token positions."""

from collections.abc import Sequence

from netweight.harmony.header import Reading, Segment
from netweight.harmony.vocab import Vocabulary


def cut_header(vocabulary: Vocabulary, ids: Sequence[int]) -> tuple[list[Segment], list[int]]:
    """The header cut at its `<|channel|>` and `<|constrain|>`, and the ids that do not belong."""
    markers = _markers(vocabulary)
    parts: list[tuple[str | None, list[bytes]]] = [(None, [])]
    odd_ids = []
    for token_id in ids:
        if token_id in markers:
            parts.append((markers[token_id], []))
        elif vocabulary.is_special(token_id) or not vocabulary.has(token_id):
            odd_ids.append(token_id)
        else:
            parts[-1][1].append(vocabulary.token_bytes(token_id))
    segments = [
        Segment(marker, b"".join(chunks).decode("utf-8", errors="replace"))
        for marker, chunks in parts
    ]
    return segments, odd_ids


def num_header_tokens(
    vocabulary: Vocabulary, ids: Sequence[int], segments: Sequence[Segment], reading: Reading
) -> int:
    """How many tokens lie before the body; a token that holds the end of both is header."""
    if reading.body_start is None:
        return len(ids)
    index, offset = reading.body_start
    markers = _markers(vocabulary)
    num_bytes = len(segments[index].text[:offset].encode())
    for position, token_id in enumerate(ids):
        if token_id in markers:
            index -= 1
        elif index == 0:
            if num_bytes <= 0:
                return position
            num_bytes -= len(vocabulary.token_bytes(token_id)) if vocabulary.has(token_id) else 0
    return len(ids)


def _markers(vocabulary: Vocabulary) -> dict[int, str]:
    return {vocabulary.special.channel: "channel", vocabulary.special.constrain: "constrain"}
