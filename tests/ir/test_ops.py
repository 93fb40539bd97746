"""The numpy meaning of ops against torch's functions, and the verifier and listing of programs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.ir import Builder, Origin, Program, TensorType, Variable, cost, interpret, listing, verify
from lvmc.ir.ops import Add, Correlate, LogisticLoss, Rectify, SoftmaxLoss, Upsample
from lvmc.ir.ops.base import Context
from lvmc.ir.types import Geometry

HERE = Origin("h", 1, "update")
NOW = Context(2)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 5), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["bilinear", "nearest"])
)
def test_upsampling_is_torchs(height: int, width: int, up: int, across: int, mode: str) -> None:
    """Any factor, also below 1."""
    x = np.random.default_rng(0).normal(size=(2, 3, height, width))
    corners = {"align_corners": False} if mode == "bilinear" else {}
    wanted = F.interpolate(torch.from_numpy(x), size=(up, across), mode=mode, **corners)
    found = Upsample(mode, (up, across), "image").meaning([x], NOW)  # type: ignore[arg-type]
    assert np.allclose(found, wanted.numpy(), atol=1e-12)


def test_fcn_upsampling_differs_at_borders_only() -> None:
    """By a factor of 2 the fixed transposed convolution is bilinear inside, and fades at the border."""
    spec = {
        "lvmc": 1,
        "name": "up",
        "inputs": {"image": {"channels": 1, "size": 8}},
        "inference": {"passes": 1},
        "layers": {"h1": {"channels": 2, "filter": 3, "stride": 2}},
    }
    head = {"kind": "segmentation", "channels": 2, "reads": "h1"}
    image = torch.randn(1, 1, 8, 8)
    outs = [
        lvmc.compile({**spec, "heads": {"map": {**head, "upsample": mode}}})(image)["map"]
        for mode in ("bilinear", "fcn")
    ]
    assert torch.allclose(outs[0][..., 1:-1, 1:-1], outs[1][..., 1:-1, 1:-1], atol=1e-6)
    assert not torch.allclose(outs[0][..., 0, :], outs[1][..., 0, :], atol=1e-6)


def test_losses_are_torchs() -> None:
    """Logistic with ignored pixels, softmax with ignored labels; stacked predictions average over passes."""
    random = np.random.default_rng(1)
    logits, maps = 30 * random.normal(size=(2, 3, 4, 5)), random.integers(-1, 2, (2, 3, 4, 5)).astype(float)
    wanted = F.binary_cross_entropy_with_logits(torch.from_numpy(logits), torch.from_numpy(maps), reduction="none")
    counted = maps >= 0
    assert np.isclose(LogisticLoss().meaning([logits, maps], NOW), wanted.numpy()[counted].mean())
    labels = random.choice([0, 1, 2, -1, 255], (2, 4, 5))
    wanted = F.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(np.where(labels == 255, -1, labels)), ignore_index=-1
    )
    assert np.isclose(SoftmaxLoss().meaning([logits, labels], NOW), float(wanted))
    stacked = np.stack([logits, logits[::-1]])
    both = np.mean([SoftmaxLoss().meaning([each, labels], NOW) for each in stacked])
    assert np.isclose(SoftmaxLoss().meaning([stacked, labels], NOW), both)


LOSSES = {
    "map": ({"kind": "heatmap", "channels": 2, "reads": "h1"}, (3, 2, 8, 8), 2),
    "near": ({"kind": "heatmap", "channels": 2, "reads": "h1", "loss": "l2", "weight": 0.5}, (3, 2, 8, 8), 2),
    "kinds": ({"kind": "segmentation", "channels": 3, "reads": "h1", "at": "each"}, (3, 8, 8), 3),
    "label": ({"kind": "classes", "outputs": 3, "reads": "h1"}, (3,), 3),
    "values": ({"kind": "vector", "outputs": 4, "reads": "h1", "loss": "l1", "at": "each"}, (3, 4), 9),
}


@pytest.mark.parametrize("name", LOSSES)
def test_emitted_losses_are_the_interpreters(name: str) -> None:
    """model.losses on targets with ignored entries, and its gradient."""
    from lvmc.assemble import Options, programs
    from lvmc.loading import resolve

    head, shape, top = LOSSES[name]
    spec = {
        "lvmc": 1,
        "name": "net",
        "inputs": {"image": {"channels": 1, "size": 8}},
        "layers": {"h1": {"channels": 4, "filter": 3}},
        "heads": {name: head},
    }
    model = lvmc.compile(spec).double()
    random = np.random.default_rng(2)
    out = model(torch.from_numpy(random.normal(size=(3, 1, 8, 8))))
    targets = random.integers(-1, top, shape)
    tensor = torch.from_numpy(targets if head["kind"] in ("segmentation", "classes") else targets.astype(float))
    loss = model.losses(out, {name: tensor})[name]
    program = programs(resolve(spec)[1], Options()).losses
    assert program is not None
    given = {f"out.{name}": out[name].detach().numpy(), f"targets.{name}": targets.astype(float)}
    assert np.isclose(float(loss.detach()), interpret(program, given)[name], rtol=1e-12)
    loss.backward()
    assert model.get_parameter("h1.weight").grad is not None


def small() -> Program:
    variables = (
        Variable("x", TensorType((2, 4, 4)), "input"),
        Variable("w", TensorType((3, 2, 3, 3), batched=False), "parameter"),
    )
    build = Builder(variables)
    up = build.add(Correlate(Geometry(padding=(1, 1))), "x", "w", name="up", origin=HERE)
    out = build.add(Rectify(), up, name="h_p1", origin=HERE)
    return Program("small", variables, (), build.equations(), (("h", out),))


def test_the_cost_of_a_convolution() -> None:
    """2·c·k² per output unit; bytes read and written in float32; input, message and layer alive at once."""
    found = cost(small())
    assert found.flops == 2 * 2 * 9 * 48
    assert found.bytes == 4 * (32 + 54 + 48 + 48 + 48)
    assert found.parameters == 54
    assert found.live == 4 * (32 + 48 + 48)


def test_the_verifier_names_the_equation() -> None:
    """Unbound, rebound, mistyped, missing outputs."""
    program = small()
    first, second = program.equations
    broken = {
        "uses up before": (second, first),
        "bound twice": (first, first),
        "its op gives": (replace(first, type=TensorType((9, 4, 4))), second),
        "takes 2 to 3": (replace(first, args=("x",)), second),
        "a filter": (replace(first, args=("x", "x")), second),
    }
    for fault, equations in broken.items():
        with pytest.raises(TypeError, match=fault):
            verify(replace(program, equations=equations))
    with pytest.raises(TypeError, match="output h"):
        verify(replace(program, outputs=(("h", "nothing"),)))


def test_hash_consing() -> None:
    """Equal equations are one value when sharing, two otherwise; the listing tells them apart."""
    for share, count in ((True, 1), (False, 2)):
        build = Builder((Variable("x", TensorType((1, 2, 2)), "input"),), share)
        names = [build.add(Add(), "x", "x", name="twice", origin=HERE) for _ in range(2)]
        assert len(set(names)) == len(build.equations()) == count
    assert "up = Correlate[padding=(1,1)](x, w)   # 3×4×4" in listing(small())
