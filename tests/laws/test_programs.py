"""Law 7: QP1 is a plain CNN; QP2 with a head on the top layer only is QP1, the same program."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import assume, given, settings

import lvmc
from lvmc.assemble import Options, programs
from lvmc.ir import listing
from lvmc.ir.ops import Adjoint
from lvmc.loading import resolve

from .specs import specs


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(specs(energy=True))
def test_a_top_head_needs_one_pass(spec: dict[str, Any]) -> None:
    """fc7 is not revisited: no message comes down for a head on the top layer, whatever k = 2 could do."""
    names = list(spec["layers"])
    top = spec["layers"][names[-1]]
    chain = all(
        "from" not in layer or layer["from"] in names[: names.index(name)][-1:]
        for name, layer in spec["layers"].items()
    )
    assume(chain and "lateral" not in top)
    spec["heads"] = {"read": {"kind": "vector", "outputs": 2, "reads": names[-1], "pool": "mean"}}
    _, graph = resolve(spec)
    one, two = (programs(graph, Options(passes=passes)).forward for passes in (1, 2))
    assert not any(isinstance(equation.op, Adjoint) for equation in one.equations)
    assert listing(one).replace("pass 1", "") == listing(two).replace("pass 1", "")


def test_qp1_is_a_plain_cnn() -> None:
    """conv, ReLU, conv, max-pool, ReLU, written by hand."""
    spec = {
        "lvmc": 1,
        "name": "plain",
        "inputs": {"image": {"channels": 3, "size": 16}},
        "inference": {"passes": 1},
        "layers": {
            "a": {"channels": 8, "filter": 3},
            "b": {"channels": 8, "filter": 3, "nms": 2},
            "c": {"channels": 4, "filter": 3},
        },
        "heads": {"logits": {"kind": "classes", "outputs": 5, "reads": "c"}},
    }
    model = lvmc.compile(spec)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 3, padding=1),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 5, 8),
        torch.nn.Flatten(),
    )
    for (_, ours), theirs in zip(model.state_dict().items(), net.parameters(), strict=True):
        theirs.data.copy_(ours)
    image = torch.randn(2, 3, 16, 16)
    assert torch.allclose(model(image)["logits"], net(image), atol=1e-6)


def test_passes_cost_what_they_compute() -> None:
    """A dead pass costs nothing: k = 2 with a head on every layer but the lowest drops the message to it."""
    _, graph = resolve("qp_faces")
    made = programs(graph, Options())
    roles = [equation.origin.layer for equation in made.forward.equations if equation.origin.role == "top"]
    assert sorted(set(roles)) == ["h1", "h2", "h3", "h4"]
    assert np.unique(roles).size == len(roles)
