"""W as an operator and as a matrix, against the loops of tests/laws/dense.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from lvmc.graph.energy import score
from lvmc.graph.operator import dense_form, linear_term, units, weight_operator
from lvmc.loading import resolve
from tests.laws.dense import Dense
from tests.laws.specs import random_inputs, random_parameters, specs


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(specs(energy=True))
def test_the_quadratic_form(spec: dict[str, Any]) -> None:
    """½ zᵀWz + bᵀz is the score; W is symmetric, with −d on its diagonal; the operator is W."""
    _, graph = resolve(spec)
    random = np.random.default_rng(len(str(spec)))
    parameters, inputs = random_parameters(graph, random), random_inputs(graph, random)
    dense = Dense(graph, parameters)
    w, b = dense_form(graph, parameters, inputs)
    inside = np.concatenate([np.arange(dense.w.shape[0])[dense.blocks[layer.name]] for layer in graph.layers])
    wanted = dense.w[np.ix_(inside, inside)]
    for layer in graph.layers:
        d = dense.normed(layer, np.zeros((1, 1)))[0] if layer.norm else dense.diagonal(layer)
        place = np.flatnonzero(np.isin(inside, np.arange(dense.w.shape[0])[dense.blocks[layer.name]]))
        wanted[place, place] -= d
    assert np.allclose(w, wanted, atol=1e-10)
    assert np.allclose(w, w.T, atol=1e-10)
    z = random.normal(size=(2, units(graph)))
    state, start = {}, 0
    for layer in graph.layers:
        state[layer.name] = z[:, start : start + layer.units].reshape(2, layer.channels, *layer.size)
        start += layer.units
    quadratic = 0.5 * np.einsum("bi,ij,bj->b", z, w, z) + (b * z).sum(axis=1)
    assert np.allclose(quadratic, dense.score(inputs, state), rtol=1e-9, atol=1e-9)
    assert np.allclose(quadratic, score(graph, parameters, inputs, state), rtol=1e-9, atol=1e-9)
    assert np.allclose(weight_operator(graph, parameters) @ z.T, w @ z.T, atol=1e-10)


def test_refusals() -> None:
    """A large spec has no explicit W; a spec of several energies none at all."""
    _, graph = resolve("qp_faces")
    with pytest.raises(ValueError, match="4,096"):
        dense_form(graph, {}, {})
    _, released = resolve("qp2_vgg16_released")
    with pytest.raises(ValueError, match="norm: message"):
        weight_operator(released, {})
    assert linear_term(resolve("two_layer")[1], random_parameters(resolve("two_layer")[1], np.random.default_rng(0)), {
        node.name: np.zeros((1, node.channels, *node.size)) for node in resolve("two_layer")[1].inputs
    }).shape == (1, units(resolve("two_layer")[1]))  # fmt: skip
