"""A picture as a Mermaid flowchart: what it says, without where it stands."""

from __future__ import annotations

from lvmc.diagrams.drawing.looks import EDGES, NODES
from lvmc.diagrams.drawing.picture import Edge, Node, NodeKind, Picture

# What Mermaid or the browser would read as code, and a line break.
_ENTITIES = str.maketrans(
    {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\n": "<br/>"}
)


def mermaid_text(picture: Picture) -> str:
    """The picture as a flowchart, bottom to top, one subgraph a section."""
    nodes = [node for node in picture.nodes if node.kind not in ("title", "caption")]
    names = {node.name: f"n{index}" for index, node in enumerate(nodes)}
    lines = ["flowchart BT"]
    for section in dict.fromkeys(node.section for node in nodes):
        inside = [_node(node, names[node.name]) for node in nodes if node.section == section]
        lines += _subgraph(section, inside, len(lines)) if section else [f"  {line}" for line in inside]
    lines += [f"  {_edge(edge, names)}" for edge in picture.edges]
    colours = (edge.colour or EDGES[edge.kind].colour for edge in picture.edges)
    lines += [f"  linkStyle {index} stroke:{colour}" for index, colour in enumerate(colours)]
    lines += [f"  {_class(kind)}" for kind in NODES if any(node.kind == kind for node in nodes)]
    return "\n".join(lines) + "\n"


def _subgraph(section: str, inside: list[str], number: int) -> list[str]:
    return [f"  subgraph s{number}[{_quoted(section)}]", *(f"    {line}" for line in inside), "  end"]


def _node(node: Node, name: str) -> str:
    before, after = NODES[node.kind].mark
    text = "<br/>".join(_escaped(line) for line in (node.title, *(note.text for note in node.notes)))
    return f'{name}{before}"{text}"{after}:::{_class_name(node.kind)}'


def _edge(edge: Edge, names: dict[str, str]) -> str:
    link = EDGES[edge.kind].link
    if edge.dashed:
        link = {"---": "-.-", "-->": "-.->"}.get(link, link)
    text = f"|{_quoted(edge.text)}|" if edge.text else ""
    return f"{names[edge.tail]} {link}{text} {names[edge.head]}"


def _class(kind: NodeKind) -> str:
    look = NODES[kind]
    dashes = ",stroke-dasharray:2 4" if "dotted" in look.style else ""
    stroke = "none" if look.shape == "plaintext" else look.line
    return f"classDef {_class_name(kind)} fill:{look.fill},stroke:{stroke},color:{look.text}{dashes}"


def _class_name(kind: NodeKind) -> str:
    return f"is_{kind}"


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.translate(_ENTITIES)
