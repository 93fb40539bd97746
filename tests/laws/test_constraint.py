"""Law 8: `constraint` keeps what it says at every image size and training step, and gradients go through it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.graph import EnergyGraph, LayerNode
from lvmc.graph.constraint import effective_filters
from lvmc.graph.operator import weight_operator
from lvmc.ir import bounds
from lvmc.ir.bounds import Channels, Reach
from lvmc.loading import resolve

from ..codegen.test_functions import carried_from
from .dense import Array, Dense
from .specs import random_inputs, random_parameters, specs

carried = carried_from("constraint.py")
LIMIT = 0.999
SCALES = st.sampled_from([0.1, 1.0, 3.0, 30.0])
DRAWN = settings(max_examples=70, deadline=None, derandomize=True, database=None)


def constrained(spec: dict[str, Any], claim: str) -> dict[str, Any]:
    """The spec under a constraint, with learned diagonals instead of norms."""
    for layer in spec["layers"].values():
        if layer.pop("norm", None):
            layer["diagonal"] = "learned"
    return {**spec, "inference": {**spec["inference"], "tying": "tied", "constraint": claim}}


def quotient(graph: EnergyGraph, parameters: dict[str, Array]) -> Array:
    """D^-½ C D^-½ from the explicit W; the entropy's least curvature counts as d."""
    w = weight_operator(graph, parameters).matmat(np.eye(sum(layer.units for layer in graph.layers)))
    dense = Dense(graph, parameters)
    d = np.concatenate([
        np.full(layer.units, 4.0) if layer.unit.mean_field else dense.diagonal(layer) for layer in graph.layers
    ])  # fmt: skip
    np.fill_diagonal(w, 0.0)
    return w / np.sqrt(np.outer(d, d))


def every(graph: EnergyGraph, each: list[bool]) -> Array:
    """A mark of every layer at all its units."""
    return np.repeat(np.array(each), [layer.units for layer in graph.layers])


def bounded(layer: LayerNode) -> bool:
    return layer.unit.mean_field or layer.unit.upper is not None


def groups_of(graph: EnergyGraph, parameters: dict[str, Array]) -> Array:
    """The number of every unit's group; units without one are groups of their own."""
    number = np.arange(sum(layer.units for layer in graph.layers))
    dense, start = Dense(graph, parameters), 0
    for layer in graph.layers:
        for group in dense.groups(layer) if layer.group else []:
            number[start + np.array(group)] = number[start + group[0]]
        start += layer.units
    return number


def in_the_cone(g: Array, signed: Array, number: Array) -> Array:
    """The nearest direction of the cone to each column: z ≥ 0 but for signed units, of each group the largest unit.

    Of equal ones the last: sizes grow by a hair from unit to unit.
    """
    z = np.where(signed[:, None], g, np.maximum(g, 0.0))
    size, best = np.abs(z) * (1.0 + 1e-9 * np.arange(len(z)))[:, None], np.zeros_like(z)
    np.maximum.at(best, number, size)
    return np.where(size >= best[number], z, 0.0)


def largest_found(c: Array, signed: Array, number: Array, seed: int) -> float:
    """The largest zᵀCz/zᵀz over the cone that 24 monotone ascents come to."""
    random = np.random.default_rng(seed)
    shift = np.abs(np.linalg.eigvalsh(c)).max()
    z = in_the_cone(np.c_[np.ones(len(c)), random.normal(size=(len(c), 23))], signed, number)
    for _ in range(80):
        z = in_the_cone(c @ z + shift * z, signed, number)
        z /= np.linalg.norm(z, axis=0) + 1e-300
    return float(np.einsum("ib,ij,jb->b", z, c, z).max())


@DRAWN
@given(specs(energy=True), SCALES)
def test_contractive_is_positive_definite(spec: dict[str, Any], scale: float) -> None:
    """λ_min(D − C) > 0, of the explicit W of the filters as they are used, whatever the raw weights."""
    _, graph = resolve(constrained(spec, "contractive"))
    parameters = random_parameters(graph, np.random.default_rng(len(str(spec))), scale)
    assert np.linalg.eigvalsh(quotient(graph, parameters)).max() <= LIMIT + 1e-9


