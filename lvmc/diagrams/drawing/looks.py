"""How each kind of node and edge looks: closed tables, and the colours that mean something."""

from __future__ import annotations

from typing import NamedTuple

from lvmc.diagrams.drawing.picture import EdgeKind, NodeKind

RED = "#d62728"
PURPLE = "#7b3fa0"
INK = "#24303c"
GREY = "#6b7785"
PALE = "#a9b3bd"


class NodeLook(NamedTuple):
    """Outline, fill and text of a kind of node; `mark` is the pair of brackets Mermaid draws it with."""

    shape: str
    style: str
    line: str
    fill: str
    text: str
    font: float = 12.0
    pen: float = 1.2
    mark: tuple[str, str] = ("[", "]")


class EdgeLook(NamedTuple):
    """Arrow and pen of a kind of edge; `colour` where the edge has none of its own; `link` is Mermaid's arrow."""

    arrow: str
    pen: float
    style: str
    link: str
    colour: str = GREY


NODES: dict[NodeKind, NodeLook] = {
    "layer": NodeLook("box", "rounded,filled", "#43586d", "#f4f7fa", INK),
    "nms": NodeLook("box", "rounded,filled", RED, "#fdf0f0", INK, pen=1.8),
    "input": NodeLook("box", "filled", "#43586d", "#cfd8e1", INK),
    "given": NodeLook("box", "filled", "#43586d", "#cfd8e1", INK),
    "head": NodeLook("box", "rounded,filled", PURPLE, "#f3ebf8", PURPLE, pen=1.8, mark=("([", "])")),
    "zero": NodeLook("circle", "filled", PALE, "#ffffff", GREY, font=10.0, mark=("((", "))")),
    "same": NodeLook("box", "rounded,filled", PALE, "#ffffff", GREY),
    "dotted": NodeLook("box", "rounded,dotted", PALE, "none", PALE),
    "message": NodeLook("box", "rounded,filled", GREY, "#ffffff", GREY, font=9.0, mark=("(", ")")),
    "name": NodeLook("plaintext", "", INK, "none", INK, font=13.0),
    "title": NodeLook("plaintext", "", INK, "none", INK, font=10.5),
    "caption": NodeLook("plaintext", "", INK, "none", GREY, font=9.5),
}
EDGES: dict[EdgeKind, EdgeLook] = {
    "coupling": EdgeLook("none", 1.6, "solid", "---"),
    "lateral": EdgeLook("none", 1.6, "solid", "---"),
    "read": EdgeLook("normal", 1.3, "solid", "-->", PURPLE),
    "send": EdgeLook("none", 1.6, "solid", "---"),
    "deliver": EdgeLook("normal", 1.6, "solid", "-->"),
    "cached": EdgeLook("onormal", 1.3, "solid", "==>"),
    "same": EdgeLook("none", 2.2, "solid", "-.-", PALE),
    "winner": EdgeLook("normal", 1.2, "dashed", "-.->", RED),
}
