"""A vector's zᵀAz/zᵀDz in float64, with a bound on what rounding did to it: a witness, whatever its sign."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from lvmc.diagnostics.dominance.rounding import UNIT, fan_in
from lvmc.diagnostics.field import Field
from lvmc.graph.form import Array, Block, Form
from lvmc.verdicts import Claim, Witness

SUMMED = 256
"""More than the depth of numpy's pairwise sums: 128 + log₂ of the count, and a few operations beside them."""


def witness_at(form: Form, z: Mapping[str, Array], refutes: Claim = "copositive") -> Witness | None:
    """The witness that z (channels, height, width by layer) is, or None where z is 0 or not finite.

    z is taken as it stands: "copositive" needs a z of K (`cone.project`), "psd" any.
    """
    import torch

    batched = {block.name: torch.as_tensor(z[block.name], dtype=torch.float64)[None] for block in form.blocks}
    with torch.no_grad():
        coupled = Field(form)(batched)
    gain = sum(float(np.sum(z[name] * each[0].numpy())) for name, each in coupled.items())
    norm = sum(float(np.sum(z[block.name] ** 2 * _shaped(block))) for block in form.blocks)
    if not (0 < norm < np.inf and np.isfinite(gain)):
        return None
    return Witness(refutes, {block.name: z[block.name] for block in form.blocks}, 1 - gain / norm, rounding(form))


def rounding(form: Form) -> float:
    """Bound on the error of a computed zᵀAz/zᵀDz, from 1 ± γ_K on every product and zᵀ|C|z ≤ `row_sum` zᵀDz.

    Higham, Accuracy and Stability of Numerical Algorithms, §3.1; K counts the fan-in and the sums over units.
    """
    count = (max(fan_in(form).values()) + 2 * SUMMED) * UNIT
    return 2 * count / (1 - count) * (1 + row_sum(form))


def row_sum(form: Form) -> float:
    """Largest row sum of |D^-½ C D^-½| at most: a bound on its spectral radius, and so on every Rayleigh quotient."""
    sums = _over_rows(form.unit_diagonal())
    return max(float(each.max(initial=0.0)) for each in sums.values())


def _over_rows(form: Form) -> dict[str, Array]:
    sums = {block.name: np.zeros(block.channels) for block in form.blocks}
    for edge in form.edges:
        taps = np.abs(edge.filter)
        sums[edge.upper] += taps.sum((1, 2, 3)) * prod(edge.replicate)
        sums[edge.lower] += taps.sum((0, 2, 3))
    for side in form.sides:
        sums[side.layer] += np.abs(side.filter).sum((1, 2, 3))
    return sums


def _shaped(block: Block) -> Array:
    return block.diagonal[:, None, None]
