"""What is checked of a compiled model: its graph at a size, its weights, and its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lvmc.graph import EnergyGraph
from lvmc.graph.form import Array, Form, form_of
from lvmc.loading import resolve
from lvmc.runtime.module import compiled_of
from lvmc.spec import Input, Spec

if TYPE_CHECKING:
    import torch

Size = tuple[int, int]


@dataclass(frozen=True)
class Net:
    """A model as numbers: `parameters` by state name in float64; `form` leaves clamped layers out."""

    graph: EnergyGraph
    parameters: Mapping[str, Array]
    form: Form


def net_of(model: torch.nn.Module, sizes: Sequence[Size] = ()) -> Net:
    """The net of a model at its nominal size, or at those of its inputs.

    Raises:
        TypeError: It was not made by `lvmc.compile` or `lvmc.open`.
        ValueError: There is no single energy; a weight is not finite; or a size does not fit (as a `SpecError`).
    """
    compiled = compiled_of(model)
    graph = compiled.graph
    if sizes and any(size != node.size for size, node in zip(sizes, graph.plain_inputs, strict=True)):
        graph = _resized(compiled.spec, sizes)
    parameters = {name: np.asarray(value.double().cpu().numpy()) for name, value in model.state_dict().items()}
    for name, values in parameters.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds {np.count_nonzero(~np.isfinite(values)):,} numbers that are not finite")
    clamped = [name for name, how in compiled.options.clamp.items() if how == "all"]
    return Net(graph, parameters, form_of(graph, parameters).without(clamped))


def _resized(spec: Spec, sizes: Sequence[Size]) -> EnergyGraph:
    plain = {name: record for name, record in spec.inputs.items() if isinstance(record, Input)}
    inputs = dict(spec.inputs) | {
        name: record.model_copy(update={"size": size})
        for (name, record), size in zip(plain.items(), sizes, strict=True)
    }
    return resolve(spec.model_copy(update={"inputs": inputs}))[1]
