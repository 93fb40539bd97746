"""Keypoint heatmaps: the highest pixel of each map on the input, and every map over the input."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.heads.heatmap import Points
from lvmc.results.figures import GREY, Colour, bare, extent, grid, pale, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Numbers = NDArray[np.float32]

MOST_MAPS = 100


def draw_heatmaps(name: str, points: Points, values: Numbers, ground: Numbers) -> Figure:
    """Left the input with the peak of each map, right every map over the input."""
    shown = values[:MOST_MAPS]
    aspect = ground.shape[0] / ground.shape[1]
    rows, columns = grid(len(shown), aspect)
    right = max(5.0, 0.95 * columns)
    height = rows * (right / columns * aspect + 0.19)
    left = min(7.0, max(4.5, 0.9 * height / aspect))
    figure = sheet(left + right, max(left * aspect + 0.65, height))
    halves: list[SubFigure] = figure.subfigures(1, 2, squeeze=False, width_ratios=(left, right)).ravel().tolist()
    _peaks(halves[0].subplots(), name, points, shown, ground)
    cells: list[Axes] = halves[1].subplots(rows, columns, squeeze=False).ravel().tolist()
    for cell, index in zip(cells, range(len(shown)), strict=False):
        _overlay(cell, shown[index], ground, points.names[index] if points.names else str(index))
    for cell in cells[len(shown) :]:
        cell.set_visible(False)
    return figure


def _overlay(axes: Axes, logits: Numbers, ground: Numbers, title: str) -> None:
    """One map, in its own range, over the input in pale grey."""
    low, high = float(logits.min()), float(logits.max())
    heat = (logits - low) / ((high - low) or 1.0)
    bare(axes, title, 6.0)
    axes.imshow(pale(ground), extent=extent(logits), interpolation="nearest")
    axes.imshow(heat, cmap="inferno", alpha=0.85 * heat, vmin=0, vmax=1, interpolation="nearest")


def _peaks(axes: Axes, name: str, points: Points, maps: Numbers, ground: Numbers) -> None:
    """The highest pixel of each map; filled where its probability is above one half."""
    from matplotlib import colormaps

    count, height, width = maps.shape
    highest = maps.reshape(count, -1).argmax(1)
    y, x = np.divmod(highest, width)
    sure = maps.reshape(count, -1).max(1) > 0
    colours: list[Colour] = [colormaps["turbo"](0.05 + 0.9 * index / count) for index in range(count)]
    axes.imshow(pale(ground), extent=extent(maps[0]), interpolation="nearest")
    for first, second in points.skeleton or ():
        if not (sure[first] and sure[second]):
            continue
        axes.plot(x[[first, second]], y[[first, second]], color="white", linewidth=1.5, alpha=0.8)
    faces: list[Colour | str] = [colour if filled else "none" for colour, filled in zip(colours, sure, strict=True)]
    axes.scatter(x, y, s=30, c=faces, edgecolors=colours, linewidths=1.3, zorder=3)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_anchor("N")
    bare(axes, f"{name}: highest pixel of each of {count} maps", 10)
    probability = 1 / (1 + np.exp(-float(maps.max())))
    axes.set_xlabel(
        f"filled: probability > ½ ({int(sure.sum())} of {count}); highest {probability:.2f}", fontsize=8, color=GREY
    )
