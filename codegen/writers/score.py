"""The score and how far from its maximum a state is as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call

from lvmc.ir import ops


def _inner(site: Site, op: ops.Inner) -> Expression:
    text = f"inner({site.args[0].text}, {site.args[1].text})"
    return Expression(text if op.scale == 1.0 else f"{op.scale!r} * {text}", atomic=op.scale == 1.0)


def _inner_channel(site: Site, op: ops.InnerChannel) -> Expression:
    return Expression(f"inner({site.args[0].text}, {site.args[1].meeting(2)})")


def _self_term(site: Site, op: ops.SelfTerm) -> Expression:
    z, diagonal = site.args
    if diagonal.text == "1.0":
        return Expression(f"-0.5 * inner({z.text}, {z.text})", atomic=False)
    return Expression(f"-0.5 * inner({z.text}, {diagonal.meeting(2)} * {z.operand})", atomic=False)


def _minus_diagonal(site: Site, op: ops.MinusDiagonal) -> Expression:
    return Expression(f"-{site.args[1].meeting(2)} * {site.args[0].operand}", atomic=False)


def _largest_change(site: Site, op: ops.LargestChange) -> Expression:
    return Expression(f"({site.args[0].text} - {site.args[1].operand}).abs().amax((1, 2, 3))")


def _largest(site: Site, op: ops.Largest) -> Expression:
    return Expression(f"torch.stack([{', '.join(arg.text for arg in site.args)}]).amax(0)")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Inner: _inner,
    ops.InnerChannel: _inner_channel,
    ops.SelfTerm: _self_term,
    ops.MinusDiagonal: _minus_diagonal,
    ops.Entropy: call("entropy"),
    ops.LargestChange: _largest_change,
    ops.Largest: _largest,
}
