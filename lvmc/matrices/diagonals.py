"""What the diagonal settles at once: entries below 0, rows whose diagonal is 0, and single pairs."""

from __future__ import annotations

import numpy as np

from lvmc.matrices.evidence import Evidence, evidence
from lvmc.matrices.problem import Indices, Problem
from lvmc.verdicts import Array


def low_diagonal(problem: Problem) -> Evidence | None:
    """A z with zᵀAz < 0 from an entry below 0, or from one of 0 beside a positive coupling; else, for a 0, zᵀAz = 0."""
    diagonal, rivals = problem.diagonal, problem.rivals()
    least = int(np.argmin(diagonal))
    if diagonal[least] < 0:
        return evidence(problem, [unit(problem.size, least)])
    empty = np.flatnonzero(diagonal == 0)
    if not len(empty):
        return None
    rows = np.where(rivals[empty], 0.0, problem.matrix[empty])
    i, j = (int(k) for k in np.unravel_index(int(np.argmin(rows)), rows.shape))
    if rows[i, j] >= 0:
        return evidence(problem, [unit(problem.size, int(empty[0]))])
    return evidence(problem, [lopsided(problem, int(empty[i]), j)])


def indefinite_row(problem: Problem) -> Evidence | None:
    """A z, of any sign, with zᵀAz < 0 from a diagonal entry of 0 beside any coupling; None where there is none."""
    empty = problem.diagonal == 0
    rows = np.abs(np.where(empty[:, None], problem.matrix, 0.0))
    if not rows.any():
        return None
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(rows)), rows.shape))
    z = lopsided(problem, i, j)
    z[j] *= -np.sign(problem.matrix[i, j])
    return evidence(problem, [z])


def lopsided(problem: Problem, empty: int, other: int) -> Array:
    """z on i (a_ii = 0) and j with a_jj z_j² < 2 |a_ij| z_i z_j: powers of two, both within reach of floats."""
    top, side = np.frexp(problem.matrix[other, other])[1], np.frexp(problem.matrix[empty, other])[1]
    power = int(top - side) + 2
    z = np.zeros(problem.size)
    z[empty], z[other] = np.ldexp(1.0, power - power // 2), np.ldexp(1.0, -(power // 2))
    return z


def unit(size: int, index: int) -> Array:
    """e_index."""
    z = np.zeros(size)
    z[index] = 1.0
    return z


def positive_rows(problem: Problem) -> Indices:
    """The rows with a diagonal above 0."""
    return np.flatnonzero(problem.diagonal > 0)


def worst_pair(problem: Problem) -> Evidence | None:
    """The z on two indices, not of one group, with the least zᵀAz/zᵀDz; None where no coupling is positive.

    On a pair scaled to unit diagonal the least ratio is 1 + a_ij, at z = D^-½(1, 1).
    """
    root = np.sqrt(problem.weights)
    scaled = np.where(problem.rivals(), np.inf, problem.matrix / np.outer(root, root))
    np.fill_diagonal(scaled, np.inf)
    if problem.size < 2 or scaled.min() >= 0:
        return None
    i, j = np.unravel_index(int(np.argmin(scaled)), scaled.shape)
    z = np.zeros(problem.size)
    z[[i, j]] = 1 / root[[i, j]]
    return evidence(problem, [z])
