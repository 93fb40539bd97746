"""Pictures of a run's inside: layers by pass, heads with messages silenced, gradients by pass and filter."""

# matplotlib's stubs leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.inside import GradientNorms
from lvmc.heads import HeadRecord
from lvmc.heads.segmentation import Segmentation
from lvmc.results.figures import GREY, INK, bare, pale, sheet
from lvmc.results.latents import bound_of
from lvmc.results.segmentation import paint, palette_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Numbers = NDArray[np.float32]

MOST_CHANNELS, MOST_PASSES, MOST_UNITS, MOST_MAPS, MOST_BARS = 8, 6, 48, 3, 24
BOTH, BOTTOM, TOP = "all messages", "top-down silenced", "bottom-up silenced"
COLOURS = {BOTH: "#1f77b4", BOTTOM: "#e07b00", TOP: "#6a4c93"}


def draw_activations(name: str, values: Numbers) -> Figure:
    """The strongest channels of a layer after each pass, a row a pass, and last the mean over all channels.

    Args:
        name: The layer.
        values: z after each pass (passes, C, H, W), of one sample.
    """
    passes = _spread(len(values), MOST_PASSES)
    if values.shape[2:] == (1, 1):
        return _draw_units(name, values[:, :, 0, 0])
    strength = np.abs(np.nan_to_num(values)).mean((0, 2, 3))
    channels = sorted(np.argsort(-strength, kind="stable")[:MOST_CHANNELS].tolist())
    rows = [np.concatenate([values[number, channels], values[number].mean(0)[None]]) for number in passes]
    tiled, across, down = _tiled(np.stack(rows))
    signed, columns = bool((values < 0).any()), len(channels) + 1
    width = min(12.5, max(5.0, 1.35 * columns))
    figure = sheet(width, max(1.8, (width - 1.8) * tiled.shape[0] / tiled.shape[1] + 0.9))
    axes = figure.subplots()
    image = _plane(axes, tiled, bound_of(np.abs(values[:, channels])), signed, "")
    axes.spines[:].set_visible(False)
    axes.set_xticks(across, [*(f"channel {channel}" for channel in channels), "mean of all"], fontsize=7)
    axes.set_yticks(down, [_pass(number) for number in passes], fontsize=8)
    axes.tick_params(length=0, colors=INK, labeltop=True, labelbottom=False)
    _bar(figure, image, axes, signed)
    count = values.shape[1]
    chosen = (
        f"the strongest {len(channels)} of {count} channels" if count > len(channels) else _counted(count, "channel")
    )
    axes.set_title(f"{name} after each pass: {chosen}", fontsize=10, color=INK, loc="left", pad=8)
    return figure


def _tiled(planes: Numbers) -> tuple[Numbers, list[float], list[float]]:
    """Planes (rows, columns, H, W) as one plane, lines of nothing between them; the middles across and down."""
    rows, columns, height, width = planes.shape
    line = max(1, round(0.06 * max(height, width)))
    tall, wide = height + line, width + line
    sheet_of = np.full((rows * tall - line, columns * wide - line), np.nan, np.float32)
    for row, column in np.ndindex(rows, columns):
        sheet_of[row * tall : row * tall + height, column * wide : column * wide + width] = planes[row, column]
    across = [column * wide + (width - 1) / 2 for column in range(columns)]
    return sheet_of, across, [row * tall + (height - 1) / 2 for row in range(rows)]


def draw_silenced(name: str, record: HeadRecord, values: Mapping[str, Numbers], picture: Numbers | None) -> Figure:
    """A head's output side by side, with messages silenced in what it reads.

    Args:
        name: The head.
        record: Its section of the spec.
        values: Output by what was heard: (channels, H, W) for maps, (outputs,) or (points, coordinates) otherwise.
        picture: The input as colours (h, w, 3), if there is one to draw on.
    """
    first = next(iter(values.values()))
    if first.ndim < 3:
        return _draw_bars(name, {heard: each.ravel() for heard, each in values.items()})
    ground = np.ones((*first.shape[1:], 3), np.float32) if picture is None else picture
    if isinstance(record, Segmentation):
        return _draw_classes(name, record.classes or tuple(map(str, range(len(first)))), values, ground)
    return _draw_maps(name, values, ground)


