"""Runs a compiled model on files: what goes in, and everything that comes out, as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.passes.trace import Trace, trace_model
from lvmc.graph import EnergyGraph, InputNode
from lvmc.heads.density import Density
from lvmc.results.densities import Shape, shapes_of
from lvmc.results.images import Given, read_block, read_numbers
from lvmc.runtime.module import compiled_of
from lvmc.runtime.starts import start_of_state

if TYPE_CHECKING:
    import torch

    from lvmc.graph.states import StateNode
    from lvmc.runtime.module import Model

Numbers = NDArray[np.float32]
Size = tuple[int, int]


@dataclass(frozen=True)
class Ran:
    """One run on one sample.

    Attributes:
        graph: Of the model.
        given: Inputs in spec order, then clamped layers, masks and start values.
        heads: Outputs of the heads without the batch axis (with `at: each` the passes, with outer feedback the steps in
            front).
        latents: Every layer (channels, H, W), after the last step.
        trace: S and the residual after every update; None with outer feedback.
        states: Of outer feedback, at the start and after each step, (1 + steps, points, 2) or (1 + steps, C, H, W).
        densities: Of density heads of one or two numbers, where it is known where those lie.
    """

    graph: EnergyGraph
    given: Mapping[str, Given]
    heads: Mapping[str, Numbers]
    latents: Mapping[str, Numbers]
    trace: Trace | None
    densities: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    states: Mapping[str, Numbers] = field(default_factory=dict[str, Numbers])

    @property
    def stacked(self) -> bool:
        """Whether outputs of all heads have the steps in front."""
        return self.graph.feedback is not None

    @property
    def picture(self) -> Numbers | None:
        """The first thing given that can be drawn on."""
        return next((each.picture for each in self.given.values() if each.picture is not None), None)


def run_model(
    model: Model,
    files: Sequence[Path],
    named: Mapping[str, Path],
    size: Size | None = None,
    steps: int | None = None,
) -> Ran:
    """Read the files, run the model in evaluation mode, and trace it.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        files: One for each input, in spec order.
        named: Files of clamped layers, masks, start values, and points from outside, by keyword.
        size: Height and width to bring pictures to; nominal if not given.
        steps: Of outer feedback; those of the spec if not given.

    Raises:
        ValueError: Files are missing, too many, or do not fit; steps of a model that has none.
    """
    import torch

    graph = compiled_of(model).graph
    if steps is not None and graph.feedback is None:
        raise ValueError(f"{graph.name} has no outer feedback, so it takes no steps; leave --steps out")
    given = read_inputs(graph, files, size) | read_named(graph, named, keywords_of(model))
    tensors = {name: torch.as_tensor(each.values) for name, each in given.items()}
    inputs = [tensors.pop(node.name) for node in graph.plain_inputs]
    keywords: dict[str, Any] = tensors if steps is None else tensors | {"steps": steps}
    model.eval()
    with torch.no_grad():
        found: dict[str, torch.Tensor] = model(*inputs, **keywords) if graph.heads else {}
        latents = model.latents(*inputs, **keywords)
    states = graph.feedback.states if graph.feedback else ()
    stacked = {key: states or head.record.at == "each" for head in graph.heads for key in head.outputs}
    return Ran(
        graph=graph,
        given=given,
        heads={name: (found[name][:, 0] if each else found[name][0]).numpy() for name, each in stacked.items()},
        latents={name: value[0].numpy() for name, value in latents.items()},
        trace=None if graph.feedback else trace_model(model, inputs, tensors),
        states={state.name: _whole_way(model, state, tensors, found[state.name]) for state in states},
        densities=_densities(model, found, inputs[0].shape[2:] if inputs else None),
    )


def _whole_way(model: Model, state: StateNode, given: Mapping[str, torch.Tensor], found: torch.Tensor) -> Numbers:
    """A state at the start and after each step, of one sample."""
    import torch

    start = given[state.name] if state.name in given else start_of_state(model, state, found[0])
    return torch.cat((start.to(found), found[:, 0])).numpy()


def _densities(model: Model, heads: dict[str, torch.Tensor], size: Sequence[int] | None) -> dict[str, Shape]:
    """Shapes by head; of points in a picture of this size, if that is what is learned."""
    compiled = compiled_of(model)
    records = {head.name: head.record for head in compiled.graph.heads if isinstance(head.record, Density)}
    train = compiled.spec.train
    place = (size[0], size[1]) if size and train and not train.learns_values else None
    found: dict[str, Shape] = {}
    for name, density in (model.densities(heads) if records else {}).items():
        given = heads[name][-1] if heads[name].dim() == 3 else heads[name]
        for shape in shapes_of(density, records[name], given, place):
            found[name] = shape
    return found


def read_inputs(graph: EnergyGraph, files: Sequence[Path], size: Size | None) -> dict[str, Given]:
    """A file for each input."""
    names = [node.name for node in graph.plain_inputs]
    if len(files) != len(names):
        wanted = f"{len(names)} file{'' if len(names) == 1 else 's'} ({', '.join(names)})" if names else "no file"
        raise ValueError(f"{graph.name} takes {wanted}, one for each input, not {len(files)}")
    return {node.name: read_block(file, node, size) for node, file in zip(graph.plain_inputs, files, strict=True)}


@dataclass(frozen=True, slots=True)
class Keywords:
    """Names of what a model takes by keyword, and of what it takes if it is given."""

    needed: tuple[str, ...]
    more: tuple[str, ...]


def keywords_of(model: Model) -> Keywords:
    """What a model takes by keyword."""
    graph, parameters = compiled_of(model).graph, inspect.signature(model.latents).parameters.values()
    states = [state.name for state in graph.feedback.states] if graph.feedback else []
    needed = tuple(each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty)
    return Keywords(needed, tuple(states))


def read_named(graph: EnergyGraph, files: Mapping[str, Path], wanted: Keywords) -> dict[str, Given]:
    """A file for each clamped layer, mask, start value, and point from outside."""
    if not set(wanted.needed) <= set(files) <= {*wanted.needed, *wanted.more}:
        needs = f"--given NAME=FILE for {', '.join(wanted.needed)}" if wanted.needed else "no --given"
        more = f", and if you like for {', '.join(wanted.more)}" if wanted.more else ""
        raise ValueError(f"as compiled, {graph.name} takes {needs}{more}; there is {', '.join(files) or 'none'}")
    shapes = {} if graph.feedback is None else {each.name: each.type.shape for each in graph.feedback.given}
    return {
        name: read_numbers(file, name, shapes[name]) if name in shapes else _read_layer(graph, name, file)
        for name, file in files.items()
    }


def _read_layer(graph: EnergyGraph, name: str, file: Path) -> Given:
    layer = graph.layer[name.removesuffix("_mask")]
    read = read_block(file, InputNode(name, layer.channels, layer.size, None))
    if name in graph.layer:
        return read
    return Given(np.asarray(read.values > 0.5), None, ("1 where more than half white",))
