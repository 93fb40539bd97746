"""Checks of small real nets, put together by hand: what the page shows is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

import lvmc
from lvmc.diagnostics.answers import Bound, Check, LayerMargin, Remedy
from lvmc.diagnostics.excitations import excitations
from lvmc.diagnostics.explicit import explicit
from lvmc.diagnostics.passes.trace import Trace, trace_model
from lvmc.graph.form import Form, form_of
from lvmc.loading import resolve
from lvmc.verdicts import Certificate, Verdict, Witness


def net(channels: tuple[int, ...] = (2, 3, 2), size: int = 8, padding: str = "same", **layer: Any) -> dict[str, Any]:
    """A chain of layers h1, h2, … with 3×3 filters over a picture."""
    layers = {f"h{k}": {"channels": count, "filter": 3, **layer} for k, count in enumerate(channels, 1)}
    return {"lvmc": 1, "name": "chain", "inputs": {"x": {"channels": 1, "size": [size, size]}}, "layers": layers}


def form_and_trace(spec: Mapping[str, Any], scale: float, passes: int = 12) -> tuple[Form, Trace]:
    """The form of a spec whose couplings between layers are `scale` times a draw, and a run of it."""
    import torch

    graph = resolve(spec)[1]
    model = lvmc.compile(spec, passes=passes)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("weight") and not name.startswith("h1"):
                value.mul_(scale)
    form = form_of(graph, {name: value.double().numpy() for name, value in model.state_dict().items()})
    shape = (1, graph.inputs[0].channels, *graph.inputs[0].size)
    return form, trace_model(model, (torch.linspace(0, 1, int(np.prod(shape))).reshape(shape),), {})


def refuted(scale: float = 3.0) -> Check:
    """A net whose score grows along the positive part of its top eigenvector, where that lies in the cone."""
    form, trace = form_and_trace(net(), scale)
    form = form.part("positive")
    values, vectors = np.linalg.eigh(explicit(form))
    ray = np.abs(vectors[:, 0])
    value = float(ray @ explicit(form) @ ray)
    assert value < -0.1
    assert np.isclose(value, values[0])
    arrays = {name: layer[0] for name, layer in form.split(ray).items()}
    witness = Witness("copositive", arrays, value, 1e-14)
    stages = (
        Bound("pairs", -inf, 1.0, seconds=0.001),
        Bound("weighted dominance on the torus", value * 1.3, inf, seconds=0.02),
        Bound("witness search", -inf, value, witness=witness, seconds=0.05),
    )
    return Check(
        name="chain",
        form=form,
        verdict=Verdict(False, False, False, (value * 1.3, value), None, witness, "witness search", 0.08),
        bounded=False,
        why="−W is not copositive: S grows as t² along the witness, whatever the input",
        stages=stages,
        layers=tuple(
            LayerMargin(name, layer.size, 1.3 * value * (0.5 + 0.3 * k), float((layer**2).sum()))
            for k, (name, layer) in enumerate(arrays.items())
        ),
        excitations=excitations(form, arrays),
        remedies=(
            Remedy("scale `h3.weight` by ≤ 0.31", True, {"h3.weight": 0.31}),
            Remedy("an upper bound on h2 alone suffices", True, upper={"h2": 1.0}),
            Remedy("diagonal ≥ 1.4 in every layer", None, diagonal={"h1": 1.4}),
        ),
        trace=trace,
        seconds=0.12,
    )


def proved(every_size: bool = True) -> Check:
    """A net with weak couplings: weighted dominance with v = 1."""
    form, trace = form_and_trace(net(), 0.05)
    coupled = np.eye(form.units) - explicit(form.part("absolute"))
    ratio = coupled.sum(1)
    assert ratio.max() < 1
    margin = float(1 - ratio.max())
    ones = {block.name: np.ones((block.channels, *block.size)) for block in form.blocks}
    facts = {"part": "absolute", "torus": int(every_size), "groups": 0}
    certificate = Certificate("psd", "dominance", margin, ones, facts)
    by_layer = {name: part[0] for name, part in form.split(ratio).items()}
    return Check(
        name="chain",
        form=form,
        verdict=Verdict(True, True, True, (margin, 1.0), certificate, None, "dominance", 0.01),
        bounded=True,
        why="−W is strictly copositive: along every direction S falls in the end",
        every_size=every_size,
        stages=(Bound("weighted dominance of |C|", margin, inf, certificate, seconds=0.01),),
        layers=tuple(LayerMargin(n, part.size, float(1 - part.max()), 0.0) for n, part in by_layer.items()),
        trace=trace,
        seconds=0.03,
    )


def undecided(channels: tuple[int, ...] = (32, 48, 32), low: float = -0.2, high: float = 0.15) -> Check:
    """A net with random signs of which only bounds are known."""
    form, trace = form_and_trace(net(channels, 6), 1.0, 4)
    random = np.random.default_rng(0)
    state = {b.name: np.maximum(random.normal(size=(b.channels, *b.size)), 0) for b in form.blocks}
    witness = Witness("copositive", state, high)
    stages = (
        Bound("weighted dominance", -21.3, inf, seconds=0.2),
        Bound("Lanczos", low, high - 0.5, witness=Witness("psd", state, high - 0.5), seconds=1.3, remark="60 steps"),
        Bound("witness search", -inf, high, witness=witness, seconds=3.2),
    )
    verdict = Verdict(None, None, False, (low, high), None, Witness("psd", state, high - 0.5), seconds=4.8)
    return Check(
        name="chain",
        form=form,
        verdict=replace(verdict, remarks=("ran out of time: the bounds are what was found until then",)),
        bounded=None,
        why="whether −W is strictly copositive is undecided",
        stages=stages,
        layers=tuple(LayerMargin(b.name, b.units, -20.0, 1 / 3) for b in form.blocks),
        excitations=excitations(form, state),
        remedies=(Remedy("scale all filters between layers by ≤ 0.82", True),),
        trace=trace,
        seconds=5.0,
    )


def without_energy() -> Check:
    """A net whose norm is of each message."""
    spec = net(norm="message")
    model = lvmc.compile(spec)
    import torch

    trace = trace_model(model, (torch.rand(1, 1, 8, 8),), {})
    why = model_graph_says(spec)
    return Check("chain", None, Verdict(None, None, None), None, "", trace=trace, remark=why, seconds=0.01)


def model_graph_says(spec: Mapping[str, Any]) -> str:
    """Why a spec has no single energy."""
    return resolve(spec)[1].why_no_energy
