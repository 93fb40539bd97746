"""Graphviz's SVG as vector PDF, by matplotlib, which lvmc needs anyway; fonts are embedded."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypedDict
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.path import Path
    from matplotlib.text import Text

_Colour = tuple[float, float, float, float] | Literal["none"]
_Dashes = tuple[float, tuple[float, float]] | Literal["solid"]
_DASHES: dict[str, _Dashes] = {"5,2": (0.0, (4.0, 2.0)), "1,5": (0.0, (1.0, 3.0))}


class _Look(TypedDict):
    facecolor: _Colour
    edgecolor: _Colour
    linewidth: float
    linestyle: _Dashes


def pdf_of_svg(svg: bytes) -> bytes:
    """The PDF of an SVG that Graphviz wrote: polygons, ellipses, polylines, Bézier paths and text in one group."""
    from matplotlib.figure import Figure
    from matplotlib.transforms import Affine2D

    root = ElementTree.fromstring(svg)
    width, height = (float(root.attrib[side].removesuffix("pt")) / 72 for side in ("width", "height"))
    figure = Figure(figsize=(width, height))
    inches = Affine2D().translate(*_offset(root)).scale(1 / 72, -1 / 72).translate(0, height)
    place = inches + figure.dpi_scale_trans
    for order, element in enumerate(root.iter()):
        artist = _artist(element.tag.rpartition("}")[2], element)
        if artist is not None:
            artist.set_transform(place)
            artist.set_zorder(order)
            figure.add_artist(artist)
    out = BytesIO()
    figure.savefig(out, format="pdf", metadata={"CreationDate": None})  # pyright: ignore[reportUnknownMemberType]  partly typed
    return out.getvalue()


def _offset(root: ElementTree.Element) -> tuple[float, float]:
    """Translation of the group that everything lies in."""
    for element in root.iter():
        found = re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", element.get("transform", ""))
        if found:
            return (float(found[1]), float(found[2]))
    return (0.0, 0.0)


def _artist(tag: str, element: ElementTree.Element) -> Artist | None:
    from matplotlib.patches import PathPatch

    if tag == "text":
        return _text(element)
    path = _outline(tag, element)
    return None if path is None else PathPatch(path, **_look(element))


def _text(element: ElementTree.Element) -> Text:
    from matplotlib.text import Text

    anchors: dict[str, Literal["center", "right"]] = {"middle": "center", "end": "right"}
    return Text(
        float(element.attrib["x"]),
        float(element.attrib["y"]),
        element.text or "",
        color=element.get("fill", "black"),
        fontsize=float(element.attrib["font-size"]),
        fontfamily="DejaVu Sans",
        horizontalalignment=anchors.get(element.get("text-anchor", ""), "left"),
        parse_math=False,
        usetex=False,
    )


def _outline(tag: str, element: ElementTree.Element) -> Path | None:
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    match tag:
        case "ellipse":
            x, y, rx, ry = (float(element.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
            return Path.unit_circle().transformed(Affine2D().scale(rx, ry).translate(x, y))
        case "polygon" | "polyline":
            return Path(_points(element.attrib["points"]))
        case "path":
            points = _points(element.attrib["d"])
            return Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1))
        case _:
            return None


def _points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", text)]


def _look(element: ElementTree.Element) -> _Look:
    return {
        "facecolor": _colour(element, "fill"),
        "edgecolor": _colour(element, "stroke"),
        "linewidth": float(element.get("stroke-width", "1")),
        "linestyle": _DASHES.get(element.get("stroke-dasharray", ""), "solid"),
    }


def _colour(element: ElementTree.Element, which: Literal["fill", "stroke"]) -> _Colour:
    from matplotlib.colors import to_rgba

    name = element.get(which, "none")
    return "none" if name in ("none", "transparent") else to_rgba(name, float(element.get(f"{which}-opacity", "1")))
