"""Rates measured and predicted, and what a run shows: settling, growth with its ray, period 2."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.diagnostics.passes.convergence import Convergence, convergence
from lvmc.diagnostics.passes.rates import Run, swings
from lvmc.diagnostics.passes.trace import Trace
from lvmc.loading import resolve
from lvmc.runtime.module import compiled_of

from ..laws.dense import Array, Dense
from ..laws.specs import random_inputs, random_parameters, specs
from ..laws.test_meaning import emitted

FIT = 0.02
"""What a fit over a few passes may be off by."""


def test_the_predicted_rate_is_at_least_the_measured_one() -> None:
    """On random specs whose active set has settled: all units, groups, bounds, laterals; and mostly they agree.

    Before that, the prediction is that of passes linearised on the explicit matrix.
    """
    outcome: Counter[str] = Counter()
    kinds: Counter[str] = Counter()

    @settings(max_examples=70, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(specs(energy=True, max_passes=1), st.sampled_from([0.3, 0.45, 0.6]))
    def check(spec: dict[str, Any], strength: float) -> None:
        spec.pop("heads", None)
        spec["inference"]["passes"] = 40
        graph = resolve(spec)[1]
        random = np.random.default_rng(len(str(spec)))
        parameters, inputs = random_parameters(graph, random, strength), random_inputs(graph, random, batch=1)
        model = emitted(spec, parameters)
        images = [torch.from_numpy(value) for value in inputs.values()]
        trace = lvmc.trace(model, *images)
        found = convergence(trace, model, images)
        assert found.monotone
        outcome[found.outcome] += 1
        if found.outcome == "diverges":
            assert_ray(Dense(graph, parameters), found)
            return
        wanted = dense_rate(Dense(graph, parameters), {name: z[0] for name, z in trace.states[-1].items()})
        assert found.predicted == pytest.approx(wanted, rel=1e-6, abs=1e-7)
        if found.rate is None or found.rate.since is None or found.outcome == "undecided":
            return
        outcome["compared"] += 1
        assert found.rate.factor <= found.predicted * (1 + FIT) + 1e-3
        outcome["agree"] += found.predicted <= found.rate.factor * (1 + FIT) + 1e-3
        for layer in spec["layers"].values():
            kinds.update(
                [layer.get("unit", "rectified"), *(key for key in ("upper", "nms", "lateral") if key in layer)]
            )

    check()
    print(f"\n{dict(outcome)}\n{dict(kinds)}")
    assert outcome["compared"] >= 25
    assert outcome["agree"] >= 0.6 * outcome["compared"]
    assert min(kinds[key] for key in ("rectified", "gaussian", "boltzmann", "upper", "nms", "lateral")) >= 3


def dense_rate(dense: Dense, z: dict[str, Array], free: dict[str, Array] | None = None) -> float:
    """The root of the spectral radius of a pass up and a pass down, linearised at z on the explicit W."""
    graph, errors = dense.graph, np.eye(dense.w.shape[0])
    errors[: min(dense.blocks[layer.name].start for layer in graph.layers)] = 0.0
    for layer in (*graph.layers, *reversed(graph.layers)):
        here, own = dense.blocks[layer.name], z[layer.name].ravel()
        if layer.kind == "boltzmann":
            gain = own * (1 - own)
        else:
            d = dense.normed(layer, own[None])[0] if layer.norm is not None else dense.diagonal(layer)
            top = np.inf if layer.unit.upper is None else layer.unit.upper
            signed = layer.kind == "gaussian"
            moves = (own != 0) | (layer.group is None) if signed else (own > 0) & (own < top)
            gain = moves / (d + dense.bounds.get(layer.name, 0.0))
        drive = dense.w[here] @ errors
        if layer.lateral is not None:
            drive += dense.bounds[layer.name] * errors[here]
        errors[here] = gain[:, None] * drive * (free or {}).get(layer.name, np.ones_like(own))[:, None]
    return float(np.sqrt(np.abs(np.linalg.eigvals(errors)).max()))


def assert_ray(dense: Dense, found: Convergence) -> None:
    """The ray lies in the cone, does not touch bounded layers, and zᵀWz > 0 on the explicit matrix."""
    assert found.ray is not None
    assert found.curvature is not None
    z, d = np.zeros(dense.w.shape[0]), np.zeros(dense.w.shape[0])
    for layer in dense.graph.layers:
        own, here = found.ray[layer.name].ravel(), dense.blocks[layer.name]
        assert found.ray[layer.name].shape == (layer.channels, *layer.size)
        assert layer.kind == "gaussian" or (own >= 0).all()
        assert (layer.unit.upper is None and layer.kind != "boltzmann") or not own.any()
        if layer.group is not None:
            assert all(np.count_nonzero(own[group]) <= 1 for group in dense.groups(layer))
        z[here] = own
        d[here] = dense.normed(layer, own[None])[0] if layer.norm is not None else dense.diagonal(layer)
    value = 1 - z @ dense.w @ z / (d @ z**2)
    assert value == pytest.approx(found.curvature[0], abs=1e-9)
    assert value < -found.curvature[1] < 0


CHAIN: dict[str, Any] = {
    "lvmc": 1, "name": "chain", "inputs": {"x": {"channels": 1, "size": 6}}, "inference": {"passes": 40},
    "layers": {
        "h1": {"channels": 2, "filter": 3, "unit": "gaussian", "diagonal": 2.0},
        "h2": {"channels": 3, "filter": 3, "unit": "gaussian"},
    },
}  # fmt: skip


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Uniform numbers, the same in every run."""
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


