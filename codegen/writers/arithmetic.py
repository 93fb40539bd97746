"""Sums, products and non-linearities as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call, method

from lvmc.ir import ops


def _constant(site: Site, op: ops.Constant) -> Expression:
    if len(set(op.values)) == 1:
        return Expression(repr(op.values[0]), shape="scalar")
    return Expression(f"{site.like}.new_tensor({list(op.values)!r})", shape="channel")


def _zeros(site: Site, op: ops.Zeros) -> Expression:
    size = f'*size["{op.plane}"]'
    return Expression(f"{site.like}.new_zeros({site.batch}, {size}, {op.shape[0]}).permute(0, 3, 1, 2)")


def _add(site: Site, op: ops.Add) -> Expression:
    return Expression(" + ".join(arg.text for arg in site.args), atomic=len(site.args) == 1)


def _add_channel(site: Site, op: ops.AddChannel) -> Expression:
    return Expression(f"{site.args[0].text} + {site.args[1].meeting(2)}", atomic=False)


def _div_channel(site: Site, op: ops.DivChannel) -> Expression:
    x, diagonal = site.args
    if diagonal.shape == "scalar":
        return Expression(f"{x.operand} / {diagonal.operand}", atomic=False)
    return Expression(f"{x.operand} * (1.0 / {diagonal.operand})[:, None, None]", atomic=False)


def _div_filter(site: Site, op: ops.DivFilter) -> Expression:
    axes = len(site.equation.type.shape) - 1
    divisor = site.args[1].meeting(axes) if axes else site.args[1].operand
    return Expression(f"{site.args[0].operand} / {divisor}", atomic=False, shape="plane" if axes else "channel")


def _rectify(site: Site, op: ops.Rectify) -> Expression:
    x = site.args[0]
    if op.upper is not None:
        return Expression(f"{x.operand}.clamp(0.0, {op.upper!r})")
    return Expression(f"F.relu_({x.text})" if site.spare else f"F.relu({x.text})")


def _select(site: Site, op: ops.Select) -> Expression:
    mask, given, updated = site.args
    return Expression(f"torch.where({mask.text}, {given.text}, {updated.text})")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Constant: _constant,
    ops.Zeros: _zeros,
    ops.Add: _add,
    ops.AddChannel: _add_channel,
    ops.DivChannel: _div_channel,
    ops.DivFilter: _div_filter,
    ops.Rectify: _rectify,
    ops.Sigmoid: call("torch.sigmoid"),
    ops.ClipUnit: method(".clamp(0.0, 1.0)"),
    ops.Select: _select,
    ops.Positive: call("positive", "channel"),
}
