"""Programs: what unrolling writes, rewrites improve, and backends emit."""

from lvmc.ir.builder import Builder, rebuild
from lvmc.ir.cost import Cost, cost
from lvmc.ir.interpret import all_values, interpret
from lvmc.ir.listing import listing
from lvmc.ir.program import Equation, Origin, Program, messages, uses
from lvmc.ir.types import Geometry, Group, Init, Plane, Size, TensorType, Variable
from lvmc.ir.verify import verify

__all__ = [
    "Builder", "Cost", "Equation", "Geometry", "Group", "Init", "Origin", "Plane", "Program", "Size", "TensorType",
    "Variable", "all_values", "cost", "interpret", "listing", "messages", "rebuild", "uses", "verify",
]  # fmt: skip
