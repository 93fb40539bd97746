"""One session of a run, in each of its processes: everything is checked, then stage after stage trained and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lvmc import pipeline
from lvmc.assemble import Options
from lvmc.data.batches import Plan
from lvmc.data.sample import Splits
from lvmc.data.sources import open_data
from lvmc.durable import save_text
from lvmc.evaluation import Evaluation, evaluate
from lvmc.evaluation.calls import picture_input
from lvmc.evaluation.folder import EVALUATION
from lvmc.graph import EnergyGraph
from lvmc.runtime.folder import open_folder
from lvmc.spec import Spec
from lvmc.spec.train import Train
from lvmc.training.checkpoints import Checkpoint, check_same, read_checkpoint
from lvmc.training.engine import fabric_of, leave
from lvmc.training.fit import check_fit
from lvmc.training.folder import begin
from lvmc.training.learner import first_learner, next_learner, restored_learner
from lvmc.training.logs import Log
from lvmc.training.loop import Run, is_over, keep_weights, stops, train_stage
from lvmc.training.mirrored import with_mirror
from lvmc.training.order import Order
from lvmc.training.progress import Tell, Trained
from lvmc.training.saver import Saver
from lvmc.training.sharded import state_of
from lvmc.training.stages import Stretch, stretches
from lvmc.training.standing import Standing
from lvmc.training.validation import sets_of
from lvmc.training.watch import watched

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor

    from lvmc.training.step import Learner


def session(spec: Spec, order: Order, tell: Tell | None = None) -> Trained:
    """Train a spec, which has a `train` section, in this process and those that go along; raises as `train_spec`."""
    assert spec.train is not None
    compiled = pipeline.emitted(spec, Options(seed=spec.train.seed))
    block = picture_input(compiled.graph)
    splits = _checked(compiled.graph, spec.train, open_data(spec.train.data, block, order.data_folder))
    stages = stretches(spec, spec.train)
    fabric = fabric_of(spec.train, order.devices, order.strategy, order.accelerator)
    log: Log | None = None
    try:
        checkpoint = read_checkpoint(order.folder) if order.resume else None
        if checkpoint is not None:
            check_same(checkpoint, spec, order.folder)
        elif fabric.is_global_zero:
            begin(order.folder, compiled)
        fabric.barrier()
        standing = checkpoint.standing if checkpoint else Standing()
        if fabric.is_global_zero:
            log = Log(order.folder, standing.step, _epochs(stages, standing))
        plan = _plan(spec.train, fabric)
        saver = Saver(fabric, spec, order.folder, order.save_every)
        told = tell if fabric.is_global_zero else None
        run = Run(fabric, spec.train, order.folder, splits, block, plan, stages, saver, log, told, order.stop_after)
        standing, remarks = _train(run, checkpoint)
        return _trained(run, spec, order, standing, (*splits.remarks, *remarks))
    finally:
        if log is not None:
            log.close()
        leave()


def _checked(graph: EnergyGraph, train: Train, splits: Splits) -> Splits:
    """The sets, if heads can learn from them and the best weights can be told."""
    check_fit(graph, train, splits.train)
    watched(train.evaluate.watch)
    judged = splits.validation is not None and len(splits.validation) > 0
    if train.patience is not None and not judged:
        raise ValueError("train.patience needs a validation set to wait for; give the data one, or leave patience out")
    return replace(splits, train=with_mirror(splits.train, graph))


def _plan(train: Train, fabric: Fabric) -> Plan:
    return Plan(
        batch=train.batch,
        seed=train.seed,
        augment=train.augment,
        workers=train.workers,
        rank=fabric.global_rank,
        world=fabric.world_size,
        pin=fabric.device.type == "cuda",
    )


def _epochs(stages: tuple[Stretch, ...], standing: Standing) -> int:
    """Epochs done over all stages, those that an earlier stage left out included."""
    return stages[standing.stage].before + standing.epoch


def _train(run: Run, checkpoint: Checkpoint | None) -> tuple[Standing, tuple[str, ...]]:
    """All stages from where the run stands; where it stands then, and remarks."""
    standing, remarks = Standing(), ()
    if checkpoint is None:
        learner, remarks = first_learner(run)
    elif checkpoint.standing.finished:
        return checkpoint.standing, ()
    else:
        standing, learner = checkpoint.standing, restored_learner(run, checkpoint)
    carried: dict[str, Tensor] = dict(checkpoint.carried) if checkpoint else {}
    while True:
        standing = train_stage(run, learner, standing, carried)
        if standing.stage + 1 == len(run.stretches) or stops(run, standing):
            break
        state = state_of(learner.model)
        learner = next_learner(run, standing.stage + 1, carried | state)
        carried = {name: value for name, value in (carried | state).items() if name not in learner.model.state_dict()}
        standing = replace(standing, stage=standing.stage + 1, epoch=0, best=None)
    return _ended(run, learner, standing, carried), remarks


def _ended(run: Run, learner: Learner, standing: Standing, carried: dict[str, Tensor]) -> Standing:
    """The standing, with weights kept if all stages are done."""
    last = standing.stage + 1 == len(run.stretches) and is_over(run.train, learner.stretch, standing)
    if not last:
        return standing
    if standing.best is None:
        keep_weights(run, learner)
    standing = replace(standing, finished=True)
    run.saver.save(learner, standing, carried)
    return standing


def _trained(run: Run, spec: Spec, order: Order, standing: Standing, remarks: tuple[str, ...]) -> Trained:
    run.fabric.barrier()  # the first process has written the weights
    evaluation = Evaluation()
    if standing.finished and run.fabric.is_global_zero:
        evaluation = _evaluated(run, order)
    run.fabric.barrier()
    best = run.stretches[-1].before + standing.best.epoch if standing.finished and standing.best else None
    return Trained(
        folder=order.folder,
        spec=spec,
        evaluation=evaluation,
        finished=standing.finished,
        steps=standing.step,
        seconds=standing.seconds,
        best=best,
        remarks=remarks,
    )


def _evaluated(run: Run, order: Order) -> Evaluation:
    """The evaluation of the weights kept, as the folder has it or made now."""
    file, sets = order.folder / EVALUATION, sets_of(run.splits, order.evaluate_on)
    if file.is_file():
        found = Evaluation.from_json(file.read_text(encoding="utf-8"))
        if set(sets) <= {name.partition("/")[0] for name in found.figures}:
            return found
    model = open_folder(order.folder, "eager")
    model.to(run.fabric.device)
    made = evaluate(model, sets, run.train)
    save_text(made.to_json(), file)
    return made
