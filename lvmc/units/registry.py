"""Finds the kinds of units by their files."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract
from pathlib import Path

from lvmc.units.unit import Unit


def _kind(stem: str) -> type[Unit]:
    members = vars(import_module(f"lvmc.units.{stem}")).values()
    return next(m for m in members if isinstance(m, type) and issubclass(m, Unit) and not isabstract(m))


_FILES = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
UNITS: dict[str, type[Unit]] = {stem: _kind(stem) for stem in _FILES if stem not in ("__init__", "registry", "unit")}
