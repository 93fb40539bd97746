"""What pictures say about blocks, couplings and heads, and how wide text is."""

from __future__ import annotations

from lvmc.diagrams.drawing.looks import RED
from lvmc.diagrams.drawing.picture import Note
from lvmc.graph import Coupling, EnergyGraph, HeadNode, InputNode, LayerNode
from lvmc.ir import Geometry, Size


def text_width(text: str, font: float = 9.5) -> float:
    """Width in pt of the longest line, for DejaVu Sans."""
    return 0.64 * font * max(map(len, text.split("\n")))


def block_notes(node: InputNode | LayerNode) -> tuple[Note, ...]:
    """Size of a block; for a layer also its groups, and its unit where that is not plainly rectified."""
    size = Note(f"{node.channels}×{node.size[0]}×{node.size[1]}")
    if isinstance(node, InputNode):
        return (size,)
    found = [size]
    if node.group is not None:
        found.append(Note(f"nms {node.group}" + (", first winner" if node.keeps_first_winner else ""), RED))
    if node.kind != "rectified" or node.unit.upper is not None:
        found.append(Note(node.kind + (f" ≤ {node.unit.upper:g}" if node.unit.upper is not None else "")))
    return tuple(found)


def coupling_text(coupling: Coupling, graph: EnergyGraph) -> str:
    """`3×3 · 32→64`, and below it the shared filter's name and what is not plain about the coupling."""
    below = {node.name: node.channels for node in (*graph.inputs, *graph.layers)}
    kernel = by(coupling.kernel) if not coupling.full else f"full {by(coupling.kernel)}"
    first = f"{kernel} · {below[coupling.lower]}→{below[coupling.upper]}"
    more = [f"replicate {by(coupling.replicate)}"] if coupling.replicate != (1, 1) else []
    more = ([coupling.shared] if coupling.shared else []) + geometry_texts(coupling.geometry) + more
    return "\n".join([first, " · ".join(more)] if more else [first])


def geometry_texts(geometry: Geometry) -> list[str]:
    """Stride, dilation and wrapping, where they are not plain."""
    found = [f"stride {_short(geometry.stride)}"] if geometry.stride != (1, 1) else []
    found += [f"dilation {_short(geometry.dilation)}"] if geometry.dilation != (1, 1) else []
    return found + (["circular"] if geometry.circular else [])


def lateral_text(layer: LayerNode, graph: EnergyGraph) -> str:
    """`lateral 3×3`."""
    kernel = next(v.type.shape[2:] for v in graph.parameters if v.name == f"{layer.name}.lateral")
    return f"lateral {kernel[0]}×{kernel[1]}"


def head_note(head: HeadNode) -> Note:
    """The kind of a head, from its record's name."""
    return Note(type(head.record).__name__.lower())


def by(size: Size) -> str:
    """(3, 3) → 3×3."""
    return f"{size[0]}×{size[1]}"


def _short(pair: Size) -> str:
    return str(pair[0]) if pair[0] == pair[1] else by(pair)
