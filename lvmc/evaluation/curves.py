"""Curves of an evaluation: PCK over thresholds, precision over recall of visibility, and errors by step."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lvmc.evaluation.evaluation import Curve, Evaluation
from lvmc.results.figures import GREY, INK, Colour, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLES = {"": "-", "_visible": "-", "_hidden": "--"}


def draw_pck(evaluation: Evaluation, limit: float) -> Figure | None:
    """A panel a head, a colour a set; visible and hidden points apart where there are both. None without points."""
    figure, panels = _by_head(_places(evaluation.curves, "pck"))
    for head, (axes, places) in panels.items():
        for colour, place in zip(_colours(len(places)), places, strict=True):
            _pck_lines(axes, evaluation, place, colour)
        axes.axvline(limit, color=GREY, linewidth=0.8, linestyle=":")
        axes.annotate(f"{limit:g}", (limit, 0.02), (3, 0), textcoords="offset points", fontsize=8, color=GREY)
        _frame(axes, f"{head}: share of points within a threshold", "threshold, in units of error", "PCK")
        axes.set_xlim(0, 2 * limit)
        axes.legend(fontsize=8, frameon=False, loc="best")
    return figure


def draw_precision_recall(evaluation: Evaluation) -> Figure | None:
    """Left visible points found by a high confidence, right hidden ones by a low one; dotted: by chance."""
    kinds = {kind: _places(evaluation.curves, f"precision_recall_{kind}") for kind in ("visible", "hidden")}
    if not any(kinds.values()):
        return None
    figure = sheet(9.4, 4.0)
    panels: list[Axes] = figure.subplots(1, 2).ravel().tolist()
    for axes, (kind, places) in zip(panels, kinds.items(), strict=True):
        for colour, place in zip(_colours(len(places)), places, strict=True):
            curve = evaluation.curves[f"{place}/precision_recall_{kind}"]
            label = f"{place}, AP {evaluation.figures[f'{place}/{kind}_ap']:.3f}"
            axes.plot((0, *curve.x), (curve.y[0], *curve.y), color=colour, linewidth=1.8, label=label)
            axes.axhline(curve.y[-1], color=colour, linewidth=0.9, linestyle=":")
        side = "at least" if kind == "visible" else "at most"
        _frame(axes, f"{kind} points: confidence {side} a threshold", "recall", "precision")
        axes.set_xlim(0, 1)
        axes.legend(fontsize=8, frameon=False, loc="best")
    return figure


def draw_steps(evaluation: Evaluation) -> Figure | None:
    """NME after each step of outer feedback: a panel a head, a colour a set; beyond the dotted line none is trained."""
    figure, panels = _by_head(_places(evaluation.curves, "nme_by_step"))
    for head, (axes, places) in panels.items():
        for colour, place in zip(_colours(len(places)), places, strict=True):
            curve = evaluation.curves[f"{place}/nme_by_step"]
            axes.plot(curve.x, curve.y, "o-", color=colour, linewidth=1.8, markersize=4, label=place.split("/")[0])
        axes.axvline(evaluation.counts[f"{places[0]}/steps"], color=GREY, linewidth=0.8, linestyle=":")
        _frame(axes, f"{head}: error after each step", "step", "NME")
        axes.set_ylim(0, 1.08 * max(max(evaluation.curves[f"{place}/nme_by_step"].y) for place in places))
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize=8, frameon=False, loc="best")
    return figure


def _by_head(places: Sequence[str]) -> tuple[Figure | None, dict[str, tuple[Axes, list[str]]]]:
    """A figure with a panel for each head of these places "<set>/<head>", beside the places; None without any."""
    heads = list(dict.fromkeys(place.split("/")[1] for place in places))
    if not heads:
        return None, {}
    figure = sheet(5.2 * len(heads), 4.0)
    panels: list[Axes] = figure.subplots(1, len(heads), squeeze=False).ravel().tolist()
    shown = ([place for place in places if place.split("/")[1] == head] for head in heads)
    return figure, dict(zip(heads, zip(panels, shown, strict=True), strict=True))


def _pck_lines(axes: Axes, evaluation: Evaluation, place: str, colour: Colour) -> None:
    apart = all(f"{place}/pck{suffix}" in evaluation.curves for suffix in ("_visible", "_hidden"))
    for suffix in ("_visible", "_hidden") if apart else ("",):
        curve = evaluation.curves[f"{place}/pck{suffix}"]
        share = evaluation.figures[f"{place}/pck{suffix}"]
        label = f"{place.split('/', maxsplit=1)[0]}{suffix.replace('_', ', ')}: {100 * share:.1f} %"
        axes.plot(curve.x, curve.y, color=colour, linewidth=1.8, linestyle=STYLES[suffix], label=label)


def _places(curves: Mapping[str, Curve], name: str) -> Sequence[str]:
    return [place.removesuffix(f"/{name}") for place in curves if place.endswith(f"/{name}")]


def _colours(count: int) -> list[Colour]:
    from matplotlib import colormaps

    return [colormaps["tab10"](index % 10) for index in range(count)]


def _frame(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.set_ylim(0, 1.02)
    axes.grid(color="#e4e8ec", linewidth=0.7)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
