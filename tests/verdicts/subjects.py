"""Matrices and nets whose proofs are checked again."""

from __future__ import annotations

from typing import Any

import numpy as np

from lvmc.graph.form import Form, form_of
from lvmc.loading import resolve
from lvmc.verdicts import Array
from lvmc.verdicts.subjects import Net, net_of

HORN = np.array([
    [1.0, -1, 1, 1, -1],
    [-1, 1, -1, 1, 1],
    [1, -1, 1, -1, 1],
    [1, 1, -1, 1, -1],
    [-1, 1, 1, -1, 1],
])  # fmt: skip
"""Copositive, neither strictly nor a sum of a semidefinite and a nonnegative matrix (Hall and Newman 1963)."""

POOLED: dict[str, Any] = {
    "lvmc": 1,
    "name": "pooled",
    "inputs": {"x": {"channels": 1, "size": [12, 8]}},
    "layers": {
        "h1": {"channels": 3, "filter": 3, "nms": {"window": 2, "channels": 1}},
        "h2": {"channels": 4, "filter": 3, "stride": 1, "lateral": {"filter": 3}, "diagonal": 1.5},
        "h3": {"channels": 2, "filter": 3, "stride": 2, "nms": {"window": 1, "channels": 2}},
    },
}
"""Groups within channels and across them, replicated filters, strides, lateral couplings."""

CIRCULAR: dict[str, Any] = {
    "lvmc": 1,
    "name": "circular",
    "inputs": {"x": {"channels": 1, "size": [8, 8]}},
    "layers": {
        "h1": {"channels": 2, "filter": 3, "padding_mode": "circular"},
        "h2": {"channels": 3, "filter": 3, "stride": 2, "padding_mode": "circular"},
        "h3": {"channels": 2, "filter": 3, "padding_mode": "circular"},
    },
}
SIGNED: dict[str, Any] = {
    "lvmc": 1,
    "name": "signed",
    "inputs": {"x": {"channels": 1, "size": [4, 4]}},
    "layers": {"h1": {"channels": 2, "filter": 3, "unit": "gaussian"}, "h2": {"channels": 2, "filter": 3}},
}


def form(spec: dict[str, Any], scale: float, seed: int = 0) -> Form:
    """The form of a spec with normal weights, float32 as weights are."""
    _, graph = resolve(spec)
    random = np.random.default_rng(seed)
    return form_of(
        graph,
        {each.name: (scale * random.standard_normal(each.type.shape)).astype(np.float32) for each in graph.parameters},
    )


def net(spec: dict[str, Any], scale: float, seed: int = 0) -> Net:
    """The same as a subject."""
    return net_of(form(spec, scale, seed))


def written_out(form: Form) -> Array:
    """A, unit by unit: D − C applied to every unit vector, by torch."""
    from lvmc.diagnostics.explicit import explicit

    return explicit(form)
