"""A picture as Graphviz source: every position is pinned, so the engine `nop2` only draws."""

from __future__ import annotations

from collections.abc import Iterator

from lvmc.diagrams.drawing.looks import EDGES, GREY, NODES
from lvmc.diagrams.drawing.picture import Edge, Node, Picture, Point, Shape
from lvmc.diagrams.drawing.texts import text_width

FONT = "DejaVu Sans,Verdana,sans-serif"
ENGINE = "nop2"
NOTE, LINE, TITLE = 8.5, 11.0, 14.0
_PIECE = 50
Attributes = dict[str, str]


def dot_source(picture: Picture) -> str:
    """The picture in the DOT language."""
    from graphviz import Digraph  # pyright: ignore[reportMissingTypeStubs]  it has none

    graph = {"layout": ENGINE, "outputorder": "edgesfirst", "bgcolor": "white", "pad": "0.25", "margin": "0"}
    node = {"fontname": FONT, "fixedsize": "true"}
    edge = {"fontname": FONT, "fontsize": "9.5", "arrowsize": "0.75"}
    out = Digraph(picture.name, graph_attr=graph, node_attr=node, edge_attr=edge, body=_background(picture.shapes))
    for name, attributes in (written for each in picture.nodes for written in _node(each)):
        out.node(name, **attributes)  # pyright: ignore[reportUnknownMemberType]  graphviz has no type stubs
    for each in picture.edges:
        out.edge(each.tail, each.head, **_edge(each))  # pyright: ignore[reportUnknownMemberType]  likewise
    return out.source


def _node(node: Node) -> Iterator[tuple[str, Attributes]]:
    """A node; its title stands above its notes, each a text node of its own, for their smaller letters."""
    look, title = _look(node), _escaped(node.title)
    if node.kind == "caption":
        yield node.name, {"label": title + r"\l", "margin": "0", **look}
        return
    if not node.notes:
        yield node.name, {"label": title, **look}
        return
    x, top = node.at[0], node.at[1] + (TITLE + LINE * len(node.notes)) / 2
    yield node.name, {"label": "", "xlabel": title, "xlp": _point((x, top - TITLE / 2)), **look}
    for index, note in enumerate(node.notes):
        at = _point((x, top - TITLE - LINE * (index + 0.5)))
        small = {"shape": "plaintext", "height": f"{LINE / 72:.4f}", "fontsize": f"{NOTE:g}"}
        text = {"label": _escaped(note.text), "fontcolor": note.colour or GREY}
        text["width"] = f"{text_width(note.text, 10) / 72:.4f}"
        yield f"{node.name} note {index + 1}", {**text, **small, "pos": at}


def _look(node: Node) -> Attributes:
    look, (width, height) = NODES[node.kind], node.size
    style = f"{look.style},dashed" if node.dashed else look.style
    attributes = {"shape": look.shape, "style": style, "color": node.colour or look.line, "fillcolor": look.fill}
    attributes |= {"fontcolor": node.colour or look.text, "fontsize": f"{look.font:g}", "penwidth": f"{look.pen:g}"}
    return attributes | {"pos": _point(node.at), "width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}"}


def _edge(edge: Edge) -> Attributes:
    look = EDGES[edge.kind]
    colour = edge.colour or look.colour
    attributes = {"color": colour, "penwidth": f"{look.pen:g}", "arrowhead": look.arrow, "pos": _spline(edge)}
    attributes["style"] = "dashed" if edge.dashed else look.style
    if edge.text:
        attributes |= {"label": _escaped(edge.text), "lp": _point(edge.text_at), "fontcolor": colour}
    return attributes


def _escaped(text: str) -> str:
    """Text as it is: no escapes such as \\N, no HTML, no entities."""
    from graphviz import escape  # pyright: ignore[reportMissingTypeStubs]  it has none

    return escape(text.replace("&", "&amp;"))


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


def _background(shapes: tuple[Shape, ...]) -> list[str]:
    """All decorations as one attribute, in pieces: older releases of Graphviz end a string at 16384 characters."""
    drawn = [_shape(shape) for shape in shapes]
    pieces = [" ".join(drawn[start : start + _PIECE]) + " " for start in range(0, len(drawn), _PIECE)]
    return ["\tgraph [_background=" + " + ".join(f'"{piece}"' for piece in pieces) + "]\n"] if pieces else []


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
