"""What an emitter is asked for: a module's parameters and planes, and its methods as programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Literal

from lvmc.codegen.support import definitions, imports

from lvmc.ir import Plane, Program, Variable


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the emitted class.

    `arguments` is its signature after `self`; `bindings` say how its program's variables are written in it
    (parameters are attributes of the module). `setup` are statements before those of the program; without a program
    they are the body. `sizes` says where the planes' sizes come from: worked out here, or an argument. `shapes` are
    told beside values. A method in its `own_precision` knows no autocast.
    """

    name: str
    arguments: str
    returns: str
    docstring: tuple[str, ...]
    program: Program | None
    bindings: Mapping[str, str]
    result: Literal["dict", "value"] = "dict"
    setup: tuple[str, ...] = ()
    sizes: Literal["found", "given", "unused"] = "found"
    headings: bool = True
    shapes: bool = True
    frees: bool = False
    own_precision: bool = False


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """A whole emitted file."""

    name: str
    docstring: tuple[str, ...]
    parameters: tuple[Variable, ...]
    planes: tuple[Plane, ...]
    seed: int
    methods: tuple[Method, ...]


def class_name(name: str) -> str:
    """`qp_faces` → `QpFaces`."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "Model"
    taken = {*definitions(), *imports(), "F"}
    free = camel[0].isupper() and camel not in taken and not iskeyword(camel)
    return camel if free else f"{camel}Model"
