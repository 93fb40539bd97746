"""Proves that an attenuated bracket is positive semidefinite: by Cholesky where n is small, by Lanczos otherwise."""

from __future__ import annotations

from math import inf

import numpy as np
from scipy.linalg import cholesky

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dominance.rounding import UNIT
from lvmc.diagnostics.rays.ray import row_sum
from lvmc.diagnostics.semidefinite.attenuation import Attenuation, couplings
from lvmc.diagnostics.semidefinite.flat import SMALL, Flat, group_units
from lvmc.diagnostics.semidefinite.lanczos import CHANCE, extreme_of
from lvmc.graph.form import Array, Form
from lvmc.verdicts import Certificate

CLOSE = 2e-3
"""Relative width at which the bounds on a chosen bracket's λ_max are close enough; five times that in large nets."""
DENSE = 2000
"""Units up to which the bracket is proved by a Cholesky factorisation."""


def proved(form: Form, chosen: Attenuation, budget: Budget, stage: str, seed: int) -> Bound:
    """The bracket's bound with its certificate of kind "spn"."""
    flat = chosen.bracket(form)
    if form.units <= DENSE:
        lower = dense_margin(flat)
        facts: dict[str, float | int | str] = {"dense": 1, "bound": 1 - lower}
        proof = Certificate("strict", "spn", lower, _arrays(form, chosen), facts)
    else:
        small = form.units <= SMALL
        time, close = (Budget(inf, budget.tell), CLOSE) if small else (budget, 5 * CLOSE)
        extreme = extreme_of(flat, time, None, seed, CHANCE, 1.0, stage, close)[1]
        proof = Certificate("strict", "spn", 1 - extreme.bound, _arrays(form, chosen), extreme.facts, CHANCE)
    return Bound(stage, proof.margin, inf, proof)


def _arrays(form: Form, chosen: Attenuation) -> dict[str, Array]:
    """What was chosen, as certificates name it."""
    groups = np.array([chosen.groups.get(block.name, 0.0) for block in form.blocks])
    if all(each.shape == () for each in chosen.kept):
        return {"couplings": np.array([float(m) for m in chosen.kept]), "groups": groups}
    names = [f"edge:{i}" for i in range(len(form.edges))] + [f"side:{i}" for i in range(len(form.sides))]
    taps = [np.broadcast_to(m, each.filter.shape).copy() for m, each in zip(chosen.kept, couplings(form), strict=True)]
    return dict(zip(names, taps, strict=True)) | {"groups": groups}


def dense_margin(flat: Flat) -> float:
    """A number that the least eigenvalue of 1 − H is at least, by Cholesky in float64; no chance of error.

    A factorisation of B that ends shows λ_min(B) ≥ −γ_{n+1}/(1 − γ_{n+1}) tr B (Rump 2006). Entries of H have an error
    of a few units in the last place of sums over few taps: |ΔH| ≤ γ |H|, at most γ times its largest row sum.
    """
    import torch

    size = flat.form.units
    wide = Flat(flat.form, flat.groups, "float64")
    matrix = wide.batch(torch.eye(size, dtype=torch.float64)).numpy()
    matrix = np.eye(size) - 0.5 * (matrix + matrix.T)
    beside = sum(abs(m) * group_units(flat.form.block[name]) for name, m in flat.groups.items())
    gamma = 2 * (size + 64) * UNIT
    error = gamma * (row_sum(flat.form) + beside + float(np.abs(matrix).sum(1).max()))
    guess = float(np.linalg.eigvalsh(matrix)[0])
    slack = 1e-12 * size + 1e-13
    while True:
        shifted = matrix - (guess - slack) * np.eye(size)
        try:
            cholesky(shifted, check_finite=False)
        except np.linalg.LinAlgError:
            slack *= 4
            continue
        return guess - slack - error - gamma * float(np.trace(shifted))
