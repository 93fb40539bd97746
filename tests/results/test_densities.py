"""Densities as pictures: their places, what contours hold, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from PIL import Image

import lvmc
from lvmc.results import run_model, write_results
from lvmc.results.densities import Shape, draw_densities, draw_density, shapes_of
from lvmc.runtime.module import compiled_of

POINT = {"kind": "npz", "file": "none.npz", "unit": 5.0}
VALUES = {"kind": "npz", "file": "none.npz", "values": "ages"}


def net(head: dict[str, Any], data: dict[str, Any] | None = None) -> Any:
    spec = {
        "lvmc": 1,
        "name": "net",
        "inputs": {"image": {"channels": 1, "size": [12, 20]}},
        "layers": {"h1": {"channels": 3, "filter": 3, "init": {"bias": {"normal": 0.5}}}},
        "heads": {"y": {"kind": "density", "reads": "h1", **head}},
    }
    return lvmc.compile(spec | ({"train": {"data": data, "augment": "none"}} if data else {}), seed=2)


def known(places: list[list[float]], deviation: float, size: tuple[int, int] | None) -> list[Shape]:
    """Shapes of independent Gaussians."""
    model = net({"model": "gaussian", "dims": len(places[0])})
    centre = torch.tensor(places)
    given = torch.cat([centre, torch.full_like(centre, 2 * float(np.log(deviation)))], 1)
    record: Any = compiled_of(model).graph.heads[0].record
    return shapes_of(model.densities({"y": given})["y"], record, given, size, centre + 0.1)


def test_a_point_has_its_place_in_the_picture() -> None:
    """−1 … 1 are the outermost pixels' centres, x across."""
    (shape,) = known([[0.5, -0.25]], 0.1, (13, 21))
    assert shape.in_picture
    assert shape.density.shape == (21, 13)
    assert np.allclose([axis[[0, -1]] for axis in shape.axes], [[0, 20], [0, 12]])
    assert np.allclose(shape.predicted, [15, 4.5])
    assert np.allclose(shape.truth, [16, 5.1], atol=1e-5)
    assert abs(int(shape.density.max(1).argmax()) - 15) == 0


def test_numbers_have_their_own_axes() -> None:
    first, second = known([[2.0], [5.0]], 0.5, None)
    for shape, centre in ((first, 2.0), (second, 5.0)):
        assert shape.axes[0][shape.density.argmax()] == pytest.approx(centre, abs=0.03)
        assert shape.density.max() == pytest.approx(1)
        assert shape.predicted[0] == pytest.approx(centre)


def test_contours_hold_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a round Gaussian, the circles of radius √(−2 log(1 − share)) deviations."""
    (shape,) = known([[0.0, 0.0]], 0.7, None)
    drawn: list[Any] = []
    contour = Axes.contour
    monkeypatch.setattr(
        Axes, "contour", lambda self, *given, **keys: drawn.append(keys) or contour(self, *given, **keys)
    )
    draw_density("y", shape, None)
    wanted = [np.exp(-0.5 * (-2 * np.log(1 - share))) for share in (0.9, 0.5)]
    assert np.allclose(drawn[0]["levels"], wanted, rtol=0.05)


@pytest.mark.parametrize(("head", "data", "axes"), [
    ({"dims": 2, "sigmas": [0.3]}, POINT, (20, 12)),
    ({"dims": 1, "sigmas": [0.3], "range": [0, 9]}, VALUES, (401,)),
    ({"dims": 2, "sigmas": [0.3], "range": [0, 9], "at": "each"}, None, (101, 101)),
    ({"dims": 1, "model": "softmax", "bins": 5, "range": [0, 1]}, VALUES, (401,)),
    ({"dims": 2, "sigmas": [0.3]}, None, None),
    ({"dims": 4, "sigmas": [0.3]}, POINT, None),
])  # fmt: skip
def test_a_run_draws_densities_where_it_is_known_where_they_lie(
    head: dict[str, Any], data: dict[str, Any] | None, axes: tuple[int, ...] | None, tmp_path: Path
) -> None:
    """Of others it draws what the head gives, as bars."""
    pixels = np.random.default_rng(1).integers(0, 256, (12, 20)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    ran = run_model(net(head, data), [tmp_path / "picture.png"], {})
    found = ran.densities.get("y")
    assert (None if found is None else tuple(len(axis) for axis in found.axes)) == axes
    (tmp_path / "out").mkdir()
    write_results(ran, tmp_path / "out")
    assert (tmp_path / "out" / "heads" / "y.png").exists()
    if found is not None:
        assert found.density.max() == pytest.approx(1)
        figure = draw_densities([found, found], ["a", "b"], [ran.picture, ran.picture])
        assert [each.get_title() for each in figure.axes[:2]] == ["a", "b"]
