"""Heads and layers with some messages silenced (Convolutional latent-variable models, Fig. 12).

An update makes z = P(b + bottom + top) of the messages from below and from above. By default only what the heads read
is silenced: the last update of every layer before a reading is made again from the same messages, those silenced left
out, and the heads read that: Fig. 12's z₁ = max(0, top₁ + bot₁) with a part zeroed. The passes themselves, and so the
messages, are as ever. `throughout` leaves the messages out of every update instead: without top-down messages that is
the feed-forward net. Biases, norms and lateral couplings stay; a group chooses its winner anew, unless it keeps the
first. With nothing silenced both are the model itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.inside.passes import passes_within
from lvmc.diagnostics.passes.stepping import evaluating, probing
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.rewrites import rewrite
from lvmc.rewrites.dead_code import dead_code
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.runtime.module import compiled_of
from lvmc.schedule import Update
from lvmc.unroll import Clamp, Unroller

if TYPE_CHECKING:
    import torch

Silence = Literal["top", "bottom"] | Collection[tuple[str, str]]
"""All messages from above, all from below, or those of some pairs (sender, receiver)."""


@dataclass(frozen=True)
class Silenced:
    """What a model says with some messages silenced.

    Attributes:
        heads: Outputs of the heads by name, as the model gives them.
        layers: What was read: layers (batch, C, H, W) after their last update, by name.
    """

    heads: Mapping[str, NDArray[np.floating]]
    layers: Mapping[str, NDArray[np.floating]]


def silenced(
    model: torch.nn.Module,
    inputs: Sequence[torch.Tensor],
    silence: Silence,
    given: Mapping[str, torch.Tensor] | None = None,
    *,
    throughout: bool = False,
) -> Silenced:
    """A run in evaluation mode with some messages silenced.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        silence: "top", "bottom", or pairs (sender, receiver) of layers and inputs.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.
        throughout: Whether in every update, rather than in what the heads read alone.

    Raises:
        ValueError: A pair is not coupled, or there are too many passes to look at each.
    """
    compiled = compiled_of(model)
    graph, options = compiled.graph, compiled.options
    check_silence(graph, silence)
    with evaluating(model):
        passes = passes_within("silenced", model, inputs, given or {})
        program = silenced_program(graph, passes, silence, throughout, options.clamp, options.start)
        lean = tidy(rewrite(program, (share_equal_values, dead_code)))
        values = probing(compiled, lean)(model, *inputs, **(given or {}))
    arrays = {name: value.cpu().numpy() for name, value in values.items()}
    return Silenced({key: arrays[key] for key in graph.outputs}, {name: arrays[f"{name}@read"] for name in graph.layer})


def silenced_program(
    graph: EnergyGraph, passes: int, silence: Silence, throughout: bool, clamp: Clamp, start: bool
) -> Program:
    """Outputs are the heads, and as `<layer>@read` what they read of each layer after the last pass."""
    unroller = Unroller(graph, passes, dict(clamp), start)
    variables = unroller.begin()
    updates = unroller.updates()
    heard: dict[str, str] = {}
    for index, update in enumerate(updates):
        part = _heard(update, silence)
        if clamp.get(update.layer) != "all":
            new = unroller.update(part if throughout else update)
            heard[update.layer] = new if throughout else _aside(unroller, part)
            unroller.state[update.layer] = new
        if index + 1 == len(updates) or updates[index + 1].pass_ != update.pass_:
            state, unroller.state = unroller.state, unroller.state | heard
            unroller.read(update.pass_)
            unroller.state = state
    outputs = unroller.outputs()
    outputs += [(f"{layer.name}@read", heard.get(layer.name, unroller.state[layer.name])) for layer in graph.layers]
    return Program(f"{graph.name}.silenced", variables, graph.planes, unroller.build.equations(), tuple(outputs))


def check_silence(graph: EnergyGraph, silence: Silence) -> None:
    """Refuse pairs that exchange no messages.

    Raises:
        ValueError: There is one.
    """
    if isinstance(silence, str):
        if silence not in ("top", "bottom"):
            raise ValueError(f"silence: 'top', 'bottom' or pairs (sender, receiver), not {silence!r}")
        return
    pairs = [pair for c in _couplings(graph) for pair in ((c[0], c[1]), (c[1], c[0])) if pair[1] in graph.layer]
    wrong = [pair for pair in silence if pair not in pairs]
    if wrong:
        known = ", ".join(f"{sender} to {receiver}" for sender, receiver in pairs)
        raise ValueError(f"silence: {wrong[0][0]} sends {wrong[0][1]} no message; there are {known}")


def _couplings(graph: EnergyGraph) -> list[tuple[str, str]]:
    return [(coupling.lower, coupling.upper) for layer in graph.layers for coupling in layer.couplings]


def _heard(update: Update, silence: Silence) -> Update:
    """An update of the messages that are not silenced."""
    kept = tuple(
        message
        for message in update.messages
        if (message.direction != silence if isinstance(silence, str) else (message.sender, update.layer) not in silence)
    )
    return replace(update, messages=kept)


def _aside(unroller: Unroller, update: Update) -> str:
    """What an update would make now, for itself: the winners that are kept stay those of the passes."""
    aside = replace(unroller, winners=dict(unroller.winners), moments=dict(unroller.moments))
    aside.build = unroller.build
    return aside.update(update)
