"""Figures by variant, or by a number of their specs (Table 4 form): means, s.d. bars, and single seeds as dots."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lvmc.records import number as is_number
from lvmc.records import shown
from lvmc.results.figures import INK
from lvmc.study.kept import Result
from lvmc.study.panels import empty, look, panels
from lvmc.study.record import ByVariant
from lvmc.study.statistics import moments
from lvmc.study.summary import Summary, values_of
from lvmc.values import at, keyed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Places:
    """Where variants stand on the axis, the words below, and which variants are joined, by the label of the line."""

    x: Mapping[str, float]
    ticks: Mapping[float, str]
    lines: Mapping[str, Sequence[str]]


def draw_variants(plot: ByVariant, variants: Sequence[str], results: Sequence[Result], summary: Summary) -> Figure:
    """A panel a figure: each variant's seeds as dots, beside their mean with a bar of one s.d. to both sides."""
    titles = {name: summary.titles.get(name, name) for name in plot.figures or summary.titles}
    known = [name for name in variants if any(each.run.variant == name for each in results)]
    places = places_of(plot, known, results)
    figure, every = panels(tuple(titles.values()), share=False)
    for axes, name in zip(every, titles, strict=True):
        _panel(axes, name, places, results)
        axes.set_xticks(list(places.ticks), list(places.ticks.values()))
        if max(map(len, places.ticks.values()), default=0) * len(places.ticks) > 40:
            axes.tick_params(axis="x", labelrotation=40)
        axes.set_xlabel(plot.label or _last(plot.by) or "", fontsize=9, color=INK)
        axes.set_xlim(min(places.ticks, default=0) - 0.5, max(places.ticks, default=0) + 0.5)
    if len(places.lines) > 1:
        handles, labels = every[0].get_legend_handles_labels()
        title = _last(plot.lines)
        figure.legend(
            handles, labels, title=title, loc="outside right upper", fontsize=8, title_fontsize=8, frameon=False
        )
    return figure


def places_of(plot: ByVariant, variants: Sequence[str], results: Sequence[Result]) -> Places:
    """Numbers stand at their value, all else in order."""
    specs = {each.run.variant: each.run.spec.model_dump(mode="python", by_alias=True) for each in results}
    values: dict[str, Any] = {name: _value(specs[name], plot.by) if plot.by else name for name in variants}
    lines: dict[str, list[str]] = {}
    for name in variants:
        lines.setdefault(_word(_value(specs[name], plot.lines)) if plot.lines else "", []).append(name)
    if plot.by and values and all(is_number(value) for value in values.values()):
        x = {name: float(value) for name, value in values.items()}
        return Places(x, {each: f"{each:g}" for each in sorted(set(x.values()))}, lines)
    words = list(dict.fromkeys(_word(value) for value in values.values()))
    x = {name: float(words.index(_word(value))) for name, value in values.items()}
    return Places(x, {float(number): word for number, word in enumerate(words)}, lines)


def _panel(axes: Axes, figure: str, places: Places, results: Sequence[Result]) -> None:
    """One figure: lines stand side by side at each place, and the seeds of one at the left of its mean."""
    beside = 0.12 * min(np.diff(sorted(places.ticks)), default=1.0)
    known = {label: _seeds(names, places, figure, results) for label, names in places.lines.items()}
    if not any(known.values()):
        empty(axes, f"no run has the figure\n{figure}")
    for number, (label, found) in enumerate(known.items()):
        away = beside * 2.2 * (number - (len(known) - 1) / 2)
        if found:
            _series(axes, number, label, [(x + away, values) for x, values in found], places, beside)


def _seeds(
    names: Sequence[str], places: Places, figure: str, results: Sequence[Result]
) -> list[tuple[float, dict[int, float]]]:
    """Place, and values by seed, of the variants of a line."""
    ordered = sorted(names, key=places.x.__getitem__)
    found = [(places.x[name], values_of(results, name, figure)) for name in ordered]
    return [(x, values) for x, values in found if values]


def _series(
    axes: Axes, number: int, label: str, known: list[tuple[float, dict[int, float]]], places: Places, beside: float
) -> None:
    """Seeds as dots, each joined to itself where there is one line only; means with bars."""
    colour, style, marker = look(number)
    for seed in dict.fromkeys(seed for _, values in known for seed in values):
        points = [(x - beside, values[seed]) for x, values in known if seed in values]
        joined = "-" if len(places.lines) == 1 else "none"
        axes.plot(*zip(*points, strict=True), linestyle=joined, marker=marker, color=colour, alpha=0.4, linewidth=0.5,
                  markersize=3.5, mew=0)  # fmt: skip
    found = [moments([*values.values()]) for _, values in known]
    axes.errorbar(
        [x for x, _ in known],
        [each.mean for each in found],
        [0.0 if each.n < 2 else each.deviation for each in found],
        label=label or None,
        color=colour,
        linestyle=style if _joined(places) else "none",
        linewidth=1.4,
        marker=marker,
        markersize=5.5,
        capsize=3.5,
    )


def _joined(places: Places) -> bool:
    """Whether a line through means says something: where they stand at numbers, or several lines are told apart."""
    return len(places.lines) > 1 or list(places.ticks.values()) == [f"{each:g}" for each in places.ticks]


def _value(spec: Mapping[str, Any], path: str) -> Any:
    return at(dict(spec), tuple(int(step) if step.isdecimal() else step for step in path.split(".")))


def _word(value: Any) -> str:
    entries = keyed(value)
    word = (entries or {}).get("kind", value)
    return word if isinstance(word, str) else shown(word)


def _last(path: str | None) -> str | None:
    return path.rpartition(".")[2] if path else None
