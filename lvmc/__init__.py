"""lvmc: a declarative compiler for networks with feedback."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

_here = Path(__file__).parent
if not (_here / "codegen").is_dir():  # a checkout: codegen/ and specs/ lie beside lvmc/
    __path__.append(str(_here.parent))

__version__ = "0.1.0"

_HOMES = {
    "Spec": "lvmc.spec",
    "SpecError": "lvmc.errors",
    "check": "lvmc.pipeline",
    "compile": "lvmc.pipeline",
    "copositivity": "lvmc.matrices",
    "draw": "lvmc.pipeline",
    "dump": "lvmc.spec",
    "load": "lvmc.pipeline",
    "open": "lvmc.pipeline",
    "trace": "lvmc.pipeline",
}

__all__ = ["Spec", "SpecError", "check", "compile", "copositivity", "draw", "dump", "load", "open", "trace"]

if TYPE_CHECKING:
    from lvmc.errors import SpecError
    from lvmc.matrices import copositivity
    from lvmc.pipeline import check, compile, draw, load, open, trace
    from lvmc.spec import Spec, dump


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lvmc' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