def chain(scale: float, **keys: Any) -> tuple[torch.nn.Module, Dense]:
    """Two layers with some weights, and their matrix."""
    layers = {name: layer | keys for name, layer in CHAIN["layers"].items()}
    layers["h2"].pop("nms", None)
    graph = resolve(CHAIN | {"layers": layers})[1]
    parameters = random_parameters(graph, np.random.default_rng(1), scale)
    return emitted(CHAIN | {"layers": layers}, parameters), Dense(graph, parameters)


@pytest.mark.parametrize("dense_up_to", [0, 256])
def test_two_blocks_shrink_by_the_largest_singular_value(dense_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """σ_max(D^-½ C D^-½) for each pass, by Arnoldi's iteration as by a dense matrix; and so it is measured."""
    monkeypatch.setattr("lvmc.diagnostics.passes.response.DENSE", dense_up_to)
    model, dense = chain(0.5)
    coupling = dense.w[dense.blocks["h2"], dense.blocks["h1"]] / np.sqrt(2.0)
    image = noise(1, 1, 6, 6)
    found = convergence(lvmc.trace(model, image), model, [image], theta=0.8)
    wanted = np.linalg.svd(coupling, compute_uv=False)[0]
    assert wanted < 1
    assert found.predicted == pytest.approx(wanted, rel=1e-5)
    assert found.rate is not None
    assert wanted * (1 - FIT) < found.rate.factor < wanted * (1 + 1e-6)
    assert found.rate.since == 1
    assert found.promised == 0.8
    assert (found.outcome, found.monotone, found.ray) == ("settled", True, None)


def test_what_is_given_does_not_follow() -> None:
    """Units under a mask carry no error; at another size than the nominal one."""
    layers = {"h1": CHAIN["layers"]["h1"] | {"lateral": {"filter": 3}}, "h2": CHAIN["layers"]["h2"]}
    resized = CHAIN | {"inputs": {"x": {"channels": 1, "size": [6, 5]}}, "layers": layers}
    graph = resolve(resized)[1]
    parameters = random_parameters(graph, np.random.default_rng(1), 0.4)
    model = emitted(CHAIN | {"layers": layers}, parameters, clamp={"h1": "mask"})
    mask = noise(2, 2, 6, 5, seed=1) < 0.5
    given = {"h1": noise(2, 2, 6, 5), "h1_mask": mask}
    image = noise(2, 1, 6, 5)
    trace = lvmc.trace(model, image, **given)
    found = convergence(trace, model, [image], given)
    state = {name: z[found.sample] for name, z in trace.states[-1].items()}
    free = {"h1": 1.0 - mask[found.sample].double().numpy().ravel()}
    assert found.predicted == pytest.approx(dense_rate(Dense(graph, parameters), state, free), rel=1e-6)
    assert found.rate is not None
    assert found.rate.factor <= found.predicted * (1 + FIT)
    whole = emitted(CHAIN | {"layers": layers}, parameters, clamp=["h2"])
    top = noise(2, 3, 6, 5)
    alone = convergence(lvmc.trace(whole, image, h2=top), whole, [image], {"h2": top}, theta=0.5)
    bound = Dense(graph, parameters).bounds["h1"]
    assert alone.promised == pytest.approx((0.5 * 2.0 + bound) / (2.0 + bound))


@pytest.mark.parametrize("nms", [None, 2])
def test_divergence_is_told_within_twice_the_passes(nms: int | None) -> None:
    """From twice the pass on from which every pass goes further than the one before in its direction."""
    model, dense = chain(2.0, unit="rectified", **({"nms": nms} if nms else {}))
    image = noise(1, 1, 6, 6)
    apart = lvmc.trace(model, image).apart
    assert apart is not None
    shorter = [k for k in range(4, 31) if apart[k - 1, 0] < apart[k - 3, 0]]
    seen = max(shorter, default=3) + 1
    for passes in (max(2 * seen, 8), max(2 * seen, 8) + 1, 20, 30):
        short = emitted(compiled_of(model).spec, dense.parameters, passes=passes)
        found = convergence(lvmc.trace(short, image), short, [image])
        assert (found.outcome, found.passes, found.monotone) == ("diverges", passes, True)
        assert_ray(dense, found)
    bare = convergence(lvmc.trace(model, image))
    assert (bare.outcome, bare.ray, bare.predicted) == ("diverges", None, None)


def test_numbers_that_are_not_finite_are_divergence() -> None:
    """The ray is that of the last finite states; a sample at rest is not touched by it."""
    model, dense = chain(4.0, unit="rectified", bias=False)
    model = emitted(compiled_of(model).spec, dense.parameters, passes=300).float()
    image = torch.cat([torch.zeros(1, 1, 6, 6), torch.ones(1, 1, 6, 6)])
    trace = lvmc.trace(model, image)
    assert trace.score is not None
    assert not np.isfinite(trace.score[-1, 1])
    found = convergence(trace, model, [image])
    assert (found.outcome, found.outcomes, found.sample) == ("diverges", ("settled", "diverges"), 1)
    assert_ray(Dense(dense.graph, {n: v.double().numpy() for n, v in model.state_dict().items()}), found)


def test_a_state_at_rest_that_would_not_hold() -> None:
    """Gaussian units at 0, without input: there they stay, though any error would grow."""
    model, _ = chain(2.0, bias=False)
    image = torch.zeros(1, 1, 6, 6, dtype=torch.float64)
    found = convergence(lvmc.trace(model, image), model, [image])
    assert found.outcome == "settled"
    assert found.predicted is not None
    assert found.predicted > 1
    assert "would not hold" in found.remark


def test_bounded_units_come_to_rest_where_others_diverge() -> None:
    model, dense = chain(2.0, unit="rectified", upper=1.5)
    model = emitted(compiled_of(model).spec, dense.parameters, passes=600)
    image = noise(1, 1, 6, 6)
    found = convergence(lvmc.trace(model, image), model, [image])
    assert found.outcome in ("settled", "converging")
    assert found.ray is None


def test_period_two_is_told_from_the_states() -> None:
    """Untied filters that carry down the opposite of what they carry up, of norm 1: a round turns the state about."""
    layers = CHAIN["layers"] | {"h2": {"channels": 1, "filter": "full", "unit": "gaussian"}}
    spec = CHAIN | {"layers": layers, "inference": {"passes": 16, "tying": "untied"}}
    parameters = random_parameters(resolve(spec)[1], np.random.default_rng(1))
    unit = parameters["h2.weight_p1"] * np.sqrt(2.0) / np.linalg.norm(parameters["h2.weight_p1"])
    for turn, outcome in ((-1.0, "oscillates"), (0.6, "converging")):
        copies = {f"h2.weight_p{k}": unit * (1.0 if k % 2 else turn) for k in range(1, 17)}
        model = emitted(spec, parameters | copies)
        image = noise(1, 1, 6, 6)
        found = convergence(lvmc.trace(model, image), model, [image])
        assert found.outcome == outcome
        assert (found.monotone, found.predicted, found.ray) == (None, None, None)
        assert found.remark.startswith("not the ascent of one energy: with 'tying: untied'")
    assert found.rate is not None
    assert found.rate.factor == pytest.approx(np.sqrt(0.6), rel=1e-6)


@pytest.mark.parametrize(("once", "twice", "swinging"), [(1.0, 1e-3, True), (1.0, 0.5, False), (0.9, 1e-3, False)])
def test_passes_that_undo_each_other_swing(once: float, twice: float, swinging: bool) -> None:
    """Period 2 of single passes: the step stays (or shrinks by `once`), two passes come back but for `twice`."""
    steps = once ** np.arange(10.0)
    run = Run(steps, twice * steps, steps, np.zeros(10), None, 1.0, 1.0, 1.0, 1e-16)
    assert swings(run) is swinging


def test_a_trace_of_nothing_is_refused() -> None:
    model, _ = chain(0.5)
    trace = lvmc.trace(model, torch.zeros(0, 1, 6, 6, dtype=torch.float64))
    with pytest.raises(ValueError, match="no update of any sample"):
        convergence(trace, model)
    assert isinstance(trace, Trace)
