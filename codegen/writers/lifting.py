"""Lifting heads as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, plane_of

from lvmc.ir import ops


def _peaks(site: Site, op: ops.Peaks) -> Expression:
    maps = site.args[0]
    if op.gradient == "paper":
        return Expression(f"quadrant_peaks({maps.text})")
    given = f"{maps.operand}.detach()" if op.gradient == "none" else maps.text
    return Expression(f"soft_peaks({given}, {op.window}, {op.temperature!r})")


def _confidence(site: Site, op: ops.Confidence) -> Expression:
    maps = site.args[0].text
    return Expression(f"peak_confidence({maps})" if op.least is None else f"peak_present({maps}, {op.least!r})")


def _lift(site: Site, op: ops.LiftPoints) -> Expression:
    module, weights = site.attributes.owner(site.equation.args[1]), [arg.text for arg in site.args[6:]]
    keys = [f"scale={op.scale!r}"] if op.scale is not None else []
    keys += ["by_paper=True"] if op.gradient == "paper" else []
    return Expression(f"{module}({', '.join([site.args[0].text, *weights, *keys])})")


def _columns(site: Site, op: ops.Columns) -> Expression:
    return Expression(f"{site.args[0].operand}[..., {op.start}:{op.stop}]")


def _beliefs(site: Site, op: ops.Beliefs) -> Expression:
    function = "difference_maps" if op.gradient == "paper" else "belief_maps"
    return Expression(f"{function}({site.args[0].text}, {op.sigma!r}, {plane_of(op)})")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Peaks: _peaks,
    ops.Confidence: _confidence,
    ops.LiftPoints: _lift,
    ops.Columns: _columns,
    ops.Beliefs: _beliefs,
}
