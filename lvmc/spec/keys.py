"""Which keys a section of a spec knows, and how messages call it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from lvmc.heads import HEADS
from lvmc.heads.head import Read
from lvmc.heads.heatmap import Points
from lvmc.source import Path
from lvmc.spec.inits import LayerInit
from lvmc.spec.inputs import Input, Normalize, SharedFilter
from lvmc.spec.layers import Coupling, Lateral, Layer, Nms, Norm
from lvmc.spec.model import Inference, Spec


def record_of(path: Path, values: Any) -> type[BaseModel] | None:
    """The record that the mapping at `path` is read as."""
    match path:
        case ():
            return Spec
        case ("inputs", _):
            return Input
        case ("inputs", _, "normalize"):
            return Normalize
        case ("filters", _):
            return SharedFilter
        case ("layers", _):
            return Layer
        case ("layers", _, "from", _):
            return Coupling
        case ("layers", _, ("nms" | "lateral" | "norm" | "init") as key):
            return {"nms": Nms, "lateral": Lateral, "norm": Norm, "init": LayerInit}[str(key)]
        case ("inference",):
            return Inference
        case ("heads", name):
            return HEADS.get(values["heads"][name].get("kind"))
        case ("heads", _, "points"):
            return Points
        case ("heads", _, "reads", _):
            return Read
        case _:
            return None


def known_keys(path: Path, values: Any) -> list[str]:
    """Keys that the section at `path` takes."""
    record = record_of(path, values)
    return [field.alias or name for name, field in record.model_fields.items()] if record else []


def section(path: Path) -> str:
    """How messages call a section: `layer 'h2'`, `'nms' of layer 'h2'`, `the spec`."""
    match path:
        case ():
            return "the spec"
        case (("inputs" | "filters" | "layers" | "heads") as kind, name):
            return f"{str(kind)[:-1]} '{name}'"
        case (("inputs" | "filters" | "layers" | "heads"), _, *rest):
            return f"'{'.'.join(map(str, rest))}' of {section(path[:2])}"
        case _:
            return f"'{'.'.join(map(str, path))}'"
