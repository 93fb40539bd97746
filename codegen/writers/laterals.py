"""Couplings within a layer as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call, method

from lvmc.ir import ops


def _add_scaled(site: Site, op: ops.AddScaled) -> Expression:
    drive, value, scale = site.args
    return Expression(f"{drive.text} + {scale.operand} * {value.operand}", atomic=False)


def _add_scalar(site: Site, op: ops.AddScalar) -> Expression:
    diagonal, bound = site.args
    return Expression(f"{diagonal.text} + {bound.text}", atomic=False, shape=diagonal.shape)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.SymmetricTaps: call("symmetric"),
    ops.LateralBound: method(".abs().sum((1, 2, 3)).amax()", "scalar"),
    ops.AddScaled: _add_scaled,
    ops.AddScalar: _add_scalar,
}
