"""Filters scaled so that a bound holds as PyTorch expressions."""

from __future__ import annotations

from dataclasses import MISSING, fields

from lvmc.codegen.expressions import Expression, Site, Writer

from lvmc.ir import ops
from lvmc.ir.bounds import Reach


def _safe_scale(site: Site, op: ops.SafeScale) -> Expression:
    count = len(op.reaches)
    diagonals = [f'"{name}": {d.text}' for name, d in zip(op.layers, site.args[count:], strict=True)]
    couplings = [_coupling(reach, taps) for reach, taps in zip(op.reaches, site.args, strict=False)]
    given = ", ".join([repr(op.limit), f"{{{', '.join(diagonals)}}}", *couplings])
    return Expression(f"{op.claim}_scale({given})", shape="scalar")


def _coupling(reach: Reach, taps: Expression) -> str:
    """A filter and what it joins: `Coupling("h2", "h1", self.h2.weight, stride=(2, 2))`."""
    changed = [each for each in fields(reach) if each.default not in (MISSING, getattr(reach, each.name))]
    keys = "".join(f", {each.name}={getattr(reach, each.name)!r}" for each in changed)
    return f'Coupling("{reach.upper}", "{reach.lower}", {taps.text}{keys})'


def _scale_filter(site: Site, op: ops.ScaleFilter) -> Expression:
    taps, scale = site.args
    return Expression(f"{scale.operand} * {taps.operand}", atomic=False)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.SafeScale: _safe_scale,
    ops.ScaleFilter: _scale_filter,
}
