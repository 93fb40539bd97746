"""The lifting head in a spec: emitted = interpreter for every option, folders, losses, training and export."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lvmc
from lvmc.assemble import Options, programs
from lvmc.ir import interpret
from lvmc.ir.lifting import Array
from lvmc.ir.ops import Confidence, KnownLoss
from lvmc.ir.ops.base import Context
from lvmc.lifting import save_basis
from lvmc.loading import resolve
from lvmc.pipeline import emitted
from lvmc.spec.train import Train

from ..data.sets import Flat
from .bases import made

PARTS = ("points2d", "points3d", "belief")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "confidence": {"weights": "confidence", "sigma": 2.0, "rotations": 7},
    "missing": {"weights": 0.7, "scale": 2.0, "window": 3},
    "paper": {"gradient": "paper", "on": {"points2d": 1, "points3d": 0.5}},
    "none": {"gradient": "none", "on": "points3d", "temperature": 0.5},
    "each": {"at": "each"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_basis(made(points=5), tmp_path / "basis.npz")
    return tmp_path


def spec_of(folder: Path, name: str = "plain", **heads: Any) -> dict[str, Any]:
    lift = {"kind": "lift", "landmarks": "joints", "basis": str(folder / "basis.npz"), **OPTIONS[name]}
    joints = {"kind": "heatmap", "channels": 5, "reads": {"h2": 1, "h1": 3}, "at": lift.get("at", "last")}
    return {
        "lvmc": 1,
        "name": "lifts",
        "inputs": {"image": {"channels": 1, "size": [12, 16]}},
        "layers": {"h1": {"channels": 4, "filter": 3}, "h2": {"channels": 4, "filter": 3, "nms": 2}},
        "heads": {"joints": joints, "pose": lift, **heads},
    }


def trembling(model: torch.nn.Module) -> torch.nn.Module:
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random, dtype=parameter.dtype))
    return model


def state_arrays(model: torch.nn.Module) -> dict[str, Array]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_emitted_is_the_interpreter(name: str, optimize: bool, folder: Path) -> None:
    """Heads and losses, at another size and for no sample too; every parameter before the lift gets a gradient."""
    spec = spec_of(folder, name)
    model = trembling(lvmc.compile(spec, optimize=optimize).double())
    for size, batch in (((12, 16), 3), ((16, 12), 2), ((12, 16), 0)):
        sized = {**spec, "inputs": {"image": {"channels": 1, "size": list(size)}}}
        image = np.random.default_rng(batch).normal(size=(batch, 1, *size))
        wanted = interpret(programs(resolve(sized)[1], Options()).forward, {"image": image} | state_arrays(model))
        out = model(torch.from_numpy(image))
        assert list(out) == ["joints", *(f"pose.{part}" for part in PARTS)]
        for key, value in wanted.items():
            assert out[key].shape == value.shape
            assert np.abs(out[key].detach().numpy() - value).max(initial=0) <= 1e-10 * (
                1 + np.abs(value).max(initial=0)
            )
    _losses(spec, model)


def _losses(spec: dict[str, Any], model: torch.nn.Module) -> None:
    image = torch.randn(2, 1, 12, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = model(image)
    targets = {
        key: torch.zeros_like(value[-1] if "at" in spec["heads"]["pose"] else value) for key, value in out.items()
    }
    targets["pose.points2d"][0, 1] = torch.nan
    targets["pose.points3d"][1, 2:] = torch.nan
    losses = model.losses(out, targets)
    given = {f"out.{key}": value.detach().numpy() for key, value in out.items()}
    given |= {f"targets.{key}": value.numpy() for key, value in targets.items()}
    program = programs(resolve(spec)[1], Options()).losses
    assert program is not None
    for key, value in interpret(program, given).items():
        assert np.isclose(losses[key].item(), value, rtol=1e-12)
    if spec["heads"]["pose"].get("gradient") == "none":
        assert not losses["pose"].requires_grad
        return
    losses["pose"].backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())
    assert any(parameter.grad.abs().max() > 0 for name, parameter in model.named_parameters() if "joints" in name)


def test_meanings_of_the_small_ops() -> None:
    now = Context(1)
    maps = np.zeros((1, 2, 2, 2))
    maps[0, 0, 1, 1] = 3.0
    assert np.allclose(Confidence().meaning([maps], now), [[1 / (1 + np.exp(-3.0)), 0.5]])
    assert np.array_equal(Confidence(0.6).meaning([maps], now), [[1.0, 0.0]])
    assert KnownLoss().meaning([np.asarray([1.0, 2.0]), np.asarray([np.nan, 5.0])], now) == 9.0
    assert KnownLoss().meaning([np.ones(2), np.full(2, np.nan)], now) == 0.0
    far, here = np.asarray([[5.0, 1.0], [7.0, 2.0], [9.0, 9.0]]), np.asarray([[0.0, 0.0], [1.0, 1.0], [np.nan, 3.0]])
    assert KnownLoss(anywhere=True).meaning([far[None], here[None]], now) == 0.125


def test_load_dump_and_the_emitted_text(folder: Path) -> None:
    """load(dump(spec)) = spec; the file imports torch and the standard library only, and carries what it uses."""
    for name in OPTIONS:
        spec = lvmc.load(spec_of(folder, name))
        assert lvmc.load(StringIO(lvmc.dump(spec))) == spec
        source = emitted(spec, Options()).source
        assert source == emitted(spec, Options()).source
        assert "numpy" not in source
        assert "class SubGradient" in source
        assert "def spread_ratio" in source
        assert ("class QuadrantPeaks" in source) == (name == "paper")


def test_the_basis_is_in_the_state_and_no_parameter(folder: Path) -> None:
    model = lvmc.compile(spec_of(folder))
    names = [name for name in model.state_dict() if name.startswith("heads.pose")]
    assert names == [f"heads.pose.{leaf}" for leaf in ("mean", "basis", "sigma", "noise", "rotations")]
    assert not [name for name, _ in model.named_parameters() if name.startswith("heads.pose")]
    before = model.heads.pose.mean.clone()
    model.reset_parameters(7)
    assert torch.equal(model.heads.pose.mean, before)


def test_a_compiled_folder_holds_its_basis(folder: Path) -> None:
    """It opens without the file that the spec named, wherever it is moved."""
    from lvmc.cli.compile import compile_spec

    (folder / "spec.yaml").write_text(lvmc.dump(lvmc.load(spec_of(folder))), encoding="utf-8")
    compile_spec(str(folder / "spec.yaml"), folder / "compiled", as_json=True)
    model = lvmc.compile(spec_of(folder))
    (folder / "basis.npz").unlink()
    shutil.move(folder / "compiled", folder / "moved")
    opened = lvmc.open(folder / "moved")
    assert torch.equal(opened.heads.pose.basis, model.heads.pose.basis)
    image = torch.randn(1, 1, 12, 16)
    assert all(torch.equal(value, opened(image)[key]) for key, value in model(image).items())


def test_export_and_compile_keep_the_meaning(folder: Path) -> None:
    """Exported programs work their tables out in every call, for any batch."""
    model = trembling(lvmc.compile(spec_of(folder, "confidence"), backend="eager").double()).eval()
    image = torch.randn(3, 1, 12, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    exported = torch.export.export(model, (image,)).module()
    for key, value in model(image).items():
        assert torch.allclose(exported(image)[key], value, atol=1e-9), key


def test_points_must_be_those_of_the_basis(folder: Path) -> None:
    spec = spec_of(folder)
    spec["heads"]["joints"]["channels"] = 6
    with pytest.raises(lvmc.SpecError, match="the basis is of 5 points, but 'joints' has 6 channels"):
        lvmc.load(spec)


def test_pictures_draw_the_head_above_what_it_reads(folder: Path) -> None:
    for view in ("energy", "unrolled"):
        lvmc.draw(spec_of(folder, "each"), folder / f"{view}.dot", view=view)
        assert "pose" in (folder / f"{view}.dot").read_text(encoding="utf-8")


def test_a_lifted_model_trains_towards_points(folder: Path) -> None:
    """Targets of data with points, NaN where they are not known."""
    from lvmc.data.batches import Batch
    from lvmc.training.targets import counts_of, targets_of

    _, graph = resolve(spec_of(folder))
    train = Train.model_validate({"data": {"kind": "figures"}, "epochs": 1})
    points = torch.rand(2, 5, 2) * 10
    visible = torch.tensor([[2, 1, 0, 2, 2]] * 2, dtype=torch.uint8)
    batch = Batch(torch.zeros(2, 1, 12, 16), torch.arange(2), torch.ones(2), points, visible)
    targets = targets_of(graph, train, batch)
    assert set(targets) == {"joints", "pose.points2d"}
    assert torch.equal(targets["pose.points2d"].isnan()[..., 0], visible == 0)
    assert counts_of(graph, train, batch)[1] == 8
    with pytest.raises(ValueError, match="nothing in the data says what head 'pose' should be"):
        targets_of(resolve(spec_of(folder, "none"))[1], train, batch)
    space = torch.rand(2, 5, 3)
    space[0, 1:, 2] = torch.nan
    solid = replace(batch, points3d=space)
    assert set(targets_of(resolve(spec_of(folder, "paper"))[1], train, solid)) == {
        "joints", "pose.points2d", "pose.points3d"
    }  # fmt: skip
    assert targets_of(resolve(spec_of(folder, "none"))[1], train, solid)["pose.points3d"] is space
    assert counts_of(resolve(spec_of(folder, "none"))[1], train, solid)[1] == 6


def test_data_without_3d_points_are_refused_where_they_are_learned(folder: Path) -> None:
    from lvmc.data.figures import FigureSet
    from lvmc.training.fit import check_fit

    save_basis(made(points=16), folder / "basis.npz")
    spec = spec_of(folder, "none")
    spec["heads"]["joints"]["channels"] = 16
    train = Train.model_validate({"data": {"kind": "figures"}, "epochs": 1})
    figures = FigureSet((16, 16), 1, seed=0, split=0, count=2, covered=0.0)
    check_fit(resolve(spec)[1], train, figures)
    with pytest.raises(ValueError, match="learns points in 3D, but the samples have none; write on: points2d"):
        check_fit(resolve(spec)[1], train, Flat(figures))
