"""Gaussian units: z ∈ ℝ; z = a/d."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lvmc.ir import Builder, Origin
from lvmc.ir.ops import DivChannel, Nonzero, Ones
from lvmc.units.unit import Unit


@dataclass(frozen=True, slots=True)
class Gaussian(Unit):
    """z ∈ ℝ. A group's winner has the largest a²/d, which a large negative drive has too."""

    has_diagonal: ClassVar[bool] = True
    takes_upper: ClassVar[bool] = False
    mean_field: ClassVar[bool] = False

    def value(self, build: Builder, drive: str, diagonal: str, name: str, origin: Origin) -> str:
        return build.add(DivChannel(), drive, diagonal, name=name, origin=origin)

    def wins_by_drive(self, uniform: bool) -> bool:
        return False

    def project(self, build: Builder, given: str, name: str, origin: Origin) -> str:
        return given

    def slope(self, build: Builder, value: str, grouped: bool, name: str, origin: Origin) -> str:
        op = Nonzero() if grouped else Ones()
        return build.add(op, value, name=name, origin=origin)
