"""`python -m recipes.compliance JUDGED.jsonl.gz FOLDER` makes the compliance classifier.

FOLDER gets compliance.npz, its weights, and compliance.json, how well it agrees with the judges;
both belong in src/netweight/evals.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from netweight.evals.compliance import AGREEMENT, WEIGHTS
from recipes.compliance.data import HELD_OUT_FOLD, Judged, folds, read
from recipes.compliance.measure import (
    Probabilities,
    Score,
    always,
    by,
    by_refusal_cues,
    cross_validated,
    model_folds,
    reason_against,
    score,
)
from recipes.compliance.train import Design, Plan, design, probabilities, train

ASKED = "criticism of four governments, in English, Chinese and Finnish"
SOURCE = "xlr8harder/llm-compliance 856f28a, Apache-2.0"
PLAN = Plan()


def make(file: Path, folder: Path, plan: Plan = PLAN) -> str | None:
    """Train on all models but the held-out ones, measure, and write; why it is unfit, or None."""
    judged = read(file)
    seen = design(judged)
    held_out = model_folds(judged)[HELD_OUT_FOLD]
    is_held_out = np.array([each.model in held_out for each in judged])
    classifier = train(seen.rows(~is_held_out), plan)
    folder.mkdir(parents=True, exist_ok=True)
    classifier.save(folder / WEIGHTS.name)
    kept = [each for each in judged if each.model in held_out]
    given = probabilities(classifier, seen.rows(is_held_out))
    report = {
        "about": "agreement with two judges on responses that both labelled alike",
        "asked": ASKED,
        "source": SOURCE,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "plan": asdict(plan),
        "trained_on": sorted({each.model for each in judged} - held_out),
        "held_out": sorted(held_out),
        "score": _plain(score(kept, given)),
        "by_model": _table(by(lambda each: each.model, kept, given)),
        "by_language": _table(by(lambda each: each.language, kept, given)),
        "wrong_on_purpose": {
            "always COMPLETE": _plain(score(kept, always("COMPLETE", len(kept)))),
            "refusal cues": _plain(score(kept, by_refusal_cues(kept))),
        },
        "cross_validation": _cross_validation(judged, seen, plan),
    }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (folder / AGREEMENT.name).write_text(text, encoding="utf-8")
    return reason_against(score(kept, given))


def _cross_validation(judged: Sequence[Judged], seen: Design, plan: Plan) -> dict[str, Any]:
    """Each response judged by a training that saw nothing of its model, its question, its maker."""

    def report(given: Probabilities) -> dict[str, Any]:
        return {
            "score": _plain(score(judged, given)),
            "by_model": _table(by(lambda each: each.model, judged, given)),
            "by_language": _table(by(lambda each: each.language, judged, given)),
        }

    models = model_folds(judged)
    makers = folds((each.maker for each in judged), len({each.maker for each in judged}))
    return {
        "unseen models": report(
            cross_validated(judged, seen, plan, groups=models, attribute=lambda each: each.model)
        ),
        "unseen models, unseen questions": report(
            cross_validated(
                judged,
                seen,
                plan,
                groups=models,
                attribute=lambda each: each.model,
                unseen_questions=True,
            )
        ),
        "unseen makers": report(
            cross_validated(judged, seen, plan, groups=makers, attribute=lambda each: each.maker)
        ),
    }


def _table(scores: dict[str, Score]) -> dict[str, Any]:
    return {name: _plain(found) for name, found in scores.items()}


def _plain(found: Score) -> dict[str, float]:
    """Five digits are more than the figures can bear."""
    return {name: round(value, 5) for name, value in found._asdict().items()}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.compliance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("judged", type=Path, help="the labelled responses, a .jsonl.gz file")
    parser.add_argument("folder", type=Path, help="for the weights and the figures")
    options = parser.parse_args()
    if not options.judged.is_file():
        parser.error(f"there is no file {options.judged}")
    if reason := make(options.judged, options.folder):
        parser.exit(1, f"this classifier is not fit to ship: {reason}\n")


if __name__ == "__main__":
    main()
