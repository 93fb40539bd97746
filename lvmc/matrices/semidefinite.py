"""Is a matrix positive semidefinite: proved by a Cholesky factor with room for its rounding, or exactly."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh

from lvmc.verdicts import Array

UNIT = 2.0**-53
EXACT_SIZE = 80
"""Largest size that is worth exact elimination: its numbers grow by about 60 bits a row."""


def room(matrix: Array) -> float:
    """How much rounding may have moved the least eigenvalue that a finished Cholesky factor speaks of.

    Rump (2006), "Verification of positive definiteness": if the factor of A − cI exists in floating point with
    c ≥ γ/(1 − γ) tr A, γ = (n + 1)u/(1 − (n + 1)u), then A is positive definite; doubled for underflow and for
    c's own rounding, and with room for entries that are themselves rounded twice.
    """
    size = len(matrix)
    gamma = (size + 1) * UNIT / (1 - (size + 1) * UNIT)
    trace = float(np.abs(np.diag(matrix)).sum())
    rows = float(np.abs(matrix).sum(axis=1).max(initial=0.0))
    return 2 * gamma * trace + 4 * UNIT * rows + 1e-290


def proved(matrix: Array, shift: Array | float = 0.0) -> bool:
    """Whether Cholesky proves A − diag(shift) positive definite, the entries of A correct to two roundings."""
    if not len(matrix):
        return True
    shifted = matrix.copy()
    slack = room(matrix) + 4 * UNIT * float(np.abs(shift).max(initial=0.0))
    shifted.flat[:: len(matrix) + 1] -= shift + 1.0001 * slack
    if not (np.diag(shifted) > 0).all():
        return False
    try:
        cholesky(shifted, lower=True, check_finite=False)
    except LinAlgError:
        return False
    return True


def least(matrix: Array, weights: Array) -> tuple[float, Array]:
    """The least zᵀAz / zᵀDz over all z, and its z; in floating point, so proving nothing."""
    root = np.sqrt(weights)
    values, vectors = eigh(matrix / np.outer(root, root), check_finite=False, subset_by_index=[0, 0])
    return float(values[0]), np.asarray(vectors[:, 0] / root)


def margin(matrix: Array, weights: Array, goal: float | None = None) -> float:
    """A μ near the largest with A − μD positive semidefinite, proved with room to spare; −inf where no tried one is.

    Args:
        matrix: A, (n, n), its entries correct to one rounding.
        weights: D, (n,).
        goal: An estimate of the least eigenvalue of D^-½ A D^-½, where one is known.
    """
    best = least(matrix, weights)[0] if goal is None else goal
    gap = 2 * (room(matrix) + UNIT * abs(best)) / float(weights.min())
    for _ in range(6):
        tried = best - gap
        if proved(matrix, tried * weights):
            return tried - gap if tried <= 0 or tried > 2 * gap else tried / 2
        gap *= 8
    return -np.inf
