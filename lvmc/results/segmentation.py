"""Classes of pixels: the input, the likeliest class of each pixel, and both."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import Colour, bare, extent, pale, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float32]


def draw_segmentation(name: str, labels: Sequence[str], values: Numbers, ground: Numbers) -> Figure:
    """A figure of a segmentation head.

    Args:
        name: The head.
        labels: Names of the classes.
        values: Logits (classes, H, W).
        ground: The input as colours (h, w, 3).
    """
    from matplotlib.patches import Patch

    classes, palette = values.argmax(0), palette_of(len(labels))
    height = max(2.4, 3.2 * ground.shape[0] / ground.shape[1] + 0.4)
    figure = sheet(11.0, height)
    panels = figure.subplots(1, 3)
    bare(panels[0], "input", 10).imshow(ground, interpolation="nearest")
    paint(bare(panels[1], f"{name}: likeliest class", 10), classes, palette, 1.0)
    bare(panels[2], "both", 10).imshow(pale(ground), extent=extent(classes), interpolation="nearest")
    paint(panels[2], classes, palette, 0.55)
    shares = [float((classes == index).mean()) for index in range(len(labels))]
    entries = zip(palette, labels, shares, strict=True)
    patches = [Patch(color=colour, label=f"{label}  {share:.0%}") for colour, label, share in entries]
    columns = ceil(len(labels) * 0.2 / (height - 0.2))
    place = "outside right center"
    figure.legend(handles=patches, loc=place, ncols=columns, columnspacing=1.0, fontsize=8, frameon=False)
    return figure


def palette_of(count: int) -> list[Colour]:
    """A colour a class: of the ten or twenty made to be told apart, as far as they reach."""
    from matplotlib import colormaps

    name, steps = ("tab10", 10) if count <= 10 else ("tab20", 20) if count <= 20 else ("turbo", count)
    return [colormaps[name](index / (steps - 1)) for index in range(count)]


def paint(axes: Axes, classes: NDArray[np.intp], palette: list[Colour], alpha: float = 1.0) -> None:
    """Each pixel in the colour of its class."""
    from matplotlib.colors import ListedColormap

    last = len(palette) - 0.5
    axes.imshow(classes, cmap=ListedColormap(palette), vmin=-0.5, vmax=last, alpha=alpha, interpolation="nearest")
