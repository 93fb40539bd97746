"""Turns emitted source into a live module that knows where it came from."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING

from lvmc.assemble import Options
from lvmc.graph import EnergyGraph
from lvmc.spec import Spec

if TYPE_CHECKING:
    from torch import Tensor, nn

    class Model(nn.Module):
        """What emitted classes have in common, for type checkers."""

        def forward(self, *inputs: Tensor, **given: Tensor) -> dict[str, Tensor]:
            """Heads by name; layers, where the spec has no heads."""
            ...

        def latents(self, *inputs: Tensor, **given: Tensor) -> dict[str, Tensor]:
            """Layers after their last update, by name: (batch, C, H, W)."""
            ...

        def score(self, *inputs_and_z: Tensor | dict[str, Tensor]) -> Tensor:
            """S(z; x) of every sample, (batch,), from the inputs and all layers."""
            ...

        def losses(self, out: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
            """Weighted loss of every head; their sum is the objective."""
            ...


_KNOWN_AS = "_lvmc"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a live module was made from."""

    spec: Spec
    graph: EnergyGraph
    options: Options
    source: str
    class_name: str


def build_module(compiled: Compiled) -> Model:
    """The emitted class, constructed, with a note of what it was compiled from."""
    module = import_source(compiled.source, compiled.graph.name)
    made: type[Model] = getattr(module, compiled.class_name)
    model = made(compiled.options.seed)
    model.__dict__[_KNOWN_AS] = compiled
    return model


def compiled_of(model: nn.Module) -> Compiled:
    """What a module was compiled from.

    Raises:
        TypeError: It was not made by `lvmc.compile` or `lvmc.open`.
    """
    compiled = model.__dict__.get(_KNOWN_AS)
    if not isinstance(compiled, Compiled):
        raise TypeError("needs a model made by lvmc.compile or lvmc.open")
    return compiled


def import_source(source: str, name: str) -> ModuleType:
    """Execute emitted source as a module; tracebacks and `inspect` see its lines."""
    digest = sha256(source.encode()).hexdigest()[:16]
    title = f"lvmc_emitted_{name}_{digest}"
    if title in sys.modules:
        return sys.modules[title]
    module = ModuleType(title)
    file = f"<{title}>"
    module.__file__ = file
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    sys.modules[title] = module
    return module
