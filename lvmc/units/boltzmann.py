"""Boltzmann units by mean field: z ∈ (0, 1), d = 0; z = sigmoid(a), and the gain log(1 + eᵃ) grows with a."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lvmc.ir import Builder, Origin
from lvmc.ir.ops import ClipUnit, Sigmoid, SigmoidSlope
from lvmc.units.unit import Unit


@dataclass(frozen=True, slots=True)
class Boltzmann(Unit):
    """z ∈ (0, 1): the mean of a binary unit."""

    has_diagonal: ClassVar[bool] = False
    takes_upper: ClassVar[bool] = False
    mean_field: ClassVar[bool] = True

    def value(self, build: Builder, drive: str, diagonal: str, name: str, origin: Origin) -> str:
        return build.add(Sigmoid(), drive, name=name, origin=origin)

    def wins_by_drive(self, uniform: bool) -> bool:
        return True

    def project(self, build: Builder, given: str, name: str, origin: Origin) -> str:
        return build.add(ClipUnit(), given, name=name, origin=origin)

    def slope(self, build: Builder, value: str, grouped: bool, name: str, origin: Origin) -> str:
        return build.add(SigmoidSlope(), value, name=name, origin=origin)
