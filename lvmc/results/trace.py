"""How S and the residual went, update by update: a plot, and the rows of a table."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import GREY, INK, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lvmc.diagnostics.trace import Trace

COLUMNS = ("update", "pass", "layer", "score", "objective", "residual", "step")
UP, DOWN = "#1f77b4", "#e07b00"
MOST_NAMES = 40


def trace_rows(trace: Trace) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` for the start (update 0) and every update: means over the samples, or the largest."""
    rows: list[tuple[str, ...]] = []
    for number in range(len(trace.layers) + 1):
        layer, pass_ = (trace.layers[number - 1], str(trace.passes[number - 1])) if number else ("", "0")
        means = [_text(series, number, np.mean) for series in (trace.score, trace.objective)]
        largest = [_text(trace.residual, number, np.max), _text(trace.step, number - 1, np.max) if number else ""]
        rows.append((str(number), pass_, layer, *means, *largest))
    return rows


def draw_trace(trace: Trace, name: str) -> Figure:
    """S after every update above, the residual (and the step) below on a log axis; the background tells the passes."""
    figure = sheet(min(14.0, max(7.0, 0.24 * len(trace.layers) + 3)), 5.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _score(upper, trace, name)
    _residual(lower, trace)
    for axes in (upper, lower):
        _passes(axes, trace, named=axes is upper)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=GREY)
        axes.grid(axis="y", color="#e4e8ec", linewidth=0.7)
        axes.set_axisbelow(True)
    _names(lower, trace)
    return figure


def _score(axes: Axes, trace: Trace, name: str) -> None:
    title = f"{name}: score after every update"
    if trace.score is None or trace.objective is None:
        axes.text(0.5, 0.5, trace.remark, transform=axes.transAxes, ha="center", fontsize=9, color=GREY)
        axes.set_yticks([])
    else:
        mean_field = not np.array_equal(trace.score, trace.objective, equal_nan=True)
        values = trace.objective.mean(1)
        _line(axes, trace, values)
        _growing(axes, values)
        axes.set_ylabel("S + entropy" if mean_field else "S", fontsize=9, color=INK)
        title += " (mean-field objective)" if mean_field else ""
    axes.set_title(title, fontsize=10, color=INK, loc="left", pad=18)


def _residual(axes: Axes, trace: Trace) -> None:
    if trace.residual is not None:
        _line(axes, trace, _above_zero(trace.residual.max(1)))
        axes.set_ylabel("largest |z − update(z)|", fontsize=9, color=INK)
    elif trace.step is not None:
        _line(axes, trace, _above_zero(np.concatenate([[np.nan], trace.step.max(1)])))
        axes.set_ylabel("largest change", fontsize=9, color=INK)
    _decades(axes)


def _growing(axes: Axes, values: NDArray[np.float64]) -> None:
    """A scale on which a score that grows a thousandfold is still seen to grow at first."""
    from matplotlib.ticker import StrMethodFormatter

    positive = values[values > 0]
    if positive.size and np.isfinite(positive).all() and positive.max() > 1000 * positive.min():
        axes.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(positive.min())))
    else:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _decades(axes: Axes) -> None:
    """A log axis with plain numbers: 1, 2 and 5 of each decade where there are few decades."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = high < 1000 * low
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _line(axes: Axes, trace: Trace, values: NDArray[np.float64]) -> None:
    """The series, each stretch in its pass's colour."""
    numbers = np.arange(len(values))
    for first, last, pass_ in _stretches(trace):
        part = slice(first - 1, last + 1)
        axes.plot(numbers[part], values[part], color=_colour(pass_), linewidth=1.4, solid_capstyle="round")
        axes.plot(numbers[first : last + 1], values[first : last + 1], "o", color=_colour(pass_), markersize=3.2)
    axes.plot(0, values[0], "o", color=GREY, markersize=3.2)


def _passes(axes: Axes, trace: Trace, named: bool) -> None:
    stretches = _stretches(trace)
    for first, last, pass_ in stretches:
        axes.axvspan(first - 0.5, last + 0.5, color=_colour(pass_), alpha=0.07, linewidth=0)
        if named and len(stretches) <= 12:
            text = f"pass {pass_} {'↑' if pass_ % 2 else '↓'}" if len(stretches) <= 6 else str(pass_)
            axes.annotate(text, ((first + last) / 2, 1), (0, 3), xycoords=("data", "axes fraction"), fontsize=8,
                          textcoords="offset points", ha="center", color=_colour(pass_))  # fmt: skip


def _names(axes: Axes, trace: Trace) -> None:
    count = len(trace.layers)
    axes.set_xlim(-0.5, count + 0.5)
    if count <= MOST_NAMES:
        axes.set_xticks(
            range(count + 1), ["start", *trace.layers], rotation=60, ha="right", rotation_mode="anchor", fontsize=7
        )
    else:
        axes.set_xlabel(f"update, of {count}", fontsize=9, color=INK)


def _stretches(trace: Trace) -> list[tuple[int, int, int]]:
    """First and last update of each pass, with the pass."""
    numbered = list(enumerate(trace.passes, start=1))
    runs = [(pass_, [number for number, _ in run]) for pass_, run in groupby(numbered, itemgetter(1))]
    return [(numbers[0], numbers[-1], pass_) for pass_, numbers in runs]


def _colour(pass_: int) -> str:
    return UP if pass_ % 2 else DOWN


def _above_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Zeros as gaps: a log axis has no place for them."""
    return np.where(values > 0, values, np.nan)


def _text(series: NDArray[np.float64] | None, number: int, over: Callable[[NDArray[np.float64]], np.float64]) -> str:
    return "" if series is None else f"{over(series[number]):.9g}"
