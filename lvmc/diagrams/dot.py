"""A picture as Graphviz source: every position is pinned, so the engine `nop2` only draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.diagrams.looks import EDGES, GREY, NODES
from lvmc.diagrams.picture import Edge, Node, Picture, Point, Shape

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "DejaVu Sans,Verdana,sans-serif"
ENGINE = "nop2"
NOTE_SIZE, LINE = 8.5, 11.0


def dot_source(picture: Picture) -> str:
    """The picture in the DOT language."""
    from graphviz import Digraph  # noqa: PLC0415

    graph = {"layout": ENGINE, "outputorder": "edgesfirst", "bgcolor": "white", "pad": "0.25"}
    if picture.shapes:
        graph["_background"] = " ".join(map(_shape, picture.shapes))
    node = {"fontname": FONT, "fixedsize": "true"}
    edge = {"fontname": FONT, "fontsize": "9.5", "arrowsize": "0.75"}
    out = Digraph(picture.name, graph_attr=graph, node_attr=node, edge_attr=edge)
    for each in picture.nodes:
        _node(out, each)
    for each in picture.edges:
        _edge(out, each)
    return out.source


def _node(out: Digraph, node: Node) -> None:
    """A node with its title, and one text node for each of its notes, stacked about its centre."""
    from graphviz import escape  # noqa: PLC0415

    look, (x, y), (width, height) = NODES[node.kind], node.at, node.size
    style = f"{look.style},dashed" if node.dashed else look.style
    attributes = {"shape": look.shape, "style": style, "color": node.colour or look.line, "fillcolor": look.fill}
    attributes |= {"fontcolor": node.colour or look.text, "fontsize": f"{look.font:g}", "penwidth": f"{look.pen:g}"}
    attributes |= {"pos": _point(node.at), "width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}"}
    if node.notes:
        attributes |= {"labelloc": "t", "margin": "0,0.06"}
    if node.kind == "caption":
        attributes |= {"margin": "0"}
    out.node(node.name, escape(node.title) + (r"\l" if node.kind == "caption" else ""), **attributes)
    for index, note in enumerate(node.notes):
        at = (x, y + LINE * (len(node.notes) / 2 - 1 - index) - 1)
        out.node(f"{node.name} note {index + 1}", escape(note.text), shape="plaintext", pos=_point(at), width="0.1",
                 height="0.1", fontsize=f"{NOTE_SIZE:g}", fontcolor=note.colour or GREY)  # fmt: skip


def _edge(out: Digraph, edge: Edge) -> None:
    from graphviz import escape  # noqa: PLC0415

    look = EDGES[edge.kind]
    colour = edge.colour or look.colour
    attributes = {"color": colour, "penwidth": f"{look.pen:g}", "arrowhead": look.arrow, "pos": _spline(edge)}
    attributes["style"] = "dashed" if edge.dashed else look.style
    if edge.text:
        attributes |= {"label": escape(edge.text), "lp": _point(edge.text_at), "fontcolor": colour}
    out.edge(edge.tail, edge.head, **attributes)


def _spline(edge: Edge) -> str:
    """The curve, which ends short of its arrow: `e,tip points`."""
    points = list(edge.path)
    if EDGES[edge.kind].arrow == "none":
        return " ".join(map(_point, points))
    tip, before = points[-1], next(point for point in reversed(points) if point != points[-1])
    length = ((tip[0] - before[0]) ** 2 + (tip[1] - before[1]) ** 2) ** 0.5
    back = 7.5 / length
    points[-1] = (tip[0] + (before[0] - tip[0]) * back, tip[1] + (before[1] - tip[1]) * back)
    return f"e,{_point(tip)} " + " ".join(map(_point, points))


def _shape(shape: Shape) -> str:
    """A decoration in the xdot language of the attribute `_background`."""
    width = f"setlinewidth({shape.width:g})"
    pens = [f"S {len(shape.style)} -{shape.style}", f"S {len(width)} -{width}", f"c {len(shape.line)} -{shape.line}"]
    if shape.fill:
        pens.append(f"C {len(shape.fill)} -{shape.fill}")
    numbers = " ".join(f"{x:.1f} {y:.1f}" for x, y in shape.points)
    match shape.kind:
        case "ellipse":
            drawn = f"{'E' if shape.fill else 'e'} {numbers}"
        case "polygon":
            drawn = f"{'P' if shape.fill else 'p'} {len(shape.points)} {numbers}"
        case "line":
            drawn = f"L {len(shape.points)} {numbers}"
    return " ".join((*pens, drawn))


def _point(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
