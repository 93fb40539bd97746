"""Known optima: non-negative least squares against scipy, mean-field fixed points, Gaussian linear systems."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls

import lvmc
from lvmc.graph.operator import dense_form
from lvmc.loading import resolve


def test_nnls_is_scipys() -> None:
    """The zoo's dense NNLS run to convergence, to 1e-8."""
    random = np.random.default_rng(0)
    a, y = random.normal(size=(24, 8)), random.normal(size=24)
    gram = a.T @ a
    model = lvmc.compile("nnls", start="given", passes=200).double()
    state = {"x.weight": a.T[:, :, None, None], "x.diagonal": np.diag(gram)}
    state["x.lateral"] = -(gram - np.diag(np.diag(gram)))[:, :, None, None]
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()})
    x, target = torch.zeros(1, 8, 1, 1, dtype=torch.float64), torch.from_numpy(y)[None, :, None, None]
    for _ in range(20):
        x = model.latents(target, x=x)["x"].detach()
    wanted, _ = nnls(a, y)
    assert (wanted == 0).any()
    assert np.abs(x.flatten().numpy() - wanted).max() < 1e-8


def test_boltzmann_fixed_point() -> None:
    """z = sigmoid(b + Wz) after enough mean-field passes."""
    spec = {
        "lvmc": 1,
        "name": "dbm",
        "inputs": {"x": {"channels": 2, "size": 6}},
        "inference": {"passes": 200},
        "layers": {
            "h1": {
                "channels": 3,
                "filter": 3,
                "unit": "boltzmann",
                "init": {"weight": {"normal": 0.5}, "bias": {"normal": 0.5}},
            },
            "h2": {
                "channels": 2,
                "filter": "full",
                "unit": "boltzmann",
                "init": {"weight": {"normal": 0.2}, "bias": "zeros"},
            },
        },
    }
    model = lvmc.compile(spec).double()
    _, graph = resolve(spec)
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64)
    z = model.latents(x)
    parameters = {name: value.numpy() for name, value in model.state_dict().items()}
    w, b = dense_form(graph, parameters, {"x": x.numpy()})
    flat = torch.cat([z[layer.name].flatten() for layer in graph.layers]).detach().numpy()
    assert np.abs(flat - 1 / (1 + np.exp(-(b[0] + w @ flat)))).max() < 1e-10
    trace = lvmc.trace(model, x)
    assert trace.residual is not None
    assert trace.residual[-1].max() < 1e-10


def test_gaussian_maximum_is_a_linear_system() -> None:
    """With −W positive definite the passes converge to W⁻¹(−b)."""
    spec = {
        "lvmc": 1,
        "name": "gaussian_net",
        "inputs": {"x": {"channels": 1, "size": 6}},
        "inference": {"passes": 150},
        "layers": {
            "h1": {"channels": 2, "filter": 3, "unit": "gaussian", "diagonal": 2.0, "init": {"normal": 0.2}},
            "h2": {"channels": 2, "filter": 3, "unit": "gaussian", "diagonal": 3.0, "init": {"normal": 0.2}},
        },
    }
    model = lvmc.compile(spec).double()
    _, graph = resolve(spec)
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64)
    z = model.latents(x)
    w, b = dense_form(graph, {name: value.numpy() for name, value in model.state_dict().items()}, {"x": x.numpy()})
    assert np.linalg.eigvalsh(-w).min() > 0
    flat = torch.cat([z[layer.name].flatten() for layer in graph.layers]).detach().numpy()
    assert np.abs(flat - np.linalg.solve(-w, b[0])).max() < 1e-8


def test_video_starts_from_the_last_frame() -> None:
    """From its own fixed point the state does not move."""
    spec = {
        "lvmc": 1,
        "name": "film",
        "inputs": {"x": {"channels": 1, "size": 8}},
        "layers": {
            "h1": {"channels": 3, "filter": 3, "init": {"normal": 0.1}},
            "h2": {"channels": 3, "filter": 3, "nms": 2, "init": {"normal": 0.1}},
        },
    }
    model, image = lvmc.compile(spec, start="given"), torch.rand(1, 1, 8, 8)
    frame = lvmc.compile(spec).latents(image)
    before = lvmc.trace(model, image, **frame).residual
    for _ in range(40):
        frame = model.latents(image, **frame)
    again = model.latents(image, **frame)
    assert all(torch.allclose(frame[name], again[name], atol=1e-6) for name in frame)
    after = lvmc.trace(model, image, **frame).residual
    assert before is not None
    assert after is not None
    assert after[0].max() < 1e-5 < before[0].max()
