"""Kinds of units, one a file, by the name a spec gives them."""

from lvmc.units.registry import UNITS
from lvmc.units.unit import Unit

__all__ = ["UNITS", "Unit"]
