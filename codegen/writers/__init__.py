"""Each op as a PyTorch expression; the modules are those of the ops."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer
from lvmc.codegen.writers import (
    arithmetic,
    constraints,
    densities,
    groups,
    laterals,
    lifting,
    losses,
    messages,
    norms,
    readout,
    score,
    slopes,
    states,
)

from lvmc.ir import ops

WRITERS: dict[type[ops.Op], Writer] = {
    **arithmetic.WRITERS,
    **constraints.WRITERS,
    **densities.WRITERS,
    **groups.WRITERS,
    **laterals.WRITERS,
    **lifting.WRITERS,
    **losses.WRITERS,
    **messages.WRITERS,
    **norms.WRITERS,
    **readout.WRITERS,
    **score.WRITERS,
    **slopes.WRITERS,
    **states.WRITERS,
}


def expression(site: Site) -> Expression:
    """The equation's right-hand side."""
    return WRITERS[type(site.equation.op)](site, site.equation.op)
