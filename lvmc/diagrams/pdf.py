"""Graphviz's SVG as vector PDF, by matplotlib, which lvmc needs anyway; fonts are embedded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

Numbers = list[tuple[float, float]]
_DASHES = {"5,2": (0.0, (5.0, 2.0)), "1,5": (0.0, (1.0, 3.0))}


def pdf_of_svg(svg: bytes) -> bytes:
    """The PDF of an SVG that Graphviz wrote: polygons, ellipses, polylines, Bézier paths and text in one group."""
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.backends.backend_pdf import FigureCanvasPdf  # noqa: PLC0415

    root = ElementTree.fromstring(svg)
    width, height = (float(root.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    with rc_context({"pdf.fonttype": 42, "font.family": "DejaVu Sans"}):
        figure = _page(width, height)
        _draw(root, figure, _offset(root))
        out = BytesIO()
        FigureCanvasPdf(figure).print_pdf(out, metadata={"CreationDate": None})
    return out.getvalue()


def _page(width: float, height: float) -> Figure:
    """A page whose coordinates are the SVG's: pt, y down."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure


def _offset(root: ElementTree.Element) -> tuple[float, float]:
    """Translation of the group that everything lies in."""
    for element in root.iter():
        found = re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", element.get("transform", ""))
        if found:
            return (float(found[1]), float(found[2]))
    return (0.0, 0.0)


def _draw(root: ElementTree.Element, figure: Figure, offset: tuple[float, float]) -> None:
    from matplotlib.transforms import Affine2D  # noqa: PLC0415

    axes = figure.axes[0]
    moved = Affine2D().translate(*offset) + axes.transData
    for order, element in enumerate(root.iter()):
        tag = element.tag.rpartition("}")[2]
        if tag == "text":
            _write(element, figure, offset, order)
        for patch in _patches(tag, element):
            patch.set_zorder(order)
            patch.set_transform(patch.get_patch_transform() + moved if tag == "ellipse" else moved)
            axes.add_artist(patch)


def _write(element: ElementTree.Element, figure: Figure, offset: tuple[float, float], order: int) -> None:
    place = {"middle": "center", "end": "right"}.get(element.get("text-anchor", ""), "left")
    x, y = (float(element.attrib[axis]) + shift for axis, shift in zip("xy", offset, strict=True))
    text = figure.axes[0].text(x, y, element.text or "", ha=place, va="baseline", zorder=order, parse_math=False)
    text.set_fontsize(float(element.attrib["font-size"]))
    text.set_color(element.get("fill", "black"))


def _patches(tag: str, element: ElementTree.Element) -> Iterator[Patch]:
    from matplotlib.patches import Ellipse, PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    look = _look(element)
    match tag:
        case "ellipse":
            x, y, rx, ry = (float(element.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
            yield Ellipse((x, y), 2 * rx, 2 * ry, **look)
        case "polygon" | "polyline":
            yield PathPatch(Path(_points(element.attrib["points"])), **look)
        case "path":
            points = _points(element.attrib["d"])
            yield PathPatch(Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)), **look)
        case _:
            return


def _points(text: str) -> Numbers:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", text)]


def _look(element: ElementTree.Element) -> dict[str, object]:
    look: dict[str, object] = {
        "facecolor": element.get("fill", "none"),
        "edgecolor": element.get("stroke", "none"),
        "linewidth": float(element.get("stroke-width", "1")),
        "linestyle": _DASHES.get(element.get("stroke-dasharray", ""), "solid"),
        "capstyle": "butt",
    }
    return look
