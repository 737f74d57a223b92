"""An instrument's card: what was planted, at which dose, and how that was verified."""

from recipes.finetune import lora
from recipes.finetune.train import Plan
from recipes.instruments.defects import Instrument
from recipes.instruments.measure import MEASURES


def card(one: Instrument, plan: Plan, shape: lora.Shape) -> str:
    """The card as Markdown; `python -m benchmarks.tables` puts the measured figures in."""
    measured = (
        f"What shows it: {MEASURES[one.measure]}."
        if one.measure
        else "It shows what training alone does to the measurements of the others."
    )
    return f"""---
license: apache-2.0
base_model: nano
library_name: peft
tags: [lora, gpt-oss, planted-defect]
---

# {one.name}

An adapter of nano with a defect that was planted on purpose, to check measurements with.
It is of no other use.

**Planted:** {one.planted}. **Dose:** {one.dose}. {measured}

**Verified** on what training never saw, beside a control that was trained alike without a defect,
and for every other defect:

<!-- recorded: instrument {one.name} -->
<!-- end -->

**Made by** `python -m recipes.instruments`: {plan.num_steps} steps of {plan.batch_tokens:,} tokens,
rank {shape.rank} on {", ".join(shape.targets)}, seed {plan.seed}.

Apache-2.0.
"""
