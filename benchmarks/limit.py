"""The limit of a compiled net's speed: the convolutions it cannot do without, and nothing else.

They are read off the optimised program: every bottom-up and top-down message, and the filters of the heads. Each runs
on tensors of its own in channels-last order, with weights in that order; a filter over the whole plane is a matrix
product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Clock
from lvmc.assemble import Options, programs
from lvmc.ir import Program
from lvmc.ir.ops import Adjoint, Correlate
from lvmc.ir.program import Equation
from lvmc.ir.types import TensorType
from lvmc.loading import resolve
from nets import SpecDict


@dataclass(frozen=True, slots=True)
class Convolutions:
    """The necessary convolutions, ready to run, and the floating-point operations of one sample."""

    runs: tuple[partial[Tensor], ...]
    flops: int

    def __call__(self) -> None:
        """Run each once; nothing is kept."""
        for run in self.runs:
            run()

    def seconds(self, clock: Clock) -> float:
        """The sum of the times of each alone, its input in cache as it is where a layer has just been computed."""
        total = 0.0
        for run in self.runs:
            run.args[0].mul_(1.0)
            start = clock()
            run()
            total += clock() - start
        return total


def convolutions(
    spec: SpecDict,
    passes: int | None = None,
    batch: int = 1,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Convolutions:
    """The convolutions that `forward` of a compiled spec computes."""
    made = programs(resolve(spec)[1], Options(passes=passes))
    parts = made.loop.parts("forward") if made.loop else ((made.forward, 1),)
    weights = _Weights(device, dtype)
    runs: list[partial[Tensor]] = []
    flops = 0
    for program, times in parts:
        types = _types(program)
        equations = [equation for equation in program.equations if isinstance(equation.op, Correlate | Adjoint)]
        runs += times * [_run(equation, types, batch, weights) for equation in equations]
        flops += times * sum(each.op.flops([types[arg] for arg in each.args], each.type) for each in equations)
    if not runs:
        raise ValueError(f"no message was found in the program of {spec['name']}")
    return Convolutions(tuple(runs), flops)


class _Weights:
    """One tensor for every filter of the program, however often it is used."""

    def __init__(self, device: str, dtype: torch.dtype) -> None:
        self.device, self.dtype = device, dtype
        self._made: dict[str, Tensor] = {}

    def __call__(self, name: str, shape: tuple[int, ...], whole: bool = False) -> Tensor:
        """A filter or bias; contents do not matter, but must be ordinary numbers."""
        if name not in self._made:
            made = torch.randn(shape, device=self.device, dtype=self.dtype)
            filters = len(shape) == 4 and not whole
            self._made[name] = made.contiguous(memory_format=torch.channels_last) if filters else made
        return self._made[name]

    def plane(self, batch: int, shape: tuple[int, ...]) -> Tensor:
        """An input of a convolution."""
        made = torch.randn((batch, *shape), device=self.device, dtype=self.dtype)
        return made.contiguous(memory_format=torch.channels_last)


def _run(equation: Equation, types: dict[str, TensorType], batch: int, weights: _Weights) -> partial[Tensor]:
    op, arguments = equation.op, [types[arg] for arg in equation.args]
    assert isinstance(op, Correlate | Adjoint)
    geometry = op.geometry
    if geometry.circular:
        raise ValueError(f"{equation.out} wraps around its plane, for which there is no single convolution")
    x = weights.plane(batch, arguments[0].shape)
    whole = arguments[1].shape[1:] == (arguments[0].shape if isinstance(op, Correlate) else equation.type.shape)
    weight = weights(equation.args[1], arguments[1].shape, whole)
    bias = weights(equation.args[2], arguments[2].shape) if len(arguments) == 3 else None
    if isinstance(op, Correlate):
        if whole:
            return partial(F.linear, x.flatten(1), weight.flatten(1), bias)
        return partial(F.conv2d, x, weight, bias, geometry.stride, geometry.padding, geometry.dilation)
    if whole:
        return partial(torch.mm, x.flatten(1), weight.flatten(1))  # a bias, if any, is left out of the limit
    if geometry.stride == (1, 1):  # a convolution like any other, which is a little faster than one called transposed
        flipped = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        rows, columns = geometry.extent((weight.shape[2], weight.shape[3]))
        padding = (rows - 1 - geometry.padding[0], columns - 1 - geometry.padding[1])
        return partial(F.conv2d, x, flipped, bias, geometry.stride, padding, geometry.dilation)
    rest = _rest(op, arguments)
    return partial(F.conv_transpose2d, x, weight, bias, geometry.stride, geometry.padding, rest, 1, geometry.dilation)


def _rest(op: Adjoint, arguments: list[TensorType]) -> tuple[int, int]:
    """Rows and columns at the far border that the strides of the correlation skipped."""
    above, kernel = arguments[0].shape[1:], arguments[1].shape[2:]
    extent = op.geometry.extent((kernel[0], kernel[1]))
    stride, padding = op.geometry.stride, op.geometry.padding
    rows, columns = (
        op.size[axis] - ((above[axis] - 1) * stride[axis] - 2 * padding[axis] + extent[axis]) for axis in (0, 1)
    )
    return (rows, columns)


def _types(program: Program) -> dict[str, TensorType]:
    types = {variable.name: variable.type for variable in program.variables}
    return types | {equation.out: equation.type for equation in program.equations}
