"""What heads make of layers as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, method, plane_of

from lvmc.ir import ops


def _upsample(site: Site, op: ops.Upsample) -> Expression:
    function = {"bilinear": "upsample", "nearest": "upsample_nearest", "fcn": "upsample_fcn"}[op.mode]
    return Expression(f"{function}({site.args[0].text}, {plane_of(op)})")


def _reshape(site: Site, op: ops.Reshape) -> Expression:
    x = site.args[0].operand
    if len(op.shape) == 1:
        return Expression(f"{x}.flatten(1)")
    return Expression(f"{x}.flatten(1).unflatten(1, {tuple(op.shape)})")


def _stack(site: Site, op: ops.Stack) -> Expression:
    return Expression(f"torch.stack([{', '.join(arg.text for arg in site.args)}])")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Upsample: _upsample,
    ops.MeanPlane: method(".mean((2, 3), keepdim=True)"),
    ops.Reshape: _reshape,
    ops.Stack: _stack,
}
