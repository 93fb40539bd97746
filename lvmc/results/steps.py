"""How the steps of outer feedback went: points on their way, maps as the last step leaves them, and rows of a table."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.heads.heatmap import Points
from lvmc.results.figures import INK, sheet
from lvmc.results.heatmaps import draw_heatmaps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]

COLUMNS = ("step", "state", "mean_move", "largest_move")


def draw_state(name: str, values: Numbers, picture: Numbers | None) -> Figure:
    """A figure of a state: where points went step by step, or a map after the last step.

    Args:
        name: The state.
        values: At the start and after each step, (1 + steps, points, 2) or (1 + steps, channels, H, W).
        picture: The input as colours (h, w, 3), if there is one to draw on.
    """
    if values.ndim == 3:
        return _draw_paths(name, values, picture)
    ground = np.ones((*values.shape[2:], 3), np.float32) if picture is None else picture
    return draw_heatmaps(f"{name} after step {len(values) - 1}", Points(), values[-1], ground)


def step_rows(states: Mapping[str, Numbers]) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` a step and state: how far its points (of a map, its numbers) moved."""
    rows: list[tuple[str, ...]] = []
    for name, values in states.items():
        for step, moved in enumerate(moves(values), 1):
            rows.append((str(step), name, f"{moved.mean():.6g}", f"{moved.max():.6g}"))
    return sorted(rows, key=lambda row: int(row[0]))


def moves(values: Numbers) -> Numbers:
    """How far each point, or each number of a map, moved in each step: (steps, …)."""
    moved = np.diff(values, axis=0)
    return np.linalg.norm(moved, axis=-1) if values.ndim == 3 else np.abs(moved)


def _draw_paths(name: str, values: Numbers, picture: Numbers | None) -> Figure:
    figure = sheet(5.4, 5.4)
    axes = figure.subplots()
    if picture is not None:
        axes.imshow(picture, alpha=0.6)
    for x, y in values.transpose(1, 2, 0):
        axes.plot(x, y, "-", color="#1f77b4", linewidth=1, marker=".", markersize=3)
    axes.plot(*values[0].T, "o", color="none", markeredgecolor="#e07b00", markersize=5, label="start")
    axes.plot(*values[-1].T, "o", color="#1f77b4", markersize=5, label=f"after step {len(values) - 1}")
    for number, (x, y) in enumerate(values[-1].tolist()):
        axes.annotate(str(number), (x, y), fontsize=7, color=INK, xytext=(3, 3), textcoords="offset points")
    axes.set_aspect("equal")
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    axes.set_title(f"{name}, step by step", fontsize=10, color=INK)
    return figure