def draw_gradients(norms: GradientNorms, name: str, loss: str) -> Figure:
    """The norm of the gradient of each filter by pass, and of the whole; a dot where a pass does not use it."""
    from matplotlib.colors import LogNorm

    table = np.vstack([np.where(norms.used & (norms.norms > 0), norms.norms, np.nan), _above_zero(norms.total)])
    rows, columns = table.shape
    figure = sheet(max(5.2, 0.62 * columns + 2.6), max(2.6, 0.42 * rows + 1.9))
    axes = figure.subplots()
    known = table[np.isfinite(table)]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 1.0)
    low = min(low, high / 10)
    image = axes.imshow(table, cmap="viridis", norm=LogNorm(low, high), aspect="auto", interpolation="nearest")
    middle = (low * high) ** 0.5
    for row, column in np.ndindex(rows, columns):
        value = float(table[row, column])
        nothing = "0" if row == rows - 1 or norms.used[row, column] else "·"
        text = f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e") if value > 0 else nothing
        colour = ("black" if value > middle else "white") if value > 0 else GREY
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    axes.axhline(rows - 1.5, color="white", linewidth=4)
    axes.set_xticks(range(columns), norms.filters, rotation=50, ha="right", rotation_mode="anchor", fontsize=7)
    axes.set_yticks(range(rows), [*map(_pass, range(rows - 1)), "sum"], fontsize=8)
    axes.tick_params(length=0, colors=INK)
    axes.set_xlabel("·: the filter is not used in this pass for what is read", fontsize=7, color=GREY, loc="left")
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, pad=0.02, fraction=0.04)
    bar.set_label("‖gradient of the filter‖", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, colors=GREY)
    axes.set_title(f"{name}: where gradients come from (loss: {loss})", fontsize=10, color=INK, loc="left")
    return figure


