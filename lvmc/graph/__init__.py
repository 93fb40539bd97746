"""The energy graph of a spec."""

from lvmc.graph.build import MAX_PARAMETERS, MAX_UNITS, build
from lvmc.graph.checks import MAX_UPDATES
from lvmc.graph.findings import Finding, Findings
from lvmc.graph.records import Coupling, EnergyGraph, HeadNode, InputNode, LayerNode, block

__all__ = [
    "MAX_PARAMETERS", "MAX_UNITS", "MAX_UPDATES", "Coupling", "EnergyGraph", "Finding", "Findings", "HeadNode",
    "InputNode", "LayerNode", "block", "build",
]  # fmt: skip
