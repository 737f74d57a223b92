"""Fine-tuning: the loss on what the assistant says, AdamW on low-rank factors, and nothing else.

The model's own weights stay as they are, so that the experts stay packed. With checkpointing, a
layer's activations are computed again when its gradient is (arXiv 1604.06174).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from random import Random
from statistics import fmean
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from netweight.model import Transformer
from netweight.model.adapter import Factors
from netweight.model.transformer import Flow
from recipes.batch import Batch, Encoded, loss_of, packed
from recipes.finetune import lora


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    num_steps: int
    batch_tokens: int = 2048
    peak_learning_rate: float = 2e-4
    num_warmup_steps: int = 10
    steps_between_evaluations: int = 25
    is_checkpointed: bool = False
    seed: int = 0


class Point(NamedTuple):
    """Losses in nats a token, after some steps; the training's is its mean since the last point."""

    step: int
    training: float | None
    evaluation: float


def finetune(
    model: Transformer,
    shape: lora.Shape,
    batches: Iterator[Batch],
    evaluation: Sequence[Batch],
    plan: Plan,
    tell: Callable[[Point], None],
) -> dict[str, Factors]:
    """Train an adapter of a model, and evaluate it as it goes; the trained factors."""
    factors = lora.begin(model.config, shape, plan.seed)
    parameters = lora.parameters(factors)
    optimizer = torch.optim.AdamW(parameters, lr=plan.peak_learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan))
    run_layer = _checkpointed if plan.is_checkpointed else None

    def loss(batch: Batch) -> Tensor:
        return loss_of(model, batch, lora.assembled(model.config, factors, shape), run_layer)

    def evaluated() -> float:
        with torch.no_grad():
            losses = [(loss(batch).item(), batch.targets.numel()) for batch in evaluation]
        return sum(value * number for value, number in losses) / sum(n for _, n in losses)

    tell(Point(0, None, evaluated()))
    losses: list[float] = []
    for step, batch in enumerate(islice(batches, plan.num_steps), start=1):
        training = loss(batch)
        training.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(training.item())
        if step % plan.steps_between_evaluations == 0 or step == plan.num_steps:
            tell(Point(step, fmean(losses), evaluated()))
            losses.clear()
    return factors


def again_and_again(
    conversations: Sequence[Encoded], batch_tokens: int, random: Random
) -> Iterator[Batch]:
    """Batches of the conversations without end, in a new order each time through."""
    orders = (random.sample(conversations, len(conversations)) for _ in repeat(None))
    return packed(chain.from_iterable(orders), batch_tokens)


def _checkpointed(
    layer: Callable[[Tensor, Tensor | None], Flow], x: Tensor, added: Tensor | None
) -> Flow:
    # Not reentrant: the first layer's input needs no gradient, but its factors do.
    return cast("Flow", checkpoint(layer, x, added, use_reentrant=False))


def _rate(step: int, plan: Plan) -> float:
    """Share of the peak learning rate: linear warm-up, then linear decay to a hundredth."""
    warm = min(1.0, (step + 1) / max(1, plan.num_warmup_steps))
    return warm * max(0.01, 1.0 - step / plan.num_steps)
