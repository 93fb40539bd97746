"""`lvmc.trace` against the interpreter, and what it says where there is no energy."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import lvmc
from lvmc.diagnostics.passes.trace import Trace
from lvmc.graph import EnergyGraph
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.probe import probe

Array = NDArray[np.float64]


@pytest.mark.parametrize("name", ["two_layer", "strided", "gaussian", "stereo"])
def test_traces_are_the_interpreters(name: str) -> None:
    """S, residual and step after every update; S never falls; the last S is the model's own score."""
    spec, graph = resolve(name)
    model = lvmc.compile(spec).double()
    images = [torch.rand(2, node.channels, *node.size, dtype=torch.float64) for node in graph.inputs]
    trace = lvmc.trace(model, *images)
    probed = probe(graph)
    given = {node.name: image.numpy() for node, image in zip(graph.inputs, images, strict=True)}
    values = interpret(probed.program, given | {key: value.numpy() for key, value in model.state_dict().items()})
    assert trace.score is not None
    assert trace.residual is not None
    assert trace.step is not None
    for number in range(len(trace.layers) + 1):
        assert np.allclose(trace.score[number], values[f"score_{number}"])
        assert np.allclose(trace.residual[number], values[f"residual_{number}"])
    assert np.allclose(trace.step[-1], values[f"step_{len(trace.layers)}"])
    assert (np.diff(trace.score, axis=0) >= -1e-9 * np.abs(trace.score).max()).all()
    assert np.allclose(trace.score[-1], model.score(*images, model.latents(*images)).detach().numpy())
    assert trace.layers[: len(graph.layers)] == tuple(layer.name for layer in graph.layers)


def test_mean_field_has_an_objective() -> None:
    """With Boltzmann units S may fall, S plus entropy does not."""
    model = lvmc.compile("boltzmann", passes=3)
    trace = lvmc.trace(model, torch.rand(1, 1, 28, 28))
    assert trace.objective is not None
    assert (np.diff(trace.objective, axis=0) >= -1e-3).all()
    assert not np.allclose(trace.objective, trace.score)


def test_no_energy_no_score() -> None:
    """Untied filters: steps are traced, S is not, and both trace and score say why."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 4}}, "inference": {"tying": "untied"},
        "layers": {"h1": {"channels": 2, "filter": 3}, "h2": {"channels": 2, "filter": 3}},
    }  # fmt: skip
    model, image = lvmc.compile(spec), torch.rand(1, 1, 4, 4)
    trace = lvmc.trace(model, image)
    assert trace.score is None
    assert trace.residual is None
    assert trace.step is not None
    assert "untied" in trace.remark
    with pytest.raises(NotImplementedError, match="no single energy"):
        model.score(image, model.latents(image))


def test_the_trace_leaves_the_model_alone() -> None:
    """Training mode and running statistics are as before."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
        "layers": {"h1": {"channels": 2, "filter": 3, "norm": "drive"}, "h2": {"channels": 2, "filter": 3}},
    }  # fmt: skip
    model = lvmc.compile(spec).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    lvmc.trace(model, torch.rand(2, 1, 8, 8))
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    with pytest.raises(TypeError, match=r"lvmc\.compile"):
        lvmc.trace(torch.nn.Linear(1, 1), torch.rand(1))


NET: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
    "layers": {
        "h1": {"channels": 2, "filter": 3, "diagonal": 4.0},
        "h2": {"channels": 2, "filter": 3, "nms": {"window": 2, "winner": "first"}, "diagonal": 4.0},
        "h3": {"channels": 2, "filter": 3, "lateral": {"filter": 3}, "norm": "drive"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("two_layer", {}), ("stereo", {}), ("nnls", {}), ("gaussian", {}), ("boltzmann", {}), ("generator", {}),
        (NET, {}), (NET, {"clamp": {"h2": "mask"}, "start": "given"}), (NET, {"clamp": {"h2": "all"}}),
        (NET, {"clamp": {"h1": "mask", "h3": "all"}}),
    ],
)  # fmt: skip
def test_many_passes_are_those_of_the_program(source: str | dict[str, Any], options: dict[str, Any]) -> None:
    """Passes after the first, update by update from the state, are what the one long program of all passes gives."""
    model = lvmc.compile(source, passes=9, **options).double()
    graph = resolve(source)[1]
    images = [torch.rand(2, node.channels, *node.size, dtype=torch.float64) for node in graph.inputs]
    given = {
        layer.name: torch.rand(2, layer.channels, *layer.size, dtype=torch.float64)
        for layer in graph.layers
        if options.get("start") or layer.name in options.get("clamp", {})
    }
    masked = [name for name, how in options.get("clamp", {}).items() if how == "mask"]
    given |= {f"{name}_mask": (given[name] > 0.5).double() for name in masked}
    traced = lvmc.trace(model, *images, **given)
    probed = probe(graph, 9, options.get("clamp"), "start" in options)
    arrays = {name: value.numpy() for name, value in (*given.items(), *model.state_dict().items())}
    arrays |= {f"{name}_mask": arrays[f"{name}_mask"] > 0.5 for name in masked}
    arrays |= {node.name: image.numpy() for node, image in zip(graph.inputs, images, strict=True)}
    straight = interpret(probed.program, arrays)
    assert list(zip(traced.layers, traced.passes, strict=True)) == [(u.layer, u.pass_) for u in probed.updates]
    for name in ("score", "objective", "residual"):
        wanted = [straight[f"{name}_{number}"] for number in range(len(traced.layers) + 1)]
        assert np.allclose(getattr(traced, name), wanted, rtol=1e-9, atol=1e-9), name
    states = [straight[f"state_{number}"] for number in range(1, len(traced.layers) + 1)]
    assert traced.step is not None
    assert np.allclose(traced.step, [straight[f"step_{n}"] for n in range(1, len(states) + 1)], atol=1e-9)
    check_sides(graph, traced, {layer.name: straight[f"{layer.name}@0"] for layer in graph.layers}, states)
    check_states(traced, {layer.name: straight[f"{layer.name}@0"] for layer in graph.layers}, states)


