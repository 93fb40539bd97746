"""Where parameters live in the emitted module: which are filters of an `nn.Conv2d`, matrices, or norms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lvmc.ir import Equation, Geometry, Plane, Program, Size, TensorType, Variable
from lvmc.ir.ops import Adjoint, Correlate, LiftPoints, Linear, MessageNorm, Moments, ScaleFilter


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
class Matrix:
    """A matrix emitted as an `nn.Linear`: its shape (m, n), and whether it has a bias."""

    shape: tuple[int, ...]
    bias: bool


@dataclass(frozen=True, slots=True)
class Attributes:
    """Conv, norm, lifting and linear modules by path; every other parameter is a plain one of its parent.

    A lifting module's sizes are components, dimensions, points and rotations.

    `wholes` are the modules whose filters cover a plane, and so are matrices; `exact` are the planes of one size.
    """

    convs: dict[str, Conv]
    norms: dict[str, Norm]
    lifts: dict[str, tuple[int, int, int, int]]
    matrices: dict[str, Matrix]
    wholes: tuple[str, ...]
    exact: frozenset[str]

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
    lifts: dict[str, tuple[int, int, int, int]] = {}
    matrices: dict[str, Matrix] = {}
    wholes: dict[str, None] = {}
    exact: frozenset[str] = frozenset()
    for program in programs:
        exact |= _exact(program.planes)
        types, scaled = types_of(program), dict[str, str]()
        for equation in program.equations:
            match equation.op:
                case ScaleFilter():
                    scaled[equation.out] = equation.args[0]
                case Correlate(geometry):
                    weight = scaled.get(equation.args[1], equation.args[1])
                    _note_conv(weight, geometry, known, convs)
                    if covers(equation, types) and weight in known:
                        wholes[weight.rpartition(".")[0]] = None
                case Linear():
                    path = equation.args[1].rpartition(".")[0]
                    matrices[path] = Matrix(known[equation.args[1]].type.shape, f"{path}.bias" in known)
                case Moments(momentum):
                    path = equation.args[1].rpartition(".")[0]
                    norms[path] = Norm(known[equation.args[1]].type.shape[0], momentum, None)
                case MessageNorm(eps, momentum):
                    path = equation.args[1].rpartition(".")[0]
                    norms[path] = Norm(known[equation.args[1]].type.shape[0], momentum, eps)
                case LiftPoints():
                    (components, dimensions, _, points), rotations = (types[equation.args[n]].shape for n in (2, 5))
                    lifts[equation.args[1].rpartition(".")[0]] = (components, dimensions, points, rotations[0])
                case _:
                    pass
    return Attributes(convs, norms, lifts, matrices, tuple(wholes), exact)


def types_of(program: Program) -> dict[str, TensorType]:
    """The type of every value of a program."""
    given = {variable.name: variable.type for variable in program.variables}
    return given | {equation.out: equation.type for equation in program.equations}


def covers(equation: Equation, types: Mapping[str, TensorType]) -> bool:
    """Whether a message's filter is as large as its plane, of more than one unit: it is then a matrix product."""
    op = equation.op
    if not isinstance(op, Correlate | Adjoint):
        return False
    plane = _size(types[equation.args[0]]) if isinstance(op, Correlate) else op.size
    plain = Geometry(circular=op.geometry.circular)
    return plane != (1, 1) and plane == _kernel(types[equation.args[1]]) and op.geometry == plain


def pointwise(equation: Equation, types: Mapping[str, TensorType]) -> bool:
    """Whether a message's filter has one tap: it is then a matrix product over channels."""
    op = equation.op
    if not isinstance(op, Correlate | Adjoint) or _kernel(types[equation.args[1]]) != (1, 1):
        return False
    return op.geometry.padding == (0, 0) and op.geometry.stride == (1, 1)


def _size(plane: TensorType) -> Size:
    return (plane.shape[1], plane.shape[2])


def _kernel(weight: TensorType) -> Size:
    return (weight.shape[2], weight.shape[3])


def _exact(planes: tuple[Plane, ...]) -> frozenset[str]:
    """The planes that have their nominal size always: something reads the whole of them or of a plane above."""
    exact = {plane.name for plane in planes if plane.exact or plane.fixed}
    for plane in reversed(planes):
        if plane.name in exact and plane.below is not None and plane.geometry.stride == (1, 1):
            exact.add(plane.below)
    for plane in planes:
        if plane.below in exact:
            exact.add(plane.name)
    return frozenset(exact)


def _note_conv(weight: str, geometry: Geometry, known: dict[str, Variable], convs: dict[str, Conv]) -> None:
    path, _, leaf = weight.rpartition(".")
    if leaf == "weight" and weight in known and path not in convs:
        convs[path] = Conv(known[weight].type.shape, geometry, f"{path}.bias" in known)
