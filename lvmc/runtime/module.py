"""Turns emitted source into a live module that knows where it came from."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, cast

from lvmc.assemble import Options
from lvmc.graph import EnergyGraph
from lvmc.runtime.backends import MAX_GRAPHS, Backend, Runner
from lvmc.runtime.graph_cache import Call
from lvmc.spec import Spec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lvmc.runtime.density import Density
    from lvmc.runtime.graph_cache import Outputs

    class Model(nn.Module):
        """What live models have in common, for type checkers."""

        max_graphs: int
        """CUDA graphs held at most, one for each kind of call; set it to hold more or fewer."""

        def forward(self, *inputs: Tensor, **given: Tensor) -> dict[str, Tensor]:
            """Heads by name; layers, where the spec has no heads."""
            ...

        def latents(self, *inputs: Tensor, **given: Tensor) -> dict[str, Tensor]:
            """Layers after their last update, by name: (batch, C, H, W)."""
            ...

        def step(self, *inputs: Tensor, **given: Tensor) -> dict[str, Tensor]:
            """Of models with outer feedback: one step from given states; heads, and the states as it leaves them."""
            ...

        def score(self, *inputs_and_z: Tensor | dict[str, Tensor]) -> Tensor:
            """S(z; x) of every sample, (batch,), from the inputs and all layers."""
            ...

        def losses(
            self, out: dict[str, Tensor], targets: dict[str, Tensor], samples: dict[str, Tensor] | None = None
        ) -> dict[str, Tensor]:
            """Weighted loss of every head; their sum is the objective. Density heads take `samples` around targets."""
            ...

        def densities(self, out: dict[str, Tensor]) -> dict[str, Density]:
            """p(y | x) of every sample by density head, from what a call gave."""
            ...


_KNOWN_AS = "_lvmc"
_RUNNER = "_lvmc_runner"
_METHODS = ("forward", "latents", "step", "score", "losses")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a live module was made from."""

    spec: Spec
    graph: EnergyGraph
    options: Options
    source: str
    class_name: str


def build_module(compiled: Compiled, backend: Backend | None = None) -> Model:
    """The emitted class, constructed, with a note of what it was compiled from and how it is to run."""
    made = _emitted_class(compiled)
    model = (made if backend == "eager" else _live_class(made))(compiled.options.seed)
    model.__dict__[_KNOWN_AS] = compiled
    if backend != "eager":
        model.__dict__[_RUNNER] = Runner(backend)
    return model


def runner_of(model: nn.Module) -> Runner | None:
    """What carries out a model's methods; None where they run as emitted."""
    return model.__dict__.get(_RUNNER)


def compiled_of(model: nn.Module) -> Compiled:
    """What a module was compiled from.

    Raises:
        TypeError: It was not made by `lvmc.compile` or `lvmc.open`.
    """
    compiled = model.__dict__.get(_KNOWN_AS)
    if not isinstance(compiled, Compiled):
        raise TypeError("needs a model made by lvmc.compile or lvmc.open")
    return compiled


def _emitted_class(compiled: Compiled) -> type[Model]:
    return getattr(import_source(compiled.source, compiled.graph.name), compiled.class_name)


@cache
def _live_class(made: type[Model]) -> type[Model]:
    """The emitted class under its own name, with methods that go through the instance's runner.

    Methods are overridden rather than replaced in instances: replicas and copies then run on themselves, and nothing
    of a model points back to it.
    """
    told: dict[str, object] = {
        "__doc__": made.__doc__,
        "__module__": made.__module__,
        "__qualname__": made.__qualname__,
        "__reduce_ex__": _reduced,
        "max_graphs": MAX_GRAPHS,
    }
    methods = {name: _carried_out(name, getattr(made, name)) for name in _METHODS if hasattr(made, name)}
    return cast("type[Model]", type(made.__name__, (made,), told | methods))


def _carried_out(name: str, method: Callable[..., Outputs]) -> Callable[..., Outputs]:
    @wraps(method)
    def run(self: Model, *args: object, **kwargs: object) -> Outputs:
        import torch

        runner = runner_of(self)
        if runner is None or torch.compiler.is_compiling():
            return method(self, *args, **kwargs)
        return runner.run(Call(self, name, method, args, kwargs), self.max_graphs)

    return run


def _reduced(model: Model, protocol: int) -> object:
    """As the emitted source and a state: another process has neither class."""
    compiled = model.__dict__.get(_KNOWN_AS)
    if not isinstance(compiled, Compiled) or type(model) is not _live_class(_emitted_class(compiled)):
        return object.__reduce_ex__(model, protocol)
    return _revive, (compiled,), model.__dict__


def _revive(compiled: Compiled) -> Model:
    live = _live_class(_emitted_class(compiled))
    return live.__new__(live)


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
