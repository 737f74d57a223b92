"""Training on what the assistant says, expert weights rounded to MXFP4 in every step.

Muon moves the matrices between the embedding and the output, AdamW everything else.

The forward pass is netweight's own transformer, so that what is trained is what is served.
Gradients pass the rounding straight through (Bengio et al. 2013, arXiv 1308.3432). A load-balancing
loss keeps the router from leaving experts idle (Fedus et al. 2021, arXiv 2101.03961, equation 4).
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import TextIO

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from netweight.model.config import Config
from netweight.model.kernels import REFERENCE
from netweight.model.mxfp4 import round_to_mxfp4
from netweight.model.transformer import Transformer
from netweight.model.weights import DenseExperts, Weights, assemble
from recipes.batch import Batch, loss_of
from recipes.nano.induction import begin_with_induction
from recipes.nano.muon import Muon

_STATE = "state.pt"  # in the folder of a training that has not ended
_STEPS_BETWEEN_STATES = 100


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    num_steps: int
    batch_tokens: int = 4096
    peak_learning_rate: float = 3e-3  # AdamW's
    peak_muon_rate: float = 0.02
    momentum: float = 0.95
    num_warmup_steps: int = 100
    weight_decay: float = 0.1
    balance: float = 0.01
    seed: int = 0


class _Run:
    """Parameters, optimizer and schedule, and how many steps they have taken."""

    def __init__(self, parameters: dict[str, Tensor], plan: Plan) -> None:
        self.plan = plan
        self.parameters = parameters
        self.optimizers = _optimizers(self.parameters, plan)
        self.schedules = [
            torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan))
            for optimizer in self.optimizers
        ]
        self.num_steps = 0
        self.seconds = 0.0

    def step(self) -> None:
        """Learn from the gradients, and clear them."""
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        for optimizer, schedule in zip(self.optimizers, self.schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        self.num_steps += 1

    def save(self, path: Path) -> None:
        """Write everything that goes on."""
        state = {
            "plan": asdict(self.plan),
            "parameters": self.parameters,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "num_steps": self.num_steps,
            "seconds": self.seconds,
        }
        half = path.with_suffix(".half")
        torch.save(state, half)
        half.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a state that `save` wrote.

        Raises:
            ValueError: when it is of another plan.
        """
        state = torch.load(path, weights_only=True)
        if state["plan"] != asdict(self.plan):
            raise ValueError(
                f"{path} is of another training: {state['plan']}. Go on with those settings, or "
                "name a new folder."
            )
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(state["parameters"][name])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        for schedule, kept in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(kept)
        self.num_steps, self.seconds = state["num_steps"], state["seconds"]


def is_under_way(folder: Path) -> bool:
    """Whether `train` can go on in this folder."""
    return (folder / _STATE).exists()


def train(
    config: Config,
    batches: Iterator[Batch],
    plan: Plan,
    folder: Path,
    begin: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Train, from scratch, from given parameters, or from where it was broken off in this folder.

    `batches` are those of a whole training. Every hundred steps the state is kept and a line goes
    to training.jsonl: loss, balance of the experts, seconds so far and seconds left.

    Returns:
        Parameters by Hugging Face name; expert matrices are [experts, out, in].

    Raises:
        ValueError: when the folder has a training with other settings.
    """
    run = _Run(begin or initial_parameters(config, plan.seed), plan)
    if is_under_way(folder):
        run.load(folder / _STATE)
    before_s = run.seconds - time.monotonic()
    losses: list[float] = []
    with (folder / "training.jsonl").open("a") as log:
        for batch in islice(batches, run.num_steps, plan.num_steps):
            loss, balance = _losses(config, run.parameters, batch)
            (loss + plan.balance * balance).backward()
            run.step()
            losses.append(loss.item())
            if run.num_steps % _STEPS_BETWEEN_STATES == 0 or run.num_steps == plan.num_steps:
                run.seconds = before_s + time.monotonic()
                run.save(folder / _STATE)
                _tell(log, run, losses, balance.item())
                losses.clear()
    (folder / _STATE).unlink(missing_ok=True)
    return {name: parameter.detach() for name, parameter in run.parameters.items()}


def _tell(log: TextIO, run: _Run, losses: Sequence[float], balance: float) -> None:
    line = json.dumps(
        {
            "step": run.num_steps,
            "loss": round(fmean(losses), 4),
            "balance": round(balance, 3),
            "seconds": round(run.seconds, 1),
            "seconds_left": round(run.seconds * (run.plan.num_steps / run.num_steps - 1), 1),
        }
    )
    log.write(line + "\n")
    log.flush()
    print(line, flush=True)


def initial_parameters(config: Config, seed: int) -> dict[str, Tensor]:
    """Random parameters by Hugging Face name, but for two heads; variances are 1 / columns."""
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
    begin_with_induction(values, config, seed)
    return {name: value.requires_grad_() for name, value in values.items()}


def is_expert_matrix(name: str) -> bool:
    """Whether a parameter is stored as MXFP4."""
    return name.endswith(("experts.gate_up_proj", "experts.down_proj"))


def _optimizers(parameters: dict[str, Tensor], plan: Plan) -> list[torch.optim.Optimizer]:
    ends = [parameters["model.embed_tokens.weight"], parameters["lm_head.weight"]]
    hidden = [
        value
        for name, value in parameters.items()
        if name.endswith("_proj.weight") or is_expert_matrix(name)
    ]
    named = {id(parameter) for parameter in [*ends, *hidden]}
    others = [parameter for parameter in parameters.values() if id(parameter) not in named]
    groups = [
        {"params": ends, "weight_decay": plan.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [
        torch.optim.AdamW(groups, lr=plan.peak_learning_rate, betas=(0.9, 0.98), fused=True),
        Muon(hidden, plan.peak_muon_rate, plan.momentum, plan.weight_decay),
    ]


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
    return loss_of(model, batch), torch.stack(imbalances).mean()


def rounded_weights(config: Config, parameters: dict[str, Tensor]) -> Weights:
    """The parameters as the transformer's weights, expert matrices rounded to MXFP4."""

    def experts(name: str) -> DenseExperts:
        weight = parameters[name]
        with torch.no_grad():
            correction = round_to_mxfp4(weight) - weight
        return DenseExperts(weight + correction)  # its gradient is the rounded weight's

    return assemble(config, parameters.__getitem__, experts, REFERENCE)
