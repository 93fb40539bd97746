"""Pictures of a run: every kind of head, latents of every shape, traces with and without a score."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import lvmc
from lvmc.diagnostics.inside import GradientNorms
from lvmc.diagnostics.passes.trace import Trace
from lvmc.heads import HeadRecord
from lvmc.results import (
    draw_activations,
    draw_gradients,
    draw_head,
    draw_latent,
    draw_silenced,
    draw_trace,
    save,
    trace_rows,
)
from lvmc.results.figures import grid
from lvmc.results.latents import contact_sheet

HEADS = {
    "points": {
        "kind": "heatmap",
        "channels": 3,
        "reads": "h1",
        "points": {"names": ["a", "b", "c"], "skeleton": [[0, 1]]},
    },
    "maps": {"kind": "heatmap", "channels": 120, "reads": "h1"},
    "parts": {"kind": "segmentation", "channels": 30, "reads": "h1"},
    "scene": {"kind": "classes", "outputs": 1000, "reads": "h1"},
}


def record(name: str) -> HeadRecord:
    layers = {"h1": {"channels": 2, "filter": 3}}
    spec = {
        "lvmc": 1,
        "name": "a",
        "inputs": {"x": {"channels": 1, "size": [8, 8]}},
        "layers": layers,
        "heads": {name: HEADS[name]},
    }
    return lvmc.load(spec).heads[name]


@pytest.mark.parametrize(
    ("name", "shape"), [("points", (3, 9, 40)), ("maps", (120, 8, 8)), ("parts", (30, 8, 8)), ("scene", (1000,))]
)
@pytest.mark.parametrize("with_picture", [False, True])
def test_heads_are_drawn(tmp_path: Path, name: str, shape: tuple[int, ...], with_picture: bool) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    picture = np.full((17, 33, 3), 0.5, np.float32) if with_picture else None
    path = save(draw_head(name, record(name), values, picture), tmp_path / "a.png")
    again = save(draw_head(name, record(name), values, picture), tmp_path / "b.png")
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("shape", [(1, 1, 1), (4096, 1, 1), (7, 3, 50), (7, 50, 3), (100, 4, 4)])
@pytest.mark.parametrize("low", [0, -1])
def test_latents_are_drawn(tmp_path: Path, shape: tuple[int, ...], low: int) -> None:
    values = np.random.default_rng(0).uniform(low, 1, shape).astype(np.float32)
    assert save(draw_latent("h1", values), tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("fill", [0.0, np.nan, np.inf])
def test_latents_that_died_or_blew_up_are_drawn(tmp_path: Path, fill: float) -> None:
    save(draw_latent("h1", np.full((3, 4, 4), fill, np.float32)), tmp_path / "a.png")


@pytest.mark.parametrize(("count", "aspect"), list(product((1, 2, 5, 16, 17, 68), (0.2, 1.0, 5.0))))
def test_a_grid_has_room_for_all(count: int, aspect: float) -> None:
    rows, columns = grid(count, aspect)
    assert count <= rows * columns < count + columns


def test_a_contact_sheet_holds_every_channel_once() -> None:
    values = np.arange(5 * 3 * 4, dtype=np.float32).reshape(5, 3, 4)
    sheet = contact_sheet(values)
    assert np.array_equal(np.sort(sheet[~np.isnan(sheet)]), values.ravel())


def traced(updates: int, score: bool = True) -> Trace:
    number = np.arange(updates + 1.0)[:, None]
    layers = tuple(f"h{index % 3}" for index in range(updates))
    passes = tuple(1 + index // 3 for index in range(updates))
    energy = (number**2, number**2, np.exp(-number)) if score else (None, None, None)
    remark = "" if score else "there is no single energy"
    changed = np.arange(updates)[::-1, None] * 100
    step = np.exp(-number[1:])
    return Trace(layers, passes, *energy, step=step, remark=remark, active=changed + 1, changed=changed)


@pytest.mark.parametrize("trace", [traced(3), traced(6, score=False), traced(300), replace(traced(3), changed=None)])
def test_traces_are_drawn(tmp_path: Path, trace: Trace) -> None:
    assert save(draw_trace(trace, "net"), tmp_path / "a.png").stat().st_size > 5000


def test_trace_rows_are_start_and_updates() -> None:
    rows = trace_rows(traced(4))
    assert rows[0] == ("0", "0", "", "0", "0", "1", "", "", "")
    assert rows[4][:5] == ("4", "2", "h0", "16", "16")
    assert rows[3][7:] == ("101", "100")
    assert trace_rows(traced(3, score=False))[2][3:6] == ("", "", "")


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (9, 40, 3, 12), (2, 5, 30, 4), (3, 100, 1, 1)])
@pytest.mark.parametrize("low", [0, -1])
def test_activations_are_drawn(tmp_path: Path, shape: tuple[int, ...], low: int) -> None:
    """Whatever the passes, channels and sizes; and where a layer died or blew up."""
    values = np.random.default_rng(0).uniform(low, 1, shape).astype(np.float32)
    assert save(draw_activations("h1", values), tmp_path / "a.png").stat().st_size > 1000
    values[-1, 0] = np.nan
    save(draw_activations("h1", 0 * values), tmp_path / "b.png")


@pytest.mark.parametrize(
    ("name", "shape"), [("points", (3, 9, 40)), ("maps", (120, 8, 8)), ("parts", (30, 8, 8)), ("scene", (1000,))]
)
@pytest.mark.parametrize("with_picture", [False, True])
def test_silenced_heads_are_drawn(tmp_path: Path, name: str, shape: tuple[int, ...], with_picture: bool) -> None:
    random = np.random.default_rng(0)
    values = {words: random.normal(size=shape).astype(np.float32) for words in ("all", "some", "none")}
    picture = np.full((17, 33, 3), 0.5, np.float32) if with_picture else None
    path = save(draw_silenced(name, record(name), values, picture), tmp_path / "a.png")
    again = save(draw_silenced(name, record(name), values, picture), tmp_path / "b.png")
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("norms", [np.zeros((1, 1)), np.ones((2, 3)), np.logspace(-30, 3, 6 * 20).reshape(6, 20)])
def test_gradients_are_drawn(tmp_path: Path, norms: np.ndarray) -> None:
    """Those that vanish, too."""
    names = tuple(f"h{place}.weight" for place in range(norms.shape[1]))
    found = GradientNorms(names, norms, norms < 1, norms.sum(0), np.ones(len(names)))
    assert save(draw_gradients(found, "net", "sum"), tmp_path / "a.png").stat().st_size > 3000
