"""Specs with outer feedback that learn from drawn figures in a moment."""

from __future__ import annotations

from typing import Any

import lvmc
from lvmc.spec import Spec

SIZE, JOINTS = 32, 16
FIGURES = {"kind": "figures", "count": 24, "validation": 8, "test": 8}


def corrected(feedback: dict[str, Any] | None = None, **train: Any) -> Spec:
    """Points that a vector corrects, three steps of at most 4 pixels."""
    update = {"add": "correction", "bound": 4.0, "scale": 4.0}
    return _spec(
        {"pose": {"points": JOINTS, "init": "median"}},
        {"render": "pose", "sigma": 2.0},
        {"h1": {"channels": 8, "filter": 5, "stride": 2, "nms": 2}, "h2": {"channels": 16, "filter": 3}},
        {"correction": {"kind": "vector", "outputs": 2 * JOINTS, "reads": "h2"}},
        {"update": {"pose": update}, "steps": 3} | (feedback or {}),
        train,
    )


def staged(**train: Any) -> Spec:
    """Belief maps from stage to stage, each with weights of its own."""
    return _spec(
        {"beliefs": {"channels": JOINTS, "size": [8, 8]}},
        {"render": "beliefs", "as": "sigmoid"},
        {
            "f": {"channels": 8, "filter": 5, "stride": 4, "padding": 2, "from": "image"},
            "h": {"channels": 16, "from": {"f": {"filter": 3}, "seen": {"filter": 5}}},
        },
        {"points": {"kind": "heatmap", "channels": JOINTS, "reads": "h"}},
        {"update": {"beliefs": {"set": "points"}}, "steps": 2, "tying": "untied"},
        train,
    )


def _spec(state: Any, shown: Any, layers: Any, heads: Any, feedback: Any, train: dict[str, Any]) -> Spec:
    given = {"data": FIGURES, "augment": "none", "schedule": "constant", "batch": 8}
    given["optimizer"] = {"kind": "adam", "rate": 0.01}
    return lvmc.load(
        {
            "lvmc": 1, "name": "small", "state": state,
            "inputs": {"image": {"channels": 3, "size": [SIZE, SIZE], "normalize": {"range": 255}}, "seen": shown},
            "layers": layers, "inference": {"passes": 1}, "heads": heads, "feedback": feedback,
            "train": given | train,
        }
    )  # fmt: skip
