"""Learn the weights with which the verdict reads sentences, from stories and sentences of our own.

A small public text encoder (all-MiniLM-L6-v2, Apache 2.0) is trained further together with heads:
where a sentence is cut into clauses; whether a clause states a fact, gives an opinion, or does
neither; which proposition it makes or denies; which phrases name a model, a benchmark, a condition
or a quantity; how a model stands to another; whether a conclusion from a benchmark is sound;
whether what is wrong is only told of. Learned from the sets whose answers may be read; how well it
does on the others is measured by benchmarks/verdict_gold.py. Takes forty minutes on two cores.
What the package holds is the mean with the weights of an earlier time (`--mean-with`,
docs/decisions/0029). The base encoder itself is not part of the project: give the folder with its
`model.safetensors` and `tokenizer.json`.
"""

import argparse
import hashlib
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.verdict_examples import (
    CONCLUSIONS,
    LEARNED_FROM,
    NONE,
    READINGS,
    RELATIONS,
    VOICES,
    Example,
    all_examples,
)
from netweight.verdict import reader
from netweight.verdict.encoder import HEADS, MAX_PIECES, pieces_read
from netweight.verdict.report import write_atomically
from netweight.verdict.scenes import overlap

FOLDER = Path(reader.__file__).parent / "published"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
EPOCHS = 6
RATE = 3e-4  # of the encoder; the heads, which begin from nothing, learn ten times as fast
WARM_UP = 0.06  # of all steps
DROPOUT = 0.1
PIECES_IN_BATCH = 1_200
SORTED_TOGETHER = 1_024  # examples among which a batch gathers those of like length
WEIGHTS = {
    "cuts": 0.5,
    "readings": 1.0,
    "propositions": 1.0,
    "mentions": 0.25,
    "conclusions": 1.0,
    "voices": 1.0,
    "relations": 1.0,
}
SEED = 0


@dataclass(frozen=True)
class Encoded:
    """An example in pieces; rows count from the text's beginning mark, which is row 0."""

    ids: list[int]
    # the first row and the last, the reading or -1, propositions that are open, the voice or -1
    clauses: list[tuple[int, int, int, list[int], int]]
    places: list[tuple[int, int, int]]  # the rows on either side, and whether it is a cut
    tags: list[int] | None  # a class for each row
    conclusions: list[int]
    relations: list[tuple[int, int, int]]  # the first row and the last of a model, and how it is


