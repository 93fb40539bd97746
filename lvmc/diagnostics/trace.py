"""How S and the residual go, update by update, when a compiled model runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from lvmc import fixed_point
from lvmc.codegen import Method, ModulePlan, class_name, emit
from lvmc.graph import MAX_UPDATES, EnergyGraph
from lvmc.graph.energy import score_program
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.ir.rolled import entry_of
from lvmc.probe import Probed, probe
from lvmc.rewrites.dead_code import dead_code
from lvmc.roll import SHORTEST
from lvmc.runtime.module import Compiled, compiled_of, import_source

if TYPE_CHECKING:
    import torch

    from lvmc.runtime.module import Model

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

    With `until` as many passes are traced as the sample that takes most runs.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.

    Raises:
        ValueError: More updates than are traced.
    """
    import torch

    compiled = compiled_of(model)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            passes = _passes_of(model, compiled, inputs, given)
            return _run(model, compiled, passes, inputs, given)
    finally:
        model.train(was_training)


def _passes_of(
    model: torch.nn.Module, compiled: Compiled, inputs: Sequence[torch.Tensor], given: Mapping[str, torch.Tensor]
) -> int:
    """How many passes the run takes."""
    graph, options = compiled.graph, compiled.options
    passes, most = options.passes or graph.passes, max(1, MAX_UPDATES // len(graph.layers))
    if graph.until is not None and options.passes is None:
        live = cast("Model", model)
        live.latents(*inputs, **given)
        used = cast("torch.Tensor", model.passes_used)
        passes = int(used.max()) if used.numel() else 1
    if passes > most:
        raise ValueError(
            f"trace: {passes:,} passes of {len(graph.layers)} layers are more than the {MAX_UPDATES:,} updates that "
            f"can be traced; compile with passes={most} or fewer"
        )
    return passes


def _run(
    model: torch.nn.Module,
    compiled: Compiled,
    passes: int,
    inputs: Sequence[torch.Tensor],
    given: Mapping[str, torch.Tensor],
) -> Trace:
    graph, options = compiled.graph, compiled.options
    moving = tuple(layer.name for layer in graph.layers if options.clamp.get(layer.name) != "all")
    looped = passes >= SHORTEST and bool(moving) and not graph.why_no_energy
    probed = probe(graph, 1 if looped else passes, options.clamp, options.start)
    values: dict[str, torch.Tensor] = _emitted(graph, probed)(model, *inputs, **given)
    if looped:
        values |= _Loop.of(compiled, moving).run(model, passes, inputs, given)
    updates = [(name, number) for number in range(1, passes + 1) for name in _in_order(moving, number)]
    count = len(updates)
    return Trace(
        layers=tuple(name for name, _ in updates),
        passes=tuple(number for _, number in updates),
        score=_series(values, "score", range(count + 1)),
        objective=_series(values, "objective", range(count + 1)),
        residual=_series(values, "residual", range(count + 1)),
        step=_series(values, "step", range(1, count + 1)),
        remark=graph.why_no_energy,
    )


@dataclass(frozen=True, slots=True)
class _Loop:
    """The passes of a model as methods on a state, and those that measure one; called with the model as `self`."""

    moving: tuple[str, ...]
    methods: Any

    @staticmethod
    def of(compiled: Compiled, moving: tuple[str, ...]) -> _Loop:
        """The loop of a model, from the same emitter."""
        graph, options = compiled.graph, compiled.options
        loop = fixed_point.looped(graph, options.clamp, options.start, optimize=False)
        residual = fixed_point.residual(graph, options.clamp, options.start)
        arguments, names = _arguments(loop.first)
        kind = "dict[str, Tensor]"
        read = ", ".join(plane.name for plane in graph.planes if plane.below is None and not plane.fixed)
        body = (f"return self._sizes({read})",)
        methods = (
            Method("sizes", arguments, "dict[str, Size]", ("Sizes of planes.",), None, {}, setup=body),
            Method("first", arguments, kind, ("Pass 1.",), loop.first, {name: name for name in names}),
            _on_state("down", "An even pass.", loop.down),
            _on_state("up", "An odd pass.", loop.up),
            _on_state("measure", "S and the objective.", score_program(graph)),
            _on_state("residual", "Largest |z − update(z)|.", residual, fixed_point.bindings(options.clamp)),
        )
        return _Loop(moving, _class_of(graph, methods))

    def run(
        self, model: torch.nn.Module, passes: int, inputs: Sequence[torch.Tensor], given: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Quantities after every update from pass 2 on: passes as a whole, and the states on their way."""
        size: dict[str, tuple[int, int]] = self.methods.sizes(model, *inputs, **given)
        state: dict[str, torch.Tensor] = self.methods.first(model, *inputs, **given)
        found: dict[str, torch.Tensor] = {}
        count = len(self.moving)
        for number in range(2, passes + 1):
            passing = self.methods.up if number % 2 else self.methods.down
            after: dict[str, torch.Tensor] = passing(model, state, size)
            for name in _in_order(self.moving, number):
                count += 1
                found[f"step_{count}"] = (after[name] - state[name]).abs().amax((1, 2, 3))
                state = state | {name: after[name]}
                measured = self.methods.measure(model, state, size) | self.methods.residual(model, state, size)
                found |= {f"{quantity}_{count}": value for quantity, value in measured.items()}
            state = after
        return found


_GIVEN = ("input", "latent", "mask", "state")


def _on_state(name: str, docstring: str, program: Program, renamed: Mapping[str, str] = MappingProxyType({})) -> Method:
    """A method of a state: its program reads entries under their own names, or under those in `renamed`."""
    entries = {each.name: entry_of(each) or each.name for each in program.variables if each.kind in _GIVEN}
    bound = {variable: f'state["{renamed.get(variable, entry)}"]' for variable, entry in entries.items()}
    arguments = "state: dict[str, Tensor], size: dict[str, Size]"
    return Method(name, arguments, "dict[str, Tensor]", (docstring,), program, bound, sizes="given")


def _in_order(moving: Sequence[str], pass_: int) -> tuple[str, ...]:
    """Layers as a pass updates them."""
    return tuple(moving) if pass_ % 2 else tuple(reversed(moving))


def _arguments(program: Program) -> tuple[str, list[str]]:
    """What a program is given besides parameters, as the signature of a method."""
    names = [variable.name for variable in program.variables if variable.kind in ("input", "latent", "mask")]
    return ", ".join(f"{name}: Tensor" for name in names) or "batch: int = 1", names


def _emitted(graph: EnergyGraph, probed: Probed) -> Callable[..., dict[str, torch.Tensor]]:
    """The probing program as a function of the model and its inputs, from the same emitter."""
    outputs = tuple(pair for pair in probed.program.outputs if not pair[0].startswith("state"))
    program = tidy(dead_code(replace(probed.program, outputs=outputs)))
    arguments, names = _arguments(program)
    docstring = ("Quantities after every update.",)
    bindings = {name: name for name in names}
    method = Method("probe", arguments, "dict[str, Tensor]", docstring, program, bindings, frees=True)
    return _class_of(graph, (method,)).probe


def _class_of(graph: EnergyGraph, methods: tuple[Method, ...]) -> Any:
    """A class with emitted methods, that are called with a model of the graph in place of an instance."""
    plan = ModulePlan(graph.name, ("Probes of a run.",), graph.parameters, graph.planes, 0, methods)
    return getattr(import_source(emit(plan), f"{graph.name}_probe"), class_name(graph.name))


def _series(values: Mapping[str, torch.Tensor], quantity: str, numbers: Sequence[int]) -> Numbers | None:
    found = [values.get(f"{quantity}_{number}") for number in numbers]
    if not found or any(value is None for value in found):
        return None
    return np.stack([value.double().cpu().numpy() for value in found if value is not None])
