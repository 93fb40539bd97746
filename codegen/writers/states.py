"""States of outer feedback as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer

from lvmc.ir import ops


def _render(site: Site, op: ops.Render) -> Expression:
    """A call of `render` on all points."""
    points, *single = site.args
    further = "".join(f", {each.operand}[:, None]" for each in single)
    given = f"torch.cat(({points.text}{further}), 1)" if single else points.text
    keys = "".join(
        f", {name}={value!r}"
        for name, value, plain in (
            ("truncate", op.truncate, None), ("scale", op.scale, 1.0), ("offset", op.offset, 0.0)
        )
        if value != plain
    )  # fmt: skip
    return Expression(f'render({given}, size["{op.plane}"], size["{op.canvas}"], {op.sigma!r}{keys})')


def _move(site: Site, op: ops.Move) -> Expression:
    """The state plus what moves it, bounded in training."""
    state, change = site.args
    moved = change.text if op.scale == 1.0 else f"{op.scale!r} * {change.operand}"
    if op.limit is not None:
        each = ", each=True" if op.each else ""
        moved = f"bounded({moved}, {op.limit!r}, self.training{each})"
    return Expression(f"{state.text} + {moved}", atomic=False)


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Render: _render,
    ops.Move: _move,
}
