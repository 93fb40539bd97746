"""Python text for one value, and makers of the commonest forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lvmc.codegen.attributes import Attributes

from lvmc.ir import Equation, Size, ops

Shape = Literal["plane", "channel", "scalar", "tuple"]


@dataclass(frozen=True, slots=True)
class Expression:
    """Python text. `atomic` text needs no parentheses; `shape` tells how a per-channel value meets a plane."""

    text: str
    atomic: bool = True
    shape: Shape = "plane"

    @property
    def operand(self) -> str:
        """The text as an operand of a product, or before a subscript."""
        return self.text if self.atomic else f"({self.text})"

    def meeting(self, axes: int) -> str:
        """The text of a per-channel value beside a value with `axes` axes after the channels."""
        return self.operand if self.shape == "scalar" else f"{self.operand}[:{', None' * axes}]"


@dataclass(frozen=True, slots=True)
class Site:
    """What an expression may need besides its arguments.

    `covers`: the filter is as large as the plane. `pointwise`: it has one tap. `spare`: nothing else reads the first
    argument, nor is it needed for gradients, so the result may take its place in memory.
    """

    equation: Equation
    args: tuple[Expression, ...]
    attributes: Attributes
    like: str
    batch: str
    covers: bool = False
    pointwise: bool = False
    spare: bool = False


Writer = Callable[[Site, Any], Expression]


def pair(size: Size) -> str:
    """`3` for (3, 3), `(2, 3)` otherwise."""
    return str(size[0]) if size[0] == size[1] else str(tuple(size))


def options(**pairs: Size | None) -> str:
    """Keyword arguments, as `, padding=1`, that are not None."""
    return "".join(f", {name}={pair(value)}" for name, value in pairs.items() if value is not None)


def call(function: str, shape: Shape = "plane") -> Writer:
    """An op that is one call on its arguments."""

    def write(site: Site, op: ops.Op) -> Expression:
        return Expression(f"{function}({', '.join(arg.text for arg in site.args)})", shape=shape)

    return write


def method(text: str, shape: Shape = "plane") -> Writer:
    """An op that is a method of its one argument."""

    def write(site: Site, op: ops.Op) -> Expression:
        return Expression(f"{site.args[0].operand}{text}", shape=shape)

    return write


def windowed(function: str) -> Writer:
    """A call whose last argument is the op's window."""

    def write(site: Site, op: ops.SumWindows) -> Expression:
        return Expression(f"{function}({', '.join(arg.text for arg in site.args)}, {tuple(op.window)})")

    return write


def plane_of(op: ops.Adjoint | ops.Beliefs | ops.Upsample) -> str:
    """Size of the plane that an op gives a value on."""
    size = f'size["{op.plane}"]'
    return (
        size
        if isinstance(op, ops.Beliefs) or op.replicate == (1, 1)
        else f'windows_of("{op.plane}", {size}, {tuple(op.replicate)})'
    )
