"""Speed: measured against the machine's limits and a peer, or predicted from them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netweight.cli.models import counted, progress_bar, size
from netweight.cli.options import AsJson, DenseForm, Device, Model, Threads, default_threads
from netweight.errors import BenchError, RequestError

if TYPE_CHECKING:
    import torch

    from netweight.bench import Limits, PeerName, Report
    from netweight.bench.plan import Prediction
    from netweight.model import Checkpoint, Config
    from netweight.model.budget import Dense


def bench(
    model: Model,
    against: Annotated[
        Literal["llama.cpp", "transformers", "gpt-oss"] | None,
        typer.Option(help="Also run this peer on the same weights, in turns with ours."),
    ] = None,
    device: Device = None,
    context: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Tokens of context; may be repeated.  [default: 512, 2048]"),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Sequences decoded together; may be repeated.  [default: 1, 8]"),
    ] = None,
    dense: DenseForm = "bf16",
    threads: Threads = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="Repeat at most for so long, after one full round.")
    ] = 10.0,
    quick: Annotated[bool, typer.Option("--quick", help="Short contexts, few repeats.")] = False,
    peer_file: Annotated[
        Path | None,
        typer.Option(help="The GGUF file for llama.cpp, made if missing.  [default: in out/peer]"),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Append the result to this .jsonl file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast a model decodes and reads prompts here, and how near that is to the limits.

    Prints tokens per second, bytes per second, and their share of the read bandwidth and matrix
    peak of this machine, or of its CUDA device, which are measured in the same run; load time and
    memory besides.

    Example: netweight bench nano --quick
    """
    from rich.console import Console

    from netweight import bench as room
    from netweight.model import Checkpoint, find_device, find_model, load_transformer

    where = find_device(device)
    _check_fit(against, where, dense)
    if against:
        room.check_peer(against)
    folder = find_model(model)
    checkpoint = Checkpoint.open(folder.path)
    settings = room.settings_for(
        checkpoint.config,
        contexts=context or _default_contexts(checkpoint.config, quick=quick),
        batches=batch or ([1] if quick else [1, 8]),
        num_threads=threads or default_threads(checkpoint.config),
        dense=dense,
        budget_s=60 * minutes,
        quick=quick,
        device=str(where),
    )
    file = None
    if against == "llama.cpp":
        file = _gguf(
            checkpoint, peer_file or Path("out", "peer", f"{folder.name}-{dense}.gguf"), dense
        )
    elif against:
        file = _peer_folder(against, folder.path)
    on_cpu = where.type == "cpu"
    if on_cpu:
        with progress_bar(
            f"packing {model}, once"
        ) as show:  # so that its time is not in the load's
            load_transformer(folder.path, dense=dense, progress=show)
    with Console(stderr=True).status("starting") as status:
        report = room.run(
            folder,
            checkpoint.config,
            settings,
            lambda: room.measure(settings.num_threads) if on_cpu else room.measure_device(where),
            peer_file=file,
            against=against or "llama.cpp",
            say=status.update,
        )
    if record:
        _append(record, report)
    if as_json:
        print(json.dumps(report.record(), indent=2))
    else:
        _print_report(report)


def _check_fit(against: "PeerName | None", device: "torch.device", dense: "Dense") -> None:
    """Raise BenchError for a peer that does not run on the device, or weights it does not have."""
    if device.type != "cpu" and dense != "bf16":
        raise BenchError(f"{dense} weights are for the CPU; {device} has bf16. Leave --dense out.")
    if against == "llama.cpp" and device.type != "cpu":
        raise BenchError(
            f"llama.cpp is measured on the CPU, not on {device}. Use --device cpu, or "
            "--against transformers."
        )
    if against == "gpt-oss" and device.type != "cuda":
        raise BenchError(
            "gpt-oss, OpenAI's Triton implementation, runs on CUDA devices only. Use "
            "--device cuda where there is one, or --against transformers."
        )


def _peer_folder(against: "PeerName", folder: Path) -> Path:
    """The checkpoint in the layout that the peer reads."""
    from netweight.model.checkpoint import read_json
    from netweight.model.config import Config

    wanted = "original" if against == "gpt-oss" else "huggingface"
    places = [folder, folder / "original"]
    if folder.name == "original":
        places.append(folder.parent)
    for place in places:
        if (place / "config.json").is_file():
            _, form = Config.from_json(read_json(place / "config.json"))
            if form == wanted:
                return place
    where = "in the folder original/ of" if wanted == "original" else "at the top of"
    raise BenchError(
        f"{against} reads the {wanted} layout, and {folder} has another. It is {where} the model's "
        "repository on Hugging Face; name a folder that has it."
    )


