"""What a head says, as a picture: maps or points over the input, or bars."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.heads import HeadRecord
from lvmc.heads.heatmap import Heatmap, Points
from lvmc.heads.segmentation import Segmentation
from lvmc.results.figures import INK, sheet
from lvmc.results.heatmaps import draw_heatmaps
from lvmc.results.points import draw_points
from lvmc.results.segmentation import draw_segmentation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]

MOST_BARS = 60


def draw_head(name: str, record: HeadRecord, values: Numbers, picture: Numbers | None) -> Figure:
    """A figure of one head's output for one sample.

    Args:
        name: The head.
        record: Its section of the spec.
        values: (channels, H, W) for maps, (points, 2 or 3) for points, (outputs,) otherwise.
        picture: The input as colours (h, w, 3), if there is one to draw on.
    """
    if values.ndim == 1:
        return _bars(name, values)
    if values.ndim == 2:
        return draw_points(name, values, picture)
    ground = np.ones((*values.shape[1:], 3), np.float32) if picture is None else picture
    if isinstance(record, Segmentation):
        return draw_segmentation(name, record.classes or tuple(map(str, range(len(values)))), values, ground)
    points = record.points if isinstance(record, Heatmap) else None
    return draw_heatmaps(name, points or Points(), values, ground)


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
