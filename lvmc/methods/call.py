"""How the emitted class is called, and how its inner methods hand a state on."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.assemble import Options
from lvmc.codegen import Method
from lvmc.fixed_point import bindings
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.rolled import entry_of
from lvmc.unroll import Clamp


@dataclass(frozen=True, slots=True)
class Call:
    """How the emitted class is called: its inputs, what else is given by keyword, or else the batch size."""

    inputs: tuple[str, ...]
    given: tuple[str, ...]
    clamp: Clamp

    @staticmethod
    def of(graph: EnergyGraph, options: Options) -> Call:
        """The call of a graph under some options."""
        given: list[str] = []
        for layer in graph.layers:
            how = options.clamp.get(layer.name)
            given += [layer.name] if options.start or how else []
            given += [f"{layer.name}_mask"] if how == "mask" else []
        return Call(tuple(node.name for node in graph.plain_inputs), tuple(given), options.clamp)

    @property
    def signature(self) -> str:
        """Parameters of a public method."""
        keywords = ["*", *(f"{name}: Tensor" for name in self.given)] if self.given else []
        batch = [] if self.names else ["batch: int = 1"]
        return ", ".join([*(f"{name}: Tensor" for name in self.inputs), *keywords, *batch])

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor that is given."""
        return (*self.inputs, *self.given)

    @property
    def inner(self) -> str:
        """Parameters of a method that is called with all that is given, and the sizes."""
        given = [f"{name}: Tensor" for name in self.names] or ["batch: int"]
        return ", ".join([*given, "size: dict[str, Size]"])

    @property
    def arguments(self) -> str:
        """Arguments of such a call."""
        return ", ".join([*(self.names or ["batch"]), "size"])

    @property
    def bindings(self) -> dict[str, str]:
        """How programs that are given all tensors name them."""
        return {name: name for name in self.names}

    def method(self, name: str, docstring: tuple[str, ...], program: Program, setup: tuple[str, ...] = ()) -> Method:
        """A public method."""
        bound = state_bindings(program, self) if setup else self.bindings
        return Method(name, self.signature, "dict[str, Tensor]", docstring, program, bound, setup=setup)


STATE = "state: dict[str, Tensor], size: dict[str, Size]"


def state_bindings(program: Program, call: Call) -> dict[str, str]:
    """Entries of the state, under the names that programs give them."""
    entries = {v.name: entry for v in program.variables if (entry := entry_of(v)) is not None}
    return {name: f'state["{entry}"]' for name, entry in (bindings(call.clamp) | entries).items()}
