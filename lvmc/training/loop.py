"""The epochs of a stage: steps, what is told and noted on the way, validation, and when to stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from lvmc.data.batches import Batch, Plan, batches, batches_an_epoch
from lvmc.data.sample import Splits
from lvmc.graph import InputNode
from lvmc.runtime.folder import WEIGHTS
from lvmc.spec.train import Train
from lvmc.training.draws import seed_draws
from lvmc.training.fit import check_batch
from lvmc.training.logs import Log
from lvmc.training.progress import Progress, Tell
from lvmc.training.saver import Saver
from lvmc.training.sharded import is_sharded, state_of
from lvmc.training.stages import Stretch, model_of
from lvmc.training.standing import Standing
from lvmc.training.step import Learner, learn
from lvmc.training.tensors import save_tensors
from lvmc.training.trouble import check_finite
from lvmc.training.validation import validate
from lvmc.training.watch import Best, better, figure_of

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor

BAD_BATCH = "bad_batch.safetensors"
TELL_EVERY = 0.1
"""Seconds between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Run:
    """What stays as it is while a run goes on; only the first process has a log and someone to tell."""

    fabric: Fabric
    train: Train
    folder: Path
    splits: Splits
    block: InputNode
    plan: Plan
    stretches: tuple[Stretch, ...]
    saver: Saver
    log: Log | None
    tell: Tell | None
    stop_after: int | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A step whose losses have not been waited for, so that a GPU is never without work."""

    losses: Tensor
    batches: tuple[Batch, ...]


def train_stage(run: Run, learner: Learner, standing: Standing, carried: Mapping[str, Tensor]) -> Standing:
    """Train from where a stage stands to its end, or to the step at which the run is to stop.

    Raises:
        NotFiniteError: A loss is no number.
        ValueError: A sample cannot be trained on, or the watched metric does not exist.
    """
    while not is_over(run.train, learner.stretch, standing):
        standing = _train_epoch(run, learner, standing, carried)
        if stops(run, standing):
            return standing
        standing = _end_epoch(run, learner, standing)
        run.saver.save(learner, standing, carried)
    return standing


def is_over(train: Train, stretch: Stretch, standing: Standing) -> bool:
    """Whether a stage is done: its epochs are, or the best of them was `patience` ago."""
    waited = standing.epoch - standing.best.epoch if standing.best else 0
    return standing.epoch >= stretch.epochs or (train.patience is not None and waited >= train.patience)


def stops(run: Run, standing: Standing) -> bool:
    """Whether the run was told to go no further."""
    return run.stop_after is not None and standing.step >= run.stop_after


def _train_epoch(run: Run, learner: Learner, standing: Standing, carried: Mapping[str, Tensor]) -> Standing:
    """The batches of an epoch that are still to come."""
    if stops(run, standing):
        return standing
    learner.module.train()
    pending: Pending | None = None
    told = last = monotonic()
    for several in _windows(run, learner, standing):
        for batch in several:
            check_batch(learner.graph, batch, run.splits.train)
        seed_draws(learner.graph, run.train.seed, standing.step, run.fabric.global_rank)
        losses = learn(run.fabric, learner, run.train, several)
        standing = _settled(run, learner, standing, pending)
        pending = Pending(losses, several)
        now = monotonic()
        done, seconds = standing.batch + len(several), standing.seconds + now - last
        standing, last = replace(standing, batch=done, step=standing.step + 1, seconds=seconds), now
        ends = stops(run, standing)
        if ends or run.saver.due(learner, standing.step):
            standing, pending = _settled(run, learner, standing, pending), None
            run.saver.save(learner, standing, carried)
        if run.tell is not None and now - told >= TELL_EVERY:
            told = now
            run.tell(_progress(run, learner, standing))
        if ends:
            return standing
    return _settled(run, learner, standing, pending)


def _windows(run: Run, learner: Learner, standing: Standing) -> Iterator[tuple[Batch, ...]]:
    """The batches of each step; the last step of an epoch has what is left."""
    epoch, several = learner.stretch.before + standing.epoch, list[Batch]()
    for batch in batches(run.splits.train, run.block, run.plan, epoch, standing.batch):
        several.append(batch)
        if len(several) == run.train.accumulate:
            yield tuple(several)
            several.clear()
    if several:
        yield tuple(several)


def _settled(run: Run, learner: Learner, standing: Standing, pending: Pending | None) -> Standing:
    """The standing with the losses of its last step, waited for and found to be numbers."""
    if pending is None:
        return standing
    values = [float(loss) for loss in pending.losses.cpu()]
    losses = {head.name: value for head, value in zip(learner.graph.heads, values, strict=True)}
    rank = run.fabric.global_rank
    file = run.folder / (f"{rank}_{BAD_BATCH}" if rank else BAD_BATCH)
    check_finite(losses, standing.step, pending.batches, run.splits.train, file)
    if run.log is not None:
        named = {"loss": sum(values)} | {f"{head}/loss": value for head, value in losses.items()}
        epoch = learner.stretch.before + standing.epoch + 1
        run.log.step(standing.step, epoch, _rate(learner), named)
    return replace(standing, sums=standing.plus(values), summed=standing.summed + 1)


def _end_epoch(run: Run, learner: Learner, standing: Standing) -> Standing:
    """Validate, note, and keep the weights if they are the best ones."""
    stretch, names = learner.stretch, [head.name for head in learner.graph.heads]
    epoch = standing.epoch + 1
    figures = {"loss": sum(standing.means)}
    figures |= {f"{name}/loss": mean for name, mean in zip(names, standing.means, strict=True)}
    samples, best = run.splits.validation, standing.best
    if samples is not None and len(samples) and (epoch % run.train.evaluate.every == 0 or epoch == stretch.epochs):
        seed_draws(learner.graph, run.train.seed, standing.step)
        figures |= _validated(run, learner)
        figure = figure_of(run.train.evaluate.watch, figures)
        if better(run.train.evaluate.watch, figure, best):
            best = Best(figure, epoch)
            if stretch is run.stretches[-1]:
                keep_weights(run, learner)
    if run.log is not None:
        place = {"epoch": stretch.before + epoch, "stage": standing.stage + 1, "step": standing.step}
        run.log.epoch({**place, "rate": _rate(learner), "seconds": round(standing.seconds, 3), **figures})
    if run.tell is not None:
        run.tell(replace(_progress(run, learner, standing), ended=True, figures=figures))
    return replace(standing, epoch=epoch, batch=0, sums=(), summed=0, best=best)


def keep_weights(run: Run, learner: Learner) -> None:
    """Write the weights as those of the run; every process must come here where parameters are in shards."""
    if run.fabric.is_global_zero or is_sharded(learner.model):
        state = state_of(learner.model)
        if run.fabric.is_global_zero:
            save_tensors(state, run.folder / WEIGHTS)


def _validated(run: Run, learner: Learner) -> dict[str, float]:
    """What the first process finds on the validation set, told to all."""
    samples, model = run.splits.validation, learner.model
    assert samples is not None
    if is_sharded(model):
        state = state_of(model)
        model = model_of(learner.stretch, run.train)
        model.load_state_dict(state)
        model.to(run.fabric.device)
    figures = validate(model, learner.graph, samples, run.train) if run.fabric.is_global_zero else {}
    return run.fabric.broadcast(figures) if run.fabric.world_size > 1 else figures


def _rate(learner: Learner) -> float:
    """The largest rate of any parameter."""
    return max(group["lr"] for group in learner.optimizer.param_groups)


def _progress(run: Run, learner: Learner, standing: Standing) -> Progress:
    return Progress(
        stage=standing.stage + 1,
        stages=len(run.stretches),
        epoch=learner.stretch.before + standing.epoch + 1,
        epochs=sum(stretch.epochs for stretch in run.stretches),
        batch=standing.batch,
        batches=batches_an_epoch(run.splits.train, run.plan),
        step=standing.step,
        loss=sum(standing.means) if standing.summed else None,
        speed=standing.step * run.plan.batch * run.train.accumulate / max(standing.seconds, 1e-9),
    )