@DRAWN
@given(specs(energy=True), SCALES, st.booleans())
def test_copositive_leaves_no_ray(spec: dict[str, Any], scale: float, positive: bool) -> None:
    """No direction of the cone of unbounded units has zᵀCz > zᵀDz; without groups and signs that is an eigenvalue."""
    _, graph = resolve(constrained(spec, "copositive"))
    parameters = random_parameters(graph, np.random.default_rng(len(str(spec))), scale)
    if positive:
        parameters = {name: np.abs(value) for name, value in parameters.items()}
    c = quotient(graph, parameters)
    free = np.flatnonzero(~every(graph, [bounded(layer) for layer in graph.layers]))
    assume(len(free))
    c, number = c[np.ix_(free, free)], groups_of(graph, parameters)[free]
    signed = every(graph, [layer.kind == "gaussian" for layer in graph.layers])[free]
    assert largest_found(c, signed, np.unique(number, return_inverse=True)[1], 0) <= LIMIT + 1e-9
    if positive and not any(layer.group for layer in graph.layers):
        assert np.linalg.eigvalsh(c).max() <= LIMIT + 1e-9


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(specs(energy=True), st.sampled_from(["contractive", "copositive"]), st.integers(1, 3), st.integers(1, 3))
def test_the_same_weights_are_safe_at_other_sizes(spec: dict[str, Any], claim: str, rows: int, columns: int) -> None:
    """θ knows no image size: strides, paddings and circular planes of any size have less."""
    assume(all(layer.get("filter") != "full" for layer in spec["layers"].values()))
    spec = constrained(spec, claim)
    _, graph = resolve(spec)
    parameters = random_parameters(graph, np.random.default_rng(len(str(spec))), 10.0)
    for each in (*spec["inputs"].values(), *spec["layers"].values()):
        if "size" in each:
            each["size"] = [each["size"][0] + rows, each["size"][1] + columns]
    try:
        _, other = resolve(spec)
    except lvmc.SpecError:
        assume(False)
    assume(sum(layer.units for layer in other.layers) < 700)
    c, kept = quotient(other, parameters), [claim == "contractive" or not bounded(layer) for layer in other.layers]
    free = np.flatnonzero(every(other, kept))
    assume(len(free))
    c, number = c[np.ix_(free, free)], groups_of(other, parameters)[free]
    signed = every(other, [claim == "contractive" or layer.kind == "gaussian" for layer in other.layers])[free]
    number = np.arange(len(free)) if claim == "contractive" else np.unique(number, return_inverse=True)[1]
    assert largest_found(c, signed, number, 1) <= LIMIT + 1e-9


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(specs(energy=True), st.sampled_from(["contractive", "copositive"]))
def test_safe_weights_stay_as_they_are(spec: dict[str, Any], claim: str) -> None:
    """Where θ < 1 already, the factor is 1 and every layer the same to the last bit as without a constraint."""
    spec = constrained(spec, claim)
    _, graph = resolve(spec)
    parameters = random_parameters(graph, np.random.default_rng(len(str(spec))), 0.01)
    inputs = [torch.from_numpy(x).float() for x in random_inputs(graph, np.random.default_rng(0)).values()]
    plain = {**spec, "inference": {**spec["inference"], "constraint": "none"}}
    found: list[dict[str, torch.Tensor]] = []
    for each in (spec, plain):
        model = lvmc.compile(each)
        model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in parameters.items()})
        found.append(model.latents(*inputs))
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


CHAIN: dict[str, Any] = {
    "lvmc": 1,
    "name": "chain",
    "inputs": {"image": {"channels": 1, "size": 8}},
    "layers": {
        "h1": {"channels": 4, "filter": 3, "nms": 2},
        "h2": {"channels": 6, "filter": 3, "diagonal": "learned", "lateral": {"filter": 3}},
        "h3": {"channels": 5, "filter": 3, "stride": 2},
    },
}


def model_of(claim: str, layers: dict[str, Any] | None = None, scale: float = 3.0) -> Any:
    """The chain with random weights, in float64."""
    model = lvmc.compile({**CHAIN, "layers": layers or CHAIN["layers"], "inference": {"constraint": claim}}).double()
    torch.manual_seed(1)
    for name, value in model.named_parameters():
        value.data = 1.0 + torch.rand_like(value) if name.endswith("diagonal") else scale * torch.randn_like(value) / 6
    return model