def _draw_units(name: str, values: Numbers) -> Figure:
    """A layer of single units: a row a pass, a column a unit."""
    strength = np.abs(np.nan_to_num(values)).mean(0)
    units = sorted(np.argsort(-strength, kind="stable")[:MOST_UNITS].tolist())
    signed, shown = bool((values < 0).any()), values[:, units]
    figure = sheet(max(5.0, 0.17 * len(units) + 1.6), max(1.8, 0.3 * len(values) + 1.2))
    axes = figure.subplots()
    image = _plane(axes, shown, bound_of(np.abs(shown)), signed, "")
    axes.set_aspect("auto")
    axes.set_yticks(range(len(values)), map(_pass, range(len(values))), fontsize=8)
    axes.set_xlabel("unit", fontsize=8, color=INK)
    axes.set_xticks(range(0, len(units), max(1, len(units) // 12)), units[:: max(1, len(units) // 12)], fontsize=7)
    _bar(figure, image, axes, signed)
    count = values.shape[1]
    chosen = f"the strongest {len(units)} of {count} units" if count > len(units) else _counted(count, "unit")
    axes.set_title(f"{name} after each pass: {chosen}", fontsize=10, color=INK, loc="left")
    return figure


def _draw_classes(name: str, labels: Sequence[str], values: Mapping[str, Numbers], ground: Numbers) -> Figure:
    from matplotlib.patches import Patch

    palette = palette_of(len(labels))
    figure = sheet(2.9 * (len(values) + 1) + 1.5, max(2.2, 2.9 * ground.shape[0] / ground.shape[1] + 0.7))
    panels: list[Axes] = list(figure.subplots(1, len(values) + 1))
    bare(panels[0], "input", 9).imshow(ground, interpolation="nearest")
    for axes, (heard, logits) in zip(panels[1:], values.items(), strict=True):
        paint(bare(axes, heard, 9), logits.argmax(0), palette)
    seen = sorted({int(index) for logits in values.values() for index in np.unique(logits.argmax(0))})
    patches = [Patch(color=palette[index], label=labels[index]) for index in seen[:20]]
    figure.legend(handles=patches, loc="outside right center", fontsize=8, frameon=False)
    figure.suptitle(f"{name}: likeliest class", fontsize=10, color=INK, x=0.01, ha="left")
    return figure


def _draw_maps(name: str, values: Mapping[str, Numbers], ground: Numbers) -> Figure:
    """The maps with the largest peaks, a row each, on one scale."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    peaks = next(iter(values.values())).max((1, 2))
    maps = sorted(np.argsort(-peaks, kind="stable")[:MOST_MAPS].tolist())
    columns, aspect = len(values) + 1, ground.shape[0] / ground.shape[1]
    figure = sheet(2.3 * columns + 1.1, len(maps) * (2.3 * aspect + 0.1) + 0.9)
    axes: NDArray[np.object_] = figure.subplots(len(maps), columns, squeeze=False)
    for row, index in enumerate(maps):
        low = min(float(each[index].min()) for each in values.values())
        high = max(float(each[index].max()) for each in values.values())
        bare(axes[row, 0], "" if row else "input", 9).imshow(pale(ground), interpolation="nearest")
        axes[row, 0].set_ylabel(f"map {index}", fontsize=8, color=INK)
        norm = Normalize(low, max(high, low + 1e-12))
        for cell, (heard, each) in zip(axes[row, 1:], values.items(), strict=True):
            bare(cell, "" if row else heard, 9)
            cell.imshow(each[index], cmap="inferno", norm=norm, interpolation="nearest")
        bar = figure.colorbar(ScalarMappable(norm, "inferno"), ax=axes[row, :], fraction=0.03, pad=0.01)
        bar.ax.tick_params(labelsize=7, colors=GREY)
        bar.outline.set_visible(False)
    figure.suptitle(f"{name}: values before any squashing", fontsize=10, color=INK, x=0.01, ha="left")
    return figure


def _draw_bars(name: str, values: Mapping[str, Numbers]) -> Figure:
    """A group of bars for each output, those that are largest by size."""
    first = next(iter(values.values()))
    shown = sorted(np.argsort(-np.abs(first), kind="stable")[:MOST_BARS].tolist())
    figure = sheet(max(5.5, 0.42 * len(shown) + 1.5), 3.2)
    axes, width = figure.subplots(), 0.8 / len(values)
    for place, (heard, each) in enumerate(values.items()):
        at = np.arange(len(shown)) + (place - (len(values) - 1) / 2) * width
        axes.bar(at, each[shown], width, label=heard, color=COLOURS.get(heard, GREY))
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(len(shown)), [str(index) for index in shown], fontsize=7)
    axes.set_xlabel("output", fontsize=8, color=INK)
    axes.tick_params(labelsize=7, colors=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(values), fontsize=8, frameon=False)
    more = f", the largest {len(shown)} of {len(first)} outputs" if len(shown) < len(first) else ""
    axes.set_title(f"{name}{more}", fontsize=10, color=INK, loc="left")
    return figure


def _plane(axes: Axes, plane: Numbers, bound: float, signed: bool, title: str) -> AxesImage:
    colours, low = ("RdBu_r", -bound) if signed else ("magma", 0.0)
    return bare(axes, title).imshow(plane, cmap=colours, vmin=low, vmax=bound, interpolation="nearest")


def _bar(figure: Figure, image: AxesImage, axes: Axes, signed: bool) -> None:
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, extend="both" if signed else "max")
    bar.set_label("z", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, colors=GREY)
    bar.outline.set_visible(False)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _pass(index: int) -> str:
    """`pass 2 ↓` for the second pass."""
    return f"pass {index + 1} {'↓' if index % 2 else '↑'}"


def _spread(count: int, most: int) -> list[int]:
    """Indices of at most so many, evenly spread, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _above_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values > 0, values, np.nan)
