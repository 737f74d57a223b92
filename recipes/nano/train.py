"""Training: AdamW on the last assistant turn, expert weights rounded to MXFP4 in every step.

The forward pass is netweight's own transformer, so that what is trained is what is served.
Gradients pass the rounding straight through (Bengio et al. 2013, arXiv 1308.3432). A load-balancing
loss keeps the router from leaving experts idle (Fedus et al. 2021, arXiv 2101.03961, equation 4).
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from netweight.model.config import Config
from netweight.model.kernels import REFERENCE
from netweight.model.mxfp4 import round_to_mxfp4
from netweight.model.transformer import Transformer
from netweight.model.weights import DenseExperts, Weights, assemble

IGNORED = -100  # cross_entropy's default ignore_index


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    num_steps: int
    batch_size: int = 12
    peak_learning_rate: float = 3e-3
    num_warmup_steps: int = 100
    weight_decay: float = 0.1
    balance: float = 0.01
    seed: int = 0


class Batch(NamedTuple):
    """Padded token ids and, for each, the token to predict; IGNORED where nothing is learned."""

    token_ids: Tensor  # int64 [batch, tokens]
    targets: Tensor  # like token_ids


def train(
    config: Config, batches: Iterator[Batch], plan: Plan, log_path: Path
) -> dict[str, Tensor]:
    """Train from scratch, with a line of progress to `log_path` every hundred steps.

    Returns:
        Parameters by Hugging Face name; expert matrices are [experts, out, in].
    """
    parameters = initial_parameters(config, plan.seed)
    optimizer = _optimizer(parameters, plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan))
    started = time.monotonic()
    with log_path.open("a") as log:
        for step in range(1, plan.num_steps + 1):
            loss, balance = _losses(config, parameters, next(batches))
            (loss + plan.balance * balance).backward()
            torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if step % 100 == 0 or step == plan.num_steps:
                line = json.dumps(
                    {
                        "step": step,
                        "loss": round(loss.item(), 4),
                        "balance": round(balance.item(), 3),
                        "seconds": round(time.monotonic() - started, 1),
                    }
                )
                log.write(line + "\n")
                log.flush()
                print(line, flush=True)
    return {name: parameter.detach() for name, parameter in parameters.items()}


def initial_parameters(config: Config, seed: int) -> dict[str, Tensor]:
    """Random parameters by Hugging Face name; matrices have the variance 1 / columns."""
    generator = torch.Generator().manual_seed(seed)

    def matrix(*shape: int, gain: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=generator) * gain * math.pow(shape[-1], -0.5)

    hidden, inner, experts = config.hidden_size, config.intermediate_size, config.num_experts
    quiet = math.pow(2 * config.num_hidden_layers, -0.5)  # the residual stream starts small
    values = {
        "model.embed_tokens.weight": 0.5
        * torch.randn(config.vocab_size, hidden, generator=generator),
        "model.norm.weight": torch.ones(hidden),
        "lm_head.weight": matrix(config.vocab_size, hidden, gain=0.5),
    }
    for index in range(config.num_hidden_layers):
        layer = {
            "input_layernorm.weight": torch.ones(hidden),
            "self_attn.sinks": torch.zeros(config.num_attention_heads),
            "self_attn.o_proj.weight": matrix(hidden, config.query_size, gain=quiet),
            "self_attn.o_proj.bias": torch.zeros(hidden),
            "post_attention_layernorm.weight": torch.ones(hidden),
            "mlp.router.weight": matrix(experts, hidden),
            "mlp.router.bias": torch.zeros(experts),
            "mlp.experts.gate_up_proj": matrix(experts, 2 * inner, hidden),
            "mlp.experts.gate_up_proj_bias": torch.zeros(experts, 2 * inner),
            "mlp.experts.down_proj": matrix(experts, hidden, inner, gain=quiet),
            "mlp.experts.down_proj_bias": torch.zeros(experts, hidden),
        }
        for name, rows in (
            ("q", config.query_size),
            ("k", config.key_value_size),
            ("v", config.key_value_size),
        ):
            layer[f"self_attn.{name}_proj.weight"] = matrix(rows, hidden)
            layer[f"self_attn.{name}_proj.bias"] = torch.zeros(rows)
        values.update({f"model.layers.{index}.{name}": value for name, value in layer.items()})
    return {name: value.requires_grad_() for name, value in values.items()}


def is_expert_matrix(name: str) -> bool:
    """Whether a parameter is stored as MXFP4."""
    return name.endswith(("experts.gate_up_proj", "experts.down_proj"))


def _optimizer(parameters: dict[str, Tensor], plan: Plan) -> torch.optim.AdamW:
    matrices = [p for p in parameters.values() if p.dim() > 1]
    vectors = [p for p in parameters.values() if p.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.peak_learning_rate, betas=(0.9, 0.98), fused=True)


def _rate(step: int, plan: Plan) -> float:
    """Share of the peak learning rate: linear warm-up, then linear decay to a hundredth."""
    warm = min(1.0, (step + 1) / plan.num_warmup_steps)
    return warm * max(0.01, 1.0 - step / plan.num_steps)


def _losses(config: Config, parameters: dict[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
    imbalances: list[Tensor] = []

    def route(logits: Tensor, experts_per_token: int) -> tuple[Tensor, Tensor]:
        weights, chosen = REFERENCE.route(logits, experts_per_token)
        share = one_hot(chosen, config.num_experts).float().mean(dim=(0, 1))  # sums to 1
        imbalances.append(config.num_experts * (share * logits.softmax(-1).mean(0)).sum())
        return weights, chosen

    model = Transformer(
        config, rounded_weights(config, parameters), replace(REFERENCE, route=route)
    )
    logits = model.forward(batch.token_ids)
    loss = cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED)
    return loss, torch.stack(imbalances).mean()


def rounded_weights(config: Config, parameters: dict[str, Tensor]) -> Weights:
    """The parameters as the transformer's weights, expert matrices rounded to MXFP4."""

    def experts(name: str) -> DenseExperts:
        weight = parameters[name]
        with torch.no_grad():
            correction = round_to_mxfp4(weight) - weight
        return DenseExperts(weight + correction)  # its gradient is the rounded weight's

    return assemble(config, parameters.__getitem__, experts, REFERENCE)
