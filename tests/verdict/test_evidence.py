import copy
import gzip
import json
import random
import re

import pytest

from netweight.errors import EvidenceError
from netweight.verdict.evidence import parse_published, read_table


@pytest.fixture
def raw():
    names = ("models.json", "benchmarks.json", "figures.json")
    return [copy.deepcopy(read_table(name)) for name in names]


def test_every_figure_says_where_it_comes_from(tables):
    for figure in tables.figures.values():
        source = tables.sources[figure.source]
        assert source.url.startswith("https://") and source.published and source.retrieved


def test_the_order_of_the_rows_does_not_matter(raw, tables):
    random.Random(1).shuffle(raw[2]["figures"])
    random.Random(2).shuffle(raw[2]["documents"])
    assert list(parse_published(*raw).figures) == list(tables.figures)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "high"}, r"figures\.0\.value"),
        ({"surprise": 1}, r"figures\.0\.surprise"),
        ({"source": "hearsay"}, "no known source"),
        ({"model": "gpt-oss-9b"}, "unknown models: gpt-oss-9b"),
        ({"measured_by": "nobody"}, "measured_by"),
        ({"correct": 50, "n": 100, "value": 60.0}, "50 of 100 is not 60.0%"),
        ({"interval": "about right"}, "interval"),
    ],
)
def test_a_row_that_breaks_its_schema_is_refused(raw, change, message):
    raw[2]["figures"][0] |= change
    with pytest.raises(EvidenceError, match=message):
        parse_published(*raw)


def test_an_id_used_twice_is_refused(raw):
    raw[2]["figures"].append(raw[2]["figures"][0])
    with pytest.raises(EvidenceError, match="ids used twice"):
        parse_published(*raw)


def test_a_source_address_cannot_carry_a_script(raw):
    raw[2]["sources"][0]["url"] = "javascript:alert(1)"
    with pytest.raises(EvidenceError, match="url"):
        parse_published(*raw)


def test_polyglot_counts_equal_the_published_leaderboard(tables, shared_data):
    text = (shared_data / "polyglot_leaderboard.yml").read_text()
    board = {}
    for block in text.split("\n- dirname:"):
        fields = dict(re.findall(r"^\s+([\w_]+): (.+)$", block, re.MULTILINE))
        if fields.get("edit_format") == "diff":
            board.setdefault(fields["model"], (int(fields["pass_num_2"]), fields["pass_rate_2"]))
    names = {
        "gpt-oss-120b": "gpt-oss-120b (high)",
        "kimi-k2": "Kimi K2",
        "deepseek-r1": "DeepSeek R1",
        "deepseek-r1-0528": "DeepSeek R1 (0528)",
        "deepseek-v3-0324": "DeepSeek V3 (0324)",
        "o4-mini": "o4-mini (high)",
        "o3-mini": "o3-mini (high)",
        "o3": "o3 (high)",
    }
    for model, name in names.items():
        figure = tables.figures[f"aider-{model}"]
        assert (figure.correct, str(figure.value)) == board[name]


def test_speechmap_counts_equal_the_published_labels(tables, shared_data):
    wanted = {
        "openai_gpt-oss-120b": "gpt-oss-120b",
        "openai_gpt-4.1-2025-04-14": "gpt-4.1",
        "deepseek_deepseek-r1-0528": "deepseek-r1-0528",
        "qwen_qwen3-30b-a3b": "qwen3-30b-a3b",
    }
    counts = dict.fromkeys(wanted.values(), 0)
    west = 0
    with gzip.open(shared_data / "speechmap" / "judged.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            side = row["set"].removesuffix("_criticism")
            if row["label_grok_4_1_fast"] != "COMPLETE" or "_" in side:
                continue
            if model := wanted.get(row["model"]):
                counts[model] += 1
                west += model == "gpt-oss-120b" and side in ("us", "eu")
    assert counts == {m: tables.figures[f"speechmap-{m}"].correct for m in counts}
    assert west == tables.figures["speechmap-west-gpt-oss-120b"].correct


@pytest.mark.parametrize("model", ["gpt-oss-120b", "gpt-oss-20b"])
def test_effort_raises_every_no_tools_mathematics_score(tables, model):
    rows = [r for r in tables.about("aime-2025", model) if r.conditions.tools == "none"]
    by_effort = {r.conditions.effort: r.value for r in rows}
    assert by_effort["low"] < by_effort["medium"] < by_effort["high"]
