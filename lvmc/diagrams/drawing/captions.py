"""The key under a picture: a swatch and a line of text for everything that needs saying."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from lvmc.diagrams.drawing.picture import Node, Point, Shape
from lvmc.diagrams.drawing.texts import text_width

LINE, SWATCH = 15.0, 24.0


class Entry(NamedTuple):
    """A text, and the colour, form and stroke of its swatch."""

    text: str
    colour: str
    form: Literal["line", "polygon", "ellipse", "arrow"] = "line"
    style: Literal["solid", "dashed", "dotted"] = "solid"


def captions(entries: Iterable[Entry], corner: Point) -> tuple[tuple[Node, ...], tuple[Shape, ...]]:
    """Nodes and swatches of the entries, below one another from the top left corner."""
    nodes: list[Node] = []
    shapes: list[Shape] = []
    for index, entry in enumerate(entries):
        x, y = corner[0], corner[1] - LINE * index
        width = text_width(entry.text, 9.0)
        nodes.append(Node(f"key {index + 1}", "caption", entry.text, (x + SWATCH + 8 + width / 2, y), (width, 12.0)))
        shapes += _swatch(entry, (x, y))
    return tuple(nodes), tuple(shapes)


def _swatch(entry: Entry, at: Point) -> list[Shape]:
    x, y = at
    end = x + SWATCH
    match entry.form:
        case "line":
            return [Shape("line", ((x, y), (end, y)), entry.colour, "", 1.5, entry.style)]
        case "arrow":
            tip = ((end - 7, y + 3), (end, y), (end - 7, y - 3))
            stem = Shape("line", ((x, y), (end - 7, y)), entry.colour, "", 1.3, entry.style)
            return [stem, Shape("polygon", tip, entry.colour, "#ffffff", 1.0)]
        case "polygon":
            corners = ((x + 4, y - 5), (end - 4, y - 5), (end - 4, y + 5), (x + 4, y + 5))
            return [Shape("polygon", corners, entry.colour, "", 1.3, entry.style)]
        case "ellipse":
            return [Shape("ellipse", ((x + SWATCH / 2, y), (5.6, 3.1)), entry.colour, entry.colour)]
