"""The energy as a graph: blocks with their sizes, couplings with their filters, heads with what they read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

import networkx as nx

from lvmc.graph.constraint import Constraint
from lvmc.graph.states import FeedbackNode, Rendering
from lvmc.heads import Canvas, HeadRecord, Reading
from lvmc.ir import Geometry, Group, Plane, Size, Variable
from lvmc.schedule import Block
from lvmc.spec import Norm, Normalize, Until
from lvmc.units import Unit


@dataclass(frozen=True, slots=True)
class InputNode:
    """A clamped block; `render` says how it shows a state, if that is what it does."""

    name: str
    channels: int
    size: Size
    normalize: Normalize | None
    render: Rendering | None = None


@dataclass(frozen=True, slots=True)
class Coupling:
    """What couples a layer to a block below: `⟨z_upper, w ⋆ P(z_lower)⟩`.

    `weight` is the state name of w (upper channels, lower channels, *kernel); `pooled` is the size of P(z_lower).
    A `full` filter covers that plane.
    """

    upper: str
    lower: str
    weight: str
    kernel: Size
    geometry: Geometry
    replicate: Size
    pooled: Size
    shared: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class LayerNode:
    """A block of latent variables (batch, channels, *size)."""

    name: str
    channels: int
    size: Size
    kind: str
    unit: Unit
    couplings: tuple[Coupling, ...]
    diagonal: tuple[float, ...] | Literal["learned"] | None
    bias: bool
    group: Group | None = None
    keeps_first_winner: bool = False
    lateral: Geometry | None = None
    norm: Norm | None = None

    @property
    def units(self) -> int:
        """Units of one sample."""
        return self.channels * prod(self.size)

    @property
    def uniform(self) -> bool:
        """Whether d is known to be equal over every group."""
        if self.group is None or self.group.channels == 1 or self.diagonal is None:
            return True
        if self.diagonal == "learned" or self.norm is not None:
            return False
        step = self.group.channels
        groups = [self.diagonal[start : start + step] for start in range(0, len(self.diagonal), step)]
        return all(len(set(group)) == 1 for group in groups)


@dataclass(frozen=True, slots=True)
class HeadNode:
    """A head and the layers it reads, or the head `source`; `readings` carry no value yet."""

    name: str
    record: HeadRecord
    readings: tuple[Reading, ...]
    source: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """What its outputs are called: its name, or `<name>.<part>` each."""
        return tuple(f"{self.name}.{part}" for part in self.record.parts) or (self.name,)


@dataclass(frozen=True)
class EnergyGraph:
    """Layers from bottom to top, the couplings between them, and the heads that read them.

    `parameters` lists learned values and running statistics in the order of `state_dict`. With `until`, `passes` is
    the most that are run. `constraints` are the parts whose filters are used multiplied by a factor. `feedback` is the
    outer loop, of which all else describes one step.
    """

    name: str
    inputs: tuple[InputNode, ...]
    layers: tuple[LayerNode, ...]
    heads: tuple[HeadNode, ...]
    canvas: Canvas
    planes: tuple[Plane, ...]
    parameters: tuple[Variable, ...]
    passes: int
    until: Until | None = None
    implicit: bool = False
    untied: bool = False
    description: str = ""
    constraints: tuple[Constraint, ...] = ()
    feedback: FeedbackNode | None = None

    @cached_property
    def layer(self) -> dict[str, LayerNode]:
        """Layers by name."""
        return {layer.name: layer for layer in self.layers}

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the outputs of all heads are called."""
        return tuple(key for head in self.heads for key in head.outputs)

    @property
    def plain_inputs(self) -> tuple[InputNode, ...]:
        """Inputs that are given, not rendered from a state."""
        return tuple(node for node in self.inputs if node.render is None)

    @property
    def step_parameters(self) -> tuple[Variable, ...]:
        """Parameters of one step under the names that layers give them; all of them, unless steps have their own."""
        if self.feedback is None or not self.feedback.untied:
            return self.parameters
        return (*self.feedback.common, *self.feedback.own)

    @cached_property
    def network(self) -> nx.DiGraph[str]:
        """Blocks as nodes; each coupling as the edge from its lower to its upper block, under `coupling`."""
        network: nx.DiGraph[str] = nx.DiGraph()
        network.add_nodes_from(node.name for node in (*self.inputs, *self.layers))
        for layer in self.layers:
            for coupling in layer.couplings:
                network.add_edge(coupling.lower, coupling.upper, coupling=coupling)
        return network

    @cached_property
    def above(self) -> dict[str, tuple[Coupling, ...]]:
        """The couplings of which a block is the lower end, in file order."""
        edges = self.network.adjacency()
        return {lower: tuple(edge["coupling"] for edge in uppers.values()) for lower, uppers in edges}

    @property
    def repeats(self) -> bool:
        """Whether every pass is the same on the way up, and on the way down: no parameter or head belongs to one.

        Passes inside the steps of outer feedback are written out, so those never count as repeated.
        """
        if self.feedback is not None or self.why_no_energy:
            return False
        return all(head.record.at == "last" for head in self.heads)

    @property
    def why_no_energy(self) -> str:
        """Why the passes do not maximise one score; empty if they do."""
        if self.untied:
            return "with 'tying: untied' each use of a filter has its own weights, so there is no single energy"
        if any(layer.norm and layer.norm.kind == "message" for layer in self.layers):
            return "with 'norm: message' the weights up and down differ, so there is no single energy"
        if self.feedback is not None and self.feedback.untied:
            return "with untied steps of 'feedback' each has weights of its own, so there is no single energy"
        return ""


def block(layer: LayerNode, above: tuple[Coupling, ...]) -> Block:
    """The layer as the schedule sees it."""
    below = tuple(coupling.lower for coupling in layer.couplings)
    return Block(layer.name, below, tuple(coupling.upper for coupling in above), layer.lateral is not None)