@pytest.mark.parametrize("claim", ["contractive", "copositive"])
def test_scaling_the_weights_changes_nothing(claim: str) -> None:
    """α w does not change with a common factor on all raw filters, so neither does the loss: ⟨w, ∂/∂w⟩ = 0."""
    model = model_of(claim)
    image = torch.randn(2, 1, 8, 8).double()
    sum((layer**2).sum() for layer in model.latents(image).values()).backward()
    free = [model.h2.weight, model.h3.weight, model.h2.lateral]
    along = sum((weight * weight.grad).sum() for weight in free)
    size = sum(weight.norm() * weight.grad.norm() for weight in free)
    assert size > 1e-3
    assert abs(along) <= 1e-9 * size


def test_gradients_of_norms_are_those_of_the_largest_singular_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """By finite differences of the logarithm, with exact norms in place of those that bound them."""
    random = np.random.default_rng(3)
    reaches = [Reach("h2", "h1", (2, 2), windows=4), Reach("h3", "h2"), Reach("h2", "h2")]
    filters = [0.1 * random.normal(size=shape) for shape in ((4, 3, 2, 2), (2, 4, 1, 1), (4, 4, 1, 1))]
    filters = [taps + np.multiply.outer(np.ones(len(taps)), np.ones(taps.shape[1:])) for taps in filters]
    diagonals = {name: random.uniform(1.0, 2.0, size) for name, size in (("h1", 3), ("h2", 4), ("h3", 2))}
    leaves = [torch.from_numpy(taps.copy()).requires_grad_() for taps in filters]
    d = {name: torch.from_numpy(value).requires_grad_() for name, value in diagonals.items()}
    joined = [
        carried.Coupling(reach.upper, reach.lower, leaf, reach.stride, windows=reach.windows)
        for leaf, reach in zip(leaves, reaches, strict=True)
    ]
    bound = carried.spectral(d, joined)
    assert np.isclose(bound.item(), bounds.spectral(diagonals, filters, reaches), rtol=1e-12)
    bound.log().backward()
    monkeypatch.setattr(bounds, "squared_norm", largest_square)
    for leaf, values in zip((*leaves, *d.values()), (*filters, *diagonals.values()), strict=True):
        for place in zip(*(random.integers(size, size=3) for size in values.shape), strict=True):
            before, ends = values[place], list[float]()
            for step in (-1e-6, 1e-6):
                values[place] = before + step
                ends.append(np.log(bounds.spectral(diagonals, filters, reaches)))
            values[place] = before
            slope = float(leaf.grad[tuple(map(int, place))])
            assert abs(slope - (ends[1] - ends[0]) / 2e-6) <= 0.01 * float(leaf.grad.abs().max())


def largest_square(matrix: Array) -> float:
    return float(np.linalg.norm(matrix, 2)) ** 2


@pytest.mark.parametrize(("stride", "windows", "tolerance"), [(1, 1, 0.01), (1, 4, 0.01), (2, 1, 0.1)])
def test_gradients_of_dominance_are_those_of_the_perron_root(stride: int, windows: int, tolerance: float) -> None:
    """Of T's root after many steps, by finite differences; where strides leave phases, the left vector is a guess."""
    random = np.random.default_rng(3)
    reaches = [Reach("h2", "h1", (stride, stride), windows=windows), Reach("h3", "h2"), Reach("h2", "h2")]
    filters = [random.random((4, 3, 3, 3)), random.random((2, 4, 3, 3)), 0.3 * np.ones((4, 4, 3, 3))]
    diagonals = {name: random.uniform(1.0, 2.0, size) for name, size in (("h1", 3), ("h2", 4), ("h3", 2))}

    def root(taps: list[Array]) -> float:
        joined = [bounds.summed(each, reach) for each, reach in zip(taps, reaches, strict=True)]
        return bounds.dominance(diagonals, joined, steps=200)

    leaves = [torch.from_numpy(taps).requires_grad_() for taps in filters]
    joined = [
        carried.Coupling(reach.upper, reach.lower, leaf, reach.stride, windows=reach.windows)
        for leaf, reach in zip(leaves, reaches, strict=True)
    ]
    d = {name: torch.from_numpy(value) for name, value in diagonals.items()}
    bound = carried.dominance(d, [carried.tap_sums(each, each.filter) for each in joined])
    assert np.isclose(bound.item(), root(filters), rtol=0.01)
    bound.backward()
    for leaf, taps in zip(leaves, filters, strict=True):
        largest = float(leaf.grad.abs().max())
        for place in ((0, 0, 0, 0), (1, 1, 1, 2), (1, 2, 2, 1)):
            before, ends = taps[place], list[float]()
            for step in (-1e-5, 1e-5):
                taps[place] = before + step
                ends.append(root(filters))
            taps[place] = before
            assert abs(float(leaf.grad[place]) - (ends[1] - ends[0]) / 2e-5) <= tolerance * largest


