"""How S, the residual and the active units went, update by update: a plot, and the rows of a table."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.results.figures import GREY, INK, decades, growing, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lvmc.diagnostics.passes.trace import Trace

COLUMNS = ("update", "pass", "layer", "score", "objective", "residual", "step", "active", "changed")
UP, DOWN = "#1f77b4", "#e07b00"
MOST_NAMES = 40


def trace_rows(trace: Trace) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` for the start (update 0) and every update: means over the samples, or the largest."""
    rows: list[tuple[str, ...]] = []
    for number in range(len(trace.layers) + 1):
        layer, pass_ = (trace.layers[number - 1], str(trace.passes[number - 1])) if number else ("", "0")
        means = [_text(series, number, np.mean) for series in (trace.score, trace.objective)]
        largest = [_text(trace.residual, number, np.max), _text(trace.step, number - 1, np.max) if number else ""]
        units = [_text(counts, number - 1, np.mean) if number else "" for counts in (trace.active, trace.changed)]
        rows.append((str(number), pass_, layer, *means, *largest, *units))
    return rows


def draw_trace(trace: Trace, name: str) -> Figure:
    """S after every update above, below on log axes the residual (or the step), and the units that changed sides.

    The background tells the passes.
    """
    parts = [_score, _residual, *([_sides] if trace.changed is not None else [])]
    figure = sheet(min(14.0, max(7.0, 0.24 * len(trace.layers) + 3)), 5.6 + 1.4 * (len(parts) - 2))
    panels: list[Axes] = list(figure.subplots(len(parts), 1, sharex=True, height_ratios=(3, 2, 1.6)[: len(parts)]))
    for draw, axes in zip(parts, panels, strict=True):
        draw(axes, trace)
        _passes(axes, trace, named=axes is panels[0])
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=GREY)
        axes.grid(axis="y", color="#e4e8ec", linewidth=0.7)
        axes.set_axisbelow(True)
    mean_field = " (mean-field objective)" if _mean_field(trace) else ""
    panels[0].set_title(f"{name}: score after every update{mean_field}", fontsize=10, color=INK, loc="left", pad=18)
    _names(panels[-1], trace)
    return figure


def _score(axes: Axes, trace: Trace) -> None:
    if trace.score is None or trace.objective is None:
        axes.text(0.5, 0.5, trace.remark, transform=axes.transAxes, ha="center", fontsize=9, color=GREY)
        axes.set_yticks([])
    else:
        values = trace.objective.mean(1)
        _line(axes, trace, values)
        growing(axes, values)
        axes.set_ylabel("S + entropy" if _mean_field(trace) else "S", fontsize=9, color=INK)


def _mean_field(trace: Trace) -> bool:
    """Whether there are Boltzmann units."""
    if trace.score is None or trace.objective is None:
        return False
    return not np.array_equal(trace.score, trace.objective, equal_nan=True)


def _residual(axes: Axes, trace: Trace) -> None:
    if trace.residual is not None:
        _line(axes, trace, _above_zero(trace.residual.max(1)))
        axes.set_ylabel("largest |z − update(z)|", fontsize=9, color=INK)
    elif trace.step is not None:
        _line(axes, trace, _above_zero(np.concatenate([[np.nan], trace.step.max(1)])))
        axes.set_ylabel("largest change", fontsize=9, color=INK)
    decades(axes)


def _sides(axes: Axes, trace: Trace) -> None:
    """Units that changed sides since their layer's last update."""
    from matplotlib.ticker import StrMethodFormatter

    assert trace.changed is not None
    _line(axes, trace, np.concatenate([[np.nan], trace.changed.mean(1)]))
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(bottom=-0.2)
    axes.set_ylabel("units that\nchanged sides", fontsize=9, color=INK)


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


def _text(
    series: NDArray[np.float64] | NDArray[np.int64] | None,
    number: int,
    over: Callable[[NDArray[np.float64] | NDArray[np.int64]], np.float64 | np.int64],
) -> str:
    return "" if series is None else f"{over(series[number]):.9g}"
