"""A layer's latents as a contact sheet: one tile a channel, all on one scale."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import GREY, INK, bare, grid, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]

MOST_CHANNELS = 64


def draw_latent(name: str, values: Numbers, about: str = "after its last update") -> Figure:
    """A figure of one layer of one sample.

    Args:
        name: The layer.
        values: z (channels, H, W).
        about: Which state it is, for the title.
    """
    single = values.shape[1:] == (1, 1)
    tiled = _square(values[:, 0, 0]) if single else contact_sheet(values[:MOST_CHANNELS])
    signed = bool((values < 0).any())
    bound = bound_of(np.abs(values))
    figure = sheet(7.6, 6.7 * tiled.shape[0] / tiled.shape[1] + 0.5)
    axes = bare(figure.subplots())
    axes.set_anchor("N")
    low = -bound if signed else 0.0
    image = axes.imshow(tiled, cmap="RdBu_r" if signed else "magma", vmin=low, vmax=bound, interpolation="nearest")
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02, extend="both" if signed else "max")
    bar.ax.tick_params(labelsize=7, colors=GREY)
    bar.outline.set_visible(False)
    axes.set_title(f"{name} {about}: {_caption(values, single)}", fontsize=9, color=INK, loc="left")
    return figure


def contact_sheet(values: Numbers) -> Numbers:
    """Channels (C, H, W) as one plane of tiles, a line of nothing between them."""
    count, height, width = values.shape
    rows, columns = grid(count, height / width)
    line = max(1, round(0.03 * max(height, width)))
    plane = np.full((rows * (height + line) - line, columns * (width + line) - line), np.nan, np.float32)
    for index in range(count):
        top, left = (index // columns) * (height + line), (index % columns) * (width + line)
        plane[top : top + height, left : left + width] = values[index]
    return plane


def bound_of(sizes: Numbers) -> float:
    """The end of the colour scale: a few strong units do not darken all others."""
    active = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.quantile(active, 0.995)) if active.size else 1.0


def _square(values: Numbers) -> Numbers:
    """Units (C,) row by row in a plane about twice as wide as high."""
    rows, columns = grid(len(values), 0.5)
    return np.concatenate([values, np.full(rows * columns - len(values), np.nan, np.float32)]).reshape(rows, columns)


def _caption(values: Numbers, single: bool) -> str:
    channels, height, width = values.shape
    active = float((values != 0).mean())
    first = "" if single or channels <= MOST_CHANNELS else f"first {MOST_CHANNELS} of "
    return f"{first}{channels} channel{'' if channels == 1 else 's'} of {height}×{width}, {active:.0%} of units nonzero"
