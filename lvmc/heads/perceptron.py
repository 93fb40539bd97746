"""f(x, y) as perceptrons: one on the target, one on features of the image beside those of the target.

    u = target(y),   f(x, y) = joint(V z(x) + c + J₁ u)

The first joint layer is the sum of two linear maps, which is one map of the concatenation: its part V z + c that
depends on the image alone is computed once, however many candidates y there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod, sqrt
from typing import Literal, NamedTuple

from lvmc.heads.head import Desk, Reading
from lvmc.heads.planes import Pool, plane_parameters
from lvmc.ir import Init, TensorType, Variable
from lvmc.ir.ops import AddEach, Linear, Op, Rectify, Squeeze, Tanh

Activation = Literal["relu", "tanh"]
_ACTIVATIONS: dict[Activation, Op] = {"relu": Rectify(), "tanh": Tanh()}


class Perceptrons(NamedTuple):
    """Widths of both perceptrons; f is one number more, without a bias, which no density would show."""

    dims: int
    target: tuple[int, ...]
    joint: tuple[int, ...]
    activation: Activation

    @property
    def names(self) -> tuple[str, ...]:
        """What its layers are called, beside the layers that the head reads."""
        return (
            *(f"target{number}" for number in range(1, len(self.target) + 1)),
            *(f"joint{number}" for number in range(1, len(self.joint) + 2)),
        )

    def parameters(self, name: str, readings: Sequence[Reading], pool: Pool) -> Iterator[Variable]:
        """Of readouts, `heads.<name>.<layer>`, of `target1`, … and `joint1`, …; first and last joint have no bias."""
        widths = (self.dims, *self.target)
        read = sum(reading.channels * (1 if pool else prod(reading.size)) for reading in readings)
        scale = _scale(read + widths[-1])
        yield from plane_parameters(name, readings, self.joint[0], pool, scale)
        for number, (inner, outer) in enumerate(pairwise(widths), 1):
            yield from _layer(f"heads.{name}.target{number}", inner, outer)
        yield _matrix(f"heads.{name}.joint1.weight", (self.joint[0], widths[-1]), scale)
        for number, (inner, outer) in enumerate(pairwise(self.joint), 2):
            yield from _layer(f"heads.{name}.joint{number}", inner, outer)
        last = f"heads.{name}.joint{len(self.joint) + 1}.weight"
        yield _matrix(last, (1, self.joint[-1]), _scale(self.joint[-1]))

    def value(self, desk: Desk, features: str, y: str) -> str:
        """f of features (joint width,) at every candidate y (M, dims): (M,)."""
        for number in range(1, len(self.target) + 1):
            y = self._active(desk, f"target{number}", self._linear(desk, f"target{number}", y))
        inner = self._linear(desk, "joint1", y, bias=False)
        inner = desk.build.add(AddEach(), features, inner, name=f"{desk.tag}_joint1_sum", origin=desk.origin)
        inner = self._active(desk, "joint1", inner)
        for number in range(2, len(self.joint) + 1):
            inner = self._active(desk, f"joint{number}", self._linear(desk, f"joint{number}", inner))
        last = self._linear(desk, f"joint{len(self.joint) + 1}", inner, bias=False)
        return desk.build.add(Squeeze(), last, name=f"{desk.tag}_value", origin=desk.origin)

    def _linear(self, desk: Desk, layer: str, x: str, bias: bool = True) -> str:
        given = [desk.parameter(layer, leaf) for leaf in (("weight", "bias") if bias else ("weight",))]
        return desk.build.add(Linear(), x, *given, name=f"{desk.tag}_{layer}_sum", origin=desk.origin)

    def _active(self, desk: Desk, layer: str, x: str) -> str:
        return desk.build.add(_ACTIVATIONS[self.activation], x, name=f"{desk.tag}_{layer}", origin=desk.origin)


def _layer(stem: str, inner: int, outer: int) -> Iterator[Variable]:
    """Weight and bias; biases that differ spread the kinks of a target's first layer over its range."""
    yield _matrix(f"{stem}.weight", (outer, inner), _scale(inner))
    yield Variable(f"{stem}.bias", TensorType((outer,), batched=False), "parameter", Init("normal", _scale(inner)))


def _matrix(name: str, shape: tuple[int, int], scale: float) -> Variable:
    return Variable(name, TensorType(shape, batched=False), "parameter", Init("normal", scale))


def _scale(inputs: int) -> float:
    """The deviation of what torch's own linear layers start at: f is then nearly flat, as no target is known yet."""
    return sqrt(1.0 / (3.0 * inputs))
