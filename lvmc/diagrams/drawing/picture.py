"""A picture as data: placed nodes and edges that mean something, and shapes that only decorate. Points in pt, y up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Point = tuple[float, float]
NodeKind = Literal[
    "layer", "nms", "input", "given", "head", "zero", "same", "dotted", "message", "name", "title", "caption"
]  # fmt: skip
EdgeKind = Literal["coupling", "lateral", "read", "send", "deliver", "cached", "same", "winner"]


class Note(NamedTuple):
    """A small line of text under a node's title."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A block, a message, a head or a caption, centred `at` a point; `section` is the pass it belongs to."""

    name: str
    kind: NodeKind
    title: str
    at: Point
    size: Point
    notes: tuple[Note, ...] = ()
    colour: str = ""
    dashed: bool = False
    section: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A link between two nodes along a Bézier curve (3n + 1 points)."""

    tail: str
    head: str
    kind: EdgeKind
    path: tuple[Point, ...]
    colour: str = ""
    dashed: bool = False
    text: str = ""
    text_at: Point = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoration behind the nodes. An ellipse's two points are its centre and its radii."""

    kind: Literal["polygon", "ellipse", "line"]
    points: tuple[Point, ...]
    line: str
    fill: str = ""
    width: float = 1.0
    style: Literal["solid", "dashed", "dotted"] = "solid"


@dataclass(frozen=True, slots=True)
class Picture:
    """What DOT and Mermaid are written from."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    shapes: tuple[Shape, ...] = ()
