"""Attenuated inhibition: how much of each inhibitory coupling the positive semidefinite bracket keeps.

    A = [D − C₊ + M + G] + [C₋ − M] − G,  0 ≤ M ≤ C₋,  zᵀGz = 0 on K

If the first bracket is positive semidefinite, A is copositive on K: C₋ − M ≥ 0, and G couples units of one group only,
of which one is nonzero. M keeps the share m of every tap of C₋ (of a whole coupling, or of each tap its own); G is
m_l √(d_i d_j) between the units i ≠ j of each group of layer l.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lvmc.diagnostics.semidefinite.flat import Flat
from lvmc.graph.form import Array, Block, Edge, Form, Side


@dataclass(frozen=True)
class Attenuation:
    """M and G of a form.

    Attributes:
        kept: The kept share of C₋, in [0, 1]: one array a coupling, edges before sides, in the form's order; of shape
            () or as the filter. 1 for couplings of signed layers, where C₋ − M has to be 0.
        groups: m_l by layer, in [−1, 1].
    """

    kept: tuple[Array, ...]
    groups: Mapping[str, float] = field(default_factory=dict[str, float])

    def bracket(self, form: Form) -> Flat:
        """D^-½ (C₊ − M − G) D^-½: the bracket is 1 minus it."""
        return Flat(self.coupled(form), self.groups)

    def coupled(self, form: Form) -> Form:
        """The form of C₊ − M."""
        count = len(form.edges)
        edges = [replace(each, filter=_attenuated(each, m)) for each, m in zip(form.edges, self.kept, strict=False)]
        sides = [
            replace(each, filter=_attenuated(each, m)) for each, m in zip(form.sides, self.kept[count:], strict=True)
        ]
        return replace(form, edges=tuple(edges), sides=tuple(sides))


def couplings(form: Form) -> tuple[Edge | Side, ...]:
    """Edges, then sides."""
    return (*form.edges, *form.sides)


def free(form: Form, each: Edge | Side) -> bool:
    """Whether a coupling's inhibition may be attenuated: there is some, between units that are never negative."""
    names = (each.upper, each.lower) if isinstance(each, Edge) else (each.layer,)
    return bool((each.filter < 0).any()) and not any(form.block[name].signed for name in names)


def grouped(form: Form) -> list[Block]:
    """Layers with groups of two units or more."""
    return [block for block in form.blocks if block.group is not None and block.group.units > 1]


def worth_it(form: Form) -> bool:
    """Whether there is anything to choose."""
    return bool(grouped(form)) or any(free(form, each) for each in couplings(form))


def _attenuated(each: Edge | Side, kept: Array) -> Array:
    return np.maximum(each.filter, 0.0) - kept * np.maximum(-each.filter, 0.0)
