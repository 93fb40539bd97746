"""What a head says, as a picture: heatmaps over the input, classes of pixels, or bars."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.heads import HeadRecord
from lvmc.heads.heatmap import Heatmap, Points
from lvmc.heads.segmentation import Segmentation
from lvmc.results.figures import GREY, INK, bare, grid, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]

MOST_MAPS, MOST_BARS = 100, 60


def draw_head(name: str, record: HeadRecord, values: Numbers, picture: Numbers | None) -> Figure:
    """A figure of one head's output for one sample.

    Args:
        name: The head.
        record: Its section of the spec.
        values: (channels, H, W) for maps, (outputs,) otherwise.
        picture: The input as colours (H, W, 3), if there is one to draw on.
    """
    if values.ndim == 1:
        return _bars(name, values)
    ground = np.ones((*values.shape[1:], 3), np.float32) if picture is None else picture
    if isinstance(record, Segmentation):
        return _segmentation(name, record, values, ground)
    return _heatmaps(name, (record.points if isinstance(record, Heatmap) else None) or Points(), values, ground)


def _heatmaps(name: str, points: Points, values: Numbers, ground: Numbers) -> Figure:
    """Left the input with the peak of each map, right every map over the input."""
    shown = values[:MOST_MAPS]
    aspect = ground.shape[0] / ground.shape[1]
    rows, columns = grid(len(shown), aspect)
    right = max(5.0, 0.95 * columns)
    height = rows * (right / columns * aspect + 0.19)
    left = min(7.0, max(4.5, 0.9 * height / aspect))
    figure = sheet(left + right, max(left * aspect + 0.65, height))
    halves = figure.subfigures(1, 2, width_ratios=(left, right))
    _peaks(halves[0].subplots(), name, points, shown, ground)
    cells = np.asarray(halves[1].subplots(rows, columns, squeeze=False)).ravel()
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
    axes.imshow(_pale(ground), extent=_extent(logits), interpolation="nearest")
    axes.imshow(heat, cmap="inferno", alpha=0.85 * heat, vmin=0, vmax=1, interpolation="nearest")


def _peaks(axes: Axes, name: str, points: Points, maps: Numbers, ground: Numbers) -> None:
    """The highest pixel of each map; filled where its probability is above one half."""
    from matplotlib import colormaps

    count, height, width = maps.shape
    highest = maps.reshape(count, -1).argmax(1)
    y, x = np.divmod(highest, width)
    sure = maps.reshape(count, -1).max(1) > 0
    colours = colormaps["turbo"](np.linspace(0.05, 0.95, count))
    axes.imshow(_pale(ground), extent=_extent(maps[0]), interpolation="nearest")
    for first, second in points.skeleton or ():
        if not (sure[first] and sure[second]):
            continue
        axes.plot(x[[first, second]], y[[first, second]], color="white", linewidth=1.5, alpha=0.8)
    faces = np.where(sure[:, None], colours, (1.0, 1.0, 1.0, 0.0))
    axes.scatter(x, y, s=30, c=faces, edgecolors=colours, linewidths=1.3, zorder=3)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_anchor("N")
    bare(axes, f"{name}: highest pixel of each of {count} maps", 10)
    probability = 1 / (1 + np.exp(-float(maps.max())))
    axes.set_xlabel(f"filled: probability > ½ ({int(sure.sum())} of {count}); highest {probability:.2f}", fontsize=8, color=GREY)


def _segmentation(name: str, record: Segmentation, values: Numbers, ground: Numbers) -> Figure:
    """The input, the likeliest class of each pixel, and both."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    count = len(values)
    palette = [colormaps["tab10" if count <= 10 else "tab20" if count <= 20 else "turbo"](index / max(1, _steps(count) - 1))
               for index in range(count)]  # fmt: skip
    classes = values.argmax(0)
    aspect = ground.shape[0] / ground.shape[1]
    height = max(2.4, 3.2 * aspect + 0.4)
    figure = sheet(11.0, height)
    panels = figure.subplots(1, 3)
    looks = dict(cmap=ListedColormap(palette), vmin=-0.5, vmax=count - 0.5, interpolation="nearest")
    bare(panels[0], "input", 10).imshow(ground, interpolation="nearest")
    bare(panels[1], f"{name}: likeliest class", 10).imshow(classes, **looks)
    bare(panels[2], "both", 10).imshow(_pale(ground), extent=_extent(classes), interpolation="nearest")
    panels[2].imshow(classes, alpha=0.55, **looks)
    labels = record.classes or tuple(map(str, range(count)))
    shares = [float((classes == index).mean()) for index in range(count)]
    patches = [Patch(color=palette[i], label=f"{labels[i]}  {shares[i]:.0%}") for i in range(count)]
    figure.legend(handles=patches, columnspacing=1.0, loc="outside right center", fontsize=8, frameon=False, ncols=ceil(count * 0.2 / (height - 0.2)))
    return figure


def _steps(count: int) -> int:
    return 10 if count <= 10 else 20 if count <= 20 else count


def _bars(name: str, values: Numbers) -> Figure:
    """A bar a number, the largest dark."""
    shown = values[:MOST_BARS]
    figure = sheet(min(12.0, max(4.5, 0.28 * len(shown) + 1.5)), 3.2)
    axes = figure.subplots()
    colours = ["#1f77b4" if value == shown.max() else "#a9c7e0" for value in shown]
    axes.bar(range(len(shown)), shown, color=colours)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(0, len(shown), max(1, len(shown) // 20)))
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    more = f", first {len(shown)} of {len(values)}" if len(shown) < len(values) else ""
    axes.set_title(f"{name}{more}", fontsize=10, color=INK)
    return figure


def _pale(ground: Numbers) -> Numbers:
    """The input in grey, faded, so that colours on it stand out."""
    grey = ground.mean(2, keepdims=True)
    return np.broadcast_to(0.35 + 0.6 * grey, ground.shape)


def _extent(values: NDArray[np.generic]) -> tuple[float, float, float, float]:
    """The pixel frame of a map, so that an input of another size lies under it."""
    return (-0.5, values.shape[-1] - 0.5, values.shape[-2] - 0.5, -0.5)
