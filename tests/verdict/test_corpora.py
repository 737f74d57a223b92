"""Sentences of our own that a reader can learn from: whole, marked rightly, and there once."""

import re
from collections import Counter

from netweight.verdict.evidence import published
from netweight.verdict.propositions import PROPOSITIONS
from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "verdict"
OF_MODELS = {"120b", "20b", "both", "rival"}
OF_CONDITIONS = {"low", "medium", "high", "tools", "no-tools"}
OF_QUANTITIES = {
    *("total-parameters", "active-parameters", "layers", "experts", "active-experts", "context"),
    *("memory", "checkpoint-size", "other-quantity"),
}
OF_TESTS = {*published().benchmarks, "aime", "other-test"}


def lines(name):
    rows = (FOLDER / name).read_text("utf-8").splitlines()
    return [row for row in rows if not row.startswith("#")]


def test_every_mention_is_marked_whole_by_a_known_tag():
    rows = lines("mentions.txt")
    assert len(rows) > 1_000 and len(set(rows)) == len(rows)
    seen = Counter()
    for row in rows:
        for tag, phrase in re.findall(r"\{([^{}|]+)\|([^{}|]+)\}", row):
            assert phrase == phrase.strip() and phrase
            seen[tag] += 1
        assert not set("{}|") & set(re.sub(r"\{[^{}|]+\|[^{}|]+\}", "", row)), row
    assert seen.keys() <= OF_MODELS | OF_CONDITIONS | OF_QUANTITIES | OF_TESTS
    assert seen.keys() >= OF_MODELS | OF_CONDITIONS | OF_QUANTITIES


def test_every_conclusion_has_its_sign():
    rows = [row.split(" | ", 1) for row in lines("conclusions.txt")]
    texts = [text for _, text in rows]
    assert len(set(texts)) == len(texts)
    signs = Counter(sign for sign, _ in rows)
    assert signs.keys() == {"+", "-", "0"} and min(signs.values()) > 200


def test_every_model_beside_another_is_marked_by_its_relation():
    rows = lines("relations.txt")
    assert len(rows) > 2_500 and len(set(rows)) == len(rows)
    signs = Counter(s for row in rows for s in re.findall(r"\{([^{}|]+)\|[^{}|]+\}", row))
    assert signs.keys() == {"+", "-", "=", "0"} and min(signs.values()) > 500
    assert all(re.search(r"\{[^{}|]+\|[^{}|]+\}", row) for row in rows)


def test_every_clause_of_a_pair_stands_before_its_opposite():
    rows = [row.split(" | ", 2) for row in lines("denials.txt")]
    assert len(rows) > 1_500 and len({text for _, _, text in rows}) == len(rows)
    for (name, sign, _), (other, opposite, _) in zip(rows[::2], rows[1::2], strict=True):
        assert name == other in PROPOSITIONS and (sign, opposite) == ("+", "-")


def test_every_wrong_clause_has_its_voice():
    rows = lines("voices.txt")
    assert len(set(rows)) == len(rows)
    assert all(re.fullmatch(r"[st] \| [^{}|]*\{[^{}|]+\}[^{}|]*", row) for row in rows)
    voices = Counter(row[0] for row in rows)
    assert min(voices["s"], voices["t"]) > 200
