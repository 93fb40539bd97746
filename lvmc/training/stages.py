"""The stages of a training: the spec of each, and what one hands on to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvmc import pipeline
from lvmc.data.sample import SampleSet
from lvmc.graph.states import common_name, step_of
from lvmc.runtime.initial import take_weights
from lvmc.spec import Spec
from lvmc.spec.train import Stage, Train
from lvmc.training.prior import start_at_shares
from lvmc.training.starts import start_at_points

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.module import Model

State = Mapping[str, "Tensor"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stage as it is run: its spec (without `train`), its epochs, those before it, and the rate it starts from."""

    spec: Spec
    epochs: int
    before: int
    rate: float


def stretches(spec: Spec, train: Train) -> tuple[Stretch, ...]:
    """The stages of a spec, one after the other; the whole spec for `epochs`, if it names none.

    Raises:
        ValueError: The last stage does not train the whole model, which is the one that is kept.
    """
    stages = train.stages or (Stage(epochs=train.epochs),)
    found: list[Stretch] = []
    before = 0
    for stage in stages:
        found.append(Stretch(_narrowed(spec, stage), stage.epochs, before, stage.rate or train.optimizer.rate))
        before += stage.epochs
    whole = _narrowed(spec, Stage(epochs=1))
    if _parts(found[-1].spec) != _parts(whole):
        fault = "the last stage leaves out layers that heads read, or runs other passes than inference.passes"
        raise ValueError(f"train.stages: {fault}; its model is the one that is kept: leave 'reads' and 'passes' out")
    return tuple(found)


def first_model(stretch: Stretch, train: Train, samples: SampleSet) -> tuple[Model, tuple[str, ...]]:
    """The model of the first stage with its first weights, and remarks on `init`.

    States of outer feedback start where the samples have their points. Readouts are zeroed if the spec says so; else
    biases of logistic heatmaps start at what the samples say of them.
    What the file `init` holds then goes over all that has its name and shape.

    Raises:
        ValueError: `init` holds nothing of the model, or is no safetensors file.
        FileNotFoundError: There is no such file.
    """
    model = model_of(stretch, train)
    start_at_points(model, samples)
    if train.readouts == "zeros":
        _zero(model, _readouts(model, stretch))
    else:
        start_at_shares(model, train, samples)
    return model, () if train.init is None else _started_from(model, Path(train.init))


def next_model(stretch: Stretch, train: Train, state: State) -> Model:
    """The model of a later stage: all that earlier ones learned by name, and new readouts at 0.

    A new step of outer feedback with weights of its own begins with those of the step before.
    """
    import torch

    model = model_of(stretch, train)
    own = model.state_dict()
    learned = {name: _learned(name, state) for name in own}
    _zero(model, (name for name in _readouts(model, stretch) if learned[name] is None))
    with torch.no_grad():
        for name, value in own.items():
            if (known := learned[name]) is not None:
                value.copy_(known)
    return model


def _learned(name: str, state: State) -> Tensor | None:
    """What earlier stages learned under a name; of a step that they did not have, what their last one learned."""
    if name in state or common_name(name) == name:
        return state.get(name)
    steps = [each for each in state if each != name and common_name(each) == common_name(name)]
    return state[max(steps, key=step_of)] if steps else None


def model_of(stretch: Stretch, train: Train) -> Model:
    """The emitted module of a stage, as first drawn."""
    return pipeline.compile(stretch.spec, seed=train.seed, backend="eager")


def _narrowed(spec: Spec, stage: Stage) -> Spec:
    """The spec with the reads, passes and steps of a stage, and without `train`, which is about the whole one."""
    heads = {
        name: head.model_copy(update={"reads": {layer: head.reads[layer] for layer in head.reads if layer in kept}})
        if (kept := (stage.reads or {}).get(name))
        else head
        for name, head in spec.heads.items()
    }
    changed: dict[str, Any] = {"heads": heads, "train": None}
    if stage.passes:
        changed["inference"] = spec.inference.model_copy(update={"passes": stage.passes})
    if spec.feedback is not None and stage.steps:
        changed |= {"feedback": spec.feedback.model_copy(update={"steps": stage.steps})}
    return spec.model_copy(update=changed)


def _parts(spec: Spec) -> object:
    """What a stage can change of a spec."""
    return {name: list(head.reads) for name, head in spec.heads.items()}, spec.inference, spec.feedback


def _readouts(model: Model, stretch: Stretch) -> list[str]:
    """Parameters of readouts of layers: at 0 they give nothing yet, and still learn. A basis is none."""
    paths = {name: common_name(name).split(".") for name, _ in model.named_parameters()}
    return [name for name, path in paths.items() if path[0] == "heads" and path[2] in stretch.spec.layers]


def _zero(model: Model, names: Iterable[str]) -> None:
    import torch

    state = model.state_dict()
    with torch.no_grad():
        for name in names:
            state[name].zero_()


def _started_from(model: Model, file: Path) -> tuple[str, ...]:
    taken = take_weights(model, file)
    remarks = [f"{file}: {len(taken.taken)} of the model's {len(model.state_dict())} values taken"]
    if taken.unfit:
        remarks.append(f"{file}: of another shape: {_some(taken.unfit)}")
    if taken.unused:
        remarks.append(f"{file}: not in the model: {_some(taken.unused)}")
    if taken.kept:
        remarks.append(f"{file}: not in the file, as first drawn: {_some(taken.kept)}")
    return tuple(remarks)


def _some(names: Iterable[str]) -> str:
    several = list(names)
    return ", ".join(several[:8]) + (f" and {len(several) - 8} more" if len(several) > 8 else "")
