"""First weights: drawn from the seed, or taken from the files that a spec names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lvmc.graph import EnergyGraph
from lvmc.graph.states import StateNode
from lvmc.heads.lift import Lift
from lvmc.lifting import basis_of
from lvmc.runtime.module import Compiled, build_module
from lvmc.spec.feedback import NPZ

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lvmc.runtime.backends import Backend
    from lvmc.runtime.module import Model


@dataclass(frozen=True, slots=True)
class Taken:
    """What a model took of a file of weights, by state name.

    `unfit` gives the two shapes of what is of another shape in the file; `unused` is in the file only, and `kept` in
    the model only.
    """

    taken: tuple[str, ...]
    unfit: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    unused: tuple[str, ...]
    kept: tuple[str, ...]


def initialised(compiled: Compiled, backend: Backend | None = None) -> Model:
    """The module of a compiled spec with its first weights; layers whose `init` is a file start from it.

    The emitted text knows nothing of files: its own `reset_parameters` draws these layers too.

    Raises:
        ValueError: A file does not fit its layer, or its state.
        FileNotFoundError: There is no such file.
    """
    model = build_module(compiled, backend)
    take_bases(model, compiled.graph)
    files = {name: Path(layer.init.file) for name, layer in compiled.spec.layers.items() if layer.init.file is not None}
    weights = {file: read_weights(file) for file in dict.fromkeys(files.values())}
    for name, file in files.items():
        _take_layer(model, name, file, weights[file])
    for state in compiled.graph.feedback.states if compiled.graph.feedback else ():
        if state.init.endswith(NPZ):
            _take_start(model, state, Path(state.init))
    return model


def take_bases(model: nn.Module, graph: EnergyGraph) -> None:
    """Give the lifting heads of a model the bases of the files that its spec names."""
    import torch

    state = model.state_dict()
    for head in graph.heads:
        if isinstance(head.record, Lift):
            basis = basis_of(Path(head.record.basis), head.record.rotations)
            values = {f"heads.{head.name}.{leaf}": torch.as_tensor(each) for leaf, each in vars(basis).items()}
            _copy(state, values)


def _take_start(model: nn.Module, state: StateNode, file: Path) -> None:
    """Where a state starts: the file's array of its name, or the only one."""
    import numpy as np
    import torch

    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file, where state '{state.name}' starts")
    try:
        arrays = dict(np.load(file, allow_pickle=False).items())
    except (ValueError, OSError, AttributeError) as error:
        raise ValueError(f"{file}, where state '{state.name}' starts, is no {NPZ} file: {error}") from error
    name = state.name if len(arrays) != 1 else next(iter(arrays))
    if name not in arrays:
        raise ValueError(f"{file} has no array '{name}' for that state, but {_some(list(arrays))}")
    if arrays[name].shape != state.shape:
        raise ValueError(f"'{name}' is {arrays[name].shape} in {file}; state '{state.name}' is {state.shape}")
    _copy(model.state_dict(), {state.start: torch.tensor(arrays[name])})


def take_weights(model: nn.Module, file: Path) -> Taken:
    """Give a model, in place, every value of a .safetensors file that has its name and its shape.

    Raises:
        ValueError: The file is no safetensors file, or holds nothing of the model.
        FileNotFoundError: There is no such file.
    """
    state, found = model.state_dict(), read_weights(file)
    shapes = {name: (tuple(value.shape), tuple(found[name].shape)) for name, value in state.items() if name in found}
    unfit = {name: pair for name, pair in shapes.items() if pair[0] != pair[1]}
    taken = tuple(name for name in shapes if name not in unfit)
    if not taken:
        raise ValueError(f"{file} holds no value of the model's names and shapes; it has {_some(list(found))}")
    _copy(state, {name: found[name] for name in taken})
    unused = tuple(name for name in found if name not in state)
    return Taken(taken, unfit, unused, tuple(name for name in state if name not in found))


def read_weights(file: Path) -> dict[str, Tensor]:
    """The values of a .safetensors file, by state name.

    Raises:
        ValueError: The file is no safetensors file.
        FileNotFoundError: There is no such file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file of weights")
    try:
        return load(file.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{file} is no safetensors file: {error}") from error


def _take_layer(model: nn.Module, layer: str, file: Path, weights: Mapping[str, Tensor]) -> None:
    """All that the file holds of the layer; its filters must be among it."""
    own = {name: value for name, value in model.state_dict().items() if name.startswith(f"{layer}.")}
    found = {name: value for name, value in weights.items() if name.startswith(f"{layer}.")}
    faults = [f"it has no '{name}'" for name in own if _is_filter(name) and name not in found]
    faults += [f"'{name}', which the layer has not" for name in found if name not in own]
    faults += [
        f"'{name}' is {tuple(found[name].shape)} in the file and {tuple(value.shape)} in the spec"
        for name, value in own.items()
        if name in found and found[name].shape != value.shape
    ]
    if not found:
        faults = [f"it has nothing of that layer, but {_some(list(weights))}"]
    if faults:
        more = f", and {len(faults) - 3} more faults" if len(faults) > 3 else ""
        raise ValueError(f"{file} does not fit layer '{layer}', whose init it is: {'; '.join(faults[:3])}{more}")
    _copy(own, found)


def _is_filter(name: str) -> bool:
    return ".norm." not in name and name.rpartition(".")[2].startswith("weight")


def _copy(state: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    import torch

    with torch.no_grad():
        for name, value in values.items():
            state[name].copy_(value)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(sorted(names)[:5]) or "nothing") + more
