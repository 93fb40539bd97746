"""Curves of evaluations by threshold (Fig. 6 form): a panel a curve, a line a variant, a band over its seeds."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.evaluation.evaluation import Evaluation
from lvmc.evaluation.folder import EVALUATION
from lvmc.results.figures import INK
from lvmc.study.kept import Result
from lvmc.study.panels import empty, look, panels
from lvmc.study.record import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
Series = Mapping[str, tuple[Numbers, Numbers]]
"""By curve: x (points,), and y (seeds, points)."""


def draw_curves(plot: Curve, variants: Sequence[str], results: Sequence[Result]) -> Figure:
    """The mean over seeds of each curve, within a band of one s.d. to both sides."""
    figure, every = panels(tuple(plot.curves.values()), share=True)
    series = {name: series_of(plot, [each for each in results if each.run.variant == name]) for name in variants}
    for axes, curve in zip(every, plot.curves, strict=True):
        known = [(number, name) for number, name in enumerate(variants) if curve in series[name]]
        for number, name in known:
            _line(axes, number, name, *series[name][curve])
        if not known:
            empty(axes, f"no run has the curve\n{curve}")
        axes.set_xlabel(plot.label, fontsize=9, color=INK)
        axes.margins(x=0)
        axes.locator_params(axis="x", nbins=5)
    every[0].set_ylim(bottom=0)
    every[0].set_ylabel("share of points within it" if _is_pck(plot) else "value", fontsize=9, color=INK)
    legend = {label: handle for axes in every for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if legend:
        handles, labels = list(legend.values()), list(legend)
        figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False, labelcolor=INK)
    return figure


def series_of(plot: Curve, results: Sequence[Result]) -> Series:
    """The curves of a variant's runs over the thresholds of its first run."""
    found: dict[str, list[tuple[Numbers, Numbers]]] = {}
    for each in results:
        file = each.folder / EVALUATION
        curves = Evaluation.from_json(file.read_text(encoding="utf-8")).curves if file.is_file() else {}
        for name in plot.curves:
            if name in curves:
                found.setdefault(name, []).append((np.array(curves[name].x), np.array(curves[name].y)))
    return {name: _on_first(several) for name, several in found.items()}


def _on_first(several: Sequence[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    at = several[0][0]
    return at, np.stack([np.interp(at, x, y) for x, y in several])


def _line(axes: Axes, number: int, name: str, x: Numbers, y: Numbers) -> None:
    colour, style, _ = look(number)
    mean = y.mean(0)
    axes.plot(x, mean, style, color=colour, linewidth=1.6, label=f"{name} (n = {len(y)})")
    if len(y) > 1:
        deviation = y.std(0, ddof=1)
        axes.fill_between(x, mean - deviation, mean + deviation, color=colour, alpha=0.18, linewidth=0)


def _is_pck(plot: Curve) -> bool:
    return all("/pck" in name for name in plot.curves)