class Network(nn.Module):
    """BERT with heads, named as netweight.verdict.reader reads them."""

    def __init__(
        self, base: Mapping[str, Tensor], kept: Sequence[int], classes: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__()
        self.classes = {name: list(row) for name, row in classes.items()}
        words = base["embeddings.word_embeddings.weight"][list(kept)]
        self.words_int8, self.words_scale = rounded(words)
        self.words = nn.Parameter(self.words_int8 * self.words_scale, requires_grad=False)
        types = base["embeddings.token_type_embeddings.weight"][0]
        self.positions = nn.Parameter(
            base["embeddings.position_embeddings.weight"][:MAX_PIECES] + types
        )
        self.norm = _norm(base, "embeddings.LayerNorm")
        count = len({name.split(".")[2] for name in base if name.startswith("encoder.layer.")})
        self.layers = nn.ModuleList(_layer(base, f"encoder.layer.{i}") for i in range(count))
        single = ("propositions", "mentions")  # the others are given two states side by side
        self.heads = nn.ModuleDict(
            {n: nn.Linear((2 - (n in single)) * WIDTH, len(c)) for n, c in self.classes.items()}
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """States (texts, rows, width) for ids and mask (texts, rows)."""
        texts, rows = ids.shape
        states = self.norm(functional.embedding(ids, self.words) + self.positions[:rows])
        states = functional.dropout(states, DROPOUT, self.training)
        seen = mask[:, None, None, :]
        for layer in cast(Sequence[nn.ModuleDict], self.layers):
            parts = layer["qkv"](states).view(texts, rows, 3, HEADS, WIDTH // HEADS)
            queries, keys, values = parts.permute(2, 0, 3, 1, 4)
            heads = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=seen, dropout_p=DROPOUT if self.training else 0.0
            )
            out = layer["out"](heads.transpose(1, 2).reshape(texts, rows, WIDTH))
            out = functional.dropout(out, DROPOUT, self.training)
            states = layer["attention_norm"](states + out)
            out = layer["down"](functional.gelu(layer["up"](states)))
            out = functional.dropout(out, DROPOUT, self.training)
            states = layer["norm"](states + out)
        return cast(Tensor, states)

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything as the package reads it: matrices in int8 with a scale for each row."""
        found = {
            "words": self.words_int8.numpy(),
            "words.scale": self.words_scale.numpy(),
            "positions": self.positions.detach().half().numpy(),
            **_norm_tensors("norm", self.norm),
        }
        for index, layer in enumerate(cast(Sequence[nn.ModuleDict], self.layers)):
            for name, module in layer.items():
                if isinstance(module, nn.LayerNorm):
                    found |= _norm_tensors(f"{index}.{name}", module)
                else:
                    found |= _matrix_tensors(f"{index}.{name}", module)
        for name, head in self.heads.items():
            found |= _matrix_tensors(f"head.{name}", head)
        return found


def rounded(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix in int8, and the scale (rows, 1) that its rows are to be multiplied with."""
    scale = matrix.abs().amax(dim=1, keepdim=True) / 127
    return (matrix / scale).round().to(torch.int8), scale


def _norm(base: Mapping[str, Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=1e-12)
    norm.load_state_dict({"weight": base[f"{name}.weight"], "bias": base[f"{name}.bias"]})
    return norm


def _layer(base: Mapping[str, Tensor], name: str) -> nn.ModuleDict:
    def joined(*parts: str) -> nn.Linear:
        weight = torch.cat([base[f"{name}.{part}.weight"] for part in parts])
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        bias = torch.cat([base[f"{name}.{part}.bias"] for part in parts])
        linear.load_state_dict({"weight": weight, "bias": bias})
        return linear

    return nn.ModuleDict(
        {
            "qkv": joined(*(f"attention.self.{part}" for part in ("query", "key", "value"))),
            "out": joined("attention.output.dense"),
            "attention_norm": _norm(base, f"{name}.attention.output.LayerNorm"),
            "up": joined("intermediate.dense"),
            "down": joined("output.dense"),
            "norm": _norm(base, f"{name}.output.LayerNorm"),
        }
    )


def _norm_tensors(name: str, norm: nn.LayerNorm) -> dict[str, np.ndarray]:
    return {
        f"{name}.weight": norm.weight.detach().numpy(),
        f"{name}.bias": norm.bias.detach().numpy(),
    }


def _matrix_tensors(name: str, linear: nn.Module) -> dict[str, np.ndarray]:
    assert isinstance(linear, nn.Linear)
    matrix, scale = rounded(linear.weight.detach())
    return {
        name: matrix.numpy(),
        f"{name}.scale": scale.numpy(),
        f"{name}.bias": linear.bias.detach().numpy(),
    }


# ---- examples in pieces


def encoded(
    example: Example, vocabulary: Mapping[str, int], classes: Mapping[str, Sequence[str]]
) -> Encoded:
    """An example as rows of the network."""
    pieces = pieces_read(example.text, vocabulary)
    last = len(pieces) + 1
    clauses = []
    for span, reading, open_to, voice in example.clauses:
        rows = [i for i, piece in enumerate(pieces, 1) if overlap(piece.span, span)]
        if rows:
            read = classes["readings"].index(reading) if reading else -1
            among = [classes["propositions"].index(name) for name in open_to or ()]
            heard = classes["voices"].index(voice) if voice else -1
            clauses.append((rows[0], rows[-1], read, among, heard))
    places = []
    for span, is_cut in example.places:
        before = [i for i, p in enumerate(pieces, 1) if p.span.end <= span.start]
        after = [i for i, p in enumerate(pieces, 1) if p.span.start >= span.end]
        left, right = (before[-1] if before else 0), (after[0] if after else last)
        places.append((left, right, classes["cuts"].index("cut" if is_cut else "whole")))
    relations = []
    for span, name in example.relations:
        if rows := [i for i, piece in enumerate(pieces, 1) if overlap(piece.span, span)]:
            relations.append((rows[0], rows[-1], classes["relations"].index(name)))
    tags = None
    if example.tags is not None:
        tags = [classes["mentions"].index(reader.NOTHING)] * (last + 1)
        for row, piece in enumerate(pieces, 1):
            for span, tag in example.tags:
                if overlap(piece.span, span):
                    tags[row] = classes["mentions"].index(tag)
    return Encoded(
        ids=[vocabulary["[CLS]"], *(piece.id for piece in pieces), vocabulary["[SEP]"]],
        clauses=clauses,
        places=places,
        tags=tags,
        conclusions=[classes["conclusions"].index(name) for name in example.conclusions],
        relations=relations,
    )


def classes_in(examples: Sequence[Example]) -> dict[str, list[str]]:
    """The classes of each head, in the order of their columns; the last is that of nothing."""
    told = {n for e in examples for c in e.clauses for n in c.propositions or ()}
    named = {tag.name for e in examples for tag in e.tags or ()}
    return {
        "cuts": ["cut", "whole"],
        "readings": list(READINGS),
        "propositions": [*sorted(told - {NONE}), NONE],
        "mentions": [*sorted(named), reader.NOTHING],
        "conclusions": list(CONCLUSIONS.values()),
        "voices": list(VOICES),
        "relations": list(RELATIONS.values()),
    }


def kept_rows(tokens: Mapping[str, int]) -> dict[str, int]:
    """The pieces of the base vocabulary in Latin letters, digits and marks, by their old rows."""
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}
    ordered = sorted(tokens, key=tokens.__getitem__)
    return {
        name: tokens[name]
        for name in ordered
        if name in special
        or (
            (not name.startswith("[unused") and max(name) < "\u2500")
            and not any("\u0370" <= c < "\u2000" for c in name)
        )
    }


# ---- learning


def batches(texts: Sequence[Encoded], rng: random.Random) -> list[list[Encoded]]:
    """All texts once, those of like length together, in batches of some number of pieces."""
    order = list(texts)
    rng.shuffle(order)
    found: list[list[Encoded]] = []
    for start in range(0, len(order), SORTED_TOGETHER):
        batch: list[Encoded] = []
        for text in sorted(order[start : start + SORTED_TOGETHER], key=lambda t: len(t.ids)):
            if batch and (len(batch) + 1) * len(text.ids) > PIECES_IN_BATCH:
                found.append(batch)
                batch = []
            batch.append(text)
        found.append(batch)
    rng.shuffle(found)
    return found


class Asked(NamedTuple):
    """What a head is asked: a row of inputs a question, and the classes that may be right."""

    head: str
    inputs: Tensor
    answers: list[list[int]]


def asked_of(states: Tensor, batch: Sequence[Encoded]) -> list[Asked]:
    """The questions to each head, from states (texts, rows, width)."""
    return [*_of_stretches(states, batch), *_of_rows(states, batch)]


def _of_stretches(states: Tensor, batch: Sequence[Encoded]) -> list[Asked]:
    """What is asked of clauses, of models and of whole texts, by the mean over their rows."""

    def means(stretches: Sequence[tuple[int, int, int]]) -> Tensor:
        """The mean of the states of a text from a first row to a last."""
        weights = torch.zeros(len(stretches), states.shape[0], states.shape[1], dtype=states.dtype)
        for row, (index, first, last) in enumerate(stretches):
            weights[row, index, first : last + 1] = 1 / (last - first + 1)
        return weights.flatten(1) @ states.flatten(0, 1)

    def with_start(inputs: Tensor, texts: list[int]) -> Tensor:
        return torch.cat([inputs, states[texts, 0]], dim=1)

    found = []
    clauses = [(i, *clause) for i, text in enumerate(batch) for clause in text.clauses]
    if told := [c for c in clauses if c[4]]:
        found.append(Asked("propositions", means([c[:3] for c in told]), [c[4] for c in told]))
    relations = [(i, *relation) for i, text in enumerate(batch) for relation in text.relations]
    for head, known in (
        ("readings", [(c[:3], c[3]) for c in clauses if c[3] >= 0]),
        ("voices", [(c[:3], c[5]) for c in clauses if c[5] >= 0]),
        ("relations", [(r[:3], r[3]) for r in relations]),
    ):
        if known:
            inputs = with_start(means([s for s, _ in known]), [s[0] for s, _ in known])
            found.append(Asked(head, inputs, [[answer] for _, answer in known]))
    if drawn := [i for i, text in enumerate(batch) if text.conclusions]:
        inputs = with_start(means([(i, 1, len(batch[i].ids) - 2) for i in drawn]), drawn)
        found.append(Asked("conclusions", inputs, [batch[i].conclusions for i in drawn]))
    return found


def _of_rows(states: Tensor, batch: Sequence[Encoded]) -> list[Asked]:
    """What is asked of single pieces, and of the two on either side of a place."""
    found = []
    if places := [(i, *place) for i, text in enumerate(batch) for place in text.places]:
        texts, left, right, answers = map(list, zip(*places, strict=True))
        inputs = torch.cat([states[texts, left], states[texts, right]], dim=1)
        found.append(Asked("cuts", inputs, [[answer] for answer in answers]))
    if tagged := [(i, row, t) for i, x in enumerate(batch) for row, t in enumerate(x.tags or ())]:
        texts, rows, answers = map(list, zip(*tagged, strict=True))
        found.append(Asked("mentions", states[texts, rows], [[answer] for answer in answers]))
    return found


def loss_of(network: Network, batch: Sequence[Encoded]) -> Tensor:
    """The negative log of the share that all answers have that may be right; a mean over texts."""
    rows = max(len(text.ids) for text in batch)
    ids = torch.zeros(len(batch), rows, dtype=torch.long)
    mask = torch.zeros(len(batch), rows, dtype=torch.bool)
    for index, text in enumerate(batch):
        ids[index, : len(text.ids)] = torch.tensor(text.ids)
        mask[index, : len(text.ids)] = True
    total = torch.zeros(())
    for head, inputs, answers in asked_of(network(ids, mask), batch):
        inputs = functional.dropout(inputs, DROPOUT, network.training)
        shares = network.heads[head](inputs).float().log_softmax(dim=1)
        is_right = torch.zeros_like(shares, dtype=torch.bool)
        for row, columns in enumerate(answers):
            is_right[row, columns] = True
        missed = -shares.masked_fill(~is_right, -1e9).logsumexp(dim=1).sum()
        total = total + WEIGHTS[head] * missed
    return total / len(batch)


def learn(network: Network, texts: Sequence[Encoded], epochs: int = EPOCHS) -> None:
    """AdamW with a linear rise and fall of the rate, products in bfloat16; always one seed."""
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    heads = list(network.heads.parameters())
    rest = [
        p for n, p in network.named_parameters() if p.requires_grad and not n.startswith("heads.")
    ]
    optimizer = torch.optim.AdamW([{"params": rest}, {"params": heads}], weight_decay=0.01)
    plan = [batches(texts, rng) for _ in range(epochs)]
    steps, step, started = sum(map(len, plan)), 0, time.monotonic()
    network.train()
    for epoch, group in enumerate(plan, 1):
        missed = 0.0
        for batch in group:
            share = min(1.0, step / (WARM_UP * steps)) * (1 - step / steps)
            for part, rate in zip(optimizer.param_groups, (RATE, 10 * RATE), strict=True):
                part["lr"] = share * rate
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(network, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1
            missed += loss.item() / len(group)
        print(
            f"round {epoch} of {epochs}: {missed:.3f}, {time.monotonic() - started:.0f} s",
            flush=True,
        )
    network.eval()


def new_network(folder: Path, examples: Sequence[Example]) -> tuple[Network, dict[str, int]]:
    """The base encoder with heads for what the examples tell, and its vocabulary."""
    tokens = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    kept = kept_rows(tokens)
    base = load_file(folder / "model.safetensors")
    torch.manual_seed(SEED)
    network = Network(base, list(kept.values()), classes_in(examples))
    return network, {name: row for row, name in enumerate(kept)}


def mean_of(
    one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The mean of two networks that were learned from the same beginning, as they are written.

    "Model soups" (Wortsman et al., 2022, arXiv 2203.05482): steadier than either, at no cost.

    Raises:
        ValueError: their tensors differ in name or shape.
    """
    if {n: t.shape for n, t in one.items()} != {n: t.shape for n, t in other.items()}:
        raise ValueError("these are weights of two different networks")
    found: dict[str, np.ndarray] = {}
    for name, tensor in one.items():
        if tensor.dtype == np.int8:
            scale = f"{name}.scale"
            wide = [t[name].astype(np.float32) * t[scale] for t in (one, other)]
            matrix, scales = rounded(torch.from_numpy((wide[0] + wide[1]) / 2))
            found |= {name: matrix.numpy(), scale: scales.numpy()}
        elif not name.endswith(".scale"):
            mean = (tensor.astype(np.float32) + other[name].astype(np.float32)) / 2
            found[name] = mean.astype(tensor.dtype)
    return found


def write(
    network: Network, vocabulary: Mapping[str, int], earlier: Mapping[str, np.ndarray] | None
) -> None:
    """Write the weights and the vocabulary as the package reads them.

    `earlier` are weights of another time of learning; what is written is the mean with them.
    """
    tensors = mean_of(earlier, network.tensors()) if earlier else network.tensors()
    about: dict[str, Any] = {
        "schema": reader.SCHEMA,
        "layers": len(network.layers),
        "heads": network.classes,
        "learned_from": list(LEARNED_FROM),
        "base": {"name": "sentence-transformers/all-MiniLM-L6-v2", "sha256": BASE_SHA256},
    }
    write_atomically(FOLDER / "vocabulary.txt", "".join(f"{name}\n" for name in vocabulary))
    content = save(tensors, {"about": json.dumps(about)})
    written = FOLDER / f".{reader.WEIGHTS}"
    written.write_bytes(content)
    written.replace(FOLDER / reader.WEIGHTS)


def main() -> None:
    """Learn from everything that may be read."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.verdict_reader", description=__doc__
    )
    parser.add_argument("base", type=Path, help="the folder of the base encoder")
    parser.add_argument("--mean-with", type=Path, help="weights of another time of learning")
    arguments = parser.parse_args()
    earlier = load_arrays(arguments.mean_with) if arguments.mean_with else None
    digest = hashlib.sha256((arguments.base / "model.safetensors").read_bytes()).hexdigest()
    if digest != BASE_SHA256:
        parser.error(
            f"{arguments.base} holds another model.safetensors than {BASE_SHA256}: {digest}"
        )
    examples = all_examples()
    network, vocabulary = new_network(arguments.base, examples)
    learn(network, [encoded(e, vocabulary, network.classes) for e in examples])
    write(network, vocabulary, earlier)


if __name__ == "__main__":
    main()
