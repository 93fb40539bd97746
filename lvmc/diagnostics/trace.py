"""How S and the residual go, update by update, when a compiled model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.codegen import Method, ModulePlan, class_name, emit
from lvmc.graph import EnergyGraph
from lvmc.ir.naming import tidy
from lvmc.probe import Probed, probe
from lvmc.rewrites.dead_code import dead_code
from lvmc.runtime.module import compiled_of, import_source

if TYPE_CHECKING:
    import torch

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """What a run looked like after each of its n updates.

    Attributes:
        layers: The layer of each update, (n,).
        passes: The pass of each update, from 1, (n,).
        score: S before the first and after every update, (n + 1, batch); None where there is no single energy.
        objective: S plus the entropy of Boltzmann units, (n + 1, batch): what never falls.
        residual: Largest |z − update(z)| over all units, (n + 1, batch): 0 at a fixed point.
        step: Largest change made by each update, (n, batch).
        remark: Why there is no score; empty otherwise.
    """

    layers: tuple[str, ...]
    passes: tuple[int, ...]
    score: Numbers | None
    objective: Numbers | None
    residual: Numbers | None
    step: Numbers | None
    remark: str = ""


def trace_model(model: torch.nn.Module, inputs: Sequence[torch.Tensor], given: Mapping[str, torch.Tensor]) -> Trace:
    """Run the plain passes of a compiled model in evaluation mode, measuring after every update.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.
    """
    import torch

    compiled = compiled_of(model)
    options = compiled.options
    probed = probe(compiled.graph, options.passes, options.clamp, options.start)
    run = _emitted(compiled.graph, probed)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            values: dict[str, torch.Tensor] = run(model, *inputs, **given)
    finally:
        model.train(was_training)
    count = len(probed.updates)
    return Trace(
        layers=tuple(update.layer for update in probed.updates),
        passes=tuple(update.pass_ for update in probed.updates),
        score=_series(values, "score", range(count + 1)),
        objective=_series(values, "objective", range(count + 1)),
        residual=_series(values, "residual", range(count + 1)),
        step=_series(values, "step", range(1, count + 1)),
        remark=compiled.graph.why_no_energy,
    )


def _emitted(graph: EnergyGraph, probed: Probed) -> Callable[..., dict[str, torch.Tensor]]:
    """The probing program as a function of the model and its inputs, from the same emitter."""
    outputs = tuple(pair for pair in probed.program.outputs if not pair[0].startswith("state"))
    program = tidy(dead_code(replace(probed.program, outputs=outputs)))
    names = [variable.name for variable in program.variables if variable.kind in ("input", "latent", "mask")]
    arguments = ", ".join(f"{name}: Tensor" for name in names) or "batch: int = 1"
    docstring = ("Quantities after every update.",)
    bindings = {name: name for name in names}
    method = Method("probe", arguments, "dict[str, Tensor]", docstring, program, bindings, frees=True)
    plan = ModulePlan(graph.name, ("Probes of a run.",), graph.parameters, graph.planes, 0, (method,))
    module = import_source(emit(plan), f"{graph.name}_probe")
    return getattr(module, class_name(graph.name)).probe


def _series(values: Mapping[str, torch.Tensor], quantity: str, numbers: Sequence[int]) -> Numbers | None:
    found = [values.get(f"{quantity}_{number}") for number in numbers]
    if not found or any(value is None for value in found):
        return None
    return np.stack([value.double().cpu().numpy() for value in found if value is not None])
