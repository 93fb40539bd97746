"""What a kind of unit is: its domain, the exact update of a block of them, and how groups of them choose a winner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from lvmc.ir import Builder, Origin


@dataclass(frozen=True, slots=True)
class Unit(ABC):
    """A kind of unit; `upper` is the upper bound of its layer, if the kind takes one."""

    upper: float | None = None
    has_diagonal: ClassVar[bool]
    takes_upper: ClassVar[bool]
    mean_field: ClassVar[bool]

    @abstractmethod
    def value(self, build: Builder, drive: str, diagonal: str, name: str, origin: Origin) -> str:
        """The maximiser of a·z − ½ d z² (mean field: plus the entropy) over the domain, for every unit by itself.

        Args:
            build: Where the equations go.
            drive: a (C, H, W).
            diagonal: d (C,); empty where the kind has none.
            name: Name of the value.
            origin: What the equations belong to.
        """

    @abstractmethod
    def wins_by_drive(self, uniform: bool) -> bool:
        """Whether the largest drive wins a group, not the largest gain; `uniform`: d is equal over every group."""

    @abstractmethod
    def project(self, build: Builder, given: str, name: str, origin: Origin) -> str:
        """Given values brought into the domain, unit by unit."""

    @abstractmethod
    def slope(self, build: Builder, value: str, grouped: bool, name: str, origin: Origin) -> str:
        """∂z/∂a · d at a state z (Boltzmann: ∂z/∂a), for every unit by itself; 0 where it stays as it is.

        `grouped` says whether z may be 0 because another unit won.
        """
