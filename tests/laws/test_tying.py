"""Law 6: the gradient of a tied filter is the sum of the gradients of its untied copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lvmc

LAYERS: dict[str, dict[str, Any]] = {
    "h1": {"channels": 4, "filter": 3},
    "h2": {"channels": 4, "filter": 3, "nms": 2},
    "h3": {"channels": 6, "filter": 3},
}


def spec_with(tying: str, passes: int, layers: dict[str, Any]) -> dict[str, Any]:
    heads = {"map": {"kind": "heatmap", "channels": 2, "reads": list(layers)}}
    return {
        "lvmc": 1,
        "name": "tying",
        "inputs": {"image": {"channels": 2, "size": 8}},
        "layers": layers,
        "heads": heads,
        "inference": {"passes": passes, "tying": tying},
    }


SKIP: dict[str, dict[str, Any]] = {
    "h1": {"channels": 3, "filter": 3},
    "h2": {"channels": 3, "filter": 3, "stride": 2},
    "h3": {"channels": 3, "from": {"h2": {}, "h1": {"stride": 2}}, "filter": 3},
}


@pytest.mark.parametrize("passes", [1, 2, 3, 4])
@pytest.mark.parametrize("layers", [LAYERS, SKIP], ids=["chain", "skip"])
def test_tied_gradient_is_the_sum(passes: int, layers: dict[str, Any]) -> None:
    """With equal weights in every copy, to 1e-12 relative; and the values are the same."""
    tied, untied = (lvmc.compile(spec_with(tying, passes, layers)).double() for tying in ("tied", "untied"))
    state = tied.state_dict()
    for name, parameter in untied.named_parameters():
        stem = name.rpartition("_p")[0] if ".weight_p" in name else name
        parameter.data.copy_(state[stem])
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 2, 8, 8)))
    for model in (tied, untied):
        model(image)["map"].square().sum().backward()
    assert torch.allclose(tied(image)["map"], untied(image)["map"], atol=1e-12)
    sums: dict[str, torch.Tensor] = {}
    for name, parameter in untied.named_parameters():
        stem = name.rpartition("_p")[0] if ".weight_p" in name else name
        if parameter.grad is not None:
            sums[stem] = sums.get(stem, torch.zeros_like(parameter)) + parameter.grad
    for name, parameter in tied.named_parameters():
        wanted = sums[name]
        assert parameter.grad is not None
        assert (parameter.grad - wanted).abs().max() <= 1e-12 * (1 + wanted.abs().max()), name


def test_names_of_copies() -> None:
    """One copy for each pass a filter is used in: up in odd passes, down in even ones."""
    model = lvmc.compile(spec_with("untied", 3, LAYERS))
    names = [name for name in model.state_dict() if "weight" in name and not name.startswith("heads")]
    assert names == [
        "h1.weight_p1",
        "h2.weight_p1",
        "h2.weight_p2",
        "h2.weight_p3",
        "h3.weight_p1",
        "h3.weight_p2",
        "h3.weight_p3",
    ]
