"""The optimiser of a stage: which parameters step at which rate, and how rates change from step to step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lvmc.spec.optimizer import Adam, Optimizer, Sgd, Steps
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from torch import nn, optim
    from torch.optim.lr_scheduler import LRScheduler

FILTERS = ("weight", "lateral")
"""Last words of the state names of filters; Adam decays no others."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters by state name that step alike: at `factor` × the rate, with `decay`."""

    names: tuple[str, ...]
    factor: float
    decay: float


def groups_of(names: Iterable[str], rates: Mapping[str, float], optimizer: Optimizer) -> tuple[Group, ...]:
    """Parameters by rate and decay, without frozen ones.

    SGD decays all parameters, as the papers and Caffe do. Adam (decoupled decay) leaves biases, norms and diagonals
    alone: they are few, and pulling a scale to 0 or a diagonal away from 1 is no prior that anyone holds.
    """
    found: dict[tuple[float, float], list[str]] = {}
    for name in names:
        factor = factor_of(name, rates)
        if factor > 0:
            decay = optimizer.decay if isinstance(optimizer, Sgd) or _is_filter(name) else 0.0
            found.setdefault((factor, decay), []).append(name)
    return tuple(Group(tuple(several), *key) for key, several in found.items())


def factor_of(name: str, rates: Mapping[str, float]) -> float:
    """The factor of the longest entry of `rates` that a state name begins with, word by word; 1 if none does."""
    fitting = [each for each in rates if name == each or name.startswith(f"{each}.")]
    return rates[max(fitting, key=len)] if fitting else 1.0


def freeze(model: nn.Module, train: Train) -> None:
    """Stop gradients of parameters whose rate is 0. Running statistics of norms go on."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and factor_of(name, train.rates) > 0)


def optimiser_of(model: nn.Module, train: Train, rate: float, fused: bool) -> optim.Optimizer:
    """AdamW, or SGD with momentum, over the parameters that take gradients; the groups are those of `groups_of`.

    Args:
        model: With state names as the spec gives them.
        train: Its `optimizer` and `rates`.
        rate: Of parameters whose factor is 1.
        fused: Whether each step is one kernel, which neither sharded parameters nor loss scaling allow.

    Raises:
        ValueError: No parameter is left to train.
    """
    from torch import optim

    parameters = {name: each for name, each in model.named_parameters() if each.requires_grad}
    groups = groups_of(parameters, train.rates, train.optimizer)
    if not groups:
        raise ValueError("train.rates freeze every parameter; leave one to train")
    given: list[dict[str, Any]] = [
        {"params": [parameters[n] for n in g.names], "lr": rate * g.factor, "weight_decay": g.decay} for g in groups
    ]
    match train.optimizer:
        case Adam():
            return optim.AdamW(given, fused=fused)
        case Sgd(momentum=momentum):
            return optim.SGD(given, lr=rate, momentum=momentum, fused=fused)


def schedule_of(optimizer: optim.Optimizer, train: Train, epochs: int, steps: int) -> LRScheduler:
    """How the rates change after every step of a stage of `epochs` × `steps`.

    one-cycle: cosine from rate/25 up to the rate over the first 30 % of the steps, then down to rate/250,000 (Smith's
    1-cycle as fast.ai and PyTorch have it; the momentum stays). cosine: down to 0. Steps are of this stage's epochs.
    """
    from torch.optim import lr_scheduler

    total = epochs * steps
    match train.schedule:
        case Steps(steps=ends, factor=factor):
            return lr_scheduler.MultiStepLR(optimizer, [end * steps for end in ends], factor)
        case "one-cycle":
            rates = [group["lr"] for group in optimizer.param_groups]
            return lr_scheduler.OneCycleLR(optimizer, rates, max(total, 2), cycle_momentum=False)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, total)
        case "constant":
            return lr_scheduler.ConstantLR(optimizer, 1.0)


def _is_filter(name: str) -> bool:
    """h1.weight, h2.h1.weight, h2.weight_p1, heads.k.h1.weight and h1.lateral are; h1.norm.weight is not."""
    words = name.split(".")
    return words[-1].partition("_p")[0] in FILTERS and "norm" not in words[1:-1]
