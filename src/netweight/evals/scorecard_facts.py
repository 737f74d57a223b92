"""What a reader needs to know of how a run was made, as names and texts."""

from netweight.evals.pairs import WeighedRun
from netweight.evals.records import Record
from netweight.evals.scorecard_text import words


def run_facts(run: WeighedRun) -> dict[str, str]:
    """The facts of a run by name; a resumed one may have two of a kind."""
    merged: dict[str, list[str]] = {}
    for task in run.tasks.values():
        for name, value in _record_facts(task.record):
            merged.setdefault(name, []).append(value)
    return {name: " and ".join(dict.fromkeys(values)) for name, values in merged.items()}


def _record_facts(record: Record) -> list[tuple[str, str]]:
    result, model = record["evaluation_results"][0], record["model_info"]
    asked, engine = result["generation_config"], model["inference_engine"]
    arguments, details = asked["generation_args"], dict(asked["additional_details"])
    temperature = arguments["temperature"]
    facts = [
        ("Model", model["name"]),
        ("Known to its server as", model["id"]),
        ("Engine", f"{engine['name']} {engine['version']}"),
        ("Machine", result["netweight"]["machine"]),
        ("Commit", _short_commit(result["netweight"]["commit"])),
        ("Date", record["evaluation_timestamp"][:10]),
        ("Temperature", "not sent" if temperature is None else f"{temperature:g}"),
        ("Most tokens", f"{arguments['max_tokens']:,}"),
        ("Reasoning effort", details.pop("reasoning_effort")),
        ("Seed", details.pop("seed")),
        ("Epochs", details.pop("epochs", "1")),
    ]
    for extra in (details, model["additional_details"]):
        facts += [(words(name).capitalize(), value) for name, value in sorted(extra.items())]
    return [*facts, ("Command", arguments["execution_command"])]


def _short_commit(commit: str | None) -> str:
    """Twelve digits, and whether the source was changed."""
    if commit is None:
        return "not known"
    digits, _, dirty = commit.partition("-")
    return f"{digits[:12]}-{dirty}" if dirty else digits[:12]


def task_notes(facts: Record) -> list[str]:
    """What a reader has to mind of one task of a run."""
    if not facts["num_unasked"]:
        return []
    return [f"{facts['num_unasked']:,} samples were not asked: {facts['why_unasked']}."]
