"""The plain passes of a compiled model, one update after the other, each with what it measures."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lvmc import fixed_point
from lvmc.codegen import Method, ModulePlan, class_name, emit
from lvmc.graph import MAX_UPDATES, EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.methods.call import STATE, Call, state_bindings
from lvmc.probe import probe
from lvmc.roll import SHORTEST
from lvmc.runtime.module import Compiled, compiled_of, import_source

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lvmc.runtime.module import Model

DICT = "dict[str, Tensor]"


@dataclass(frozen=True, slots=True)
class Step:
    """The state after an update; before the first one, `layer` is empty and `pass_` is 0.

    `state` holds every layer (batch, C, H, W); `measured` S, the objective and the residual (batch,), where there is
    a single energy.
    """

    layer: str
    pass_: int
    state: Mapping[str, Tensor]
    measured: Mapping[str, Tensor]


@contextmanager
def evaluating(model: torch.nn.Module, gradients: bool = False) -> Generator[None]:
    """The model in evaluation mode, without gradients unless they are wanted, and then as it was."""
    import torch

    was_training = model.training
    model.eval()
    try:
        with torch.set_grad_enabled(gradients):
            yield
    finally:
        model.train(was_training)


def passes_of(model: torch.nn.Module, inputs: Sequence[Tensor], given: Mapping[str, Tensor]) -> int:
    """How many passes a run takes: with `until`, those of the sample that takes most."""
    compiled = compiled_of(model)
    graph, options = compiled.graph, compiled.options
    if graph.until is None or options.passes is not None:
        return options.passes or graph.passes
    live = cast("Model", model)
    live.latents(*inputs, **given)
    used = cast("Tensor", model.passes_used)
    return int(used.max()) if used.numel() else 1


def steps(model: torch.nn.Module, passes: int, inputs: Sequence[Tensor], given: Mapping[str, Tensor]) -> Iterator[Step]:
    """The start, then every update of some passes.

    Few passes are one program, which shares the messages that stay the same; so are any number without a single
    energy, where every pass has weights of its own. Of many, the first pass is a program, and from then on what is
    measured of a state includes what each layer would be after its next update.
    """
    compiled = compiled_of(model)
    graph, options = compiled.graph, compiled.options
    straight = passes < SHORTEST or bool(graph.why_no_energy)
    probed = probe(graph, passes if straight else 1, options.clamp, options.start)
    values: dict[str, Tensor] = probing(compiled, tidy(probed.program))(model, *inputs, **given)
    state = {layer.name: values.pop(f"{layer.name}@0") for layer in graph.layers}
    yield Step("", 0, dict(state), _measured(values, 0))
    for number, update in enumerate(probed.updates, start=1):
        state[update.layer] = values.pop(f"state_{number}")
        yield Step(update.layer, update.pass_, dict(state), _measured(values, number))
    if not straight and probed.updates:
        entries = {key.removesuffix("@end"): value for key, value in values.items() if key.endswith("@end")}
        later = _methods_of(compiled)
        yield from _later(compiled, model, passes, later, entries, later.sizes(model, *inputs, **given))


def _methods_of(compiled: Compiled) -> Any:
    """`sizes` of the planes of a run, and `measure` of a state."""
    graph, call = compiled.graph, Call.of(compiled.graph, compiled.options)
    planes = [plane.name for plane in graph.planes if plane.below is None and not plane.fixed]
    body = (f"return self._sizes({', '.join(planes)})",)
    program = fixed_point.measured(graph, compiled.options.clamp, compiled.options.start)
    bound, docstring = state_bindings(program, call), ("What a state is like.",)
    return emitted_class(
        graph,
        (
            Method("sizes", call.signature, "dict[str, Size]", ("Sizes of planes.",), None, {}, setup=body),
            Method("measure", STATE, DICT, docstring, program, bound, sizes="given", frees=True),
        ),
    )


def _later(
    compiled: Compiled,
    model: torch.nn.Module,
    passes: int,
    methods: Any,
    state: dict[str, Tensor],
    size: dict[str, tuple[int, int]],
) -> Iterator[Step]:
    """Updates from pass 2 on."""
    clamp = compiled.options.clamp
    layers = [layer.name for layer in compiled.graph.layers]
    found: dict[str, Tensor] = methods.measure(model, state, size)
    for number in range(2, passes + 1):
        for name in layers if number % 2 else reversed(layers):
            if clamp.get(name) == "all":
                continue
            state = state | {name: found[f"{name}@next"]}
            found = methods.measure(model, state, size)
            measured = {key: value for key, value in found.items() if not key.endswith("@next")}
            yield Step(name, number, {layer: state[layer] for layer in layers}, measured)


def probing(compiled: Compiled, program: Program) -> Any:
    """A program as a function of a model and what the model takes, from the same emitter."""
    call = Call.of(compiled.graph, compiled.options)
    method = Method("probe", call.signature, DICT, ("Values of a run.",), program, call.bindings, frees=True)
    return emitted_class(compiled.graph, (method,)).probe


def emitted_class(graph: EnergyGraph, methods: tuple[Method, ...]) -> Any:
    """A class with emitted methods, that are called with a model of the graph in place of an instance.

    Raises:
        ValueError: The graph has outer feedback.
    """
    if graph.feedback is not None:
        raise ValueError("the passes inside the steps of outer feedback are not watched; model.step runs one step")
    plan = ModulePlan(graph.name, ("Probes of a run.",), graph.parameters, graph.planes, 0, methods)
    return getattr(import_source(emit(plan), f"{graph.name}_probe"), class_name(graph.name))


def check_updates(what: str, graph: EnergyGraph, passes: int) -> None:
    """Refuse more updates than are followed.

    Raises:
        ValueError: There are more.
    """
    most = max(1, MAX_UPDATES // len(graph.layers))
    if passes > most:
        raise ValueError(
            f"{what}: {passes:,} passes of {len(graph.layers)} layers are more than the {MAX_UPDATES:,} updates that "
            f"can be traced; compile with passes={most} or fewer"
        )


def _measured(values: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
    names = ("score", "objective", "residual")
    return {name: values[f"{name}_{number}"] for name in names if f"{name}_{number}" in values}
