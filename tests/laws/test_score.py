"""Law 1: S never falls; without groups and laterals each update raises it by ½ d_min‖Δz‖² and is optimal (KKT)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings

from lvmc.graph import LayerNode
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.probe import probe

from .dense import Array, Dense
from .specs import random_inputs, random_parameters, specs


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(specs(energy=True, max_passes=6))
def test_the_score_never_falls(spec: dict[str, Any]) -> None:
    """At every update of every random spec, whatever the weights; the mean-field objective with Boltzmann units."""
    _, graph = resolve(spec)
    random = np.random.default_rng(len(str(spec)))
    parameters, inputs = random_parameters(graph, random, scale=1.5), random_inputs(graph, random)
    probed = probe(graph)
    values = interpret(probed.program, inputs | parameters)
    series = np.stack([values[f"objective_{number}"] for number in range(len(probed.updates) + 1)])
    slack = 1e-12 * (1.0 + np.abs(series).max())
    assert (np.diff(series, axis=0) >= -slack).all()
    dense = Dense(graph, parameters)
    final = dense.run(inputs, graph.passes)
    score = values[f"score_{len(probed.updates)}"]
    assert np.allclose(score, dense.score(inputs, final), rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(specs(energy=True, groups=False, lateral=False, units=("rectified", "gaussian")))
def test_every_update_raises_the_score(spec: dict[str, Any]) -> None:
    """Each update raises S by at least ½ d_min‖Δz_l‖², whatever the weights: S is d_min-strongly concave in a block."""
    _, graph = resolve(spec)
    random = np.random.default_rng(len(str(spec)))
    parameters, inputs = random_parameters(graph, random), random_inputs(graph, random)
    dense = Dense(graph, parameters)
    dense.run(inputs, graph.passes)
    for (_, before), (name, after) in pairwise(dense.visited):
        layer = graph.layer[name]
        gain = score_of(dense, inputs, after) - score_of(dense, inputs, before)
        smallest = float((dense.normed(layer, after)[0] if layer.norm else dense.diagonal(layer)).min())
        change = ((after - before) ** 2).sum(axis=1)
        rounding = 1e-12 * (1.0 + np.abs(score_of(dense, inputs, after)))
        assert (gain >= 0.5 * smallest * change - rounding).all()
        assert optimal(dense, layer, after)


def score_of(dense: Dense, inputs: dict[str, Array], z: Array) -> Array:
    """S of a flat state."""
    state = {
        layer.name: z[:, dense.blocks[layer.name]].reshape(len(z), *dense.shapes[layer.name])
        for layer in dense.graph.layers
    }
    return dense.score(inputs, state)


def optimal(dense: Dense, layer: LayerNode, z: Array) -> bool:
    """KKT of one block: the slope a − d z is 0 inside the domain, ≤ 0 at 0 and ≥ 0 at the upper bound."""
    here = dense.blocks[layer.name]
    d, shift = dense.normed(layer, z) if layer.norm else (dense.diagonal(layer), 0.0)
    slope = z @ dense.w[:, here] + dense.bias(layer) + shift - d * z[:, here]
    slack = 1e-9 * (1.0 + np.abs(z).max())
    if layer.kind == "gaussian":
        return bool((np.abs(slope) <= slack).all())
    value, upper = z[:, here], np.inf if layer.unit.upper is None else layer.unit.upper
    at_zero, at_top = value <= 0, value >= upper
    inside = ~at_zero & ~at_top
    return bool(
        (slope[at_zero] <= slack).all() and (slope[at_top] >= -slack).all() and (np.abs(slope[inside]) <= slack).all()
    )
