"""Rectified units: z ≥ 0, or 0 ≤ z ≤ u; z = clip(a/d, 0, u) (Hu & Ramanan, eq. 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lvmc.ir import Builder, Origin
from lvmc.ir.ops import Between, DivChannel, Rectify
from lvmc.units.unit import Unit


@dataclass(frozen=True, slots=True)
class Rectified(Unit):
    """z ∈ [0, u]."""

    has_diagonal: ClassVar[bool] = True
    takes_upper: ClassVar[bool] = True
    mean_field: ClassVar[bool] = False

    def value(self, build: Builder, drive: str, diagonal: str, name: str, origin: Origin) -> str:
        ratio = build.add(DivChannel(), drive, diagonal, name=f"{name}_ratio", origin=origin)
        return build.add(Rectify(self.upper), ratio, name=name, origin=origin)

    def wins_by_drive(self, uniform: bool) -> bool:
        return uniform

    def project(self, build: Builder, given: str, name: str, origin: Origin) -> str:
        return build.add(Rectify(self.upper), given, name=name, origin=origin)

    def slope(self, build: Builder, value: str, grouped: bool, name: str, origin: Origin) -> str:
        return build.add(Between(self.upper), value, name=name, origin=origin)
