"""A spec trained in a folder, from its beginning or from where an earlier session left off."""

from __future__ import annotations

from pathlib import Path

from lvmc.spec import Spec, dump
from lvmc.spec.train import Train
from lvmc.training.engine import Accelerator, Strategy, is_first, is_outside_launch
from lvmc.training.folder import check_folder
from lvmc.training.order import SETS, Order
from lvmc.training.processes import beside
from lvmc.training.progress import Tell, Trained
from lvmc.training.session import session


def train_spec(  # noqa: PLR0913
    spec: Spec,
    folder: Path,
    *,
    data_folder: Path | None = None,
    resume: bool = False,
    force: bool = False,
    stop_after: int | None = None,
    devices: int = 1,
    strategy: Strategy = "auto",
    accelerator: Accelerator = "auto",
    evaluate_on: tuple[str, ...] = SETS,
    save_every: int | None = None,
    tell: Tell | None = None,
) -> Trained:
    """Train a spec as its `train` section says; without one, on figures with the defaults.

    The weights kept are the best ones by `evaluate.watch`, where there is a validation set, and else the last ones.
    A later session goes on from the newest checkpoint and ends with the weights that one session would have had, on
    the CPU bit for bit. Several processes make the steps of one: the same but for rounding.

    Args:
        spec: What to train.
        folder: Becomes a compiled folder with weights, a checkpoint, logs and `evaluation.json`.
        data_folder: What relative names of files begin at.
        resume: Go on from the folder's checkpoint; from the beginning if there is none.
        force: Replace what an earlier run, or `lvmc compile`, wrote into the folder.
        stop_after: Steps of the optimiser after which to leave off, with a checkpoint.
        devices: Processes on this machine, each with a device. Under torchrun its number counts.
        strategy: How processes share the model: `ddp` (also `auto`): each has all of it; `fsdp`: each has a part.
        accelerator: Kind of the devices.
        evaluate_on: Sets that the weights kept are evaluated on in the end.
        save_every: Steps between two checkpoints, instead of a minute or more.
        tell: Is told how the run goes on, in the first process.

    Raises:
        SpecError: The spec has mistakes.
        ValueError: The data do not fit it, the checkpoint is one of another spec, or a loss is no number.
        FileExistsError: The folder holds something else, or a run and neither `resume` nor `force` is said.
        OSError: A file cannot be read or written.
    """
    spec = spec.model_copy(update={"train": spec.train or Train()})
    order = Order(
        folder.absolute(), data_folder and data_folder.absolute(), resume, force, stop_after, devices, strategy,
        accelerator, evaluate_on, save_every,
    )  # fmt: skip
    if is_first():
        check_folder(order.folder, resume, force)
    if devices == 1 or is_outside_launch():
        return session(spec, order, tell)
    with beside(devices, {"spec": dump(spec), "order": order.document()}):
        return session(spec, order, tell)
