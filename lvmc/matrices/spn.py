"""A = P + N with P positive semidefinite and N ≥ 0: the dense test that decides nearly every matrix, by ADMM."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy.linalg import eigh

from lvmc.matrices.problem import Mask
from lvmc.verdicts import Array

OVER = 1.6
"""Over-relaxation; Eckstein and Bertsekas (1992): between 1 and 2, 1.5 to 1.8 in practice."""


@dataclass(frozen=True)
class Split:
    """What ADMM found.

    Attributes:
        nonnegative: N, (n, n), 0 on the diagonal, at least 0 but where it is free.
        margin: The least eigenvalue of A − N, in floating point.
        ceiling: What no split can exceed, as far as the iterates tell: <A, Y> of a nearly feasible Y.
    """

    nonnegative: Array
    margin: float
    ceiling: float


def split(
    matrix: Array, free: Mask, start: Array | None = None, goal: float = 0.0, most: int = 400, until: float = np.inf
) -> Split:
    """The N with the largest least eigenvalue of A − N, as far as it takes to pass `goal` or to see that it cannot.

        max μ: A − μ − N ⪰ 0, N_ij ≥ 0      dual: min <A, X>: tr X = 1, X ⪰ 0, X_ij ≥ 0, X_ij = 0 where N_ij is free

    ADMM on X = Y: X ← the spectraplex, Y ← the nonnegative matrices, N = −ρU from the scaled multiplier U.

    Args:
        matrix: A, (n, n), with diagonal near 1.
        free: Where N may have any sign.
        start: A first N.
        goal: Stop once A − N has least eigenvalue above this.
        most: Largest number of iterations.
        until: `perf_counter()` at which to stop.
    """
    size = len(matrix)
    first = np.where(free, matrix, np.maximum(matrix, 0.0)) if start is None else start
    best = hollow(first)
    margin = least(matrix - best)
    rho = max(float(np.linalg.norm(matrix - np.diag(np.diag(matrix)))) / size, 1e-3) * 0.4
    y = np.eye(size)
    u = -best / rho
    ceiling = np.inf
    for number in range(1, most + 1):
        x = spectraplex(y - u - matrix / rho)
        relaxed = OVER * x + (1 - OVER) * y
        before, sum_ = y, relaxed + u
        y = np.where(free, 0.0, np.maximum(sum_, 0.0))
        u = sum_ - y
        if number % 5 and number > 3:
            continue
        n = hollow(-rho * u)
        if (found := least(matrix - n)) > margin:
            best, margin = n, found
        primal, dual = float(np.linalg.norm(x - y)), float(np.linalg.norm(y - before))
        ceiling = float((matrix * y).sum() / np.trace(y)) + float(np.linalg.norm(matrix)) * primal / size
        if margin > goal or ceiling < goal or perf_counter() > until or (primal + dual < 1e-12 * size):
            break
        if primal > 10 * dual or dual > 10 * primal:
            factor = 2.0 if primal > dual else 0.5
            rho, u = rho * factor, u / factor
    return Split(best, margin, ceiling)


def hollow(matrix: Array) -> Array:
    """The symmetric part with a diagonal of 0."""
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 0.0)
    return matrix


def least(matrix: Array) -> float:
    """The least eigenvalue."""
    return float(eigh(matrix, check_finite=False, eigvals_only=True, subset_by_index=[0, 0])[0])


def spectraplex(matrix: Array) -> Array:
    """The nearest positive semidefinite matrix of trace n."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values = simplex(values, float(len(values)))
    kept = values > 0
    return (vectors[:, kept] * values[kept]) @ vectors[:, kept].T


def simplex(values: Array, total: float) -> Array:
    """The nearest nonnegative vector of the given sum."""
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(values) + 1)
    return np.maximum(values - excess[np.flatnonzero(falling > excess)[-1]], 0.0)
