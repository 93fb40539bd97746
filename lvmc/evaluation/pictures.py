"""Samples as pictures: true and predicted skeletons, heatmaps, and masks over the image."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import HIDDEN, UNCOUNTED, Sample
from lvmc.evaluation.shown import Said, Shown
from lvmc.results.figures import GREY, INK, Colour, bare, grid, pale, sheet
from lvmc.results.segmentation import paint, palette_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Numbers = NDArray[np.float32]

WIDTH = 3.3
"""Inches of a panel."""

MOST = 5
"""Panels in a row."""

KEYS = 4
"""Classes in a row of a legend."""


def draw_sample(shown: Shown, title: str) -> Figure:
    """The picture, then for each head what is true and what it says: points and heatmaps, or masks."""
    panels = 1 + sum(_panels(shown.sample, said) for said in shown.heads)
    rows = ceil(panels / MOST)
    columns = ceil(panels / rows)
    aspect = shown.picture.shape[0] / shown.picture.shape[1]
    classes = max((len(said.names) for said in shown.heads if said.classes is not None), default=0)
    below = 0.45 + 0.17 * (max(classes - 1, 0) // KEYS)
    figure = sheet(WIDTH * columns, rows * (WIDTH * aspect + below) + 0.3)
    figure.suptitle(title, fontsize=9, color=GREY)
    cells: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    bare(cells[0], _caption(shown), 10).imshow(shown.picture, interpolation="nearest")
    free = iter(cells[1:])
    for said in shown.heads:
        _draw_head(free, shown, said)
    for cell in free:
        cell.set_visible(False)
    for cell in cells:
        cell.set_anchor("N")
    return figure


def _draw_head(free: Iterator[Axes], shown: Shown, said: Said) -> None:
    if said.points is not None:
        _skeletons(next(free), shown, said, legend=True)
    if said.heat is not None:
        _heatmaps(next(free), shown.picture, said)
    if said.classes is not None:
        if shown.sample.mask is not None:
            _mask(next(free), shown.picture, shown.sample.mask, said.names, f"{said.head}: true", legend=False)
        _mask(next(free), shown.picture, said.classes, said.names, f"{said.head}: predicted", legend=True)


def draw_overview(shown: Sequence[Shown], titles: Sequence[str]) -> Figure:
    """Many samples, a tile each: what the first head with points (else with classes of pixels) says."""
    aspect = shown[0].picture.shape[0] / shown[0].picture.shape[1]
    rows, columns = grid(len(shown), aspect)
    figure = sheet(2.6 * columns, rows * (2.6 * aspect + 0.3) + 0.3)
    cells: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for cell, each, title in zip(cells, shown, titles, strict=False):
        said = min(each.heads, key=_interest, default=None)
        if said is None or (said.points is None and said.classes is None):
            bare(cell).imshow(each.picture, interpolation="nearest")
        elif said.points is not None:
            _skeletons(cell, each, said, legend=False)
        elif said.classes is not None:
            _mask(cell, each.picture, said.classes, said.names, "", legend=False)
        cell.set_title(title, fontsize=8, color=INK, pad=3)
    for cell in cells[len(shown) :]:
        cell.set_visible(False)
    if any(said.points is not None for said in shown[0].heads):
        figure.legend(handles=_key(shown[0].sample), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _interest(said: Said) -> int:
    return 0 if said.points is not None else 1 if said.classes is not None else 2


def _panels(sample: Sample, said: Said) -> int:
    masks = 0 if said.classes is None else 1 + (sample.mask is not None)
    return (said.points is not None) + (said.heat is not None) + masks


def _caption(shown: Shown) -> str:
    labels = [f"{said.head}: {said.names[said.label]}" for said in shown.heads if said.label is not None]
    values = [
        f"{said.head}: {', '.join(f'{each:.3g}' for each in said.numbers)}"
        for said in shown.heads
        if said.numbers is not None
    ]
    return "; ".join(["input", *labels, *values])


def _joint_colours(count: int) -> list[Colour]:
    from matplotlib import colormaps

    return [colormaps["turbo"](0.06 + 0.88 * index / max(count - 1, 1)) for index in range(count)]


def _skeletons(axes: Axes, shown: Shown, said: Said, *, legend: bool) -> None:
    """Hollow what is true (squares: hidden), filled what is predicted, a thin line from one to the other."""
    assert said.points is not None
    height, width = shown.picture.shape[:2]
    bare(axes, f"{said.head}: true and predicted", 10).imshow(pale(shown.picture), interpolation="nearest")
    colours = _joint_colours(len(said.points))
    known = np.zeros(len(said.points), np.uint8)
    true = shown.sample.points
    if true is not None and shown.sample.visible is not None and len(true) == len(said.points):
        known = shown.sample.visible
        _limbs(axes, true, [pair for pair in said.limbs if known[list(pair)].all()], "white", 2.6)
        _limbs(axes, true, [pair for pair in said.limbs if known[list(pair)].all()], INK, 1.0)
        for joint in np.flatnonzero(known):
            ends = np.stack([true[joint], said.points[joint]])
            axes.plot(ends[:, 0], ends[:, 1], color=colours[joint], linewidth=0.8, alpha=0.7, zorder=3)
            marker = "s" if known[joint] == HIDDEN else "o"
            axes.scatter(
                *true[joint], s=50, marker=marker, facecolors="none", edgecolors="white", linewidths=2.6, zorder=4
            )
            axes.scatter(
                *true[joint],
                s=50,
                marker=marker,
                facecolors="none",
                edgecolors=[colours[joint]],
                linewidths=1.6,
                zorder=5,
            )
    _limbs(axes, said.points, list(said.limbs), "#d62a5f", 1.4)
    axes.scatter(said.points[:, 0], said.points[:, 1], s=20, c=colours, edgecolors="white", linewidths=0.7, zorder=6)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    if legend:
        axes.legend(
            handles=_key(shown.sample), loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, fontsize=8,
            frameon=False, handletextpad=0.3, columnspacing=1.0,
        )  # fmt: skip


def _limbs(axes: Axes, points: Numbers, limbs: Sequence[tuple[int, int]], colour: str, width: float) -> None:
    for first, second in limbs:
        ends = points[[first, second]]
        axes.plot(ends[:, 0], ends[:, 1], color=colour, linewidth=width, alpha=0.75, solid_capstyle="round", zorder=2)


def _key(sample: Sample) -> list[Line2D]:
    """What the marks mean."""
    from matplotlib.lines import Line2D

    def mark(marker: str, face: str, label: str) -> Line2D:
        return Line2D(
            [], [], linestyle="", marker=marker, color=INK, markerfacecolor=face, markersize=6, label=label
        )  # fmt: skip

    predicted = mark("o", INK, "predicted")
    if sample.points is None:
        return [predicted]
    return [mark("o", "none", "true"), mark("s", "none", "true, hidden"), predicted]


def _heatmaps(axes: Axes, picture: Numbers, said: Said) -> None:
    """Every map in the colour of its point, the more opaque the likelier, each in its own range."""
    assert said.heat is not None
    colours = np.array(_joint_colours(len(said.heat)), np.float32)[:, :3]
    largest = float(said.heat.max())
    least, most = said.heat.min((1, 2), keepdims=True), said.heat.max((1, 2), keepdims=True)
    share = ((said.heat - least) / np.maximum(most - least, 1e-12)) ** 2
    total = np.maximum(share.sum(0), 1e-12)
    mixed = np.einsum("phw,pc->hwc", share, colours) / total[..., None]
    opaque = np.concatenate([mixed, 0.9 * share.max(0)[..., None]], 2)
    bare(axes, f"{said.head}: heatmaps", 10).imshow(pale(picture), interpolation="nearest")
    axes.imshow(np.clip(opaque, 0, 1), interpolation="nearest")
    axes.set_xlabel(f"each in its own range; highest probability {largest:.2f}", fontsize=8, color=GREY)


def _mask(
    axes: Axes, picture: Numbers, classes: NDArray[np.uint8], names: Sequence[str], title: str, *, legend: bool
) -> None:
    """Each pixel in the colour of its class over the picture; none on background and where nothing counts."""
    from matplotlib.patches import Patch

    palette = palette_of(max(len(names), 2))
    bare(axes, title, 10).imshow(pale(picture), interpolation="nearest")
    plain = [UNCOUNTED, *(number for number, name in enumerate(names) if name == "background")]
    painted = np.ma.masked_where(np.isin(classes, plain), classes.astype(np.intp))
    paint(axes, painted, palette, 0.65)
    if legend:
        entries = [pair for pair in zip(palette, names, strict=False) if pair[1] != "background"]
        patches = [Patch(color=colour, label=name) for colour, name in entries]
        axes.legend(
            handles=patches, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=min(KEYS, len(names)), fontsize=8,
            frameon=False, handlelength=1.0, handletextpad=0.4, columnspacing=1.0,
        )  # fmt: skip
