"""Where parameters live in the emitted module: which filters are `nn.Conv2d`, which modules are norms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lvmc.ir import Equation, Geometry, Program, Variable
from lvmc.ir.ops import Correlate, MessageNorm, Moments


@dataclass(frozen=True, slots=True)
class Conv:
    """A filter emitted as an `nn.Conv2d`: its shape, geometry and whether it has a bias."""

    shape: tuple[int, ...]
    geometry: Geometry
    bias: bool


@dataclass(frozen=True, slots=True)
class Norm:
    """A norm module: channels, and ε where it applies it itself (`None`: the norm of a drive)."""

    channels: int
    momentum: float
    eps: float | None


@dataclass(frozen=True, slots=True)
class Attributes:
    """Conv and norm modules by path; every other parameter is a plain one of its parent."""

    convs: dict[str, Conv]
    norms: dict[str, Norm]

    def conv_call(self, equation: Equation) -> str:
        """`self.h1` if calling that module computes the equation; empty otherwise."""
        weight, *bias = equation.args[1:]
        path, _, leaf = weight.rpartition(".")
        conv = self.convs.get(path) if leaf == "weight" else None
        op = equation.op
        if conv is None or not isinstance(op, Correlate) or conv.geometry != op.geometry:
            return ""
        return f"self.{path}" if bias == ([f"{path}.bias"] if conv.bias else []) else ""

    def owner(self, parameter: str) -> str:
        """The module that holds a parameter, as text: `self.h1.norm`."""
        return f"self.{parameter.rpartition('.')[0]}"


def attributes(parameters: Iterable[Variable], programs: Iterable[Program]) -> Attributes:
    """Decide from the parameters and from the equations that use them."""
    known = {parameter.name: parameter for parameter in parameters}
    convs: dict[str, Conv] = {}
    norms: dict[str, Norm] = {}
    for program in programs:
        for equation in program.equations:
            match equation.op:
                case Correlate(geometry):
                    _note_conv(equation.args[1], geometry, known, convs)
                case Moments(momentum):
                    path = equation.args[1].rpartition(".")[0]
                    norms[path] = Norm(known[equation.args[1]].type.shape[0], momentum, None)
                case MessageNorm(eps, momentum):
                    path = equation.args[1].rpartition(".")[0]
                    norms[path] = Norm(known[equation.args[1]].type.shape[0], momentum, eps)
                case _:
                    pass
    return Attributes(convs, norms)


def _note_conv(weight: str, geometry: Geometry, known: dict[str, Variable], convs: dict[str, Conv]) -> None:
    path, _, leaf = weight.rpartition(".")
    if leaf == "weight" and weight in known and path not in convs:
        convs[path] = Conv(known[weight].type.shape, geometry, f"{path}.bias" in known)
