"""Checkpoints: one file with all that a run needs to go on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lvmc import __version__
from lvmc.spec import Spec, dump
from lvmc.training.sharded import laid_out_as, state_of, whole
from lvmc.training.standing import Standing, standing_of
from lvmc.training.tensors import save_tensors

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor

    from lvmc.training.step import Learner

CHECKPOINT = "checkpoint.safetensors"
FORMAT = 1

_FREE = ("description", "train.workers")
"""What may change in mid-run."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run between two steps.

    Attributes:
        standing: Where it stands.
        model: State of the stage's model.
        carried: State of parameters that earlier stages trained and this one has not.
        optimizer: Tensors by "<parameter>.<key>".
        numbers: Rates, and the state of the schedule and of the loss scale.
        spec: Text of the whole spec.
    """

    standing: Standing
    model: dict[str, Tensor]
    carried: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    numbers: Mapping[str, Any]
    spec: str


def checkpoint_of(
    fabric: Fabric, learner: Learner, standing: Standing, carried: Mapping[str, Tensor], spec: Spec
) -> Checkpoint:
    """The run as it stands; every process must ask where parameters are in shards."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in learner.model.named_parameters()}
    optimizer = {
        f"{names[parameter]}.{key}": whole(value)
        for parameter, entries in learner.optimizer.state.items()
        for key, value in entries.items()
        if value is not None
    }
    schedule = learner.schedule.state_dict()
    numbers = {
        "rates": [group["lr"] for group in learner.optimizer.param_groups],
        "schedule": {key: schedule[key] for key in ("last_epoch", "_step_count", "_last_lr") if key in schedule},
        "scale": fabric.strategy.precision.state_dict(),
    }
    return Checkpoint(standing, state_of(learner.model), dict(carried), optimizer, numbers, dump(spec))


def restore(fabric: Fabric, learner: Learner, checkpoint: Checkpoint) -> None:
    """Bring a freshly made learner of the same stage to where a checkpoint was taken."""
    import torch

    own = learner.model.state_dict()
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(laid_out_as(value, checkpoint.model[name]))
    learner.optimizer.load_state_dict(_optimizer_state(learner, checkpoint))
    for group, rate in zip(learner.optimizer.param_groups, checkpoint.numbers["rates"], strict=True):
        group["lr"] = rate
    learner.schedule.load_state_dict(learner.schedule.state_dict() | checkpoint.numbers["schedule"])
    fabric.strategy.precision.load_state_dict(checkpoint.numbers["scale"])


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Put a checkpoint in the place of the one before."""
    parts = {"model": checkpoint.model, "carried": checkpoint.carried, "optimizer": checkpoint.optimizer}
    tensors = {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}
    document = {
        "format": FORMAT,
        "versions": _versions(),
        "standing": checkpoint.standing.document(),
        "numbers": checkpoint.numbers,
        "spec": checkpoint.spec,
    }
    save_tensors(tensors, folder / CHECKPOINT, {"lvmc": json.dumps(document)})


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a run folder; None if it holds none.

    Raises:
        ValueError: The file is no checkpoint of this version of lvmc.
    """
    from safetensors import SafetensorError, safe_open

    file = folder / CHECKPOINT
    if not file.is_file():
        return None
    try:
        with cast("Any", safe_open(file, framework="pt")) as read:  # without annotations
            notes: dict[str, str] = read.metadata() or {}
            document: dict[str, Any] = json.loads(notes.get("lvmc", "{}"))
            tensors: dict[str, Tensor] = {name: read.get_tensor(name) for name in read.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{file} is no checkpoint: {error}; train again with --force") from error
    if document.get("format") != FORMAT:
        raise ValueError(f"{file} is no checkpoint that lvmc {__version__} can read; train again with --force")
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "carried": {}, "optimizer": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    return Checkpoint(standing_of(document["standing"]), **parts, numbers=document["numbers"], spec=document["spec"])


def check_same(checkpoint: Checkpoint, spec: Spec, folder: Path) -> None:
    """Raise ValueError, saying what differs, unless the checkpoint is one of this spec."""
    before, now = _leaves(_values(checkpoint.spec)), _leaves(_values(dump(spec)))
    differing = [path for path in {**before, **now} if before.get(path) != now.get(path) and path not in _FREE]
    if not differing:
        return
    shown = [f"{path} is {now.get(path, 'not given')}, was {before.get(path, 'not given')}" for path in differing[:5]]
    more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
    raise ValueError(
        f"{folder} holds a run of another spec: {'; '.join(shown)}{more}; change that back, "
        "or train into another folder"
    )


def _optimizer_state(learner: Learner, checkpoint: Checkpoint) -> dict[str, Any]:
    """As `load_state_dict` of the optimiser takes it, every tensor laid out as its parameter."""
    names = {parameter: name for name, parameter in learner.model.named_parameters()}
    known = learner.optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    ordered = [parameter for group in learner.optimizer.param_groups for parameter in group["params"]]
    for number, parameter in enumerate(ordered):
        stem = f"{names[parameter]}."
        # keys of an optimiser hold no dots; names of parameters do
        found = {
            name.removeprefix(stem): value
            for name, value in checkpoint.optimizer.items()
            if name.startswith(stem) and "." not in name.removeprefix(stem)
        }
        if found:
            state[number] = {
                key: laid_out_as(parameter, value) if value.shape == parameter.shape and value.dim() else value
                for key, value in found.items()
            }
    return {"state": state, "param_groups": known["param_groups"]}


def _values(text: str) -> dict[str, Any]:
    from lvmc.source import parse

    return parse(text, "spec").values


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Plain values by dotted path."""
    from lvmc.values import keyed

    entries = keyed(value)
    if not entries:
        return {path: value}
    found: dict[str, Any] = {}
    for key, each in entries.items():
        found |= _leaves(each, f"{path}.{key}" if path else key)
    return found


def _versions() -> dict[str, str]:
    import torch

    return {"lvmc": __version__, "torch": torch.__version__}
