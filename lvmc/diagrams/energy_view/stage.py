"""Where the energy picture's planes stand: inputs side by side, and one layer above the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvmc.diagrams.drawing.colours import filter_colours
from lvmc.diagrams.drawing.fold import Run, runs
from lvmc.diagrams.energy_view.planes import Fan, Plane, fan, units_shown
from lvmc.graph import Coupling, EnergyGraph

GAP, BESIDE = 54.0, 46.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A plane for every block drawn, by name; `stands` says which of them stands for a block."""

    graph: EnergyGraph
    rows: tuple[Run, ...]
    planes: Mapping[str, Plane]
    stands: Mapping[str, str]
    colours: Mapping[str, str]

    def plane(self, block: str) -> Plane:
        """The plane that stands for a block."""
        return self.planes[self.stands[block]]

    def drawn(self) -> list[Coupling]:
        """Couplings that show: those inside a run do not."""
        return [coupling for run in self.rows for coupling in run.layers[0].couplings]

    def is_next(self, coupling: Coupling) -> bool:
        """Whether a coupling joins two rows of which one stands on the other."""
        order = [run.name for run in self.rows]
        row = order.index(coupling.upper)
        return self.stands[coupling.lower] == order[row - 1] if row else coupling.lower not in self.graph.layer

    def fan(self, coupling: Coupling) -> Fan:
        """The units below that one unit above is coupled to."""
        sides = zip(coupling.kernel, coupling.geometry.dilation, coupling.replicate, strict=True)
        rows, columns = ((dilation * (kernel - 1) + 1) * window for kernel, dilation, window in sides)
        return fan(self.plane(coupling.lower), self.plane(coupling.upper), (rows, columns), coupling.replicate)


def stage(graph: EnergyGraph, fold: bool) -> Stage:
    """Place every block of a graph."""
    rows = runs(graph, fold)
    stands = {layer.name: run.name for run in rows for layer in run.layers}
    stands |= {node.name: node.name for node in graph.inputs}
    return Stage(graph, rows, _planes(graph, rows), stands, filter_colours(graph))


def _planes(graph: EnergyGraph, rows: tuple[Run, ...]) -> dict[str, Plane]:
    largest = max(max(node.size) for node in (*graph.inputs, *graph.layers))
    shown = [units_shown(node.size, largest, None) for node in graph.inputs]
    found: dict[str, Plane] = {}
    x = 0.0
    for node, units in zip(graph.inputs, shown, strict=True):
        x = x - Plane((0.0, 0.0), units).left + BESIDE if found else 0.0
        found[node.name] = Plane((x, 0.0), units)
        x = found[node.name].right
    y = max((plane.half_height for plane in found.values()), default=-GAP)
    for run in rows:
        layer = run.layers[0]
        window = layer.group.window if layer.group else (1, 1)
        units = units_shown(layer.size, largest, layer.group)
        half = Plane((0.0, 0.0), units).half_height
        y += GAP + half
        deep = layer.group is not None and layer.group.channels > 1
        found[run.name] = Plane((0.0, y), units, window, deep)
        y += half
    return found
