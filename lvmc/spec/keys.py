"""Which keys a section of a spec knows, and how messages call it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from lvmc.heads import HEADS
from lvmc.heads.head import Read
from lvmc.heads.heatmap import Points
from lvmc.spec.inference import Inference, Until
from lvmc.spec.inits import LayerInit
from lvmc.spec.inputs import Input, Normalize, SharedFilter
from lvmc.spec.layers import Coupling, Lateral, Layer, Nms, Norm
from lvmc.spec.model import Spec
from lvmc.values import Path

_HOMES: dict[str, type[BaseModel]] = {
    "the spec": Spec,
    "'inference'": Inference,
    "'until'": Until,
    "an input": Input,
    "a layer": Layer,
}

_ANY = "*"
_RECORDS: dict[Path, type[BaseModel]] = {
    (): Spec,
    ("inputs", _ANY): Input,
    ("inputs", _ANY, "normalize"): Normalize,
    ("filters", _ANY): SharedFilter,
    ("layers", _ANY): Layer,
    ("layers", _ANY, "from", _ANY): Coupling,
    ("layers", _ANY, "nms"): Nms,
    ("layers", _ANY, "lateral"): Lateral,
    ("layers", _ANY, "norm"): Norm,
    ("layers", _ANY, "init"): LayerInit,
    ("inference",): Inference,
    ("inference", "until"): Until,
    ("heads", _ANY, "points"): Points,
    ("heads", _ANY, "reads", _ANY): Read,
}
"""What the mapping at a path is read as. Sections and keys take turns with names, but for `until`."""


def record_of(path: Path, values: Any) -> type[BaseModel] | None:
    """The record that the mapping at `path` is read as."""
    match path:
        case ("heads", name):
            return HEADS.get(str(values["heads"][name].get("kind")))
        case ("inference", _):
            return _RECORDS.get(path)
        case _:
            return _RECORDS.get(tuple(_ANY if index % 2 else key for index, key in enumerate(path)))


def known_keys(path: Path, values: Any) -> list[str]:
    """Keys that the section at `path` takes."""
    record = record_of(path, values)
    return _keys(record) if record else []


def home(key: str) -> str:
    """Where a key belongs: `'passes' is a key of 'inference'`; empty if nowhere."""
    homes = [where for where, record in _HOMES.items() if key in _keys(record)]
    homes += ["a head"] if any(key in _keys(record) for record in HEADS.values()) else []
    return f"'{key}' is a key of {' and of '.join(homes)}" if homes else ""


def section(path: Path) -> str:
    """How messages call a section: `layer 'h2'`, `'nms' of layer 'h2'`, `the spec`."""
    match path:
        case ():
            return "the spec"
        case (("inputs" | "filters" | "layers" | "heads") as kind, name):
            return f"{str(kind)[:-1]} '{name}'"
        case ("layers", _, "from", lower):
            return f"the coupling of {section(path[:2])} to '{lower}'"
        case (("inputs" | "filters" | "layers" | "heads"), _, *rest):
            return f"'{'.'.join(map(str, rest))}' of {section(path[:2])}"
        case _:
            return f"'{'.'.join(map(str, path))}'"


def _keys(record: type[BaseModel]) -> list[str]:
    """Keys of a record, required ones first."""
    fields = sorted(record.model_fields.items(), key=lambda item: not item[1].is_required())
    return [field.alias or name for name, field in fields]
