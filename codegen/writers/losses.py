"""Losses as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call

from lvmc.ir import ops


def _distance(site: Site, op: ops.DistanceLoss) -> Expression:
    return Expression(f"distance_loss({site.args[0].text}, {site.args[1].text}, {op.power}, {op.ignore})")


def _known(site: Site, op: ops.KnownLoss) -> Expression:
    function = "shape_loss" if op.anywhere else "known_loss"
    return Expression(f"{function}({site.args[0].text}, {site.args[1].text})")


def _weighted(site: Site, op: ops.Weighted) -> Expression:
    return Expression(f"{op.weight!r} * {site.args[0].operand}", atomic=False)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.KnownLoss: _known,
    ops.LogisticLoss: call("logistic_loss"),
    ops.SoftmaxLoss: call("softmax_loss"),
    ops.DistanceLoss: _distance,
    ops.Weighted: _weighted,
}
