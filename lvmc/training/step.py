"""One step of the optimiser, on one batch or several, in one process or many."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lvmc.data.batches import Batch
from lvmc.graph import EnergyGraph
from lvmc.spec.train import Train
from lvmc.training.feedback import run_along
from lvmc.training.stages import Stretch
from lvmc.training.summed import summed
from lvmc.training.targets import counts_of, targets_of

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import (
        _FabricModule as FabricModule,  # pyright: ignore[reportPrivateUsage]: what `setup_module` returns
    )
    from torch import Tensor, optim
    from torch.optim.lr_scheduler import LRScheduler

    from lvmc.runtime.module import Model


@dataclass(frozen=True, slots=True)
class Learner:
    """What learns in a stage.

    Attributes:
        stretch: The stage.
        graph: Of its spec.
        model: The emitted module, whose state has the spec's names.
        module: The same as Fabric wraps it, which is called in training.
        optimizer: Of its parameters.
        stepper: The same as Fabric wraps it.
        schedule: Of its rates.
    """

    stretch: Stretch
    graph: EnergyGraph
    model: Model
    module: FabricModule
    optimizer: optim.Optimizer
    stepper: optim.Optimizer
    schedule: LRScheduler


def learn(fabric: Fabric, learner: Learner, train: Train, batches: Sequence[Batch]) -> Tensor:
    """Step once on the mean loss of some batches, of which each process has its own; losses (heads,), not waited for.

    The losses are those of one large batch: with n_r entries that count in batch r, Σ_r n_r loss_r / Σ_r n_r by head.
    """
    import torch

    parts = [(each.to(fabric.device), float(each.units.max())) for each in batches]
    shares = _shares(fabric, learner, train, [batch for batch, _ in parts])
    total: Tensor | None = None
    for number, (batch, widest) in enumerate(parts):
        waits = fabric.world_size > 1 and number + 1 < len(parts)
        with _unsynchronised(fabric, learner) if waits else nullcontext():
            out, targets = _run(learner, train, batch, widest)
            losses = torch.stack(list(learner.model.losses(out, targets).values()))
            losses = losses if shares is None else losses * shares[number]
            fabric.backward(losses.sum() * fabric.world_size)  # gradients are averaged over the processes
        total = losses.detach() if total is None else total + losses.detach()
    assert total is not None
    if train.clip is not None:
        fabric.clip_gradients(learner.module, learner.stepper, max_norm=train.clip, error_if_nonfinite=False)
    learner.stepper.step()
    learner.optimizer.zero_grad()
    learner.schedule.step()
    return total if fabric.world_size == 1 else summed(total)


def _run(learner: Learner, train: Train, batch: Batch, widest: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What the heads say of a batch, and what they should."""
    targets, feedback = targets_of(learner.graph, train, batch, widest), learner.graph.feedback
    if feedback is None:
        return learner.module(batch.images), targets
    out, corrections = run_along(learner.module, learner.model, feedback, train, batch)
    return out, targets | corrections


def _shares(fabric: Fabric, learner: Learner, train: Train, batches: Sequence[Batch]) -> Tensor | None:
    """n_r / Σ_r n_r, (batches, heads); None where there is one batch."""
    import torch

    if fabric.world_size == 1 and len(batches) == 1:
        return None
    counts = torch.stack([counts_of(learner.graph, train, batch) for batch in batches])
    every = counts.sum(0)
    return counts / (every if fabric.world_size == 1 else summed(every)).clamp_min(1)


def _unsynchronised(fabric: Fabric, learner: Learner) -> AbstractContextManager[None]:
    """Where gradients are added up in each process, to meet after a later backward pass."""
    return cast("AbstractContextManager[None]", fabric.no_backward_sync(learner.module))  # pyright: ignore[reportUnknownMemberType]
