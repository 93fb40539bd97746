"""The learner of a stage: its model with first weights, shared among processes, and its optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from lvmc.data.batches import batches_an_epoch
from lvmc.runtime.module import compiled_of
from lvmc.training.checkpoints import Checkpoint, restore
from lvmc.training.engine import freeze_unreached, ready
from lvmc.training.loop import Run
from lvmc.training.optimiser import freeze, optimiser_of, schedule_of
from lvmc.training.stages import first_model, model_of, next_model
from lvmc.training.step import Learner

if TYPE_CHECKING:
    from torch import Tensor, optim

    from lvmc.runtime.module import Model


def first_learner(run: Run) -> tuple[Learner, tuple[str, ...]]:
    """The learner of the first stage, and remarks on its weights."""
    model, remarks = first_model(run.stretches[0], run.train, run.splits.train)
    return _learner(run, 0, model), remarks


def next_learner(run: Run, stage: int, state: Mapping[str, Tensor]) -> Learner:
    """The learner of a later stage, which begins with what earlier ones learned."""
    return _learner(run, stage, next_model(run.stretches[stage], run.train, state))


def restored_learner(run: Run, checkpoint: Checkpoint) -> Learner:
    """The learner that a checkpoint was taken of, as it was then."""
    stage = checkpoint.standing.stage
    learner = _learner(run, stage, model_of(run.stretches[stage], run.train))
    restore(run.fabric, learner, checkpoint)
    return learner


def _learner(run: Run, stage: int, model: Model) -> Learner:
    stretch, fabric = run.stretches[stage], run.fabric
    model.train()
    freeze(model, run.train)
    if fabric.world_size > 1:
        freeze_unreached(model, lambda: _backward(run, model))
    module = ready(fabric, model)
    fused = run.train.precision != "float16" and fabric.device.type in ("cpu", "cuda") and fabric.world_size == 1
    optimizer = optimiser_of(model, run.train, stretch.rate, fused)
    stepper = cast("optim.Optimizer", fabric.setup_optimizers(optimizer))
    steps = -(-batches_an_epoch(run.splits.train, run.plan) // run.train.accumulate)
    schedule = schedule_of(optimizer, run.train, stretch.epochs, steps)
    return Learner(stretch, compiled_of(model).graph, model, module, optimizer, stepper, schedule)


def _backward(run: Run, model: Model) -> None:
    """Through all heads, for one blank picture."""
    import torch

    out = model(torch.zeros(1, run.block.channels, *run.block.size))
    total = torch.stack([value.sum() for value in out.values()]).sum()
    torch.autograd.backward([total])
