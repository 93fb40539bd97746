"""A picture as Graphviz source: every position is pinned, so the engine `nop2` only draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.diagrams.looks import EDGES, GREY, NODES
from lvmc.diagrams.picture import Edge, Node, Picture, Point, Shape

if TYPE_CHECKING:
    from graphviz import Digraph

FONT = "DejaVu Sans,Verdana,sans-serif"
ENGINE = "nop2"
NOTE, LINE, TITLE = 8.5, 11.0, 14.0


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
    """A node; its title stands above its notes, each a text node of its own, for their smaller letters."""
    from graphviz import escape  # noqa: PLC0415

    attributes, title = _attributes(node), escape(node.title)
    if node.kind == "caption":
        out.node(node.name, title + r"\l", margin="0", **attributes)
        return
    if not node.notes:
        out.node(node.name, title, **attributes)
        return
    x, top = node.at[0], node.at[1] + (TITLE + LINE * len(node.notes)) / 2
    out.node(node.name, "", xlabel=title, xlp=_point((x, top - TITLE / 2)), **attributes)
    for index, note in enumerate(node.notes):
        look = {"shape": "plaintext", "width": "0.1", "height": "0.1", "fontsize": f"{NOTE:g}"}
        at = _point((x, top - TITLE - LINE * (index + 0.5)))
        out.node(f"{node.name} note {index + 1}", escape(note.text), pos=at, fontcolor=note.colour or GREY, **look)


def _attributes(node: Node) -> dict[str, str]:
    look, (width, height) = NODES[node.kind], node.size
    style = f"{look.style},dashed" if node.dashed else look.style
    attributes = {"shape": look.shape, "style": style, "color": node.colour or look.line, "fillcolor": look.fill}
    attributes |= {"fontcolor": node.colour or look.text, "fontsize": f"{look.font:g}", "penwidth": f"{look.pen:g}"}
    return attributes | {"pos": _point(node.at), "width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}"}


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
