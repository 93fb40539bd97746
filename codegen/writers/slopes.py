"""Slopes of units as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call

from lvmc.ir import ops


def _between(site: Site, op: ops.Between) -> Expression:
    z = site.args[0]
    inside = f"{z.operand} > 0" if op.upper is None else f"({z.operand} > 0) & ({z.operand} < {op.upper!r})"
    return Expression(f"({inside}).to({z.operand}.dtype)")


def _nonzero(site: Site, op: ops.Nonzero) -> Expression:
    z = site.args[0].operand
    return Expression(f"({z} != 0).to({z}.dtype)")


def _sigmoid_slope(site: Site, op: ops.SigmoidSlope) -> Expression:
    z = site.args[0].operand
    return Expression(f"{z} * (1.0 - {z})", atomic=False)


def _times(site: Site, op: ops.Times) -> Expression:
    return Expression(f"{site.args[0].operand} * {site.args[1].operand}", atomic=False)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Between: _between,
    ops.Nonzero: _nonzero,
    ops.Ones: call("torch.ones_like"),
    ops.SigmoidSlope: _sigmoid_slope,
    ops.Times: _times,
}