def sides(graph: EnergyGraph, layer: str, z: Array) -> NDArray[np.int64]:
    upper = graph.layer[layer].unit.upper
    return (z != 0).astype(int) + (z == (np.inf if upper is None else upper))


def check_sides(graph: EnergyGraph, traced: Trace, start: dict[str, Array], states: list[Array]) -> None:
    """Active units and changes of side, counted from the states themselves."""
    last = {name: sides(graph, name, z) for name, z in start.items()}
    assert traced.active is not None
    assert traced.changed is not None
    for number, (layer, z) in enumerate(zip(traced.layers, states, strict=True)):
        side = sides(graph, layer, z)
        assert (traced.active[number] == (z != 0).sum((1, 2, 3))).all()
        assert (traced.changed[number] == (side != last[layer]).sum((1, 2, 3))).all()
        last[layer] = side


def check_states(traced: Trace, start: dict[str, Array], states: list[Array]) -> None:
    """How far passes move the state, over one pass and over two, and the states that are kept."""
    ends, now = [start], start
    for number, (layer, z) in enumerate(zip(traced.layers, states, strict=True)):
        now = now | {layer: z}
        if number + 1 == len(traced.passes) or traced.passes[number + 1] != traced.passes[number]:
            ends.append(now)
    flat = [np.concatenate([z.reshape(2, -1) for z in end.values()], 1) for end in ends]
    assert traced.moved is not None
    assert traced.apart is not None
    moved = [np.linalg.norm(b - a, axis=1) for a, b in pairwise(flat)]
    apart = [np.linalg.norm(b - a, axis=1) for a, b in zip(flat, flat[2:], strict=False)]
    assert np.allclose(traced.moved, moved, atol=1e-9)
    assert np.isnan(traced.apart[0]).all()
    assert np.allclose(traced.apart[1:], apart, atol=1e-9)
    assert traced.around is not None
    assert np.isnan(traced.around[:3]).all()
    around = [np.linalg.norm(b - a, axis=1) for a, b in zip(flat, flat[4:], strict=False)]
    assert np.allclose(traced.around[3:], around, atol=1e-9)
    assert len(traced.states) == 3
    for found, wanted in zip(traced.states, ends[-3:], strict=True):
        assert all(np.allclose(found[name], wanted[name], atol=1e-9) for name in wanted)


def test_a_sample_that_blows_up_keeps_its_last_finite_states() -> None:
    """And the others keep theirs."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 4}}, "inference": {"passes": 200},
        "layers": {"h1": {"channels": 2, "filter": 3}, "h2": {"channels": 2, "filter": 3}},
    }  # fmt: skip
    model = lvmc.compile(spec)
    model.load_state_dict({name: 0.5 * torch.ones_like(value) for name, value in model.state_dict().items()})
    model.load_state_dict(model.state_dict() | {f"h{n}.bias": torch.zeros(2) for n in (1, 2)})
    image = torch.cat([torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)])
    trace = lvmc.trace(model, image)
    assert trace.moved is not None
    assert np.isfinite(trace.moved).all(0).tolist() == [True, False]
    assert len(trace.states) == 3
    sizes = [[float(state["h1"][n].max() + state["h2"][n].max()) for state in trace.states] for n in (0, 1)]
    assert sizes[0] == [0, 0, 0]
    assert 1e10 < sizes[1][0] < sizes[1][1] < sizes[1][2] < np.inf


@pytest.mark.parametrize("gradient", ["unrolled", "implicit"])
def test_until_traces_the_passes_of_the_run(gradient: str) -> None:
    """Those of the sample that takes most; and there the residual is what it should be."""
    small = {name: keys | {"init": {"normal": 0.05}, "diagonal": 4.0} for name, keys in NET["layers"].items()}
    del small["h3"]["norm"]
    inference = {"until": {"residual": 1e-4, "max_passes": 90}, "gradient": gradient}
    model = lvmc.compile(NET | {"layers": small, "inference": inference}).train()
    image = torch.rand(3, 1, 8, 8)
    trace = lvmc.trace(model, image)
    assert model.training
    model(image)
    used: Any = model.passes_used
    assert max(trace.passes) == int(used.max()) < 90
    assert trace.residual is not None
    assert trace.residual[-1].max() <= 1.01e-4
    fixed = lvmc.compile(NET | {"layers": small, "inference": inference}, passes=4)
    assert max(lvmc.trace(fixed, image).passes) == 4


def test_a_trace_of_a_thousand_passes_is_quick_and_more_is_refused() -> None:
    started = time.process_time()
    trace = lvmc.trace(lvmc.compile("two_layer", passes=1000), torch.rand(1, 1, 16, 16))
    assert len(trace.layers) == 2000
    assert time.process_time() - started < 20
    with pytest.raises(ValueError, match="compile with passes=5000 or fewer"):
        lvmc.trace(lvmc.compile("two_layer", passes=5001), torch.rand(1, 1, 16, 16))
