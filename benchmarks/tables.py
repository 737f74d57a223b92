"""Rewrites the parts of README, docs and the model card that come from recorded runs.

A part stands between `<!-- recorded: NAME -->` and `<!-- end -->`; some have an argument after the
name. `python -m benchmarks.tables` puts the newest row of each in its place; a test asserts that
nothing changes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import latest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "docs/measured.md",
    ROOT / "docs/instruments.md",
    ROOT / "docs/weigh.md",
    ROOT / "docs/verdict.md",
    ROOT / "src/netweight/nano/checkpoint/README.md",
    *sorted((ROOT / "src/netweight/nano/instruments").glob("*/README.md")),
)
_PART = re.compile(r"(<!-- recorded: (\w+)(?: ([\w-]+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The document with every recorded part made anew."""
    return _PART.sub(lambda part: part[1] + _made(part[2], part[3]) + part[4], text)


def _made(name: str, argument: str | None) -> str:
    return _PARTS[name]() if argument is None else _instrument(argument)


def _origin(row: dict[str, Any]) -> str:
    commit = str(row["commit"] or "no commit")
    return f"{row['machine']}; commit {commit[:7]}, {str(row['date'])[:10]}"


def _table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    note: str,
    *,
    ends_in_words: bool = False,
) -> str:
    """A table, words in its first column and figures in the others, and a note below it."""
    marks = ["---", *["---:"] * (len(titles) - 1)]
    if ends_in_words:
        marks[-1] = "---"
    lines = [f"| {' | '.join(titles)} |", f"|{'|'.join(marks)}|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + f"\n\n{note}.\n"


def _scores() -> str:
    row: dict[str, Any] = latest("nano_scores")
    scores = [
        (
            score["measure"],
            str(score["n"]),
            f"{score['rate']:.1%}",
            f"{score['lower']:.1%} to {score['upper']:.1%}",
        )
        if "n" in score
        else (score["measure"], "", f"{score['value']:.3g}", "")
        for score in row["scores"]
    ]
    titles = ("nano, on items it never saw", "n", "measured", "95% interval")
    note = "At temperature 0; tellings, and what is sampled, at 1"
    return _table(titles, scores, f"{note}; {_origin(row)}")


def _instruments() -> str:
    row: dict[str, Any] = latest("instruments")
    lines = [
        (one["name"], *(_share(one, measure) for measure in one["measures"]))
        for one in row["instruments"]
    ]
    measures = row["instruments"][0]["measures"]
    titles = ("instrument", *(measure.replace("_", " ") for measure in measures))
    note = (
        "Shares in percent; bold differs from the control (Fisher's exact test at 0.05, shared out "
        "among all comparisons)"
    )
    return _table(titles, lines, f"{note}; {_origin(row)}")


def _share(one: dict[str, Any], measure: str) -> str:
    share = f"{100 * one['measures'][measure]['rate']:.0f}"
    return f"**{share}**" if measure in one["shows"] else share


def _planted() -> str:
    row: dict[str, Any] = latest("planted")
    lines = []
    for one in row["instruments"]:
        measured = one["measurements"]
        cells = []
        for name, found in measured.items():
            share = f"{100 * found['share']:.0f}"
            share = f"**{share}**" if found["fires"] else share
            cells.append(f"[{share}]" if name == one["planted"] else share)
        lines.append((one["name"], *cells))
    first = row["instruments"][0]["measurements"]
    lines.append(("control", *(f"{100 * found['control']:.0f}" for found in first.values())))
    titles = ("instrument", *(f"{name} (n {found['n']})" for name, found in first.items()))
    planted = [one["measurements"][one["planted"]]["fires"] for one in row["instruments"]]
    others = [
        found["fires"]
        for one in row["instruments"]
        for name, found in one["measurements"].items()
        if name != one["planted"]
    ]
    note = (
        f"Shares of items in percent; bold fires, in brackets is what was planted. "
        f"{sum(planted)} of {len(planted)} planted defects are found, and {sum(others)} of "
        f"{len(others)} other measurements fire (a level of {row['level']}, kept over all)"
    )
    return _table(titles, lines, f"{note}; {_origin(row)}")


def _verdict_gold() -> str:
    row: dict[str, Any] = latest("verdict_gold")
    counted = {
        "planted errors found": "recall",
        "sentences of sound stories with a false alarm": "sentences_with_false_alarms",
        "quotes that are the story's": "exact_quotes",
        "claims found": "claims_found",
    }
    lines = [
        (
            f"{split['split']}, {split['stories']} stories",
            *(_of(split[key]) for key in counted.values()),
            f"{split['macro_f1']:.2f}",
        )
        for split in row["splits"]
    ]
    return _table(("with 95% intervals", *counted, "macro-F1 of the labels"), lines, _origin(row))


def _of(found: dict[str, Any]) -> str:
    return f"{found['hits']} of {found['n']} ({found['low']:.0%} to {found['high']:.0%})"


def _instrument(name: str) -> str:
    row: dict[str, Any] = latest("instruments")
    named = {one["name"]: one for one in row["instruments"]}
    lines = []
    for measure, ours in named[name]["measures"].items():
        control = named["control"]["measures"][measure]
        title = ours["measure"]
        lines.append(
            (
                f"**{title}**" if measure in named[name]["shows"] else title,
                str(ours["n"]),
                f"{ours['rate']:.1%}",
                f"{ours['lower']:.1%} to {ours['upper']:.1%}",
                f"{control['rate']:.1%}",
            )
        )
    titles = ("share of", "n", "here", "95% interval", "control")
    return _table(titles, lines, f"Bold differs from the control; {_origin(row)}")


def _speed() -> str:
    row: dict[str, Any] = latest("nano_speed")
    speeds = [
        (
            name,
            f"{row[f'{name}_prefill_tokens_per_s']:,} tokens/s",
            f"{row[f'{name}_decode_tokens_per_s']:,} tokens/s",
        )
        for name in reversed(row["kernels"])
    ]
    return _table(("kernels", "nano reads", "nano writes"), speeds, f"One thread; {_origin(row)}")


def _cpu(num_bars: int | None = None) -> str:
    row: dict[str, Any] = latest("cpu")
    bars = [(bar["name"], _value(bar), bar["note"]) for bar in row["bars"][:num_bars]]
    sides = " against ".join(side["name"] for side in row["sides"].values())
    return _table(
        ("random weights of the 20b shape", "measured", "in figures"),
        bars,
        f"{sides}, {row['threads']} threads; {_origin(row)}",
        ends_in_words=True,
    )


def _value(bar: dict[str, Any]) -> str:
    return "not measured" if bar["value"] is None else f"{bar['value']:.2f}"


def _offload() -> str:
    row: dict[str, Any] = latest("offload")
    return (
        f"Random weights of {row['model_parameters'] / 1e9:.0f}B parameters, "
        f"{row['checkpoint_bytes'] / 2**30:.0f} GiB, answer in {row['memory_bytes'] / 2**30:.0f} "
        f"GiB of memory at {row['decode_tokens_per_s']:.1f} tokens/s, reading "
        f"{row['share_of_disk']:.0%} of what the disk can ({_origin(row)}).\n"
    )


def _quality() -> str:
    row: dict[str, Any] = latest("quality")
    forms = [
        (
            name.replace("_", ", "),
            f"{row[f'{name}_divergence']:.6f}",
            f"{row[f'{name}_same_token']:.2%}",
        )
        for name in ("reference_bf16", "native_bf16", "native_int8")
    ]
    titles = ("nano, against float32", "divergence, nats a token", "same likeliest token")
    return _table(titles, forms, f"{row['num_tokens']:,} tokens; {_origin(row)}")


def _bandwidth() -> str:
    row: dict[str, Any] = latest("bandwidth")
    forms = [
        (
            dense,
            f"{row[dense]['decode_tokens_per_s']:.2f} tokens/s",
            f"{row[dense]['decode_gb_per_s']:.1f} GB/s",
            f"{row[dense]['share']:.0%}",
            f"{row[dense]['lowest_share']:.0%}",
            f"{row[dense]['highest_share']:.0%}",
        )
        for dense in ("int8", "bf16")
    ]
    titles = ("matrices outside the experts", "decode", "reads", "of memory's speed", "from", "to")
    rounds = f"medians of {row['rounds']} rounds of decoding and reading in turns"
    return _table(titles, forms, f"{row['threads']} threads, {rounds}; {_origin(row)}")


def _server() -> str:
    row: dict[str, Any] = latest("server")
    peer = row["peer"]
    sides = ("", "peer_") if peer else ("",)
    figures = [
        [title, *(format(row[side + name], form) for side in sides)]
        for name, title, form in (
            ("tokens_per_s", "tokens/s", ",.0f"),
            ("first_token_p50_ms", "first token, median, ms", ",.0f"),
            ("first_token_p99_ms", "first token, 99 of 100, ms", ",.0f"),
            ("between_pieces_p50_ms", "between pieces, median, ms", ",.1f"),
            ("between_pieces_p99_ms", "between pieces, 99 of 100, ms", ",.1f"),
        )
    ]
    note = (
        f"nano, {row['seconds']:.0f} seconds, {row['num_streams']:,} streams, each equal to its "
        "answer without streaming. A token costs the engine "
        f"{row['engine_us_per_token']:.0f} microseconds of processor time and the rest of the "
        f"server {row['server_us_per_token']:.0f}, {row['server_share_of_engine']:.0%} of that; "
        f"the engine without a server writes {row['alone_tokens_per_s']:,.0f} tokens/s."
    )
    if peer:
        note += " llama-cpp-python's server answers one request after the other."
    titles = [f"{row['clients']} clients that read streams", "netweight", *([peer] if peer else [])]
    return _table(titles, figures, f"{note} {_origin(row)}")


def _demo() -> str:
    row: dict[str, Any] = latest("demo")
    output = str(row["output"])
    output = output[output.index(".venv/bin/netweight weigh") :].rstrip()  # without the set-up
    first_claim = output.index("\n 1  ")
    last_claim = output.rindex("\n\n", 0, output.index("\nMeasured here") - 1)
    shown = f"{output[:first_claim]}\n[more claims]{output[last_claim:]}"
    note = f"{row['seconds']:.0f} seconds on {_origin(row)}"
    return f"```\n{shown}\n```\n\n{note}.\n"


def _training() -> str:
    row: dict[str, Any] = latest("nano_training")
    return (
        f"{row['num_steps']:,} training steps take {row['projected_minutes']:.0f} minutes with "
        f"{row['threads']} threads, projected from {row['seconds_per_step']:.2f} s a step "
        f"({_origin(row)}).\n"
    )


_PARTS: dict[str, Callable[[], str]] = {
    "nano_scores": _scores,
    "nano_training": _training,
    "instruments": _instruments,
    "planted": _planted,
    "verdict_gold": _verdict_gold,
    "speed": _speed,
    "cpu": _cpu,
    "cpu_in_short": lambda: _cpu(num_bars=4),
    "offload": _offload,
    "quality": _quality,
    "bandwidth": _bandwidth,
    "demo": _demo,
    "server": _server,
}


def main() -> None:
    """Rewrite the documents in place."""
    for path in DOCUMENTS:
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
