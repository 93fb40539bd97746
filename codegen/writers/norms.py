"""Norms of drives and messages as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Shape, Site, Writer

from lvmc.ir import ops


def _running(site: Site, op: ops.RunningMoments) -> Expression:
    return Expression(f"({site.args[0].text}, {site.args[1].text})", shape="tuple")


def _norm_diagonal(site: Site, op: ops.NormDiagonal) -> Expression:
    return Expression(
        f"({site.args[0].operand}[1] + {op.eps!r}).sqrt() / {site.args[1].operand}", atomic=False, shape="channel"
    )


def _norm_bias(site: Site, op: ops.NormBias) -> Expression:
    moments, shift, diagonal = site.args
    return Expression(f"{shift.operand} * {diagonal.operand} - {moments.operand}[0]", atomic=False, shape="channel")


def _norm_call(method: str, shape: Shape) -> Writer:
    """A call of the norm module that holds the op's parameters."""

    def write(site: Site, op: ops.Op) -> Expression:
        module = site.attributes.owner(site.equation.args[1])
        return Expression(f"{module}{method}({site.args[0].text})", shape=shape)

    return write


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Moments: _norm_call(".moments", "tuple"),
    ops.RunningMoments: _running,
    ops.NormDiagonal: _norm_diagonal,
    ops.NormBias: _norm_bias,
    ops.MessageNorm: _norm_call("", "plane"),
}
