"""Densities of one or two numbers, as curves or as maps with contours, beside what is predicted and what is true."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.data.pointvectors import points_of_vector
from lvmc.heads.density import Density as Record
from lvmc.results.figures import GREY, INK, bare, grid, pale, sheet
from lvmc.results.grids import grid_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

    from lvmc.runtime.density import Density

Floats = NDArray[np.float64]
Picture = NDArray[np.float32]

PREDICTED, TRUE = "#1f5f99", "#d62a5f"
HELD = (0.9, 0.5)
"""How much of the probability the contours hold, the outermost first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """p(y | x) of one sample at points of a grid.

    Attributes:
        axes: The points along each axis, in the head's numbers, or x and y in pixels of the picture.
        density: (n,) or (n, m), relative to the largest.
        predicted: (dims,), of a family its mean, of an energy where refinement comes to.
        in_picture: Whether y is a point in the picture.
        truth: (dims,), where it is known.
    """

    axes: tuple[Floats, ...]
    density: Floats
    predicted: Floats
    in_picture: bool
    truth: Floats | None = None


def shapes_of(
    density: Density, record: Record, given: Tensor, size: tuple[int, int] | None, truth: Tensor | None = None
) -> list[Shape]:
    """The shape of each sample of a batch; none where `grid_of` gives no grid.

    Args:
        density: As `model.densities` hands it out.
        record: Of the head.
        given: What the head gave, (batch, outputs).
        size: Height and width of the picture, if y is a point in it.
        truth: (batch, dims), if it is known.
    """
    found = grid_of(density, record, given, size)
    if found is None:
        return []
    at = density.refine(found.peaks[:, None])[0][:, 0] if density.mean is None else density.mean
    axes = [_array(axis) for axis in found.axes]
    places = {"predicted": at} | ({} if truth is None else {"truth": truth})
    if size is not None and record.dims == 2:
        axes = [(1 + axis) * (extent - 1) / 2 for axis, extent in zip(axes, size[::-1], strict=True)]
        places = {name: points_of_vector(each, size)[:, 0] for name, each in places.items()}
    rows = [{name: _array(each[row]) for name, each in places.items()} for row in range(len(given))]
    shares = found.density / found.density.flatten(1).amax(1).reshape(-1, *[1] * record.dims)
    whole = Shape(tuple(axes), np.zeros(0), np.zeros(0), size is not None and record.dims == 2)
    return [replace(whole, density=_array(share), **row) for share, row in zip(shares, rows, strict=True)]


def draw_density(name: str, shape: Shape, picture: Picture | None) -> Figure:
    """One sample of one head."""
    figure = sheet(5.2, 3.2 if len(shape.axes) == 1 else 4.6)
    axes = figure.subplots()
    _onto(axes, shape, picture)
    axes.set_title(f"p({name} | x)", fontsize=10, color=INK)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def draw_densities(shapes: Sequence[Shape], titles: Sequence[str], pictures: Sequence[Picture]) -> Figure:
    """Samples of one head, a tile each."""
    rows, columns = grid(len(shapes), 0.8)
    figure = sheet(2.8 * columns, 2.3 * rows + 0.4)
    cells: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for cell, shape, title, picture in zip(cells, shapes, titles, pictures, strict=False):
        _onto(cell, shape, picture)
        cell.set_title(title, fontsize=8, color=INK, pad=3)
    for cell in cells[len(shapes) :]:
        cell.set_visible(False)
    legend = cells[0].get_legend_handles_labels()
    figure.legend(*legend, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _onto(axes: Axes, shape: Shape, picture: Picture | None) -> None:
    if len(shape.axes) == 1:
        _curve(axes, shape)
    else:
        _map(axes, shape, picture)


def _curve(axes: Axes, shape: Shape) -> None:
    (places,) = shape.axes
    axes.fill_between(places, shape.density, color="#c9dcec", linewidth=0)
    axes.plot(places, shape.density, color=PREDICTED, linewidth=1.2)
    axes.axvline(float(shape.predicted[0]), color=PREDICTED, linewidth=1.2, label="predicted")
    if shape.truth is not None:
        axes.axvline(float(shape.truth[0]), color=TRUE, linewidth=1.2, linestyle="--", label="true")
    low, high = _reach(shape, 0)
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _map(axes: Axes, shape: Shape, picture: Picture | None) -> None:
    """The first number to the right; the second downwards in a picture, else upwards."""
    across, down = shape.axes
    step = [(axis[1] - axis[0]) / 2 for axis in shape.axes]
    frame = (across[0] - step[0], across[-1] + step[0], down[-1] + step[1], down[0] - step[1])
    heat = shape.density.T
    if shape.in_picture and picture is not None:
        axes.imshow(pale(picture), extent=frame, interpolation="nearest")
    opaque = 0.85 * np.sqrt(heat) if shape.in_picture else 1.0
    axes.imshow(heat, extent=frame, cmap="Blues", alpha=opaque, vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    levels = _levels(heat)
    axes.contour(across, down, heat, levels=levels, colors=INK, linewidths=(0.8, 1.3)[-len(levels) :], alpha=0.8)
    axes.plot([], [], color=INK, linewidth=0.9, label="holds 90 and 50 %")
    if shape.truth is not None:
        axes.plot(*shape.truth, "x", color=TRUE, markersize=8, markeredgewidth=2, label="true", zorder=5)
    axes.plot(
        *shape.predicted, "o", color=PREDICTED, markeredgecolor="white", markersize=6, label="predicted", zorder=6
    )
    if shape.in_picture:
        bare(axes)
        axes.set_aspect("equal")
        axes.set_xlim(frame[0], frame[1])
        axes.set_ylim(frame[2], frame[3])
        return
    axes.set_xlim(*_reach(shape, 0))
    axes.set_ylim(*_reach(shape, 1))
    axes.tick_params(labelsize=8, colors=GREY)


def _levels(heat: Floats) -> list[float]:
    """Heights above which lie the shares HELD of the probability, lowest first, none twice."""
    ordered = np.sort(heat.ravel())[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    return sorted({float(ordered[int(np.searchsorted(held, share))]) for share in HELD})


def _reach(shape: Shape, number: int) -> tuple[float, float]:
    """The part of an axis that holds what is drawn, with some space around."""
    axis = shape.axes[number]
    other = tuple(each for each in range(len(shape.axes)) if each != number)
    seen = axis[shape.density.max(other) > 0.01]
    marks = [each[number] for each in (shape.predicted, shape.truth) if each is not None]
    low, high = min(seen.min(), *marks), max(seen.max(), *marks)
    space = 0.06 * (high - low) or 1.0
    return float(low - space), float(high + space)


def _array(values: Tensor) -> Floats:
    return values.detach().cpu().double().numpy()
