"""Panels side by side, in the colours of variants, which colour-blind readers tell apart."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.results.figures import GREY, INK, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#5b3a8c", "#444444")
"""After Okabe & Ito, their yellow darkened to be seen on white."""

STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def look(number: int) -> tuple[str, str, str]:
    """Colour, line style and marker of a series: the style changes when colours begin again."""
    again, colour = divmod(number, len(COLOURS))
    return COLOURS[colour], STYLES[again % len(STYLES)], MARKERS[(colour + again) % len(MARKERS)]


def panels(titles: tuple[str, ...], *, share: bool) -> tuple[Figure, list[Axes]]:
    """A row of panels (two rows from five on), with one scale of values if they share it."""
    rows = 1 if len(titles) < 5 else 2
    columns = -(-len(titles) // rows)
    figure = sheet(max(4.4, 3.7 * columns), 3.4 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=share)
    every: list[Axes] = list(grid.ravel())
    for axes, title in zip(every, titles, strict=False):
        axes.set_title(title, fontsize=10, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(labelsize=8, colors=GREY)
        axes.grid(axis="y", color="#e4e8ec", linewidth=0.7)
        axes.set_axisbelow(True)
    for axes in every[len(titles) :]:
        axes.set_visible(False)
    return figure, every[: len(titles)]


def empty(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.grid(visible=False)
    axes.tick_params(left=False, labelleft=False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color=GREY, wrap=True)
