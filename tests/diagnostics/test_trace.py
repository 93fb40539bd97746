"""`lvmc.trace` against the interpreter, and what it says where there is no energy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lvmc
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.probe import probe


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