def test_the_bound_on_positive_couplings_is_nearly_the_least() -> None:
    """Three steps bring v within 1% of the Perron root of the channels' matrix; no v has a lower bound than that."""
    random = np.random.default_rng(0)
    for channels in ([2, 3], [4, 8, 8], [16, 16, 16, 16, 16]):
        names = [f"h{index}" for index in range(len(channels))]
        diagonals = {name: random.uniform(0.5, 2.0, each) for name, each in zip(names, channels, strict=True)}
        start = dict(zip(names, np.cumsum([0, *channels]), strict=False))
        matrix, joined = np.zeros((sum(channels), sum(channels))), list[Channels]()
        for below, above in pairwise(names):
            taps = np.maximum(random.normal(size=(len(diagonals[above]), len(diagonals[below]), 3, 3)), 0.0)
            joined.append(bounds.summed(taps, Reach(above, below)))
            rows = slice(start[above], start[above] + len(taps))
            columns = slice(start[below], start[below] + taps.shape[1])
            matrix[rows, columns] = taps.sum((2, 3))
            matrix[columns, rows] = matrix[rows, columns].T
        root = np.sqrt(np.concatenate(list(diagonals.values())))
        least = np.linalg.eigvalsh(matrix / np.outer(root, root)).max()
        assert least <= bounds.dominance(diagonals, joined) <= 1.01 * least


def test_a_shared_filter_is_scaled_between_layers_only() -> None:
    """What couples an input is a part of b, and stays; so do couplings of bounded layers under copositive."""
    layers = {
        "h1": {"channels": 1, "filter": "common"},
        "h2": {"channels": 1, "filter": "common"},
        "h3": {"channels": 1, "filter": "common", "upper": 1.0},
    }
    spec = {**CHAIN, "filters": {"common": {"size": 3}}, "layers": layers, "inference": {"constraint": "copositive"}}
    _, graph = resolve(spec)
    taps = {"common.weight": np.ones((1, 1, 3, 3))}
    found = effective_filters(graph, random_parameters(graph, np.random.default_rng(0)) | taps)
    assert set(found) == {("h2", "h1")}
    assert np.allclose(found["h2", "h1"], LIMIT / 9.0)


def test_training_never_leaves_the_set() -> None:
    """50 steps of SGD that make the layers grow: the claims hold after every step, and not without a constraint."""
    lost = {"none": 0, "contractive": 0, "copositive": 0}
    image = torch.rand(4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for claim in lost:
        small = {"image": {"channels": 1, "size": 4}}
        spec = {**CHAIN, "inputs": small, "inference": {"passes": 3, "constraint": claim}}
        _, graph = resolve(spec)
        model = lvmc.compile(spec)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(50):
            optimizer.zero_grad()
            loss = -sum(layer.clamp_max(5.0).mean() for layer in model.latents(image).values())
            loss.backward()
            optimizer.step()
            parameters = {name: value.double().numpy() for name, value in model.state_dict().items()}
            parameters["h2.diagonal"] = np.maximum(np.abs(parameters["h2.diagonal"]), 1e-4)
            c = quotient(graph, parameters)
            signed, number = np.zeros(len(c), bool), groups_of(graph, parameters)
            number = np.unique(number, return_inverse=True)[1]
            whole = np.linalg.eigvalsh(c).max() if claim == "contractive" else largest_found(c, signed, number, 2)
            lost[claim] += bool(whole >= 1.0) or not np.isfinite(whole)
    assert lost["contractive"] == lost["copositive"] == 0
    assert lost["none"] >= 40
