"""A sheet of matplotlib without its global state, and how it reaches a file."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Colour = tuple[float, float, float, float]

INK, GREY = "#24303c", "#6b7785"


def sheet(width: float, height: float) -> Figure:
    """An empty figure of so many inches, drawn by Agg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Write the figure as PNG; the same figure gives the same bytes."""
    figure.savefig(path, dpi=dpi, metadata={"Software": None})
    return path


def grid(count: int, aspect: float = 1.0) -> tuple[int, int]:
    """Rows and columns for so many tiles, about square with few left empty; `aspect` is a tile's height / width."""
    square = max(1, ceil(sqrt(count * aspect)))
    columns = min(range(square, max(square + 1, square * 3 // 2)), key=lambda each: (-count % each, each))
    return ceil(count / columns), columns


def bare(axes: Axes, title: str = "", size: float = 8.0) -> Axes:
    """Axes for an image: no ticks, a thin frame, a small title."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#c5ccd3")
        spine.set_linewidth(0.6)
    axes.set_title(title, fontsize=size, color=INK, pad=3)
    return axes


def pale(ground: NDArray[np.float32]) -> NDArray[np.float32]:
    """The input in grey, faded, so that colours on it stand out."""
    grey = ground.mean(2, keepdims=True)
    return np.broadcast_to(0.35 + 0.6 * grey, ground.shape)


def extent(values: NDArray[np.generic]) -> tuple[float, float, float, float]:
    """The pixel frame of a map, so that an input of another size lies under it."""
    return (-0.5, values.shape[-1] - 0.5, values.shape[-2] - 0.5, -0.5)


def growing(axes: Axes, values: NDArray[np.float64]) -> None:
    """A scale on which a score that grows a thousandfold is still seen to grow at first."""
    from matplotlib.ticker import StrMethodFormatter, SymmetricalLogLocator

    positive = values[values > 0]
    if positive.size and np.isfinite(positive).all() and positive.max() > 1000 * positive.min():
        linear = 10.0 ** np.ceil(np.log10(positive.min()))
        decades_up = float(np.log10(positive.max() / linear))
        axes.set_yscale("symlog", linthresh=linear, linscale=max(1.0, decades_up / 10))
        locator = SymmetricalLogLocator(base=10, linthresh=linear)
        locator.numticks = 7
        axes.yaxis.set_major_locator(locator)
        if values.min() >= 0:
            axes.set_ylim(bottom=0)
    else:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def decades(axes: Axes) -> None:
    """A log axis with plain numbers: 1, 2 and 5 of each decade where there are few decades."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = high < 1000 * low
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
