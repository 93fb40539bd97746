"""Runs a compiled model on files: what goes in, and everything that comes out, as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.passes.trace import Trace, trace_model
from lvmc.graph import EnergyGraph, InputNode
from lvmc.results.images import Given, read_block
from lvmc.runtime.module import compiled_of

if TYPE_CHECKING:
    import torch

    from lvmc.runtime.module import Model

Numbers = NDArray[np.float32]
Size = tuple[int, int]


@dataclass(frozen=True)
class Ran:
    """One run on one sample.

    Attributes:
        graph: Of the model.
        given: Inputs in spec order, then clamped layers, masks and start values.
        heads: Outputs of the heads without the batch axis (with `at: each`, the passes in front).
        latents: Every layer (channels, H, W).
        trace: S and the residual after every update.
    """

    graph: EnergyGraph
    given: Mapping[str, Given]
    heads: Mapping[str, Numbers]
    latents: Mapping[str, Numbers]
    trace: Trace

    @property
    def picture(self) -> Numbers | None:
        """The first thing given that can be drawn on."""
        return next((each.picture for each in self.given.values() if each.picture is not None), None)


def run_model(model: Model, files: Sequence[Path], named: Mapping[str, Path], size: Size | None = None) -> Ran:
    """Read the files, run the model in evaluation mode, and trace it.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        files: One for each input, in spec order.
        named: Files of clamped layers, masks and start values, by keyword.
        size: Height and width to bring pictures to; nominal if not given.

    Raises:
        ValueError: Files are missing, too many, or do not fit; the model has outer feedback.
    """
    import torch

    graph = compiled_of(model).graph
    if graph.feedback is not None:
        how = "`lvmc eval -o OUT` draws what it predicts for its data, and Python calls it: lvmc.open(FOLDER)(image)"
        raise ValueError(f"{graph.name} has outer feedback, whose steps are not shown here; {how}")
    given = read_inputs(graph, files, size) | read_named(graph, named, keywords_of(model))
    tensors = {name: torch.as_tensor(each.values) for name, each in given.items()}
    inputs = [tensors.pop(node.name) for node in graph.plain_inputs]
    model.eval()
    with torch.no_grad():
        heads: dict[str, torch.Tensor] = model(*inputs, **tensors) if graph.heads else {}
        latents = model.latents(*inputs, **tensors)
    stacked = {key: head.record.at == "each" for head in graph.heads for key in head.outputs}
    return Ran(
        graph=graph,
        given=given,
        heads={name: (value[:, 0] if stacked[name] else value[0]).numpy() for name, value in heads.items()},
        latents={name: value[0].numpy() for name, value in latents.items()},
        trace=trace_model(model, inputs, tensors),
    )


def read_inputs(graph: EnergyGraph, files: Sequence[Path], size: Size | None) -> dict[str, Given]:
    """A file for each input."""
    names = [node.name for node in graph.plain_inputs]
    if len(files) != len(names):
        wanted = f"{len(names)} file{'' if len(names) == 1 else 's'} ({', '.join(names)})" if names else "no file"
        raise ValueError(f"{graph.name} takes {wanted}, one for each input, not {len(files)}")
    return {node.name: read_block(file, node, size) for node, file in zip(graph.plain_inputs, files, strict=True)}


def read_named(graph: EnergyGraph, files: Mapping[str, Path], wanted: Sequence[str]) -> dict[str, Given]:
    """A file for each clamped layer, mask and start value."""
    if set(files) != set(wanted):
        needs = f"--given NAME=FILE for {', '.join(wanted)}" if wanted else "no --given"
        raise ValueError(f"as compiled, {graph.name} takes {needs}; there is {', '.join(files) or 'none'}")
    return {name: _read_layer(graph, name, files[name]) for name in wanted}


def keywords_of(model: Model) -> list[str]:
    """Names of what a model takes by keyword."""
    parameters = inspect.signature(model.latents).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def _read_layer(graph: EnergyGraph, name: str, file: Path) -> Given:
    layer = graph.layer[name.removesuffix("_mask")]
    read = read_block(file, InputNode(name, layer.channels, layer.size, None))
    if name in graph.layer:
        return read
    return Given(np.asarray(read.values > 0.5), None, ("1 where more than half white",))
