"""Messages between layers as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, options, plane_of, windowed

from lvmc.ir import Geometry, Size, ops


def _geometry(geometry: Geometry) -> dict[str, Size | None]:
    plain = {
        "stride": (geometry.stride, (1, 1)),
        "padding": (geometry.padding, (0, 0)),
        "dilation": (geometry.dilation, (1, 1)),
    }
    return {name: value if value != default else None for name, (value, default) in plain.items()}


def _correlate(site: Site, op: ops.Correlate) -> Expression:
    x, *parameters = site.args
    module = site.attributes.conv_call(site.equation)
    if site.covers:
        function = "whole" if _exact(site) else "correlate"
        return Expression(f"{function}({', '.join(arg.text for arg in site.args)})")
    if site.pointwise:
        return Expression(f"pointwise({', '.join(arg.text for arg in site.args)})")
    if module:
        return Expression(f"{module}({x.text})")
    keys = _geometry(op.geometry)
    if op.geometry.circular and op.geometry.padding != (0, 0):
        x = Expression(f"wrap({x.text}, {tuple(op.geometry.padding)})")
        keys["padding"] = None
    weights = ", ".join(parameter.text for parameter in parameters)
    return Expression(f"F.conv2d({x.text}, {weights}{options(**keys)})")


def _adjoint(site: Site, op: ops.Adjoint) -> Expression:
    z, weight, *bias = (arg.text for arg in site.args)
    geometry, keys = op.geometry, _geometry(op.geometry)
    wraps = geometry.circular and geometry.padding != (0, 0)
    if site.covers:
        function = "whole_adjoint" if _exact(site) else "correlate_adjoint"
        return Expression(f"{function}({', '.join([z, weight, *bias])})")
    if site.pointwise:
        return Expression(f"pointwise_adjoint({', '.join([z, weight, *bias])})")
    if geometry.stride == (1, 1) and not wraps:
        return Expression(f"F.conv_transpose2d({', '.join([z, weight, *bias])}{options(**keys)})")
    size = plane_of(op)
    if not wraps:
        given = f", {bias[0]}" if bias else ""
        return Expression(f"adjoint({z}, {weight}, {size}{given}{_tuples(keys)})")
    rows, columns = geometry.padding
    padded = f"({size}[0] + {2 * rows}, {size}[1] + {2 * columns})"
    folded = f"unwrap(adjoint({z}, {weight}, {padded}{_tuples(keys | {'padding': None})}), {tuple(geometry.padding)})"
    return Expression(f"{folded} + {bias[0]}[:, None, None]" if bias else folded, atomic=not bias)


def _exact(site: Site) -> bool:
    """Whether the plane below, or above, always has its nominal size."""
    origin = site.equation.origin
    ends = (origin.layer, origin.sender) if origin.role in ("bottom", "top") else ()
    return any(end in site.attributes.exact for end in ends)


def _tuples(keys: dict[str, Size | None]) -> str:
    """Keyword arguments, as `, padding=(1, 1)`, that are not None."""
    return "".join(f", {name}={tuple(value)}" for name, value in keys.items() if value is not None)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Correlate: _correlate,
    ops.Adjoint: _adjoint,
    ops.SumWindows: windowed("sum_windows"),
    ops.RepeatWindows: windowed("repeat_windows"),
}
