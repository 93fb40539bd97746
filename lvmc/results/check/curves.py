"""Score and residual of a run, and moves of outer steps, as curves in SVG, in the page's own colours."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import GREY, INK, decades, growing, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lvmc.diagnostics.outer import OuterLoop
    from lvmc.diagnostics.passes.trace import Trace

Numbers = NDArray[np.float64]

MOST_POINTS = 400
LINE, BLUE, RED = "#e4e8ec", "#1f77b4", "#d62728"
THEMED = {INK: "var(--ink)", GREY: "var(--muted)", LINE: "var(--line)", BLUE: "var(--inhibit)", RED: "var(--excite)"}


@dataclass(frozen=True, slots=True)
class Slope:
    """A factor for each pass, as a line from the pass `start` on, in a style of matplotlib's."""

    text: str
    factor: float
    start: int
    style: str


def draw_curves(trace: Trace, slopes: Sequence[Slope] = ()) -> Figure:
    """The score above, the residual (the step, where there is no energy) below, by pass, with slopes."""
    scored = trace.objective is not None and np.isfinite(trace.objective).any()
    figure = sheet(7.4, 4.4 if scored else 2.6)
    panels: list[Axes] = list(
        figure.subplots(2, 1, sharex=True, height_ratios=(3, 2)) if scored else [figure.subplots()]
    )
    at = _passes(trace)
    if scored and trace.objective is not None:
        values = trace.objective.mean(1)
        _curve(panels[0], at, values, BLUE)
        growing(panels[0], values)
        panels[0].set_ylabel("score S", fontsize=9, color=INK)
    _small(panels[-1], trace, at, slopes)
    for axes in panels:
        _plain(axes)
    _counted(panels[-1], "pass")
    return figure


def draw_moves(outer: OuterLoop) -> Figure:
    """The largest move of each state by step, on a log axis; a dotted line after the last step of the spec."""
    figure = sheet(7.4, 2.6)
    axes: Axes = figure.subplots()
    _plain(axes)
    for (name, moves), colour in zip(outer.moves.items(), cycle((BLUE, RED, INK, GREY))):
        above = np.where(np.isfinite(moves) & (np.asarray(moves) > 0), moves, np.nan)
        axes.plot(np.arange(1, len(above) + 1), above, "o-", color=colour, linewidth=1.4, markersize=3, label=name)
    if any(len(moves) > outer.steps for moves in outer.moves.values()):
        axes.axvline(outer.steps + 0.5, color=GREY, linestyle=":", linewidth=1)
    decades(axes)
    axes.set_ylabel("largest move", fontsize=9, color=INK)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    _counted(axes, "step")
    return figure


def svg_of(figure: Figure, name: str) -> str:
    """The figure as an SVG element: no header, ids of its own (`name` in front), colours that follow the page.

    The same figure gives the same text.
    """
    import matplotlib

    held = StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # pyright: ignore[reportUnknownVariableType]
        figure.savefig(held, format="svg", transparent=True, metadata=nothing)
    drawn = held.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = drawn.replace("*{", f"#{name} *{{", 1)
    drawn = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", drawn)
    for colour, variable in THEMED.items():
        drawn = drawn.replace(colour, variable)
    return drawn


def _small(axes: Axes, trace: Trace, at: Numbers, slopes: Sequence[Slope]) -> None:
    """What should go to 0, on a log axis."""
    series = trace.residual if trace.residual is not None else trace.step
    if series is None:
        return
    values = series.max(1)
    at = at[len(at) - len(values) :]
    above = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    if not np.isfinite(above).any():
        return
    _curve(axes, at, above, BLUE)
    decades(axes)
    low, high = axes.get_ylim()
    for slope in slopes:
        _line(axes, at, above, slope)
    axes.set_ylim(low, high)
    axes.set_ylabel("residual" if trace.residual is not None else "step", fontsize=9, color=INK)
    if slopes:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK)


def _line(axes: Axes, at: Numbers, above: Numbers, slope: Slope) -> None:
    """A straight line on the log axis, through the curve where it starts."""
    known = np.flatnonzero(np.isfinite(above) & (at >= slope.start))
    if not known.size or not 0 < slope.factor < np.inf:
        return
    first = known[0]
    exponent = np.clip((at[first:] - at[first]) * np.log(slope.factor), -600, 600)
    colour = RED if slope.style == "--" else INK
    axes.plot(at[first:], above[first] * np.exp(exponent), slope.style, color=colour, linewidth=1.2, label=slope.text)


def _curve(axes: Axes, at: Numbers, values: Numbers, colour: str) -> None:
    known = np.isfinite(values)
    at, values = at[known], values[known]
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int))
    marker = "o" if len(kept) <= 60 else ""
    axes.plot(at[kept], values[kept], color=colour, linewidth=1.4, marker=marker, markersize=3)


def _plain(axes: Axes) -> None:
    """No frame, faint lines across."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(labelsize=8, colors=GREY)
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)


def _counted(axes: Axes, what: str) -> None:
    """Whole numbers along the bottom."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(what, fontsize=9, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _passes(trace: Trace) -> Numbers:
    """How many passes are done after each update, in parts: 0 at the start."""
    passes = np.asarray(trace.passes)
    counts = np.bincount(passes)[passes] if len(passes) else passes
    first = np.searchsorted(passes, passes)
    return np.concatenate([[0.0], passes - 1 + (np.arange(len(passes)) - first + 1) / np.maximum(counts, 1)])
