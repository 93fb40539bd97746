"""The activations of layers after each pass (Convolutional latent-variable models, Fig. 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.inside.passes import passes_within
from lvmc.diagnostics.passes.stepping import evaluating, probing
from lvmc.ir.naming import tidy
from lvmc.rewrites import rewrite
from lvmc.runtime.module import compiled_of
from lvmc.unroll import unroll

if TYPE_CHECKING:
    import torch


def activations(
    model: torch.nn.Module,
    inputs: Sequence[torch.Tensor],
    given: Mapping[str, torch.Tensor] | None = None,
    layers: Sequence[str] = (),
) -> dict[str, NDArray[np.floating]]:
    """Layers after each pass of a run in evaluation mode, (passes, batch, C, H, W) by name.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.
        layers: Which ones; all if none is named.

    Raises:
        ValueError: No layer has such a name, or there are too many passes to look at each.
    """
    compiled = compiled_of(model)
    graph, options = compiled.graph, compiled.options
    unknown = [name for name in layers if name not in graph.layer]
    if unknown:
        raise ValueError(f"activations: no layer is named {unknown[0]!r}; layers are {', '.join(graph.layer)}")
    names = tuple(layers) or tuple(graph.layer)
    with evaluating(model):
        passes = passes_within("activations", model, inputs, given or {})
        seen = unroll(graph, passes, options.clamp, options.start, watch=True)
        keys = {name: [f"{name}@{number}" for number in range(1, passes + 1)] for name in names}
        wanted = {key for each in keys.values() for key in each}
        program = replace(seen, outputs=tuple(pair for pair in seen.outputs if pair[0] in wanted))
        values = probing(compiled, tidy(rewrite(program)))(model, *inputs, **(given or {}))
    return {name: np.stack([values[key].cpu().numpy() for key in each]) for name, each in keys.items()}
