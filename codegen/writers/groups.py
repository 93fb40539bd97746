"""Units of which at most one of a group is nonzero as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call, windowed

from lvmc.ir import ops


def _gain(site: Site, op: ops.Gain) -> Expression:
    drive, value, diagonal = site.args
    return Expression(
        f"{drive.operand} * {value.operand} - 0.5 * {diagonal.meeting(2)} * {value.operand} ** 2", atomic=False
    )


def _winners(site: Site, op: ops.Winners) -> Expression:
    *gain, drive = (arg.text for arg in site.args)
    second = f", {gain[0]}" if gain else ""
    return Expression(f"winners({drive}, {tuple(op.group)}{second})")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Gain: _gain,
    ops.ClampedKey: call("clamped_key"),
    ops.Winners: _winners,
    ops.Keep: call("keep"),
    ops.Take: call("take"),
    ops.Spread: windowed("spread"),
    ops.MaxWindows: windowed("max_windows"),
}
