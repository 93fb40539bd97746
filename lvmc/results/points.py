"""Points by number: over the picture, or in space as seen from ahead and from the side."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import INK, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]


def draw_points(name: str, values: Numbers, picture: Numbers | None) -> Figure:
    """A figure of points: (points, 2) as x, y in pixels of the picture, or (points, 3) as right, down, depth."""
    if values.shape[1] == 2:
        figure = sheet(4.6, 4.6)
        axes = figure.subplots()
        if picture is not None:
            axes.imshow(picture, alpha=0.6)
        _scatter(axes, values, name)
        return figure
    figure = sheet(8.4, 4.6)
    ahead, aside = figure.subplots(1, 2)
    _scatter(ahead, values[:, :2], f"{name}, as in the picture")
    _scatter(aside, values[:, [2, 1]], "from the side: depth to the right")
    return figure


def _scatter(axes: Axes, places: Numbers, title: str) -> None:
    axes.scatter(places[:, 0], places[:, 1], s=14, color="#1f77b4")
    for number, (x, y) in enumerate(places.tolist()):
        axes.annotate(str(number), (x, y), fontsize=7, color=INK, xytext=(2, 2), textcoords="offset points")
    axes.set_aspect("equal")
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.set_title(title, fontsize=10, color=INK)
