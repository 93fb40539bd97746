"""Which keys a section of a spec knows, and how messages call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from lvmc.heads import HEADS
from lvmc.heads.density import Refine
from lvmc.heads.head import Read
from lvmc.heads.heatmap import Points
from lvmc.spec.augment import Augment
from lvmc.spec.data import DATA, CocoFiles, Occluders
from lvmc.spec.feedback import Feedback, State, Update
from lvmc.spec.inference import Inference, Until
from lvmc.spec.inits import LayerInit
from lvmc.spec.inputs import Input, Normalize, RenderedInput, SharedFilter
from lvmc.spec.layers import Coupling, Lateral, Layer, Nms, Norm
from lvmc.spec.model import Spec
from lvmc.spec.optimizer import OPTIMIZERS, Sgd, Steps
from lvmc.spec.train import Evaluate, Stage, Target, Train
from lvmc.values import Path, at, keyed

_HOMES: dict[str, type[BaseModel]] = {
    "the spec": Spec,
    "'inference'": Inference,
    "'until'": Until,
    "an input": Input,
    "a rendered input": RenderedInput,
    "a state": State,
    "'feedback'": Feedback,
    "an update of 'feedback'": Update,
    "a layer": Layer,
    "'train'": Train,
    "'train.optimizer'": Sgd,
    "'train.augment'": Augment,
    "'train.evaluate'": Evaluate,
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
    ("heads", _ANY, "refine"): Refine,
    ("heads", _ANY, "reads", _ANY): Read,
    ("state", _ANY): State,
    ("feedback",): Feedback,
    ("feedback", "update", _ANY): Update,
}
"""What the mapping at a path is read as. Sections and keys take turns, but for `until`, `feedback`, `train`."""

_TRAIN: dict[Path, type[BaseModel]] = {
    (): Train,
    ("data", "occluders"): Occluders,
    ("data", "validation"): CocoFiles,
    ("data", "test"): CocoFiles,
    ("schedule",): Steps,
    ("augment",): Augment,
    ("evaluate",): Evaluate,
    ("targets", _ANY): Target,
    ("stages", _ANY): Stage,
}
"""Likewise below `train`."""

UNIONS: dict[Path, tuple[str, Mapping[str, type[BaseModel]]]] = {
    ("heads", _ANY): ("head is", HEADS),
    ("train", "data"): ("data are", DATA),
    ("train", "optimizer"): ("optimiser is", OPTIMIZERS),
}
"""Sections whose `kind` says what they are read as: how messages call them, and the kinds."""


def record_of(path: Path, values: Any) -> type[BaseModel] | None:
    """The record that the mapping at `path` is read as."""
    if (union := union_at(path)) is not None:
        default = "adam" if path == ("train", "optimizer") else None
        kind = (keyed(at(values, path)) or {}).get("kind", default)
        return union[1].get(kind) if isinstance(kind, str) else None
    match path:
        case ("inputs", _) if "render" in (keyed(at(values, path)) or {}):
            return RenderedInput
        case ("inference", _):
            return _RECORDS.get(path)
        case ("feedback", "update", _):
            return Update
        case ("train", ("targets" | "stages") as key, _, *rest):
            return _TRAIN.get((key, _ANY, *rest))
        case ("train", *rest):
            return _TRAIN.get(tuple(rest))
        case _:
            return _RECORDS.get(tuple(_ANY if index % 2 else key for index, key in enumerate(path)))


def union_at(path: Path) -> tuple[str, Mapping[str, type[BaseModel]]] | None:
    """How messages call the section at `path`, and its kinds, if a `kind` says what it is."""
    return UNIONS.get(("heads", _ANY) if len(path) == 2 and path[0] == "heads" else path)


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
        case ("state", name):
            return f"state '{name}'"
        case ("feedback", "update", name):
            return f"the update of '{name}'"
        case ("train", "stages", int(number), *rest):
            where = f"stage {number + 1} of 'train'"
            return f"'{'.'.join(map(str, rest))}' of {where}" if rest else where
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
