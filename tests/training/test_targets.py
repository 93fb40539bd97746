"""Targets and counts, compared with loops over pixels."""

from __future__ import annotations

from dataclasses import replace
from math import exp, hypot, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lvmc
from lvmc.data.sources import open_data
from lvmc.evaluation.calls import picture_input
from lvmc.graph import EnergyGraph
from lvmc.loading import resolve
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train
from lvmc.training.fit import check_batch, check_fit
from lvmc.training.targets import counts_of, targets_of

from .small import POINTS, SIZE, batch_of, spec_of, write_set

HEATMAP = {"kind": "heatmap", "channels": POINTS, "reads": "h1"}


def graph_and_train(heads: dict[str, Any], **train: Any) -> tuple[EnergyGraph, Train]:
    spec = spec_of(Path("set.npz"), heads=heads, **train)
    assert spec.train is not None
    return resolve(spec)[1], spec.train


def points_and_units() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points in, at the edge of and outside the picture; every kind of visibility."""
    random = torch.Generator().manual_seed(3)
    points = torch.rand(4, POINTS, 2, generator=random) * (SIZE + 8) - 4
    points[0, 0] = torch.tensor([3.0, 5.0])
    points[1, 1] = torch.tensor([-400.0, 3000.0])
    return points, torch.arange(12).reshape(4, 3) % 3, torch.tensor([10.0, 35.0, 2.0, 61.0])


@pytest.mark.parametrize("hidden", ["point", "background", "ignore"])
@pytest.mark.parametrize("unannotated", ["background", "ignore"])
@pytest.mark.parametrize("loss", ["logistic", "l2"])
@pytest.mark.parametrize("size", [{"radius": 0.5}, {"pixels": 2.5}])
def test_maps_are_those_of_a_loop(hidden: str, unannotated: str, loss: str, size: dict[str, float]) -> None:
    rule = {"hidden": hidden, "unannotated": unannotated, **size}
    graph, train = graph_and_train({"k": {**HEATMAP, "loss": loss}}, targets={"k": rule}, evaluate={"pck": 0.2})
    points, visible, units = points_and_units()
    batch = batch_of(points, visible, units)
    found = targets_of(graph, train, batch)["k"]
    wanted = torch.zeros(4, POINTS, SIZE, SIZE)
    for b in range(4):
        for p in range(POINTS):
            seen = ("unannotated", "hidden", "visible")[int(visible[b, p])]
            treated = {"unannotated": unannotated, "hidden": hidden, "visible": "point"}[seen]
            radius = size.get("pixels") or size["radius"] * 0.2 * float(units[b])
            for y in range(SIZE):
                for x in range(SIZE):
                    away = hypot(x - float(points[b, p, 0]), y - float(points[b, p, 1]))
                    near = exp(-0.5 * (away / radius) ** 2) if loss == "l2" else float(away <= max(radius, sqrt(0.5)))
                    wanted[b, p, y, x] = {"point": near, "background": 0.0, "ignore": -1.0}[treated]
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    assert counts_of(graph, train, batch).tolist() == [(wanted >= 0).sum()]
    assert found.permute(0, 2, 3, 1).is_contiguous()


def test_every_visible_point_in_the_picture_has_a_pixel() -> None:
    """However small the radius, and wherever between pixels the point is."""
    graph, train = graph_and_train({"k": HEATMAP}, targets={"k": {"pixels": 0.01}})
    points = torch.rand(64, POINTS, 2, generator=torch.Generator().manual_seed(0)) * (SIZE - 1)
    found = targets_of(graph, train, batch_of(points, torch.full((64, POINTS), 2), torch.ones(64)))["k"]
    assert bool((found.sum((2, 3)) >= 1).all())


def test_a_pass_each_has_the_target_of_all(tmp_path: Path) -> None:
    """The emitted loss takes one target for the stacked predictions, and is the mean over passes."""
    model = lvmc.compile(spec_of(tmp_path / "set.npz", heads={"k": {**HEATMAP, "at": "each"}}))
    graph = compiled_of(model).graph
    batch = batch_of(*points_and_units())
    targets = targets_of(graph, Train(), batch)
    out = model(torch.rand(4, 1, SIZE, SIZE))
    assert out["k"].shape[0] == 2
    each = [model.losses({"k": one}, targets)["k"] for one in out["k"]]
    torch.testing.assert_close(model.losses(out, targets)["k"], torch.stack(each).mean())


def test_vectors_are_coordinates_without_missing_points(tmp_path: Path) -> None:
    """What is missing is not a number, and does not count in the loss; a density names the sample."""
    from lvmc.data.npz import open_npz

    heads = {
        "v": {"kind": "vector", "outputs": 6, "reads": "h1"},
        "d": {"kind": "density", "model": "gaussian", "dims": 6, "reads": "h1"},
    }
    spec = spec_of(write_set(tmp_path / "set.npz"), heads=heads)
    assert spec.train is not None
    graph = resolve(spec)[1]
    points, visible, units = points_and_units()
    batch = batch_of(points, torch.full((4, POINTS), 2), units)
    found = targets_of(graph, spec.train, batch)["v"]
    torch.testing.assert_close(found[0, 0], torch.tensor(3 / 7.5 - 1))
    missing = batch_of(points, visible, units)
    partly = targets_of(graph, spec.train, missing)
    assert torch.equal(partly["v"].isnan(), (visible == 0).repeat_interleave(2, 1))
    assert counts_of(graph, spec.train, missing).tolist() == [int((visible > 0).sum()), 4]
    out = {"v": torch.rand(4, 6, requires_grad=True), "d": torch.rand(4, 12)}
    loss = lvmc.compile(spec).losses(out, partly)["v"]
    known = ~partly["v"].isnan()
    torch.testing.assert_close(loss, (out["v"] - partly["v"])[known].square().mean())
    loss.backward()
    assert out["v"].grad is not None
    assert torch.equal(out["v"].grad == 0, ~known)
    samples = open_npz(spec.train.data, picture_input(graph), None).train  # pyright: ignore[reportArgumentType]
    check_fit(graph, spec.train, samples)
    check_batch(graph, batch, samples)
    with pytest.raises(ValueError, match=r"'d'.*set\.npz.*not annotated"):
        check_batch(graph, missing, samples)


def test_values_are_the_columns_that_a_head_learns(tmp_path: Path) -> None:
    """All of them, or some in their order; points of the same file are then no target, nor need they be annotated."""
    data = {"kind": "npz", "file": "set.npz", "unit": 10.0, "values": "ages"}
    heads = {
        "two": {"kind": "vector", "outputs": 2, "reads": "h1"},
        "one": {"kind": "density", "model": "gaussian", "dims": 1, "reads": "h1"},
    }
    keys = {"augment": "none", "targets": {"one": {"values": [1]}}}
    graph, train = graph_and_train(heads, data=data, **keys)
    points, _, units = points_and_units()
    batch = replace(batch_of(points, torch.zeros(4, POINTS), units), values=torch.arange(8.0).reshape(4, 2))
    found = targets_of(graph, train, batch)
    assert torch.equal(found["two"], batch.values)
    assert found["one"].tolist() == [[1], [3], [5], [7]]
    assert counts_of(graph, train, batch).tolist() == [4, 4]
    file = write_set(tmp_path / "set.npz")
    with np.load(file) as given:
        np.savez(file, **given, ages=np.zeros((len(given["images"]), 2)))
    samples = open_data(train.data, picture_input(graph), tmp_path).train
    check_fit(graph, train, samples)
    check_batch(graph, batch, samples)


@pytest.mark.parametrize(
    ("numbers", "keys", "fault"),
    [
        ({"kind": "vector", "outputs": 3}, {}, "has 3 outputs, but learns 2 values; write outputs: 2"),
        (
            {"kind": "density", "model": "laplace", "dims": 1},
            {"v": {"values": [2]}},
            "learns value 2 of the data, which",
        ),
    ],
)
def test_values_that_the_data_have_not(numbers: dict[str, Any], keys: Any, fault: str, tmp_path: Path) -> None:
    file = write_set(tmp_path / "set.npz")
    with np.load(file) as given:
        np.savez(file, **given, ages=np.zeros((len(given["images"]), 2)))
    data = {"kind": "npz", "file": str(file), "unit": 10.0, "values": "ages"}
    graph, train = graph_and_train({"v": {"reads": "h1", **numbers}}, data=data, targets=keys)
    with pytest.raises(ValueError, match=f"'v' {fault}"):
        check_fit(graph, train, open_data(train.data, picture_input(graph)).train)


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ({"kind": "heatmap", "channels": 2, "reads": "h1"}, "has 2 channels, but the samples have 3 points; write"),
        ({"kind": "vector", "outputs": 4, "reads": "h1"}, "has 4 outputs, but x and y of 3 points are 6"),
    ],
)
def test_heads_that_do_not_fit_the_data(head: dict[str, Any], fault: str, tmp_path: Path) -> None:
    from lvmc.training import train_spec

    spec = spec_of(write_set(tmp_path / "set.npz"), heads={"wrong": head})
    with pytest.raises(ValueError, match=f"'wrong' {fault}"):
        train_spec(spec, tmp_path / "run")
    assert not (tmp_path / "run").exists()