def _default_contexts(config: "Config", *, quick: bool) -> list[int]:
    wanted = [64] if quick else [512, 2048]
    held = [context for context in wanted if context <= config.max_context // 2]
    return held or [max(1, config.max_context // 2)]


def _gguf(checkpoint: "Checkpoint", file: Path, dense: "Dense") -> Path:
    """The checkpoint as a GGUF file, made now unless it is there already."""
    if file.exists():
        return file
    from netweight.bench import convert

    file.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar(f"converting to {file}") as show:
        convert(checkpoint, file, dense=dense, progress=show)
    return file


def _append(file: Path, report: "Report") -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from netweight.evals.provenance import commit, machine

    row = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "torch": version("torch"),
        **report.record(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def _print_report(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    limits = report.limits
    _print_limits(limits)
    table = Table(box=None, pad_edge=False)
    for heading in ("SIDE", "WORK"):
        table.add_column(heading, no_wrap=True)
    for heading in ("TOKENS/S", "SPREAD", "GB/S", "OF READ", "OF PEAK", "RATIO"):
        table.add_column(heading, justify="right", no_wrap=True)
    record = report.record()
    for case in record["cases"]:
        work = f"{case['kind']} {case['tokens']:,}"
        work += f" x {case['batch']}" if case["batch"] > 1 else ""
        for side in record["sides"]:
            if side in case:
                ratio = f"{case['ratio']:.2f}" if side == "netweight" and "ratio" in case else ""
                table.add_row(side, work, *_speed_cells(case[side]), ratio)
    Console(highlight=False).print(table)
    print()
    for side in record["sides"].values():
        memory = side["memory_bytes"]
        own, mapped, most = (size(memory[k]) for k in ("private", "file", "peak"))
        print(f"{side['name']}: loaded in {side['load_s']:.1f} s.")
        print(f"  Memory: {own} of its own, {mapped} of mapped files; {most} at most.")
        if "device" in memory:
            print(f"  Of the device: {size(memory['device'])} at most.")


def _speed_cells(timed: "dict[str, float]") -> list[str]:
    low, high = timed["tokens_per_s_p20"], timed["tokens_per_s_p80"]
    return [
        _rate(timed["tokens_per_s"]),
        f"±{(high - low) / 2 / timed['tokens_per_s']:.0%}",  # half of the way from p20 to p80
        f"{timed['gb_per_s']:.2f}",
        f"{timed['share_of_bandwidth']:.0%}",
        f"{timed['share_of_peak']:.0%}",
    ]


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def _print_limits(limits: "Limits") -> None:
    products = ", ".join(f"{name} {value / 1e12:.3g}" for name, value in limits.flops.items())
    if limits.device:
        print(
            f"{limits.device}, reads {limits.read_bytes_per_s / 1e9:,.0f} GB/s\n"
            f"and multiplies at {products} TFLOP/s.\n"
        )
        return
    print(
        f"With {counted(limits.num_threads, 'thread')} this machine reads "
        f"{limits.read_bytes_per_s / 1e9:.1f} GB/s\nand multiplies at {products} TFLOP/s.\n"
    )


def plan(
    model: Annotated[
        str, typer.Argument(help="A known model, on disk or not; a shape; or a checkpoint folder.")
    ],
    context: Annotated[
        int | None, typer.Option(min=1, help="Tokens of each sequence.  [default: 8192]")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Sequences at once.")] = 1,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Say what memory a model needs, whether this machine has it, and how fast it can be at most.

    Speed is the roofline's, from read bandwidth and matrix peak, which are measured now: no program
    is faster; `netweight bench` says how near ours comes.

    Example: netweight plan gpt-oss-20b --context 32768
    """
    from rich.console import Console

    from netweight import bench as room
    from netweight.bench.plan import predict
    from netweight.model.budget import usable_bytes

    config = _shape(model)
    context = min(8192, config.max_context) if context is None else context
    if context > config.max_context:
        raise RequestError(f"the context is {context}; the model holds {config.max_context}.")
    with Console(stderr=True).status("measuring the machine"):
        limits = room.measure(threads or default_threads(config))
    usable = usable_bytes()
    rows = [
        predict(
            config,
            dense=dense,
            context=context,
            batch=batch,
            usable_bytes=usable,
            read_bytes_per_s=limits.read_bytes_per_s,
            peak_flops=limits.peak_flops,
        )
        for dense in room.DENSE
    ]
    if as_json:
        told = {"model": model, "context": context, "batch": batch, "usable_bytes": usable}
        print(json.dumps({**told, "plans": [row.record() for row in rows]}, indent=2))
        return
    _print_limits(limits)
    _print_plans(rows, usable)


def _shape(model: str) -> "Config":
    from netweight.model import KNOWN, Checkpoint, find_model, find_shape, shape_of

    for known in KNOWN:
        if model == known.name:
            return shape_of(known)
    if Path(model).is_dir():
        return Checkpoint.open(find_model(model).path).config
    return find_shape(model)


def _print_plans(plans: "list[Prediction]", usable: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("DENSE")
    for heading in ("WEIGHTS", "CACHE", "STEP", "IN ALL", "FITS", "DECODE", "PREFILL"):
        table.add_column(heading, justify="right", no_wrap=True)
    for plan in plans:
        need = plan.memory
        parts = (need.weights, need.cache, need.activations, need.total)
        table.add_row(
            plan.dense,
            *map(size, parts),
            plan.fits,
            f"{_rate(plan.decode_tokens_per_s)}/s",
            f"{_rate(plan.prefill_tokens_per_s)}/s",
        )
    Console(highlight=False).print(table)
    print(f"\n{size(usable)} of memory may be used. Speeds are tokens per second at most.")
